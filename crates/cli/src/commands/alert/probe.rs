//! What the machine says of itself: memory of a program, use of a file system. Reads /proc.

use std::path::Path;

use super::observe::unreadable;
use crate::failure::{Failure, Result};

/// The memory in use by all processes called `name`, in percent of the machine's; none where no
/// process has that name. proc(5): the name in `comm` has 15 bytes at most.
#[expect(clippy::disallowed_methods, reason = "a folder of the kernel, not one of a store")]
pub(crate) fn memory(name: &str) -> Result<Option<f64>> {
    let total = std::fs::read_to_string("/proc/meminfo")
        .map_err(|error| unreadable("/proc/meminfo", &error))?
        .lines()
        .find_map(|line| kilobytes(line, "MemTotal:"))
        .ok_or_else(|| Failure::usage("/proc/meminfo has no MemTotal"))?;
    let folders = std::fs::read_dir("/proc").map_err(|error| unreadable("/proc", &error))?;
    let short: String = name.chars().take(15).collect();
    let mut sum = None;
    for folder in folders.flatten() {
        // A process may end while it is read.
        let read = |file: &str| std::fs::read_to_string(folder.path().join(file)).ok();
        if read("comm").is_some_and(|comm| comm.trim_end() == short) {
            let status = read("status").unwrap_or_default();
            let resident = status.lines().find_map(|line| kilobytes(line, "VmRSS:"));
            *sum.get_or_insert(0.0) += resident.unwrap_or(0.0);
        }
    }
    Ok(sum.map(|sum: f64| 100.0 * sum / total.max(1.0)))
}

fn kilobytes(line: &str, name: &str) -> Option<f64> {
    line.strip_prefix(name)?.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// How full the file system of `path` is for its users, in percent, as df counts it.
pub(crate) fn disk(path: &str) -> Result<f64> {
    let stat = rustix::fs::statvfs(Path::new(path)).map_err(|error| unreadable(path, &error))?;
    let used = stat.f_blocks.saturating_sub(stat.f_bfree) as f64;
    Ok(100.0 * used / (used + stat.f_bavail as f64).max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_tells_of_this_process_and_this_disk() {
        let comm = std::fs::read_to_string("/proc/self/comm").expect("a name");
        let share = memory(comm.trim_end()).expect("readable").expect("this process");
        assert!(share > 0.0 && share < 100.0, "{share}");
        assert!(memory("no-such-prog").expect("readable").is_none());
        assert!((0.0..=100.0).contains(&disk("/").expect("a file system")));
        assert!(disk("/no/such/folder").is_err());
    }
}
