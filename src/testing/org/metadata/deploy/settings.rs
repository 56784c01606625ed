//! What tests set of deployments.

use std::time::Duration;

use chrono::TimeDelta;

use super::super::archive::Bounds;
use super::{Status, finalize, finish, progress, with_turn};
use crate::testing::org::mock::MockOrg;

/// When deployments move on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Looks that do not see the one whose turn it is done yet.
    Polls(u32),
    /// Time on the org's clock.
    Time(TimeDelta),
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(super) struct Settings {
    pub(super) pace: Pace,
    pub(super) held: bool,
    pub(super) finalizes: bool,
    pub(super) production: bool,
    pub(super) guide_scalars: bool,
    pub(super) bounds: Bounds,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // [K] One look in between: no deployment is done when it is requested.
            pace: Pace::Polls(1),
            held: false,
            finalizes: false,
            production: false,
            guide_scalars: false,
            bounds: Bounds::default(),
        }
    }
}

/// The behaviour of an org's deployments: `org.deploys().complete_after_polls(3)`. Retrieves keep the same pace.
#[derive(Debug)]
pub struct DeploySettings<'a> {
    org: &'a MockOrg,
}

impl<'a> DeploySettings<'a> {
    pub(super) fn new(org: &'a MockOrg) -> Self {
        Self { org }
    }

    fn set(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.org.state().deploys.settings);
    }

    /// Deployments are done at the look after the next `n`, 1 by default; of more than one the first sees them still pending.
    /// A look at any deployment moves the one whose turn it is.
    pub fn complete_after_polls(&self, n: u32) {
        self.set(|settings| settings.pace = Pace::Polls(n));
    }

    /// Deployments take this long on the org's clock, which [`MockOrg::advance`] moves on.
    pub fn complete_after(&self, time: Duration) {
        let time = TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
        self.set(|settings| settings.pace = Pace::Time(time));
    }

    /// Looks and time move nothing on any more, only [`DeploySettings::step`] does.
    pub fn hold(&self) {
        self.set(|settings| settings.held = true);
    }

    /// Takes [`DeploySettings::hold`] back.
    pub fn release(&self) {
        self.set(|settings| settings.held = false);
    }

    /// Moves the deployment whose turn it is on by one status: `Pending`, `InProgress`, `FinalizingDeploy` if that is switched
    /// on, its end; from `Canceling` to `Canceled`. Gives the status it has then; `None` when none is waiting.
    #[allow(clippy::must_use_candidate, reason = "mostly called for what it does")]
    pub fn step(&self) -> Option<String> {
        let mut state = self.org.state();
        let mut reached = None;
        with_turn(&mut state, |state, job| {
            match job.status {
                Status::Pending => progress(state, job, 1, 2),
                Status::InProgress if state.deploys.settings.finalizes => finalize(state, job),
                _ => finish(state, job),
            }
            reached = Some(job.status.name().to_owned());
        });
        reached
    }

    /// Deployments pass `FinalizingDeploy` before their end. REST alone tells it: the WSDL of 63.0 does not know it.
    pub fn finalize(&self, on: bool) {
        self.set(|settings| settings.finalizes = on);
    }

    /// The org is a production org: what does not say `rollbackOnError` is refused, and `purgeOnDelete` is without effect.
    pub fn production(&self, on: bool) {
        self.set(|settings| settings.production = on);
    }

    /// `deployResult` has its booleans and numbers as strings, as the guide prints them.
    pub fn print_scalars_as_the_guide(&self, on: bool) {
        self.set(|settings| settings.guide_scalars = on);
    }

    /// Bytes of an archive, bytes of its files and number of files that a deployment takes; 39 MB, 600 MB and 10,000 by default.
    pub fn set_bounds(&self, packed: usize, unpacked: u64, files: usize) {
        self.set(|settings| settings.bounds = Bounds { packed, unpacked, files });
    }

    /// The next deployment that would end fails as a whole, with that `errorStatusCode` and `errorMessage`; nothing of it is
    /// in the org.
    pub fn fail_next(&self, code: &str, text: &str) {
        self.org.state().deploys.failures.push_back((code.to_owned(), text.to_owned(), false));
    }

    /// As [`DeploySettings::fail_next`], with the status `FinalizingDeployFailed`.
    pub fn fail_next_finalizing(&self, code: &str, text: &str) {
        self.org.state().deploys.failures.push_back((code.to_owned(), text.to_owned(), true));
    }

    /// Id and status of each deployment, oldest first.
    #[must_use]
    pub fn jobs(&self) -> Vec<(String, String)> {
        let state = self.org.state();
        state.deploys.jobs.iter().map(|job| (job.id.clone(), job.status.name().to_owned())).collect()
    }
}
