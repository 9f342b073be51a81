//! How a change becomes visible: the steps, in order. Nothing else makes data visible.
//!
//! | step | a kill after it leaves |
//! |---|---|
//! | 0 parts written and synced in `staging/` | the old state; the next writer empties `staging/` |
//! | 1 new manifests of the touched days written, under names that nobody reads yet | the old state |
//! | 2 `root.json` replaced | **the new state**; readers of ours find the parts in `staging/` |
//! | 3 parts renamed into their partitions, replaced ones out of them | the new state |
//!
//! A glob sees a part only after step 3, so it never sees what is not committed. The moves are
//! written in the root: the next writer repeats those that a kill prevented.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use pmtaq_schema::time::Day;

use crate::encode::Encoder;
use crate::error::Result;
use crate::fs::{self, Disk};
use crate::layout::{self, Table};
use crate::lock::Lock;
use crate::manifest::{self, Move, Part, Root, Source};
use crate::part::{NewPart, PartWriter};
use crate::run::RunWriter;

/// The one writer of a store.
#[derive(Debug)]
pub struct Writer<'a> {
    dir: &'a Path,
    disk: &'a Disk,
    root: Root,
    next_part: AtomicU32,
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
}

impl<'a> Writer<'a> {
    pub(crate) fn open(dir: &'a Path, disk: &'a Disk, owner: &str) -> Result<Writer<'a>> {
        let lock = Lock::take(&layout::lock(dir), owner)?;
        let root = Root::read(&layout::root(dir))?;
        let writer = Writer { dir, disk, root, next_part: AtomicU32::new(0), _lock: lock };
        writer.apply_moves()?;
        for name in fs::names(&layout::staging(dir))? {
            disk.remove(&layout::staging(dir).join(name))?;
        }
        Ok(writer)
    }

    /// The sources that begin on `day`.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Damaged`].
    pub fn sources(&self, day: Day) -> Result<Vec<Source>> {
        match self.root.entry(day).sources {
            0 => Ok(Vec::new()),
            generation => manifest::read(&layout::sources(self.dir, day, generation)),
        }
    }

    /// Begins a part of `table` for `day`. May be called from many threads.
    ///
    /// # Errors
    /// [`crate::Error::Io`] when the file cannot be made.
    pub fn stage(&self, table: Table, day: Day) -> Result<PartWriter<'a>> {
        PartWriter::create(self.disk, &layout::staging(self.dir), table, day, self.new_name())
    }

    /// Begins a new part of `records` for `day`, which is given runs of rows. Any thread may.
    ///
    /// # Errors
    /// [`crate::Error::Io`] when the file cannot be made.
    pub fn stage_runs(&self, day: Day, encoder: &mut Encoder) -> Result<RunWriter<'a>> {
        RunWriter::create(self.disk, &layout::staging(self.dir), day, self.new_name(), encoder)
    }

    fn new_name(&self) -> String {
        let number = self.next_part.fetch_add(1, Ordering::Relaxed);
        layout::part_name(self.root.generation + 1, number)
    }

    /// Makes `change` visible. Either the store is as it was, or all of the change is there and
    /// survives a power cut.
    ///
    /// # Errors
    /// [`crate::Error::Unbalanced`] when a ledger does not add up, before anything was written;
    /// otherwise what the file system said.
    pub fn commit(&mut self, change: Change) -> Result<()> {
        for (_, source, _) in &change.sources {
            source.ledger.check(&source.name)?;
        }
        self.disk.sync_dir(&layout::staging(self.dir))?;
        let mut root = self.root.clone();
        root.generation += 1;
        root.moves.clear();
        self.change_parts(&mut root, change.parts, &change.retired)?;
        self.change_sources(&mut root, change.sources)?;

        self.disk.write_atomic(&layout::root(self.dir), &root.to_bytes())?;
        let old = std::mem::replace(&mut self.root, root);
        self.next_part.store(0, Ordering::Relaxed);
        self.apply_moves()?;
        self.forget(&old)
    }

    /// Step 1 for the lists of parts.
    fn change_parts(
        &self,
        root: &mut Root,
        added: Vec<NewPart>,
        retired: &[(Day, Part)],
    ) -> Result<()> {
        let mut days: BTreeMap<Day, Vec<Part>> = BTreeMap::new();
        let touched = added.iter().map(|new| new.day).chain(retired.iter().map(|(day, _)| *day));
        for day in touched {
            if let Entry::Vacant(entry) = days.entry(day) {
                entry.insert(read_parts(self.dir, root, day)?);
            }
        }
        for (day, part) in retired {
            if let Some(parts) = days.get_mut(day) {
                parts.retain(|kept| kept.name != part.name || kept.table != part.table);
            }
            root.moves.push(Move::of(part, *day, true));
        }
        for new in added {
            root.moves.push(Move::of(&new.part, new.day, false));
            if let Some(parts) = days.get_mut(&new.day) {
                parts.push(new.part);
            }
        }
        for (day, parts) in days {
            let entry = root.days.entry(day.to_string()).or_default();
            let records = || parts.iter().filter(|part| part.table == Table::Records);
            entry.parts = root.generation;
            entry.rows = records().map(|part| part.rows).sum();
            entry.bytes = records().map(|part| part.bytes).sum();
            let path = layout::parts(self.dir, day, root.generation);
            self.write_manifest(&path, day, &manifest::to_bytes(&parts))?;
        }
        Ok(())
    }

    /// Step 1 for the lists of sources.
    fn change_sources(
        &self,
        root: &mut Root,
        sources: Vec<(Day, Source, Option<Source>)>,
    ) -> Result<()> {
        let mut days: BTreeMap<Day, Vec<Source>> = BTreeMap::new();
        for (day, source, replaced) in sources {
            let known = match days.entry(day) {
                Entry::Vacant(entry) => entry.insert(self.sources(day)?),
                Entry::Occupied(entry) => entry.into_mut(),
            };
            if let Some(old) = replaced {
                known.retain(|kept| kept.head != old.head || kept.hash != old.hash);
            }
            known.push(source);
        }
        for (day, sources) in days {
            root.days.entry(day.to_string()).or_default().sources = root.generation;
            let path = layout::sources(self.dir, day, root.generation);
            self.write_manifest(&path, day, &manifest::to_bytes(&sources))?;
        }
        Ok(())
    }

    fn write_manifest(&self, path: &Path, day: Day, bytes: &[u8]) -> Result<()> {
        let dir = layout::day(self.dir, day);
        self.disk.create_dir(&dir)?;
        self.disk.write(path, bytes)?;
        self.disk.sync_dir(&dir)
    }

    /// Step 3. Idempotent: a part that is no longer where it comes from has been moved before.
    fn apply_moves(&self) -> Result<()> {
        // What leaves goes first, so that a glob never sees a row twice.
        for leaves in [true, false] {
            for step in self.root.moves.iter().filter(|step| step.leaves == leaves) {
                let (from, to) = step.paths(self.dir);
                if from.exists() {
                    if let Some(parent) = to.parent() {
                        self.disk.create_dir(parent)?;
                    }
                    self.disk.rename(&from, &to)?;
                }
            }
        }
        let mut partitions: Vec<_> =
            self.root.moves.iter().map(|step| step.partition(self.dir)).collect();
        partitions.sort();
        partitions.dedup();
        partitions.iter().filter(|dir| dir.is_dir()).try_for_each(|dir| self.disk.sync_dir(dir))
    }

    /// Deletes the manifests that `old` named and the root no longer does. A reader that still
    /// holds the old root and finds one gone takes a new snapshot.
    fn forget(&self, old: &Root) -> Result<()> {
        for (date, entry) in &old.days {
            let new = self.root.days.get(date).copied().unwrap_or_default();
            let Some(day) = Day::parse(date) else { continue };
            if entry.parts != new.parts && entry.parts != 0 {
                self.disk.remove(&layout::parts(self.dir, day, entry.parts))?;
            }
            if entry.sources != new.sources && entry.sources != 0 {
                self.disk.remove(&layout::sources(self.dir, day, entry.sources))?;
            }
        }
        Ok(())
    }
}

/// The parts of `day` that `root` counts.
pub(crate) fn read_parts(store: &Path, root: &Root, day: Day) -> Result<Vec<Part>> {
    match root.entry(day).parts {
        0 => Ok(Vec::new()),
        generation => manifest::read(&layout::parts(store, day, generation)),
    }
}
