//! How many requests Glue takes: a token bucket for each account, region and operation, in real time.

#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc, time::Instant};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// Requests per second in the long run, and how many may come at once.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rate {
    /// Tokens that come back each second.
    pub per_second: f64,
    /// Tokens a full bucket holds; at least 1.
    pub burst: f64,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

/// Account, region, operation.
type BucketKey = (Arc<str>, Arc<str>, Arc<str>);

#[derive(Debug, Default)]
struct Table {
    rates: HashMap<String, Rate>,
    buckets: HashMap<BucketKey, Bucket>,
}

/// A handle on the limits of one double. Without any, nothing is throttled.
#[derive(Clone, Debug, Default)]
pub struct Limits(Arc<Mutex<Table>>);

impl Limits {
    /// Limits an operation, in each account and region by itself. `*` is every operation without a limit of
    /// its own, each by itself.
    pub fn set(&self, operation: &str, per_second: f64, burst: u32) {
        self.set_rate(operation, Rate { per_second, burst: f64::from(burst) });
    }

    /// The same with a [`Rate`].
    pub fn set_rate(&self, operation: &str, rate: Rate) {
        let mut table = self.0.lock();
        table.buckets.clear();
        table.rates.insert(operation.to_owned(), Rate { burst: rate.burst.max(1.0), ..rate });
    }

    /// Lifts all limits.
    pub fn clear(&self) {
        *self.0.lock() = Table::default();
    }

    /// Takes a token; false when there is none.
    pub(crate) fn admit(&self, account: &Arc<str>, region: &Arc<str>, operation: &Arc<str>) -> bool {
        let mut table = self.0.lock();
        if table.rates.is_empty() {
            return true;
        }
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
