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

mod checksum;
mod seal;

mod facts;
pub use facts::{Counts, Facts};

mod generations;
pub use generations::Generations;

mod recipients;
pub use recipients::Recipients;

pub mod manifest;
pub use manifest::{
    DERIVED, FORMAT, FORMAT_OF_BUCKETS, Ledger, Part, Removed, SAYS_ORIGIN, SAYS_REACHED_BY_NAME,
    Skipped, Source, Stat, Taken,
};

mod encode;
pub use encode::{Cells, Encoder, NO_NAME, NO_NUMBER, RowGroup, Texts};

mod gathered;
mod part;
pub use part::PartWriter;

mod table;
pub use table::{ROW_GROUP_ROWS, arrow_type, rows_of, schema_of};

mod empty;
mod guard;
mod names;
pub use names::each_name;
mod read;
pub use read::{PartFooter, PartReader};

mod rowless;
pub use rowless::rowless_file;

mod place;
use place::Location;

mod remote;
pub use remote::Remote;
pub use remote::note::Note;
pub use remote::turn::{Held as HeldTurn, Turn};

mod run;
pub use run::{NewPart, RunWriter, Written};

mod lock;

mod reserve;

mod delta;

mod commit;
pub use commit::{Change, RemovedBy, Writer};

mod snapshot;
pub use snapshot::{Readable, Snapshot, SnapshotPart, fetch};

mod backup;
pub use backup::Backup;

mod audit;
pub use audit::Audit;

mod salvage;

mod error;
use error::At;
pub use error::{Error, Result};

use std::collections::BTreeSet;
use std::path::Path;

use layout::Table;
pub use lock::Lock;
use pmtaq_schema::site::KeptDimensions;
use pmtaq_schema::time::{DAY_S, Day};
use pmtaq_schema::{Timestamp, Window};

/// A store: a folder of Parquet files and the manifests that say which of them count.
#[derive(Debug)]
pub struct Store {
    place: Location,
    disk: Disk,
    /// The dimensions of the site that parts of `hourly` get which are written.
    kept: KeptDimensions,
}

impl Store {
    /// Opens the store in `dir` for reading and, by [`Store::lock`], for writing.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is no store in `dir`, [`Error::Io`] when nobody may look.
    pub fn open(dir: &Path) -> Result<Store> {
        if !is_store(dir)? {
            return Err(Error::Missing { dir: dir.to_owned() });
        }
        Ok(Store::of(Location::folder(dir), Disk::default()))
    }

