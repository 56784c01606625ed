//! What Salesforce wrote about its Metadata API, as a judge of our calls: the WSDL of our requests, recordings of our reading.

pub(crate) mod schema;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sforce::adapters::engagement::{Access, Prefix, desired_schema};
use sforce::api::metadata::{
    AnyComponent, ApexClass, Component, CustomField, CustomObject, DeleteConstraint, FieldKind, FilterItem,
    FilterOperation, Flow, FlowStatus, FlowValue, FormulaResult, Layout, LayoutSection, NameField, NamedCredential,
    Package, PermissionSet, PicklistValue, QuickAction, RecordTriggerType, RemoteSiteSetting, RetrieveRequest,
    TreatBlanksAs, ValueSet, Workflow, WorkflowCriteria, WorkflowOutboundMessage, WorkflowRule, WorkflowTriggerType,
};
use sforce::auth::{AccessToken, StaticToken};
use sforce::client::RetryPolicy;
use sforce::{Client, ErrorKind, Retry};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use self::schema::Node;
use crate::support::{not_run, recorded, wsdl};

async fn serve(status: u16, body: &str) -> (MockServer, Client) {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(status).set_body_raw(body.as_bytes().to_vec(), "text/xml;charset=UTF-8");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let token = AccessToken::allowing_loopback("00D!<token>&", &server.uri()).expect("loopback");
    let client = Client::builder(StaticToken::new(token)).retry(RetryPolicy::never()).build().expect("a client");
    (server, client)
}

/// Every type of a field, with all that goes with it.
fn every_kind() -> Vec<FieldKind> {
    let values = ValueSet::new([PicklistValue::new("a"), PicklistValue::new("b").label("B & C").default_value()]);
    let mut kinds = vec![
        FieldKind::text(80),
        FieldKind::TextArea,
        FieldKind::long_text(32_768),
        FieldKind::Html { length: 32_768, visible_lines: 25 },
        FieldKind::number(18, 3),
        FieldKind::Currency { precision: 16, scale: 2 },
        FieldKind::Percent { precision: 5, scale: 2 },
        FieldKind::Checkbox,
        FieldKind::Date,
        FieldKind::DateTime,
        FieldKind::Time,
        FieldKind::Email,
        FieldKind::Phone,
        FieldKind::Url,
        FieldKind::picklist(values.clone().restricted().sorted()),
        FieldKind::picklist(ValueSet::global("Regions")),
        FieldKind::multiselect_picklist(values),
        FieldKind::MasterDetail {
            reference_to: "Account".into(),
            relationship_name: "Sessions".into(),
            relationship_label: "Sessions".into(),
            relationship_order: 1,
            write_requires_master_read: true,
            reparentable: true,
        },
        FieldKind::AutoNumber { display_format: "A-{0000}".into(), starting_number: Some(7) },
        FieldKind::Location { scale: 5 },
        FieldKind::Formula {
            formula: "1 < 2 && \"x\"".into(),
            result: FormulaResult::Currency { precision: 18, scale: 2 },
            treat_blanks_as: Some(TreatBlanksAs::Blank),
        },
    ];
    for constraint in [None, Some(DeleteConstraint::SetNull), Some(DeleteConstraint::Restrict)] {
        kinds.push(FieldKind::Lookup {
            reference_to: "Contact".into(),
            relationship_name: "R".into(),
            relationship_label: "R".into(),
            delete_constraint: constraint,
        });
    }
    kinds.extend(
        [
            FormulaResult::Text,
            FormulaResult::Checkbox,
            FormulaResult::Date,
            FormulaResult::DateTime,
            FormulaResult::Time,
        ]
        .map(|result| FieldKind::formula(result, "NULL")),
    );
    kinds
}

