//! Files as PowerMTA rotates them: `acct-2026-03-01-1600.csv`, each with its header.
//! Knows bytes and names, not what the records say.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use zstd::stream::write::Encoder as ZstdEncoder;

use crate::clock::date;
use crate::columns::Columns;
use crate::message::Rec;
use crate::truth::FileTruth;
use crate::{Compress, Options};

/// Bytes that are gathered before they are written.
const BUFFER_BYTES: usize = 1 << 20;

/// One accounting stream, which is one `<acct-file>` of PowerMTA's configuration.
pub(crate) struct AcctStream {
    dir: PathBuf,
    name: String,
    /// The MTA that writes it, by its number.
    host: u16,
    compress: Compress,
    /// Bytes after which a file is full.
    max_bytes: u64,
    recs: u8,
    columns: Columns,
    /// The file being written.
    file: Option<Output>,
    /// Local hours since 1970 of the beginning of the period, and the number of its next file.
    period: i64,
    sequence: u32,
    pub(crate) written: BTreeMap<String, FileTruth>,
}

struct Output {
    name: String,
    sink: Sink,
    buffer: Vec<u8>,
    truth: FileTruth,
}

/// Where the bytes of a file go.
enum Sink {
    Plain(File),
    Gzip(GzEncoder<File>),
    Zstd(ZstdEncoder<'static, File>),
}

/// The streams that the settings ask for.
pub(crate) fn streams(
    settings: &Options,
    hosts: &[String],
    dir: &Path,
) -> io::Result<Vec<AcctStream>> {
    fs::create_dir_all(dir)?;
    let set = |recs: &[Rec]| recs.iter().fold(0, |set, rec| set | rec.bit());
    let split: &[(&str, u8)] = &[
        ("acct", set(&[Rec::D, Rec::B, Rec::Rb, Rec::Rs, Rec::F])),
        ("acct-temp", set(&[Rec::T, Rec::Tq])),
        ("acct-recv", set(&[Rec::R])),
    ];
    let whole: &[(&str, u8)] = &[("acct", set(&Rec::ALL))];
    let wanted = if settings.split { split } else { whole };
    let stream = |(number, host): (usize, &String), &(name, recs): &(&str, u8)| AcctStream {
        dir: dir.to_owned(),
        name: match hosts {
            [_] => name.to_owned(),
            _ => format!("{name}-{}", host.split('.').next().unwrap_or_default()),
        },
        host: number as u16,
        compress: settings.compress,
        max_bytes: settings.max_bytes.unwrap_or(u64::MAX),
        recs,
        columns: Columns::of(recs, settings.header()),
        file: None,
        period: i64::MIN,
        sequence: 0,
        written: BTreeMap::new(),
    };
    let hosts = hosts.iter().enumerate();
    Ok(hosts.flat_map(|host| wanted.iter().map(move |one| stream(host, one))).collect())
}

impl AcctStream {
    pub(crate) fn takes(&self, host: u16, rec: Rec) -> bool {
        self.host == host && self.recs & rec.bit() != 0
    }

    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Appends the line of a record. `period` is the local hour in which the file of its time
    /// begins.
    pub(crate) fn append(&mut self, period: i64, line: &[u8]) -> io::Result<()> {
        if period != self.period {
            self.close()?;
            self.period = period;
            self.sequence = period.rem_euclid(24) as u32 * 100;
        }
        let is_full = |file: &Output| {
            file.truth.bytes + file.buffer.len() as u64 >= self.max_bytes && file.truth.rows > 0
        };
        if self.file.as_ref().is_some_and(is_full) {
            self.close()?;
        }
        if self.file.is_none() {
            self.file = Some(self.open()?);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        file.buffer.extend_from_slice(line);
        file.truth.rows += 1;
        if file.buffer.len() >= BUFFER_BYTES { file.drain() } else { Ok(()) }
    }

    /// Ends the file being written, if there is one.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        file.drain()?;
        match file.sink {
            Sink::Plain(_) => {}
            Sink::Gzip(encoder) => drop(encoder.finish()?),
            Sink::Zstd(encoder) => drop(encoder.finish()?),
        }
        self.written.insert(file.name, file.truth);
        Ok(())
    }

    fn open(&mut self) -> io::Result<Output> {
        let day = date(self.period.div_euclid(24));
        let end = match self.compress {
            Compress::None => "csv",
            Compress::Gzip => "csv.gz",
            Compress::Zstd => "csv.zst",
        };
        let day = String::from_utf8_lossy(&day);
        let name = format!("{}-{day}-{:04}.{end}", self.name, self.sequence);
        self.sequence += 1;
        let file = File::create(self.dir.join(&name))?;
        let sink = match self.compress {
            Compress::None => Sink::Plain(file),
            Compress::Gzip => Sink::Gzip(GzEncoder::new(file, flate2::Compression::new(6))),
            Compress::Zstd => Sink::Zstd(ZstdEncoder::new(file, 3)?),
        };
        let mut buffer = Vec::with_capacity(BUFFER_BYTES + 4096);
        buffer.extend_from_slice(self.columns.header().as_bytes());
        Ok(Output { name, sink, buffer, truth: FileTruth::default() })
    }
}

impl Output {
    fn drain(&mut self) -> io::Result<()> {
        self.truth.bytes += self.buffer.len() as u64;
        match &mut self.sink {
            Sink::Plain(file) => file.write_all(&self.buffer)?,
            Sink::Gzip(encoder) => encoder.write_all(&self.buffer)?,
            Sink::Zstd(encoder) => encoder.write_all(&self.buffer)?,
        }
        self.buffer.clear();
        Ok(())
    }
}
