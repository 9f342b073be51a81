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

/// Bytes that are read and converted at once, at least.
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
        }
    }

    /// Converts what is there; false when that is nothing.
    fn convert(&mut self) -> bool {
        self.out.clear();
        self.given = 0;
        while self.out.len() < STEP {
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
        let room = self.carry.len().max(STEP) as u64;
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
