//! The parts of a session, held open: whatever a later commit deletes or moves, the engine reads
//! on. Parts of a bucket are fetched when the engine needs them. Reads nothing itself.
//!
//! The engine follows a path to its end when it is allowed to open it, and again when it opens it;
//! in between a commit may change where it ends. So it is told to allow the name of an open file
//! while that leads nowhere yet (to a pipe), which it keeps to the letter; then the part takes the
//! pipe's place under that number.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;
use std::io::PipeReader;
use std::io::Write as _;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use pmtaq_store::layout::Table;
use pmtaq_store::{PartFooter, SAYS_ORIGIN, SnapshotPart, rowless_file};
use rustix::fs::{MemfdFlags, memfd_create};

use crate::error::{Error, Result};

/// Where the kernel shows the open files of this process, each under its number. Not by `self`,
/// which is a link itself.
fn open_files() -> String {
    format!("/proc/{}/fd/", std::process::id())
}

/// Parts, each with the file held open and the name by which the engine opens it.
pub(crate) struct Opened {
    parts: Vec<OpenPart>,
    rowless: Option<Rowless>,
}

/// A file in memory that has no row. The engine reads a file by one thread where it is the only one, as long as
/// its schema is told and the file not opened for it: this one is read beside it.
struct Rowless {
    name: String,
    file: File,
    /// The number reserved for it.
    number: RefCell<OwnedFd>,
}

struct OpenPart {
    of: SnapshotPart,
    path: String,
    name: String,
    /// The paths that the name may lead to while the file is open.
    targets: Vec<String>,
    /// The file, and the number reserved for it.
    held: RefCell<Option<(Held, OwnedFd)>>,
}

/// What stands for a part under its number.
enum Held {
    /// Nothing yet, since nobody needs it: the part is elsewhere.
    Away,
    /// The part.
    Open(File),
}

