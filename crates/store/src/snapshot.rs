//! What a reader sees: the parts of one generation that a window needs. Never lists a folder, and
//! reads the manifests of the days asked for and of no others.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::datatypes::Field;
use pmtaq_schema::time::Day;
use pmtaq_schema::{Timestamp, Window};

use crate::checksum;
use crate::empty;
use crate::error::{At, Error, Result};
use crate::facts::Counts;
use crate::layout::{self, Table};
use crate::manifest::{Move, Part, Root, Source};
use crate::place::Location;
use crate::read::PartReader;
use crate::remote::Remote;
use crate::remote::fetch::at_once;

/// A consistent view of the days that a window touches.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The number of commits that it reflects.
    pub generation: u64,
    /// The parts, by day, then in the order in which they were added.
    pub parts: Vec<SnapshotPart>,
    /// First and last day of which the store holds records.
    pub span: Option<(Day, Day)>,
    /// Rows of `records` in the whole store.
    pub store_rows: u64,
}

/// A part and where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotPart {
    /// The day of its partition.
    pub day: Day,
    /// What the manifest says of it.
    pub part: Part,
    /// Where it lies.
    pub path: PathBuf,
    /// Where it will lie, when the renames of its commit are not all done.
    pub moves_to: Option<PathBuf>,
    /// The bucket that it is fetched from when it is not there.
    pub remote: Option<Remote>,
}

impl Snapshot {
    pub(crate) fn take(store: &Location, window: Window) -> Result<Snapshot> {
        let (snapshot, unreadable) = Snapshot::take_readable(store, window)?;
        unreadable.into_iter().next().map_or(Ok(snapshot), |(_, error)| Err(error))
    }

    /// What can be read, and of which days the list cannot.
    pub(crate) fn take_readable(store: &Location, window: Window) -> Result<Readable<Snapshot>> {
        consistent(store, |root| Snapshot::of_root(store, root, window))
    }

    /// What `root` says of the days that `window` touches.
    fn of_root(store: &Location, root: &Root, window: Window) -> Readable<Snapshot> {
        let stored = || root.days.iter().filter(|(_, entry)| entry.rows > 0);
        let span = Option::zip(
            stored().next().and_then(|(date, _)| Day::parse(date)),
            stored().next_back().and_then(|(date, _)| Day::parse(date)),
        );
        let (mut parts, mut unreadable) = (Vec::new(), Vec::new());
        let days = root.days().filter(|(day, _)| window.touches(*day));
        store.expect_lists(days.filter_map(|(day, entry)| entry.parts_in(store.dir(), day)));
        for (day, _) in root.days().filter(|(day, _)| window.touches(*day)) {
            match read_parts(store, root, day) {
                Ok(list) => {
                    parts.extend(list.into_iter().map(|part| place(store, root, day, part)));
                }
                Err(error) => unreadable.push((day, error)),
            }
        }
        let store_rows = root.days.values().map(|entry| entry.rows).sum();
        (Snapshot { generation: root.generation, parts, span, store_rows }, unreadable)
    }

    /// Compares all parts with their checksums. Reads them all.
    ///
    /// # Errors
    /// As for [`SnapshotPart::check`], of the first that is not as it was written.
    pub fn check(&self) -> Result<()> {
        self.parts.iter().try_for_each(SnapshotPart::check)
    }

    /// The parts of `table`, without those whose times all lie outside `window`.
    pub fn of(&self, table: Table, window: Window) -> impl Iterator<Item = &SnapshotPart> {
        self.parts.iter().filter(move |part| part.part.table == table && part.meets(window))
    }

    /// The times of the first and the last record of those parts that `window` meets.
    pub fn times(&self, window: Window) -> Option<(Timestamp, Timestamp)> {
        let parts = || self.of(Table::Records, window).map(|part| &part.part);
        let first = parts().map(|part| part.since).min()?;
        let last = parts().map(|part| part.until).max()?;
        Some((Timestamp(first), Timestamp(last)))
    }

    /// The time of the newest record, of the days that were asked for.
    pub fn newest(&self) -> Option<Timestamp> {
        self.times(Window::ALL).map(|(_, last)| last)
    }
}

impl SnapshotPart {
    /// Opens it, if it is as long as it was written.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be opened, [`Error::Damaged`] when it is longer or shorter.
    pub fn open(&self) -> Result<File> {
        if let Some(remote) = &self.remote {
            return remote.open(&self.path, &self.part);
        }
        let file = File::open(&self.path).at(&self.path)?;
        let (found, written) = (file.metadata().at(&self.path)?.len(), self.part.bytes);
        if found != written {
            let what = format!("it has {found} bytes, of {written} that were written");
            return Err(Error::Damaged { path: self.path.clone(), what });
        }
        Ok(file)
    }

