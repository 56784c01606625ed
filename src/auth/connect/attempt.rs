//! One attempt to connect, as it is stored between the click and the callback. Pure.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize, Serializer};

use super::ConnectError;
use crate::auth::pkce::name_of;
use crate::auth::{LoginHost, Scopes};
use crate::error::Result;
use crate::store::{Key, Versioned};
use crate::types::{RecordId, Secret};

/// How far another server's clock may be ahead of ours before an attempt it has begun is refused.
pub(super) const CLOCK_TOLERANCE: Duration = Duration::from_mins(5);

pub(super) const ATTEMPTS: Versioned<Attempt> = Versioned::new("connect attempt", 1);
pub(super) const CURRENT: Versioned<Current> = Versioned::new("current connect attempt", 1);

pub(super) const PREFIX: &str = "connect/attempt/";

/// What the callback is checked against. Neither the state nor the tenant stands here, only hashes of them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Attempt {
    /// App, tenant and connection, as a hash.
    pub(super) owner: String,
    pub(super) connection: String,
    login: String,
    #[serde(default)]
    loopback: bool,
    scopes: String,
    /// The org that must answer.
    #[serde(default)]
    pub(super) org: Option<RecordId>,
    /// Milliseconds since 1970.
    begun: u64,
    /// Gone once the callback was claimed.
    #[serde(serialize_with = "expose")]
    pub(super) verifier: Option<Secret>,
    /// The call of `finish` that has claimed it.
    #[serde(default)]
    pub(super) claim: Option<String>,
}

/// The newest attempt of a connection.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Current {
    /// Its name.
    pub(super) attempt: String,
}

#[expect(clippy::ref_option, reason = "serde hands a reference to the member")]
fn expose<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(Secret::expose).serialize(serializer)
}

/// The name of an attempt: nobody who reads the store learns the state.
pub(super) fn attempt_name(state: &Secret) -> String {
    name_of(&["state", state.expose()])
}

pub(super) fn owner_name(client_id: &str, tenant: &str, connection: &str) -> String {
    name_of(&["connection", client_id, tenant, connection])
}

pub(super) fn attempt_key(name: &str) -> Result<Key> {
    Key::new(format!("{PREFIX}{name}"))
}

pub(super) fn current_key(owner: &str) -> Result<Key> {
    Key::new(format!("connect/current/{owner}"))
}

impl Attempt {
    pub(super) fn begin(owner: String, connection: &str, login: &LoginHost, scopes: &Scopes, now: SystemTime) -> Self {
        Self {
            owner,
            connection: connection.to_owned(),
            login: login.to_string(),
            loopback: login.policy().allows_loopback(),
            scopes: scopes.to_string(),
            org: None,
            begun: u64::try_from(now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX),
            verifier: None,
            claim: None,
        }
    }

    /// Where it logs in. This machine only if both the attempt and the program's own setting say so: who can write to the store
    /// must not lead a code here.
    pub(super) fn login(&self, loopback: bool) -> Result<LoginHost> {
        LoginHost::opted_in(&self.login, loopback && self.loopback)
    }

    pub(super) fn scopes(&self) -> Result<Scopes> {
        self.scopes.parse()
    }

    /// Time since it was begun, or how far that lies ahead.
    pub(super) fn age(&self, now: SystemTime) -> Result<Duration, Duration> {
        let begun = UNIX_EPOCH.checked_add(Duration::from_millis(self.begun)).unwrap_or(now);
        now.duration_since(begun).map_err(|error| error.duration())
    }

    /// Whether its callback may be finished now. `current` is the newest attempt of its connection, `name` this one.
    pub(super) fn check(
        &self,
        name: &str,
        current: Option<&Current>,
        now: SystemTime,
        limit: Duration,
    ) -> Result<(), ConnectError> {
        if self.claim.is_some() || self.verifier.is_none() {
            return Err(ConnectError::AlreadyUsed);
        }
        match self.age(now) {
            Ok(age) if age > limit => return Err(ConnectError::Expired { age }),
            Err(ahead) if ahead > CLOCK_TOLERANCE => return Err(ConnectError::ClockSkew { ahead }),
            _ => {}
        }
        if current.is_some_and(|current| current.attempt == name) { Ok(()) } else { Err(ConnectError::StaleTab) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_mins(15);

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
    }

    fn attempt() -> Attempt {
        let login = LoginHost::sandbox();
        let owner = owner_name("app", "tenant", "default");
        let attempt = Attempt::begin(owner, "default", &login, &Scopes::default(), at(0));
        Attempt { verifier: Some("hunter2".into()), ..attempt }
    }

    fn check(attempt: &Attempt, current: &str, now: SystemTime) -> Result<(), ConnectError> {
        attempt.check("this", Some(&Current { attempt: current.into() }), now, LIMIT)
    }

    #[test]
    fn an_attempt_is_good_until_its_limit_and_for_clocks_that_nearly_agree() {
        let attempt = attempt();
        let good = [at(0), at(15 * 60), at(0) - Duration::from_mins(5)];
        for now in good {
            check(&attempt, "this", now).expect("in time");
        }
        let late = check(&attempt, "this", at(15 * 60 + 1)).expect_err("late");
        assert!(matches!(late, ConnectError::Expired { age } if age.as_secs() == 901), "{late:?}");
        let ahead = check(&attempt, "this", at(0) - Duration::from_hours(1)).expect_err("an hour off");
        assert!(matches!(ahead, ConnectError::ClockSkew { ahead } if ahead.as_secs() == 3600), "{ahead:?}");
        let behind = check(&attempt, "this", at(3600)).expect_err("an hour off");
        assert!(matches!(behind, ConnectError::Expired { .. }), "{behind:?}");
    }

    #[test]
    fn a_newer_attempt_and_a_used_one_are_told_apart() {
        assert!(matches!(check(&attempt(), "newer", at(1)), Err(ConnectError::StaleTab)));
        assert!(matches!(attempt().check("this", None, at(1), LIMIT), Err(ConnectError::StaleTab)));
        let used = Attempt { claim: Some("x".into()), verifier: None, ..attempt() };
        for current in ["this", "newer"] {
            assert!(matches!(check(&used, current, at(1)), Err(ConnectError::AlreadyUsed)));
        }
    }

    #[test]
    fn format_1_of_an_attempt_is_read() {
        let stored = include_bytes!("../../../tests/fixtures/store/connect-attempt-v1.json");
        let read = ATTEMPTS.decode(stored).expect("format 1");
        assert_eq!(read.login(false).expect("a host"), LoginHost::sandbox());
        assert_eq!(read.scopes().expect("scopes"), Scopes::default());
        check(&read, "this", at(60)).expect("in time");
        assert!(!format!("{read:?}").contains("hunter2"));
        let again = ATTEMPTS.decode(&ATTEMPTS.encode(&read).expect("writes")).expect("reads");
        assert_eq!(again.verifier, Some(Secret::from("hunter2")));
        let current = include_bytes!("../../../tests/fixtures/store/connect-current-v1.json");
        assert_eq!(CURRENT.decode(current).expect("format 1").attempt, "x");
    }

    #[test]
    fn an_attempt_that_was_tampered_with_leads_to_no_foreign_host() {
        let foreign = Attempt { login: "https://evil.com".into(), ..attempt() };
        foreign.login(true).expect_err("not Salesforce's");
        let local = Attempt { login: "http://127.0.0.1:1".into(), ..attempt() };
        local.login(true).expect_err("the attempt has not opted in");
        let both = Attempt { loopback: true, ..local };
        both.login(false).expect_err("the program has not opted in");
        both.login(true).expect("both have");
    }
}