/// A component of every type, and a field of every type, with all that goes with it.
fn every_component() -> Vec<AnyComponent> {
    let desired = desired_schema(&Prefix::default(), Access::FullCrud);
    let field = |(number, kind)| {
        let field = CustomField::new(format!("Every__c.F{number}__c"), "F <&>", kind);
        let field = field.description("d").inline_help_text("h").default_value("1").track_history();
        AnyComponent::from(field.required().unique().case_sensitive().external_id())
    };
    let mut all: Vec<AnyComponent> = every_kind().into_iter().enumerate().map(field).collect();
    let object = CustomObject {
        enable_bulk_api: Some(true),
        enable_sharing: Some(true),
        enable_streaming_api: Some(true),
        fields: vec![CustomField::new("Own__c", "Own", FieldKind::Date)],
        ..CustomObject::new("Every__c", "Every", "Everies")
    };
    let object = object.description("d").with_history().with_reports().with_search().with_activities();
    let mut layout = Layout { full_name: "Contact-Contact Layout".into(), ..Layout::default() };
    layout.add_section(LayoutSection::new("Insights", ["A__c", "B__c", "C__c"]));
    let message =
        || WorkflowOutboundMessage::new("Account.M", "https://e.com/?a=1&b=2", "u@example.com", ["Id", "Name"]);
    let rule = || WorkflowRule::new("Account.R", "NOT(ISBLANK(Name))", WorkflowTriggerType::OnAllChanges).sends("M");
    let item = FilterItem::new("Account.Name", FilterOperation::NotEqual, "x");
    let items = WorkflowCriteria::Items { items: vec![item], boolean_filter: Some("1".into()) };
    let flow = Flow::record_triggered("F", "F", "Account", RecordTriggerType::CreateAndUpdate).sends("Account.M");
    all.extend([
        object.clone().into(),
        object.name_field(NameField::auto_number("No", "A-{0}")).into(),
        CustomObject::standard("Account").with_history().into(),
        layout.into(),
        AnyComponent::from(message()),
        rule().into(),
        WorkflowRule { criteria: items, description: Some("d".into()), ..rule() }.into(),
        Workflow {
            full_name: "Contact".into(),
            outbound_messages: vec![message()],
            rules: vec![rule()],
            ..Workflow::default()
        }
        .into(),
        flow.clone()
            .sends("Account.M")
            .only_if("Name", "EqualTo", FlowValue::Text("<&>".into()))
            .only_if("Big__c", "EqualTo", FlowValue::Boolean(true))
            .only_if("Size__c", "GreaterThan", FlowValue::Number("1.5".into()))
            .only_if("OwnerId", "NotEqualTo", FlowValue::Reference("$User.Id".into()))
            .into(),
        Flow { status: FlowStatus::Obsolete, ..flow }.into(),
        NamedCredential::bearer("N", "N", "https://example.com", "t")
            .header("X-A", "b")
            .external_credential("E")
            .into(),
        QuickAction::flow("Contact.Go", "Go", "F").into(),
        QuickAction::update("Contact.Set", "Set", ["Score__c"]).into(),
        ApexClass::new("C", "public class C { String s = '<&>'; }").into(),
        RemoteSiteSetting::new("R", "https://example.com").into(),
    ]);
    all.extend(desired.permission_set.map(AnyComponent::from));
    all.extend(desired.objects.into_iter().map(AnyComponent::from));
    all.extend(desired.fields.into_iter().map(AnyComponent::from));
    all
}

#[tokio::test]
async fn our_metadata_requests_are_valid_by_the_wsdl_of_salesforce() {
    let Some(folder) = recorded("our_metadata_requests_are_valid_by_the_wsdl_of_salesforce") else { return };
    let schema = wsdl(&folder);
    let (server, client) = serve(500, "").await;
    let all: Vec<AnyComponent> =
        every_component().into_iter().filter(|component| component.component_type() != "ApexClass").collect();
    // Nobody answers; what was asked is what counts.
    for component in &all {
        let _ = client.metadata().upsert(std::slice::from_ref(component)).await;
    }
    let wanted = RetrieveRequest::new().members("CustomObject", ["Account"]).package("Mine").specific_files(["a"]);
    let _ = client.metadata().retrieve(&wanted).await;
    let requests = server.received_requests().await.expect("recorded");
    let mut checked = 0;
    for request in &requests {
        let body = String::from_utf8(request.body.clone()).expect("UTF-8");
        assert!(body.contains("<sessionId>00D!&lt;token&gt;&amp;</sessionId>"), "the session id is escaped");
        assert!(request.headers.get("soapaction").is_some());
        let body = Node::parse(&body);
        for metadata in body.find("metadata") {
            let kind = metadata.kind.as_deref().expect("a type");
            assert_eq!(schema.check(metadata, kind), Vec::<String>::new());
            checked += 1;
        }
        for wanted in body.find("retrieveRequest") {
            assert_eq!(schema.check(wanted, "RetrieveRequest"), Vec::<String>::new());
            checked += 1;
        }
    }
    assert_eq!(checked, all.len() + 1);
}

