//! The table for a terminal: few lines, numbers to the right, as wide as there is room.
//! The only file that knows colours; nothing is said by colour alone.
//!
//! The first rows decide how wide the columns are, and are all that is kept: what is wider further
//! down is cut on a terminal, and elsewhere widens the lines around it. Long texts stand last.

use std::io::Write;

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, TableStyle, Width,
};
use unicode_width::UnicodeWidthStr;

use crate::feed::Feed;
use crate::fit::{self, CellKind, GAP, Measure};
use crate::grid::{self, Cell, CellRows, Lane};
use crate::{Error, Style, WrittenSheet, escape};

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

/// Bytes of rows that are kept to find the widths.
const SAMPLE_BYTES: usize = 8 << 20;

/// The widest text that the drawer keeps on one line: it counts in 16 bits.
const WIDEST_DRAWN: usize = 60_000;

/// A text that may be wider than this stands last.
const LONG: usize = 30;

/// Rows that are laid out at once.
const BLOCK_ROWS: usize = 1000;

/// Writes the title if there is one, a header, a rule and one line a row.
pub(crate) fn write(
    style: &Style,
    feed: &mut Feed<'_>,
    out: &mut dyn Write,
) -> Result<WrittenSheet, Error> {
    let sheet = feed.sheet;
    let mut rows = CellRows::new(style, feed);
    let sample = sample(&mut rows)?;
    let mut table = Table::new(style, grid::lanes(sheet), &sample);
    if let Some(title) = &sheet.title {
        table.title(&escape::visible(title), out)?;
    }
    let mut rows = sample.into_iter().map(Ok).chain(rows);
    let mut is_first = true;
    loop {
        let block: Vec<Vec<Cell>> = rows.by_ref().take(BLOCK_ROWS).collect::<Result<_, Error>>()?;
        if block.is_empty() && !is_first {
            break;
        }
        table.block(block, is_first, out)?;
        is_first = false;
    }
    Ok(WrittenSheet {
        rows: 0,
        cut_columns: table.columns.iter().filter(|column| column.is_cut).count(),
        hidden_columns: table.hidden,
    })
}

/// The rows that decide how wide the columns are.
fn sample(rows: &mut CellRows<'_, '_>) -> Result<Vec<Vec<Cell>>, Error> {
    let (mut sample, mut bytes) = (Vec::new(), 0);
    while bytes < SAMPLE_BYTES
        && let Some(row) = rows.next().transpose()?
    {
        bytes += row.iter().map(|cell| size_of::<Cell>() + cell.text.len()).sum::<usize>();
        sample.push(row);
    }
    Ok(sample)
}

struct Table<'s> {
    style: &'s Style,
    /// Those that found room, from the left.
    columns: Vec<Column>,
    /// How many did not.
    hidden: usize,
}

struct Column {
    lane: Lane,
    /// Its place among the columns of the sheet.
    place: usize,
    width: usize,
    /// Whether one of its texts was shortened.
    is_cut: bool,
}

impl<'s> Table<'s> {
    fn new(style: &'s Style, lanes: Vec<Lane>, sample: &[Vec<Cell>]) -> Self {
        let measured = lanes.into_iter().enumerate().map(|(place, lane)| {
            let (kind, measure) = measure(&lane, sample, place);
            (kind == CellKind::Text && measure.natural > LONG, place, lane, measure)
        });
        let (texts, others): (Vec<_>, Vec<_>) = measured.partition(|(is_long, ..)| *is_long);
        let (columns, measures): (Vec<_>, Vec<_>) = others
            .into_iter()
            .chain(texts)
            .map(|(_, place, lane, measure)| ((place, lane), measure))
            .unzip();
        let widths = fit::widths(&measures, style.width);
        let hidden = widths.iter().filter(|width| width.is_none()).count();
        let columns = columns.into_iter().zip(&measures).zip(widths);
        let columns = columns.filter_map(|(((place, lane), measure), width)| {
            let width = width?;
            let is_cut = style.width.is_some() && measure.natural > width;
            Some(Column { lane, place, width, is_cut })
        });
        Table { style, columns: columns.collect(), hidden }
    }

