//! Who the visitor is in the org. Pure: rows of queries in, links out.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use crate::types::{Record, RecordId, Value};

/// Domains of public mail, at which a company cannot be told.
const PUBLIC_MAIL: &[&str] = &[
    "126.com",
    "163.com",
    "abv.bg",
    "alice.it",
    "aliyun.com",
    "aol.com",
    "att.net",
    "bbox.fr",
    "bellsouth.net",
    "bigpond.com",
    "bk.ru",
    "bluewin.ch",
    "bol.com.br",
    "btinternet.com",
    "centrum.cz",
    "charter.net",
    "chello.nl",
    "comcast.net",
    "cox.net",
    "daum.net",
    "docomo.ne.jp",
    "duck.com",
    "earthlink.net",
    "email.cz",
    "ezweb.ne.jp",
    "fastmail.com",
    "fastmail.fm",
    "foxmail.com",
    "free.fr",
    "freenet.de",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.co.uk",
    "googlemail.com",
    "hanmail.net",
    "hetnet.nl",
    "hey.com",
    "home.nl",
    "hotmail.ca",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.com.br",
    "hotmail.de",
    "hotmail.es",
    "hotmail.fr",
    "hotmail.it",
    "hushmail.com",
    "i.softbank.jp",
    "icloud.com",
    "ig.com.br",
    "inbox.ru",
    "interia.pl",
    "kpnmail.nl",
    "laposte.net",
    "libero.it",
    "list.ru",
    "live.ca",
    "live.co.uk",
    "live.com",
    "live.com.mx",
    "live.fr",
    "live.nl",
    "mac.com",
    "mail.bg",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "nate.com",
    "naver.com",
    "neuf.fr",
    "ntlworld.com",
    "o2.pl",
    "onet.pl",
    "optonline.net",
    "orange.fr",
    "outlook.com",
    "outlook.com.br",
    "outlook.de",
    "outlook.es",
    "outlook.fr",
    "outlook.it",
    "planet.nl",
    "pm.me",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "quicknet.nl",
    "rediffmail.com",
    "rocketmail.com",
    "rogers.com",
    "sbcglobal.net",
    "seznam.cz",
    "sfr.fr",
    "shaw.ca",
    "sina.com",
    "sky.com",
    "skynet.be",
    "softbank.ne.jp",
    "sohu.com",
    "sympatico.ca",
    "t-online.de",
    "talktalk.net",
    "telefonica.net",
    "telenet.be",
    "telus.net",
    "terra.com.br",
    "terra.es",
    "tin.it",
    "tiscali.it",
    "tom.com",
    "tutanota.com",
    "ukr.net",
    "uol.com.br",
    "upcmail.nl",
    "verizon.net",
    "virgilio.it",
    "virginmedia.com",
    "vodafone.it",
    "wanadoo.fr",
    "web.de",
    "wp.pl",
    "xs4all.nl",
    "yahoo.ca",
    "yahoo.co.id",
    "yahoo.co.in",
    "yahoo.co.jp",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.com.ar",
    "yahoo.com.au",
    "yahoo.com.br",
    "yahoo.com.hk",
    "yahoo.com.mx",
    "yahoo.com.sg",
    "yahoo.com.tw",
    "yahoo.de",
    "yahoo.dk",
    "yahoo.es",
    "yahoo.fr",
    "yahoo.gr",
    "yahoo.ie",
    "yahoo.it",
    "yahoo.no",
    "yahoo.pl",
    "yahoo.se",
    "yandex.com",
    "yandex.ru",
    "yeah.net",
    "ymail.com",
    "ziggo.nl",
    "zoho.com",
];

/// What a session says of its visitor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Visitor {
    /// Trimmed, in lower case.
    pub(super) email: Option<String>,
    /// As the session or its share link says; not yet known to be an id.
    pub(super) opportunity: Option<String>,
}

