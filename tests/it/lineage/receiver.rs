//! The receiver of the test bed, with the time limit of tests.

use std::ops::Deref;

use kube_glue_testbed::openlineage;
pub use kube_glue_testbed::openlineage::Answer;
pub use kube_glue_testbed::openlineage::events::{described, is_end, of_run, types_of};
use serde_json::Value;

use crate::harness::WAIT_TIMEOUT;

/// The receiver. Dropping it stops it.
pub struct Receiver(openlineage::Receiver);

impl Receiver {
    /// A receiver that takes events.
    pub async fn start() -> Self {
        Self(openlineage::Receiver::start().await.expect("a receiver"))
    }

    /// A receiver at whose address nobody listens yet.
    pub async fn down() -> Self {
        Self(openlineage::Receiver::down().await.expect("a port"))
    }

    /// From now on it listens.
    pub async fn come_back(&self) {
        self.0.come_back().await.expect("its port");
    }

    /// Waits until `condition` holds for the events that it took.
    pub async fn wait_until(&self, what: &str, condition: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        self.0.wait_until(what, WAIT_TIMEOUT, condition).await.unwrap()
    }

    /// Waits until so many requests came.
    pub async fn wait_for_requests(&self, count: usize) {
        self.0.wait_for_requests(count, WAIT_TIMEOUT).await.unwrap();
    }
}

impl Deref for Receiver {
    type Target = openlineage::Receiver;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
