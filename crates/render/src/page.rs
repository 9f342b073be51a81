//! A report as one HTML file that needs nothing else: no network, no other file. Escapes whatever
//! it is given, and never asks a question.
//!
//! [`Page`] is what a reader sees, in his order: the headline numbers, what is wrong, and the
//! sections with their figures. Every figure is made of [`crate::Sheet`]s and batches, as any
//! table. The one script and the one style are those of this folder, and the page tells the
//! browser to run no other: text of strangers stays text, whatever it says.

mod chart;
mod gantt;
mod head;
mod heat;
mod number;
mod problem;
mod table;
mod text;

use std::io::Write;

use maud::{Markup, html};

use crate::Error;

pub use chart::Chart;
pub use gantt::{Episode, Gantt};
pub use heat::{Heat, HeatCell};
pub use number::{Bar, Bars, Tile, Trend};
pub use problem::{Level, Problem, Said};
pub use table::Table;
use text::text;

/// A report.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// What it is about: the heading and the title of the window of the browser.
    pub title: String,
    /// The stretch of time.
    pub window: String,
    /// What else a reader must know of it, each with its name.
    pub facts: Vec<(String, String)>,
    /// The numbers that are read first.
    pub tiles: Vec<Tile>,
    /// What is wrong, the worst first.
    pub problems: Vec<Problem>,
    /// What was looked for and not found, or could not be looked for.
    pub notes: Vec<String>,
    /// All else.
    pub sections: Vec<Section>,
}

/// A part of a report with a heading.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Its name within the page: a word of letters.
    pub id: &'static str,
    /// Its heading.
    pub title: String,
    /// What it shows, and what to look at.
    pub about: String,
    /// The figures, in order.
    pub figures: Vec<Figure>,
}

/// Something to look at.
#[derive(Clone, Debug)]
pub enum Figure {
    /// Rows and columns.
    Table(Table),
    /// A rate by two dimensions.
    Heat(Heat),
    /// Stretches of time.
    Gantt(Gantt),
    /// Numbers as bars below one another.
    Bars(Bars),
    /// Lines over time.
    Chart(Chart),
    /// A sentence in place of a figure.
    Nothing(String),
}

/// Writes `page` to `out`, and flushes it.
///
/// # Errors
/// [`Error::Write`] if `out` fails.
pub fn write(page: &Page, out: &mut (dyn Write + Send)) -> Result<(), Error> {
    out.write_all(document(page).into_string().as_bytes())?;
    out.flush()?;
    Ok(())
}

fn document(page: &Page) -> Markup {
    html! {
        (maud::DOCTYPE)
        html lang="en" {
            (head::head(page))
            body {
                a.skip href="#content" { "Skip to the content" }
                (head::banner(page))
                main #content {
                    @if !page.tiles.is_empty() { (number::tiles(&page.tiles)) }
                    (problem::problems(&page.problems, &page.notes))
                    @for section in &page.sections { (self::section(section)) }
                }
                (head::script())
            }
        }
    }
}

fn section(section: &Section) -> Markup {
    html! {
        section #(section.id) aria-labelledby={ (section.id) "-title" } {
            h2 #{ (section.id) "-title" } { (text(&section.title)) }
            @if !section.about.is_empty() { p.about { (text(&section.about)) } }
            @for figure in &section.figures {
                @match figure {
                    Figure::Table(table) => (table.markup()),
                    Figure::Heat(heat) => (heat.markup()),
                    Figure::Gantt(gantt) => (gantt.markup()),
                    Figure::Bars(bars) => (bars.markup()),
                    Figure::Chart(chart) => (chart.markup()),
                    Figure::Nothing(sentence) => p.nothing { (text(sentence)) },
                }
            }
        }
    }
}
