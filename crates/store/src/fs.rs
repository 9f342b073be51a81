//! Every change to the file system: write, sync, rename, delete. The only file that does so.
//!
//! Each change is one step that a test can make fatal, so that "what would a kill leave here?"
//! is asked of every step and not of those that somebody thought of.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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
    /// A disk that was full has room again.
    has_room: AtomicBool,
}

/// What happens at a chosen step, for tests of crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process gets SIGKILL just before the step of this number, counted from 1.
    KillAt(u64),
    /// From the step of this number on, counted from 1, those that need room fail as on a full disk.
    FullAt(u64),
}

impl Disk {
    /// A disk on which `fault` happens.
    pub fn failing(fault: Fault) -> Disk {
        Disk { fault: Some(fault), ..Disk::default() }
    }

    /// A step that needs room on the disk.
    fn step(&self, path: &Path) -> Result<()> {
        let step = self.free_step();
        match self.fault {
            Some(Fault::FullAt(at)) if at <= step && !self.has_room.load(Ordering::Relaxed) => {
                Err(std::io::Error::from(std::io::ErrorKind::StorageFull)).at(path)
            }
            _ => Ok(()),
        }
    }

    /// A step that is done on a full disk too. Returns its number.
    fn free_step(&self) -> u64 {
        let step = self.steps.fetch_add(1, Ordering::Relaxed) + 1;
        if self.fault == Some(Fault::KillAt(step)) {
            // Cannot fail for one's own process; if it did, going on is the right thing.
            let own = rustix::process::getpid();
            let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
        }
        step
    }

    /// A change of a bucket, which is no change of this disk and a step all the same.
    pub(crate) fn remote_step(&self) {
        self.free_step();
    }

    /// Makes a folder and those above it.
    pub(crate) fn create_dir(&self, path: &Path) -> Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        self.step(path)?;
        let missing: Vec<&Path> = path.ancestors().take_while(|path| !path.is_dir()).collect();
        fs::DirBuilder::new().recursive(true).mode(DIR_MODE).create(path).at(path)?;
        missing.into_iter().rev().filter(|path| path.is_dir()).try_for_each(own)?;
        path.parent().map_or(Ok(()), |parent| self.sync_dir(parent))
    }

    /// Makes an empty file to be written.
    pub(crate) fn create(&self, path: &Path) -> Result<File> {
        self.step(path)?;
        let mut options = File::options();
        let file = options.write(true).create(true).truncate(true).mode(FILE_MODE).open(path);
        let file = file.at(path)?;
        own(path)?;
        Ok(file)
    }

    /// Gives a file a second name.
    pub(crate) fn link(&self, from: &Path, to: &Path) -> Result<()> {
        self.step(to)?;
        fs::hard_link(from, to).at(from)
    }

    /// Writes the bytes of a file to a new one and syncs it.
    pub(crate) fn copy(&self, from: &Path, to: &Path) -> Result<()> {
        let mut bytes = File::open(from).at(from)?;
        let mut file = self.create(to)?;
        self.step(to)?;
        std::io::copy(&mut bytes, &mut file).at(to)?;
        self.sync(&file, to)
    }

    /// Deletes a file whose only use is the room that it takes. The room is there then, also on a disk
    /// that was said to be full for a test.
    #[expect(clippy::disallowed_methods, reason = "the one place that deletes")]
    pub(crate) fn give_up(&self, path: &Path) -> Result<()> {
        fs::remove_file(path).at(path)?;
        self.has_room.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Makes the bytes of a file survive a power cut.
    pub(crate) fn sync(&self, file: &File, path: &Path) -> Result<()> {
        self.step(path)?;
        file.sync_all().at(path)
    }

    /// Makes the names in a folder survive a power cut.
    pub(crate) fn sync_dir(&self, path: &Path) -> Result<()> {
        self.free_step();
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
        self.free_step();
        match fs::remove_file(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            other => other.at(path),
        }
    }

    /// Deletes a folder if nothing is in it.
    #[expect(clippy::disallowed_methods, reason = "the one place that deletes")]
    pub(crate) fn remove_empty_dir(&self, path: &Path) -> Result<()> {
        self.free_step();
        match fs::remove_dir(path) {
            Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            other => other.at(path),
        }
    }
}

/// Gives what root has made to the owner of the folder that it lies in: else one run as root would lock
/// the user out to whom the store belongs.
pub(crate) fn own(path: &Path) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let owner = fs::metadata(folder.unwrap_or(Path::new("."))).at(path)?;
    let made = fs::symlink_metadata(path).at(path)?;
    if (owner.uid(), owner.gid()) == (made.uid(), made.gid()) {
        return Ok(());
    }
    std::os::unix::fs::lchown(path, Some(owner.uid()), Some(owner.gid())).at(path)
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
