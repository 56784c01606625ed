//! Files in and out of the mock org.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::json;
use sforce::api::{FileUpload, ShareType};
use sforce::testing::org::{MockOrg, Operation};
use sforce::types::RecordId;
use sforce::{Client, Effect, Error, ErrorKind, Retry};

use crate::support::{builder, client};

/// Bytes that hold what a multipart message holds too.
fn content(size: usize) -> Vec<u8> {
    b"--cut\r\n\r\n--cut--\r\n\0\xff".iter().copied().cycle().take(size).collect()
}

async fn read(client: &Client, version: RecordId) -> Vec<u8> {
    client.files().download(version).await.expect("opens").collect(100 << 20).await.expect("whole").to_vec()
}

#[tokio::test]
async fn a_file_comes_back_as_it_went_with_its_versions_and_records() {
    let org = MockOrg::start();
    let client = client(&org);
    let files = client.files();
    let account = RecordId::new(&org.insert("Account", json!({"Name": "A"}))).expect("an id");
    let other = RecordId::new(&org.insert("Account", json!({"Name": "B"}))).expect("an id");
    let upload = FileUpload::new("dir/Report \"1\".pdf", content(3_000)).field("Description", "d").shared_with(account);
    let first = files.upload(&upload).await.expect("uploaded");
    assert_eq!(read(&client, first).await, content(3_000));

    let version = files.version(first).await.expect("there");
    assert_eq!((version.title.as_str(), version.content_size), ("Report \"1\"", 3_000));
    assert_eq!((version.file_extension.as_deref(), version.is_latest), (Some("pdf"), true));
    let document = version.content_document_id;
    org.advance(std::time::Duration::from_secs(5));
    let next = FileUpload::new("b.txt", "two").title("T").version_of(document);
    let second = files.upload(&next).await.expect("uploaded");
    let versions = files.versions(document).expect("a query").collect().await.expect("read");
    assert_eq!(versions.iter().map(|version| version.id).collect::<Vec<_>>(), [second, first]);
    assert_eq!(versions.iter().map(|version| version.is_latest).collect::<Vec<_>>(), [true, false]);
    let newest = files.download_version(&versions[0]).await.expect("opens").collect(10).await.expect("whole");
    assert_eq!(newest, "two");

    files.share(document, other, ShareType::Viewer).await.expect("shared");
    let twice = files.share(document, other, ShareType::Viewer).await.expect_err("is shared");
    assert_eq!((twice.kind(), twice.effect()), (ErrorKind::Duplicate, Effect::None));
    for record in [account, other] {
        let linked = files.of_record(record).expect("a query").collect().await.expect("read");
        let linked = &linked[0];
        assert_eq!((linked.document, linked.latest_version, linked.content_size), (document, Some(second), 3));
        assert_eq!((linked.title.as_str(), linked.file_extension.as_deref()), ("T", Some("txt")));
    }
    let missing = files.download(RecordId::new("068000000000001").expect("an id")).await.expect_err("none");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

/// A content of 100 chunks of 64 KiB, and how often it was told.
fn large(told: &Arc<AtomicUsize>) -> FileUpload {
    let told = Arc::clone(told);
    let chunk = Bytes::from(content(64 << 10));
    FileUpload::streamed("video.mp4", 100 * (64 << 10), move || {
        told.fetch_add(1, Ordering::Relaxed);
        let chunk = chunk.clone();
        stream::iter((0..100).map(move |_| Ok(chunk.clone()))).boxed()
    })
}

#[tokio::test]
async fn a_stream_is_uploaded_with_its_length_and_told_again_for_a_new_session() {
    let org = MockOrg::start();
    // Request compression leaves files alone: their length is known.
    let client = builder(&org).compress_requests(true).build().expect("a client");
    client.versions().await.expect("logged in");
    org.expire_access_tokens();
    let told = Arc::default();
    let version = client.files().upload(&large(&told)).await.expect("uploaded");
    assert_eq!(told.load(Ordering::Relaxed), 2, "once for the session that had expired");
    let mut chunks = client.files().download(version).await.expect("opens").into_chunks();
    let (mut size, mut most) = (0, 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.expect("whole");
        size += chunk.len();
        most = most.max(chunk.len());
    }
    assert_eq!(size, 100 * (64 << 10));
    assert!(most < 2 << 20, "in pieces");
    assert_eq!(org.count("ContentVersion"), 1);
    let create = org.requests().into_iter().rfind(|request| request.operation == Some(Operation::SObjectCreate));
    assert!(create.is_some_and(|request| request.body_bytes > 100 * (64 << 10)));
}

#[tokio::test]
async fn an_upload_whose_answer_is_lost_is_not_repeated() {
    let org = MockOrg::start();
    let client = client(&org);
    org.faults().on(Operation::SObjectCreate).apply_then_reset().once();
    let error = client.files().upload(&FileUpload::new("a.txt", "x")).await.expect_err("lost");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Transport, Effect::Unknown));
    assert_eq!(
        (org.count("ContentVersion"), org.calls(Operation::SObjectCreate)),
        (1, 1),
        "it may have happened, and did"
    );
    // What was refused before it was carried out may go again.
    org.faults().on(Operation::SObjectCreate).error(400, "UNABLE_TO_LOCK_ROW", "locked").once();
    client.files().upload(&FileUpload::new("b.txt", "x")).await.expect("repeated");
    assert_eq!(org.count("ContentVersion"), 2);
}

