//! API versions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{Error, ErrorKind, Result};

/// A Salesforce API version, such as `63.0`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiVersion(u16);

impl ApiVersion {
    /// The version that calls use unless told otherwise: 63.0 (Spring '25).
    pub const DEFAULT: Self = Self(63);

    /// The oldest version that still answers: 31.0.
    pub const OLDEST: Self = Self(31);

    /// The version with that number before the point.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] below 31, which Salesforce has retired.
    pub fn new(major: u16) -> Result<Self> {
        if major < Self::OLDEST.0 {
            return Err(Error::new(ErrorKind::Config, "client", "Salesforce has retired this API version")
                .with_context("version", format_args!("{major}.0"))
                .with_advice("use 31.0 or later"));
        }
        Ok(Self(major))
    }

    /// The number before the point.
    #[must_use]
    pub fn major(self) -> u16 {
        self.0
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.0", self.0)
    }
}

impl fmt::Debug for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ApiVersion {
    type Err = Error;

    /// Reads `63.0`, `v63.0` or `63`.
    fn from_str(text: &str) -> Result<Self> {
        let digits = text.strip_prefix('v').unwrap_or(text);
        let digits = digits.strip_suffix(".0").unwrap_or(digits);
        let major = digits.parse().map_err(|_| {
            Error::new(ErrorKind::Config, "client", "not an API version").with_advice("write it like 63.0")
        })?;
        Self::new(major)
    }
}

impl Serialize for ApiVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ApiVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(|error: Error| de::Error::custom(error.message().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_and_show_as_salesforce_writes_them() {
        for text in ["63.0", "v63.0", "63"] {
            assert_eq!(text.parse::<ApiVersion>().expect(text).to_string(), "63.0");
        }
        for text in ["", "63.1", "sixty", "30.0", "v"] {
            assert_eq!(text.parse::<ApiVersion>().expect_err(text).kind(), ErrorKind::Config);
        }
    }
}
