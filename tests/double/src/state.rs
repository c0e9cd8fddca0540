//! The state that all requests of one double share.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    clock::Clock,
    faults::Faults,
    glue::Glue,
    iam::{AccessKey, DEFAULT_ACCOUNT, Iam},
    limits::Limits,
    requests::Requests,
    s3::Buckets,
};

#[derive(Debug)]
pub(crate) struct State {
    pub clock: Clock,
    pub iam: Iam,
    pub faults: Faults,
    pub limits: Limits,
    pub requests: Requests,
    pub glue: Glue,
    pub buckets: Buckets,
    pub default_key: AccessKey,
    check_signatures: AtomicBool,
}

impl State {
    pub(crate) fn new() -> Self {
        let clock = Clock::default();
        let iam = Iam::default();
        let default_key = iam.new_access_key(DEFAULT_ACCOUNT, "kube-glue");
        Self {
            glue: Glue::new(clock.clone()),
            clock,
            iam,
            faults: Faults::default(),
            limits: Limits::default(),
            requests: Requests::default(),
            buckets: Buckets::default(),
            default_key,
            check_signatures: AtomicBool::new(true),
        }
    }

    pub(crate) fn checks_signatures(&self) -> bool {
        self.check_signatures.load(Ordering::Relaxed)
    }

    pub(crate) fn set_check_signatures(&self, check: bool) {
        self.check_signatures.store(check, Ordering::Relaxed);
    }
}
