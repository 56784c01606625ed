//! Every fault on the way of a push: nothing is lost, nothing doubled.

use std::collections::HashSet;

use futures_util::stream;
use sforce::ErrorKind;
use sforce::adapters::engagement::{Prefix, session_map};
use sforce::mapping::{CompiledMap, Transforms};
use sforce::sync::{Outcome, Push, Totals};
use sforce::testing::org::{MockOrg, Operation};
use sforce::types::Record;

use crate::support::{builder, client, impatient};

const OBJECT: &str = "Navattic_Session__c";

fn org() -> MockOrg {
    MockOrg::builder().engagement_session("Navattic_").start()
}

fn map(prefix: &Prefix) -> CompiledMap {
    session_map(prefix).and_then(|map| map.compile(&Transforms::new())).expect("sound")
}

async fn push(client: sforce::Client) -> Push {
    let map = map(&Prefix::default());
    Push::builder(client, map).build().await.expect("the object is there")
}

fn sessions(count: usize) -> Vec<Record> {
    let session = |number: usize| {
        let text = format!(
            r#"{{"session_id":"s-{number}","started_at":"2026-05-01T00:00:00Z","full_name":"Visitor {number}",
               "email":"v{number}@example.com","duration_seconds":{number},"steps_viewed":{number},"demos":["Tour"]}}"#
        );
        serde_json::from_str(&text).expect("sound")
    };
    (0..count).map(session).collect()
}

async fn run(push: &Push, sessions: &[Record]) -> (Totals, Vec<Outcome>, Option<sforce::Error>) {
    let mut outcomes = Vec::new();
    let mut totals = Totals::default();
    let input = stream::iter(sessions.iter().cloned().map(|session| ((), Ok(session))));
    let result = push
        .run(input, |(), outcome| {
            totals.count(outcome);
            outcomes.push(outcome.clone());
        })
        .await;
    (totals, outcomes, result.err())
}

/// The session keys in the org.
fn keys(org: &MockOrg) -> Vec<String> {
    org.records(OBJECT)
        .iter()
        .map(|record| record["Navattic_Session_Key__c"].as_str().expect("a key").to_owned())
        .collect()
}

#[tokio::test]
async fn a_fault_storm_over_2000_sessions_ends_with_every_session_once_in_the_org() {
    let org = org();
    let client = builder(&org).http(impatient()).build().expect("a client");
    let push = push(client).await;
    let writes = || org.faults().on(Operation::CollectionsUpsert);
    writes().status(503).randomly(150, 1);
    writes().reset().randomly(100, 2);
    writes().apply_then_reset().randomly(150, 3);
    writes().truncate(300).randomly(100, 4);
    writes().truncate_chunked(1000).randomly(100, 5);
    writes().apply_then_time_out().after(3).once();
    writes().expire_session().randomly(50, 6);
    writes().not_json().randomly(50, 7);
    writes().empty_body().randomly(50, 8);
    writes().lock_every(7).randomly(300, 9);
    org.faults().on(Operation::Query).status(502).randomly(200, 10);
    org.faults().on(Operation::Query).truncate(500).randomly(200, 11);
    org.faults().on(Operation::Token).status(503).every(2);

    let sessions = sessions(2000);
    // A run may end with deferred rows or stop at an outage; the next one goes on. Bounded, so that no progress fails.
    let mut rounds = 0;
    loop {
        rounds += 1;
        assert!(rounds <= 10, "the storm lets something through every time");
        let (totals, outcomes, stopped) = run(&push, &sessions).await;
        assert_eq!(totals.read, outcomes.len() as u64);
        assert_eq!(totals.failed, 0, "a fault that passes refuses nothing: {stopped:?}");
        if stopped.is_none() && totals.deferred == 0 {
            break;
        }
    }
    org.faults().clear();
    let keys = keys(&org);
    assert_eq!((keys.len(), keys.iter().collect::<HashSet<_>>().len()), (2000, 2000));
    let (totals, ..) = run(&push, &sessions).await;
    assert_eq!(totals.unchanged, 2000, "and every field has arrived");
}

#[tokio::test]
async fn nav_32_rows_that_meet_a_lock_come_again_in_smaller_calls() {
    let org = org();
    let push = push(client(&org)).await;
    org.faults().on(Operation::CollectionsUpsert).lock_every(2).times(1);
    let (totals, ..) = run(&push, &sessions(100)).await;
    assert_eq!((totals.created, totals.deferred), (100, 0));
    let sizes: Vec<usize> = vec![org.calls(Operation::CollectionsUpsert)];
    assert_eq!(sizes, [2], "one call of 100, one of the 50 that met the lock");
}

#[tokio::test]
async fn a_lock_that_does_not_go_away_defers_its_rows_and_no_others() {
    let org = org();
    let push = push(client(&org)).await;
    let held = |_: usize, row: &serde_json::Value| row["Navattic_Session_Key__c"] == "s-3";
    org.faults().on(Operation::CollectionsUpsert).lock_rows(held).always();
    let (totals, outcomes, stopped) = run(&push, &sessions(10)).await;
    assert_eq!((totals.created, totals.deferred), (9, 1));
    assert!(stopped.is_none());
    assert!(matches!(&outcomes[3], Outcome::Deferred(error) if error.kind() == ErrorKind::RowLocked), "{outcomes:?}");
    org.faults().clear();
    let (totals, ..) = run(&push, &sessions(10)).await;
    assert_eq!((totals.created, totals.unchanged), (1, 9), "a second run finishes");
}

