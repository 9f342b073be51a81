//! Fields that tabs, semicolons or bars separate, or commas with spaces around them, as PMTA's CSV: the
//! type first, commas and nothing beside them.
//!
//! A quote opens at the beginning of a field and closes before a separator or a line end. In a line
//! that breaks this rule quotes are text, for many who separate by tabs quote nothing.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::convert::{Convert, add_field};
use crate::line::{is_remark, names_type};

/// Converts lines of separated fields.
pub(super) struct Separated {
    by: u8,
    /// Position of the type.
    kind: usize,
}

impl Separated {
    pub(super) fn new(by: u8, kind: usize) -> Separated {
        Separated { by, kind }
    }
}

/// The fields of a line, and where the next one begins.
pub(super) type Fields<'b> = (Vec<Cow<'b, [u8]>>, usize);

/// Splits the line that `bytes` begin with; none when its end is not among them.
pub(super) fn split(bytes: &[u8], by: u8, ended: bool) -> Option<Fields<'_>> {
    match quoted(bytes, by, ended) {
        Split::Line(fields) => Some(fields),
        Split::Unended => None,
        Split::Broken => literal(bytes, by, ended),
    }
}

enum Split<'b> {
    Line(Fields<'b>),
    /// Its end is not among the bytes.
    Unended,
    /// A quote is not closed as it should.
    Broken,
}

fn quoted(bytes: &[u8], by: u8, ended: bool) -> Split<'_> {
    let (mut fields, mut at) = (Vec::new(), 0);
    loop {
        at += spaces(&bytes[at..], by);
        if bytes.get(at) != Some(&b'"') {
            let Some(length) = memchr2(by, b'\n', &bytes[at..]) else {
                if !ended {
                    return Split::Unended;
                }
                fields.push(Cow::Borrowed(trimmed(&bytes[at..])));
                return Split::Line((fields, bytes.len()));
            };
            fields.push(Cow::Borrowed(trimmed(&bytes[at..at + length])));
            at += length + 1;
            if bytes[at - 1] == b'\n' {
                return Split::Line((fields, at));
            }
            continue;
        }
        let (start, mut doubled) = (at + 1, false);
        let mut end = start;
        loop {
            match memchr(b'"', &bytes[end..]) {
                None if ended => return Split::Broken,
                None => return Split::Unended,
                Some(n) if bytes.get(end + n + 1) == Some(&b'"') => {
                    (end, doubled) = (end + n + 2, true)
                }
                Some(n) => {
                    end += n;
                    break;
                }
            }
        }
        let value = &bytes[start..end];
        fields.push(if doubled { Cow::Owned(undoubled(value)) } else { Cow::Borrowed(value) });
        at = end + 1 + spaces(&bytes[end + 1..], by);
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(next), _) if *next == by => at += 1,
            (Some(b'\n'), _) => return Split::Line((fields, at + 1)),
            (Some(b'\r'), Some(b'\n')) => return Split::Line((fields, at + 2)),
            (None, _) if ended => return Split::Line((fields, at)),
            (Some(b'\r'), None) if ended => return Split::Line((fields, at + 1)),
            (None, _) | (Some(b'\r'), None) => return Split::Unended,
            _ => return Split::Broken,
        }
    }
}

/// The fields up to the first line end, with quotes as text.
fn literal(bytes: &[u8], by: u8, ended: bool) -> Option<Fields<'_>> {
    let end = match memchr(b'\n', bytes) {
        Some(n) => n + 1,
        None if ended => bytes.len(),
        None => return None,
    };
    let line = bytes[..end].trim_ascii_end();
    let fields = line.split(|byte| *byte == by);
    Some((fields.map(|field| Cow::Borrowed(trimmed(field))).collect(), end))
}

fn spaces(bytes: &[u8], by: u8) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t') && **byte != by).count()
}

fn trimmed(field: &[u8]) -> &[u8] {
    field.trim_ascii()
}

fn undoubled(value: &[u8]) -> Vec<u8> {
    let mut is_second = false;
    let keep = |byte: &&u8| {
        is_second = **byte == b'"' && !is_second;
        **byte != b'"' || is_second
    };
    value.iter().filter(keep).copied().collect()
}

impl Convert for Separated {
    fn next(&mut self, bytes: &[u8], ended: bool, out: &mut Vec<u8>) -> Option<usize> {
        // Remarks and empty lines are left to those who count lines.
        let line = memchr(b'\n', bytes).map(|n| n + 1).or(ended.then_some(bytes.len()));
        if let Some(end) = line
            && (is_remark(&bytes[..end]) || bytes[..end].trim_ascii().is_empty())
        {
            out.extend_from_slice(&bytes[..end]);
            return Some(end);
        }
        let (fields, end) = split(bytes, self.by, ended)?;
        let named = |at: usize| fields.get(at).is_some_and(|name| names_type(name));
        let is_header = named(self.kind) || named(0);
        if is_header {
            self.kind = if named(self.kind) { self.kind } else { 0 };
            out.extend_from_slice(b"type");
        } else {
            let kind = fields.get(self.kind).map(Cow::as_ref).unwrap_or_default();
            add_field(kind, out);
        }
        for (_, field) in fields.iter().enumerate().filter(|(i, _)| *i != self.kind) {
            out.push(b',');
            // So databases write what is empty.
            if self.by != b'\t' || !matches!(&**field, b"\\N" | b"NULL") {
                add_field(field, out);
            }
        }
        if bytes[..end].ends_with(b"\n") {
            out.push(b'\n');
        }
        Some(end)
    }
}
