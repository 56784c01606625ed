//! Who the visitor is in the org: the plans by which it is looked up, and what a session is linked to.

use serde::Serialize;

use crate::error::Result;
use crate::matching::{Converted, JoinKey, Match, MatchPlan, MatchStep, Matched, NoKey};
use crate::types::{Record, RecordId, SObjectName, Value};

/// The plans of a session's links, each over a record of `email`, `opportunity`, and the `person` found by then.
#[derive(Clone, Debug)]
pub(super) struct Plans {
    /// The opportunity that the session or its share link names.
    pub(super) opportunity: MatchPlan,
    /// The contact with the visitor's email address, then the unconverted lead with it.
    pub(super) person: MatchPlan,
    /// The contact's account, then the one whose website has the address's domain.
    pub(super) account: MatchPlan,
}

impl Plans {
    pub(super) fn new() -> Result<Self> {
        let step = |object, key| MatchStep::new(SObjectName::from_static(object), key);
        Ok(Self {
            opportunity: MatchPlan::new(vec![step("Opportunity", JoinKey::Id { source: "opportunity".into() })])?,
            person: MatchPlan::new(vec![
                step("Contact", JoinKey::email("email")),
                step("Lead", JoinKey::email("email")).converted(Converted::Skip),
            ])?,
            account: MatchPlan::accounts("email")?,
        })
    }
}

/// The visitor as the plan for accounts reads it. Where several people are meant, nobody's account is looked for.
pub(super) fn with_person(visitor: &Record, person: &Matched) -> Record {
    match &person.result {
        Match::One(person) => visitor.clone().with("person", person.to_source()),
        Match::None => visitor.clone(),
        Match::Ambiguous(_) => Record::new(),
    }
}

/// What a session is linked to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// The contact with the visitor's email address.
    pub contact: Option<RecordId>,
    /// The unconverted lead with it, where no contact has it.
    pub lead: Option<RecordId>,
    /// The contact's account, or the one whose website has the address's domain.
    pub account: Option<RecordId>,
    /// The opportunity that the session or its share link names.
    pub opportunity: Option<RecordId>,
    /// Why something is not linked that could have been.
    pub notes: Vec<LinkNote>,
}

/// Why a session is not linked to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LinkNote {
    /// Several contacts have the email address.
    AmbiguousContact,
    /// Several unconverted leads have it, and no contact.
    AmbiguousLead,
    /// Several accounts have a website at its domain.
    AmbiguousAccount,
    /// What should be an opportunity's id is none.
    MalformedOpportunity,
    /// The id is of another object.
    ForeignOpportunity,
    /// No opportunity has the id, or the user cannot see it.
    UnknownOpportunity,
}

impl LinkNote {
    /// The reason in a few words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::AmbiguousContact => "several contacts have this email address",
            Self::AmbiguousLead => "several leads have this email address",
            Self::AmbiguousAccount => "several accounts have a website at this email address's domain",
            Self::MalformedOpportunity => "the opportunity id is not a record id",
            Self::ForeignOpportunity => "the opportunity id is an id of another object",
            Self::UnknownOpportunity => "no opportunity has this id, or the user cannot see it",
        }
    }

    /// Whether the org's record tells otherwise: what had several hits now was linked before.
    fn is_settled(self, link: &Link) -> bool {
        match self {
            Self::AmbiguousContact | Self::AmbiguousLead => link.contact.is_some() || link.lead.is_some(),
            Self::AmbiguousAccount => link.account.is_some(),
            _ => false,
        }
    }

    fn is_ambiguous(self) -> bool {
        matches!(self, Self::AmbiguousContact | Self::AmbiguousLead | Self::AmbiguousAccount)
    }
}

