//! An org that changes in the middle of a push: the field is suspended and all else goes on.

use futures_util::future::join_all;
use futures_util::stream;
use sforce::mapping::{CompiledMap, FieldMap, Transforms};
use sforce::schema::{DriftEvent, ExpectedFields, Impact};
use sforce::sync::{Outcome, Push, PushBuilder, Totals};
use sforce::testing::org::{FieldSpec, MockOrg, ObjectSpec, Operation};
use sforce::types::Record;
use sforce::{Error, ErrorKind};

use crate::support::client;

const RULES: &str = r#"version = 1
object = "Thing__c"
key = "Key__c"
[[rules]]
source = "id"
target = "Key__c"
[[rules]]
source = "note"
target = "Note__c"
[[rules]]
source = "kind"
target = "Kind__c"
[[rules]]
source = "web"
target = "Web__c"
"#;

fn map(more: &str) -> CompiledMap {
    let text = format!("{RULES}{more}");
    FieldMap::from_toml(&text).and_then(|map| map.compile(&Transforms::new())).expect("sound")
}

fn note() -> FieldSpec {
    FieldSpec::text("Note__c", 80).label("Note")
}

fn kind(values: &[&str]) -> FieldSpec {
    FieldSpec::picklist("Kind__c", values).restricted()
}

fn org() -> MockOrg {
    let thing = ObjectSpec::new("Thing__c")
        .field(FieldSpec::text("Key__c", 80).external_id().unique().case_sensitive())
        .field(note())
        .field(kind(&["a", "b"]))
        .field(FieldSpec::url("Web__c"));
    MockOrg::builder().object(thing).start()
}

/// Puts another field in the place of one.
fn replace(org: &MockOrg, field: &str, by: FieldSpec) {
    org.remove_field("Thing__c", field);
    org.add_field("Thing__c", by);
}

fn record(number: usize) -> Record {
    Record::new()
        .with("id", format!("k{number}"))
        .with("note", format!("note {number}"))
        .with("kind", "a")
        .with("web", format!("https://x.org/{number}"))
}

async fn push(builder: PushBuilder) -> Push {
    builder.window(2).build().await.expect("the object is there")
}

/// Pushes six records, two at a time; the org changes before the third is read.
async fn run(push: &Push, change: impl FnOnce() + Send) -> (Result<Totals, Error>, Vec<Outcome>) {
    let mut change = Some(change);
    let input = (1..=6).map(move |number| {
        if number == 3
            && let Some(change) = change.take()
        {
            change();
        }
        ((), Ok(record(number)))
    });
    let mut outcomes = Vec::new();
    let totals = push.run(stream::iter(input), |(), outcome| outcomes.push(outcome.clone())).await;
    (totals, outcomes)
}

fn told(events: &[DriftEvent]) -> Vec<String> {
    events.iter().map(|event| format!("{:?} {event}", event.impact)).collect()
}

fn describes(org: &MockOrg) -> usize {
    org.calls(Operation::Describe)
}

type ChangeOf = fn(&MockOrg);

