//! Arrow's stream of record batches, for programs that read columns: nothing is encoded, and nothing but
//! the batch at hand is held. Knows no file and no terminal.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use arrow::array::make_array;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use arrow_ipc::writer::StreamWriter;
use pmtaq_schema::Unit;

use crate::feed::Feed;
use crate::{Error, Sheet, WrittenSheet};

/// Writes all rows as one stream.
pub(crate) fn write(
    feed: &mut Feed<'_>,
    out: &mut (dyn Write + Send),
) -> Result<WrittenSheet, Error> {
    let schema = Arc::new(schema(feed.sheet));
    let mut writer = StreamWriter::try_new(out, &schema)?;
    while let Some(batch) = feed.next_batch()? {
        let columns = batch.columns().iter().zip(schema.fields());
        let columns = columns.map(|(array, field)| match field.data_type() {
            wanted if wanted == array.data_type() => Ok(array.clone()),
            // The same numbers, with the name of their zone.
            utc => array.to_data().into_builder().data_type(utc.clone()).build().map(make_array),
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        writer.write(&RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)?;
    }
    writer.finish()?;
    Ok(WrittenSheet::default())
}

/// The schema of the stream: that of the sheet under unique names. Moments say that they are UTC. What a
/// column means is in its metadata: `unit`, and `of` where it is a share of another column.
fn schema(sheet: &Sheet) -> Schema {
    let names = sheet.unique_names();
    let fields = sheet.columns.iter().zip(sheet.schema.fields()).enumerate();
    let fields = fields.map(|(at, (column, field))| {
        let data_type = match (field.data_type(), column.unit) {
            (DataType::Timestamp(unit, None), Unit::Time) => {
                DataType::Timestamp(*unit, Some("UTC".into()))
            }
            (other, _) => other.clone(),
        };
        let mut meaning = HashMap::from([("unit".to_owned(), column.unit.name().to_owned())]);
        meaning.extend(column.of.map(|of| ("of".to_owned(), names[of].clone())));
        Field::new(names[at].clone(), data_type, field.is_nullable()).with_metadata(meaning)
    });
    Schema::new(fields.collect::<Vec<_>>())
}
