//! Realistic accounting files with planted incidents, the same for the same seed.
//!
//! Knows nothing of the other crates: what it says of its files ([`Truth`]) is an independent
//! witness against which they are tested. Not shipped.

mod rng;
mod text;

mod clock;

mod reply;
mod world;
pub use world::Size;

mod incident;
mod message;
pub use incident::Incident;

mod columns;
pub use columns::Header;
mod row;

mod files;
mod lines;

mod truth;
pub use truth::{FileTruth, Truth, TruthCounts};

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{NaiveDate, NaiveTime};
pub use chrono_tz::Tz;

/// What to generate.
#[derive(Clone, Debug)]
pub struct Options {
    /// Equal seeds give equal bytes.
    pub seed: u64,
    /// How much there is of everything.
    pub size: Size,
    /// The fields; none for those of the world.
    pub header: Option<Header>,
    /// Records in all files together.
    pub rows: u64,
    /// First UTC day.
    pub start: NaiveDate,
    /// Days, at least one.
    pub days: u32,
    /// Hours of one file: 1, or 24 for one file a day. Not heeded with `max_bytes`.
    pub hours_per_file: u32,
    /// Bytes, before compression, after which a new file begins; it also does at midnight.
    pub max_bytes: Option<u64>,
    /// Offset of the MTA's clock from UTC, in minutes.
    pub offset_min: i32,
    /// Zone of the MTA's clock, with its summer time; it wins over `offset_min`.
    pub zone: Option<Tz>,
    /// Whether to compress, and how.
    pub compress: Compress,
    /// Value of `userString`: the name of the MTA, of the first where there are several.
    pub host: String,
    /// Three streams, `acct` (d, b, rb, rs, f), `acct-temp` (t, tq) and `acct-recv` (r), in place
    /// of one with all record types.
    pub split: bool,
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

impl Default for Options {
    fn default() -> Options {
        Options {
            seed: 7,
            size: Size::Small,
            header: None,
            rows: 100_000,
            start: NaiveDate::from_ymd_opt(2026, 3, 1).unwrap_or_default(),
            days: 3,
            hours_per_file: 1,
            max_bytes: None,
            offset_min: 0,
            zone: None,
            compress: Compress::None,
            host: "mta1.example.net".to_owned(),
            split: false,
            incidents: true,
        }
    }
}

impl Options {
    fn header(&self) -> Option<Header> {
        match self.size {
            Size::Small => self.header,
            Size::Sender | Size::Esp => self.header.or(Some(Header::Usual)),
        }
    }

    /// The names of so many MTAs: `mta1.example.net`, `mta2.example.net`.
    fn hosts(&self, count: u16) -> Vec<String> {
        let (label, domain) = self.host.split_once('.').unwrap_or((&self.host, ""));
        let label = label.trim_end_matches(|c: char| c.is_ascii_digit());
        let other = |n| format!("{label}{n}.{domain}").trim_end_matches('.').to_owned();
        [self.host.clone()].into_iter().chain((2..=count).map(other)).collect()
    }
}

/// Writes the files and `truth.json` into `dir`, and says what they hold and where they are, in
/// the order of their names.
///
/// # Errors
/// When a file cannot be written.
pub fn generate(settings: &Options, dir: &Path) -> io::Result<(Truth, Vec<PathBuf>)> {
    let days = settings.days.max(1);
    let start = settings.start.and_time(NaiveTime::MIN).and_utc().timestamp();
    let world = world::World::new(settings.size);
    let incidents = if settings.incidents {
        incident::Incidents::planted(&world, start, days)
    } else {
        incident::Incidents::none(&world)
    };
    let clock = clock::LocalTime::new(start, days, settings.offset_min, settings.zone);
    let hosts = settings.hosts(world.hosts);
    let mut tally = truth::Tally::new(&world, &incidents, start, days);
    let mut streams = files::streams(settings, &hosts, dir)?;
    let mut simulation =
        message::Simulation::new(&world, &incidents, settings.seed, (start, days), settings.rows);
    let hours_per_file = match settings.max_bytes {
        Some(_) => 24,
        None => i64::from(settings.hours_per_file.clamp(1, 24)),
    };
    let mut events = simulation.hour(0);
    for next in 1..=simulation.hours() {
        let write = || {
            let lines = lines::of(&events, &streams, &world, || {
                row::Writer::new(&world, &clock, start, &hosts)
            });
            for (event, (stream, line)) in events.iter().zip(lines.iter().flatten()) {
                let period = clock.hour(event.time);
                streams[stream].append(period - period.rem_euclid(hours_per_file), line)?;
                tally.add(event, &world, &incidents);
            }
            io::Result::Ok(())
        };
        let simulate = || if next < simulation.hours() { simulation.hour(next) } else { vec![] };
        let (written, of_next) = rayon::join(write, simulate);
        written?;
        events = of_next;
    }
    let mut written = BTreeMap::new();
    for stream in &mut streams {
        stream.close()?;
        written.append(&mut stream.written);
    }
    let paths = written.keys().map(|name| dir.join(name)).collect();
    let truth = tally.truth(&world, settings, written);
    let json = serde_json::to_string_pretty(&truth)?;
    fs::write(dir.join("truth.json"), json + "\n")?;
    Ok((truth, paths))
}
