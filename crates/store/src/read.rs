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
    ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::bloom_filter::Sbbf;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::statistics::Statistics;
use pmtaq_schema::{Record, Window};

use crate::empty::is_empty;
use crate::error::{At, Error, Result};
use crate::guard::guarded;
use crate::layout::Table;
use crate::table::{RECIPIENT, schema_of};

/// Bytes of values that a batch aims at, so that rows of a megabyte do not come by the thousand.
const BATCH_BYTES: u64 = 16 << 20;

/// The rows of a part.
pub struct PartReader {
    path: PathBuf,
    reader: Option<ParquetRecordBatchReader>,
    schema: SchemaRef,
    rows: u64,
}

/// A part of which only the footer was read.
pub struct PartFooter {
    path: PathBuf,
    schema: SchemaRef,
    loaded: ArrowReaderMetadata,
}

impl PartFooter {
    /// Reads the footer of a part of `table`.
    ///
    /// # Errors
    /// [`Error::Io`] when it is not there, [`Error::Damaged`] when it is no part of `table`.
    pub fn read(path: &Path, table: Table) -> Result<PartFooter> {
        guarded(path, || PartFooter::try_read(path, table))
    }

    fn try_read(path: &Path, table: Table) -> Result<PartFooter> {
        let damaged = |error: ParquetError| damaged(path, &error);
        let file = File::open(path).at(path)?;
        let schema = schema_of(table);
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let loaded = ArrowReaderMetadata::load(&file, options.clone()).map_err(damaged)?;
        // Names are read as dictionaries, as they are written.
        let fields = loaded.schema().fields().iter().map(|field| {
            let known = schema.field_with_name(field.name()).ok().map(Field::data_type);
            match known.filter(|known| matches!(known, DataType::Dictionary(..))) {
                Some(known) => Arc::new(Field::clone(field).with_data_type(known.clone())),
                None => field.clone(),
            }
        });
        let typed = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let metadata = loaded.metadata().clone();
        let loaded =
            ArrowReaderMetadata::try_new(metadata, options.with_schema(typed)).map_err(damaged)?;
        Ok(PartFooter { path: path.to_owned(), schema, loaded })
    }

    /// The row groups, by their places, that may have a record of one of some types, logged in `window`.
    pub fn groups_with(&self, window: Window, types: &[Record]) -> Vec<usize> {
        let may_have = |group: &RowGroupMetaData| {
            let of = |name: &str| flat(group, name).and_then(ColumnChunkMetaData::statistics);
            // A group that does not say what it has may have it.
            let in_time = times_of(group).is_none_or(|(least, most)| {
                least < window.until.millis() && most >= window.since.millis()
            });
            let recs = match of("rec") {
                Some(Statistics::ByteArray(of)) => of.min_opt().zip(of.max_opt()),
                _ => None,
            };
            let has_type = recs.is_none_or(|(least, most)| {
                let recs = types.iter().map(|rec| rec.as_str().as_bytes());
                recs.into_iter().any(|rec| least.data() <= rec && rec <= most.data())
            });
            in_time && has_type
        };
        let groups = self.loaded.metadata().row_groups().iter().enumerate();
        groups.filter(|(_, group)| may_have(group)).map(|(place, _)| place).collect()
    }

    /// The least and the greatest time, in milliseconds, of the records of one of its row groups; none where it does
    /// not say.
    pub fn times(&self, place: usize) -> Option<(i64, i64)> {
        times_of(&self.loaded.metadata().row_groups()[place])
    }

    /// Whether one of its row groups may have a record of `rcpt`, in lower case, however that is spelt there; one that
    /// does not say may have it.
    ///
    /// # Errors
    /// [`Error::Io`] when the part is not there any more, [`Error::Damaged`] when it cannot be read.
    pub fn may_hold(&self, place: usize, rcpt: &str) -> Result<bool> {
        let group = &self.loaded.metadata().row_groups()[place];
        let Some(column) = flat(group, RECIPIENT) else { return Ok(true) };
        guarded(&self.path, || {
            let file = File::open(&self.path).at(&self.path)?;
            let filter = Sbbf::read_from_column_chunk(column, &file);
            let filter = filter.map_err(|error| damaged(&self.path, &error))?;
            Ok(filter.is_none_or(|filter| filter.check(rcpt)))
        })
    }

