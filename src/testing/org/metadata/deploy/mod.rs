//! Deployments: a package goes in, waits for its turn, and changes the org as a whole or in part.
// Metadata guide, "deploy()", "checkDeployStatus()", "cancelDeploy()", "Deploy Metadata with Apex Testing Using REST".

mod apply;
mod options;
pub(crate) mod rest;
mod row;
mod settings;
pub(super) mod soap;

use std::collections::VecDeque;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};

use super::super::ids;
use super::super::mock::MockOrg;
use super::super::state::State;
use super::archive;
use super::package::Package;
pub(super) use options::Options;
pub(in crate::testing::org) use row::Row;
pub use settings::DeploySettings;
use settings::{Pace, Settings};

/// How long a validation can be deployed without tests. Metadata guide, `deployRecentValidation()`.
const RECENT: TimeDelta = TimeDelta::days(10);

/// `DeployStatus`, and what REST has beyond that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    InProgress,
    FinalizingDeploy,
    FinalizingDeployFailed,
    Succeeded,
    SucceededPartial,
    Failed,
    Canceling,
    Canceled,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::FinalizingDeploy => "FinalizingDeploy",
            Self::FinalizingDeployFailed => "FinalizingDeployFailed",
            Self::Succeeded => "Succeeded",
            Self::SucceededPartial => "SucceededPartial",
            Self::Failed => "Failed",
            Self::Canceling => "Canceling",
            Self::Canceled => "Canceled",
        }
    }

    fn done(self) -> bool {
        !matches!(self, Self::Pending | Self::InProgress | Self::FinalizingDeploy | Self::Canceling)
    }
}

/// A deployment, from its request on.
#[derive(Clone, Debug)]
pub(super) struct Deploy {
    id: String,
    user: String,
    /// Of the request.
    version: u32,
    options: Options,
    archive: Bytes,
    status: Status,
    created: DateTime<Utc>,
    started: Option<DateTime<Utc>>,
    modified: DateTime<Utc>,
    completed: Option<DateTime<Utc>>,
    canceled_by: Option<String>,
    /// Looks that its turn has seen.
    polls: u32,
    /// Components there are, and those that are done.
    total: usize,
    deployed: usize,
    rows: Vec<Row>,
    /// What went wrong with it as a whole: code and text.
    error: Option<(String, String)>,
    /// A cancel came when the data was being committed.
    commits_anyway: bool,
}

impl Deploy {
    fn enter(&mut self, status: Status, now: DateTime<Utc>) {
        self.status = status;
        self.modified = now;
        if status.done() {
            self.completed = Some(now);
            // A validation may be deployed later on.
            if status != Status::Succeeded || !self.options.check_only {
                self.archive = Bytes::new();
            }
        } else if status != Status::Pending && self.started.is_none() {
            self.started = Some(now);
        }
    }

    fn fail(&mut self, code: &str, text: impl Into<String>, now: DateTime<Utc>) {
        self.error = Some((code.to_owned(), text.into()));
        self.enter(Status::Failed, now);
    }

    /// Failed rows that are no warnings, the manifests' among them.
    fn errors(&self) -> usize {
        self.rows.iter().filter(|row| !row.success).count()
    }
}

/// All deployments of the org, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Deploys {
    jobs: Vec<Deploy>,
    settings: Settings,
    /// Ends that tests have set for the next ones: code, text, and whether only the commit fails.
    failures: VecDeque<(String, String, bool)>,
}

impl Deploys {
    fn place(&self, id: &str) -> Option<usize> {
        let id = ids::to_18(id)?;
        self.jobs.iter().position(|job| job.id == id)
    }

    /// How long things take on the org's clock, if that decides.
    pub(super) fn time(&self) -> Option<TimeDelta> {
        match self.settings.pace {
            Pace::Time(time) => Some(time),
            Pace::Polls(_) => None,
        }
    }

    /// Looks that do not see a thing done yet, if they decide.
    pub(super) fn polls(&self) -> Option<u32> {
        match self.settings.pace {
            Pace::Polls(polls) => Some(polls),
            Pace::Time(_) => None,
        }
    }

    /// The one whose turn it is: an org carries out one at a time.
    // Metadata guide, "deploy()": "the deployment is queued and waits".
    fn turn(&self) -> Option<usize> {
        self.jobs.iter().position(|job| !job.status.done())
    }
}

/// A new deployment, at the end of the queue.
fn submit(state: &mut State, user: &str, version: u32, options: Options, archive: Bytes) -> usize {
    let serial = state.data.next_serial("deployments");
    let now = state.data.now();
    state.deploys.jobs.push(Deploy {
        id: ids::make("0Af", serial),
        user: user.to_owned(),
        version,
        options,
        archive,
        status: Status::Pending,
        created: now,
        started: None,
        modified: now,
        completed: None,
        canceled_by: None,
        polls: 0,
        total: 0,
        deployed: 0,
        rows: Vec::new(),
        error: None,
        commits_anyway: false,
    });
    state.deploys.jobs.len() - 1
}

/// A validation that succeeded within the last days, once more and in earnest.
// [K] That the level of its tests does not matter: the org has none.
fn submit_validated(state: &mut State, user: &str, version: u32, id: &str) -> Option<usize> {
    let now = state.data.now();
    let job = &state.deploys.jobs[state.deploys.place(id)?];
    let recent = job.completed.is_some_and(|at| now - at <= RECENT);
    if !job.options.check_only || job.status != Status::Succeeded || !recent {
        return None;
    }
    let options = Options { check_only: false, ..job.options.clone() };
    let archive = job.archive.clone();
    Some(submit(state, user, version, options, archive))
}

