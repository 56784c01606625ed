//! Everything that a deploy can delete.

use super::super::{Setup, SetupProgress};
use super::{Removal, forget_with_rows};
use crate::api::metadata::{AnyComponent, DeployMessage, Flow, FlowStatus, Package};
use crate::error::Result;
use crate::schema::desired::{same, split};
use crate::schema::ledger::{ItemKind, LedgerEntry, Loaded};

/// How often what the org refuses is left out and the rest tried again.
const ROUNDS: usize = 10;

impl Setup {
    /// Everything that a deploy can delete.
    pub(super) async fn remove_components(
        &self,
        entries: &[LedgerEntry],
        loaded: &mut Loaded,
        removal: &mut Removal,
    ) -> Result<()> {
        let kept =
            |removal: &Removal, entry: &LedgerEntry| removal.left.iter().any(|left| entry.is(&left.kind, &left.name));
        let mut open: Vec<LedgerEntry> = entries
            .iter()
            .filter(|entry| entry.kind.component_type().is_some() && !kept(removal, entry))
            .cloned()
            .collect();
        // The history of a standard object is switched on and never off.
        open.retain(|entry| entry.kind != ItemKind::Object || entry.name.ends_with("__c"));
        // A field goes with its object.
        let objects: Vec<String> =
            open.iter().filter(|entry| entry.kind == ItemKind::Object).map(|entry| entry.name.clone()).collect();
        let with_object = |entry: &LedgerEntry| {
            entry.kind == ItemKind::Field && objects.iter().any(|object| same(object, split(&entry.name).0))
        };
        let (along, mut open): (Vec<LedgerEntry>, Vec<LedgerEntry>) = open.into_iter().partition(with_object);
        // Fields of an object that stays are not taken from under its records.
        let stay: Vec<String> =
            removal.left.iter().filter(|left| left.kind == ItemKind::Object).map(|left| left.name.clone()).collect();
        open.retain(|entry| {
            let stays = entry.kind == ItemKind::Field && stay.iter().any(|object| same(object, split(&entry.name).0));
            if stays {
                removal.leave(&entry.kind, &entry.name, "its object is left");
            }
            !stays
        });
        self.stop_flows(&open, loaded, removal).await?;
        open.retain(|entry| !kept(removal, entry));
        for _ in 0..ROUNDS {
            if open.is_empty() {
                break;
            }
            let kind = open.first().map_or(ItemKind::Object, |entry| entry.kind.clone());
            self.tell(&SetupProgress::Removing { kind, count: open.len() });
            let mut package = Package::new().version(self.client.api_version());
            for entry in &open {
                if let Some(kind) = entry.kind.component_type() {
                    package = package.delete(kind, &entry.name);
                }
            }
            let result = self.deploy(package, loaded).await?;
            let Some(error) = result.error() else {
                for entry in open.drain(..) {
                    forget_with_rows(&entry, &mut loaded.ledger, removal);
                    let fields = along
                        .iter()
                        .filter(|field| entry.kind == ItemKind::Object && same(split(&field.name).0, &entry.name));
                    for field in fields {
                        forget_with_rows(field, &mut loaded.ledger, removal);
                    }
                }
                break;
            };
            let before = open.len();
            open.retain(|entry| {
                let refused = result.failures().iter().find(|failure| concerns(failure, entry));
                if let Some(refused) = refused {
                    removal.leave(
                        &entry.kind,
                        &entry.name,
                        refused.problem.clone().unwrap_or_else(|| error.to_string()),
                    );
                }
                refused.is_none()
            });
            if open.len() == before {
                // The refusal names nothing of ours.
                for entry in open.drain(..) {
                    removal.leave(&entry.kind, &entry.name, error.to_string());
                }
            }
        }
        for entry in open {
            removal.leave(&entry.kind, &entry.name, "too many refusals; try again");
        }
        for field in along.iter().filter(|field| loaded.ledger.has(&field.kind, &field.name)) {
            removal.leave(&field.kind, &field.name, "its object is left");
        }
        self.ledger.save(loaded).await
    }

    /// An active flow cannot be deleted. (Metadata API Developer Guide, "Flow"; wire facts 4.4)
    async fn stop_flows(&self, open: &[LedgerEntry], loaded: &mut Loaded, removal: &mut Removal) -> Result<()> {
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
        if stopped.is_empty() {
            return Ok(());
        }
        let package = Package::new().version(self.client.api_version()).with_all(stopped);
        let result = self.deploy(package, loaded).await?;
        if let Some(error) = result.error() {
            for entry in open.iter().filter(is_flow) {
                removal.leave(&entry.kind, &entry.name, format!("could not be deactivated ({error})"));
            }
        }
        self.ledger.save(loaded).await
    }
}

/// Whether a refusal is about this one: by name, with its type where the answer has one.
fn concerns(failure: &DeployMessage, entry: &LedgerEntry) -> bool {
    let kind = failure.component_type.as_deref().filter(|kind| !kind.is_empty());
    let same_kind = kind.is_none_or(|kind| Some(kind) == entry.kind.component_type());
    same_kind && same(&failure.full_name, &entry.name)
}
