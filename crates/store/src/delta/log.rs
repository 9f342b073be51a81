//! Where the files of a Delta log lie: in the folder of the store, or in its bucket. Knows no action of
//! a log.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{At, Result};
use crate::fs::{self, Disk};
use crate::layout::{self, Table};
use crate::place::Location;

/// The logs of a store.
#[derive(Clone, Copy)]
pub(crate) struct Log<'l> {
    pub(crate) place: &'l Location,
    pub(crate) disk: &'l Disk,
    /// What time it is at the server of a bucket, in seconds since 1970.
    pub(crate) now: Option<i64>,
}

impl Log<'_> {
    pub(super) fn dir(&self) -> &Path {
        self.place.dir()
    }

    /// The file of a version.
    pub(super) fn version(&self, table: Table, version: u64) -> PathBuf {
        layout::delta_version(self.dir(), table, version)
    }

    /// Whether the log has come to a version. In a bucket each writer has seen to that before it says
    /// which comes next.
    pub(super) fn is_at(&self, table: Table, version: u64) -> bool {
        self.place.remote().is_some() || self.version(table, version).exists()
    }

    pub(super) fn has(&self, path: &Path) -> Result<bool> {
        self.place.remote().map_or(Ok(path.exists()), |remote| remote.has(path))
    }

    /// Puts a file, whatever was there.
    pub(super) fn put(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        self.with_folder(path)?;
        match self.place.remote() {
            Some(remote) => remote.put(self.disk, path, bytes),
            None => self.disk.write_atomic(path, bytes),
        }
    }

    /// Puts a file that is not there, or that another writer has put meanwhile, of the same version.
    pub(super) fn put_new(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        self.with_folder(path)?;
        match self.place.remote() {
            Some(remote) => remote.put_new(self.disk, path, bytes),
            None => self.disk.write_atomic(path, bytes),
        }
    }

    fn with_folder(&self, path: &Path) -> Result<()> {
        let folder = path.parent().filter(|_| self.place.remote().is_none());
        folder.map_or(Ok(()), |folder| self.disk.create_dir(folder))
    }

    /// The names of the files of a log.
    pub(super) fn names(&self, table: Table) -> Result<Vec<String>> {
        let folder = layout::delta(self.dir(), table);
        match self.place.remote() {
            Some(remote) => remote.names(&folder),
            None => fs::names(&folder),
        }
    }

    pub(super) fn remove(&self, table: Table, name: &str) -> Result<()> {
        let path = layout::delta(self.dir(), table).join(name);
        match self.place.remote() {
            Some(remote) => remote.delete(self.disk, &path),
            None => self.disk.remove(&path),
        }
    }

    pub(super) fn remove_folder(&self, table: Table) -> Result<()> {
        match self.place.remote() {
            Some(_) => Ok(()),
            None => self.disk.remove_empty_dir(&layout::delta(self.dir(), table)),
        }
    }

    /// When the last commit was, in milliseconds since 1970.
    pub(super) fn now_ms(&self) -> Result<i64> {
        self.modified_ms(&layout::root(self.dir()))
    }

    /// When a file was written, in milliseconds since 1970; of a bucket, when it was told of.
    pub(super) fn modified_ms(&self, path: &Path) -> Result<i64> {
        if self.place.remote().is_some() {
            return Ok(self.now.unwrap_or(0) * 1000);
        }
        let file = std::fs::metadata(path).at(path)?;
        Ok(file.mtime() * 1000 + file.mtime_nsec() / 1_000_000)
    }
}
