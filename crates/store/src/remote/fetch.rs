//! Many files fetched or put at once: over a network most of the time goes by waiting. One of the files
//! with threads.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Remote;
use crate::error::Result;
use crate::snapshot::SnapshotPart;

/// Files that are fetched or put at the same time; of one that is put a piece is in memory.
const AT_ONCE: usize = 8;

/// Has all of `parts` on this machine, those of a bucket many at once.
///
/// # Errors
/// What the first says that cannot be had.
pub fn fetch(parts: &[&SnapshotPart]) -> Result<()> {
    let missing: Vec<&SnapshotPart> =
        parts.iter().copied().filter(|part| part.remote.is_some() && !part.is_here()).collect();
    at_once(&missing, |part| {
        part.remote.as_ref().map_or(Ok(()), |remote| remote.bring_part(&part.path, &part.part))
    })
}

impl Remote {
    /// Has lists here. What goes wrong is said when they are read.
    pub(crate) fn bring_all(&self, paths: Vec<PathBuf>) {
        let missing: Vec<PathBuf> = paths.into_iter().filter(|path| !path.exists()).collect();
        let _ = at_once(&missing, |path| self.bring(path));
    }
}

/// Does `work` for each, many at once, until one fails.
pub(super) fn at_once<T: Sync>(all: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let next = AtomicUsize::new(0);
    let some = || {
        while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(one).inspect_err(|_| next.store(all.len(), Ordering::Relaxed))?;
        }
        Ok(())
    };
    if all.len() < 2 {
        return some();
    }
    thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE.min(all.len())).map(|_| scope.spawn(some)).collect();
        let ended = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        // All have to end before the first error is told.
        ended.collect::<Vec<_>>().into_iter().collect()
    })
}
