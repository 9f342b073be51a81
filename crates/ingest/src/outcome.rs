//! What a run did, source by source. Facts only: whoever called judges them.

use std::path::PathBuf;

use pmtaq_schema::time::Day;
use pmtaq_store::{Ledger, Skipped};

use crate::reject::Reject;

/// What a run did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Every source that was looked at, in the order of file names.
    pub sources: Vec<SourceOutcome>,
    /// Files and inputs that could not be taken at all.
    pub refused: Vec<Refused>,
    /// Files that changed under the run in other ways than by growing: nothing was taken of them,
    /// and the next run sees what they are then.
    pub left: Vec<(PathBuf, Left)>,
    /// Files of folders that were passed over for their names, and hidden folders.
    pub skipped: Skipped,
    /// Folders and globs that hold no file to take.
    pub empty: Vec<PathBuf>,
    /// The sum of the sources' ledgers.
    pub ledger: Ledger,
    /// Parts written.
    pub parts: u64,
    /// The days that got new parts, in order.
    pub days: Vec<Day>,
    /// Bytes of content read, decompressed.
    pub content_bytes: u64,
    /// Bytes of the parts written.
    pub part_bytes: u64,
    /// The first rejects, for the message; all of them are in the store.
    pub rejects: Vec<(PathBuf, Reject)>,
}

/// What became of one source.
#[derive(Debug)]
pub struct SourceOutcome {
    /// Where it was.
    pub path: PathBuf,
    /// Whether it was new.
    pub status: Status,
    /// Its records in this run.
    pub ledger: Ledger,
    /// Those of the stored ones that were stored before, and were lost with a damaged part.
    pub restored: u64,
    /// Bytes of a last line without line end, left for the next run.
    pub held_back: u64,
    /// Why reading stopped before the end; what came before is stored.
    pub stopped: Option<String>,
    /// A known file of which this one has the name or the place and the beginning, but which it does
    /// not go on from: what they share counts twice.
    pub differs_from: Option<String>,
    /// Where the header was taken from, when the source has none.
    pub header_from: Option<HeaderFrom>,
}

/// Where a header is from that a source does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderFrom {
    /// The user gave it.
    User,
    /// A known source of this name, which the file was before it was truncated.
    Before(String),
}

/// How a source relates to what the store knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Never seen.
    New,
    /// Seen before, and longer now.
    Grown,
    /// All of it is in the store already, perhaps under another name.
    Known,
    /// It holds no record.
    Empty,
}

/// What happened to a file while the run looked at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Left {
    /// Its name is gone, or that of another file.
    #[error("was moved or replaced meanwhile")]
    Replaced,
    /// It has become shorter, or its content another.
    #[error("was truncated or rewritten meanwhile")]
    Rewritten,
    /// Its compressed data has no end yet.
    #[error("is still being compressed")]
    Unfinished,
}

/// A file or input that could not be taken.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Which.
    pub path: PathBuf,
    /// Why, and what to do.
    pub reason: String,
}
