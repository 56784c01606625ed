//! What a test sets on an org: sizes, delays and limits that a real org has and nobody can wait for.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::apex::Handlers;
use super::mock::MockOrg;
use super::rest::composite::CollectionsInComposite;
use super::rest::resources::live_rows;
use super::schema::FieldType;
use super::value::Value;

/// Rows of a page when the request does not ask for fewer (wire facts 2.7).
pub(crate) const MAX_PAGE: usize = 2_000;

#[derive(Debug)]
pub(crate) struct Knobs {
    pub(crate) page: usize,
    /// Ids that get-updated and get-deleted give at most.
    pub(crate) replicated_ids: usize,
    /// How far behind the present replication is, for the transactions that still run.
    pub(crate) replication_lag: TimeDelta,
    /// Entries the delete log keeps.
    pub(crate) delete_log: Option<usize>,
    /// When rows of an object (name in lower case) were last removed for good.
    pub(crate) purged: HashMap<String, DateTime<Utc>>,
    /// Record counts as they were; `None`: as they are.
    pub(crate) counts: Option<HashMap<String, usize>>,
    /// Requests that may be running at once.
    pub(crate) concurrent: Option<usize>,
    pub(crate) running: usize,
    /// Bytes of a body that is no multipart message, and of a file in one that is.
    pub(crate) body_bytes: usize,
    pub(crate) file_bytes: usize,
    pub(crate) apex: Handlers,
    pub(crate) collections_in_composite: CollectionsInComposite,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            page: MAX_PAGE,
            // REST guide, "sObject Get Updated".
            replicated_ids: 600_000,
            replication_lag: TimeDelta::zero(),
            delete_log: None,
            purged: HashMap::new(),
            counts: None,
            concurrent: None,
            running: 0,
            // REST guide, "Insert or Update Blob Data": 50 MB of text, 2 GB for a ContentVersion. [K] That these are powers of two.
            body_bytes: 50 << 20,
            file_bytes: 2 << 30,
            apex: Handlers::default(),
            collections_in_composite: CollectionsInComposite::default(),
        }
    }
}

impl MockOrg {
    /// Rows of a query's page when the request does not ask for fewer; 2,000 by default. Recorded pages hold 1,000 without
    /// any header that asks for it.
    pub fn set_page_size(&self, rows: usize) {
        self.state().knobs.page = rows.clamp(1, MAX_PAGE);
    }

    /// Ids that get-updated and get-deleted give at most, 600,000 by default; beyond them: 400 `EXCEEDED_ID_LIMIT`.
    pub fn set_replication_limit(&self, ids: usize) {
        self.state().knobs.replicated_ids = ids;
    }

    /// Long transactions hold replication back: `latestDateCovered` is that far behind the org's clock, and what happened
    /// since is not told yet.
    pub fn set_replication_lag(&self, lag: Duration) {
        self.state().knobs.replication_lag = TimeDelta::from_std(lag).unwrap_or(TimeDelta::MAX);
    }

    /// Entries the delete log keeps. Of those older than two hours the oldest go first, and a get-deleted that starts before
    /// the last of them is refused with `INVALID_REPLICATION_DATE`.
    pub fn set_delete_log(&self, entries: usize) {
        self.state().knobs.delete_log = Some(entries);
    }

    /// An admin empties the recycle bin of an object: its deleted rows are gone for good, for `queryAll` and get-deleted as well.
    ///
    /// # Panics
    ///
    /// When the org has no such object.
    pub fn empty_recycle_bin(&self, object: &str) {
        let mut state = self.state();
        assert!(state.schema.object(object).is_some(), "the org has no object {object}");
        let now = state.data.now();
        state.data.store.purge(object);
        state.knobs.purged.insert(object.to_ascii_lowercase(), now);
    }

    /// Archives an activity, as the platform does with old ones: only `queryAll` shows it then.
    ///
    /// # Panics
    ///
    /// When there is no such record, or its object is never archived.
    pub fn archive(&self, id: &str) {
        let mut state = self.state();
        let state = &mut *state;
        let id = super::ids::to_18(id).unwrap_or_else(|| panic!("{id} is no id"));
        let object = state.data.store.object_of(&id).and_then(|name| state.schema.object(name));
        let archived = object.and_then(|object| object.field("IsArchived"));
        assert!(archived.is_some_and(|field| field.kind == FieldType::Boolean), "{id} cannot be archived");
        let Some((row, _)) = state.data.store.find(&id) else { return };
        let mut row = row.clone();
        row.insert("IsArchived".to_owned(), Value::Bool(true));
        state.data.store.update(&id, row);
    }

    /// Record counts stay what they are now, as the cached numbers of an org do; `false` brings them up to date.
    pub fn freeze_record_counts(&self, frozen: bool) {
        let mut state = self.state();
        let counts = state.schema.objects().map(|object| {
            let name = object.name.to_ascii_lowercase();
            (name, live_rows(&state, object))
        });
        let counts = frozen.then(|| counts.collect());
        state.knobs.counts = counts;
    }

    /// Requests that may run at once; one more is refused with 403 `REQUEST_LIMIT_EXCEEDED`. Salesforce counts those that have
    /// run for 20 seconds; here every request of the data API counts from its arrival until its answer is on its way, so set a
    /// latency as well.
    pub fn set_concurrent_limit(&self, requests: Option<usize>) {
        self.state().knobs.concurrent = requests;
    }

    /// `Sforce-Limit-Info` tells up to six calls less than were made, another number each time, as recorded neighbours do
    /// (491, 489, 485, 493); the same seed gives the same numbers. `None`: exact again.
    pub fn blur_limit_info(&self, seed: Option<u64>) {
        self.state().usage.blur = seed.map(fastrand::Rng::with_seed);
    }

    /// The app that calls has a quota of its own, which `Sforce-Limit-Info` tells as well; nothing is refused for it.
    pub fn set_app_quota(&self, name: &str, calls: u64) {
        self.state().usage.app = Some((calls, name.to_owned()));
    }

    /// What the org does about sObject Collections in a composite that says `collateSubrequests: false`. Salesforce's guide
    /// allows them, and so does the org by default; that some orgs refuse them is hearsay, and so are the words.
    pub fn set_collections_in_composite(&self, answer: CollectionsInComposite) {
        self.state().knobs.collections_in_composite = answer;
    }

    /// Bytes of a body that is no multipart message (50 MB by default), and of a file in one that is (2 GB).
    pub fn set_upload_limits(&self, body: usize, file: usize) {
        let knobs = &mut self.state().knobs;
        (knobs.body_bytes, knobs.file_bytes) = (body, file);
    }
}