    /// Opens the store in `dir`, after making an empty one when there is none. `disk` does the
    /// writing.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be made; [`Error::Occupied`] when `dir` holds other
    /// things than a store; [`Error::Locked`] when another process is making it.
    pub fn create(dir: &Path, disk: Disk) -> Result<Store> {
        let store = Store::of(Location::folder(dir), disk);
        if is_store(dir)? {
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
        if !is_store(dir)? {
            store.disk.write_atomic(&layout::root(dir), &manifest::Root::default().to_bytes())?;
        }
        Ok(store)
    }

    /// Opens the store in a bucket. That there is one is seen when it is read.
    pub fn open_remote(remote: Remote) -> Store {
        Store::of(Location::bucket(remote), Disk::default())
    }

    /// Opens the store in a bucket, after making an empty one when there is none.
    ///
    /// # Errors
    /// [`Error::Bucket`] when the bucket cannot be asked, or its server does not compare before it
    /// swaps; [`Error::Occupied`] when other things are there.
    pub fn create_remote(remote: Remote, disk: Disk) -> Result<Store> {
        remote.create()?;
        Ok(Store::of(Location::bucket(remote), disk))
    }

    /// Whether it lies in a bucket.
    pub fn is_remote(&self) -> bool {
        self.place.remote().is_some()
    }

    /// Drops what was fetched of a store in a bucket.
    ///
    /// # Errors
    /// [`Error::Io`] of the folder.
    pub fn drop_fetched(&self) -> Result<()> {
        self.place.remote().map_or(Ok(()), Remote::empty)
    }

    fn of(place: Location, disk: Disk) -> Store {
        Store { place, disk, kept: KeptDimensions::default() }
    }

    /// The same store, in which `hourly` keeps dimensions of the site from now on.
    pub fn keeping(self, kept: KeptDimensions) -> Store {
        Store { kept, ..self }
    }

    /// The same store, written by `disk`.
    pub fn with_disk(self, disk: Disk) -> Store {
        Store { disk, ..self }
    }

    /// The folder of the store; of one in a bucket, where it is cached.
    pub fn dir(&self) -> &Path {
        self.place.dir()
    }

    /// Where a table lies for others: a folder, or an address in a bucket.
    pub fn address(&self, table: Table) -> String {
        let folder = layout::table(self.dir(), table);
        match self.place.remote() {
            Some(remote) => remote.url(&folder),
            None => folder.to_string_lossy().into_owned(),
        }
    }

    /// What a reader sees now of the days that `window` touches.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`] or [`Error::FromTheFuture`].
    pub fn snapshot(&self, window: Window) -> Result<Snapshot> {
        Snapshot::take(&self.place, window)
    }

    /// The time of the newest record. Reads the manifest of the last day and of no other.
    ///
    /// # Errors
    /// As [`Store::snapshot`].
    pub fn newest(&self) -> Result<Option<Timestamp>> {
        let nothing = Window { since: Timestamp(0), until: Timestamp(0) };
        let Some((_, last)) = self.snapshot(nothing)?.span else { return Ok(None) };
        let until = Timestamp(last.start().0 + DAY_S);
        Ok(self.snapshot(Window { since: last.start(), until })?.newest())
    }

    /// The names that begin with `prefix` and that `column` has in the last `days` days that the store holds
    /// records of, by the dictionaries of its parts: no row is read. Of `hourly` where that has parts, else of
    /// `records`; of the newest parts only when the dictionaries are large. What cannot be read is passed over.
    ///
    /// # Errors
    /// As [`Store::snapshot`].
    pub fn recent_names(&self, column: &str, prefix: &str, days: i64) -> Result<BTreeSet<String>> {
        let nothing = Window { since: Timestamp(0), until: Timestamp(0) };
        let mut names = BTreeSet::new();
        let Some((_, last)) = self.snapshot(nothing)?.span else { return Ok(names) };
        let until = last.start().0 + DAY_S;
        let window = Window { since: Timestamp(until - days * DAY_S), until: Timestamp(until) };
        let (snapshot, _) = self.readable_snapshot(window)?;
        let has_hours = snapshot.of(Table::Hourly, window).next().is_some();
        let table = if has_hours { Table::Hourly } else { Table::Records };
        let mut take = |name: &str| {
            if name.starts_with(prefix) && !names.contains(name) {
                names.insert(name.to_owned());
            }
        };
        let parts: Vec<_> = snapshot.of(table, window).collect();
        let mut left = names::ENOUGH;
        for part in parts.into_iter().rev() {
            if left == 0 {
                break;
            }
            let read = names::of_column(&part.path, column, &mut left, &mut take);
            // A part that is damaged hides no other.
            read.unwrap_or_default();
        }
        Ok(names)
    }

    /// As [`Store::snapshot`], without the days whose list of parts cannot be read, and these with the
    /// reason.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`] or [`Error::FromTheFuture`] of the root.
    pub fn readable_snapshot(&self, window: Window) -> Result<Readable<Snapshot>> {
        Snapshot::take_readable(&self.place, window)
    }

    /// The sources whose first record is of a day that `window` touches, without the days whose list
    /// of sources cannot be read, and these with the reason.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`] or [`Error::FromTheFuture`] of the root.
    pub fn readable_sources(&self, window: Window) -> Result<Readable<Vec<(Day, Source)>>> {
        snapshot::readable_sources(&self.place, window)
    }

    /// How many records there are of each MTA and type in the whole store, from the latest day back to
    /// where `is_enough`; none when the lists of some days do not say.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`] or [`Error::FromTheFuture`].
    pub fn count_types(&self, is_enough: &dyn Fn(&Counts) -> bool) -> Result<Option<Counts>> {
        snapshot::count_types(&self.place, is_enough)
    }

    /// All that the manifests say, as of one commit, and the files that none of them names.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`] or [`Error::FromTheFuture`].
    pub fn audit(&self) -> Result<Audit> {
        Audit::take(&self.place)
    }

    /// The tables that have a Delta log, each with the version that it is now.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`] or [`Error::FromTheFuture`].
    pub fn delta_logs(&self) -> Result<Vec<(Table, u64)>> {
        let logs = self.place.root()?.delta;
        Ok(logs.into_iter().map(|(table, published)| (table, published.version)).collect())
    }

    /// How the addresses of recipients are kept.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`] or [`Error::FromTheFuture`].
    pub fn recipients(&self) -> Result<Recipients> {
        Ok(self.place.root()?.recipients)
    }

    /// What the last ingest of each folder passed over for its name.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`] or [`Error::FromTheFuture`].
    pub fn skipped(&self) -> Result<Skipped> {
        Ok(Skipped::total(self.place.root()?.skipped_in.values()))
    }

    /// Makes the root anew from its copy, or the copy from the root, when one of them is damaged or
    /// lost; in a folder both from the lists of the days when both are. Returns what was done.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process writes; what is wrong with the root when nothing is
    /// left to make it from.
    pub fn repair_root(&self, owner: &str) -> Result<Option<String>> {
        match self.place.remote() {
            Some(remote) => remote.repair_root(),
            None => salvage::root(self.dir(), &self.disk, owner),
        }
    }

    /// Who writes at this moment, as [`Store::lock`] was told; none when nobody does.
    ///
    /// # Errors
    /// [`Error::Io`] that names the file of the lock.
    pub fn writer(&self) -> Result<Option<String>> {
        Lock::holder(&layout::lock(self.dir()))
    }

    /// Takes the turn at `what` for so many seconds, where many machines share the store, unless it is
    /// another's.
    ///
    /// # Errors
    /// [`Error::Bucket`].
    pub fn take_turn(&self, what: &str, holder: &str, seconds: i64) -> Result<Turn> {
        match self.place.remote() {
            Some(remote) => remote.take_turn(what, holder, seconds),
            None => Ok(Turn::alone(holder)),
        }
    }

    /// What time it is at the server of the bucket, in seconds since 1970; none of a folder.
    ///
    /// # Errors
    /// [`Error::Bucket`], and what is wrong with the root.
    pub fn server_time(&self) -> Result<Option<i64>> {
        self.place.remote().map_or(Ok(None), |remote| Ok(remote.root()?.now))
    }

    /// How many damaged parts were set aside, in which rows may be that nobody looks into.
    ///
    /// # Errors
    /// [`Error::Io`] when a folder cannot be read.
    pub fn set_aside(&self) -> Result<usize> {
        if let Some(remote) = self.place.remote() {
            return Ok(remote.names(&layout::quarantine(self.dir()))?.len());
        }
        let mut count = 0;
        for table in Table::ALL {
            let dir = layout::table(&layout::quarantine(self.dir()), table);
            for partition in fs::names(&dir)? {
                count += fs::names(&dir.join(partition))?.len();
            }
        }
        Ok(count)
    }

    /// Copies what the store holds now into `to`, an empty or a new folder, which is a store then.
    /// Files are linked where that is possible and `links` allows it. Others may write meanwhile.
    ///
    /// # Errors
    /// [`Error::Occupied`] when `to` holds anything, [`Error::InStore`] when it lies in the store,
    /// [`Error::Io`] and [`Error::Damaged`].
    pub fn back_up(&self, to: &Path, links: bool) -> Result<Backup> {
        // What was fetched may be lost with the machine's power: it is no copy to keep.
        Backup::take(&self.place, to, &self.disk, links && !self.is_remote())
    }

    /// Becomes the one writer. `owner` says who, for the message that another writer gets.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process writes.
    pub fn lock(&self, owner: &str) -> Result<Writer<'_>> {
        Writer::open(&self.place, &self.disk, &self.kept, owner)
    }
}

/// Whether `dir` holds a store; its root may be damaged or gone.
///
/// # Errors
/// [`Error::Io`] when nobody may look.
fn is_store(dir: &Path) -> Result<bool> {
    let root = layout::root(dir);
    if root.try_exists().at(&root)? || layout::root_copy(dir).exists() {
        return Ok(true);
    }
    Ok(!fs::names(&layout::days(dir))?.is_empty())
}
