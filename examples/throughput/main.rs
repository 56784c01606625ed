//! How fast the crate moves records, by one job a run. `cargo run --release --example throughput -- --job J1 --records 50000`
//!
//! Works against any server that speaks the Salesforce APIs for the object Contact with the fields below; without
//! `--base-url` against the mock org, which is no measure of speed but shows that the jobs work. The last line is one JSON
//! object: `{"peer","job","records","sum"?,"wall_s","failures"?}`. The time starts once the client is made and has its token.
//! One job a process, so that memory and processor time can be taken from outside.

#[path = "../support/mod.rs"]
mod support;

mod jobs;
mod rows;

use std::process::ExitCode;

use clap::Parser as _;
use serde::Serialize;
use sforce::Client;
use sforce::auth::{ClientCredentials, LoginHost};
use sforce::http::{HttpService as _, Method, Request, Reqwest};
use sforce::testing::org::{FieldSpec, MockOrg};
use sforce::types::RecordId;

use crate::support::{Failure, say};

#[derive(clap::Parser)]
#[command(about = "Moves records by one job and prints how long it took", after_help = HELP)]
struct Options {
    /// Where the server is, on this machine (http://127.0.0.1:PORT), taking any credentials; without it a mock org of our own
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// What to do; see below
    #[arg(long, value_name = "JOB", ignore_case = true)]
    job: Job,
    /// How many records to move, or reads to make
    #[arg(long, value_name = "N", default_value_t = 1000)]
    records: usize,
    /// Print one JSON object as the last line
    #[arg(long)]
    json: bool,
}

const HELP: &str = "Jobs:
  J1    read by SOQL, rows that borrow from their page
  J1o   read by SOQL, rows of their own
  J2    upsert by collections
  J2m   upsert by the one call for any number of records
  J2b   upsert by bulk
  J3    read by a bulk query, rows that borrow
  J3o   read by a bulk query, rows of their own
  J4    load by bulk, until the job is complete
  J4o   load by bulk, with one outcome per row
  J5    read one record, have the session expire, then read N times at once

Exit status: 0 done, 1 not done, 2 wrong use.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Job {
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
struct Done {
    records: usize,
    sum: Option<f64>,
    failures: Option<usize>,
    wall_s: f64,
}

#[derive(Serialize)]
struct Line {
    peer: &'static str,
    job: String,
    records: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<f64>,
    wall_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<usize>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(options: &Options) -> Result<(), Failure> {
    let runtime = runtime(options.job).map_err(|error| Failure::Failed(format!("no runtime: {error}")))?;
    runtime.block_on(async {
        let target = Target::reach(options).await?;
        let done = jobs::run(options.job, &target, options.records).await?;
        let (job, calls, at_once) =
            (format!("{:?}", options.job), target.client.api_calls(), target.client.concurrency());
        let Done { records, sum, failures, wall_s } = done;
        let failed = failures.filter(|count| *count > 0).map_or_else(String::new, |count| format!(", {count} failed"));
        say(&format!(
            "{job}: {records} records in {wall_s:.3} s, {calls} API calls, at most {at_once} at once{failed}"
        ))?;
        if options.json {
            let line = Line { peer: "sforce", job, records, sum, wall_s, failures };
            say(&serde_json::to_string(&line).map_err(|error| Failure::Failed(error.to_string()))?)?;
        }
        match failures {
            Some(count) if count > 0 => Err(Failure::Failed(format!("{count} records failed"))),
            _ => Ok(()),
        }
    })
}

/// Reading is one stream of pages, for which one thread is fastest; the other jobs have several things to do at once.
fn runtime(job: Job) -> std::io::Result<tokio::runtime::Runtime> {
    match job {
        Job::J1 | Job::J1o => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    }
    .enable_all()
    .build()
}

/// The server to measure against.
struct Target {
    /// Has its token.
    client: Client,
    /// The contact that J5 reads.
    contact: RecordId,
    /// Ours, if the caller named none.
    mock: Option<MockOrg>,
}

impl Target {
    async fn reach(options: &Options) -> Result<Self, Failure> {
        let mut mock = None;
        // The server of the comparison takes any credentials and has this contact.
        let (mut id, mut secret, mut contact) =
            ("throughput".to_owned(), "throughput".to_owned(), "003Ax0000000001IAA".to_owned());
        let url = if let Some(url) = &options.base_url {
            url.clone()
        } else {
            let org =
                MockOrg::builder().try_start().map_err(|error| Failure::Failed(format!("cannot listen: {error}")))?;
            (id, secret) = (org.client_id(), org.client_secret());
            let reads = matches!(options.job, Job::J1 | Job::J1o | Job::J3 | Job::J3o);
            contact = fill(&org, if reads { options.records } else { 1 });
            mock.insert(org).base_url()
        };
        let host = LoginHost::allowing_loopback(&url)?;
        let client = Client::builder(ClientCredentials::new(host, id, secret)?).build()?;
        client.access_token().await?;
        Ok(Self { client, contact: RecordId::new(&contact)?, mock })
    }

    /// Ends the session, so that the token is refused.
    async fn expire(&self) -> Result<(), Failure> {
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
