//! One connection, as it is handed out.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::OrgIdentity;
use super::live::Live;
use crate::auth::{Environment, TokenState, introspect};
use crate::client::Client;
use crate::error::{Error, ErrorKind, ReauthReason, Result};
use crate::http::HttpService;
use crate::types::{RecordId, Secret};

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
    app: App,
}

/// What it takes to ask Salesforce about a token.
#[derive(Clone)]
pub(super) struct App {
    pub(super) http: Arc<dyn HttpService>,
    pub(super) client_id: String,
    pub(super) client_secret: Option<Secret>,
}

/// Whether sessions last from one run of a schedule to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionFit {
    /// They do: runs share sessions.
    Lasts {
        /// How long a session lasts without use.
        timeout: Duration,
    },
    /// They do not: each run begins with a renewal of the session. Nothing fails by that; a longer session timeout in Salesforce
    /// saves the request, and keeps fewer renewals in the log-in history.
    EndsBetween {
        /// How long a session lasts without use.
        timeout: Duration,
    },
}

impl SessionFit {
    fn of(timeout: Duration, every: Duration) -> Self {
        if timeout > every { Self::Lasts { timeout } } else { Self::EndsBetween { timeout } }
    }
}

impl Connection {
    pub(super) fn new(info: ConnectionInfo, live: Live, app: App) -> Self {
        Self { info, live, app }
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
    /// Any error of [`Client::send`]; [`ErrorKind::NotFound`] when the user cannot see their own record;
    /// [`ErrorKind::Conflict`] when another org answers than the connection's.
    pub async fn identify(&self) -> Result<OrgIdentity> {
        OrgIdentity::read(&self.live.client, self.info.user_id, self.info.org_id).await
    }

    /// Compares the session timeout of the org and app with a schedule that runs every so often. Costs no API call, and one
    /// request to the introspection endpoint.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for an app without a secret, or when the org tells no times; any error of [`introspect`].
    pub async fn session_fits(&self, every: Duration) -> Result<SessionFit> {
        let config = |message| Error::new(ErrorKind::Config, "connection", message);
        let secret = self.app.client_secret.as_ref();
        let secret = secret.ok_or_else(|| config("only an app with a secret may ask for the times of its tokens"))?;
        let token = self.live.client.access_token().await?;
        let login = self.live.manager.login();
        let told = introspect(&self.app.http, login, &self.app.client_id, secret, token.secret()).await?;
        let (Some(issued), Some(expires)) = (told.issued_at, told.expires_at) else {
            return Err(config("the org does not tell the times of the session"));
        };
        let millis = u64::try_from(expires.unix_millis().saturating_sub(issued.unix_millis())).unwrap_or_default();
        Ok(SessionFit::of(Duration::from_millis(millis), every))
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
    /// The tokens that were stored are dead, but a renewal was under way or had been cut off, or the stored ones could not be
    /// read. The process that renews finds the connection ended and revokes what it gets; if it has died, nobody knows a token
    /// that may have come of it.
    InDoubt,
    /// It could not be asked, or refused. The tokens are kept aside until it has answered: by the next
    /// [`disconnect`](super::Connections::disconnect) or [`revoke_owed`](super::Connections::revoke_owed). Until then an access
    /// token in another process may work until that looks at the store.
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
        match &self.revoked {
            Revoked::Yes | Revoked::NothingToRevoke => {}
            Revoked::InDoubt => remains.push(
                "The tokens were being renewed or could not be read, so that one may be left that is not known here: an admin \
                 can revoke it, in Setup under Connected Apps OAuth Usage."
                    .to_owned(),
            ),
            Revoked::No(error) => remains.push(format!(
                "Salesforce has not revoked the tokens yet ({error}). It is tried again; an admin can do it at once, in Setup \
                 under Connected Apps OAuth Usage."
            )),
        }
        remains
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpt_17_a_session_that_ends_between_two_runs_is_told() {
        let hours = Duration::from_hours;
        assert_eq!(SessionFit::of(hours(2), hours(1)), SessionFit::Lasts { timeout: hours(2) });
        for every in [hours(2), hours(24)] {
            assert_eq!(SessionFit::of(hours(2), every), SessionFit::EndsBetween { timeout: hours(2) });
        }
    }
}
