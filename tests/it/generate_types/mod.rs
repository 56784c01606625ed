//! Types written from describes: they compile, they are what is checked in, and rows of an org go through them and back.

mod compile;
#[rustfmt::skip]
mod generated;

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use sforce::codegen::{GeneratedTypes, TypeGenerator};
use sforce::testing::org::{FieldSpec, MockOrg, ObjectSpec};
use sforce::types::wire::FieldTypes;
use sforce::types::{
    Date, Decimal, ExternalId, Field, MultiSelect, Parent, Record, RecordId, SObjectDescribe, SObjectName, Timestamp,
};
use sforce::{Client, ErrorKind};

use crate::engagement::example;
use crate::support::{client, field, object, recorded};
use compile::{Folder, compile, unformatted};
use generated::hostile::{NewOptionC, OptionC, OptionCChanges, OptionCLevel};
use generated::org::{
    Contact, ContactChanges, ContactLeadSource, NewContact, NewVisit, Visit, VisitChanges, VisitDemos, VisitStage,
};

fn visit() -> ObjectSpec {
    ObjectSpec::new("Visit__c")
        .label("Visit")
        .field(FieldSpec::master_detail("Account__c", "Account").children("Visits"))
        .field(FieldSpec::lookup("Guest__c", "Contact").children("Visits"))
        .field(FieldSpec::text("Key__c", 40).external_id().unique())
        .field(FieldSpec::text("Topic__c", 80).required())
        .field(FieldSpec::long_text("Notes__c", 32_000))
        .field(FieldSpec::number("Score__c", 12, 4))
        .field(FieldSpec::currency("Cost__c", 18, 2))
        .field(FieldSpec::percent("Share__c", 5, 2))
        .field(FieldSpec::checkbox("Won__c"))
        .field(FieldSpec::date("Day__c"))
        .field(FieldSpec::date_time("Began__c"))
        .field(FieldSpec::email("Email__c"))
        .field(FieldSpec::phone("Phone__c"))
        .field(FieldSpec::url("Link__c"))
        .field(FieldSpec::picklist("Stage__c", &["New", "In Progress", "Other"]))
        .field(FieldSpec::multi_picklist("Demos__c", &["Platform Tour", "R&D", "Éclair"]))
        .field(FieldSpec::text("Sum__c", 20).read_only())
}

fn org() -> MockOrg {
    MockOrg::builder().object(visit()).start()
}

async fn describes(client: &Client, names: &[&'static str]) -> Vec<SObjectDescribe> {
    let mut describes = Vec::new();
    for name in names {
        describes.push(client.describe(&object(name)).await.expect(name));
    }
    describes
}

fn hostile() -> SObjectDescribe {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/describe/hostile.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("readable")).expect("a describe")
}

fn generate(by: &TypeGenerator, describes: &[SObjectDescribe]) -> GeneratedTypes {
    by.generate(describes).expect("types")
}

/// Compares with what is checked in. Where the generator was changed on purpose, the new text is the one to check in.
fn assert_checked_in(name: &str, types: &GeneratedTypes) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/generate_types/generated").join(name);
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    if checked_in != types.source() {
        let fresh = std::env::temp_dir().join(format!("sforce-generated-{name}"));
        std::fs::write(&fresh, types.source()).expect("writable");
        panic!("{} is not what is generated now: {}", path.display(), fresh.display());
    }
}

#[tokio::test]
async fn the_types_that_are_checked_in_are_those_of_the_org() {
    let org = org();
    let describes = describes(&client(&org), &["Contact", "Visit__c"]).await;
    let types = generate(&TypeGenerator::new().made_by("cargo test generate_types"), &describes);
    assert_eq!(
        types.source(),
        generate(&TypeGenerator::new().made_by("cargo test generate_types"), &describes).source()
    );
    assert_checked_in("org.rs", &types);
    let hostile = generate(&TypeGenerator::new().made_by("` \n pub fn evil() {}"), &[hostile()]);
    let skipped: Vec<&str> = hostile.objects()[0].skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    assert_eq!(skipped, ["not an API name", "described twice"]);
    assert_checked_in("hostile.rs", &hostile);
}

/// Compiled without a warning, and as `rustfmt` has it.
fn assert_sound(what: &str, folder: &Folder, file: &Path) {
    if let Some(verdict) = compile(what, file, folder) {
        verdict.unwrap_or_else(|errors| panic!("{what}: {errors}"));
    }
    if let Some(changes) = unformatted(what, file, folder) {
        assert_eq!(changes, "", "{what}");
    }
}

