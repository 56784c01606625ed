//! The records that others refer to.

use super::course::Flow;
use crate::types::{Record, RecordId};

/// A field that refers to another record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reference {
    /// The field.
    pub field: String,
    /// What the org's record referred to.
    pub before: Option<RecordId>,
    /// What it refers to once the record is written; `None` also for a parent that is named by its external id.
    pub after: Option<RecordId>,
}

impl Reference {
    /// The records on either side: a write may lock both.
    pub fn both(&self) -> impl Iterator<Item = RecordId> {
        [self.before, self.after].into_iter().flatten()
    }
}

/// A parent that a write may lock, by its id or, where that is not known, by its key.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Locked {
    Id(RecordId),
    Key(String),
}

/// The parents that a record names by their own keys.
pub(super) fn parent_keys(flow: &Flow, record: &Record) -> Vec<Locked> {
    let referring = flow.map.outputs().filter_map(|output| Some((output, output.parent.as_ref()?)));
    let keys = referring.filter_map(|(output, parent)| {
        let key = record.get(&output.member)?.as_record()?.get(&parent.field)?;
        let object = parent.object.as_deref().unwrap_or_default();
        (!key.is_blank()).then(|| Locked::Key(format!("{object}:{}.{}={key:?}", output.member, parent.field)))
    });
    keys.collect()
}

/// What a record refers to, before and after these fields are written.
pub(super) fn refers(flow: &Flow, fields: &Record, stored: Option<&Record>) -> Vec<Reference> {
    let id = |record: &Record, name: &str| record.text(name).and_then(|id| RecordId::new(id).ok());
    let reference = |(name, member): &(String, String)| {
        let before = stored.and_then(|stored| id(stored, name));
        // A parent that is sent by its key has an id that is not known here.
        let written = fields.get(name).or_else(|| fields.get(member)).is_some();
        let after = if written { id(fields, name) } else { before };
        Reference { field: name.clone(), before, after }
    };
    flow.parents.iter().map(reference).collect()
}
