//! What decides where both sides changed, as data.

use std::fmt;
use std::sync::Arc;

use super::custom::{Custom, CustomVerdict, FieldConflict};
use super::names::ByName;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Direction, RecordId};

/// One of the two sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The org.
    #[default]
    Salesforce,
    /// The product.
    Source,
}

impl Side {
    /// The name in files and decisions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Salesforce => "salesforce",
            Self::Source => "source",
        }
    }
}

/// How the age of two values is told.
///
/// The change time of the field counts where a state has one, else the record's stamp: its `changed_at`, or the field that
/// `stamp_field` names. A missing stamp is older than any; two missing ones tie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recency {
    /// The field of both records that holds the stamp, a date and time or a day; `changed_at` when `None`.
    pub stamp_field: Option<String>,
    /// Stamps that are this many milliseconds apart, or less, tie. Salesforce keeps whole seconds.
    pub skew_millis: u64,
    /// Who wins a tie.
    pub tie: Side,
}

/// What decides over one field. In a file it is a name, or an object of `name` and parameters:
///
/// ```
/// use sforce::conflict::{ConflictPolicy, Policy};
///
/// let policy: ConflictPolicy = serde_json::from_str(
///     r#"{"default": "salesforce_wins",
///         "fields": {"Phone": {"name": "most_recent", "skew_seconds": 2, "tie": "source"}, "Visits__c": "max"}}"#,
/// )?;
/// assert_eq!(*policy.of("Visits__c"), Policy::Max);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// A parameter that a policy has no use for is ignored, so that the name alone can be changed; an unknown one is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// `salesforce_wins`: in a conflict, the org's value.
    SalesforceWins,
    /// `source_wins`: in a conflict, the product's value.
    SourceWins,
    /// `most_recent`: in a conflict, the younger value. Parameters `stamp_field`, `skew_seconds`, `tie`.
    MostRecent(Recency),
    /// `salesforce_unless_blank`: in a conflict, the org's value, or the product's where that one is blank.
    SalesforceUnlessBlank,
    /// `source_unless_blank`: in a conflict, the product's value, or the org's where that one is blank.
    SourceUnlessBlank,
    /// `source_ranking`: in a conflict, the value of the origin that stands first in `ranking`; of two that stand nowhere,
    /// the younger one. The org's origin is `salesforce` and the product's `source`, unless a state says otherwise.
    SourceRanking {
        /// Origins, the highest authority first.
        ranking: Vec<String>,
        /// For what no origin decides.
        recency: Recency,
    },
    /// `ask`: in a conflict, a person: nothing is written, and both values come as a [`Question`](super::Question).
    #[default]
    Ask,
    /// `custom`: in a conflict, the function given to [`ConflictPolicy::with_custom`].
    Custom,
    /// `never`: neither side is ever written.
    Never,
    /// `fill_blanks`: always: the product's value goes where the org's is blank, and nothing else is ever written.
    FillBlanks,
    /// `value_beats_blank`: always: a value goes where the other side is blank, even where blank is the younger edit. Two
    /// values that differ fall to `then`.
    ValueBeatsBlank {
        /// The policy for two values; `salesforce_wins` in a file that names none.
        then: Box<Policy>,
    },
    /// `max`: always: the greater number, the later day or moment, or true. What has no order is asked.
    Max,
    /// `min`: always: the lesser number, the earlier day or moment, or false. What has no order is asked.
    Min,
    /// `sum`: always: the base and what both sides added to it. Without a base, or for what is no number, it asks.
    Sum,
    /// `append_unique`: always: what either side has, the org's values first. For multi-select picklists (`a;b`) and lists.
    AppendUnique,
    /// `first_touch`: always: the first value that was ever there. That is the base's; without one a value beats a blank and
    /// the older one wins. Parameters as for `most_recent`; here too a missing stamp loses.
    FirstTouch(Recency),
}

impl Policy {
    /// All names, as they stand in files.
    pub const NAMES: [&str; 16] = [
        "salesforce_wins",
        "source_wins",
        "most_recent",
        "salesforce_unless_blank",
        "source_unless_blank",
        "source_ranking",
        "ask",
        "custom",
        "never",
        "fill_blanks",
        "value_beats_blank",
        "max",
        "min",
        "sum",
        "append_unique",
        "first_touch",
    ];

