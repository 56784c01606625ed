//! The body of a collections call, written straight from the caller's records.

use std::fmt;

use foldhash::{HashSet, HashSetExt as _};
use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, Result};
use crate::types::{FieldName, RecordId, SObjectName};

/// Bytes that a record is expected to take.
const RECORD_BYTES: usize = 256;

/// Writes the records of one call, one after the other, each with its object's name before its fields.
pub(crate) struct BodyWriter {
    operation: &'static str,
    bytes: Vec<u8>,
    count: usize,
    /// Where the last record starts, its comma included.
    last: usize,
}

impl BodyWriter {
    pub(crate) fn new(operation: &'static str, all_or_none: bool, records: usize) -> Self {
        let mut bytes = Vec::with_capacity(64 + records * RECORD_BYTES);
        let start: &[u8] =
            if all_or_none { br#"{"allOrNone":true,"records":["# } else { br#"{"allOrNone":false,"records":["# };
        bytes.extend_from_slice(start);
        Self { operation, bytes, count: 0, last: 0 }
    }

    /// Adds a record, after `look` has seen its JSON.
    pub(crate) fn push<T: Serialize + ?Sized>(
        &mut self,
        object: &SObjectName,
        id: Option<RecordId>,
        record: &T,
        look: impl FnOnce(&[u8]) -> Result<()>,
    ) -> Result<()> {
        self.last = self.bytes.len();
        self.begin(object, id);
        let start = self.bytes.len();
        serde_json::to_writer(&mut self.bytes, record)
            .map_err(|error| self.refused("the record does not serialise to JSON").with_source(error))?;
        let json = &self.bytes[start..];
        if json.first() != Some(&b'{') {
            return Err(self.refused("a record has to serialise to a JSON object"));
        }
        look(json)?;
        // The members go on after the object's name.
        if json[1..].trim_ascii_start() == b"}" {
            self.bytes.truncate(start);
            self.bytes.push(b'}');
        } else {
            self.bytes[start] = b',';
        }
        Ok(())
    }

    /// Adds a record that is JSON already: an object.
    pub(crate) fn push_json(&mut self, object: &SObjectName, id: Option<RecordId>, json: &str) {
        self.begin(object, id);
        // The members go on after the object's name.
        match json.strip_prefix('{').unwrap_or_default() {
            "}" => self.bytes.push(b'}'),
            members => {
                self.bytes.push(b',');
                self.bytes.extend_from_slice(members.as_bytes());
            }
        }
    }

    fn begin(&mut self, object: &SObjectName, id: Option<RecordId>) {
        if self.count > 0 {
            self.bytes.push(b',');
        }
        self.count += 1;
        self.bytes.extend_from_slice(br#"{"attributes":{"type":""#);
        self.bytes.extend_from_slice(object.as_str().as_bytes());
        self.bytes.extend_from_slice(br#""}"#);
        if let Some(id) = id {
            self.bytes.extend_from_slice(br#","id":""#);
            self.bytes.extend_from_slice(id.as_str().as_bytes());
            self.bytes.push(b'"');
        }
    }

    /// Takes the last record out again; once for each record.
    pub(crate) fn take_back(&mut self) {
        self.bytes.truncate(self.last);
        self.count = self.count.saturating_sub(1);
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    fn refused(&self, message: &'static str) -> Error {
        Error::new(ErrorKind::Invalid, self.operation, message).with_context("record", self.count)
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(b"]}");
        self.bytes
    }
}

/// The external ids of one call: there, and each once.
pub(crate) struct Keys<'a> {
    field: &'a FieldName,
    seen: HashSet<String>,
}

impl<'a> Keys<'a> {
    pub(crate) fn new(field: &'a FieldName, records: usize) -> Self {
        Self { field, seen: HashSet::with_capacity(records) }
    }

    /// Looks at the key in a record's JSON.
    pub(crate) fn check(&mut self, json: &[u8]) -> Result<()> {
        let key = key_of(json, self.field.as_str()).filter(|key| !key.trim().is_empty());
        let wrong = |message| Error::new(ErrorKind::Invalid, "", message).with_context("field", self.field);
        let Some(key) = key else { return Err(wrong("a record has no external id")) };
        if self.seen.insert(key) { Ok(()) } else { Err(wrong("an external id occurs twice")) }
    }
}

/// The value of a member as text: a text, or a number as it is written.
pub(crate) fn key_of(json: &[u8], field: &str) -> Option<String> {
    struct Find<'a>(&'a str);

    impl<'de> Visitor<'de> for Find<'_> {
        type Value = Option<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a record")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<String>, A::Error> {
            let mut found = None;
            while let Some(here) = map.next_key_seed(Is(self.0))? {
                if here {
                    found = as_key(map.next_value::<&RawValue>()?.get());
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }

    if let Some(key) = first_member(json, field) {
        return Some(key.to_owned());
    }
    serde_json::Deserializer::from_slice(json).deserialize_map(Find(field)).ok().flatten()
}

/// The text of a member that stands first and has nothing to unescape, which most keys do.
fn first_member<'a>(json: &'a [u8], field: &str) -> Option<&'a str> {
    let rest = json.strip_prefix(b"{\"")?.strip_prefix(field.as_bytes())?.strip_prefix(b"\":\"")?;
    let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    if rest[end] == b'"' { std::str::from_utf8(&rest[..end]).ok() } else { None }
}

fn as_key(raw: &str) -> Option<String> {
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw).ok(),
        Some(b'-' | b'0'..=b'9') => Some(raw.to_owned()),
        _ => None,
    }
}

