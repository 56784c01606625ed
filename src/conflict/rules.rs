//! The decision over one field.

use std::cmp::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::custom::{CustomVerdict, FieldConflict};
use super::decision::{Reason, Winner};
use super::policy::{ConflictPolicy, Policy, Recency, Side};
use super::stamps::{Sides, Stamp, older, younger};
use super::state::State;
use super::values::{addable, has_items, is_blank, items_like, order, same, same_items, sum, union};
use crate::types::{Direction, Value};

/// A field as all sides have it.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) base: Option<&'a Value>,
    pub(super) source: Option<&'a Value>,
    pub(super) remote: Option<&'a Value>,
    pub(super) direction: Direction,
    /// The remote's difference from the base is our own write.
    pub(super) own: bool,
    /// The source's value differs from the base, or there is none.
    source_differs: bool,
    /// The remote's value differs from the base, or there is none.
    remote_differs: bool,
}

/// What is to be written, and why.
pub(super) struct Verdict {
    pub(super) write: Write,
    pub(super) winner: Winner,
    pub(super) rule: &'static str,
    pub(super) reason: Reason,
}

/// What is to be written.
pub(super) enum Write {
    /// Nothing.
    Nothing,
    /// The org's value to the product.
    ToSource,
    /// The product's value to the org.
    ToSalesforce,
    /// A value of neither alone, to each side that has not got it.
    Each { value: Value, to_salesforce: bool, to_source: bool },
    /// Nothing until a person has decided.
    Ask,
}

/// The name of what decided where no policy had to.
const EQUAL: &str = "equal";
const ONE_SIDE: &str = "one_side_edited";
const NOT_KNOWN: &str = "not_known";

/// The stamps of the records, for a function of the caller's.
const BY_RECORD: Recency = Recency { stamp_field: None, skew_millis: 0, tie: Side::Salesforce };

fn verdict(write: Write, winner: Winner, rule: &'static str, reason: Reason) -> Verdict {
    Verdict { write, winner, rule, reason }
}

fn nothing(rule: &'static str, reason: Reason) -> Verdict {
    verdict(Write::Nothing, Winner::None, rule, reason)
}

fn ask(rule: &'static str, reason: Reason) -> Verdict {
    verdict(Write::Ask, Winner::None, rule, reason)
}

fn win(side: Side, rule: &'static str, reason: Reason) -> Verdict {
    match side {
        Side::Salesforce => verdict(Write::ToSource, Winner::Salesforce, rule, reason),
        Side::Source => verdict(Write::ToSalesforce, Winner::Source, rule, reason),
    }
}

/// The sides in full, where both know the field.
struct Both<'a> {
    source: &'a Value,
    remote: &'a Value,
}

impl<'a> Field<'a> {
    pub(super) fn new(
        name: &'a str,
        [base, source, remote]: [Option<&'a Value>; 3],
        direction: Direction,
        own: bool,
    ) -> Self {
        let differs = |value: Option<&Value>| value.is_some_and(|value| base.is_none_or(|base| !same(value, base)));
        let (source_differs, remote_differs) = (differs(source), differs(remote));
        Self { name, base, source, remote, direction, own, source_differs, remote_differs }
    }

    /// Both sides have the base's value.
    fn is_unedited(&self) -> bool {
        self.base.is_some()
            && self.source.is_some()
            && self.remote.is_some()
            && !self.source_differs
            && !self.remote_differs
    }

    /// The product's value, where writing over it loses an edit.
    pub(super) fn source_edit(&self) -> Option<&'a Value> {
        self.source.filter(|value| self.source_differs && !self.is_bare_blank(value))
    }