#[tokio::test]
async fn a_content_that_breaks_off_or_has_another_length_saves_nothing() {
    let org = MockOrg::start();
    let client = client(&org);
    let broken = FileUpload::streamed("a.txt", 10, || {
        let error = Error::new(ErrorKind::Store, "test", "the disk is gone");
        stream::iter([Ok(Bytes::from_static(b"12345")), Err(error)]).boxed()
    });
    let error = client.files().upload(&broken).await.expect_err("broken");
    assert_eq!((error.kind(), error.message()), (ErrorKind::Store, "the disk is gone"));
    let stranger = FileUpload::streamed("a.txt", 10, || {
        let error = Error::new(ErrorKind::Auth, "test", "the other org's session").with_retry(Retry::Reauthenticate);
        stream::iter([Err(error)]).boxed()
    });
    let tokens = org.token_requests();
    let error = client.files().upload(&stranger).await.expect_err("broken");
    assert_eq!((error.kind(), org.token_requests()), (ErrorKind::Auth, tokens), "no session of ours is renewed for it");
    for length in [4, 6] {
        let other = FileUpload::streamed("a.txt", length, || stream::iter([Ok(Bytes::from_static(b"12345"))]).boxed());
        let error = client.files().upload(&other).await.expect_err("another length");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    assert_eq!(org.count("ContentVersion"), 0);
}

#[tokio::test]
async fn a_download_that_is_cut_anywhere_is_an_error_at_its_end() {
    let org = MockOrg::start();
    let client = client(&org);
    let files = client.files();
    let version = files.upload(&FileUpload::new("a.bin", content(300))).await.expect("uploaded");
    let mut version = files.version(version).await.expect("there");
    for cut in [0, 1, 150, 299] {
        for chunked in [false, true] {
            let fault = org.faults().on(Operation::BlobGet);
            if chunked {
                fault.truncate_chunked(cut).once();
            } else {
                fault.truncate(cut).once();
            }
            let body = files.download(version.id).await.expect("opens");
            let error = body.collect(1_000).await.expect_err("cut");
            assert_eq!(error.kind(), ErrorKind::Transport, "{cut} {chunked}");
        }
    }
    version.content_size = 301;
    let body = files.download_version(&version).await.expect("opens");
    assert_eq!(body.collect(1_000).await.expect_err("a byte is missing").kind(), ErrorKind::Transport);
    version.content_size = 299;
    let mut chunks = files.download_version(&version).await.expect("opens").into_chunks();
    let mut last = None;
    while let Some(chunk) = chunks.next().await {
        last = Some(chunk);
    }
    assert!(last.expect("told").is_err(), "a byte too much");
}