/// Compares a member's name without keeping it.
struct Is<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Record;

    fn object() -> SObjectName {
        SObjectName::from_static("Contact")
    }

    #[test]
    fn records_stand_behind_their_objects_name() {
        #[derive(Serialize)]
        struct Row {
            #[serde(rename = "LastName")]
            name: &'static str,
            #[serde(flatten)]
            more: Record,
        }
        let mut body = BodyWriter::new("test", false, 3);
        let id = RecordId::new("003000000000001AAA").expect("an id");
        let row = Row { name: "A \"b\"", more: Record::new().with("Amount__c", crate::types::Value::Null) };
        let mut seen = Vec::new();
        let look = |json: &[u8]| {
            seen = json.to_vec();
            Ok(())
        };
        body.push(&object(), None, &row, look).expect("writes");
        assert_eq!(seen, br#"{"LastName":"A \"b\"","Amount__c":null}"#);
        body.push(&object(), Some(id), &Record::new(), |_| Ok(())).expect("writes");
        body.push(&object(), Some(id), &Record::new().with("X", "y"), |_| Ok(())).expect("writes");
        let json: serde_json::Value = serde_json::from_slice(&body.finish()).expect("JSON");
        let contact = serde_json::json!({"type": "Contact"});
        assert_eq!(
            json,
            serde_json::json!({"allOrNone": false, "records": [
                {"attributes": contact, "LastName": "A \"b\"", "Amount__c": null},
                {"attributes": contact, "id": "003000000000001AAA"},
                {"attributes": contact, "id": "003000000000001AAA", "X": "y"},
            ]})
        );
    }

    #[test]
    fn a_record_taken_back_leaves_no_trace() {
        let mut body = BodyWriter::new("test", false, 2);
        for (name, keep) in [("a", false), ("b", true), ("c", false), ("d", true)] {
            body.push(&object(), None, &Record::new().with("X", name), |_| Ok(())).expect("writes");
            if !keep {
                body.take_back();
            }
        }
        let raw = serde_json::value::RawValue::from_string("{ }".into()).expect("JSON");
        body.push(&object(), None, &raw, |_| Ok(())).expect("writes");
        let json: serde_json::Value = serde_json::from_slice(&body.finish()).expect("JSON");
        let contact = serde_json::json!({"type": "Contact"});
        assert_eq!(
            json["records"],
            serde_json::json!([{"attributes": contact, "X": "b"}, {"attributes": contact, "X": "d"}, {"attributes": contact}])
        );
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let mut body = BodyWriter::new("test", true, 1);
        for record in ["[1]", "1", "null", "\"x\""] {
            let record: serde_json::Value = serde_json::from_str(record).expect("JSON");
            let refused = body.push(&object(), None, &record, |_| Ok(()));
            assert_eq!(refused.expect_err("no object").kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn keys_are_read_where_they_stand() {
        let field = FieldName::from_static("Key__c");
        let mut keys = Keys::new(&field, 9);
        for members in [
            r#"{"Key__c":"first"}"#,
            r#"{"A":{"Key__c":"x"},"Key__c":"k\"1"}"#,
            r#"{"Key__c":7}"#,
            r#"{"Key__c":"7.0","B":[1,{}]}"#,
        ] {
            keys.check(members.as_bytes()).expect(members);
        }
        for (members, message) in [
            (r#"{"Key__c":"first","A":1}"#, "an external id occurs twice"),
            (r#"{"A":1,"Key__c":"first"}"#, "an external id occurs twice"),
            (r#"{"Key__c":"k\"1"}"#, "an external id occurs twice"),
            (r#"{"Key__c":"7"}"#, "an external id occurs twice"),
            (r#"{"Key__c":" "}"#, "a record has no external id"),
            (r#"{"Key__c":null}"#, "a record has no external id"),
            (r#"{"Key__c":true}"#, "a record has no external id"),
            ("{}", "a record has no external id"),
        ] {
            assert_eq!(keys.check(members.as_bytes()).expect_err(members).message(), message);
        }
    }
}
