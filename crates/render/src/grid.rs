//! All rows of an answer as text for people, collected: what table, Markdown and HTML lay out.
//! Never cuts and never draws.

use crate::feed::Feed;
use crate::value::{Cells, Value};
use crate::{Column, Error, Style, cell, escape};

/// A rate whose denominator is below this is marked: its percentage is mostly chance.
const FEW: f64 = 20.0;

/// The texts of a page.
pub(crate) struct Grid {
    pub(crate) lanes: Vec<Lane>,
    pub(crate) rows: Vec<Vec<String>>,
    /// For each cell the number or the moment that it is sorted by, where it is one.
    pub(crate) keys: Vec<Vec<Option<f64>>>,
}

/// What is the same in all rows of a column.
pub(crate) struct Lane {
    pub(crate) name: String,
    /// Whether the column is aligned at its right edge.
    pub(crate) right: bool,
    /// Whether a cell still says something with its middle cut out; a number does not.
    pub(crate) cuttable: bool,
}

impl Grid {
    /// Collects all rows.
    pub(crate) fn collect(style: &Style, feed: &mut Feed<'_>) -> Result<Self, Error> {
        let lane = |column: &Column| Lane {
            name: escape::visible(&column.name),
            right: column.unit.is_number(),
            cuttable: false,
        };
        let columns = &feed.sheet.columns;
        let mut lanes: Vec<Lane> = columns.iter().map(lane).collect();
        let (mut rows, mut keys) = (Vec::new(), Vec::new());
        while let Some((n_rows, cells)) = feed.next_cells()? {
            for row in 0..n_rows {
                let mut texts = Vec::with_capacity(lanes.len());
                keys.push(cells.iter().map(|cells| cell::key(&cells.at(row))).collect());
                for ((column, lane), source) in columns.iter().zip(&mut lanes).zip(&cells) {
                    let value = source.at(row);
                    lane.cuttable |= is_cuttable(&value);
                    let text = cell::shown(&value, column.unit, style.zone);
                    texts.push(match is_weak(column, &cells, row) && !text.is_empty() {
                        true => format!("~{text}"),
                        false => text,
                    });
                }
                rows.push(texts);
            }
        }
        Ok(Grid { lanes, rows, keys })
    }
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
