//! The whole flow: what is missing is made, visitors are found, sessions land, roll-ups follow.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures_core::Stream;

use super::Prefix;
use super::matching::{Link, LinkTotals, Plans, link_record, with_person};
use super::rollup::{RollUpFailure, roll_up};
use super::schema::{Access, PARENTS, desired_schema, requirements};
use super::session::linked_session_map;
use crate::api::Children;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::{MappingIssue, Transforms};
use crate::matching::{MatchPlan, OrgFacts};
use crate::schema::preflight::look;
use crate::schema::{Applied, DriftEvent, Finding, Setup, check};
use crate::store::Store;
use crate::sync::{Latest, Matcher, Outcome, Push, PushBuilder, Reference, Totals, next_window};
use crate::types::{FieldName, Record, RecordId, SObjectName, Value};

/// Sessions taken at once.
const WINDOW: usize = 1000;

/// Which opportunity a share link was made for: reps tie the two together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkBindings(HashMap<String, String>);

impl LinkBindings {
    /// Takes pairs of share link and opportunity id. An id that is none is told per session, not here.
    pub fn new(bindings: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(bindings.into_iter().collect())
    }
}

/// Settings of an [`EngagementSync`].
#[derive(Clone, Debug)]
pub struct EngagementSyncBuilder {
    client: Client,
    prefix: Prefix,
    access: Access,
    bindings: LinkBindings,
    latest: Option<Latest>,
    store: Option<Arc<dyn Store>>,
    set_up_by: Option<Client>,
}

impl EngagementSyncBuilder {
    /// Sets where it is kept what was made in the org, for [`setup`](Self::setup) to take it away again. By default nowhere: an org is set
    /// up all the same, and what was made is known by its words alone.
    #[must_use]
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Sets the org up as another user, such as an admin; the run-time user gets the permission set.
    #[must_use]
    pub fn set_up_by(mut self, admin: Client) -> Self {
        self.set_up_by = Some(admin);
        self
    }

    /// Says which state of each session is the last one of the input, for inputs that hold a session more than once with one
    /// start time. Note them with [`session_map`](super::session_map), which has no links: a session that is linked to
    /// somebody else than before is no other state of it.
    #[must_use]
    pub fn latest(mut self, latest: Latest) -> Self {
        self.latest = Some(latest);
        self
    }

    /// Sets what names of objects and fields begin with; `Navattic_` by default.
    #[must_use]
    pub fn prefix(mut self, prefix: Prefix) -> Self {
        self.prefix = prefix;
        self
    }

    /// Sets what the permission set grants on the standard objects; [`Access::Least`] by default.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Ties share links to opportunities.
    #[must_use]
    pub fn bindings(mut self, bindings: LinkBindings) -> Self {
        self.bindings = bindings;
        self
    }

    /// The set-up of the org by itself: to see its plan before it is carried out, to verify it, to take it away. Costs no API call.
    ///
    /// # Errors
    ///
    /// As for [`SetupBuilder::build`](crate::schema::SetupBuilder::build).
    pub async fn setup(&self) -> Result<Setup> {
        let admin = self.set_up_by.as_ref().unwrap_or(&self.client);
        let setup = Setup::builder(admin.clone(), desired_schema(&self.prefix, self.access));
        let setup = self.store.iter().fold(setup, |setup, store| setup.shared_store(Arc::clone(store)));
        if self.set_up_by.is_none() {
            return setup.build().await;
        }
        let user = match self.client.access_token().await?.user_id() {
            Some(user) => user,
            None => self.client.user_info().await?.user_id,
        };
        setup.user(user).build().await
    }

