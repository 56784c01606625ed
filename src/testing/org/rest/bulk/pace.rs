//! When a job moves on.

use super::job::{Job, JobState, Work};
use super::settings::Pace;
use super::{query, work};
use crate::testing::org::state::State;

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// It waits for its turn.
    Queued,
    /// Parts done of parts in all.
    Part(u64, u64),
    End,
}

/// A look at the job.
pub(super) fn by_poll(state: &mut State, job: &mut Job) {
    let Pace::Polls(polls) = state.bulk.settings.pace else { return };
    if !job.is_running() {
        return;
    }
    job.polls += 1;
    let reach = if job.polls > polls {
        Reach::End
    } else if job.polls == 1 && polls > 1 {
        Reach::Queued
    } else {
        Reach::Part(job.polls.into(), u64::from(polls) + 1)
    };
    advance(state, job, reach);
}

/// Time has gone by.
pub(super) fn by_time(state: &mut State, job: &mut Job) {
    let (Pace::Time(whole), Some(queued)) = (state.bulk.settings.pace, job.queued) else { return };
    let gone = (state.data.clock.now_exact() - queued).num_milliseconds().max(0).unsigned_abs();
    let whole = whole.num_milliseconds().max(0).unsigned_abs();
    advance(state, job, if gone >= whole { Reach::End } else { Reach::Part(gone, whole) });
}

fn advance(state: &mut State, job: &mut Job, reach: Reach) {
    if reach == Reach::Queued {
        return;
    }
    if job.state == JobState::UploadComplete {
        job.enter(JobState::InProgress, state.data.now());
    }
    match job.work {
        Work::Ingest(_) => work::advance(state, job, reach),
        Work::Query(_) if reach == Reach::End => query::run(state, job),
        Work::Query(_) => {}
    }
}
