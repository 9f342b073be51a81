//! Splits the bytes of a chunk into lines and fields. Knows RFC 4180, nothing of PMTA.
//!
//! No allocation per line or field: spans are reused, and quotes are unescaped by whoever reads
//! a field that has them.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use crate::chunk::{Quote, closing_quote};

/// Walks over the lines of some bytes that begin at the beginning of a record.
pub struct Splitter<'a> {
    bytes: &'a [u8],
    /// All of the bytes as text, when they are UTF-8 throughout: checked once, not per field.
    text: Option<&'a str>,
    pos: usize,
    spans: Vec<Span>,
}

/// Where a field lies, without its quotes.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    quoted: bool,
}

/// One record as it stands in the file.
pub struct Line<'s, 'a> {
    bytes: &'a [u8],
    text: Option<&'a str>,
    spans: &'s [Span],
    /// Where it begins in the bytes.
    pub start: usize,
    /// Where the next one begins.
    pub end: usize,
    /// A quote was opened and not closed as RFC 4180 asks; the line has no fields then.
    pub broken: bool,
}

/// One field.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    raw: &'a [u8],
    /// All of the bytes that the field is in, when they are UTF-8, and where it begins in them.
    text: Option<&'a str>,
    start: usize,
    quoted: bool,
}

impl<'a> Splitter<'a> {
    /// Begins at the first byte.
    pub fn new(bytes: &'a [u8]) -> Splitter<'a> {
        Splitter { bytes, text: std::str::from_utf8(bytes).ok(), pos: 0, spans: Vec::new() }
    }

    /// The next line that holds anything; lines without a byte are passed over.
    pub fn next_line(&mut self) -> Option<Line<'_, 'a>> {
        loop {
            match &self.bytes[self.pos..] {
                [] => return None,
                [b'\n', ..] => self.pos += 1,
                [b'\r', b'\n', ..] => self.pos += 2,
                _ => break,
            }
        }
        let start = self.pos;
        self.spans.clear();
        let broken = !self.split_fields();
        if broken {
            self.spans.clear();
            self.pos =
                memchr(b'\n', &self.bytes[start..]).map_or(self.bytes.len(), |n| start + n + 1);
        }
        let (bytes, text, spans) = (self.bytes, self.text, &self.spans[..]);
        Some(Line { bytes, text, spans, start, end: self.pos, broken })
    }

    /// Splits one record and moves behind it; false when a quote is broken.
    fn split_fields(&mut self) -> bool {
        let bytes = self.bytes;
        let mut pos = self.pos;
        loop {
            let (span, after) = match bytes.get(pos) {
                // Most fields of most records are empty.
                Some(b',') => (Span { start: pos, end: pos, quoted: false }, pos),
                Some(b'"') => match closing_quote(bytes, pos + 1) {
                    Quote::ClosedBefore(after) | Quote::EndsBytes(after) => {
                        (Span { start: pos + 1, end: after - 1, quoted: true }, after)
                    }
                    Quote::Broken | Quote::Unclosed => return false,
                },
                _ => {
                    let end = memchr2(b',', b'\n', &bytes[pos..]).map_or(bytes.len(), |n| pos + n);
                    (Span { start: pos, end, quoted: false }, end)
                }
            };
            self.spans.push(span);
            match &bytes[after..] {
                [b',', ..] => pos = after + 1,
                [b'\r', b'\n', ..] => {
                    self.pos = after + 2;
                    return true;
                }
                rest => {
                    self.pos = after + usize::from(!rest.is_empty());
                    self.trim_return();
                    return true;
                }
            }
        }
    }

    /// An unquoted last field ran up to the line feed and may hold the return before it.
    fn trim_return(&mut self) {
        if let Some(last) = self.spans.last_mut()
            && !last.quoted
            && self.bytes[last.start..last.end].ends_with(b"\r")
        {
            last.end -= 1;
        }
    }
}

impl<'a> Line<'_, 'a> {
    /// The number of fields.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is no field, as in a broken line.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The field at `index`; empty beyond the last, since PMTA may cut trailing empty fields.
    pub fn field(&self, index: usize) -> Field<'a> {
        match self.spans.get(index) {
            Some(&Span { start, end, quoted }) => {
                Field { raw: &self.bytes[start..end], start, text: self.text, quoted }
            }
            None => Field::EMPTY,
        }
    }

    /// The line as it stands in the file, with its line end.
    pub fn raw(&self) -> &'a [u8] {
        &self.bytes[self.start..self.end]
    }
}

