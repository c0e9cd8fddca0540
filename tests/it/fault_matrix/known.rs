//! Cells that are violated today, and why. An entry whose cells are all well fails the whole matrix, so that it is
//! removed with the fault that it describes.

use super::faults::Fault;
use super::{Cell, Stage};

/// Cells of some operations in one stage.
#[derive(Debug)]
pub struct Known {
    operations: &'static [&'static str],
    faults: &'static [Fault],
    stage: Stage,
    /// What the controller does wrong.
    pub why: &'static str,
}

/// Faults after which the same call may succeed.
const PASSING: &[Fault] = &[
    Fault::Throttled,
    Fault::Http500,
    Fault::Http503,
    Fault::Slow,
    Fault::DroppedBeforeWork,
    Fault::DroppedAfterWork,
    Fault::NotJson,
    Fault::ConnectionRefused,
];

pub const KNOWN: &[Known] = &[
    Known {
        operations: &["BatchGetTriggers", "GetConnections"],
        faults: PASSING,
        stage: Stage::Running,
        why: "a poll that fails for a passing reason is never reported while an earlier observation is there",
    },
    Known {
        operations: &["GetConnections"],
        faults: &[Fault::EmptyAnswer],
        stage: Stage::Running,
        why: "a list without entries counts as a missing connection, which is then being created without end",
    },
    Known {
        operations: &["GetWorkflowRun"],
        faults: &Fault::ALL,
        stage: Stage::Running,
        why: "polls of the runs of a firing fail, or show nothing, without a word",
    },
    Known {
        operations: &["GetWorkflowRuns"],
        faults: &[Fault::Throttled, Fault::AccessDenied, Fault::ExpiredToken, Fault::ConnectionRefused],
        stage: Stage::Running,
        why: "the pause after a failed lookup of a trigger's runs hides the reason behind Firing",
    },
    Known {
        operations: &["ListCrawls"],
        faults: &[Fault::OnlyIdentities, Fault::EmptyAnswer],
        stage: Stage::Running,
        why: "a started crawl that Glue does not show is looked for without end and without a warning",
    },
    Known {
        operations: &["TestConnection"],
        faults: &[
            Fault::Http500,
            Fault::Http503,
            Fault::DroppedBeforeWork,
            Fault::DroppedAfterWork,
            Fault::AccessDenied,
            Fault::NotJson,
        ],
        stage: Stage::Running,
        why: "a test that could not be made counts as a failed test, and is made again after ten minutes only",
    },
    Known {
        operations: &["BatchStopJobRun", "StopCrawler"],
        faults: &[Fault::Lie],
        stage: Stage::Running,
        why: "an accepted stop without effect is sent again only if something else wakes the object",
    },
    Known {
        operations: &["GetJob", "GetJobRun", "GetJobRuns", "BatchGetCrawlers", "ListCrawls"],
        faults: &Fault::ALL,
        stage: Stage::Deleting,
        why: "after an accepted stop the deletion waits for a poll that shows the end, without a limit",
    },
    Known {
        operations: &["BatchStopJobRun", "StopCrawler"],
        faults: &[Fault::Lie],
        stage: Stage::Deleting,
        why: "after an accepted stop the deletion waits for a poll that shows the end, without a limit",
    },
    Known {
        operations: &["StopTrigger"],
        faults: &[Fault::Lie],
        stage: Stage::Deleting,
        why: "a deactivation without effect is sent again and again, beyond the deletion timeout",
    },
];

impl Known {
    /// Whether the entry is about the cell.
    pub fn covers(&self, cell: &Cell) -> bool {
        self.stage == cell.stage
            && self.operations.contains(&cell.operation.as_str())
            && self.faults.contains(&cell.fault)
    }
}

/// Whether the cell is known to be violated.
pub fn is_known(cell: &Cell) -> bool {
    KNOWN.iter().any(|known| known.covers(cell))
}
