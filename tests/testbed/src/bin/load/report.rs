//! The table and the JSON file.

use std::path::Path;

use comfy_table::{
    ContentArrangement, Table,
    presets::{ASCII_MARKDOWN, UTF8_BORDERS_ONLY},
};
use kube_glue_testbed::Error;
use serde_json::{Value, json};

use crate::{error::LoadError, row::Row, settings::Settings};

const HEADER: [&str; 7] = ["SCENARIO", "MEASURE", "VALUE", "BASELINE", "RATIO", "GOAL", "VERDICT"];

/// The machine, in words that do not identify it.
pub(crate) fn machine() -> Value {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let memory = read("/proc/meminfo");
    let kibibytes = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    let mebibytes = kibibytes.and_then(|amount| amount.trim().parse::<u64>().ok()).map(|amount| amount / 1024);
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    json!({
        "cores": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "cpu": model.map(|(_, model)| model),
        "memoryMiB": mebibytes,
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
    })
}

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
