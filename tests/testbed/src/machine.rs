//! The machine that figures were measured on.

use std::fmt;

use serde::Serialize;

/// The machine, in words that do not identify it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    cores: usize,
    cpu: Option<String>,
    /// In MiB.
    #[serde(rename = "memoryMiB")]
    memory: Option<u64>,
    kernel: String,
}

/// This machine.
#[must_use]
pub fn machine() -> Machine {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let memory = read("/proc/meminfo");
    let kibibytes = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    Machine {
        cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        cpu: model.map(|(_, model)| model.to_owned()),
        memory: kibibytes.and_then(|amount| amount.trim().parse::<u64>().ok()).map(|amount| amount / 1024),
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, cpu, memory, kernel } = self;
        write!(f, "{cores} cores")?;
        if let Some(cpu) = cpu {
            write!(f, ", {cpu}")?;
        }
        if let Some(memory) = memory {
            write!(f, ", {memory} MiB")?;
        }
        write!(f, ", kernel {kernel}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_named() {
        let (cpu, memory, kernel) = (Some("AMD EPYC".to_owned()), Some(24_105), "6.18".to_owned());
        let known = Machine { cores: 2, cpu, memory, kernel: kernel.clone() };
        assert_eq!(known.to_string(), "2 cores, AMD EPYC, 24105 MiB, kernel 6.18");
        assert_eq!(serde_json::to_value(&known).unwrap()["memoryMiB"], 24_105);
        let unknown = Machine { cores: 1, cpu: None, memory: None, kernel };
        assert_eq!(unknown.to_string(), "1 cores, kernel 6.18");
    }
}
