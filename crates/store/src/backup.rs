//! One generation of a store as a store of its own. Parts and lists never change, so they are linked or
//! copied while others write; what a commit takes away meanwhile is a reason to begin anew.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{At, Error, Result};
use crate::fs::{self, Disk};
use crate::layout;
use crate::place::Location;
use crate::snapshot::{place, read_parts};

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backup {
    /// The number of commits that it reflects.
    pub generation: u64,
    /// Parts in it.
    pub parts: u64,
    /// Rows of `records` in them.
    pub records: u64,
    /// Bytes of its parts.
    pub bytes: u64,
    /// Files that are links to those of the store.
    pub links: u64,
}

impl Backup {
    pub(crate) fn take(store: &Location, to: &Path, disk: &Disk, links: bool) -> Result<Backup> {
        if !fs::names(to)?.is_empty() {
            return Err(Error::Occupied { dir: to.to_owned() });
        }
        disk.create_dir(to)?;
        let [inside, outside] = [to, store.dir()].map(|dir| dir.canonicalize().at(dir));
        if inside?.starts_with(outside?) {
            return Err(Error::InStore { path: to.to_owned(), store: store.dir().to_owned() });
        }
        // Each try finds most of its files there already, and so has less time to be overtaken.
        const TRIES: u32 = 1000;
        let mut copied = Copied { disk, links, files: BTreeSet::new(), linked: BTreeSet::new() };
        let mut tries = 0;
        loop {
            match Backup::try_take(store, to, &mut copied) {
                Err(error) if error.is_missing_file() && tries < TRIES => tries += 1,
                other => return other,
            }
        }
    }

    fn try_take(store: &Location, to: &Path, copied: &mut Copied<'_>) -> Result<Backup> {
        let mut root = store.root()?;
        let mut backup = Backup { generation: root.generation, ..Backup::default() };
        let mut wanted = BTreeSet::new();
        for (day, entry) in root.days() {
            let lists = [
                entry.parts_in(store.dir(), day).zip(entry.parts_in(to, day)),
                entry.sources_in(store.dir(), day).zip(entry.sources_in(to, day)),
            ];
            for (from, list) in lists.into_iter().flatten() {
                store.bring(&from)?;
                copied.take(&from, &list)?;
                wanted.insert(list);
            }
            for part in read_parts(store, &root, day)? {
                backup.parts += 1;
                backup.bytes += part.bytes;
                let partition = layout::partition(to, part.table, day);
                let part = place(store, &root, day, part);
                let file = partition.join(&part.part.name);
                if !copied.files.contains(&file) {
                    part.open()?;
                }
                copied.take(&part.path, &file)?;
                wanted.insert(file);
            }
            backup.records += entry.rows;
        }
        for file in copied.files.difference(&wanted) {
            copied.disk.remove(file)?;
        }
        copied.files.retain(|file| wanted.contains(file));
        let folders: BTreeSet<&Path> = wanted.iter().filter_map(|file| file.parent()).collect();
        folders.into_iter().try_for_each(|folder| copied.disk.sync_dir(folder))?;
        copied.disk.create_dir(&layout::staging(to))?;
        // Every part lies where it belongs.
        root.moves.clear();
        let bytes = root.to_bytes();
        copied.disk.write_atomic(&layout::root_copy(to), &bytes)?;
        copied.disk.write_atomic(&layout::root(to), &bytes)?;
        backup.links = copied.files.intersection(&copied.linked).count() as u64;
        Ok(backup)
    }
}

/// What lies in the new folder by now.
struct Copied<'d> {
    disk: &'d Disk,
    links: bool,
    files: BTreeSet<PathBuf>,
    linked: BTreeSet<PathBuf>,
}

impl Copied<'_> {
    /// Brings a file over, unless it is there.
    fn take(&mut self, from: &Path, to: &Path) -> Result<()> {
        if self.files.contains(to) {
            return Ok(());
        }
        to.parent().map_or(Ok(()), |folder| self.disk.create_dir(folder))?;
        if self.links {
            match self.disk.link(from, to) {
                Ok(()) => {
                    self.linked.insert(to.to_owned());
                    self.files.insert(to.to_owned());
                    return Ok(());
                }
                Err(error) if error.is_missing_file() => return Err(error),
                // Another file system, or one without links.
                Err(Error::Io { source, .. }) if source.kind() != ErrorKind::StorageFull => {
                    self.links = false;
                }
                Err(error) => return Err(error),
            }
        }
        self.disk.copy(from, to)?;
        self.files.insert(to.to_owned());
        Ok(())
    }
}