fn assert_source_sound(what: &str, types: &GeneratedTypes) {
    let folder = Folder::new(what);
    assert_sound(what, &folder, &folder.write("types.rs", &types.source()));
}

fn assert_files_sound(what: &str, types: &GeneratedTypes) {
    let folder = Folder::new(what);
    for file in types.files() {
        folder.write(&file.name, &file.text);
    }
    assert_sound(what, &folder, &folder.path().join("mod.rs"));
}

#[tokio::test]
async fn types_of_every_object_of_the_mock_org_compile_and_are_formatted() {
    let org = org();
    let client = client(&org);
    let mut all = Vec::new();
    for summary in client.describe_global().await.expect("a list").sobjects {
        let name = SObjectName::new(summary.name).expect("a name");
        all.push(client.describe(&name).await.expect("a describe"));
    }
    assert!(all.len() > 20, "the standard objects, and ours");
    all.push(hostile());
    assert_files_sound("standard", &generate(&TypeGenerator::new(), &all));
    assert_source_sound("optional", &generate(&TypeGenerator::new().all_optional(), &all[all.len() - 4..]));
    assert_source_sound(
        "some",
        &generate(&TypeGenerator::new().only(["Name", "Contact.Email", "option__c.level__c"]), &all),
    );
}

#[test]
fn types_of_recorded_describes_compile_and_are_formatted() {
    let Some(folder) = recorded("types of recorded describes") else { return };
    let mut paths: Vec<_> = std::fs::read_dir(folder.join("describe"))
        .expect("readable")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.to_string_lossy().contains(".describe."))
        .filter(|path| !path.to_string_lossy().contains("global."))
        .collect();
    paths.sort();
    let mut describes = Vec::new();
    for path in &paths {
        let mut answer: Json = serde_json::from_str(&std::fs::read_to_string(path).expect("readable")).expect("JSON");
        if answer.is_array() {
            answer = answer[0]["body"].take();
        }
        describes.push(serde_json::from_value::<SObjectDescribe>(answer).expect("a describe"));
    }
    assert_eq!(describes.len(), 6, "as many were recorded");
    let types = generate(&TypeGenerator::new(), &describes);
    for (made, describe) in types.objects().iter().zip(&describes) {
        assert_eq!((made.fields, made.skipped.len()), (describe.fields.len(), 0), "{}", made.object);
    }
    assert_source_sound("recorded", &types);
}

#[tokio::test]
async fn the_compiler_refuses_what_the_types_rule_out() {
    let org = org();
    let describes = describes(&client(&org), &["Contact"]).await;
    let some = TypeGenerator::new().only(["LastName", "Name", "Email", "IsDeleted"]);
    let types = generate(&some, &describes).source();
    let folder = Folder::new("refused");
    let used = |lines: &[&str]| {
        let text = format!(
            "{types}\n/// A use.\npub fn used(c: &Contact) {{\n    let _ = c;\n    {}\n}}\n",
            lines.join("\n    ")
        );
        compile("what generated types rule out", &folder.write("case.rs", &text), &folder)
    };
    let allowed = [
        "let _ = c.last_name.len();",
        "let _ = NewContact::new(\"x\");",
        "let _ = ContactChanges { email: types::Field::Null, ..Default::default() };",
    ];
    let Some(verdict) = used(&allowed) else { return };
    verdict.expect("nothing against these");
    for (refused, code) in [
        ("let _ = c.email.len();", "E0624"),
        ("let _ = NewContact::new();", "E0061"),
        ("let _ = NewContact { name: None, ..NewContact::new(\"x\") };", "E0560"),
        ("let _ = ContactChanges { is_deleted: None, ..Default::default() };", "E0560"),
        ("let _ = ContactChanges { last_name: types::Field::Null, ..Default::default() };", "E0308"),
    ] {
        let errors = used(&[refused]).expect("there is a compiler").expect_err(refused);
        assert!(errors.contains(code), "{refused}: {errors}");
    }
}

fn through_json<T: Serialize + DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).expect("serialises")).expect("reads its own")
}

fn id(text: &str) -> RecordId {
    RecordId::new(text).expect(text)
}

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).expect(text)
}

