//! The table for a terminal: few lines, numbers to the right, as wide as there is room.
//! The only file that knows colours; nothing is said by colour alone.

use std::io::Write;

use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use crate::feed::Feed;
use crate::fit::{self, GAP};
use crate::grid::{Grid, Lane};
use crate::{Error, Style, Written, escape};

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

/// Writes the title if there is one, a header, a rule and one line a row.
pub(crate) fn write(
    style: &Style,
    feed: &mut Feed<'_>,
    out: &mut dyn Write,
) -> Result<Written, Error> {
    let mut grid = Grid::collect(style, feed)?;
    let cuts = fit::fit(&mut grid, style.width);
    if let Some(title) = &feed.sheet.title {
        let title = escape::visible(title);
        let width = style.width.map_or(usize::MAX, usize::from);
        for text in fit::wrapped(&title, width) {
            line(out, style, BOLD, &fit::cut(&text, width))?;
        }
        writeln!(out)?;
    }
    for (n, text) in drawn(grid).lines().enumerate() {
        match n {
            0 => line(out, style, BOLD, text.trim_end())?,
            1 => line(out, style, DIM, &text)?,
            _ => writeln!(out, "{}", text.trim_end())?,
        }
    }
    Ok(Written { rows: 0, cut_columns: cuts.cut_columns, hidden_columns: cuts.hidden_columns })
}

/// Returns the table; its first line is the header and its second the rule.
fn drawn(grid: Grid) -> Table {
    let mut table = Table::new();
    table
        .load_style(TableStyle::new().header_separator(LineStyle::none().fill('\u{2500}')))
        .set_content_arrangement(ContentArrangement::Disabled);
    let alignment = |lane: &Lane| match lane.right {
        true => CellAlignment::Right,
        false => CellAlignment::Left,
    };
    let alignments: Vec<CellAlignment> = grid.lanes.iter().map(alignment).collect();
    table.set_header(grid.lanes.into_iter().map(|lane| Cell::new_owned(lane.name)));
    for row in grid.rows {
        table.add_row(row.into_iter().map(Cell::new_owned));
    }
    let last = alignments.len().saturating_sub(1);
    for (n, (column, alignment)) in table.column_iter_mut().zip(alignments).enumerate() {
        column.set_padding((0, if n < last { GAP as u16 } else { 0 }));
        column.set_cell_alignment(alignment);
    }
    table
}

fn line(out: &mut dyn Write, style: &Style, color: &str, text: &str) -> Result<(), Error> {
    match style.color {
        true => writeln!(out, "{color}{text}{RESET}")?,
        false => writeln!(out, "{text}")?,
    }
    Ok(())
}
