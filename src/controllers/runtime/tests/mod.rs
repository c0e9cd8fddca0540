//! What the tests of several kinds share.

pub mod model_checker;
