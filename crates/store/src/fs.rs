//! Every change to the file system: write, sync, rename, delete. The only file that does so.
//!
//! Each change is one step that a test can make fatal, so that "what would a kill leave here?"
//! is asked of every step and not of those that somebody thought of.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{At, Result};

/// Who may read a file of a store: it holds recipients, so nobody but its owner and his group. The
/// umask may take more.
pub(crate) const FILE_MODE: u32 = 0o640;

/// Who may enter a folder of a store.
const DIR_MODE: u32 = 0o750;

/// Writes to the file system, counting the steps.
#[derive(Debug, Default)]
pub struct Disk {
    fault: Option<Fault>,
    steps: AtomicU64,
}

/// What happens at a chosen step, for tests of crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process gets SIGKILL just before the step of this number, counted from 1.
    KillAt(u64),
    /// The step of this number, counted from 1, fails as on a full disk.
    FullAt(u64),
}

impl Disk {
    /// A disk on which `fault` happens.
    pub fn failing(fault: Fault) -> Disk {
        Disk { fault: Some(fault), steps: AtomicU64::new(0) }
    }

    fn step(&self, path: &Path) -> Result<()> {
        let step = self.steps.fetch_add(1, Ordering::Relaxed) + 1;
        match self.fault {
            Some(Fault::KillAt(at)) if at == step => {
                // Cannot fail for one's own process; if it did, going on is the right thing.
                let own = rustix::process::getpid();
                let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
                Ok(())
            }
            Some(Fault::FullAt(at)) if at <= step => {
                Err(std::io::Error::from(std::io::ErrorKind::StorageFull)).at(path)
            }
            _ => Ok(()),
        }
    }

    /// Makes a folder and those above it.
    pub(crate) fn create_dir(&self, path: &Path) -> Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        self.step(path)?;
        fs::DirBuilder::new().recursive(true).mode(DIR_MODE).create(path).at(path)?;
        path.parent().map_or(Ok(()), |parent| self.sync_dir(parent))
    }

    /// Makes an empty file to be written.
    pub(crate) fn create(&self, path: &Path) -> Result<File> {
        self.step(path)?;
        let mut options = File::options();
        options.write(true).create(true).truncate(true).mode(FILE_MODE).open(path).at(path)
    }

    /// Makes the bytes of a file survive a power cut.
    pub(crate) fn sync(&self, file: &File, path: &Path) -> Result<()> {
        self.step(path)?;
        file.sync_all().at(path)
    }

    /// Makes the names in a folder survive a power cut.
    pub(crate) fn sync_dir(&self, path: &Path) -> Result<()> {
        self.step(path)?;
        File::open(path).and_then(|dir| dir.sync_all()).at(path)
    }

    /// Writes a new file and syncs it; its name is durable after the folder was synced.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let mut file = self.create(path)?;
        self.step(path)?;
        file.write_all(bytes).at(path)?;
        self.sync(&file, path)
    }

    /// Either leaves `path` as it was, or holding `bytes`, synced.
    pub(crate) fn write_atomic(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let new = path.with_extension("new");
        self.write(&new, bytes)?;
        self.rename(&new, path)?;
        path.parent().map_or(Ok(()), |parent| self.sync_dir(parent))
    }

    /// Gives a file another name on the same file system.
    #[expect(clippy::disallowed_methods, reason = "the one place that renames")]
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.step(from)?;
        fs::rename(from, to).at(from)
    }

    /// Deletes a file; one that is gone is as good as deleted.
    #[expect(clippy::disallowed_methods, reason = "the one place that deletes")]
    pub(crate) fn remove(&self, path: &Path) -> Result<()> {
        self.step(path)?;
        match fs::remove_file(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            other => other.at(path),
        }
    }

    /// Deletes a folder if nothing is in it.
    #[expect(clippy::disallowed_methods, reason = "the one place that deletes")]
    pub(crate) fn remove_empty_dir(&self, path: &Path) -> Result<()> {
        self.step(path)?;
        match fs::remove_dir(path) {
            Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            other => other.at(path),
        }
    }
}

/// Whether a folder holds anything other than what an interrupted [`crate::Store::create`] left.
#[expect(clippy::disallowed_methods, reason = "asks before there is a manifest to ask")]
pub(crate) fn holds_other_things(dir: &Path) -> Result<bool> {
    match fs::read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).at(dir),
        Ok(mut entries) => {
            Ok(entries.any(|entry| entry.is_ok_and(|entry| entry.file_name() != "_pmtaq")))
        }
    }
}

/// The names in a folder, in no order; none when it is not there.
#[expect(clippy::disallowed_methods, reason = "asks the disk what no manifest knows")]
pub(crate) fn names(dir: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.at(dir)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.at(dir)?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}
