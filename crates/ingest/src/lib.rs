//! From accounting files to staged parts: find, open, cut, split, plan, build, derive, write.
//!
//! [`compact`] writes parts of parts.
//!
//! Never renames or deletes, never writes a manifest field, never touches DuckDB, stdout or the
//! clock. The modules below are in the order in which a byte passes them.
//!
//! Parsing never fails: a bad line becomes a [`reject::Reject`], a bad file a [`Refused`], and
//! only the store's own disk stops a run.

mod budget;
pub use budget::DEFAULT_MEMORY;

mod hook;
pub use hook::Hook;

mod find;

mod open;

mod content;

mod block;
mod chunk;
mod cpu;

mod split;
pub use split::{Field, Line, Splitter};

mod plan;
pub use plan::{Plan, PlanError};

mod privacy;
pub use privacy::{MIN_KEY, Privacy};

mod derive;
mod intern;
mod rows;

pub mod reject;

mod parts;

mod hourly;
pub use hourly::Hourly;

mod rollup;

mod identity;
mod taken;

mod task;

mod pipeline;
pub use pipeline::ingest;

mod compact;
pub use compact::{Compacted, Effort, compact};

mod verify;
pub use verify::{Verified, verify};

mod repair;
pub use repair::repair;

mod forget;
pub use forget::{Forgotten, forget};

mod prune;
pub use prune::{Keep, expired, prune};

mod outcome;
pub use outcome::{Left, Outcome, Refused, SourceOutcome, Status};

use std::path::PathBuf;

use pmtaq_schema::provider::Providers;
use pmtaq_schema::time::Timestamp;

/// How to ingest.
#[derive(Debug)]
pub struct Settings {
    /// The files, folders and globs to take.
    pub inputs: Vec<PathBuf>,
    /// Which MTA wrote the files, when the user says so.
    pub host: Option<String>,
    /// The name of this machine, for records that name no MTA.
    pub machine: String,
    /// Worker threads, at most.
    pub threads: usize,
    /// Bytes of memory to keep within.
    pub memory: u64,
    /// Who runs which mailbox.
    pub providers: Providers,
    /// How the addresses of recipients are stored.
    pub privacy: Privacy,
    /// The moment to note as the time of ingestion.
    pub now: Timestamp,
    /// What comes before each system call on a source file.
    pub hook: Hook,
}

/// Why a run stopped. Bad files and bad lines do not stop one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store's own disk refused.
    #[error(transparent)]
    Store(#[from] pmtaq_store::Error),
    /// The machine has no room for the worker threads.
    #[error("cannot start {0} worker threads")]
    Threads(usize),
    /// So little memory is not enough.
    #[error("{what} needs {least} bytes of memory at least, and may use {given}")]
    Memory {
        /// What was to be done.
        what: &'static str,
        /// What it may use.
        given: u64,
        /// What is enough.
        least: u64,
    },
}

/// A file whose last line has no line end and which changed less than this many seconds ago may
/// still be growing: that line is left for the next run.
pub const GROWING_S: i64 = 3600;
