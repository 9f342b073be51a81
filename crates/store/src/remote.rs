//! A bucket that holds a store, and the folder on this machine in which lies what was fetched of it, in
//! the layout of the store. All files but the root are written once under names of their own, so that
//! what is here is as good as what is there. The only file of this crate that asks a bucket for anything
//! but a commit.

mod cache;
pub(crate) mod commit;
pub(crate) mod fetch;
pub(crate) mod note;
mod repair;
mod settings;
pub(crate) mod turn;

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use pmtaq_bucket::{Bucket, Condition, Swapped, random};

use crate::checksum;
use crate::error::{At, Error, Result};
use crate::fs::{self, Disk};
use crate::layout::{self, Table};
use crate::manifest::{FORMAT_OF_BUCKETS, Part, Root, Shared, SharedSettings};
use cache::Cache;

/// What was put so lately may belong to a commit that is being made: seconds.
const YOUNG_S: i64 = 24 * 3600;

/// A bucket with its folder. Clones are the same one.
#[derive(Clone)]
pub struct Remote {
    inner: Arc<Inner>,
}

struct Inner {
    bucket: Bucket,
    dir: PathBuf,
    disk: Disk,
    cache: Cache,
    /// The settings that the last root named which was read.
    settings: Mutex<Option<SharedSettings>>,
}

/// The root as it was at one moment.
pub(crate) struct RootThere {
    pub(crate) root: Root,
    /// What tells it from any other.
    pub(crate) etag: String,
    /// What time it was there.
    pub(crate) now: Option<i64>,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} in {}", self.inner.bucket, self.inner.dir.display())
    }
}

impl PartialEq for Remote {
    fn eq(&self, other: &Remote) -> bool {
        self.inner.dir == other.inner.dir
    }
}

impl Eq for Remote {}

