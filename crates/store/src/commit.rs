//! How a change becomes visible: the steps, in order. Nothing else makes data visible.
//!
//! | step | a kill after it leaves |
//! |---|---|
//! | 0 parts written and synced in `staging/` | the old state; the next writer empties `staging/` |
//! | 1 new manifests of the touched days written, under names that nobody reads yet | the old state |
//! | 2 `root.json` replaced | **the new state**; readers of ours find the parts in `staging/` |
//! | 3 parts that were replaced deleted, new ones renamed into their partitions | the new state |
//! | 4 the copy of the root replaced, manifests of the generation before deleted | the new state |
//!
//! A glob sees a part only after step 3, so it never sees what is not committed. The moves are
//! written in the root: the next writer repeats those that a kill prevented. A reader of ours
//! keeps open what it reads, so a part that goes under its hands stays readable for it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use pmtaq_schema::site::KeptDimensions;
use pmtaq_schema::time::{Day, Timestamp};

use crate::delta::{self, Log, Published};
use crate::encode::Encoder;
use crate::error::{Error, Result};
use crate::fs::{self, Disk};
use crate::generations::Generations;
use crate::layout::{self, Table};
use crate::lock::Lock;
use crate::manifest::{self, FORMAT, Ledger, Move, Part, Removed, Root, Skipped, Source};
use crate::part::PartWriter;
use crate::place::Location;
use crate::recipients::Recipients;
use crate::remote::commit::Held;
use crate::reserve;
use crate::run::{NewPart, RunWriter};
use crate::snapshot::{SnapshotPart, read_parts, read_sources, sources_of_root};

/// The one writer of a store.
#[derive(Debug)]
pub struct Writer<'a> {
    pub(crate) place: &'a Location,
    pub(crate) disk: &'a Disk,
    kept: &'a KeptDimensions,
    pub(crate) root: Root,
    /// Of a bucket, what is needed to replace its root.
    pub(crate) held: Option<Held>,
    pub(crate) next_part: AtomicU32,
    /// How far the clock of this machine is ahead of the bucket's server, in seconds.
    clock_ahead_s: Option<i64>,
    _lock: Lock,
}

/// What a commit changes. All of it becomes visible at once, or none.
#[derive(Debug, Default)]
pub struct Change {
    /// Parts to add.
    pub parts: Vec<NewPart>,
    /// Parts to take away, by day.
    pub retired: Vec<(Day, Part)>,
    /// Sources to remember, each under its day; one with the same head and hash as
    /// `Option<Source>` replaces that one.
    pub sources: Vec<(Day, Source, Option<Source>)>,
    /// Damaged parts to take away and keep in quarantine, by day.
    pub set_aside: Vec<(Day, Part)>,
    /// Rows by which those that were taken away for good become more, or fewer: rows of parts that go
    /// and that no ledger will expect to come back.
    pub removed: RemovedBy,
    /// Rows that only the ledgers of lost lists had counted, and that go with `set_aside`.
    pub unlisted: RemovedBy,
    /// The days whose list of sources is lost and begins anew.
    pub fresh_lists: Vec<Day>,
    /// The days whose records are retired for their age, while `hourly` may stay.
    pub pruned: Vec<Day>,
    /// The parts of `hourly` whose rollups were made, as far as they are of use, by day and name.
    pub tiered: Vec<(Day, String)>,
    /// What an ingest passed over, by the folder, where that is news.
    pub skipped: BTreeMap<String, Skipped>,
    /// What is retired must not be left to anyone, as that of an erasure.
    pub erases: bool,
    /// The days whose list of parts is lost and is this one from now on.
    pub relisted: Vec<(Day, Vec<Part>)>,
    /// The tables that have a Delta log from now on, and no other; none when that stays as it is.
    pub delta_logs: Option<Vec<Table>>,
    /// The files of settings that hold for all machines from now on, by name; none when these stay as
    /// they are. Only of a bucket.
    pub settings: Option<Vec<(String, Vec<u8>)>>,
}

/// A difference of [`Removed`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemovedBy {
    /// Rows of `records`.
    pub records: i64,
    /// Rows of `rejects`.
    pub rejects: i64,
}

impl Change {
    /// Gives what was taken in it the number of the commit that it will be.
    pub(crate) fn number(&mut self, generation: u64) {
        for (_, source, old) in &mut self.sources {
            // What is new stands behind what was known.
            let known = old.as_ref().map_or(0, |old| old.taken.len());
            let new = source.taken.iter_mut().skip(known);
            new.for_each(|taken| taken.generation = generation);
        }
    }

