//! What to write, decided without I/O.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;
use std::sync::Arc;

use crate::mapping::{CompiledMap, MappedRecord, Output, Write};
use crate::types::{FieldIndex, Record, RecordId, Timestamp, Value};

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

/// The records of one key in a window, in the order in which they may be laid over each other: none is older than the one
/// before it.
pub(super) type Layers = Vec<MappedRecord>;

/// Folds records of one key, with the effect of writing them one after the other. Gives for each place in the window the
/// layers to write there; a record that another one stands for has none.
pub(super) fn fold(window: Vec<Option<MappedRecord>>, case: KeyCase) -> Vec<Option<Layers>> {
    let mut folded: Vec<Option<Layers>> = Vec::with_capacity(window.len());
    let mut places: HashMap<String, usize> = HashMap::with_capacity(window.len());
    for (place, record) in window.into_iter().enumerate() {
        folded.push(None);
        let Some(new) = record else { continue };
        match places.entry(case.normal(&new.key)) {
            Entry::Vacant(entry) => {
                entry.insert(place);
                folded[place] = Some(vec![new]);
            }
            Entry::Occupied(mut entry) => {
                let last = folded[*entry.get()].as_ref().and_then(|layers| layers.last());
                if last.is_some_and(|last| !may_replace(new.changed_at, last.changed_at)) {
                    continue;
                }
                let mut layers = folded[entry.insert(place)].take().unwrap_or_default();
                layers.push(new);
                folded[place] = Some(layers);
            }
        }
    }
    folded
}

/// The layers over each other: a field that is absent in a later one keeps the earlier one's value. One value per output of the
/// map, in their order; a reference that is cleared comes under the name of its field.
fn overlay<'a>(map: &CompiledMap, layers: &[&'a MappedRecord]) -> Vec<Option<&'a Value>> {
    let mut values = vec![None; map.outputs().len()];
    for layer in layers {
        // Mapped fields stand in the order of the map, so none is searched for.
        let mut fields = FieldIndex::new(&layer.fields);
        for (value, output) in values.iter_mut().zip(map.outputs()) {
            let found = fields.get(&output.member);
            let cleared = || output.parent.as_ref().and_then(|_| layer.fields.get(&output.clear));
            if let Some(found) = found.or_else(cleared) {
                *value = Some(found);
            }
        }
    }
    values
}

/// Which state of each key is the last one of a whole input, where that is known before the run.
///
/// Two records of one key with one stamp may stand in different windows. Without this, a second run of the same input would
/// write the first one over the second one's values, and then the second one again.
///
/// Only the targets of the map it was made for count, so that what a later step adds to a record (links, say) does not make
/// another state of it.
#[derive(Clone, Debug)]
pub struct Latest {
    /// Targets that make up a state, in lower case: the org may spell them otherwise.
    targets: HashSet<String>,
    /// By the hash of the key: the newest stamp, and the hash of the last record that has it. 24 bytes each: this is all
    /// that grows with the input.
    states: HashMap<u64, (i64, u64)>,
    hasher: RandomState,
}

impl Latest {
    /// Starts for the targets of a map.
    #[must_use]
    pub fn new(map: &CompiledMap) -> Self {
        let names = |output: &Output| [output.member.to_ascii_lowercase(), output.clear.to_ascii_lowercase()];
        let targets = map.outputs().flat_map(names).collect();
        Self { targets, states: HashMap::new(), hasher: RandomState::new() }
    }

    /// Notes a record, in the order of the input. Takes some 40 bytes per key.
    pub fn note(&mut self, record: &MappedRecord) {
        let state = (stamp_number(record.changed_at), self.hash_of(record));
        let key = self.hasher.hash_one(&record.key);
        let newest = self.states.entry(key).or_insert(state);
        if state.0 >= newest.0 {
            *newest = state;
        }
    }

    /// Whether another record of the input with the same key and stamp comes later.
    fn supersedes(&self, record: &MappedRecord) -> bool {
        let newest = self.states.get(&self.hasher.hash_one(&record.key));
        newest.is_some_and(|newest| newest.0 == stamp_number(record.changed_at) && newest.1 != self.hash_of(record))
    }

    fn hash_of(&self, record: &MappedRecord) -> u64 {
        let fields = record.fields.iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
        let counted: Vec<String> = fields
            .filter(|(name, _)| self.targets.contains(name))
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        self.hasher.hash_one(counted)
    }
}

/// A stamp in the order of [`may_replace`]: none is before all.
fn stamp_number(stamp: Option<Timestamp>) -> i64 {
    stamp.map_or(i64::MIN, Timestamp::unix_millis)
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
    /// It is not there, and the map creates none.
    Absent,
}

