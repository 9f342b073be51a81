//! The formats as their readers see them, through the public API alone.
//! Never links DuckDB.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod charts;
mod goldens;
mod hostile;
mod laws;
mod long;
mod pipes;
mod types;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use pmtaq_render::{BoxError, Format, Sheet, Style, WrittenSheet, write};
use pmtaq_schema::Unit;

/// Returns a batch of nullable columns.
fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let columns = columns.iter().map(|(name, array)| (*name, array.clone(), true));
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
}

/// Writes batches and returns the bytes.
fn bytes(
    format: Format,
    style: &Style,
    sheet: &Sheet,
    all: &[RecordBatch],
) -> (Vec<u8>, WrittenSheet) {
    let mut out = Vec::new();
    let mut batches = all.iter().cloned().map(Ok::<_, BoxError>);
    let written = write(format, style, sheet, &mut batches, &mut out).expect("memory is writable");
    (out, written)
}

/// Writes batches and returns the text.
fn text(format: Format, style: &Style, sheet: &Sheet, all: &[RecordBatch]) -> String {
    String::from_utf8(bytes(format, style, sheet, all).0).expect("text formats are UTF-8")
}

/// Opens Parquet bytes.
fn open_parquet(bytes: &[u8]) -> ParquetRecordBatchReaderBuilder<Bytes> {
    let bytes = Bytes::copy_from_slice(bytes);
    ParquetRecordBatchReaderBuilder::try_new(bytes).expect("this is Parquet")
}

/// Writes one column of texts under the name `reply`.
fn reply(format: Format, style: &Style, value: &str) -> String {
    let rows = batch(&[("reply", Arc::new(StringArray::from(vec![value])))]);
    text(format, style, &Sheet::new(rows.schema()), &[rows])
}

/// Returns the ordinary sheet that every format shows once.
fn ordinary() -> (Sheet, Vec<RecordBatch>) {
    let rows = batch(&[
        ("rcpt_domain", Arc::new(StringArray::from(vec![Some("gmail.com"), Some("web.de"), None]))),
        ("sent", Arc::new(Int64Array::from(vec![Some(1_204_311), Some(12), Some(40)]))),
        ("bounce_rate", Arc::new(Float64Array::from(vec![Some(12.34), Some(0.004), None]))),
        ("bytes", Arc::new(Int64Array::from(vec![1_234_567, 512, 0]))),
        ("p95", Arc::new(Float64Array::from(vec![83.0, 1.5, 14_700.0]))),
        (
            "last",
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(1_772_380_800_000_000),
                Some(1_772_380_800_250_000),
                None,
            ])),
        ),
    ]);
    let mut sheet = Sheet::new(rows.schema());
    sheet.columns[2].unit = Unit::Percent;
    sheet.columns[2].of = Some(1);
    sheet.columns[3].unit = Unit::Bytes;
    sheet.columns[4].unit = Unit::Seconds;
    (sheet, vec![rows.slice(0, 1), rows.slice(1, 2)])
}
