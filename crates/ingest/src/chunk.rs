//! Cuts content into chunks at record ends. Knows quotes and headers, not fields.
//!
//! A record ends at a line end outside quotes (RFC 4180). A quote opens only at the beginning of
//! a field and closes only before a comma or a line end. Where a line breaks that rule, or its
//! quote is never closed, the record ends at its first line end: damage costs one line, not the
//! rest of the file. [`crate::split`] follows the same rule, so cutting changes nothing.

use std::io::{self, Read};
use std::sync::Arc;

use memchr::{memchr, memchr_iter, memrchr};
use xxhash_rust::xxh3::Xxh3;

use crate::plan::{Plan, PlanError};
use crate::reject::{MAX_RAW, Reject, Why};
use crate::split::{Line, Splitter};

/// Bytes that a chunk aims at: large enough to spread costs, small enough for a cache and for
/// the memory of many threads.
const TARGET: usize = 1 << 20;

/// The longest record that is read; a longer line is refused without being kept in memory.
pub(crate) const MAX_RECORD: usize = 16 << 20;

/// Some whole records of one source, all under one header.
pub(crate) struct Chunk {
    /// Where it begins in the decompressed content.
    pub(crate) offset: u64,
    /// Lines before it, so that the first line of the content is line 1.
    pub(crate) lines_before: u64,
    pub(crate) bytes: Vec<u8>,
    /// Which field is what.
    pub(crate) plan: Arc<Plan>,
    /// Whether the content ended without a line end: the last line may be torn.
    pub(crate) torn: bool,
}

