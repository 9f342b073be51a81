//! A source file, opened and described once: what is read of it later is that file, or nothing.
//! Its name proves nothing, since PMTA and logrotate rename, replace and truncate at any moment.
//!
//! The content may be plain, gzip (also of several members) or zstd. Decided by the first bytes,
//! since a rotated file may have any name.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;
use pmtaq_schema::time::Timestamp;
use pmtaq_store::Stat;

use crate::GROWING_S;
use crate::chunk::Stop;
use crate::hook::Hook;
use crate::outcome::Left;

/// Files whose descriptors are kept from the first look on, so that they may be rotated meanwhile.
/// A process may have 1024 open, and the parts of many days and workers need most of them.
pub(crate) const KEPT: usize = 64;

/// A change of a file that is younger than this when the run begins may be followed by one that
/// leaves the same time behind: clocks of file systems tick slowly.
const TICK_S: i64 = 2;

/// A file as it was first seen.
#[derive(Clone)]
pub(crate) struct SourceFile {
    pub(crate) path: PathBuf,
    /// What the file system said of it before its first byte was read.
    pub(crate) stat: Stat,
    /// The file itself, unless there are too many.
    kept: Option<Arc<File>>,
    hook: Hook,
}

/// The content of a file, from the first byte.
pub(crate) struct Content {
    pub(crate) reader: Box<dyn Read + Send>,
    /// Compressed files are complete: nobody appends to them.
    pub(crate) compressed: bool,
    /// What the file system said of it before this reading.
    pub(crate) stat: Stat,
    pub(crate) opened: Opened,
}

/// An open file, to be asked whether it has changed.
#[derive(Clone)]
pub(crate) struct Opened {
    file: Arc<File>,
    hook: Hook,
}

/// Why nothing is taken of a file.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It is not the file that it was.
    Left(Left),
    /// It cannot be read.
    Stop(Stop),
}

impl From<Stop> for Unread {
    fn from(stop: Stop) -> Unread {
        Unread::Stop(stop)
    }
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Unread {
        Unread::Stop(error.into())
    }
}

impl SourceFile {
    /// Opens the file that has this name now. With `keep`, its descriptor stays open.
    pub(crate) fn open(path: PathBuf, keep: bool, hook: &Hook) -> Result<SourceFile, Unread> {
        let opened = Opened::open(&path, hook)?;
        let stat = opened.stat()?;
        let kept = keep.then_some(opened.file);
        Ok(SourceFile { path, stat, kept, hook: hook.clone() })
    }

    /// The file name, for messages and for the column `source`.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    /// The same file, through a descriptor that is open already.
    pub(crate) fn kept_as(&self, opened: &Opened) -> SourceFile {
        SourceFile { kept: Some(opened.file.clone()), ..self.clone() }
    }

    /// Its content, decompressed. One at a time: a descriptor has one position.
    pub(crate) fn content(&self) -> Result<Content, Unread> {
        let opened = match &self.kept {
            Some(file) => Opened { file: file.clone(), hook: self.hook.clone() },
            None => Opened::open(&self.path, &self.hook)?,
        };
        let stat = opened.stat()?;
        if (stat.device, stat.inode) != (self.stat.device, self.stat.inode) {
            return Err(Unread::Left(Left::Replaced));
        }
        if stat.size < self.stat.size {
            return Err(Unread::Left(Left::Rewritten));
        }
        Ok(opened.content(stat)?)
    }

    /// Whether it may still grow, by the last of its changes that is known.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        is_fresh(self.stat, now)
    }
}

pub(crate) fn is_fresh(stat: Stat, now: Timestamp) -> bool {
    now.0 - modified_s(stat) < GROWING_S
}

/// Whether a file that is so described later has not been changed since: not if its last change was
/// a moment ago.
pub(crate) fn is_settled(stat: Stat, now: Timestamp) -> bool {
    modified_s(stat) < now.0 - TICK_S
}

fn modified_s(stat: Stat) -> i64 {
    stat.modified_ns.div_euclid(1_000_000_000)
}

impl Opened {
    /// Opens a file whose name was just read in its folder.
    fn open(path: &Path, hook: &Hook) -> Result<Opened, Unread> {
        hook.call();
        match File::open(path) {
            Ok(file) => Ok(Opened { file: Arc::new(file), hook: hook.clone() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Unread::Left(Left::Replaced))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What the file system says of it now.
    pub(crate) fn stat(&self) -> io::Result<Stat> {
        self.hook.call();
        let meta = self.file.metadata()?;
        Ok(Stat {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            modified_ns: meta.mtime() * 1_000_000_000 + meta.mtime_nsec(),
        })
    }

    fn content(self, stat: Stat) -> io::Result<Content> {
        // Not mmap: a compressed file cannot be mapped, a truncated one kills, and one way to read
        // is easier to trust.
        (&*self.file).rewind()?;
        let mut magic = [0; 6];
        let n = read_full(&mut *self.raw(), &mut magic)?;
        (&*self.file).rewind()?;
        let bytes = self.raw();
        const BUFFER: usize = 256 * 1024;
        let (reader, compressed): (Box<dyn Read + Send>, bool) = match &magic[..n] {
            [0x1f, 0x8b, ..] => {
                (Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, bytes))), true)
            }
            [0x28, 0xb5, 0x2f, 0xfd, ..] => (Box::new(zstd::Decoder::new(bytes)?), true),
            magic => match packed_by(magic) {
                Some(what) => return Err(io::Error::new(io::ErrorKind::Unsupported, what)),
                None => (bytes, false),
            },
        };
        Ok(Content { reader, compressed, stat, opened: self })
    }

    /// As they lie on the disk.
    fn raw(&self) -> Box<dyn Read + Send> {
        match self.hook.is_set() {
            true => Box::new(self.clone()),
            // Without anything in between it reads into memory that nobody had to clear.
            false => Box::new(self.file.clone()),
        }
    }
}

/// With a hook, few bytes come at a time: a small file changes within as a large one does.
impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        const FEW: usize = 300;
        self.hook.call();
        let few = buffer.len().min(FEW);
        (&*self.file).read(&mut buffer[..few])
    }
}

/// What to tell of a file that is packed in a way that is not read.
fn packed_by(magic: &[u8]) -> Option<&'static str> {
    Some(match magic {
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => {
            "is compressed with bzip2, which is not read: `bzcat FILE | gzip > FILE.gz` makes one \
             that is"
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0] => {
            "is compressed with xz, which is not read: `xzcat FILE | gzip > FILE.gz` makes one that is"
        }
        [0x1f, 0x9d, ..] => {
            "is compressed with compress, which is not read: `zcat FILE | gzip > FILE.gz` makes one \
             that is"
        }
        [0x04, 0x22, 0x4d, 0x18, ..] => {
            "is compressed with lz4, which is not read: `lz4cat FILE | gzip > FILE.gz` makes one \
             that is"
        }
        [b'P', b'K', 3, 4, ..] => {
            "is a zip archive, which is not read: unpack it, and ingest what was in it"
        }
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c] => {
            "is a 7-Zip archive, which is not read: unpack it, and ingest what was in it"
        }
        _ => return None,
    })
}

/// Reads until `buffer` is full or the content ends; says how much was read.
pub(crate) fn read_full(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
