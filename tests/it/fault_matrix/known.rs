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
        operations: &["TestConnection"],
        faults: &[
            Fault::Http500,
            Fault::Http503,
            Fault::DroppedBeforeWork,
            Fault::DroppedAfterWork,
            Fault::AccessDenied,
        ],
        stage: Stage::Running,
        why: "a test that could not be made counts as a failed test, and is made again after ten minutes only",
    },
    Known {
        operations: &["TestConnection"],
        faults: &[Fault::Slow],
        stage: Stage::Deleting,
        why: "the deletion waits until a test that is under way has ended, which may take a minute",
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
