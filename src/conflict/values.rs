//! How values compare and combine.

use std::cmp::Ordering;

use crate::types::{Decimal, Record, Value};

/// Null and the empty text, and nothing chosen. Absent is not blank.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::MultiSelect(chosen) => chosen.is_empty(),
        _ => false,
    }
}

/// Whether both are one value: blanks are, numbers by value, texts that are moments or ids in another shape too.
#[inline]
pub(super) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Text(text), Value::Text(other)) if text == other => true,
        (Value::Number(left), Value::Number(right)) => left == right,
        _ => same_at_length(left, right),
    }
}

fn same_at_length(left: &Value, right: &Value) -> bool {
    if is_blank(left) || is_blank(right) {
        return is_blank(left) && is_blank(right);
    }
    match (left, right) {
        (Value::Text(text), Value::Text(other)) => same_shapes(text, other, left, right),
        (Value::OutOfRange(_), _) | (_, Value::OutOfRange(_)) => left.order(right) == Some(Ordering::Equal),
        (Value::Record(left), Value::Record(right)) => same_records(left, right),
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        // White space alone is a value here, where `same_stored` speaks of what is stored.
        _ => left == right || (!left.is_blank() && !right.is_blank() && left.same_stored(right)),
    }
}

/// The value of one field: for those who do not ask for all of them.
pub(super) fn in_any_case<'a>(record: &'a Record, name: &str) -> Option<&'a Value> {
    record.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The parts of an address or a reference, in any order. A part that is not there is blank.
fn same_records(left: &Record, right: &Record) -> bool {
    let covers = |one: &Record, other: &Record| {
        one.iter().all(|(name, value)| same(value, in_any_case(other, name).unwrap_or(&Value::Null)))
    };
    covers(left, right) && covers(right, left)
}

/// An answer writes a moment with `+0000`, a product with `Z`; an id has 15 characters in one place and 18 in another.
fn same_shapes(text: &str, other: &str, left: &Value, right: &Value) -> bool {
    if matches!((text.len(), other.len()), (15, 18) | (18, 15)) {
        return left.to_id().is_some_and(|id| right.to_id() == Some(id));
    }
    let dated = |text: &str| matches!(text.as_bytes(), [_, _, _, _, b'-', _, _, b'-', ..]);
    dated(text)
        && dated(other)
        && !same_offset(text, other)
        && left.to_timestamp().is_some_and(|moment| right.to_timestamp() == Some(moment))
}

/// Two moments that differ, and are written with the same offset, differ in their time.
fn same_offset(text: &str, other: &str) -> bool {
    // The sign between day and time may be another one for one moment.
    const DAY: usize = "2026-05-01".len();
    const SECONDS: usize = "2026-05-01T07:25:37".len();
    let (left, right) = (text.as_bytes(), other.as_bytes());
    text.len() > SECONDS && left.get(DAY) == right.get(DAY) && left.get(SECONDS..) == right.get(SECONDS..)
}

/// The order of two values that are not blank.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    left.order(right)
}

/// The base and what both sides added to it. Blank is nothing yet where the base is blank too.
pub(super) fn sum(base: &Value, source: &Value, remote: &Value) -> Option<Decimal> {
    let from_nothing = is_blank(base);
    let number = |value: &Value| match value {
        Value::Number(number) => Some(*number),
        value if from_nothing && is_blank(value) => Some(Decimal::ZERO),
        _ => None,
    };
    number(source)?.checked_add(number(remote)?)?.checked_sub(number(base)?)
}

/// Whether the three are numbers, or blank where the base is: what remains is that the sum has too many digits.
pub(super) fn addable(base: &Value, source: &Value, remote: &Value) -> bool {
    let number = |value: &Value| matches!(value, Value::Number(_) | Value::OutOfRange(_));
    let counts = |value: &Value| number(value) || (is_blank(base) && is_blank(value));
    [base, source, remote].into_iter().all(counts)
}

