//! The engagement flow against an org that is empty of ours: set-up, rights, matching, links, roll-ups, locks.

use std::path::Path;
use std::time::Duration;

use futures_util::stream;
use serde_json::{Value, json};
use sforce::adapters::JsonLines;
use sforce::adapters::engagement::{
    Access, EngagementSession, EngagementSync, Link, LinkBindings, LinkNote, Prefix, RunReport,
};
use sforce::schema::Provisioned;
use sforce::sync::Outcome;
use sforce::testing::org::{MockOrg, Operation};
use sforce::types::{Decimal, Record, RecordId, Timestamp};
use sforce::{Client, Error, ErrorKind};

use crate::support::{builder, client};

const OBJECT: &str = "Navattic_Session__c";

async fn connect(org: &MockOrg) -> (EngagementSync, Provisioned) {
    try_connect(client(org)).await.expect("set up")
}

async fn try_connect(client: Client) -> Result<(EngagementSync, Provisioned), Error> {
    EngagementSync::builder(client).build().await
}

fn session(id: &str, email: &str) -> EngagementSession {
    EngagementSession {
        session_id: id.into(),
        started_at: Some(Timestamp::parse("2026-05-01T10:00:00Z").expect("valid")),
        email: Some(email.into()),
        duration_seconds: Some(Decimal::from(90_u32)),
        demos: Some(vec!["Tour".into()]),
        very_interested: Some(vec!["Security".into()]),
        ..EngagementSession::default()
    }
}

async fn run(sync: &EngagementSync, sessions: &[EngagementSession]) -> (RunReport, Vec<(Outcome, Link)>) {
    let input = stream::iter(sessions.iter().map(|session| ((), Ok(Record::from(session)))));
    let mut pairs = Vec::new();
    let report = sync.run(input, |(), outcome, link| pairs.push((outcome.clone(), link.clone()))).await;
    (report, pairs)
}

/// The stored session of that id.
fn stored(org: &MockOrg, id: &str) -> Value {
    let found: Vec<Value> = org.records(OBJECT).into_iter().filter(|record| record["Name"] == id).collect();
    assert_eq!(found.len(), 1, "{id} is there once");
    found[0].clone()
}

fn insert(org: &MockOrg, object: &str, fields: Value) -> String {
    org.insert(object, fields)
}

const WRITES: [Operation; 8] = [
    Operation::MetadataCreate,
    Operation::MetadataUpdate,
    Operation::MetadataUpsert,
    Operation::MetadataDelete,
    Operation::SObjectCreate,
    Operation::SObjectUpdate,
    Operation::CollectionsUpsert,
    Operation::CollectionsUpdate,
];

fn writes(org: &MockOrg) -> usize {
    WRITES.iter().map(|operation| org.calls(*operation)).sum()
}

#[tokio::test]
async fn nav_2_an_empty_org_is_set_up_within_15_calls_and_a_second_connect_writes_nothing() {
    let org = MockOrg::start();
    let (_, provisioned) = connect(&org).await;
    assert!(org.api_calls() <= 15, "{} API calls", org.api_calls());
    assert_eq!(provisioned.created.len(), 1 + 15 + 20 + 1, "object, its fields, roll-ups, permission set");
    assert!(provisioned.assigned && provisioned.by_hand.is_empty());

    let before = (writes(&org), org.api_calls());
    let (_, again) = connect(&org).await;
    assert_eq!(again, Provisioned::default());
    assert_eq!(writes(&org), before.0, "nothing was written");
    assert!(org.api_calls() - before.1 <= 9);
}

#[tokio::test]
async fn nav_2_a_set_up_that_is_stopped_anywhere_is_finished_by_the_next_one() {
    let whole = MockOrg::start();
    connect(&whole).await;
    let calls = whole.api_calls();
    for stop in 0..calls {
        for applied in [false, true] {
            let org = MockOrg::start();
            // From this call on nothing comes back: the process is as good as dead. The last call may still have been applied.
            let fault = || org.faults().on_any();
            if applied {
                fault().apply_then_reset().after(stop + 2).once();
            }
            fault().reset().after(if applied { 0 } else { stop + 2 }).always();
            let lost = builder(&org).retry(sforce::client::RetryPolicy::never()).build().expect("a client");
            let _ = try_connect(lost).await;
            org.faults().clear();
            connect(&org).await;
            let (sync, again) = connect(&org).await;
            assert_eq!(again, Provisioned::default(), "stopped at call {stop}, applied {applied}");
            let (outcome, _) = sync.record(&session("s", "ada@example.com")).await.expect("lands");
            assert!(matches!(outcome, Outcome::Created(_)));
        }
    }
}

