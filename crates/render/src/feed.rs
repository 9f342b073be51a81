//! The rows on their way in: checks each batch against the sheet and counts the rows.
//! Never looks at a value.

use arrow::record_batch::RecordBatch;
use pmtaq_schema::Unit;

use crate::value::Cells;
use crate::{BoxError, Error, Sheet};

/// The batches of an answer with their sheet.
pub(crate) struct Feed<'a> {
    pub(crate) sheet: &'a Sheet,
    batches: &'a mut dyn Iterator<Item = Result<RecordBatch, BoxError>>,
    rows: u64,
}

impl<'a> Feed<'a> {
    pub(crate) fn new(
        sheet: &'a Sheet,
        batches: &'a mut dyn Iterator<Item = Result<RecordBatch, BoxError>>,
    ) -> Self {
        Feed { sheet, batches, rows: 0 }
    }

    /// Returns how many rows have come so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the next batch as it came.
    pub(crate) fn next_batch(&mut self) -> Result<Option<RecordBatch>, Error> {
        let Some(batch) = self.batches.next() else { return Ok(None) };
        let batch = batch.map_err(Error::Rows)?;
        let (expected, found) = (self.sheet.columns.len(), batch.num_columns());
        if expected != found {
            return Err(Error::Shape { expected, found });
        }
        self.rows += batch.num_rows() as u64;
        Ok(Some(batch))
    }

    /// Returns the next batch as columns of values, with its number of rows.
    pub(crate) fn next_cells(&mut self) -> Result<Option<(usize, Vec<Cells>)>, Error> {
        let Some(batch) = self.next_batch()? else { return Ok(None) };
        let cells = self.sheet.columns.iter().zip(batch.columns()).map(|(column, array)| {
            Cells::new(array, column.unit == Unit::LocalTime).map_err(|source| Error::Column {
                column: column.name.clone(),
                data_type: array.data_type().to_string(),
                source,
            })
        });
        Ok(Some((batch.num_rows(), cells.collect::<Result<_, _>>()?)))
    }
}