    /// Reads all of it and compares it with its checksum, if it has one.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Damaged`] when it is not as it was written.
    pub fn check(&self) -> Result<()> {
        let mut file = self.open()?;
        let Some(written) = &self.part.checksum else { return Ok(()) };
        if checksum::of_file(&mut file, &self.path)? != *written {
            if let Some(remote) = &self.remote {
                // What was fetched has rotted here; there it is compared while it comes.
                return remote.fetch_anew(&self.path, &self.part);
            }
            let what = "its bytes are not those that were written".to_owned();
            return Err(Error::Damaged { path: self.path.clone(), what });
        }
        Ok(())
    }

    /// Its rows, after [`SnapshotPart::check`]: who writes them anew must not give what rotted a
    /// right checksum.
    ///
    /// # Errors
    /// As for [`SnapshotPart::check`].
    pub fn rows(&self) -> Result<PartReader> {
        self.check()?;
        PartReader::open(&self.path, self.part.table, |_| true)
    }

    /// Some of its columns, which are not compared with any checksum.
    ///
    /// # Errors
    /// [`Error::Io`] when it is not there, [`Error::Damaged`] when it is no part of its table.
    pub fn columns(&self, wanted: impl Fn(&Field) -> bool) -> Result<PartReader> {
        self.open()?;
        PartReader::open(&self.path, self.part.table, wanted)
    }

    /// Its columns of which no row has a value, as far as its footer says so; no row is read.
    ///
    /// # Errors
    /// [`Error::Io`] when it is not there, [`Error::Damaged`] when its footer cannot be read.
    pub fn empty_columns(&self) -> Result<BTreeSet<String>> {
        empty::columns(&self.path, &self.open()?)
    }

    /// Whether it is on this machine.
    pub fn is_here(&self) -> bool {
        self.remote.is_none() || self.path.exists()
    }

    /// Where it lies for others: a path, or an address in a bucket.
    pub fn address(&self) -> String {
        match &self.remote {
            Some(remote) => remote.url(&self.path),
            None => self.path.to_string_lossy().into_owned(),
        }
    }

    /// Whether all of its times lie in `window`.
    pub fn lies_in(&self, window: Window) -> bool {
        window.since.0 <= self.part.since && self.part.until < window.until.0
    }

    /// Whether some of its times may lie in `window`.
    pub fn meets(&self, window: Window) -> bool {
        self.part.since < window.until.0 && window.since.0 <= self.part.until
    }
}

/// Has all of `parts` on this machine, those of a bucket many at once.
///
/// # Errors
/// What the first says that cannot be had.
pub fn fetch(parts: &[&SnapshotPart]) -> Result<()> {
    let missing: Vec<&SnapshotPart> =
        parts.iter().copied().filter(|part| part.remote.is_some() && !part.is_here()).collect();
    at_once(&missing, |part| {
        part.remote.as_ref().map_or(Ok(()), |remote| remote.bring_part(&part.path, &part.part))
    })
}

/// What could be read, and of which days it could not, each with the reason.
pub type Readable<T> = (T, Vec<(Day, Error)>);

/// What `read` makes of the root and the manifests that it names.
fn consistent<T>(store: &Location, read: impl Fn(&Root) -> Readable<T>) -> Result<Readable<T>> {
    // A commit may delete a manifest between our reading the root and our reading it. Each new
    // try sees a newer generation, so this ends as soon as no commit falls in between.
    const TRIES: u32 = 100;
    let mut tries = 0;
    loop {
        let (read, mut unreadable) = read(&store.root()?);
        // Nothing is wrong with a day whose bucket does not answer.
        let is_bucket = |(_, error): &(Day, Error)| matches!(error, Error::Bucket(_));
        if let Some(at) = unreadable.iter().position(is_bucket) {
            return Err(unreadable.swap_remove(at).1);
        }
        if tries >= TRIES || !unreadable.iter().any(|(_, error)| error.is_missing_file()) {
            return Ok((read, unreadable));
        }
        tries += 1;
    }
}

/// As [`crate::Store::count_types`].
pub(crate) fn count_types(
    store: &Location,
    is_enough: &dyn Fn(&Counts) -> bool,
) -> Result<Option<Counts>> {
    /// Days whose lists are fetched at once.
    const AT_ONCE: usize = 32;
    let (counts, unreadable) = consistent(store, |root| {
        let days: Vec<_> = root.days().filter(|(_, entry)| entry.rows > 0).collect();
        let mut counts = Some(Counts::new());
        for days in days.rchunks(AT_ONCE) {
            let lists = days.iter().filter_map(|(day, entry)| entry.parts_in(store.dir(), *day));
            store.expect_lists(lists);
            for (day, _) in days.iter().rev() {
                match read_parts(store, root, *day) {
                    Ok(list) => counts = add_types(counts, &list),
                    Err(error) => return (None, vec![(*day, error)]),
                }
                if counts.as_ref().is_none_or(is_enough) {
                    return (counts, Vec::new());
                }
            }
        }
        (counts, Vec::new())
    })?;
    unreadable.into_iter().next().map_or(Ok(counts), |(_, error)| Err(error))
}