#[tokio::test]
async fn nav_16_the_permission_set_grants_only_what_is_needed_and_the_user_has_it() {
    let org = MockOrg::start();
    connect(&org).await;
    let sets = org.records("PermissionSet");
    let set = sets.iter().find(|set| set["Name"] == "Navattic_Integration").expect("created");
    let of_set = |object: &str| -> Vec<Value> {
        org.records(object).into_iter().filter(|row| row["ParentId"] == set["Id"]).collect()
    };
    for row in of_set("ObjectPermissions") {
        let standard = row["SobjectType"] != OBJECT;
        assert_eq!((&row["PermissionsRead"], &row["PermissionsEdit"]), (&json!(true), &json!(true)), "{row}");
        assert_eq!(row["PermissionsCreate"], json!(!standard), "{row}");
        assert_eq!(
            (&row["PermissionsDelete"], &row["PermissionsModifyAllRecords"]),
            (&json!(false), &json!(false)),
            "{row}"
        );
    }
    assert_eq!(of_set("ObjectPermissions").len(), 5);
    assert_eq!(of_set("FieldPermissions").len(), 39);
    let assigned = org.records("PermissionSetAssignment");
    assert!(
        assigned.iter().any(|row| row["PermissionSetId"] == set["Id"] && row["AssigneeId"] == org.user_id().as_str())
    );

    let full = MockOrg::start();
    EngagementSync::builder(client(&full)).access(Access::FullCrud).build().await.expect("set up");
    let rows = full.records("ObjectPermissions");
    assert!(
        rows.iter().filter(|row| row["PermissionsDelete"] == true && row["PermissionsCreate"] == true).count() >= 5
    );
}

/// Takes a right away from the connected user and gives the error of connecting.
async fn without(take: impl FnOnce(&MockOrg, &str)) -> Error {
    let org = MockOrg::start();
    // Everything is in place, so that only the right is missing.
    connect(&org).await;
    take(&org, &org.user_id());
    let error = try_connect(client(&org)).await.expect_err("a right is missing");
    assert_eq!(org.count(OBJECT), 0, "no session was written");
    error
}

#[tokio::test]
async fn nav_12_each_object_right_taken_away_is_named_before_any_session() {
    for object in ["Contact", "Lead", "Account", "Opportunity", OBJECT] {
        for right in ["Read", "Edit", "Create"] {
            if right == "Create" && object != OBJECT {
                continue;
            }
            let error = without(|org, user| org.revoke_object(user, object, right)).await;
            assert!(matches!(error.kind(), ErrorKind::Schema | ErrorKind::Forbidden), "{error}");
            assert!(error.to_string().contains(object), "{object} {right}: {error}");
            assert!(error.advice().is_some_and(|advice| advice.contains("permission set")), "{error}");
        }
    }
}

#[tokio::test]
async fn nav_13_each_field_right_taken_away_is_named_before_any_session() {
    let hidden = [
        ("Contact", "Email"),
        ("Lead", "Email"),
        ("Account", "Website"),
        ("Contact", "Navattic_Session_Count__c"),
        ("Opportunity", "Navattic_Last_Demos__c"),
        (OBJECT, "Navattic_Email__c"),
        (OBJECT, "Navattic_Opportunity__c"),
    ];
    for (object, field) in hidden {
        let error = without(|org, user| org.revoke_field(user, object, field, "Read")).await;
        assert_eq!(error.kind(), ErrorKind::Schema, "{error}");
        assert!(error.to_string().contains(&format!("{object}.{field}")), "{error}");
        assert!(error.advice().is_some_and(|advice| advice.contains("Field Permissions")), "{error}");
    }
    for (object, field) in hidden.iter().skip(3) {
        let error = without(|org, user| org.revoke_field(user, object, field, "Edit")).await;
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
        assert!(error.to_string().contains(&format!("{object}.{field}")), "{error}");
    }
}

#[tokio::test]
async fn a_user_who_may_not_change_metadata_is_told_what_is_missing_and_works_where_nothing_is() {
    let org = MockOrg::start();
    for permission in ["ModifyMetadata", "ModifyAllData", "CustomizeApplication"] {
        org.revoke_system(&org.user_id(), permission);
    }
    let error = try_connect(client(&org)).await.expect_err("nothing is there");
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert!(error.to_string().contains(OBJECT), "{error}");
    assert!(error.advice().is_some_and(|advice| advice.contains("System Administrator")), "{error}");
    assert!(std::error::Error::source(&error).is_some(), "and why it was not made");

    let org = MockOrg::start();
    connect(&org).await;
    for permission in ["ModifyMetadata", "ModifyAllData", "CustomizeApplication"] {
        org.revoke_system(&org.user_id(), permission);
    }
    let (sync, provisioned) = try_connect(client(&org)).await.expect("an admin has made everything");
    assert_eq!(provisioned, Provisioned::default());
    assert!(matches!(sync.record(&session("s", "ada@example.com")).await.expect("lands").0, Outcome::Created(_)));
}