/// What either has: the remote's items in their order, then those only the source has.
pub(super) fn union(source: &Value, remote: &Value) -> Option<Vec<String>> {
    let items = |value: &Value| if is_blank(value) { Some(Vec::new()) } else { value.chosen().map(owned) };
    let mut all = items(remote)?;
    let mut seen: std::collections::HashSet<String> = all.iter().cloned().collect();
    all.retain({
        let mut first = std::collections::HashSet::new();
        move |item| first.insert(item.clone())
    });
    for item in items(source)? {
        if seen.insert(item.clone()) {
            all.push(item);
        }
    }
    Some(all)
}

fn owned(items: Vec<&str>) -> Vec<String> {
    items.into_iter().map(str::to_owned).collect()
}

/// Whether a value has just these items, in any order.
pub(super) fn has_items(value: &Value, items: &[String]) -> bool {
    let mut wanted: Vec<&str> = items.iter().map(String::as_str).collect();
    let mut found = if is_blank(value) { Vec::new() } else { value.chosen().unwrap_or_default() };
    wanted.sort_unstable();
    found.sort_unstable();
    found.dedup();
    wanted == found
}

/// A list of items in the form that a side has them in.
pub(super) fn in_form_of(form: &Value, list: Value) -> Value {
    if std::mem::discriminant(form) == std::mem::discriminant(&list) {
        return list;
    }
    let items = list.chosen().map(owned);
    items.map_or(list, |items| items_like(form, &items))
}

/// Whether two values have the same items, in any order.
pub(super) fn same_items(left: &Value, right: &Value) -> bool {
    union(left, right).is_some_and(|items| has_items(left, &items) && has_items(right, &items))
}

/// Items in the form that a side has them in.
pub(super) fn items_like(form: &Value, items: &[String]) -> Value {
    match form {
        Value::List(_) => Value::List(items.iter().map(|item| item.as_str().into()).collect()),
        Value::MultiSelect(_) => Value::MultiSelect(items.to_vec()),
        _ => Value::Text(items.join(";")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        serde_json::from_str(text).expect(text)
    }

    #[test]
    fn one_value_in_two_shapes_is_the_same() {
        for (left, right) in [
            ("null", r#""""#),
            ("5", "5.00"),
            (r#""2026-05-01T07:25:37.000+0000""#, r#""2026-05-01T09:25:37+02:00""#),
            (r#""001dM00003kRs59""#, r#""001dM00003kRs59QAC""#),
            ("[]", "null"),
            (r#""2026-05-01T07:25:37Z""#, r#""2026-05-01 07:25:37Z""#),
            (r#"{"city":"B","street":null}"#, r#"{"Street":"","City":"B"}"#),
            ("1e400", "10e399"),
            ("0.1000000000000000000000000000000", "0.1"),
        ] {
            assert!(same(&json(left), &json(right)) && same(&json(right), &json(left)), "{left} {right}");
        }
        for (left, right) in [
            ("null", r#"" ""#),
            ("5", r#""5""#),
            (r#""a""#, r#""A""#),
            (r#""001dM00003kRs59""#, r#""001DM00003kRs59QAC""#),
            ("0", "null"),
            ("false", "null"),
            (r#"{"city":"B"}"#, r#"{"city":"C"}"#),
            (r#""2026-05-01T07:25:37.000001Z""#, r#""2026-05-01T07:25:37Z""#),
        ] {
            assert!(!same(&json(left), &json(right)) && !same(&json(right), &json(left)), "{left} {right}");
        }
    }

    #[test]
    fn a_union_keeps_the_orgs_order_and_doubles_nothing() {
        let items = union(&json(r#""c; a;a""#), &json(r#""b;a;b""#)).expect("lists");
        assert_eq!(items, ["b", "a", "c"]);
        assert!(has_items(&json(r#"["c","b","a"]"#), &items));
        assert!(!has_items(&json(r#""a;b""#), &items));
        assert!(union(&json("5"), &json("null")).is_none());
    }

    #[test]
    fn a_sum_adds_both_changes_or_is_none() {
        let sum = |base, source, remote| sum(&json(base), &json(source), &json(remote)).map(|sum| sum.to_string());
        assert_eq!(sum("10", "13", "12.5"), Some("15.5".into()));
        assert_eq!(sum("null", "3", "null"), Some("3".into()));
        assert_eq!(sum("10", "null", "12"), None, "cleared is no number");
        assert_eq!(sum("10", "\"13\"", "12"), None);
    }
}