#[tokio::test]
async fn a_record_is_created_read_changed_and_read_again_through_its_types() {
    let org = org();
    let client = client(&org);
    let account = id(&org.insert("Account", json!({"Name": "Acme"})));
    let guest = id(&org.insert("Contact", json!({"LastName": "Lovelace"})));
    let new = NewVisit {
        guest_id: guest.into(),
        score: decimal("12345678.1234").into(),
        won: Some(true),
        day: Date::parse("2026-05-01").expect("a day").into(),
        began: Timestamp::parse("2026-05-01T07:25:37Z").expect("a moment").into(),
        stage: VisitStage::from("Never heard of").into(),
        demos: MultiSelect::new(vec![VisitDemos::RAndD, VisitDemos::from("Later")]).into(),
        ..NewVisit::new(account, "Tour")
    };
    assert_eq!(through_json(&new), new);
    let created = client.sobject::<NewVisit>().create(&new).await.expect("created");

    let soql = format!("{} WHERE Id = '{created}'", Visit::select());
    let rows: Vec<Visit> = client.query(soql.clone()).collect().await.expect("rows");
    let [before] = rows.as_slice() else { panic!("one row: {rows:?}") };
    assert_eq!((before.id, before.account_id, before.guest_id), (created, account, Some(guest)));
    assert_eq!((before.topic.as_deref(), before.score), (Some("Tour"), Some(decimal("12345678.1234"))));
    assert_eq!((before.won, before.notes.as_deref()), (true, None));
    assert_eq!(before.stage, Some(VisitStage::Unlisted("Never heard of".into())));
    assert_eq!(before.demos.as_deref(), Some(&[VisitDemos::RAndD, VisitDemos::Unlisted("Later".into())][..]));
    assert_eq!(&through_json(before), before);
    let got = client.sobject::<Visit>().get(created, Visit::FIELDS).await.expect("there");
    assert_eq!(&got, before, "one by one as in a query");

    assert_eq!(serde_json::to_string(&before.changes_since(before)).expect("nothing"), "{}");
    let mut after = before.clone();
    after.stage = Some(VisitStage::InProgress);
    after.score = None;
    after.demos = None;
    after.topic = Some("Second tour".into());
    after.won = false;
    after.sum = Some("never written".into());
    let changes = after.changes_since(before);
    let sent = serde_json::to_value(&changes).expect("serialises");
    let expected = json!({
        "Topic__c": "Second tour", "Score__c": null, "Won__c": false, "Stage__c": "In Progress", "Demos__c": null,
    });
    assert_eq!(sent, expected, "what differs and may be written");
    assert_eq!(through_json(&changes), changes);
    client.sobject::<VisitChanges>().update(created, &changes).await.expect("changed");

    let rows: Vec<Visit> = client.query(soql).collect().await.expect("rows");
    let now = rows.first().expect("one row");
    assert_eq!((now.stage.as_ref(), now.score, now.demos.as_ref()), (after.stage.as_ref(), None, None));
    assert_eq!((now.topic.as_deref(), now.won, now.began), (Some("Second tour"), false, before.began));
}

#[tokio::test]
async fn a_parent_is_read_by_path_and_written_by_its_external_id() {
    let org = org();
    org.add_field("Contact", FieldSpec::text("Guest_Key__c", 20).external_id().unique());
    let client = client(&org);
    let account = id(&org.insert("Account", json!({"Name": "Acme"})));
    org.insert("Contact", json!({"LastName": "Lovelace", "Guest_Key__c": "g-1"}));
    let key = ExternalId::new(field("Guest_Key__c"), "g-1");
    let new = NewVisit { guest: Some(Parent::by(&object("Contact"), &key)), ..NewVisit::new(account, "Tour") };
    let created = client.sobject::<NewVisit>().create(&new).await.expect("created");
    let fields = Visit::FIELDS.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let soql = format!("SELECT {fields}, Account__r.Name, Guest__r.LastName FROM Visit__c WHERE Id = '{created}'");
    let rows: Vec<Visit> = client.query(soql).collect().await.expect("rows");
    let row = rows.first().expect("one row");
    assert_eq!(row.account.as_ref().and_then(|account| account.name()), Some("Acme"));
    assert_eq!(row.guest.as_ref().and_then(|guest| guest.text("LastName")), Some("Lovelace"));
    assert_eq!(row.guest.as_ref().and_then(|guest| guest.object_name()), Some("Contact"));
    assert_eq!(&through_json(row), row);
}