#[tokio::test]
async fn nav_14_without_api_access_the_flow_says_so_first() {
    let org = MockOrg::start();
    org.disable_api();
    let error = try_connect(client(&org)).await.expect_err("disabled");
    assert!(error.advice().is_some_and(|advice| advice.contains("API Enabled")), "{error}");
}

#[tokio::test]
async fn an_object_or_a_permission_set_of_somebody_else_is_refused_and_left_as_it_is() {
    use sforce::testing::org::{FieldSpec, ObjectSpec};
    let org = MockOrg::start();
    let foreign =
        ObjectSpec::new(OBJECT).name_auto_number("N-{0000}").field(FieldSpec::number("Navattic_Email__c", 18, 0));
    org.add_object(foreign);
    let error = try_connect(client(&org)).await.expect_err("another shape");
    assert_eq!(error.kind(), ErrorKind::Schema);
    for part in [OBJECT, "Navattic_Email__c", "choose another prefix"] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    assert_eq!(writes(&org), 0, "nothing was made");

    let org = MockOrg::start();
    insert(&org, "PermissionSet", json!({"Name": "Navattic_Integration", "Label": "Something else"}));
    let error = try_connect(client(&org)).await.expect_err("the name is taken");
    assert!(error.to_string().contains("permission set Navattic_Integration"), "{error}");
    assert_eq!(writes(&org), 0, "nothing was made");
    let prefix = Prefix::new("Other_").expect("sound");
    EngagementSync::builder(client(&org)).prefix(prefix).build().await.expect("another prefix does");
}

/// An org with a contact and its account, a lead, doubles of each, and an opportunity.
struct Known {
    org: MockOrg,
    contact: String,
    account: String,
    lead: String,
    opportunity: String,
}

fn known() -> Known {
    let org = MockOrg::start();
    let account = insert(&org, "Account", json!({"Name": "Acme", "Website": "https://www.acme.example/start"}));
    let contact =
        insert(&org, "Contact", json!({"LastName": "Ada", "Email": "Ada@Mail.example", "AccountId": account}));
    let lead = insert(&org, "Lead", json!({"LastName": "Lee", "Company": "X", "Email": "lee@acme.example"}));
    for _ in 0..2 {
        insert(&org, "Contact", json!({"LastName": "Twin", "Email": "twin@acme.example"}));
        insert(&org, "Lead", json!({"LastName": "Pair", "Company": "X", "Email": "pair@acme.example"}));
        insert(&org, "Account", json!({"Name": "Hooli", "Website": "hooli.example"}));
    }
    insert(
        &org,
        "Lead",
        json!({"LastName": "Gone", "Company": "X", "Email": "gone@nowhere.example", "IsConverted": true}),
    );
    insert(&org, "Lead", json!({"LastName": "Mail", "Company": "X", "Email": "x@gmail.com", "Website": "gmail.com"}));
    insert(&org, "Account", json!({"Name": "Mail", "Website": "https://gmail.com"}));
    let deal = json!({"Name": "Deal", "AccountId": account, "StageName": "Prospecting", "CloseDate": "2026-12-31"});
    let opportunity = insert(&org, "Opportunity", deal);
    Known { org, contact, account, lead, opportunity }
}

#[tokio::test]
async fn nav_39_visitors_are_found_by_email_whatever_its_case_and_accounts_by_domain() {
    let known = known();
    let (sync, _) = connect(&known.org).await;
    let sessions = [
        session("contact", "ADA@mail.EXAMPLE"),
        session("lead", "Lee@Acme.Example"),
        session("stranger", "new@acme.example"),
        session("public", "x@gmail.com"),
        session("nobody", "nobody@nowhere.example"),
        session("converted", "gone@nowhere.example"),
    ];
    let leads = known.org.count("Lead");
    let (report, _) = run(&sync, &sessions).await;
    let links = |id: &str| {
        let record = stored(&known.org, id);
        ["Contact", "Lead", "Account", "Opportunity"]
            .map(|name| record[format!("Navattic_{name}__c")].as_str().map(str::to_owned))
    };
    let some = |id: &String| Some(id.clone());
    assert_eq!(links("contact"), [some(&known.contact), None, some(&known.account), None]);
    assert_eq!(links("lead"), [None, some(&known.lead), some(&known.account), None]);
    assert_eq!(links("stranger"), [None, None, some(&known.account), None]);
    assert_eq!(links("public")[2], None, "public mail tells no company");
    assert_eq!(links("nobody"), [None, None, None, None]);
    assert_eq!(links("converted"), [None, None, None, None], "a converted lead is none");
    let expected = (1, 2, 3, 0, 2);
    let found = &report.links;
    assert_eq!(
        (found.matched_contact, found.matched_lead, found.matched_account, found.ambiguous, found.unmatched),
        expected
    );
    assert_eq!(known.org.count("Lead"), leads, "no lead is made");
}

