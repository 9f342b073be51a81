//! Outputs that close and inputs that fail.

use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{Int32Array, RecordBatch};
use pmtaq_render::{BoxError, Error, Format, Sheet, Style, write};

use crate::{batch, ordinary};

/// An output whose reader went away.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

/// Writes the ordinary sheet and returns the error.
fn fail(
    format: Format,
    batches: impl IntoIterator<Item = Result<RecordBatch, BoxError>>,
    out: &mut (dyn Write + Send),
) -> Error {
    let (sheet, _) = ordinary();
    write(format, &Style::default(), &sheet, &mut batches.into_iter(), out).unwrap_err()
}

#[test]
fn a_closed_pipe_is_recognised_in_every_format() {
    for &format in Format::ALL {
        let error = fail(format, ordinary().1.into_iter().map(Ok), &mut Closed);
        assert!(error.is_broken_pipe(), "{format}: {error:?}");
    }
}

#[test]
fn an_error_among_the_rows_keeps_its_words() {
    for &format in Format::ALL {
        let error = fail(format, [Err("Interrupted by the user".into())], &mut Vec::new());
        assert_eq!(error.to_string(), "Interrupted by the user");
        assert!(!error.is_broken_pipe());
    }
}

#[test]
fn a_batch_of_another_shape_is_an_error() {
    for &format in Format::ALL {
        let rows = batch(&[("n", Arc::new(Int32Array::from(vec![1])))]);
        let error = fail(format, [Ok(rows)], &mut Vec::new());
        assert_eq!(error.to_string(), "a batch of rows has 1 columns where the sheet has 6");
    }
}

#[test]
fn two_columns_of_one_name_are_both_kept() {
    let one: arrow::array::ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let rows = batch(&[("n", one.clone()), ("n", one.clone()), ("n_1", one)]);
    let mut out = Vec::new();
    let sheet = Sheet::new(rows.schema());
    write(Format::Jsonl, &Style::default(), &sheet, &mut [Ok(rows)].into_iter(), &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "{\"n\":1,\"n_2\":1,\"n_1\":1}\n");
}
