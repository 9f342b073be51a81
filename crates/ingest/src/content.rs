//! What is asked of a source's content before and after it is taken: its head, hashes of its
//! beginnings, its number of records. Decides nothing.

use std::io::{self, Read};

use memchr::memchr;
use pmtaq_schema::time::{Day, Timestamp};
use pmtaq_store::manifest::source_day;
use twox_hash::XxHash3_128;

use crate::checked::Checked;
use crate::chunk::{Chunks, Next, Stop};
use crate::open::{Content, SourceFile, Unread, is_fresh};
use crate::privacy::Privacy;
use crate::split::Splitter;
use crate::unpack::read_full;

/// The beginning of a content.
#[derive(Clone)]
pub(crate) struct Head {
    /// Hash of header and first record.
    pub(crate) hash: String,
    /// The day under which the store files it.
    pub(crate) day: Day,
    /// The time of its first record, as far as that has one.
    pub(crate) since: Option<Timestamp>,
    /// Hashes of header and the first 2, 4, 8 and 16 records, as far as they are there.
    pub(crate) marks: Vec<String>,
    /// How many records there are in all, when they are few.
    records: Option<usize>,
}

impl Head {
    /// That of a content without a record.
    pub(crate) const NONE: Head =
        Head { hash: String::new(), day: Day(0), since: None, marks: Vec::new(), records: None };

    /// The number of records of this content, when it is the beginning of one that has the same first
    /// record and these marks: the last mark of both is then that of all of it.
    pub(crate) fn all_within(&self, marks: &[String]) -> Option<u64> {
        let records = self.records?;
        let is_marked = match MARKS.iter().position(|&mark| mark == records) {
            Some(at) => self.marks.get(at).is_some_and(|mark| marks.get(at) == Some(mark)),
            None => records == 1,
        };
        is_marked.then_some(records as u64)
    }
}

/// Numbers of records of which [`Head::marks`] has hashes. They tell files apart that begin alike.
const MARKS: [usize; 4] = [2, 4, 8, 16];

/// Whether a last line without line end is left for the next run: it may still grow, and half an object
/// does not become what the whole one would.
pub(crate) fn holds_torn(content: &Content, now: Timestamp) -> bool {
    !content.is_complete && (content.stream.makes_headers || is_fresh(content.stat, now))
}

/// The head of a content; none when there is no whole record.
pub(crate) fn head(
    content: Content,
    privacy: &Privacy,
    now: Timestamp,
) -> Result<Option<Head>, Stop> {
    let hold = holds_torn(&content, now);
    let mut chunks = Chunks::new(content.stream, hold).small();
    loop {
        let chunk = match chunks.next()? {
            Next::End => return Ok(None),
            Next::TooLong { start, .. } => {
                let hash = XxHash3_128::oneshot(&privacy.line(&start));
                return Ok(Some(Head { hash: format!("{hash:032x}"), ..Head::NONE }));
            }
            Next::Chunk(chunk) => chunk,
        };
        let mut splitter = Splitter::new(&chunk.bytes).with_width(chunk.plan.fields.len());
        let lines = splitter.next_lines(MARKS[MARKS.len() - 1]);
        // A chunk may hold empty lines and nothing else.
        if lines.is_empty() {
            continue;
        }
        let first = Checked::of(0, lines, &chunk.plan, &mut Default::default());
        let since = first.ok().map(|first| first.time_logged);
        let day = source_day(since);
        let is_all = chunks.is_done() && lines.get(lines.len() - 1).end == chunk.bytes.len();
        let records = is_all.then_some(lines.len());
        let mut head = Head { day, since, records, ..Head::NONE };
        let mut hash = XxHash3_128::new();
        // Whatever header is assumed, the records are the same.
        if !chunk.plan.is_assumed {
            hash.write(chunk.plan.fields.join(",").as_bytes());
        }
        for i in 0..lines.len() {
            let line = lines.get(i).raw();
            // What may still grow is no mark.
            if i > 0 && !line.ends_with(b"\n") {
                break;
            }
            hash.write(&privacy.line(line.trim_ascii_end()));
            match i {
                0 => head.hash = format!("{:032x}", hash.finish_128()),
                _ if MARKS.contains(&(i + 1)) => {
                    head.marks.push(format!("{:016x}", hash.finish_128() >> 64));
                }
                _ => {}
            }
        }
        return Ok(Some(head));
    }
}

/// The beginning of a file's content.
pub(crate) enum Prefix {
    /// It is as long as asked; whether more follows.
    Hash { hash: u128, more: bool },
    /// The content is shorter.
    Shorter,
}

pub(crate) fn prefix(file: &SourceFile, length: u64) -> Result<Prefix, Unread> {
    let mut content = file.content()?.stream.reader;
    let (read, hash) = hashed(&mut *content, length, XxHash3_128::new())?;
    if read < length {
        return Ok(Prefix::Shorter);
    }
    let more = read_full(&mut *content, &mut [0])? > 0;
    Ok(Prefix::Hash { hash: hash.finish_128(), more })
}

