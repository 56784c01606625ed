//! One file per Salesforce API, thin: build an [`ApiRequest`](crate::client::ApiRequest), send it, read the answer.

mod collections;
mod composite;
mod describe;
mod identity;
pub mod metadata;
mod query;
mod sobjects;
mod versions;

pub use self::collections::{AllOrNone, Collections, MAX_RECORDS, MixedCollections, SaveResult};
pub use self::composite::{
    Composite, CompositeBatch, CompositeGraph, CompositeResponse, CompositeTree, Graph, GraphResult,
    MAX_COLLECTIONS_AND_QUERIES, MAX_PACKED_RECORDS, MAX_SUBREQUESTS, Reference, Subrequest, Subresult, Target,
    TreeNode, TreeResult,
};
pub use self::identity::UserInfo;
pub use self::query::{Page, QueryCursor, QueryPages, QueryStream};
pub use self::sobjects::{SObjectApi, Upserted};
pub use self::versions::VersionInfo;
