//! Prepares an org for a product: says what it would do, does it, proves that it holds, and takes it away again.
//!
//! `cargo run --example org_setup -- --preset scores` plans in a mock org, `--apply --verify --remove` does all of it there. The mock
//! org ends with the program; `cargo run --example mock_org` is one that stays. See `--help` for yours.

#[path = "../support/mod.rs"]
mod support;

mod ledger;
mod metadata;
mod progress;
mod show;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use serde::Serialize;
use sforce::adapters::engagement::{self, Access, Prefix};
use sforce::adapters::setup::{Preset, UsageOptions, crm_notifier, usage_schema};
use sforce::schema::{Applied, DesiredSchema, Filled, Finding, Leftover, SchemaFault, SchemaPlan, Setup, Verification};
use sforce::types::RecordId;
use sforce::{Client, Error};
use support::{ENVIRONMENT, Failure, Org, connect, connect_runtime, say};

use crate::ledger::Ledger;
use crate::progress::Progress;

const ABOUT: &str = "Presets:
  engagement  demo engagement sessions into the org
  usage       accounts and contacts out, usage metrics in
  usage_read  accounts and contacts out, nothing in
  scores      visitor scores on contacts, leads and accounts
  survey      survey results on contacts
  crm         opportunities and what belongs to them out, nothing in

Without an action the plan is printed. Several actions run in this order, up to the first that fails: --emit-metadata, --plan, --apply,
--verify, --remove. --plan changes nothing, so it does not go with --apply, which prints the plan too, nor with --remove.

Two users may take part. The one of the connection sets the org up and needs \"Customize Application\", \"Modify Metadata Through Metadata
API Functions\" and \"View Setup and Configuration\": an admin. The permission set is assigned to the run-time user, and --verify looks
with that user's eyes; without a login of its own it is the same one.

The ledger is a file that says what was made, per org and schema. A run that was killed is finished by the next one with the same ledger,
and --remove takes away what is in it and nothing else. By default it is org_setup.redb under $XDG_STATE_HOME/sforce, or
~/.local/state/sforce; the mock org, which ends with the program, has it in memory.";

const RUNTIME: &str = "  SALESFORCE_RUNTIME_LOGIN_URL, SALESFORCE_RUNTIME_CLIENT_ID, SALESFORCE_RUNTIME_CLIENT_SECRET
                            the same for the run-time user [default: the user above]

Without the first three the program works in a mock org of its own.";

const STATUS: &str = "Exit status: 0 done, or nothing to do; 1 something failed, is in the way, does not hold or could not be taken away; \
                      2 wrong use.";

#[derive(Parser)]
#[command(about = "Prepare an org for a product: plan, apply, verify, and take it away again")]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
struct Arguments {
    /// What to set up; see below
    #[arg(long, value_name = "NAME", default_value = "engagement", value_parser = preset)]
    preset: Preset,
    /// Set up what a file says instead: a schema in TOML or JSON
    #[arg(long, value_name = "FILE", conflicts_with = "preset")]
    schema: Option<PathBuf>,
    /// Print what would be done, with the API calls it costs; changes nothing
    #[arg(long, conflicts_with_all = ["apply", "remove"])]
    plan: bool,
    /// Do it, and finish what an earlier run began
    #[arg(long)]
    apply: bool,
    /// Look as the run-time user whether everything is there, fits, is visible and can be written
    #[arg(long)]
    verify: bool,
    /// Take away what the ledger has, but for what holds records; with the options of --apply
    #[arg(long)]
    remove: bool,
    /// Let --remove take away what holds records too, and the records with it
    #[arg(long, requires = "remove")]
    with_data: bool,
    /// Write every component as one file of XML into a folder; needs no org
    #[arg(long, value_name = "DIR")]
    emit_metadata: Option<PathBuf>,
    /// Where the ledger is kept; see below
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// What the API names of engagement and usage begin with [default: Navattic_, Heap_]
    #[arg(long, conflicts_with = "schema")]
    prefix: Option<String>,
    /// Let crm tell this address of changed opportunities, by a flow and an outbound message; it should hold a secret
    #[arg(long, value_name = "URL", conflicts_with = "schema")]
    notifier_url: Option<String>,
    /// As whom the notifier reads what it tells, by user name [default: the run-time user]
    #[arg(long, value_name = "NAME", requires = "notifier_url")]
    notifier_user: Option<String>,
    /// Print one JSON object as the last line instead of text
    #[arg(long)]
    json: bool,
}

