//! What each product needs in an org: the schema to set up, and the requirements to check.
//!
//! ```no_run
//! use sforce::adapters::setup::Preset;
//! use sforce::schema::preflight;
//!
//! # async fn run(client: sforce::Client) -> sforce::Result<()> {
//! let report = preflight(&client, &Preset::Usage.requirements()).await?;
//! println!("{report}");
//! # Ok(())
//! # }
//! ```
//!
//! A preset has the product's own names and the fewest rights that do the job. The functions below take options: another prefix, a
//! package's namespace, metrics, fields of other names.

mod crm;
mod grants;
mod scores;
mod survey;
mod usage;

use std::fmt;
use std::str::FromStr;

pub use self::crm::{crm_notifier, crm_requirements, crm_schema};
pub use self::scores::{scores_requirements, scores_schema};
pub use self::survey::{survey_requirements, survey_schema, test_fields};
pub use self::usage::{
    UsageLevel, UsageMetric, UsageOptions, usage_read_requirements, usage_read_schema, usage_requirements, usage_schema,
};
use super::engagement::{self, Access, Prefix};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::matching::{JoinKey, MatchPlan, MatchStep};
use crate::schema::{DesiredSchema, Finding, RequirementSet};
use crate::sync::Matcher;
use crate::types::{FieldName, SObjectName};

/// A product whose needs are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// Demo engagement sessions into the org.
    Engagement,
    /// Accounts and contacts out, usage metrics in.
    Usage,
    /// Accounts and contacts out, nothing in.
    UsageRead,
    /// Visitor scores on contacts, leads and accounts.
    Scores,
    /// Survey results on contacts.
    Survey,
    /// Opportunities and what belongs to them out, nothing in.
    Crm,
}

impl Preset {
    /// All presets.
    pub const ALL: [Self; 6] = [Self::Engagement, Self::Usage, Self::UsageRead, Self::Scores, Self::Survey, Self::Crm];

    /// The name, as [`FromStr`] reads it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Engagement => "engagement",
            Self::Usage => "usage",
            Self::UsageRead => "usage_read",
            Self::Scores => "scores",
            Self::Survey => "survey",
            Self::Crm => "crm",
        }
    }

    /// What a set-up makes, with the product's own names.
    #[must_use]
    pub fn desired_schema(self) -> DesiredSchema {
        match self {
            Self::Engagement => engagement::desired_schema(&Prefix::default(), Access::Least),
            Self::Usage => usage_schema(&UsageOptions::default()),
            Self::UsageRead => usage_read_schema(),
            Self::Scores => scores_schema(),
            Self::Survey => survey_schema(&super::presets::SurveyFields::default()),
            Self::Crm => crm_schema(),
        }
    }

    /// What the user of a connection needs; findings say whether the set-up mends them.
    #[must_use]
    pub fn requirements(self) -> RequirementSet {
        let required = match self {
            Self::Engagement => engagement::requirements(&Prefix::default()),
            Self::Usage => usage_requirements(&UsageOptions::default()),
            Self::UsageRead => usage_read_requirements(),
            Self::Scores => scores_requirements(),
            Self::Survey => survey_requirements(&super::presets::SurveyFields::default()),
            Self::Crm => crm_requirements(),
        };
        required.mended_by(&self.desired_schema())
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|preset| preset.name()).collect();
            Error::new(ErrorKind::Config, "preset", "no preset of that name")
                .with_context("name", name)
                .with_advice(format!("presets are {}", names.join(", ")))
        })
    }
}

/// Whether the values of a key field name one record each: a record that shares its key is ambiguous and not joined. Costs two API
/// calls, one where the org keeps the field unique.
///
/// # Errors
///
/// As [`Matcher::new`] and [`Matcher::doubled_keys`].
pub async fn check_key(client: &Client, object: SObjectName, field: FieldName) -> Result<Vec<Finding>> {
    let key = JoinKey::ExternalId { source: "key".to_owned(), field: field.clone() };
    let plan = MatchPlan::new(vec![MatchStep::new(object.clone(), key).merged(false)])?;
    let doubled = Matcher::new(client.clone(), plan).await?.doubled_keys().await?;
    let finding = |count: usize, more: bool| {
        let least = if more { "at least " } else { "" };
        let values = if count == 1 { "value" } else { "values" };
        let problem = format!("has {least}{count} {values} that several records share, so these cannot be told apart");
        let remedy = format!(
            "merge the records or correct the values: Setup > Duplicate Management > Duplicate Jobs, or a report on {object} \
             grouped by {field}; then mark the field as Unique: Setup > Object Manager > {object} > Fields & Relationships > \
             {field} > Edit"
        );
        Finding::new("key_doubled", ErrorKind::Duplicate, format!("{object}.{field}"), problem, remedy)
    };
    Ok(doubled
        .iter()
        .filter(|keys| !keys.values.is_empty())
        .map(|keys| finding(keys.values.len(), keys.more))
        .collect())
}

#[cfg(test)]
mod tests;