    /// No row appears or vanishes unless a ledger says so.
    fn check(&self) -> Result<()> {
        for (_, source, _) in &self.sources {
            source.ledger.check(&source.name)?;
        }
        // `hourly` has no ledger: its rows are sums.
        for (table, removed) in [
            (Table::Records, self.removed.records + self.unlisted.records),
            (Table::Rejects, self.removed.rejects + self.unlisted.rejects),
        ] {
            let counted = |ledger: Ledger| match table {
                Table::Rejects => ledger.kept_rejects(),
                _ => ledger.stored,
            };
            let of = |part: &&Part| part.table == table;
            let found: u64 = self.parts.iter().map(|p| &p.part).filter(of).map(|p| p.rows).sum();
            let gone = self.retired.iter().chain(&self.set_aside).map(|(_, part)| part);
            let gone: u64 = gone.filter(of).map(|part| part.rows).sum();
            let signed = |n: u64| i128::from(n);
            let taken = self.sources.iter().map(|(_, new, old)| {
                let known = old.as_ref().map_or(0, |old| counted(old.ledger));
                signed(counted(new.ledger)) - signed(known)
            });
            let expected = signed(gone) + taken.sum::<i128>() - i128::from(removed);
            if signed(found) != expected {
                let expected = u64::try_from(expected).unwrap_or(0);
                return Err(Error::Lost { table, expected, found });
            }
        }
        Ok(())
    }
}

