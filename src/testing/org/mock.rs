//! The org as tests hold it.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;

use super::data::{Data, Rights, Writer};
use super::duplicates::{DuplicateAction, DuplicateOptions, DuplicateRule, MISSPELT};
use super::faults::{Faults, Script};
use super::ids;
use super::json::Json;
use super::knobs::Knobs;
use super::metadata::{self, Components, Deploys, Retrieves};
use super::oauth::{Auth, Login};
use super::operation::Operation;
use super::parse;
use super::permissions::Denials;
use super::rest::bulk::{self, Bulk};
use super::rest::cursors::Cursors;
use super::schema::Object;
use super::server::{self, Server};
use super::soql::output::field_json;
use super::spec::{FieldSpec, ObjectSpec};
use super::state::{ApiAccess, State};
use super::usage::{LoggedRequest, Usage};
use super::value::Row;
use super::{seed, standard};

/// The version clients are told to use.
const API_VERSION: &str = "63.0";

/// The main user.
const USERNAME: &str = "integration@mock.example.com";

/// A Salesforce org on a loopback socket. It stops when it is dropped.
///
/// Its state can be prepared and looked at without HTTP; everything else goes through [`MockOrg::base_url`].
#[derive(Debug)]
pub struct MockOrg {
    state: Arc<Mutex<State>>,
    base_url: String,
    access_token: String,
    refresh_token: String,
    /// One for each host.
    servers: Mutex<Vec<Server>>,
}

/// Sets up a [`MockOrg`].
#[derive(Debug, Default)]
#[must_use]
pub struct MockOrgBuilder {
    port: u16,
    latency: Duration,
    objects: Vec<ObjectSpec>,
    rotate: bool,
    daily_limit: Option<u64>,
    session_timeout: Option<Duration>,
    consent: bool,
    number: Option<u64>,
    sandbox: bool,
}

impl MockOrgBuilder {
    /// The port to listen on; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// How long each answer takes.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// A custom object.
    pub fn object(mut self, object: ObjectSpec) -> Self {
        self.objects.push(object);
        self
    }

    /// The object for engagement sessions, as [`ObjectSpec::engagement_session`] has it.
    pub fn engagement_session(self, prefix: &str) -> Self {
        self.object(ObjectSpec::engagement_session(prefix))
    }

    /// Refresh tokens are good for one use.
    pub fn rotate_refresh_tokens(mut self) -> Self {
        self.rotate = true;
        self
    }

    /// API calls in 24 hours; 15,000 by default.
    pub fn daily_limit(mut self, calls: u64) -> Self {
        self.daily_limit = Some(calls);
        self
    }

    /// Idle time after which an access token dies; two hours by default, on the org's own clock.
    pub fn session_timeout(mut self, time: Duration) -> Self {
        self.session_timeout = Some(time);
        self
    }

    /// Whether an authorize request asks the user, on pages for a browser; by default it is approved at once.
    pub fn consent(mut self, asked: bool) -> Self {
        self.consent = asked;
        self
    }

    /// A number that makes the org's id, to tell two orgs apart; 1 by default.
    pub fn number(mut self, number: u64) -> Self {
        self.number = Some(number);
        self
    }

    /// A sandbox: its `Organization` says so, and assertions are for `https://test.salesforce.com`.
    pub fn sandbox(mut self) -> Self {
        self.sandbox = true;
        self
    }

    /// Starts the org.
    ///
    /// # Panics
    ///
    /// When the port cannot be had.
    #[must_use]
    pub fn start(self) -> MockOrg {
        match self.try_start() {
            Ok(org) => org,
            Err(error) => panic!("the mock org could not start: {error}"),
        }
    }

