//! Rate limits: a token bucket for each account, region and operation, in real time.

#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc, time::Instant};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// The sustained rate and the burst of an operation.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rate {
    /// Tokens added each second.
    pub per_second: f64,
    /// Tokens in a full bucket; values under 1 count as 1.
    pub burst: f64,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

/// Account, region, operation.
type BucketKey = (Arc<str>, Arc<str>, Arc<str>);

#[derive(Debug)]
struct Table {
    rates: HashMap<String, Rate>,
    buckets: HashMap<BucketKey, Bucket>,
}

impl Default for Table {
    fn default() -> Self {
        let rates = crate::logs::QUOTAS.map(|(operation, rate)| (operation.to_owned(), rate));
        Self { rates: rates.into(), buckets: HashMap::new() }
    }
}

/// A handle on the limits of one double. An operation without a limit is not throttled. Those of CloudWatch Logs have
/// AWS's own from the start: clients read logs as fast as they may.
#[derive(Clone, Debug, Default)]
pub struct Limits(Arc<Mutex<Table>>);

impl Limits {
    /// Limits an operation. Each account and region has its own bucket. `*` stands for every operation without a
    /// limit of its own; each of them has its own buckets too.
    pub fn set(&self, operation: &str, per_second: f64, burst: u32) {
        self.set_rate(operation, Rate { per_second, burst: f64::from(burst) });
    }

    /// Like [`Limits::set`], with a [`Rate`]. All buckets are filled.
    pub fn set_rate(&self, operation: &str, rate: Rate) {
        let mut table = self.0.lock();
        table.buckets.clear();
        table.rates.insert(operation.to_owned(), Rate { burst: rate.burst.max(1.0), ..rate });
    }

    /// Removes all limits but those from the start.
    pub fn clear(&self) {
        *self.0.lock() = Table::default();
    }

    /// Takes a token; false when the bucket is empty.
    pub(crate) fn admit(&self, account: &Arc<str>, region: &Arc<str>, operation: &Arc<str>) -> bool {
        let mut table = self.0.lock();
        let Some(rate) = table.rates.get(&**operation).or_else(|| table.rates.get("*")).copied() else {
            return true;
        };
        let now = Instant::now();
        let bucket = table
            .buckets
            .entry((account.clone(), region.clone(), operation.clone()))
            .or_insert(Bucket { tokens: rate.burst, filled: now });
        let gained = now.duration_since(bucket.filled).as_secs_f64() * rate.per_second;
        bucket.tokens = (bucket.tokens + gained).min(rate.burst);
        bucket.filled = now;
        let admitted = bucket.tokens >= 1.0;
        if admitted {
            bucket.tokens -= 1.0;
        }
        admitted
    }
}
