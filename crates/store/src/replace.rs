//! A file that the user named, which appears as a whole or stays as it was.
//! Never writes into a store: what lies there is changed by commits alone.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use crate::error::{At, Error, Result};
use crate::fs::Disk;
use crate::layout;

/// Bytes collected before the file is written to.
const BUFFER_BYTES: usize = 64 * 1024;

/// Where a file grows in whose own folder nothing may be made.
const ELSEWHERE: [&str; 2] = ["/var/tmp", "/tmp"];

/// How a new file may be used, less what the umask takes.
const MODE: u32 = 0o666;

/// Either leaves the file at `path` as it was, or holding `bytes`, synced. Of several processes
/// that do so at once, the last one wins. A link is replaced and never followed, since the folder
/// may be someone else's.
///
/// # Errors
/// [`Error::Io`] that names the file.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let is_special = |meta: Metadata| !meta.is_file() && !meta.is_symlink();
    let mut new = if is_open_file(path) || path.symlink_metadata().is_ok_and(is_special) {
        Replacement::direct(path)?
    } else {
        Replacement::of(path)?
    };
    new.write_all(bytes).at(path)?;
    new.finish()
}

/// As [`replace`], and whatever the umask, all users of the machine may read the file.
///
/// # Errors
/// [`Error::Io`] that names the file.
pub fn publish(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut new = Replacement::of(path)?;
    new.out.get_ref().set_permissions(PermissionsExt::from_mode(0o644)).at(path)?;
    new.write_all(bytes).at(path)?;
    new.finish()
}

/// A file on its way to take the place of another one. Dropped before [`Replacement::finish`] it
/// leaves nothing.
///
/// It has no name until it is finished, so that no end of the process leaves half of it, where the
/// file system knows such files; else it is `.NAME.PID.new` beside the other one.
///
/// What is no file, such as a pipe or a terminal, is written as it is. A file in whose folder nothing may
/// be made is written over when all is there: only a kill or a full disk in that moment leaves half of it.
#[derive(Debug)]
pub struct Replacement {
    out: BufWriter<File>,
    path: PathBuf,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// The file has no name yet.
    Nameless,
    /// The file has this one.
    Named(PathBuf),
    /// The file lies elsewhere, and is copied over the other one.
    Elsewhere(File),
    /// What is written is there at once.
    Direct,
}

impl Replacement {
    /// Begins to write what will be the file at `path`, or at the place that a link there names.
    ///
    /// # Errors
    /// [`Error::InStore`] for a path inside a store, [`Error::Io`] that names the file.
    pub fn begin(path: &Path) -> Result<Replacement> {
        let target = target(path).at(path)?;
        if is_open_file(path) || target.metadata().is_ok_and(|meta| !meta.is_file()) {
            return Replacement::direct(path);
        }
        match store_around(&target) {
            Some(store) => Err(Error::InStore { path: path.to_owned(), store }),
            None => Replacement::of(&target),
        }
    }

    /// What is no file, or goes on where others have written, as `/dev/stdout` does.
    fn direct(path: &Path) -> Result<Replacement> {
        let file = OpenOptions::new().append(true).open(path).at(path)?;
        Ok(Replacement::new(file, path.to_owned(), Way::Direct))
    }

    /// The same for a path without links, wherever it is.
    fn of(path: &Path) -> Result<Replacement> {
        // Who may not write the file may not replace it.
        let old = OpenOptions::new().write(true).open(path);
        let old = match old.and_then(|file| file.metadata()) {
            Ok(meta) => Some(meta),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).at(path),
        };
        let (file, way) = match nameless(folder_of(path)) {
            Ok(file) => (file, Way::Nameless),
            Err(_) => {
                let new = staging_path(path);
                Disk::default().remove(&new)?;
                let made = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&new);
                match (made, &old) {
                    (Ok(file), _) => (file, Way::Named(new)),
                    (Err(error), Some(_)) if error.kind() == io::ErrorKind::PermissionDenied => {
                        // Not by a link, which whoever owns the folder may have put there.
                        let flags = OFlags::NOFOLLOW.bits().cast_signed();
                        let old = OpenOptions::new().write(true).custom_flags(flags).open(path);
                        let file = ELSEWHERE.iter().find_map(|dir| nameless(Path::new(dir)).ok());
                        let file = file.ok_or(error).at(path)?;
                        let way = Way::Elsewhere(old.at(path)?);
                        return Ok(Replacement::new(file, path.to_owned(), way));
                    }
                    (Err(error), _) => return Err(error).at(path),
                }
            }
        };
        if let Some(old) = old {
            file.set_permissions(PermissionsExt::from_mode(old.permissions().mode())).at(path)?;
        }
        Ok(Replacement::new(file, path.to_owned(), way))
    }

    fn new(file: File, path: PathBuf, way: Way) -> Replacement {
        Replacement { out: BufWriter::with_capacity(BUFFER_BYTES, file), path, way }
    }

    /// Puts the file, synced, in the place of the other one.
    ///
    /// # Errors
    /// [`Error::Io`] that names the file.
    pub fn finish(mut self) -> Result<()> {
        self.out.flush().at(&self.path)?;
        if let Way::Direct = self.way {
            return Ok(());
        }
        if let Way::Elsewhere(old) = &mut self.way {
            let new = self.out.get_mut();
            new.rewind().and_then(|()| old.set_len(0)).at(&self.path)?;
            io::copy(new, old).and_then(|_| old.sync_all()).at(&self.path)?;
            return Ok(());
        }
        let disk = Disk::default();
        disk.sync(self.out.get_ref(), &self.path)?;
        if let Way::Nameless = self.way {
            let new = staging_path(&self.path);
            disk.remove(&new)?;
            let file = format!("/proc/self/fd/{}", self.out.get_ref().as_raw_fd());
            rustix::fs::linkat(CWD, file, CWD, &new, AtFlags::SYMLINK_FOLLOW)
                .map_err(io::Error::from)
                .at(&self.path)?;
            self.way = Way::Named(new);
        }
        if let Way::Named(new) = &self.way {
            disk.rename(new, &self.path)?;
        }
        // There is nothing left to remove.
        self.way = Way::Direct;
        disk.sync_dir(folder_of(&self.path))
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if let Way::Named(new) = &self.way {
            // Half a file is of no use to anybody; what went wrong is said already.
            let _ = Disk::default().remove(new);
        }
    }
}

