//! A Markdown table for a ticket or a wiki (GitHub Flavored Markdown, section 4.10).
//! Never cuts and never draws colours.

use std::io::Write;

use crate::feed::Feed;
use crate::grid::{self, CellRows};
use crate::{Error, Style, WrittenSheet, escape};

/// Writes the title if there is one, and a table with the alignments of the columns.
pub(crate) fn write(
    style: &Style,
    feed: &mut Feed<'_>,
    out: &mut dyn Write,
) -> Result<WrittenSheet, Error> {
    let (sheet, lanes) = (feed.sheet, grid::lanes(feed.sheet));
    if let Some(title) = &sheet.title {
        writeln!(out, "### {}\n", escape::markdown(&escape::visible(title)))?;
    }
    row(out, lanes.iter().map(|lane| lane.name.as_str()))?;
    for lane in &lanes {
        out.write_all(if lane.right { b"| ---: " } else { b"| --- " })?;
    }
    writeln!(out, "|")?;
    for cells in CellRows::new(style, feed) {
        row(out, cells?.iter().map(|cell| cell.text.as_str()))?;
    }
    Ok(WrittenSheet::default())
}

fn row<'a>(out: &mut dyn Write, texts: impl Iterator<Item = &'a str>) -> Result<(), Error> {
    for text in texts {
        write!(out, "| {} ", escape::markdown(text))?;
    }
    writeln!(out, "|")?;
    Ok(())
}
