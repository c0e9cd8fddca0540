//! Cells that are violated today, and why. An entry whose cells are all well fails the whole matrix, so that it is
//! removed with the fault that it describes.

use super::faults::Fault;
use super::{Cell, Stage};

/// Cells of some operations in one stage.
#[derive(Debug)]
#[allow(dead_code, reason = "no cell is known to be violated today")]
pub struct Known {
    operations: &'static [&'static str],
    faults: &'static [Fault],
    stage: Stage,
    /// What the controller does wrong.
    pub why: &'static str,
}

pub const KNOWN: &[Known] = &[];

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
