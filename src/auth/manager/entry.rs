//! What is stored of a connection's tokens, and the changes it goes through. Pure.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroize;

use crate::auth::{AccessToken, HostUse, LoginHost, Scopes};
use crate::error::{Error, ErrorKind, ReauthReason, Result};
use crate::store::Versioned;
use crate::types::{RecordId, Secret};

pub(super) const TOKENS: Versioned<TokenEntry> = Versioned::new("tokens", 1);

/// Longest lease that is believed; another process may have been configured by mistake.
const MAX_LEASE: Duration = Duration::from_hours(1);

/// Far more renewals than can be. What says more is corrupt, and adding to it would end in a wrong number or a panic.
const MAX_GENERATION: u64 = 1 << 60;

/// The tokens of one connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct TokenEntry {
    /// Counts grants and renewals: a higher one replaces all tokens of a lower one.
    #[serde(deserialize_with = "generation")]
    pub(super) generation: u64,
    /// The org they are for, once an access token has told. Tokens of another one are never taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) org_id: Option<RecordId>,
    /// Gone once the connection has ended.
    #[serde(default, serialize_with = "expose_option", skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<Secret>,
    /// Missing until the first renewal, where only a refresh token was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) access: Option<StoredAccess>,
    /// As the org has granted them, parted by blanks; `None` if it did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) scopes: Option<String>,
    /// What was granted once and no longer is, parted by blanks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lost_scopes: Option<String>,
    /// The process that is renewing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lease: Option<Lease>,
    /// A renewal was cut off: the refresh token may be spent. The number of tries with it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) doubt: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended: Option<Ended>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredAccess {
    #[serde(serialize_with = "expose")]
    token: Secret,
    instance_url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity_url: Option<String>,
    /// Milliseconds since 1970 by the clock of the machine that got it. A hint for renewing ahead, no more: that clock may be
    /// wrong.
    obtained_at: u64,
}

/// How long its holder may be silent until others take over. Each measures that by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lease {
    pub(super) holder: String,
    millis: u64,
}

/// Why the connection has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ended {
    reason: Reason,
    /// Salesforce's code and words, if those ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reason {
    Refused,
    Interrupted,
    Disconnected,
}

fn generation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let generation = u64::deserialize(deserializer)?;
    let possible = generation <= MAX_GENERATION;
    possible.then_some(generation).ok_or_else(|| serde::de::Error::custom("a generation that cannot be"))
}

fn expose<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

#[expect(clippy::ref_option, reason = "serde hands a reference to the member")]
fn expose_option<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(Secret::expose).serialize(serializer)
}

impl Ended {
    pub(super) fn reason(&self) -> ReauthReason {
        match self.reason {
            Reason::Refused => ReauthReason::Refused,
            Reason::Interrupted => ReauthReason::Interrupted,
            Reason::Disconnected => ReauthReason::Disconnected,
        }
    }
}

impl Lease {
    pub(super) fn new(holder: &str, time: Duration) -> Self {
        Self { holder: holder.to_owned(), millis: u64::try_from(time.as_millis()).unwrap_or(u64::MAX) }
    }

    pub(super) fn time(&self) -> Duration {
        Duration::from_millis(self.millis).min(MAX_LEASE)
    }
}

