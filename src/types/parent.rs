//! The parent of a typed record.

use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::record::Nested;
use super::{ExternalId, Record, RecordId, SObjectName};

/// A parent inside a typed record: what a query reads by a path such as `Account.Name`, and in a write a parent that is
/// named by an external id instead of its `AccountId`.
///
/// It says its object where the answer did, also when it is written: what a parent of several possible objects needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parent(Record);

impl Parent {
    /// The parent with this external id, for a write.
    #[must_use]
    pub fn by(object: &SObjectName, key: &ExternalId) -> Self {
        Self(Record::of(object).with(key.field.as_str(), key.value.as_str()))
    }

    /// Its id, if the query asked for it.
    #[must_use]
    pub fn id(&self) -> Option<RecordId> {
        self.0.get("Id")?.to_id()
    }

    /// Its name, if the query asked for it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.text("Name")
    }

    /// All of it.
    #[must_use]
    pub fn into_record(self) -> Record {
        self.0
    }
}

impl From<Record> for Parent {
    fn from(record: Record) -> Self {
        Self(record)
    }
}

impl Deref for Parent {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.0
    }
}

impl Serialize for Parent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Nested(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Parent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Record::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::FieldName;

    #[test]
    fn a_parent_keeps_its_object_on_the_way_in_and_out() {
        let text = r#"{"attributes":{"type":"User"},"Id":"005dM00000aYf0qQAC","Name":"Ada"}"#;
        let owner: Parent = serde_json::from_str(text).expect("decodes");
        assert_eq!((owner.object_name(), owner.name()), (Some("User"), Some("Ada")));
        assert_eq!(owner.id().map(|id| id.to_string()).as_deref(), Some("005dM00000aYf0qQAC"));
        assert_eq!(serde_json::to_string(&owner).expect("serialises"), text);
        let key = ExternalId::new(FieldName::from_static("Key__c"), "k");
        let parent = Parent::by(&SObjectName::from_static("Account"), &key);
        let text = serde_json::to_string(&parent).expect("serialises");
        assert_eq!(text, r#"{"attributes":{"type":"Account"},"Key__c":"k"}"#);
    }
}
