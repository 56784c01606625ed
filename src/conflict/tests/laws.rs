//! What holds whatever the values are.

use proptest::prelude::*;

use super::*;
use crate::types::{Direction, RecordId, Value};

const FIELDS: [&str; 4] = ["A__c", "B__c", "C__c", "D__c"];

fn value() -> impl Strategy<Value = Option<Value>> {
    let number = |number: i64| Some(Value::from(number));
    let text = |text: &'static str| Some(Value::from(text));
    prop_oneof![
        Just(None),
        Just(Some(Value::Null)),
        Just(text("")),
        (0_i64..4).prop_map(number),
        prop::sample::select(vec!["a", "b", "a;b", "b;a;c", "2026-05-01", "2026-05-01T07:25:37.000+0000"])
            .prop_map(text),
        any::<bool>().prop_map(|flag| Some(flag.into())),
    ]
}

fn values() -> impl Strategy<Value = Record> {
    prop::collection::vec(value(), FIELDS.len()).prop_map(|values| {
        let mut record = Record::new();
        for (name, value) in FIELDS.iter().zip(values) {
            if let Some(value) = value {
                record.set(*name, value);
            }
        }
        record
    })
}

fn side() -> impl Strategy<Value = State> {
    let stamp =
        prop::option::of((0_i64..3).prop_map(|second| Timestamp::from_unix_millis(second * 1000).expect("a year")));
    (values(), stamp).prop_map(|(values, changed_at)| State { changed_at, ..State::new(values) })
}

fn recency() -> impl Strategy<Value = Recency> {
    (prop::sample::select(vec![0, 999, 1000]), any::<bool>()).prop_map(|(skew_millis, source)| Recency {
        stamp_field: None,
        skew_millis,
        tie: if source { Side::Source } else { Side::Salesforce },
    })
}

fn mirrored_policies() -> impl Strategy<Value = Policy> {
    let simple = vec![
        Policy::SalesforceWins,
        Policy::SourceWins,
        Policy::SalesforceUnlessBlank,
        Policy::SourceUnlessBlank,
        Policy::Ask,
        Policy::Never,
        Policy::Max,
        Policy::Min,
        Policy::Sum,
        Policy::AppendUnique,
    ];
    let leaf = prop_oneof![
        4 => prop::sample::select(simple),
        1 => recency().prop_map(Policy::MostRecent),
        1 => recency().prop_map(Policy::FirstTouch),
        1 => (recency(), any::<bool>()).prop_map(|(recency, source)| Policy::SourceRanking {
            ranking: vec![if source { "source" } else { "salesforce" }.to_owned()],
            recency,
        }),
    ];
    leaf.prop_recursive(2, 4, 1, |then| then.prop_map(|then| Policy::ValueBeatsBlank { then: Box::new(then) }))
}

fn policies() -> impl Strategy<Value = Policy> {
    prop_oneof![6 => mirrored_policies(), 1 => Just(Policy::FillBlanks), 1 => Just(Policy::Custom)]
}

fn directions() -> impl Strategy<Value = Direction> {
    prop::sample::select(vec![Direction::Both, Direction::Both, Direction::ToSalesforce, Direction::FromSalesforce])
}

fn policy_of(policies: Vec<Policy>, directions: Vec<Direction>) -> ConflictPolicy {
    let mut policy = ConflictPolicy::default();
    for ((name, field), direction) in FIELDS.iter().zip(policies).zip(directions) {
        policy = policy.with_field(name, field).with_direction(name, direction);
    }
    policy
}

fn conflict_policy(of: impl Strategy<Value = Policy>) -> impl Strategy<Value = ConflictPolicy> {
    let fields = (prop::collection::vec(of, FIELDS.len()), prop::collection::vec(directions(), FIELDS.len()));
    fields.prop_map(|(policies, directions)| policy_of(policies, directions))
}

fn user() -> RecordId {
    RecordId::new("005000000000001").expect("an id")
}

/// Some remote differences are our own writes.
fn authored(mut remote: State, own: bool) -> State {
    remote.changed_by = own.then(user);
    remote
}

fn other(side: Side) -> Side {
    match side {
        Side::Salesforce => Side::Source,
        Side::Source => Side::Salesforce,
    }
}

fn mirror_recency(recency: &Recency) -> Recency {
    Recency { tie: other(recency.tie), ..recency.clone() }
}

