//! A writer before a terminal, for formats that show untrusted text as it is: what would steer the
//! terminal is spelt out, each character as the format spells it. Knows no columns and no rows.

use std::io::{self, Write};

use pmtaq_schema::untrusted::{is_hidden, visible};

use crate::Format;

/// How a hidden character is spelt; none for one that is part of the format.
type Spelling = fn(char) -> Option<String>;

/// The spelling of a format; none for those that show what is hidden by themselves.
pub(crate) fn spelling(format: Format) -> Option<Spelling> {
    match format {
        Format::Csv => Some(|c| (c != '\n').then(|| visible(c.encode_utf8(&mut [0; 4])))),
        Format::Tsv => {
            Some(|c| (c != '\n' && c != '\t').then(|| visible(c.encode_utf8(&mut [0; 4]))))
        }
        Format::Json | Format::Jsonl => Some(|c| (c != '\n').then(|| json(c))),
        Format::Xml => Some(|c| (c != '\n').then(|| format!("&#{};", u32::from(c)))),
        Format::Table | Format::Markdown | Format::Html | Format::Parquet | Format::Arrow => None,
    }
}

fn json(c: char) -> String {
    let mut units = [0; 2];
    c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

/// The writer.
pub(crate) struct Screen<'w> {
    spelling: Spelling,
    out: &'w mut (dyn Write + Send),
    /// The beginning of a character whose end has not come yet.
    begun: Vec<u8>,
}

impl<'w> Screen<'w> {
    pub(crate) fn new(spelling: Spelling, out: &'w mut (dyn Write + Send)) -> Screen<'w> {
        Screen { spelling, out, begun: Vec::new() }
    }
}

impl Write for Screen<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        let end = match std::str::from_utf8(&self.begun) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let mut shown = String::with_capacity(end);
        for c in String::from_utf8_lossy(&self.begun[..end]).chars() {
            match is_hidden(c).then(|| (self.spelling)(c)).flatten() {
                Some(spelt) => shown.push_str(&spelt),
                None => shown.push(c),
            }
        }
        self.begun.drain(..end);
        self.out.write_all(shown.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