impl Visitor {
    /// The company's domain, unless the address is one of public mail.
    pub(super) fn domain(&self) -> Option<&str> {
        let domain = self.email.as_deref()?.rsplit_once('@')?.1;
        (!PUBLIC_MAIL.contains(&domain)).then_some(domain)
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

/// What the org answered about the visitors of a window.
#[derive(Debug, Default)]
pub(super) struct Directory {
    contacts: HashMap<String, Hits<Option<RecordId>>>,
    leads: HashMap<String, Hits<()>>,
    accounts: HashMap<String, Hits<()>>,
    opportunities: BTreeSet<RecordId>,
}

/// One record and what comes with it, or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hits<T> {
    One(RecordId, T),
    Several,
}

fn add<T: Copy>(hits: &mut HashMap<String, Hits<T>>, key: String, id: RecordId, with: T) {
    hits.entry(key)
        .and_modify(|hit| {
            if !matches!(hit, Hits::One(known, _) if *known == id) {
                *hit = Hits::Several;
            }
        })
        .or_insert(Hits::One(id, with));
}

fn id(record: &Record, name: &str) -> Option<RecordId> {
    record.text(name).and_then(|id| RecordId::new(id).ok())
}

fn email(record: &Record) -> Option<String> {
    record.text("Email").map(|email| email.trim().to_lowercase())
}

impl Directory {
    /// Takes a row of `Id, Email, AccountId`.
    pub(super) fn add_contact(&mut self, row: &Record) {
        if let (Some(contact), Some(email)) = (id(row, "Id"), email(row)) {
            add(&mut self.contacts, email, contact, id(row, "AccountId"));
        }
    }

    /// Takes a row of `Id, Email`.
    pub(super) fn add_lead(&mut self, row: &Record) {
        if let (Some(lead), Some(email)) = (id(row, "Id"), email(row)) {
            add(&mut self.leads, email, lead, ());
        }
    }

    /// Takes a row of `Id, Website`.
    pub(super) fn add_account(&mut self, row: &Record) {
        if let (Some(account), Some(host)) = (id(row, "Id"), row.text("Website").and_then(website_host)) {
            add(&mut self.accounts, host, account, ());
        }
    }

    /// Takes a row of `Id`.
    pub(super) fn add_opportunity(&mut self, row: &Record) {
        self.opportunities.extend(id(row, "Id"));
    }

    /// Whether a lead has to be looked for.
    pub(super) fn needs_lead(&self, email: &str) -> bool {
        !self.contacts.contains_key(email)
    }

    /// The domain to look an account up by, unless the contact has one or the visitor is ambiguous.
    pub(super) fn needs_account<'a>(&self, visitor: &'a Visitor) -> Option<&'a str> {
        let email = visitor.email.as_deref()?;
        match (self.contacts.get(email), self.leads.get(email)) {
            (Some(Hits::One(_, Some(_)) | Hits::Several), _) | (None, Some(Hits::Several)) => None,
            _ => visitor.domain(),
        }
    }

    /// The visitor's links. Several hits link nothing that hangs on them.
    pub(super) fn link(&self, visitor: &Visitor) -> Link {
        let mut link = Link::default();
        if let Some(text) = &visitor.opportunity {
            match opportunity_id(text) {
                Ok(id) if self.opportunities.contains(&id) => link.opportunity = Some(id),
                Ok(_) => link.notes.push(LinkNote::UnknownOpportunity),
                Err(note) => link.notes.push(note),
            }
        }
        let Some(email) = visitor.email.as_deref() else { return link };
        match self.contacts.get(email) {
            Some(Hits::Several) => {
                link.notes.push(LinkNote::AmbiguousContact);
                return link;
            }
            Some(Hits::One(contact, account)) => {
                link.contact = Some(*contact);
                link.account = *account;
            }
            None => match self.leads.get(email) {
                Some(Hits::Several) => {
                    link.notes.push(LinkNote::AmbiguousLead);
                    return link;
                }
                Some(Hits::One(lead, ())) => link.lead = Some(*lead),
                None => {}
            },
        }
        if link.account.is_none() {
            match visitor.domain().and_then(|domain| self.accounts.get(domain)) {
                Some(Hits::One(account, ())) => link.account = Some(*account),
                Some(Hits::Several) => link.notes.push(LinkNote::AmbiguousAccount),
                None => {}
            }
        }
        link
    }
}

/// Reads what should be an opportunity's id.
pub(super) fn opportunity_id(text: &str) -> Result<RecordId, LinkNote> {
    let id = RecordId::new(text.trim()).map_err(|_| LinkNote::MalformedOpportunity)?;
    if id.key_prefix() == "006" { Ok(id) } else { Err(LinkNote::ForeignOpportunity) }
}

