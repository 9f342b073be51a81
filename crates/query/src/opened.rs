//! The parts of a session, held open: whatever a later commit deletes or moves, the engine reads
//! on. Reads nothing itself.
//!
//! The engine follows a path to its end when it is allowed to open it, and again when it opens it;
//! in between a commit may change where it ends. So it is told to allow the name of an open file
//! while that leads nowhere yet (to a pipe), which it keeps to the letter; then the part takes the
//! pipe's place under that number.

use std::collections::HashSet;
use std::fs::File;
use std::io::PipeReader;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use pmtaq_store::{DERIVED, SnapshotPart};

use crate::error::{Error, Result};

/// Where the kernel shows the open files of this process, each under its number. Not by `self`,
/// which is a link itself.
fn open_files() -> String {
    format!("/proc/{}/fd/", std::process::id())
}

/// Parts, each with the file held open and the name by which the engine opens it.
pub(crate) struct Opened {
    parts: Vec<OpenPart>,
}

struct OpenPart {
    of: SnapshotPart,
    path: String,
    name: String,
    /// The paths that the name may lead to while the file is open.
    targets: Vec<String>,
    /// The file, and the number reserved for it.
    held: Option<(File, OwnedFd)>,
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
        let open = |part: &SnapshotPart| match (part.open(), &pipe) {
            (Ok(file), Some(pipe)) => Ok(OpenPart::held(part, file, pipe, &open_files)),
            (Err(error), _) if error.is_missing_file() => Err(Error::Vanished(part.path.clone())),
            (Err(pmtaq_store::Error::Damaged { path, what }), _) => {
                Err(Error::Damaged { path, what })
            }
            // More parts than files may be open: the engine opens the rest by itself, and only a
            // commit that replaces one of those during the query can disturb it. What else is
            // wrong with a file, it says best.
            (Ok(_) | Err(_), _) => Ok(OpenPart::by_path(part)),
        };
        Ok(Opened { parts: parts.map(open).collect::<Result<_>>()? })
    }

    /// Puts the files under their names. To be called when the engine has been told what to
    /// allow.
    pub(crate) fn hold(&mut self) {
        for part in &mut self.parts {
            if let Some((file, number)) = &mut part.held {
                // Both are open and the number exists, so there is nothing to fail; if it did,
                // the engine would say that it cannot read the part.
                let _ = rustix::io::dup2(file, number);
            }
        }
    }

    /// By which names the engine opens the parts.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.parts.iter().map(|part| part.name.as_str()).collect()
    }

    /// By which names the engine opens those of the parts that are among `parts`.
    pub(crate) fn names_of(&self, parts: &[&SnapshotPart]) -> Vec<&str> {
        let wanted: HashSet<_> = parts.iter().map(|part| part.path.to_string_lossy()).collect();
        let parts = self.parts.iter().filter(|part| wanted.contains(part.path.as_str()));
        parts.map(|part| part.name.as_str()).collect()
    }

    /// Whether one of the parts lacks derived columns of today.
    pub(crate) fn is_old(&self) -> bool {
        self.parts.iter().any(|part| part.of.part.derived < DERIVED)
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

    /// The paths that people know.
    pub(crate) fn paths(&self) -> Vec<&str> {
        self.parts.iter().map(|part| part.path.as_str()).collect()
    }

    /// All that the engine must be allowed to open: the names, and where they may lead.
    pub(crate) fn allowed(&self) -> impl Iterator<Item = &str> {
        self.parts
            .iter()
            .flat_map(|part| part.targets.iter().map(String::as_str).chain([part.name.as_str()]))
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

impl OpenPart {
    fn by_path(part: &SnapshotPart) -> OpenPart {
        let path = part.path.to_string_lossy().into_owned();
        let targets = vec![real(&part.path).to_string_lossy().into_owned()];
        OpenPart { of: part.clone(), name: path.clone(), path, targets, held: None }
    }

    fn held(part: &SnapshotPart, file: File, pipe: &PipeReader, open_files: &str) -> OpenPart {
        let by_path = OpenPart::by_path(part);
        let Ok(number) = pipe.try_clone().map(OwnedFd::from) else { return by_path };
        let name = format!("{open_files}{}", number.as_raw_fd());
        let later = part.moves_to.as_deref().map(|path| real(path).to_string_lossy().into_owned());
        let targets = by_path.targets.into_iter().chain(later).collect();
        OpenPart { name, targets, held: Some((file, number)), ..by_path }
    }
}

/// A path without links, whether or not the last folders of it are there yet.
fn real(path: &Path) -> PathBuf {
    match (std::fs::canonicalize(path), path.parent(), path.file_name()) {
        (Ok(real), ..) => real,
        (Err(_), Some(parent), Some(name)) => real(parent).join(name),
        (Err(_), ..) => path.to_owned(),
    }
}
