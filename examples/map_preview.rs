//! Shows what a field map would send, before anything is sent: whether each field fits the org's describe, and each record's
//! fields or what is wrong with them. Needs no org.
//!
//! `cargo run --example map_preview` shows the sample; see `--help` for your own files.

mod support;

use std::fs::File;
use std::io::{BufReader, BufWriter, StdoutLock, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use serde::Serialize;
use sforce::adapters::{JsonLines, Line};
use sforce::mapping::{
    CompiledMap, FieldMap, MapMistake, MapReport, Mapped, MappingIssue, Transform, Transforms, Verdict,
};
use sforce::types::Record;
use support::read_describe;

const EXIT: &str =
    "The describe is the JSON that GET /services/data/vXX.X/sobjects/OBJECT/describe answers. Each file that is not
given is that of the repository's sample.

What is shown is what a new record would get: a record that is there gets only what differs, as each rule's \"write\" says.

A custom transform is a function of a program, which is not here: a value that meets one is an issue.

A map whose rules only read Salesforce takes records of the org as input, and shows what the source would get.

With --json, a failure is {\"error\", \"mistakes\": [{\"file\", \"line\", \"rule\", \"reason\"}]}: all that is wrong with a map.

Exit status: 0 done, 1 the map cannot be loaded, a file cannot be read or a field is impossible, 2 wrong use.";

#[derive(Parser)]
#[command(about = "Show what a field map would send, before anything is sent", after_help = EXIT)]
struct Arguments {
    /// The map, in TOML or JSON [default: the sample's]
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// The org's describe of the object, in JSON [default: the sample's]
    #[arg(long, value_name = "FILE")]
    describe: Option<PathBuf>,
    /// Source records as JSON Lines, one object a line [default: the sample's]
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Print one JSON object as the last line instead of text
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json = arguments.json;
    match run(arguments) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {}", failure.words);
            if json {
                // The last line is a whole object, also where the one before it broke off.
                println!("{}", serde_json::to_string(&failure).unwrap_or_default());
            }
            ExitCode::FAILURE
        }
    }
}

/// Why there is nothing to show, or no more of it.
#[derive(Serialize)]
struct Failure {
    #[serde(rename = "error")]
    words: String,
    /// What is wrong with the map, each with its place.
    mistakes: Vec<MapMistake>,
}

impl From<String> for Failure {
    fn from(words: String) -> Self {
        Self { words, mistakes: Vec::new() }
    }
}

impl From<sforce::Error> for Failure {
    fn from(error: sforce::Error) -> Self {
        let mistakes = MapMistake::all_of(&error).to_vec();
        Self { words: error.to_string().replace("; ", "\n  "), mistakes }
    }
}

/// Stands for the functions of a program that only the program has: a value that meets one is an issue, and all else is shown.
///
/// A program of your own registers its functions here instead.
fn functions_of(map: &FieldMap) -> Transforms {
    let rules = map.rules().iter().flat_map(|rule| rule.transforms.iter().chain(rule.reverse.iter().flatten()));
    let steps = rules.chain(map.values().flat_map(|(_, value)| &value.transforms));
    steps.fold(Transforms::new(), |functions, step| match step {
        Transform::Custom(name) => {
            let words = format!("custom transform {name}: only the program has it");
            functions.with(name, move |_| Err(words.clone()))
        }
        _ => functions,
    })
}

fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let sample = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(name);
    let map = arguments.map.unwrap_or_else(|| sample("contact_map.toml"));
    let describe = arguments.describe.unwrap_or_else(|| sample("contact_describe.json"));
    let input = arguments.input.unwrap_or_else(|| sample("visitors.jsonl"));
    let map = FieldMap::from_file(&map)?;
    let map = map.compile(&functions_of(&map))?;
    let report = map.map().check(&read_describe(&describe)?);
    let file = File::open(&input).map_err(|error| format!("cannot read {}: {error}", input.display()))?;
    let lines = JsonLines::new(BufReader::new(file));

    let mut preview =
        Preview { json: arguments.json, out: BufWriter::new(std::io::stdout().lock()), totals: Totals::new(&report) };
    let done = preview.open(&map, &report).and_then(|()| {
        for line in lines {
            preview.line(&map, &line?)?;
        }
        preview.close()
    });
    if let Err(error) = done {
        preview.break_off();
        return Err(format!("{}: {error}", input.display()).into());
    }
    Ok(if report.verdict() == Verdict::Impossible { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Counts, whatever the number of records.
#[derive(Serialize)]
struct Totals {
    read: u64,
    mapped: u64,
    invalid: u64,
    skipped: u64,
    safe: usize,
    lossy: usize,
    impossible: usize,
}

impl Totals {
    fn new(report: &MapReport) -> Self {
        let count = |verdict| report.fields.iter().filter(|field| field.verdict == verdict).count();
        let (safe, lossy, impossible) = (count(Verdict::Safe), count(Verdict::Lossy), count(Verdict::Impossible));
        Self { read: 0, mapped: 0, invalid: 0, skipped: 0, safe, lossy, impossible }
    }
}

/// One record of the JSON object.
#[derive(Default, Serialize)]
struct Shown<'a> {
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<&'a Record>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a Record>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issues: Option<&'a [MappingIssue]>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skipped: bool,
}

/// What a line comes to.
enum Came {
    Out(String, Record),
    Back(Record),
    Skipped,
}

/// Prints as it goes, so that memory holds one record.
struct Preview<'o> {
    json: bool,
    out: BufWriter<StdoutLock<'o>>,
    totals: Totals,
}

