//! What the store writes beside Parquet: the root, the parts of a day, the sources of a day.
//!
//! One of the few files that serialize. Old versions stay readable for ever; a newer one is
//! refused. Knows no paths and no order of steps.

mod part;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use pmtaq_schema::time::{Day, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::delta::Published;
use crate::error::{At, Error, Result};
use crate::layout::{self, Table};
use crate::recipients::Recipients;
use crate::seal::{self, ReadManifest};

pub use part::{DERIVED, Part, SAYS_ORIGIN, SAYS_REACHED_BY_NAME};

/// The newest format that this version reads and writes. Since 2 manifests and parts have
/// checksums; since 4 `hourly` has rollups of its own.
pub const FORMAT: u32 = 4;

/// That of a store in a bucket.
pub const FORMAT_OF_BUCKETS: u32 = 5;

/// The truth about a store: for each day, which of its manifests count. Small even for years of
/// days, because it holds one line a day and no line a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Root {
    pub(crate) version: u32,
    /// The number of commits so far.
    pub(crate) generation: u64,
    /// By day, as `2026-03-01`.
    pub(crate) days: BTreeMap<String, DayEntry>,
    /// Renames that the last commit decided. They are done after it, and done again by the next
    /// writer when a kill prevented them.
    pub(crate) moves: Vec<Move>,
    /// Rows that were stored once and have been taken away since.
    #[serde(default)]
    pub(crate) removed: Removed,
    /// How the addresses of recipients are kept in all of the store.
    #[serde(default)]
    pub(crate) recipients: Recipients,
    /// What the last ingest of each folder passed over, by the folder; none where it was nothing.
    #[serde(default)]
    pub(crate) skipped_in: BTreeMap<String, Skipped>,
    /// The tables that have a Delta log, and which version of them this commit is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) delta: BTreeMap<Table, Published>,
    /// What many writers must know of each other; none of a store that was always in a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shared: Option<Shared>,
}

/// What the root of a store in a bucket says beside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shared {
    /// Tells the store from any other that was in the same place.
    pub(crate) id: String,
    /// The last commit that erased a recipient: what was fetched before may hold the address.
    pub(crate) erased: u64,
    /// The last commits, each by a random name, the newest last: by them a writer finds out whether its
    /// commit was done whose answer was lost.
    pub(crate) commits: Vec<String>,
    /// The settings that hold for all machines.
    #[serde(default, skip_serializing_if = "SharedSettings::is_empty")]
    pub(crate) settings: SharedSettings,
}

/// Settings that lie in the bucket, in a folder of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SharedSettings {
    /// The name of the folder, which no other settings have.
    pub(crate) id: String,
    /// The files in it.
    pub(crate) names: Vec<String>,
}

impl SharedSettings {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl Shared {
    /// Commits that are remembered: more than come in the time in which an answer is waited for.
    const COMMITS: usize = 64;

    /// Notes a commit.
    pub(crate) fn note(&mut self, commit: &str) {
        self.commits.push(commit.to_owned());
        let old = self.commits.len().saturating_sub(Shared::COMMITS);
        self.commits.drain(..old);
    }
}

/// Files of folders that were passed over for their names. Nobody can say whether records are missing
/// that may be in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// How many.
    pub count: u64,
    /// The names of the first ones.
    pub names: Vec<String>,
}

impl Skipped {
    /// Names that are said of files that were passed over.
    const MAX_NAMES: usize = 8;

    /// The files of these names.
    pub fn of(names: impl ExactSizeIterator<Item = String>) -> Skipped {
        Skipped { count: names.len() as u64, names: names.take(Skipped::MAX_NAMES).collect() }
    }

    /// All of them together.
    pub fn total<'s>(all: impl Iterator<Item = &'s Skipped>) -> Skipped {
        let mut total = Skipped::default();
        for one in all {
            total.count += one.count;
            let room = Skipped::MAX_NAMES - total.names.len();
            total.names.extend(one.names.iter().take(room).cloned());
        }
        total
    }
}

/// Rows that were taken away for good, so that `stored = rows + removed` stays true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Rows of `records`.
    pub records: u64,
    /// Rows of `rejects`.
    pub rejects: u64,
}

/// Which manifests of a day count, and what they sum up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DayEntry {
    /// Generation of the list of parts; 0 for none.
    pub(crate) parts: u64,
    /// Which of many writers made it; 0 in a folder.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(crate) parts_by: u32,
    /// Generation of the list of sources; 0 for none.
    pub(crate) sources: u64,
    /// Which of many writers made it; 0 in a folder.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(crate) sources_by: u32,
    /// Rows in `records`.
    pub(crate) rows: u64,
    /// Bytes of the parts of `records`.
    pub(crate) bytes: u64,
    /// Records of the day were removed for their age: `hourly` counts more than is left.
    #[serde(default)]
    pub(crate) pruned: bool,
}

