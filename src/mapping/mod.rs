//! From our data to Salesforce fields: a map is a value, applying it is pure.

mod field_map;
mod transform;

pub use self::field_map::{FieldMap, FieldRule, MappedRecord, MappingIssue};
pub use self::transform::Transform;