impl Link {
    /// What the three plans found. Several hits link nothing that hangs on them.
    pub(super) fn of(opportunity: &Matched, person: &Matched, account: &Matched) -> Self {
        let mut link = Self::default();
        match (&opportunity.result, opportunity.steps.first().and_then(|report| report.no_key)) {
            (Match::One(opportunity), _) => link.opportunity = Some(opportunity.id),
            (_, Some(NoKey::Blank)) => {}
            (_, Some(NoKey::ForeignId)) => link.notes.push(LinkNote::ForeignOpportunity),
            (_, Some(_)) => link.notes.push(LinkNote::MalformedOpportunity),
            (_, None) => link.notes.push(LinkNote::UnknownOpportunity),
        }
        match (&person.result, person.step) {
            (Match::One(person), _) => (link.contact, link.lead) = (person.contact(), person.lead()),
            (Match::Ambiguous(_), Some(0)) => link.notes.push(LinkNote::AmbiguousContact),
            (Match::Ambiguous(_), _) => link.notes.push(LinkNote::AmbiguousLead),
            (Match::None, _) => {}
        }
        match &account.result {
            Match::One(account) => link.account = Some(account.id),
            Match::Ambiguous(_) => link.notes.push(LinkNote::AmbiguousAccount),
            Match::None => {}
        }
        link
    }

    /// The links as the org's record has them once it is written, with the notes on what it lacks.
    pub(super) fn after(mut self, ids: [Option<RecordId>; 4]) -> Self {
        [self.contact, self.lead, self.account, self.opportunity] = ids;
        let notes = std::mem::take(&mut self.notes);
        self.notes = notes.into_iter().filter(|note| !note.is_settled(&self)).collect();
        self
    }
}

/// How many sessions are linked to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LinkTotals {
    /// Sessions linked to a contact, now or before.
    pub matched_contact: u64,
    /// Sessions linked to a lead.
    pub matched_lead: u64,
    /// Sessions linked to an account.
    pub matched_account: u64,
    /// Sessions for which something has several hits and is not linked.
    pub ambiguous: u64,
    /// Sessions linked to nothing, without several hits for anything.
    pub unmatched: u64,
    /// Sessions linked to an opportunity.
    pub linked_opportunity: u64,
}

impl LinkTotals {
    /// Counts one session's links.
    pub fn count(&mut self, link: &Link) {
        let linked = [link.contact, link.lead, link.account, link.opportunity].map(|id| u64::from(id.is_some()));
        let ambiguous = link.notes.iter().any(|note| note.is_ambiguous());
        self.matched_contact += linked[0];
        self.matched_lead += linked[1];
        self.matched_account += linked[2];
        self.linked_opportunity += linked[3];
        self.ambiguous += u64::from(ambiguous);
        self.unmatched += u64::from(!ambiguous && linked == [0; 4]);
    }
}

