//! Which record of the org is meant: ordered steps over join keys, as data.
//!
//! A [`MatchPlan`] is a list of steps; the first step with a hit decides. One hit is [`Match::One`]; several different ones are
//! [`Match::Ambiguous`] and change nothing. Everything here is pure: keys of records come out, rows of queries go in.
//! [`sync::Matcher`](crate::sync::Matcher) does the calls.

mod cardinality;
mod config;
mod domain;
mod facts;
mod follow;
mod found;
mod keys;
mod lookup;
mod normalise;
mod outcome;
mod plan;

pub use self::cardinality::{Cardinality, Dropped, Reduced, Relation, WhyDropped, Winner};
pub use self::domain::{is_public_mail, website_host};
pub use self::facts::OrgFacts;
pub(crate) use self::follow::MAX_HOPS;
pub(crate) use self::found::Found;
pub(crate) use self::keys::SourceKey;
pub(crate) use self::lookup::{Lookup, MAX_PROBE_ROWS, probes};
pub use self::normalise::Normaliser;
pub use self::outcome::{Candidate, Excluded, Hop, Match, Matched, NoKey, StepReport, WhyExcluded, meant_by_several};
pub use self::plan::{Converted, JoinKey, MatchPlan, MatchStep};

#[cfg(test)]
pub(crate) mod tests;
