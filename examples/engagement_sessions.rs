//! Brings demo-engagement sessions from a file of JSON Lines into a Salesforce org: makes the object, fields and permission
//! set, finds each visitor's contact or lead, account and opportunity, and shows on their pages.
//!
//! `cargo run --example engagement_sessions` works in a mock org; see `--help` for a real one.

mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use sforce::Error;
use sforce::adapters::engagement::{
    Access, EngagementSync, LinkBindings, LinkTotals, Prefix, RelatedList, RollUpFailure, RunReport, session_map,
};
use sforce::adapters::{JsonLines, Line};
use sforce::clock::{Clock, SystemClock};
use sforce::mapping::{Mapped, MappingIssue, Transforms};
use sforce::schema::{Applied, AssignmentOutcome};
use sforce::sync::{Latest, Outcome, Totals};
use sforce::types::{Record, RecordId, SObjectName, Value};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use support::{ENVIRONMENT, Failure, connect, explain, say};

/// Reasons of each sort that the summary prints; the rejects file has them all.
const SHOWN: usize = 10;

/// Between two lines of progress where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

#[derive(Parser)]
#[command(about = "Bring demo-engagement sessions into a Salesforce org, linked to the people they belong to", after_help = ENVIRONMENT)]
struct Arguments {
    /// Sessions as JSON Lines, one object a line [default: the sample of the repository]
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Write the lines that did not land, as JSON Lines of line, field, reason and input
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Share links and their opportunities, as one JSON object of link to opportunity id [default: none, for the sample its own]
    #[arg(long, value_name = "FILE")]
    links: Option<PathBuf>,
    /// Let the permission set grant Create and Delete on Lead, Contact, Account and Opportunity too
    #[arg(long)]
    full_crud: bool,
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
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
    let sample = arguments.input.is_none();
    let path = arguments.input.unwrap_or_else(|| data.join("engagement_sessions.jsonl"));
    refuse_same_file(&path, arguments.rejects.as_deref())?;
    let (latest, lines) = look_ahead(&path, &prefix)?;
    let file = open(&path)?;
    // The sample comes with share links of its own.
    let share_links = arguments.links.or_else(|| sample.then(|| data.join("share_links.json")));
    let bindings = share_links.map_or_else(|| Ok(LinkBindings::default()), |links| read_bindings(&links))?;
    let org = connect()?;
    eprintln!("{} -> {}", path.display(), org.name);
    // Told at once if it is wrong; what follows repeats failed calls.
    org.client.access_token().await?;
    let access = if arguments.full_crud { Access::FullCrud } else { Access::Least };
    let sync =
        EngagementSync::builder(org.client.clone()).prefix(prefix).access(access).bindings(bindings).latest(latest);
    let (sync, applied) = sync.build().await?;
    let setup_calls = org.client.api_calls();
    let mut rejects = Rejects::create(arguments.rejects.as_deref())?;

    let mut progress = Progress::new(lines, clock);
    let mut unreadable = None;
    let input = JsonLines::new(file).map_while(|line| match line {
        Ok(Line { number, text, record, .. }) => Some(((number, text), record)),
        Err(error) => {
            unreadable = Some(error);
            None
        }
    });
    let mut notes = Notes::default();
    let report = sync.run(stream::iter(input), |(line, text), outcome, link| {
        rejects.note(line, text, outcome);
        notes.extend(link.notes.iter().map(|note| (line, note.words())));
        progress.advance(line);
    });
    let RunReport { totals, links, rolled_up, roll_up_failures, drift, stopped, .. } = report.await;
    progress.finish();
    for event in &drift {
        eprintln!("{event}; {}", event.remedy());
    }
    let rejected = rejects.finish();

