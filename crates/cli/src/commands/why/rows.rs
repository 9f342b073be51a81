//! The answers of the engine to `why`, column by column.

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use pmtaq_query::{Query, Session};

use crate::failure::{Failure, Result};

pub(super) fn batches(session: &Session, query: &Query) -> Result<Vec<RecordBatch>> {
    let batches = session.run(query, |_, batches| {
        batches.collect::<std::result::Result<Vec<_>, pmtaq_query::Error>>()
    })??;
    Ok(batches)
}

fn column(batch: &RecordBatch, name: &str, to: &DataType) -> Result<arrow::array::ArrayRef> {
    let column = batch.column_by_name(name).expect("the statements of sql/why name their columns");
    cast(column, to).map_err(|error| Failure::failed(&error))
}

pub(super) fn ints(batch: &RecordBatch, name: &str) -> Result<Vec<Option<i64>>> {
    let array = column(batch, name, &DataType::Int64)?;
    Ok(array.as_primitive::<Int64Type>().iter().collect())
}

pub(super) fn texts(batch: &RecordBatch, name: &str) -> Result<Vec<Option<String>>> {
    let array = column(batch, name, &DataType::Utf8)?;
    Ok(array.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect())
}