#[tokio::test]
async fn two_hits_are_ambiguous_reported_and_link_nothing() {
    let known = known();
    let (sync, _) = connect(&known.org).await;
    let sessions =
        [session("c", "twin@acme.example"), session("l", "pair@acme.example"), session("a", "new@hooli.example")];
    let (report, pairs) = run(&sync, &sessions).await;
    let notes: Vec<&[LinkNote]> = pairs.iter().map(|(_, link)| link.notes.as_slice()).collect();
    assert_eq!(notes, [[LinkNote::AmbiguousContact], [LinkNote::AmbiguousLead], [LinkNote::AmbiguousAccount]]);
    assert_eq!((report.links.ambiguous, report.links.unmatched, report.totals.created), (3, 0, 3));
    for id in ["c", "l", "a"] {
        let record = stored(&known.org, id);
        for name in ["Contact", "Lead", "Account"] {
            assert_eq!(record[format!("Navattic_{name}__c")], Value::Null, "{id}");
        }
    }
}

#[tokio::test]
async fn nav_26_an_explicit_opportunity_or_a_bound_link_comes_first_and_a_bad_one_is_told() {
    let known = known();
    let bindings =
        [("link".to_owned(), known.opportunity.clone()), ("stale".to_owned(), "006000000000009AAA".to_owned())];
    let builder = EngagementSync::builder(client(&known.org)).bindings(LinkBindings::new(bindings));
    let (sync, _) = builder.build().await.expect("set up");
    let with = |id: &str, opportunity: Option<&str>, link: Option<&str>| EngagementSession {
        opportunity_id: opportunity.map(str::to_owned),
        share_link: link.map(str::to_owned),
        ..session(id, "nobody@nowhere.example")
    };
    let sessions = [
        with("explicit", Some(&known.opportunity[..15]), None),
        with("bound", None, Some("link")),
        with("explicit first", Some("006000000000008AAA"), Some("link")),
        with("malformed", Some("OPP-1"), None),
        with("foreign", Some(&known.contact), None),
        with("stale", None, Some("stale")),
        with("unbound", None, Some("unknown link")),
    ];
    let (report, pairs) = run(&sync, &sessions).await;
    assert_eq!((report.totals.created, report.links.linked_opportunity), (7, 2));
    let notes: Vec<Option<LinkNote>> = pairs.iter().map(|(_, link)| link.notes.first().copied()).collect();
    let (malformed, foreign) = (Some(LinkNote::MalformedOpportunity), Some(LinkNote::ForeignOpportunity));
    let unknown = Some(LinkNote::UnknownOpportunity);
    assert_eq!(notes, [None, None, unknown, malformed, foreign, unknown, None]);
    for (id, linked) in [("explicit", true), ("bound", true), ("explicit first", false), ("malformed", false)] {
        assert_eq!(stored(&known.org, id)["Navattic_Opportunity__c"] == known.opportunity.as_str(), linked, "{id}");
    }
}

#[tokio::test]
async fn nav_23_roll_ups_are_right_after_late_sessions_and_re_runs_and_written_only_when_changed() {
    let known = known();
    let (sync, _) = connect(&known.org).await;
    let at = |id: &str, day: u32, demo: &str| EngagementSession {
        started_at: Some(Timestamp::parse(&format!("2026-05-{day:02}T10:00:00Z")).expect("valid")),
        demos: Some(vec![demo.into()]),
        opportunity_id: Some(known.opportunity.clone()),
        ..session(id, "ada@mail.example")
    };
    let first = [at("1", 10, "Tour"), at("2", 12, "Security")];
    assert_eq!(run(&sync, &first).await.0.rolled_up, 3, "contact, account and opportunity");
    let shown = |id: &str| {
        let record = known.org.record(id).expect("there");
        let text = |name: &str| record[format!("Navattic_{name}__c")].clone();
        (text("Last_Session_At"), text("Session_Count").as_f64(), text("Total_Minutes").as_f64(), text("Last_Demos"))
    };
    let expected = |count: f64, minutes: f64| {
        (json!("2026-05-12T10:00:00.000+0000"), Some(count), Some(minutes), json!("Security"))
    };
    for id in [&known.contact, &known.account, &known.opportunity] {
        assert_eq!(shown(id), expected(2.0, 3.0));
    }

    let stamps = |object: &str| -> Vec<Value> {
        known.org.records(object).iter().map(|row| row["SystemModstamp"].clone()).collect()
    };
    let before = (stamps("Contact"), writes(&known.org));
    known.org.advance(Duration::from_mins(1));
    let (again, _) = run(&sync, &first).await;
    assert_eq!((again.rolled_up, again.totals.unchanged), (0, 2));
    assert_eq!((stamps("Contact"), writes(&known.org)), before, "nothing was written");

    // A session that comes late counts, but is not the last one.
    run(&sync, &[at("3", 1, "Old")]).await;
    assert_eq!(shown(&known.contact), expected(3.0, 4.5));
}

