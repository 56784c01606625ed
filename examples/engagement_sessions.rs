//! Brings demo-engagement sessions from a file of JSON Lines into records of a custom object, one record each.
//!
//! `cargo run --example engagement_sessions` works in a mock org; see `--help` for a real one.

mod support;

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use sforce::adapters::engagement::{Prefix, session_map};
use sforce::adapters::{JsonLines, Line};
use sforce::api::QueryStream;
use sforce::clock::{Clock, SystemClock};
use sforce::mapping::MappingIssue;
use sforce::sync::{Outcome, Push, Totals};
use sforce::testing::org::MockOrg;
use sforce::types::{Record, Soql};
use sforce::{Client, Error};
use support::{ENVIRONMENT, Failure, connect, explain, say};

/// Reasons of each sort that the summary prints; the rejects file has them all.
const SHOWN: usize = 10;

#[derive(Parser)]
#[command(about = "Bring demo-engagement sessions into Salesforce records", after_help = ENVIRONMENT)]
struct Arguments {
    /// Sessions as JSON Lines, one object a line [default: the sample of the repository]
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Write the lines that did not land, as JSON Lines of line, field, reason and input
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// What the API names of object and fields start with
    #[arg(long, default_value = "Navattic_")]
    prefix: String,
    /// Print one JSON object as the last line instead of the summary
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let clock = SystemClock::new();
    let prefix = Prefix::new(&*arguments.prefix).map_err(|error| Failure::Usage(explain(&error)))?;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/engagement_sessions.jsonl");
    let path = arguments.input.unwrap_or(sample);
    let lines = count_lines(&path)?;
    let file = open(&path)?;
    let mut rejects = Rejects::create(arguments.rejects.as_deref())?;

    let org = connect(|| MockOrg::builder().engagement_session(&arguments.prefix).start())?;
    eprintln!("{} -> {}", path.display(), org.name);
    // Three questions before anything is written: do the credentials work, may the user use the API, is the object there?
    org.client.access_token().await?;
    org.client.check_api_access().await?;
    let push = Push::builder(org.client.clone(), session_map(&prefix)?).build().await?;

    let mut progress = Progress::new(lines);
    let mut unreadable = None;
    let input = JsonLines::new(file).map_while(|line| match line {
        Ok(Line { number, text, record, .. }) => Some(((number, text), record)),
        Err(error) => {
            unreadable = Some(error);
            None
        }
    });
    let mut totals = Totals::default();
    let stopped = push.run(stream::iter(input), |(line, text), outcome| {
        totals.count(outcome);
        rejects.note(line, text, outcome);
        progress.advance(line);
    });
    let stopped = stopped.await.err();
    progress.finish();
    rejects.finish()?;

    let summary = Summary { totals, api_calls: org.client.api_calls(), elapsed_ms: clock.monotonic().as_millis() };
    if arguments.json {
        say(&serde_json::to_string(&summary).map_err(|error| Failure::Failed(error.to_string()))?)?;
    } else {
        say(&summary.text(&rejects, arguments.rejects.as_deref()))?;
        if stopped.is_none() {
            print_sample(&org.client, &prefix).await?;
        }
    }
    if let Some(error) = unreadable {
        return Err(Failure::Failed(format!("{}: {error}: the lines before it are done", path.display())));
    }
    match stopped {
        Some(error) => Err(Failure::Failed(format!("stopped early, run again to go on: {}", explain(&error)))),
        None if totals.failed + totals.deferred > 0 => Ok(ExitCode::FAILURE),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn open(path: &Path) -> Result<BufReader<File>, Failure> {
    File::open(path)
        .map(BufReader::new)
        .map_err(|error| Failure::Failed(format!("cannot read {}: {error}", path.display())))
}

/// Lines of the file, for the progress bar.
fn count_lines(path: &Path) -> Result<u64, Failure> {
    let mut file = open(path)?;
    let mut lines = 0;
    loop {
        let buffer =
            file.fill_buf().map_err(|error| Failure::Failed(format!("cannot read {}: {error}", path.display())))?;
        if buffer.is_empty() {
            return Ok(lines);
        }
        lines += buffer.split(|byte| *byte == b'\n').count() as u64 - 1;
        let read = buffer.len();
        file.consume(read);
    }
}

/// A bar on a terminal, a line now and then elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    done: u64,
}

impl Progress {
    fn new(lines: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:40} {pos}/{len} lines, {per_sec}, {eta} left");
            ProgressBar::new(lines).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { bar, done: 0 }
    }

    fn advance(&mut self, line: u64) {
        self.done += 1;
        match &self.bar {
            Some(bar) => bar.set_position(line),
            None if self.done.is_multiple_of(10_000) => eprintln!("{} sessions done", self.done),
            None => {}
        }
    }

    fn finish(&self) {
        match &self.bar {
            Some(bar) => bar.finish_and_clear(),
            None => eprintln!("{} sessions done", self.done),
        }
    }
}

/// A line that did not land.
#[derive(Serialize)]
struct Reject {
    line: u64,
    field: String,
    reason: String,
    input: String,
}

/// Writes the lines that did not land, and keeps the first reasons for the summary.
struct Rejects {
    file: Option<BufWriter<File>>,
    failed: Option<std::io::Error>,
    invalid: Vec<String>,
    refused: Vec<String>,
}

impl Rejects {
    fn create(path: Option<&Path>) -> Result<Self, Failure> {
        let create = |path: &Path| {
            File::create(path)
                .map(BufWriter::new)
                .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", path.display())))
        };
        Ok(Self { file: path.map(create).transpose()?, failed: None, invalid: Vec::new(), refused: Vec::new() })
    }

