//! What a line is before its fields are looked at: a header, a remark, or neither.

use memchr::memchr;

/// The longest record that is read; a longer line is refused without being kept in memory.
pub(crate) const MAX_RECORD: usize = 16 << 20;

/// How headers begin; with a byte order mark where one file was put behind another.
const HEADERS: [&[u8]; 6] = [
    b"type,",
    b"#type,",
    b"\"type\",",
    b"\"#type\",",
    b"\xef\xbb\xbftype,",
    b"\xef\xbb\xbf\"type\",",
];

/// The length of the header line that `bytes` begin with, if they do: its first field is `type`.
pub(crate) fn header_line(bytes: &[u8]) -> Option<usize> {
    // Asked of each record: nearly all begin with another letter.
    if !matches!(bytes.first(), Some(b't' | b'#' | b'"' | 0xef)) {
        return None;
    }
    HEADERS.iter().any(|start| bytes.starts_with(start)).then(|| first_line(bytes).len())
}

/// Whether more bytes may make a header of these, or a line that stands before one.
pub(crate) fn may_become_header(bytes: &[u8]) -> bool {
    HEADERS.iter().any(|start| start.starts_with(bytes)) || is_remark(bytes)
}

/// The first line, with its line end if that is there.
pub(crate) fn first_line(bytes: &[u8]) -> &[u8] {
    &bytes[..memchr(b'\n', bytes).map_or(bytes.len(), |n| n + 1)]
}

/// Bytes that stand before the first header or record: a byte order mark, the hole that stays where a
/// file was truncated while its writer went on, remarks and lines that hold nothing.
pub(crate) fn preamble(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        at += match rest {
            [0xef, 0xbb, 0xbf, ..] => 3,
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            [b' ' | b'\t' | b'\r', ..] if is_blank(first_line(rest)) => first_line(rest).len(),
            [0, ..] => rest.iter().take_while(|byte| **byte == 0).count(),
            _ if is_remark(rest) && first_line(rest).ends_with(b"\n") => first_line(rest).len(),
            _ => return at,
        };
    }
}

/// Whether a line, which is whole, holds nothing.
fn is_blank(line: &[u8]) -> bool {
    line.ends_with(b"\n") && line.trim_ascii().is_empty()
}

/// Whether a line is a remark of whoever made the file: what begins with `#`, as no header and no
/// record does, or tells a spreadsheet what separates fields.
pub(crate) fn is_remark(line: &[u8]) -> bool {
    match line {
        [b'#', rest @ ..] => !rest.trim_ascii_start().starts_with(b"type"),
        line => line.starts_with(b"sep="),
    }
}

/// Whether spaces stand beside the first comma of a line.
pub(crate) fn has_spaces(line: &[u8]) -> bool {
    match memchr(b',', line) {
        Some(n) => matches!(line.get(n + 1), Some(b' ' | b'\t')) || line[..n].ends_with(b" "),
        None => false,
    }
}

/// Whether a name of a header is that of the record type.
pub(crate) fn names_type(name: &[u8]) -> bool {
    let name = name.strip_prefix(b"#").unwrap_or(name).trim_ascii();
    name.eq_ignore_ascii_case(b"type")
}
