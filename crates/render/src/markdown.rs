//! A Markdown table for a ticket or a wiki (GitHub Flavored Markdown, section 4.10).
//! Never cuts and never draws colours.

use std::io::Write;

use crate::feed::Feed;
use crate::grid::Grid;
use crate::{Error, Style, Written, escape};

/// Writes the title if there is one, and a table with the alignments of the columns.
pub(crate) fn write(
    style: &Style,
    feed: &mut Feed<'_>,
    out: &mut dyn Write,
) -> Result<Written, Error> {
    let grid = Grid::collect(style, feed)?;
    if let Some(title) = &feed.sheet.title {
        writeln!(out, "### {}\n", escape::markdown(&escape::visible(title)))?;
    }
    row(out, grid.lanes.iter().map(|lane| lane.name.as_str()))?;
    for lane in &grid.lanes {
        out.write_all(if lane.right { b"| ---: " } else { b"| --- " })?;
    }
    writeln!(out, "|")?;
    for texts in &grid.rows {
        row(out, texts.iter().map(String::as_str))?;
    }
    Ok(Written::default())
}

fn row<'a>(out: &mut dyn Write, texts: impl Iterator<Item = &'a str>) -> Result<(), Error> {
    for text in texts {
        write!(out, "| {} ", escape::markdown(text))?;
    }
    writeln!(out, "|")?;
    Ok(())
}
