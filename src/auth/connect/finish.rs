//! The second half of the dance: claim the callback, redeem the code, check what it brought.

use bytes::Bytes;

use super::attempt::{ATTEMPTS, Attempt, CURRENT, attempt_key, attempt_name, current_key, owner_name};
use super::callback::{Outcome, parse};
use super::{ConnectError, ConnectFlow, Connected};
use crate::auth::host::environment_of;
use crate::auth::pkce::random_secret;
use crate::auth::refresh_token::Leftovers;
use crate::auth::refusal::without_secrets;
use crate::auth::token_request::{Granted, TokenFailure, post_within};
use crate::auth::{AccessToken, LoginHost, Scopes, revoke, wipe};
use crate::error::{Effect, Error, ErrorKind, Retry};
use crate::store::{Batch, Commit, Entry, Expect, Key, Version};
use crate::types::{RecordId, Secret};

/// How often a claim that met another writer looks again. Each time somebody else has come further.
const MAX_CLAIMS: u32 = 5;

/// A callback that is ours to finish.
struct Claimed {
    key: Key,
    attempt: Attempt,
    verifier: Secret,
    /// Of the entry that says so.
    version: Version,
}

/// The attempt in the bytes of an entry, which are wiped: the verifier stands in them.
fn read(bytes: Bytes) -> Result<Attempt, ConnectError> {
    let attempt = ATTEMPTS.decode(&bytes).map_err(ConnectError::store);
    wipe(bytes);
    attempt
}

impl ConnectFlow {
    /// Takes the query of the callback (what stands after the question mark) and answers with the org's tokens.
    ///
    /// `tenant` is whose session the browser is in, and never taken from the callback. The query is read with care: it comes from
    /// the network.
    ///
    /// # Errors
    ///
    /// A [`ConnectError`] for each thing that can go wrong. Unless it [is repeatable](ConnectError::is_repeatable), the attempt is
    /// over.
    pub async fn finish(&self, tenant: &str, query: &str) -> Result<Connected, ConnectError> {
        let callback = parse(query)?;
        let claimed = self.claim(tenant, &callback.state).await?;
        let code = match callback.outcome {
            Outcome::Code(code) => code,
            Outcome::Refused(refusal) => {
                return Err(ConnectError::callback(&without_secrets(refusal, &[callback.state.expose()])));
            }
        };
        let login = claimed.attempt.login(self.0.loopback).map_err(ConnectError::store)?;
        let granted = match self.redeem(&login, &code, &claimed.verifier).await {
            Ok(granted) => granted,
            Err(error) if error.is_repeatable() => return Err(self.release(claimed, error).await),
            Err(error) => return Err(error),
        };
        let tokens = [granted.refresh.clone(), Some(granted.access.secret().clone())];
        match connected(&claimed.attempt, &login, granted) {
            Ok(connected) => Ok(connected),
            Err(error) => {
                self.revoke_all(&login, tokens).await;
                Err(error)
            }
        }
    }

    /// Revokes tokens that nobody will use. What cannot be revoked now ends with the org's policy.
    async fn revoke_all(&self, login: &LoginHost, tokens: [Option<Secret>; 2]) {
        for token in tokens.iter().flatten().filter(|token| !token.expose().is_empty()) {
            let _ = revoke(self.0.http.as_ref(), login, token).await;
        }
    }

    /// Claims the callback: of all calls of `finish` with this state, in all processes, one goes on from here.
    async fn claim(&self, tenant: &str, state: &Secret) -> Result<Claimed, ConnectError> {
        let name = attempt_name(state);
        let key = attempt_key(&name).map_err(ConnectError::store)?;
        // Tells our claim from another's, where the answer of the store is lost.
        let claim = random_secret().map_err(ConnectError::Config)?.expose().to_owned();
        for _ in 0..MAX_CLAIMS {
            let entry = self.get(&key).await?.ok_or(ConnectError::StateMismatch)?;
            let mut attempt = read(entry.value)?;
            if attempt.owner != owner_name(&self.0.client_id, tenant, &attempt.connection) {
                return Err(ConnectError::StateMismatch);
            }
            let current_key = current_key(&attempt.owner).map_err(ConnectError::store)?;
            let current_entry = self.get(&current_key).await?;
            let current = current_entry.as_ref().map(|entry| CURRENT.decode(&entry.value)).transpose();
            let current = current.map_err(ConnectError::store)?;
            attempt.check(&name, current.as_ref(), self.0.clock.now(), self.0.limit)?;
            // The check has seen both.
            let (Some(current_entry), Some(verifier)) = (current_entry, attempt.verifier.take()) else {
                return Err(ConnectError::StaleTab);
            };
            attempt.claim = Some(claim.clone());
            let value = ATTEMPTS.encode(&attempt).map_err(ConnectError::store)?;
            let batch = Batch::new().put(key.clone(), value, Expect::Version(entry.version));
            // Written as it is: if a newer attempt was begun meanwhile, nothing is claimed.
            let batch = batch.put(current_key, current_entry.value, Expect::Version(current_entry.version));
            match self.0.store.commit(batch).await {
                Ok(commit @ Commit::Applied(_)) => {
                    let version = commit.version(0).unwrap_or(entry.version);
                    return Ok(Claimed { key, attempt, verifier, version });
                }
                Ok(Commit::Conflict { .. }) => {}
                Err(error) if error.effect() == Effect::Unknown => {
                    let Some(now) = self.get(&key).await? else { return Err(ConnectError::Store(error)) };
                    if read(now.value)?.claim.as_ref() == Some(&claim) {
                        return Ok(Claimed { key, attempt, verifier, version: now.version });
                    }
                }
                Err(error) => return Err(ConnectError::Store(error)),
            }
        }
        let error = Error::new(ErrorKind::Store, "connect", "the attempt changes faster than it can be read");
        Err(ConnectError::Store(error.with_retry(Retry::After(None))))
    }