/// A file without a name, in a folder whose file system knows such files.
fn nameless(folder: &Path) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    Ok(rustix::fs::open(folder, flags, Mode::from_raw_mode(MODE))?.into())
}

/// Whether `path` leads to what this process has open, by links that are not to be replaced.
fn is_open_file(path: &Path) -> bool {
    ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc"].iter().any(|place| path.starts_with(place))
}

/// The place that `path` names, links followed, whether there is a file or not.
fn target(path: &Path) -> io::Result<PathBuf> {
    match path.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => return other,
    }
    if let Ok(link) = path.read_link() {
        return target(&folder_of(path).join(link));
    }
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    Ok(folder_of(path).canonicalize()?.join(name))
}

/// The store that `path` lies in, if it does.
fn store_around(path: &Path) -> Option<PathBuf> {
    path.ancestors().skip(1).find(|dir| layout::private(dir).is_dir()).map(Path::to_owned)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The name of the file until it has its own.
fn staging_path(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.new", std::process::id()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "tests look at folders and clear them away")]

    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_old_file_stays_until_the_new_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o604)).unwrap();
        let mut new = Replacement::begin(&path).unwrap();
        new.write_all(&vec![b'x'; 3 * BUFFER_BYTES]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        drop(new);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["out.csv"]);

        let mut new = Replacement::begin(&path).unwrap();
        new.write_all(b"new").unwrap();
        new.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(mode(&path), 0o604, "the file keeps who may read it");
        assert_eq!(names(folder.path()), ["out.csv"]);
    }

    #[test]
    fn a_file_with_a_name_of_its_own_is_as_atomic_and_goes_when_it_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let (path, new) = (folder.path().join("out.csv"), folder.path().join(".out.csv.new"));
        let begin = || {
            let way = Way::Named(new.clone());
            Replacement::new(File::create(&new).unwrap(), path.clone(), way)
        };
        drop(begin());
        assert_eq!(names(folder.path()), Vec::<String>::new());
        let mut file = begin();
        file.write_all(b"new").unwrap();
        file.finish().unwrap();
        assert_eq!(names(folder.path()), ["out.csv"]);
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_link_stays_and_the_file_behind_it_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (link, path) = (folder.path().join("link"), folder.path().join("sub/real.csv"));
        fs::create_dir(folder.path().join("sub")).unwrap();
        symlink("sub/real.csv", &link).unwrap();
        for content in ["first", "second"] {
            let mut new = Replacement::begin(&link).unwrap();
            new.write_all(content.as_bytes()).unwrap();
            new.finish().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            assert_eq!(link.read_link().unwrap(), Path::new("sub/real.csv"));
        }
    }

    #[test]
    fn a_link_that_may_be_someone_elses_is_replaced_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (link, precious) = (folder.path().join("metrics.prom"), folder.path().join("precious"));
        fs::write(&precious, "old").unwrap();
        symlink(&precious, &link).unwrap();
        let planted = staging_path(&link);
        symlink(&precious, &planted).unwrap();
        replace(&link, b"new").unwrap();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "old");
        assert_eq!(fs::read_to_string(&link).unwrap(), "new");
        assert!(!link.is_symlink() && !planted.is_symlink());
    }

    #[test]
    fn a_pipe_is_written_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        rustix::fs::mknodat(CWD, &path, rustix::fs::FileType::Fifo, Mode::RWXU, 0).unwrap();
        let reader = std::thread::spawn({
            let path = path.clone();
            move || {
                let mut text = String::new();
                File::open(path).unwrap().read_to_string(&mut text).unwrap();
                text
            }
        });
        let mut new = Replacement::begin(&path).unwrap();
        replace(&path, b"all at once, ").unwrap();
        new.write_all(b"and bit by bit").unwrap();
        new.finish().unwrap();
        assert_eq!(reader.join().unwrap(), "all at once, and bit by bit");
        assert_eq!(names(folder.path()), ["fifo"]);
    }

    #[test]
    fn nothing_is_written_into_a_store() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("store/_pmtaq/days")).unwrap();
        fs::create_dir(folder.path().join("store/records")).unwrap();
        symlink("store/records", folder.path().join("link")).unwrap();
        for name in ["store/x", "store/_pmtaq/root.json", "store/records/x", "link/x"] {
            let error = Replacement::begin(&folder.path().join(name)).unwrap_err();
            assert!(matches!(error, Error::InStore { .. }), "{name}: {error}");
        }
        Replacement::begin(&folder.path().join("beside")).unwrap().finish().unwrap();
    }

    #[test]
    fn a_file_that_may_not_be_written_is_not_replaced_either() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        fs::create_dir(&path).unwrap();
        assert!(Replacement::begin(&path).is_err(), "a folder is no file");
        assert!(Replacement::begin(&folder.path().join("nowhere/out.csv")).is_err());
    }
}