impl<'a> Writer<'a> {
    pub(crate) fn open(
        place: &'a Location,
        disk: &'a Disk,
        kept: &'a KeptDimensions,
        owner: &str,
    ) -> Result<Writer<'a>> {
        // Of a bucket it keeps those of this machine apart, which share a folder.
        let lock = Lock::take(&layout::lock(place.dir()), owner)?;
        let (root, held) = match place.remote() {
            Some(remote) => Held::open(remote).map(|(root, held)| (root, Some(held)))?,
            None => (Root::read_file(&layout::root(place.dir()))?, None),
        };
        // Empty, it is lost on the way by whatever copies files alone.
        disk.create_dir(&layout::staging(place.dir()))?;
        let (next_part, clock_ahead_s) = (AtomicU32::new(0), None);
        let writer =
            Writer { place, disk, kept, root, held, next_part, clock_ahead_s, _lock: lock };
        // In a bucket nothing is moved, and the log is looked after by the commit.
        if !writer.is_shared() {
            writer.apply_moves()?;
            // A full disk is no reason not to make room: the log begins anew then.
            match delta::publish(&writer.log(), &writer.root) {
                Err(error) if error.is_full_disk() => {}
                done => done?,
            }
        }
        writer.empty_staging()?;
        Ok(writer)
    }

    /// Deletes the parts that were staged for a change that will not come. The next writer does so
    /// too, but a full disk should have room again at once.
    ///
    /// # Errors
    /// [`crate::Error::Io`] when one cannot be deleted.
    pub fn empty_staging(&self) -> Result<()> {
        let staging = layout::staging(self.dir());
        fs::names(&staging)?.iter().try_for_each(|name| self.disk.remove(&staging.join(name)))
    }

    /// Compares the clock of this machine with that of the bucket's server, right after the lock; sources
    /// that are committed have the difference.
    pub fn compare_clock(&mut self, now: Timestamp) {
        let there = self.held.as_ref().and_then(Held::now);
        self.clock_ahead_s = there.map(|there| now.0 - there);
    }

    /// The sources that begin on `day`.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Damaged`].
    pub fn sources(&self, day: Day) -> Result<Vec<Source>> {
        read_sources(self.place, &self.root, day)
    }

    /// All sources but those filed under `lost` days, each with its day.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Damaged`].
    pub fn all_sources(&self, lost: &[Day]) -> Result<Vec<(Day, Source)>> {
        sources_of_root(self.place, &self.root, |day| !lost.contains(&day))
    }

    /// Rows that were taken away for good.
    pub fn removed(&self) -> Removed {
        self.root.removed
    }

    /// The days of which the store holds parts, in order.
    pub fn days(&self) -> Vec<Day> {
        self.root.days().filter(|(_, entry)| entry.parts != 0).map(|(day, _)| day).collect()
    }

    /// Whether records of `day` were removed for their age.
    pub fn is_pruned(&self, day: Day) -> bool {
        self.root.entry(day).pruned
    }

    /// The dimensions of the site that `hourly` keeps from now on.
    pub fn kept(&self) -> &'a KeptDimensions {
        self.kept
    }

    /// How the addresses of recipients are kept.
    pub fn recipients(&self) -> &Recipients {
        &self.root.recipients
    }

    /// What the last ingest of each folder passed over.
    pub fn skipped(&self) -> &BTreeMap<String, Skipped> {
        &self.root.skipped_in
    }

    /// Says how the rows to come keep the addresses of recipients; of a store without any commit
    /// that is how it keeps them from then on.
    ///
    /// # Errors
    /// [`crate::Error::OtherRecipients`] when the rows that are there keep them otherwise.
    pub fn keep_recipients(&mut self, recipients: Recipients) -> Result<()> {
        if self.root.generation == 0 {
            self.root.recipients = recipients;
        } else if self.root.recipients != recipients {
            let here = self.root.recipients.clone();
            return Err(Error::OtherRecipients { here, wanted: recipients });
        }
        Ok(())
    }

    /// The parts of `day`, in the order in which they were added, each where it lies.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Damaged`].
    pub fn parts(&self, day: Day) -> Result<Vec<SnapshotPart>> {
        let parts = read_parts(self.place, &self.root, day)?;
        Ok(parts.into_iter().map(|part| SnapshotPart::settled(self.place, day, part)).collect())
    }

    /// Begins a part of `table` for `day`. May be called from many threads.
    ///
    /// # Errors
    /// [`crate::Error::Io`] when the file cannot be made.
    pub fn stage(&self, table: Table, day: Day) -> Result<PartWriter<'a>> {
        let run = self.stage_runs(table, day)?;
        Ok(PartWriter::new(table, run, Encoder::new()?))
    }

    /// Begins a new part of `table` for `day`, which is given runs of rows. Any thread may.
    ///
    /// # Errors
    /// [`crate::Error::Io`] when the file cannot be made.
    pub fn stage_runs(&self, table: Table, day: Day) -> Result<RunWriter<'a>> {
        let (staging, name) = (layout::staging(self.dir()), self.new_name());
        RunWriter::create(self.disk, &staging, table, day, name, self.kept)
    }

    /// The number that the next commit will have.
    pub fn next_generation(&self) -> u64 {
        self.root.generation + 1
    }

    fn new_name(&self) -> String {
        let number = self.next_part.fetch_add(1, Ordering::Relaxed);
        layout::part_name(self.next_generation(), number, self.by())
    }

    /// Makes `change` visible. Either the store is as it was, or all of the change is there and
    /// survives a power cut.
    ///
    /// # Errors
    /// [`crate::Error::Unbalanced`] or [`crate::Error::Lost`] when a count does not add up, before
    /// anything was written; otherwise what the file system said.
    pub fn commit(&mut self, change: Change) -> Result<()> {
        change.check()?;
        if self.held.is_some() {
            return self.commit_there(change);
        }
        let before = self.root.generation;
        let takes_away = change.parts.is_empty() && !change.retired.is_empty();
        let mut done = self.try_commit(&change);
        // The room that it makes is larger than the one it needs.
        if takes_away
            && before == self.root.generation
            && reserve::makes_room(&done, self.dir(), self.disk)
        {
            done = self.try_commit(&change);
        }
        done?;
        reserve::keep(self.dir(), self.disk);
        Ok(())
    }

    fn try_commit(&mut self, change: &Change) -> Result<()> {
        self.disk.sync_dir(&layout::staging(self.dir()))?;
        let root = self.next_root(change)?;
        self.replace_root(root)
    }

    /// Step 1: what the root will be, and the lists that it names.
    pub(crate) fn next_root(&self, change: &Change) -> Result<Root> {
        let mut root = self.root.clone();
        root.generation += 1;
        root.moves.clear();
        let RemovedBy { records, rejects } = change.removed;
        root.removed.records = root.removed.records.saturating_add_signed(records);
        root.removed.rejects = root.removed.rejects.saturating_add_signed(rejects);
        self.change_parts(&mut root, change)?;
        for (day, parts) in &change.relisted {
            self.write_parts(&mut root, *day, parts)?;
        }
        if let Some(tables) = &change.delta_logs {
            root.delta.retain(|table, _| tables.contains(table));
            for &table in tables {
                root.delta.entry(table).or_insert_with(|| Published::new(table));
            }
        }
        root.skipped_in.extend(change.skipped.clone());
        root.skipped_in.retain(|_, skipped| skipped.count > 0);
        for day in &change.pruned {
            root.days.entry(day.to_string()).or_default().pruned = true;
        }
        self.change_sources(&mut root, change)?;
        Ok(root)
    }

    /// The steps from 2 on: `root` holds from now on.
    fn replace_root(&mut self, mut root: Root) -> Result<()> {
        root.version = root.version.max(FORMAT);
        delta::plan(&self.log(), &self.root, &mut root)?;
        let bytes = root.to_bytes();
        self.disk.write_atomic(&layout::root(self.dir()), &bytes)?;
        let old = std::mem::replace(&mut self.root, root);
        self.next_part.store(0, Ordering::Relaxed);
        self.apply_moves()?;
        delta::publish(&self.log(), &self.root)?;
        // Before the manifests go that the copy of the old root names.
        self.disk.write_atomic(&layout::root_copy(self.dir()), &bytes)?;
        self.forget(&old)
    }

    /// Begins or ends the Delta logs of tables, in a commit that changes no part. Those of `tables` have
    /// one then, and no other.
    ///
    /// # Errors
    /// As for [`Writer::commit`].
    pub fn set_delta_logs(&mut self, tables: &[Table]) -> Result<()> {
        self.commit(Change { delta_logs: Some(tables.to_vec()), ..Change::default() })?;
        let rest = Table::ALL.into_iter().filter(|table| !tables.contains(table));
        rest.into_iter().try_for_each(|table| delta::remove(&self.log(), table))
    }

    /// Where the Delta logs are written.
    pub(crate) fn log(&self) -> Log<'a> {
        let now = self.held.as_ref().and_then(Held::now);
        Log { place: self.place, disk: self.disk, now }
    }

    /// The folder of the store.
    pub(crate) fn dir(&self) -> &'a Path {
        self.place.dir()
    }

    /// Whether others on other machines write too.
    pub fn is_shared(&self) -> bool {
        self.held.is_some()
    }

    /// What tells the names of this writer from those of others.
    fn by(&self) -> u32 {
        self.held.as_ref().map_or(0, |held| held.by)
    }

    /// Rows and bytes of the records of `day`, as the root counts them.
    pub(crate) fn counted(&self, day: Day) -> (u64, u64) {
        let entry = self.root.entry(day);
        (entry.rows, entry.bytes)
    }

    /// Step 1 for the lists of parts.
    fn change_parts(&self, root: &mut Root, change: &Change) -> Result<()> {
        let mut days: BTreeMap<Day, Vec<Part>> = BTreeMap::new();
        let gone = || change.retired.iter().chain(&change.set_aside);
        let touched = change.parts.iter().map(|new| new.day).chain(gone().map(|(day, _)| *day));
        let touched = touched.chain(change.tiered.iter().map(|(day, _)| *day));
        for day in touched {
            if let Entry::Vacant(entry) = days.entry(day) {
                entry.insert(read_parts(self.place, root, day)?);
            }
        }
        for (day, part) in gone() {
            if let Some(parts) = days.get_mut(day) {
                parts.retain(|kept| kept.name != part.name || kept.table != part.table);
            }
        }
        root.moves.extend(change.retired.iter().map(|(day, part)| Move::of(part, *day, true)));
        let set_aside = change.set_aside.iter().map(|(day, part)| Move::of(part, *day, true));
        root.moves.extend(set_aside.map(|step| Move { is_set_aside: true, ..step }));
        for new in change.parts.iter().cloned() {
            root.moves.push(Move::of(&new.part, new.day, false));
            let mut new = new;
            if new.part.generations.is_empty() {
                new.part.generations = Generations::of(root.generation);
            }
            if let Some(parts) = days.get_mut(&new.day) {
                parts.push(new.part);
            }
        }
        for (day, name) in &change.tiered {
            let parts = days.get_mut(day).into_iter().flatten();
            let hours = parts.filter(|part| part.table == Table::Hourly && part.name == *name);
            hours.for_each(|part| part.is_tiered = true);
        }
        days.into_iter().try_for_each(|(day, parts)| {
            let (parts, orphans) = without_orphans(parts);
            root.moves.extend(orphans.iter().map(|part| Move::of(part, day, true)));
            self.write_parts(root, day, &parts)
        })
    }

    /// Makes `parts` the list of a day.
    fn write_parts(&self, root: &mut Root, day: Day, parts: &[Part]) -> Result<()> {
        let entry = root.days.entry(day.to_string()).or_default();
        let records = || parts.iter().filter(|part| part.table == Table::Records);
        (entry.parts, entry.parts_by) = (root.generation, self.by());
        entry.rows = records().map(|part| part.rows).sum();
        entry.bytes = records().map(|part| part.bytes).sum();
        let path = layout::parts_by(self.dir(), day, root.generation, self.by());
        self.write_manifest(&path, day, &manifest::list_to_bytes(parts, &root.recipients))
    }

    /// Step 1 for the lists of sources.
    fn change_sources(&self, root: &mut Root, change: &Change) -> Result<()> {
        let fresh = change.fresh_lists.iter().map(|day| (*day, Vec::new()));
        let mut days: BTreeMap<Day, Vec<Source>> = fresh.collect();
        for (day, source, replaced) in &change.sources {
            let known = match days.entry(*day) {
                Entry::Vacant(entry) => entry.insert(self.sources(*day)?),
                Entry::Occupied(entry) => entry.into_mut(),
            };
            if let Some(old) = replaced {
                known.retain(|kept| kept.head != old.head || kept.hash != old.hash);
            }
            let clock_ahead_s = self.clock_ahead_s.or(source.clock_ahead_s);
            known.push(Source { clock_ahead_s, ..source.clone() });
        }
        for (day, sources) in days {
            let entry = root.days.entry(day.to_string()).or_default();
            (entry.sources, entry.sources_by) = (root.generation, self.by());
            let path = layout::sources_by(self.dir(), day, root.generation, self.by());
            self.write_manifest(&path, day, &manifest::list_to_bytes(&sources, &root.recipients))?;
        }
        Ok(())
    }

    fn write_manifest(&self, path: &Path, day: Day, bytes: &[u8]) -> Result<()> {
        let dir = layout::day(self.dir(), day);
        self.disk.create_dir(&dir)?;
        self.disk.write(path, bytes)?;
        self.disk.sync_dir(&dir)
    }

    /// Step 3. Idempotent: a part that is no longer where it comes from has been moved before.
    pub(crate) fn apply_moves(&self) -> Result<()> {
        // What leaves goes first, so that a glob never sees a row twice.
        let (leave, come): (Vec<_>, Vec<_>) = self.root.moves.iter().partition(|step| step.leaves);
        for step in leave {
            let path = step.settled(self.dir());
            // What is set aside in a bucket is kept there.
            if !step.is_set_aside || self.is_shared() {
                self.disk.remove(&path)?;
            } else if path.exists() {
                let dir =
                    layout::partition(&layout::quarantine(self.dir()), step.table, step.day());
                self.disk.create_dir(&dir)?;
                self.disk.rename(&path, &dir.join(&step.name))?;
                self.disk.sync_dir(&dir)?;
            }
        }
        for step in come {
            let (from, to) =
                (layout::staging(self.dir()).join(&step.name), step.settled(self.dir()));
            if from.exists() {
                self.disk.create_dir(&step.partition(self.dir()))?;
                self.disk.rename(&from, &to)?;
            }
        }
        let mut partitions: Vec<_> =
            self.root.moves.iter().map(|step| step.partition(self.dir())).collect();
        partitions.sort();
        partitions.dedup();
        for dir in partitions.iter().filter(|dir| dir.is_dir()) {
            self.disk.sync_dir(dir)?;
            self.disk.remove_empty_dir(dir)?;
        }
        Ok(())
    }

    /// Deletes the manifests that `old` named and the root no longer does. A reader that still
    /// holds the old root and finds one gone takes a new snapshot.
    pub(crate) fn forget(&self, old: &Root) -> Result<()> {
        self.replaced_lists(old).iter().try_for_each(|list| self.disk.remove(list))
    }

    /// The lists that `old` named and the root no longer does.
    pub(crate) fn replaced_lists(&self, old: &Root) -> Vec<PathBuf> {
        let replaced = old.days().flat_map(|(day, entry)| {
            let (new, dir) = (self.root.entry(day), self.dir());
            let [parts, sources] = [entry.parts_in(dir, day), entry.sources_in(dir, day)];
            [
                parts.filter(|list| Some(list) != new.parts_in(dir, day).as_ref()),
                sources.filter(|list| Some(list) != new.sources_in(dir, day).as_ref()),
            ]
        });
        replaced.flatten().collect()
    }
}

/// The parts of a day, without the rollups of parts of `hourly` that are not there, which are the second.
fn without_orphans(parts: Vec<Part>) -> (Vec<Part>, Vec<Part>) {
    let hours = parts.iter().filter(|part| part.table == Table::Hourly);
    let hours: BTreeSet<String> = hours.map(|part| part.name.clone()).collect();
    let is_there = |part: &Part| part.sums.as_ref().is_some_and(|name| hours.contains(name));
    parts.into_iter().partition(|part| part.table.tier().is_none() || is_there(part))
}
