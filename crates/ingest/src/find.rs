//! Files, folders and globs as a list of files, in the order of their names; what is passed over
//! in folders is listed too. Looks at names and at what kind of file each is, only.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::hook::Hook;
use crate::outcome::Refused;

/// What some inputs come to.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// The files, in the order of their file names, which is that of time, and each once. Each with
    /// the time of its last change.
    pub(crate) files: Vec<(PathBuf, i64)>,
    /// Of each input in which a folder was looked into, the files that have other names than
    /// accounting files.
    pub(crate) skipped: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    /// Folders and globs in which there is no file to take.
    pub(crate) empty: Vec<PathBuf>,
    pub(crate) refused: Vec<Refused>,
}

/// The files that `inputs` name: a file itself; of a folder and those in it those that are named as
/// accounting files; of a glob whatever it matches.
pub(crate) fn find(inputs: &[PathBuf], hook: &Hook) -> Listing {
    let (listing, input) = (Listing::default(), PathBuf::new());
    let mut search = Search { listing, input, seen: HashSet::new(), hook };
    for input in inputs {
        search.input(input);
    }
    let mut listing = search.listing;
    listing.files.sort_by(|(a, _), (b, _)| (a.file_name(), a).cmp(&(b.file_name(), b)));
    listing.files.dedup_by(|a, b| a.0 == b.0);
    listing
}

struct Search<'h> {
    listing: Listing,
    /// What is looked at, by a name that is the same in every folder that the user may be in.
    input: PathBuf,
    /// The folders that were looked into, by device and inode: links may lead in circles.
    seen: HashSet<(u64, u64)>,
    hook: &'h Hook,
}

impl Search<'_> {
    fn input(&mut self, input: &Path) {
        let before = (self.listing.files.len(), self.listing.refused.len());
        self.seen.clear();
        self.input = input.canonicalize().unwrap_or_else(|_| input.to_owned());
        self.hook.call();
        if fs::symlink_metadata(input).is_ok() {
            self.take(input, true);
        } else {
            match glob::glob(&input.to_string_lossy()) {
                Ok(paths) => {
                    for path in paths {
                        match path {
                            Ok(path) => self.take(&path, true),
                            Err(error) => self.refuse(error.path(), error.error()),
                        }
                    }
                }
                Err(error) => self.refuse(input, &error),
            }
        }
        if before != (self.listing.files.len(), self.listing.refused.len()) {
            return;
        }
        if root_of(input).is_some_and(Path::is_dir) {
            self.listing.empty.push(input.to_owned());
        } else {
            self.refuse(input, &"names no file");
        }
    }

    /// Takes a file, or what is in a folder. `named` says that the user named it.
    fn take(&mut self, path: &Path, named: bool) {
        self.hook.call();
        let meta = match fs::metadata(path) {
            Ok(meta) => meta,
            // PMTA's own `delete-after`, or who rotates, may remove a file while we look.
            Err(error) if !named && error.kind() == ErrorKind::NotFound => return,
            Err(error) => return self.refuse(path, &error),
        };
        let takes = named || is_accounting(path.file_name().unwrap_or_default());
        if meta.is_dir() {
            let is_hidden = !named && is_hidden(path.file_name().unwrap_or_default());
            if is_hidden {
                self.skipped().insert(path.to_owned());
            } else if self.seen.insert((meta.dev(), meta.ino())) {
                self.folder(path);
            }
        } else if !meta.is_file() && named {
            self.refuse(path, &"is no regular file");
        } else if meta.is_file() && takes {
            self.listing.files.push((path.to_owned(), meta.mtime()));
        } else {
            self.skipped().insert(path.to_owned());
        }
    }

    fn skipped(&mut self) -> &mut BTreeSet<PathBuf> {
        self.listing.skipped.entry(self.input.clone()).or_default()
    }

    #[expect(clippy::disallowed_methods, reason = "lists the user's folders, not the store's")]
    fn folder(&mut self, path: &Path) {
        self.skipped();
        let mut entries = Vec::new();
        match fs::read_dir(path) {
            Ok(listed) => {
                for entry in listed {
                    match entry {
                        Ok(entry) => entries.push(entry.path()),
                        Err(error) => self.refuse(path, &error),
                    }
                }
            }
            Err(error) => self.refuse(path, &error),
        }
        entries.sort();
        entries.iter().for_each(|entry| self.take(entry, false));
    }

    fn refuse(&mut self, path: &Path, reason: &dyn std::fmt::Display) {
        self.listing.refused.push(Refused { path: path.to_owned(), reason: reason.to_string() });
    }
}

