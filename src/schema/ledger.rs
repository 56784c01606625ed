//! What set-up has made in an org, so that it can go on after a crash and be taken away again.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::desired::same;
use crate::auth::name_of;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::store::{Batch, Commit, Expect, Key, Store, Version, Versioned};
use crate::types::RecordId;

const LEDGERS: Versioned<Ledger> = Versioned::new("schema ledger", 1);

/// A kind of thing that set-up makes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ItemKind {
    /// A custom object; a standard one of which the history is kept.
    Object,
    /// A custom field, by object and name.
    Field,
    /// A permission set.
    PermissionSet,
    /// Rights on an object, within the permission set.
    ObjectPermission,
    /// Rights on a field, within the permission set.
    FieldPermission,
    /// A system permission, within the permission set.
    SystemPermission,
    /// The permission set, assigned to a user.
    Assignment,
    /// A section of a page layout, as layout and label.
    LayoutSection,
    /// A component of any other type, such as `Flow`.
    #[serde(untagged)]
    Component(String),
}

impl ItemKind {
    /// What it is called in a sentence.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Object => "object",
            Self::Field => "field",
            Self::PermissionSet => "permission set",
            Self::ObjectPermission => "rights on object",
            Self::FieldPermission => "rights on field",
            Self::SystemPermission => "system permission",
            Self::Assignment => "assignment of",
            Self::LayoutSection => "layout section",
            Self::Component(name) => name,
        }
    }

    /// The type of the component that a deploy makes of it; `None` for what is no component of its own.
    pub(super) fn component_type(&self) -> Option<&str> {
        match self {
            Self::Object => Some("CustomObject"),
            Self::Field => Some("CustomField"),
            Self::PermissionSet => Some("PermissionSet"),
            Self::Component(name) => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for ItemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far the making of something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EntryState {
    /// It was not there, and is about to be made or may have been.
    Intended,
    /// It was made.
    Made,
}

/// One thing that set-up has made, or is about to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LedgerEntry {
    /// What it is.
    pub kind: ItemKind,
    /// Its full name. Rights are named by what they are on, an assignment by permission set and user: `Usage/005…`.
    /// One without a user is by an earlier version, and the run-time user's.
    pub name: String,
    /// How far its making is.
    pub state: EntryState,
    /// The label it was made for: of two metrics whose names are alike, which one has which field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The rights that were granted, such as `create read edit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<String>,
    /// The fields that were put into a section of a page layout which was there before; none for a section that was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    /// The deploy that was the first to try to make it, until it is made. If that one fails, it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) deploy: Option<RecordId>,
}

impl LedgerEntry {
    /// What is about to be made.
    pub(super) fn intended(kind: ItemKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            state: EntryState::Intended,
            label: None,
            rights: None,
            added: Vec::new(),
            deploy: None,
        }
    }

    pub(super) fn is(&self, kind: &ItemKind, name: &str) -> bool {
        self.kind == *kind && same(&self.name, name)
    }
}

/// What set-up has made in one org for one schema.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    entries: Vec<LedgerEntry>,
    /// The deploy that is at work, or was when a run ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deploy: Option<RecordId>,
}

impl Ledger {
    /// All entries, in the order in which they were made.
    #[must_use]
    pub fn entries(&self) -> &[LedgerEntry] {
        &self.entries
    }

    /// The deploy that is at work, or was when a run ended.
    #[must_use]
    pub fn deploy(&self) -> Option<RecordId> {
        self.deploy
    }

    /// The entry of that name, whatever its case.
    #[must_use]
    pub fn entry(&self, kind: &ItemKind, name: &str) -> Option<&LedgerEntry> {
        self.entries.iter().find(|entry| entry.is(kind, name))
    }

    /// Whether it is ours: made, or about to be when it was not there.
    #[must_use]
    pub fn has(&self, kind: &ItemKind, name: &str) -> bool {
        self.entry(kind, name).is_some()
    }

    pub(super) fn set_deploy(&mut self, deploy: Option<RecordId>) {
        self.deploy = deploy;
    }

    /// Adds an entry. One that was made stays made, with the rights that it has now.
    pub(super) fn note(&mut self, entry: LedgerEntry) {
        match self.entries.iter_mut().find(|known| known.is(&entry.kind, &entry.name)) {
            Some(known) => {
                if entry.state == EntryState::Made {
                    known.state = EntryState::Made;
                    known.deploy = None;
                }
                known.label = entry.label.or(known.label.take());
                known.rights = entry.rights.or(known.rights.take());
            }
            None => self.entries.push(entry),
        }
    }

    /// Says that it was made.
    pub(super) fn made(&mut self, kind: &ItemKind, name: &str) {
        if let Some(known) = self.entries.iter_mut().find(|known| known.is(kind, name)) {
            known.state = EntryState::Made;
            known.deploy = None;
        }
    }

    /// Says which deploy is the first to try to make these.
    pub(super) fn tried_by(&mut self, deploy: RecordId, first: &[LedgerEntry]) {
        for known in &mut self.entries {
            if known.state == EntryState::Intended && first.iter().any(|entry| known.is(&entry.kind, &entry.name)) {
                known.deploy = Some(deploy);
            }
        }
    }