#[test]
fn every_file_of_metadata_is_valid_by_the_wsdl_of_salesforce() {
    let Some(folder) = recorded("every_file_of_metadata_is_valid_by_the_wsdl_of_salesforce") else { return };
    let schema = wsdl(&folder);
    assert!(schema.len() > 1_000, "all of it was read");
    let mut types = BTreeSet::new();
    let mut checked = 0;
    for component in every_component() {
        types.insert(component.component_type().to_owned());
        let package = Package::new().with(component).delete("Flow", "Old");
        for file in package.files().expect("sound").into_iter().chain(package.component_files().expect("sound")) {
            let text = String::from_utf8(file.bytes).expect("UTF-8");
            if text.starts_with("<?xml") {
                let root = Node::parse(&text);
                assert_eq!(schema.check(&root, &root.name), Vec::<String>::new(), "{}", file.path);
                checked += 1;
            }
        }
    }
    assert_eq!(types.len(), 12, "{types:?}");
    assert!(checked > 4 * 80, "{checked}");
}

#[test]
fn an_outside_validator_finds_every_file_of_metadata_valid() {
    const NAME: &str = "an_outside_validator_finds_every_file_of_metadata_valid";
    let Some(folder) = recorded(NAME) else { return };
    #[expect(clippy::disallowed_methods, reason = "the test command says what it has prepared")]
    let Ok(python) = std::env::var("SFORCE_TEST_PYTHON") else {
        not_run(NAME, "SFORCE_TEST_PYTHON is not set; ./tests/run installs lxml and sets it");
        return;
    };
    let written = Path::new(env!("CARGO_TARGET_TMPDIR")).join(NAME);
    let _ = fs::remove_dir_all(&written);
    fs::create_dir_all(&written).expect("a folder of the test's own");
    let mut count = 0;
    let mut write = |name: &str, bytes: &[u8]| {
        fs::write(written.join(format!("{name}-{count}.xml")), bytes).expect("writes");
        count += 1;
    };
    for component in every_component() {
        let package = Package::new().with(component).delete("Flow", "Old");
        let files = package.files().expect("sound").into_iter().chain(package.component_files().expect("sound"));
        for file in files.filter(|file| file.bytes.starts_with(b"<?xml")) {
            write("right", &file.bytes);
        }
    }
    let field = "<?xml version=\"1.0\"?><CustomField xmlns=\"http://soap.sforce.com/2006/04/metadata\">";
    for wrong in ["<type>Text</type><label>L</label>", "<type>Txt</type>", "<length>x</length>"] {
        write("wrong", format!("{field}{wrong}</CustomField>").as_bytes());
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outside/metadata_check.py");
    let wsdl = folder.join("wsdl/metadata-v63.0.wsdl");
    let output = std::process::Command::new(python).arg(script).arg(wsdl).arg(&written).output().expect("runs");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains(&format!("{count} judged, 0 failed")), "{stdout}");
}

