//! A source file, opened and described once: what is read of it later is that file, or nothing.
//! Its name proves nothing, since PMTA and logrotate rename, replace and truncate at any moment.
//!
//! A source may also be a file of an archive, or what came through a pipe.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pmtaq_schema::time::Timestamp;
use pmtaq_store::Stat;

use crate::chunk::{Assumed, Stop, Stream};
use crate::form::Form;
use crate::hook::Hook;
use crate::outcome::Left;
use crate::spool::Section;
use crate::unpack::{MAGIC, Packing, read_full};
use crate::{GROWING_S, Settings};

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
    /// What there is of it in another file, when it is no file of its own.
    within: Option<Within>,
    /// How its content becomes CSV.
    pub(crate) form: Form,
    /// What its content does not say of its fields.
    pub(crate) assumed: Assumed,
    hook: Hook,
}

/// Where a source lies that is no file of its own.
#[derive(Clone)]
enum Within {
    /// In an archive, as it is.
    Archive(Section),
    /// Among what is kept for the run: nothing changes it.
    Spool(Section),
}

/// The content of a file, from the first byte.
pub(crate) struct Content {
    pub(crate) stream: Stream,
    /// Compressed files and those of archives are complete: nobody appends to them.
    pub(crate) is_complete: bool,
    /// What the file system said of it before this reading.
    pub(crate) stat: Stat,
    pub(crate) opened: Opened,
}

/// An open file, to be asked whether it has changed.
#[derive(Clone)]
pub(crate) struct Opened {
    file: Arc<File>,
    within: Option<Within>,
    /// What is said of it when it is no file of its own.
    stat: Stat,
    hook: Hook,
}

/// Why nothing is taken of a file.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It is not the file that it was.
    Left(Left),
    /// It cannot be read.
    Stop(Stop),
    /// It holds no accounting records; what it is instead, and what helps.
    Foreign(String),
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
    ///
    /// # Errors
    /// When that cannot be done, with the name.
    pub(crate) fn open(
        path: PathBuf,
        keep: bool,
        settings: &Settings,
    ) -> Result<SourceFile, (PathBuf, Unread)> {
        let opened = Opened::open(&path, &settings.hook)
            .and_then(|opened| Ok((opened.stat()?, opened)))
            .map_err(|why| (path.clone(), why));
        let (stat, opened) = opened?;
        let kept = keep.then_some(opened.file);
        let (form, assumed) = (Form::default(), Assumed::of(settings));
        Ok(SourceFile {
            path,
            stat,
            kept,
            within: None,
            form,
            assumed,
            hook: settings.hook.clone(),
        })
    }

    /// What came through a pipe and is kept in `section`.
    pub(crate) fn of_pipe(path: PathBuf, section: Section, settings: &Settings) -> SourceFile {
        // As a file that has changed just now, so that nobody remembers how it looked.
        let modified_ns = settings.now.millis() * 1_000_000;
        let stat = Stat { size: section.len(), modified_ns, ..Stat::default() };
        let (form, assumed, hook) = (Form::default(), Assumed::of(settings), settings.hook.clone());
        let within = Some(Within::Spool(section));
        SourceFile { path, stat, kept: None, within, form, assumed, hook }
    }

    /// A file of this one, which is an archive: a stretch of it, or what was kept of it.
    pub(crate) fn member(&self, name: &str, section: Section, is_kept: bool) -> SourceFile {
        let within = if is_kept { Within::Spool(section) } else { Within::Archive(section) };
        SourceFile {
            path: self.path.join(name),
            kept: None,
            within: Some(within),
            form: Form::default(),
            ..self.clone()
        }
    }

    /// A file of this one, that is told of and not read.
    pub(crate) fn named_within(&self, name: &str) -> SourceFile {
        SourceFile { path: self.path.join(name), ..self.clone() }
    }

    /// All of it as it lies on the disk, where it is not compressed.
    ///
    /// # Errors
    /// When it cannot be read as the same file.
    pub(crate) fn section(&self) -> Result<Option<Section>, Unread> {
        let opened = self.opened()?;
        let section = match &opened.within {
            Some(Within::Archive(section) | Within::Spool(section)) => section.clone(),
            None => Section { file: opened.file.clone(), range: 0..self.stat.size },
        };
        let mut magic = [0; MAGIC];
        let n = read_full(&mut section.reader(), &mut magic)?;
        Ok(Packing::of(&magic[..n]).is_none().then_some(section))
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
        let opened = self.opened()?;
        let stat = opened.stat()?;
        if (stat.device, stat.inode) != (self.stat.device, self.stat.inode) {
            return Err(Unread::Left(Left::Replaced));
        }
        if stat.size < self.stat.size {
            return Err(Unread::Left(Left::Rewritten));
        }
        Ok(opened.content(stat, self)?)
    }

    fn opened(&self) -> Result<Opened, Unread> {
        let opened = |file: &Arc<File>| Opened {
            file: file.clone(),
            within: self.within.clone(),
            stat: self.stat,
            hook: self.hook.clone(),
        };
        Ok(match (&self.within, &self.kept) {
            (Some(Within::Archive(section) | Within::Spool(section)), _) => opened(&section.file),
            (None, Some(file)) => opened(file),
            (None, None) => Opened::open(&self.path, &self.hook)?,
        })
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
            Ok(file) => Ok(Opened {
                file: Arc::new(file),
                within: None,
                stat: Stat::default(),
                hook: hook.clone(),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Unread::Left(Left::Replaced))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What the file system says of it now.
    pub(crate) fn stat(&self) -> io::Result<Stat> {
        if let Some(Within::Spool(_)) = self.within {
            return Ok(self.stat);
        }
        self.hook.call();
        let meta = self.file.metadata()?;
        Ok(Stat {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            modified_ns: meta.mtime() * 1_000_000_000 + meta.mtime_nsec(),
        })
    }

    fn content(self, stat: Stat, source: &SourceFile) -> io::Result<Content> {
        // Not mmap: a compressed file cannot be mapped, a truncated one kills, and one way to read
        // is easier to trust.
        let mut magic = [0; MAGIC];
        let n = read_full(&mut *self.raw()?, &mut magic)?;
        let packing = Packing::of(&magic[..n]);
        let bytes = self.raw()?;
        let unpacked = match packing {
            Some(packing) => packing.unpack(bytes)?,
            None => bytes,
        };
        let form = source.form;
        Ok(Content {
            stream: Stream {
                reader: form.read(unpacked),
                assumed: source.assumed.clone(),
                makes_headers: form.makes_headers(),
            },
            is_complete: packing.is_some() || self.within.is_some(),
            stat,
            opened: self,
        })
    }

    /// As it lies on the disk, from the beginning.
    fn raw(&self) -> io::Result<Box<dyn Read + Send>> {
        if let Some(Within::Archive(section) | Within::Spool(section)) = &self.within {
            return Ok(Box::new(section.reader()));
        }
        (&*self.file).rewind()?;
        Ok(if self.hook.is_set() {
            Box::new(self.clone())
        } else {
            // Without anything in between it reads into memory that nobody had to clear.
            Box::new(self.file.clone())
        })
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