/// The links as source values for the map.
pub(super) fn link_record(link: &Link) -> Record {
    let ids =
        [("contact", link.contact), ("lead", link.lead), ("account", link.account), ("opportunity", link.opportunity)];
    let mut record = Record::new();
    for (name, id) in ids {
        if let Some(id) = id {
            record.set(name, Value::Text(id.to_string()));
        }
    }
    if link.contact.is_some() {
        // The lead of former days has become this contact.
        record.set("lead", Value::Null);
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::OrgFacts;
    use crate::matching::tests::match_in;

    fn row(text: &str) -> Record {
        serde_json::from_str(text).expect(text)
    }

    fn record_id(prefix: &str, number: u32) -> RecordId {
        RecordId::new(&format!("{prefix}{number:012}")).expect("an id")
    }

    fn visitor(email: &str) -> Record {
        Record::new().with("email", email)
    }

    /// The rows of an org.
    fn rows() -> Vec<Record> {
        let contact = |number: u32, email: &str, account: &str| {
            let id = record_id("003", number);
            row(&format!(
                r#"{{"attributes":{{"type":"Contact"}},"Id":"{id}","Email":"{email}","AccountId":{account}}}"#
            ))
        };
        let lead = |number: u32, email: &str| {
            let id = record_id("00Q", number);
            row(&format!(r#"{{"attributes":{{"type":"Lead"}},"Id":"{id}","Email":"{email}"}}"#))
        };
        let account = |number: u32, website: &str| {
            let id = record_id("001", number);
            row(&format!(r#"{{"attributes":{{"type":"Account"}},"Id":"{id}","Website":"{website}"}}"#))
        };
        vec![
            contact(1, "Ada@Acme.example", &format!("\"{}\"", record_id("001", 1))),
            contact(2, "solo@globex.example", "null"),
            contact(3, "twin@acme.example", "null"),
            contact(4, "TWIN@acme.example", "null"),
            lead(1, "lee@globex.example"),
            lead(2, "pair@globex.example"),
            lead(3, "pair@globex.example"),
            account(2, "https://www.Globex.example/about"),
            account(3, "hooli.example"),
            account(4, "http://hooli.example"),
            row(&format!(r#"{{"attributes":{{"type":"Opportunity"}},"Id":"{}"}}"#, record_id("006", 1))),
        ]
    }

    fn link(visitor: &Record) -> Link {
        let plans = Plans::new().expect("valid");
        let matched = |plan: &MatchPlan, record: &Record| {
            match_in(plan, &OrgFacts::assumed(plan), &rows(), std::slice::from_ref(record)).remove(0)
        };
        let person = matched(&plans.person, visitor);
        let account = matched(&plans.account, &with_person(visitor, &person));
        Link::of(&matched(&plans.opportunity, visitor), &person, &account)
    }

    #[test]
    fn nav_39_a_contact_comes_before_a_lead_and_brings_its_account() {
        let found = link(&visitor("ada@acme.example"));
        assert_eq!((found.contact, found.account), (Some(record_id("003", 1)), Some(record_id("001", 1))));
        let found = link(&visitor("solo@globex.example"));
        assert_eq!(
            (found.contact, found.account),
            (Some(record_id("003", 2)), Some(record_id("001", 2))),
            "by the domain"
        );
        let found = link(&visitor("lee@globex.example"));
        assert_eq!(
            (found.contact, found.lead, found.account),
            (None, Some(record_id("00Q", 1)), Some(record_id("001", 2)))
        );
    }

    #[test]
    fn several_hits_are_told_and_link_nothing() {
        let found = link(&visitor("twin@acme.example"));
        assert_eq!(found, Link { notes: vec![LinkNote::AmbiguousContact], ..Link::default() });
        let found = link(&visitor("pair@globex.example"));
        assert_eq!(found, Link { notes: vec![LinkNote::AmbiguousLead], ..Link::default() });
        let found = link(&visitor("new@hooli.example"));
        assert_eq!(found, Link { notes: vec![LinkNote::AmbiguousAccount], ..Link::default() });
    }

    #[test]
    fn nav_26_an_explicit_opportunity_is_linked_or_the_reason_told() {
        let link = |text: &str| link(&Record::new().with("opportunity", text));
        let known = record_id("006", 1);
        assert_eq!(link(known.as_str()).opportunity, Some(known));
        assert_eq!(link(&known.as_str()[..15]).opportunity, Some(known), "15 characters are the same id");
        for (text, note) in [
            ("not an id", LinkNote::MalformedOpportunity),
            ("006000000000001AAB", LinkNote::MalformedOpportunity),
            (record_id("003", 1).as_str(), LinkNote::ForeignOpportunity),
            (record_id("006", 9).as_str(), LinkNote::UnknownOpportunity),
        ] {
            assert_eq!(link(text), Link { notes: vec![note], ..Link::default() }, "{text}");
        }
    }

    #[test]
    fn an_ambiguous_visitor_is_still_linked_to_an_explicit_opportunity() {
        let both = visitor("twin@acme.example").with("opportunity", record_id("006", 1));
        let found = link(&both);
        assert!(found.opportunity.is_some() && found.contact.is_none() && found.notes == [LinkNote::AmbiguousContact]);
    }

    #[test]
    fn counts_tell_sessions_apart() {
        let mut totals = LinkTotals::default();
        for email in ["ada@acme.example", "lee@globex.example", "twin@acme.example", "nobody@nowhere.example"] {
            totals.count(&link(&visitor(email)));
        }
        let expected = LinkTotals {
            matched_contact: 1,
            matched_lead: 1,
            matched_account: 2,
            ambiguous: 1,
            unmatched: 1,
            linked_opportunity: 0,
        };
        assert_eq!(totals, expected);
    }
}