    /// The org's value, where writing over it loses an edit.
    pub(super) fn remote_edit(&self) -> Option<&'a Value> {
        self.remote.filter(|value| self.remote_differs && !self.own && !self.is_bare_blank(value))
    }

    /// A blank that nobody is known to have made.
    fn is_bare_blank(&self, value: &Value) -> bool {
        self.base.is_none() && is_blank(value)
    }

    /// Whether the product's value is an edit that may go to the org.
    fn source_edited(&self) -> bool {
        self.direction.writes_salesforce() && self.source_differs
    }

    /// Whether the org's value is an edit that may go to the product.
    fn remote_edited(&self) -> bool {
        !self.own && self.direction.writes_source() && self.remote_differs
    }

    /// Decides.
    pub(super) fn decide<'p>(&self, policy: &'p Policy, all: &ConflictPolicy, sides: &Sides<'p>) -> Verdict {
        if let Policy::Never = policy {
            return nothing(policy.name(), Reason::NeverWritten);
        }
        if self.is_unedited() {
            return nothing(EQUAL, Reason::Equal);
        }
        let both = match (self.source, self.remote) {
            (None, None) => return nothing(NOT_KNOWN, Reason::NotKnown),
            _ if matches!(policy, Policy::FillBlanks) && !self.has_own_write() => return self.fill_blanks(policy),
            (Some(_), None) if self.source_edited() => return win(Side::Source, ONE_SIDE, Reason::SalesforceNotKnown),
            (None, Some(_)) if self.remote_edited() => {
                return win(Side::Salesforce, ONE_SIDE, Reason::SourceNotKnown);
            }
            (Some(_), None) | (None, Some(_)) => return nothing(NOT_KNOWN, self.why_not_edited()),
            (Some(source), Some(remote)) => Both { source, remote },
        };
        let verdict = match self.base {
            Some(base) if self.has_own_write() => self.beside_own_write(base, &both, policy, all, sides),
            _ => self.by_policy(policy, &both, all, sides),
        };
        self.one_way(verdict)
    }

    fn by_policy<'p>(&self, policy: &'p Policy, both: &Both<'_>, all: &ConflictPolicy, sides: &Sides<'p>) -> Verdict {
        let mut policy = policy;
        loop {
            match (self.always(policy, both, sides), policy) {
                (Some(verdict), _) => return verdict,
                (None, Policy::ValueBeatsBlank { then }) => policy = then,
                (None, _) => return self.merge(policy, both, all, sides),
            }
        }
    }

    /// Both sides know the field, and the org differs from the base by our own write only.
    fn has_own_write(&self) -> bool {
        self.own && self.remote_differs && self.base.is_some() && self.source.is_some()
    }

    /// Decides as if the org still had the base's value, and gives the result to the org too: our own write is no edit, so it
    /// neither wins nor stays where something else is the result.
    fn beside_own_write<'p>(
        &self,
        base: &'a Value,
        both: &Both<'_>,
        policy: &'p Policy,
        all: &ConflictPolicy,
        sides: &Sides<'p>,
    ) -> Verdict {
        if same(both.source, both.remote) {
            return nothing(EQUAL, Reason::Equal);
        }
        let unedited = Self { remote: Some(base), remote_differs: false, ..*self };
        if unedited.is_unedited() {
            return nothing(ONE_SIDE, Reason::OwnWrite);
        }
        let mut found = unedited.by_policy(policy, &Both { source: both.source, remote: base }, all, sides);
        let has = |value: &Value| match policy {
            Policy::AppendUnique => same_items(both.remote, value),
            _ => same(both.remote, value),
        };
        found.write = match found.write {
            Write::Nothing if found.reason == Reason::OneWay => Write::Nothing,
            Write::Nothing => return nothing(ONE_SIDE, Reason::OwnWrite),
            Write::ToSource => Write::Each { value: base.clone(), to_salesforce: true, to_source: true },
            // The base may be the result, and then nothing would be written to it.
            Write::Each { value, to_source, .. } => Write::Each { to_salesforce: !has(&value), value, to_source },
            write @ (Write::ToSalesforce | Write::Ask) => write,
        };
        found
    }

    fn why_not_edited(&self) -> Reason {
        match self.direction {
            Direction::ToSalesforce if self.source.is_none() => Reason::OneWay,
            Direction::FromSalesforce if self.remote.is_none() => Reason::OneWay,
            _ if self.own && self.source.is_none() => Reason::OwnWrite,
            _ => Reason::NeitherEdited,
        }
    }

    fn fill_blanks(&self, policy: &Policy) -> Verdict {
        let rule = policy.name();
        match (self.source, self.remote) {
            (None, _) => nothing(rule, Reason::SourceNotKnown),
            (_, None) => nothing(rule, Reason::SalesforceNotKnown),
            (Some(source), Some(remote)) if same(source, remote) => nothing(EQUAL, Reason::Equal),
            (_, Some(remote)) if !is_blank(remote) => nothing(rule, Reason::SalesforceNotBlank),
            _ if !self.direction.writes_salesforce() => nothing(rule, Reason::OneWay),
            _ => win(Side::Source, rule, Reason::SalesforceBlank),
        }
    }

    /// The policies that apply whether there is a conflict or not; `None` for the others.
    fn always<'p>(&self, policy: &'p Policy, both: &Both<'_>, sides: &Sides<'p>) -> Option<Verdict> {
        let rule = policy.name();
        if same(both.source, both.remote) {
            return Some(nothing(EQUAL, Reason::Equal));
        }
        match policy {
            Policy::Never => Some(nothing(rule, Reason::NeverWritten)),
            Policy::FillBlanks => Some(self.fill_blanks(policy)),
            Policy::ValueBeatsBlank { .. } => both.value_beats_blank(rule),
            Policy::Max => Some(both.extreme(rule, Ordering::Greater)),
            Policy::Min => Some(both.extreme(rule, Ordering::Less)),
            Policy::Sum => Some(self.sum(rule, both)),
            Policy::AppendUnique => Some(both.append_unique(rule)),
            Policy::FirstTouch(recency) => Some(self.first_touch(rule, recency, both, sides)),
            _ => None,
        }
    }

    /// An edit on one side only is no conflict; for the rest the policy decides.
    fn merge<'p>(&self, policy: &'p Policy, both: &Both<'_>, all: &ConflictPolicy, sides: &Sides<'p>) -> Verdict {
        match (self.source_edited(), self.remote_edited()) {
            (true, false) if self.base.is_none() => win(Side::Source, ONE_SIDE, self.why_remote_does_not_count()),
            (false, true) if self.base.is_none() => win(Side::Salesforce, ONE_SIDE, Reason::OneWay),
            (true, false) => win(Side::Source, ONE_SIDE, Reason::OnlySourceEdited),
            (false, true) => win(Side::Salesforce, ONE_SIDE, Reason::OnlySalesforceEdited),
            (false, false) => nothing(ONE_SIDE, self.why_remote_does_not_count()),
            (true, true) => self.conflict(policy, both, all, sides),
        }
    }

    fn why_remote_does_not_count(&self) -> Reason {
        if self.own { Reason::OwnWrite } else { Reason::OneWay }
    }

    fn conflict<'p>(&self, policy: &'p Policy, both: &Both<'_>, all: &ConflictPolicy, sides: &Sides<'p>) -> Verdict {
        let rule = policy.name();
        let reason = if self.base.is_some() { Reason::BothEdited } else { Reason::NoBase };
        match policy {
            Policy::SalesforceWins => win(Side::Salesforce, rule, reason),
            Policy::SourceWins => win(Side::Source, rule, reason),
            Policy::MostRecent(recency) => {
                let (side, reason) = younger(sides.stamps(self.name, recency), recency);
                win(side, rule, reason)
            }
            Policy::SalesforceUnlessBlank if is_blank(both.remote) => win(Side::Source, rule, Reason::SalesforceBlank),
            Policy::SalesforceUnlessBlank => win(Side::Salesforce, rule, Reason::SalesforceNotBlank),
            Policy::SourceUnlessBlank if is_blank(both.source) => win(Side::Salesforce, rule, Reason::SourceBlank),
            Policy::SourceUnlessBlank => win(Side::Source, rule, Reason::SourceNotBlank),
            Policy::SourceRanking { ranking, recency } => {
                let rank = |state: &State, default: Side| {
                    let origin = state.origin(self.name).unwrap_or(default.as_str());
                    ranking.iter().position(|ranked| ranked == origin).unwrap_or(usize::MAX)
                };
                let side = match rank(sides.source, Side::Source).cmp(&rank(sides.remote, Side::Salesforce)) {
                    Ordering::Less => Side::Source,
                    Ordering::Greater => Side::Salesforce,
                    Ordering::Equal => {
                        let (side, reason) = younger(sides.stamps(self.name, recency), recency);
                        return win(side, rule, reason);
                    }
                };
                win(side, rule, Reason::RankedFirst)
            }
            Policy::Custom => self.custom(rule, both, all, sides.stamps(self.name, &BY_RECORD)),
            // The policies that always apply have decided before.
            _ => ask(rule, Reason::Asked),
        }
    }

    fn custom(
        &self,
        rule: &'static str,
        both: &Both<'_>,
        all: &ConflictPolicy,
        [source_changed_at, remote_changed_at]: [Stamp; 2],
    ) -> Verdict {
        let Some(custom) = &all.custom else { return ask(rule, Reason::NoCustom) };
        let conflict = FieldConflict {
            field: self.name,
            base: self.base,
            source: both.source,
            remote: both.remote,
            source_changed_at: source_changed_at.moment(),
            remote_changed_at: remote_changed_at.moment(),
        };
        // A function that breaks its contract leaves this field to a person, and the other fields as they are.
        let Ok(decided) = catch_unwind(AssertUnwindSafe(|| (custom.0)(&conflict))) else {
            return ask(rule, Reason::CustomFailed);
        };
        match decided {
            CustomVerdict::Salesforce => win(Side::Salesforce, rule, Reason::CustomDecided),
            CustomVerdict::Source => win(Side::Source, rule, Reason::CustomDecided),
            CustomVerdict::Value(value) => both.each(rule, Reason::CustomDecided, Winner::Both, &value),
            CustomVerdict::Neither => nothing(rule, Reason::CustomDecided),
            CustomVerdict::Ask => ask(rule, Reason::CustomDecided),
        }
    }

    fn sum(&self, rule: &'static str, both: &Both<'_>) -> Verdict {
        let Some(base) = self.base else { return ask(rule, Reason::NotAddable) };
        match (self.source_edited(), self.remote_edited()) {
            (true, true) => match sum(base, both.source, both.remote) {
                Some(sum) => both.each(rule, Reason::Added, Winner::Both, &Value::Number(sum)),
                None if addable(base, both.source, both.remote) => ask(rule, Reason::TooManyDigits),
                None => ask(rule, Reason::NotAddable),
            },
            (true, false) => win(Side::Source, rule, Reason::OnlySourceEdited),
            (false, true) => win(Side::Salesforce, rule, Reason::OnlySalesforceEdited),
            (false, false) => nothing(rule, self.why_remote_does_not_count()),
        }
    }

    fn first_touch<'p>(&self, rule: &'static str, recency: &'p Recency, both: &Both<'_>, sides: &Sides<'p>) -> Verdict {
        if let Some(base) = self.base.filter(|base| !is_blank(base)) {
            let winner = match (self.source_differs, self.remote_differs) {
                (false, _) => Winner::Source,
                (_, false) => Winner::Salesforce,
                _ => Winner::None,
            };
            return both.each(rule, Reason::FirstValue, winner, base);
        }
        match (is_blank(both.source), is_blank(both.remote)) {
            (true, _) => win(Side::Salesforce, rule, Reason::SourceBlank),
            (_, true) => win(Side::Source, rule, Reason::SalesforceBlank),
            _ => {
                let (side, reason) = older(sides.stamps(self.name, recency), recency);
                win(side, rule, reason)
            }
        }
    }

    /// Takes out what goes a way that values of this field do not go.
    pub(super) fn one_way(&self, mut verdict: Verdict) -> Verdict {
        let (writes_salesforce, writes_source) = (self.direction.writes_salesforce(), self.direction.writes_source());
        let blocked = match &mut verdict.write {
            Write::ToSalesforce => !writes_salesforce,
            Write::ToSource => !writes_source,
            Write::Each { to_salesforce, to_source, .. } => {
                let some = *to_salesforce || *to_source;
                *to_salesforce &= writes_salesforce;
                *to_source &= writes_source;
                some && !*to_salesforce && !*to_source
            }
            Write::Nothing | Write::Ask => false,
        };
        if blocked { nothing(verdict.rule, Reason::OneWay) } else { verdict }
    }
}

