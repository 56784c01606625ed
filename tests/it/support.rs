//! What the tests share.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use sforce::Client;
use sforce::auth::{ClientCredentials, LoginHost};
use sforce::client::ClientBuilder;
use sforce::clock::Clock;
use sforce::http::Reqwest;
use sforce::testing::ManualClock;
use sforce::testing::org::MockOrg;
use sforce::types::{FieldName, Record, SObjectName};

use crate::wsdl::schema::Schema;

/// A client of the mock org whose waiting takes no time.
pub(crate) fn client(org: &MockOrg) -> Client {
    builder(org).build().expect("a client")
}

pub(crate) fn builder(org: &MockOrg) -> ClientBuilder {
    let host = LoginHost::allowing_loopback(&org.base_url()).expect("loopback");
    let provider = ClientCredentials::new(host, org.client_id(), org.client_secret()).expect("complete");
    Client::builder(provider).clock(ManualClock::default())
}

/// An HTTP service that gives up soon, for faults that never answer.
pub(crate) fn impatient() -> Reqwest {
    Reqwest::builder().idle_timeout(Duration::from_millis(700)).build()
}

/// A clock that the test keeps a hand on.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedClock(pub(crate) Arc<ManualClock>);

#[async_trait]
impl Clock for SharedClock {
    fn now(&self) -> SystemTime {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
    }
}

pub(crate) fn object(name: &'static str) -> SObjectName {
    SObjectName::from_static(name)
}

pub(crate) fn field(name: &'static str) -> FieldName {
    FieldName::from_static(name)
}

pub(crate) fn record(text: &str) -> Record {
    serde_json::from_str(text).expect(text)
}

/// Says by name what was not run. Goes past the capture of test output, so that it shows in a plain `cargo test`.
pub(crate) fn not_run(what: &str, why: &str) {
    // If stderr is gone there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "not run: {what}: {why}");
}

/// The folder of recorded answers; `None`, and said so, where it is missing.
pub(crate) fn recorded(what: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/recorded");
    if folder.is_dir() {
        return Some(folder);
    }
    not_run(what, "there is no folder ../shared/recorded");
    None
}

/// The types of the Metadata API, from the folder of recorded answers.
pub(crate) fn wsdl(folder: &Path) -> Schema {
    Schema::of(&std::fs::read_to_string(folder.join("wsdl/metadata-v63.0.wsdl")).expect("readable"))
}