fn mirror(policy: &Policy) -> Policy {
    match policy {
        Policy::SalesforceWins => Policy::SourceWins,
        Policy::SourceWins => Policy::SalesforceWins,
        Policy::SalesforceUnlessBlank => Policy::SourceUnlessBlank,
        Policy::SourceUnlessBlank => Policy::SalesforceUnlessBlank,
        Policy::MostRecent(recency) => Policy::MostRecent(mirror_recency(recency)),
        Policy::FirstTouch(recency) => Policy::FirstTouch(mirror_recency(recency)),
        Policy::ValueBeatsBlank { then } => Policy::ValueBeatsBlank { then: Box::new(mirror(then)) },
        Policy::SourceRanking { ranking, recency } => {
            let swap = |origin: &String| if origin == "source" { "salesforce" } else { "source" }.to_owned();
            Policy::SourceRanking { ranking: ranking.iter().map(swap).collect(), recency: mirror_recency(recency) }
        }
        other => other.clone(),
    }
}

fn mirror_direction(direction: Direction) -> Direction {
    match direction {
        Direction::ToSalesforce => Direction::FromSalesforce,
        Direction::FromSalesforce => Direction::ToSalesforce,
        Direction::Both => Direction::Both,
    }
}

/// Values whose lists are in one order: a union keeps the org's order, which a mirror swaps.
fn in_order(record: &Record) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::Text(text) => {
            let mut items: Vec<&str> = text.split(';').collect();
            items.sort_unstable();
            items.join(";")
        }
        other => format!("{other:?}"),
    };
    let mut fields: Vec<(String, String)> = record.iter().map(|(name, value)| (name.to_owned(), text(value))).collect();
    fields.sort_unstable();
    fields
}

