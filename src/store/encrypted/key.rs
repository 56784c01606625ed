//! Keys, and rings of them.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};
use crate::store::failed;
use crate::types::Secret;

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// The longest id of a key.
const MAX_ID_BYTES: usize = 64;

pub(super) const CHECK_BYTES: usize = 8;
pub(super) const NAME_TAG_BYTES: usize = 16;

type Derived = Zeroizing<[u8; KEY_BYTES]>;

/// 32 random bytes with an id, which stands in the clear in each value, so that the right key is found when it is read.
///
/// No use is made of the bytes themselves, only of keys derived from them, one per purpose: HKDF-Expand of RFC 5869 with
/// SHA-256. They are wiped from memory on drop, and `Debug` shows the id only.
#[derive(Clone)]
pub struct EncryptionKey {
    id: String,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    pub(super) gcm: Derived,
    pub(super) cbc: Derived,
    pub(super) mac: Derived,
    name: Derived,
    check: [u8; CHECK_BYTES],
}

impl EncryptionKey {
    /// A key of 32 bytes that a random generator made; a password is not one.
    ///
    /// The id is the caller's, such as `2026-11` or the name of a secret: 1 to 64 ASCII letters, digits, `.`, `_`, `-`. A new
    /// key needs a new id.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for another id, or bytes that are not 32 or are all the same.
    pub fn from_bytes(id: impl Into<String>, bytes: &[u8]) -> Result<Self> {
        let id = id.into();
        if !Self::is_id(&id) {
            return Err(refused("not the id of a key")
                .with_advice("use 1 to 64 ASCII letters, digits, dots, underscores and hyphens"));
        }
        let Ok(bytes) = <[u8; KEY_BYTES]>::try_from(bytes).map(Zeroizing::new) else {
            return Err(refused("a key has the wrong length")
                .with_context("key id", &id)
                .with_context("bytes", bytes.len())
                .with_advice("a key is 32 random bytes: openssl rand -base64 32"));
        };
        if bytes.iter().all(|byte| *byte == bytes[0]) {
            return Err(refused("a key is no random bytes")
                .with_context("key id", &id)
                .with_advice("make one: openssl rand -base64 32"));
        }
        let derive = |purpose: &str| Zeroizing::new(hmac(&bytes[..], &[purpose.as_bytes(), &[1]]));
        let (gcm, cbc, mac, name) = (
            derive("sforce store v1 aes-256-gcm"),
            derive("sforce store v1 aes-256-cbc"),
            derive("sforce store v1 hmac-sha-256"),
            derive("sforce store v1 name"),
        );
        let mut check = [0; CHECK_BYTES];
        check.copy_from_slice(&derive("sforce store v1 check")[..CHECK_BYTES]);
        Ok(Self { id, bytes, gcm, cbc, mac, name, check })
    }

    /// A key in base64, as secrets come in environment variables; space around it is ignored.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Self::from_bytes), and for text that is not base64. No error quotes the text.
    pub fn from_base64(id: impl Into<String>, text: &str) -> Result<Self> {
        let (id, text) = (id.into(), text.trim());
        // Longer text is no key either; the buffer stays small.
        let mut buffer = Zeroizing::new([0; KEY_BYTES * 2]);
        match STANDARD.decode_slice(text, &mut buffer[..]) {
            Ok(length) => Self::from_bytes(id, &buffer[..length]),
            Err(_) => Err(refused("a key is not 32 bytes in base64")
                .with_context("key id", &id)
                .with_advice("make one: openssl rand -base64 32")),
        }
    }

    /// A new key from the operating system's random generator. [`to_base64`](Self::to_base64) is what to keep of it.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Self::from_bytes), and if the system has no random bytes.
    pub fn generate(id: impl Into<String>) -> Result<Self> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        fill(&mut bytes[..])?;
        Self::from_bytes(id, &bytes[..])
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key in base64, to be kept in a safe place: whoever has it reads all.
    #[must_use]
    pub fn to_base64(&self) -> Secret {
        Secret::new(STANDARD.encode(&self.bytes[..]))
    }

    pub(super) fn is_id(text: &str) -> bool {
        let fits = |letter: u8| letter.is_ascii_alphanumeric() || b"._-".contains(&letter);
        (1..=MAX_ID_BYTES).contains(&text.len()) && text.bytes().all(fits)
    }

    /// Tells keys of one id apart. It reveals nothing of the key.
    pub(super) fn check(&self) -> &[u8; CHECK_BYTES] {
        &self.check
    }