    async fn get(&self, key: &Key) -> Result<Option<Entry>, ConnectError> {
        let mut entries = self.0.store.get(std::slice::from_ref(key)).await.map_err(ConnectError::store)?;
        Ok(entries.pop().flatten())
    }

    /// Gives a claim back whose code surely was not redeemed, so that the callback works again. If that fails, it does not.
    async fn release(&self, claimed: Claimed, error: ConnectError) -> ConnectError {
        let mut attempt = claimed.attempt;
        (attempt.verifier, attempt.claim) = (Some(claimed.verifier), None);
        let released = match ATTEMPTS.encode(&attempt) {
            Ok(value) => {
                let batch = Batch::new().put(claimed.key, value, Expect::Version(claimed.version));
                self.0.store.commit(batch).await.is_ok_and(|commit| commit.is_applied())
            }
            Err(_) => false,
        };
        match error {
            ConnectError::Unavailable { source, .. } => ConnectError::Unavailable { repeatable: released, source },
            other => other,
        }
    }

    async fn redeem(&self, login: &LoginHost, code: &Secret, verifier: &Secret) -> Result<Granted, ConnectError> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("client_id", self.0.client_id.as_str()),
            ("redirect_uri", self.0.redirect_uri.as_str()),
            ("code_verifier", verifier.expose()),
        ];
        form.extend(self.0.client_secret.as_ref().map(|secret| ("client_secret", secret.expose())));
        let answer = post_within(self.0.request, "token", self.0.http.as_ref(), login, &form, None).await;
        let answer = answer.map_err(ConnectError::no_answer)?;
        match answer.try_read(login) {
            Ok(granted) => Ok(granted),
            Err(failure) => {
                if !matches!(failure, TokenFailure::Refused { .. }) {
                    // Tokens of an answer that is not taken.
                    let Leftovers { access_token, refresh_token, .. } = Leftovers::of(&answer.body);
                    self.revoke_all(login, [refresh_token, access_token]).await;
                }
                Err(ConnectError::exchange(failure, answer.status))
            }
        }
    }
}

/// Checks what was granted. Pure.
fn connected(attempt: &Attempt, login: &LoginHost, granted: Granted) -> Result<Connected, ConnectError> {
    let asked = attempt.scopes().map_err(ConnectError::store)?;
    let (org_id, user_id) = identity(&granted.access)?;
    if let Some(expected) = attempt.org.filter(|expected| *expected != org_id) {
        return Err(ConnectError::WrongOrg { expected, found: org_id });
    }
    // The identity URL names the log-in host of the environment; else the instance tells.
    let host = |url: &url::Url| url.host_str().and_then(environment_of);
    let environment = granted.access.identity_url().and_then(host).or_else(|| host(granted.access.instance_url()));
    if let (Some(asked), Some(found)) = (login.environment(), environment)
        && asked != found
    {
        return Err(ConnectError::WrongEnvironment { asked, found });
    }
    let missing = granted.scopes.as_ref().and_then(|scopes| scopes.missing(&asked));
    // What lacks shows even where the scopes are not told.
    let no_refresh = (asked.ask_refresh_token() && granted.refresh.is_none()).then(Scopes::refresh_token);
    if let Some(missing) = missing.or(no_refresh) {
        return Err(ConnectError::MissingScope { missing });
    }
    Ok(Connected {
        connection: attempt.connection.clone(),
        login: login.clone(),
        access: granted.access,
        refresh: granted.refresh,
        scopes: granted.scopes,
        org_id,
        user_id,
        environment,
    })
}

