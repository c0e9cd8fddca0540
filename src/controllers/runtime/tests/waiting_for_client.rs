//! An object whose namespace has as many AWS clients as it may, in the real reconcile loop.

use super::probe::{Passed, ProbeLoop};
use crate::controllers::runtime::reason::Reason;

fn passed(name: &str, problem: Option<Reason>) -> Passed {
    Passed { name: name.to_owned(), problem, backoff: None }
}

#[tokio::test]
async fn an_object_is_requeued_when_a_client_of_its_namespace_becomes_free() {
    let mut probe = ProbeLoop::start("waits-for-client", ["one"], 1).await;
    // As the poller has it, for a run that is followed.
    let needed = probe.client("other").await;
    let waking = tokio::spawn({
        let resolver = probe.resolver.clone();
        async move { resolver.wake_as_clients_become_free().await }
    });
    probe.requeue("one");
    assert_eq!(probe.passed().await, passed("one", Some(Reason::TooManyIdentities)));
    // It comes back by nothing else.
    drop(needed);
    assert_eq!(probe.passed().await, passed("one", None), "the pause of the wait does not go on");
    waking.abort();
    probe.stop().await;
}
