//! Sections of page layouts.

use super::super::{Setup, SetupProgress};
use super::{Removal, forget};
use crate::api::metadata::{AnyComponent, Layout, Package};
use crate::error::Result;
use crate::schema::desired::same;
use crate::schema::ledger::{ItemKind, LedgerEntry, Loaded};

impl Setup {
    /// Sections of page layouts, by the way they came.
    pub(super) async fn remove_sections(
        &self,
        entries: &[LedgerEntry],
        loaded: &mut Loaded,
        removal: &mut Removal,
    ) -> Result<()> {
        let sections: Vec<&LedgerEntry> =
            entries.iter().filter(|entry| entry.kind == ItemKind::LayoutSection).collect();
        if sections.is_empty() {
            return Ok(());
        }
        let metadata = self.client.metadata();
        if !metadata.takes_token().await? {
            for entry in sections {
                removal.leave(
                    &entry.kind,
                    &entry.name,
                    "page layouts are read by SOAP, which takes no token of this kind",
                );
            }
            return Ok(());
        }
        let mut names: Vec<&str> = sections.iter().filter_map(|entry| Some(entry.name.split_once('/')?.0)).collect();
        names.sort_unstable();
        names.dedup();
        let mut changed: Vec<AnyComponent> = Vec::new();
        for names in names.chunks(crate::api::metadata::MAX_COMPONENTS) {
            for mut layout in metadata.read::<Layout>(names).await?.into_iter().flatten() {
                let before = layout.sections.len();
                layout.sections.retain(|section| {
                    let name = format!("{}/{}", layout.full_name, section.label);
                    !sections.iter().any(|entry| same(&entry.name, &name)) || self.has_foreign_fields(section)
                });
                if layout.sections.len() < before {
                    changed.push(layout.into());
                }
            }
        }
        if !changed.is_empty() {
            self.tell(&SetupProgress::Removing { kind: ItemKind::LayoutSection, count: changed.len() });
            let package = Package::new().version(self.client.api_version()).with_all(changed);
            let result = self.deploy(package, loaded).await?;
            if let Some(error) = result.error() {
                for entry in sections {
                    removal.leave(&entry.kind, &entry.name, error.to_string());
                }
                return self.ledger.save(loaded).await;
            }
        }
        for entry in sections {
            forget(entry, loaded, removal);
        }
        self.ledger.save(loaded).await
    }

    /// Whether somebody has put other fields into a section of ours.
    fn has_foreign_fields(&self, section: &crate::api::metadata::LayoutSection) -> bool {
        let ours = self.desired.layout_sections.iter().find(|known| known.label == section.label);
        let Some(ours) = ours else { return false };
        section.fields().any(|shown| !ours.fields.iter().any(|known| same(known, shown)))
    }
}
