//! What answers mean for their rows: each row has one outcome, or waits to be sent once more.

use std::time::Duration;

use super::{Answer, Engine, Results};
use crate::api::SaveResult;
use crate::api::bulk::RowOutcome;
use crate::error::{Effect, Error, ErrorKind};
use crate::sync::batch::{ends_for_all, ends_the_run, has_used_up_a_limit, is_outage, may_pass, pause_before};
use crate::sync::write::job::{Fate, JobEnd};
use crate::sync::write::outcome::{WriteOutcome, WrittenRow};
use crate::sync::write::route::Jobs;
use crate::sync::write::row::{Row, Target};

/// Calls in a row without an answer after which the rest would meet the same.
const MOST_FAILURES: usize = 5;

/// Jobs in a row that failed for what is in them after which rows go by calls.
const MOST_FAILED_JOBS: usize = 3;

const HALF_A_SECOND: Duration = Duration::from_millis(500);

/// Rows of a job that are one transaction. Source: Bulk API 2.0 guide; protocol facts, section 3.1.
const ROWS_OF_A_CHUNK: usize = 200;

/// What refused rows tell of the call that they were in.
#[derive(Clone, Copy, Debug, Default)]
struct Trouble {
    /// Rows of the call.
    rows: usize,
    any: bool,
    locked: bool,
    used_up: bool,
}

