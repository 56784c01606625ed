//! Handles that may do only what a job is for.

use serde_json::json;
use sforce::client::{Access, AllowList};
use sforce::testing::org::MockOrg;
use sforce::types::{Record, Soql};
use sforce::{Client, Effect, ErrorKind};

use crate::support::{client, object, record};

async fn names(client: &Client, of: &str) -> sforce::Result<usize> {
    let mut rows = client.query::<Record>(Soql::new(format!("SELECT Id, Name FROM {of}")));
    let mut count = 0;
    while rows.try_next().await?.is_some() {
        count += 1;
    }
    Ok(count)
}

#[tokio::test]
async fn nav_36_a_handle_does_what_its_playbook_names_and_nothing_else() {
    let org = MockOrg::start();
    let all = client(&org);
    let playbook = json!({"objects": {"Account": ["read", "create"], "Contact": ["read"]}});
    let list: AllowList = serde_json::from_value(playbook).expect("a list");
    let handle = all.restricted_to(list);
    let (account, contact) = (record(r#"{"Name":"Acme"}"#), record(r#"{"LastName":"Lovelace"}"#));

    let id = handle.records(object("Account")).create(&account).await.expect("allowed");
    assert_eq!(names(&handle, "Account").await.expect("allowed"), 1);
    assert_eq!(names(&handle, "Contact").await.expect("allowed"), 0);
    handle.describe_global().await.expect("reads no record");
    let (calls, tokens) = (org.api_calls(), org.token_requests());
    let refused = [
        handle.records(object("Contact")).create(&contact).await.map(drop).expect_err("only read"),
        handle.records(object("Account")).update(id, &account).await.map(drop).expect_err("not named"),
        handle.records(object("Account")).delete(id).await.map(drop).expect_err("not named"),
        names(&handle, "Lead").await.map(drop).expect_err("not named"),
        handle
            .restricted_to(AllowList::new())
            .records(object("Account"))
            .create(&account)
            .await
            .map(drop)
            .expect_err("less"),
    ];
    for error in refused {
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Forbidden, Effect::None), "{error}");
        assert!(error.to_string().contains("allow-list"), "{error}");
    }
    assert_eq!((org.api_calls(), org.token_requests()), (calls, tokens), "nothing was sent");
    // A narrower handle cannot be widened, and the one it came from is not restricted.
    let wide = AllowList::new().object(&object("Account"), [Access::Read, Access::Delete]);
    let error =
        handle.restricted_to(wide).records(object("Account")).delete(id).await.expect_err("both have to allow it");
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    all.records(object("Account")).delete(id).await.expect("not restricted");
}
