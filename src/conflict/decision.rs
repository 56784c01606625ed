//! What was decided, and why.

use std::fmt;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::question::Question;
use crate::types::{Record, Timestamp, Value};

/// What is to be done about a record that both sides may have changed.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Resolution {
    /// What to write to the org. A field left out is not written; null clears.
    pub to_salesforce: Record,
    /// What to write to the product.
    pub to_source: Record,
    /// What becomes of the record as a whole.
    pub fate: Fate,
    /// One decision per field that any side knows: those of the source in its order, then those only the org or the base has.
    pub decisions: Vec<Decision>,
    /// The org's stamp that was resolved: for a write that is to happen only while the record is still the same.
    pub remote_changed_at: Option<Timestamp>,
    /// What a person has to decide. Nothing is written for these fields.
    pub questions: Vec<Question>,
}

/// What becomes of a record as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fate {
    /// It stays on both sides.
    #[default]
    Keep,
    /// It is gone on both sides.
    Gone,
    /// The org's record is to be deleted, as the product's was.
    DeleteInSalesforce,
    /// The product's record is to be deleted, as the org's was.
    DeleteInSource,
    /// The org's record is to be restored: undeleted or created with `to_salesforce`.
    RestoreInSalesforce,
    /// The product's record is to be restored with `to_source`.
    RestoreInSource,
    /// One side deleted it, and the other one keeps it until something else is decided.
    Apart,
}

/// Whose value it is in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Winner {
    /// The org's.
    Salesforce,
    /// The product's.
    Source,
    /// Both have a part in it, as in a sum.
    Both,
    /// Nobody's: nothing is written, or both go back to the base.
    None,
}

/// What was decided about one field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Decision {
    /// The field.
    pub field: Arc<str>,
    /// Whose value it is in the end.
    pub winner: Winner,
    /// The name of the policy that decided, or `equal`, `one_side_edited`, `not_known`, `answer` or a rule for deletions.
    pub rule: &'static str,
    /// Why.
    pub reason: Reason,
    /// The product's value that went under.
    pub lost_source: Option<Value>,
    /// The org's value that went under.
    pub lost_salesforce: Option<Value>,
}

macro_rules! reasons {
    ($($(#[$meta:meta])* $name:ident => $words:literal,)*) => {
        /// Why a field was decided as it was.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = concat!("In words: ", $words, ".")] $(#[$meta])* $name,)*
        }

        impl Reason {
            /// The reason in a few words.
            #[must_use]
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)*
                }
            }
        }
    };
}

reasons! {
    Equal => "both sides have the same value",
    NotKnown => "neither side knows the field",
    OnlySourceEdited => "only the source changed since the base",
    OnlySalesforceEdited => "only Salesforce changed since the base",
    NeitherEdited => "neither side changed since the base",
    SourceNotKnown => "the source does not know the field",
    SalesforceNotKnown => "the value in Salesforce is not known",
    OwnWrite => "the difference in Salesforce is our own write",
    BothEdited => "both sides changed to different values",
    NoBase => "the sides differ and no base is known",
    SourceYounger => "the source's value is younger",
    SalesforceYounger => "the value in Salesforce is younger",
    SourceOlder => "the source's value is older",
    SalesforceOlder => "the value in Salesforce is older",
    Tie => "the stamps tie, so the tie-break decides",
    SourceHasNoStamp => "the source's stamp is missing, and a missing stamp loses",
    SalesforceHasNoStamp => "the stamp in Salesforce is missing, and a missing stamp loses",
    SourceStampUnreadable => "the source's stamp cannot be read, and counts as missing",
    SalesforceStampUnreadable => "the stamp in Salesforce cannot be read, and counts as missing",
    NoStamps => "neither side has a stamp, so the tie-break decides",
    SalesforceBlank => "the value in Salesforce is blank",
    SourceBlank => "the source's value is blank",
    SalesforceNotBlank => "the value in Salesforce is not blank",
    SourceNotBlank => "the source's value is not blank",
    RankedFirst => "its origin stands higher in the ranking",
    Greater => "it is the greater one",
    Lesser => "it is the lesser one",
    Added => "the base and both changes were added up",
    Joined => "what either side has was put together",
    FirstValue => "the first value stays",
    NeverWritten => "this field is never written",
    OneWay => "values of this field do not go that way",
    Asked => "a person has to decide",
    NotComparable => "the values have no order, so a person has to decide",
    NotAddable => "without a base, or for what is no number, nothing can be added up, so a person has to decide",
    TooManyDigits => "the sum has more digits than can be kept exactly, so a person has to decide",
    NotAList => "a value is neither a text nor a list of texts, so a person has to decide",
    Answered => "a person decided",
    KeptApart => "a person decided to keep the values apart",
    CustomDecided => "the caller's function decided",
    CustomFailed => "the caller's function panicked, so a person has to decide",
    NoCustom => "no function is given for custom, so a person has to decide",
    DeletedUnedited => "one side deleted the record and the other one did not change it",
    DeletedEdited => "one side deleted the record and the other one changed it",
    DeletedBoth => "both sides deleted the record",
    NeverThere => "one side deleted the record, which never reached the other one",
    Protected => "deletions of this record do not go to the other side",
    OwnDelete => "we deleted the record in Salesforce ourselves",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("field", &*self.field)?;
        map.serialize_entry("winner", &self.winner)?;
        map.serialize_entry("rule", self.rule)?;
        map.serialize_entry("reason", self.reason.words())?;
        if self.lost_source.is_some() || self.lost_salesforce.is_some() {
            let lost = Lost { source: self.lost_source.as_ref(), salesforce: self.lost_salesforce.as_ref() };
            map.serialize_entry("lost", &lost)?;
        }
        map.end()
    }
}

#[derive(serde::Serialize)]
struct Lost<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    salesforce: Option<&'a Value>,
}

impl Resolution {
    /// Whether there is nothing to write, to delete or to ask.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.to_salesforce.is_empty()
            && self.to_source.is_empty()
            && self.questions.is_empty()
            && matches!(self.fate, Fate::Keep | Fate::Gone | Fate::Apart)
    }

    /// Why a field was written or not: its decision, if any side knows the field.
    #[must_use]
    pub fn explain(&self, field: &str) -> Option<&Decision> {
        self.decisions.iter().find(|decision| decision.field.eq_ignore_ascii_case(field))
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let winner = match self.winner {
            Winner::Salesforce => "Salesforce wins",
            Winner::Source => "the source wins",
            Winner::Both => "both count",
            Winner::None => "nobody wins",
        };
        write!(f, "{}: {winner} by {}: {}", self.field, self.rule, self.reason)
    }
}
