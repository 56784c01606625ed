//! Answers "why was this field not written?": who wins where both sides changed a record, field by field.
//! `cargo run --example explain_conflict -- --input cases.jsonl`
//!
//! Each line is one case:
//!
//! ```json
//! {"policy": {"default": "most_recent", "fields": {"Visits__c": "sum"}},
//!  "base": {"Phone": "1"},
//!  "source": {"values": {"Phone": "2"}, "changed_at": "2026-05-01T07:25:37Z"},
//!  "remote": {"values": {"Phone": "3"}, "changed_at": "2026-05-01T08:00:00Z", "changed_by": "005000000000001"},
//!  "integration_user": "005000000000001"}
//! ```
//!
//! and gives one line: what to write where, and per field who wins, by which rule, and why.

mod support;

use std::fs::File;
use std::io::{BufReader, Read, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use sforce::adapters::JsonLines;
use sforce::conflict::{
    Answered, ConflictPolicy, Decision, Fate, Question, Resolution, State, check_names, resolve_answered,
};
use sforce::types::{Record, RecordId, Value};
use support::Failure;

/// Decides conflicts between a product and Salesforce, one case a line, and says why.
#[derive(Debug, Parser)]
#[command(after_help = AFTER_HELP)]
struct Args {
    /// Cases, JSON Lines; `-` reads standard input
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/conflicts.jsonl"))]
    input: PathBuf,
    /// Accepted like everywhere; the output is JSON Lines in any case
    #[arg(long)]
    json: bool,
}

/// In MiB. A case holds a record three times, and a long text area has 131,072 characters.
const LONGEST_LINE: u32 = 32;

const AFTER_HELP: &str = "A case:
  policy            {\"default\": P, \"fields\": {FIELD: P}}; P is a name, or {\"name\": …} with stamp_field, skew_seconds (0),
                    tie (salesforce, the default, or source), ranking (origins, the first one counts most) and then
                    (salesforce_wins). Without a default: ask. Also \"directions\": {FIELD: to_salesforce,
                    from_salesforce or both} and \"delete\": delete_wins, edit_wins, ask (the default) or never
  base              the last values both sides agreed on, or null
  source, remote    {\"values\": {…}, \"changed_at\": T}; also field_changed_at {FIELD: T}, changed_by, field_changed_by
                    {FIELD: ID}, origin (salesforce and source when left out), field_origins {FIELD: ORIGIN},
                    \"deleted\": true. T has an offset, or is milliseconds since 1970
  integration_user  whose differences in remote are no edits
  answers           what people answered to questions of an earlier run about this record: [{\"question\": …, \"answer\": …}]

Each line in, of at most 32 MiB, gives one line out: {\"to_salesforce\", \"to_source\", \"decisions\"}, with \"record\" where a record is deleted
or restored and \"questions\" where a person has to decide; or {\"error\"}. A field left out is not written, null clears.
Numbers keep their value, in their shortest form. custom needs a function in code, so here it asks.

Policies: salesforce_wins source_wins most_recent salesforce_unless_blank source_unless_blank source_ranking ask custom
  never fill_blanks value_beats_blank max min sum append_unique first_touch

Exit status: 0 every line was answered, if only by an error, 1 the input cannot be read, 2 wrong use.";

/// One line in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a case: an object with \"policy\", \"source\" and \"remote\"")]
struct Case {
    policy: ConflictPolicy,
    base: Option<Record>,
    source: State,
    remote: State,
    integration_user: Option<RecordId>,
    answers: Option<Vec<Answered>>,
}

/// One line out.
#[derive(Serialize)]
struct Answer<'a> {
    to_salesforce: &'a Record,
    to_source: &'a Record,
    decisions: &'a [Decision],
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<Fate>,
    #[serde(skip_serializing_if = "<[Question]>::is_empty")]
    questions: &'a [Question],
}

fn main() -> ExitCode {
    match explain(&Args::parse()) {
        // Who reads the beginning only, as `head` does, has what they wanted.
        Ok(()) | Err(Stopped::ReaderGone) => ExitCode::SUCCESS,
        Err(Stopped::Failed(failure)) => failure.report(),
    }
}

/// Why not all lines were answered.
enum Stopped {
    ReaderGone,
    Failed(Failure),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

fn explain(args: &Args) -> Result<(), Stopped> {
    let (input, size): (Box<dyn Read>, Option<u64>) = if args.input.as_os_str() == "-" {
        (Box::new(std::io::stdin()), None)
    } else {
        let unreadable = |error| Failure::Failed(format!("cannot read {}: {error}", args.input.display()));
        let file = File::open(&args.input).map_err(unreadable)?;
        let size = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
        (Box::new(file), size)
    };
    let progress = progress(size);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut lines = JsonLines::new(BufReader::new(progress.wrap_read(input))).longest_line(LONGEST_LINE);
    let mut answered = 0;
    let cannot_print = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Stopped::ReaderGone,
        _ => Stopped::Failed(Failure::Failed(format!("cannot print: {error}"))),
    };
    let blank = |until: u64, answered: &mut u64, out: &mut dyn std::io::Write| {
        // A line out for each line in, so that the two can be laid beside each other.
        while *answered + 1 < until {
            *answered += 1;
            writeln!(out, "{}", error_line(*answered, "blank")).map_err(cannot_print)?;
        }
        Ok::<(), Stopped>(())
    };
    for line in lines.by_ref() {
        let line = line.map_err(|error| Failure::Failed(format!("cannot read {}: {error}", args.input.display())))?;
        blank(line.number, &mut answered, &mut out)?;
        answered = line.number;
        let text = match line.record {
            Ok(_) => decide(line.number, &line.text),
            Err(issue) => error_line(line.number, &issue.reason),
        };
        writeln!(out, "{text}").map_err(cannot_print)?;
        if size.is_none() {
            // Whoever feeds a pipe may wait for the answer.
            out.flush().map_err(cannot_print)?;
        }
    }
    blank(lines.lines_read() + 1, &mut answered, &mut out)?;
    out.flush().map_err(cannot_print)?;
    progress.finish_and_clear();
    Ok(())
}

/// Bytes read, on the terminal only.
fn progress(size: Option<u64>) -> ProgressBar {
    let style = "{bar:40} {bytes}/{total_bytes} {eta}";
    match size {
        Some(size) => ProgressBar::new(size)
            .with_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar())),
        None => ProgressBar::hidden(),
    }
}

fn decide(number: u64, text: &str) -> String {
    let case: Case = match serde_json::from_str(text) {
        Ok(case) => case,
        Err(error) => {
            // The file has one case a line, so the line within it says nothing.
            let message = error.to_string();
            let place = format!(" at line {} column {}", error.line(), error.column());
            let message = message.strip_suffix(&place).unwrap_or(&message);
            return error_line(number, &format!("{message} (column {})", error.column()));
        }
    };
    if let Err(error) = case.base.as_ref().map_or(Ok(()), check_names) {
        return error_line(number, &format!("base: {}", error.message()));
    }
    if case.base.as_ref().is_some_and(|base| base.len() == 1 && matches!(base.get("values"), Some(Value::Record(_)))) {
        return error_line(number, "base holds the values themselves, without \"values\" around them");
    }
    let policy = match case.integration_user {
        Some(user) => case.policy.with_integration_user(user),
        None => case.policy,
    };
    let resolution =
        resolve_answered(case.base.as_ref(), &case.source, &case.remote, &policy, &case.answers.unwrap_or_default());
    let Resolution { to_salesforce, to_source, decisions, fate, questions, .. } = &resolution;
    let record = Some(*fate).filter(|fate| *fate != Fate::Keep);
    let answer = Answer { to_salesforce, to_source, decisions, record, questions };
    serde_json::to_string(&answer).unwrap_or_else(|error| error_line(number, &error.to_string()))
}

fn error_line(number: u64, reason: &str) -> String {
    serde_json::json!({"error": format!("line {number}: {reason}")}).to_string()
}
