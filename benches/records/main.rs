//! What the data APIs cost beside the floor: plain reqwest, `serde_json` and csv doing the least that the protocol allows.
//!
//! `cargo bench --bench records [-- --check] [--job J1,J4] [--rounds N] [--latency MS] [--memory]`. The jobs are those of the example
//! `throughput`, by the same code. A server in a process of its own answers both from bytes made before; each job of each round
//! is a process of its own, ours and the floor's one after the other in random order. Prints medians and the medians of the ratios
//! pair by pair as a table; `--check` fails where a ratio is above its goal by more than noise explains. A result that is
//! wrong always fails. Reads /proc, so it needs Linux.

mod floor;
mod measure;
mod prepared;
mod server;

#[path = "../../examples/throughput/jobs.rs"]
mod jobs;
#[path = "../../examples/throughput/rows.rs"]
mod rows;
#[path = "../../examples/support/mod.rs"]
mod support;
#[path = "../../examples/throughput/target.rs"]
mod target;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;

use crate::measure::{Server, Told, Who};
use crate::prepared::{BLOCK, OUTCOMES};
use crate::server::Counts;
use crate::target::{Done, Job, Target};

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Above the goals, for other programs on the same machine; processor time also has what the second core's caches cost.
const ROOM_WALL: f64 = 0.2;
const ROOM_PROCESSOR: f64 = 0.5;
/// Megabytes that the peak may grow from 50,000 rows to 5,000,000: the addresses of the pages that were read, and gaps that they
/// leave between pages of 1.5 MB.
const GROWTH_MB: f64 = 6.0;