    /// The name in files and decisions.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::SalesforceWins => "salesforce_wins",
            Self::SourceWins => "source_wins",
            Self::MostRecent(_) => "most_recent",
            Self::SalesforceUnlessBlank => "salesforce_unless_blank",
            Self::SourceUnlessBlank => "source_unless_blank",
            Self::SourceRanking { .. } => "source_ranking",
            Self::Ask => "ask",
            Self::Custom => "custom",
            Self::Never => "never",
            Self::FillBlanks => "fill_blanks",
            Self::ValueBeatsBlank { .. } => "value_beats_blank",
            Self::Max => "max",
            Self::Min => "min",
            Self::Sum => "sum",
            Self::AppendUnique => "append_unique",
            Self::FirstTouch(_) => "first_touch",
        }
    }

    /// The record's stamp is enough, without skew, and Salesforce wins a tie.
    #[must_use]
    pub fn most_recent() -> Self {
        Self::MostRecent(Recency::default())
    }

    /// The field that holds the stamps, also of the policy that another one falls to.
    fn stamp_field(&self) -> Option<&str> {
        match self {
            Self::MostRecent(recency) | Self::FirstTouch(recency) | Self::SourceRanking { recency, .. } => {
                recency.stamp_field.as_deref()
            }
            Self::ValueBeatsBlank { then } => then.stamp_field(),
            _ => None,
        }
    }

    fn uses_custom(&self) -> bool {
        match self {
            Self::Custom => true,
            Self::ValueBeatsBlank { then } => then.uses_custom(),
            _ => false,
        }
    }
}

/// What happens where one side deleted the record and the other one edited it.
///
/// Where the other side did not edit it, the deletion is no conflict and goes to that side, but for [`Never`](Self::Never).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeleteRule {
    /// The record is deleted on the other side too; the edit is lost.
    DeleteWins,
    /// The record is restored from the side that edited it.
    EditWins,
    /// A person decides; until then nothing is written.
    #[default]
    Ask,
    /// No deletion ever goes to the other side, edited or not: records in active use.
    Never,
}

/// What decides over the fields of a record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConflictPolicy {
    pub(super) default: Policy,
    pub(super) fields: ByName<Policy>,
    pub(super) directions: ByName<Direction>,
    pub(super) delete: DeleteRule,
    pub(super) integration_user: Option<RecordId>,
    pub(super) custom: Option<Custom>,
}

impl ConflictPolicy {
    /// One policy for all fields.
    #[must_use]
    pub fn new(default: Policy) -> Self {
        Self { default, ..Self::default() }
    }

    /// The same with another policy for a field. Names compare without regard to case, as Salesforce does.
    #[must_use]
    pub fn with_field(mut self, field: &str, policy: Policy) -> Self {
        self.fields.set(field, policy);
        self
    }

    /// The same with a field whose values go one way only. The side that is never written wins nothing and loses nothing by
    /// it: what the other one has does not reach it.
    #[must_use]
    pub fn with_direction(mut self, field: &str, direction: Direction) -> Self {
        self.directions.set(field, direction);
        self
    }

    /// The same with a rule for deleted records.
    #[must_use]
    pub fn with_delete(mut self, rule: DeleteRule) -> Self {
        self.delete = rule;
        self
    }

    /// The same with the user that we write as. Where the remote state's author is this user, it counts as unedited.
    #[must_use]
    pub fn with_integration_user(mut self, user: RecordId) -> Self {
        self.integration_user = Some(user);
        self
    }

    /// The same with the function that decides for [`Policy::Custom`]. It has to be pure: asked twice, it says the same.
    #[must_use]
    pub fn with_custom(mut self, decide: impl Fn(&FieldConflict<'_>) -> CustomVerdict + Send + Sync + 'static) -> Self {
        self.custom = Some(Custom(Arc::new(decide)));
        self
    }

    /// The policy of a field.
    #[must_use]
    pub fn of(&self, field: &str) -> &Policy {
        self.fields.get(field).unwrap_or(&self.default)
    }

    /// Which way a field's values go; both unless something else is said.
    #[must_use]
    pub fn direction(&self, field: &str) -> Direction {
        self.directions.get(field).copied().unwrap_or(Direction::Both)
    }

    /// Refuses what resolving could not carry out.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when a field falls to `custom` and there is no function for it.
    pub fn check(&self) -> Result<()> {
        if self.custom.is_none() && self.policies().any(Policy::uses_custom) {
            return Err(Error::new(ErrorKind::Config, "conflict policy", "custom has no function")
                .with_advice("give one by ConflictPolicy::with_custom"));
        }
        Ok(())
    }

    fn policies(&self) -> impl Iterator<Item = &Policy> {
        std::iter::once(&self.default).chain(self.fields.iter().map(|(_, policy)| policy))
    }

    /// The names of fields in this policy that a record of these fields does not have: misspelt ones would silently fall to
    /// the default, and a misspelt `stamp_field` would be a missing stamp.
    #[must_use]
    pub fn unknown_fields<'a>(&self, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let known: Vec<&str> = known.into_iter().collect();
        let (fields, directions) = (self.fields.iter(), self.directions.iter());
        let named = fields.map(|(name, _)| name).chain(directions.map(|(name, _)| name));
        let mut unknown: Vec<String> = named
            .chain(self.policies().filter_map(Policy::stamp_field))
            .filter(|name| !known.iter().any(|known| known.eq_ignore_ascii_case(name)))
            .map(str::to_owned)
            .collect();
        unknown.sort();
        unknown.dedup();
        unknown
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
