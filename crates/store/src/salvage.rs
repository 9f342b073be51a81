//! Manifests that are damaged or lost, made anew from what is there: the root from its copy or the other
//! way round, both from the [`lists`] of the days, a list of parts from the files of its day. Guesses
//! nothing: what does not come to what the root counts is refused.

mod lists;

use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use pmtaq_schema::time::{DAY_S, Day};

use crate::commit::{Change, Writer};
use crate::error::{At, Error, Result};
use crate::fs::{self, Disk};
use crate::guard::guarded;
use crate::layout::{self, Table};
use crate::lock::Lock;
use crate::manifest::{Part, Root};

/// Puts the root in place of its copy, or the copy in place of the root, when one of them is damaged or
/// lost. Returns which was made anew.
pub(crate) fn root(store: &Path, disk: &Disk, owner: &str) -> Result<Option<String>> {
    let _lock = Lock::take(&layout::lock(store), owner)?;
    let (root, copy) = (layout::root(store), layout::root_copy(store));
    let (bad, good) = match (Root::read_file(&root), Root::read_file(&copy)) {
        (Err(Error::FromTheFuture { .. }), _) | (Ok(_), Ok(_)) => return Ok(None),
        (Ok(read), Err(_)) if read.version == 1 => return Ok(None),
        (_, Err(error @ Error::FromTheFuture { .. })) => return Err(error),
        (Err(error), Err(_)) => {
            return lists::root(store, disk)?.map_or(Err(error), |done| Ok(Some(done)));
        }
        (Err(_), Ok(_)) => (root, copy),
        (Ok(_), Err(_)) => (copy, root),
    };
    disk.write_atomic(&bad, &std::fs::read(&good).at(&good)?)?;
    Ok(Some(format!("{} was made anew from {}", bad.display(), good.display())))
}

impl Writer<'_> {
    /// Makes the list of a day's parts anew, from the files that lie in its partitions.
    ///
    /// # Errors
    /// [`Error::Damaged`] when they are not all that the root counts, or one cannot be read.
    pub fn relist_parts(&mut self, day: Day) -> Result<()> {
        self.place.bring_partitions(day)?;
        let parts = parts_there(self.dir(), day)?;
        let records = || parts.iter().filter(|part| part.table == Table::Records);
        let found = (records().map(|part| part.rows).sum(), records().map(|part| part.bytes).sum());
        let counted = self.counted(day);
        if found != counted {
            let ((rows, bytes), (all, of)) = (found, counted);
            let what = format!(
                "its list cannot be made anew: its files hold {rows} records in {bytes} bytes, of {all} \
                 in {of}"
            );
            let path = layout::partition(self.dir(), Table::Records, day);
            return Err(Error::Damaged { path, what });
        }
        self.commit(Change { relisted: vec![(day, parts)], ..Change::default() })
    }
}

/// What a list would say of the files that lie in the partitions of a day.
fn parts_there(store: &Path, day: Day) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for table in Table::ALL {
        let dir = layout::partition(store, table, day);
        let mut names = fs::names(&dir)?;
        names.sort();
        for name in names.into_iter().filter(|name| name.ends_with(".parquet")) {
            parts.push(part_of(&dir, table, day, name)?);
        }
    }
    Ok(parts)
}

/// What a manifest would say of a part, were it not lost. Where its rows are from is in no file.
fn part_of(dir: &Path, table: Table, day: Day, name: String) -> Result<Part> {
    let path = dir.join(&name);
    let file = File::open(&path).at(&path)?;
    let bytes = file.metadata().at(&path)?.len();
    let rows = guarded(&path, || {
        let reader = SerializedFileReader::new(file);
        let reader = reader
            .map_err(|error| Error::Damaged { path: path.clone(), what: error.to_string() })?;
        Ok(u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0))
    })?;
    let (since, until) = (day.start().0, day.start().0 + DAY_S - 1);
    Ok(Part { rows, bytes, since, until, ..Part::of_unknown(table, name) })
}