impl StoredAccess {
    pub(super) fn new(token: &AccessToken, now: SystemTime) -> Self {
        let since_1970 = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            token: token.secret().clone(),
            instance_url: token.instance_url().as_str().to_owned(),
            identity_url: token.identity_url().map(|url| url.as_str().to_owned()),
            obtained_at: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// The token as it is, to be revoked.
    pub(super) fn secret(&self) -> &Secret {
        &self.token
    }

    pub(super) fn is(&self, token: &AccessToken) -> bool {
        self.token == *token.secret()
    }

    /// The token, if its address is one that the login host's org may have: the store may have been tampered with.
    pub(super) fn token(&self, host: &LoginHost) -> Result<AccessToken> {
        let check = |url: &str, used_for| {
            host.policy().check(url, used_for).map_err(|refused| {
                let message = "the stored token names no address of Salesforce's";
                Error::new(ErrorKind::Auth, "token", message).with_source(refused)
            })
        };
        let instance_url = check(&self.instance_url, HostUse::Org)?;
        let identity_url = self.identity_url.as_deref().map(|url| check(url, HostUse::Login)).transpose()?;
        AccessToken::checked(self.token.clone(), instance_url, identity_url)
    }

    pub(super) fn obtained_at(&self) -> SystemTime {
        // Out of range only if the store was tampered with.
        let since_1970 = Duration::from_millis(self.obtained_at);
        SystemTime::UNIX_EPOCH.checked_add(since_1970).unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

impl TokenEntry {
    /// What a person's new consent makes of it, whatever it was.
    pub(super) fn granted(
        before: Option<&Self>,
        refresh_token: Secret,
        access: Option<StoredAccess>,
        scopes: Option<&Scopes>,
    ) -> Self {
        let generation = before.map_or(0, |entry| entry.generation).saturating_add(1);
        let scopes = scopes.map(ToString::to_string);
        Self { generation, refresh_token: Some(refresh_token), access, scopes, ..Self::default() }
    }

    /// One process takes the renewal on. In doubt that is one more try with the old refresh token.
    pub(super) fn leased(&self, lease: Lease) -> Self {
        Self { lease: Some(lease), doubt: self.doubt.map(|tries| tries.saturating_add(1)), ..self.clone() }
    }

    /// The renewal is done.
    pub(super) fn renewed(
        &self,
        refresh: Option<Secret>,
        access: Option<StoredAccess>,
        scopes: Option<&Scopes>,
    ) -> Self {
        Self {
            generation: self.generation.saturating_add(1),
            refresh_token: refresh.or_else(|| self.refresh_token.clone()),
            access,
            scopes: scopes.map(ToString::to_string).or_else(|| self.scopes.clone()),
            lost_scopes: self.lost(scopes),
            org_id: self.org_id,
            ..Self::default()
        }
    }

    /// What was granted before, and is not in an answer that tells its scopes.
    fn lost(&self, scopes: Option<&Scopes>) -> Option<String> {
        let Some(scopes) = scopes else { return self.lost_scopes.clone() };
        let had = [self.scopes.as_deref(), self.lost_scopes.as_deref()];
        let had = Scopes::granted(&had.into_iter().flatten().collect::<Vec<_>>().join(" "))?;
        scopes.missing(&had).map(|lost| lost.to_string())
    }

    /// The same tokens, but nobody knows whether the refresh token is the one that works.
    pub(super) fn in_doubt(self) -> Self {
        Self { doubt: Some(0), ..self }
    }

    /// The renewal was not carried out.
    pub(super) fn released(&self) -> Self {
        // A try that was not carried out is none.
        let doubt = self.doubt.map(|tries| tries.saturating_sub(1));
        Self { lease: None, doubt, ..self.clone() }
    }

    /// The renewal was cut off, and nobody knows whether Salesforce has rotated the refresh token.
    pub(super) fn doubted(&self) -> Self {
        Self { lease: None, doubt: Some(self.doubt.unwrap_or(0)), ..self.clone() }
    }

    /// Salesforce takes the refresh token no more.
    pub(super) fn refused(&self, code: Option<String>, text: Option<String>) -> Self {
        let reason = if self.doubt.is_some() { Reason::Interrupted } else { Reason::Refused };
        Self::ended_by(self, Ended { reason, code, text })
    }

    pub(super) fn disconnected(before: Option<&Self>) -> Self {
        let ended = Ended { reason: Reason::Disconnected, code: None, text: None };
        Self::ended_by(before.unwrap_or(&Self::default()), ended)
    }

    fn ended_by(before: &Self, ended: Ended) -> Self {
        let generation = before.generation.saturating_add(1);
        let (org_id, scopes) = (before.org_id, before.scopes.clone());
        Self { generation, org_id, scopes, ended: Some(ended), ..Self::default() }
    }

    /// The same tokens, of that org.
    pub(super) fn of_org(self, org: Option<RecordId>) -> Self {
        Self { org_id: self.org_id.or(org), ..self }
    }

    /// Whether a token may be one of these: of their org, or of an org that neither tells.
    pub(super) fn fits(&self, token: &AccessToken) -> bool {
        let same = |org: Option<RecordId>| self.org_id.is_none_or(|own| org.is_none_or(|org| org == own));
        let (identity, prefix) = token.orgs();
        same(identity) && same(prefix)
    }

    pub(super) fn holds(&self, token: &AccessToken) -> bool {
        self.access.as_ref().is_some_and(|access| access.is(token))
    }
}

/// Wipes bytes that a store has handed out, where nobody else has them. Those that we have made are wiped by themselves.
pub(crate) fn wipe(bytes: Bytes) {
    if let Ok(mut bytes) = bytes.try_into_mut() {
        bytes.as_mut().zeroize();
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reason {
            Reason::Refused => "Salesforce no longer takes the refresh token",
            Reason::Interrupted => {
                "a renewal was cut off after Salesforce had replaced the refresh token, and the old one no longer works"
            }
            Reason::Disconnected => "it was disconnected",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// As the first version has written it.
    const FORMAT_1: &str = r#"{"format":1,"body":{"generation":7,"refresh_token":"5Aep-hunter2","access":{"token":"00D!hunter2","instance_url":"https://acme.my.salesforce.com/","identity_url":"https://login.salesforce.com/id/00D1a000000H3O9EAK/0051a000000UGT8AAO","obtained_at":1735689600000},"scopes":"api refresh_token","lease":{"holder":"00ff","millis":90000},"doubt":1}}"#;
    const FORMAT_1_ENDED: &str = r#"{"format":1,"body":{"generation":8,"ended":{"reason":"interrupted","code":"invalid_grant","text":"expired access/refresh token"}}}"#;

    fn host() -> LoginHost {
        LoginHost::my_domain("acme.my.salesforce.com").expect("a My Domain")
    }

    #[test]
    fn what_the_first_version_has_stored_is_read() {
        let entry = TOKENS.decode(FORMAT_1.as_bytes()).expect("format 1");
        let token = entry.access.as_ref().expect("stored").token(&host()).expect("ours");
        assert_eq!(token.secret().expose(), "00D!hunter2");
        assert_eq!(token.user_id().map(|id| id.to_string()).as_deref(), Some("0051a000000UGT8AAO"));
        assert_eq!((entry.generation, entry.doubt), (7, Some(1)));
        assert_eq!(TOKENS.encode(&entry).expect("JSON"), FORMAT_1);
        let ended = TOKENS.decode(FORMAT_1_ENDED.as_bytes()).expect("format 1");
        assert_eq!(ended.ended.as_ref().map(Ended::reason), Some(ReauthReason::Interrupted));
        assert_eq!(TOKENS.encode(&ended).expect("JSON"), FORMAT_1_ENDED);
    }

    #[test]
    fn debug_shows_no_token() {
        let entry = TOKENS.decode(FORMAT_1.as_bytes()).expect("format 1");
        assert!(!format!("{entry:?}").contains("hunter2"), "{entry:?}");
    }

    #[test]
    fn a_stored_address_outside_of_the_org_is_refused() {
        for foreign in ["http://evil.example", "ftp://acme.my.salesforce.com", "", "https://u:p@acme.my.salesforce.com"]
        {
            let text = FORMAT_1.replace("https://acme.my.salesforce.com/", foreign);
            let entry = TOKENS.decode(text.as_bytes()).expect("format 1");
            let error = entry.access.expect("stored").token(&host()).expect_err(foreign);
            assert_eq!(error.kind(), ErrorKind::Auth);
        }
    }

    #[test]
    fn an_end_purges_the_tokens_and_keeps_what_salesforce_said() {
        let entry = TOKENS.decode(FORMAT_1.as_bytes()).expect("format 1");
        for ended in
            [entry.refused(Some("invalid_grant".into()), Some("x".into())), TokenEntry::disconnected(Some(&entry))]
        {
            let text = String::from_utf8(TOKENS.encode(&ended).expect("JSON").to_vec()).expect("text");
            assert!(!text.contains("hunter2"), "{text}");
            assert_eq!((ended.generation, ended.scopes.as_deref()), (8, Some("api refresh_token")));
        }
    }

    #[test]
    fn a_generation_that_cannot_be_is_refused() {
        for number in ["18446744073709551615", "1152921504606846977", "-1", "1.5"] {
            let text = FORMAT_1.replace("\"generation\":7", &format!("\"generation\":{number}"));
            let error = TOKENS.decode(text.as_bytes()).expect_err(number);
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Store, crate::error::Retry::Never));
        }
        let text = FORMAT_1.replace("\"generation\":7", "\"generation\":1152921504606846976");
        let entry = TOKENS.decode(text.as_bytes()).expect("the last one");
        assert_eq!(TokenEntry::disconnected(Some(&entry)).generation, MAX_GENERATION + 1);
    }

    #[test]
    fn scopes_that_a_renewal_takes_away_are_remembered_until_they_are_back() {
        let scopes = |text: &str| Scopes::granted(text).expect("scopes");
        let granted = TokenEntry::granted(None, Secret::new("x"), None, Some(&scopes("api id refresh_token")));
        let less = granted.renewed(None, None, Some(&scopes("refresh_token")));
        assert_eq!(less.lost_scopes.as_deref(), Some("api id"));
        let still = less.renewed(None, None, None).renewed(None, None, Some(&scopes("api refresh_token")));
        assert_eq!((still.scopes.as_deref(), still.lost_scopes.as_deref()), (Some("api refresh_token"), Some("id")));
        let back = still.renewed(None, None, Some(&scopes("api refresh_token profile")));
        assert_eq!(back.lost_scopes, None, "another word for the same");
        assert_eq!(granted.renewed(None, None, Some(&scopes("full refresh_token"))).lost_scopes, None);
    }

    #[test]
    fn a_try_that_was_not_carried_out_does_not_count() {
        let doubt = TokenEntry { doubt: Some(0), ..TokenEntry::default() };
        let tried = doubt.leased(Lease::new("us", Duration::from_secs(1)));
        assert_eq!((tried.doubt, tried.released().doubt, tried.doubted().doubt), (Some(1), Some(0), Some(1)));
        let sure = TokenEntry::default().leased(Lease::new("us", Duration::from_secs(1)));
        assert_eq!((sure.doubt, sure.released().doubt, sure.doubted().doubt), (None, None, Some(0)));
    }
}