    /// Makes what is missing in the org and looks whether the user may do all that is needed. No session is written before.
    ///
    /// Costs 11 API calls on an empty org, 6 when all is in place. A user who may not change metadata can run the flow where
    /// everything is in place.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`] naming all that is missing, hidden or of another shape; [`ErrorKind::Forbidden`] naming every
    /// right the user lacks; any error of [`Client::send`].
    pub async fn build(self) -> Result<(EngagementSync, Applied)> {
        let (applied, denied) = match self.setup().await?.run().await {
            Ok(applied) => (applied, None),
            // Somebody else may have made everything; the looks that follow tell.
            Err(error) if is_denial(&error) => (Applied::default(), Some(error)),
            Err(error) => return Err(error),
        };
        let Self { client, prefix, bindings, latest, .. } = self;
        let required = requirements(&prefix);
        let view = look(&client, &required).await?;
        if let Some(refused) = view.refused {
            return Err(refused);
        }
        let explain = |error| explained(error, &applied, denied.clone());
        check(&required, &view).into_result().map_err(explain)?;
        let map = linked_session_map(&prefix)?.compile(&Transforms::new())?;
        let push = Push::builder(client.clone(), map).window(WINDOW);
        let push = latest.into_iter().fold(push, PushBuilder::latest).build().await.map_err(explain)?;
        let Plans { opportunity, person, account } = Plans::new()?;
        let matcher = |plan: MatchPlan| {
            let org = OrgFacts::assumed(&plan);
            Matcher::with_facts(client.clone(), plan, org)
        };
        let (opportunities, people, accounts) = (matcher(opportunity), matcher(person), matcher(account));
        Ok((EngagementSync { client, prefix, bindings, push, opportunities, people, accounts }, applied))
    }
}

/// Whether a user was kept from setting up; an org without API access is another thing.
fn is_denial(error: &Error) -> bool {
    error.kind() == ErrorKind::Forbidden
        && !error.has_code("API_DISABLED_FOR_ORG")
        && !error.has_code("API_CURRENTLY_DISABLED")
}

/// What is missing, what a person has to finish first, and that it could not be made.
fn explained(error: Error, applied: &Applied, denied: Option<Error>) -> Error {
    let by_hand = Finding::into_result("schema.setup", &applied.by_hand).err();
    let causes = [by_hand, denied];
    let first = causes.iter().flatten().map(|cause| {
        let advice = cause.advice().unwrap_or_default();
        if cause.message().is_empty() { advice.to_owned() } else { format!("{}: {advice}", cause.message()) }
    });
    let advice: Vec<String> = first.chain(error.advice().map(str::to_owned)).collect();
    let error = if advice.is_empty() { error } else { error.with_advice(advice.join("; or ")) };
    match causes.into_iter().flatten().next() {
        Some(cause) => error.with_source(cause),
        None => error,
    }
}

/// Brings engagement sessions into an org: each lands in its record, linked to the visitor's contact or lead, their account
/// and an opportunity, and these records show the last session and the totals.
///
/// Running the same sessions again changes nothing. No contact, lead, account or opportunity is ever created.
#[derive(Clone, Debug)]
pub struct EngagementSync {
    client: Client,
    prefix: Prefix,
    bindings: LinkBindings,
    push: Push,
    opportunities: Matcher,
    people: Matcher,
    accounts: Matcher,
}

/// What a run did.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RunReport {
    /// How many sessions had which outcome.
    pub totals: Totals,
    /// How many sessions that are in the org now were linked to what.
    pub links: LinkTotals,
    /// How often the roll-up fields of a contact, lead, account or opportunity were written.
    pub rolled_up: u64,
    /// Records whose roll-up fields could not be written up to the end; the next run tries again.
    pub roll_up_failures: BTreeMap<RecordId, RollUpFailure>,
    /// How the object of the sessions was found to have drifted: which of its fields are left out until they are back, and why.
    pub drift: Vec<DriftEvent>,
    /// Why the run ended early; the rest of the input was not read. Run again to go on.
    pub stopped: Option<Error>,
}

impl EngagementSync {
    /// Starts with the defaults.
    #[must_use]
    pub fn builder(client: Client) -> EngagementSyncBuilder {
        EngagementSyncBuilder {
            client,
            prefix: Prefix::default(),
            access: Access::default(),
            bindings: LinkBindings::default(),
            latest: None,
            store: None,
            set_up_by: None,
        }
    }