/// The host of an account's website, without `www.`, whatever way it is written.
fn website_host(website: &str) -> Option<String> {
    let website = website.trim();
    let rest = website.split_once("://").map_or(website, |(_, rest)| rest).trim_start_matches([' ', '/']);
    let authority = rest.split(['/', '?', '#', ' ']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?.trim_end_matches('.').to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    (host.contains('.') && !host.contains(char::is_whitespace)).then(|| host.to_owned())
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

    fn row(text: &str) -> Record {
        serde_json::from_str(text).expect(text)
    }

    fn record_id(prefix: &str, number: u32) -> RecordId {
        RecordId::new(&format!("{prefix}{number:012}")).expect("an id")
    }

    fn visitor(email: &str) -> Visitor {
        Visitor { email: Some(email.into()), opportunity: None }
    }

    fn directory() -> Directory {
        let mut directory = Directory::default();
        let contact = |number: u32, email: &str, account: &str| {
            row(&format!(r#"{{"Id":"{}","Email":"{email}","AccountId":{account}}}"#, record_id("003", number)))
        };
        directory.add_contact(&contact(1, "Ada@Acme.example", &format!("\"{}\"", record_id("001", 1))));
        directory.add_contact(&contact(2, "solo@globex.example", "null"));
        directory.add_contact(&contact(3, "twin@acme.example", "null"));
        directory.add_contact(&contact(4, "TWIN@acme.example", "null"));
        let lead =
            |number: u32, email: &str| row(&format!(r#"{{"Id":"{}","Email":"{email}"}}"#, record_id("00Q", number)));
        directory.add_lead(&lead(1, "lee@globex.example"));
        directory.add_lead(&lead(2, "pair@globex.example"));
        directory.add_lead(&lead(3, "pair@globex.example"));
        let account = |number: u32, website: &str| {
            row(&format!(r#"{{"Id":"{}","Website":"{website}"}}"#, record_id("001", number)))
        };
        directory.add_account(&account(2, "https://www.Globex.example/about"));
        directory.add_account(&account(3, "hooli.example"));
        directory.add_account(&account(4, "http://hooli.example"));
        directory.add_opportunity(&row(&format!(r#"{{"Id":"{}"}}"#, record_id("006", 1))));
        directory
    }

    #[test]
    fn nav_39_a_contact_comes_before_a_lead_and_brings_its_account() {
        let directory = directory();
        let link = directory.link(&visitor("ada@acme.example"));
        assert_eq!((link.contact, link.account), (Some(record_id("003", 1)), Some(record_id("001", 1))));
        let link = directory.link(&visitor("solo@globex.example"));
        assert_eq!(
            (link.contact, link.account),
            (Some(record_id("003", 2)), Some(record_id("001", 2))),
            "by the domain"
        );
        let link = directory.link(&visitor("lee@globex.example"));
        assert_eq!(
            (link.contact, link.lead, link.account),
            (None, Some(record_id("00Q", 1)), Some(record_id("001", 2)))
        );
    }

    #[test]
    fn several_hits_are_told_and_link_nothing() {
        let directory = directory();
        let link = directory.link(&visitor("twin@acme.example"));
        assert_eq!(link, Link { notes: vec![LinkNote::AmbiguousContact], ..Link::default() });
        let link = directory.link(&visitor("pair@globex.example"));
        assert_eq!(link, Link { notes: vec![LinkNote::AmbiguousLead], ..Link::default() });
        let link = directory.link(&visitor("new@hooli.example"));
        assert_eq!(link, Link { notes: vec![LinkNote::AmbiguousAccount], ..Link::default() });
    }

    #[test]
    fn public_mail_tells_no_company() {
        assert_eq!(visitor("ada@gmail.com").domain(), None);
        assert_eq!(visitor("ada@acme.example").domain(), Some("acme.example"));
        assert!(PUBLIC_MAIL.is_sorted(), "kept in order, so that one stands there once");
    }

    #[test]
    fn nav_26_an_explicit_opportunity_is_linked_or_the_reason_told() {
        let directory = directory();
        let link = |text: &str| directory.link(&Visitor { email: None, opportunity: Some(text.into()) });
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
        let both = Visitor { opportunity: Some(record_id("006", 1).to_string()), ..visitor("twin@acme.example") };
        let link = directory().link(&both);
        assert!(link.opportunity.is_some() && link.contact.is_none() && link.notes == [LinkNote::AmbiguousContact]);
    }

    #[test]
    fn websites_are_read_however_they_are_written() {
        for website in [
            "acme.example",
            "www.acme.example",
            " HTTP://Acme.example:8080/x?y#z ",
            "https://www.acme.example.",
            "https://user:pw@acme.example/",
            "//acme.example",
            "acme.example (old)",
            "http:// acme.example",
        ] {
            assert_eq!(website_host(website).as_deref(), Some("acme.example"), "{website}");
        }
        for website in ["", "n/a", "not a site.com", "localhost", "@", "://"] {
            assert_eq!(website_host(website), None, "{website}");
        }
    }

    #[test]
    fn counts_tell_sessions_apart() {
        let directory = directory();
        let mut totals = LinkTotals::default();
        for email in ["ada@acme.example", "lee@globex.example", "twin@acme.example", "nobody@nowhere.example"] {
            totals.count(&directory.link(&visitor(email)));
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
