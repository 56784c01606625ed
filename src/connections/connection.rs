//! One connection, as it is handed out.

use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{Live, OrgIdentity};
use crate::auth::{Environment, TokenState};
use crate::client::Client;
use crate::error::{Error, ErrorKind, ReauthReason, Result};
use crate::types::RecordId;

/// What is known of a connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// Tells the tenant's connections apart.
    pub id: String,
    /// The org it belongs to.
    pub org_id: RecordId,
    /// Production or sandbox, where the org told.
    pub environment: Option<Environment>,
    /// Where the org logs in.
    pub login: String,
    /// The user who connected it.
    pub user_id: Option<RecordId>,
    /// What was granted, parted by blanks, where the org told.
    pub scopes: Option<String>,
    /// When it was connected last.
    pub connected_at: SystemTime,
    /// Whether it was not disconnected since.
    pub connected: bool,
    pub(super) settings: Option<Box<RawValue>>,
}

impl ConnectionInfo {
    /// What [`Connections::set_settings`](super::Connections::set_settings) has kept; `None` where it was never called.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when the settings are of another shape.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        let read = |raw: &RawValue| {
            serde_json::from_str(raw.get()).map_err(|error| {
                Error::new(ErrorKind::Decode, "connections", "the settings have another shape").with_source(error)
            })
        };
        self.settings.as_deref().map(read).transpose()
    }
}

/// Whether work on a connection can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionStatus {
    /// It can, as far as is known.
    Connected,
    /// A person has to connect the org again.
    ReauthRequired(ReauthReason),
    /// It was disconnected here.
    Disconnected,
}

/// A connection with its client.
#[derive(Clone)]
pub struct Connection {
    info: ConnectionInfo,
    live: Live,
}

impl Connection {
    pub(super) fn new(info: ConnectionInfo, live: Live) -> Self {
        Self { info, live }
    }

    /// What is known of it.
    #[must_use]
    pub fn info(&self) -> &ConnectionInfo {
        &self.info
    }

    /// The client. Once the connection has ended, its calls fail with [`ErrorKind::ReauthRequired`] without a request.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.live.client
    }

    /// The state of the tokens. One read of the store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`].
    pub async fn tokens(&self) -> Result<TokenState> {
        self.live.manager.state().await
    }

    /// Who it works as and where: user, profile, licence, org, sandbox or not. Costs two API calls.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`]; [`ErrorKind::NotFound`] when the user cannot see their own record.
    pub async fn identify(&self) -> Result<OrgIdentity> {
        OrgIdentity::read(&self.live.client, self.info.user_id).await
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("info", &self.info).finish_non_exhaustive()
    }
}

/// What a disconnect did, and what remains.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Disconnected {
    /// The connection as it is kept for a reconnect.
    pub info: ConnectionInfo,
    /// Whether Salesforce has revoked the tokens.
    pub revoked: Revoked,
}

/// Whether Salesforce has revoked the tokens of a connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Revoked {
    /// It has: nobody can use them any more.
    Yes,
    /// There was no token left.
    NothingToRevoke,
    /// It could not be asked, or refused. The tokens are purged here, and an access token in another process may work until its
    /// session ends.
    No(Error),
}

impl Disconnected {
    /// What remains, each in a sentence for the person who disconnected.
    #[must_use]
    pub fn remains(&self) -> Vec<String> {
        let mut remains = vec![
            format!("The connection {:?} keeps its org and settings here, so that a reconnect goes on.", self.info.id),
            "Records, objects, fields and permission sets that were made in the org stay there.".to_owned(),
        ];
        if let Revoked::No(error) = &self.revoked {
            remains.push(format!(
                "Salesforce did not revoke the tokens ({error}): an admin can, in Setup under Connected Apps OAuth Usage."
            ));
        }
        remains
    }
}
