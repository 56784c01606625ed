//! The vocabulary: ids, names, values, records, SOQL text. No I/O.

mod compound;
mod decimal;
mod describe;
mod digits;
mod direction;
pub(crate) mod document;
mod external_id;
mod filter;
mod id;
mod name;
mod parent;
mod picklist;
pub(crate) mod plain;
mod record;
mod secret;
pub mod soql;
mod sosl;
mod timestamp;
pub(crate) mod typed;
mod value;
pub mod wire;
pub(crate) mod xml;

pub use compound::{Address, Location};
pub use decimal::{Decimal, Rounding};
pub use describe::{
    ActionOverride, ChildRelationship, DependentValues, DescribeGlobal, FieldDescribe, FieldType, FilteredLookupInfo,
    NamedLayoutInfo, OtherKeys, PicklistValue, RecordTypeInfo, RecordTypeMapping, RecordTypeMappings,
    RecordTypePicklist, SObjectDescribe, SObjectSummary, ScopeInfo, Urls,
};
pub use direction::Direction;
pub use external_id::ExternalId;
pub use filter::{Filter, Test};
pub use id::RecordId;
pub use name::{FieldName, SObjectName};
pub use parent::Parent;
pub use picklist::{MultiSelect, deserialize_text};
pub(crate) use record::FieldIndex;
pub use record::{Field, Record, SObject};
pub use secret::Secret;
pub(crate) use soql::encode;
pub use soql::{DateLiteral, DateUnit, LikePattern, Literal, Soql, SoqlBudget, split_alternatives, split_in_list};
pub use sosl::{Search, SearchGroup, SearchTerm, Sosl};
pub use timestamp::{Date, Timestamp};
pub use value::{ChildRecords, Value};
