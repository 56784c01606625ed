use super::*;
use crate::error::{Error, ErrorKind, Retry};
use crate::store::{MAX_KEY_BYTES, MAX_VALUE_BYTES, MemoryStore};

const SCHEMES: [Scheme; 2] = [Scheme::Aes256Gcm, Scheme::Aes256CbcHmacSha256];
const SECRET: &[u8] = b"00D5g!refresh-token-hunter2";

fn name(text: &str) -> Key {
    Key::new(text).expect("short")
}

fn key(id: &str, first: u8) -> EncryptionKey {
    let bytes: Vec<u8> = (first..first + 32).collect();
    EncryptionKey::from_bytes(id, &bytes).expect("32 bytes")
}

fn ring(id: &str, first: u8) -> Keyring {
    Keyring::new(key(id, first))
}

/// The error, after a look that it leaks nothing.
fn refused(keys: &Keyring, name: &Key, bytes: &[u8]) -> Error {
    let error = envelope::open(keys, name, bytes).expect_err("not readable");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Store, Retry::Never));
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("hunter2") && std::error::Error::source(&error).is_none(), "{shown}");
    error
}

#[test]
fn every_length_comes_back_and_nothing_of_it_is_seen() {
    let keys = ring("k", 0);
    for scheme in SCHEMES {
        for length in (0..70).chain([4095, 4096, MAX_VALUE_BYTES]) {
            let value: Vec<u8> = SECRET.iter().copied().cycle().take(length).collect();
            let sealed = envelope::seal(&keys, scheme, &name("a"), &value).expect("sealed");
            assert_eq!(envelope::open(&keys, &name("a"), &sealed).expect("ours"), value);
            assert!(!sealed.windows(7).any(|part| part == b"hunter2"));
        }
    }
}

#[test]
fn the_room_is_enough_for_the_longest_envelope() {
    let keys = ring(&"i".repeat(64), 0);
    let longest = name(&"n".repeat(MAX_KEY_BYTES));
    for scheme in SCHEMES {
        for value in [&[0; 15][..], &[0; 16]] {
            let sealed = envelope::seal(&keys, scheme, &longest, value).expect("sealed");
            assert!(sealed.len() <= value.len() + envelope::ROOM, "{} bytes", sealed.len());
        }
    }
}

#[test]
fn the_same_value_is_never_written_the_same_way() {
    let keys = ring("k", 0);
    for scheme in SCHEMES {
        let once = envelope::seal(&keys, scheme, &name("a"), SECRET).expect("sealed");
        let again = envelope::seal(&keys, scheme, &name("a"), SECRET).expect("sealed");
        let nonce = 3 + 1 + 1 + 1 + 1 + 8 + 16;
        assert_eq!(once[..nonce], again[..nonce], "the header holds nothing random");
        assert_ne!(once[nonce..nonce + 12], again[nonce..nonce + 12], "the nonce");
        assert_ne!(once[nonce + 16..], again[nonce + 16..]);
    }
}

#[test]
fn a_bit_changed_anywhere_is_an_error() {
    let keys = ring("k", 0).with_reader(key("j", 100));
    for scheme in SCHEMES {
        let sealed = envelope::seal(&keys, scheme, &name("a"), SECRET).expect("sealed");
        for place in 0..sealed.len() {
            for bit in 0..8 {
                let mut changed = sealed.to_vec();
                changed[place] ^= 1 << bit;
                let error = refused(&keys, &name("a"), &changed);
                let expected = match place {
                    0..3 => "not encrypted by us",
                    3 => "another format than this version knows",
                    // One scheme differs from the other by two bits.
                    4 => "a scheme that this version does not know",
                    // The length of the id, and the id; a bit makes of k the j that is there, with another check.
                    5 | 6 if error.to_string().contains("cut off") => "cut off",
                    5 | 6 if error.to_string().contains("another key of the same id") => "key id j",
                    5 | 6 => "the key that a value is encrypted with is missing",
                    7..15 => "another key of the same id",
                    15..31 => "was not written for this key of the store",
                    _ => "changed or damaged after it was written",
                };
                assert!(error.to_string().contains(expected), "bit {bit} of byte {place}: {error}");
            }
        }
    }
}

#[test]
fn a_value_cut_off_or_drawn_out_anywhere_is_an_error() {
    let keys = ring("k", 0);
    for scheme in SCHEMES {
        let sealed = envelope::seal(&keys, scheme, &name("a"), SECRET).expect("sealed");
        for length in 0..sealed.len() {
            refused(&keys, &name("a"), &sealed[..length]);
        }
        refused(&keys, &name("a"), &[&sealed[..], b"\0"].concat());
        refused(&keys, &name("a"), &[&sealed[..], &[16; 16]].concat());
    }
}

