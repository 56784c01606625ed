//! A plan as it stands in a configuration file.

use serde::{Deserialize, Serialize};

use super::cardinality::{Cardinality, Winner};
use super::normalise::Normaliser;
use super::plan::{Converted, JoinKey, MatchPlan, MatchStep};
use crate::types::{FieldName, Filter, SObjectName};

/// The format that a plan is read and written in.
const VERSION: u32 = 1;

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanParts {
    version: u32,
    steps: Vec<MatchStep>,
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum By {
    Id,
    Parent,
    Contact,
    ExternalId,
    Custom,
    Email,
    PersonEmail,
    Domain,
    Name,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Accounts {
    MostRecentlyUpdated,
    Many,
}

/// One step, flat: the members that its `by` does not know are refused.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepParts {
    object: SObjectName,
    by: By,
    source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    field: Option<FieldName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fields: Option<Vec<FieldName>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    normaliser: Option<Normaliser>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    strip_plus_tag: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ignore_gmail_dots: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exclude: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cardinality: Option<Accounts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stamp: Option<FieldName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter: Option<Filter>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    converted: Option<Converted>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merged: Option<bool>,
}

impl TryFrom<PlanParts> for MatchPlan {
    type Error = String;

    fn try_from(parts: PlanParts) -> Result<Self, String> {
        if parts.version != VERSION {
            return Err(format!("this version reads match plans of version {VERSION}"));
        }
        Self::new(parts.steps).map_err(|error| error.message().to_owned())
    }
}

impl TryFrom<StepParts> for MatchStep {
    type Error = String;

    // Here and not with the plan, so that a parser tells the line.
    fn try_from(parts: StepParts) -> Result<Self, String> {
        let step = parts.into_step()?;
        step.check().map_err(|message| format!("{step}: {message}"))?;
        Ok(step)
    }
}

impl StepParts {
    fn into_step(self) -> Result<MatchStep, String> {
        let by = self.by;
        let given = [
            ("field", self.field.is_some(), matches!(by, By::ExternalId | By::Custom | By::Domain | By::Name)),
            ("fields", self.fields.is_some(), by == By::Email),
            ("normaliser", self.normaliser.is_some(), by == By::Custom),
            ("strip_plus_tag", self.strip_plus_tag.is_some(), by == By::Email),
            ("ignore_gmail_dots", self.ignore_gmail_dots.is_some(), by == By::Email),
            ("exclude", self.exclude.is_some(), by == By::Domain),
            ("cardinality", self.cardinality.is_some(), by == By::Contact),
            ("stamp", self.stamp.is_some(), by == By::Contact),
        ];
        if let Some((name, ..)) = given.into_iter().find(|(_, given, known)| *given && !known) {
            return Err(format!("\"{name}\" has no meaning for this kind of key"));
        }
        let source = self.source;
        let field = |default: Option<&'static str>| match (self.field, default) {
            (Some(field), _) => Ok(field),
            (None, Some(default)) => Ok(FieldName::from_static(default)),
            (None, None) => Err("\"field\" is missing".to_owned()),
        };
        let key = match by {
            By::Id => JoinKey::Id { source },
            By::Parent => JoinKey::Parent { source },
            By::Contact => JoinKey::Contact {
                source,
                cardinality: match self.cardinality {
                    None | Some(Accounts::MostRecentlyUpdated) => Cardinality::OneToOne(Winner::MostRecentlyUpdated),
                    Some(Accounts::Many) => Cardinality::Many,
                },
                stamp: self.stamp.unwrap_or(FieldName::from_static("LastModifiedDate")),
            },
            By::ExternalId => JoinKey::ExternalId { source, field: field(None)? },
            By::Custom => {
                JoinKey::Custom { source, field: field(None)?, normaliser: self.normaliser.unwrap_or_default() }
            }
            By::Email => JoinKey::Email {
                source,
                fields: self.fields.unwrap_or_else(|| vec![FieldName::from_static("Email")]),
                strip_plus_tag: self.strip_plus_tag.unwrap_or_default(),
                ignore_gmail_dots: self.ignore_gmail_dots.unwrap_or_default(),
            },
            By::PersonEmail => JoinKey::PersonEmail { source },
            By::Domain => {
                JoinKey::Domain { source, field: field(Some("Website"))?, exclude: self.exclude.unwrap_or_default() }
            }
            By::Name => JoinKey::Name { source, field: field(Some("Name"))? },
        };
        let mut step = MatchStep::new(self.object, key);
        step.filter = self.filter;
        if self.converted.is_some() && !step.is_of_leads() {
            return Err("only a Lead can be converted".to_owned());
        }
        step.converted = self.converted.unwrap_or_default();
        step.merged = self.merged.unwrap_or(step.merged);
        Ok(step)
    }
}

impl From<MatchPlan> for PlanParts {
    fn from(plan: MatchPlan) -> Self {
        Self { version: VERSION, steps: plan.steps().to_vec() }
    }
}

impl From<MatchStep> for StepParts {
    fn from(step: MatchStep) -> Self {
        let plain = MatchStep::new(step.object.clone(), step.key.clone());
        let mut parts = Self {
            object: step.object,
            by: By::Id,
            source: step.key.source().to_owned(),
            field: None,
            fields: None,
            normaliser: None,
            strip_plus_tag: None,
            ignore_gmail_dots: None,
            exclude: None,
            cardinality: None,
            stamp: None,
            filter: step.filter,
            converted: (step.converted != plain.converted).then_some(step.converted),
            merged: (step.merged != plain.merged).then_some(step.merged),
        };
        match step.key {
            JoinKey::Id { .. } => {}
            JoinKey::Parent { .. } => parts.by = By::Parent,
            JoinKey::Contact { cardinality, stamp, .. } => {
                parts.by = By::Contact;
                parts.cardinality = Some(match cardinality {
                    Cardinality::OneToOne(Winner::MostRecentlyUpdated) => Accounts::MostRecentlyUpdated,
                    Cardinality::Many => Accounts::Many,
                });
                parts.stamp = Some(stamp);
            }
            JoinKey::ExternalId { field, .. } => (parts.by, parts.field) = (By::ExternalId, Some(field)),
            JoinKey::Custom { field, normaliser, .. } => {
                (parts.by, parts.field, parts.normaliser) = (By::Custom, Some(field), Some(normaliser));
            }
            JoinKey::Email { fields, strip_plus_tag, ignore_gmail_dots, .. } => {
                (parts.by, parts.fields) = (By::Email, Some(fields));
                parts.strip_plus_tag = strip_plus_tag.then_some(true);
                parts.ignore_gmail_dots = ignore_gmail_dots.then_some(true);
            }
            JoinKey::PersonEmail { .. } => parts.by = By::PersonEmail,
            JoinKey::Domain { field, exclude, .. } => {
                (parts.by, parts.field) = (By::Domain, Some(field));
                parts.exclude = (!exclude.is_empty()).then_some(exclude);
            }
            JoinKey::Name { field, .. } => (parts.by, parts.field) = (By::Name, Some(field)),
        }
        parts
    }
}
