//! Columns of a batch by their names. Reads no row.

use arrow::array::{ArrayRef, AsArray, PrimitiveArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;

/// The column called `name`.
pub(crate) fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef, ArrowError> {
    let missing = || ArrowError::SchemaError(format!("the column `{name}` is missing"));
    batch.column_by_name(name).ok_or_else(missing)
}

/// The same as text.
pub(crate) fn text(batch: &RecordBatch, name: &str) -> Result<ArrayRef, ArrowError> {
    cast(column(batch, name)?, &DataType::Utf8)
}

/// The same as whole numbers.
pub(crate) fn int(
    batch: &RecordBatch,
    name: &str,
) -> Result<PrimitiveArray<Int64Type>, ArrowError> {
    Ok(cast(column(batch, name)?, &DataType::Int64)?.as_primitive().clone())
}