fn preset(name: &str) -> Result<Preset, String> {
    name.parse().map_err(|error: Error| error.advice().unwrap_or("no preset of that name").to_owned())
}

/// What `--json` prints. What was not asked for is left out.
#[derive(Default, Serialize)]
struct Done {
    schema: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    org: Option<String>,
    /// `null` in memory.
    ledger: Option<PathBuf>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<SchemaFault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    emitted: Option<Vec<PathBuf>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<SchemaPlan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applied: Option<Applied>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<Verified>,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leftovers: Option<Vec<Leftover>>,
    /// All API calls, looks at a deploy among them.
    api_calls: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct Verified {
    holds: bool,
    findings: Vec<Finding>,
    #[serde(flatten)]
    seen: Verification,
}

#[tokio::main]
async fn main() -> ExitCode {
    use clap::{CommandFactory as _, FromArgMatches as _};
    let environment = ENVIRONMENT.split("\n\nWithout").next().unwrap_or_default();
    let after = format!("{ABOUT}\n\n{environment}\n{RUNTIME}\n\n{STATUS}");
    let matches = Arguments::command().after_help(after).get_matches();
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let json = arguments.json;
    let mut done = Done::default();
    let result = run(arguments, &mut done).await;
    if let Err(Failure::Usage(_)) = result {
        // Nothing was begun.
    } else if json {
        done.error = result.as_ref().err().map(|(Failure::Failed(words) | Failure::Usage(words))| words.clone());
        if let Err(failure) =
            serde_json::to_string(&done).map_err(|error| Failure::Failed(error.to_string())).and_then(|line| say(&line))
        {
            return failure.report();
        }
    }
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => failure.report(),
    }
}

/// Whether all was done and holds.
async fn run(arguments: Arguments, done: &mut Done) -> Result<bool, Failure> {
    let tell = |text: &str| if arguments.json { Ok(()) } else { say(text) };
    let mut desired = desired(&arguments, done)?;
    done.schema.clone_from(&desired.name);
    let Arguments { plan, apply, verify, remove, .. } = arguments;
    if let Some(user) = &arguments.notifier_user {
        desired = with_notifier(desired, &arguments, user)?;
    }
    if let Some(folder) = &arguments.emit_metadata {
        if arguments.notifier_url.is_some() && arguments.notifier_user.is_none() {
            return Err(Failure::Usage(
                "files need no org, so nobody is the run-time user: give --notifier-user NAME".into(),
            ));
        }
        let written = metadata::write(&desired, folder)?;
        tell(&show::written(&written, folder))?;
        done.emitted = Some(written.files);
        if !(plan || apply || verify || remove) {
            return Ok(true);
        }
    }
    let org = connect()?;
    let runtime = Runtime::of(&org).await?;
    if arguments.notifier_user.is_none() {
        desired = with_notifier(desired, &arguments, &runtime.name)?;
    }
    let ledger = Ledger::open(arguments.ledger.as_deref(), org.is_mock(), apply || remove).await?;
    done.org = Some(org.name.clone());
    done.ledger.clone_from(&ledger.path);
    tell(&format!("{} in {}\nLedger: {}", desired.name, org.name, ledger.words))?;
    let progress = Progress::default();
    let mut setup =
        Setup::builder(org.client.clone(), desired).shared_store(ledger.store).progress(progress.listener());
    if let Some(user) = runtime.user {
        setup = setup.user(user);
    }
    let setup = setup.build().await?;
    let calls = || org.client.api_calls() + runtime.own_calls();
    let work = Work { setup: &setup, runtime: &runtime, progress: &progress, tell: &tell, calls: &calls };
    let result = work.all(&arguments, done).await;
    done.api_calls = calls();
    result
}

/// The schema, with all that is wrong with it at once.
fn desired(arguments: &Arguments, done: &mut Done) -> Result<DesiredSchema, Failure> {
    if let Some(path) = &arguments.schema {
        return DesiredSchema::from_file(path).map_err(|error| {
            done.faults = SchemaFault::all_of(&error).to_vec();
            if done.faults.is_empty() { error.into() } else { Failure::Failed(show::faults(path, &done.faults)) }
        });
    }
    if arguments.notifier_url.is_some() && arguments.preset != Preset::Crm {
        return Err(Failure::Usage("--notifier-url is for crm".into()));
    }
    let Some(prefix) = &arguments.prefix else { return Ok(arguments.preset.desired_schema()) };
    let prefix = Prefix::new(&**prefix).map_err(|error| {
        Failure::Usage(format!("--prefix is {}: {}", error.message(), error.advice().unwrap_or_default()))
    })?;
    match arguments.preset {
        Preset::Engagement => Ok(engagement::desired_schema(&prefix, Access::Least)),
        Preset::Usage => Ok(usage_schema(&UsageOptions::default().prefix(prefix))),
        other => Err(Failure::Usage(format!(
            "--prefix is for engagement and usage: the names of {other} are the product's own"
        ))),
    }
}