impl<'a> Field<'a> {
    /// A field that the line does not have.
    pub const EMPTY: Field<'static> = Field { raw: &[], text: Some(""), start: 0, quoted: false };

    /// The value, with doubled quotes made single.
    pub fn value(self) -> Cow<'a, [u8]> {
        if !self.quoted || memchr(b'"', self.raw).is_none() {
            return Cow::Borrowed(self.raw);
        }
        let mut value = Vec::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some(n) = memchr(b'"', rest) {
            value.extend_from_slice(&rest[..=n]);
            rest = rest.get(n + 2..).unwrap_or_default();
        }
        value.extend_from_slice(rest);
        Cow::Owned(value)
    }

    /// The value as text. What is not UTF-8 becomes U+FFFD: better a marked character than a
    /// lost row.
    pub fn text(self) -> Cow<'a, str> {
        match (self.value(), self.text) {
            // A field ends at ASCII, so it never cuts a character.
            (Cow::Borrowed(value), Some(text)) => {
                Cow::Borrowed(&text[self.start..self.start + value.len()])
            }
            (Cow::Borrowed(value), None) => String::from_utf8_lossy(value),
            (Cow::Owned(value), _) => Cow::Owned(String::from_utf8_lossy(&value).into_owned()),
        }
    }

    /// Whether there is no text.
    pub fn is_empty(self) -> bool {
        self.raw.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<Vec<String>> {
        let mut splitter = Splitter::new(bytes);
        let mut lines = Vec::new();
        while let Some(line) = splitter.next_line() {
            lines.push(if line.broken {
                vec![format!("broken {}", String::from_utf8_lossy(line.raw()).trim_end())]
            } else {
                (0..line.len())
                    .map(|i| String::from_utf8_lossy(&line.field(i).value()).into_owned())
                    .collect()
            });
        }
        lines
    }

    #[test]
    fn quotes_hold_commas_quotes_and_line_breaks() {
        assert_eq!(
            lines(b"d,\"a,b\",\"say \"\"hi\"\"\",x\r\nb,\"two\r\nlines\",,\n"),
            [vec!["d", "a,b", "say \"hi\"", "x"], vec!["b", "two\r\nlines", "", ""]]
        );
    }

    #[test]
    fn line_ends_may_be_mixed_and_the_last_may_be_missing() {
        assert_eq!(
            lines(b"a,b\n\r\n\nc\r\n\"d\"\re,\"f\""),
            [vec!["a", "b"], vec!["c"], vec!["broken \"d\"\re,\"f\""]]
        );
        assert_eq!(lines(b"a,\"f\""), [["a", "f"]]);
        assert_eq!(lines(b"a,"), [["a", ""]]);
    }

    #[test]
    fn a_quote_inside_an_unquoted_field_is_text() {
        assert_eq!(lines(b"a\"b,c\"\nd,e\n"), [["a\"b", "c\""], ["d", "e"]]);
    }

    #[test]
    fn a_broken_quote_costs_one_line() {
        assert_eq!(
            lines(b"a,\"b\nc,d\ne,\"f\"g,\nh,\"i\"\n"),
            [vec!["broken a,\"b"], vec!["c", "d"], vec!["broken e,\"f\"g,"], vec!["h", "i"]]
        );
    }
}
