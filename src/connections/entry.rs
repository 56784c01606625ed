//! What is kept of a connection: the entry itself, which one is a tenant's default, and tokens that are still to be revoked.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::connection::ConnectionInfo;
use crate::auth::{Connected, Environment, LoginHost, Purged, name_of};
use crate::error::Result;
use crate::store::{Key, Versioned};
use crate::types::{RecordId, Secret};

pub(super) const CONNECTIONS: Versioned<Entry> = Versioned::new("connection", 1);
pub(super) const DEFAULTS: Versioned<Default> = Versioned::new("default connection", 1);
pub(super) const OWED: Versioned<Owed> = Versioned::new("tokens to be revoked", 1);

/// One connection of a tenant. The tenant itself stands in the key, as a hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) org_id: RecordId,
    pub(super) login: String,
    #[serde(default)]
    pub(super) loopback: bool,
    #[serde(default)]
    pub(super) sandbox: Option<bool>,
    #[serde(default)]
    pub(super) user_id: Option<RecordId>,
    #[serde(default)]
    pub(super) scopes: Option<String>,
    /// Milliseconds since 1970.
    pub(super) connected_at: u64,
    pub(super) connected: bool,
    /// Made by chance with the entry, and part of the name of its tokens: what is connected under the same id after this one was
    /// forgotten has others.
    pub(super) incarnation: String,
    /// Made by chance with each consent, so that one whose commit went unanswered is found again.
    pub(super) consent: String,
    /// Whether it was told that Salesforce has ended it.
    #[serde(default)]
    pub(super) end_told: bool,
    #[serde(default)]
    pub(super) settings: Option<Box<RawValue>>,
}

/// Which connection of a tenant is its default.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Default {
    pub(super) connection: String,
}

/// Tokens that were purged and that Salesforce has not revoked yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Owed {
    pub(super) tenant: String,
    pub(super) connection: String,
    pub(super) org_id: RecordId,
    #[serde(default)]
    pub(super) user_id: Option<RecordId>,
    login: String,
    #[serde(default)]
    loopback: bool,
    #[serde(default, serialize_with = "expose")]
    refresh_token: Option<Secret>,
    #[serde(default, serialize_with = "expose")]
    access_token: Option<Secret>,
    /// A renewal was under way.
    #[serde(default)]
    in_doubt: bool,
}

#[expect(clippy::ref_option, reason = "serde hands a reference to the member")]
fn expose<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(Secret::expose).serialize(serializer)
}

impl Entry {
    /// What a consent makes of the connection. `names` are for its incarnation, if it is new, and for the consent.
    pub(super) fn of(connected: &Connected, names: [&str; 2], now: SystemTime, before: Option<&Self>) -> Self {
        let [incarnation, consent] = names;
        Self {
            id: connected.connection.clone(),
            org_id: connected.org_id,
            login: connected.login.to_string(),
            loopback: connected.login.policy().allows_loopback(),
            sandbox: connected.environment.map(|environment| environment == Environment::Sandbox),
            user_id: connected.user_id,
            scopes: connected.scopes.as_ref().map(ToString::to_string),
            connected_at: millis(now),
            connected: true,
            incarnation: before.map_or(incarnation, |before| &before.incarnation).to_owned(),
            consent: consent.to_owned(),
            end_told: false,
            settings: before.and_then(|before| before.settings.clone()),
        }
    }

    /// Where it logs in; this machine only if the program's own setting says so too.
    pub(super) fn login(&self, loopback: bool) -> Result<LoginHost> {
        LoginHost::opted_in(&self.login, loopback && self.loopback)
    }

    pub(super) fn environment(&self) -> Option<Environment> {
        self.sandbox.map(|sandbox| if sandbox { Environment::Sandbox } else { Environment::Production })
    }

    /// Its tokens as what Salesforce is still to revoke.
    pub(super) fn owed(&self, tenant: &str, purged: &Purged) -> Owed {
        Owed {
            tenant: tenant.to_owned(),
            connection: self.id.clone(),
            org_id: self.org_id,
            user_id: self.user_id,
            login: self.login.clone(),
            loopback: self.loopback,
            refresh_token: purged.refresh_token.clone(),
            access_token: purged.access_token.clone(),
            in_doubt: purged.in_doubt,
        }
    }

    pub(super) fn info(&self) -> ConnectionInfo {
        let since = Duration::from_millis(self.connected_at);
        ConnectionInfo {
            id: self.id.clone(),
            org_id: self.org_id,
            environment: self.environment(),
            login: self.login.clone(),
            user_id: self.user_id,
            scopes: self.scopes.clone(),
            // Out of range only if the store was tampered with.
            connected_at: UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH),
            connected: self.connected,
            settings: self.settings.clone(),
        }
    }
}

impl Owed {
    pub(super) fn login(&self, loopback: bool) -> Result<LoginHost> {
        LoginHost::opted_in(&self.login, loopback && self.loopback)
    }

    pub(super) fn purged(&self) -> Purged {
        Purged::new(self.refresh_token.clone(), self.access_token.clone(), self.in_doubt)
    }
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    u64::try_from(since).unwrap_or(u64::MAX)
}

