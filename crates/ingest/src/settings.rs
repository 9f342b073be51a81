//! How to ingest, as the caller wants it.

use std::path::PathBuf;

use pmtaq_schema::provider::Providers;
use pmtaq_schema::time::Timestamp;

use crate::hook::Hook;
use crate::privacy::Privacy;

/// How to ingest.
#[derive(Debug)]
pub struct Settings {
    /// The files, folders, globs and pipes to take; `-` is standard input.
    pub inputs: Vec<PathBuf>,
    /// Globs of the names that are not taken.
    pub exclude: Vec<String>,
    /// The header of files that have none.
    pub header: Option<Header>,
    /// The field that is the time of records in files without timeLogged.
    pub time_field: Option<String>,
    /// What separates fields in files that are not PMTA's own CSV.
    pub separator: Option<u8>,
    /// A folder for what can be read only once: pipes, and the files of compressed archives.
    pub scratch: PathBuf,
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

/// What the fields of records are called that have no header.
#[derive(Clone, Debug)]
pub enum Header {
    /// The names, as a header line has them.
    Line(String),
    /// An accounting file that has it.
    Of(PathBuf),
}

/// A file whose last line has no line end and which changed less than this many seconds ago may
/// still be growing: that line is left for the next run.
pub const GROWING_S: i64 = 3600;