    /// Brings one session in. Costs as many API calls as a window; for many sessions use [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// What makes going on useless, as in [`RunReport::stopped`].
    pub async fn record(&self, session: impl Into<Record>) -> Result<(Outcome, Link)> {
        let mut report = RunReport::default();
        let mut pairs = self.window(&[Ok(session.into())], &mut report).await;
        match (report.stopped, pairs.pop()) {
            (None, Some(pair)) => Ok(pair),
            (Some(error), _) => Err(error),
            (None, None) => Err(Error::new(ErrorKind::Unexpected, "engagement", "a session has no outcome")),
        }
    }

    /// Brings all sessions of a stream in and reports each with its outcome and its links, in the order of the stream. `T` is
    /// whatever the caller wants to see again beside them, such as a line number.
    pub async fn run<T, S, F>(&self, input: S, mut each: F) -> RunReport
    where
        S: Stream<Item = (T, Result<Record, MappingIssue>)> + Send,
        T: Send,
        F: FnMut(T, &Outcome, &Link) + Send,
    {
        let mut report = RunReport::default();
        let mut input = std::pin::pin!(input);
        match self.push.look_again().await {
            Ok(events) => report.drift.extend(events),
            Err(error) => report.stopped = Some(error),
        }
        while report.stopped.is_none() {
            let window = next_window(&mut input, WINDOW).await;
            if window.is_empty() {
                break;
            }
            let (tags, records): (Vec<T>, Vec<_>) = window.into_iter().unzip();
            for (tag, (outcome, link)) in tags.into_iter().zip(self.window(&records, &mut report).await) {
                each(tag, &outcome, &link);
            }
        }
        report
    }

    /// One window: find the visitors, write the sessions, bring the roll-ups up to date.
    async fn window(&self, records: &[Result<Record, MappingIssue>], report: &mut RunReport) -> Vec<(Outcome, Link)> {
        let links = match self.links(records).await {
            Ok(links) => links,
            Err(error) => {
                report.stopped = Some(error.clone());
                let pairs: Vec<(Outcome, Link)> =
                    records.iter().map(|record| (self.not_yet(record, &error), Link::default())).collect();
                for (outcome, _) in &pairs {
                    report.totals.count(outcome);
                }
                return pairs;
            }
        };
        let linked: Vec<Result<Record, MappingIssue>> = records
            .iter()
            .zip(&links)
            .map(|(record, link)| Ok(record.clone()?.with("link", link_record(link))))
            .collect();
        let window = self.push.window(&linked).await;
        report.stopped = window.stopped;
        report.drift.extend(window.drift);
        report.totals.withheld += window.withheld.iter().filter(|fields| !fields.is_empty()).count() as u64;
        let fields = PARENTS.clone().map(|parent| self.prefix.field(parent.as_str()));
        let mut parents: [BTreeSet<RecordId>; 4] = Default::default();
        let mut pairs = Vec::with_capacity(links.len());
        for ((outcome, references), link) in window.outcomes.into_iter().zip(window.references).zip(links) {
            report.totals.count(&outcome);
            let mut link = link;
            if matches!(outcome, Outcome::Created(_) | Outcome::Updated(_) | Outcome::Unchanged(_)) {
                // What the record was linked to before shows one session less now.
                let of = |field: &FieldName| {
                    references.iter().find(|reference| reference.field.eq_ignore_ascii_case(field.as_str()))
                };
                for (parents, field) in parents.iter_mut().zip(&fields) {
                    parents.extend(of(field).into_iter().flat_map(Reference::both));
                }
                link = link.after(fields.each_ref().map(|field| of(field).and_then(|reference| reference.after)));
                report.links.count(&link);
            }
            pairs.push((outcome, link));
        }
        if report.stopped.is_none() {
            report.stopped = self.roll_ups(&parents, report).await.err();
        }
        pairs
    }

    /// What becomes of a session that could not be written for a reason that has nothing to do with it.
    fn not_yet(&self, record: &Result<Record, MappingIssue>, error: &Error) -> Outcome {
        let mapped =
            record.as_ref().map_err(|issue| vec![issue.clone()]).and_then(|record| self.push.map().apply(record));
        match mapped {
            Ok(_) => Outcome::Deferred(error.clone()),
            Err(issues) => Outcome::Invalid(issues),
        }
    }