/// Compares the layers of a key with the org's record, if there is one. Layers older than the org's are left out, and those
/// of the same stamp that a later record of the input supersedes. Only fields that differ are sent.
pub(super) fn decide(
    map: &CompiledMap,
    layers: &[MappedRecord],
    remote: Option<(RecordId, &Record)>,
    latest: Option<&Latest>,
) -> Decision {
    let mut fields = Record::with_capacity(map.outputs().len());
    let Some((id, remote)) = remote else {
        if !map.map().creates() {
            return Decision::Absent;
        }
        let layers: Vec<&MappedRecord> = layers.iter().collect();
        for (value, output) in overlay(map, &layers).into_iter().zip(map.outputs()) {
            if let Some(value) = value.filter(|value| !value.is_blank()) {
                fields.push(Arc::clone(&output.member), value.clone());
            }
        }
        return Decision::Create(fields);
    };
    let stamp = map.map().changed_at().and_then(|field| remote.get(field.as_str())).and_then(Value::to_timestamp);
    let counts = |layer: &&MappedRecord| {
        let superseded = layer.changed_at == stamp && latest.is_some_and(|latest| latest.supersedes(layer));
        may_replace(layer.changed_at, stamp) && !superseded
    };
    let layers: Vec<&MappedRecord> = layers.iter().filter(counts).collect();
    let wanted = overlay(map, &layers);
    let mut key = None;
    for (value, output) in wanted.into_iter().zip(map.outputs()) {
        let Some(value) = value else { continue };
        if output.parent.is_none() && *output.member == *map.key().as_str() {
            key = Some(value);
        } else if is_written(output, value, remote) {
            let name = if value.is_blank() { &output.clear } else { &output.member };
            fields.push(Arc::clone(name), value.clone());
        }
    }
    if fields.is_empty() {
        return Decision::Leave(id);
    }
    if let Some(key) = key {
        fields.set(map.key().as_str(), key.clone());
    }
    Decision::Update(id, fields)
}

