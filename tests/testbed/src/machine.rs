//! The machine that figures were measured on.

use serde_json::{Value, json};

/// The machine, in words that do not identify it.
#[must_use]
pub fn machine() -> Value {
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