#[test]
fn the_wsdl_check_can_fail() {
    let Some(folder) = recorded("the_wsdl_check_can_fail") else { return };
    let schema = wsdl(&folder);
    let check = |kind: &str, inner: &str| schema.check(&Node::parse(&format!("<{kind}>{inner}</{kind}>")), kind);
    assert!(check("CustomField", "<fullName>A</fullName><label>A</label><type>Text</type>").is_empty());
    for (kind, inner, problem) in [
        ("CustomField", "<label>A</label><fullName>A</fullName>", "comes too late"),
        ("CustomField", "<nonsense/>", "no such element"),
        ("CustomField", "<type>Txt</type>", "is no FieldType"),
        ("CustomField", "<length>long</length>", "is no xsd:int"),
        ("CustomField", "<required>yes</required>", "is no xsd:boolean"),
        ("CustomField", "<label>A</label><label>B</label>", "label 2 times"),
        ("CustomField", "<label><b>A</b></label>", "has no elements"),
        ("CustomField", "<valueSet><valueSetDefinition/></valueSet>", "lacks sorted"),
        ("PermissionSet", "<description>D</description>", "lacks label"),
        ("Flow", "<label>F</label><start><object>A</object></start>", "lacks locationX"),
        ("ApexClass", "<apiVersion>x</apiVersion><status>Active</status>", "is no xsd:double"),
        ("RemoteSiteSetting", "text", "lacks url"),
    ] {
        let wrong = check(kind, inner);
        assert!(wrong.iter().any(|wrong| wrong.contains(problem)), "{inner}: {wrong:?}");
    }
}

/// Through the type and back.
fn through<T: Component>(text: &str) -> String {
    let raw = AnyComponent::raw(T::TYPE, "Name", text).expect("well-formed");
    let typed: T = raw.get().expect("reads").expect("of that type");
    let file = Package::new().with(typed).component_files().expect("sound").remove(0);
    String::from_utf8(file.bytes).expect("UTF-8")
}

#[test]
fn recorded_metadata_files_are_read_and_written_back_losing_nothing() {
    let Some(folder) = recorded("recorded_metadata_files_are_read_and_written_back_losing_nothing") else { return };
    let read = |name: &str| fs::read_to_string(folder.join("metadata-files").join(name)).expect("readable");
    let schema = wsdl(&folder);
    for (text, written) in [
        (read("Account.workflow"), through::<Workflow>(&read("Account.workflow"))),
        (read("Property__c.object"), through::<CustomObject>(&read("Property__c.object"))),
        (read("dreamhouse.permissionset"), through::<PermissionSet>(&read("dreamhouse.permissionset"))),
    ] {
        let (before, after) = (Node::parse(&text), Node::parse(&written));
        assert!(before.canonical().children.len() > 3, "something to lose");
        assert_eq!(before.canonical(), after.canonical());
        // An element of older versions, which this WSDL no longer has.
        let older = |problem: &String| !problem.contains("displayLocationInDecimal");
        let problems: Vec<String> = schema.check(&after, &after.name).into_iter().filter(older).collect();
        assert_eq!(problems, Vec::<String>::new());
    }
}

#[tokio::test]
async fn fields_of_a_recorded_request_are_read_and_written_back_losing_nothing() {
    const NAMES: [&str; 6] = ["Birthday", "Hobby", "Age", "Interests", "IsReady", "Connection"];
    let Some(folder) = recorded("fields_of_a_recorded_request_are_read_and_written_back_losing_nothing") else {
        return;
    };
    let sent = fs::read_to_string(folder.join("metadata-soap/upsertMetadata-fields-request.xml")).expect("readable");
    let answer = sent.replace("metadata xsi", "records xsi").replace("/metadata>", "/records>");
    let answer = answer
        .replace("<upsertMetadata>", "<readMetadataResponse><result>")
        .replace("</upsertMetadata>", "</result></readMetadataResponse>");
    let (server, client) = serve(200, &answer).await;
    let fields = client.metadata().read::<CustomField>(&NAMES).await.expect("reads");
    let fields: Vec<CustomField> = fields.into_iter().flatten().collect();
    assert!(fields.iter().all(|field| !matches!(field.kind, FieldKind::Other(_))), "{fields:?}");
    assert_eq!(fields.iter().map(CustomField::name).collect::<Vec<_>>(), NAMES.map(|name| format!("{name}__c")));
    let _ = client.metadata().upsert(&fields).await;
    let requests = server.received_requests().await.expect("recorded");
    let again = Node::parse(&String::from_utf8(requests[1].body.clone()).expect("UTF-8"));
    let all = |root: &Node| root.find("metadata").into_iter().map(Node::canonical).collect::<Vec<_>>();
    assert_eq!(all(&again), all(&Node::parse(&sent)));
}

