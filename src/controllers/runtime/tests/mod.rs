//! Tests of what all kinds share.

mod start_once;