/// Adds what `parts` say of the records that they have; none when one does not say.
fn add_types(counts: Option<Counts>, parts: &[Part]) -> Option<Counts> {
    let mut counts = counts?;
    for part in parts.iter().filter(|part| part.table == Table::Records) {
        for (host, rec, rows) in part.facts.as_ref()?.rows() {
            *counts.entry((host.to_owned(), rec.to_owned())).or_insert(0) += rows;
        }
    }
    Some(counts)
}

/// The sources that are filed under the days of `window`.
pub(crate) fn readable_sources(
    store: &Location,
    window: Window,
) -> Result<Readable<Vec<(Day, Source)>>> {
    consistent(store, |root| {
        let (mut all, mut unreadable) = (Vec::new(), Vec::new());
        let days = root.days().filter(|(day, _)| window.touches(*day));
        store.expect_lists(days.filter_map(|(day, entry)| entry.sources_in(store.dir(), day)));
        for (day, _) in root.days().filter(|(day, _)| window.touches(*day)) {
            match read_sources(store, root, day) {
                Ok(list) => all.extend(list.into_iter().map(|source| (day, source))),
                Err(error) => unreadable.push((day, error)),
            }
        }
        (all, unreadable)
    })
}

/// The sources that `root` knows of some days. Costs as much as there are.
pub(crate) fn sources_of_root(
    store: &Location,
    root: &Root,
    wanted: impl Fn(Day) -> bool,
) -> Result<Vec<(Day, Source)>> {
    let mut all = Vec::new();
    let days = root.days().filter(|(day, _)| wanted(*day));
    store.expect_lists(days.filter_map(|(day, entry)| entry.sources_in(store.dir(), day)));
    for (day, _) in root.days().filter(|(day, _)| wanted(*day)) {
        all.extend(read_sources(store, root, day)?.into_iter().map(|source| (day, source)));
    }
    Ok(all)
}

/// The parts of `day` that `root` counts.
pub(crate) fn read_parts(store: &Location, root: &Root, day: Day) -> Result<Vec<Part>> {
    let list = root.entry(day).parts_in(store.dir(), day);
    list.map_or(Ok(Vec::new()), |list| store.list(&list))
}

/// The sources that `root` knows and files under `day`.
pub(crate) fn read_sources(store: &Location, root: &Root, day: Day) -> Result<Vec<Source>> {
    let list = root.entry(day).sources_in(store.dir(), day);
    list.map_or(Ok(Vec::new()), |list| store.list(&list))
}

/// Where a part lies now: in its partition, or still in staging when a kill came between the
/// commit and the rename.
pub(crate) fn place(store: &Location, root: &Root, day: Day, part: Part) -> SnapshotPart {
    let pending = root
        .moves
        .iter()
        .any(|step| !step.leaves && step.name == part.name && step.table == part.table);
    let mut placed = SnapshotPart::settled(store, day, part);
    let staged = layout::staging(store.dir()).join(&placed.part.name);
    // Asked in this order: it may be moved meanwhile.
    if pending && !placed.path.exists() && staged.exists() {
        placed.moves_to = Some(std::mem::replace(&mut placed.path, staged));
    }
    placed
}

impl SnapshotPart {
    /// A part that lies in its partition.
    pub(crate) fn settled(store: &Location, day: Day, part: Part) -> SnapshotPart {
        let path = layout::partition(store.dir(), part.table, day).join(&part.name);
        SnapshotPart { day, part, path, moves_to: None, remote: store.remote().cloned() }
    }
}

impl Move {
    pub(crate) fn of(part: &Part, day: Day, leaves: bool) -> Move {
        let (table, date, name) = (part.table, day.to_string(), part.name.clone());
        Move { table, date, name, leaves, is_set_aside: false }
    }

    pub(crate) fn day(&self) -> Day {
        Day::parse(&self.date).unwrap_or(Day(0))
    }

    pub(crate) fn partition(&self, store: &Path) -> PathBuf {
        layout::partition(store, self.table, self.day())
    }

    /// Where the part lies in its partition.
    pub(crate) fn settled(&self, store: &Path) -> PathBuf {
        self.partition(store).join(&self.name)
    }
}
