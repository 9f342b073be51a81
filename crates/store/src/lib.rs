//! The store on disk: where files lie, how a change becomes visible, who may write.
//!
//! Never touches CSV, DuckDB, the meaning of a row, stdout or the clock. `docs/format.md` tells
//! the same story byte for byte and crash by crash.
//!
//! Reading order: [`layout`] names the places; [`manifest`] is what is written there beside
//! Parquet; a [`Writer`] stages parts and commits them; a [`Snapshot`] is what a reader sees.

pub mod layout;

mod fs;
pub use fs::{Disk, Fault};

mod replace;
pub use replace::{Replacement, publish, replace};

pub mod manifest;
pub use manifest::{Ledger, Part, Recipients, Removed, Source, Stat};

mod encode;
pub use encode::{Cells, Encoder, NO_NAME, NO_NUMBER, Texts};

mod part;
pub use part::{NewPart, PartWriter, ROW_GROUP_ROWS, arrow_type, schema_of};

mod read;
pub use read::PartReader;

mod run;
pub use run::{RunWriter, Written};

mod lock;

mod commit;
pub use commit::{Change, Writer};

mod snapshot;
pub use snapshot::{Snapshot, SnapshotPart};

mod audit;
pub use audit::Audit;

mod error;
pub use error::{Error, Result};

use std::path::{Path, PathBuf};

pub use lock::Lock;
use pmtaq_schema::Window;
use pmtaq_schema::time::Day;

/// A store: a folder of Parquet files and the manifests that say which of them count.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    disk: Disk,
}

impl Store {
    /// Opens the store in `dir` for reading and, by [`Store::lock`], for writing.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is no store in `dir`.
    pub fn open(dir: &Path) -> Result<Store> {
        if !layout::root(dir).is_file() {
            return Err(Error::Missing { dir: dir.to_owned() });
        }
        Ok(Store { dir: dir.to_owned(), disk: Disk::default() })
    }

    /// Opens the store in `dir`, after making an empty one when there is none. `disk` does the
    /// writing.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be made; [`Error::Occupied`] when `dir` holds other
    /// things than a store; [`Error::Locked`] when another process is making it.
    pub fn create(dir: &Path, disk: Disk) -> Result<Store> {
        let store = Store { dir: dir.to_owned(), disk };
        if layout::root(dir).is_file() {
            return Ok(store);
        }
        if fs::holds_other_things(dir)? {
            return Err(Error::Occupied { dir: dir.to_owned() });
        }
        for place in [layout::staging(dir), layout::days(dir)] {
            store.disk.create_dir(&place)?;
        }
        // Of two first ingests one makes the root: the other, which saw none before the lock, would
        // put an empty one in place of what the first has committed since.
        let _lock = Lock::take(&layout::lock(dir), "a process that makes the store")?;
        if !layout::root(dir).is_file() {
            store.disk.write_atomic(&layout::root(dir), &manifest::Root::default().to_bytes())?;
        }
        Ok(store)
    }

    /// The same store, written by `disk`.
    pub fn with_disk(self, disk: Disk) -> Store {
        Store { disk, ..self }
    }

    /// The folder of the store.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What a reader sees now of the days that `window` touches.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`] or [`Error::FromTheFuture`].
    pub fn snapshot(&self, window: Window) -> Result<Snapshot> {
        Snapshot::take(&self.dir, window)
    }

    /// The sources whose first record is of a day that `window` touches.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`] or [`Error::FromTheFuture`].
    pub fn sources(&self, window: Window) -> Result<Vec<(Day, Source)>> {
        snapshot::sources(&self.dir, window)
    }

    /// All that the manifests say, as of one commit, and the files that none of them names.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`] or [`Error::FromTheFuture`].
    pub fn audit(&self) -> Result<Audit> {
        Audit::take(&self.dir)
    }

    /// How the addresses of recipients are kept.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`] or [`Error::FromTheFuture`].
    pub fn recipients(&self) -> Result<Recipients> {
        Ok(manifest::Root::read(&layout::root(&self.dir))?.recipients)
    }

    /// Becomes the one writer. `owner` says who, for the message that another writer gets.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process writes.
    pub fn lock(&self, owner: &str) -> Result<Writer<'_>> {
        Writer::open(&self.dir, &self.disk, owner)
    }
}