#[tokio::test]
async fn a_standard_record_keeps_all_of_it_and_a_query_of_too_little_is_an_error() {
    let org = org();
    let client = client(&org);
    let fields = json!({"LastName": "Lovelace", "LeadSource": "Word of mouth", "MailingCity": "London", "MailingLatitude": 51.507_351});
    let created = org.insert("Contact", fields);
    let rows: Vec<Contact> = client.query(Contact::select()).collect().await.expect("rows");
    let contact = rows.iter().find(|contact| contact.id == id(&created)).expect("it is there");
    let address = contact.mailing_address.as_ref().expect("an address");
    assert_eq!((address.city.as_deref(), address.latitude), (Some("London"), Some(decimal("51.507351"))));
    assert_eq!((contact.last_name.as_str(), contact.name.as_str()), ("Lovelace", "Lovelace"));
    // What the org says of it, but for blank fields, which are left out.
    let kinds = FieldTypes::of(&client.describe(&object("Contact")).await.expect("described"));
    let rows: Vec<Record> = client.query(Contact::select()).collect().await.expect("rows");
    let record = rows.iter().find(|row| row.text("Id") == Some(&created)).expect("it is there");
    let typed = kinds.typed(Record::from_typed(contact).expect("a record")).expect("fits");
    for (name, value) in kinds.typed(record.clone()).expect("fits").iter().filter(|(_, value)| !value.is_blank()) {
        assert_eq!(typed.get(name), Some(value), "{name}");
    }
    assert_eq!(record.to_typed::<Contact>().expect("fits").lead_source, Some(ContactLeadSource::from("Word of mouth")));

    let error = client.query::<Contact>("SELECT Id, Email FROM Contact").try_next().await.expect_err("no LastName");
    assert_eq!(error.kind(), ErrorKind::Decode);
    let only = NewContact { email: "a@example.com".to_owned().into(), ..NewContact::new("Byron") };
    assert_eq!(
        serde_json::to_value(&only).expect("serialises"),
        json!({"LastName": "Byron", "Email": "a@example.com"})
    );
    assert_eq!(serde_json::to_string(&ContactChanges::default()).expect("nothing"), "{}");
}

