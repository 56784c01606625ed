//! Carries a plan out, and goes on where an earlier run ended.

use serde::Serialize;

use super::sections::Sections;
use super::{Setup, SetupProgress};
use crate::api::metadata::{DeployJob, DeployOptions, DeployResult, Package};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::schema::denied::{MODIFY_METADATA, OPERATION, denied, refused};
use crate::schema::ledger::{EntryState, ItemKind, Ledger, LedgerEntry, Loaded};
use crate::schema::plan::{
    Conflict, PlanItem, SET_HISTORY_TRACKING, SchemaPlan, Step, TRACK_HISTORY, Work, section_name,
};
use crate::schema::{DesiredSchema, Finding, Severity};

/// What became of the assignment of the permission set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AssignmentOutcome {
    /// There was none to make: the user has it, or the schema has no permission set.
    #[default]
    Unchanged,
    /// It was made just now.
    Assigned,
    /// The user has as many permission sets as a user can have. All else was done; the assignment is left to a person.
    AssignmentLimit,
    /// It was refused, and is left to a person.
    ByHand,
}

/// What applying a plan did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Applied {
    /// Full names of the components that were created, the permission set among them.
    pub created: Vec<String>,
    /// Full names of what got something added: fields, layouts, histories.
    pub changed: Vec<String>,
    /// What the permission set got rights on that was there before.
    pub granted: Vec<String>,
    /// What became of the assignment.
    pub assignment: AssignmentOutcome,
    /// What a person has to do; the rest was done.
    pub by_hand: Vec<Finding>,
}

impl Applied {
    /// Whether nothing was written.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        let written = [&self.created, &self.changed, &self.granted];
        written.iter().all(|names| names.is_empty()) && self.assignment != AssignmentOutcome::Assigned
    }
}

impl Setup {
    /// Plans and applies.
    ///
    /// # Errors
    ///
    /// As for [`plan`](Self::plan) and [`apply`](Self::apply).
    pub async fn run(&self) -> Result<Applied> {
        let plan = self.plan().await?;
        self.apply(&plan).await
    }

    /// Carries a plan out: one deploy for everything that is missing, then what fields and rights lack, then the assignment.
    ///
    /// The plan costs [`SchemaPlan::api_calls`], and the deploy one call for each look at it. What is about to be made is written to
    /// the ledger first; stopped anywhere, the next run finishes, and waits for a deploy that is still at work. A deploy is all or
    /// nothing. An existing permission set is never deployed, since that would switch off what we do not know of: it gets rows. A plan
    /// that is out of date, since it or another one has been applied meanwhile, is made anew first.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Schema`] with all that is in the way; nothing is done then.
    /// - [`ErrorKind::Forbidden`] where the set-up user may not change metadata, naming the permission and the two ways out.
    /// - [`ErrorKind::Invalid`] with all components that the org refused; nothing is made then.
    /// - [`ErrorKind::Conflict`] where another process is at the same work.
    /// - [`ErrorKind::Unavailable`] for a deploy that takes longer than the deadline; the next run waits for it.
    /// - Any error of the store and of [`Client::send`](crate::Client::send).
    pub async fn apply(&self, plan: &SchemaPlan) -> Result<Applied> {
        self.apply_for(&self.desired, plan).await
    }

    pub(super) async fn apply_for(&self, desired: &DesiredSchema, plan: &SchemaPlan) -> Result<Applied> {
        let mut loaded = self.ledger.load().await?;
        if self.resume(&mut loaded).await? || loaded.ledger != plan.ledger {
            // The org has changed since it was looked at. What is there by now is not deployed again, above all no permission set.
            let plan = self.plan_with(desired, &loaded.ledger).await?;
            return self.carry_out(&plan, loaded).await;
        }
        self.carry_out(plan, loaded).await
    }

