//! The vocabulary: ids, names, values, records, SOQL text. No I/O.

mod decimal;
mod describe;
mod external_id;
mod id;
mod name;
mod record;
mod secret;
mod soql;
mod timestamp;
mod value;
pub(crate) mod xml;

pub use decimal::Decimal;
pub use describe::{
    ChildRelationship, DescribeGlobal, FieldDescribe, FieldType, PicklistValue, RecordTypeInfo, SObjectDescribe,
    SObjectSummary,
};
pub use external_id::ExternalId;
pub use id::RecordId;
pub use name::{FieldName, SObjectName};
pub use record::{Field, Record, SObject};
pub use secret::Secret;
pub use soql::{Literal, Soql, like_literal};
pub use timestamp::{Date, Timestamp};
pub use value::{ChildRecords, Value};