#[test]
fn one_scheme_does_not_pass_as_the_other() {
    let keys = ring("k", 0);
    for scheme in SCHEMES {
        let mut sealed = envelope::seal(&keys, scheme, &name("a"), SECRET).expect("sealed").to_vec();
        sealed[4] ^= 3;
        let error = refused(&keys, &name("a"), &sealed);
        assert!(error.to_string().contains("changed or damaged"), "{error}");
    }
}

#[test]
fn each_thing_that_is_wrong_has_its_own_words() {
    let keys = ring("2026-11", 0);
    for scheme in SCHEMES {
        let sealed = envelope::seal(&keys, scheme, &name("token/1"), SECRET).expect("sealed");
        let missing = refused(&ring("2026-12", 0), &name("token/1"), &sealed);
        assert_eq!(
            missing.to_string(),
            "store.decrypt: storage failed: the key that a value is encrypted with is missing \
             (key token/1, key id 2026-11); add the key of this id to the keyring as a reader"
        );
        let wrong = refused(&ring("2026-11", 1), &name("token/1"), &sealed);
        assert!(wrong.to_string().contains("another key of the same id (key token/1, key id 2026-11)"), "{wrong}");
        let moved = refused(&keys, &name("token/2"), &sealed);
        assert!(
            moved.to_string().contains("not written for this key of the store (key token/2, key id 2026-11)"),
            "{moved}"
        );
        let plain = refused(&keys, &name("token/1"), SECRET);
        assert!(plain.to_string().contains("not encrypted by us (key token/1)"), "{plain}");
        let newer = refused(&keys, &name("token/1"), b"SFE\x02whatever");
        assert!(newer.to_string().contains("(key token/1, format 2, known 1); upgrade"), "{newer}");
    }
}

#[test]
fn what_stands_in_place_of_an_id_is_not_shown() {
    let error = refused(&ring("k", 0), &name("a"), b"SFE\x01\x01\x07hunter 123456781234567812345678");
    assert!(error.to_string().contains("key id unreadable"), "{error}");
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|two| u8::from_str_radix(&two.iter().collect::<String>(), 16).expect("hex")).collect()
}

/// A second opinion: openssl's command line and Python's `hmac` made this of the description above `envelope`.
#[test]
fn an_envelope_that_other_tools_made_is_read() {
    let sealed = unhex(include_str!("../../../tests/fixtures/store/envelope-v1-cbc-openssl.hex"));
    let value = envelope::open(&ring("fixture", 0), &name("token/acme/1"), &sealed).expect("by the description");
    assert_eq!(value, "made by openssl");
}

