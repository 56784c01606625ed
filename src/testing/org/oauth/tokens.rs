//! Access tokens, refresh tokens, and the approvals they hang on.

use std::collections::{BTreeMap, HashMap};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};

use super::app::AppSpec;
use super::random;
use super::scope::Scopes;
use crate::testing::org::ids;

/// Live refresh tokens a user has of one app; one more kills the oldest (wire facts 1.3 [S]).
const PER_USER_AND_APP: usize = 5;

/// Where an access token comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    OAuth,
    /// SOAP `login()`.
    Soap,
}

/// A JWT-based access token. Help, "JWT-Based Access Tokens": header, claims and signature in base64url with dots between [D]; the claims'
/// names [S]. [K] The signature is of nobody: only the org that gave a token looks at it.
fn signed(org: &str, session: &Session) -> String {
    let (user, app) = (&session.user, session.client_id.as_deref().unwrap_or_default());
    let (from, to) = (session.issued.timestamp(), session.expires().timestamp());
    let claims = format!(
        r#"{{"sub":"uid:{user}","client_id":"{app}","mty":"oauth","sfi":"{org}","roles":[],"nbf":{from},"iat":{from},"exp":{to}}}"#
    );
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part(r#"{"typ":"JWT","alg":"RS256","kid":"1"}"#), part(&claims), random(342))
}

/// An access token.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) user: String,
    /// The app it was issued to; `None` for those of no app.
    pub(crate) client_id: Option<String>,
    pub(crate) scopes: Scopes,
    /// The approval it hangs on; `None` for flows without a user's consent.
    pub(crate) approval: Option<u64>,
    pub(crate) origin: Origin,
    /// JWT-based: for REST only.
    pub(crate) jwt: bool,
    pub(crate) issued: DateTime<Utc>,
    pub(crate) last_used: DateTime<Utc>,
    pub(crate) timeout: TimeDelta,
}

impl Session {
    /// The last moment it works, if it is not used until then.
    pub(crate) fn expires(&self) -> DateTime<Utc> {
        self.last_used.checked_add_signed(self.timeout).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// A user's consent to an app.
#[derive(Clone, Debug)]
pub(crate) struct Approval {
    pub(crate) user: String,
    pub(crate) client_id: String,
    pub(crate) scopes: Scopes,
    given: DateTime<Utc>,
    last_used: DateTime<Utc>,
}

impl Approval {
    /// Dead by the app's policy (wire facts 1.3). [K] With rotation the time counts from the approval.
    fn outlived(&self, app: &AppSpec, now: DateTime<Utc>) -> bool {
        app.refresh_lifetime.is_some_and(|life| now - self.given >= life)
            || app.refresh_idle.is_some_and(|idle| now - self.last_used > idle)
    }

    /// When the app's policy kills its refresh token; `None`: valid until revoked.
    pub(crate) fn expires(&self, app: &AppSpec) -> Option<DateTime<Utc>> {
        let end = |start: DateTime<Utc>, time: Option<TimeDelta>| start.checked_add_signed(time?);
        [end(self.given, app.refresh_lifetime), end(self.last_used, app.refresh_idle)].into_iter().flatten().min()
    }

    pub(crate) fn given(&self) -> DateTime<Utc> {
        self.given
    }
}

#[derive(Debug)]
struct Refresh {
    approval: u64,
    client_id: String,
    /// Replaced by a newer one.
    rotated: bool,
}

/// What became of a refresh token that was redeemed.
#[derive(Debug)]
pub(super) struct Redeemed {
    pub(super) approval: u64,
    pub(super) user: String,
    pub(super) scopes: Scopes,
    /// The next refresh token, under rotation.
    pub(super) next: Option<String>,
}

/// All tokens of the org.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    sessions: HashMap<String, Session>,
    refresh: HashMap<String, Refresh>,
    /// Live ones, oldest first.
    approvals: BTreeMap<u64, Approval>,
    /// Approvals since the start.
    given: u64,
    /// Requests with a refresh token that a newer one had replaced.
    replays: usize,
}

impl Tokens {
    pub(crate) fn open(&mut self, org: &str, session: Session) -> String {
        let token = if session.jwt {
            signed(org, &session)
        } else {
            // Tokens start with the org's id of 15 characters (wire facts 1.2).
            format!("{}!AQ{}", ids::short(org), random(90))
        };
        self.sessions.insert(token.clone(), session);
        token
    }

