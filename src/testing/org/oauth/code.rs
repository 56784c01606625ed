//! Authorization codes and the proof keys they are bound to.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use super::answer::{Form, Refusal};
use super::random;
use super::scope::Scopes;

/// Wire facts 1.2 [S/K].
const LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// What a code stands for.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) scopes: Scopes,
    pub(super) user: String,
    /// base64url of the SHA-256 of the verifier.
    pub(super) challenge: Option<String>,
}

#[derive(Debug)]
struct Code {
    grant: Grant,
    given: DateTime<Utc>,
    used: bool,
}

/// The codes handed out.
#[derive(Debug, Default)]
pub(crate) struct Codes(HashMap<String, Code>);

impl Codes {
    pub(super) fn give(&mut self, grant: Grant, now: DateTime<Utc>) -> String {
        // A seen one ended so, which shows whether a client decodes it once (wire facts 1.2).
        let code = format!("aPrx{}==", random(68));
        self.0.insert(code.clone(), Code { grant, given: now, used: false });
        code
    }

    pub(crate) fn given(&self) -> usize {
        self.0.len()
    }

    /// Takes the code of a token request of this app; each works once.
    pub(super) fn redeem(&mut self, client_id: &str, form: &Form, now: DateTime<Utc>) -> Result<Grant, Refusal> {
        // [K] The text.
        let code = form.get("code").ok_or_else(|| Refusal::request("missing required parameter: code"))?;
        let known = self.0.get_mut(code).filter(|code| code.grant.client_id == client_id);
        // [S] The text for a code nobody gave.
        let known = known.ok_or_else(|| Refusal::grant("invalid authorization code"))?;
        // Wire facts 1.9: late or used twice. What the first use gave lives on: nothing says it is revoked.
        if known.used || now - known.given > LIFETIME {
            return Err(Refusal::grant("expired authorization code"));
        }
        // [K] A refusal from here on uses the code up.
        known.used = true;
        let grant = known.grant.clone();
        match form.get("redirect_uri") {
            // [K] The text.
            None => return Err(Refusal::new("redirect_uri_missing", "redirect_uri not provided")),
            Some(uri) if uri != grant.redirect_uri => {
                return Err(Refusal::new("redirect_uri_mismatch", "redirect_uri must match configuration"));
            }
            Some(_) => {}
        }
        verify(grant.challenge.as_deref(), form.get("code_verifier"))?;
        Ok(grant)
    }
}

/// REST guide, web server flow: `invalid_request` when the verifier does not match, `invalid_grant` when it lacks.
fn verify(challenge: Option<&str>, verifier: Option<&str>) -> Result<(), Refusal> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        // [K] The text.
        (Some(_), None) => Err(Refusal::grant("missing required code verifier")),
        // [S] forcedotcom/sfdx-core#166 for the text; [K] the error.
        (None, Some(_)) => Err(Refusal::grant("unexpected code verifier")),
        (Some(challenge), Some(verifier)) => {
            let fits = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge;
            // [S] The text.
            if fits && is_verifier(verifier) { Ok(()) } else { Err(Refusal::request("invalid code verifier")) }
        }
    }
}

/// RFC 7636, 4.1: 43 to 128 unreserved characters.
fn is_verifier(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7636_verifies() {
        let (verifier, challenge) =
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert_eq!(verify(Some(challenge), Some(verifier)), Ok(()));
        let error = |result: Result<(), Refusal>| result.unwrap_err().error;
        assert_eq!(error(verify(Some(challenge), Some(challenge))), "invalid_request");
        assert_eq!(error(verify(Some(verifier), Some(verifier))), "invalid_request", "no plain challenge");
        assert_eq!(error(verify(Some(challenge), None)), "invalid_grant");
        assert_eq!(error(verify(None, Some(verifier))), "invalid_grant");
        let short = URL_SAFE_NO_PAD.encode(Sha256::digest("short"));
        assert_eq!(error(verify(Some(&short), Some("short"))), "invalid_request", "too short");
    }
}
