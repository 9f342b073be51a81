//! A chart, drawn elsewhere, with its caption and the table of its numbers. Draws nothing.

use maud::{Markup, PreEscaped, html};

use super::{Table, text};

/// A chart.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// What it shows.
    pub caption: String,
    /// The drawing: an `svg` element that was made by this crate, its texts escaped.
    pub(crate) svg: String,
    /// Its numbers.
    pub table: Option<Table>,
}

impl Chart {
    pub(super) fn markup(&self) -> Markup {
        html! {
            figure.chart {
                figcaption { (text(&self.caption)) }
                div.drawing { (PreEscaped(&self.svg)) }
                @if let Some(table) = &self.table { (table.markup()) }
            }
        }
    }
}
