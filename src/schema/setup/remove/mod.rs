//! Takes away what the ledger has, as far as the org lets it.

mod components;
mod data;
mod rows;
mod sections;

use std::fmt;

use serde::Serialize;

use super::Setup;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::desired::{same, split};
use crate::schema::ledger::{EntryState, ItemKind, Ledger, LedgerEntry, Loaded};

/// What becomes of objects and fields of ours that hold data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Filled {
    /// They stay, and are told with how many records hold something.
    #[default]
    Keep,
    /// They go, and the data with them.
    Delete,
}

/// What taking a set-up away did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Removal {
    /// What is gone, by kind and name.
    pub removed: Vec<String>,
    /// What is still there. It stays in the ledger, so that anybody can try again later.
    pub left: Vec<Leftover>,
}

/// Something that could not be taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Leftover {
    /// What it is.
    pub kind: ItemKind,
    /// Its full name.
    pub name: String,
    /// Why it is still there.
    pub reason: String,
    /// Where a person finds it.
    pub click_path: String,
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} is left: {} ({})", self.kind, self.name, self.reason, self.click_path)
    }
}

impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} removed, {} left", self.removed.len(), self.left.len())?;
        for left in &self.left {
            write!(f, "\n  {left}")?;
        }
        Ok(())
    }
}

impl Removal {
    /// Whether nothing is left.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.left.is_empty()
    }

    fn gone(&mut self, kind: &ItemKind, name: &str) {
        self.removed.push(format!("{kind} {name}"));
    }

    /// Whether this one stays.
    fn has_left(&self, entry: &LedgerEntry) -> bool {
        self.left.iter().any(|left| entry.is(&left.kind, &left.name))
    }

    fn leave(&mut self, kind: &ItemKind, name: &str, reason: impl Into<String>) {
        if !self.left.iter().any(|left| left.kind == *kind && same(&left.name, name)) {
            let (kind, name, reason) = (kind.clone(), name.to_owned(), reason.into());
            self.left.push(Leftover { click_path: click_path(&kind, &name), kind, name, reason });
        }
    }
}

/// Where a person finds something.
fn click_path(kind: &ItemKind, name: &str) -> String {
    let (object, field) = split(name);
    match kind {
        ItemKind::Object => format!("Setup > Object Manager > {name} > Delete"),
        ItemKind::Field => format!("Setup > Object Manager > {object} > Fields & Relationships > {field} > Delete"),
        ItemKind::PermissionSet => format!("Setup > Permission Sets > {name} > Delete"),
        ItemKind::ObjectPermission | ItemKind::FieldPermission | ItemKind::SystemPermission => {
            format!(
                "Setup > Permission Sets > Object Settings > {} > Edit",
                if object.is_empty() { name } else { object }
            )
        }
        ItemKind::Assignment => {
            let (set, user) = rows::set_and_user(name);
            let user = user.map(|user| format!(": the user {user}")).unwrap_or_default();
            format!("Setup > Permission Sets > {set} > Manage Assignments{user}")
        }
        ItemKind::LayoutSection => {
            let (layout, label) = name.split_once('/').unwrap_or((name, ""));
            let (object, layout) = layout.split_once('-').unwrap_or((layout, ""));
            format!("Setup > Object Manager > {object} > Page Layouts > {layout}: remove the section \"{label}\"")
        }
        ItemKind::Component(kind) => match kind.as_str() {
            "Flow" => format!("Setup > Flows > {name} > View Details and Versions: deactivate, then delete"),
            "WorkflowOutboundMessage" => "Setup > Workflow Actions > Outbound Messages > Del".to_owned(),
            "WorkflowRule" => "Setup > Workflow Rules > Del".to_owned(),
            "NamedCredential" => format!("Setup > Named Credentials > {name} > Delete"),
            "RemoteSiteSetting" => format!("Setup > Remote Site Settings > {name} > Delete"),
            "ApexClass" => format!("Setup > Apex Classes > {name} > Del"),
            "QuickAction" => {
                "Setup > Object Manager > Buttons, Links, and Actions, or Setup > Global Actions".to_owned()
            }
            other => format!("Setup: search for {other}"),
        },
    }
}

