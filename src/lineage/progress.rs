//! Which events a change of a run's state asks for. Pure.
//!
//! A run has one start, and exactly one end: the first final state that is seen. An event is what its run, its type and its
//! time say, so one that is sent again, by a controller that was restarted or by another one that sees the same run, is the
//! same event.

use super::openlineage::EventType;

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Glue knows it, and it does not run yet.
    Pending,
    /// It runs, or is being stopped.
    Running,
    /// It is over.
    Ended(End),
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Well.
    Complete,
    /// Badly.
    Fail,
    /// Somebody stopped it, or it never began.
    Abort,
}

impl Stage {
    /// The stage of a job run, by Glue's `JobRunState`. One that this program does not know is [`Stage::Pending`]: it says
    /// nothing.
    #[must_use]
    pub fn of_job_run(state: &str) -> Self {
        match state {
            "RUNNING" | "STOPPING" => Self::Running,
            "SUCCEEDED" => Self::Ended(End::Complete),
            "FAILED" | "ERROR" | "TIMEOUT" => Self::Ended(End::Fail),
            "STOPPED" | "EXPIRED" => Self::Ended(End::Abort),
            // WAITING, STARTING
            _ => Self::Pending,
        }
    }

    /// The stage of a crawl, by Glue's state in `ListCrawls`, or in a node of a workflow.
    #[must_use]
    pub fn of_crawl(state: &str) -> Self {
        match state {
            "RUNNING" | "CANCELLING" => Self::Running,
            "COMPLETED" | "SUCCEEDED" => Self::Ended(End::Complete),
            "FAILED" | "ERROR" => Self::Ended(End::Fail),
            "STOPPED" | "CANCELLED" => Self::Ended(End::Abort),
            _ => Self::Pending,
        }
    }

    /// The stage of a workflow run, by Glue's `WorkflowRunStatus`. One that Glue has completed is over as `outcome` says.
    #[must_use]
    pub fn of_workflow_run(state: &str, outcome: End) -> Self {
        match state {
            "RUNNING" | "STOPPING" => Self::Running,
            "COMPLETED" => Self::Ended(outcome),
            "ERROR" => Self::Ended(End::Fail),
            "STOPPED" => Self::Ended(End::Abort),
            _ => Self::Pending,
        }
    }

    /// The event that says it.
    #[must_use]
    pub fn event(self) -> EventType {
        match self {
            Self::Pending => EventType::Other,
            Self::Running => EventType::Start,
            Self::Ended(End::Complete) => EventType::Complete,
            Self::Ended(End::Fail) => EventType::Fail,
            Self::Ended(End::Abort) => EventType::Abort,
        }
    }
}

/// The events that the step from `before` to `after` asks for, in their order. `before` is `None` for a run that is seen for
/// the first time, also by a process that was restarted.
#[must_use]
pub fn events(before: Option<Stage>, after: Stage) -> Vec<EventType> {
    match (before, after) {
        // Nothing follows an end, and nothing goes back.
        (Some(Stage::Ended(_)), _)
        | (Some(Stage::Running), Stage::Pending | Stage::Running)
        | (Some(Stage::Pending), Stage::Pending) => Vec::new(),
        (None, Stage::Pending) => vec![EventType::Other],
        (None | Some(Stage::Pending), Stage::Running) => vec![EventType::Start],
        (Some(Stage::Running), Stage::Ended(_)) => vec![after.event()],
        (None | Some(Stage::Pending), Stage::Ended(_)) => vec![EventType::Start, after.event()],
    }
}

/// The stage that is remembered of a run once `after` was seen: nothing goes back.
#[must_use]
pub fn furthest(before: Option<Stage>, after: Stage) -> Stage {
    match (before, after) {
        (Some(before @ Stage::Ended(_)), _) | (Some(before @ Stage::Running), Stage::Pending) => before,
        (_, after) => after,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_state_of_glue_has_its_event() {
        use EventType::{Abort, Complete, Fail, Other, Start};
        for (state, event) in [
            ("WAITING", Other),
            ("STARTING", Other),
            ("RUNNING", Start),
            ("STOPPING", Start),
            ("SUCCEEDED", Complete),
            ("FAILED", Fail),
            ("ERROR", Fail),
            ("TIMEOUT", Fail),
            ("STOPPED", Abort),
            ("EXPIRED", Abort),
            ("SOMETHING_NEW", Other),
        ] {
            assert_eq!(Stage::of_job_run(state).event(), event, "{state}");
        }
        for (state, event) in [("RUNNING", Start), ("COMPLETED", Complete), ("FAILED", Fail), ("STOPPED", Abort)] {
            assert_eq!(Stage::of_crawl(state).event(), event, "{state}");
        }
        for (state, outcome, event) in [
            ("RUNNING", End::Complete, Start),
            ("COMPLETED", End::Complete, Complete),
            ("COMPLETED", End::Fail, Fail),
            ("ERROR", End::Complete, Fail),
            ("STOPPED", End::Complete, Abort),
        ] {
            assert_eq!(Stage::of_workflow_run(state, outcome).event(), event, "{state}");
        }
    }

    fn stage() -> impl Strategy<Value = Stage> {
        prop_oneof![
            Just(Stage::Pending),
            Just(Stage::Running),
            Just(Stage::Ended(End::Complete)),
            Just(Stage::Ended(End::Fail)),
            Just(Stage::Ended(End::Abort)),
        ]
    }

    proptest! {
        /// Whatever states are seen, in whatever order: one start before the end, and one end.
        #[test]
        fn a_run_has_one_start_and_one_end(stages in prop::collection::vec(stage(), 1..12)) {
            let mut sent = Vec::new();
            let mut seen: Option<Stage> = None;
            for stage in stages {
                sent.extend(events(seen, stage));
                seen = Some(furthest(seen, stage));
            }
            let starts = sent.iter().filter(|event| **event == EventType::Start).count();
            let ends = sent.iter().filter(|event| event.is_end()).count();
            let has_ended = matches!(seen, Some(Stage::Ended(_)));
            prop_assert_eq!(ends, usize::from(has_ended));
            prop_assert_eq!(starts, usize::from(seen != Some(Stage::Pending)));
            prop_assert!(!has_ended || sent.last().is_some_and(|last| last.is_end()));
            let others = sent.iter().filter(|event| **event == EventType::Other).count();
            prop_assert!(others <= 1 && (others == 0 || sent[0] == EventType::Other));
        }
    }
}