#[tokio::test]
async fn nav_32_rows_of_one_parent_are_never_in_flight_together() {
    let org = MockOrg::builder().latency(Duration::from_millis(15)).start();
    org.lock_parents();
    // 7 accounts, each with a share of the visitors: without grouping, five calls would meet at each of them.
    let accounts: Vec<String> = (0..7)
        .map(|number| {
            insert(&org, "Account", json!({"Name": format!("A{number}"), "Website": format!("a{number}.example")}))
        })
        .collect();
    assert_eq!(accounts.len(), 7);
    let (sync, _) = connect(&org).await;
    let sessions: Vec<EngagementSession> =
        (0..1500).map(|number| session(&format!("s{number}"), &format!("v{number}@a{}.example", number % 7))).collect();
    let (report, _) = run(&sync, &sessions).await;
    assert_eq!((report.totals.created, report.totals.deferred), (1500, 0));
    assert_eq!(org.parent_collisions(), 0);
    assert!(org.calls(Operation::CollectionsUpsert) <= 12, "{} calls", org.calls(Operation::CollectionsUpsert));
}

#[tokio::test]
async fn nav_32_a_session_whose_parent_stays_locked_is_deferred_and_can_be_replayed() {
    let known = known();
    let (sync, _) = connect(&known.org).await;
    let held = known.contact.clone();
    let fault = known.org.faults().on(Operation::CollectionsUpsert);
    fault.lock_rows(move |_, row| row["Navattic_Contact__c"] == held.as_str()).always();
    let sessions = [session("held", "ada@mail.example"), session("free", "nobody@nowhere.example")];
    let (report, pairs) = run(&sync, &sessions).await;
    assert_eq!((report.totals.created, report.totals.deferred), (1, 1));
    assert!(matches!(&pairs[0].0, Outcome::Deferred(error) if error.kind() == ErrorKind::RowLocked));
    known.org.faults().clear();
    let (report, _) = run(&sync, &sessions).await;
    assert_eq!((report.totals.created, report.totals.unchanged), (1, 1));
}

#[tokio::test]
async fn nav_16_the_permission_set_and_api_enabled_are_all_that_an_integration_user_needs() {
    use sforce::auth::{ClientCredentials, LoginHost};
    use sforce::testing::org::UserSpec;
    let known = known();
    connect(&known.org).await;
    let user = known.org.add_user(UserSpec::new("integration@acme.example").permission("ApiEnabled"));
    let sets = known.org.records("PermissionSet");
    let set = sets.iter().find(|set| set["Name"] == "Navattic_Integration").expect("made by the admin");
    insert(&known.org, "PermissionSetAssignment", json!({"AssigneeId": user.user_id, "PermissionSetId": set["Id"]}));
    let host = LoginHost::my_domain(&known.org.base_url()).expect("loopback");
    let provider =
        ClientCredentials::new(host, user.client_id.as_str(), user.client_secret.as_str()).expect("complete");
    let client = Client::builder(provider).build().expect("a client");
    let (sync, provisioned) = try_connect(client).await.expect("an admin has made everything");
    assert_eq!(provisioned.created.len(), 0);
    let (report, _) = run(&sync, &[session("s", "ada@mail.example")]).await;
    assert_eq!((report.totals.created, report.links.matched_contact, report.rolled_up), (1, 1, 2), "{report:?}");
}

#[tokio::test]
async fn an_assignment_that_fails_is_told_with_what_to_do() {
    let org = MockOrg::start();
    let limit = "the user is at the maximum of permission set assignments";
    org.faults().on(Operation::SObjectCreate).error(400, "LIMIT_EXCEEDED", limit).always();
    let error = try_connect(client(&org)).await.expect_err("nobody sees the new fields");
    let advice = error.advice().expect("what to do");
    assert!(advice.contains(limit) && advice.contains("assign it by hand"), "{error}");
    org.faults().clear();
    connect(&org).await;
}

