//! Files, folders and globs as a list of files, in the order of their names.
//! Looks at names and metadata only.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pmtaq_store::Stat;

use crate::outcome::Refused;

/// A file to be read.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// What the file system says of it.
    pub stat: Stat,
}

impl Found {
    /// The file name, for messages and for the column `source`.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }
}

/// The files that `inputs` name: a file itself; of a folder and those in it every `*.csv`,
/// `*.csv.gz` and `*.csv.zst`; of a glob whatever it matches. In the order of their file names,
/// which is that of time, and each once.
pub fn find(inputs: &[PathBuf]) -> (Vec<Found>, Vec<Refused>) {
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for input in inputs {
        let before = found.len() + refused.len();
        if fs::symlink_metadata(input).is_ok() {
            take(input, true, &mut found, &mut refused);
        } else {
            match glob::glob(&input.to_string_lossy()) {
                Ok(paths) => {
                    for path in paths {
                        match path {
                            Ok(path) => take(&path, true, &mut found, &mut refused),
                            Err(error) => refused.push(refuse(error.path(), error.error())),
                        }
                    }
                }
                Err(error) => refused.push(refuse(input, &error)),
            }
        }
        if found.len() + refused.len() == before {
            let reason = "names no file; folders are searched for *.csv, *.csv.gz and *.csv.zst";
            refused.push(refuse(input, &reason));
        }
    }
    found.sort_by(|a, b| (a.path.file_name(), &a.path).cmp(&(b.path.file_name(), &b.path)));
    found.dedup_by(|a, b| a.path == b.path);
    (found, refused)
}

fn refuse(path: &Path, reason: &dyn std::fmt::Display) -> Refused {
    Refused { path: path.to_owned(), reason: reason.to_string() }
}

#[expect(clippy::disallowed_methods, reason = "lists the user's folders, not the store's")]
fn take(path: &Path, named: bool, found: &mut Vec<Found>, refused: &mut Vec<Refused>) {
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        // Another run, or PMTA's own `delete-after`, may remove a file while we look.
        Err(error) if !named && error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => return refused.push(refuse(path, &error)),
    };
    if meta.is_dir() {
        match fs::read_dir(path) {
            Ok(entries) => {
                for entry in entries {
                    match entry {
                        Ok(entry) => take(&entry.path(), false, found, refused),
                        Err(error) => refused.push(refuse(path, &error)),
                    }
                }
            }
            Err(error) => refused.push(refuse(path, &error)),
        }
    } else if !meta.is_file() {
        if named {
            refused.push(refuse(path, &"is no regular file"));
        }
    } else if named || is_accounting(path) {
        let stat = Stat {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            modified_ns: meta.mtime() * 1_000_000_000 + meta.mtime_nsec(),
        };
        found.push(Found { path: path.to_owned(), stat });
    }
}

fn is_accounting(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    [".csv", ".csv.gz", ".csv.zst"].iter().any(|end| name.ends_with(end))
}