#[tokio::test]
async fn recorded_metadata_answers_are_read() {
    let Some(folder) = recorded("recorded_metadata_answers_are_read") else { return };
    let text = |name: &str| fs::read_to_string(folder.join("metadata-soap").join(name)).expect("readable");
    let field = desired_schema(&Prefix::default(), Access::Least).fields[1].clone();

    let (_server, client) = serve(200, &text("readMetadata-permissionset.xml")).await;
    let sets = client.metadata().read::<PermissionSet>(&["IntegrationCustomFieldVisibility"]).await.expect("reads");
    let set = sets[0].as_ref().expect("there");
    assert_eq!((set.fields.len(), set.fields[0].field.as_str()), (1, "TestObject15__c.Hobby__c"));
    assert!(set.fields[0].readable && set.fields[0].editable);

    let answer = text("upsertMetadata-fields-response.xml");
    let (_server, client) = serve(200, &answer).await;
    let count = answer.matches("<result>").count();
    let results = client.metadata().upsert(&vec![field.clone(); count]).await.expect("reads");
    assert!(results.iter().all(|result| result.error.is_none() && result.full_name.starts_with("TestObject15__c.")));
    assert_eq!(
        results.iter().filter(|result| result.created == Some(true)).count(),
        answer.matches("<created>true").count()
    );

    for name in ["upsertMetadata-all-or-none-error.xml", "upsertMetadata-checkbox-required.xml"] {
        let answer = text(name);
        let (_server, client) = serve(200, &answer).await;
        let results =
            client.metadata().upsert(&vec![field.clone(); answer.matches("<result>").count()]).await.expect("reads");
        let codes = results
            .iter()
            .filter(|result| result.error.as_ref().is_some_and(|error| error.has_code("FIELD_INTEGRITY_EXCEPTION")));
        assert!(codes.count() >= 1, "{name}: {results:?}");
        assert!(
            results
                .iter()
                .filter_map(|result| result.error.as_ref())
                .all(|error| !error.salesforce()[0].message.is_empty())
        );
    }

    let answer = text("legacy-v23-describe_metadata-success.xml");
    let (_server, client) = serve(200, &answer).await;
    let described = client.metadata().describe_metadata().await.expect("reads");
    assert_eq!(described.types.len(), answer.matches("<metadataObjects>").count());
    let object = described.types.iter().find(|one| one.xml_name == "CustomObject").expect("every org has it");
    assert_eq!((object.directory_name.as_str(), object.suffix.as_deref()), ("objects", Some("object")));
    assert!(object.child_xml_names.iter().any(|name| name == "CustomField"));

    let (_server, client) = serve(500, &text("legacy-v23-foo-invalid_session.xml")).await;
    let error = client.metadata().list(&["CustomObject"]).await.expect_err("a fault");
    assert!(
        error.kind() == ErrorKind::Auth && error.retry() == Retry::Never,
        "a static token cannot be renewed: {error:?}"
    );
}

#[tokio::test]
async fn a_metadata_answer_cut_at_any_byte_is_an_error() {
    let Some(folder) = recorded("a_metadata_answer_cut_at_any_byte_is_an_error") else { return };
    let text = fs::read_to_string(folder.join("metadata-soap/readMetadata-permissionset.xml")).expect("readable");
    let text = text.trim_end();
    let server = MockServer::start().await;
    let token = AccessToken::allowing_loopback("00D!token", &server.uri()).expect("loopback");
    let client = Client::builder(StaticToken::new(token)).retry(RetryPolicy::never()).build().expect("a client");
    for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
        server.reset().await;
        let answer = ResponseTemplate::new(200).set_body_raw(text.as_bytes()[..cut].to_vec(), "text/xml");
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let read = client.metadata().read::<PermissionSet>(&["X"]).await;
        assert!(read.is_err(), "{cut}: {read:?}");
    }
}