/// Somebody looks at a deployment, and the org has gone on meanwhile.
fn by_poll(state: &mut State) {
    let Pace::Polls(polls) = state.deploys.settings.pace else { return };
    if state.deploys.settings.held {
        return;
    }
    with_turn(state, |state, job| {
        job.polls += 1;
        let finalizes = state.deploys.settings.finalizes;
        match job.polls {
            _ if job.status == Status::Canceling => finish(state, job),
            seen if seen > polls + u32::from(finalizes) => finish(state, job),
            seen if seen > polls => finalize(state, job),
            1 if polls > 1 => {}
            seen => progress(state, job, seen.into(), u64::from(polls) + 1),
        }
    });
}

/// Time has gone by.
pub(crate) fn tick(state: &mut State) {
    let Pace::Time(whole) = state.deploys.settings.pace else { return };
    while !state.deploys.settings.held {
        let now = state.data.clock.now_exact();
        let before = state.deploys.turn();
        with_turn(state, |state, job| {
            let gone = (now - job.created).num_milliseconds().max(0).unsigned_abs();
            let whole = whole.num_milliseconds().max(0).unsigned_abs();
            if gone >= whole || job.status == Status::Canceling {
                finish(state, job);
            } else if state.deploys.settings.finalizes && gone >= whole / 10 * 9 {
                finalize(state, job);
            } else {
                progress(state, job, gone, whole);
            }
        });
        if before == state.deploys.turn() {
            return;
        }
    }
}

fn with_turn(state: &mut State, act: impl FnOnce(&mut State, &mut Deploy)) {
    let Some(place) = state.deploys.turn() else { return };
    let mut job = state.deploys.jobs[place].clone();
    act(state, &mut job);
    state.deploys.jobs[place] = job;
}

/// It is being carried out: `part` of `of` is done. Nothing of it is in the org yet.
fn progress(state: &mut State, job: &mut Deploy, part: u64, of: u64) {
    let now = state.data.now();
    if job.status == Status::Pending {
        let Some(packages) = unpack(state, job) else { return };
        job.total = packages.iter().map(Package::count).sum();
        job.enter(Status::InProgress, now);
    }
    let done = job.total as u128 * u128::from(part) / u128::from(of.max(1));
    job.deployed = usize::try_from(done).unwrap_or(job.total);
    job.modified = now;
}

fn finalize(state: &mut State, job: &mut Deploy) {
    if job.status == Status::Pending {
        progress(state, job, 1, 1);
    }
    if job.status == Status::InProgress {
        job.deployed = job.total;
        job.enter(Status::FinalizingDeploy, state.data.now());
    }
}

/// The packages of the archive, or the end of the deployment.
fn unpack(state: &State, job: &mut Deploy) -> Option<Vec<Package>> {
    match archive::read(&job.archive, state.deploys.settings.bounds) {
        Ok(files) => Some(Package::all(&files, &job.options)),
        Err((code, text)) => {
            job.fail(code, text, state.data.now());
            None
        }
    }
}

/// Carries out what is left and says how it ended.
fn finish(state: &mut State, job: &mut Deploy) {
    let now = state.data.now();
    if job.status == Status::Canceling && !job.commits_anyway {
        job.deployed = 0;
        return job.enter(Status::Canceled, now);
    }
    if let Some((code, text, commit)) = state.deploys.failures.pop_front() {
        job.fail(&code, text, now);
        if commit {
            job.status = Status::FinalizingDeployFailed;
        }
        return;
    }
    let Some(packages) = unpack(state, job) else { return };
    job.total = packages.iter().map(Package::count).sum();
    if job.started.is_none() {
        job.started = Some(now);
    }
    job.rows = apply::carry_out(state, &job.user, job.version, &job.options, packages);
    let errors = job.errors();
    job.deployed = job.rows.iter().filter(|row| row.success && !row.is_manifest()).count();
    let status = match errors {
        // [D] "attempts to cancel may succeed, but data from the deployment is also committed".
        _ if job.status == Status::Canceling => Status::Canceled,
        0 => Status::Succeeded,
        _ if job.options.rollback_on_error || job.deployed == 0 => Status::Failed,
        _ => Status::SucceededPartial,
    };
    job.enter(status, now);
}

/// Why a cancel is refused.
enum NotCanceled {
    Done,
    Finalizing,
}

/// Asks for the end of a deployment: at once in the queue, soon when it is being carried out.
fn cancel(state: &mut State, place: usize, user: &str, version: u32) -> Result<(), NotCanceled> {
    let now = state.data.now();
    let job = &mut state.deploys.jobs[place];
    match job.status {
        Status::Pending => job.enter(Status::Canceled, now),
        Status::Canceling => return Ok(()),
        Status::InProgress => job.enter(Status::Canceling, now),
        Status::FinalizingDeploy if version < 65 => {
            job.commits_anyway = true;
            job.enter(Status::Canceling, now);
        }
        Status::FinalizingDeploy => return Err(NotCanceled::Finalizing),
        _ => return Err(NotCanceled::Done),
    }
    job.canceled_by = Some(user.to_owned());
    Ok(())
}

/// First and last name of a user.
pub(super) fn name_of(state: &State, user: &str) -> String {
    let row = state.data.store.find(user).map(|(row, _)| row);
    let text = |name: &str| row.map_or("", |row| super::super::value::text(row, name));
    format!("{} {}", text("FirstName"), text("LastName")).trim().to_owned()
}

impl MockOrg {
    /// The behaviour of deployments, and what became of them.
    #[must_use]
    pub fn deploys(&self) -> DeploySettings<'_> {
        DeploySettings::new(self)
    }
}
