//! What the machine says of itself: processes and their memory, swap, use of a file system, who has
//! the store locked. Reads /proc.

use std::path::Path;

use pmtaq_schema::Timestamp;
use pmtaq_store::{Lock, layout};

use crate::failure::{Failure, Result};

/// A process, its sizes in kB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Process {
    /// In memory or in swap.
    memory: f64,
    /// Its address space.
    virtual_memory: f64,
}

impl Process {
    /// By what /proc/PID/status says.
    fn of(status: &str) -> Process {
        let size = |name| kilobytes(status, name).unwrap_or(0.0);
        Process { memory: size("VmRSS:") + size("VmSwap:"), virtual_memory: size("VmSize:") }
    }
}

/// The processes called `name`. proc(5): the name in `comm` has 15 bytes at most.
#[expect(clippy::disallowed_methods, reason = "a folder of the kernel, not one of a store")]
pub(crate) fn processes(name: &str) -> Result<Vec<Process>> {
    let folders = std::fs::read_dir("/proc").map_err(|error| unreadable("/proc", &error))?;
    let short = name.as_bytes().get(..15).unwrap_or(name.as_bytes());
    let mut found = Vec::new();
    for folder in folders.flatten() {
        // A process may end while it is read.
        let read = |file: &str| std::fs::read(folder.path().join(file)).ok();
        if read("comm").is_none_or(|comm| comm.trim_ascii_end() != short) {
            continue;
        }
        let status = read("status").unwrap_or_default();
        let status = String::from_utf8_lossy(&status);
        // One that has ended, and whose parent has not asked how.
        if status.is_empty() || status.lines().any(|line| line.starts_with("State:\tZ")) {
            continue;
        }
        found.push(Process::of(&status));
    }
    Ok(found)
}

/// The memory of all processes called `name`, also what is swapped out, in percent of the machine's;
/// none where no process has that name.
pub(crate) fn memory(name: &str) -> Result<Option<f64>> {
    let total = machine(&["MemTotal:"])?;
    Ok(sum(&processes(name)?, |process| process.memory).map(|sum| 100.0 * sum / total.max(1.0)))
}

/// Their address space, in percent of the machine's memory and swap.
pub(crate) fn address_space(name: &str) -> Result<Option<f64>> {
    let total = machine(&["MemTotal:", "SwapTotal:"])?;
    let sum = sum(&processes(name)?, |process| process.virtual_memory);
    Ok(sum.map(|sum| 100.0 * sum / total.max(1.0)))
}

/// The used part of the machine's swap in percent; 0 where it has none.
pub(crate) fn swap() -> Result<f64> {
    let (total, free) = (machine(&["SwapTotal:"])?, machine(&["SwapFree:"])?);
    Ok(100.0 * (total - free) / total.max(1.0))
}

fn sum(processes: &[Process], size: impl Fn(&Process) -> f64) -> Option<f64> {
    (!processes.is_empty()).then(|| processes.iter().map(size).sum())
}

/// The sum of some lines of /proc/meminfo, in kB.
fn machine(names: &[&str]) -> Result<f64> {
    let text = std::fs::read_to_string("/proc/meminfo")
        .map_err(|error| unreadable("/proc/meminfo", &error))?;
    let size = |name: &&str| {
        kilobytes(&text, name).ok_or_else(|| Failure::usage(format!("/proc/meminfo has no {name}")))
    };
    names.iter().map(size).sum()
}

fn kilobytes(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Who has the store locked.
pub(crate) struct Locked {
    /// In the words of who has.
    pub(crate) owner: String,
    /// Since when, if that is said.
    pub(crate) since: Option<Timestamp>,
}

/// Who has the store locked for writing, if anyone.
pub(crate) fn locked(store: &Path) -> Result<Option<Locked>> {
    let owner = Lock::holder(&layout::lock(store))?;
    Ok(owner.map(|owner| {
        let since = owner.rsplit_once(" since ");
        let since = since.and_then(|(_, since)| Timestamp::parse(since.as_bytes()));
        Locked { owner, since }
    }))
}

/// How full the file system of `path` is for its users, in percent, as df counts it.
pub(crate) fn disk(path: &str) -> Result<f64> {
    let stat = rustix::fs::statvfs(Path::new(path)).map_err(|error| unreadable(path, &error))?;
    let used = stat.f_blocks.saturating_sub(stat.f_bfree) as f64;
    Ok(100.0 * used / (used + stat.f_bavail as f64).max(1.0))
}

fn unreadable(what: &str, error: &dyn std::error::Error) -> Failure {
    Failure::from_text(format!("cannot read {what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_swapped_out_is_memory_too() {
        let status = "Name:\tpmtad\nVmSize:\t 9000 kB\nVmRSS:\t 600 kB\nVmSwap:\t 300 kB\n";
        let process = Process::of(status);
        assert_eq!((process.memory, process.virtual_memory), (900.0, 9000.0));
    }

    #[test]
    fn the_machine_tells_of_this_process_and_this_disk() {
        let comm = std::fs::read_to_string("/proc/self/comm").expect("a name");
        let name = comm.trim_end();
        let share = memory(name).expect("readable").expect("this process");
        assert!(share > 0.0 && share < 100.0, "{share}");
        let space = address_space(name).expect("readable").expect("this process");
        assert!(space > 0.0, "{space}");
        assert!(!processes(name).expect("readable").is_empty());
        for none in [memory("no-such-prog"), address_space("no-such-prog")] {
            assert!(none.expect("readable").is_none());
        }
        assert!((0.0..=100.0).contains(&swap().expect("readable")));
        assert!((0.0..=100.0).contains(&disk("/").expect("a file system")));
        assert!(disk("/no/such/folder").is_err());
    }
}