    fn note(&mut self, line: u64, input: String, outcome: &Outcome) {
        let (list, field, reason) = match outcome {
            Outcome::Invalid(issues) => {
                let (field, reason) = invalid(issues);
                (&mut self.invalid, field, reason)
            }
            Outcome::Rejected(error) => (&mut self.refused, fields(error), format!("refused: {}", words(error))),
            Outcome::Deferred(error) => (&mut self.refused, fields(error), format!("not yet: {}", words(error))),
            _ => return,
        };
        if list.len() < SHOWN {
            list.push(format!("line {line}: {}{}{reason}", field, if field.is_empty() { "" } else { ": " }));
        }
        let Some(file) = &mut self.file else { return };
        let reject = Reject { line, field, reason, input };
        let written =
            serde_json::to_string(&reject).map_err(std::io::Error::from).and_then(|text| writeln!(file, "{text}"));
        if let Err(error) = written {
            self.failed.get_or_insert(error);
        }
    }

    fn finish(&mut self) -> Result<(), Failure> {
        let flushed = self.file.as_mut().map_or(Ok(()), Write::flush);
        match self.failed.take().map_or(flushed, Err) {
            Ok(()) => Ok(()),
            Err(error) => Err(Failure::Failed(format!("cannot write the rejects: {error}"))),
        }
    }
}

/// The first field concerned, and all reasons.
fn invalid(issues: &[MappingIssue]) -> (String, String) {
    let Some((first, more)) = issues.split_first() else { return (String::new(), String::new()) };
    let mut reasons = vec![first.reason.clone()];
    reasons.extend(more.iter().map(ToString::to_string));
    (first.field.clone(), reasons.join("; "))
}

/// The Salesforce fields concerned.
fn fields(error: &Error) -> String {
    let fields: Vec<&str> = error.salesforce().iter().flat_map(|error| &error.fields).map(String::as_str).collect();
    fields.join(", ")
}

/// What Salesforce said; what we say of it where there was no answer.
fn words(error: &Error) -> String {
    if error.salesforce().is_empty() {
        return error.to_string();
    }
    error.salesforce().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    totals: Totals,
    api_calls: u64,
    elapsed_ms: u128,
}

impl Summary {
    fn text(&self, rejects: &Rejects, path: Option<&Path>) -> String {
        let Totals { read, invalid, folded, created, updated, unchanged, failed, deferred, .. } = self.totals;
        let mut lines = vec![
            format!("{read} sessions read, {} API calls, {} ms", self.api_calls, self.elapsed_ms),
            format!("  {created:>6} created"),
            format!("  {updated:>6} updated"),
            format!("  {unchanged:>6} unchanged"),
            format!("  {folded:>6} folded into a newer line of the same session"),
            format!("  {invalid:>6} invalid"),
            format!("  {failed:>6} refused by Salesforce"),
            format!("  {deferred:>6} deferred: run again"),
        ];
        let sorts = [("Invalid", invalid, &rejects.invalid), ("Not written", failed + deferred, &rejects.refused)];
        for (title, count, reasons) in sorts.into_iter().filter(|(.., reasons)| !reasons.is_empty()) {
            lines.push(format!("\n{title}:"));
            lines.extend(reasons.iter().map(|reason| format!("  {reason}")));
            if count > reasons.len() as u64 {
                let place = path.map_or("see --rejects FILE".into(), |path| path.display().to_string());
                lines.push(format!("  and {} more: {place}", count - reasons.len() as u64));
            }
        }
        lines.join("\n")
    }
}

/// Some records as they now stand in the org.
async fn print_sample(client: &Client, prefix: &Prefix) -> Result<(), Failure> {
    let object = prefix.session_object();
    let columns = [
        ("Name", "Name", 14),
        ("Started At", "Started_At", 20),
        ("Full Name", "Full_Name", 20),
        ("Email", "Email", 28),
        ("Minutes", "Duration_Minutes", 8),
        ("Steps", "Steps_Viewed", 5),
        ("Demos", "Demos", 30),
    ];
    let names = columns
        .map(|(_, name, _)| if name == "Name" { name.to_owned() } else { format!("{}{name}__c", prefix.as_str()) });
    let soql = format!("SELECT {} FROM {object} ORDER BY {} DESC NULLS LAST, Id LIMIT 5", names.join(", "), names[1]);
    let rows: QueryStream<Record> = client.query(Soql::new(soql));
    let rows = rows.collect().await?;
    say(&format!("\nThe latest {} records of {object} in the org:", rows.len()))?;
    say(&format!("  {}", columns.map(|(title, _, width)| format!("{title:width$}")).join("  ").trim_end()))?;
    for row in rows {
        let cells: Vec<String> = names.iter().zip(columns).map(|(name, (.., width))| cell(&row, name, width)).collect();
        say(&format!("  {}", cells.join("  ").trim_end()))?;
    }
    Ok(())
}

fn cell(row: &Record, name: &str, width: usize) -> String {
    let text = match row.get(name) {
        None | Some(sforce::types::Value::Null) => String::new(),
        Some(value) => match (value.to_timestamp(), value.as_number()) {
            (Some(moment), _) => moment.to_string().replace(".000Z", "Z"),
            (_, Some(number)) => number.to_string(),
            _ => value.as_text().unwrap_or_default().to_owned(),
        },
    };
    let cut: String =
        if text.chars().count() > width { text.chars().take(width - 1).chain(['…']).collect() } else { text };
    format!("{cut:width$}")
}
