//! Files as PowerMTA rotates them: `acct-2026-03-01-1600.csv`, each with its header.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::DateTime;
use flate2::write::GzEncoder;

use crate::message::{Event, HOUR_S};
use crate::rng::Rng;
use crate::row::{HEADER, Writer};
use crate::truth::{Incident, Truth};
use crate::{Compress, Settings};

/// The files being written.
pub(crate) struct Files {
    settings: Settings,
    dir: PathBuf,
    writer: Writer,
    buffer: Vec<u8>,
    hours_in_buffer: u32,
    begin: i64,
    truth: Truth,
    paths: Vec<PathBuf>,
    domain: Vec<u8>,
}

impl Files {
    pub(crate) fn new(settings: &Settings, dir: &Path) -> io::Result<Files> {
        fs::create_dir_all(dir)?;
        Ok(Files {
            settings: settings.clone(),
            dir: dir.to_owned(),
            writer: Writer::new(settings.offset_min, settings.host.clone()),
            buffer: Vec::new(),
            hours_in_buffer: 0,
            begin: 0,
            truth: Truth::default(),
            paths: Vec::new(),
            domain: Vec::new(),
        })
    }

    pub(crate) fn incidents(&mut self, incidents: &[Incident]) {
        self.truth.incidents = incidents.to_vec();
    }

    /// Adds the records of the hour that begins at `begin`.
    pub(crate) fn hour(&mut self, begin: i64, events: &[Event], rng: &mut Rng) -> io::Result<()> {
        if self.hours_in_buffer == 0 {
            self.begin = begin;
            self.buffer.clear();
            self.buffer.extend_from_slice(HEADER.as_bytes());
            self.buffer.extend_from_slice(b"\r\n");
        }
        for event in events {
            self.writer.line(event, rng, &mut self.buffer);
            self.truth.counts.add(event, &mut self.domain);
        }
        self.hours_in_buffer += 1;
        let ends_file = self.hours_in_buffer == self.settings.hours_per_file
            || (begin + HOUR_S) % (i64::from(self.settings.hours_per_file) * HOUR_S) == 0;
        if ends_file { self.flush() } else { Ok(()) }
    }

    /// Writes the rest and the truth.
    pub(crate) fn finish(mut self) -> io::Result<(Truth, Vec<PathBuf>)> {
        self.flush()?;
        let json = serde_json::to_string_pretty(&self.truth)?;
        fs::write(self.dir.join("truth.json"), json + "\n")?;
        Ok((self.truth, self.paths))
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.hours_in_buffer == 0 {
            return Ok(());
        }
        self.hours_in_buffer = 0;
        let local = self.begin + i64::from(self.settings.offset_min) * 60;
        let time = DateTime::from_timestamp(local, 0).unwrap_or_default();
        let end = match self.settings.compress {
            Compress::None => "csv",
            Compress::Gzip => "csv.gz",
            Compress::Zstd => "csv.zst",
        };
        let path = self.dir.join(format!("acct-{}.{end}", time.format("%Y-%m-%d-%H%M")));
        let mut file = File::create(&path)?;
        match self.settings.compress {
            Compress::None => file.write_all(&self.buffer)?,
            Compress::Gzip => {
                let mut encoder = GzEncoder::new(file, flate2::Compression::new(6));
                encoder.write_all(&self.buffer)?;
                encoder.finish()?;
            }
            Compress::Zstd => zstd::stream::copy_encode(&self.buffer[..], file, 3)?,
        }
        self.paths.push(path);
        Ok(())
    }
}
