//! CSV (RFC 4180 with LF line ends) and TSV, streamed batch by batch.
//! Knows the quoting of a cell, not how its text comes about.

use std::io::Write;

use crate::feed::Feed;
use crate::value::Value;
use crate::{Error, Style, WrittenSheet, cell};

/// Bytes collected before the output is called.
pub(crate) const BUFFER_BYTES: usize = 1 << 16;

/// What a formula begins with; some spreadsheets take the wide signs for the narrow ones, and drop
/// what stands before.
const FORMULA: &[char] =
    &['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// A cell with a comma, a quote, CR or LF is quoted; an empty text is `""`, null is nothing.
    Csv,
    /// Tab, LF, CR and backslash are `\t`, `\n`, `\r`, `\\`; null and the empty text are nothing.
    Tsv,
}

/// Writes a header and one line a row.
pub(crate) fn write(
    dialect: Dialect,
    style: &Style,
    feed: &mut Feed<'_>,
    out: &mut dyn Write,
) -> Result<WrittenSheet, Error> {
    let mut line = Lines { dialect, safe: style.csv_safe, buffer: Vec::new(), text: Vec::new() };
    let n_columns = feed.sheet.columns.len();
    for (n, column) in feed.sheet.columns.iter().enumerate() {
        line.cell(n, n_columns, &Value::Text(&column.name));
    }
    line.buffer.push(b'\n');
    while let Some((n_rows, columns)) = feed.next_cells()? {
        for row in 0..n_rows {
            for (n, cells) in columns.iter().enumerate() {
                line.cell(n, n_columns, &cells.at(row));
            }
            line.buffer.push(b'\n');
            if line.buffer.len() >= BUFFER_BYTES {
                out.write_all(&line.buffer)?;
                line.buffer.clear();
            }
        }
    }
    out.write_all(&line.buffer)?;
    Ok(WrittenSheet::default())
}

struct Lines {
    dialect: Dialect,
    safe: bool,
    buffer: Vec<u8>,
    /// The plain text of a nested value, which must be quoted as a whole.
    text: Vec<u8>,
}

impl Lines {
    /// Appends the `n`th cell of a line of `n_columns`.
    fn cell(&mut self, n: usize, n_columns: usize, value: &Value<'_>) {
        if n > 0 {
            self.buffer.push(if self.dialect == Dialect::Csv { b',' } else { b'\t' });
        }
        match value {
            // A line with nothing on it is no record to most readers.
            Value::Null if n_columns == 1 && self.dialect == Dialect::Csv => {
                self.buffer.extend_from_slice(b"\"\"");
            }
            Value::Text(text) => {
                let formula = self.safe && text.starts_with(FORMULA);
                quoted(self.dialect, formula, text.as_bytes(), &mut self.buffer);
            }
            Value::List(..) | Value::Struct(..) | Value::Map(..) => {
                self.text.clear();
                cell::plain(value, &mut self.text);
                quoted(self.dialect, false, &self.text, &mut self.buffer);
            }
            // Numbers, times and hex hold nothing that either dialect would quote.
            _ => cell::plain(value, &mut self.buffer),
        }
    }
}

/// Appends `text` as one cell, after an apostrophe if it must be made harmless.
fn quoted(dialect: Dialect, apostrophe: bool, text: &[u8], out: &mut Vec<u8>) {
    match dialect {
        Dialect::Csv => {
            // A file that begins with a byte order mark loses it: keep it behind a quote.
            let bare = !text.is_empty()
                && !text.starts_with("\u{feff}".as_bytes())
                && !text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'));
            if !bare {
                out.push(b'"');
            }
            if apostrophe {
                out.push(b'\'');
            }
            if bare {
                out.extend_from_slice(text);
                return;
            }
            for (n, piece) in text.split(|&byte| byte == b'"').enumerate() {
                if n > 0 {
                    out.extend_from_slice(b"\"\"");
                }
                out.extend_from_slice(piece);
            }
            out.push(b'"');
        }
        Dialect::Tsv => {
            if apostrophe {
                out.push(b'\'');
            }
            for &byte in text {
                match byte {
                    b'\t' => out.extend_from_slice(b"\\t"),
                    b'\n' => out.extend_from_slice(b"\\n"),
                    b'\r' => out.extend_from_slice(b"\\r"),
                    b'\\' => out.extend_from_slice(b"\\\\"),
                    _ => out.push(byte),
                }
            }
        }
    }
}
