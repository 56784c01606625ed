//! The mock org: a stateful Salesforce on a loopback socket.
//!
//! Written from Salesforce's documents and recorded answers, never from what our own client sends. It imports nothing
//! of this crate outside `testing::org`, so client and mock cannot share a mistake.

pub(crate) mod json;
pub(crate) mod schema;
pub(crate) mod soql;
pub(crate) mod value;
