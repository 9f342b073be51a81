//! JSON: one object a row under the column names, in column order, streamed batch by batch.
//! Knows the frame around the values, not how a value is spelled.

use std::io::Write;

use crate::delimited::BUFFER_BYTES;
use crate::feed::Feed;
use crate::{Error, WrittenSheet, cell};

/// What stands around the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// One array, an object a line.
    Array,
    /// One object a line and nothing else.
    Lines,
}

/// Writes one object a row.
pub(crate) fn write(
    framing: Framing,
    feed: &mut Feed<'_>,
    out: &mut dyn Write,
) -> Result<WrittenSheet, Error> {
    let keys = keys(&feed.sheet.unique_names());
    let (open, between, close): (&[u8], &[u8], &[u8]) = match framing {
        Framing::Array => (b"[", b",\n", b"]\n"),
        Framing::Lines => (b"", b"\n", b""),
    };
    let mut buffer = open.to_vec();
    let mut first = true;
    while let Some((n_rows, columns)) = feed.next_cells()? {
        for row in 0..n_rows {
            match (first, framing) {
                (true, Framing::Array) => buffer.push(b'\n'),
                (true, Framing::Lines) => {}
                (false, _) => buffer.extend_from_slice(between),
            }
            first = false;
            buffer.push(b'{');
            for (key, cells) in keys.iter().zip(&columns) {
                buffer.extend_from_slice(key);
                cell::json(&cells.at(row), &mut buffer);
            }
            buffer.push(b'}');
            if buffer.len() >= BUFFER_BYTES {
                out.write_all(&buffer)?;
                buffer.clear();
            }
        }
    }
    if !first {
        buffer.push(b'\n');
    }
    buffer.extend_from_slice(close);
    out.write_all(&buffer)?;
    Ok(WrittenSheet::default())
}

/// Returns what stands before each value: the comma if one is due, the name and the colon.
fn keys(names: &[String]) -> Vec<Vec<u8>> {
    let key = |(n, name): (usize, &String)| {
        let mut key = if n == 0 { Vec::new() } else { vec![b','] };
        cell::json_string(name, &mut key);
        key.push(b':');
        key
    };
    names.iter().enumerate().map(key).collect()
}
