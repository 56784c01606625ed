//! What a job is, and the server that it is measured against.

use sforce::Client;
use sforce::auth::{ClientCredentials, LoginHost};
use sforce::http::{HttpService as _, Method, Request, Reqwest};
use sforce::testing::org::{FieldSpec, MockOrg};
use sforce::types::RecordId;

use crate::support::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Job {
    #[value(name = "J1")]
    J1,
    #[value(name = "J1o")]
    J1o,
    #[value(name = "J2")]
    J2,
    #[value(name = "J2m")]
    J2m,
    #[value(name = "J2b")]
    J2b,
    #[value(name = "J3")]
    J3,
    #[value(name = "J3o")]
    J3o,
    #[value(name = "J4")]
    J4,
    #[value(name = "J4o")]
    J4o,
    #[value(name = "J5")]
    J5,
}

/// What a job found.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) records: usize,
    pub(crate) sum: Option<f64>,
    pub(crate) failures: Option<usize>,
    pub(crate) wall_s: f64,
}

/// Reading is one stream of pages, for which one thread is fastest; the other jobs have several things to do at once.
pub(crate) fn runtime(job: Job) -> std::io::Result<tokio::runtime::Runtime> {
    match job {
        Job::J1 | Job::J1o => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    }
    .enable_all()
    .build()
}

/// The server to measure against.
pub(crate) struct Target {
    /// Has its token.
    pub(crate) client: Client,
    /// The contact that J5 reads.
    pub(crate) contact: RecordId,
    /// Ours, if the caller named none.
    mock: Option<MockOrg>,
}

impl Target {
    pub(crate) async fn reach(base_url: Option<&str>, job: Job, records: usize) -> Result<Self, Failure> {
        let mut mock = None;
        // The server of the comparison takes any credentials and has this contact.
        let (mut id, mut secret, mut contact) =
            ("throughput".to_owned(), "throughput".to_owned(), "003Ax0000000001IAA".to_owned());
        let url = if let Some(url) = base_url {
            url.to_owned()
        } else {
            let org =
                MockOrg::builder().try_start().map_err(|error| Failure::Failed(format!("cannot listen: {error}")))?;
            (id, secret) = (org.client_id(), org.client_secret());
            let reads = matches!(job, Job::J1 | Job::J1o | Job::J3 | Job::J3o);
            contact = fill(&org, if reads { records } else { 1 });
            mock.insert(org).base_url()
        };
        let host = LoginHost::allowing_loopback(&url)?;
        let client = Client::builder(ClientCredentials::new(host, id, secret)?).build()?;
        client.access_token().await?;
        Ok(Self { client, contact: RecordId::new(&contact)?, mock })
    }

    /// Ends the session, so that the token is refused.
    pub(crate) async fn expire(&self) -> Result<(), Failure> {
        if let Some(mock) = &self.mock {
            mock.expire_access_tokens();
            return Ok(());
        }
        let mut expire = self.client.access_token().await?.instance_url().clone();
        expire.set_path("/__expire");
        Reqwest::new().send(Request::new(Method::POST, expire)).await?;
        Ok(())
    }
}

/// Gives the mock org the fields of the jobs and so many contacts; tells the id of one.
fn fill(org: &MockOrg, contacts: usize) -> String {
    org.add_field("Contact", FieldSpec::text("ExtId__c", 40).external_id().unique());
    org.add_field("Contact", FieldSpec::number("Score__c", 16, 2));
    org.add_field("Contact", FieldSpec::checkbox("IsActive__c"));
    let account = org.insert("Account", serde_json::json!({"Name": "Account & Sons"}));
    let mut last = String::new();
    for number in 0..contacts.max(1) {
        let key = format!("OLD-{number:08}");
        last = org.insert(
            "Contact",
            serde_json::json!({"LastName": format!("Lastname {number}"), "ExtId__c": key, "Score__c": number % 7,
                "IsActive__c": number % 2 == 0, "AccountId": account, "Title": "Head of \"Department\""}),
        );
    }
    last
}