    /// The rows of one of its row groups, of which the columns that `wanted` lets through are read.
    ///
    /// # Errors
    /// [`Error::Io`] when the part is not there any more, [`Error::Damaged`] when it cannot be read.
    pub fn group(&self, place: usize, wanted: impl Fn(&Field) -> bool) -> Result<PartReader> {
        guarded(&self.path, || self.reader(Some(place), None, wanted))
    }

    /// The same of some rows of a row group, by their numbers in it, which ascend.
    ///
    /// # Errors
    /// As for [`PartFooter::group`].
    pub fn rows(
        &self,
        place: usize,
        rows: &[usize],
        wanted: impl Fn(&Field) -> bool,
    ) -> Result<PartReader> {
        let mut selectors = Vec::new();
        let mut end = 0;
        for run in rows.chunk_by(|row, next| row + 1 == *next) {
            selectors.push(RowSelector::skip(run[0] - end));
            selectors.push(RowSelector::select(run.len()));
            end = run[0] + run.len();
        }
        guarded(&self.path, || self.reader(Some(place), Some(selectors.into()), wanted))
    }

    fn reader(
        &self,
        group: Option<usize>,
        selection: Option<RowSelection>,
        wanted: impl Fn(&Field) -> bool,
    ) -> Result<PartReader> {
        let PartFooter { path, schema, loaded } = self;
        let file = File::open(path).at(path)?;
        let groups = loaded.metadata().row_groups();
        let read = groups.iter().enumerate().filter(|(place, _)| group.is_none_or(|g| g == *place));
        let size = |n: i64| u64::try_from(n).unwrap_or(0);
        let (rows, bytes) = read.fold((0, 0), |(rows, bytes), (_, group)| {
            (rows + size(group.num_rows()), bytes + size(group.total_byte_size()))
        });
        let batch = (BATCH_BYTES * rows.max(1) / bytes.max(1)).clamp(1, 8192);
        let fields = loaded.schema().fields().iter().enumerate();
        // What a row group has no value of is not read.
        let is_empty =
            |name: &str| group.is_some_and(|at| flat(&groups[at], name).is_some_and(is_empty));
        let kept = fields.filter(|(_, field)| {
            let is_known = schema.field_with_name(field.name()).is_ok();
            is_known && wanted(field) && !is_empty(field.name())
        });
        let mask = ProjectionMask::roots(loaded.parquet_schema(), kept.map(|(i, _)| i));
        let fields: Vec<Arc<Field>> =
            schema.fields().iter().filter(|field| wanted(field)).cloned().collect();
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, loaded.clone())
            .with_projection(mask)
            .with_batch_size(usize::try_from(batch).unwrap_or(8192));
        let builder = match group {
            Some(group) => builder.with_row_groups(vec![group]),
            None => builder,
        };
        let builder = match selection {
            Some(selection) => builder.with_row_selection(selection),
            None => builder,
        };
        let reader = builder.build().map_err(|error| damaged(path, &error))?;
        let schema = Arc::new(Schema::new(fields));
        Ok(PartReader { path: path.clone(), reader: Some(reader), schema, rows })
    }
}

/// What a row group says of its times, the least and the greatest.
fn times_of(group: &RowGroupMetaData) -> Option<(i64, i64)> {
    match flat(group, "time_logged").and_then(ColumnChunkMetaData::statistics) {
        Some(Statistics::Int64(of)) => of.min_opt().copied().zip(of.max_opt().copied()),
        _ => None,
    }
}

/// A column of a row group that is flat.
fn flat<'g>(group: &'g RowGroupMetaData, name: &str) -> Option<&'g ColumnChunkMetaData> {
    group.columns().iter().find(|column| column.column_path().string() == name)
}

fn damaged(path: &Path, error: &ParquetError) -> Error {
    Error::Damaged { path: path.to_owned(), what: error.to_string() }
}

impl PartReader {
    /// Opens a part of `table`, to read the columns that `wanted` lets through.
    ///
    /// # Errors
    /// [`Error::Io`] when it is not there, [`Error::Damaged`] when it is no part of `table`.
    pub fn open(path: &Path, table: Table, wanted: impl Fn(&Field) -> bool) -> Result<PartReader> {
        guarded(path, || PartFooter::try_read(path, table)?.reader(None, None, wanted))
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