#[tokio::test]
async fn roll_up_fields_that_are_too_small_are_refused_before_any_session() {
    use sforce::testing::org::FieldSpec;
    for small in
        [FieldSpec::number("Navattic_Total_Minutes__c", 18, 0), FieldSpec::number("Navattic_Session_Count__c", 3, 0)]
    {
        let org = MockOrg::start();
        org.add_field("Contact", small);
        let error = try_connect(client(&org)).await.expect_err("too small");
        assert!(error.kind() == ErrorKind::Schema && error.to_string().contains("too small for Number"), "{error}");
        assert_eq!(org.count(OBJECT), 0);
    }
}

#[tokio::test]
async fn a_lookup_whose_children_go_by_another_name_is_refused_before_any_session() {
    use sforce::testing::org::{FieldSpec, ObjectSpec};
    let org = MockOrg::start();
    let lookup = FieldSpec::lookup("Navattic_Contact__c", "Contact").children("Their_Sessions");
    org.add_object(ObjectSpec::new(OBJECT).field(lookup));
    let error = try_connect(client(&org)).await.expect_err("another name");
    assert!(error.to_string().contains("Navattic_Contact__c is Lookup(Contact as Their_Sessions)"), "{error}");
    assert_eq!(writes(&org), 0);
}

#[tokio::test]
async fn a_session_that_moves_to_another_account_leaves_no_count_behind() {
    let org = MockOrg::start();
    let by_domain = insert(&org, "Account", json!({"Name": "Domain", "Website": "acme.example"}));
    let (sync, _) = connect(&org).await;
    run(&sync, &[session("s", "ada@acme.example")]).await;
    let count = |id: &str| org.record(id).expect("there")["Navattic_Session_Count__c"].as_f64();
    assert_eq!(count(&by_domain), Some(1.0));
    let own = insert(&org, "Account", json!({"Name": "Own"}));
    insert(&org, "Contact", json!({"LastName": "Ada", "Email": "ada@acme.example", "AccountId": own}));
    let (report, _) = run(&sync, &[session("s", "ada@acme.example")]).await;
    assert_eq!((report.totals.updated, report.links.matched_contact), (1, 1));
    assert_eq!((count(&own), count(&by_domain)), (Some(1.0), Some(0.0)));
}

#[tokio::test]
async fn a_link_once_made_stays_and_its_roll_ups_follow_whatever_a_later_line_says_of_the_visitor() {
    let known = known();
    let (sync, _) = connect(&known.org).await;
    run(&sync, &[session("s", "ada@mail.example")]).await;
    let minutes = || known.org.record(&known.contact).expect("there")["Navattic_Total_Minutes__c"].as_f64();
    assert_eq!(minutes(), Some(1.5));
    // The session went on, and this time nobody says whose it is.
    let longer = EngagementSession { email: None, duration_seconds: Some(Decimal::from(600_u32)), ..session("s", "") };
    let (report, pairs) = run(&sync, &[longer]).await;
    assert_eq!((report.totals.updated, report.links.matched_contact), (1, 1));
    assert!(pairs[0].1.contact.is_some());
    assert_eq!(minutes(), Some(10.0));
    // Two contacts with one address from now on: the link stays, and nothing is reported missing.
    insert(&known.org, "Contact", json!({"LastName": "Other", "Email": "ada@mail.example"}));
    let (report, pairs) = run(&sync, &[session("s", "ada@mail.example")]).await;
    assert_eq!((report.links.matched_contact, report.links.ambiguous), (1, 0));
    assert!(pairs[0].1.notes.is_empty());
}

#[tokio::test]
async fn a_lead_that_has_become_a_contact_is_let_go() {
    let known = known();
    let (sync, _) = connect(&known.org).await;
    run(&sync, &[session("s", "lee@acme.example")]).await;
    assert_eq!(stored(&known.org, "s")["Navattic_Lead__c"], known.lead.as_str());
    let contact = insert(&known.org, "Contact", json!({"LastName": "Lee", "Email": "lee@acme.example"}));
    run(&sync, &[session("s", "lee@acme.example")]).await;
    let now = stored(&known.org, "s");
    assert_eq!((&now["Navattic_Lead__c"], &now["Navattic_Contact__c"]), (&Value::Null, &json!(contact)));
    let lead = known.org.record(&known.lead).expect("there");
    assert_eq!(lead["Navattic_Session_Count__c"].as_f64(), Some(0.0));
}

