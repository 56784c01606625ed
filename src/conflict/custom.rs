//! A policy of the caller's own.

use std::fmt;
use std::sync::Arc;

use crate::types::{Timestamp, Value};

/// A field that both sides changed to different values, or that has no base and differs.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FieldConflict<'a> {
    /// The field.
    pub field: &'a str,
    /// The last value both sides agreed on, where one is known.
    pub base: Option<&'a Value>,
    /// The product's value.
    pub source: &'a Value,
    /// The org's value.
    pub remote: &'a Value,
    /// When the product's value changed, as far as it is known.
    pub source_changed_at: Option<Timestamp>,
    /// When the org's value changed, as far as it is known.
    pub remote_changed_at: Option<Timestamp>,
}

/// What a function of the caller's decides.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CustomVerdict {
    /// The org's value goes to the product.
    Salesforce,
    /// The product's value goes to the org.
    Source,
    /// This value goes to both.
    Value(Value),
    /// Nothing is written.
    Neither,
    /// A person decides.
    Ask,
}

/// The function, shared by all clones of a policy.
#[derive(Clone)]
pub(super) struct Custom(pub(super) Arc<dyn Fn(&FieldConflict<'_>) -> CustomVerdict + Send + Sync>);

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Custom")
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
