//! What the main job costs: seconds, sessions per second, API calls per 1,000 sessions, peak memory.
//!
//! `cargo bench --bench engagement_sessions` builds the two examples in release, serves the mock org from one process and
//! runs the job in another, half of the visitors being in the org, and prints a table. Fails if the peak with 100,000 sessions is more than 8 MB over that with
//! 10,000. Reads /proc, so the memory column needs Linux.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

type Failure = Box<dyn std::error::Error>;

/// Megabytes that the peak may grow from 10,000 to 100,000 sessions.
const ALLOWED_MB: f64 = 8.0;

fn main() -> ExitCode {
    match run() {
        Ok(grown) if grown <= ALLOWED_MB => ExitCode::SUCCESS,
        Ok(grown) => {
            eprintln!("the peak grows by {grown:.1} MB, more than {ALLOWED_MB} MB");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<f64, Failure> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--example", "engagement_sessions", "--example", "mock_org"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    if !built.success() {
        return Err("the examples do not build".into());
    }
    // target/release/deps/<this bench>
    let bench = std::env::current_exe()?;
    let programs = bench.parent().and_then(Path::parent).ok_or("no target folder")?.join("examples");

    println!("| sessions | latency | run | seconds | sessions/s | API calls | per 1,000 | matched | peak MB |");
    println!("| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut peaks = Vec::new();
    for (sessions, latency) in [(1000, 0), (1000, 20), (10_000, 0), (10_000, 20), (100_000, 0)] {
        let org = Org::start(&programs, latency)?;
        let input = input(sessions)?;
        for name in ["first", "second"] {
            let run = job(&programs, &org, &input.0)?;
            let landed = run.counts["created"] + run.counts["unchanged"];
            if landed != sessions {
                return Err(format!("{landed} of {sessions} sessions landed: {:?}", run.counts).into());
            }
            let milliseconds = run.counts["elapsed_ms"].max(1);
            println!(
                "| {sessions} | {latency} ms | {name} | {:.2} | {:.0} | {} | {:.1} | {} | {:.1} |",
                ratio(milliseconds, 1000),
                ratio(sessions * 1000, milliseconds),
                run.counts["api_calls"],
                ratio(run.counts["api_calls"] * 1000, sessions),
                run.counts["matched_contact"] + run.counts["matched_lead"],
                run.peak_mb,
            );
            if latency == 0 {
                peaks.push((sessions, run.peak_mb));
            }
        }
    }
    let highest =
        |sessions| peaks.iter().filter(|(count, _)| *count == sessions).map(|(_, peak)| *peak).fold(0.0, f64::max);
    Ok(highest(100_000) - highest(10_000))
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn ratio(dividend: u64, divisor: u64) -> f64 {
    dividend as f64 / divisor as f64
}

/// The mock org in a process of its own.
struct Org {
    process: Child,
    credentials: HashMap<String, String>,
}

impl Org {
    fn start(programs: &Path, latency: u64) -> Result<Self, Failure> {
        let mut process = Command::new(programs.join("mock_org"))
            .args(["--port", "0", "--latency-ms", &latency.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        Ok(Self { process, credentials: serde_json::from_str(&line)? })
    }
}

impl Drop for Org {
    fn drop(&mut self) {
        // It may have ended by itself; the run has failed then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A file that goes with the value.
struct Input(PathBuf);

impl Drop for Input {
    fn drop(&mut self) {
        // Nobody needs it any more.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The email addresses that one contact or unconverted lead has in the org that the mock org serves.
fn known_people() -> Result<Vec<String>, Failure> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/crm.jsonl"))?;
    let mut people: HashMap<String, u32> = HashMap::new();
    for line in text.lines() {
        let record: serde_json::Value = serde_json::from_str(line)?;
        if let Some(email) = record["Email"].as_str() {
            // A converted lead is found by nobody.
            *people.entry(email.to_lowercase()).or_default() += if record["IsConverted"] == true { 2 } else { 1 };
        }
    }
    Ok(people.into_iter().filter(|(_, hits)| *hits == 1).map(|(email, _)| email).collect())
}

/// Sessions with ids of 36 characters, as UUIDs have, and about 450 bytes a line. Every second visitor is in the org.
fn input(sessions: u64) -> Result<Input, Failure> {
    let people = known_people()?;
    let path = std::env::temp_dir().join(format!("sforce-bench-{}-{sessions}.jsonl", std::process::id()));
    let mut file = BufWriter::new(File::create(&path)?);
    for number in 0..sessions {
        let (minute, hour, day) = (number % 60, number / 60 % 24, number / 1440 % 28 + 1);
        let known = people.iter().cycle().nth(usize::try_from(number % 1000)? / 2).filter(|_| number % 2 == 0);
        let email = known.cloned().unwrap_or_else(|| format!("visitor.{number}@company-{}.example", number % 997));
        writeln!(
            file,
            r#"{{"session_id":"{number:08x}-5e55-4000-8000-{number:012x}","started_at":"2026-03-{day:02}T{hour:02}:{minute:02}:00+02:00","full_name":"Visitor {number}","email":"{email}","duration_seconds":{},"steps_viewed":{},"demos":["Platform Tour","Reporting, Deep Dive"],"flows":["Getting started"],"very_interested":["Pricing","Security"],"somewhat_interested":["Roadmap"],"not_interested":[]}}"#,
            number % 3600,
            number % 60,
        )?;
    }
    file.flush()?;
    Ok(Input(path))
}

struct Run {
    counts: HashMap<String, u64>,
    peak_mb: f64,
}

fn job(programs: &Path, org: &Org, input: &Path) -> Result<Run, Failure> {
    let mut process = Command::new(programs.join("engagement_sessions"))
        .args(["--json", "--input"])
        .arg(input)
        .env("SALESFORCE_LOGIN_URL", &org.credentials["base_url"])
        .env("SALESFORCE_CLIENT_ID", &org.credentials["client_id"])
        .env("SALESFORCE_CLIENT_SECRET", &org.credentials["client_secret"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", process.id());
    let mut peak_mb: f64 = 0.0;
    while process.try_wait()?.is_none() {
        // The high-water mark only rises, so the last reading before the end is the peak but for the last moments.
        peak_mb = peak_mb.max(high_water_mb(&status).unwrap_or(0.0));
        pause();
    }
    let output = process.wait_with_output()?;
    let text = String::from_utf8(output.stdout)?;
    let last = text.lines().last().ok_or("the job printed nothing")?;
    Ok(Run { counts: serde_json::from_str(last)?, peak_mb })
}

#[expect(clippy::disallowed_methods, reason = "a program that watches another one has nobody else's clock")]
fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}

fn high_water_mb(status: &str) -> Option<f64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes / 1024.0)
}
