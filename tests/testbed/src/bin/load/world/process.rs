//! What the kernel says about a process.

use std::{collections::HashSet, fs};

/// Memory and CPU time of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Usage {
    /// Resident memory, in MiB.
    pub(crate) resident: f64,
    /// The most resident memory since the start, or since [`reset_peak`], in MiB.
    pub(crate) peak: f64,
    /// CPU time of all its threads, in seconds.
    pub(crate) cpu: f64,
}

/// Reads the usage; none when the process has ended.
pub(crate) fn usage(pid: u32) -> Option<Usage> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(Usage {
        resident: mebibytes(&status, "VmRSS:")?,
        peak: mebibytes(&status, "VmHWM:")?,
        #[expect(clippy::cast_precision_loss)]
        cpu: cpu_ticks(&stat)? as f64 / rustix::param::clock_ticks_per_second() as f64,
    })
}

/// Lets the peak begin anew.
pub(crate) fn reset_peak(pid: u32) {
    // Where this is not permitted, the peak is that since the start.
    let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

/// A field of `/proc/<pid>/status`, which is in KiB.
fn mebibytes(status: &str, field: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / 1024.0)
}

/// `utime` and `stime` of `/proc/<pid>/stat`. The program's name, in parentheses, may contain spaces.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<_> = after_name.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

/// The number of TCP connections of a process to a port.
pub(crate) fn connections(pid: u32, port: u16) -> usize {
    let table = fs::read_to_string(format!("/proc/{pid}/net/tcp")).unwrap_or_default();
    let all: HashSet<_> = table.lines().skip(1).filter_map(|line| socket_to(line, port)).collect();
    let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let targets = files.filter_map(|file| fs::read_link(file.path()).ok());
    let is_one = |target: &str| {
        let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
        inode.is_some_and(|inode| all.contains(inode))
    };
    targets.filter(|target| target.to_str().is_some_and(is_one)).count()
}

/// The inode of a line of `/proc/<pid>/net/tcp` if it is an established connection to this port.
fn socket_to(line: &str, port: u16) -> Option<&str> {
    const ESTABLISHED: &str = "01";
    let fields: Vec<_> = line.split_whitespace().collect();
    let (remote, state, inode) = (fields.get(2)?, fields.get(3)?, fields.get(9)?);
    let (_, remote_port) = remote.split_once(':')?;
    (u16::from_str_radix(remote_port, 16) == Ok(port) && *state == ESTABLISHED).then_some(*inode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read() {
        let status = "Name:\tkube-glue\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\n";
        assert_eq!(mebibytes(status, "VmRSS:"), Some(10.0));
        assert_eq!(mebibytes(status, "VmHWM:"), Some(20.0));
        assert_eq!(mebibytes(status, "VmSwap:"), None);
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 5 0 100 1 1";
        assert_eq!(cpu_ticks(stat), Some(300));
        let line = "   1: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 4711 1";
        assert_eq!(socket_to(line, 8080), Some("4711"));
        assert_eq!(socket_to(line, 8081), None);
        assert_eq!(socket_to(&line.replace(" 01 ", " 06 "), 8080), None);
    }

    #[test]
    fn this_process_uses_memory() {
        let usage = usage(std::process::id()).unwrap();
        assert!(usage.resident > 0.0 && usage.peak >= usage.resident, "{usage:?}");
    }
}
