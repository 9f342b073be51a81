//! Cuts content into chunks at record ends. Knows quotes and headers, not fields.
//!
//! A record ends at a line end outside quotes (RFC 4180). A quote opens only at the beginning of
//! a field and closes only before a comma or a line end. Where a line breaks that rule, or its
//! quote is never closed, the record ends at its first line end: damage costs one line, not the
//! rest of the file. [`crate::split`] follows the same rule, so cutting changes nothing.

use std::io::{self, Read};
use std::sync::Arc;

use memchr::{memchr, memchr_iter};
use twox_hash::XxHash3_128;

use crate::Settings;
use crate::block::{BLOCK, is, look_at, places};
use crate::cpu;
use crate::line::{
    MAX_RECORD, first_line, has_spaces, header_line, is_remark, may_become_header, preamble,
};
use crate::plan::{Plan, PlanError};
use crate::quote::{Quote, closing_quote};
use crate::reject::{MAX_RAW, Refusal, Reject, shorten};
use crate::split::Line;

/// Bytes that a chunk aims at: large enough to spread costs, small enough for a cache and for
/// the memory of many threads.
const TARGET: usize = 1 << 20;

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
    /// Of what came of the source, the first is number 0.
    pub(crate) number: u64,
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
        why: Refusal,
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
        number: u64,
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

/// What is known of a content's fields beside what it says itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assumed {
    /// The header of records that have none.
    pub(crate) plan: Option<Arc<Plan>>,
    /// The field that is the time where there is no timeLogged.
    pub(crate) time_field: Option<Arc<str>>,
}

impl Assumed {
    /// What the user says of all contents.
    pub(crate) fn of(settings: &Settings) -> Assumed {
        Assumed { plan: None, time_field: settings.time_field.as_deref().map(Arc::from) }
    }
}

/// The bytes of a content, as CSV.
pub(crate) struct Stream {
    pub(crate) reader: Box<dyn Read + Send>,
    pub(crate) assumed: Assumed,
    /// Headers are made, and stand on no line of the file.
    pub(crate) makes_headers: bool,
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
    /// Chunks and long lines given out so far.
    given: u64,
    plan: Option<Arc<Plan>>,
    time_field: Option<Arc<str>>,
    /// Headers stand on no line of the source.
    makes_headers: bool,
    /// Whether the first header or record is found.
    is_begun: bool,
    /// A last line without a line end is left for later instead of being given out.
    hold_torn: bool,
    /// Of all bytes given out.
    hash: XxHash3_128,
    /// A read failed after what is in `carry`: give that out first, then say so.
    failed: Option<io::Error>,
    target: usize,
    /// Memory to read into.
    spare: Vec<u8>,
}

impl Chunks {
    /// Those of a content, of which a last line without line end may be left for later.
    pub(crate) fn new(stream: Stream, hold_torn: bool) -> Chunks {
        let Stream { reader, assumed: Assumed { plan, time_field }, makes_headers } = stream;
        Chunks {
            reader,
            carry: Vec::new(),
            ended: false,
            offset: 0,
            lines: 0,
            given: 0,
            plan,
            time_field,
            makes_headers,
            is_begun: false,
            hold_torn,
            hash: XxHash3_128::new(),
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

    /// Whether nothing comes after what was given out.
    pub(crate) fn is_done(&self) -> bool {
        self.ended && self.carry.is_empty() && self.failed.is_none()
    }

    /// The header that holds now.
    pub(crate) fn plan(&self) -> Option<&Plan> {
        self.plan.as_deref()
    }

    /// Hash of the bytes given out so far.
    pub(crate) fn hash(&self) -> u128 {
        self.hash.finish_128()
    }

    /// The next chunk. After an error nothing more comes.
    pub(crate) fn next(&mut self) -> Result<Next, Stop> {
        loop {
            self.fill(self.target);
            if !self.is_begun {
                let before = preamble(&self.carry);
                if before > 0 {
                    self.give_out(before);
                    continue;
                }
                self.is_begun = !self.carry.is_empty() && !is_remark(&self.carry);
            }
            // In a file that may grow, a quote without its end is not damage yet.
            let whole = self.ended && !self.hold_torn;
            let forced = whole || self.carry.len() >= MAX_RECORD;
            let records = cpu::best(
                #[inline(always)]
                || Records::of(&self.carry, forced),
            );
            if records.end > 0 {
                return self.cut(&records, false);
            }
            if !self.ended && self.carry.len() < MAX_RECORD {
                let larger = (self.carry.len() * 2).clamp(self.target, MAX_RECORD);
                self.fill(larger);
                continue;
            }
            if !self.ended && self.plan.is_some() {
                return Ok(self.skip_line());
            }
            if let Some(error) = self.failed.take() {
                return Err(error.into());
            }
            if self.plan.is_none() && !self.carry.is_empty() {
                match header_line(&self.carry) {
                    // No line end will make this a header.
                    Some(_) => Plan::check_line_ends(&self.carry)?,
                    None if self.hold_torn && may_become_header(&self.carry) => {}
                    None => {
                        let line = shorten(first_line(&self.carry));
                        return Err(PlanError::NoHeader { line }.into());
                    }
                }
            }
            if self.carry.is_empty() || self.hold_torn {
                return Ok(Next::End);
            }
            return self.cut(&Records { end: self.carry.len(), headers: Vec::new() }, true);
        }
    }

    /// Gives out records up to a new header, from the present one.
    fn cut(&mut self, records: &Records, torn: bool) -> Result<Next, Stop> {
        let mut begin = 0;
        while let Some(header) = header_line(&self.carry[..records.end - begin]) {
            if self.plan.is_none() && has_spaces(&self.carry[..header]) {
                return Err(PlanError::Spaced.into());
            }
            let plan = Plan::with_time(&self.carry[..header], self.time_field.as_deref())?;
            self.plan = Some(Arc::new(plan));
            self.give_out(header);
            self.lines -= u64::from(self.makes_headers);
            begin += header;
            if begin == records.end {
                return self.next();
            }
        }
        let Some(plan) = self.plan.clone() else {
            let line = shorten(first_line(&self.carry[..records.end - begin]));
            return Err(PlanError::NoHeader { line }.into());
        };
        let end = records.headers.iter().copied().find(|header| *header > begin);
        let end = end.unwrap_or(records.end);
        let (offset, lines_before) = (self.offset, self.lines);
        let bytes = self.give_out(end - begin);
        Ok(Next::Chunk(Chunk {
            offset,
            lines_before,
            bytes,
            plan,
            torn: torn && end == records.end,
            number: self.next_number(),
        }))
    }

    /// Takes the first `n` bytes off, counting and hashing them.
    fn give_out(&mut self, n: usize) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.spare);
        rest.clear();
        rest.extend_from_slice(&self.carry[n..]);
        self.carry.truncate(n);
        let bytes = std::mem::replace(&mut self.carry, rest);
        self.hash.write(&bytes);
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
        Next::TooLong {
            offset,
            line,
            size: self.offset - offset,
            start,
            number: self.next_number(),
        }
    }

