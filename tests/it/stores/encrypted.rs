//! The encrypted wrapper, over memory and redb. Over PostgreSQL: see there.

use sforce::store::{EncryptedStore, EncryptionKey, Keyring, MemoryStore, RedbStore, Scheme, Store};
use sforce::testing::conformance::{self, Subject};

use super::{Folder, put, read};

pub(crate) fn keyring() -> Keyring {
    let bytes: Vec<u8> = (0..32).collect();
    Keyring::new(EncryptionKey::from_bytes("test", &bytes).expect("32 bytes"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_encrypted_store_over_memory_keeps_the_contract() {
    let make = || async {
        let store = EncryptedStore::new(MemoryStore::default(), keyring());
        Subject::new(store.clone()).shared_with(store.with_scheme(Scheme::Aes256CbcHmacSha256))
    };
    conformance::store(make).await.expect("keeps the contract");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_encrypted_store_over_redb_keeps_the_contract() {
    let folder = Folder::new();
    let make = || async {
        let path = folder.file(&super::unique());
        let store = EncryptedStore::new(RedbStore::open(&path).await.expect("opens"), keyring());
        let reopen = async move || EncryptedStore::new(RedbStore::open(path).await.expect("opens again"), keyring());
        Subject::new(store).reopened_by(reopen)
    };
    conformance::store(make).await.expect("keeps the contract");
}

#[tokio::test]
async fn nothing_of_a_value_is_in_the_file() {
    let folder = Folder::new();
    let path = folder.file("store.redb");
    for scheme in [Scheme::Aes256Gcm, Scheme::Aes256CbcHmacSha256] {
        let store = EncryptedStore::new(RedbStore::open(&path).await.expect("opens"), keyring()).with_scheme(scheme);
        put(&store, &format!("token/{scheme:?}"), "refresh-token-hunter2").await;
    }
    let bytes = std::fs::read(&path).expect("a file");
    assert!(!bytes.windows(7).any(|part| part == b"hunter2"));
    assert!(bytes.windows(15).any(|part| part == b"token/Aes256Gcm"), "names are readable");
}

#[tokio::test]
async fn one_bad_entry_does_not_hide_the_others() {
    let inner = MemoryStore::default();
    let store = EncryptedStore::new(inner.clone(), keyring());
    for name in ["a", "b", "c"] {
        put(&store, name, name).await;
    }
    put(&inner, "b", "never encrypted: hunter2").await;
    let error = store.scan("", None, 9).await.expect_err("b is unreadable");
    assert!(error.to_string().contains("(key b)") && !super::shown(&error).contains("hunter2"), "{error}");
    assert_eq!(store.scan("", Some("b"), 9).await.expect("c").len(), 1);
    assert_eq!(read(&store, "a").await.expect("there").value, "a");
}