    fn title(&self, title: &str, out: &mut dyn Write) -> Result<(), Error> {
        let width = self.style.width.map_or(usize::MAX, usize::from);
        for text in fit::wrapped(title, width) {
            self.colored(BOLD, &fit::cut(&text, width), out)?;
        }
        writeln!(out)?;
        Ok(())
    }

    /// Some rows; the first ones below the names of the columns and a rule.
    fn block(
        &mut self,
        rows: Vec<Vec<Cell>>,
        is_first: bool,
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let texts: Vec<Vec<String>> = rows.into_iter().map(|row| self.texts(row)).collect();
        let drawn = self.drawn(texts, is_first);
        for (n, text) in drawn.lines().enumerate() {
            match n {
                0 if is_first => self.colored(BOLD, text.trim_end(), out)?,
                1 if is_first => self.colored(DIM, &text, out)?,
                _ => writeln!(out, "{}", text.trim_end())?,
            }
        }
        Ok(())
    }

    /// The texts of a row, those shortened that do not fit.
    fn texts(&mut self, mut row: Vec<Cell>) -> Vec<String> {
        let on_terminal = self.style.width.is_some();
        let texts = self.columns.iter_mut().map(|column| {
            let cell = &mut row[column.place];
            let text = std::mem::take(&mut cell.text);
            let may_cut = on_terminal && (column.is_cut || cell.cuttable);
            let room = if may_cut { column.width } else { WIDEST_DRAWN };
            if text.width() <= room {
                return text;
            }
            column.is_cut = true;
            fit::cut(&text, room)
        });
        texts.collect()
    }

    /// The rows, each column at least as wide as it is in all blocks.
    fn drawn(&self, rows: Vec<Vec<String>>, has_header: bool) -> comfy_table::Table {
        let mut table = comfy_table::Table::new();
        table
            .load_style(TableStyle::new().header_separator(LineStyle::none().fill('\u{2500}')))
            .set_content_arrangement(ContentArrangement::Disabled);
        if has_header {
            let name = |column: &Column| {
                if column.is_cut {
                    fit::cut(&column.lane.name, column.width)
                } else {
                    column.lane.name.clone()
                }
            };
            table.set_header(self.columns.iter().map(name));
        }
        for row in rows {
            table.add_row(row);
        }
        let last = self.columns.len().saturating_sub(1);
        for (n, (drawn, column)) in table.column_iter_mut().zip(&self.columns).enumerate() {
            let gap = if n < last { GAP } else { 0 };
            let width = u16::try_from(column.width + gap).unwrap_or(u16::MAX);
            drawn.set_padding((0, gap as u16));
            drawn.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
            drawn.set_cell_alignment(if column.lane.right {
                CellAlignment::Right
            } else {
                CellAlignment::Left
            });
        }
        table
    }

    fn colored(&self, color: &str, text: &str, out: &mut dyn Write) -> Result<(), Error> {
        if self.style.color {
            writeln!(out, "{color}{text}{RESET}")?
        } else {
            writeln!(out, "{text}")?
        }
        Ok(())
    }
}

/// What the `n`th column gives, and its measures.
fn measure(lane: &Lane, sample: &[Vec<Cell>], n: usize) -> (CellKind, Measure) {
    let cells = || sample.iter().map(|row| &row[n]);
    let is_sentence = |cell: &Cell| cell.cuttable && cell.text.contains(' ');
    let kind = match (cells().any(is_sentence), cells().any(|cell| cell.cuttable)) {
        (true, _) => CellKind::Text,
        (false, true) => CellKind::Name,
        (false, false) => CellKind::Number,
    };
    let widest = cells().map(|cell| cell.text.width()).max().unwrap_or_default();
    let is_constant = sample.len() > 1 && cells().all(|cell| cell.text == sample[0][n].text);
    (kind, Measure::new(lane.name.width(), widest, kind, is_constant))
}