#[tokio::test]
async fn a_refused_row_names_field_and_code_and_stops_no_other() {
    let org = org();
    org.add_field(OBJECT, sforce::testing::org::FieldSpec::text("Must__c", 10).required());
    let push = push(client(&org)).await;
    let (totals, outcomes, stopped) = run(&push, &sessions(3)).await;
    assert_eq!(totals.failed, 3);
    assert!(stopped.is_none());
    let Outcome::Rejected(error) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert!(error.has_code("REQUIRED_FIELD_MISSING"));
    assert_eq!(error.salesforce()[0].fields, ["Must__c"]);
}

#[tokio::test]
async fn the_daily_limit_stops_the_run_and_the_next_one_goes_on() {
    let org = org();
    let push = push(client(&org)).await;
    org.set_daily_limit(org.api_calls() + 3);
    let sessions = sessions(2000);
    let (totals, _, stopped) = run(&push, &sessions).await;
    assert_eq!(stopped.expect("stopped").kind(), ErrorKind::LimitExceeded);
    assert_eq!(totals.read, totals.created + totals.deferred);
    assert!(totals.deferred > 0 && totals.read < 2000, "{totals:?}");
    org.set_daily_limit(15_000);
    let (totals, _, stopped) = run(&push, &sessions).await;
    assert!(stopped.is_none());
    assert_eq!(totals.created + totals.unchanged, 2000);
    assert_eq!(org.count(OBJECT), 2000);
}

#[tokio::test]
async fn a_user_who_may_not_write_is_told_all_that_is_missing_before_anything_is_sent() {
    let org = org();
    org.lock_field(OBJECT, "Navattic_Email__c");
    org.remove_field(OBJECT, "Navattic_Flows__c");
    org.remove_field(OBJECT, "Navattic_Demos__c");
    let build = || Push::builder(client(&org), map(&Prefix::default())).build();
    let error = build().await.expect_err("fields are missing");
    assert_eq!(error.kind(), ErrorKind::Schema);
    for name in ["Navattic_Flows__c", "Navattic_Demos__c", OBJECT] {
        assert!(error.to_string().contains(name), "{error}");
    }
    org.add_field(OBJECT, sforce::testing::org::FieldSpec::text("Navattic_Flows__c", 255));
    org.add_field(OBJECT, sforce::testing::org::FieldSpec::text("Navattic_Demos__c", 255));
    let error = build().await.expect_err("a field is read-only");
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("Navattic_Email__c"), "{error}");
    assert_eq!(org.count(OBJECT), 0);

    let other = Prefix::new("Other_").expect("sound");
    let error = Push::builder(client(&org), map(&other)).build().await.expect_err("no object");
    assert!(error.kind() == ErrorKind::Schema && error.to_string().contains("Other_Session__c"), "{error}");
}

#[tokio::test]
async fn a_row_that_spoils_its_whole_call_is_found_and_the_others_land() {
    let org = org();
    let push = push(client(&org)).await;
    let writes = || org.faults().on(Operation::CollectionsUpsert);
    // A parser that gives up at the first call, and at the call of 50 that holds the row.
    writes().error(400, "JSON_PARSER_ERROR", "Unexpected character").times(2);
    let (totals, _, stopped) = run(&push, &sessions(60)).await;
    assert!(stopped.is_none());
    assert_eq!((totals.created, totals.failed), (60, 0));
}

#[tokio::test]
async fn a_full_org_stops_the_run_and_defers_what_did_not_fit() {
    let org = org();
    let push = push(client(&org)).await;
    org.faults()
        .on(Operation::CollectionsUpsert)
        .error(400, "STORAGE_LIMIT_EXCEEDED", "storage limit exceeded")
        .always();
    let (totals, _, stopped) = run(&push, &sessions(2500)).await;
    assert_eq!(stopped.expect("stopped").kind(), ErrorKind::LimitExceeded);
    assert_eq!((totals.deferred, totals.failed), (1000, 0), "one window was tried");
}

#[tokio::test]
async fn targets_in_another_case_are_written_and_compared_all_the_same() {
    let org = org();
    let map = session_map(&Prefix::default()).expect("sound");
    let text = serde_json::to_string(&map).expect("the default map stands in a file");
    let map: sforce::mapping::FieldMap =
        serde_json::from_str(&text.replace("Navattic_Started_At__c", "NAVATTIC_started_at__C")).expect("reads");
    let map = map.compile(&Transforms::new()).expect("sound");
    let push = Push::builder(client(&org), map).build().await.expect("the org ignores case");
    let (totals, ..) = run(&push, &sessions(5)).await;
    assert_eq!(totals.created, 5);
    let (totals, ..) = run(&push, &sessions(5)).await;
    assert_eq!(totals.unchanged, 5);
}
