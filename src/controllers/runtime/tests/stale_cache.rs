//! Passes over objects that the cache shows later than the API server has them.

use super::probe::ProbeLoop;
use crate::controllers::runtime::reconciler::Action;

/// The last write of a finished object removes its finalizer. A pass that was queued meanwhile would remove it again, which
/// the API server refuses.
#[tokio::test]
async fn an_object_that_was_forgotten_since_its_pass_began_is_left_alone() {
    let mut probe = ProbeLoop::start("stale-cache", ["one"], 2).await;
    assert_eq!(probe.pass("one").await, Action::AwaitChange);
    assert_eq!(probe.passed_by_now().len(), 1);
    probe.forget("one");
    assert_eq!(probe.pass("one").await, Action::AwaitChange);
    assert_eq!(probe.passed_by_now(), []);
    probe.stop().await;
}
