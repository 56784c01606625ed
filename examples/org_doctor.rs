//! Says what an org or its user lacks for a product, and how to mend it. Changes nothing.
//!
//! `cargo run --example org_doctor -- --preset scores` looks at a mock org; see `--help` for yours.

mod support;

use std::process::ExitCode;

use clap::Parser;
use sforce::Error;
use sforce::adapters::setup::{Preset, check_key};
use sforce::schema::{Report, preflight};
use sforce::types::{FieldName, SObjectName};
use support::{ENVIRONMENT, Failure, connect, explain, say};

const EXIT: &str = "Presets:
  engagement  demo engagement sessions into the org
  usage       accounts and contacts out, usage metrics in
  usage_read  accounts and contacts out, nothing in
  scores      visitor scores on contacts, leads and accounts
  survey      survey results on contacts
  crm         opportunities and what belongs to them out, nothing in

Looks as the user of the connection, who need not be an admin. A line with -> is the way to mend the one above it.";

#[derive(Parser)]
#[command(about = "Say what an org or its user lacks for a product, and how to mend it")]
struct Arguments {
    /// Whose needs to look at
    #[arg(long, value_name = "NAME", default_value = "engagement", value_parser = preset)]
    preset: Preset,
    /// A field that records are joined by: tells whether several records share a value
    #[arg(long, value_name = "OBJECT.FIELD", value_parser = key)]
    key: Option<(SObjectName, FieldName)>,
    /// Print what support needs to know of a failed action, as one JSON object
    #[arg(long, value_name = "ACTION", conflicts_with = "json")]
    support: Option<String>,
    /// Print one JSON object as the last line instead of text
    #[arg(long)]
    json: bool,
}

fn preset(name: &str) -> Result<Preset, String> {
    name.parse().map_err(|error: Error| error.advice().unwrap_or("no preset of that name").to_owned())
}

fn key(text: &str) -> Result<(SObjectName, FieldName), String> {
    let (object, field) = text.split_once('.').ok_or("give object and field, such as Contact.Email")?;
    let words = |error: Error| error.message().to_owned();
    Ok((object.parse().map_err(words)?, field.parse().map_err(words)?))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    use clap::{CommandFactory as _, FromArgMatches as _};
    let status = ENVIRONMENT
        .replace("0 done, 1 not done", "0 nothing required is missing, 1 something is, or nobody could look");
    let matches = Arguments::command().after_help(format!("{EXIT}\n\n{status}")).get_matches();
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let json = arguments.json || arguments.support.is_some();
    match run(arguments).await {
        Ok(code) => code,
        Err(failure) => {
            if json && let Failure::Failed(words) = &failure {
                println!("{}", serde_json::json!({ "error": words }));
            }
            failure.report()
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let org = connect()?;
    let mut report = preflight(&org.client, &arguments.preset.requirements()).await?;
    let mut key_error = None;
    if let Some((object, field)) = arguments.key
        // Whom the org refuses everything it tells nothing of its records.
        && report.unchecked.is_empty()
    {
        match check_key(&org.client, object.clone(), field.clone()).await {
            Ok(findings) if findings.is_empty() => report.fine.push(format!("{object}.{field} names one record each")),
            Ok(findings) => report = report.with(findings),
            Err(error) => key_error = Some(error),
        }
    }
    if let Some(action) = arguments.support {
        let bundle = report.support_bundle(action, key_error.as_ref());
        say(&serde_json::to_string(&bundle).unwrap_or_default())?;
    } else if arguments.json {
        say(&serde_json::to_string(&report).unwrap_or_default())?;
    } else {
        say(&format!("Looked at {}", org.name))?;
        say(&report.to_string())?;
        say(next(&report))?;
    }
    // What was seen of the org stands all the same.
    if let Some(error) = key_error {
        return Err(Failure::Failed(format!("the key could not be looked at: {}", explain(&error))));
    }
    Ok(if report.ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What to do next, in a line.
fn next(report: &Report) -> &'static str {
    let fixable = report.findings.iter().any(|finding| finding.fixable);
    match (report.ready, fixable) {
        (true, false) => "\nGo ahead.",
        (true, true) => "\nGo ahead; the set-up mends some of the rest.",
        (false, true) => "\nRun the set-up as an admin, mend the rest by hand, and look again.",
        (false, false) => "\nMend what is required, and look again.",
    }
}
