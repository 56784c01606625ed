//! One field more, named after a label: what every new metric becomes.

use super::{Applied, Filled, Removal, Setup};
use crate::api::metadata::{CustomField, FieldKind, FieldPermission, PermissionSet};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::DesiredSchema;
use crate::schema::denied::OPERATION;
use crate::schema::desired::same;
use crate::schema::ledger::{EntryState, ItemKind, Ledger, LedgerEntry};
use crate::schema::names::{MAX_NAME, is_reserved, numbered, sanitised};
use crate::schema::org::OrgSchema;
use crate::schema::plan::fields::{Fit, fit};
use crate::schema::read::read;
use crate::types::FieldName;

/// How many names are tried for labels that are alike.
const CANDIDATES: u64 = 20;

/// A field that is named after its label.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct MetricField {
    object: String,
    label: String,
    kind: FieldKind,
    prefix: String,
    track_history: bool,
}

impl MetricField {
    /// A field of an object, by its label and type.
    pub fn new(object: impl Into<String>, label: impl Into<String>, kind: FieldKind) -> Self {
        Self { object: object.into(), label: label.into(), kind, prefix: String::new(), track_history: false }
    }

    /// What its API name begins with, such as `Heap_`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Keeps the history of its changes.
    pub fn track_history(mut self) -> Self {
        self.track_history = true;
        self
    }

    /// As much of the label as a field shows. Salesforce counts as Java does, by UTF-16.
    fn visible(&self) -> &str {
        let mut room = MAX_NAME;
        let label = self.label.trim();
        let cut = label.char_indices().find(|(_, letter)| {
            let fits = room.checked_sub(letter.len_utf16());
            room = fits.unwrap_or(room);
            fits.is_none()
        });
        cut.map_or(label, |(end, _)| label[..end].trim_end())
    }

    fn candidate(&self, number: u64) -> CustomField {
        let base = sanitised(&format!("{}{}", self.prefix, self.label));
        let name = numbered(&base, number);
        let field = CustomField::new(format!("{}.{name}__c", self.object), self.visible(), self.kind.clone());
        if self.track_history { field.track_history() } else { field }
    }
}

/// A field that is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnsuredField {
    /// Its API name.
    pub name: FieldName,
    /// Whether it was made just now.
    pub created: bool,
    /// What else was done, and what is left to a person.
    pub applied: Applied,
}

impl Setup {
    /// Makes sure that there is a field for a metric, and that the permission set grants it.
    ///
    /// The API name is made of the label, as by [`api_name`](crate::schema::api_name). A field that was made for this label is used again; one
    /// that was made for another label, or by somebody else for something else, is not: then the name gets a number. Nothing is made on
    /// an object that has as many fields as the org allows. Costs 2 API calls where the field is there, and 4 where it is not, with the
    /// looks at the deploy.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Schema`] for an object that is full or not there, and for a permission set that is not there yet.
    /// - [`ErrorKind::Conflict`] where 20 names are taken.
    /// - As for [`apply`](Self::apply).
    pub async fn ensure_field(&self, metric: &MetricField) -> Result<EnsuredField> {
        let mut loaded = self.ledger.load().await?;
        self.resume(&mut loaded).await?;
        let candidates: Vec<CustomField> = (1..=CANDIDATES)
            .map(|number| metric.candidate(number))
            .filter(|field| !is_reserved(field.name().trim_end_matches("__c")))
            .collect();
        let looked = self.schema_of(candidates.clone(), None);
        looked.check()?;
        let org = read(&self.client, &looked, self.user).await?;
        let field = choose(&candidates, metric, &org, &loaded.ledger)?;
        let granted = self.desired.permission_set.is_some().then(|| FieldPermission {
            field: field.full_name.clone(),
            readable: true,
            editable: !matches!(field.kind, FieldKind::Formula { .. } | FieldKind::AutoNumber { .. }),
        });
        if granted.is_some() && org.permission_set.is_none() {
            return Err(Error::new(ErrorKind::Schema, OPERATION, "the permission set is not there yet")
                .with_advice("set the org up first"));
        }
        let schema = self.schema_of(vec![field.clone()], granted);
        let mut plan = self.plan_of(&schema, &org, &loaded.ledger);
        // Two labels that are alike as far as a field shows them are two metrics.
        let is_ours = |entry: &&mut LedgerEntry| entry.is(&ItemKind::Field, &field.full_name);
        for entry in plan.work.intents.iter_mut().filter(is_ours) {
            entry.label = Some(metric.label.trim().to_owned());
        }
        let applied = self.apply_for(&schema, &plan).await?;
        self.keep_label(metric, &field).await?;
        let name = FieldName::new(field.name())?;
        Ok(EnsuredField { name, created: applied.created.contains(&field.full_name), applied })
    }