#[tokio::test]
async fn heap_12_a_field_that_drifts_in_the_middle_of_a_run_is_suspended_and_lifted_when_it_is_back() {
    let lost = "Suspends Thing__c.Note__c: deleted, or hidden from the user by field-level security";
    let renamed =
        "Suspends Thing__c.Note__c: deleted, hidden or renamed: it may be Remark__c (same label, type and length)";
    let table: [(&str, ChangeOf, ChangeOf, &str, &str); 8] = [
        (
            "hidden",
            |org| org.hide_field("Thing__c", "Note__c"),
            |org| org.show_field("Thing__c", "Note__c"),
            "Note__c",
            lost,
        ),
        (
            "renamed by name alone",
            |org| org.rename_field("Thing__c", "Note__c", "Remark__c"),
            |org| org.rename_field("Thing__c", "Remark__c", "Note__c"),
            "Note__c",
            renamed,
        ),
        (
            "deleted",
            |org| org.remove_field("Thing__c", "Note__c"),
            |org| org.add_field("Thing__c", note()),
            "Note__c",
            lost,
        ),
        (
            "renamed",
            |org| replace(org, "Note__c", FieldSpec::text("Remark__c", 80).label("Note")),
            |org| org.add_field("Thing__c", note()),
            "Note__c",
            renamed,
        ),
        (
            "locked",
            |org| org.lock_field("Thing__c", "Note__c"),
            |org| replace(org, "Note__c", note()),
            "Note__c",
            "Suspends Thing__c.Note__c: the user may no longer set or change it",
        ),
        (
            "retyped",
            |org| replace(org, "Note__c", FieldSpec::number("Note__c", 10, 0)),
            |org| replace(org, "Note__c", note()),
            "Note__c",
            "Suspends Thing__c.Note__c: its type was string and is double",
        ),
        (
            "shrunk",
            |org| replace(org, "Note__c", FieldSpec::text("Note__c", 3)),
            |org| replace(org, "Note__c", note()),
            "Note__c",
            "Suspends Thing__c.Note__c: it held 80 and holds 3",
        ),
        (
            "value gone",
            |org| org.remove_picklist_value("Thing__c", "Kind__c", "a"),
            |org| org.add_picklist_value("Thing__c", "Kind__c", "a"),
            "Kind__c",
            "Suspends Thing__c.Kind__c: values are no longer on its list: a, and others are refused",
        ),
    ];
    for (name, change, back, field, words) in table {
        let org = org();
        let push = push(Push::builder(client(&org), map(""))).await;
        let (totals, outcomes) = run(&push, || change(&org)).await;
        let totals = totals.expect(name);
        assert_eq!(
            (totals.created, totals.failed, totals.deferred, totals.withheld),
            (6, 0, 0, 4),
            "{name} {outcomes:?}"
        );
        assert_eq!(told(&push.drift()), [words], "{name}");
        assert_eq!(describes(&org), 2, "{name}: when it was built and once for the change");
        assert!(push.expected().await.is_suspended(field), "{name}");
        let rows = org.records("Thing__c");
        assert_eq!(rows.len(), 6, "{name}: nothing is lost and nothing is doubled");
        assert!(rows.iter().all(|row| row["Web__c"].as_str().is_some_and(|web| web.starts_with("https://x.org/"))));

        // As long as it lasts, a run looks first and meets no refusal.
        let (totals, _) = run(&push, || {}).await;
        let totals = totals.expect(name);
        assert_eq!((totals.unchanged + totals.updated, totals.withheld), (6, 6), "{name}");
        assert_eq!(describes(&org), 3, "{name}");

        back(&org);
        let (totals, _) = run(&push, || {}).await;
        let totals = totals.expect(name);
        assert_eq!((totals.unchanged + totals.updated, totals.withheld), (6, 0), "{name}");
        assert_eq!(told(&push.drift()), [format!("Lifts Thing__c.{field}: it is as expected again")], "{name}");
        assert!(!push.expected().await.is_suspended(field), "{name}");
        assert!(org.records("Thing__c").iter().all(|row| !row[field].is_null()), "{name}: all have it again");
        let before = describes(&org);
        let (totals, _) = run(&push, || {}).await;
        assert_eq!((totals.expect(name).unchanged, describes(&org)), (6, before), "{name}: nothing more to look for");
    }
}

#[tokio::test]
async fn a_field_that_may_be_blank_no_more_is_cleared_no_more_and_written_as_before() {
    let org = org();
    let push = push(Push::builder(client(&org), map(""))).await;
    run(&push, || {}).await.0.expect("created");
    replace(&org, "Note__c", note().required().default_value("\"-\""));
    let cleared = |number: usize| {
        Record::new().with("id", format!("k{number}")).with("note", None::<&str>).with("web", "https://y.org")
    };
    let input = [((), Ok(cleared(1))), ((), Ok(record(2)))];
    let mut outcomes = Vec::new();
    let totals = push.run(stream::iter(input), |(), outcome| outcomes.push(outcome.clone())).await.expect("goes on");
    assert_eq!((totals.updated, totals.unchanged, totals.failed), (1, 1, 0), "{outcomes:?}");
    assert_eq!(told(&push.drift()), ["KeepsBlanks Thing__c.Note__c: it may be blank no more"]);
    let rows = org.records("Thing__c");
    let first = rows.iter().find(|row| row["Key__c"] == "k1").expect("there");
    assert_eq!((&first["Note__c"], &first["Web__c"]), (&"note 1".into(), &"https://y.org".into()));
    // The next push knows it, and has the field as before once it may be blank again.
    let next = self::push(Push::builder(client(&org), map("")).expecting(push.expected().await)).await;
    let input = [((), Ok(cleared(2)))];
    assert_eq!(next.run(stream::iter(input), |(), _| {}).await.expect("goes on").updated, 1);
    replace(&org, "Note__c", note());
    let input = [((), Ok(cleared(2)))];
    assert_eq!(next.run(stream::iter(input), |(), _| {}).await.expect("goes on").updated, 1, "cleared at last");
    assert_eq!(told(&next.drift()), ["Lifts Thing__c.Note__c: it is as expected again"]);
}