    let summary =
        Summary { totals, links, api_calls: org.client.api_calls(), elapsed_ms: clock.monotonic().as_millis() };
    if arguments.json {
        say(&serde_json::to_string(&summary).map_err(|error| Failure::Failed(error.to_string()))?)?;
    } else {
        say(&setup(&applied, setup_calls))?;
        say(&summary.text(rolled_up, &rejects, arguments.rejects.as_deref()))?;
        say(&notes.text())?;
        say(&failures(&roll_up_failures))?;
        if stopped.is_none() {
            print_pages(&sync).await?;
        }
    }
    match stopped {
        Some(error) => Err(Failure::Failed(format!("stopped early, run again to go on: {}", explain(&error)))),
        None if unreadable.is_some() || rejected.is_err() => {
            let unread = unreadable.map(|error| format!("{}: {error}: the lines before it are done", path.display()));
            Err(Failure::Failed(unread.unwrap_or_else(|| rejected.err().unwrap_or_default())))
        }
        None if totals.failed + totals.deferred > 0 || !roll_up_failures.is_empty() => Ok(ExitCode::FAILURE),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn read_bindings(path: &Path) -> Result<LinkBindings, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(format!("cannot read {}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    let pairs: BTreeMap<String, String> = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    Ok(LinkBindings::new(pairs))
}

/// What was made in the org before the first session.
fn setup(applied: &Applied, calls: u64) -> String {
    let (created, changed) = (applied.created.len(), applied.changed.len() + applied.granted.len());
    let mut lines = vec![match (created, changed) {
        (0, 0) => format!("Set-up: all in place, {calls} API calls"),
        _ => format!("Set-up: {created} components created, {changed} updated, {calls} API calls"),
    }];
    if applied.assignment == AssignmentOutcome::Assigned {
        lines.push("  permission set assigned to the connected user".into());
    }
    lines.extend(applied.by_hand.iter().map(|finding| format!("  by hand: {finding}")));
    lines.join("\n")
}

fn failures(failures: &BTreeMap<RecordId, RollUpFailure>) -> String {
    if failures.is_empty() {
        return String::new();
    }
    let mut lines = vec![format!("\n{} records keep old roll-up fields, run again:", failures.len())];
    lines.extend(
        failures
            .values()
            .take(SHOWN)
            .map(|failure| format!("  {} {}: {}", failure.object, failure.id, words(&failure.error))),
    );
    lines.join("\n")
}

/// Why sessions are not linked: how many for each reason, and the first lines.
#[derive(Default)]
struct Notes(BTreeMap<&'static str, (u64, Vec<u64>)>);

impl Notes {
    fn extend(&mut self, notes: impl Iterator<Item = (u64, &'static str)>) {
        for (line, reason) in notes {
            let (count, lines) = self.0.entry(reason).or_default();
            *count += 1;
            if lines.len() < SHOWN {
                lines.push(line);
            }
        }
    }

    fn text(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let mut text = vec!["\nStored, but not linked:".to_owned()];
        for (reason, (count, lines)) in &self.0 {
            let shown: Vec<String> = lines.iter().map(u64::to_string).collect();
            let more = if *count > lines.len() as u64 { ", …" } else { "" };
            text.push(format!("  {count:>6} {reason} (line {}{more})", shown.join(", ")));
        }
        text.join("\n")
    }
}

fn open(path: &Path) -> Result<BufReader<File>, Failure> {
    File::open(path)
        .map(BufReader::new)
        .map_err(|error| Failure::Failed(format!("cannot read {}: {error}", path.display())))
}

/// The rejects would be written over the lines that are still to be read.
fn refuse_same_file(input: &Path, rejects: Option<&Path>) -> Result<(), Failure> {
    let same = rejects.is_some_and(|rejects| match (input.canonicalize(), rejects.canonicalize()) {
        (Ok(input), Ok(rejects)) => input == rejects,
        _ => false,
    });
    if same { Err(Failure::Usage("--rejects is the same file as --input".into())) } else { Ok(()) }
}

/// Which state of each session is the last one of the file, and how many lines it has. Of a pipe, which can be read only
/// once, neither is known.
fn look_ahead(path: &Path, prefix: &Prefix) -> Result<(Latest, Option<u64>), Failure> {
    // The sessions themselves: what they are linked to is not in the file.
    let map = session_map(prefix)?.compile(&Transforms::new())?;
    let mut latest = Latest::new(&map);
    if !std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Ok((latest, None));
    }
    let mut lines = 0;
    for line in JsonLines::new(open(path)?) {
        let Line { number, record, .. } =
            line.map_err(|error| Failure::Failed(format!("cannot read {}: {error}", path.display())))?;
        lines = number;
        if let Ok(Ok(Mapped::Record(record))) = record.map(|record| map.apply(&record)) {
            latest.note(&record);
        }
    }
    Ok((latest, Some(lines)))
}

/// A bar on a terminal, a line now and then elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    done: u64,
    clock: SystemClock,
    told: Duration,
}

impl Progress {
    fn new(lines: Option<u64>, clock: SystemClock) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| match lines {
            Some(lines) => {
                let style = ProgressStyle::with_template("{bar:40} {pos}/{len} lines, {per_sec}, {eta} left");
                ProgressBar::new(lines).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            }
            None => ProgressBar::new_spinner(),
        });
        Self { bar, done: 0, clock, told: clock.monotonic() }
    }

    fn advance(&mut self, line: u64) {
        self.done += 1;
        match &self.bar {
            Some(bar) => bar.set_position(line),
            None if self.clock.monotonic() > self.told + BETWEEN_LINES => {
                self.told = self.clock.monotonic();
                eprintln!("{} sessions done", self.done);
            }
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

    fn finish(&mut self) -> Result<(), String> {
        let flushed = self.file.as_mut().map_or(Ok(()), Write::flush);
        self.failed.take().map_or(flushed, Err).map_err(|error| format!("cannot write the rejects: {error}"))
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
    #[serde(flatten)]
    links: LinkTotals,
    api_calls: u64,
    elapsed_ms: u128,
}

impl Summary {
    fn text(&self, rolled_up: u64, rejects: &Rejects, path: Option<&Path>) -> String {
        let Totals { read, invalid, folded, created, updated, unchanged, failed, deferred, .. } = self.totals;
        let LinkTotals {
            matched_contact, matched_lead, matched_account, ambiguous, unmatched, linked_opportunity, ..
        } = self.links;
        let mut lines = vec![
            format!("{read} sessions read, {} API calls, {} ms", self.api_calls, self.elapsed_ms),
            format!("  {created:>6} created"),
            format!("  {updated:>6} updated"),
            format!("  {unchanged:>6} unchanged"),
            format!("  {folded:>6} folded into a newer line of the same session"),
            format!("  {invalid:>6} invalid"),
            format!("  {failed:>6} refused by Salesforce"),
            format!("  {deferred:>6} deferred: run again"),
            format!(
                "Linked: {matched_contact} to a contact, {matched_lead} to a lead, {matched_account} to an account, {linked_opportunity} to an opportunity"
            ),
            format!("  {ambiguous:>6} ambiguous, {unmatched} unmatched, {rolled_up} pages brought up to date"),
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

/// An opportunity's and a contact's page, as a reader sees the sessions on it.
async fn print_pages(sync: &EngagementSync) -> Result<(), Failure> {
    for object in [SObjectName::from_static("Opportunity"), SObjectName::from_static("Contact")] {
        for page in sync.related_lists(&object, 1, 5).await? {
            say(&page_text(&object, &page))?;
        }
    }
    Ok(())
}

fn page_text(object: &SObjectName, page: &RelatedList) -> String {
    let heading = |name: &String| {
        name.trim_end_matches("__c").split_once('_').map_or(name.as_str(), |(_, name)| name).replace('_', " ")
    };
    let mut lines = vec![format!("\n{object}: {}", page.record.text("Name").unwrap_or_default())];
    for name in &page.roll_ups {
        lines.push(format!("  {:22}{}", heading(name), cell(&page.record, name, 60).trim_end()));
    }
    let widths = [24, 8, 20, 20, 5, 20, 20, 20, 12];
    let titles = [
        "Demos",
        "Minutes",
        "Full Name",
        "Flows",
        "Steps",
        "Very Interested",
        "Somewhat Interested",
        "Not Interested",
        "Session ID",
    ];
    let columns: Vec<String> = titles.iter().zip(widths).map(|(title, width)| format!("{title:width$}")).collect();
    lines.push(format!("  {}", columns.join("  ").trim_end()));
    for row in &page.rows {
        let cells: Vec<String> = page.columns.iter().zip(widths).map(|(name, width)| cell(row, name, width)).collect();
        lines.push(format!("  {}", cells.join("  ").trim_end()));
    }
    lines.join("\n")
}

fn cell(row: &Record, name: &str, width: usize) -> String {
    let text = match row.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(value) => match (value.to_timestamp(), value.as_number()) {
            (Some(moment), _) => moment.to_string().replace(".000Z", "Z"),
            (_, Some(number)) => number.to_string(),
            _ => value.as_text().unwrap_or_default().to_owned(),
        },
    };
    pad(&text, width)
}

/// A text in that many columns of a terminal; some characters take two.
fn pad(text: &str, width: usize) -> String {
    let fits = text.width() <= width;
    let mut out = String::new();
    for character in text.chars() {
        if !fits && out.width() + character.width().unwrap_or(0) >= width {
            out.push('…');
            break;
        }
        out.push(character);
    }
    let used = out.width();
    out + &" ".repeat(width.saturating_sub(used))
}
