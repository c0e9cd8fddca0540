//! Tests of what all kinds share.

mod hostile;
mod panics;
mod probe;
mod stale_cache;
mod start_once;
mod waiting_for_client;