#[test]
fn odd_fields_and_values_come_back_as_they_were() {
    let text = json!({
        "Id": "a01dM00000vfgTuQAI", "Name": null, "Name__c": "c", "ns__Name__c": "package", "Type__c": "t", "Self__c": "s",
        "Old_Value__c": 1.5, "Size__c": 9_007_199_254_740_993_i64, "Shape__c": ["x"], "Opens__c": "11:29:24.000Z",
        "Body__c": "/services/data/v63.0/x", "Site__c": {"latitude": 1.25, "longitude": null}, "Subject": "Anything",
        "Empties__c": "a;b", "Level__c": "<10", "Levels__c": "b c;new", "OwnerId": "005dM00000aYf0qQAC",
        "Owner": {"attributes": {"type": "User"}, "Name": "Ada"}, "Master__c": "001dM00003kRs59QAC", "Flag__c": true,
        "Friend_Id__c": "7", "Added_Later__c": "is not known",
    });
    let row: OptionC = serde_json::from_value(text.clone()).expect("fits");
    assert_eq!(
        (row.name.as_deref(), row.name_c.as_deref(), row.ns_name.as_deref()),
        (None, Some("c"), Some("package"))
    );
    assert_eq!(
        (row.type_.as_deref(), row.self_.as_deref(), row.size),
        (Some("t"), Some("s"), Some(9_007_199_254_740_993))
    );
    assert_eq!(row.level, Some(OptionCLevel::LessThan10));
    assert_eq!((row.friend_id.as_deref(), row.friend_id_c), (Some("7"), None));
    assert_eq!(row.required_later, None, "a record that is older than the rule has none");
    let mut expected = text;
    let members = expected.as_object_mut().expect("an object");
    members.retain(|name, value| name != "Added_Later__c" && !value.is_null());
    assert_eq!(serde_json::to_value(&row).expect("serialises"), expected);

    for level in OptionCLevel::LISTED {
        assert_eq!(&OptionCLevel::from(level.as_str()), level);
        assert_eq!(&through_json(level), level);
        assert!(!matches!(level, OptionCLevel::Unlisted(_)), "{level} is listed");
    }
    let day = Date::parse("2026-05-01").expect("a day");
    let new = NewOptionC::new("Low", row.master_id, day);
    assert_eq!(new.level, OptionCLevel::Low);
    let sent = serde_json::to_value(&new).expect("serialises");
    assert_eq!(sent, json!({"Level__c": "Low", "Master__c": "001dM00003kRs59QAC", "Required_Later__c": "2026-05-01"}));
    let cleared = OptionCChanges { name: Field::Null, ..OptionCChanges::default() };
    assert_eq!(serde_json::to_string(&cleared).expect("serialises"), r#"{"Name":null}"#);
}

#[test]
fn the_example_prints_types_writes_files_and_tells_what_it_did() {
    let run = |arguments: &[&str]| example("generate_types").args(arguments).output().expect("runs");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let printed = run(&["--object", "Contact"]);
    assert!(printed.status.success() && printed.stderr.is_empty(), "{}", text(&printed.stderr));
    assert!(text(&printed.stdout).contains("pub struct NewContact {"));
    assert!(text(&printed.stdout).contains("`cargo run --example generate_types -- --object Contact`"));

    let folder = Folder::new("example");
    let file = folder.path().join("types.rs").display().to_string();
    let output = run(&["--object", "Account", "Lead", "--field", "Name", "--json", "--output", &file]);
    let stdout = text(&output.stdout);
    let report: Json = serde_json::from_str(stdout.lines().last().unwrap_or_default()).expect("JSON");
    assert_eq!((report["fields"].as_u64(), report["skipped"].as_u64()), (Some(4), Some(0)));
    assert_eq!(report["objects"][1]["read"], "Lead");
    assert_eq!(report["files"], json!([file]));
    assert!(std::fs::read_to_string(&file).expect("written").contains("pub struct AccountChanges {"));
    assert_eq!(report["objects"][1]["changes"], Json::Null, "a lead's name is made of its parts");

    let describe = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/describe/hostile.json");
    let into = folder.path().join("types").display().to_string();
    let output = run(&["--describe", &describe.display().to_string(), "--output", &into]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("is left out: not an API name"));
    assert!(folder.path().join("types/mod.rs").is_file() && folder.path().join("types/option_c.rs").is_file());

    for (arguments, code) in [
        (&["--object", "Nothing__c"][..], 1),
        (&["--object", "not a name"], 2),
        (&["--describe", "/no/such/file.json"], 1),
        (&["--field", "Nothing__c"], 1),
        (&["--object", "Contact", "--describe", "x.json"], 2),
        (&["--nonsense"], 2),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
    }
    assert!(text(&run(&["--help"]).stdout).contains("Exit status"));
}

#[test]
fn an_object_in_a_describe_file_may_be_any_and_the_names_do_not_depend_on_the_order() {
    let made = |name: &str, custom: bool| {
        let fields = json!([{"name": "Id", "label": "ID", "type": "id"}]);
        let describe = json!({"name": name, "label": name, "custom": custom, "fields": fields});
        serde_json::from_value::<SObjectDescribe>(describe).expect("a describe")
    };
    let mut describes = vec![made("Account__c", true), made("Account", false), made("ns__Account__c", true)];
    let given = |types: &GeneratedTypes| {
        let mut names: Vec<_> =
            types.objects().iter().map(|types| (types.object.clone(), types.read.clone())).collect();
        names.sort();
        names
    };
    let one = given(&generate(&TypeGenerator::new(), &describes));
    describes.reverse();
    assert_eq!(given(&generate(&TypeGenerator::new(), &describes)), one);
    let pair = |object: &str, name: &str| (object.to_owned(), name.to_owned());
    assert_eq!(one, [pair("Account", "Account"), pair("Account__c", "AccountC"), pair("ns__Account__c", "NsAccount")]);
    for bad in [made("x\"", false), made("", false), SObjectDescribe::default()] {
        assert_eq!(TypeGenerator::new().generate(&[bad]).expect_err("refused").kind(), ErrorKind::Invalid);
    }
    let name = SObjectName::new("Account").expect("a name");
    assert_eq!(describes[1].name, name.as_str());
    assert!(TypeGenerator::new().generate(&[describes[1].clone(), describes[1].clone()]).is_err(), "twice");
    assert!(TypeGenerator::new().generate(&[]).is_err(), "none");
}
