//! Where what can be read only once is kept for the run: what came through a pipe, and the files of
//! a compressed archive. One file without a name, which is gone with the process.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::unpack::{MAGIC, Packing, ZIP, read_full};

/// The room of a run.
pub(crate) struct Spool {
    dir: PathBuf,
    /// The file, and where it ends.
    room: Mutex<Option<(Arc<File>, u64)>>,
}

/// A stretch of a file.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) file: Arc<File>,
    pub(crate) range: Range<u64>,
}

impl Spool {
    /// In a folder, in which nothing is made before it is needed.
    pub(crate) fn within(dir: PathBuf) -> Spool {
        Spool { dir, room: Mutex::new(None) }
    }

    /// Keeps `content`: as it is if it is compressed, else compressed.
    ///
    /// # Errors
    /// When it cannot be read to its end, or the disk is full.
    pub(crate) fn keep(&self, content: &mut dyn Read) -> io::Result<Section> {
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, start) = match &*room {
            Some((file, end)) => (file.clone(), *end),
            None => (Arc::new(tempfile::tempfile_in(&self.dir)?), 0),
        };
        let mut magic = [0; MAGIC];
        let n = read_full(content, &mut magic)?;
        let mut content = magic[..n].chain(content);
        let mut writer = End { file: &file, at: start };
        // What is packed already would not become smaller, and a zip is read from its end.
        if Packing::of(&magic[..n]).is_some() || magic.starts_with(ZIP) {
            io::copy(&mut content, &mut writer)?;
        } else {
            let mut encoder = zstd::Encoder::new(&mut writer, 1)?;
            io::copy(&mut content, &mut encoder)?;
            encoder.finish()?;
        }
        let range = start..writer.at;
        *room = Some((file.clone(), range.end));
        Ok(Section { file, range })
    }
}

/// Writes at the end of a file.
struct End<'f> {
    file: &'f File,
    at: u64,
}

impl Write for End<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write_at(bytes, self.at)?;
        self.at += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Section {
    /// A reader of its own, from the beginning.
    pub(crate) fn reader(&self) -> SectionReader {
        SectionReader { section: self.clone(), at: 0 }
    }

    /// How long it is.
    pub(crate) fn len(&self) -> u64 {
        self.range.end - self.range.start
    }
}

/// Reads a stretch of a file, wherever others read it.
pub(crate) struct SectionReader {
    section: Section,
    at: u64,
}

impl Read for SectionReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.section.len().saturating_sub(self.at);
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let n =
            self.section.file.read_at(&mut buffer[..room], self.section.range.start + self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for SectionReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.section.len().checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