fn is_none(by: &u32) -> bool {
    *by == 0
}

impl DayEntry {
    /// The list of the parts of `day`, which has this entry; none when it has no parts.
    pub(crate) fn parts_in(&self, store: &Path, day: Day) -> Option<PathBuf> {
        (self.parts != 0).then(|| layout::parts_by(store, day, self.parts, self.parts_by))
    }

    /// The list of the sources.
    pub(crate) fn sources_in(&self, store: &Path, day: Day) -> Option<PathBuf> {
        (self.sources != 0).then(|| layout::sources_by(store, day, self.sources, self.sources_by))
    }
}

/// The names, and how many more there are.
impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join(", "))?;
        match self.count.saturating_sub(self.names.len() as u64) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// A part that comes into its partition or leaves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Move {
    pub(crate) table: Table,
    pub(crate) date: String,
    pub(crate) name: String,
    /// False: from staging into the partition. True: deleted from the partition.
    pub(crate) leaves: bool,
    /// Instead of being deleted it is kept in quarantine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_set_aside: bool,
}

impl Default for Root {
    fn default() -> Root {
        Root {
            version: FORMAT,
            generation: 0,
            days: BTreeMap::new(),
            moves: Vec::new(),
            removed: Removed::default(),
            recipients: Recipients::default(),
            skipped_in: BTreeMap::new(),
            delta: BTreeMap::new(),
            shared: None,
        }
    }
}

impl Root {
    /// The root of a store; when that is damaged or lost, its copy.
    pub(crate) fn read(store: &Path) -> Result<Root> {
        let path = layout::root(store);
        Root::read_file(&path).or_else(|error| match error {
            Error::FromTheFuture { .. } => Err(error),
            _ => Root::read_file(&layout::root_copy(store)).map_err(|_| match error {
                error if error.is_missing_file() => {
                    Error::Damaged { path, what: "it is gone, and its copy too".to_owned() }
                }
                error => error,
            }),
        })
    }

    /// The root that a file holds.
    pub(crate) fn read_file(path: &Path) -> Result<Root> {
        Root::from_bytes(&std::fs::read(path).at(path)?, path)
    }

    /// The root that these bytes are, which were those of `path`.
    pub(crate) fn from_bytes(bytes: &[u8], path: &Path) -> Result<Root> {
        #[derive(Deserialize)]
        struct Format {
            version: u32,
        }
        // Asked first: the root of a newer format may be of any shape, and is not damaged for that.
        let (found, known) =
            (seal::from_bytes::<Format>(bytes, path)?.manifest.version, FORMAT_OF_BUCKETS);
        if found > known {
            return Err(Error::FromTheFuture { path: path.to_owned(), found, known });
        }
        let ReadManifest { manifest: root, is_sealed } = seal::from_bytes::<Root>(bytes, path)?;
        if root.version > 1 && !is_sealed {
            return Err(Error::unsealed(path));
        }
        Ok(root)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        seal::to_bytes(self)
    }

    pub(crate) fn entry(&self, day: Day) -> DayEntry {
        self.days.get(&day.to_string()).copied().unwrap_or_default()
    }

    /// The days that have a manifest of either kind, in order.
    pub(crate) fn days(&self) -> impl Iterator<Item = (Day, DayEntry)> {
        self.days.iter().filter_map(|(date, entry)| Some((Day::parse(date)?, *entry)))
    }
}

/// A file that was ingested, known by its content and not by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Hash of header and first record: equal for a file and for what it grows into.
    pub head: String,
    /// Hashes of header and the first 2, 4, 8, 16 records: they tell files apart that begin alike.
    #[serde(default)]
    pub marks: Vec<String>,
    /// Bytes of content, decompressed, that were taken; always up to the end of a record.
    pub length: u64,
    /// Hash of those bytes.
    pub hash: String,
    /// File name when it was last seen.
    pub name: String,
    /// Which MTA wrote it.
    pub host: String,
    /// The file as the file system described it while it held this content and no other; all zero
    /// when that cannot be said.
    pub stat: Stat,
    /// What became of its records, over all runs.
    pub ledger: Ledger,
    /// When it was last ingested from, UTC seconds.
    pub ingested_at: i64,
    /// How far the clock of the machine that ingested it was ahead of the server of the bucket, in seconds;
    /// none where nobody compared them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ahead_s: Option<i64>,
    /// Earliest and latest `time_logged` stored from it, UTC seconds; none when nothing was.
    pub times: Option<(i64, i64)>,
    /// Where its records went: what each commit took of it, by day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<Taken>,
    /// What was taken once and is in no part any more, because the part was damaged. The ledger does
    /// not count it; when the file is ingested again, it is stored again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Taken>,
    /// The header of its last records, as a line: for what is written into the same file when it has
    /// been truncated in place. Empty of compressed files, and of those without a header.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub header: String,
}

