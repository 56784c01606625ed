//! The bytes of an encrypted value.
//!
//! ```text
//! "SFE" 1 scheme        magic, format, 1 = AES-256-GCM, 2 = AES-256-CBC with HMAC-SHA-256
//! n id[n]               the key's id
//! check[8]              tells keys of one id apart
//! name tag[16]          HMAC of the entry's name
//! nonce[12] or IV[16]   random
//! ciphertext            with GCM's tag[16] at its end, or followed by HMAC's tag[32]
//! ```
//!
//! Both schemes authenticate the header (all before the nonce) and the entry's name after it. The HMAC is taken of the length of
//! these two in 8 bytes, these two, IV and ciphertext, and is checked before anything is decrypted.

use aes::Aes256;
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use bytes::Bytes;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use hmac::Mac;
use zeroize::Zeroizing;

use super::key::{CHECK_BYTES, EncryptionKey, Keyring, NAME_TAG_BYTES, NoKey, fill, mac};
use crate::error::{Error, Result};
use crate::store::{Key, failed};

const MAGIC: &[u8] = b"SFE";
const FORMAT: u8 = 1;

const NONCE_BYTES: usize = 12;
const IV_BYTES: usize = 16;
const MAC_BYTES: usize = 32;

/// At least what an envelope adds to a value: 3 + 1 + 1 + 1 + 64 + 8 + 16, an IV of 16, padding of 16, a tag of 32.
pub(super) const ROOM: usize = 192;

/// How values are encrypted when they are written. Reading takes both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// AES-256-GCM with a random nonce of 96 bits: one key may write 2³² values, then it has to be changed (NIST SP 800-38D,
    /// 8.3). At 100 writes a second that is 16 months.
    #[default]
    Aes256Gcm,
    /// AES-256-CBC, then HMAC-SHA-256, with a key each, for teams whose documents promise CBC.
    Aes256CbcHmacSha256,
}

impl Scheme {
    fn number(self) -> u8 {
        match self {
            Self::Aes256Gcm => 1,
            Self::Aes256CbcHmacSha256 => 2,
        }
    }
}

/// An envelope taken apart. Nothing in it is believed yet.
struct Parts<'a> {
    scheme: Scheme,
    id: &'a [u8],
    check: &'a [u8],
    name_tag: &'a [u8],
    header: &'a [u8],
    /// From the nonce on.
    sealed: &'a [u8],
}

fn parse<'a>(bytes: &'a [u8], name: &Key) -> Result<Parts<'a>> {
    let damaged = |message| failed("store.decrypt", message).with_context("key", name);
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Err(damaged("a stored value is not encrypted by us")
            .with_advice("was it written without encryption, or by another program?"));
    };
    let cut_off = || damaged("an encrypted value is cut off").with_advice("restore it from a backup");
    let (format, rest) = rest.split_first().ok_or_else(cut_off)?;
    if *format != FORMAT {
        return Err(damaged("an encrypted value has another format than this version knows")
            .with_context("format", format)
            .with_context("known", FORMAT)
            .with_advice("upgrade this process; if nothing newer wrote it, it was changed"));
    }
    let (scheme, rest) = rest.split_first().ok_or_else(cut_off)?;
    let scheme = match scheme {
        1 => Scheme::Aes256Gcm,
        2 => Scheme::Aes256CbcHmacSha256,
        _ => {
            return Err(damaged("an encrypted value has a scheme that this version does not know")
                .with_context("scheme", scheme)
                .with_advice("upgrade this process; if nothing newer wrote it, it was changed"));
        }
    };
    let (length, rest) = rest.split_first().ok_or_else(cut_off)?;
    let (id, rest) = rest.split_at_checked(usize::from(*length)).ok_or_else(cut_off)?;
    let (check, rest) = rest.split_at_checked(CHECK_BYTES).ok_or_else(cut_off)?;
    let (name_tag, sealed) = rest.split_at_checked(NAME_TAG_BYTES).ok_or_else(cut_off)?;
    let header = &bytes[..bytes.len() - sealed.len()];
    Ok(Parts { scheme, id, check, name_tag, header, sealed })
}

