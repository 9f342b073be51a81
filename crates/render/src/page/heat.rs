//! A rate by two dimensions as a map of heat: the darker, the higher. The number stands in each
//! cell, so that colour is not the only sign.

use maud::{Markup, html};

use super::text::{command, text};

/// Steps of the scale.
const STEPS: f64 = 6.0;

/// A rate by two dimensions.
#[derive(Clone, Debug, Default)]
pub struct Heat {
    /// What it shows.
    pub caption: String,
    /// What the rows are.
    pub rows_are: String,
    /// What the columns are.
    pub columns_are: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Names of the rows, and their cells.
    pub rows: Vec<(String, Vec<HeatCell>)>,
    /// The rate that has the darkest colour, or more.
    pub full: f64,
    /// The command that gives the same in a terminal.
    pub command: String,
}

/// A cell.
#[derive(Clone, Debug, Default)]
pub struct HeatCell {
    /// The rate; none where nothing was tried.
    pub rate: Option<f64>,
    /// As it is shown.
    pub text: String,
    /// Of how many, and what else the reader is told who points at it.
    pub about: String,
    /// Whether it is of too few to mean anything.
    pub is_weak: bool,
}

impl Heat {
    pub(super) fn markup(&self) -> Markup {
        html! {
            div.figure {
                div.wide tabindex="0" role="region" aria-label=(text(&self.caption)) {
                    table.heat {
                        caption { (text(&self.caption)) }
                        thead { tr {
                            th scope="col" { (text(&self.rows_are)) span.by { " / " (text(&self.columns_are)) } }
                            @for name in &self.columns { th scope="col" { (text(name)) } }
                        } }
                        tbody {
                            @for (name, cells) in &self.rows {
                                tr {
                                    th scope="row" { (text(name)) }
                                    @for cell in cells { (self.cell(cell)) }
                                }
                            }
                        }
                    }
                }
                (command(&self.command))
            }
        }
    }

    fn cell(&self, cell: &HeatCell) -> Markup {
        let step = cell.rate.map(|rate| self.step(rate));
        html! {
            @if let (Some(step), false) = (step, cell.is_weak) {
                td class={ "n h" (step) } title=(text(&cell.about)) { (text(&cell.text)) }
            } @else {
                td.n.weak title=[(!cell.about.is_empty()).then(|| text(&cell.about))] { (text(&cell.text)) }
            }
        }
    }

    /// The place of a rate on the scale.
    fn step(&self, rate: f64) -> u8 {
        let part = if self.full > 0.0 { rate / self.full } else { 0.0 };
        if part.is_nan() || part <= 0.0 {
            return 0;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 6")]
        let step = (part * STEPS).ceil().clamp(1.0, STEPS) as u8;
        step
    }
}
