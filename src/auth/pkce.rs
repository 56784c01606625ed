//! What nobody may guess: the state of a login, and the proof key of its code (RFC 7636).
//!
//! The crate `oauth2` has both, but keeps the verifier in memory that it does not wipe and brings an older generation of random
//! numbers and hashes; this is what remains to be done by hand.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};
use crate::types::Secret;

/// 256 random bits in 43 characters of base64url: what RFC 7636, 4.1 recommends for a verifier, and enough for a state.
pub(super) fn random_secret() -> Result<Secret> {
    let mut bytes = Zeroizing::new([0; 32]);
    fill(bytes.as_mut_slice())?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

pub(super) fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| {
        Error::new(ErrorKind::Unexpected, "random", "the system has no random bytes").with_source(error)
    })
}

/// A name that no other process gives: 128 random bits. It may be read by anybody.
pub(crate) fn random_name() -> Result<String> {
    let mut bytes = [0; 16];
    fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The challenge of a verifier by the method `S256`.
pub(super) fn challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose()))
}

/// A name in the store for parts of which none may be read there. Each part is told apart from the next.
pub(crate) fn name_of(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dem_1_the_example_of_rfc_7636_has_its_challenge() {
        let verifier = Secret::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn each_secret_is_new_and_has_the_form_of_a_verifier() {
        let (one, two) = (random_secret().expect("random"), random_secret().expect("random"));
        assert_ne!(one, two);
        for secret in [one, two] {
            assert_eq!(secret.expose().len(), 43);
            assert!(secret.expose().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        }
    }

    #[test]
    fn names_tell_parts_apart_and_show_none() {
        assert_ne!(name_of(&["a", "bc"]), name_of(&["ab", "c"]));
        assert_ne!(name_of(&["a"]), name_of(&["a", ""]));
        assert!(!name_of(&["ada@example.com"]).contains("ada"));
    }
}