    pub(super) fn forget(&mut self, kind: &ItemKind, name: &str) {
        self.entries.retain(|entry| !entry.is(kind, name));
    }

    /// Keeps the entries of which this is true.
    pub(super) fn retain(&mut self, keep: impl FnMut(&LedgerEntry) -> bool) {
        self.entries.retain(keep);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.deploy.is_none()
    }
}

/// A ledger in its store.
#[derive(Clone, Debug)]
pub(super) struct LedgerFile {
    store: Arc<dyn Store>,
    key: Key,
}

/// A ledger as it was read, and its version for the next write.
#[derive(Clone, Debug, Default)]
pub(super) struct Loaded {
    pub(super) ledger: Ledger,
    version: Option<Version>,
}

impl LedgerFile {
    /// One for each org and schema.
    pub(super) fn new(store: Arc<dyn Store>, org: RecordId, schema: &str) -> Result<Self> {
        // A name may be anything; keys are short and plain.
        Ok(Self { store, key: Key::new(format!("schema-ledger/{org}/{}", name_of(&["schema", schema])))? })
    }

    pub(super) async fn load(&self) -> Result<Loaded> {
        let entry = self.store.get(std::slice::from_ref(&self.key)).await?.into_iter().next().flatten();
        match entry {
            None => Ok(Loaded::default()),
            Some(entry) => Ok(Loaded { ledger: LEDGERS.decode(&entry.value)?, version: Some(entry.version) }),
        }
    }

    /// Writes it, unless somebody else has written since it was read. An empty one is deleted.
    pub(super) async fn save(&self, loaded: &mut Loaded) -> Result<()> {
        let expect = loaded.version.map_or(Expect::Absent, Expect::Version);
        let batch = if loaded.ledger.is_empty() {
            if loaded.version.is_none() {
                return Ok(());
            }
            Batch::new().delete(self.key.clone(), expect)
        } else {
            Batch::new().put(self.key.clone(), LEDGERS.encode(&loaded.ledger)?, expect)
        };
        match self.store.commit(batch).await? {
            Commit::Applied(versions) => {
                loaded.version = versions.into_iter().next().flatten();
                Ok(())
            }
            Commit::Conflict { .. } => Err(Error::new(
                ErrorKind::Conflict,
                "schema.ledger",
                "another process is setting this org up or taking it down",
            )
            .with_retry(Retry::After(None))
            .with_advice("wait until it has ended, then plan again")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    #[test]
    fn format_1_of_a_ledger_is_read() {
        let stored = include_bytes!("../../tests/fixtures/store/schema-ledger-v1.json").trim_ascii();
        let ledger = LEDGERS.decode(stored).expect("format 1");
        let kinds: Vec<&str> = ledger.entries().iter().map(|entry| entry.kind.as_str()).collect();
        assert_eq!(
            kinds,
            [
                "object",
                "field",
                "permission set",
                "rights on object",
                "rights on field",
                "system permission",
                "assignment of",
                "layout section",
                "Flow"
            ]
        );
        assert_eq!(ledger.entries()[1].label.as_deref(), Some("Visits"));
        assert_eq!(ledger.entries()[3].rights.as_deref(), Some("read create edit"));
        assert_eq!(ledger.entries()[8].state, EntryState::Intended);
        assert_eq!(ledger.deploy().map(|id| id.to_string()).as_deref(), Some("0AfdM000001AbCdSAK"));
        assert_eq!(LEDGERS.encode(&ledger).expect("JSON"), stored, "and written as it was");
    }

    #[test]
    fn a_newer_format_says_so() {
        let error = LEDGERS.decode(br#"{"format":2}"#).expect_err("newer");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Store, Retry::Never));
    }

    #[tokio::test]
    async fn of_two_writers_one_is_told_to_plan_again_and_an_empty_ledger_leaves_nothing() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let org = RecordId::new("00DdM000001AbCdEAK").or_else(|_| RecordId::new("00DdM000001AbCd")).expect("an id");
        let file = LedgerFile::new(Arc::clone(&store), org, "usage").expect("a key");
        let (mut one, mut other) = (file.load().await.expect("read"), file.load().await.expect("read"));
        one.ledger.note(LedgerEntry::intended(ItemKind::Object, "Usage__c"));
        file.save(&mut one).await.expect("written");
        other.ledger.note(LedgerEntry::intended(ItemKind::Object, "Other__c"));
        let error = file.save(&mut other).await.expect_err("somebody has written");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Conflict, Retry::After(None)));
        one.ledger.made(&ItemKind::Object, "USAGE__C");
        file.save(&mut one).await.expect("written");
        let read = file.load().await.expect("read").ledger;
        assert_eq!(read.entry(&ItemKind::Object, "usage__c").map(|entry| entry.state), Some(EntryState::Made));
        let elsewhere = LedgerFile::new(Arc::clone(&store), org, "survey").expect("a key");
        assert!(elsewhere.load().await.expect("read").ledger.is_empty(), "each schema has its own");
        one.ledger.forget(&ItemKind::Object, "Usage__c");
        file.save(&mut one).await.expect("deleted");
        assert!(store.scan("", None, 9).await.expect("read").is_empty());
    }
}
