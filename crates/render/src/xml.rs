//! XML 1.0, streamed batch by batch: an element a row, in it one for each value, which is named by
//! an attribute, since a column may have any name. Values are spelled as in CSV; null is left out.

use std::io::Write;

use crate::delimited::BUFFER_BYTES;
use crate::feed::Feed;
use crate::value::Value;
use crate::{Error, WrittenSheet, cell, escape};

/// Writes one element a row.
pub(crate) fn write(feed: &mut Feed<'_>, out: &mut dyn Write) -> Result<WrittenSheet, Error> {
    let names: Vec<String> = feed.sheet.unique_names();
    let names: Vec<String> = names.iter().map(|name| escape::xml(name)).collect();
    let mut buffer = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rows>\n".to_vec();
    let mut text = Vec::new();
    while let Some((n_rows, columns)) = feed.next_cells()? {
        for row in 0..n_rows {
            buffer.extend_from_slice(b"<row>");
            for (name, cells) in names.iter().zip(&columns) {
                let value = cells.at(row);
                if matches!(value, Value::Null) {
                    continue;
                }
                text.clear();
                cell::plain(&value, &mut text);
                let text = escape::xml(&String::from_utf8_lossy(&text));
                write!(buffer, "<field name=\"{name}\">{text}</field>")
                    .expect("a Vec takes every byte");
            }
            buffer.extend_from_slice(b"</row>\n");
            if buffer.len() >= BUFFER_BYTES {
                out.write_all(&buffer)?;
                buffer.clear();
            }
        }
    }
    buffer.extend_from_slice(b"</rows>\n");
    out.write_all(&buffer)?;
    Ok(WrittenSheet::default())
}
