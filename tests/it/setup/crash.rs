//! Set-up that ends anywhere is finished by the next one.

use std::sync::Arc;

use sforce::client::RetryPolicy;
use sforce::schema::EntryState;
use sforce::store::MemoryStore;
use sforce::testing::org::MockOrg;

use super::{engagement, setup_in, small, state};
use crate::support::{builder, client};

/// The state of an org that is set up without a fault.
async fn whole() -> (Vec<String>, u64) {
    let org = MockOrg::start();
    setup_in(&client(&org), small(), &Arc::default()).await.run().await.expect("set up");
    (unnamed(&org), org.api_calls())
}

/// The state without ids, which differ from org to org.
fn unnamed(org: &MockOrg) -> Vec<String> {
    state(org).into_iter().map(|row| row.replace(&org.user_id(), "the user")).collect()
}

#[tokio::test]
async fn nav_2_a_set_up_that_ends_at_any_request_ends_in_the_same_org() {
    let (expected, requests) = whole().await;
    for stop in 0..=requests {
        for applied in [false, true] {
            let org = MockOrg::start();
            let store = Arc::new(MemoryStore::default());
            // From this request on nothing comes back: the process is as good as dead. The last one may still have been applied.
            let fault = || org.faults().on_any();
            if applied {
                fault().apply_then_reset().after(stop + 1).once();
            }
            fault().reset().after(if applied { 0 } else { stop + 1 }).always();
            let lost = builder(&org).retry(RetryPolicy::never()).build().expect("a client");
            let lost = sforce::schema::Setup::builder(lost, small()).store(Arc::clone(&store)).build().await;
            if let Ok(lost) = lost {
                let _ = lost.run().await;
            }
            org.faults().clear();
            let next = setup_in(&client(&org), small(), &store).await;
            next.run().await.unwrap_or_else(|error| panic!("stopped at request {stop}, applied {applied}: {error}"));
            assert_eq!(unnamed(&org), expected, "stopped at request {stop}, applied {applied}");
            let again = next.run().await.expect("nothing to do");
            assert!(again.is_unchanged() && again.by_hand.is_empty(), "stopped at request {stop}: {again:?}");
            let ledger = next.ledger().await.expect("read");
            assert_eq!(ledger.deploy(), None);
            let open = ledger.entries().iter().filter(|entry| entry.state == EntryState::Intended);
            assert_eq!(open.count(), 0, "stopped at request {stop}, applied {applied}: {ledger:?}");
        }
    }
}

#[tokio::test]
async fn nav_2_a_deploy_that_is_still_at_work_is_waited_for_by_its_id() {
    use sforce::testing::org::Operation;
    let org = MockOrg::start();
    let store = Arc::new(MemoryStore::default());
    org.faults().on(Operation::DeployGet).reset().always();
    let lost = builder(&org).retry(RetryPolicy::never()).build().expect("a client");
    let first = setup_in(&lost, engagement(), &store).await;
    first.run().await.expect_err("nobody sees the end");
    let id = first.ledger().await.expect("read").deploy().expect("its id is written down");
    org.faults().clear();
    let next = setup_in(&client(&org), engagement(), &store).await;
    let plan = next.plan().await.expect("planned");
    assert_eq!(plan.unfinished(), Some(id));
    assert!(!plan.is_empty() && plan.to_string().contains("of an earlier run is waited for first"), "{plan}");
    next.apply(&plan).await.expect("finished");
    assert_eq!(org.calls(Operation::DeployCreate), 1, "no second deploy");
    assert!(next.run().await.expect("nothing to do").is_unchanged());
}

#[tokio::test]
async fn two_set_ups_at_once_do_not_spoil_each_other() {
    let org = MockOrg::start();
    let store = Arc::new(MemoryStore::default());
    let (one, other) = (setup_in(&client(&org), small(), &store).await, setup_in(&client(&org), small(), &store).await);
    let (first, second) = futures_util::join!(one.run(), other.run());
    assert!(first.is_ok() || second.is_ok(), "{first:?} {second:?}");
    for lost in [first, second].into_iter().filter_map(Result::err) {
        assert_eq!(lost.kind(), sforce::ErrorKind::Conflict, "{lost}");
    }
    one.run().await.expect("finished");
    assert_eq!(unnamed(&org), whole().await.0);
}
