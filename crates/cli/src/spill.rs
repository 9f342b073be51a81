//! Room on a disk for questions that need more than their memory: a folder for each session, below
//! one that this process has for itself and deletes. Knows nothing of what is put there.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::failure::{Failure, Result};

/// What the folder of a process is called, before its number.
const PREFIX: &str = "pmtaq-spill-";

/// The folder of this process. It goes with its value.
pub(crate) struct Spill {
    dir: PathBuf,
    sessions: AtomicU64,
}

impl Spill {
    /// Makes the folder in `parent`, where those of processes that were killed are deleted.
    ///
    /// # Errors
    /// [`Failure::usage`] that names the folder.
    pub(crate) fn create(parent: &Path) -> Result<Spill> {
        delete_left(parent);
        let dir = parent.join(format!("{PREFIX}{}", std::process::id()));
        // What is put there holds recipients.
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&dir)
            .map_err(|error| Failure::usage(format!("cannot make {}: {error}", dir.display())))?;
        Ok(Spill { dir, sessions: AtomicU64::new(0) })
    }

    /// A folder for one session, which the engine makes when it needs it.
    pub(crate) fn of_session(&self) -> PathBuf {
        self.dir.join(self.sessions.fetch_add(1, Ordering::Relaxed).to_string())
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        delete(&self.dir);
    }
}

/// Deletes the folders of processes that are no more.
#[expect(clippy::disallowed_methods, reason = "a folder of the user, not one of a store")]
fn delete_left(parent: &Path) {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            delete(&entry.path());
        }
    }
}

/// What cannot be deleted is left to the next one.
#[expect(clippy::disallowed_methods, reason = "nothing of a store, and nothing that is kept")]
fn delete(dir: &Path) {
    let _ = fs::remove_dir_all(dir);
}
