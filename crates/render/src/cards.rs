//! A row as a card: a line for each of its columns, with long texts wrapped beside their name.
//! For answers of a few rows that are read, not compared; cuts nothing.

use std::io::Write;

use unicode_width::UnicodeWidthStr;

use crate::feed::Feed;
use crate::value::Value;
use crate::{Error, Style, cell, fit};

/// How wide a card is where no width is known, and at most: longer lines are hard to read.
const WIDTH: usize = 100;

/// Writes the title if there is one, and the cards with an empty line between them. Columns
/// without a value are left out.
pub(crate) fn write(style: &Style, feed: &mut Feed<'_>, out: &mut dyn Write) -> Result<(), Error> {
    let columns = &feed.sheet.columns;
    let indent = columns.iter().map(|column| column.name.width()).max().unwrap_or(0) + 2;
    let width = style.width.map_or(WIDTH, usize::from).min(WIDTH);
    let room = width.saturating_sub(indent).max(20);
    let mut first = true;
    while let Some((n_rows, cells)) = feed.next_cells()? {
        for row in 0..n_rows {
            if !first {
                writeln!(out)?;
            }
            first = false;
            for (column, cells) in feed.sheet.columns.iter().zip(&cells) {
                let value = cells.at(row);
                if matches!(value, Value::Null) {
                    continue;
                }
                let text = cell::display(&value, column.unit, style.zone);
                for (n, line) in fit::wrapped(&text, room).into_iter().enumerate() {
                    let name = if n == 0 { column.name.as_str() } else { "" };
                    let (on, off) = if style.color { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
                    let gap = " ".repeat(indent - name.width());
                    writeln!(out, "{on}{name}{off}{gap}{line}")?;
                }
            }
        }
    }
    Ok(())
}
