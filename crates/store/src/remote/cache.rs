//! What of a bucket lies on this machine: bounded, the longest unused goes first; and only of the store
//! that is there now.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};

use super::{Remote, paths};
use crate::error::Result;
use crate::layout::{self, Table};

/// How long what was used is as good as used now.
const USED: Duration = Duration::from_secs(3600);

/// What was being fetched for so long is left by a process that was killed.
const LEFT: Duration = Duration::from_secs(24 * 3600);

/// The bound, and what is used of it.
pub(super) struct Cache {
    limit: u64,
    /// Bytes here; none until they were counted.
    used: Mutex<Option<u64>>,
}

impl Cache {
    pub(super) fn new(limit: u64) -> Cache {
        Cache { limit, used: Mutex::default() }
    }
}

impl Remote {
    /// Notes that a file was used.
    pub(super) fn touch(&self, path: &Path, here: &Metadata) {
        let is_old =
            here.modified().ok().and_then(|at| at.elapsed().ok()).is_some_and(|age| age > USED);
        if is_old {
            let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
            let times = Timestamps { last_access: now, last_modification: now };
            // A file of another user is used all the same.
            let _ = utimensat(CWD, path, &times, AtFlags::empty());
        }
    }

    /// Counts `bytes` more, and drops what was not used for longest when that is too much; never `kept`.
    pub(super) fn make_room(&self, bytes: u64, kept: &Path) -> Result<()> {
        let mut used = self.inner.cache.used.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = self.inner.cache.limit;
        let sum = used.map_or(u64::MAX, |used| used + bytes);
        if sum <= limit {
            *used = Some(sum);
            return Ok(());
        }
        let mut files: Vec<(SystemTime, u64, PathBuf)> = self
            .files()
            .filter_map(|path| {
                let here = path.metadata().ok().filter(Metadata::is_file)?;
                Some((here.modified().ok()?, here.len(), path))
            })
            .collect();
        let mut sum: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        if sum > limit {
            files.sort();
            for (_, bytes, path) in files.iter().filter(|(.., path)| path != kept) {
                if sum <= limit / 10 * 9 {
                    break;
                }
                self.drop_file(path)?;
                sum -= bytes;
            }
        }
        *used = Some(sum);
        Ok(())
    }

    /// Parts and lists that are here.
    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let tables = Table::ALL.map(|table| layout::table(self.dir(), table));
        let folders = tables.into_iter().chain([layout::days(self.dir())]);
        let folders = folders.flat_map(|table| paths(&table).collect::<Vec<_>>());
        folders.flat_map(|folder| paths(&folder).collect::<Vec<_>>())
    }

    /// Deletes a file from here; who has it open reads on.
    pub(crate) fn drop_file(&self, path: &Path) -> Result<()> {
        self.inner.disk.remove(path)
    }

    /// Drops all that is here when it is of another store, or from before an erasure.
    pub(super) fn keep_to(&self, store: &str) -> Result<()> {
        let store = format!("store {store}");
        if self.is_noted(&store) {
            return Ok(());
        }
        self.empty()?;
        let lines = self
            .notes()
            .lines()
            .filter(|line| !line.starts_with("store "))
            .collect::<Vec<_>>()
            .join("\n");
        self.write_notes(&format!("{lines}\n{store}\n"))
    }

    /// Drops all that is here.
    ///
    /// # Errors
    /// [`crate::Error::Io`] of the folder.
    pub(crate) fn empty(&self) -> Result<()> {
        self.files().try_for_each(|path| self.drop_file(&path))
    }

    /// Whether a line was noted.
    pub(super) fn is_noted(&self, line: &str) -> bool {
        self.notes().lines().any(|known| known == line)
    }

    /// Remembers a line.
    pub(super) fn note(&self, line: &str) -> Result<()> {
        self.write_notes(&format!("{}{line}\n", self.notes()))
    }

    fn notes(&self) -> String {
        std::fs::read_to_string(layout::cached(self.dir())).unwrap_or_default()
    }

    fn write_notes(&self, text: &str) -> Result<()> {
        let new = layout::fetching(self.dir()).join(format!("{:016x}", pmtaq_bucket::random()));
        self.inner.disk.write(&new, text.as_bytes())?;
        self.inner.disk.rename(&new, &layout::cached(self.dir()))
    }

    /// Deletes what a process that was killed had begun to fetch.
    pub(super) fn drop_left(&self) {
        for path in paths(&layout::fetching(self.dir())) {
            let age = path
                .metadata()
                .and_then(|here| here.modified())
                .ok()
                .and_then(|at| at.elapsed().ok());
            if age.is_some_and(|age| age > LEFT) {
                let _ = self.drop_file(&path);
            }
        }
    }
}