#[tokio::test]
async fn what_an_admin_has_added_to_the_permission_set_survives_our_own_additions() {
    let org = MockOrg::start();
    connect(&org).await;
    let metadata = client(&org).metadata();
    let read = || async {
        let sets =
            metadata.read::<sforce::api::metadata::PermissionSet>(&["Navattic_Integration"]).await.expect("answered");
        sets.into_iter().flatten().next().expect("there")
    };
    let mut set = read().await;
    set.fields.retain(|field| !field.field.ends_with("Navattic_Flows__c"));
    set.objects.iter_mut().find(|object| object.object == "Lead").expect("granted").delete = true;
    set.users.push("ViewSetup".into());
    set.description = Some("Reworded by an admin".into());
    assert!(metadata.update(&[set]).await.expect("answered")[0].error.is_none());
    let (_, again) = connect(&org).await;
    assert_eq!(again.updated, ["Navattic_Integration"]);
    let set = read().await;
    assert!(set.fields.iter().any(|field| field.field.ends_with("Navattic_Flows__c") && field.editable));
    assert!(set.objects.iter().any(|object| object.object == "Lead" && object.delete));
    assert!(set.users.contains(&"ViewSetup".to_owned()));
    assert_eq!(set.description.as_deref(), Some("Reworded by an admin"));
}

#[tokio::test]
async fn visitors_who_are_known_cost_no_further_queries() {
    let org = MockOrg::start();
    let account = insert(&org, "Account", json!({"Name": "Acme"}));
    insert(&org, "Contact", json!({"LastName": "A", "Email": "a@acme.example", "AccountId": account}));
    insert(&org, "Lead", json!({"LastName": "B", "Company": "X", "Email": "b@acme.example"}));
    let (sync, _) = connect(&org).await;
    run(&sync, &[session("1", "a@acme.example"), session("2", "b@acme.example")]).await;
    let asked: Vec<String> = org
        .requests()
        .iter()
        .filter(|request| request.operation == Some(Operation::Query))
        .map(|request| request.path.clone())
        .collect();
    let lead = asked.iter().find(|path| path.contains("FROM%20Lead%20WHERE%20IsConverted")).expect("one query");
    assert!(!lead.contains("a%40acme"), "the contact is known: {lead}");
    let sessions = [session("1", "a@acme.example")];
    let before = org.calls(Operation::Query);
    run(&sync, &sessions).await;
    // Contact by email, session by key, and two roll-up queries each for contact and account.
    assert_eq!(org.calls(Operation::Query) - before, 6, "no lead, no account to look for");
}

#[tokio::test]
async fn nav_32_sessions_that_change_their_parent_meet_neither_the_old_nor_the_new_one_in_flight() {
    let org = MockOrg::builder().latency(Duration::from_millis(10)).start();
    org.lock_parents();
    for number in 0..5 {
        insert(&org, "Account", json!({"Name": format!("A{number}"), "Website": format!("a{number}.example")}));
    }
    let (sync, _) = connect(&org).await;
    let at = |shift: usize| -> Vec<EngagementSession> {
        (0..1000)
            .map(|number| session(&format!("s{number}"), &format!("v{number}@a{}.example", (number + shift) % 5)))
            .collect()
    };
    assert_eq!(run(&sync, &at(0)).await.0.totals.created, 1000);
    let (report, _) = run(&sync, &at(1)).await;
    assert_eq!((report.totals.updated, report.totals.deferred, org.parent_collisions()), (1000, 0, 0));
}

#[tokio::test]
async fn a_roll_up_that_is_refused_is_told_once_and_forgotten_when_it_succeeds() {
    let known = known();
    let (sync, _) = connect(&known.org).await;
    let fault = known.org.faults().on(Operation::CollectionsUpdate);
    fault.lock_every(1).times(4);
    let sessions: Vec<EngagementSession> =
        (0..2500).map(|number| session(&format!("s{number}"), "ada@mail.example")).collect();
    let (report, _) = run(&sync, &sessions).await;
    assert_eq!(report.totals.created, 2500);
    assert!(report.roll_up_failures.is_empty(), "later windows brought the contact up to date: {report:?}");
}

#[tokio::test]
async fn a_roll_up_that_is_refused_is_told_and_stops_nothing() {
    let known = known();
    let (sync, _) = connect(&known.org).await;
    let fault = known.org.faults().on(Operation::CollectionsUpdate);
    fault.lock_every(1).always();
    let (report, _) = run(&sync, &[session("s", "ada@mail.example")]).await;
    assert_eq!(report.totals.created, 1);
    assert_eq!(report.roll_up_failures.len(), 2, "contact and account");
    known.org.faults().clear();
    let (report, _) = run(&sync, &[session("s", "ada@mail.example")]).await;
    assert_eq!((report.rolled_up, report.roll_up_failures.len()), (2, 0), "the next run brings them up to date");
}

