//! Everything that a deploy can delete.

use super::super::{Setup, SetupProgress};
use super::{Removal, forget_with_rows};
use crate::api::metadata::{AnyComponent, DeployMessage, DeployResult, Flow, FlowStatus, Package};
use crate::error::{Error, Result};
use crate::schema::desired::{same, split};
use crate::schema::ledger::{ItemKind, LedgerEntry, Loaded};

/// How often what the org refuses is left out and the rest tried again.
const ROUNDS: usize = 10;

/// What is taken away in rounds.
struct Rounds {
    /// What the next round deletes.
    open: Vec<LedgerEntry>,
    /// Fields, which go with their object.
    along: Vec<LedgerEntry>,
    /// What a round has refused, and why.
    refused: Vec<(LedgerEntry, String)>,
}

impl Setup {
    pub(super) async fn remove_components(
        &self,
        entries: &[LedgerEntry],
        loaded: &mut Loaded,
        removal: &mut Removal,
    ) -> Result<()> {
        let mut rounds = Rounds::new(entries, removal);
        self.stop_flows(&rounds.open, loaded).await?;
        for _ in 0..ROUNDS {
            let Some(first) = rounds.open.first() else { break };
            self.tell(&SetupProgress::Removing { kind: first.kind.clone(), count: rounds.open.len() });
            let mut package = Package::new().version(self.client.api_version());
            for entry in &rounds.open {
                if let Some(kind) = entry.kind.component_type() {
                    package = package.delete(kind, &entry.name);
                }
            }
            let result = self.deploy(package, loaded).await?;
            match result.error() {
                None => rounds.went(&result, loaded, removal),
                Some(error) => rounds.were_refused(&result, &error, loaded),
            }
            // What went before the process ends is not asked for again.
            self.ledger.save(loaded).await?;
        }
        for entry in rounds.open {
            removal.leave(&entry.kind, &entry.name, "too many refusals; try again");
        }
        for (entry, reason) in rounds.refused {
            removal.leave(&entry.kind, &entry.name, reason);
        }
        for field in rounds.along.iter().filter(|field| loaded.ledger.has(&field.kind, &field.name)) {
            removal.leave(&field.kind, &field.name, "its object is left");
        }
        self.ledger.save(loaded).await
    }

    /// An active flow cannot be deleted. (Metadata API Developer Guide, "Flow"; wire facts 4.4) One that cannot be stopped may be gone,
    /// and if it is not, deleting it says why.
    async fn stop_flows(&self, open: &[LedgerEntry], loaded: &mut Loaded) -> Result<()> {
        let is_flow = |entry: &&LedgerEntry| entry.kind.component_type() == Some("Flow");
        let mut stopped: Vec<AnyComponent> = Vec::new();
        for entry in open.iter().filter(is_flow) {
            let known = self
                .desired
                .components
                .iter()
                .find(|known| known.component_type() == "Flow" && same(known.full_name(), &entry.name));
            if let Some(flow) = known.map(AnyComponent::get::<Flow>).transpose()?.flatten() {
                stopped.push(Flow { status: FlowStatus::Obsolete, ..flow }.into());
            }
        }
        if !stopped.is_empty() {
            self.deploy(Package::new().version(self.client.api_version()).with_all(stopped), loaded).await?;
            self.ledger.save(loaded).await?;
        }
        Ok(())
    }
}

