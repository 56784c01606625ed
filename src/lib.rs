//! Salesforce integrations as a typed library: log an org in and stay logged in, read and write records without losing or
//! doubling one, map your data onto Salesforce fields, and be able to say why something was not written.
//!
//! # A first program
//!
//! ```no_run
//! use sforce::Client;
//! use sforce::auth::{ClientCredentials, LoginHost};
//! use sforce::types::{ExternalId, FieldName, Record, SObjectName};
//!
//! # #[cfg(feature = "reqwest")]
//! #[tokio::main]
//! async fn main() -> sforce::Result<()> {
//!     let login = LoginHost::my_domain("acme.my.salesforce.com")?;
//!     let client = Client::builder(ClientCredentials::new(login, "client id", "client secret")?).build()?;
//!
//!     let contacts = client.records(SObjectName::from_static("Contact"));
//!     let key = ExternalId::new(FieldName::from_static("Email"), "ada@example.com");
//!     let saved = contacts.upsert(&key, &Record::new().with("LastName", "Lovelace")).await?;
//!     println!("{}", if saved.created { "created" } else { "updated" });
//!     Ok(())
//! }
//! # #[cfg(not(feature = "reqwest"))]
//! # fn main() {}
//! ```
//!
//! # Layers
//!
//! From the top down; each imports only what is below it.
//!
//! - [`adapters`]: the products' own terms, such as engagement sessions.
//! - [`sync`]: [`sync::Push`] brings source records into an object: fold, compare, write.
//! - [`connections`]: the orgs that customers have connected, for any number of tenants.
//! - [`schema`]: what we need in an org, what is missing, and how it gets there.
//! - [`mapping`]: [`mapping::FieldMap`] says which value goes to which field, [`mapping::CompiledMap`] does it. Pure.
//! - [`conflict`]: [`conflict::resolve`] says who wins when both sides changed, and why. Pure.
//! - [`matching`]: [`matching::MatchPlan`] says which record of the org is meant. Pure; [`sync::Matcher`] carries it out.
//! - [`codegen`]: Rust types of an org's objects, from their describes. Pure.
//! - [`api`]: one file per Salesforce API.
//! - [`client`]: [`Client`], the one place that repeats requests, limits.
//! - [`auth`]: token providers, and [`auth::ConnectFlow`] for "Connect Salesforce".
//! - [`audit`]: who did what and when. Bring your own by [`audit::AuditSink`].
//! - [`http`]: one request, once. Bring your own by [`http::HttpService`].
//! - [`store`]: what outlives the process, in memory, a file or PostgreSQL. Bring your own by [`store::Store`].
//! - [`types`]: ids, names, values, records. [`types::soql`]: statements from names and bound values. [`clock`]: time.
//!
//! # Which call when
//!
//! | Records | Call | API calls |
//! | --- | --- | --- |
//! | one | [`Client::sobject`], [`Client::records`] | 1 |
//! | up to 200 | [`Client::collections`] | 1 |
//! | up to 1,000 | [`api::Collections::upsert_packed`] | 1 |
//! | any number, to write, as a stream | [`Client::upsert_many`] and its siblings | 1 per 200 or 1,000, some ten per 100,000 |
//! | by the million, to write, the job in your hands | [`Client::bulk_ingest`] | 3 a job of up to 100 MB, 1 a look at it, 1 a result file |
//! | up to 25 requests that refer to one another | [`Client::composite`] | 1 |
//! | a stream, kept in step by external id | [`sync::Push`] | 1 per 13 KB of keys, 1 per 200 that differ |
//! | many, to find in the org | [`sync::Matcher`] | 1 per 13 KB of keys and step |
//! | many, to read | [`Client::query`], [`Client::query_split`] | 1 per 2,000 rows or fewer, of each statement |
//! | over 2,000, to read, by the million | [`Client::bulk_query`] | 1 a job, 1 a look at it, 6 per 5 pages |
//! | what changed or was deleted since | [`api::SObjectApi::updated`], [`deleted`](api::SObjectApi::deleted) | 1 per 600,000 ids |
//! | by their words | [`Client::search`] | 1, for 2,000 records at most |
//! | files | [`Client::files`] | 1 a file |
//! | none; objects, fields and rights that an org is to have | [`schema::Setup`] | 2 to plan, 2 to apply and 1 a look at the deploy, 1 to verify |
//! | none; what a user may do | [`schema::preflight`](fn@schema::preflight) | 1 for up to 20 objects |
//!
//! [`api::estimate`] prices a run before it starts, and [`Client::plan_read`] chooses between a query and a Bulk query. Calls of handles may be
//! capped ([`client::ApiBudget`]), paced ([`Client::paced`]) and kept to hours of the day ([`Client::only_during`]).
//!
//! # Guarantees and limits
//!
//! - An answer that is cut off is an error, never a short result. Answers over 512 MiB, or what the caller sets, are refused.
//! - A write is repeated by itself only if doing it twice has the effect of doing it once. [`Error::effect`] tells whether the
//!   org may have been changed by what failed.
//! - Any number of requests, tasks and processes that meet an expired session renew it once ([`auth::TokenManager`]). Only Salesforce's
//!   word ends a connection, as [`ErrorKind::ReauthRequired`].
//! - Absent, null and set stay apart; numbers keep all their digits.
//! - Nothing a server sends panics. Secrets show neither in logs nor in `Debug` nor in errors.
//! - No more calls are made than a budget allows, over any number of workers that share it in a store.
//! - Tokens and secrets go to hosts of Salesforce's only ([`auth::HostPolicy`]).
//! - All calls need a tokio runtime. SOAP login, the username-password flow and the device flow are being retired by Salesforce and
//!   are left out.
//!
//! # Features
//!
//! | Feature | Adds | Gives |
//! | --- | --- | --- |
//! | `reqwest` *(default)* | `reqwest` with rustls | [`http::Reqwest`]; without it bring your own [`http::HttpService`] |
//! | `jwt` *(default)* | `jsonwebtoken` with aws-lc | `auth::JwtBearer`: logging in with a signed assertion |
//! | `redb` | `redb` | `store::RedbStore`: one file, one process |
//! | `postgres` | `deadpool-postgres`, `tokio-postgres` | `store::PostgresStore`: shared by processes, over your pool |
//! | `encryption` | `aes`, `aes-gcm`, `cbc`, `hmac` | `store::EncryptedStore`: values encrypted in any store |
//! | `testing` | `hyper`, `hmac`, `jsonwebtoken` | the mock org and `ManualClock`; not covered by semver, not for production |
//!
//! The minimum supported Rust version is 1.95.

