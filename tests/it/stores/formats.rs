//! What earlier versions stored is read for ever. Encrypted values: `store::encrypted::tests`.

use serde::{Deserialize, Serialize};
use sforce::store::{RedbStore, Store, Versioned};

use super::Folder;

#[tokio::test]
async fn a_redb_file_of_format_1_is_read_and_written() {
    let folder = Folder::new();
    let path = folder.file("store.redb");
    std::fs::write(&path, include_bytes!("../../fixtures/store/redb-v1.redb")).expect("written");
    let store = RedbStore::open(&path).await.expect("opens");
    let entries = store.scan("", None, 9).await.expect("read");
    let entries: Vec<_> =
        entries.iter().map(|entry| (entry.key.as_str(), entry.version.get(), &entry.value[..])).collect();
    assert_eq!(entries, [("lease/é", 3, &b""[..]), ("token/acme/1", 1, b"a stored value")]);
    // Two entries that were deleted have used up the versions 2 and 4.
    assert_eq!(super::put(&store, "token/acme/1", "new").await.get(), 6);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Example {
    name: String,
    count: u32,
}

#[test]
fn a_typed_value_of_envelope_1_is_read() {
    let stored = include_bytes!("../../fixtures/store/versioned-v1.json");
    let value = Versioned::<Example>::new("example", 1).decode(stored.trim_ascii_end()).expect("read");
    assert_eq!(value, Example { name: "an example".into(), count: 7 });
    assert_eq!(Versioned::new("example", 1).encode(&value).expect("written"), stored.trim_ascii_end());
}