impl Opened {
    /// Opens every one of `parts`.
    ///
    /// # Errors
    /// [`Error::Vanished`] when one is not there any more, [`Error::Damaged`] when one has another
    /// length than was written.
    pub(crate) fn new<'p>(parts: impl Iterator<Item = &'p SnapshotPart>) -> Result<Opened> {
        let open_files = open_files();
        let pipe = std::io::pipe().ok().map(|(reader, _)| reader);
        let pipe = pipe.filter(|_| Path::new(&open_files).is_dir());
        let open = |part: &SnapshotPart| {
            if !part.is_here()
                && let Some(pipe) = &pipe
            {
                return Ok(OpenPart::held(part, Held::Away, pipe, &open_files));
            }
            match (part.open(), &pipe) {
                (Ok(file), Some(pipe)) => {
                    Ok(OpenPart::held(part, Held::Open(file), pipe, &open_files))
                }
                // More parts than files may be open: the engine opens the rest by itself, and only
                // a commit that replaces one of those during the query can disturb it. What else is
                // wrong with a file, it says best.
                (opened, _) => unusable(part, opened).map_or(Ok(OpenPart::by_path(part)), Err),
            }
        };
        let parts = parts.map(open).collect::<Result<Vec<_>>>()?;
        let rowless =
            pipe.filter(|_| !parts.is_empty()).and_then(|pipe| Rowless::new(&pipe, &open_files));
        Ok(Opened { parts, rowless })
    }

    /// Puts the files under their names. To be called when the engine has been told what to
    /// allow.
    pub(crate) fn hold(&self) {
        for part in &self.parts {
            if let Some((Held::Open(file), number)) = &mut *part.held.borrow_mut() {
                // Both are open and the number exists, so there is nothing to fail; if it did,
                // the engine would say that it cannot read the part.
                let _ = rustix::io::dup2(file, number);
            }
        }
        if let Some(rowless) = &self.rowless {
            let _ = rustix::io::dup2(&rowless.file, &mut rowless.number.borrow_mut());
        }
    }

    /// Whether all of them are on this machine.
    pub(crate) fn is_here(&self) -> bool {
        !self.parts.iter().any(OpenPart::is_away)
    }

    /// Fetches all that are elsewhere, before the engine opens them by their names.
    ///
    /// # Errors
    /// As for [`Opened::new`], and [`Error::Elsewhere`] when one cannot be had.
    pub(crate) fn bring_all(&self) -> Result<()> {
        self.bring(&self.parts().collect::<Vec<_>>())
    }

    /// The same of those that are among `parts`.
    ///
    /// # Errors
    /// As for [`Opened::bring_all`].
    pub(crate) fn bring(&self, parts: &[&SnapshotPart]) -> Result<()> {
        let away: Vec<&OpenPart> = self.among(parts).filter(|part| part.is_away()).collect();
        let Some(first) = away.first() else { return Ok(()) };
        let parts: Vec<&SnapshotPart> = away.iter().map(|part| &part.of).collect();
        pmtaq_store::fetch(&parts).map_err(|error| cannot_be_had(&first.of, error))?;
        for part in away {
            let file = part.of.open().map_err(|error| cannot_be_had(&part.of, error))?;
            if let Some((held, _)) = &mut *part.held.borrow_mut() {
                *held = Held::Open(file);
            }
        }
        self.hold();
        Ok(())
    }

    /// The footers of those of records that are among `parts`, once these are here; none where one cannot be read,
    /// of which the engine says best what is wrong.
    ///
    /// # Errors
    /// As for [`Opened::bring_all`].
    pub(crate) fn footers(&self, parts: &[&SnapshotPart]) -> Result<Option<Vec<PartFooter>>> {
        self.bring(parts)?;
        let names = self.names_of(parts);
        let footers = names.iter().map(|name| PartFooter::read(name.as_ref(), Table::Records));
        Ok(footers.collect::<pmtaq_store::Result<Vec<_>>>().ok())
    }

    /// By which names the engine opens those of the parts that are among `parts`.
    pub(crate) fn names_of(&self, parts: &[&SnapshotPart]) -> Vec<&str> {
        self.among(parts).map(|part| part.name.as_str()).collect()
    }

    /// By which names the engine reads them with all its threads.
    pub(crate) fn scanned(&self, parts: &[&SnapshotPart]) -> Vec<&str> {
        let mut names = self.names_of(parts);
        if names.len() == 1 {
            names.extend(self.rowless.as_ref().map(|rowless| rowless.name.as_str()));
        }
        names
    }

    /// The paths that people know of those of the parts that are among `parts`.
    pub(crate) fn paths_of(&self, parts: &[&SnapshotPart]) -> Vec<&str> {
        self.among(parts).map(|part| part.path.as_str()).collect()
    }

    fn among<'o>(&'o self, parts: &[&SnapshotPart]) -> impl Iterator<Item = &'o OpenPart> {
        let wanted: HashSet<&Path> = parts.iter().map(|part| part.path.as_path()).collect();
        self.parts.iter().filter(move |part| wanted.contains(part.of.path.as_path()))
    }

    /// Whether one of the parts does not say who ended a bounce.
    pub(crate) fn lacks_origin(&self) -> bool {
        self.parts.iter().any(|part| part.of.part.derived < SAYS_ORIGIN)
    }

    /// Which of the parts is not as it was written, for an engine that stumbled over one. Reads
    /// them all.
    pub(crate) fn damaged(&self) -> Option<Error> {
        self.parts.iter().find_map(|part| match part.of.check() {
            Err(pmtaq_store::Error::Damaged { path, what }) => Some(Error::Damaged { path, what }),
            Ok(()) | Err(_) => None,
        })
    }

    /// Whether all parts have the keys of messages.
    pub(crate) fn have_keys(&self) -> bool {
        self.parts.iter().all(|part| part.of.part.has_keys)
    }

    /// The parts.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &SnapshotPart> {
        self.parts.iter().map(|part| &part.of)
    }

    /// Whether `name` is that of the file without rows, which is for the engine here alone.
    pub(crate) fn is_rowless(&self, name: &str) -> bool {
        self.rowless.as_ref().is_some_and(|rowless| rowless.name == name)
    }

    /// The path that people know, of the part that the engine opens by `name`.
    pub(crate) fn path_of(&self, name: &str) -> Option<&str> {
        let part = self.parts.iter().find(|part| part.name == name)?;
        Some(&part.path)
    }

    /// All that the engine must be allowed to open: the names, and where they may lead.
    pub(crate) fn allowed(&self) -> impl Iterator<Item = &str> {
        let of_parts = self
            .parts
            .iter()
            .flat_map(|part| part.targets.iter().map(String::as_str).chain([part.name.as_str()]));
        of_parts.chain(self.rowless.iter().map(|rowless| rowless.name.as_str()))
    }

    /// A text of the engine with the paths that people know.
    pub(crate) fn with_paths(&self, mut text: String) -> String {
        // From the last, since the name of a later file may begin with that of an earlier one.
        if text.contains(&open_files()) {
            for part in self.parts.iter().rev() {
                text = text.replace(&part.name, &part.path);
            }
        }
        text
    }
}