impl Engine<'_> {
    fn operation(&self) -> &'static str {
        self.intake.target().operation()
    }

    /// Settles a record, and those that it stands for.
    fn put(&mut self, row: u64, outcome: WriteOutcome) {
        self.put_all(row, outcome, false);
    }

    /// The same where, in `doubt`, some of them may have been written before.
    fn put_all(&mut self, row: u64, outcome: WriteOutcome, doubt: bool) {
        let folded = self.folded.remove(&row).unwrap_or_default();
        self.folded_rows -= folded.len();
        let same = |error: &Error| error.clone().with_context("folded_into", row);
        for earlier in folded {
            let outcome = match &outcome {
                WriteOutcome::Saved { .. } | WriteOutcome::Deleted | WriteOutcome::Folded { .. } => {
                    WriteOutcome::Folded { into: row }
                }
                WriteOutcome::Rejected(error) if doubt => {
                    WriteOutcome::Unknown(same(error).with_effect(Effect::Unknown))
                }
                // It might have passed alone.
                WriteOutcome::Rejected(error) | WriteOutcome::Deferred(error) => WriteOutcome::Deferred(same(error)),
                WriteOutcome::Unknown(error) => WriteOutcome::Unknown(same(error)),
            };
            self.ready.push_back(WrittenRow { row: earlier, outcome });
        }
        self.ready.push_back(WrittenRow { row, outcome });
    }

    /// Notes that one record stands for another, and for those that this one stood for.
    pub(super) fn fold(&mut self, row: u64, into: u64) {
        let mut folded = self.folded.remove(&row).unwrap_or_default();
        folded.push(row);
        self.folded_rows += 1;
        self.folded.entry(into).or_default().append(&mut folded);
    }

    /// Settles a record that is not done, as `last` says where it is known that it was not written.
    fn fail(&mut self, row: &Row, error: Error, last: fn(Error) -> WriteOutcome) {
        let doubt = row.doubt;
        let outcome = match last(error) {
            WriteOutcome::Rejected(error) if error.effect() == Effect::Unknown => WriteOutcome::Unknown(error),
            WriteOutcome::Deferred(error) if doubt || error.effect() == Effect::Unknown => {
                WriteOutcome::Unknown(error.with_effect(Effect::Unknown))
            }
            known => known,
        };
        self.put_all(row.place, outcome, doubt);
    }

    pub(super) fn settle(&mut self, answer: Answer) {
        let Answer { rows, locks, results } = answer;
        self.schedule.done(&locks);
        match results {
            Results::OfCall(Ok(results)) => self.settle_call(rows, results),
            Results::OfCall(Err(error)) => self.settle_failure(rows, error),
            Results::OfJob(end) => self.settle_job(rows, end),
        }
    }

    fn settle_call(&mut self, rows: Vec<Row>, results: Vec<SaveResult>) {
        self.failures = 0;
        let count = rows.len();
        self.locks.tried(count);
        let mut trouble = Trouble { rows: count, ..Trouble::default() };
        for (row, result) in rows.into_iter().zip(results) {
            self.settle_row(row, result, &mut trouble);
        }
        if trouble.locked {
            self.client.congested();
        }
        if trouble.used_up {
            self.schedule.too_large(count);
        }
        if !trouble.any {
            self.schedule.went_well();
        }
    }

    fn settle_row(&mut self, row: Row, result: SaveResult, trouble: &mut Trouble) {
        let SaveResult { id, created, error, .. } = result;
        let deletes = *self.intake.target() == Target::Delete;
        // One that a job has deleted without telling is found deleted.
        let error = error.filter(|error| !(row.doubt && deletes && error.has_code("ENTITY_IS_DELETED")));
        let Some(error) = error else {
            let outcome = match id.or(row.id) {
                _ if deletes => WriteOutcome::Deleted,
                Some(id) => WriteOutcome::Saved { id, created },
                None => WriteOutcome::Unknown(
                    Error::new(ErrorKind::Decode, self.operation(), "a saved record has no id")
                        .with_effect(Effect::Unknown),
                ),
            };
            return self.put(row.place, outcome);
        };
        trouble.any = true;
        let unknown = error.effect() == Effect::Unknown;
        if unknown && !self.intake.target().is_idempotent() {
            return self.put(row.place, WriteOutcome::Unknown(error));
        }
        let row = Row { doubt: row.doubt || unknown, ..row };
        // What is told of a row may be the end of the call, or of the part of one, that it was in.
        let of_call = error.status().is_some() || error.salesforce().is_empty();
        let error = if of_call { error } else { error.with_effect(Effect::None) };
        if error.kind() == ErrorKind::RowLocked {
            trouble.locked = true;
            self.locks.locked(&row.json, &error);
        }
        if has_used_up_a_limit(&error) {
            trouble.used_up = true;
            // One that uses up a limit alone would do so again.
            return self.send_again(row, error, WriteOutcome::Rejected);
        }
        if may_pass(&error) {
            return self.send_again(row, error, WriteOutcome::Deferred);
        }
        // Another writer has created the record between our read and our write: now it is there to be updated.
        let upserts = matches!(self.intake.target(), Target::Upsert(_));
        if upserts && row.round == 0 && error.has_code("DUPLICATE_VALUE") {
            return self.send_again(row, error, WriteOutcome::Rejected);
        }
        let ends = error.kind() == ErrorKind::LimitExceeded || (of_call && ends_for_all(&error));
        let passes = ends || is_outage(&error);
        if of_call && !passes && trouble.rows > 1 {
            // One bad row can spoil a part of a call: smaller calls find it.
            return self.send_again(row, error, WriteOutcome::Rejected);
        }
        self.fail(&row, error.clone(), if passes { WriteOutcome::Deferred } else { WriteOutcome::Rejected });
        if ends {
            self.stop(error);
        }
    }

    /// A call's task has panicked, or was ended with the runtime.
    pub(super) fn settle_none(&mut self, places: &[u64]) {
        let error = Error::new(ErrorKind::Unexpected, self.operation(), "a call ended without an answer")
            .with_effect(Effect::Unknown);
        for place in places {
            self.put(*place, WriteOutcome::Unknown(error.clone()));
        }
        self.stop(error);
    }

    /// A whole call was not answered, or refused as a whole.
    fn settle_failure(&mut self, rows: Vec<Row>, error: Error) {
        // One that was too much at once is no outage: smaller ones may pass.
        let too_much = has_used_up_a_limit(&error) && rows.len() > 1;
        let outage = is_outage(&error) && !too_much;
        let passes = outage || ends_the_run(&error);
        let unknown = error.effect() == Effect::Unknown && !self.intake.target().is_idempotent();
        if has_used_up_a_limit(&error) {
            self.schedule.too_large(rows.len());
        }
        // One bad row can spoil a call: smaller ones find it, and the others land.
        let alone = rows.len() == 1;
        for row in rows {
            let error = error.clone();
            if unknown {
                self.put(row.place, WriteOutcome::Unknown(error));
            } else if passes {
                self.fail(&row, error, WriteOutcome::Deferred);
            } else if alone {
                self.fail(&row, error, WriteOutcome::Rejected);
            } else {
                self.send_again(row, error, WriteOutcome::Rejected);
            }
        }
        if outage {
            self.failures += 1;
        }
        let quiet = self.calls.is_empty() && self.input.is_none() && self.schedule.len() == 0;
        if ends_the_run(&error) || (outage && (self.failures >= MOST_FAILURES || quiet)) {
            self.stop(error);
        }
    }

    /// A job has ended. What it leaves goes by calls: rows that it refused for a reason that may pass, those it did not look at, and,
    /// where writing twice is writing once, those it does not tell of.
    fn settle_job(&mut self, rows: Vec<Row>, end: JobEnd) {
        let JobEnd { outcomes, error, fate } = end;
        self.in_job = 0;
        self.locks.tried(rows.len());
        self.job_bytes = 0;
        let mut trouble = Trouble::default();
        let (mut why, mut saved) = (None, false);
        let stops = error.as_ref().is_some_and(ends_jobs);
        let tells_created = matches!(self.intake.target(), Target::Upsert(_));
        for (row, outcome) in rows.into_iter().zip(outcomes) {
            match outcome {
                Some(RowOutcome::Saved { id, created }) => {
                    saved = true;
                    let created = tells_created.then_some(created);
                    self.settle_row(row, SaveResult { id: Some(id), created, error: None }, &mut trouble);
                }
                // A file cannot say it, but a call can.
                Some(RowOutcome::Failed(error)) if error.salesforce().is_empty() => self.leave(row),
                Some(RowOutcome::Failed(error)) => {
                    self.settle_row(row, SaveResult { id: None, created: None, error: Some(error) }, &mut trouble);
                }
                Some(RowOutcome::Unprocessed(error)) => {
                    why.get_or_insert_with(|| error.clone());
                    // Who has aborted the job does not want its rows to come another way.
                    if fate == Fate::Aborted {
                        self.fail(&row, error, WriteOutcome::Deferred);
                    } else {
                        self.leave(row);
                    }
                }
                Some(RowOutcome::Unknown(error)) => self.settle_unknown(row, error, fate),
                None => match &error {
                    Some(error) if stops => self.fail(&row, error.clone(), WriteOutcome::Deferred),
                    Some(error) if error.kind() == ErrorKind::Unexpected => {
                        self.settle_unknown(row, error.clone(), fate);
                    }
                    _ => self.leave(row),
                },
            }
        }
        if trouble.used_up {
            self.schedule.too_large(ROWS_OF_A_CHUNK);
        }
        self.failures = match &error {
            Some(error) if is_outage(error) => self.failures + 1,
            _ if saved => 0,
            _ => self.failures,
        };
        let lasts = |error: &Option<Error>| error.as_ref().is_some_and(|error| !is_outage(error));
        self.plan.failed_jobs = if lasts(&why) { self.plan.failed_jobs + 1 } else { 0 };
        // One bad row makes a job fail, and the next one may have none; one that is not taken never will be.
        if lasts(&error) || self.plan.failed_jobs >= MOST_FAILED_JOBS {
            self.plan.jobs = Jobs::No;
            self.choose();
        }
        let aborted = why.filter(|_| fate == Fate::Aborted);
        if let Some(error) = aborted.or(error.filter(|_| stops || self.failures >= MOST_FAILURES)) {
            self.stop(error);
        }
    }

    /// A row that was in a job which does not tell what became of it.
    fn settle_unknown(&mut self, row: Row, error: Error, fate: Fate) {
        if !self.intake.target().is_idempotent() {
            return self.put(row.place, WriteOutcome::Unknown(error));
        }
        if fate == Fate::Loose {
            // It may be written yet, after whatever would be sent now.
            self.fail(&row, error.clone(), WriteOutcome::Deferred);
            return self.stop(error);
        }
        self.leave(Row { doubt: true, ..row });
    }

    /// Has a row go by a call, at once.
    fn leave(&mut self, row: Row) {
        if let Some(error) = &self.stopped {
            let error = error.clone();
            return self.fail(&row, error.with_effect(Effect::None), WriteOutcome::Deferred);
        }
        let place = row.place;
        if let Some(into) = self.schedule.left(row) {
            self.fold(place, into);
        }
    }

    /// Keeps a row for a smaller call; one that was tried in all sizes ends as `last` says.
    fn send_again(&mut self, row: Row, error: Error, last: fn(Error) -> WriteOutcome) {
        if self.stopped.is_some() {
            return self.fail(&row, error, WriteOutcome::Deferred);
        }
        let row = Row { doubt: row.doubt || error.effect() == Effect::Unknown, ..row };
        // In steps of half a second: rows of calls that failed together make full calls again.
        let halves = u32::try_from(self.client.monotonic().as_millis() / 500).unwrap_or(u32::MAX);
        let due = HALF_A_SECOND.saturating_mul(halves.saturating_add(1)) + pause_before(row.round + 1, self.chance);
        let place = row.place;
        match self.schedule.again(row, due) {
            Ok(None) => {}
            // A newer one of its key has come meanwhile and stands for it.
            Ok(Some(into)) => self.fold(place, into),
            Err(row) => self.fail(&row, error, last),
        }
    }

    /// Ends the run: rows that wait are not sent, and no more are taken in. Calls on their way are waited for.
    pub(super) fn stop(&mut self, error: Error) {
        for row in self.schedule.drain() {
            self.fail(&row, error.clone().with_effect(Effect::None), WriteOutcome::Deferred);
        }
        self.stopped.get_or_insert(error);
    }
}

/// Whether what kept rows from being sent by a job would keep them from going by calls as well.
fn ends_jobs(error: &Error) -> bool {
    use ErrorKind::{Auth, Config, LimitExceeded, ReauthRequired, Store};
    // The Bulk API has allowances of its own.
    matches!(error.kind(), Auth | Config | ReauthRequired | LimitExceeded | Store) && !error.has_code("EXCEEDED_QUOTA")
}