/// Whether a field of a record that is there is written.
fn is_written(output: &Output, wanted: &Value, remote: &Record) -> bool {
    let stored = remote.get(&output.member).unwrap_or(&Value::Null);
    match output.write {
        Write::CreateOnly => false,
        Write::Always => true,
        // A parent that is there is no blank, even if it has none of the keys.
        Write::WhenBlank => stored.is_blank() && !wanted.is_blank(),
        Write::WhenDifferent => match (&output.parent, wanted, stored) {
            (Some(parent), Value::Record(wanted), Value::Record(stored)) => {
                let key = |record: &Record| record.get(&parent.field).cloned().unwrap_or(Value::Null);
                !key(wanted).same_stored(&key(stored))
            }
            _ => !output.is_same(wanted, stored),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::engagement::{Prefix, session_map};
    use crate::mapping::{FieldMap, Transforms};

    fn map() -> CompiledMap {
        let map = session_map(&Prefix::new("P_").expect("sound")).expect("sound");
        map.compile(&Transforms::new()).expect("sound")
    }

    fn mapped_by(map: &CompiledMap, text: &str) -> MappedRecord {
        map.apply(&serde_json::from_str(text).expect(text)).expect(text).into_record().expect("in the audience")
    }

    fn mapped(text: &str) -> MappedRecord {
        mapped_by(&map(), text)
    }

    fn written(window: &[&str], case: KeyCase) -> Vec<Option<String>> {
        let window = window.iter().map(|text| Some(mapped(text))).collect();
        let map = map();
        let place = map.outputs().position(|output| &*output.member == "P_Email__c").expect("mapped");
        let email = |layers: Layers| {
            let layers: Vec<&MappedRecord> = layers.iter().collect();
            overlay(&map, &layers)[place].and_then(Value::as_text).unwrap_or("-").to_owned()
        };
        fold(window, case).into_iter().map(|layers| layers.map(email)).collect()
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
        let decide = |text: &str| decide(&map(), &[mapped(text)], Some((id, &stored)), None);
        assert_eq!(decide(OLD), Decision::Leave(id));
        assert_eq!(decide(NEW), Decision::Leave(id), "equal in stored form");
        let changed = NEW.replace("new@", "other@");
        let Decision::Update(_, fields) = decide(&changed) else { panic!("it differs") };
        assert_eq!(fields, Record::new().with("P_Email__c", "other@x.org").with("P_Session_Key__c", "a"));
    }

    #[test]
    fn a_layer_older_than_the_orgs_record_leaves_no_trace() {
        let id = RecordId::new("a00000000000001").expect("valid");
        let stored =
            remote(r#"{"P_Started_At__c":"2026-01-02T00:00:00.000+0000","P_Email__c":"new@x.org","Name":"a"}"#);
        let layers = [mapped(OLD), mapped(NEWEST_WITHOUT_EMAIL)];
        let Decision::Update(_, fields) = decide(&map(), &layers, Some((id, &stored)), None) else {
            panic!("it is newer")
        };
        assert!(fields.get("P_Email__c").is_none() && fields.get("P_Started_At__c").is_some(), "{fields:?}");
    }

    #[test]
    fn of_two_states_with_one_stamp_only_the_last_of_the_input_replaces() {
        let id = RecordId::new("a00000000000001").expect("valid");
        let later = NEW.replace("new@", "later@");
        let mut latest = Latest::new(&map());
        for text in [OLD, NEW, &later, OLD] {
            latest.note(&mapped(text));
        }
        let stored =
            remote(r#"{"P_Started_At__c":"2026-01-02T00:00:00.000+0000","P_Email__c":"later@x.org","Name":"a"}"#);
        let decide = |text: &str| decide(&map(), &[mapped(text)], Some((id, &stored)), Some(&latest));
        assert_eq!(decide(NEW), Decision::Leave(id), "it would only be written over again");
        assert_eq!(decide(&later), Decision::Leave(id), "it is there");
    }

    #[test]
    fn a_new_record_is_created_without_blanks() {
        let text = r#"{"session_id":"a","email":"","demos":[],"steps_viewed":0}"#;
        let Decision::Create(fields) = decide(&map(), &[mapped(text)], None, None) else { panic!("it is not there") };
        assert_eq!(
            fields.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            ["P_Session_Key__c", "Name", "P_Steps_Viewed__c"]
        );
    }

    fn moded(settings: &str) -> CompiledMap {
        let text = format!(
            "version = 1\nobject = \"Thing__c\"\nkey = \"Key__c\"\n{settings}\n[[rules]]\nsource = \"key\"\ntarget = \"Key__c\"\n"
        );
        FieldMap::from_toml(&text).and_then(|map| map.compile(&Transforms::new())).expect("sound")
    }

    fn field(write: &str) -> CompiledMap {
        moded(&format!("[[rules]]\nsource = \"x\"\ntarget = \"X__c\"\nwrite = \"{write}\""))
    }

    #[test]
    fn each_write_mode_decides_about_a_record_that_is_there() {
        let id = RecordId::new("a00000000000001").expect("valid");
        for (write, wanted, stored, written) in [
            ("when_different", r#""new""#, r#""old""#, true),
            ("when_different", r#""same""#, r#""same""#, false),
            ("when_different", "null", r#""old""#, true),
            ("always", r#""same""#, r#""same""#, true),
            ("when_blank", r#""new""#, r#""old""#, false),
            ("when_blank", r#""new""#, "null", true),
            ("when_blank", "null", "null", false),
            ("create_only", r#""new""#, "null", false),
        ] {
            let map = field(write);
            let layers = [mapped_by(&map, &format!(r#"{{"key":"k","x":{wanted}}}"#))];
            let stored = remote(&format!(r#"{{"Key__c":"k","X__c":{stored}}}"#));
            let decision = decide(&map, &layers, Some((id, &stored)), None);
            assert_eq!(matches!(decision, Decision::Update(..)), written, "{write} {wanted}: {decision:?}");
        }
    }

    #[test]
    fn a_new_record_gets_its_fields_in_every_write_mode() {
        for write in ["when_different", "always", "when_blank", "create_only"] {
            let map = field(write);
            let layers = [mapped_by(&map, r#"{"key":"k","x":"new"}"#)];
            let Decision::Create(fields) = decide(&map, &layers, None, None) else { panic!("it is not there") };
            assert_eq!(fields.text("X__c"), Some("new"), "{write}");
        }
    }

    #[test]
    fn gpt_28_a_map_that_may_not_create_leaves_a_record_that_is_not_there() {
        let map = moded("create = false");
        assert_eq!(decide(&map, &[mapped_by(&map, r#"{"key":"k"}"#)], None, None), Decision::Absent);
    }

    #[test]
    fn a_parent_named_by_its_key_is_compared_by_it_and_cleared_by_its_id_field() {
        let id = RecordId::new("a00000000000001").expect("valid");
        let map = moded("[[rules]]\nsource = \"company\"\ntarget = \"Account.Ext__c\"");
        let decide = |company: &str, stored: &str| {
            let layers = [mapped_by(&map, &format!(r#"{{"key":"k","company":{company}}}"#))];
            decide(&map, &layers, Some((id, &remote(&format!(r#"{{"Key__c":"k","Account":{stored}}}"#)))), None)
        };
        let sent = |decision: Decision| match decision {
            Decision::Update(_, fields) => serde_json::to_string(&fields).expect("serialises"),
            decision => format!("{decision:?}"),
        };
        assert_eq!(decide(r#""a""#, r#"{"Ext__c":"a"}"#), Decision::Leave(id));
        assert_eq!(sent(decide(r#""b""#, r#"{"Ext__c":"a"}"#)), r#"{"Account":{"Ext__c":"b"},"Key__c":"k"}"#);
        assert_eq!(sent(decide(r#""b""#, "null")), r#"{"Account":{"Ext__c":"b"},"Key__c":"k"}"#);
        assert_eq!(sent(decide("null", r#"{"Ext__c":null}"#)), r#"{"AccountId":null,"Key__c":"k"}"#);
        assert_eq!(decide("null", "null"), Decision::Leave(id));
    }

    #[test]
    fn a_parent_cleared_later_is_not_sent_by_its_key_too() {
        let map = moded("[[rules]]\nsource = \"company\"\ntarget = \"Account.Ext__c\"");
        let layers =
            [r#"{"key":"k","company":"a"}"#, r#"{"key":"k","company":null}"#].map(|text| mapped_by(&map, text));
        let Decision::Create(fields) = decide(&map, &layers, None, None) else { panic!("it is not there") };
        assert_eq!(fields, Record::new().with("Key__c", "k"));
    }
}
