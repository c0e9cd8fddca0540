//! The fixture of Glue's unit tests: one region, with a held clock.

use std::time::Duration;

use serde_json::Value;

use super::{Call, Glue, Region, operation};
use crate::{clock::Clock, error::AwsError, logs};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const CALLER: &str = "arn:aws:iam::123456789012:user/me";

pub(crate) struct Fixture {
    pub clock: Clock,
    pub glue: Glue,
}

impl Fixture {
    pub fn new() -> Self {
        let clock = Clock::default();
        clock.hold();
        Self { glue: Glue::new(clock.clone()), clock }
    }

    pub fn with<T>(&self, f: impl FnOnce(&mut Region) -> T) -> T {
        self.glue.with_region(ACCOUNT, REGION, f)
    }

    pub fn call(&self, name: &str, body: &Value) -> Result<Value, AwsError> {
        self.call_stale(name, body, None)
    }

    pub fn call_stale(&self, name: &str, body: &Value, stale_by: Option<Duration>) -> Result<Value, AwsError> {
        let operation =
            operation(name).or_else(|| logs::operation(name)).unwrap_or_else(|| panic!("no operation {name}"));
        let answer = self.glue.run(operation, ACCOUNT, REGION, Call { body, stale_by, caller: CALLER })?;
        Ok(serde_json::from_slice(&answer).unwrap())
    }

    /// Calls an operation that must fail with this error code.
    pub fn expect_error(&self, name: &str, body: &Value, code: &str) {
        let error = self.call(name, body).map(|answer| answer.to_string()).unwrap_err();
        assert_eq!(error.code, code, "{name} {body}: {error}");
    }

    pub fn step(&self, seconds: u64) {
        self.clock.step(Duration::from_secs(seconds));
    }
}
