#![allow(dead_code, reason = "each example uses its part of it")]
//! What the examples share: which org to work in, and how to end.

use std::error::Error as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use sforce::auth::{ClientCredentials, LoginHost};
use sforce::testing::org::{MockOrg, MockOrgBuilder};
use sforce::types::SObjectDescribe;
use sforce::{Client, Error};

const VARIABLES: [&str; 3] = ["SALESFORCE_LOGIN_URL", "SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET"];

const RUNTIME_VARIABLES: [&str; 3] =
    ["SALESFORCE_RUNTIME_LOGIN_URL", "SALESFORCE_RUNTIME_CLIENT_ID", "SALESFORCE_RUNTIME_CLIENT_SECRET"];

/// The text that `--help` ends with.
pub(crate) const ENVIRONMENT: &str = "Environment:
  SALESFORCE_LOGIN_URL      the org's My Domain, such as https://acme.my.salesforce.com
  SALESFORCE_CLIENT_ID      consumer key of an external client app with the client credentials flow
  SALESFORCE_CLIENT_SECRET  its secret

Without these three the program works in a mock org of its own.

Exit status: 0 done, 1 not done, 2 wrong use.";

/// Why the program ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The job could not be done.
    Failed(String),
    /// The program was called the wrong way.
    Usage(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(explain(&error))
    }
}

impl Failure {
    /// Tells the user and gives the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        let (text, code) = match self {
            Self::Failed(text) => (text, 1),
            Self::Usage(text) => (text, 2),
        };
        eprintln!("error: {text}");
        ExitCode::from(code)
    }
}

/// An error with what Salesforce said and what lies below.
pub(crate) fn explain(error: &Error) -> String {
    let mut lines = vec![error.to_string()];
    lines.extend(error.salesforce().iter().map(|detail| format!("  Salesforce: {detail}")));
    let mut cause = error.source();
    while let Some(below) = cause {
        lines.push(format!("  cause: {below}"));
        cause = below.source();
    }
    lines.join("\n")
}

/// Prints to standard output. A reader that has gone away ends the program without a panic.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    if text.is_empty() {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(|error| Failure::Failed(format!("cannot print: {error}")))
}

/// A mock org as a customer's org is before the first connect: accounts, contacts, leads and opportunities that the visitors
/// of the sample belong to, and nothing of ours.
pub(crate) fn customer_org(builder: MockOrgBuilder) -> Result<MockOrg, Failure> {
    let org = builder.try_start().map_err(|error| Failure::Failed(format!("cannot listen: {error}")))?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/crm.jsonl");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failure::Failed(format!("cannot read {}: {error}", path.display())))?;
    for line in text.lines() {
        let unreadable = |error: serde_json::Error| Failure::Failed(format!("{}: {error}", path.display()));
        let mut record: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).map_err(unreadable)?;
        let object = record.remove("object").and_then(|object| Some(object.as_str()?.to_owned()));
        org.insert(&object.unwrap_or_default(), record.into());
    }
    Ok(org)
}

/// Reads a describe from a file: the answer's body, or a recording of the answer: an object, or a list of one, with the body under `body`.
pub(crate) fn read_describe(path: &Path) -> Result<SObjectDescribe, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let unreadable = |error: serde_json::Error| format!("{} is no describe: {error}", path.display());
    let mut value: serde_json::Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(unreadable)?;
    if let serde_json::Value::Array(mut answers) = value {
        value = if answers.is_empty() { serde_json::Value::Null } else { answers.swap_remove(0) };
    }
    if value.get("fields").is_none()
        && let Some(body) = value.get_mut("body")
    {
        value = body.take();
    }
    if !value.get("fields").is_some_and(serde_json::Value::is_array) {
        return Err(format!("{} is no describe: it has no \"fields\"", path.display()));
    }
    serde_json::from_value(value).map_err(unreadable)
}

/// The org to work in: a client, and the mock org that lives as long as this if there is one.
pub(crate) struct Org {
    pub(crate) client: Client,
    pub(crate) name: String,
    mock: Option<MockOrg>,
}

impl Org {
    /// Whether it ends with this program.
    pub(crate) fn is_mock(&self) -> bool {
        self.mock.is_some()
    }
}

/// A setting, unless it is blank.
#[expect(clippy::disallowed_methods, reason = "a program reads its settings from the environment")]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Address, id and secret of a login; `None` where none of them is set.
fn login(variables: [&str; 3], advice: &str) -> Result<Option<[String; 3]>, Failure> {
    let values = variables.map(setting);
    let missing: Vec<&str> =
        variables.iter().zip(&values).filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
    match values {
        [Some(url), Some(id), Some(secret)] => Ok(Some([url, id, secret])),
        _ if missing.len() < variables.len() => {
            Err(Failure::Usage(format!("{} not set: {advice}", missing.join(" and "))))
        }
        _ => Ok(None),
    }
}

/// Connects as the environment says, or starts a mock org.
pub(crate) fn connect() -> Result<Org, Failure> {
    let named = login(VARIABLES, "set all three for a real org, none for the mock org")?;
    let (url, id, secret, mock) = if let Some([url, id, secret]) = named {
        (url, id, secret, None)
    } else {
        let mock = customer_org(MockOrg::builder())?;
        (mock.base_url(), mock.client_id(), mock.client_secret(), Some(mock))
    };
    let host = LoginHost::allowing_loopback(&url)?;
    let name = if mock.is_some() { "the mock org".to_owned() } else { host.to_string() };
    let client = Client::builder(ClientCredentials::new(host, id, secret)?).build()?;
    Ok(Org { client, name, mock })
}

/// Connects as the user who works in the org later, if the environment names one.
pub(crate) fn connect_runtime(org: &Org) -> Result<Option<Client>, Failure> {
    let advice = "set all three for a second user, none where one user does both";
    let Some([url, id, secret]) = login(RUNTIME_VARIABLES, advice)? else { return Ok(None) };
    if org.is_mock() {
        let words = format!("{} is for an org that is named too: set {} as well", RUNTIME_VARIABLES[0], VARIABLES[0]);
        return Err(Failure::Usage(words));
    }
    let host = LoginHost::allowing_loopback(&url)?;
    Ok(Some(Client::builder(ClientCredentials::new(host, id, secret)?).build()?))
}