    /// Takes a field of a metric away, which this set-up has made. Costs some 2 API calls and the looks at the deploy.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`] for a field that the ledger does not have.
    /// - As for [`remove`](Self::remove).
    pub async fn remove_field(&self, full_name: &str, filled: Filled) -> Result<Removal> {
        if !self.ledger().await?.has(&ItemKind::Field, full_name) {
            return Err(Error::new(ErrorKind::Invalid, OPERATION, "the field was not made by this set-up")
                .with_context("field", full_name)
                .with_advice("only what the ledger has is taken away"));
        }
        self.remove_where(filled, None, |entry| entry.is(&ItemKind::Field, full_name)).await
    }

    /// A run that had to plan anew has noted the label that the field shows.
    async fn keep_label(&self, metric: &MetricField, field: &CustomField) -> Result<()> {
        let label = metric.label.trim();
        let mut loaded = self.ledger.load().await?;
        let noted = loaded.ledger.entry(&ItemKind::Field, &field.full_name);
        if let Some(entry) = noted.filter(|entry| entry.label.as_deref() != Some(label)) {
            let entry = LedgerEntry { label: Some(label.to_owned()), ..entry.clone() };
            loaded.ledger.note(entry);
            self.ledger.save(&mut loaded).await?;
        }
        Ok(())
    }

    /// A schema of these fields, in the permission set of this one.
    fn schema_of(&self, fields: Vec<CustomField>, grant: Option<FieldPermission>) -> DesiredSchema {
        let set = self.desired.permission_set.as_ref().map(|set| PermissionSet {
            full_name: set.full_name.clone(),
            label: set.label.clone(),
            description: set.description.clone(),
            fields: grant.into_iter().collect(),
            ..PermissionSet::default()
        });
        DesiredSchema { permission_set: set, ..DesiredSchema::new(&*self.desired.name).fields(fields) }
    }
}

/// The first name that is free or was made for this label.
fn choose(candidates: &[CustomField], metric: &MetricField, org: &OrgSchema, ledger: &Ledger) -> Result<CustomField> {
    let label = metric.label.trim();
    // One that was made for this label comes first, whatever is free by now.
    let ours = candidates.iter().find(|field| {
        let entry = ledger.entry(&ItemKind::Field, &field.full_name);
        entry.is_some_and(|entry| entry.label.as_deref() == Some(label))
    });
    if let Some(field) = ours {
        return Ok(field.clone());
    }
    let free = candidates.iter().find(|field| {
        let noted = ledger.entry(&ItemKind::Field, &field.full_name);
        match org.field(&field.full_name) {
            None => noted.is_none_or(|entry| entry.state == EntryState::Intended),
            // Made by hand, or by a set-up whose ledger is lost. A label that was cut may be another metric's.
            Some(found) => {
                noted.is_none()
                    && label == field.label
                    && same(found.label.trim(), field.label.trim())
                    && matches!(fit(field, found), Fit::Same | Fit::Larger)
            }
        }
    });
    free.cloned().ok_or_else(|| {
        Error::new(ErrorKind::Conflict, OPERATION, "all names for this label are taken")
            .with_context("object", &metric.object)
            .with_context("tried", candidates.len())
            .with_advice("give the metric another label")
    })
}
