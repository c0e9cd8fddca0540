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

impl Settings {
    /// How long after the write of its intent a call may still be sent. Whoever finds the intent later takes the
    /// call for lost when [`Settings::start_settle`] has passed: by then the call must be over, and Glue must have
    /// had time to show what came of it. What is left beside the call itself goes to both in equal parts.
    #[must_use]
    pub fn send_within(&self) -> Duration {
        self.start_settle.saturating_sub(self.aws_timeout) / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_over_and_has_been_shown_before_it_is_taken_for_lost() {
        for (start_settle, aws_timeout, send_within) in [(60, 20, 20), (4, 2, 1), (90, 10, 40)] {
            let settings = Settings {
                namespaces: Vec::new(),
                poll_interval: Duration::from_secs(5),
                start_settle: Duration::from_secs(start_settle),
                aws_timeout: Duration::from_secs(aws_timeout),
                deletion_timeout: Duration::from_mins(10),
                run_key_argument: None,
                identity_rules: Rules::default(),
                watch_secrets: true,
            };
            assert_eq!(settings.send_within(), Duration::from_secs(send_within));
            let left_for_glue = settings.start_settle.checked_sub(settings.aws_timeout + settings.send_within());
            assert_eq!(left_for_glue, Some(settings.send_within()));
        }
    }
}
