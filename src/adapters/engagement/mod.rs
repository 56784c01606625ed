//! Demo-engagement sessions: what a visitor did in an interactive demo, as one record of a custom object each.
//!
//! The object is `{prefix}Session__c`, its Name the session id, its unique external id `{prefix}Session_Key__c`. Each session
//! is linked to the visitor's contact or lead, their account and an opportunity; the last session, their number and the
//! minutes stand on these records too.

mod flow;
mod matching;
mod prefix;
mod rollup;
mod schema;
mod session;

pub use self::flow::{EngagementSync, EngagementSyncBuilder, LinkBindings, RelatedList, RunReport};
pub use self::matching::{Link, LinkNote, LinkTotals};
pub use self::prefix::Prefix;
pub use self::rollup::RollUpFailure;
pub use self::schema::{Access, RELATED_LIST_COLUMNS, desired_schema, requirements};
pub use self::session::{EngagementSession, linked_session_map, session_map};