impl Chunk {
    /// The part of the chunk from `start` on, which is where a record begins; none when all of
    /// it lies before.
    pub(crate) fn after(mut self, start: u64) -> Option<Chunk> {
        let skip = usize::try_from(start.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        if skip >= self.bytes.len() {
            return None;
        }
        if skip > 0 {
            self.lines_before += memchr_iter(b'\n', &self.bytes[..skip]).count() as u64;
            self.offset += skip as u64;
            self.bytes.drain(..skip);
        }
        Some(self)
    }

    /// A line of the chunk as a reject. `counted` is where lines were counted up to, and the number
    /// of the line there.
    pub(crate) fn reject(
        &self,
        line: &Line<'_, '_>,
        why: Why,
        counted: &mut (usize, u64),
    ) -> Reject {
        counted.1 += memchr_iter(b'\n', &self.bytes[counted.0..line.start]).count() as u64;
        counted.0 = line.start;
        let raw = line.raw();
        Reject {
            line: counted.1,
            offset: self.offset + line.start as u64,
            size: raw.len() as u64,
            why,
            raw: raw[..raw.len().min(MAX_RAW)].to_vec(),
        }
    }
}

/// What comes next from a source.
pub(crate) enum Next {
    Chunk(Chunk),
    /// A line longer than [`MAX_RECORD`]: where it began, its length, its beginning.
    TooLong {
        offset: u64,
        line: u64,
        size: u64,
        start: Vec<u8>,
    },
    End,
}

/// Why a source cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    #[error(transparent)]
    Header(#[from] PlanError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The content of a source as chunks.
pub(crate) struct Chunks {
    reader: Box<dyn Read + Send>,
    /// Content read and not yet given out; begins at the beginning of a record.
    carry: Vec<u8>,
    ended: bool,
    /// Where `carry` begins.
    offset: u64,
    lines: u64,
    plan: Option<Arc<Plan>>,
    /// A last line without a line end is left for later instead of being given out.
    hold_torn: bool,
    /// Of all bytes given out.
    hash: Xxh3,
    /// A read failed after what is in `carry`: give that out first, then say so.
    failed: Option<io::Error>,
    target: usize,
    /// Memory to read into.
    spare: Vec<u8>,
}

impl Chunks {
    pub(crate) fn new(reader: Box<dyn Read + Send>, hold_torn: bool) -> Chunks {
        Chunks {
            reader,
            carry: Vec::new(),
            ended: false,
            offset: 0,
            lines: 0,
            plan: None,
            hold_torn,
            hash: Xxh3::new(),
            failed: None,
            target: TARGET,
            spare: Vec::new(),
        }
    }

    /// Gives out small chunks: enough to look at the beginning of a source.
    pub(crate) fn small(self) -> Chunks {
        self.with_target(16 * 1024)
    }

    fn with_target(mut self, target: usize) -> Chunks {
        self.target = target;
        self
    }

    /// Takes memory that is not needed elsewhere any more, to read the next chunk into.
    pub(crate) fn lend(&mut self, memory: Vec<u8>) {
        self.spare = memory;
    }

    /// Bytes given out so far: the length of the source as far as it counts.
    pub(crate) fn consumed(&self) -> u64 {
        self.offset
    }

    /// Bytes held back: a last line that may still grow.
    pub(crate) fn held_back(&self) -> u64 {
        if self.ended { self.carry.len() as u64 } else { 0 }
    }

    /// Hash of the bytes given out so far.
    pub(crate) fn hash(&self) -> u128 {
        self.hash.digest128()
    }

    /// The next chunk. After an error nothing more comes.
    pub(crate) fn next(&mut self) -> Result<Next, Stop> {
        loop {
            self.fill(self.target);
            if self.offset == 0 && self.carry.starts_with(b"\xef\xbb\xbf") {
                self.give_out(3);
            }
            // In a file that may grow, a quote without its end is not damage yet.
            let whole = self.ended && !self.hold_torn;
            let forced = whole || self.carry.len() >= MAX_RECORD;
            let end = last_record_end(&self.carry, forced);
            if end > 0 {
                return self.cut(end, false);
            }
            if !self.ended && self.carry.len() < MAX_RECORD {
                let larger = (self.carry.len() * 2).clamp(self.target, MAX_RECORD);
                self.fill(larger);
                continue;
            }
            if !self.ended {
                return Ok(self.skip_line());
            }
            if let Some(error) = self.failed.take() {
                return Err(error.into());
            }
            if self.carry.is_empty() || self.hold_torn {
                return Ok(Next::End);
            }
            return self.cut(self.carry.len(), true);
        }
    }

    /// Gives out the records before `end`: up to a new header, from the present one.
    fn cut(&mut self, end: usize, torn: bool) -> Result<Next, Stop> {
        if let Some(header) = header_line(&self.carry[..end]) {
            let plan = Plan::of_header(&self.carry[..header])?;
            self.plan = Some(Arc::new(plan));
            self.give_out(header);
            if header == end {
                return self.next();
            }
            return self.cut(end - header, torn);
        }
        let Some(plan) = self.plan.clone() else {
            let line = shorten(first_line(&self.carry[..end]));
            return Err(PlanError::NoHeader { line }.into());
        };
        let end_here = next_header(&self.carry[..end]).unwrap_or(end);
        let (offset, lines_before) = (self.offset, self.lines);
        let bytes = self.give_out(end_here);
        Ok(Next::Chunk(Chunk { offset, lines_before, bytes, plan, torn: torn && end_here == end }))
    }

    /// Takes the first `n` bytes off, counting and hashing them.
    fn give_out(&mut self, n: usize) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.spare);
        rest.clear();
        rest.extend_from_slice(&self.carry[n..]);
        self.carry.truncate(n);
        let bytes = std::mem::replace(&mut self.carry, rest);
        self.hash.update(&bytes);
        self.offset += n as u64;
        self.lines += memchr_iter(b'\n', &bytes).count() as u64;
        bytes
    }

    /// Passes over a line that does not fit into memory.
    fn skip_line(&mut self) -> Next {
        let (offset, line) = (self.offset, self.lines + 1);
        let mut start = self.carry.clone();
        start.truncate(MAX_RAW);
        loop {
            if let Some(n) = memchr(b'\n', &self.carry) {
                self.give_out(n + 1);
                break;
            }
            self.give_out(self.carry.len());
            if self.ended {
                break;
            }
            self.fill(self.target);
        }
        Next::TooLong { offset, line, size: self.offset - offset, start }
    }

