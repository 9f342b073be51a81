//! Single numbers: the tiles at the top, and bars below one another. Measures nothing; what is
//! longer is decided by the values it is given.

use maud::{Markup, html};

use super::text::{command, text};

/// A number that is read first.
#[derive(Clone, Debug, Default)]
pub struct Tile {
    /// What it is.
    pub name: String,
    /// The number.
    pub value: String,
    /// What stands below it: of how many, or a count.
    pub of: String,
    /// What it usually is.
    pub usual: Option<String>,
    /// How it compares with that.
    pub trend: Trend,
}

/// How a number compares with what it usually is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trend {
    /// Nothing to compare with, or as usual.
    #[default]
    Usual,
    /// Better than all that it is compared with.
    Better,
    /// Worse than all that it is compared with.
    Worse,
}

pub(super) fn tiles(tiles: &[Tile]) -> Markup {
    html! {
        section.tiles aria-label="Headline numbers" {
            @for tile in tiles {
                div.tile.worse[tile.trend == Trend::Worse].better[tile.trend == Trend::Better] {
                    h2 { (text(&tile.name)) }
                    p.value { (text(&tile.value)) }
                    p.of { (text(&tile.of)) }
                    @if let Some(usual) = &tile.usual {
                        p.usual {
                            @match tile.trend {
                                Trend::Worse => span.mark { "worse, " },
                                Trend::Better => span.mark { "better, " },
                                Trend::Usual => {}
                            }
                            (text(usual))
                        }
                    }
                }
            }
        }
    }
}

/// Numbers as bars below one another.
#[derive(Clone, Debug, Default)]
pub struct Bars {
    /// What they show.
    pub caption: String,
    /// The bars, in order.
    pub bars: Vec<Bar>,
    /// The command that gives the same in a terminal.
    pub command: String,
}

/// A bar.
#[derive(Clone, Debug, Default)]
pub struct Bar {
    /// What it is.
    pub name: String,
    /// How deep it stands below others: it is a part of the one above with a smaller depth.
    pub depth: usize,
    /// Its length, of 0 to 100.
    pub percent: f64,
    /// Its number.
    pub value: String,
    /// What share of what that is.
    pub share: String,
    /// Whether it is a loss.
    pub is_loss: bool,
}

impl Bars {
    pub(super) fn markup(&self) -> Markup {
        html! {
            figure {
                div.wide tabindex="0" role="region" aria-label=(text(&self.caption)) {
                    table.bars {
                        caption { (text(&self.caption)) }
                        thead { tr { th scope="col" { "stage" } th.n scope="col" { "recipients" } th.n scope="col" { "share" } th scope="col" aria-hidden="true" {} } }
                        tbody {
                            @for bar in &self.bars {
                                tr.part[bar.depth > 0].loss[bar.is_loss] {
                                    th scope="row" { (text(&bar.name)) }
                                    td.n { (text(&bar.value)) }
                                    td.share { (text(&bar.share)) }
                                    td.bar {
                                        svg width="100%" height="14" aria-hidden="true" {
                                            rect y="1" height="12" rx="2" width={ (length(bar.percent)) "%" } {}
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                (command(&self.command))
            }
        }
    }
}

/// A length that can be seen, when it is one at all.
fn length(percent: f64) -> String {
    let percent = if percent.is_finite() { percent.clamp(0.0, 100.0) } else { 0.0 };
    format!("{:.2}", if percent > 0.0 { percent.max(0.3) } else { 0.0 })
}
