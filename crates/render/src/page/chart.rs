//! Charts with their caption and the table of their numbers. Draws nothing: [`crate::chart`] does.

use maud::{Markup, PreEscaped, html};

use super::table::Table;
use super::text::{command, text};
use crate::chart;

/// Panels over the same time.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// What they show.
    pub caption: String,
    /// The panels.
    pub panels: Vec<chart::Chart>,
    /// Their numbers.
    pub table: Option<Table>,
    /// The command that gives the same in a terminal.
    pub command: String,
}

impl Chart {
    pub(super) fn markup(&self) -> Markup {
        html! {
            figure.chart {
                figcaption { (text(&self.caption)) }
                div.drawing tabindex="0" role="region" aria-label=(text(&self.caption)) {
                    // The painter escapes the texts in it.
                    (PreEscaped(chart::svg_in_page(&self.panels)))
                }
                @if !self.command.is_empty() { (command(&self.command)) }
                @if let Some(table) = &self.table { (table.markup()) }
            }
        }
    }
}
