//! Files, folders and globs as a list of files, in the order of their names; what is passed over
//! in folders is listed too. Looks at names and at what kind of file each is, only.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::hook::Hook;
use crate::outcome::Refused;

/// What some inputs come to.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// The files, in the order of their file names, which is that of time, and each once. Each with
    /// the time of its last change.
    pub(crate) files: Vec<Found>,
    /// Pipes, which are read before all files.
    pub(crate) pipes: Vec<PathBuf>,
    /// Of each input in which a folder was looked into, the files whose names say that they are not
    /// whole, and hidden ones.
    pub(crate) skipped: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    /// Folders and globs in which there is no file to take.
    pub(crate) empty: Vec<PathBuf>,
    pub(crate) refused: Vec<Refused>,
    /// How many were excluded.
    excluded: usize,
}

/// A file that may be taken.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    /// When it was last changed.
    pub(crate) modified: i64,
    /// The user named it, or it is named as an accounting file. Of other files those are taken that
    /// begin as one.
    pub(crate) is_expected: bool,
    /// The input in a folder of which it was found, unless the user named it.
    pub(crate) input: Option<PathBuf>,
}

/// Which names are not taken.
pub(crate) struct Exclude(Vec<glob::Pattern>);

impl Exclude {
    /// # Errors
    /// When one of the globs is none.
    pub(crate) fn of(globs: &[String]) -> Result<Exclude, Error> {
        let pattern = |glob: &String| {
            glob::Pattern::new(glob)
                .map_err(|error| Error::Glob { glob: glob.clone(), why: error.msg.to_owned() })
        };
        globs.iter().map(pattern).collect::<Result<_, _>>().map(Exclude)
    }

    /// Whether neither the name nor the path of a file matches.
    pub(crate) fn takes(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !self.0.iter().any(|glob| glob.matches(&name) || glob.matches_path(path))
    }
}

/// Standard input, among the inputs.
pub(crate) const STDIN: &str = "-";

/// The files that `inputs` name: a file itself; all those of a folder and of the folders in it that may
/// be accounting files; of a glob whatever it matches.
pub(crate) fn find(inputs: &[PathBuf], exclude: &Exclude, hook: &Hook) -> Listing {
    let (listing, input) = (Listing::default(), PathBuf::new());
    let mut search = Search { listing, input, seen: HashSet::new(), exclude, hook };
    for input in inputs {
        search.input(input);
    }
    let mut listing = search.listing;
    let key = |found: &Found| (found.path.clone(), !found.is_expected);
    listing
        .files
        .sort_by_cached_key(|found| (found.path.file_name().map(OsStr::to_owned), key(found)));
    listing.files.dedup_by(|a, b| a.path == b.path);
    listing
}

struct Search<'h> {
    listing: Listing,
    /// What is looked at, by a name that is the same in every folder that the user may be in.
    input: PathBuf,
    /// The folders that were looked into, by device and inode: links may lead in circles.
    seen: HashSet<(u64, u64)>,
    exclude: &'h Exclude,
    hook: &'h Hook,
}

impl Search<'_> {
    fn input(&mut self, input: &Path) {
        if input == Path::new(STDIN) {
            return self.listing.pipes.push(input.to_owned());
        }
        let found = |listing: &Listing| {
            (listing.files.len(), listing.pipes.len(), listing.refused.len(), listing.excluded)
        };
        let before = found(&self.listing);
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
        if before != found(&self.listing) {
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
        let is_expected = named || is_accounting(path.file_name().unwrap_or_default());
        if !self.exclude.takes(path) {
            self.listing.excluded += 1;
            return;
        }
        if meta.is_dir() {
            let is_hidden = !named && is_hidden(path.file_name().unwrap_or_default());
            if is_hidden {
                self.skipped().insert(path.to_owned());
            } else if self.seen.insert((meta.dev(), meta.ino())) {
                self.folder(path);
            }
        } else if named && meta.file_type().is_fifo() {
            self.listing.pipes.push(path.to_owned());
        } else if !meta.is_file() && named {
            self.refuse(path, &"is neither a regular file nor a pipe");
        } else if meta.is_file() && (is_expected || may_be_accounting(path)) {
            let (path, modified) = (path.to_owned(), meta.mtime());
            let input = (!named).then(|| self.input.clone());
            self.listing.files.push(Found { path, modified, is_expected, input });
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

/// How the names of files end that are not whole, or that an editor keeps beside another.
const UNFINISHED: [&str; 10] =
    [".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".swp", ".swo", ".bak", "~"];

/// Whether a file of a folder or an archive may be an accounting file, so that it is looked at.
pub(crate) fn may_be_accounting(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let lower = name.to_string_lossy().to_ascii_lowercase();
    !is_hidden(name) && !UNFINISHED.iter().any(|end| lower.ends_with(end))
}

/// Whether a file is named as PMTA and logrotate name accounting files: `acct.csv`, and that with
/// the number or the date of its rotation, each also compressed, in any case.
pub(crate) fn is_accounting(name: &OsStr) -> bool {
    let lower = name.to_string_lossy().to_ascii_lowercase();
    let parts = uncompressed(&lower).rsplit_once(".csv");
    !is_hidden(name) && parts.is_some_and(|(_, end)| end.is_empty() || is_rotation(end))
}

/// Whether a file may have had the name `live` before it was rotated: a number or a date was put behind
/// it.
pub(crate) fn was_named(name: &str, live: &str) -> bool {
    let end = uncompressed(name).strip_prefix(uncompressed(live));
    end.is_some_and(|end| end.is_empty() || is_rotation(end))
}

fn uncompressed(name: &str) -> &str {
    let ends = [".gz", ".zst", ".bz2", ".xz"];
    ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// Whether this is a number or a date as rotation puts it behind a name.
fn is_rotation(end: &str) -> bool {
    let date = end.strip_prefix(['.', '-', '_']).unwrap_or_default();
    let is_digit = |c: char| c.is_ascii_digit();
    date.starts_with(is_digit)
        && date.ends_with(is_digit)
        && date.chars().all(|c| is_digit(c) || matches!(c, '.' | '-' | '_' | ':' | 't'))
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
            "acct.csv.bz2",
            "acct.csv.1.xz",
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
    fn a_rotated_file_is_known_by_the_name_that_it_had() {
        for name in ["acct.csv", "acct.csv.1", "acct.csv-20260301.gz", "acct.csv.2026-03-02"] {
            assert!(was_named(name, "acct.csv"), "{name}");
        }
        for name in ["acct-1.csv", "acct.csv.old", "acct.csv1", "b.csv", "acct"] {
            assert!(!was_named(name, "acct.csv"), "{name}");
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
