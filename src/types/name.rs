//! API names of objects and fields.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{Error, ErrorKind, Result};

/// Letters, digits and underscores after a letter: what may stand in a path or a query without escaping.
pub(super) const fn is_identifier(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes.len() > 255 || !bytes[0].is_ascii_alphabetic() {
        return false;
    }
    let mut index = 1;
    while index < bytes.len() {
        if !bytes[index].is_ascii_alphanumeric() && bytes[index] != b'_' {
            return false;
        }
        index += 1;
    }
    true
}

macro_rules! name_type {
    ($name:ident, $what:literal, $example:literal) => {
        #[doc = concat!("The API name of ", $what, ", such as `", $example, "`.")]
        ///
        /// Letters, digits and underscores after a letter, so it needs no escaping in a path or a query. Compared exactly,
        /// although Salesforce ignores case: answers spell names as the org does.
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// Reads a name.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Invalid`] for anything but letters, digits and underscores after a letter.
            pub fn new(name: impl Into<String>) -> Result<Self> {
                let name = name.into();
                if is_identifier(&name) {
                    Ok(Self(Cow::Owned(name)))
                } else {
                    Err(Error::new(ErrorKind::Invalid, "", concat!("not the API name of ", $what))
                        .with_advice("API names are letters, digits and underscores, such as Amount or Score__c"))
                }
            }

            /// A name known at compile time.
            ///
            /// # Panics
            ///
            /// If it is not a name: at compile time when the value is a constant.
            #[must_use]
            pub const fn from_static(name: &'static str) -> Self {
                assert!(is_identifier(name), "not an API name");
                Self(Cow::Borrowed(name))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(name: &str) -> Result<Self> {
                Self::new(name)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                Self::new(name).map_err(|error| de::Error::custom(error.message().to_owned()))
            }
        }
    };
}

name_type!(SObjectName, "an sObject", "Account");
name_type!(FieldName, "a field", "Amount");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_nothing_that_needs_escaping() {
        for name in ["Account", "Navattic_Session__c", "ns__Obj__c", "A"] {
            assert_eq!(SObjectName::new(name).expect(name).as_str(), name);
        }
        for name in ["", "1st", "_x", "Account/describe", "Name FROM User--", "Owner.Name", "Größe", "a b"] {
            assert_eq!(FieldName::new(name).expect_err(name).kind(), ErrorKind::Invalid);
        }
    }
}
