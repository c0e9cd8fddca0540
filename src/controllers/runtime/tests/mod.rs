//! Tests of what all kinds share.

mod panics;
mod start_once;