    /// After the sessions, and one object after the other: nothing that shares a parent is in flight together.
    async fn roll_ups(&self, parents: &[BTreeSet<RecordId>; 4], report: &mut RunReport) -> Result<()> {
        for (object, ids) in PARENTS.iter().zip(parents).filter(|(_, ids)| !ids.is_empty()) {
            report.rolled_up += roll_up(&self.client, &self.prefix, object, ids, &mut report.roll_up_failures).await?;
        }
        Ok(())
    }

    /// The links of a window's sessions: the fewest queries that fit an address, and none for what is known already.
    async fn links(&self, records: &[Result<Record, MappingIssue>]) -> Result<Vec<Link>> {
        let visitor = |record: &Result<Record, MappingIssue>| match record {
            // What the map refuses is not written, so nobody has to be found for it.
            Ok(record) if self.push.map().apply(record).is_ok() => self.visitor(record),
            _ => Record::new(),
        };
        let visitors: Vec<Record> = records.iter().map(visitor).collect();
        let opportunities = self.opportunities.match_many(&visitors).await?;
        let people = self.people.match_many(&visitors).await?;
        let visitors: Vec<Record> =
            visitors.iter().zip(&people).map(|(visitor, person)| with_person(visitor, person)).collect();
        let accounts = self.accounts.match_many(&visitors).await?;
        let found = opportunities.iter().zip(&people).zip(&accounts);
        Ok(found.map(|((opportunity, person), account)| Link::of(opportunity, person, account)).collect())
    }

    /// What the plans look at.
    fn visitor(&self, session: &Record) -> Record {
        let set = |name: &str| session.get(name).filter(|value| !value.is_blank()).cloned();
        let bound = || {
            let link = session.text("share_link")?.trim();
            self.bindings.0.get(link).map(|id| Value::from(id.as_str()))
        };
        let mut visitor = Record::new();
        for (name, value) in [("email", set("email")), ("opportunity", set("opportunity_id").or_else(bound))] {
            if let Some(value) = value {
                visitor.set(name, value);
            }
        }
        visitor
    }

    /// Contacts or opportunities with sessions, each with its related list, as a reader of the page sees it. Costs one API
    /// call for each 2,000 records and rows together.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`].
    pub async fn related_lists(&self, object: &SObjectName, pages: u32, rows: u32) -> Result<Vec<RelatedList>> {
        let (prefix, link) = (&self.prefix, self.prefix.field(object.as_str()));
        let field = |name: &str| if name == "Name" { name.to_owned() } else { prefix.field(name).to_string() };
        let columns: Vec<String> = super::RELATED_LIST_COLUMNS.iter().map(|name| field(name)).collect();
        let roll_ups: Vec<String> = super::schema::ROLL_UPS.iter().map(|name| field(name)).collect();
        let children = super::schema::children_name(prefix);
        let soql = format!(
            "SELECT Name, {}, (SELECT {} FROM {children}__r ORDER BY {} DESC NULLS LAST, Id LIMIT {rows}) FROM {object} \
             WHERE Id IN (SELECT {link} FROM {}) ORDER BY {} DESC NULLS LAST, Id LIMIT {pages}",
            roll_ups.join(", "),
            columns.join(", "),
            prefix.field("Started_At"),
            prefix.session_object(),
            roll_ups[0],
        );
        let found: Vec<Record> = self.client.query(soql).collect().await?;
        let mut lists = Vec::with_capacity(found.len());
        for mut record in found {
            let rows = match record.remove(&format!("{children}__r")) {
                Some(Value::Children(children)) => Children::from(*children).all(&self.client).await?,
                _ => Vec::new(),
            };
            lists.push(RelatedList { record, columns: columns.clone(), roll_ups: roll_ups.clone(), rows });
        }
        Ok(lists)
    }
}

/// A record with the list of its sessions.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RelatedList {
    /// The record: its name and roll-up fields.
    pub record: Record,
    /// The roll-up fields' API names.
    pub roll_ups: Vec<String>,
    /// The API names of the columns.
    pub columns: Vec<String>,
    /// The sessions, the latest first.
    pub rows: Vec<Record>,
}