    /// Waits for the deploy of an earlier run. Tells whether there was one.
    pub(super) async fn resume(&self, loaded: &mut Loaded) -> Result<bool> {
        let Some(id) = loaded.ledger.deploy() else { return Ok(false) };
        self.tell(&SetupProgress::Resuming { deploy: id });
        let ended = self.watch(&self.client.deploy_job(id)).await;
        let failed = match &ended {
            Ok(result) => result.error().is_some(),
            // Salesforce forgets deploys after a time, and may take their ids for unsound then; another set-up user may not look
            // at them. What it did shows in the org.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid | ErrorKind::Forbidden) => {
                false
            }
            Err(_) => {
                ended?;
                return Ok(true);
            }
        };
        loaded.ledger.set_deploy(None);
        if failed {
            // It was rolled back. What it was not the first to try may have been made by a deploy of which nobody saw an answer.
            loaded.ledger.retain(|entry| entry.state == EntryState::Made || entry.deploy != Some(id));
        }
        self.ledger.save(loaded).await?;
        Ok(true)
    }

    async fn carry_out(&self, plan: &SchemaPlan, mut loaded: Loaded) -> Result<Applied> {
        refuse_blocked(plan)?;
        let mut applied = Applied { by_hand: plan.by_hand().map(finding).collect(), ..Applied::default() };
        let work = self.work_of_now(plan, &mut applied).await?;
        let before = loaded.ledger.clone();
        for (kind, name) in &work.settled {
            loaded.ledger.made(kind, name);
        }
        let settled = loaded.ledger.clone();
        for entry in &work.intents {
            loaded.ledger.note(entry.clone());
        }
        if loaded.ledger != before {
            self.ledger.save(&mut loaded).await?;
        }
        if !work.components.is_empty() {
            self.deploy_all(plan, &work, settled, &mut loaded, &mut applied).await?;
        }
        if !work.changes.is_empty() {
            self.tell(&SetupProgress::Changing { fields: work.changes.len() });
            self.change_fields(&work.changes).await?;
            applied.changed.extend(work.changes.iter().map(|field| field.full_name.clone()));
        }
        self.grant(&work, &mut loaded, &mut applied).await?;
        Ok(applied)
    }

    /// A plan's work, with its sections in the layouts as they are by now.
    async fn work_of_now(&self, plan: &SchemaPlan, applied: &mut Applied) -> Result<Work> {
        let mut work = plan.work.clone();
        if work.sections.is_empty() {
            return Ok(work);
        }
        let Sections { layouts, added, gone } = self.sections(&work.sections).await?;
        work.components.extend(layouts);
        work.intents.retain(|entry| entry.kind != ItemKind::LayoutSection || added.contains(&entry.name));
        let there = work.sections.iter().map(section_name);
        let there = there.filter(|name| !added.contains(name) && !gone.iter().any(|item| item.subject == *name));
        work.settled.extend(there.map(|name| (ItemKind::LayoutSection, name)));
        applied.by_hand.extend(gone.iter().map(finding));
        Ok(work)
    }

    /// The components of a plan, all or nothing; then the ledger is as it was before. What an earlier run meant to make stays in it:
    /// a deploy of which nobody saw an answer may be at work yet.
    async fn deploy_all(
        &self,
        plan: &SchemaPlan,
        work: &Work,
        before: Ledger,
        loaded: &mut Loaded,
        applied: &mut Applied,
    ) -> Result<()> {
        let package = Package::new().version(self.client.api_version()).with_all(work.components.iter().cloned());
        let first: Vec<LedgerEntry> =
            work.intents.iter().filter(|entry| !before.has(&entry.kind, &entry.name)).cloned().collect();
        let ended = self.deploy_first(package, &first, loaded).await;
        let why = match &ended {
            Ok(result) => result.error().map(|error| refused(error, result)),
            // Nothing was begun, and none is at work.
            Err(error) => {
                Some(error.clone()).filter(|error| error.effect() == Effect::None && loaded.ledger.deploy().is_none())
            }
        };
        if let Some(error) = why {
            loaded.ledger = before;
            self.ledger.save(loaded).await?;
            return Err(error);
        }
        ended?;
        for entry in &work.intents {
            // Rows of a set that is there come by a call of their own.
            let deployed = entry.kind.component_type().is_some() || entry.kind == ItemKind::LayoutSection;
            let with_set = work.set.is_none() && entry.kind != ItemKind::Assignment;
            if deployed || with_set {
                loaded.ledger.made(&entry.kind, &entry.name);
            }
        }
        self.ledger.save(loaded).await?;
        for item in plan.items() {
            let section = item.kind == ItemKind::LayoutSection
                && work.intents.iter().any(|entry| entry.is(&item.kind, &item.subject));
            let deployed = item.kind.component_type().is_some() || section;
            let changed = deployed && !work.changes.iter().any(|field| field.full_name == item.subject);
            match item.step {
                Step::Create if deployed => applied.created.push(item.subject.clone()),
                Step::Change if changed => applied.changed.push(item.subject.clone()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Deploys, with the deploy's id in the ledger while it is at work.
    pub(super) async fn deploy(&self, package: Package, loaded: &mut Loaded) -> Result<DeployResult> {
        self.deploy_first(package, &[], loaded).await
    }

    /// Deploys, and notes what no deploy has tried to make before.
    async fn deploy_first(&self, package: Package, first: &[LedgerEntry], loaded: &mut Loaded) -> Result<DeployResult> {
        let begun = self.client.deploy(package.to_zip()?, &options(&package)).await;
        let job = begun.map_err(|error| match error.kind() {
            ErrorKind::Forbidden => denied(error, MODIFY_METADATA),
            _ if error.effect() == Effect::Unknown => error.with_advice(
                "whether the deploy has begun is not known: run the set-up again, which reads what the org has and goes on from there",
            ),
            _ => error,
        })?;
        loaded.ledger.set_deploy(Some(job.id()));
        loaded.ledger.tried_by(job.id(), first);
        self.ledger.save(loaded).await?;
        let result = self.watch(&job).await?;
        loaded.ledger.set_deploy(None);
        Ok(result)
    }

    async fn watch(&self, job: &DeployJob) -> Result<DeployResult> {
        let deploy = job.id();
        job.wait_watching(self.deadline, |seen| {
            let (done, total) = (seen.number_components_deployed, seen.number_components_total);
            self.tell(&SetupProgress::Deploying { deploy, done, total });
        })
        .await
    }
}

/// What is to be deleted and is not there is a warning, which must not stop the rest.
fn options(package: &Package) -> DeployOptions {
    let options = DeployOptions::new();
    if package.deletions().next().is_some() { options.ignore_warnings() } else { options }
}

/// Whether anything is left of a plan's rows and assignment.
pub(super) fn has_rows(work: &Work) -> bool {
    work.assign.is_some() || work.grants != crate::schema::plan::Grants::default()
}

fn finding(item: &PlanItem) -> Finding {
    let path = item.by_hand.clone().unwrap_or_default();
    let kind = match item.step {
        Step::Conflict(_) => ErrorKind::Schema,
        _ => ErrorKind::Forbidden,
    };
    let finding = Finding::new(code(item), kind, format!("{} {}", item.kind, item.subject), item.why.clone(), path);
    // Data moves without what is for the eyes of users alone.
    let looks = item.step == Step::ByHand && (item.kind == ItemKind::LayoutSection || is_history(item));
    finding.with_severity(if looks { Severity::Optional } else { Severity::Required })
}

/// Whether what is left to a person is the history of an object or a field.
fn is_history(item: &PlanItem) -> bool {
    let path = item.by_hand.as_deref().unwrap_or_default();
    matches!(item.kind, ItemKind::Object | ItemKind::Field)
        && (path.ends_with(TRACK_HISTORY) || path.ends_with(SET_HISTORY_TRACKING))
}

fn code(item: &PlanItem) -> &'static str {
    match item.step {
        Step::Conflict(Conflict::TypeDiffers) => "type_differs",
        Step::Conflict(Conflict::NameTaken) => "name_taken",
        Step::Conflict(Conflict::CapPassed) => "cap_passed",
        Step::Conflict(_) => "conflict",
        _ if is_history(item) => "history_by_hand",
        _ => match item.kind {
            ItemKind::LayoutSection => "section_by_hand",
            ItemKind::Field => "values_by_hand",
            ItemKind::ObjectPermission | ItemKind::FieldPermission | ItemKind::SystemPermission => "right_by_hand",
            ItemKind::Assignment => "assignment_by_hand",
            _ => "by_hand",
        },
    }
}

fn refuse_blocked(plan: &SchemaPlan) -> Result<()> {
    let blockers: Vec<Finding> = plan
        .blockers()
        .map(|item| {
            let finding = finding(item);
            // The object or field is named as it is.
            Finding { subject: subject(item), ..finding }
        })
        .collect();
    Finding::into_result(OPERATION, &blockers)
}

fn subject(item: &PlanItem) -> String {
    match item.kind {
        ItemKind::Object | ItemKind::Field => item.subject.clone(),
        _ => format!("{} {}", item.kind, item.subject),
    }
}

/// An error of something that is left to a person, as a finding.
pub(super) fn left(code: &'static str, subject: &str, error: &Error, path: &str) -> Finding {
    let why = error.salesforce().first().map_or_else(|| error.to_string(), ToString::to_string);
    Finding::new(code, ErrorKind::Forbidden, subject, format!("was refused ({why})"), path)
}
