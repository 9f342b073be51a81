//! Realistic accounting files with planted incidents, the same for the same seed.
//!
//! Knows nothing of the other crates: what it says of its files ([`Truth`]) is an independent
//! witness against which they are tested. Not shipped.

mod rng;

mod world;

mod message;
mod row;

mod files;

mod truth;
pub use truth::{Incident, Truth};

use std::io;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

/// What to generate.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Equal seeds give equal bytes.
    pub seed: u64,
    /// Records in all files together.
    pub rows: u64,
    /// First UTC day.
    pub start: NaiveDate,
    /// Days.
    pub days: u32,
    /// Hours of one file: 1, or 24 for one file a day.
    pub hours_per_file: u32,
    /// Offset of the MTA's clock from UTC, in minutes.
    pub offset_min: i32,
    /// Whether to compress, and how.
    pub compress: Compress,
    /// Value of `userString`: the name of the MTA.
    pub host: String,
    /// Whether to plant incidents.
    pub incidents: bool,
}

/// How files are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compress {
    /// Plain CSV.
    None,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            seed: 7,
            rows: 100_000,
            start: NaiveDate::from_ymd_opt(2026, 3, 1).unwrap_or_default(),
            days: 3,
            hours_per_file: 1,
            offset_min: 0,
            compress: Compress::None,
            host: "mta1.example.net".to_owned(),
            incidents: true,
        }
    }
}

/// Writes the files and `truth.json` into `dir`, and says what they hold.
///
/// # Errors
/// When a file cannot be written.
pub fn generate(settings: &Settings, dir: &Path) -> io::Result<(Truth, Vec<PathBuf>)> {
    let mut files = files::Files::new(settings, dir)?;
    message::simulate(settings, &mut files)?;
    files.finish()
}
