//! Sieve's method ("Automatic Reliability Testing For Cluster Management Controllers", OSDI 2022) on a real control
//! plane: the life of an object is traced, plans of disturbances are generated from the trace, and each is run in a
//! namespace of its own with a controller of its own, behind a relay. In the end the object and Glue must be as they are
//! without the disturbance.
//!
//! | module | subject |
//! |---|---|
//! | [`trace`] | what the controller was shown and did |
//! | [`plan`] | the plans that follow from a trace |
//! | [`tap`] | what the relay does to the requests of one plan |
//! | [`case`] | one run of a life, disturbed or not |
//! | [`campaign`] | all plans of all lives, many at once |

mod campaign;
mod case;
pub mod plan;
mod tap;
pub mod trace;

pub use self::campaign::{Report, Settings, run};
