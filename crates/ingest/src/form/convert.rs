//! A content that is converted record by record while it is read. Knows no form.

use std::io::{self, Read};

use memchr::memchr;

use crate::line::MAX_RECORD;

/// Makes CSV of records.
pub(super) trait Convert: Send {
    /// Converts what `bytes` begin with, and says how long that was; none when its end is not among
    /// them. `ended` says that no more comes.
    fn next(&mut self, bytes: &[u8], ended: bool, out: &mut Vec<u8>) -> Option<usize>;
}

/// Enough to spread costs, small enough for a cache.
const STEP: usize = 256 * 1024;

/// A content, converted.
pub(super) struct Converted<C> {
    content: Box<dyn Read + Send>,
    convert: C,
    /// What is read and not converted yet, from `from` on.
    carry: Vec<u8>,
    from: usize,
    ended: bool,
    failed: Option<io::Error>,
    /// Within a line that is too long to be a record: it is handed on as it is.
    is_long: bool,
    /// What is converted and not given out yet, from `given` on.
    out: Vec<u8>,
    given: usize,
    /// Bytes that are read and converted at once, at least.
    step: usize,
}

impl<C: Convert> Converted<C> {
    pub(super) fn new(content: Box<dyn Read + Send>, convert: C) -> Converted<C> {
        let (carry, out) = (Vec::new(), Vec::new());
        Converted {
            content,
            convert,
            carry,
            from: 0,
            ended: false,
            failed: None,
            is_long: false,
            out,
            given: 0,
            step: STEP,
        }
    }

    /// Converts what is there; false when that is nothing.
    fn convert(&mut self) -> bool {
        self.out.clear();
        self.given = 0;
        while self.out.len() < self.step {
            let rest = &self.carry[self.from..];
            if rest.len() >= MAX_RECORD && !self.ended {
                self.is_long = true;
            }
            if self.is_long && !rest.is_empty() {
                let end = memchr(b'\n', rest).map(|n| n + 1);
                self.is_long = end.is_none();
                let line = &rest[..end.unwrap_or(rest.len())];
                self.out.extend_from_slice(line);
                self.from += line.len();
                continue;
            }
            match self.convert.next(rest, self.ended, &mut self.out) {
                Some(length) if !rest.is_empty() => self.from += length,
                _ => break,
            }
        }
        !self.out.is_empty()
    }

    fn fill(&mut self) {
        self.carry.drain(..self.from);
        self.from = 0;
        let room = self.carry.len().max(self.step) as u64;
        match self.content.as_mut().take(room).read_to_end(&mut self.carry) {
            Ok(n) => self.ended = (n as u64) < room,
            Err(error) => (self.ended, self.failed) = (true, Some(error)),
        }
    }
}

impl<C: Convert> Read for Converted<C> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let rest = &self.out[self.given..];
            if !rest.is_empty() {
                let n = rest.len().min(buffer.len());
                buffer[..n].copy_from_slice(&rest[..n]);
                self.given += n;
                return Ok(n);
            }
            if self.convert() {
                continue;
            }
            if self.ended {
                return self.failed.take().map_or(Ok(0), Err);
            }
            self.fill();
        }
    }
}

/// Adds a field to a line of CSV.
pub(super) fn add_field(value: &[u8], out: &mut Vec<u8>) {
    if value.iter().any(|byte| matches!(byte, b'"' | b',' | b'\n' | b'\r')) {
        out.push(b'"');
        for &byte in value {
            if byte == b'"' {
                out.push(b'"');
            }
            out.push(byte);
        }
        out.push(b'"');
    } else {
        out.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::json::JsonLines;
    use super::super::separated::Separated;
    use super::super::utf16::{Endian, Utf16};
    use super::*;
    use crate::split::Splitter;

    /// What becomes of a content that is read so many bytes at once.
    fn converted(content: &[u8], convert: impl Convert, step: usize) -> Vec<u8> {
        let content = Box::new(std::io::Cursor::new(content.to_vec()));
        let mut converted = Converted { step, ..Converted::new(content, convert) };
        let mut all = Vec::new();
        converted.read_to_end(&mut all).expect("memory does not fail");
        all
    }

    fn all_forms(content: &[u8], step: usize) -> [Vec<u8>; 4] {
        [
            converted(content, Separated::new(b'\t', 0), step),
            converted(content, Separated::new(b',', 1), step),
            converted(content, JsonLines::default(), step),
            converted(content, Utf16::new(Endian::Little), step),
        ]
    }

    proptest! {
        #[test]
        fn where_a_content_is_cut_changes_nothing(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60),
            step in 1_usize..40,
        ) {
            let content = pieces.concat();
            prop_assert_eq!(all_forms(&content, step), all_forms(&content, STEP));
        }

        #[test]
        fn fields_that_csv_must_quote_come_back_as_they_were(
            fields in prop::collection::vec("[a ,\"\n\r]{0,6}", 1..5),
        ) {
            let mut line = b"x".to_vec();
            for field in &fields {
                line.push(b',');
                add_field(field.as_bytes(), &mut line);
            }
            line.push(b'\n');
            let mut splitter = Splitter::new(&line);
            let read = splitter.next_line().expect("a line");
            let values: Vec<_> =
                (1..read.len()).map(|i| read.field(i).value().into_owned()).collect();
            let expected: Vec<_> = fields.iter().map(|field| field.as_bytes().to_vec()).collect();
            prop_assert_eq!(values, expected);
        }
    }

    const PIECES: &[&[u8]] = &[
        b"type",
        b"d",
        b"\t",
        b",",
        b"\n",
        b"\r\n",
        b"\r",
        b"\"",
        b"\"\"",
        b" ",
        b"# remark\n",
        b"\0",
        b"\xef\xbb\xbf",
        b"\xff",
        b"{\"type\":\"d\",\"a\":1}\n",
        b"{\"b\":[1,\"x\"],\"TYPE\":\"b\"}\n",
        b"{\"a\"",
        b"\x3d\xd8",
        b"\x00\xde",
    ];
}