    fn next_number(&mut self) -> u64 {
        self.given += 1;
        self.given - 1
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

/// The whole records that some bytes begin with.
struct Records {
    /// Where the last one ends; 0 when there is none.
    end: usize,
    /// Where those begin that are headers, but for the first record.
    headers: Vec<usize>,
}

impl Records {
    /// Those of `bytes`, which begin at the beginning of a record. `forced` says that no more bytes
    /// come: an unclosed quote is damage then.
    #[inline(always)]
    fn of(bytes: &[u8], forced: bool) -> Records {
        let mut records = Records { end: 0, headers: Vec::new() };
        let mut marks = Marks::at(bytes, 0);
        while let Some(mark) = marks.next() {
            if bytes[mark] == b'\n' {
                records.end_at(mark + 1, bytes);
                continue;
            }
            // Any other quote is part of the text that it stands in.
            let opens = mark == 0 || matches!(bytes[mark - 1], b',' | b'\n');
            if !opens {
                continue;
            }
            match closing_quote(bytes, mark + 1, |from| marks.next_quote(from)) {
                Quote::ClosedBefore { .. } => {}
                Quote::EndsBytes { .. } | Quote::Unclosed if !forced => break,
                Quote::EndsBytes { .. } => {}
                Quote::Unclosed | Quote::Broken => {
                    let Some(n) = memchr(b'\n', &bytes[records.end..]) else { break };
                    records.end_at(records.end + n + 1, bytes);
                    marks = Marks::at(bytes, records.end);
                }
            }
        }
        records.headers.retain(|&header| header < records.end);
        records
    }

    fn end_at(&mut self, end: usize, bytes: &[u8]) {
        self.end = end;
        if header_line(&bytes[end..]).is_some() {
            self.headers.push(end);
        }
    }
}

/// Quotes and line feeds, one after the other.
struct Marks<'b> {
    bytes: &'b [u8],
    /// Where the block begins that is looked at.
    base: usize,
    /// Its marks that are not passed yet, as bits.
    left: u64,
}

impl<'b> Marks<'b> {
    /// Those from `pos` on.
    #[inline(always)]
    fn at(bytes: &'b [u8], pos: usize) -> Marks<'b> {
        let base = pos - pos % BLOCK;
        Marks { bytes, base, left: Marks::of(bytes, base) & u64::MAX << (pos - base) }
    }

    #[inline(always)]
    fn of(bytes: &[u8], base: usize) -> u64 {
        look_at(bytes, base, |block| places(block, |part| is(part, b'"') | is(part, b'\n')))
    }

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        while self.left == 0 {
            self.base += BLOCK;
            if self.base >= self.bytes.len() {
                return None;
            }
            self.left = Marks::of(self.bytes, self.base);
        }
        let first = self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        Some(self.base + first)
    }

    /// The next quote from `pos` on, before which no mark but quotes' own is left.
    #[inline(always)]
    fn next_quote(&mut self, pos: usize) -> Option<usize> {
        loop {
            let mark = self.next()?;
            if mark >= pos && self.bytes[mark] == b'"' {
                return Some(mark);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::Splitter;
    use proptest::prelude::*;

    const HEADER: &str = "type,timeLogged,rcpt\n";

    /// All lines of a content that is cut at about every `target` bytes: where each lies, and its
    /// fields or that it is broken.
    fn lines(content: &[u8], target: usize) -> Vec<(u64, Vec<Vec<u8>>)> {
        let reader = Box::new(std::io::Cursor::new(content.to_vec()));
        let mut chunks = Chunks::new(
            Stream { reader, assumed: Assumed::default(), makes_headers: false },
            false,
        )
        .with_target(target);
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
