//! One writer at a time: a lock file that names its owner. The lock ends with the process, however
//! it ends; the file stays. Knows nothing of what is written under it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use crate::error::{At, Error, Result};
use crate::fs::{FILE_MODE, own};

/// How often the lock is tried again while those who only look at it have it, and after how long.
const TRIES: u32 = 500;
const PAUSE: Duration = Duration::from_millis(10);

/// The lock, held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock at `path` at once or says who has it. `owner` is what others are told.
    ///
    /// # Errors
    /// [`Error::Locked`] with the owner, [`Error::Io`] that names the file.
    pub fn take(path: &Path, owner: &str) -> Result<Lock> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE)
            .open(path)
            .at(path)?;
        let mut locked = file.try_lock();
        // Who only asks for the holder shares it for a moment, which may be long on a busy machine. The
        // kernel's list of locks is no way to ask: it does not show those of other containers.
        for _ in 0..TRIES {
            if !matches!(locked, Err(TryLockError::WouldBlock)) || file.try_lock_shared().is_err() {
                break;
            }
            file.unlock().at(path)?;
            std::thread::sleep(PAUSE);
            locked = file.try_lock();
        }
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                file.read_to_string(&mut owner).at(path)?;
                return Err(Error::Locked { owner: owner.trim().to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(error).at(path),
        }
        // In place, and cut then: a full disk has no room for anything new.
        file.rewind().at(path)?;
        writeln!(file, "{owner}").at(path)?;
        file.set_len(owner.len() as u64 + 1).at(path)?;
        own(path)?;
        Ok(Lock { _file: file })
    }

    /// Who holds the lock at `path`, as they said when they took it; none when nobody does.
    ///
    /// # Errors
    /// [`Error::Io`] that names the file.
    pub fn holder(path: &Path) -> Result<Option<String>> {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.at(path)?,
        };
        match file.try_lock_shared() {
            // Given back at once; who takes it in this moment tries again.
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                file.read_to_string(&mut owner).at(path)?;
                Ok(Some(owner.trim().to_owned()))
            }
            Err(TryLockError::Error(error)) => Err(error).at(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_looks_at_the_lock_keeps_no_writer_from_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        drop(Lock::take(&path, "first").expect("the lock"));
        let looks = File::open(&path).expect("the file");
        looks.try_lock_shared().expect("shared");
        let writer = std::thread::spawn({
            let path = path.clone();
            move || Lock::take(&path, "second")
        });
        std::thread::sleep(Duration::from_millis(300));
        drop(looks);
        let lock = writer.join().expect("no panic").expect("the lock");
        assert_eq!(Lock::holder(&path).expect("readable").as_deref(), Some("second"));
        let refused = Lock::take(&path, "third").map(|_| ());
        assert!(matches!(refused, Err(Error::Locked { owner }) if owner == "second"));
        drop(lock);
        assert_eq!(Lock::holder(&path).expect("readable"), None);
    }
}
