//! What to write, decided without I/O.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::mapping::{FieldMap, MappedRecord};
use crate::types::{Record, RecordId, Timestamp, Value};

/// How the org tells external ids apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyCase {
    /// `a` and `A` are two records.
    Sensitive,
    /// `a` and `A` are one record: the default of external ids.
    Insensitive,
}

impl KeyCase {
    /// The form in which keys of one record are equal.
    pub(super) fn normal(self, key: &str) -> String {
        match self {
            Self::Sensitive => key.to_owned(),
            Self::Insensitive => key.to_lowercase(),
        }
    }
}

/// Whether a record's state may replace another one: it may unless it is known to be older.
fn may_replace(new: Option<Timestamp>, old: Option<Timestamp>) -> bool {
    match (new, old) {
        (Some(new), Some(old)) => new >= old,
        // A missing stamp loses against one that is there.
        (None, Some(_)) => false,
        (_, None) => true,
    }
}

/// Folds records of one key into one, with the effect of writing them one after the other. Gives for each place in the
/// window the record to write; a record that another one stands for has none.
pub(super) fn fold(window: Vec<Option<MappedRecord>>, case: KeyCase) -> Vec<Option<MappedRecord>> {
    let mut folded: Vec<Option<MappedRecord>> = Vec::with_capacity(window.len());
    let mut places: HashMap<String, usize> = HashMap::with_capacity(window.len());
    for (place, record) in window.into_iter().enumerate() {
        folded.push(None);
        let Some(new) = record else { continue };
        match places.entry(case.normal(&new.key)) {
            Entry::Vacant(entry) => {
                entry.insert(place);
                folded[place] = Some(new);
            }
            Entry::Occupied(mut entry) => {
                let old = &mut folded[*entry.get()];
                if old.as_ref().is_some_and(|old| !may_replace(new.changed_at, old.changed_at)) {
                    continue;
                }
                let merged = match old.take() {
                    Some(old) => overlay(old, new),
                    None => new,
                };
                entry.insert(place);
                folded[place] = Some(merged);
            }
        }
    }
    folded
}

/// The newer record over the older one: a field that is absent in the newer keeps the older's value.
fn overlay(old: MappedRecord, new: MappedRecord) -> MappedRecord {
    let mut fields = old.fields;
    for (name, value) in new.fields.iter() {
        fields.set(name, value.clone());
    }
    MappedRecord { fields, ..new }
}

/// What the org needs of a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decision {
    /// It is not there yet: send these fields.
    Create(Record),
    /// It differs: send these fields, the key among them.
    Update(RecordId, Record),
    /// It is there as it should be, or newer.
    Leave(RecordId),
}

/// Compares a record with the org's, if there is one. Only fields that differ are sent.
pub(super) fn decide(map: &FieldMap, record: &MappedRecord, remote: Option<(RecordId, &Record)>) -> Decision {
    let Some((id, remote)) = remote else {
        let mut fields = Record::new();
        for (name, value) in record.fields.iter().filter(|(_, value)| !value.is_blank()) {
            fields.set(name, value.clone());
        }
        return Decision::Create(fields);
    };
    let remote_stamp = map.changed_at().and_then(|field| remote.get(field.as_str())).and_then(Value::to_timestamp);
    if !may_replace(record.changed_at, remote_stamp) {
        return Decision::Leave(id);
    }
    let mut fields = Record::new();
    for (name, value) in record.fields.iter().filter(|(name, _)| *name != map.key().as_str()) {
        if !value.same_stored(remote.get(name).unwrap_or(&Value::Null)) {
            fields.set(name, value.clone());
        }
    }
    if fields.is_empty() {
        return Decision::Leave(id);
    }
    fields.set(map.key().as_str(), record.key.as_str());
    Decision::Update(id, fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::engagement::{Prefix, session_map};

    fn map() -> FieldMap {
        session_map(&Prefix::new("P_").expect("sound")).expect("sound")
    }

    fn mapped(text: &str) -> MappedRecord {
        map().apply(&serde_json::from_str(text).expect(text)).expect(text)
    }

    fn written(window: &[&str], case: KeyCase) -> Vec<Option<String>> {
        let window = window.iter().map(|text| Some(mapped(text))).collect();
        let email = |record: MappedRecord| record.fields.text("P_Email__c").unwrap_or("-").to_owned();
        fold(window, case).into_iter().map(|record| record.map(email)).collect()
    }

    const OLD: &str = r#"{"session_id":"a","started_at":"2026-01-01T00:00:00Z","email":"old@x.org"}"#;
    const NEW: &str = r#"{"session_id":"a","started_at":"2026-01-02T00:00:00Z","email":"new@x.org"}"#;
    const NEWEST_WITHOUT_EMAIL: &str = r#"{"session_id":"a","started_at":"2026-01-03T00:00:00Z"}"#;

    #[test]
    fn the_newest_of_a_key_stands_for_all_and_the_later_line_wins_a_tie() {
        let new = Some("new@x.org".to_owned());
        assert_eq!(written(&[OLD, NEW], KeyCase::Sensitive), [None, new.clone()]);
        assert_eq!(written(&[NEW, OLD], KeyCase::Sensitive), [new.clone(), None]);
        assert_eq!(
            written(&[NEW, NEWEST_WITHOUT_EMAIL], KeyCase::Sensitive),
            [None, new],
            "an absent field clears nothing"
        );
        let other = NEW.replace("new@", "later@");
        assert_eq!(written(&[NEW, &other], KeyCase::Sensitive), [None, Some("later@x.org".into())]);
    }

    #[test]
    fn keys_fold_as_the_org_tells_them_apart() {
        let capital = NEW.replace("\"a\"", "\"A\"");
        assert_eq!(written(&[OLD, &capital], KeyCase::Sensitive).iter().flatten().count(), 2);
        assert_eq!(written(&[OLD, &capital], KeyCase::Insensitive).iter().flatten().count(), 1);
    }

    #[test]
    fn a_record_without_stamp_does_not_replace_one_with_a_stamp() {
        let none = r#"{"session_id":"a","email":"none@x.org"}"#;
        assert_eq!(written(&[OLD, none], KeyCase::Sensitive), [Some("old@x.org".into()), None]);
        assert_eq!(written(&[none, OLD], KeyCase::Sensitive), [None, Some("old@x.org".into())]);
    }

    fn remote(text: &str) -> Record {
        serde_json::from_str(text).expect(text)
    }

    #[test]
    fn nav_25_an_older_session_never_overwrites_a_newer_one() {
        let id = RecordId::new("a00000000000001").expect("valid");
        let stored =
            remote(r#"{"P_Started_At__c":"2026-01-02T00:00:00.000+0000","P_Email__c":"new@x.org","Name":"a"}"#);
        let decide = |text: &str| decide(&map(), &mapped(text), Some((id, &stored)));
        assert_eq!(decide(OLD), Decision::Leave(id));
        assert_eq!(decide(NEW), Decision::Leave(id), "equal in stored form");
        let changed = NEW.replace("new@", "other@");
        let Decision::Update(_, fields) = decide(&changed) else { panic!("it differs") };
        assert_eq!(fields, Record::new().with("P_Email__c", "other@x.org").with("P_Session_Key__c", "a"));
    }

    #[test]
    fn a_new_record_is_created_without_blanks() {
        let text = r#"{"session_id":"a","email":"","demos":[],"steps_viewed":0}"#;
        let Decision::Create(fields) = decide(&map(), &mapped(text), None) else { panic!("it is not there") };
        assert_eq!(
            fields.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            ["P_Session_Key__c", "Name", "P_Steps_Viewed__c"]
        );
    }
}