type Told = (String, Winner, &'static str, Option<Value>, Option<Value>);

/// What a decision tells, or what it would tell with the sides swapped.
fn told(decision: &Decision, swapped: bool) -> Told {
    let Decision { field, winner, rule, lost_source, lost_salesforce, .. } = decision.clone();
    let field = field.to_string();
    if !swapped {
        return (field, winner, rule, lost_source, lost_salesforce);
    }
    let winner = match winner {
        Winner::Salesforce => Winner::Source,
        Winner::Source => Winner::Salesforce,
        Winner::Both | Winner::None => winner,
    };
    let rule = match rule {
        "salesforce_wins" => "source_wins",
        "source_wins" => "salesforce_wins",
        "salesforce_unless_blank" => "source_unless_blank",
        "source_unless_blank" => "salesforce_unless_blank",
        rule => rule,
    };
    (field, winner, rule, lost_salesforce, lost_source)
}

fn deleted_or_not() -> impl Strategy<Value = State> {
    (side(), prop::bool::weighted(0.2)).prop_map(|(state, deleted)| State { deleted, ..state })
}

fn delete_rules() -> impl Strategy<Value = DeleteRule> {
    prop::sample::select(vec![DeleteRule::DeleteWins, DeleteRule::EditWins, DeleteRule::Ask, DeleteRule::Never])
}

fn choices() -> impl Strategy<Value = Answer> {
    prop::sample::select(vec![
        Answer::Source,
        Answer::Salesforce,
        Answer::KeepApart,
        Answer::Value("z".into()),
        Answer::Value(Value::Null),
    ])
}

fn verdicts() -> impl Strategy<Value = CustomVerdict> {
    prop::sample::select(vec![
        CustomVerdict::Source,
        CustomVerdict::Salesforce,
        CustomVerdict::Value("z".into()),
        CustomVerdict::Value(Value::Null),
        CustomVerdict::Neither,
        CustomVerdict::Ask,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn resolving_twice_is_resolving_once(
        base in prop::option::of(values()), source in side(), remote in side(),
        policy in conflict_policy(policies()), own in any::<bool>(),
    ) {
        let policy = policy.with_integration_user(user());
        let remote = authored(remote, own);
        let first = resolve(base.as_ref(), &source, &remote, &policy);
        let after_source = State { values: apply(&source.values, &first.to_source), ..source };
        let after_remote = State { values: apply(&remote.values, &first.to_salesforce), ..remote };
        // What both sides agree on is the base from now on.
        let mut agreed = base.clone().unwrap_or_default();
        for name in FIELDS {
            if let (Some(left), Some(right)) = (after_source.values.get(name), after_remote.values.get(name))
                && left == right
            {
                agreed.set(name, left.clone());
            }
        }
        // The process may have died before it stored that base.
        for base in [Some(&agreed), base.as_ref()] {
            let second = resolve(base, &after_source, &after_remote, &policy);
            prop_assert_eq!((second.to_salesforce.len(), second.to_source.len()), (0, 0), "{:?} then {:?}", first, second);
            prop_assert_eq!(second.questions.len(), first.questions.len(), "{:?} then {:?}", first, second);
        }
    }

    #[test]
    fn swapped_sides_and_policies_give_the_swapped_result(
        base in prop::option::of(values()), source in side(), remote in side(),
        policies in prop::collection::vec(mirrored_policies(), FIELDS.len()),
        directions in prop::collection::vec(directions(), FIELDS.len()),
    ) {
        let policy = policy_of(policies.clone(), directions.clone());
        let swapped = policy_of(policies.iter().map(mirror).collect(), directions.into_iter().map(mirror_direction).collect());
        let one = resolve(base.as_ref(), &source, &remote, &policy);
        let other = resolve(base.as_ref(), &remote, &source, &swapped);
        prop_assert_eq!(in_order(&one.to_salesforce), in_order(&other.to_source));
        prop_assert_eq!(in_order(&one.to_source), in_order(&other.to_salesforce));
        prop_assert_eq!(one.questions.len(), other.questions.len());
        let told = |resolution: &Resolution, swapped: bool| {
            let mut told: Vec<_> = resolution.decisions.iter().map(|decision| told(decision, swapped)).collect();
            told.sort_by(|(left, ..), (right, ..)| left.cmp(right));
            told
        };
        prop_assert_eq!(told(&one, false), told(&other, true), "{:?} and {:?}", one, other);
    }

    #[test]
    fn a_side_that_owns_a_field_is_never_written(
        base in prop::option::of(values()), source in deleted_or_not(), remote in deleted_or_not(),
        policies in prop::collection::vec(policies(), FIELDS.len()), delete in delete_rules(), own in any::<bool>(),
        choice in choices(), custom in prop::option::of(verdicts()),
    ) {
        let remote = authored(remote, own);
        for (direction, salesforce_owns) in [(Direction::FromSalesforce, true), (Direction::ToSalesforce, false)] {
            let mut policy = policy_of(policies.clone(), vec![direction; FIELDS.len()])
                .with_delete(delete)
                .with_integration_user(user());
            if let Some(verdict) = custom.clone() {
                policy = policy.with_custom(move |_| verdict.clone());
            }
            let asked = resolve(base.as_ref(), &source, &remote, &policy);
            let answers: Vec<Answered> =
                asked.questions.iter().map(|question| question.clone().answered(choice.clone())).collect();
            for resolution in [&asked, &resolve_answered(base.as_ref(), &source, &remote, &policy, &answers)] {
                let written = if salesforce_owns { &resolution.to_salesforce } else { &resolution.to_source };
                prop_assert!(written.is_empty(), "{:?}", resolution);
            }
        }
    }

    #[test]
    fn nothing_is_written_that_a_side_has_or_that_nobody_knows(
        base in prop::option::of(values()), source in side(), remote in side(),
        policy in conflict_policy(policies()), own in any::<bool>(),
    ) {
        let remote = authored(remote, own);
        let resolution = resolve(base.as_ref(), &source, &remote, &policy.with_integration_user(user()));
        for (written, has) in [(&resolution.to_salesforce, &remote.values), (&resolution.to_source, &source.values)] {
            for (name, value) in written.iter() {
                prop_assert!(FIELDS.contains(&name));
                prop_assert!(!has.get(name).is_some_and(|has| has.same_stored(value)), "{} {:?}", name, resolution);
            }
        }
        let mut fields: Vec<&str> = resolution.decisions.iter().map(|decision| &*decision.field).collect();
        fields.sort_unstable();
        let mut known: Vec<&str> = FIELDS
            .into_iter()
            .filter(|name| [Some(&source.values), Some(&remote.values), base.as_ref()].into_iter().flatten().any(|side| side.get(name).is_some()))
            .collect();
        known.sort_unstable();
        prop_assert_eq!(fields, known, "one decision per field");
    }
}

#[test]
fn records_of_many_fields_resolve_as_those_of_few() {
    let wide = |step: u32| {
        let mut values = Record::new();
        // The sides have their fields in different orders.
        for place in 0..500 {
            let number = (place * step) % 500;
            values.set(format!("F{number}__c"), number * step);
        }
        values
    };
    let (source, remote) = (State::new(wide(3)), State::new(wide(7)));
    let resolution = resolve(Some(&wide(1)), &source, &remote, &ConflictPolicy::new(Policy::Max));
    assert_eq!(resolution.decisions.len(), 500);
    assert_eq!(resolution.to_source.len(), 499, "all but F0__c, which is 0 everywhere");
    assert_eq!(resolution.to_source.get("F499__c"), Some(&Value::from(3493_u32)));
}