    /// Starts the org.
    ///
    /// # Errors
    ///
    /// When the port cannot be had or no thread be started.
    pub fn try_start(self) -> io::Result<MockOrg> {
        let listener = server::bind(self.port)?;
        let address = listener.local_addr()?;
        let base_url = format!("http://{address}");
        let schema = standard::schema();
        let mut data = Data::new(&schema);
        // Seeded first: the app logs in a user of the org.
        let seeded = seed::seed(&schema, &mut data, USERNAME, self.number.unwrap_or(1), self.sandbox);
        let mut auth = Auth::new(&base_url, address.port(), &seeded.org_id, Login::new(USERNAME, &seeded.user_id));
        auth.main_app.spec.rotates = self.rotate;
        (auth.consent, auth.sandbox) = (self.consent, self.sandbox);
        if let Some(time) = self.session_timeout {
            auth.session_timeout = TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
        }
        let now = data.clock.now_exact();
        let access_token = auth.open_session_of(&seeded.user_id, now);
        let client_id = auth.main_app.client_id.clone();
        let refresh_token = auth.approve(&client_id, &seeded.user_id, "refresh_token api", now);
        let mut usage = Usage::default();
        usage.daily_limit = self.daily_limit.unwrap_or(usage.daily_limit);
        let state = Arc::new(Mutex::new(State {
            schema_changed: data.now(),
            schema,
            data,
            auth,
            usage,
            faults: Script::default(),
            cursors: Cursors::default(),
            bulk: Bulk::default(),
            deploys: Deploys::default(),
            retrieves: Retrieves::default(),
            components: Components::default(),
            gzip: true,
            access: ApiAccess::Open,
            latency: self.latency,
            subrequests: Vec::new(),
            knobs: Knobs::default(),
            revision: 0,
            denials: Denials::default(),
            open_profiles: seeded.open_profiles,
            views: HashMap::new(),
        }));
        let server = Server::start(listener, Arc::clone(&state))?;
        let servers = Mutex::new(vec![server]);
        let org = MockOrg { state, base_url, access_token, refresh_token, servers };
        org.state().changed();
        for object in self.objects {
            org.add_object(object);
        }
        Ok(org)
    }
}

impl MockOrg {
    /// An org without customisation on a free port.
    ///
    /// # Panics
    ///
    /// When there is no free port.
    #[must_use]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Sets up an org.
    pub fn builder() -> MockOrgBuilder {
        MockOrgBuilder::default()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `http://127.0.0.1:<port>`: the My Domain of this org, for login and data.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.base_url.clone()
    }

    /// Where browsers are sent: `<base_url>/services/oauth2/authorize`.
    #[must_use]
    pub fn authorize_url(&self) -> String {
        format!("{}/services/oauth2/authorize", self.base_url)
    }

    /// Where the data is, as token answers say: [`MockOrg::base_url`], until the org moves.
    #[must_use]
    pub fn instance_url(&self) -> String {
        self.state().auth.instance_url.clone()
    }

    /// A host that serves logins for all orgs, as `login.salesforce.com` does: no data, and no client-credentials flow.
    /// It listens from the first call on.
    ///
    /// # Errors
    ///
    /// When there is no free port.
    pub fn login_url(&self) -> io::Result<String> {
        if let Some(url) = &self.state().auth.hosts.login_url {
            return Ok(url.clone());
        }
        let (url, port) = self.listen()?;
        let hosts = &mut self.state().auth.hosts;
        (hosts.login, hosts.login_url) = (Some(port), Some(url.clone()));
        Ok(url)
    }

    /// Moves the org to another instance, and gives its URL. Access tokens end, and the former instance serves no more data;
    /// whoever refreshes is told of the new one. Logins stay where they are.
    ///
    /// # Errors
    ///
    /// When there is no free port.
    pub fn move_instance(&self) -> io::Result<String> {
        let (url, port) = self.listen()?;
        let auth = &mut self.state().auth;
        auth.hosts.instance = port;
        auth.instance_url.clone_from(&url);
        // [K] That they end.
        auth.tokens.close_all();
        Ok(url)
    }

    /// Listens on one more port.
    fn listen(&self) -> io::Result<(String, u16)> {
        let listener = server::bind(0)?;
        let address = listener.local_addr()?;
        let server = Server::start(listener, Arc::clone(&self.state))?;
        self.servers.lock().unwrap_or_else(PoisonError::into_inner).push(server);
        Ok((format!("http://{address}"), address.port()))
    }

    /// The consumer key of its main app, which serves all flows and takes any redirect URL on this machine.
    #[must_use]
    pub fn client_id(&self) -> String {
        self.state().auth.main_app.client_id.clone()
    }

    /// The secret of the app.
    #[must_use]
    pub fn client_secret(&self) -> String {
        self.state().auth.main_app.client_secret.clone()
    }

    /// The user all flows log in; a system administrator.
    #[must_use]
    pub fn username(&self) -> String {
        self.state().auth.main_user.username.clone()
    }

