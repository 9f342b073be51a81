//! What a run did, source by source. Facts only: whoever called judges them.

use std::path::PathBuf;

use pmtaq_schema::time::Day;
use pmtaq_store::Ledger;

use crate::reject::Reject;

/// What a run did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Every source that was looked at, in the order of file names.
    pub sources: Vec<SourceOutcome>,
    /// Files and inputs that could not be taken at all.
    pub refused: Vec<Refused>,
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
    /// Bytes of a last line without line end, left for the next run.
    pub held_back: u64,
    /// Why reading stopped before the end; what came before is stored.
    pub stopped: Option<String>,
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

/// A file or input that could not be taken.
#[derive(Debug)]
pub struct Refused {
    /// Which.
    pub path: PathBuf,
    /// Why, and what to do.
    pub reason: String,
}
