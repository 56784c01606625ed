//! What is kept of a connection, but for its tokens.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::connection::ConnectionInfo;
use crate::auth::{Connected, Environment, LoginHost, name_of};
use crate::error::Result;
use crate::store::{Key, Versioned};
use crate::types::RecordId;

pub(super) const CONNECTIONS: Versioned<Entry> = Versioned::new("connection", 1);
pub(super) const DEFAULTS: Versioned<Default> = Versioned::new("default connection", 1);

/// One connection of a tenant. The tenant itself stands in the key, as a hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) org_id: RecordId,
    login: String,
    #[serde(default)]
    loopback: bool,
    #[serde(default)]
    sandbox: Option<bool>,
    #[serde(default)]
    user_id: Option<RecordId>,
    #[serde(default)]
    scopes: Option<String>,
    /// Milliseconds since 1970.
    connected_at: u64,
    pub(super) connected: bool,
    #[serde(default)]
    pub(super) settings: Option<Box<RawValue>>,
}

/// Which connection of a tenant is its default.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Default {
    pub(super) connection: String,
}

impl Entry {
    pub(super) fn of(id: &str, connected: &Connected, now: SystemTime, before: Option<&Self>) -> Self {
        Self {
            id: id.to_owned(),
            org_id: connected.org_id,
            login: connected.login.to_string(),
            loopback: connected.login.policy().allows_loopback(),
            sandbox: connected.environment.map(|environment| environment == Environment::Sandbox),
            user_id: connected.user_id,
            scopes: connected.scopes.as_ref().map(ToString::to_string),
            connected_at: millis(now),
            connected: true,
            settings: before.and_then(|before| before.settings.clone()),
        }
    }

    pub(super) fn login(&self) -> Result<LoginHost> {
        if self.loopback { LoginHost::allowing_loopback(&self.login) } else { LoginHost::my_domain(&self.login) }
    }

    pub(super) fn environment(&self) -> Option<Environment> {
        self.sandbox.map(|sandbox| if sandbox { Environment::Sandbox } else { Environment::Production })
    }

    pub(super) fn info(&self) -> ConnectionInfo {
        ConnectionInfo {
            id: self.id.clone(),
            org_id: self.org_id,
            environment: self.environment(),
            login: self.login.clone(),
            user_id: self.user_id,
            scopes: self.scopes.clone(),
            connected_at: UNIX_EPOCH + Duration::from_millis(self.connected_at),
            connected: self.connected,
            settings: self.settings.clone(),
        }
    }
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    u64::try_from(since).unwrap_or(u64::MAX)
}

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

pub(super) fn tokens_key(tenant: &str, id: &str) -> Result<Key> {
    Key::new(format!("connection-tokens/{}/{}", name_of(&["tenant", tenant]), name_of(&["connection", id])))
}
