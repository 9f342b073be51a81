//! A part being staged from batches.

use arrow::array::RecordBatch;

use crate::encode::{Encoder, RowGroup};
use crate::error::Result;
use crate::gathered::Gathered;
use crate::layout::Table;
use crate::run::{NewPart, RunWriter};
use crate::table::ROW_GROUP_ROWS;

/// Rows in a page of a part that is made of batches: about as many as a run of ingest has.
const PAGE_ROWS: usize = 32 * 1024;

/// A part being written to the staging folder from batches, invisible to everyone.
pub struct PartWriter<'a> {
    run: RunWriter<'a>,
    group: RowGroup,
    encoder: Encoder,
    gathered: Gathered,
    /// Earliest and latest time that the rows gathered may have.
    times: (i64, i64),
}

/// The times of no row.
const NO_TIMES: (i64, i64) = (i64::MAX, i64::MIN);

impl<'a> PartWriter<'a> {
    pub(crate) fn new(table: Table, run: RunWriter<'a>, mut encoder: Encoder) -> PartWriter<'a> {
        let group = run.begin_group(&mut encoder);
        PartWriter { run, group, encoder, gathered: Gathered::new(table), times: NO_TIMES }
    }

    /// Adds the rows of `batch`, which has the schema of the table and whose times lie from `since` to
    /// `until`, in UTC seconds.
    ///
    /// # Errors
    /// [`crate::Error::Parquet`] when the disk is full.
    pub fn write(&mut self, batch: &RecordBatch, since: i64, until: i64) -> Result<()> {
        let mut at = 0;
        while at < batch.num_rows() {
            let now = (batch.num_rows() - at).min(PAGE_ROWS - self.gathered.rows());
            self.gathered.push(&batch.slice(at, now));
            self.times = (self.times.0.min(since), self.times.1.max(until));
            if self.gathered.rows() == PAGE_ROWS {
                self.end_page()?;
            }
            if self.group.rows() >= ROW_GROUP_ROWS {
                self.end_group()?;
            }
            at += now;
        }
        Ok(())
    }

    /// Rows added so far.
    pub fn rows(&self) -> u64 {
        self.run.rows() + self.gathered.rows() as u64
    }

    fn end_page(&mut self) -> Result<()> {
        let rows = self.gathered.rows();
        if rows > 0 {
            let (since, until) = std::mem::replace(&mut self.times, NO_TIMES);
            let cells = self.gathered.cells();
            self.run.write(&mut self.group, &mut self.encoder, 0..rows, &cells, since, until)?;
            self.gathered.begin_page();
        }
        Ok(())
    }

    /// Writes the row group that has begun, whose pages are held until then.
    ///
    /// # Errors
    /// [`crate::Error::Parquet`] when the disk is full.
    pub fn end_group(&mut self) -> Result<()> {
        self.end_page()?;
        self.run.end_group(&mut self.group, &mut self.encoder, &self.gathered.cells())?;
        self.gathered.begin_group();
        Ok(())
    }

    /// Completes and syncs the file.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Parquet`] when the disk is full.
    pub fn finish(mut self) -> Result<NewPart> {
        self.end_group()?;
        let written = self.run.finish()?;
        Ok(written.sync()?.expect("a part that is complete"))
    }
}
