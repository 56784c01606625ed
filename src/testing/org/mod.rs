//! The mock org: a stateful Salesforce on a loopback socket.
//!
//! Written from Salesforce's documents and recorded answers, never from what our own client sends. It imports nothing
//! of this crate outside `testing::org`, so client and mock cannot share a mistake.
//!
//! ```
//! use sforce::testing::org::{MockOrg, Operation};
//!
//! let org = MockOrg::builder().engagement_session("Navattic_").start();
//! org.insert("Account", serde_json::json!({ "Name": "Acme" }));
//! org.faults().on(Operation::CollectionsUpsert).apply_then_time_out().once();
//! assert_eq!(org.count("Account"), 1);
//! ```
//!
//! A request goes `server` (the socket, and faults on the wire) → `state` (fault script, gates, counting) → `router` →
//! `oauth` (logins, apps and tokens), or `rest` (one file per resource) or `metadata` (SOAP, and deployments by REST as well) → `data` (the rules of a write) →
//! `store` (rows and indexes). `soql` and `sosl` read; `knobs` holds what a test sets.

mod apex;
mod behaviour;
mod clock;
mod compress;
mod currencies;
mod data;
mod drift;
mod duplicates;
mod edition;
mod error;
mod faults;
mod files;
mod grants;
mod ids;
mod input;
pub(crate) mod json;
mod knobs;
mod licenses;
mod locks;
mod metadata;
mod mock;
mod oauth;
mod operation;
mod parse;
mod people;
mod permissions;
mod record_types;
mod rest;
mod router;
pub(crate) mod schema;
mod seed;
mod server;
mod setup_rules;
mod soap;
pub(crate) mod soql;
pub(crate) mod sosl;
mod spec;
mod standard;
mod state;
mod store;
mod tooling;
mod usage;
mod users;
pub(crate) mod value;
mod wire;
mod xml;

pub use apex::ApexRequest;
pub use duplicates::DuplicateAction;
pub use edition::{Edition, SetupLimits};
pub use faults::{FaultOn, FaultWhen, Faults};
pub use grants::Permission;
pub use metadata::DeploySettings;
pub use mock::{MockOrg, MockOrgBuilder};
pub use oauth::{AppSpec, Approval, LoginRestriction, TestApp};
pub use operation::Operation;
pub use people::ConvertedLead;
pub use record_types::RecordTypeSpec;
pub use rest::bulk::{BulkSettings, EmptyResult};
pub use rest::composite::CollectionsInComposite;
pub use spec::{FieldSpec, ObjectSpec};
pub use usage::LoggedRequest;
pub use users::{TestUser, UserSpec};

#[cfg(test)]
mod tests;
