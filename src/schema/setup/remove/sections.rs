//! Sections of page layouts.

use super::super::{Setup, SetupProgress};
use super::{Removal, forget};
use crate::api::metadata::{AnyComponent, Layout, LayoutSection, MAX_COMPONENTS, Package};
use crate::error::{ErrorKind, Result};
use crate::schema::desired::same;
use crate::schema::ledger::{ItemKind, LedgerEntry, Loaded};

const UNREADABLE: &str = "page layouts are read by SOAP, which takes no token of this kind";

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
        let Some(layouts) = self.layouts_of(&sections).await? else {
            for entry in sections {
                removal.leave(&entry.kind, &entry.name, UNREADABLE);
            }
            return Ok(());
        };
        let mut going: Vec<&LedgerEntry> = Vec::new();
        let mut changed: Vec<AnyComponent> = Vec::new();
        for mut layout in layouts {
            let before = layout.clone();
            let name = layout.full_name.clone();
            layout.sections.retain_mut(|section| {
                let full_name = format!("{name}/{}", section.label);
                let Some(entry) = sections.iter().find(|entry| same(&entry.name, &full_name)) else { return true };
                if !entry.added.is_empty() {
                    // It was there before: our fields go, and all else stays.
                    let is_ours = |field: &String| entry.added.iter().any(|known| same(known, field));
                    for column in &mut section.columns {
                        column.items.retain(|item| !item.field.as_ref().is_some_and(is_ours));
                    }
                    going.push(entry);
                    return true;
                }
                let foreign = self.foreign_fields(&name, section, &loaded.ledger);
                if foreign.is_empty() {
                    going.push(entry);
                    return false;
                }
                let reason = format!("somebody has put other fields into it: {}", foreign.join(", "));
                removal.leave(&entry.kind, &entry.name, reason);
                true
            });
            if layout != before {
                changed.push(layout.into());
            }
        }
        let mut refused = None;
        if !changed.is_empty() {
            self.tell(&SetupProgress::Removing { kind: ItemKind::LayoutSection, count: changed.len() });
            let package = Package::new().version(self.client.api_version()).with_all(changed);
            refused = self.deploy(package, loaded).await?.error();
        }
        for entry in sections {
            if let (Some(error), true) = (&refused, going.contains(&entry)) {
                removal.leave(&entry.kind, &entry.name, error.to_string());
            } else if going.contains(&entry) {
                forget(entry, loaded, removal);
            } else if !removal.has_left(entry) {
                // Somebody else has taken it away.
                loaded.ledger.forget(&entry.kind, &entry.name);
            }
        }
        self.ledger.save(loaded).await
    }

    /// The layouts that these are on; `None` where SOAP refuses the token.
    async fn layouts_of(&self, sections: &[&LedgerEntry]) -> Result<Option<Vec<Layout>>> {
        let metadata = self.client.metadata();
        if !metadata.takes_token().await? {
            return Ok(None);
        }
        let mut names: Vec<&str> = sections.iter().filter_map(|entry| Some(entry.name.split_once('/')?.0)).collect();
        names.sort_unstable();
        names.dedup();
        let mut layouts = Vec::new();
        for names in names.chunks(MAX_COMPONENTS) {
            match metadata.read::<Layout>(names).await {
                Ok(some) => layouts.extend(some.into_iter().flatten()),
                // REST has taken it for the rights.
                Err(error) if error.kind() == ErrorKind::Auth => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(layouts))
    }

    /// What somebody else has put into a section of ours. Of a section that the schema no longer has, our fields are those that we made.
    fn foreign_fields(
        &self,
        layout: &str,
        section: &LayoutSection,
        ledger: &crate::schema::ledger::Ledger,
    ) -> Vec<String> {
        let known = self
            .desired
            .layout_sections
            .iter()
            .find(|known| same(&known.layout, layout) && same(&known.label, &section.label));
        let object = layout.split('-').next().unwrap_or_default();
        let is_ours = |shown: &&str| match known {
            Some(known) => known.fields.iter().any(|field| same(field, shown)),
            None => ledger.has(&ItemKind::Field, &format!("{object}.{shown}")),
        };
        section.fields().filter(|shown| !is_ours(shown)).map(str::to_owned).collect()
    }
}
