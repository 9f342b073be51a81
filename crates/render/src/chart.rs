//! Numbers over time as a drawing: a model of panels, painted for a terminal or as SVG.
//! Never touches the terminal, files or the clock, and computes no number but positions.

mod model;

mod axis;
mod svg;
mod terminal;

pub use model::{Chart, Edge, Line, Size};

/// The panels as one picture.
pub fn svg(charts: &[Chart]) -> String {
    svg::paint(charts, true)
}

/// The same for a page that has [`style`] among its own.
pub(crate) fn svg_in_page(charts: &[Chart]) -> String {
    svg::paint(charts, false)
}

/// What a page with charts must have in its style.
pub(crate) fn style() -> &'static str {
    svg::STYLE
}
