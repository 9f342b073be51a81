//! Splits the bytes of a chunk into lines and fields. Knows RFC 4180, nothing of PMTA.
//!
//! No allocation per line or field: spans are reused, and quotes are unescaped by whoever reads
//! a field that has them.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

use crate::block::{BLOCK, is, look_at, places};
use crate::cpu;
use crate::quote::{Quote, closing_quote};

/// Walks over the lines of some bytes that begin at the beginning of a record.
pub struct Splitter<'a> {
    bytes: &'a [u8],
    /// The bytes as text, if they are UTF-8 throughout: checked once, not per field.
    text: Option<&'a str>,
    pos: usize,
    separators: Separators,
    /// How many fields a record has at least: those that it lacks are empty.
    width: usize,
    spans: Vec<Span>,
    extents: Vec<Extent>,
}

/// The commas and line feeds of a block of bytes, as bits.
#[derive(Clone, Copy)]
struct Separators {
    /// Where the block begins.
    base: usize,
    /// Those not passed yet.
    left: u64,
    /// Those after which something else than a plain field may come: a quote, or a line.
    stops: u64,
}

/// Where a field lies, without its quotes.
#[derive(Clone, Copy)]
struct Span {
    start: u32,
    /// And by [`Span::DOUBLED`] whether quotes within it are doubled.
    end: u32,
}

/// Where a record lies.
#[derive(Clone, Copy)]
struct Extent {
    start: usize,
    end: usize,
    place: Place,
    /// How many fields it has, and not only should have.
    fields: u32,
    broken: bool,
}

/// Where the fields of a record begin among those of some records.
#[derive(Clone, Copy)]
pub struct Place(u32);

/// Some records, one after the other.
#[derive(Clone, Copy)]
pub struct Lines<'s, 'a> {
    bytes: &'a [u8],
    text: Option<&'a str>,
    spans: &'s [Span],
    extents: &'s [Extent],
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
    is_utf8: bool,
    doubled: bool,
}

impl<'a> Splitter<'a> {
    /// Begins at the first byte of less than 2 GiB.
    pub fn new(bytes: &'a [u8]) -> Splitter<'a> {
        let text = simdutf8::basic::from_utf8(bytes).ok();
        let separators = Separators::at(bytes, 0);
        let (spans, extents) = (Vec::new(), Vec::new());
        Splitter { bytes, text, pos: 0, separators, width: 0, spans, extents }
    }

    /// For records that should have so many fields: see [`Lines::field`].
    pub fn with_width(mut self, fields: usize) -> Splitter<'a> {
        self.width = fields;
        self
    }

    /// The next line that holds anything; lines without a byte are passed over.
    pub fn next_line(&mut self) -> Option<Line<'_, 'a>> {
        let lines = self.next_lines(1);
        (!lines.is_empty()).then(|| lines.get(0))
    }

    /// Up to `count` more lines that hold anything.
    pub fn next_lines(&mut self, count: usize) -> Lines<'_, 'a> {
        cpu::best(
            #[inline(always)]
            || self.split_lines(count),
        )
    }

    #[inline(always)]
    fn split_lines(&mut self, count: usize) -> Lines<'_, 'a> {
        self.spans.clear();
        self.extents.clear();
        while self.extents.len() < count && self.skip_empty() {
            let (start, from) = (self.pos, self.spans.len());
            let broken = !self.split_fields();
            if broken {
                self.spans.truncate(from);
                self.pos =
                    memchr(b'\n', &self.bytes[start..]).map_or(self.bytes.len(), |n| start + n + 1);
            }
            let (place, fields) = (Place(from as u32), (self.spans.len() - from) as u32);
            if self.spans.len() < from + self.width {
                self.spans.resize(from + self.width, Span { start: 0, end: 0 });
            }
            self.extents.push(Extent { start, end: self.pos, place, fields, broken });
        }
        let (bytes, text) = (self.bytes, self.text);
        Lines { bytes, text, spans: &self.spans, extents: &self.extents }
    }

    /// Moves to the next line that holds anything; false when there is none.
    #[inline(always)]
    fn skip_empty(&mut self) -> bool {
        loop {
            match &self.bytes[self.pos..] {
                [] => return false,
                [b'\n', ..] => self.pos += 1,
                [b'\r', b'\n', ..] => self.pos += 2,
                _ => return true,
            }
        }
    }

    /// Splits one record and moves behind it; false when a quote is broken.
    #[inline(always)]
    fn split_fields(&mut self) -> bool {
        let (bytes, mut start) = (self.bytes, self.pos);
        // Out of `self`, so that it stays in registers.
        let mut separators = self.separators.from(bytes, start);
        loop {
            let end = if bytes.get(start) == Some(&b'"') {
                let next_quote = |from| memchr(b'"', &bytes[from..]).map(|n| from + n);
                let (Quote::ClosedBefore { after, doubled } | Quote::EndsBytes { after, doubled }) =
                    closing_quote(bytes, start + 1, next_quote)
                else {
                    return false;
                };
                self.spans.push(Span::new(start + 1, after - 1, doubled));
                separators = separators.from(bytes, after);
                separators.next(bytes).0
            } else {
                let end = loop {
                    let (end, is_stop) = separators.next(bytes);
                    self.spans.push(Span::new(start, end, false));
                    if is_stop {
                        break end;
                    }
                    start = end + 1;
                };
                if bytes.get(end) != Some(&b',') {
                    self.trim_return();
                }
                end
            };
            if bytes.get(end) != Some(&b',') {
                self.pos = bytes.len().min(end + 1);
                self.separators = separators;
                return true;
            }
            start = end + 1;
        }
    }

