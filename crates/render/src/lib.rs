//! Answers as tables, CSV, TSV, JSON, Markdown, HTML, XML, Parquet and Arrow, and reports as one page: Arrow
//! batches in, bytes out.
//! Never touches files, DuckDB, the environment or the clock, and does no arithmetic on data
//! beyond layout.
//!
//! [`write`] takes a [`Format`], a [`Style`], the [`Sheet`] that describes the columns, and the
//! batches. All formats stream: their memory is that of a batch, for Parquet that of a row group,
//! for a table that of the first rows, which decide how wide its columns are.
//! Two layouts have no format of their own: [`write_lines`], a line a row in the user's words, and
//! [`write_cards`], long texts below one another; [`texts`] is for who lays out by himself.

mod error;
mod sheet;

mod feed;
mod value;

mod cell;
mod escape;
mod time;

mod screen;

mod delimited;
mod ipc;
mod json;
mod parquet;
mod xml;

mod fit;
mod grid;
mod html;
mod markdown;
mod table;

pub mod chart;

mod cards;
mod lines;

mod format;

pub mod page;
pub mod words;

use std::io::Write;

use arrow::record_batch::RecordBatch;

pub use error::{BoxError, Error};
pub use format::{Format, UnknownFormat};
pub use lines::LineFormat;
pub use sheet::{Column, Sheet, Style, WrittenSheet};

use feed::Feed;
use screen::Screen;

/// Writes all rows of `batches` to `out` as `format`, and flushes it.
///
/// # Errors
/// [`Error::Write`] if `out` fails (see [`Error::is_broken_pipe`]), [`Error::Rows`] if `batches`
/// fails, and others if a batch does not fit `sheet`. What was written before an error stays.
pub fn write(
    format: Format,
    style: &Style,
    sheet: &Sheet,
    batches: &mut dyn Iterator<Item = Result<RecordBatch, BoxError>>,
    out: &mut (dyn Write + Send),
) -> Result<WrittenSheet, Error> {
    match screen::spelling(format).filter(|_| style.terminal) {
        Some(spelling) => to(format, style, sheet, batches, &mut Screen::new(spelling, out)),
        None => to(format, style, sheet, batches, out),
    }
}

fn to(
    format: Format,
    style: &Style,
    sheet: &Sheet,
    batches: &mut dyn Iterator<Item = Result<RecordBatch, BoxError>>,
    out: &mut (dyn Write + Send),
) -> Result<WrittenSheet, Error> {
    let mut feed = Feed::new(sheet, batches);
    let mut written = match format {
        Format::Table => table::write(style, &mut feed, out)?,
        Format::Markdown => markdown::write(style, &mut feed, out)?,
        Format::Html => html::write(style, &mut feed, out)?,
        Format::Xml => xml::write(&mut feed, out)?,
        Format::Csv => delimited::write(delimited::Dialect::Csv, style, &mut feed, out)?,
        Format::Tsv => delimited::write(delimited::Dialect::Tsv, style, &mut feed, out)?,
        Format::Json => json::write(json::Framing::Array, &mut feed, out)?,
        Format::Jsonl => json::write(json::Framing::Lines, &mut feed, out)?,
        Format::Parquet => parquet::write(&mut feed, out)?,
        Format::Arrow => ipc::write(&mut feed, out)?,
    };
    written.rows = feed.rows();
    out.flush()?;
    Ok(written)
}

/// Writes each row as the line that `format` makes of it, and flushes `out`. What could move the
/// cursor is shown escaped, so that a row is a line.
///
/// # Errors
/// As [`write`].
pub fn write_lines(
    format: &LineFormat,
    style: &Style,
    sheet: &Sheet,
    batches: &mut dyn Iterator<Item = Result<RecordBatch, BoxError>>,
    out: &mut (dyn Write + Send),
) -> Result<WrittenSheet, Error> {
    let mut feed = Feed::new(sheet, batches);
    lines::write(format, style, &mut feed, out)?;
    out.flush()?;
    Ok(WrittenSheet { rows: feed.rows(), ..WrittenSheet::default() })
}

/// Writes each row as a card, a line or more for each column that has a value, and flushes `out`.
///
/// # Errors
/// As [`write`].
pub fn write_cards(
    style: &Style,
    sheet: &Sheet,
    batches: &mut dyn Iterator<Item = Result<RecordBatch, BoxError>>,
    out: &mut (dyn Write + Send),
) -> Result<WrittenSheet, Error> {
    let mut feed = Feed::new(sheet, batches);
    cards::write(style, &mut feed, out)?;
    out.flush()?;
    Ok(WrittenSheet { rows: feed.rows(), ..WrittenSheet::default() })
}

/// The texts of all rows as a table shows them, harmless for a terminal, and not cut. A rate of
/// few has its mark.
///
/// # Errors
/// As [`write`], but for the writer.
pub fn texts(
    style: &Style,
    sheet: &Sheet,
    batches: &mut dyn Iterator<Item = Result<RecordBatch, BoxError>>,
) -> Result<Vec<Vec<String>>, Error> {
    let mut feed = Feed::new(sheet, batches);
    let texts = |row: Vec<grid::Cell>| row.into_iter().map(|cell| cell.text).collect();
    grid::CellRows::new(style, &mut feed).map(|row| row.map(texts)).collect()
}