#[tokio::test]
async fn a_new_required_field_is_told_and_breaks_creates_alone() {
    let org = org();
    let push = push(Push::builder(client(&org), map(""))).await;
    let (totals, outcomes) = run(&push, || org.add_field("Thing__c", FieldSpec::text("Must__c", 10).required())).await;
    let totals = totals.expect("goes on");
    assert_eq!((totals.created, totals.failed), (2, 4), "{outcomes:?}");
    assert_eq!(told(&push.drift()), ["BreaksCreates Thing__c.Must__c: new records need it, and nothing writes it"]);
    assert_eq!(describes(&org), 2, "told once");
    assert!(push.drift()[0].remedy().contains("add a rule"), "{}", push.drift()[0].remedy());
}

#[tokio::test]
async fn without_its_key_or_its_object_or_a_required_target_a_run_stops_and_says_why() {
    let required = "[[rules]]\nsource = \"id\"\ntarget = \"Must__c\"\nrequired = true\n";
    for (change, words) in
        [("Key__c", "Thing__c.Key__c: deleted, or hidden"), ("Must__c", "Thing__c.Must__c: deleted, or hidden")]
    {
        let org = org();
        org.add_field("Thing__c", FieldSpec::text("Must__c", 80));
        let push = push(Push::builder(client(&org), map(required))).await;
        let (totals, outcomes) = run(&push, || org.remove_field("Thing__c", change)).await;
        let error = totals.expect_err(change);
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert!(error.message().starts_with(words) && error.advice().is_some(), "{error}");
        assert_eq!(outcomes.len(), 4, "the rest of the input was not read");
        assert!(outcomes[2..].iter().all(|outcome| matches!(outcome, Outcome::Deferred(_))), "{outcomes:?}");
        assert_eq!(push.drift()[0].impact, Impact::Stops);
        assert_eq!(describes(&org), 2);
    }
}

#[tokio::test]
async fn what_a_describe_does_not_explain_fails_as_before_and_is_looked_for_once() {
    let org = org();
    org.add_field("Account", FieldSpec::text("Ext__c", 40).external_id().unique());
    org.add_field("Thing__c", FieldSpec::lookup("Account__c", "Account"));
    let parent = "[[rules]]\nsource = \"account\"\ntarget = \"Account__r.Ext__c\"\n";
    let push = push(Push::builder(client(&org), map(parent))).await;
    // A parent that is not there has the code of a field that is not.
    let orphan = |number: usize| record(number).with("account", "nobody");
    let totals = push.run(stream::iter((1..=6).map(|number| ((), Ok(orphan(number))))), |(), _| {}).await;
    let totals = totals.expect("refused one by one");
    assert_eq!((totals.failed, describes(&org)), (6, 1), "no look at the object");
    // The field of another object is gone: not a matter of this one's describe.
    org.remove_field("Account", "Ext__c");
    for described in [2, 3] {
        let error = push.run(stream::iter([((), Ok(record(1)))]), |(), _| {}).await.expect_err("no such column");
        assert_eq!((error.kind(), describes(&org)), (ErrorKind::Schema, described), "{error}");
    }
    assert!(push.drift().is_empty());
}

#[tokio::test]
async fn a_value_that_never_fitted_is_refused_and_costs_one_look_a_run() {
    let org = org();
    let push = push(Push::builder(client(&org), map(""))).await;
    let wrong = |number: usize| record(number).with("kind", "never");
    let totals = push.run(stream::iter((1..=6).map(|number| ((), Ok(wrong(number))))), |(), _| {}).await;
    let totals = totals.expect("refused one by one");
    assert_eq!((totals.failed, totals.withheld, describes(&org)), (6, 0, 2));
    assert!(push.drift().is_empty());
}

