//! The table and the JSON file.

use std::{path::Path, time::Duration};

use comfy_table::{
    ContentArrangement, Table,
    presets::{ASCII_MARKDOWN, UTF8_BORDERS_ONLY},
};
use kube_glue_testbed::{Error, Proof, format_duration, machine};
use serde_json::{Value, json};

use crate::error::ProveError;

const HEADER: [&str; 4] = ["METHOD", "SIZE", "FOUND", "TIME"];

/// One row of the table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    method: &'static str,
    /// None for a method that came to no result.
    proof: Option<Proof>,
    error: Option<String>,
    /// None where the time is in another row of the method.
    took: Option<Duration>,
}

impl Row {
    /// What a method showed.
    pub(crate) fn of(method: &'static str, proof: Proof, took: Option<Duration>) -> Self {
        Self { method, proof: Some(proof), error: None, took }
    }

    /// A method that came to no result.
    pub(crate) fn failed(method: &'static str, error: &ProveError, took: Duration) -> Self {
        Self { method, proof: None, error: Some(error.to_string()), took: Some(took) }
    }

    /// Whether the method came to a result, and found nothing.
    pub(crate) fn is_good(&self) -> bool {
        self.proof.as_ref().is_some_and(|proof| proof.found == 0)
    }

    /// Whether the method came to a result, and found something.
    pub(crate) fn has_found(&self) -> bool {
        self.proof.as_ref().is_some_and(|proof| proof.found > 0)
    }

    fn cells(&self) -> [String; 4] {
        let (size, found) = match &self.proof {
            Some(proof) => (proof.size(), proof.found.to_string()),
            None => ("no result".to_owned(), String::new()),
        };
        [self.method.to_owned(), size, found, self.took.map(format_duration).unwrap_or_default()]
    }

    fn remarks(&self) -> impl Iterator<Item = String> {
        let remarks = self.proof.iter().flat_map(|proof| &proof.remarks).chain(&self.error);
        remarks.map(|remark| format!("{}: {remark}", self.method))
    }

    fn to_json(&self) -> Value {
        json!({
            "method": self.method,
            "proof": self.proof,
            "error": self.error,
            "seconds": self.took.map(|took| took.as_secs()),
        })
    }
}

/// Prints the table on standard output, under the date and the machine.
pub(crate) fn print(rows: &[Row], markdown: bool) {
    use std::io::Write as _;
    let mut table = Table::new();
    let style = if markdown { ASCII_MARKDOWN } else { UTF8_BORDERS_ONLY };
    table.load_style(style).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(HEADER);
    for row in rows {
        table.add_row(row.cells());
    }
    let remarks: Vec<_> = rows.iter().flat_map(Row::remarks).collect();
    // A closed standard output is ignored.
    let _ = writeln!(std::io::stdout(), "{}, {}\n\n{table}\n\n{}", today(), machine(), remarks.join("\n"));
}

/// Writes the JSON file.
pub(crate) fn write(path: &Path, rows: &[Row]) -> Result<(), ProveError> {
    let report =
        json!({ "date": today(), "machine": machine(), "rows": rows.iter().map(Row::to_json).collect::<Vec<_>>() });
    Ok(std::fs::write(path, format!("{report:#}\n")).map_err(Error::io(format!("writing {}", path.display())))?)
}

/// The date in UTC.
fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_good_when_the_method_found_nothing() {
        let took = Duration::from_secs(61);
        let row = |found: usize| Row::of("simulation", Proof::new(3, "seeds", found), Some(took));
        assert!(row(0).is_good() && !row(1).is_good());
        assert_eq!(row(1).cells(), ["simulation", "3 seeds", "1", "1m 01s"]);
        let failed = Row::failed("simulation", &ProveError::Interrupted, took);
        assert!(!failed.is_good());
        assert_eq!(failed.remarks().collect::<Vec<_>>(), ["simulation: interrupted"]);
    }
}
