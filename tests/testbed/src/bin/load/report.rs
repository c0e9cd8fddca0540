//! The table and the JSON file.

use std::path::Path;

use comfy_table::{
    ContentArrangement, Table,
    presets::{ASCII_MARKDOWN, UTF8_BORDERS_ONLY},
};
use kube_glue_testbed::{Error, machine};
use serde_json::json;

use crate::{error::LoadError, row::Row, settings::Settings};

const HEADER: [&str; 7] = ["SCENARIO", "MEASURE", "VALUE", "BASELINE", "RATIO", "GOAL", "VERDICT"];

/// Prints the table on standard output.
pub(crate) fn print(rows: &[Row], markdown: bool) {
    use std::io::Write as _;
    let mut table = Table::new();
    let style = if markdown { ASCII_MARKDOWN } else { UTF8_BORDERS_ONLY };
    table.load_style(style).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(HEADER);
    for row in rows {
        table.add_row(row.cells());
    }
    let remarks: Vec<_> = rows.iter().filter_map(Row::remark).collect();
    // A closed standard output is ignored.
    let _ = writeln!(std::io::stdout(), "{}\n{table}\n\n{}", machine(), remarks.join("\n"));
}

/// Writes the JSON file.
pub(crate) fn write(path: &Path, settings: &Settings, rows: &[Row]) -> Result<(), LoadError> {
    let report = json!({
        "machine": machine(),
        "scale": settings.scale,
        "rows": rows.iter().map(Row::to_json).collect::<Vec<_>>(),
    });
    Ok(std::fs::write(path, format!("{report:#}\n")).map_err(Error::io(format!("writing {}", path.display())))?)
}