/// The org and the user: by the identity URL, `…/id/<org>/<user>`; the org also by the token (protocol facts, web server flow).
fn identity(access: &AccessToken) -> Result<(RecordId, Option<RecordId>), ConnectError> {
    let (org, token) = access.orgs();
    let user = org.and_then(|_| access.user_id());
    let bad = |message| ConnectError::BadAnswer(Error::new(ErrorKind::Decode, "connect", message));
    match (org, token) {
        (Some(org), Some(token)) if org != token => Err(bad("the answer names two orgs")),
        (Some(org), _) | (None, Some(org)) => Ok((org, user)),
        (None, None) => Err(bad("the answer does not tell which org it is")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    const ORG: &str = "00D5g00000ABCDE";

    fn token(secret: &str, instance: &str, id: Option<&str>) -> AccessToken {
        let url = |text| url::Url::parse(text).expect(text);
        AccessToken::checked(Secret::from(secret), url(instance), id.map(url)).expect("a token")
    }

    fn check(login: &LoginHost, org: Option<&str>, granted: Granted) -> Result<Connected, ConnectError> {
        let mut attempt = Attempt::begin("o".into(), "default", login, &Scopes::default(), SystemTime::UNIX_EPOCH);
        attempt.org = org.map(|org| RecordId::new(org).expect("an id"));
        connected(&attempt, login, granted)
    }

    fn granted(host: &str, instance: &str, scopes: &str) -> Granted {
        let id = format!("https://{host}/id/{ORG}/0055g00000ABCDE");
        let access = token(&format!("{ORG}!AQ"), instance, Some(&id));
        let refresh = scopes.contains("refresh").then(|| Secret::from("r"));
        Granted { access, refresh, scopes: Scopes::granted(scopes), unsure: false }
    }

    const PRODUCTION: &str = "https://acme.my.salesforce.com";
    const SANDBOX: &str = "https://acme--uat.sandbox.my.salesforce.com";

    #[test]
    fn smv_46_an_org_of_the_other_environment_is_told() {
        let (login, test) = ("login.salesforce.com", "test.salesforce.com");
        let my_domain = |address| LoginHost::my_domain(address).expect("a My Domain");
        for (asked, host, instance, wrong) in [
            (LoginHost::production(), login, PRODUCTION, false),
            (LoginHost::production(), test, SANDBOX, true),
            (LoginHost::sandbox(), test, SANDBOX, false),
            (LoginHost::sandbox(), login, PRODUCTION, true),
            (my_domain(PRODUCTION), login, PRODUCTION, false),
            (my_domain(SANDBOX), test, SANDBOX, false),
            (my_domain(SANDBOX), login, PRODUCTION, true),
        ] {
            let result = check(&asked, None, granted(host, instance, "api refresh_token"));
            let told = matches!(result, Err(ConnectError::WrongEnvironment { .. }));
            assert_eq!(told, wrong, "{asked} {host} {result:?}");
        }
    }

    #[test]
    fn another_org_than_the_pinned_one_is_told() {
        let answer = || granted("login.salesforce.com", PRODUCTION, "api refresh_token");
        let connected = check(&LoginHost::production(), Some(ORG), answer()).expect("the pinned one");
        assert_eq!(connected.user_id, RecordId::new("0055g00000ABCDE").ok());
        let error = check(&LoginHost::production(), Some("00D5g00000ABCDF"), answer()).expect_err("another");
        assert!(matches!(error, ConnectError::WrongOrg { .. }), "{error:?}");
    }

    #[test]
    fn a_scope_that_was_not_granted_is_named() {
        let with = |scopes| check(&LoginHost::production(), None, granted("login.salesforce.com", PRODUCTION, scopes));
        for (scopes, missing) in [("api", "refresh_token"), ("refresh_token id", "api"), ("full", "refresh_token")] {
            let error = with(scopes).expect_err(scopes);
            assert!(matches!(&error, ConnectError::MissingScope { missing: found } if found.to_string() == missing));
        }
        with("full refresh_token").expect("all");
        let untold = Granted { scopes: None, ..granted("login.salesforce.com", PRODUCTION, "api refresh_token") };
        check(&LoginHost::production(), None, untold).expect("not told is not missing");
        let lacks = Granted { scopes: None, ..granted("login.salesforce.com", PRODUCTION, "api") };
        let error = check(&LoginHost::production(), None, lacks).expect_err("no refresh token");
        assert!(matches!(error, ConnectError::MissingScope { .. }), "{error:?}");
    }

    #[test]
    fn the_org_is_known_by_the_identity_url_or_by_the_token() {
        let org = |secret, id| identity(&token(secret, PRODUCTION, id)).map(|(org, _)| org.as_str()[..15].to_owned());
        let id = "https://login.salesforce.com/id/00D5g00000ABCDEEAK/0055g00000ABCDEIA2";
        let id = RecordId::new(ORG).map(|org| id.replace("00D5g00000ABCDEEAK", org.as_str())).expect("an id");
        assert_eq!(org("eyJhbGciOiJSUzI1NiJ9.x.y", Some(&id)).expect("by the URL"), ORG);
        assert_eq!(org("00D5g00000ABCDE!AQ", None).expect("by the token"), ORG);
        for (secret, id) in [("eyJ.x.y", None), ("00D5g00000ABCDF!AQ", Some(id.as_str())), ("x", Some(PRODUCTION))] {
            assert!(matches!(org(secret, id), Err(ConnectError::BadAnswer(_))), "{secret}");
        }
    }
}
