//! Parquet with zstd, streamed: no more than one row group is held.
//! Knows nothing of the store; this is the answer's own file.

use std::io::Write;
use std::sync::Arc;

use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::feed::Feed;
use crate::{Error, Sheet, WrittenSheet};

/// Rows of a row group: DuckDB's own number, so that its threads share the work evenly.
const ROW_GROUP_ROWS: usize = 122_880;

/// Writes all rows as one Parquet file.
pub(crate) fn write(
    feed: &mut Feed<'_>,
    out: &mut (dyn Write + Send),
) -> Result<WrittenSheet, Error> {
    let schema = Arc::new(stored_schema(feed.sheet));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    let mut writer = ArrowWriter::try_new(out, schema.clone(), Some(properties))?;
    while let Some(batch) = feed.next_batch()? {
        let columns = batch
            .columns()
            .iter()
            .zip(schema.fields())
            .map(|(array, field)| match field.data_type() {
                wanted if wanted == array.data_type() => Ok(array.clone()),
                wanted => cast(array, wanted),
            })
            .collect::<Result<_, _>>()
            .map_err(ParquetError::from)?;
        let batch = RecordBatch::try_new(schema.clone(), columns).map_err(ParquetError::from)?;
        writer.write(&batch)?;
    }
    writer.close()?;
    Ok(WrittenSheet::default())
}

/// Returns the schema of the file: the sheet's, under unique names.
///
/// Parquet has no timestamps in whole seconds: a reader would find bare integers.
fn stored_schema(sheet: &Sheet) -> Schema {
    let fields =
        sheet.unique_names().into_iter().zip(sheet.schema.fields()).map(|(name, field)| {
            let data_type = match field.data_type() {
                DataType::Timestamp(TimeUnit::Second, zone) => {
                    DataType::Timestamp(TimeUnit::Millisecond, zone.clone())
                }
                other => other.clone(),
            };
            Field::new(name, data_type, field.is_nullable())
        });
    Schema::new(fields.collect::<Vec<_>>())
}
