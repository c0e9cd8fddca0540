//! What the operator configures about the controllers, once, by the command line.

use std::time::Duration;

use crate::glue::identity::Rules;
use crate::redaction::Sensitive;

/// The settings; the same for every object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The watched namespaces; empty for all.
    pub namespaces: Vec<String>,
    /// The kinds that are reconciled; empty for all.
    pub kinds: Vec<String>,
    /// The shortest pause between two polls of the same runs. More than zero.
    pub poll_interval: Duration,
    /// The most calls of polls in a minute, for each account and region; more than zero. `None` for as many as it takes to
    /// see changes soon.
    pub poll_calls_per_minute: Option<u32>,
    /// How long a sent start can take to show its effect. After a start without an answer, a run that Glue does not show
    /// for this long is started again.
    pub start_settle: Duration,
    /// The longest time of one call to AWS, with the connection. More than zero.
    pub aws_timeout: Duration,
    /// How long the deletion of an object waits for AWS. Then its finalizer is removed, and a Warning names what goes on
    /// in Glue.
    pub deletion_timeout: Duration,
    /// The job argument that carries the run's key (`--kube-glue-run`); `None` adds no argument, and a run is identified
    /// by its arguments and its start time.
    pub run_key_argument: Option<String>,
    /// The namespaces that may use the controller's own AWS identity, and the allowed roles, profiles and endpoints.
    pub identity_rules: Rules,
    /// Whether the metadata of Secrets is watched, so that a change has an effect at once.
    pub watch_secrets: bool,
    /// Whether the end of the log of a failed run is read, and shown in its status.
    pub failure_logs: bool,
    /// Where events of lineage are sent; `None` sends none.
    pub open_lineage: Option<OpenLineage>,
    /// Whether job runs of Spark get the run of the orchestrator that their object names, for OpenLineage's listener there.
    pub spark_parent: bool,
}

/// A receiver of OpenLineage events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenLineage {
    /// The URL to which events are posted.
    pub url: String,
    /// The bearer token.
    pub api_key: Option<Sensitive>,
    /// The namespace of all jobs; `None` for that of their account and region.
    pub namespace: Option<String>,
    /// Whether the scripts of jobs without visual nodes are read from S3, for the datasets that they name.
    pub from_scripts: bool,
}

impl OpenLineage {
    /// The usual path of the API of a receiver below its URL, as OpenLineage's clients have it.
    pub const USUAL_ENDPOINT: &str = "api/v1/lineage";

    /// The URL to which events are posted.
    #[must_use]
    pub fn endpoint_url(base: &str, endpoint: &str) -> String {
        format!("{}/{}", base.trim_end_matches('/'), endpoint.trim_matches('/'))
    }
}

impl Settings {
    /// Whether objects of this kind are reconciled.
    #[must_use]
    pub fn has_kind(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|enabled| enabled == kind)
    }

    /// How long after its intent was written a start may still be sent. A later pass counts the start as lost once
    /// [`Settings::start_settle`] has passed: by then the call must have ended, and Glue must have had time to show its
    /// effect. The time that is left beside the call is divided equally between the two.
    #[must_use]
    pub fn send_within(&self) -> Duration {
        self.start_settle.saturating_sub(self.aws_timeout) / 2
    }
}

#[cfg(test)]
impl Settings {
    /// Settings for tests.
    pub(crate) fn example() -> Self {
        Self {
            namespaces: Vec::new(),
            kinds: Vec::new(),
            poll_interval: Duration::from_secs(5),
            poll_calls_per_minute: None,
            start_settle: Duration::from_mins(1),
            aws_timeout: Duration::from_secs(20),
            deletion_timeout: Duration::from_mins(10),
            run_key_argument: None,
            identity_rules: Rules::default(),
            watch_secrets: true,
            failure_logs: true,
            open_lineage: None,
            spark_parent: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_reconciled_unless_others_are_named() {
        let settings = |kinds: &[&str]| {
            let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
            Settings { kinds, ..Settings::example() }
        };
        for (kinds, expected) in [(vec![], true), (vec!["A"], true), (vec!["B", "A"], true), (vec!["B"], false)] {
            assert_eq!(settings(&kinds).has_kind("A"), expected, "{kinds:?}");
        }
    }

    #[test]
    fn a_start_has_ended_and_shown_its_effect_before_it_counts_as_lost() {
        for (start_settle, aws_timeout, send_within) in [(60, 20, 20), (4, 2, 1), (90, 10, 40)] {
            let settings = Settings {
                start_settle: Duration::from_secs(start_settle),
                aws_timeout: Duration::from_secs(aws_timeout),
                ..Settings::example()
            };
            assert_eq!(settings.send_within(), Duration::from_secs(send_within));
            let left_for_glue = settings.start_settle.checked_sub(settings.aws_timeout + settings.send_within());
            assert_eq!(left_for_glue, Some(settings.send_within()));
        }
    }
}