    /// Ties a value to its name in the store.
    pub(super) fn name_tag(&self, name: &str) -> [u8; NAME_TAG_BYTES] {
        let mut tag = [0; NAME_TAG_BYTES];
        tag.copy_from_slice(&hmac(&self.name[..], &[name.as_bytes()])[..NAME_TAG_BYTES]);
        tag
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptionKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The keys that a process knows: one to write with, and any number that values may have been written with.
///
/// To change the key while processes run, none of which may meet a key it does not know: first every process gets the new one
/// by [`with_reader`](Self::with_reader); then every process gets it as the primary, with the old one as a reader; then
/// [`EncryptedStore::reencrypt`](super::EncryptedStore::reencrypt) runs once; then the old one can go.
#[derive(Clone, Debug)]
pub struct Keyring {
    // The primary comes first.
    keys: Vec<EncryptionKey>,
}

impl Keyring {
    /// A ring whose primary key, the one to write with, is this.
    #[must_use]
    pub fn new(primary: EncryptionKey) -> Self {
        Self { keys: vec![primary] }
    }

    /// Adds a key to read with.
    #[must_use]
    pub fn with_reader(mut self, key: EncryptionKey) -> Self {
        self.keys.push(key);
        self
    }

    /// The key to write with.
    #[must_use]
    pub fn primary(&self) -> &EncryptionKey {
        &self.keys[0]
    }

    /// The key with this id and check. Or why there is none: another key has this id, or no key has.
    pub(super) fn find(&self, id: &[u8], check: &[u8]) -> Result<&EncryptionKey, NoKey> {
        let mut named = self.keys.iter().filter(|key| key.id.as_bytes() == id).peekable();
        if named.peek().is_none() {
            return Err(NoKey::Missing);
        }
        named.find(|key| key.check == check).ok_or(NoKey::Other)
    }
}

pub(super) enum NoKey {
    Missing,
    Other,
}

/// HMAC-SHA-256 of the parts, one after the other.
pub(super) fn mac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    // HMAC takes keys of every length; the type asks all the same.
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104)")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    for part in parts {
        mac.update(part);
    }
    mac
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; KEY_BYTES] {
    mac(key, parts).finalize().into_bytes().into()
}

/// Random bytes of the operating system.
pub(super) fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| failed("store.random", "the system has no random bytes").with_source(error))
}

fn refused(message: &'static str) -> Error {
    Error::new(ErrorKind::Config, "store.key", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_shows_its_id_only() {
        let key = EncryptionKey::generate("2026-11").expect("random");
        let text = key.to_base64();
        assert_eq!(format!("{key:?}"), r#"EncryptionKey { id: "2026-11", .. }"#);
        let ring = Keyring::new(key.clone());
        assert_eq!(format!("{ring:?}"), r#"Keyring { keys: [EncryptionKey { id: "2026-11", .. }] }"#);
        let again = EncryptionKey::from_base64("2026-11", &format!(" {}\n", text.expose())).expect("the same");
        assert_eq!((again.check(), &again.gcm), (key.check(), &key.gcm));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_quoted() {
        let long = "A".repeat(10_000);
        let cases = [
            ("", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "not the id"),
            ("a key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "not the id"),
            ("k", "aHVudGVyMg==", "wrong length (key id k, bytes 7)"),
            ("k", "hunter2", "not 32 bytes in base64"),
            ("k", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "no random bytes"),
            ("k", &long, "not 32 bytes in base64"),
            ("k", "", "wrong length (key id k, bytes 0)"),
        ];
        for (id, text, message) in cases {
            let error = EncryptionKey::from_base64(id, text).expect_err(message);
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(message), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn keys_for_each_purpose_differ_and_are_those_of_rfc_5869() {
        let bytes: Vec<u8> = (0..32).collect();
        let key = EncryptionKey::from_bytes("k", &bytes).expect("32 bytes");
        let all = [&key.gcm, &key.cbc, &key.mac, &key.name];
        assert!(all.iter().enumerate().all(|(index, one)| !all[..index].contains(one)));
        // printf 'sforce store v1 aes-256-gcm\x01' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f
        let expected = [
            0x27, 0xba, 0x20, 0xc8, 0x67, 0x67, 0x5e, 0x8c, 0xfd, 0x16, 0xc8, 0x78, 0xba, 0x54, 0x5d, 0x80, 0x2c, 0x7b,
            0xa5, 0x61, 0x90, 0xf6, 0x5f, 0x53, 0xef, 0x11, 0x38, 0x13, 0x6d, 0x19, 0x49, 0x9a,
        ];
        assert_eq!(*key.gcm, expected);
    }
}