impl Remote {
    /// A bucket of which at most about `limit` bytes lie in a folder of `caches`, which is made.
    ///
    /// # Errors
    /// [`Error::Io`] of the folder.
    pub fn new(bucket: Bucket, caches: &Path, limit: u64) -> Result<Remote> {
        let (disk, address) = (Disk::default(), bucket.address());
        let sum = checksum::of(format!("{} {address}", bucket.server()).as_bytes());
        let dir = caches.join(format!("{}-{}", address.bucket, &sum[..16]));
        for place in [layout::staging(&dir), layout::days(&dir), layout::fetching(&dir)] {
            disk.create_dir(&place)?;
        }
        let cache = Cache::new(limit);
        let remote = Remote {
            inner: Arc::new(Inner { bucket, dir, disk, cache, settings: Mutex::default() }),
        };
        remote.drop_left();
        Ok(remote)
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// The address of a file of the store, which has its place in the folder.
    pub(crate) fn url(&self, path: &Path) -> String {
        self.inner.bucket.url(&self.key(path))
    }

    /// The key of a file.
    fn key(&self, path: &Path) -> String {
        path.strip_prefix(&self.inner.dir).unwrap_or(path).to_string_lossy().into_owned()
    }

    /// What the root says now; what is here of another store is dropped, and what an erasure has taken
    /// away since.
    pub(crate) fn root(&self) -> Result<RootThere> {
        match self.try_root()? {
            Some(there) => Ok(there),
            None => Err(self.without_root()),
        }
    }

    /// What it means that there is no root.
    fn without_root(&self) -> Error {
        let [root, copy] = [layout::root, layout::root_copy].map(|of| of(self.dir()));
        match self.has(&copy) {
            Ok(false) => Error::Missing { dir: self.inner.bucket.address().to_string().into() },
            Ok(true) => Error::Damaged { path: self.url(&root).into(), what: "it is gone".into() },
            Err(error) => error,
        }
    }

    /// Whether a file is in the bucket.
    pub(crate) fn has(&self, path: &Path) -> Result<bool> {
        Ok(self.inner.bucket.size(&self.key(path))?.is_some())
    }

    /// The names of what lies below a folder in the bucket.
    pub(crate) fn names(&self, folder: &Path) -> Result<Vec<String>> {
        let folder = self.key(folder) + "/";
        let listed = self.inner.bucket.list(&folder)?;
        Ok(listed
            .iter()
            .filter_map(|one| one.key.strip_prefix(&folder))
            .map(str::to_owned)
            .collect())
    }

    /// Puts an object, whatever was there.
    pub(crate) fn put(&self, disk: &Disk, path: &Path, bytes: &[u8]) -> Result<()> {
        disk.remote_step();
        Ok(self.inner.bucket.put(&self.key(path), bytes)?)
    }

    /// Puts an object that is not there. One that another has put meanwhile stays.
    pub(crate) fn put_new(&self, disk: &Disk, path: &Path, bytes: &[u8]) -> Result<()> {
        disk.remote_step();
        match self.inner.bucket.swap(&self.key(path), bytes, Condition::Absent)? {
            Swapped::Done(_) | Swapped::Differs => Ok(()),
            Swapped::Unknown(_) if self.has(path)? => Ok(()),
            Swapped::Unknown(error) => Err(error.into()),
        }
    }

    /// Deletes an object.
    pub(crate) fn delete(&self, disk: &Disk, path: &Path) -> Result<()> {
        disk.remote_step();
        Ok(self.inner.bucket.delete(&self.key(path))?)
    }

    fn try_root(&self) -> Result<Option<RootThere>> {
        let key = self.key(&layout::root(self.dir()));
        let Some(object) = self.inner.bucket.get(&key)? else { return Ok(None) };
        let root = Root::from_bytes(&object.bytes, Path::new(&self.inner.bucket.url(&key)))?;
        if object.etag.is_empty() {
            let what =
                "the server gives no ETag for it, without which no commit is safe".to_owned();
            return Err(Error::Damaged { path: self.inner.bucket.url(&key).into(), what });
        }
        let shared = root.shared.as_ref();
        self.note_settings(shared);
        self.keep_to(&shared.map_or(String::new(), |of| format!("{} {}", of.id, of.erased)))?;
        Ok(Some(RootThere { root, etag: object.etag, now: object.now }))
    }

    /// Makes an empty store when there is none.
    ///
    /// # Errors
    /// [`Error::Occupied`] when other things are there, [`Error::Bucket`] when the server is not fit.
    pub(crate) fn create(&self) -> Result<()> {
        if self.try_root()?.is_some() {
            return Ok(());
        }
        let private = self.key(&layout::private(self.dir()));
        if self.inner.bucket.list("")?.iter().any(|object| !object.key.starts_with(&private)) {
            return Err(Error::Occupied { dir: self.inner.bucket.address().to_string().into() });
        }
        self.check_server()?;
        let shared = Shared { id: format!("{:016x}", random()), ..Shared::default() };
        let root = Root { version: FORMAT_OF_BUCKETS, shared: Some(shared), ..Root::default() };
        let key = self.key(&layout::root(self.dir()));
        match self.inner.bucket.swap(&key, &root.to_bytes(), Condition::Absent)? {
            // Another made it: of two one does.
            Swapped::Done(_) | Swapped::Differs => Ok(()),
            Swapped::Unknown(error) => match self.try_root()? {
                Some(_) => Ok(()),
                None => Err(error.into()),
            },
        }
    }

    /// Refuses a server that does not compare before it swaps. Each machine tries it once.
    fn check_server(&self) -> Result<()> {
        let server = format!("swaps {}", self.inner.bucket.server());
        if self.is_noted(&server) {
            return Ok(());
        }
        let key = self.key(&layout::private(self.dir()).join(format!("probe-{:016x}", random())));
        self.inner.bucket.check_swaps(&key)?;
        self.note(&server)
    }

    /// Opens a part, which is fetched when it is not here.
    pub(crate) fn open(&self, path: &Path, part: &Part) -> Result<File> {
        // Another process may make room between the two.
        const TRIES: u32 = 5;
        for _ in 0..TRIES {
            self.bring_part(path, part)?;
            match File::open(path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                other => return other.at(path),
            }
        }
        Err(std::io::Error::from(std::io::ErrorKind::NotFound)).at(path)
    }

    /// Fetches a part in place of what is here of it.
    pub(crate) fn fetch_anew(&self, path: &Path, part: &Part) -> Result<()> {
        self.drop_file(path)?;
        self.bring_part(path, part)
    }

    /// Has a part here, as long as it was written.
    pub(crate) fn bring_part(&self, path: &Path, part: &Part) -> Result<()> {
        match path.metadata() {
            Ok(here) if here.len() == part.bytes => {
                self.touch(path, &here);
                Ok(())
            }
            Ok(_) => self.fetch_anew(path, part),
            Err(_) => self.fetch(path, part.bytes, part.checksum.as_deref()),
        }
    }

    /// Has a list here.
    pub(crate) fn bring(&self, path: &Path) -> Result<()> {
        match path.metadata() {
            Ok(here) => {
                self.touch(path, &here);
                Ok(())
            }
            Err(_) => self.fetch(path, 1 << 20, None),
        }
    }

    /// Fetches a file and puts it in its place, if it is as it was written.
    fn fetch(&self, path: &Path, bytes: u64, checksum: Option<&str>) -> Result<()> {
        let (key, disk) = (self.key(path), &self.inner.disk);
        let url = PathBuf::from(self.inner.bucket.url(&key));
        let new = layout::fetching(self.dir()).join(format!("{:016x}", random()));
        let mut file = disk.create_for_reading(&new)?;
        let fetched = self.fetch_into(&key, &url, bytes, checksum, &mut file);
        let placed = fetched.and_then(|()| {
            path.parent().map_or(Ok(()), |folder| disk.create_dir(folder))?;
            disk.rename(&new, path)?;
            self.make_room(file.metadata().at(path)?.len(), path)
        });
        if placed.is_err() {
            let _ = disk.remove(&new);
        }
        placed
    }

    fn fetch_into(
        &self,
        key: &str,
        url: &Path,
        bytes: u64,
        checksum: Option<&str>,
        file: &mut File,
    ) -> Result<()> {
        // What is wrong may have been changed on its way.
        let mut what = String::new();
        for _ in 0..2 {
            if !self.inner.bucket.fetch(key, bytes, file)? {
                return Err(std::io::Error::from(std::io::ErrorKind::NotFound)).at(url);
            }
            let Some(written) = checksum else { return Ok(()) };
            let found = file.metadata().at(url)?.len();
            std::io::Seek::rewind(file).at(url)?;
            if found != bytes {
                what = format!("it has {found} bytes, of {bytes} that were written");
            } else if checksum::of_file(file, url)? != written {
                what = "its bytes are not those that were written".to_owned();
            } else {
                return Ok(());
            }
        }
        Err(Error::Damaged { path: url.to_owned(), what })
    }

    /// Files in the partitions that are none of `parts` and that no list names, but those that may
    /// belong to a commit that is being made, or that were replaced a moment ago.
    pub(crate) fn strays<'p>(
        &self,
        parts: impl Iterator<Item = &'p Path>,
        root: &Root,
    ) -> Result<Vec<PathBuf>> {
        let known: HashSet<String> = parts.map(|path| self.key(path)).collect();
        let days = layout::days(self.dir());
        let lists: HashSet<String> = root
            .days()
            .flat_map(|(day, entry)| {
                [entry.parts_in(self.dir(), day), entry.sources_in(self.dir(), day)]
            })
            .flatten()
            .map(|path| self.key(&path))
            .chain(self.gone(|_| true)?.into_iter().flat_map(|(_, keys)| keys))
            .collect();
        let (mut strays, newest) = (Vec::new(), self.root()?.now.unwrap_or(i64::MAX) - YOUNG_S);
        let tables = Table::ALL.map(|table| layout::table(self.dir(), table));
        for folder in tables.iter().chain([&days]) {
            let listed = self.inner.bucket.list(&(self.key(folder) + "/"))?;
            let logs: Vec<String> = root
                .delta
                .keys()
                .map(|of| self.key(&layout::delta(self.dir(), *of)) + "/")
                .collect();
            let is_log = |key: &str| logs.iter().any(|log| key.starts_with(log));
            let old = listed.into_iter().filter(|one| one.modified < newest && !is_log(&one.key));
            let stray = old.filter(|one| !known.contains(&one.key) && !lists.contains(&one.key));
            strays.extend(stray.map(|object| PathBuf::from(self.inner.bucket.url(&object.key))));
        }
        strays.sort();
        Ok(strays)
    }
}

impl Disk {
    /// Makes an empty file to be written and read again.
    fn create_for_reading(&self, path: &Path) -> Result<File> {
        drop(self.create(path)?);
        File::options().read(true).write(true).open(path).at(path)
    }
}

/// Names in a folder, each with its path.
fn paths(dir: &Path) -> impl Iterator<Item = PathBuf> {
    fs::names(dir).unwrap_or_default().into_iter().map(move |name| dir.join(name))
}