#[test]
fn envelopes_of_format_1_are_read_for_ever() {
    let fixtures = [
        ("gcm", include_str!("../../../tests/fixtures/store/envelope-v1-gcm.hex")),
        ("cbc", include_str!("../../../tests/fixtures/store/envelope-v1-cbc.hex")),
    ];
    for (which, fixture) in fixtures {
        let value = envelope::open(&ring("fixture", 0), &name("token/acme/1"), &unhex(fixture)).expect(which);
        assert_eq!(value, r#"{"format":1,"body":"a stored value"}"#, "{which}");
    }
}

async fn put(store: &impl Store, key: &str, value: &'static str) {
    let commit = store.commit(Batch::new().put(name(key), value, Expect::Any)).await.expect("stored");
    assert!(commit.is_applied());
}

#[tokio::test]
async fn the_key_changes_while_all_runs() {
    let inner = MemoryStore::default();
    let (old, new) = (key("old", 0), key("new", 50));
    let before = EncryptedStore::new(inner.clone(), Keyring::new(old.clone()));
    let prepared = EncryptedStore::new(inner.clone(), Keyring::new(old.clone()).with_reader(new.clone()));
    let changed = EncryptedStore::new(inner.clone(), Keyring::new(new.clone()).with_reader(old));
    let after = EncryptedStore::new(inner.clone(), Keyring::new(new));
    for number in 0..200 {
        put(&before, &format!("token/{number:03}"), "value").await;
    }
    put(&before, "other", "value").await;
    put(&changed, "token/005", "newer").await;
    assert_eq!(prepared.scan("", None, 999).await.expect("reads both").len(), 201);

    let done = changed.reencrypt("token/").await.expect("runs");
    assert_eq!((done.seen, done.rewritten, done.changed_meanwhile, done.unreadable), (200, 199, 0, 0));
    assert!(!done.is_complete());
    let entries = after.scan("token/", None, 999).await.expect("reads all with the new key alone");
    assert_eq!(entries.iter().filter(|entry| entry.value == "value").count(), 199);
    assert!(after.get(&[name("other")]).await.is_err(), "beside the prefix nothing was done");
    assert!(changed.reencrypt("token/").await.expect("runs").is_complete());
}

#[tokio::test]
async fn a_scheme_changes_the_same_way() {
    let inner = MemoryStore::default();
    let gcm = EncryptedStore::new(inner.clone(), ring("k", 0));
    let cbc = gcm.clone().with_scheme(Scheme::Aes256CbcHmacSha256);
    put(&gcm, "a", "1").await;
    put(&cbc, "b", "2").await;
    for store in [&gcm, &cbc] {
        let values: Vec<_> =
            store.scan("", None, 9).await.expect("both").into_iter().map(|entry| entry.value).collect();
        assert_eq!(values, ["1", "2"]);
    }
    assert_eq!(cbc.reencrypt("").await.expect("runs").rewritten, 1);
    assert!(cbc.reencrypt("").await.expect("runs").is_complete());
    assert_eq!(gcm.scan("", None, 9).await.expect("still both").len(), 2);
}

#[tokio::test]
async fn what_cannot_be_read_is_counted_named_and_left() {
    let inner = MemoryStore::default();
    put(&inner, "a", "plain").await;
    put(&EncryptedStore::new(inner.clone(), ring("lost", 9)), "b", "1").await;
    put(&EncryptedStore::new(inner.clone(), ring("old", 0)), "c", "1").await;
    let before = inner.scan("", None, 2).await.expect("two");
    let store = EncryptedStore::new(inner.clone(), ring("new", 50).with_reader(key("old", 0)));
    let done = store.reencrypt("").await.expect("runs");
    assert_eq!((done.seen, done.rewritten, done.unreadable), (3, 1, 2));
    assert_eq!(done.unreadable_keys, [name("a"), name("b")]);
    assert_eq!(inner.scan("", None, 2).await.expect("two"), before);
}

/// Changes an entry just before each commit, as a busy writer would.
#[derive(Debug)]
struct Busy {
    inner: MemoryStore,
    writer: EncryptedStore<MemoryStore>,
    left: std::sync::Mutex<Vec<&'static str>>,
}

#[async_trait]
impl Store for Busy {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>> {
        self.inner.get(keys).await
    }

    async fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Entry>> {
        self.inner.scan(prefix, after, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<Commit> {
        let next = self.left.lock().expect("unpoisoned").pop();
        if let Some(next) = next {
            put(&self.writer, next, "by the writer").await;
        }
        self.inner.commit(batch).await
    }
}

#[tokio::test]
async fn a_writer_beside_a_reencryption_loses_nothing() {
    let inner = MemoryStore::default();
    let old = EncryptedStore::new(inner.clone(), ring("old", 0));
    for entry in ["a", "b", "c", "d"] {
        put(&old, entry, "before").await;
    }
    let both = ring("new", 50).with_reader(key("old", 0));
    // One writer knows the new key as primary already, as it does after the second step.
    let writer = EncryptedStore::new(inner.clone(), both.clone());
    let busy = Busy { inner: inner.clone(), writer: writer.clone(), left: vec!["d", "b"].into() };
    let done = EncryptedStore::new(busy, both).reencrypt("").await.expect("runs");
    assert_eq!((done.seen, done.rewritten, done.changed_meanwhile), (4, 2, 2));
    let values: Vec<_> = writer.scan("", None, 9).await.expect("all").into_iter().map(|entry| entry.value).collect();
    assert_eq!(values, ["before", "by the writer", "before", "by the writer"]);
    assert!(writer.reencrypt("").await.expect("runs").is_complete());
}

#[tokio::test]
async fn versions_are_those_of_the_store_below() {
    let store = EncryptedStore::new(MemoryStore::default(), ring("k", 0));
    let put = store.commit(Batch::new().put(name("a"), "1", Expect::Absent)).await.expect("stored");
    let version = put.version(0).expect("a put");
    let entry = store.get(&[name("a")]).await.expect("read").remove(0).expect("there");
    assert_eq!((entry.version, &entry.value[..]), (version, &b"1"[..]));
    let lost = store.commit(Batch::new().put(name("a"), "2", Expect::Absent)).await.expect("answered");
    assert_eq!(lost, Commit::Conflict { operation: 0 });
}
