//! Tests of what all kinds share.

pub(crate) mod api_server;
mod hostile;
mod panics;
mod probe;
mod shared;
mod stale_cache;
mod start_once;
mod waiting_for_client;
