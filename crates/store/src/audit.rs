//! All that the manifests of a store say, as of one commit, and what is wrong with them, for those
//! who check them against the files. Opens no part.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use pmtaq_schema::time::Day;

use crate::error::{Error, Result};
use crate::fs;
use crate::layout::{self, Table};
use crate::manifest::{DayEntry, Ledger, Removed, Root, Source};
use crate::place::Location;
use crate::snapshot::{SnapshotPart, place, read_parts, read_sources};

/// The manifests of one generation.
#[derive(Debug)]
pub struct Audit {
    /// The number of commits that it reflects.
    pub generation: u64,
    /// Every part.
    pub parts: Vec<SnapshotPart>,
    /// How many sources there are.
    pub sources: u64,
    /// Their ledgers summed up.
    pub ledger: Ledger,
    /// What is wrong with the ledger of a source.
    pub unbalanced: Vec<Error>,
    /// Rows that were taken away for good.
    pub removed: Removed,
    /// The days that have lost records for their age.
    pub pruned: Vec<Day>,
    /// The rows of `records` by day, as the root counts them.
    pub rows: Vec<(Day, u64)>,
    /// Parquet files in the partitions that no manifest names: a plain glob reads them, pmtaq
    /// does not.
    pub strays: Vec<PathBuf>,
    /// What is wrong with the root or with its copy, of which the other was read.
    pub root: Option<Error>,
    /// The days whose list of parts cannot be read, and why.
    pub lost_parts: Vec<(Day, Error)>,
    /// The days whose list of sources cannot be read, and why.
    pub lost_sources: Vec<(Day, Error)>,
    /// Whether the last commit was cut short before all its parts were where they belong. The next
    /// writer does what is left.
    pub is_cut_short: bool,
}

impl Audit {
    pub(crate) fn take(store: &Location) -> Result<Audit> {
        // A commit in between makes what was read of two generations: each new try sees a newer.
        const TRIES: u32 = 100;
        for _ in 0..TRIES {
            if let Some(audit) = Audit::try_take(store)? {
                return Ok(audit);
            }
        }
        Err(Error::Locked { owner: "one commit after the other".to_owned() })
    }

    /// Nothing when a commit came in between.
    fn try_take(store: &Location) -> Result<Option<Audit>> {
        let root = store.root()?;
        let listed = |(day, entry): (Day, DayEntry)| {
            [entry.parts_in(store.dir(), day), entry.sources_in(store.dir(), day)]
        };
        store.expect_lists(root.days().flat_map(listed).flatten());
        let mut audit = Audit {
            generation: root.generation,
            parts: Vec::new(),
            sources: 0,
            ledger: Ledger::default(),
            unbalanced: Vec::new(),
            removed: root.removed,
            pruned: root.days().filter(|(_, entry)| entry.pruned).map(|(day, _)| day).collect(),
            rows: root.days().map(|(day, entry)| (day, entry.rows)).collect(),
            strays: Vec::new(),
            root: if store.remote().is_some() { None } else { wrong_root(store.dir(), &root) },
            lost_parts: Vec::new(),
            lost_sources: Vec::new(),
            is_cut_short: false,
        };
        for (day, _) in root.days() {
            match read_parts(store, &root, day) {
                Ok(parts) => {
                    let placed = parts.into_iter().map(|part| place(store, &root, day, part));
                    audit.parts.extend(placed);
                }
                Err(error @ Error::Bucket(_)) => return Err(error),
                Err(error) => audit.lost_parts.push((day, error)),
            }
            match read_sources(store, &root, day) {
                Ok(sources) => sources.iter().for_each(|source| audit.count(source)),
                Err(error @ Error::Bucket(_)) => return Err(error),
                Err(error) => audit.lost_sources.push((day, error)),
            }
        }
        let leaving: HashSet<PathBuf> = root
            .moves
            .iter()
            // In a bucket what leaves stays for a while, also here.
            .filter(|step| step.leaves && store.remote().is_none())
            .map(|step| step.settled(store.dir()))
            .filter(|path| path.exists())
            .collect();
        let is_staged = audit.parts.iter().any(|part| part.moves_to.is_some());
        audit.is_cut_short = is_staged || !leaving.is_empty();
        audit.strays = match store.remote() {
            Some(remote) => {
                remote.strays(audit.parts.iter().map(|part| part.path.as_path()), &root)?
            }
            None => audit.strays_in(store.dir(), &leaving, &root)?,
        };
        Ok((store.root()?.generation == root.generation).then_some(audit))
    }

    /// There may be a million of them: they are counted, and not kept.
    fn count(&mut self, source: &Source) {
        self.sources += 1;
        self.ledger.add(source.ledger);
        self.unbalanced.extend(source.ledger.check(&source.name).err());
    }

    /// What lies in the partitions and is not named. Of a day whose list is lost nobody knows.
    fn strays_in(
        &self,
        store: &Path,
        leaving: &HashSet<PathBuf>,
        root: &Root,
    ) -> Result<Vec<PathBuf>> {
        let known: HashSet<&Path> = self
            .parts
            .iter()
            .flat_map(|part| [Some(part.path.as_path()), part.moves_to.as_deref()])
            .flatten()
            .chain(leaving.iter().map(PathBuf::as_path))
            .collect();
        let mut strays = Vec::new();
        for table in Table::ALL {
            let unknown: Vec<PathBuf> = self
                .lost_parts
                .iter()
                .map(|(day, _)| layout::partition(store, table, *day))
                .collect();
            let dir = layout::table(store, table);
            let log = root.delta.contains_key(&table).then(|| layout::delta(store, table));
            for partition in fs::names(&dir)?.into_iter().map(|name| dir.join(name)) {
                if log.as_ref() == Some(&partition) {
                    continue;
                }
                if !partition.is_dir() {
                    strays.push(partition);
                } else if !unknown.contains(&partition) {
                    let paths = fs::names(&partition)?.into_iter().map(|name| partition.join(name));
                    strays.extend(paths.filter(|path| !known.contains(path.as_path())));
                }
            }
        }
        strays.sort();
        Ok(strays)
    }
}

/// What is wrong with the root or its copy, of which `read` was read.
fn wrong_root(store: &Path, read: &Root) -> Option<Error> {
    let copy = layout::root_copy(store);
    // Format 1 had no copy, and a store without any commit has none yet.
    let may_lack_it = read.version == 1 || read.generation == 0;
    let copy = if may_lack_it && !copy.exists() { None } else { Root::read_file(&copy).err() };
    Root::read_file(&layout::root(store)).err().or(copy)
}