#[derive(clap::Parser)]
#[command(about = "Moves records by each data API, beside the least that the protocol allows")]
struct Options {
    /// Fail where a ratio is above its goal, or a peak above its limit
    #[arg(long)]
    check: bool,
    /// Only these jobs
    #[arg(long, value_name = "JOB", value_delimiter = ',', ignore_case = true)]
    job: Vec<Job>,
    /// How often each job is done
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// How long the server waits before each answer
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// Measure memory instead of time
    #[arg(long)]
    memory: bool,
    /// As cargo calls a benchmark
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

/// The processes that the program starts of itself.
#[derive(clap::Subcommand)]
enum Part {
    #[command(hide = true)]
    Server { latency: u64 },
    #[command(hide = true)]
    Ours { job: Job, url: String, records: usize },
    #[command(hide = true)]
    Floor {
        job: FloorJob,
        url: String,
        records: usize,
        #[arg(long)]
        far: bool,
    },
}

/// What the floor can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "verbatim")]
enum FloorJob {
    Query,
    Collections,
    BulkUpsert,
    Export,
    Load,
    LoadWithOutcomes,
    Reads,
}

/// A job beside its floor.
struct Case {
    job: Job,
    floor: FloorJob,
    what: &'static str,
    rows: usize,
    /// The same for an org that answers late, where the whole takes longer.
    far_rows: usize,
    /// Times the floor, by the clock and by the processor.
    goal: Option<f64>,
}

impl Case {
    const fn new(job: Job, floor: FloorJob, what: &'static str, rows: usize, goal: f64) -> Self {
        Self { job, floor, what, rows, far_rows: rows, goal: Some(goal) }
    }
}

const CASES: [Case; 11] = [
    Case::new(Job::J1, FloorJob::Query, "J1 read 50,000 rows by SOQL, borrowed", 50_000, 1.15),
    Case::new(Job::J1o, FloorJob::Query, "J1o the same, owned", 50_000, 1.4),
    Case { far_rows: 40_000, ..Case::new(Job::J2, FloorJob::Collections, "J2 upsert by collections", 200_000, 1.25) },
    Case {
        far_rows: 40_000,
        goal: None,
        ..Case::new(Job::J2m, FloorJob::Collections, "J2m the same by `upsert_many`", 200_000, 0.0)
    },
    Case::new(Job::J2b, FloorJob::BulkUpsert, "J2b upsert 200,000 rows by bulk", 200_000, 1.25),
    Case::new(Job::J3, FloorJob::Export, "J3 bulk query of 200,000 rows, borrowed", 200_000, 1.2),
    Case::new(Job::J3o, FloorJob::Export, "J3o the same, owned", 200_000, 1.6),
    Case::new(Job::J4, FloorJob::Load, "J4 bulk load of 100,000 rows", OUTCOMES, 1.15),
    Case::new(Job::J4o, FloorJob::LoadWithOutcomes, "J4o the same, one outcome a row", OUTCOMES, 1.5),
    Case {
        goal: None,
        ..Case::new(Job::J4o, FloorJob::Load, "J4o beside a floor that reads no outcomes", OUTCOMES, 0.0)
    },
    Case::new(Job::J5, FloorJob::Reads, "J5 1,000 reads at once, token expired", 1000, 1.5),
];

fn main() -> ExitCode {
    let options = Options::parse();
    let ended = match options.part {
        Some(Part::Server { latency }) => server::run(Duration::from_millis(latency)).map(|()| Vec::new()),
        Some(Part::Ours { job, url, records }) => {
            measure::perform(Who::Ours(job), &url, records, false).map(|()| Vec::new())
        }
        Some(Part::Floor { job, url, records, far }) => {
            measure::perform(Who::Floor(job), &url, records, far).map(|()| Vec::new())
        }
        None if options.memory => memory(),
        None => speed(&options),
    };
    match ended {
        Ok(above) => {
            for above in &above {
                eprintln!("{above}");
            }
            if options.check && !above.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Both by turns; tells what is above its goal.
fn speed(options: &Options) -> Result<Vec<String>, Failed> {
    let server = Server::start(options.latency)?;
    let chosen = |case: &&Case| options.job.is_empty() || options.job.contains(&case.job);
    let cases: Vec<&Case> = CASES.iter().filter(chosen).collect();
    let mut pairs: Vec<Vec<[Told; 2]>> = cases.iter().map(|_| Vec::new()).collect();
    for _ in 0..options.rounds.max(1) {
        for (case, pairs) in cases.iter().zip(&mut pairs) {
            let rows = if options.latency > 0 { case.far_rows } else { case.rows };
            let ours = || right(&server, Who::Ours(case.job), rows, BLOCK);
            let floor = || right(&server, Who::Floor(case.floor), rows, BLOCK);
            pairs.push(if fastrand::bool() {
                let ours = ours()?;
                [ours, floor()?]
            } else {
                let floor = floor()?;
                [ours()?, floor]
            });
        }
    }
    println!("| job | wall s | floor, wall s | × wall | × processor | goal | peak MB | floor, peak MB |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut above = Vec::new();
    for (case, pairs) in cases.iter().zip(&pairs) {
        let side = |side: usize, of: fn(&Told) -> f64| median(pairs.iter().map(|pair| of(&pair[side])));
        let ratio = |of: fn(&Told) -> f64| median(pairs.iter().map(|[ours, floor]| of(ours) / of(floor)));
        let (wall, processor) = (ratio(|told| told.wall_s), ratio(|told| told.cpu_s));
        println!(
            "| {} | {:.3} | {:.3} | {wall:.2} | {processor:.2} | {} | {:.1} | {:.1} |",
            case.what,
            side(0, |told| told.wall_s),
            side(1, |told| told.wall_s),
            case.goal.map_or_else(|| "none".to_owned(), |goal| goal.to_string()),
            side(0, |told| told.peak_mb),
            side(1, |told| told.peak_mb),
        );
        let Some(goal) = case.goal else { continue };
        if wall > goal + ROOM_WALL {
            above.push(format!("{}: {wall:.2} times the floor, goal {goal} and room {ROOM_WALL}", case.what));
        }
        if processor > goal + ROOM_PROCESSOR {
            above.push(format!("{}: {processor:.2} times the floor's processor time, goal {goal}", case.what));
        }
    }
    Ok(above)
}

/// The most memory that jobs need, the largest of three runs; tells what is above its limit.
fn memory() -> Result<Vec<String>, Failed> {
    /// Rows of a page of 114 MB.
    const LARGE: usize = 500_000;
    let server = Server::start(0)?;
    let mut above = Vec::new();
    println!("| job | rows | peak MB | floor, peak MB | limit |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let mut line = |what: &str, job: Job, floor: FloorJob, rows: usize, page: usize, limit: Option<f64>| {
        let runs = if rows > 1_000_000 { 1 } else { 3 };
        let peak = |who: Who| -> Result<f64, Failed> {
            let mut peak = 0.0_f64;
            for _ in 0..runs {
                peak = peak.max(right(&server, who, rows, page)?.peak_mb);
            }
            Ok(peak)
        };
        let (ours, floor) = (peak(Who::Ours(job))?, peak(Who::Floor(floor))?);
        let told = limit.map_or_else(|| "none".to_owned(), |limit| format!("{limit:.1}"));
        println!("| {what} | {rows} | {ours:.1} | {floor:.1} | {told} |");
        if limit.is_some_and(|limit| ours > limit) {
            above.push(format!("{what}, {rows} rows: a peak of {ours:.1} MB, limit {told} MB"));
        }
        Ok::<_, Failed>(ours)
    };
    let few = line("J1 read by SOQL, borrowed", Job::J1, FloorJob::Query, 50_000, BLOCK, None)?;
    line("J1 read by SOQL, borrowed", Job::J1, FloorJob::Query, 5_000_000, BLOCK, Some(few + GROWTH_MB))?;
    let few = line("J1o read by SOQL, owned", Job::J1o, FloorJob::Query, 50_000, BLOCK, None)?;
    line("J1o read by SOQL, owned", Job::J1o, FloorJob::Query, 5_000_000, BLOCK, Some(few + GROWTH_MB))?;
    line("J3 bulk query, one page of 114 MB", Job::J3, FloorJob::Export, LARGE, LARGE, Some(40.0))?;
    line("J3o the same, owned", Job::J3o, FloorJob::Export, LARGE, LARGE, Some(40.0))?;
    line("J4 bulk load", Job::J4, FloorJob::Load, OUTCOMES, BLOCK, Some(16.0))?;
    line("J4 bulk load", Job::J4, FloorJob::Load, 900_000, BLOCK, Some(16.0))?;
    Ok(above)
}

/// Has a job done, and looks whether all of it was done.
fn right(server: &Server, who: Who, rows: usize, page: usize) -> Result<Told, Failed> {
    let (told, Counts { rows: written, tokens, .. }, [json_sum, csv_sum]) = server.run(who, rows, page)?;
    let (sum, writes, tokens_due) = match who {
        Who::Ours(Job::J1 | Job::J1o) | Who::Floor(FloorJob::Query) => (Some(json_sum), 0, 1),
        Who::Ours(Job::J3 | Job::J3o) | Who::Floor(FloorJob::Export) => (Some(csv_sum), 0, 1),
        // The first one, and one renewal for all reads.
        Who::Ours(Job::J5) | Who::Floor(FloorJob::Reads) => (None, 0, 2),
        _ => (None, rows, 1),
    };
    // Scores are quarters, so that their sums are exact.
    let wrong = told.records != rows
        || told.failures.is_some_and(|failures| failures > 0)
        || told.sum != sum
        || written != writes
        || tokens != tokens_due;
    if wrong {
        return Err(format!("{who:?}: a wrong result: {told:?}, the server saw {written} rows, {tokens} tokens").into());
    }
    Ok(told)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    f64::midpoint(values[values.len() / 2], values[(values.len() - 1) / 2])
}