/// The records of one day that one commit took from a stretch of a source's content. All of them
/// are in parts of that day that name the commit, and with those of other sources they are all that
/// these parts hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The number of the commit.
    pub generation: u64,
    /// The UTC day of the records, in days since 1970.
    #[serde(with = "day_number")]
    pub day: Day,
    /// Where the stretch begins, in bytes of decompressed content.
    pub from: u64,
    /// Where it ends.
    pub until: u64,
    /// How many records.
    pub rows: u64,
}

mod day_number {
    //! A day as its number.
    use pmtaq_schema::time::Day;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(day: &Day, to: S) -> Result<S::Ok, S::Error> {
        day.0.serialize(to)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Day, D::Error> {
        Ok(Day(i64::deserialize(from)?))
    }
}

/// What the file system says of a file; equal only when it was not touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stat {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Size on disk in bytes.
    pub size: u64,
    /// Time of the last change, in nanoseconds since 1970.
    pub modified_ns: i64,
}

/// Counts of records that must balance: `read = stored + duplicate + rejected`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Records read.
    pub read: u64,
    /// Records stored.
    pub stored: u64,
    /// Records that were in the store before.
    pub duplicate: u64,
    /// Records refused, each kept with its reason.
    pub rejected: u64,
    /// Of these, the ones that are counted and not kept, because the source had too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unkept: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Ledger {
    /// Adds the counts of `other`.
    pub fn add(&mut self, other: Ledger) {
        self.read += other.read;
        self.stored += other.stored;
        self.duplicate += other.duplicate;
        self.rejected += other.rejected;
        self.unkept += other.unkept;
    }

    /// Rows of the table `rejects` that came of it.
    pub fn kept_rejects(self) -> u64 {
        self.rejected.saturating_sub(self.unkept)
    }

    /// # Errors
    /// [`Error::Unbalanced`] when a record of the source `name` is unaccounted for.
    pub fn check(self, name: &str) -> Result<()> {
        let Ledger { read, stored, duplicate, rejected, .. } = self;
        if read == stored + duplicate + rejected {
            return Ok(());
        }
        Err(Error::Unbalanced { name: name.to_owned(), read, stored, duplicate, rejected })
    }
}

/// A list of parts or of sources in its file.
#[derive(Serialize, Deserialize)]
struct List<'l, T: Clone> {
    /// As in the root, which can be made anew from the lists; only when it is not the usual.
    #[serde(default, skip_serializing_if = "Recipients::is_plain")]
    recipients: Recipients,
    entries: Cow<'l, [T]>,
}

/// Reads a list of parts or of sources. Those of format 1 are bare.
pub(crate) fn read_list<T: Clone + DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let bytes = std::fs::read(path).at(path)?;
    if bytes.first() == Some(&b'[') {
        return Ok(seal::from_bytes::<Vec<T>>(&bytes, path)?.manifest);
    }
    let ReadManifest { manifest, is_sealed } = seal::from_bytes::<List<'_, T>>(&bytes, path)?;
    if !is_sealed {
        return Err(Error::unsealed(path));
    }
    Ok(manifest.entries.into_owned())
}

/// How a store keeps the addresses of recipients, by one of its lists.
pub(crate) fn recipients_of_list(path: &Path) -> Result<Recipients> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        recipients: Recipients,
    }
    Ok(seal::read::<Head>(path)?.manifest.recipients)
}

/// A list of parts or of sources as it is written.
pub(crate) fn list_to_bytes<T: Clone + Serialize>(
    entries: &[T],
    recipients: &Recipients,
) -> Vec<u8> {
    seal::to_bytes(&List { recipients: recipients.clone(), entries: Cow::Borrowed(entries) })
}

/// The day under which a source is filed: that of its first record, so that the look-up of one
/// source costs as much as its day has sources; day zero when it has no readable time.
pub fn source_day(first: Option<Timestamp>) -> Day {
    first.map_or(Day(0), Timestamp::day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_root_is_newer_whatever_its_shape() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("root.json");
        let newer =
            serde_json::json!({"version": FORMAT_OF_BUCKETS + 1, "days": ["another", "shape"]});
        std::fs::write(&path, seal::to_bytes(&newer)).expect("a file");
        let error = Root::read_file(&path).expect_err("it is not known here");
        assert!(matches!(error, Error::FromTheFuture { .. }), "{error}");
    }
}
