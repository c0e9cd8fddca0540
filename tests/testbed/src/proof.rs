//! What a method of `cargo prove` showed: a row of its table.
//!
//! A method in a process of its own (a test, another program of the project) prints it as one line on standard output,
//! when the environment asks for it.

use std::{env, fmt::Display, io::Write as _};

use serde::{Deserialize, Serialize};

/// What the line begins with.
const PREFIX: &str = "proof: ";

/// The environment variable with which `cargo prove` asks for the line.
pub const ASKED: &str = "KUBE_GLUE_PROOF";

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// How much was done.
    pub amount: u64,
    /// What it is that was counted, in the plural: `kills`, `states`.
    pub unit: String,
    /// More about the size, such as the seed. May be empty.
    pub detail: String,
    /// How many violations were found.
    pub found: u64,
    /// What to say below the table.
    #[serde(default)]
    pub remarks: Vec<String>,
}

impl Proof {
    /// A row: so much was done, and so many violations were found.
    #[must_use]
    pub fn new(amount: usize, unit: &str, found: usize) -> Self {
        let [amount, found] = [amount, found].map(|count| count.try_into().unwrap_or(u64::MAX));
        Self { amount, unit: unit.to_owned(), detail: String::new(), found, remarks: Vec::new() }
    }

    /// The same with more about the size.
    #[must_use]
    pub fn detail(self, detail: impl Display) -> Self {
        Self { detail: detail.to_string(), ..self }
    }

    /// The same with a remark.
    #[must_use]
    pub fn remark(mut self, remark: impl Display) -> Self {
        self.remarks.push(remark.to_string());
        self
    }

    /// One row of several with the same unit.
    #[must_use]
    pub fn sum(proofs: Vec<Self>) -> Option<Self> {
        proofs.into_iter().reduce(|mut sum, other| {
            sum.amount += other.amount;
            sum.found += other.found;
            sum.remarks.extend(other.remarks);
            sum
        })
    }

    /// The cell about the size: `1,000 kills, seed 7`.
    #[must_use]
    pub fn size(&self) -> String {
        let separator = if self.detail.is_empty() { "" } else { ", " };
        format!("{} {}{separator}{}", with_separators(self.amount), self.unit, self.detail)
    }

    /// Prints the line if this process runs as a method of `cargo prove`.
    pub fn print(&self) {
        if env::var_os(ASKED).is_some() {
            // Without `println!`, which the test harness captures. A closed pipe is nobody who reads it.
            let _ = writeln!(std::io::stdout(), "\n{}", self.line());
        }
    }

    fn line(&self) -> String {
        format!("{PREFIX}{}", serde_json::to_string(self).unwrap_or_default())
    }

    /// Reads the line.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line.strip_prefix(PREFIX)?).ok()
    }
}

/// A number as people read it: `12,345`.
#[must_use]
pub fn with_separators(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_read_as_it_was_printed() {
        let proof = Proof::new(3, "seeds", 1).detail("80 objects each").remark("seed 2: two runs");
        assert_eq!(Proof::parse(&proof.line()), Some(proof));
        assert_eq!(Proof::parse("test result: ok"), None);
        assert_eq!(Proof::parse("proof: of concept"), None);
    }

    #[test]
    fn rows_are_added_and_sizes_are_readable() {
        let rows = [999, 1, 1_234_000].map(|amount| Proof::new(amount, "states", 1).detail("5 kinds"));
        let sum = Proof::sum(rows.into()).unwrap();
        assert_eq!((sum.size().as_str(), sum.found), ("1,235,000 states, 5 kinds", 3));
        assert_eq!(Proof::new(7, "kills", 0).size(), "7 kills");
        assert_eq!(Proof::sum(Vec::new()), None);
    }
}
