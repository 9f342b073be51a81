//! An answer as a table that the reader can sort and filter. The cells are those of every other
//! table; never cuts one.

use arrow::record_batch::RecordBatch;
use chrono_tz::Tz;
use maud::{Markup, html};

use super::text::{command, text};
use crate::feed::Feed;
use crate::{BoxError, Error, Sheet, Style, grid};

/// Rows from which on a table has a field to filter it.
const FILTERED_FROM: usize = 6;
/// Rows that are seen at first; a button shows the others.
const SEEN: usize = 12;
/// A cell as long as this is prose, and has a width of its own.
const LONG: usize = 40;

/// A table with its caption.
#[derive(Clone, Debug, Default)]
pub struct Table {
    caption: String,
    columns: Vec<Head>,
    rows: Vec<Vec<Cell>>,
    command: String,
    /// Closed until the reader opens it.
    folded: bool,
}

#[derive(Clone, Debug)]
struct Head {
    name: String,
    is_number: bool,
    is_long: bool,
}

#[derive(Clone, Debug)]
struct Cell {
    text: String,
    /// What it is sorted by, where that is not the text.
    key: Option<f64>,
    /// What is known of it beside what it says.
    note: Option<String>,
}

impl Table {
    /// Collects all rows.
    ///
    /// # Errors
    /// [`Error::Rows`] if `batches` fails, and others if a batch does not fit `sheet`.
    pub fn collect(
        caption: impl Into<String>,
        command: impl Into<String>,
        sheet: &Sheet,
        batches: &mut dyn Iterator<Item = Result<RecordBatch, BoxError>>,
        zone: Tz,
    ) -> Result<Table, Error> {
        let style = Style { zone, ..Style::default() };
        let mut feed = Feed::new(sheet, batches);
        let rows = grid::CellRows::new(&style, &mut feed).collect::<Result<Vec<_>, _>>()?;
        let head = |(n, lane): (usize, grid::Lane)| Head {
            name: lane.name.replace('_', " "),
            is_number: lane.right,
            is_long: rows.iter().any(|row| row[n].text.chars().count() > LONG),
        };
        let columns = grid::lanes(sheet).into_iter().enumerate().map(head).collect();
        let cell = |cell: grid::Cell| Cell { text: cell.text, key: cell.key, note: None };
        let rows = rows.into_iter().map(|row| row.into_iter().map(cell).collect()).collect();
        Ok(Table { caption: caption.into(), columns, rows, command: command.into(), folded: false })
    }

    /// The same, closed until the reader opens it: the numbers below a chart.
    #[must_use]
    pub fn folded(self) -> Table {
        Table { folded: true, ..self }
    }

    /// Adds to each text of the column `name` what is known of it.
    #[must_use]
    pub fn explained(mut self, name: &str, known: impl Fn(&str) -> Option<String>) -> Table {
        let name = name.replace('_', " ");
        if let Some(at) = self.columns.iter().position(|column| column.name == name) {
            for row in &mut self.rows {
                row[at].note = known(&row[at].text);
            }
        }
        self
    }

    /// How many rows it has.
    pub fn n_rows(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn markup(&self) -> Markup {
        if self.folded {
            return html! {
                details { summary { (text(&self.caption)) } (self.body()) }
            };
        }
        self.body()
    }

    fn body(&self) -> Markup {
        html! {
            div.figure.sortable data-seen=(SEEN) {
                @if self.rows.len() >= FILTERED_FROM {
                    input.filter type="search" placeholder="Filter" hidden aria-label={ "Filter: " (text(&self.caption)) };
                }
                div.wide tabindex="0" role="region" aria-label=(text(&self.caption)) {
                    table {
                        caption { (text(&self.caption)) }
                        thead { tr {
                            @for column in &self.columns {
                                th scope="col" class=[column.is_number.then_some("n")] { (text(&column.name)) }
                            }
                        } }
                        tbody {
                            @for row in &self.rows { (self.row(row)) }
                        }
                    }
                }
                @if self.rows.is_empty() { p.nothing { "No rows." } }
                (command(&self.command))
            }
        }
    }

    fn row(&self, row: &[Cell]) -> Markup {
        html! {
            tr {
                @for (column, cell) in self.columns.iter().zip(row) {
                    td.n[column.is_number].long[column.is_long] data-v=[cell.key] {
                        (text(&cell.text))
                        @if let Some(note) = &cell.note { " " span.meaning { (text(note)) } }
                    }
                }
            }
        }
    }
}
