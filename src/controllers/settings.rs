//! What the operator may set about the controllers.
//!
//! The command line fills it once at the start; nothing in it changes afterwards.

use std::time::Duration;

use crate::glue::identity::Rules;

/// How the controllers behave, the same for every object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The namespaces that are watched; empty: all of them.
    pub namespaces: Vec<String>,
    /// How often Glue is asked about runs that have not ended. Young runs are asked about at this
    /// interval, older ones less often. More than zero.
    pub poll_interval: Duration,
    /// How long after a start whose outcome is unclear a run that cannot be found in Glue is
    /// started again. Must exceed the longest time a call that was sent can still take effect.
    pub start_settle: Duration,
    /// The longest a single call to AWS may take, connecting included. More than zero.
    pub aws_timeout: Duration,
    /// How long the deletion of an object may be held up because AWS cannot be reached as it asks;
    /// then it is let go, and an event names the run that it leaves behind.
    pub deletion_timeout: Duration,
    /// The job argument that carries the run's key (`--kube-glue-run`); none: no argument is added
    /// and a run is recognised by its arguments and its time.
    pub run_key_argument: Option<String>,
    /// Who may use the controller's own AWS identity, and which roles, profiles and endpoints are admitted.
    pub identity_rules: Rules,
    /// Whether Secrets are watched (their metadata only), so that a change is taken up at once.
    pub watch_secrets: bool,
}
