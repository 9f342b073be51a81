//! A Parquet file without rows, for readers that want several files. Touches no disk.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;

/// Its bytes: of one column, as all that a reader wants are its rows.
///
/// # Errors
/// What the encoder says, which has no reason to.
pub fn rowless_file() -> parquet::errors::Result<Vec<u8>> {
    let schema = Arc::new(Schema::new(vec![Field::new("none", DataType::Boolean, true)]));
    ArrowWriter::try_new(Vec::new(), schema, None)?.into_inner()
}
