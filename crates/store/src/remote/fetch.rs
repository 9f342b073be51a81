//! Many files fetched or put at once: over a network most of the time goes by waiting. One of the files
//! with threads.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Remote;
use crate::error::Result;

/// Files that are fetched or put at the same time; of one that is put a piece is in memory.
const AT_ONCE: usize = 8;

impl Remote {
    /// Has lists here. What goes wrong is said when they are read.
    pub(crate) fn bring_all(&self, paths: Vec<PathBuf>) {
        let missing: Vec<PathBuf> = paths.into_iter().filter(|path| !path.exists()).collect();
        let _ = at_once(&missing, |path| self.bring(path));
    }
}

/// Does `work` for each, many at once, until one fails.
pub(crate) fn at_once<T: Sync>(all: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
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