    /// Reads until `carry` holds `wanted` bytes or the content ends. What a failing read left is
    /// given out first.
    fn fill(&mut self, wanted: usize) {
        if self.ended || self.carry.len() >= wanted {
            return;
        }
        self.carry.reserve(wanted - self.carry.len());
        while self.carry.len() < wanted && !self.ended {
            let room = (wanted - self.carry.len()) as u64;
            match self.reader.as_mut().take(room).read_to_end(&mut self.carry) {
                Ok(n) => self.ended = (n as u64) < room,
                Err(error) => {
                    self.ended = true;
                    self.failed = Some(error);
                }
            }
        }
    }
}

/// The end of the last whole record in `bytes`, which begin at the beginning of a record; 0 when
/// there is none. `forced` says that no more bytes come: an unclosed quote is damage then.
fn last_record_end(bytes: &[u8], forced: bool) -> usize {
    // The stretches outside quotes, from the beginning of a record on.
    let mut outside: Vec<(usize, usize)> = Vec::new();
    let mut pos = 0;
    let record_end = |outside: &[(usize, usize)]| {
        let found =
            |&(from, to): &(usize, usize)| Some(from + memrchr(b'\n', &bytes[from..to])? + 1);
        outside.iter().rev().find_map(found).unwrap_or(0)
    };
    loop {
        let Some(quote) = memchr(b'"', &bytes[pos..]).map(|n| pos + n) else {
            outside.push((pos, bytes.len()));
            return record_end(&outside);
        };
        let opens = quote == 0 || matches!(bytes[quote - 1], b',' | b'\n');
        if !opens {
            // Part of the text that it stands in.
            outside.push((pos, quote));
            pos = quote + 1;
            continue;
        }
        outside.push((pos, quote));
        pos = match closing_quote(bytes, quote + 1) {
            Quote::ClosedBefore { after, .. } => after,
            Quote::EndsBytes { .. } | Quote::Unclosed if !forced => return record_end(&outside),
            Quote::EndsBytes { after, .. } => after,
            Quote::Unclosed | Quote::Broken => {
                let start = record_end(&outside);
                let Some(n) = memchr(b'\n', &bytes[start..]) else { return start };
                outside.clear();
                outside.push((start + n, start + n + 1));
                start + n + 1
            }
        };
    }
}

/// How a quoted field goes on.
pub(crate) enum Quote {
    /// It ends; the next byte, at this position, is a comma or a line end. It may hold doubled quotes.
    ClosedBefore { after: usize, doubled: bool },
    /// Its closing quote is followed by something else.
    Broken,
    /// Its closing quote is the last of the bytes, at this position less one.
    EndsBytes { after: usize, doubled: bool },
    /// The bytes end before it does.
    Unclosed,
}

/// Finds the end of a quoted field whose text begins at `start`.
pub(crate) fn closing_quote(bytes: &[u8], start: usize) -> Quote {
    let mut pos = start;
    loop {
        let Some(n) = memchr(b'"', &bytes[pos..]) else { return Quote::Unclosed };
        let (after, doubled) = (pos + n + 1, pos > start);
        match bytes.get(after) {
            Some(b'"') => pos = after + 1,
            Some(b',' | b'\n') => return Quote::ClosedBefore { after, doubled },
            Some(b'\r') => {
                return match bytes.get(after + 1) {
                    Some(b'\n') => Quote::ClosedBefore { after, doubled },
                    Some(_) => Quote::Broken,
                    None => Quote::EndsBytes { after, doubled },
                };
            }
            Some(_) => return Quote::Broken,
            None => return Quote::EndsBytes { after, doubled },
        }
    }
}