    /// An access token, if that lives. Use keeps it alive.
    pub(crate) fn used(&mut self, token: &str, now: DateTime<Utc>) -> Option<&Session> {
        self.seen(token, now)?;
        let session = self.sessions.get_mut(token)?;
        session.last_used = now;
        Some(session)
    }

    /// An access token, if that lives, without using it.
    pub(crate) fn seen(&mut self, token: &str, now: DateTime<Utc>) -> Option<&Session> {
        if self.sessions.get(token).is_some_and(|session| now > session.expires()) {
            self.sessions.remove(token);
        }
        self.sessions.get(token)
    }

    /// Kills an access token; whether there was one.
    pub(crate) fn close(&mut self, token: &str) -> bool {
        self.sessions.remove(token).is_some()
    }

    pub(crate) fn close_all(&mut self) {
        self.sessions.clear();
    }

    /// A new approval. Past the bound per user and app the oldest dies, with its access tokens.
    pub(crate) fn approve(&mut self, user: &str, app: &str, scopes: Scopes, now: DateTime<Utc>) -> u64 {
        let lasting = scopes.ask_refresh_token();
        self.given += 1;
        let approval =
            Approval { user: user.to_owned(), client_id: app.to_owned(), scopes, given: now, last_used: now };
        self.approvals.insert(self.given, approval);
        if lasting {
            let same = |one: &Approval| one.user == user && one.client_id == app && one.scopes.ask_refresh_token();
            let of_both: Vec<u64> = self.approvals.iter().filter(|(_, one)| same(one)).map(|(id, _)| *id).collect();
            for oldest in of_both.iter().take(of_both.len().saturating_sub(PER_USER_AND_APP)) {
                self.revoke(*oldest);
            }
        }
        self.given
    }

    /// A live refresh token of an approval.
    pub(crate) fn refresh_token(&mut self, approval: u64, client_id: &str) -> String {
        let token = format!("5Aep861{}", random(76));
        self.refresh.insert(token.clone(), Refresh { approval, client_id: client_id.to_owned(), rotated: false });
        token
    }

    /// Redeems a refresh token; `None` when it is dead, unknown or another app's.
    pub(super) fn redeem(
        &mut self,
        token: &str,
        client_id: &str,
        app: &AppSpec,
        now: DateTime<Utc>,
    ) -> Option<Redeemed> {
        let known = self.refresh.get_mut(token).filter(|known| known.client_id == client_id)?;
        let id = known.approval;
        if known.rotated {
            // KA 005316711: a replay revokes the current refresh token and every access token that hangs on it.
            self.replays += 1;
            self.revoke(id);
            return None;
        }
        let approval = self.approvals.get_mut(&id)?;
        if approval.outlived(app, now) {
            return None;
        }
        approval.last_used = now;
        let (user, scopes) = (approval.user.clone(), approval.scopes.clone());
        if app.rotates {
            known.rotated = true;
        }
        let next = app.rotates.then(|| self.refresh_token(id, client_id));
        Some(Redeemed { approval: id, user, scopes, next })
    }

    /// Ends an approval: its refresh tokens and access tokens are dead.
    pub(crate) fn revoke(&mut self, approval: u64) {
        self.approvals.remove(&approval);
        self.sessions.retain(|_, session| session.approval != Some(approval));
    }

    pub(crate) fn revoke_all(&mut self) {
        for approval in self.approvals.keys().copied().collect::<Vec<_>>() {
            self.revoke(approval);
        }
    }

    /// The approval of a refresh token that works, whatever the app's policy.
    pub(crate) fn approval_of(&self, refresh_token: &str) -> Option<(u64, &Approval)> {
        let known = self.refresh.get(refresh_token).filter(|known| !known.rotated)?;
        Some((known.approval, self.approvals.get(&known.approval)?))
    }

    pub(crate) fn approvals(&self) -> impl Iterator<Item = &Approval> {
        self.approvals.values()
    }

    /// Live approvals of an app by a user.
    pub(crate) fn approvals_of<'a>(&'a self, user: &'a str, client_id: &'a str) -> impl Iterator<Item = &'a Approval> {
        self.approvals().filter(move |one| one.user == user && one.client_id == client_id)
    }

    pub(crate) fn given(&self) -> u64 {
        self.given
    }

    pub(crate) fn replays(&self) -> usize {
        self.replays
    }
}
