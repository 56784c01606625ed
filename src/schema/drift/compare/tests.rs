use proptest::prelude::*;

use super::super::FieldUse;
use super::*;

/// An object with these fields, as JSON members each.
fn object(fields: &[&str]) -> SObjectDescribe {
    let fields: Vec<String> = fields.iter().map(|field| format!("{{{field}}}")).collect();
    let text = format!(r#"{{"name":"Thing__c","createable":true,"updateable":true,"fields":[{}]}}"#, fields.join(","));
    serde_json::from_str(&text).expect(&text)
}

const OPEN: &str = r#""nillable":true,"createable":true,"updateable":true"#;
const KEY: &str = r#""name":"Key__c","type":"string","length":80,"nillable":true,"createable":true,"updateable":true,"externalId":true"#;

fn text(name: &str, label: &str, length: u32) -> String {
    format!(r#""name":"{name}","label":"{label}","type":"string","length":{length},{OPEN}"#)
}

fn expected(describe: &SObjectDescribe) -> ExpectedFields {
    let used = describe.fields.iter().fold(ExpectedFields::of(describe, true), |expected, field| {
        let usage = if field.name == "Key__c" { FieldUse::WRITE.needed() } else { FieldUse::WRITE };
        expected.uses(describe, &field.name, usage)
    });
    // What is stored is what is compared.
    let stored = serde_json::to_string(&used).expect("serialises");
    serde_json::from_str(&stored).expect("decodes")
}

/// How one field's change is told, as `impact: words`.
fn told(before: &str, after: &[&str]) -> Vec<String> {
    let before = object(&[KEY, before]);
    let after: Vec<&str> = [KEY].into_iter().chain(after.iter().copied()).collect();
    let events = drift(&expected(&before), &object(&after));
    events.iter().map(|event| format!("{:?} {event}", event.impact)).collect()
}

#[test]
fn each_change_of_a_field_is_told_once_with_what_it_means() {
    let number = |precision: u32, scale: u32| {
        format!(r#""name":"X__c","type":"double","precision":{precision},"scale":{scale},{OPEN}"#)
    };
    let lookup = |to: &str| format!(r#""name":"X__c","type":"reference","referenceTo":[{to}],"length":18,{OPEN}"#);
    let list = |values: &[&str], restricted: bool| {
        let value = |value: &&str| {
            format!(r#"{{"active":{},"value":"{}"}}"#, !value.starts_with('-'), value.trim_start_matches('-'))
        };
        let values: Vec<String> = values.iter().map(value).collect();
        format!(
            r#""name":"X__c","type":"picklist","restrictedPicklist":{restricted},"picklistValues":[{}],{OPEN}"#,
            values.join(",")
        )
    };
    let x = text("X__c", "X", 80);
    let locked = x.replace(OPEN, r#""nillable":true"#);
    let formula = x.replace(OPEN, r#""nillable":true,"calculated":true"#);
    let fixed = x.replace(r#""updateable":true"#, r#""updateable":false"#);
    let needed = x.replace(r#""nillable":true"#, r#""nillable":false"#);
    for (before, after, words) in [
        (x.clone(), None, &["Suspends Thing__c.X__c: deleted, or hidden from the user by field-level security"][..]),
        (
            x.clone(),
            Some(x.replace("string", "textarea")),
            &["Suspends Thing__c.X__c: its type was string and is textarea"],
        ),
        (x.clone(), Some(text("X__c", "X", 40)), &["Suspends Thing__c.X__c: it held 80 and holds 40"]),
        (x.clone(), Some(text("X__c", "Another label", 255)), &[]),
        (x.clone(), Some(locked), &["Suspends Thing__c.X__c: the user may no longer set or change it"]),
        (x.clone(), Some(fixed), &["Suspends Thing__c.X__c: the user may no longer change it"]),
        (x.clone(), Some(needed.clone()), &["KeepsBlanks Thing__c.X__c: it may be blank no more"]),
        (needed, Some(x.clone()), &[]),
        (number(18, 2), Some(number(18, 4)), &["Suspends Thing__c.X__c: it held 16.2 digits and holds 14.4 digits"]),
        (number(10, 2), Some(number(9, 1)), &["Suspends Thing__c.X__c: it held 8.2 digits and holds 8.1 digits"]),
        (number(10, 2), Some(number(18, 2)), &[]),
        (lookup(r#""A""#), Some(lookup(r#""B""#)), &["Suspends Thing__c.X__c: it led to A and leads to B"]),
        (lookup(r#""A""#), Some(lookup(r#""A","B""#)), &[]),
        (lookup(r#""A","B""#), Some(lookup(r#""b""#)), &["Told Thing__c.X__c: it led to A, B and leads to b"]),
        (lookup(r#""A","B""#), Some(lookup(r#""C""#)), &["Suspends Thing__c.X__c: it led to A, B and leads to C"]),
        (x.clone(), Some(formula), &["Suspends Thing__c.X__c: it is computed now, and nobody can write it"]),
        (x.clone(), Some(text("X__c", "X", 0)), &[]),
        (
            list(&["a", "b"], true),
            Some(list(&["b", "c"], true)),
            &["Suspends Thing__c.X__c: values are no longer on its list: a, and others are refused"],
        ),
        (
            list(&["a", "b"], true),
            Some(list(&["-a", "b"], true)),
            &["Suspends Thing__c.X__c: values are no longer on its list: a, and others are refused"],
        ),
        (
            list(&["a", "b"], false),
            Some(list(&["b"], false)),
            &["Told Thing__c.X__c: values are no longer on its list: a"],
        ),
        (
            list(&["a"], false),
            Some(list(&["a"], true)),
            &["Suspends Thing__c.X__c: values outside its list are refused now"],
        ),
        (list(&["a"], true), Some(list(&["a", "b"], false)), &[]),
    ] {
        let after: Vec<&str> = after.as_deref().into_iter().collect();
        assert_eq!(told(&before, &after), words, "{before} to {after:?}");
    }
}

#[test]
fn a_renamed_field_is_suggested_by_label_type_and_length_and_never_by_a_field_that_was_there() {
    let x = text("X__c", "Score", 80);
    let old = text("Old__c", "Score", 80);
    let before = object(&[KEY, &x, &old]);
    let without_old = ExpectedFields::of(&before, true).uses(&before, "X__c", FieldUse::WRITE);
    let candidates = |after: &[&str]| match &drift(&without_old, &object(after))[..] {
        [DriftEvent { change: Change::Renamed { candidates }, impact: Impact::Suspends, .. }] => {
            candidates.iter().map(ToString::to_string).collect()
        }
        [DriftEvent { change: Change::Unseen, .. }] => Vec::new(),
        other => panic!("{other:?}"),
    };
    assert_eq!(candidates(&[KEY, &old]), Vec::<String>::new(), "it was there before");
    let [new, wider, longer, number] = [
        text("Y__c", "score", 80),
        text("Z__c", "Points", 80),
        text("W__c", "Score", 120),
        text("N__c", "Score", 80).replace("string", "double"),
    ];
    assert_eq!(candidates(&[KEY, &old, &new]), ["Y__c (same label, type and length)"]);
    assert_eq!(
        candidates(&[KEY, &old, &wider, &longer, &new, &number]),
        ["Y__c (same label, type and length)", "W__c (same label and type)", "Z__c (same type and length)"]
    );
    let event = &drift(&without_old, &object(&[KEY, &wider, &new]))[0];
    assert!(event.to_string().contains("it may be one of, or none of, Y__c"), "{event}");
    let many: Vec<String> = (0..9).map(|index| text(&format!("C{index}__c"), "Score", 80)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(candidates(&many).len(), 5);
    let mut unknown = without_old.clone();
    unknown.known.clear();
    assert_eq!(drift(&unknown, &object(&[KEY, &new]))[0].change, Change::Unseen, "nobody knows what is new");
}

#[test]
fn a_hidden_field_is_told_from_a_deleted_one_where_the_definitions_are_known() {
    let before = object(&[KEY, &text("X__c", "X", 80)]);
    let now = object(&[KEY]);
    let change = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        drift(&expected(&before), SeenObject::from(&now).with_defined(&names))[0].change.clone()
    };
    assert_eq!(change(&["Key__c", "x__C"]), Change::Hidden);
    assert_eq!(change(&["Key__c"]), Change::Deleted);
}

#[test]
fn without_its_key_its_object_or_its_rights_nothing_goes_on() {
    let x = text("X__c", "X", 80);
    let before = object(&[KEY, &x]);
    let mut expected = expected(&before);
    let stops = |events: &[DriftEvent]| events.iter().any(|event| event.impact == Impact::Stops);
    assert!(stops(&drift(&expected, &object(&[&x]))));
    assert!(stops(&drift(&expected, SeenObject::gone())));
    let other = SObjectDescribe { name: "Other__c".into(), ..before.clone() };
    assert!(stops(&drift(&expected, &other)), "another object's describe");
    let closed = SObjectDescribe { createable: false, ..before.clone() };
    assert_eq!(drift(&expected, &closed)[0].to_string(), "Thing__c: the user may no longer create records");
    expected.creates = false;
    assert!(drift(&expected, &closed).is_empty());
}

#[test]
fn what_new_records_need_breaks_creates_and_nothing_else() {
    let before = object(&[KEY, r#""name":"Was__c","type":"string","createable":true"#]);
    let mut expected = ExpectedFields::of(&before, true).uses(&before, "Key__c", FieldUse::WRITE.needed());
    let now = object(&[
        KEY,
        r#""name":"Was__c","type":"string","createable":true"#,
        r#""name":"New__c","type":"string","createable":true"#,
        r#""name":"Filled__c","type":"string","createable":true,"defaultedOnCreate":true"#,
    ]);
    let events = drift(&expected, &now);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!((events[0].field.as_deref(), events[0].impact), (Some("New__c"), Impact::BreaksCreates));
    let spelt = SObjectDescribe { fields: before.fields.clone(), ..now.clone() };
    let spelt = serde_json::to_string(&spelt).expect("serialises").replace("Was__c", "WAS__c");
    assert!(drift(&expected, &serde_json::from_str(&spelt).expect("decodes")).is_empty(), "the same name");
    let updates = ExpectedFields { creates: false, ..expected.clone() };
    assert!(drift(&updates, &now).is_empty());
    expected.accept(&now, "New__c");
    assert!(drift(&expected, &now).is_empty(), "accepted");
}

#[test]
fn a_suspended_field_that_is_as_expected_again_is_lifted_once() {
    let x = text("X__c", "X", 80);
    let before = object(&[KEY, &x]);
    let mut expected = expected(&before);
    for _ in 0..2 {
        let events = drift(&expected, &object(&[KEY]));
        assert_eq!(events[0].impact, Impact::Suspends, "told as long as it lasts");
        expected.note(&events);
        assert!(expected.is_suspended("x__c"));
    }
    let events = drift(&expected, &before);
    assert_eq!((events.len(), events[0].impact, &events[0].change), (1, Impact::Lifts, &Change::Back));
    expected.note(&events);
    assert!(drift(&expected, &before).is_empty());
}

#[test]
fn a_change_that_a_person_has_accepted_is_what_is_expected() {
    let before = object(&[KEY, &text("X__c", "X", 80)]);
    let now = object(&[KEY, &text("X__c", "X", 40)]);
    let mut expected = expected(&before);
    expected.note(&drift(&expected, &now));
    expected.accept(&now, "X__c");
    expected.accept(&now, "Nope__c");
    assert!(drift(&expected, &now).is_empty() && !expected.is_suspended("X__c"));
}

#[test]
fn a_field_that_is_only_read_drifts_only_where_reading_does() {
    let before = object(&[KEY, &text("X__c", "X", 80)]);
    let read = ExpectedFields::of(&before, false).uses(&before, "X__c", FieldUse::READ);
    let locked = object(&[KEY, r#""name":"X__c","label":"X","type":"string","length":10"#]);
    assert!(drift(&read, &locked).is_empty());
    assert_eq!(drift(&read, &object(&[KEY])).len(), 1);
}

#[test]
fn a_snapshot_of_a_format_that_is_not_known_is_not_read() {
    let stored = serde_json::to_string(&expected(&object(&[KEY]))).expect("serialises");
    let later = stored.replace(r#""version":1"#, r#""version":2"#);
    let error = serde_json::from_str::<ExpectedFields>(&later).expect_err("a later one");
    assert!(error.to_string().contains("version 2"), "{error}");
}

#[test]
fn every_change_has_words_and_a_remedy() {
    let changes = [
        Change::ObjectGone,
        Change::ObjectReadOnly { creates: true, updates: true },
        Change::Deleted,
        Change::Hidden,
        Change::Unseen,
        Change::Renamed { candidates: Vec::new() },
        Change::Shrunk { from: "2".into(), to: "1".into() },
        Change::ReadOnly { creates: true, updates: false },
        Change::Computed,
        Change::Required,
        Change::NewRequired,
        Change::Restricted,
        Change::Unfit { reason: "because".into() },
        Change::Back,
    ];
    for change in changes {
        let event = DriftEvent::of_field("Thing__c", "X__c", change, Impact::Told);
        assert!(event.to_string().len() > 15 && !event.remedy().is_empty(), "{event:?}");
        assert!(serde_json::to_value(&event).expect("serialises")["change"]["kind"].is_string());
    }
}

fn any_field() -> impl Strategy<Value = FieldDescribe> {
    let kinds = ["string", "double", "picklist", "multipicklist", "reference", "boolean", "id", "int", "hologram"];
    let names = ["A__c", "B__c", "C__c", "Key__c", "Id"];
    let flags = prop::collection::vec(any::<bool>(), 7);
    let values = prop::collection::vec((any::<bool>(), 0_u8..5), 0..4);
    (prop::sample::select(names.to_vec()), prop::sample::select(kinds.to_vec()), flags, values, (0_u32..300, 0_u32..19))
        .prop_map(|(name, kind, flags, values, (length, precision))| {
            let values: Vec<String> =
                values.iter().map(|(active, value)| format!(r#"{{"active":{active},"value":"{value}"}}"#)).collect();
            let text = format!(
                r#"{{"name":"{name}","label":"{name}","type":"{kind}","length":{length},"precision":{precision},"scale":{},"nillable":{},"createable":{},"updateable":{},"defaultedOnCreate":{},"restrictedPicklist":{},"externalId":{},"unique":{},"picklistValues":[{}],"referenceTo":["A"]}}"#,
                precision / 3, flags[0], flags[1], flags[2], flags[3], flags[4], flags[5], flags[6], values.join(",")
            );
            serde_json::from_str(&text).expect("decodes")
        })
}

fn any_object() -> impl Strategy<Value = SObjectDescribe> {
    (prop::collection::vec(any_field(), 0..6), any::<bool>(), any::<bool>()).prop_map(
        |(mut fields, createable, updateable)| {
            fields.sort_by(|left, right| left.name.cmp(&right.name));
            fields.dedup_by(|left, right| left.name == right.name);
            SObjectDescribe { name: "Thing__c".into(), createable, updateable, fields, ..SObjectDescribe::default() }
        },
    )
}

fn any_use() -> impl Strategy<Value = FieldUse> {
    let usage = |(reads, creates, updates, needed)| FieldUse { reads, creates, updates, needed };
    any::<(bool, bool, bool, bool)>().prop_map(usage)
}

fn using(describe: &SObjectDescribe, uses: &[FieldUse], creates: bool) -> ExpectedFields {
    let each = describe.fields.iter().zip(uses.iter().cycle());
    each.fold(ExpectedFields::of(describe, creates), |expected, (field, usage)| {
        expected.uses(describe, &field.name, *usage)
    })
}

proptest! {
    #[test]
    fn an_object_that_is_what_it_was_has_not_drifted(
        describe in any_object(),
        uses in prop::collection::vec(any_use(), 1..4),
        creates in any::<bool>(),
    ) {
        let expected = using(&describe, &uses, creates);
        // An object that was closed to the user from the start is no change.
        let open = SObjectDescribe { createable: true, updateable: true, ..describe };
        prop_assert_eq!(drift(&expected, &open), Vec::new());
    }

    #[test]
    fn each_field_in_use_has_one_event_that_leaves_it_out_at_most(
        before in any_object(),
        now in any_object(),
        uses in prop::collection::vec(any_use(), 1..4),
    ) {
        let mut expected = using(&before, &uses, true);
        let events = drift(&expected, &now);
        for field in &expected.fields {
            let left_out = |event: &&DriftEvent| {
                event.field.as_ref() == Some(&field.name) && matches!(event.impact, Impact::Suspends | Impact::Stops)
            };
            prop_assert!(events.iter().filter(left_out).count() <= 1);
        }
        // Whatever was suspended is lifted when all is as before.
        expected.note(&events);
        let suspended = expected.suspended.len();
        let open = SObjectDescribe { createable: true, updateable: true, ..before };
        let lifted = drift(&expected, &open);
        prop_assert_eq!(lifted.iter().filter(|event| event.impact == Impact::Lifts).count(), suspended);
        prop_assert_eq!(lifted.len(), suspended);
    }
}
