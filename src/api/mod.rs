//! One file per Salesforce API, thin: build an [`ApiRequest`](crate::client::ApiRequest), send it, read the answer.

pub mod bulk;
mod collections;
mod composite;
mod conditional;
mod describe;
pub mod estimate;
mod files;
mod http_date;
mod identity;
mod limits;
pub mod metadata;
mod multipart;
mod query;
mod replication;
mod search;
mod sobjects;
mod tooling;
mod usage;
mod versions;
mod wait;

pub use self::collections::{AllOrNone, Collections, MAX_RECORDS, MixedCollections, SaveResult};
pub(crate) use self::collections::{JsonWrite, key_of};
pub use self::composite::{
    Composite, CompositeBatch, CompositeGraph, CompositeResponse, CompositeTree, Graph, GraphResult,
    MAX_COLLECTIONS_AND_QUERIES, MAX_PACKED_RECORDS, MAX_SUBREQUESTS, Reference, Subrequest, Subresult, Target,
    TreeNode, TreeResult,
};
pub use self::conditional::{ETag, Snapshot};
pub use self::describe::BasicInfo;
pub use self::files::{FileUpload, FileVersion, Files, LinkedFile, MAX_FILE_BYTES, ShareType};
pub use self::identity::UserInfo;
pub use self::limits::LimitValue;
pub use self::query::{Children, Page, QueryCursor, QueryPages, QuerySplit, QueryStream};
pub use self::replication::{DeletedRecord, DeletedRecords, DeletedWindows, UpdatedRecords, UpdatedWindows};
pub use self::search::{Found, ParameterizedSearch, SearchScope};
pub use self::sobjects::{SObjectApi, Upserted};
pub use self::tooling::Tooling;
pub use self::usage::UsageSnapshot;
pub use self::versions::VersionInfo;
