//! Stretches of time on a common axis, a line each thing they happened to. Knows no clock: places
//! are shares of the window.

use maud::{Markup, html};

use super::text::text;

/// Stretches of time.
#[derive(Clone, Debug, Default)]
pub struct Gantt {
    /// What it shows.
    pub caption: String,
    /// Marks of the axis: where, of 0 to 100, and what stands there.
    pub ticks: Vec<(f64, String)>,
    /// The lines, each with its name.
    pub rows: Vec<(String, Vec<Episode>)>,
}

/// A stretch of time.
#[derive(Clone, Debug, Default)]
pub struct Episode {
    /// Where it begins, of 0 to 100.
    pub begin: f64,
    /// Where it ends.
    pub end: f64,
    /// How strong it was, of 0 to 100.
    pub strength: f64,
    /// Whether it is still on.
    pub is_on: bool,
    /// What the reader is told who points at it, line by line.
    pub about: Vec<String>,
}

impl Gantt {
    pub(super) fn markup(&self) -> Markup {
        html! {
            figure.gantt {
                figcaption { (text(&self.caption)) }
                div.lines {
                    div.line.axis aria-hidden="true" {
                        span.name {}
                        (self.axis())
                    }
                    @for (name, episodes) in &self.rows {
                        div.line {
                            span.name { (text(name)) }
                            svg.track width="100%" height="18" role="img" aria-label=(about(name, episodes)) {
                                @for (at, _) in &self.ticks {
                                    line.tick x1={ (place(*at)) "%" } x2={ (place(*at)) "%" } y1="0" y2="18" {}
                                }
                                @for episode in episodes { (rect(episode)) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn axis(&self) -> Markup {
        let last = self.ticks.len().saturating_sub(1);
        html! {
            svg.track width="100%" height="18" {
                @for (n, (at, label)) in self.ticks.iter().enumerate() {
                    text x={ (place(*at)) "%" } y="13" text-anchor=(anchor(n, last, *at)) { (text(label)) }
                }
            }
        }
    }
}

fn rect(episode: &Episode) -> Markup {
    let width = (episode.end - episode.begin).max(0.4);
    let strength =
        if episode.strength >= 66.0 { 3 } else { 1 + u8::from(episode.strength >= 33.0) };
    html! {
        rect class={ "s" (strength) @if episode.is_on { " on" } } x={ (place(episode.begin)) "%" }
            width={ (place(width)) "%" } y="2" height="14" rx="2" {
            title { (episode.about.iter().map(|line| text(line)).collect::<Vec<_>>().join("\n")) }
        }
    }
}

/// The first and the last label stay inside.
fn anchor(n: usize, last: usize, at: f64) -> &'static str {
    match (n, at) {
        (0, at) if at < 5.0 => "start",
        (n, at) if n == last && at > 95.0 => "end",
        _ => "middle",
    }
}

fn place(percent: f64) -> String {
    format!("{:.2}", if percent.is_finite() { percent.clamp(0.0, 100.0) } else { 0.0 })
}

fn about(name: &str, episodes: &[Episode]) -> String {
    let all: Vec<String> = episodes.iter().map(|episode| episode.about.join(", ")).collect();
    text(&format!("{name}: {}", all.join("; ")))
}
