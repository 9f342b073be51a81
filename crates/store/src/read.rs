//! The rows of a part, batch by batch, in today's schema of its table: a column that the part
//! lacks, because an older version wrote it, is all null, and one of another type is cast. Knows
//! no meaning of any column.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};

use crate::error::{At, Error, Result};
use crate::guard::guarded;
use crate::layout::Table;
use crate::table::schema_of;

/// Bytes of values that a batch aims at, so that rows of a megabyte do not come by the thousand.
const BATCH_BYTES: u64 = 16 << 20;

/// The rows of a part.
pub struct PartReader {
    path: PathBuf,
    reader: Option<ParquetRecordBatchReader>,
    schema: SchemaRef,
    rows: u64,
}

impl PartReader {
    /// Opens a part of `table`, to read the columns that `wanted` lets through.
    ///
    /// # Errors
    /// [`Error::Io`] when it is not there, [`Error::Damaged`] when it is no part of `table`.
    pub fn open(path: &Path, table: Table, wanted: impl Fn(&Field) -> bool) -> Result<PartReader> {
        guarded(path, || PartReader::try_open(path, table, wanted))
    }

    fn try_open(path: &Path, table: Table, wanted: impl Fn(&Field) -> bool) -> Result<PartReader> {
        let damaged = |what: String| Error::Damaged { path: path.to_owned(), what };
        let file = File::open(path).at(path)?;
        let schema = schema_of(table);
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let loaded = ArrowReaderMetadata::load(&file, options.clone())
            .map_err(|error| damaged(error.to_string()))?;
        // Names are read as dictionaries, as they are written.
        let fields = loaded.schema().fields().iter().map(|field| {
            let known = schema.field_with_name(field.name()).ok().map(Field::data_type);
            match known.filter(|known| matches!(known, DataType::Dictionary(..))) {
                Some(known) => Arc::new(Field::clone(field).with_data_type(known.clone())),
                None => field.clone(),
            }
        });
        let typed = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let loaded = ArrowReaderMetadata::try_new(
            loaded.metadata().clone(),
            options.with_schema(typed.clone()),
        )
        .map_err(|error| damaged(error.to_string()))?;
        let groups = loaded.metadata().row_groups();
        let rows: u64 = groups.iter().map(|g| u64::try_from(g.num_rows()).unwrap_or(0)).sum();
        let bytes: u64 =
            groups.iter().map(|g| u64::try_from(g.total_byte_size()).unwrap_or(0)).sum();
        let batch = (BATCH_BYTES * rows.max(1) / bytes.max(1)).clamp(1, 8192);
        let kept = typed
            .fields()
            .iter()
            .enumerate()
            .filter(|(_, field)| schema.field_with_name(field.name()).is_ok() && wanted(field));
        let mask = ProjectionMask::roots(loaded.parquet_schema(), kept.map(|(i, _)| i));
        let fields: Vec<Arc<Field>> =
            schema.fields().iter().filter(|field| wanted(field)).cloned().collect();
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, loaded)
            .with_projection(mask)
            .with_batch_size(usize::try_from(batch).unwrap_or(8192))
            .build()
            .map_err(|error| damaged(error.to_string()))?;
        Ok(PartReader {
            path: path.to_owned(),
            reader: Some(reader),
            schema: Arc::new(Schema::new(fields)),
            rows,
        })
    }

    /// Rows that the file says it has.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    fn in_schema(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        let damaged =
            |error: ArrowError| Error::Damaged { path: self.path.clone(), what: error.to_string() };
        let columns =
            self.schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
                Some(column) if column.data_type() == field.data_type() => Ok(column.clone()),
                Some(column) => cast(column, field.data_type()).map_err(damaged),
                None => Ok(new_null_array(field.data_type(), rows)),
            });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        RecordBatch::try_new(self.schema.clone(), columns).map_err(damaged)
    }
}

impl Iterator for PartReader {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        // After an error there is no next batch: what a decoder left behind is not to be trusted.
        let mut reader = self.reader.take()?;
        let batch = guarded(&self.path, || match reader.next() {
            None => Ok(None),
            Some(Ok(batch)) => self.in_schema(&batch).map(Some),
            Some(Err(error)) => {
                Err(Error::Damaged { path: self.path.clone(), what: error.to_string() })
            }
        });
        if let Ok(Some(_)) = &batch {
            self.reader = Some(reader);
        }
        batch.transpose()
    }
}