/// The length of the header line that `bytes` begin with, if they do: its first field is `type`.
fn header_line(bytes: &[u8]) -> Option<usize> {
    let starts: [&[u8]; 4] = [b"type,", b"#type,", b"\"type\",", b"\"#type\","];
    starts.iter().any(|start| bytes.starts_with(start)).then(|| first_line(bytes).len())
}

fn first_line(bytes: &[u8]) -> &[u8] {
    &bytes[..memchr(b'\n', bytes).map_or(bytes.len(), |n| n + 1)]
}

/// Where the next header line inside the whole records `bytes` begins.
fn next_header(bytes: &[u8]) -> Option<usize> {
    let mut starts = memchr_iter(b'\n', bytes).map(|n| n + 1);
    // A line inside quotes may look like a header; one at a record's beginning is one.
    starts.find(|&start| header_line(&bytes[start..]).is_some() && starts_record(bytes, start))
}

fn starts_record(bytes: &[u8], at: usize) -> bool {
    let mut splitter = Splitter::new(bytes);
    while let Some(line) = splitter.next_line() {
        if line.start >= at {
            return line.start == at;
        }
    }
    false
}

/// Text for a message: the beginning of a line, lossy.
pub(crate) fn shorten(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(80)]);
    text.trim_end().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "type,timeLogged,rcpt\n";

    /// All lines of a content that is cut at about every `target` bytes: where each lies, and its
    /// fields or that it is broken.
    fn lines(content: &[u8], target: usize) -> Vec<(u64, Vec<Vec<u8>>)> {
        let reader = Box::new(std::io::Cursor::new(content.to_vec()));
        let mut chunks = Chunks::new(reader, false).with_target(target);
        let (mut lines, mut end) = (Vec::new(), 0);
        while let Ok(next) = chunks.next() {
            let Next::Chunk(chunk) = next else { break };
            assert!(chunk.offset >= end, "chunks overlap");
            end = chunk.offset + chunk.bytes.len() as u64;
            let mut splitter = Splitter::new(&chunk.bytes);
            while let Some(line) = splitter.next_line() {
                let fields = (0..line.len()).map(|i| line.field(i).value().into_owned()).collect();
                lines.push((chunk.offset + line.start as u64, fields));
            }
        }
        lines
    }

    #[test]
    fn a_quoted_newline_does_not_end_a_record() {
        let content = format!("{HEADER}d,\"a\nd,b\",c\nd,e,f\n");
        for target in 1..content.len() {
            assert_eq!(lines(content.as_bytes(), target).len(), 2, "cut at {target}");
        }
    }

    #[test]
    fn a_header_inside_quotes_is_no_header() {
        let content = format!("{HEADER}d,\"x\ntype,timeLogged\ny\",c\ntype,timeLogged\nd,z\n");
        let found = lines(content.as_bytes(), 4096);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].1[1], b"x\ntype,timeLogged\ny");
        assert_eq!(found[1].1, [b"d", b"z"]);
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_lines(
            body in r#"([ab,"\n]|\r\n|type,timeLogged\n|d,"x"\n){0,60}"#,
            target in 1_usize..80,
        ) {
            let content = HEADER.to_owned() + &body;
            prop_assert_eq!(lines(content.as_bytes(), target), lines(content.as_bytes(), 1 << 20));
        }

        #[test]
        fn what_a_csv_writer_wrote_is_read_back(
            rows in prop::collection::vec(prop::collection::vec("[a-c,\"\r\n ]{0,6}", 2..5), 0..12),
            target in 1_usize..60,
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(HEADER.as_bytes().to_vec());
            for row in &rows {
                writer.write_record(std::iter::once("d").chain(row.iter().map(String::as_str)))?;
            }
            let content = writer.into_inner().expect("memory is writable");
            let read: Vec<Vec<String>> = lines(&content, target)
                .into_iter()
                .map(|(_, fields)| fields[1..].iter().map(|f| String::from_utf8_lossy(f).into_owned()).collect())
                .collect();
            prop_assert_eq!(read, rows);
        }
    }
}
