//! One job in a process of its own: what it found, how long it took, what it cost.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sforce::http::{HttpService as _, Method, Request, Reqwest};

use crate::server::Counts;
use crate::target::{Done, Job, Target, runtime};
use crate::{Failed, FloorJob, floor};

/// Who does a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Ours(Job),
    Floor(FloorJob),
}

/// What a process tells of itself as its last line.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Told {
    pub(crate) records: usize,
    pub(crate) sum: Option<f64>,
    pub(crate) failures: Option<usize>,
    pub(crate) wall_s: f64,
    pub(crate) cpu_s: f64,
    pub(crate) peak_mb: f64,
}

/// Does one job in this process. Time and processor time begin once the client is made and has its token.
pub(crate) fn perform(who: Who, url: &str, records: usize, far: bool) -> Result<(), Failed> {
    // As many threads as ours.
    let job = match who {
        Who::Ours(job) => job,
        Who::Floor(FloorJob::Query) => Job::J1,
        Who::Floor(_) => Job::J3,
    };
    let runtime = runtime(job)?;
    let (done, cpu_s) = runtime.block_on(async {
        match who {
            Who::Ours(job) => {
                let failed = |failure| Failed::from(format!("{failure:?}"));
                let target = Target::reach(Some(url), job, records).await.map_err(failed)?;
                let before = processor_time()?;
                let done = crate::jobs::run(job, &target, records).await.map_err(failed)?;
                Ok::<_, Failed>((done, processor_time()? - before))
            }
            Who::Floor(job) => {
                let floor = floor::Floor::reach(url, far).await?;
                let before = processor_time()?;
                let done = floor.run(job, records).await?;
                Ok((done, processor_time()? - before))
            }
        }
    })?;
    let Done { records, sum, failures, wall_s } = done;
    println!("{}", serde_json::to_string(&Told { records, sum, failures, wall_s, cpu_s, peak_mb: peak_mb()? })?);
    Ok(())
}

/// Seconds that the threads of this process have run. None of those that jobs start ends before the job.
fn processor_time() -> Result<f64, Failed> {
    // The scheduler counts a thread when it stops running, so this one has to stop first.
    pause(Duration::from_millis(2));
    let mut nanoseconds = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        let run: u64 = text.split(' ').next().unwrap_or_default().parse()?;
        nanoseconds += run;
    }
    Ok(Duration::from_nanos(nanoseconds).as_secs_f64())
}

/// The most memory that this process has held, in megabytes.
fn peak_mb() -> Result<f64, Failed> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no peak")?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024.0)
}

#[expect(clippy::disallowed_methods, reason = "a program that measures has nobody else's clock")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// The server in a process of its own, which ends with its input.
pub(crate) struct Server {
    process: Child,
    input: Option<ChildStdin>,
    url: String,
    program: PathBuf,
    far: bool,
    control: tokio::runtime::Runtime,
}

impl Server {
    pub(crate) fn start(latency: u64) -> Result<Self, Failed> {
        let program = std::env::current_exe()?;
        let mut process = Command::new(&program)
            .args(["server", &latency.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = process.stdin.take();
        let mut port = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut port)?;
        let url = format!("http://127.0.0.1:{}", port.trim());
        let control = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { process, input, url, program, far: latency > 0, control })
    }

    /// Has a process do a job over so many rows, and tells how, with what the server saw and the sums it should have found by
    /// SOQL and by a bulk query.
    pub(crate) fn run(&self, who: Who, records: usize, bulk_page: usize) -> Result<(Told, Counts, [f64; 2]), Failed> {
        let sums = serde_json::from_slice(&self.ask(&format!("/__reset?rows={records}&page={bulk_page}"))?)?;
        let (role, job) = match who {
            Who::Ours(job) => ("ours", format!("{job:?}")),
            Who::Floor(job) => ("floor", format!("{job:?}")),
        };
        let mut command = Command::new(&self.program);
        command.args([role, &job, &self.url, &records.to_string()]);
        if self.far && role == "floor" {
            command.arg("--far");
        }
        let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(format!("{role} {job}: {}", output.status).into());
        }
        let text = String::from_utf8(output.stdout)?;
        let told = serde_json::from_str(text.lines().last().unwrap_or_default())?;
        let counts = serde_json::from_slice(&self.ask("/__counts")?)?;
        Ok((told, counts, sums))
    }

    fn ask(&self, path: &str) -> Result<Vec<u8>, Failed> {
        let request = Request::new(Method::POST, format!("{}{path}", self.url).parse()?);
        // A new service each time: between two jobs nothing of it is left in the server.
        let answer =
            self.control.block_on(async { Reqwest::new().send(request).await?.body.collect(1 << 20).await })?;
        Ok(answer.to_vec())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        // It has ended, or it is gone already.
        let _ = self.process.wait();
    }
}