impl Rowless {
    /// None where memory cannot be had as a file: parts are read alone then.
    fn new(pipe: &PipeReader, open_files: &str) -> Option<Rowless> {
        let mut file: File = memfd_create("rowless", MemfdFlags::CLOEXEC).ok()?.into();
        file.write_all(&rowless_file().ok()?).ok()?;
        let number: OwnedFd = pipe.try_clone().ok()?.into();
        let name = format!("{open_files}{}", number.as_raw_fd());
        Some(Rowless { name, file, number: number.into() })
    }
}

impl OpenPart {
    fn is_away(&self) -> bool {
        matches!(&*self.held.borrow(), Some((Held::Away, _)))
    }

    fn by_path(part: &SnapshotPart) -> OpenPart {
        let name = part.path.to_string_lossy().into_owned();
        let targets = vec![real(&part.path).to_string_lossy().into_owned()];
        OpenPart { of: part.clone(), name, path: part.address(), targets, held: RefCell::default() }
    }

    fn held(part: &SnapshotPart, held: Held, pipe: &PipeReader, open_files: &str) -> OpenPart {
        let by_path = OpenPart::by_path(part);
        let Ok(number) = pipe.try_clone().map(OwnedFd::from) else { return by_path };
        let name = format!("{open_files}{}", number.as_raw_fd());
        let later = part.moves_to.as_deref().map(|path| real(path).to_string_lossy().into_owned());
        let targets = by_path.targets.into_iter().chain(later).collect();
        OpenPart { name, targets, held: RefCell::new(Some((held, number))), ..by_path }
    }
}

/// Why a part cannot be read at all, if it is that.
fn unusable(part: &SnapshotPart, opened: pmtaq_store::Result<File>) -> Option<Error> {
    match opened {
        Err(error) if error.is_missing_file() => Some(Error::Vanished(part.path.clone())),
        Err(pmtaq_store::Error::Damaged { path, what }) => Some(Error::Damaged { path, what }),
        Ok(_) | Err(_) => None,
    }
}

/// Why a part of a bucket is not here.
fn cannot_be_had(part: &SnapshotPart, error: pmtaq_store::Error) -> Error {
    let text = error.to_string();
    unusable(part, Err(error)).unwrap_or(Error::Elsewhere(text))
}

/// A path without links, whether or not the last folders of it are there yet.
fn real(path: &Path) -> PathBuf {
    match (std::fs::canonicalize(path), path.parent(), path.file_name()) {
        (Ok(real), ..) => real,
        (Err(_), Some(parent), Some(name)) => real(parent).join(name),
        (Err(_), ..) => path.to_owned(),
    }
}