/// Whether the content begins with what has the first hash, and that goes on to what has the second:
/// each a length and a hash.
pub(crate) fn begins_with(
    file: &SourceFile,
    first: Option<(u64, impl Fn(u128) -> bool)>,
    then: (u64, u128),
) -> Result<bool, Unread> {
    let mut content = file.content()?.stream.reader;
    let (mut at, mut hash) = (0, XxHash3_128::new());
    if let Some((length, is_it)) = first {
        (at, hash) = hashed(&mut *content, length, hash)?;
        if at < length || !is_it(hash.finish_128()) {
            return Ok(false);
        }
    }
    let (length, expected) = then;
    let rest = length.saturating_sub(at);
    let (read, hash) = hashed(&mut *content, rest, hash)?;
    Ok(read == rest && hash.finish_128() == expected)
}

/// Length and hash of all of a file's content.
pub(crate) fn whole(file: &SourceFile) -> Result<Whole, Unread> {
    let (length, hash) = hashed(&mut *file.content()?.stream.reader, u64::MAX, XxHash3_128::new())?;
    Ok((length, hash.finish_128()))
}

/// Length and hash of a content.
pub(crate) type Whole = (u64, u128);

/// The same of all of a file's content as it would be with LF at the end of each line, and with CRLF: transfers in
/// text mode make one of the other.
pub(crate) fn with_line_ends(file: &SourceFile) -> Result<[Whole; 2], Unread> {
    let mut content = file.content()?.stream.reader;
    let mut buffer = vec![0; 1 << 20];
    let mut forms = [(0, XxHash3_128::new()), (0, XxHash3_128::new())];
    let mut write = |form: usize, bytes: &[u8]| {
        let (length, hash): &mut (u64, XxHash3_128) = &mut forms[form];
        *length += bytes.len() as u64;
        hash.write(bytes);
    };
    // A CR at the end of what was read, of which the next byte says what it is.
    let mut has_return = false;
    loop {
        let n = read_full(&mut *content, &mut buffer)?;
        let mut rest = &buffer[..n];
        while let Some(end) = memchr(b'\n', rest) {
            let line = &rest[..end];
            if has_return && !line.is_empty() {
                (0..2).for_each(|form| write(form, b"\r"));
            }
            has_return = false;
            let text = line.strip_suffix(b"\r").unwrap_or(line);
            (0..2).for_each(|form| write(form, text));
            write(0, b"\n");
            write(1, b"\r\n");
            rest = &rest[end + 1..];
        }
        if has_return && !rest.is_empty() {
            (0..2).for_each(|form| write(form, b"\r"));
            has_return = false;
        }
        let text = rest.strip_suffix(b"\r");
        has_return |= text.is_some();
        (0..2).for_each(|form| write(form, text.unwrap_or(rest)));
        if n < buffer.len() {
            break;
        }
    }
    if has_return {
        (0..2).for_each(|form| write(form, b"\r"));
    }
    Ok(forms.map(|(length, hash)| (length, hash.finish_128())))
}

/// Adds up to `length` more bytes to a hash; how many there were.
fn hashed(
    content: &mut dyn Read,
    length: u64,
    mut hash: XxHash3_128,
) -> io::Result<(u64, XxHash3_128)> {
    let mut buffer = vec![0; 1 << 20];
    let mut read = 0;
    while read < length {
        let room = usize::try_from(length - read).unwrap_or(usize::MAX).min(buffer.len());
        let n = read_full(content, &mut buffer[..room])?;
        hash.write(&buffer[..n]);
        read += n as u64;
        if n < room {
            break;
        }
    }
    Ok((read, hash))
}

/// The records of a file whose content is known to be in another.
pub(crate) fn count(file: &SourceFile) -> u64 {
    let Ok(content) = file.content() else { return 0 };
    let mut chunks = Chunks::new(content.stream, false);
    let mut records = 0;
    loop {
        match chunks.next() {
            Ok(Next::Chunk(chunk)) => {
                let mut splitter = Splitter::new(&chunk.bytes);
                while splitter.next_line().is_some() {
                    records += 1;
                }
            }
            Ok(Next::TooLong { .. }) => records += 1,
            Ok(Next::End) | Err(_) => return records,
        }
    }
}

/// What to tell the user of a source that cannot go on.
pub(crate) fn explain(stop: &Stop) -> String {
    match stop {
        Stop::Header(error) => error.to_string(),
        Stop::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the compressed data ends early; what came before is taken, the rest when the file \
             is whole"
                .to_owned()
        }
        Stop::Io(error) if error.kind() == io::ErrorKind::InvalidInput => {
            format!("{error}: what follows is not compressed alike; what came before is taken")
        }
        Stop::Io(error) => error.to_string(),
    }
}
