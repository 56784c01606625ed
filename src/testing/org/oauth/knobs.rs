//! What tests set and see of logins.

use chrono::TimeDelta;

use super::app::{App, AppSpec, TestApp};
use super::scope::Scopes;
use crate::testing::org::mock::MockOrg;
use crate::testing::org::value::Value;

/// A user's live consent to an app.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Approval {
    /// The user's id.
    pub user_id: String,
    /// The consumer key of the app.
    pub client_id: String,
    /// What was granted, parted by blanks.
    pub scopes: String,
}

/// What holds logins up though credentials and tokens are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginRestriction {
    /// The address is not in the IP ranges of the profile.
    IpRange,
    /// The profile's login hours are over.
    LoginHours,
    /// The org wants to verify the user at this address.
    NotVerified,
    /// Too many attempts have locked the user.
    Locked,
}

impl MockOrg {
    /// Registers an app.
    #[allow(clippy::must_use_candidate, reason = "an app may be found by the others' ids as well")]
    pub fn add_app(&self, spec: AppSpec) -> TestApp {
        let app = App::new(spec);
        let told = TestApp::from(&app);
        self.state().auth.apps.push(app);
        told
    }

    /// Registers an app that another org owns, with the consumer key and secret it has there: one app for the orgs of all
    /// customers.
    pub fn install_app(&self, spec: AppSpec, owned: &TestApp) {
        // [K] An app has the same key in every org that uses it, by a package or without one.
        let mut app = App::new(spec);
        app.client_id.clone_from(&owned.client_id);
        app.client_secret.clone_from(&owned.client_secret);
        self.state().auth.apps.push(app);
    }

    /// Changes an app's settings, as an admin does in Setup; tokens it has live on.
    ///
    /// # Panics
    ///
    /// When the org has no such app.
    pub fn change_app(&self, client_id: &str, change: impl FnOnce(AppSpec) -> AppSpec) {
        let mut state = self.state();
        let Some(app) = state.auth.app_mut(client_id) else { panic!("the org has no such app") };
        app.spec = change(app.spec.clone());
    }

    /// Gives an app a new secret, as an admin does who rotates it, and returns that.
    ///
    /// # Panics
    ///
    /// When the org has no such app.
    #[must_use]
    pub fn rotate_client_secret(&self, client_id: &str) -> String {
        let mut state = self.state();
        let Some(app) = state.auth.app_mut(client_id) else { panic!("the org has no such app") };
        app.client_secret = App::new(app.spec.clone()).client_secret;
        app.client_secret.clone()
    }

    /// A user's consent to an app, without a browser: a refresh token that works.
    ///
    /// # Panics
    ///
    /// When the org has no such app or user, or the scopes do not ask for a refresh token.
    #[must_use]
    pub fn approve(&self, client_id: &str, user_id: &str, scopes: &str) -> String {
        let mut state = self.state();
        assert!(state.auth.app(client_id).is_some(), "the org has no such app");
        assert!(state.auth.user(user_id).is_some(), "the org has no user {user_id} who logs in");
        assert!(Scopes::parse(scopes).ask_refresh_token(), "{scopes} brings no refresh token");
        let now = state.data.clock.now_exact();
        state.auth.approve(client_id, user_id, scopes, now)
    }

    /// Whether users are asked, on pages for a browser. If not, an authorize request that is in order is approved at once,
    /// by the user `login_hint` names or else the main one.
    pub fn set_consent(&self, asked: bool) {
        self.state().auth.consent = asked;
    }

    /// Scopes that are approved and then left out of what is granted, parted by blanks. An org has no such switch; what
    /// brings it about is the app's settings changing meanwhile.
    pub fn withhold_scopes(&self, scopes: &str) {
        self.state().auth.withheld = Scopes::parse(scopes);
    }

    /// Deactivates a user, or takes that back. Tokens of an inactive user are dead until then.
    ///
    /// # Panics
    ///
    /// When the org has no such user.
    pub fn set_user_active(&self, user_id: &str, active: bool) {
        let mut state = self.state();
        let Some((row, _)) = state.data.store.find(user_id) else { panic!("the org has no user {user_id}") };
        let mut row = row.clone();
        row.insert("IsActive".to_owned(), Value::Bool(active));
        state.data.store.update(user_id, row);
        state.changed();
    }

    /// Nobody can log in to the org, or everybody can again. Tokens handed out live on.
    pub fn set_org_active(&self, active: bool) {
        self.state().auth.org_active = active;
    }

    /// Holds every login up, renewals by refresh token among them, or lets them go on. Tokens handed out live on (\[K\]).
    pub fn restrict_logins(&self, restriction: Option<LoginRestriction>) {
        self.state().auth.restriction = restriction;
    }

    /// Idle time after which access tokens issued from now on die.
    ///
    /// # Panics
    ///
    /// When it is longer than the calendar.
    pub fn set_session_timeout(&self, time: std::time::Duration) {
        let Ok(time) = TimeDelta::from_std(time) else { panic!("{time:?} is too long") };
        self.state().auth.session_timeout = time;
    }

    /// Requests to the token endpoint with that `grant_type` since the start, answered or not; `jwt-bearer` will do for the
    /// JWT one.
    #[must_use]
    pub fn grant_requests(&self, grant_type: &str) -> usize {
        self.state().usage.grants(grant_type)
    }

    /// Requests with a refresh token that a newer one had replaced. Each has cost a connection.
    #[must_use]
    pub fn refresh_token_replays(&self) -> usize {
        self.state().auth.tokens.replays()
    }

    /// Authorize requests that were approved since the start: codes handed out.
    #[must_use]
    pub fn codes_given(&self) -> usize {
        self.state().auth.codes.given()
    }

    /// Approvals since the start: codes exchanged, and those of [`MockOrg::approve`] and [`MockOrg::refresh_token`].
    #[must_use]
    pub fn approvals_given(&self) -> u64 {
        self.state().auth.tokens.given()
    }

    /// The approvals that live, oldest first.
    #[must_use]
    pub fn approvals(&self) -> Vec<Approval> {
        let state = self.state();
        let all = state.auth.tokens.approvals().map(|one| Approval {
            user_id: one.user.clone(),
            client_id: one.client_id.clone(),
            scopes: one.scopes.text(),
        });
        all.collect()
    }
}
