//! All that the manifests of a store say, as of one commit, for those who check them against the
//! files. Opens no part.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use pmtaq_schema::Window;
use pmtaq_schema::time::Day;

use crate::error::{Error, Result};
use crate::fs;
use crate::layout::{self, Table};
use crate::manifest::{Removed, Root, Source};
use crate::snapshot::{Snapshot, SnapshotPart, sources_of_root};

/// The manifests of one generation.
#[derive(Clone, Debug)]
pub struct Audit {
    /// The number of commits that it reflects.
    pub generation: u64,
    /// Every part.
    pub parts: Vec<SnapshotPart>,
    /// Every source, with the day it is filed under.
    pub sources: Vec<(Day, Source)>,
    /// Rows that were taken away for good.
    pub removed: Removed,
    /// The days that have lost records for their age.
    pub pruned: Vec<Day>,
    /// The rows of `records` by day, as the root counts them.
    pub rows: Vec<(Day, u64)>,
    /// Parquet files in the partitions that no manifest names: a plain glob reads them, pmtaq
    /// does not.
    pub strays: Vec<PathBuf>,
}

impl Audit {
    pub(crate) fn take(store: &Path) -> Result<Audit> {
        // A commit in between makes what was read of two generations: each new try sees a newer.
        const TRIES: u32 = 100;
        let mut tries = 0;
        loop {
            match Audit::try_take(store) {
                Err(Error::Io { source, .. })
                    if source.kind() == ErrorKind::NotFound && tries < TRIES => {}
                Ok(None) if tries < TRIES => {}
                Ok(None) => {
                    let owner = "one commit after the other".to_owned();
                    return Err(Error::Locked { owner });
                }
                Ok(Some(audit)) => return Ok(audit),
                Err(error) => return Err(error),
            }
            tries += 1;
        }
    }

    /// Nothing when a commit came in between.
    fn try_take(store: &Path) -> Result<Option<Audit>> {
        let root = Root::read(&layout::root(store))?;
        let snapshot = Snapshot::of_root(store, &root, Window::ALL)?;
        let sources = sources_of_root(store, &root, |_| true)?;
        let known: HashSet<&Path> = snapshot
            .parts
            .iter()
            .flat_map(|part| [Some(part.path.as_path()), part.moves_to.as_deref()])
            .flatten()
            .collect();
        let mut strays = Vec::new();
        for table in Table::ALL {
            let dir = layout::table(store, table);
            for partition in fs::names(&dir)? {
                let partition = dir.join(partition);
                if !partition.is_dir() {
                    strays.push(partition);
                    continue;
                }
                for name in fs::names(&partition)? {
                    let path = partition.join(name);
                    if !known.contains(path.as_path()) {
                        strays.push(path);
                    }
                }
            }
        }
        strays.sort();
        if Root::read(&layout::root(store))?.generation != root.generation {
            return Ok(None);
        }
        let pruned = root.days().filter(|(_, entry)| entry.pruned).map(|(day, _)| day).collect();
        let rows = root.days().map(|(day, entry)| (day, entry.rows)).collect();
        Ok(Some(Audit {
            generation: root.generation,
            parts: snapshot.parts,
            sources,
            removed: root.removed,
            pruned,
            rows,
            strays,
        }))
    }
}