impl Preview<'_> {
    fn open(&mut self, map: &CompiledMap, report: &MapReport) -> std::io::Result<()> {
        if self.json {
            let (object, key) = (map.object().as_str(), map.key().as_str());
            let fields = serde_json::to_string(&report.fields)?;
            return write!(self.out, r#"{{"object":"{object}","key":"{key}","fields":{fields},"records":["#);
        }
        writeln!(self.out, "{}, named by {}\n", map.object(), map.key())?;
        for field in &report.fields {
            let source = if field.source.is_empty() { "no rule" } else { &field.source };
            writeln!(self.out, "  {:10}  {:28} {source}", field.verdict, field.target)?;
            for reason in &field.reasons {
                writeln!(self.out, "              {reason}")?;
            }
        }
        writeln!(self.out)
    }

    fn line(&mut self, map: &CompiledMap, line: &Line) -> std::io::Result<()> {
        let reads_only = map.map().rules().iter().all(|rule| !rule.direction.writes_salesforce());
        let record = line.record.as_ref().map_err(|issue| vec![issue.clone()]);
        let came = record.and_then(|record| {
            if reads_only {
                return map.apply_reverse(record).map(Came::Back);
            }
            Ok(match map.apply(record)? {
                Mapped::Record(mapped) => Came::Out(mapped.key, mapped.fields),
                _ => Came::Skipped,
            })
        });
        let mut shown = Shown { line: line.number, ..Shown::default() };
        match &came {
            Ok(Came::Out(key, fields)) => (shown.key, shown.fields) = (Some(key.as_str()), Some(fields)),
            Ok(Came::Back(source)) => shown.source = Some(source),
            Ok(Came::Skipped) => shown.skipped = true,
            Err(issues) => shown.issues = Some(issues),
        }
        let totals = &mut self.totals;
        totals.read += 1;
        *match &came {
            Ok(Came::Out(..) | Came::Back(_)) => &mut totals.mapped,
            Ok(Came::Skipped) => &mut totals.skipped,
            Err(_) => &mut totals.invalid,
        } += 1;
        if self.json {
            let comma = if self.totals.read > 1 { "," } else { "" };
            return write!(self.out, "{comma}{}", serde_json::to_string(&shown)?);
        }
        match &came {
            Ok(Came::Out(_, record) | Came::Back(record)) => {
                writeln!(self.out, "line {}: {}", line.number, serde_json::to_string(record)?)
            }
            Ok(Came::Skipped) => writeln!(self.out, "line {}: outside the audience", line.number),
            Err(issues) => {
                issues.iter().try_for_each(|issue| writeln!(self.out, "line {}: refused: {issue}", line.number))
            }
        }
    }

    /// Ends the line at hand, so that what is printed next stands on one of its own.
    fn break_off(&mut self) {
        // Where printing itself has failed, this does too.
        let _ = writeln!(self.out).and_then(|()| self.out.flush());
    }

    fn close(&mut self) -> std::io::Result<()> {
        let Totals { read, mapped, invalid, skipped, safe, lossy, impossible } = &self.totals;
        if self.json {
            writeln!(self.out, r#"],"totals":{}}}"#, serde_json::to_string(&self.totals)?)?;
        } else {
            writeln!(self.out, "\n{read} records: {mapped} mapped, {invalid} refused, {skipped} outside the audience")?;
            writeln!(
                self.out,
                "{} fields: {safe} safe, {lossy} lossy, {impossible} impossible",
                safe + lossy + impossible
            )?;
        }
        self.out.flush()
    }
}