/// Encrypts a value for its place in the store.
pub(super) fn seal(keys: &Keyring, scheme: Scheme, name: &Key, value: &[u8]) -> Result<Bytes> {
    let key = keys.primary();
    let mut out = Vec::with_capacity(value.len() + ROOM);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[FORMAT, scheme.number()]);
    // Ids have at most 64 bytes.
    out.push(u8::try_from(key.id().len()).unwrap_or(u8::MAX));
    out.extend_from_slice(key.id().as_bytes());
    out.extend_from_slice(key.check());
    out.extend_from_slice(&key.name_tag(name.as_str()));
    let bound = [&out, name.as_str().as_bytes()].concat();
    match scheme {
        Scheme::Aes256Gcm => {
            let mut nonce = [0; NONCE_BYTES];
            fill(&mut nonce)?;
            let sealed = gcm(key)
                .encrypt(&nonce.into(), Payload { msg: value, aad: &bound })
                // GCM's own limit is 64 GiB.
                .map_err(|_| failed("store.encrypt", "a value cannot be encrypted").with_context("key", name))?;
            out.extend_from_slice(&nonce);
            out.extend_from_slice(&sealed);
        }
        Scheme::Aes256CbcHmacSha256 => {
            let mut iv = [0; IV_BYTES];
            fill(&mut iv)?;
            let sealed =
                cbc::Encryptor::<Aes256>::new((&*key.cbc).into(), &iv.into()).encrypt_padded_vec::<Pkcs7>(value);
            let tag = cbc_mac(key, &bound, &iv, &sealed).finalize().into_bytes();
            out.extend_from_slice(&iv);
            out.extend_from_slice(&sealed);
            out.extend_from_slice(&tag);
        }
    }
    Ok(out.into())
}

/// Decrypts a value from this place in the store.
pub(super) fn open(keys: &Keyring, name: &Key, bytes: &[u8]) -> Result<Bytes> {
    let parts = parse(bytes, name)?;
    let key = keys.find(parts.id, parts.check).map_err(|why| no_key(&why, &parts, name))?;
    let bound = [parts.header, name.as_str().as_bytes()].concat();
    match decrypt(key, &parts, &bound) {
        // Wiped once nobody has it any more.
        Some(value) => Ok(Bytes::from_owner(Zeroizing::new(value))),
        None if parts.name_tag != key.name_tag(name.as_str()) => {
            Err(failed("store.decrypt", "an encrypted value was not written for this key of the store")
                .with_context("key", name)
                .with_context("key id", key.id())
                .with_advice("it was moved or changed; restore it from a backup"))
        }
        None => Err(failed("store.decrypt", "an encrypted value was changed or damaged after it was written")
            .with_context("key", name)
            .with_context("key id", key.id())
            .with_advice("restore it from a backup")),
    }
}

/// Whether a value was written with the primary key, by this scheme. It is not checked whether it can be read.
pub(super) fn is_current(keys: &Keyring, scheme: Scheme, name: &Key, bytes: &[u8]) -> bool {
    let primary = keys.primary();
    parse(bytes, name).is_ok_and(|parts| {
        parts.scheme == scheme && parts.id == primary.id().as_bytes() && parts.check == primary.check()
    })
}

fn gcm(key: &EncryptionKey) -> Aes256Gcm {
    Aes256Gcm::new((&*key.gcm).into())
}

fn cbc_mac(key: &EncryptionKey, bound: &[u8], iv: &[u8], sealed: &[u8]) -> hmac::Hmac<sha2::Sha256> {
    mac(&key.mac[..], &[&(bound.len() as u64).to_be_bytes(), bound, iv, sealed])
}

fn decrypt(key: &EncryptionKey, parts: &Parts<'_>, bound: &[u8]) -> Option<Vec<u8>> {
    match parts.scheme {
        Scheme::Aes256Gcm => {
            let (nonce, sealed) = parts.sealed.split_first_chunk::<NONCE_BYTES>()?;
            gcm(key).decrypt(nonce.into(), Payload { msg: sealed, aad: bound }).ok()
        }
        Scheme::Aes256CbcHmacSha256 => {
            let (iv, rest) = parts.sealed.split_first_chunk::<IV_BYTES>()?;
            let (sealed, tag) = rest.split_last_chunk::<MAC_BYTES>()?;
            // Compares in constant time. Only what we have written ourselves is decrypted, so padding tells nothing.
            cbc_mac(key, bound, iv, sealed).verify_slice(tag).ok()?;
            cbc::Decryptor::<Aes256>::new((&*key.cbc).into(), iv.into()).decrypt_padded_vec::<Pkcs7>(sealed).ok()
        }
    }
}

fn no_key(why: &NoKey, parts: &Parts<'_>, name: &Key) -> Error {
    // What stands in place of an id is shown only if it can be one.
    let id = std::str::from_utf8(parts.id).ok().filter(|id| EncryptionKey::is_id(id)).unwrap_or("unreadable");
    let (message, advice) = match why {
        NoKey::Missing => {
            ("the key that a value is encrypted with is missing", "add the key of this id to the keyring as a reader")
        }
        NoKey::Other => (
            "a value is encrypted with another key of the same id",
            "the keyring holds a wrong key under this id; add the right one, under the same id, as a reader",
        ),
    };
    failed("store.decrypt", message).with_context("key", name).with_context("key id", id).with_advice(advice)
}
