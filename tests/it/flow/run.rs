//! What a run does: matching, links, roll-ups, locks.

use std::path::Path;
use std::time::Duration;

use futures_util::stream;
use serde_json::{Value, json};
use sforce::ErrorKind;
use sforce::adapters::JsonLines;
use sforce::adapters::engagement::{EngagementSession, EngagementSync, LinkBindings, LinkNote, RelatedList};
use sforce::sync::Outcome;
use sforce::testing::org::{MockOrg, Operation};
use sforce::types::{Decimal, RecordId, Timestamp};

use super::{OBJECT, connect, insert, known, run, session, stored, try_connect, writes};
use crate::support::{builder, client};

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

    let rows = |lists: Vec<RelatedList>| lists.into_iter().map(|list| list.rows.len()).collect::<Vec<_>>();
    let contact = || sforce::types::SObjectName::from_static("Contact");
    let whole = rows(sync.related_lists(&contact(), 50, 50).await.expect("pages"));
    assert!(whole.iter().any(|rows| *rows > 1), "{whole:?}");
    org.set_page_size(1);
    assert_eq!(
        rows(sync.related_lists(&contact(), 50, 50).await.expect("pages")),
        whole,
        "also those of further pages"
    );
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
