//! One file per Salesforce API, thin: build an [`ApiRequest`](crate::client::ApiRequest), send it, read the answer.

pub mod bulk;
mod collections;
mod describe;
mod identity;
pub mod metadata;
mod query;
mod sobjects;
mod versions;

pub use self::collections::{AllOrNone, Collections, MAX_RECORDS, SaveResult};
pub(crate) use self::collections::{JsonWrite, key_of};
pub use self::identity::UserInfo;
pub use self::query::{Page, QueryCursor, QueryPages, QueryStream};
pub use self::sobjects::{SObjectApi, Upserted};
pub use self::versions::VersionInfo;