/// All that is to be revoked, of all tenants.
pub(super) const ALL_OWED: &str = "connection-owed/";

/// Audit events that their sink has not taken yet.
pub(super) const EVENTS_PREFIX: &str = "connection-events/";

/// Keys hold hashes: a tenant's id may be anything.
pub(super) fn connections_prefix(tenant: &str) -> String {
    format!("connection/{}/", name_of(&["tenant", tenant]))
}

pub(super) fn connection_key(tenant: &str, id: &str) -> Result<Key> {
    Key::new(connections_prefix(tenant) + &name_of(&["connection", id]))
}

pub(super) fn default_key(tenant: &str) -> Result<Key> {
    Key::new(format!("connection-default/{}", name_of(&["tenant", tenant])))
}

pub(super) fn tokens_key(tenant: &str, id: &str, incarnation: &str) -> Result<Key> {
    let tenant = name_of(&["tenant", tenant]);
    Key::new(format!("connection-tokens/{tenant}/{}", name_of(&["connection", id, incarnation])))
}

pub(super) fn owed_prefix(tenant: &str, id: &str) -> String {
    format!("{ALL_OWED}{}/{}/", name_of(&["tenant", tenant]), name_of(&["connection", id]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorKind, Retry};

    #[test]
    fn format_1_of_a_connection_is_read() {
        let stored = include_bytes!("../../tests/fixtures/store/connection-v1.json").trim_ascii();
        let entry = CONNECTIONS.decode(stored).expect("format 1");
        assert_eq!((entry.incarnation.as_str(), entry.consent.as_str(), entry.end_told), ("i1", "c1", false));
        assert_eq!(entry.login(false).expect("a host"), LoginHost::sandbox());
        let info = entry.info();
        assert_eq!((info.id.as_str(), info.connected, info.environment), ("sales", true, Some(Environment::Sandbox)));
        assert_eq!(info.scopes.as_deref(), Some("api refresh_token"));
        assert_eq!(millis(info.connected_at), 1_767_225_600_000);
        let settings: Option<serde_json::Value> = info.settings().expect("reads");
        assert_eq!(settings, Some(serde_json::json!({"schedule": "hourly", "digits": 0.1})));
        assert_eq!(CONNECTIONS.encode(&entry).expect("JSON"), stored, "and written as it was");
    }

    #[test]
    fn format_1_of_a_default_is_read() {
        let stored = include_bytes!("../../tests/fixtures/store/connection-default-v1.json").trim_ascii();
        let default = DEFAULTS.decode(stored).expect("format 1");
        assert_eq!(default.connection, "sales");
        assert_eq!(DEFAULTS.encode(&default).expect("JSON"), stored);
    }

    #[test]
    fn format_1_of_what_is_to_be_revoked_is_read_and_shown_without_tokens() {
        let stored = include_bytes!("../../tests/fixtures/store/connection-owed-v1.json").trim_ascii();
        let owed = OWED.decode(stored).expect("format 1");
        assert_eq!((owed.tenant.as_str(), owed.login(false).expect("a host")), ("tenant-7", LoginHost::sandbox()));
        assert_eq!(owed.purged().refresh_token, Some(Secret::from("5Aep-hunter2")));
        assert!(owed.purged().in_doubt);
        assert!(!format!("{owed:?}").contains("hunter2"), "{owed:?}");
        assert_eq!(OWED.encode(&owed).expect("JSON"), stored);
    }

    #[test]
    fn an_entry_that_was_tampered_with_leads_to_no_foreign_host_and_breaks_nothing() {
        let stored = include_str!("../../tests/fixtures/store/connection-v1.json").trim();
        let read = |text: &str| CONNECTIONS.decode(text.as_bytes());
        let local = stored
            .replace("https://test.salesforce.com", "http://127.0.0.1:1")
            .replace(r#""loopback":false"#, r#""loopback":true"#);
        let local = read(&local).expect("reads");
        assert_eq!(local.login(false).expect_err("the program has not opted in").kind(), ErrorKind::Config);
        local.login(true).expect("both have");
        let foreign = read(&stored.replace("test.salesforce.com", "evil.com")).expect("reads");
        foreign.login(true).expect_err("not Salesforce's");
        let never = read(&stored.replace("1767225600000", "18446744073709551615")).expect("reads");
        let _ = never.info();
    }

    #[test]
    fn a_newer_format_says_so() {
        for error in [
            CONNECTIONS.decode(br#"{"format":2}"#).expect_err("newer"),
            DEFAULTS.decode(br#"{"format":2}"#).expect_err("newer"),
            OWED.decode(br#"{"format":2}"#).expect_err("newer"),
        ] {
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Store, Retry::Never));
            assert!(error.to_string().contains("newer format"), "{error}");
        }
    }

    #[test]
    fn keys_show_neither_tenant_nor_connection_and_each_incarnation_has_its_own_tokens() {
        let key = |incarnation| tokens_key("ada@acme.example", "sales", incarnation).expect("short");
        assert_ne!(key("i1"), key("i2"));
        for text in [key("i1").as_str(), &owed_prefix("ada@acme.example", "sales")] {
            assert!(!text.contains("ada") && !text.contains("sales"), "{text}");
        }
    }
}