impl Both<'_> {
    fn value_beats_blank(&self, rule: &'static str) -> Option<Verdict> {
        match (is_blank(self.source), is_blank(self.remote)) {
            (true, false) => Some(win(Side::Salesforce, rule, Reason::SourceBlank)),
            (false, true) => Some(win(Side::Source, rule, Reason::SalesforceBlank)),
            _ => None,
        }
    }

    fn extreme(&self, rule: &'static str, wanted: Ordering) -> Verdict {
        if let Some(verdict) = self.value_beats_blank(rule) {
            return verdict;
        }
        let reason = if wanted == Ordering::Greater { Reason::Greater } else { Reason::Lesser };
        match order(self.source, self.remote) {
            Some(found) if found == wanted => win(Side::Source, rule, reason),
            Some(Ordering::Equal) => nothing(EQUAL, Reason::Equal),
            Some(_) => win(Side::Salesforce, rule, reason),
            None => ask(rule, Reason::NotComparable),
        }
    }

    fn append_unique(&self, rule: &'static str) -> Verdict {
        let Some(items) = union(self.source, self.remote) else { return ask(rule, Reason::NotAList) };
        let (source_has, remote_has) = (has_items(self.source, &items), has_items(self.remote, &items));
        let (winner, reason) = match (source_has, remote_has) {
            (true, true) => return nothing(EQUAL, Reason::Equal),
            (true, false) => (Winner::Source, Reason::Joined),
            (false, true) => (Winner::Salesforce, Reason::Joined),
            (false, false) => (Winner::Both, Reason::Joined),
        };
        // A side that has another form gets it in that one.
        let value = items_like(self.remote, &items);
        verdict(Write::Each { value, to_salesforce: !remote_has, to_source: !source_has }, winner, rule, reason)
    }

    /// A value for each side that has not got it.
    fn each(&self, rule: &'static str, reason: Reason, winner: Winner, value: &Value) -> Verdict {
        let lacks = |side: &Value| !same(side, value);
        let (to_salesforce, to_source) = (lacks(self.remote), lacks(self.source));
        let write = Write::Each { value: value.clone(), to_salesforce, to_source };
        verdict(write, winner, rule, reason)
    }
}