mod error;

pub mod adapters;
pub mod api;
pub mod audit;
pub mod auth;
pub mod client;
pub mod clock;
pub mod codegen;
pub mod conflict;
pub mod connections;
pub mod http;
pub mod mapping;
pub mod matching;
pub mod schema;
pub mod store;
pub mod sync;
#[cfg(feature = "testing")]
pub mod testing;
pub mod types;

pub use client::Client;
pub use error::{ApiError, Effect, Error, ErrorKind, ReauthReason, Result, Retry};

// The README's program is compiled with the documentation tests.
#[cfg(all(doctest, feature = "reqwest"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(all(doctest, feature = "reqwest"))]
#[doc = include_str!("../docs/guides/connect.md")]
struct ConnectGuide;

#[cfg(doctest)]
#[doc = include_str!("../docs/guides/writing.md")]
struct WritingGuide;

#[cfg(doctest)]
#[doc = include_str!("../docs/guides/bulk.md")]
struct BulkGuide;

#[cfg(doctest)]
#[doc = include_str!("../docs/guides/matching.md")]
struct MatchingGuide;

#[cfg(all(doctest, feature = "reqwest"))]
#[doc = include_str!("../docs/guides/querying.md")]
struct QueryingGuide;

#[cfg(doctest)]
#[doc = include_str!("../docs/guides/reading.md")]
struct ReadingGuide;

#[cfg(doctest)]
#[doc = include_str!("../docs/guides/composite.md")]
struct CompositeGuide;

#[cfg(doctest)]
#[doc = include_str!("../docs/guides/metadata.md")]
struct MetadataGuide;

#[cfg(doctest)]
#[doc = include_str!("../docs/guides/setup.md")]
struct SetupGuide;

#[cfg(doctest)]
#[doc = include_str!("../docs/guides/permissions.md")]
struct PermissionsGuide;

#[cfg(doctest)]
#[doc = include_str!("../docs/guides/budget.md")]
struct BudgetGuide;

#[cfg(doctest)]
#[doc = include_str!("../docs/guides/schema.md")]
struct SchemaGuide;