/// The folder in which an input is looked for: itself, or what stands before a glob's first sign.
fn root_of(input: &Path) -> Option<&Path> {
    if input.is_dir() {
        return Some(input);
    }
    let is_glob = |path: &Path| path.to_string_lossy().contains(['*', '?', '[']);
    let root = input.ancestors().find(|path| !is_glob(path)).filter(|root| *root != input)?;
    Some(if root.as_os_str().is_empty() { Path::new(".") } else { root })
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Whether a file is named as PMTA and logrotate name accounting files: `acct.csv`, and that with
/// the number or the date of its rotation, each also as `.gz` or `.zst`, in any case.
fn is_accounting(name: &OsStr) -> bool {
    let lower = name.to_string_lossy().to_ascii_lowercase();
    let plain = [".gz", ".zst"].iter().find_map(|end| lower.strip_suffix(end)).unwrap_or(&lower);
    let rotation = |end: &str| {
        let date = end.strip_prefix(['.', '-', '_']).unwrap_or_default();
        let is_digit = |c: char| c.is_ascii_digit();
        date.starts_with(is_digit)
            && date.ends_with(is_digit)
            && date.chars().all(|c| is_digit(c) || matches!(c, '.' | '-' | '_' | ':' | 't'))
    };
    let parts = plain.rsplit_once(".csv");
    !is_hidden(name) && parts.is_some_and(|(_, end)| end.is_empty() || rotation(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_rotation_makes_are_taken_and_no_others() {
        for name in [
            "acct.csv",
            "ACCT.CSV",
            "acct-2026-03-01-0004.csv",
            "acct-2026-03-01-0004.csv.gz",
            "acct.csv.1",
            "acct.csv.12.gz",
            "acct.csv-20260301",
            "acct.csv-20260301.gz",
            "acct.csv-20260301-1772323200.ZST",
            "acct.csv.2026-03-01",
            "acct.csv-2026-03-01T10:00:00",
            "acct.csv_20260301",
            "acct-20260301.csv",
            "acct.1.csv.zst",
            "a.csv.b.csv",
        ] {
            assert!(is_accounting(OsStr::new(name)), "{name}");
        }
        for name in [
            "acct.log",
            "acct.csv.bz2",
            "acct.csv.1.xz",
            "acct.csv.tmp",
            "acct.csv.part",
            "acct.csv~",
            "acct.csv.old",
            "acct.csv-",
            "acct.csv.1-",
            ".acct.csv",
            ".csv",
            ".acct.csv.Ab12",
            "acct.csv.swp",
            "acct.csv1",
            "acctcsv",
            "acct.gz",
            "notes.txt",
            "",
        ] {
            assert!(!is_accounting(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn a_glob_is_looked_for_in_the_folder_before_its_first_sign() {
        let root = |glob| root_of(Path::new(glob)).map(|root| root.to_string_lossy().into_owned());
        assert_eq!(root("/no/such/acct-*.csv").as_deref(), Some("/no/such"));
        assert_eq!(root("/no/*/acct.csv").as_deref(), Some("/no"));
        assert_eq!(root("acct-[0-9].csv").as_deref(), Some("."));
        assert_eq!(root("/no/such/acct.csv"), None);
    }
}