    /// Password and security token of that user, as the username-password flow wants them.
    #[must_use]
    pub fn password(&self) -> String {
        self.state().auth.main_user.password.clone()
    }

    /// An access token that is live from the start.
    #[must_use]
    pub fn access_token(&self) -> String {
        self.access_token.clone()
    }

    /// A refresh token that works.
    #[must_use]
    pub fn refresh_token(&self) -> String {
        self.refresh_token.clone()
    }

    /// The org's id, 18 characters.
    #[must_use]
    pub fn org_id(&self) -> String {
        self.state().auth.org_id.clone()
    }

    /// The id of the user all flows log in.
    #[must_use]
    pub fn user_id(&self) -> String {
        self.state().auth.user_id.clone()
    }

    /// The version of the API to use: `63.0`. The org serves 31.0 to 66.0.
    #[must_use]
    pub fn api_version(&self) -> String {
        API_VERSION.to_owned()
    }

    /// Adds a custom object.
    ///
    /// # Panics
    ///
    /// When the org has one of that name.
    pub fn add_object(&self, spec: ObjectSpec) {
        let mut state = self.state();
        let prefix = state.data.next_prefix();
        let object = spec.into_object(prefix);
        assert!(state.schema.object(&object.name).is_none(), "the org has an object {}", object.name);
        state.data.store.sync_table(&object);
        state.schema.insert(object);
        state.changed();
    }

    /// Adds a field to an object.
    ///
    /// # Panics
    ///
    /// When the org has no such object, or the object has a field of that name.
    pub fn add_field(&self, object: &str, field: FieldSpec) {
        let field = field.into_field();
        self.change_object(object, |object| {
            assert!(object.field(&field.name).is_none(), "{} has a field {}", object.name, field.name);
            object.fields.push(field);
        });
    }

    /// Takes a field away, as an admin does who deletes it or hides it from the user.
    ///
    /// # Panics
    ///
    /// When the org has no such object.
    pub fn remove_field(&self, object: &str, field: &str) {
        self.change_object(object, |object| object.fields.retain(|known| !known.name.eq_ignore_ascii_case(field)));
    }

    /// Makes a field read-only for the user, as missing field-level security does.
    ///
    /// # Panics
    ///
    /// When the org has no such object.
    pub fn lock_field(&self, object: &str, field: &str) {
        self.change_object(object, |object| {
            for known in object.fields.iter_mut().filter(|known| known.name.eq_ignore_ascii_case(field)) {
                (known.createable, known.updateable) = (false, false);
            }
        });
    }

    fn change_object(&self, name: &str, change: impl FnOnce(&mut Object)) {
        let mut state = self.state();
        let state = &mut *state;
        let Some(object) = state.schema.object_mut(name) else { panic!("the org has no object {name}") };
        change(object);
        state.data.store.sync_table(object);
        state.schema.number(name);
        state.changed();
    }

    /// Puts a record into the org and gives its id, which `Id` among the fields chooses. Read-only fields can be set; all
    /// other rules apply.
    ///
    /// # Panics
    ///
    /// When the org refuses the record.
    #[allow(clippy::needless_pass_by_value, clippy::must_use_candidate, reason = "seeds are written in place")]
    pub fn insert(&self, object: &str, fields: serde_json::Value) -> String {
        let mut state = self.state();
        let state = &mut *state;
        let Some(target) = state.schema.object(object) else { panic!("the org has no object {object}") };
        let Ok(Json::Object(mut members)) = parse::parse(&fields.to_string()) else {
            panic!("a seed of {object} is a JSON object, not {fields}");
        };
        let chosen = members.iter().position(|(name, _)| name == "Id").map(|place| members.remove(place).1);
        let id = chosen.map(|id| {
            let id = id.as_str().and_then(ids::to_18);
            let prefix = target.key_prefix.as_deref().unwrap_or_default();
            let id = id.filter(|id| id.starts_with(prefix) && state.data.store.find(id).is_none());
            id.unwrap_or_else(|| {
                panic!("a seed of {object} has an id that is none, of another object, or taken: {fields}")
            })
        });
        let user = state.auth.user_id.clone();
        let writer =
            Writer { user, base: String::new(), duplicates: DuplicateOptions::ALLOW, rights: Rights::Seed, view: None };
        match state.data.create_as(&state.schema, &writer, target, &members, None, id) {
            Ok(id) => id,
            Err(error) => panic!("{object} {fields}: {}: {}", error.code, error.message),
        }
    }

