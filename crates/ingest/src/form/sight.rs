//! What a content is, by its beginning: which form its records have, and whether a header says what
//! they are. Asked only of what does not begin as PMTA's own files do.

use pmtaq_schema::Column;

use super::first::{Given, SEPARATORS, is_record, json_of_a_line, kind_of_header};
use super::foreign::{foreign, header_below};
use super::separated::split;
use super::utf16::{Endian, Utf16};
use super::{Form, Layout, convert::Convert};
use crate::line::{first_line, has_spaces, header_line, preamble};
use crate::reject::shorten;

/// Names of PMTA's fields by which a line is told to be a header.
const LEAST_KNOWN: usize = 2;

/// A content that holds accounting records.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sight {
    pub(crate) form: Form,
    /// It begins with records, and no header says what their fields are.
    pub(crate) is_headerless: bool,
}

/// Looks at the beginning of a content; what it is instead, when there are no records in it.
pub(crate) fn sight(start: &[u8], given: Given<'_>) -> Result<Sight, String> {
    let utf16 = Endian::of(start);
    let mut decoded = Vec::new();
    let text = match utf16 {
        None => start,
        Some(endian) => {
            Utf16::new(endian).next(start, false, &mut decoded);
            decoded.as_slice()
        }
    };
    let text = &text[preamble(text)..];
    let seen = |layout, is_headerless| Sight { form: Form { utf16, layout }, is_headerless };
    if text.is_empty() {
        return Ok(seen(Layout::Csv, false));
    }
    if json_of_a_line(text) {
        return Ok(seen(Layout::JsonLines, false));
    }
    let separators = given.separator.as_ref().map_or(&SEPARATORS[..], std::slice::from_ref);
    for &by in separators {
        if let Some((fields, end)) = split(text, by, true)
            && let Some(kind) = kind_of_header(&fields, given)
        {
            let is_plain = by == b',' && kind == 0 && header_line(text).is_some();
            let is_plain = is_plain && !has_spaces(&text[..end]);
            return Ok(seen(
                if is_plain { Layout::Csv } else { Layout::Separated { by, kind } },
                false,
            ));
        }
    }
    // The first line may be the end of one.
    let lines = [text, &text[first_line(text).len()..]];
    for (nth, line) in lines.into_iter().enumerate() {
        for &by in separators {
            if let Some((fields, end)) = split(line, by, true)
                && is_record(&fields)
            {
                if nth > 0
                    && let Some(name) = other_name_of_type(text, by)
                {
                    return Err(format!(
                        "has a header whose first field is called `{name}` and not `type`; `tail -n +2 FILE | \
                         pmtaq ingest --header 'type,timeLogged,...' -`, with all its names, takes it"
                    ));
                }
                let is_plain = by == b',' && !has_spaces(&line[..end]);
                let separated = Layout::Separated { by, kind: 0 };
                return Ok(seen(if is_plain { Layout::Csv } else { separated }, true));
            }
        }
    }
    let below = if utf16.is_none() { header_below(start, text, given) } else { None };
    Err(below.unwrap_or_else(|| foreign(start, text)))
}

/// What the first field of a text's first line is called, where the others are names of PMTA's fields.
fn other_name_of_type(text: &[u8], by: u8) -> Option<String> {
    let (names, _) = split(text, by, true)?;
    let is_known = |name: &&[u8]| Column::of_field(&String::from_utf8_lossy(name)).is_some();
    let mut names = names.iter().map(|name| &**name);
    let first = shorten(names.next()?);
    (names.filter(is_known).count() >= LEAST_KNOWN).then_some(first)
}

/// A header that the user wrote, as PMTA would have; none when it names no type.
pub(crate) fn header_of(line: &str, given: Given<'_>) -> Option<String> {
    SEPARATORS.iter().find_map(|&by| {
        let (fields, _) = split(line.as_bytes(), by, true)?;
        kind_of_header(&fields, given).filter(|kind| *kind == 0)?;
        let names = fields.iter().skip(1).map(|name| String::from_utf8_lossy(name));
        Some(names.fold("type".to_owned(), |line, name| line + "," + &name))
    })
}