impl Setup {
    /// Takes away what this schema's ledger has: assignment, rights, permission set, sections, flows, fields, objects and the rest.
    ///
    /// Best-effort: what the org refuses is left out and the rest tried again, a bounded number of times; what is left is told with the
    /// reason and where a person finds it, and stays in the ledger, so that this can be called again later by anybody who has the store.
    /// Rights that somebody has changed since are left alone. Objects and fields that hold data stay unless [`Filled::Delete`] is asked
    /// for; they are counted first.
    ///
    ///
    /// That an object holds nothing is believed of a user alone who sees all of its records ("View All Data", "View All" on the object, or
    /// a standard object that all users share): what cannot be seen stays. [`remove_seen_by`](Self::remove_seen_by) asks a second user.
    ///
    /// Costs some 6 API calls and the looks at the deploys, more where data is counted: one for each 5 objects and fields.
    ///
    /// # Errors
    ///
    /// As for [`apply`](Self::apply); what was taken away until then is gone from the ledger.
    pub async fn remove(&self, filled: Filled) -> Result<Removal> {
        self.remove_where(filled, None, |_| true).await
    }

    /// Like [`remove`](Self::remove), with the run-time user's client to count what the set-up user cannot see: fields that were made for
    /// another user are hidden from whoever made them. Costs up to 2 API calls more, and one for each 5 objects and fields.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Config`] for a client of another org.
    /// - As for [`remove`](Self::remove).
    pub async fn remove_seen_by(&self, runtime: &Client, filled: Filled) -> Result<Removal> {
        self.remove_where(filled, Some(runtime), |_| true).await
    }

    pub(super) async fn remove_where(
        &self,
        filled: Filled,
        runtime: Option<&Client>,
        ours: impl Fn(&LedgerEntry) -> bool,
    ) -> Result<Removal> {
        let mut loaded = self.ledger.load().await?;
        self.resume(&mut loaded).await?;
        let entries: Vec<LedgerEntry> = loaded.ledger.entries().iter().filter(|entry| ours(entry)).cloned().collect();
        let mut removal = Removal::default();
        // Counted before rights are taken, without which nothing is seen.
        if filled == Filled::Keep {
            self.keep_filled(&entries, runtime, &mut removal).await?;
        }
        self.remove_rights(&entries, &mut loaded, &mut removal).await?;
        self.remove_sections(&entries, &mut loaded, &mut removal).await?;
        self.remove_components(&entries, &mut loaded, &mut removal).await?;
        Ok(removal)
    }
}

fn forget(entry: &LedgerEntry, loaded: &mut Loaded, removal: &mut Removal) {
    loaded.ledger.forget(&entry.kind, &entry.name);
    removal.gone(&entry.kind, &entry.name);
}

/// Rights go with what they are on, and with their permission set.
fn forget_with_rows(entry: &LedgerEntry, ledger: &mut Ledger, removal: &mut Removal) {
    if ledger.entry(&entry.kind, &entry.name).is_some_and(|entry| entry.state == EntryState::Made) {
        removal.gone(&entry.kind, &entry.name);
    }
    ledger.forget(&entry.kind, &entry.name);
    let of_set = |kind: &ItemKind| {
        matches!(kind, ItemKind::ObjectPermission | ItemKind::FieldPermission | ItemKind::SystemPermission)
    };
    ledger.retain(|row| match entry.kind {
        ItemKind::PermissionSet => !of_set(&row.kind),
        ItemKind::Object => !(row.kind == ItemKind::ObjectPermission && same(&row.name, &entry.name)),
        ItemKind::Field => !(row.kind == ItemKind::FieldPermission && same(&row.name, &entry.name)),
        _ => true,
    });
}

fn is_refusal(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Forbidden | ErrorKind::Invalid | ErrorKind::Schema | ErrorKind::NotFound | ErrorKind::LimitExceeded
    )
}

fn words(error: &Error) -> String {
    error.salesforce().first().map_or_else(|| error.to_string(), ToString::to_string)
}
