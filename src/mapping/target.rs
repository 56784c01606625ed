//! Where a rule writes: a field, or a parent record found by a key of its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{Error, ErrorKind, Result};
use crate::types::{FieldName, SObjectName};

/// What a rule writes, in the form of a Bulk CSV header: `Email`, `Account.Key__c`, `User:Owner.Key__c`.
///
/// A reference by external id is sent as a nested record, `{"Account":{"Key__c":"k"}}`. Where the relationship can point to
/// several objects (Owner, Who, What), Salesforce asks for the object's name, which stands before the colon; elsewhere it
/// refuses one. A blank value clears the lookup through its id field, `AccountId` or `Parent__c`.
///
/// Sources: REST API Developer Guide, "Upsert Records Using sObject Collections" and "Relate Records by External ID"; Bulk API
/// 2.0 Guide, "Relationship Fields in a Header Row".
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// A field of the record.
    Field(FieldName),
    /// The record that a lookup points to, found by a field of its own that is an external id or `idLookup`.
    Reference {
        /// The parent's object; needed where the relationship is polymorphic, and only there.
        object: Option<SObjectName>,
        /// The relationship's name, such as `Account` or `Parent__r`.
        relationship: FieldName,
        /// The field of the parent that holds the value.
        field: FieldName,
    },
}

impl Target {
    /// Reads `Field`, `Relationship.Field` or `Object:Relationship.Field`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = || {
            Error::new(ErrorKind::Invalid, "", "not a target")
                .with_advice("a target is a field (Email), a key of a parent (Account.Key__c), or with its object (User:Owner.Key__c)")
        };
        let (object, path) = match text.split_once(':') {
            Some((object, path)) => (Some(SObjectName::new(object).map_err(|_| invalid())?), path),
            None => (None, text),
        };
        let name = |text: &str| FieldName::new(text).map_err(|_| invalid());
        match path.split_once('.') {
            Some((relationship, field)) => {
                Ok(Self::Reference { object, relationship: name(relationship)?, field: name(field)? })
            }
            None if object.is_none() => Ok(Self::Field(name(path)?)),
            None => Err(invalid()),
        }
    }

    /// The field, if the target is one of the record itself.
    #[must_use]
    pub fn as_field(&self) -> Option<&FieldName> {
        if let Self::Field(field) = self { Some(field) } else { None }
    }

    /// The name under which the value is sent: the field, or the relationship.
    #[must_use]
    pub fn member(&self) -> &FieldName {
        match self {
            Self::Field(field) => field,
            Self::Reference { relationship, .. } => relationship,
        }
    }

    /// The field whose value changes: the field itself, or the lookup's id field, `AccountId` for `Account` and `Parent__c` for
    /// `Parent__r`.
    #[must_use]
    pub fn written_field(&self) -> String {
        match self {
            Self::Field(field) => field.to_string(),
            Self::Reference { relationship, .. } => {
                let name = relationship.as_str();
                let custom = name.len().checked_sub(3).filter(|at| name.is_char_boundary(*at));
                match custom.map(|at| name.split_at(at)) {
                    Some((stem, suffix)) if suffix.eq_ignore_ascii_case("__r") => format!("{stem}__c"),
                    _ => format!("{name}Id"),
                }
            }
        }
    }

    /// The path of the value in a record of the org: `Email`, `Account.Key__c`.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Field(field) => field.to_string(),
            Self::Reference { relationship, field, .. } => format!("{relationship}.{field}"),
        }
    }
}

impl From<FieldName> for Target {
    fn from(field: FieldName) -> Self {
        Self::Field(field)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => write!(f, "{field}"),
            Self::Reference { object: Some(object), relationship, field } => {
                write!(f, "{object}:{relationship}.{field}")
            }
            Self::Reference { object: None, relationship, field } => write!(f, "{relationship}.{field}"),
        }
    }
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|error| {
            de::Error::custom(format!("{:?} is {}: {}", text, error.message(), error.advice().unwrap_or_default()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_survive_text_and_say_which_field_they_write() {
        for (text, member, written, path) in [
            ("Email", "Email", "Email", "Email"),
            ("Account.Key__c", "Account", "AccountId", "Account.Key__c"),
            ("Parent__r.Key__c", "Parent__r", "Parent__c", "Parent__r.Key__c"),
            ("User:Owner.Key__c", "Owner", "OwnerId", "Owner.Key__c"),
        ] {
            let target = Target::parse(text).expect(text);
            assert_eq!(target.to_string(), text);
            assert_eq!((target.member().as_str(), &*target.written_field(), &*target.path()), (member, written, path));
            let json = serde_json::to_string(&target).expect("serialises");
            assert_eq!(serde_json::from_str::<Target>(&json).expect("reads"), target);
        }
    }

    #[test]
    fn what_is_no_target_is_refused() {
        for text in ["", "A.B.C", "User:Owner", ":Owner.X", "Account.", ".X", "a b", "User:Owner:X.Y", "Größe"] {
            assert_eq!(Target::parse(text).expect_err(text).kind(), ErrorKind::Invalid);
        }
    }
}
