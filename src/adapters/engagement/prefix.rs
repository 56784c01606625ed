//! What the names in an org begin with.

use crate::error::{Error, ErrorKind, Result};
use crate::types::{FieldName, SObjectName};

/// What the API names of a product's objects and fields start with; `Navattic_` by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

impl Default for Prefix {
    fn default() -> Self {
        Self("Navattic_".into())
    }
}

/// Characters of an API name before `__c`; general knowledge, not verified.
const MAX_API_NAME: usize = 40;
const LONGEST_NAME: &str = "Somewhat_Interested_Areas";

impl Prefix {
    /// Takes a prefix, such as `Acme_`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for what cannot begin an API name, has two underscores in a row, or leaves no room for the
    /// longest field name.
    pub fn new(prefix: impl Into<String>) -> Result<Self> {
        let prefix = prefix.into();
        let sound = FieldName::new(&*prefix).is_ok() && !prefix.contains("__");
        if !sound || prefix.len() + LONGEST_NAME.len() > MAX_API_NAME {
            return Err(Error::new(ErrorKind::Config, "engagement", "not a prefix for API names")
                .with_advice("give at most 15 letters, digits and single underscores after a letter, such as Acme_"));
        }
        Ok(Self(prefix))
    }

    /// The prefix itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The session object, `{prefix}Session__c`.
    #[must_use]
    pub fn session_object(&self) -> SObjectName {
        self.name("Session", SObjectName::new)
    }

    /// A field of ours, `{prefix}{name}__c`.
    pub(super) fn field(&self, name: &str) -> FieldName {
        self.name(name, FieldName::new)
    }

    #[expect(clippy::expect_used, reason = "`new` checked the prefix, and names of this file are identifiers")]
    fn name<T>(&self, name: &str, make: fn(String) -> Result<T>) -> T {
        make(format!("{}{name}__c", self.0)).expect("an identifier")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_that_make_no_api_name_are_refused() {
        assert_eq!(Prefix::new("Acme_").expect("sound").session_object().as_str(), "Acme_Session__c");
        for prefix in ["", "1_", "a b_", "ns__", "Much_Too_Long_Prefix_"] {
            assert_eq!(Prefix::new(prefix).expect_err(prefix).kind(), ErrorKind::Config);
        }
    }
}