impl Rounds {
    /// What may go; what has to stay is told.
    fn new(entries: &[LedgerEntry], removal: &mut Removal) -> Self {
        let kept = |entry: &LedgerEntry| removal.left.iter().any(|left| entry.is(&left.kind, &left.name));
        let mut open: Vec<LedgerEntry> = entries
            .iter()
            .filter(|entry| entry.kind.component_type().is_some() && !kept(entry))
            // The history of a standard object is switched on and never off.
            .filter(|entry| entry.kind != ItemKind::Object || entry.name.ends_with("__c"))
            .cloned()
            .collect();
        let objects: Vec<String> =
            open.iter().filter(|entry| entry.kind == ItemKind::Object).map(|entry| entry.name.clone()).collect();
        let of_one = |entry: &LedgerEntry, objects: &[String]| {
            entry.kind == ItemKind::Field && objects.iter().any(|object| same(object, split(&entry.name).0))
        };
        let along: Vec<LedgerEntry> = open.iter().filter(|entry| of_one(entry, &objects)).cloned().collect();
        // Fields of an object that stays are not taken from under its records.
        let stay: Vec<String> =
            removal.left.iter().filter(|left| left.kind == ItemKind::Object).map(|left| left.name.clone()).collect();
        for entry in open.iter().filter(|entry| of_one(entry, &stay)) {
            removal.leave(&entry.kind, &entry.name, "its object is left");
        }
        open.retain(|entry| !of_one(entry, &objects) && !of_one(entry, &stay));
        Self { open, along, refused: Vec::new() }
    }

    /// All of a round is gone. What was refused before may have been in use by it, and is tried again.
    fn went(&mut self, result: &DeployResult, loaded: &mut Loaded, removal: &mut Removal) {
        let mut by_others = Removal::default();
        for entry in std::mem::take(&mut self.open) {
            let removal = if is_missing(result, &entry) { &mut by_others } else { &mut *removal };
            forget_with_rows(&entry, &mut loaded.ledger, removal);
            let of_it = |field: &&LedgerEntry| same(split(&field.name).0, &entry.name);
            for field in self.along.iter().filter(|_| entry.kind == ItemKind::Object).filter(of_it) {
                forget_with_rows(field, &mut loaded.ledger, removal);
            }
        }
        self.open.extend(std::mem::take(&mut self.refused).into_iter().map(|(entry, _)| entry));
    }

    /// Nothing of a round is gone; the rest can go without what was refused.
    fn were_refused(&mut self, result: &DeployResult, error: &Error, loaded: &mut Loaded) {
        let (mut left, mut rest) = (Vec::new(), Vec::new());
        for entry in std::mem::take(&mut self.open) {
            match result.failures().iter().find(|failure| concerns(failure, &entry)) {
                Some(refused) => {
                    let reason = refused.problem.clone().unwrap_or_else(|| error.to_string());
                    left.push((entry, reason));
                }
                None => rest.push(entry),
            }
        }
        if left.is_empty() {
            // An org that takes a warning for an error says of each what is not there.
            let (missing, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|entry| is_missing(result, entry));
            for entry in &missing {
                forget_with_rows(entry, &mut loaded.ledger, &mut Removal::default());
            }
            rest = others;
            if missing.is_empty() {
                // The refusal names nothing of ours.
                left.extend(std::mem::take(&mut rest).into_iter().map(|entry| (entry, error.to_string())));
            }
        }
        self.refused.extend(left);
        self.open = rest;
    }
}

/// Whether a refusal is about this one: by name, with its type where the answer has one.
fn concerns(failure: &DeployMessage, entry: &LedgerEntry) -> bool {
    let kind = failure.component_type.as_deref().filter(|kind| !kind.is_empty());
    let same_kind = kind.is_none_or(|kind| Some(kind) == entry.kind.component_type());
    same_kind && same(&failure.full_name, &entry.name)
}

/// Whether the org says that there is nothing of that name to delete. The message is named by the file of deletions, and its text alone
/// says what it is about. (wire facts 4.6)
fn is_missing(result: &DeployResult, entry: &LedgerEntry) -> bool {
    let text = format!("No {} named: {} found", entry.kind.component_type().unwrap_or_default(), entry.name);
    let details = result.details.as_ref();
    let all =
        details.into_iter().flat_map(|details| details.component_failures.iter().chain(&details.component_successes));
    all.filter_map(|message| message.problem.as_deref()).any(|problem| same(problem, &text))
}
