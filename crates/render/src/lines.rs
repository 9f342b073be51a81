//! A line a row, in the user's own words: `{enhanced_code} {rcpt}`.
//! Never asks what a field means; its fields are the columns of the sheet, in their order.

use std::io::Write;

use pmtaq_schema::Unit;

use crate::feed::Feed;
use crate::{Error, Style, cell};

/// A line with fields in braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFormat {
    pieces: Vec<Piece>,
    fields: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The number of the field.
    Field(usize),
}

impl LineFormat {
    /// Reads `{field} text`; `{{`, `}}` and `\\` stand for themselves, `\t` and `\n` as usual.
    ///
    /// # Errors
    /// A sentence about a brace that has no partner, or a format without fields.
    pub fn parse(text: &str) -> Result<LineFormat, String> {
        let mut format = LineFormat { pieces: Vec::new(), fields: Vec::new() };
        let mut plain = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '{' | '}' if chars.next_if_eq(&c).is_some() => plain.push(c),
                '{' => {
                    let name: String =
                        std::iter::from_fn(|| chars.next_if(|c| *c != '}')).collect();
                    if chars.next().is_none() {
                        return Err(format!("`{text}` has a {{ without a }}; {{{{ is a brace"));
                    }
                    format.push_text(&mut plain);
                    format.push_field(name.trim());
                }
                '}' => return Err(format!("`{text}` has a }} without a {{; }}}} is a brace")),
                '\\' => match chars.next() {
                    Some('t') => plain.push('\t'),
                    Some('n') => plain.push('\n'),
                    Some('\\') | None => plain.push('\\'),
                    Some(other) => plain.extend(['\\', other]),
                },
                c => plain.push(c),
            }
        }
        format.push_text(&mut plain);
        if format.fields.is_empty() {
            return Err(format!("`{text}` has no field in braces, such as {{rcpt}}"));
        }
        Ok(format)
    }

    /// The names of its fields, each once.
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    fn push_text(&mut self, plain: &mut String) {
        if !plain.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(plain)));
        }
    }

    fn push_field(&mut self, name: &str) {
        let known = self.fields.iter().position(|field| field == name);
        self.pieces.push(Piece::Field(known.unwrap_or(self.fields.len())));
        if known.is_none() {
            self.fields.push(name.to_owned());
        }
    }
}

/// Writes one line a row.
pub(crate) fn write(
    format: &LineFormat,
    style: &Style,
    feed: &mut Feed<'_>,
    out: &mut dyn Write,
) -> Result<(), Error> {
    while let Some((n_rows, cells)) = feed.next_cells()? {
        for row in 0..n_rows {
            for part in &format.pieces {
                match part {
                    Piece::Text(text) => out.write_all(text.as_bytes())?,
                    Piece::Field(n) => {
                        let shown = cells.get(*n).map(|cells| {
                            // No thousands separators: a line is often cut up again.
                            cell::display(&cells.at(row), Unit::Text, style.zone)
                        });
                        out.write_all(shown.unwrap_or_default().as_bytes())?;
                    }
                }
            }
            out.write_all(b"\n")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_texts_braces_and_tabs_are_read() {
        let format = LineFormat::parse(r"{a}\t{ b } {{x}} {a}").expect("a format");
        assert_eq!(format.fields(), ["a", "b"]);
        let text = |text: &str| Piece::Text(text.to_owned());
        assert_eq!(
            format.pieces,
            [Piece::Field(0), text("\t"), Piece::Field(1), text(" {x} "), Piece::Field(0)]
        );
    }

    #[test]
    fn a_brace_without_its_partner_is_named() {
        assert!(LineFormat::parse("{a").unwrap_err().contains("without a }"));
        assert!(LineFormat::parse("a} {b}").unwrap_err().contains("without a {"));
        assert!(LineFormat::parse("abc").unwrap_err().contains("no field"));
    }
}
