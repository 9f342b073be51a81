//! A part being staged from runs of rows: the fast way in, for ingest.
//! Writes the cells it is given and never looks at what they mean.

use std::fs::File;
use std::io::{BufWriter, IntoInnerError, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use parquet::arrow::ArrowSchemaConverter;
use parquet::file::writer::SerializedFileWriter;
use pmtaq_schema::site::KeptDimensions;
use pmtaq_schema::time::Day;

use crate::checksum::Summed;
use crate::encode::{Cells, Encoder, RowGroup};
use crate::error::{At, Result};
use crate::facts::Counter;
use crate::fs::Disk;
use crate::layout::Table;
use crate::manifest::{Part, SAYS_ORIGIN};
use crate::table::{properties, schema_of};

/// Bytes written at a time: the Parquet crate hands on 8 kB. Each open day has so much memory.
const WRITE: usize = 32 * 1024;

/// A part being written to the staging folder, invisible to everyone.
pub struct RunWriter<'a> {
    disk: &'a Disk,
    path: PathBuf,
    file: SerializedFileWriter<BufWriter<Summed>>,
    part: Part,
    day: Day,
    /// Of records alone.
    facts: Option<Counter>,
}

/// A part that was written and synced, and waits for a commit.
#[derive(Clone, Debug)]
pub struct NewPart {
    pub(crate) part: Part,
    pub(crate) day: Day,
}

impl NewPart {
    /// Rows in the part.
    pub fn rows(&self) -> u64 {
        self.part.rows
    }

    /// The table that it belongs to.
    pub fn table(&self) -> Table {
        self.part.table
    }

    /// The day of its partition.
    pub fn day(&self) -> Day {
        self.day
    }

    /// Says that its rows are some of those of `parts`, and not new ones; parts of `hourly` keep the same
    /// dimensions of the site.
    #[must_use]
    pub fn made_of<'p>(mut self, parts: impl IntoIterator<Item = &'p Part>) -> NewPart {
        for part in parts {
            self.part.generations.extend(&part.generations);
            self.part.derived = self.part.derived.min(part.derived);
            if self.part.table == part.table {
                self.part.site.clone_from(&part.site);
            }
        }
        self
    }

    /// Says that its rows have been given who ended a bounce, whatever those had that they were made of.
    #[must_use]
    pub fn says_origin(mut self) -> NewPart {
        self.part.derived = self.part.derived.max(SAYS_ORIGIN);
        self
    }

    /// Says that its rows are those of `part`, a part of `hourly`, added up.
    #[must_use]
    pub fn sums_up(mut self, part: &Part) -> NewPart {
        self.part.sums = Some(part.name.clone());
        self.made_of([part])
    }

    /// Size of the part in bytes.
    pub fn bytes(&self) -> u64 {
        self.part.bytes
    }
}

impl<'a> RunWriter<'a> {
    pub(crate) fn create(
        disk: &'a Disk,
        staging: &Path,
        table: Table,
        day: Day,
        name: String,
        kept: &KeptDimensions,
    ) -> Result<RunWriter<'a>> {
        let path = staging.join(&name);
        let file = BufWriter::with_capacity(WRITE, Summed::new(disk.create(&path)?));
        let schema = ArrowSchemaConverter::new().convert(&schema_of(table)).at(&path)?;
        let file = SerializedFileWriter::new(file, schema.root_schema_ptr(), properties().into())
            .at(&path)?;
        let facts = (table == Table::Records).then(Counter::default);
        let mut part = Part::new(table, name);
        if table == Table::Hourly {
            part.site = kept.definitions().to_vec();
        }
        Ok(RunWriter { disk, path, file, part, day, facts })
    }

    /// A row group without rows. A part may have several that have begun.
    pub fn begin_group(&self, encoder: &mut Encoder) -> RowGroup {
        let spare =
            if self.part.table == Table::Records { encoder.spare_groups.pop() } else { None };
        spare.unwrap_or_else(|| self.begin_small_group())
    }

    /// The same for few rows: it takes no memory of one that was kept.
    pub fn begin_small_group(&self) -> RowGroup {
        RowGroup::new(&self.file)
    }

    /// Adds to `group`, which was begun for this part, some of the rows that `cells` have. They are those of
    /// all columns, as [`pmtaq_schema::columns`] lists them for the table; the times of the rows lie from
    /// `since` to `until`, in UTC seconds.
    ///
    /// # Errors
    /// [`crate::Error::Parquet`] when there is no memory.
    pub fn write(
        &mut self,
        group: &mut RowGroup,
        encoder: &mut Encoder,
        rows: Range<usize>,
        cells: &[Cells<'_>],
        since: i64,
        until: i64,
    ) -> Result<()> {
        self.part.rows += rows.len() as u64;
        self.part.since = self.part.since.min(since);
        self.part.until = self.part.until.max(until);
        if let Some(facts) = &mut self.facts {
            facts.count(rows.clone(), cells);
        }
        group.push(encoder, rows, cells).at(&self.path)
    }

    /// Rows added so far.
    pub fn rows(&self) -> u64 {
        self.part.rows
    }

    /// Writes `group` and empties it; its names may be forgotten then. Without rows nothing is written.
    ///
    /// # Errors
    /// [`crate::Error::Parquet`] when the disk is full.
    pub fn end_group(
        &mut self,
        group: &mut RowGroup,
        encoder: &mut Encoder,
        cells: &[Cells<'_>],
    ) -> Result<()> {
        if group.rows() == 0 {
            return Ok(());
        }
        group.finish(encoder, cells, &mut self.file).at(&self.path)
    }

    /// What was written so far, to be synced while the rest is being made: else all of it would be
    /// waited for in the end, and by others who share the disk.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Parquet`] when the disk is full.
    pub fn begun(&mut self) -> Result<Written<'a>> {
        self.file.flush().at(&self.path)?;
        let file = self.file.inner_mut();
        file.flush().at(&self.path)?;
        let file = file.get_ref().file().try_clone().at(&self.path)?;
        Ok(Written { disk: self.disk, path: self.path.clone(), file, part: None })
    }

    /// Completes the file, whose row groups were all ended.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Parquet`] when the disk is full.
    pub fn finish(self) -> Result<Written<'a>> {
        let RunWriter { disk, path, file, mut part, day, facts, .. } = self;
        part.facts = facts.map(Counter::done);
        let file = file
            .into_inner()
            .at(&path)?
            .into_inner()
            .map_err(IntoInnerError::into_error)
            .at(&path)?;
        part.seal(&file);
        let file = file.file().try_clone().at(&path)?;
        Ok(Written { disk, path, file, part: Some(NewPart { part, day }) })
    }
}

/// A part, or the beginning of one, that was written and would not survive a power cut yet. Apart
/// from the writing, since who waits for the disk need not keep others from working.
pub struct Written<'a> {
    disk: &'a Disk,
    path: PathBuf,
    file: File,
    /// None of a beginning.
    part: Option<NewPart>,
}

impl Written<'_> {
    /// Syncs what was written. Returns the part, if it is whole.
    ///
    /// # Errors
    /// [`crate::Error::Io`] when the disk refuses. It may say so of a beginning and not again of the
    /// whole, so that both end the run.
    pub fn sync(self) -> Result<Option<NewPart>> {
        self.disk.sync(&self.file, &self.path)?;
        Ok(self.part)
    }
}
