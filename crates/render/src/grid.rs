//! The rows of an answer as texts for people, one after the other: what table, Markdown, HTML and
//! the page lay out. Never cuts, never draws and never keeps a row.

use std::ops::Range;

use chrono_tz::Tz;

use crate::feed::Feed;
use crate::value::{Cells, Value};
use crate::{Column, Error, Sheet, Style, cell, escape};

/// A rate whose denominator is below this is marked: its percentage is mostly chance.
const FEW: f64 = 20.0;

/// What is the same in all rows of a column.
pub(crate) struct Lane {
    pub(crate) name: String,
    /// Whether the column is aligned at its right edge.
    pub(crate) right: bool,
}

/// A value as people read it.
pub(crate) struct Cell {
    pub(crate) text: String,
    /// The number or the moment that it is sorted by, where it is one.
    pub(crate) key: Option<f64>,
    /// Whether it still says something with its middle cut out; a number does not.
    pub(crate) cuttable: bool,
}

/// Returns the columns of a sheet.
pub(crate) fn lanes(sheet: &Sheet) -> Vec<Lane> {
    let lane = |column: &Column| Lane {
        name: escape::visible(&column.name),
        right: column.unit.is_number(),
    };
    sheet.columns.iter().map(lane).collect()
}

/// The rows as they come.
pub(crate) struct CellRows<'r, 'f> {
    style: &'r Style,
    feed: &'r mut Feed<'f>,
    /// The columns of the batch at hand.
    batch: Vec<Cells>,
    /// The rows of it that are still to be shown.
    left: Range<usize>,
}

impl<'r, 'f> CellRows<'r, 'f> {
    pub(crate) fn new(style: &'r Style, feed: &'r mut Feed<'f>) -> Self {
        CellRows { style, feed, batch: Vec::new(), left: 0..0 }
    }
}

impl Iterator for CellRows<'_, '_> {
    /// A cell for each column of the sheet.
    type Item = Result<Vec<Cell>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.left.next() {
                let columns = self.feed.sheet.columns.iter().zip(&self.batch);
                let zone = self.style.zone;
                return Some(Ok(columns
                    .map(|(c, of)| cell(c, of, &self.batch, row, zone))
                    .collect()));
            }
            (self.left, self.batch) = match self.feed.next_cells().transpose()? {
                Ok((n_rows, batch)) => (0..n_rows, batch),
                Err(error) => return Some(Err(error)),
            };
        }
    }
}

fn cell(column: &Column, source: &Cells, batch: &[Cells], row: usize, zone: Tz) -> Cell {
    let value = source.at(row);
    let text = cell::display(&value, column.unit, zone);
    let text =
        if is_weak(column, batch, row) && !text.is_empty() { format!("~{text}") } else { text };
    Cell { text, key: cell::key(&value), cuttable: is_cuttable(&value) }
}

/// Tells whether the column is a rate with a small denominator in this row.
fn is_weak(column: &Column, cells: &[Cells], row: usize) -> bool {
    let denominator = column.of.and_then(|of| cells.get(of)).map(|cells| cells.at(row));
    denominator.as_ref().and_then(cell::as_f64).is_some_and(|n| n < FEW)
}

fn is_cuttable(value: &Value<'_>) -> bool {
    matches!(
        value,
        Value::Text(_) | Value::Bytes(_) | Value::List(..) | Value::Struct(..) | Value::Map(..)
    )
}