#[tokio::test]
async fn visitors_are_looked_up_with_the_fewest_queries() {
    let org = MockOrg::start();
    let (sync, _) = connect(&org).await;
    let queries = || org.calls(Operation::Query);
    let before = queries();
    let sessions: Vec<EngagementSession> =
        (0..300).map(|number| session(&format!("s{number}"), &format!("v{number}@a.example"))).collect();
    run(&sync, &sessions).await;
    let asked: Vec<String> = org
        .requests()
        .iter()
        .filter(|request| request.operation == Some(Operation::Query))
        .map(|request| request.path.clone())
        .collect();
    let of = |object: &str| asked.iter().filter(|path| path.contains(&format!("FROM%20{object}%20"))).count();
    // 300 addresses of about 16 characters take 6.6 KB of an address that holds 13 KB.
    assert_eq!((of("Contact"), of("Lead"), of("Account"), of("Opportunity"), of(OBJECT)), (1, 1, 1, 0, 1));
    assert_eq!(queries() - before, 4);
}

#[tokio::test]
async fn one_session_at_a_time_is_recorded_linked_and_rolled_up() {
    let known = known();
    let (sync, _) = connect(&known.org).await;
    let (outcome, link) = sync.record(&session("one", "ada@mail.example")).await.expect("lands");
    assert!(matches!(outcome, Outcome::Created(_)));
    assert_eq!(link.contact, Some(known.contact.parse::<RecordId>().expect("an id")));
    let (outcome, _) = sync.record(&session("one", "ada@mail.example")).await.expect("lands");
    assert!(matches!(outcome, Outcome::Unchanged(_)), "NAV-25: idempotent by session id");
}

#[tokio::test]
async fn the_sample_meets_people_in_the_sample_org() {
    let org = MockOrg::start();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
    for line in std::fs::read_to_string(data.join("crm.jsonl")).expect("readable").lines() {
        let mut record: serde_json::Map<String, Value> = serde_json::from_str(line).expect(line);
        let object = record.remove("object").expect("an object");
        org.insert(object.as_str().expect("text"), record.into());
    }
    let (sync, _) = connect(&org).await;
    let file = std::fs::File::open(data.join("engagement_sessions.jsonl")).expect("readable");
    let lines = JsonLines::new(std::io::BufReader::new(file)).map(|line| ((), line.expect("readable").record));
    let report = sync.run(stream::iter(lines), |(), _, _| {}).await;
    let found = report.links;
    let people = [found.matched_contact, found.matched_lead, found.matched_account, found.linked_opportunity];
    assert!(people.iter().all(|count| *count > 0) && found.ambiguous > 0 && found.unmatched > 0, "{found:?}");
    let lists = sync.related_lists(&sforce::types::SObjectName::from_static("Contact"), 2, 3).await.expect("pages");
    assert!(lists.len() == 2 && !lists[0].rows.is_empty() && lists[0].columns.len() == 9);
}

#[tokio::test]
async fn a_fault_storm_over_the_whole_flow_ends_with_every_session_linked_and_every_roll_up_right() {
    let known = known();
    let client = builder(&known.org).build().expect("a client");
    let (sync, _) = try_connect(client).await.expect("set up");
    for (seed, operation) in
        [Operation::Query, Operation::CollectionsUpsert, Operation::CollectionsUpdate].into_iter().enumerate()
    {
        let on = || known.org.faults().on(operation);
        on().status(503).randomly(150, seed as u64);
        on().apply_then_reset().randomly(150, seed as u64 + 10);
        on().truncate(120).randomly(100, seed as u64 + 20);
    }
    known.org.faults().on(Operation::CollectionsUpsert).lock_every(3).randomly(300, 77);
    let sessions: Vec<EngagementSession> =
        (0..400).map(|number| session(&format!("s{number}"), "ada@mail.example")).collect();
    let mut rounds = 0;
    loop {
        rounds += 1;
        assert!(rounds <= 10, "the storm lets something through every time");
        let (report, _) = run(&sync, &sessions).await;
        if report.stopped.is_none() && report.totals.deferred == 0 && report.roll_up_failures.is_empty() {
            break;
        }
    }
    known.org.faults().clear();
    assert_eq!(known.org.count(OBJECT), 400);
    let contact = known.org.record(&known.contact).expect("there");
    assert_eq!(contact["Navattic_Session_Count__c"].as_f64(), Some(400.0));
    assert!(known.org.records(OBJECT).iter().all(|row| row["Navattic_Contact__c"] == known.contact.as_str()));
}