    /// Live records of an object.
    ///
    /// # Panics
    ///
    /// When the org has no such object.
    #[must_use]
    pub fn count(&self, object: &str) -> usize {
        let state = self.state();
        assert!(state.schema.object(object).is_some(), "the org has no object {object}");
        state.data.store.live_count(object)
    }

    /// The live records of an object in the order of their creation, as JSON objects of all fields.
    ///
    /// # Panics
    ///
    /// When the org has no such object.
    #[must_use]
    pub fn records(&self, object: &str) -> Vec<serde_json::Value> {
        let state = self.state();
        let Some(target) = state.schema.object(object) else { panic!("the org has no object {object}") };
        state.data.store.rows(object, false).map(|row| to_value(target, row)).collect()
    }

    /// A live record by its id of 15 or 18 characters.
    #[must_use]
    pub fn record(&self, id: &str) -> Option<serde_json::Value> {
        let state = self.state();
        let id = ids::to_18(id)?;
        let object = state.schema.object(state.data.store.object_of(&id)?)?;
        let (row, deleted) = state.data.store.find(&id)?;
        (!deleted).then(|| to_value(object, row))
    }

    /// The fault script.
    #[must_use]
    pub fn faults(&self) -> Faults<'_> {
        Faults::new(&self.state)
    }

    /// The latest 10,000 requests, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.state().usage.log()
    }

    /// API calls counted against the daily limit since the start.
    #[must_use]
    pub fn api_calls(&self) -> u64 {
        self.state().usage.api_calls
    }

    /// Requests to the token endpoint since the start.
    #[must_use]
    pub fn token_requests(&self) -> usize {
        self.calls(Operation::Token)
    }

    /// Requests of an operation since the start, whatever became of them.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> usize {
        self.state().usage.calls(operation)
    }

    /// API calls in 24 hours; beyond them: 403 `REQUEST_LIMIT_EXCEEDED`.
    pub fn set_daily_limit(&self, calls: u64) {
        self.state().usage.daily_limit = calls;
    }

    /// The org's edition has no API any more: 403 `API_DISABLED_FOR_ORG`.
    pub fn disable_api(&self) {
        self.state().access = ApiAccess::OffForOrg;
    }

    /// No user has "API Enabled" any more: 403 `API_CURRENTLY_DISABLED`.
    pub fn disable_api_for_user(&self) {
        self.state().access = ApiAccess::OffForUser;
    }

    /// Takes [`MockOrg::disable_api`] and [`MockOrg::disable_api_for_user`] back.
    pub fn enable_api(&self) {
        self.state().access = ApiAccess::Open;
    }

    /// Kills all access tokens; refresh tokens live on.
    pub fn expire_access_tokens(&self) {
        self.state().auth.tokens.close_all();
    }

    /// Kills all refresh tokens and the access tokens that hang on them.
    pub fn revoke_refresh_token(&self) {
        self.state().auth.tokens.revoke_all();
    }

    /// How long each answer takes from now on.
    pub fn set_latency(&self, latency: Duration) {
        self.state().latency = latency;
    }

    /// Moves the org's clock on.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state();
        state.data.clock.advance(by);
        bulk::tick(&mut state);
        metadata::tick(&mut state);
    }

    /// Spells the finding of a duplicate rule `duplicateResult`, as some versions do, or `duplicateResut` again, as the wire
    /// mostly has it.
    pub fn spell_duplicate_result(&self, correctly: bool) {
        self.state().data.duplicate_key = if correctly { "duplicateResult" } else { MISSPELT };
    }

    /// Switches a duplicate rule on: records of the object match when an email address is the same.
    pub fn enable_duplicate_rule(&self, object: &str, action: DuplicateAction) {
        let rule = DuplicateRule { object: object.to_owned(), action };
        self.state().data.duplicate_rules.push(rule);
    }
}

fn to_value(object: &Object, row: &Row) -> serde_json::Value {
    let members = object.fields.iter().map(|field| (field.name.clone(), field_json(object, field, row)));
    let text = Json::Object(members.collect()).to_text();
    serde_json::from_str(&text).unwrap_or_default()
}