#[tokio::test]
async fn windows_that_meet_a_change_at_one_time_look_once() {
    let org = org();
    let push = push(Push::builder(client(&org), map(""))).await;
    org.remove_field("Thing__c", "Note__c");
    let windows: Vec<Vec<_>> = (0..5).map(|window| vec![Ok(record(window * 2)), Ok(record(window * 2 + 1))]).collect();
    let windows = join_all(windows.iter().map(|window| push.window(window))).await;
    for window in &windows {
        assert!(
            window.stopped.is_none() && window.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Created(_)))
        );
        assert!(window.withheld.iter().all(|fields| fields == &["Note__c"]), "{:?}", window.withheld);
    }
    assert_eq!(windows.iter().map(|window| window.drift.len()).sum::<usize>(), 1, "told once");
    assert_eq!((describes(&org), org.count("Thing__c")), (2, 10));
}

#[tokio::test]
async fn two_fields_that_are_lost_and_records_of_one_key_are_brought_in_by_one_window() {
    let org = org();
    let push = push(Push::builder(client(&org), map(""))).await;
    org.lock_field("Thing__c", "Note__c");
    replace(&org, "Kind__c", kind(&["b"]));
    let records = [record(1), record(2), record(1).with("web", "https://later.org"), record(3).with("kind", "b")];
    let window = push.window(&records.map(Ok)).await;
    let words: Vec<_> = window.outcomes.iter().map(|outcome| format!("{outcome:?}")).collect();
    assert!(words[0].starts_with("Folded") && words[1..].iter().all(|word| word.starts_with("Created")), "{words:?}");
    assert_eq!(window.withheld[1], ["Note__c", "Kind__c"]);
    assert_eq!(window.withheld[0], Vec::<String>::new(), "another record stands for it");
    let web = org.records("Thing__c").iter().find(|row| row["Key__c"] == "k1").map(|row| row["Web__c"].clone());
    assert_eq!(web, Some("https://later.org".into()));
    assert_eq!((window.drift.len(), describes(&org)), (2, 2));
}

#[tokio::test]
async fn heap_12_the_next_push_goes_on_without_the_field_where_it_knows_what_was_expected() {
    let org = org();
    let first = push(Push::builder(client(&org), map(""))).await;
    run(&first, || org.remove_field("Thing__c", "Note__c")).await.0.expect("goes on");
    // What is kept is text.
    let kept = serde_json::to_string(&first.expected().await).expect("serialises");
    let kept = || serde_json::from_str::<ExpectedFields>(&kept).expect("decodes");
    let error = Push::builder(client(&org), map("")).build().await.expect_err("nothing is known of before");
    assert!(error.message().contains("Note__c"), "{error}");
    let second = push(Push::builder(client(&org), map("")).expecting(kept())).await;
    assert_eq!(told(&second.drift()).len(), 1);
    let (totals, _) = run(&second, || {}).await;
    assert_eq!(totals.expect("goes on").withheld, 6);
    let still = second.expected().await;
    assert!(still.is_suspended("Note__c") && still.field("Note__c").is_some(), "{still:?}");

    // A field that was never there is a mistake, not drift.
    let wrong = map("[[rules]]\nsource = \"x\"\ntarget = \"Never__c\"\n");
    let error = Push::builder(client(&org), wrong).expecting(still.clone()).build().await.expect_err("never there");
    assert!(error.message().contains("Never__c") && !error.message().contains("Note__c"), "{error}");

    org.add_field("Thing__c", note());
    let third = push(Push::builder(client(&org), map("")).expecting(still)).await;
    assert_eq!(told(&third.drift()), ["Lifts Thing__c.Note__c: it is as expected again"]);
    let (totals, _) = run(&third, || {}).await;
    assert_eq!(
        totals.map(|totals| (totals.withheld, totals.updated)).expect("whole"),
        (0, 4),
        "those that were written without it"
    );
    assert!(third.expected().await.suspended.is_empty());
}

#[tokio::test]
async fn an_object_that_cannot_be_looked_at_leaves_the_first_error_standing() {
    let org = org();
    let push = push(Push::builder(client(&org), map(""))).await;
    org.faults().on(Operation::Describe).status(503).always();
    let (totals, outcomes) = run(&push, || org.remove_field("Thing__c", "Note__c")).await;
    let error = totals.expect_err("no look, no way");
    assert!(error.has_code("INVALID_FIELD"), "{error}");
    assert_eq!(outcomes.len(), 4);
    org.faults().clear();
    let (totals, _) = run(&push, || {}).await;
    assert_eq!(totals.map(|totals| (totals.created, totals.failed)).expect("looks now"), (4, 0));
}