/// The schema with the notifier that was asked for.
fn with_notifier(desired: DesiredSchema, arguments: &Arguments, user: &str) -> Result<DesiredSchema, Failure> {
    let Some(address) = &arguments.notifier_url else { return Ok(desired) };
    let added = desired.notifier(&crm_notifier(address, user));
    added.map_err(|error| Failure::Usage(format!("the notifier: {}", error.message())))
}

/// The user who works in the org once it is set up.
struct Runtime {
    /// `None` where the user of the connection is.
    user: Option<RecordId>,
    client: Client,
    name: String,
}

impl Runtime {
    async fn of(org: &Org) -> Result<Self, Failure> {
        // Told at once if it is wrong; what follows repeats failed calls.
        org.client.access_token().await?;
        let own = org.client.user_info().await?;
        let Some(client) = connect_runtime(org)? else {
            let name = own.preferred_username.unwrap_or_default();
            return Ok(Self { user: None, client: org.client.clone(), name });
        };
        let user = client.user_info().await?;
        if user.organization_id != own.organization_id {
            return Err(Failure::Usage(format!(
                "the two logins are for two orgs, {} and {}",
                own.organization_id, user.organization_id
            )));
        }
        Ok(Self { user: Some(user.user_id), client, name: user.preferred_username.unwrap_or_default() })
    }

    /// Calls that the other client does not count.
    fn own_calls(&self) -> u64 {
        self.user.map_or(0, |_| self.client.api_calls())
    }
}

struct Work<'a> {
    setup: &'a Setup,
    runtime: &'a Runtime,
    progress: &'a Progress,
    tell: &'a (dyn Fn(&str) -> Result<(), Failure> + Sync),
    calls: &'a (dyn Fn() -> u64 + Sync),
}

impl Work<'_> {
    async fn all(&self, arguments: &Arguments, done: &mut Done) -> Result<bool, Failure> {
        let Arguments { apply, verify, remove, .. } = *arguments;
        let plan = arguments.plan || !(apply || verify || remove);
        if (plan || apply) && !self.plan(apply, done).await? {
            return Ok(false);
        }
        if verify && !self.verify(done).await? {
            return Ok(false);
        }
        if remove {
            return self.remove(arguments.with_data, done).await;
        }
        Ok(true)
    }

    async fn plan(&self, apply: bool, done: &mut Done) -> Result<bool, Failure> {
        let plan = self.setup.plan().await?;
        (self.tell)(&show::plan(&plan, self.setup.desired()))?;
        let plan = done.plan.insert(plan);
        let blocked = plan.blockers().count();
        if blocked > 0 {
            let words = show::count(blocked, "thing is", "things are");
            return if apply {
                Err(Failure::Failed(format!("{words} in the way; nothing was changed")))
            } else {
                Ok(false)
            };
        }
        if apply {
            let applied = self.setup.apply(plan).await;
            self.progress.finish();
            let applied = done.applied.insert(applied?);
            (self.tell)(&show::applied(applied, plan, &self.runtime.name, (self.calls)()))?;
        }
        Ok(true)
    }

    async fn verify(&self, done: &mut Done) -> Result<bool, Failure> {
        let before = (self.calls)();
        let seen = self.setup.verify(&self.runtime.client).await?;
        (self.tell)(&show::verified(&seen, &self.runtime.name, (self.calls)() - before))?;
        let holds = seen.holds();
        done.verified = Some(Verified { holds, findings: seen.findings(), seen });
        Ok(holds)
    }

    async fn remove(&self, with_data: bool, done: &mut Done) -> Result<bool, Failure> {
        let before = (self.calls)();
        let removal = self.setup.remove(if with_data { Filled::Delete } else { Filled::Keep }).await;
        self.progress.finish();
        let removal = removal?;
        (self.tell)(&show::removed(&removal, with_data, (self.calls)() - before))?;
        let complete = removal.is_complete();
        (done.removed, done.leftovers) = (Some(removal.removed), Some(removal.left));
        Ok(complete)
    }
}

/// The error of a file or folder.
fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::Failed(format!("cannot {what} {}: {error}", path.display()))
}
