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
mod target;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use indicatif::ProgressBar;
use serde::Serialize;

use crate::support::{Failure, say};
use crate::target::{Done, Job, Target, runtime};

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
        let target = Target::reach(options.base_url.as_deref(), options.job, options.records).await?;
        // Hidden where nobody looks, and where the time is what counts.
        let waiting = if options.json { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        waiting.set_message(format!("{:?}: {} records", options.job, options.records));
        if !waiting.is_hidden() {
            waiting.enable_steady_tick(Duration::from_millis(100));
        }
        let done = jobs::run(options.job, &target, options.records).await;
        waiting.finish_and_clear();
        let done = done?;
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