    /// An unquoted last field runs up to the line feed and may hold the return before it.
    fn trim_return(&mut self) {
        if let Some(last) = self.spans.last_mut()
            && self.bytes[last.range()].ends_with(b"\r")
        {
            last.end -= 1;
        }
    }
}

impl Span {
    const DOUBLED: u32 = 1 << 31;

    #[inline(always)]
    fn new(start: usize, end: usize, doubled: bool) -> Span {
        let doubled = if doubled { Span::DOUBLED } else { 0 };
        Span { start: start as u32, end: end as u32 | doubled }
    }

    #[inline(always)]
    fn is_doubled(self) -> bool {
        self.end & Span::DOUBLED != 0
    }

    #[inline(always)]
    fn range(self) -> Range<usize> {
        self.start as usize..(self.end & !Span::DOUBLED) as usize
    }

    #[inline(always)]
    fn field(self, bytes: &[u8], is_utf8: bool) -> Field<'_> {
        // Most fields of most records are empty: those need no look at the bytes.
        if self.start == self.end {
            return Field::EMPTY;
        }
        Field { raw: &bytes[self.range()], is_utf8, doubled: self.is_doubled() }
    }
}

impl Separators {
    #[inline(always)]
    fn at(bytes: &[u8], base: usize) -> Separators {
        let (left, feeds, quotes) = look_at(bytes, base, |block| {
            let separators = places(block, |part| is(part, b',') | is(part, b'\n'));
            let feeds = places(block, |part| is(part, b'\n'));
            (separators, feeds, places(block, |part| is(part, b'"')))
        });
        // What comes after the last byte is not known here.
        let before_quotes = quotes >> 1 | 1 << (BLOCK - 1);
        Separators { base, left, stops: feeds | before_quotes }
    }

    /// Those from `pos` on, which does not lie before one that was passed.
    #[inline(always)]
    fn from(self, bytes: &[u8], pos: usize) -> Separators {
        let base = pos - pos % BLOCK;
        let block = if base == self.base { self } else { Separators::at(bytes, base) };
        Separators { left: block.left & u64::MAX << (pos - base), ..block }
    }

    /// Passes the next one, and says whether it is a stop. The end of the bytes, when there is none.
    #[inline(always)]
    fn next(&mut self, bytes: &[u8]) -> (usize, bool) {
        while self.left == 0 {
            if self.base + BLOCK >= bytes.len() {
                return (bytes.len(), true);
            }
            *self = Separators::at(bytes, self.base + BLOCK);
        }
        let first = self.left.trailing_zeros();
        self.left &= self.left - 1;
        (self.base + first as usize, self.stops >> first & 1 != 0)
    }
}

impl<'s, 'a> Lines<'s, 'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.extents.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.extents.is_empty()
    }

    /// The line numbered `i`.
    #[inline(always)]
    pub fn get(&self, i: usize) -> Line<'s, 'a> {
        let Extent { start, end, place: Place(from), fields, broken } = self.extents[i];
        let spans = &self.spans[from as usize..][..fields as usize];
        Line { bytes: self.bytes, text: self.text, spans, start, end, broken }
    }

    /// Where the fields of the line numbered `i` are, to be found again without looking the line up.
    pub fn place(&self, i: usize) -> Place {
        self.extents[i].place
    }

    /// The field at `index` of the line whose fields are at `place`, as [`Line::field`] gives it. The
    /// index is one of those that a line should have: see [`Splitter::with_width`].
    #[inline(always)]
    pub fn field(&self, place: Place, index: usize) -> Field<'a> {
        self.spans[place.0 as usize + index].field(self.bytes, self.text.is_some())
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
    #[inline(always)]
    pub fn field(&self, index: usize) -> Field<'a> {
        match self.spans.get(index) {
            Some(span) => span.field(self.bytes, self.text.is_some()),
            None => Field::EMPTY,
        }
    }

    /// The field at `index` as text.
    pub fn text(&self, index: usize) -> Cow<'a, str> {
        let plain = |span: &Span| self.text.filter(|_| !span.is_doubled())?.get(span.range());
        match self.spans.get(index) {
            None => Cow::Borrowed(""),
            Some(span) => match plain(span) {
                Some(text) => Cow::Borrowed(text),
                None => {
                    let value = self.field(index).value();
                    Cow::Owned(String::from_utf8_lossy(&value).into_owned())
                }
            },
        }
    }

    /// The line as it stands in the file, with its line end.
    pub fn raw(&self) -> &'a [u8] {
        &self.bytes[self.start..self.end]
    }
}

impl<'a> Field<'a> {
    /// A field that the line does not have.
    pub const EMPTY: Field<'static> = Field { raw: &[], is_utf8: true, doubled: false };

    /// The text as it stands in the file, if that is what it means: most fields by far. A slice stays
    /// in registers, where a [`Cow`] goes through memory: a third of the time of building columns.
    #[inline(always)]
    pub fn plain(self) -> Option<&'a [u8]> {
        (self.is_utf8 && !self.doubled).then_some(self.raw)
    }

    /// What `parse` makes of the value.
    #[inline]
    pub fn read<T>(self, parse: impl FnOnce(&[u8]) -> T) -> T {
        match self.plain() {
            Some(text) => parse(text),
            None => parse(&self.value()),
        }
    }

    /// The value, with doubled quotes made single.
    pub fn value(self) -> Cow<'a, [u8]> {
        if !self.doubled {
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

    /// The value as UTF-8. What is none becomes U+FFFD: better a marked character than a lost row.
    pub fn text(self) -> Cow<'a, [u8]> {
        let value = self.value();
        // A field ends at ASCII, so it never cuts a character.
        if self.is_utf8 {
            return value;
        }
        match String::from_utf8_lossy(&value) {
            Cow::Borrowed(_) => value,
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        }
    }

    /// Whether there is no text.
    #[inline(always)]
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
