//! The table for a terminal: few lines, numbers to the right, as wide as there is room.
//! The only file that knows colours; nothing is said by colour alone.
//!
//! The first rows decide how wide the columns are, and are all that is kept: what is wider further
//! down is cut on a terminal, and elsewhere moves what follows it on its line.

use std::io::Write;

use unicode_width::UnicodeWidthStr;

use crate::feed::Feed;
use crate::fit::{self, GAP, Measure};
use crate::grid::{self, Cell, Lane, Rows};
use crate::{Error, Style, Written, escape};

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

/// Bytes of rows that are kept to find the widths. An answer below it is laid out as a whole.
const SAMPLE_BYTES: usize = 8 << 20;

/// Writes the title if there is one, a header, a rule and one line a row.
pub(crate) fn write(
    style: &Style,
    feed: &mut Feed<'_>,
    out: &mut dyn Write,
) -> Result<Written, Error> {
    let sheet = feed.sheet;
    let mut rows = Rows::new(style, feed);
    let sample = sample(&mut rows)?;
    let mut table = Table::new(style, grid::lanes(sheet), &sample);
    if let Some(title) = &sheet.title {
        table.title(&escape::visible(title), out)?;
    }
    table.head(out)?;
    for row in sample.into_iter().map(Ok).chain(rows) {
        table.row(row?, out)?;
    }
    Ok(Written {
        rows: 0,
        cut_columns: table.columns.iter().filter(|column| column.is_cut).count(),
        hidden_columns: table.hidden,
    })
}

/// The rows that decide how wide the columns are.
fn sample(rows: &mut Rows<'_, '_>) -> Result<Vec<Vec<Cell>>, Error> {
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
    width: usize,
    /// Whether one of its texts was shortened.
    is_cut: bool,
}

impl<'s> Table<'s> {
    fn new(style: &'s Style, lanes: Vec<Lane>, sample: &[Vec<Cell>]) -> Self {
        let measures: Vec<Measure> =
            lanes.iter().enumerate().map(|(n, lane)| measure(lane, sample, n)).collect();
        let widths = fit::widths(&measures, style.width);
        let hidden = lanes.len() - widths.len();
        let columns = lanes.into_iter().zip(&measures).zip(widths);
        let columns = columns.map(|((lane, measure), width)| Column {
            lane,
            width,
            is_cut: style.width.is_some() && measure.natural > width,
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

    /// The names of the columns, and a rule below them.
    fn head(&self, out: &mut dyn Write) -> Result<(), Error> {
        let name = |column: &Column| match column.is_cut {
            true => fit::cut(&column.lane.name, column.width),
            false => column.lane.name.clone(),
        };
        self.colored(BOLD, &self.line(self.columns.iter().map(name)), out)?;
        let gaps = GAP * self.columns.len().saturating_sub(1);
        let width = self.columns.iter().map(|column| column.width).sum::<usize>() + gaps;
        self.colored(DIM, &"\u{2500}".repeat(width), out)
    }

    fn row(&mut self, row: Vec<Cell>, out: &mut dyn Write) -> Result<(), Error> {
        let on_terminal = self.style.width.is_some();
        let texts = self.columns.iter_mut().zip(row).map(|(column, cell)| {
            let may_cut = column.is_cut || (on_terminal && cell.cuttable);
            if !may_cut || cell.text.width() <= column.width {
                return cell.text;
            }
            column.is_cut = true;
            fit::cut(&cell.text, column.width)
        });
        let texts: Vec<String> = texts.collect();
        writeln!(out, "{}", self.line(texts.into_iter()))?;
        Ok(())
    }

    /// The texts, each in its place, or after what came before it where that is further right.
    fn line(&self, texts: impl Iterator<Item = String>) -> String {
        let mut line = String::new();
        let (mut start, mut at) = (0, 0);
        for (column, text) in self.columns.iter().zip(texts) {
            let width = text.width();
            let right = if column.lane.right { column.width.saturating_sub(width) } else { 0 };
            let place = (start + right).max(if start > 0 { at + GAP } else { 0 });
            line.extend(std::iter::repeat_n(' ', place - at));
            line.push_str(&text);
            at = place + width;
            start += column.width + GAP;
        }
        line.truncate(line.trim_end().len());
        line
    }

    fn colored(&self, color: &str, text: &str, out: &mut dyn Write) -> Result<(), Error> {
        match self.style.color {
            true => writeln!(out, "{color}{text}{RESET}")?,
            false => writeln!(out, "{text}")?,
        }
        Ok(())
    }
}

/// The measures of the `n`th column.
fn measure(lane: &Lane, sample: &[Vec<Cell>], n: usize) -> Measure {
    let cells = sample.iter().map(|row| &row[n]);
    Measure::new(
        lane.name.width(),
        cells.clone().map(|cell| cell.text.width()).max().unwrap_or_default(),
        cells.clone().any(|cell| cell.cuttable),
    )
}
