//! The looks that all parts of the screen share: colours, weights, rows of an area.

use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

/// The colours; without colour all is said by words, bold and reverse.
#[derive(Clone, Copy)]
pub(super) struct Theme {
    pub(super) color: bool,
}

impl Theme {
    /// What needs attention. Readable on light and on dark.
    pub(super) fn alarm(self) -> Style {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        if self.color { bold.fg(Color::Red) } else { bold }
    }

    /// The bars of a trend.
    pub(super) fn trend(self) -> Style {
        if self.color { Style::new().fg(Color::Magenta) } else { Style::new() }
    }
}

pub(super) const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
pub(super) const REVERSED: Style = Style::new().add_modifier(Modifier::REVERSED);

/// A line of an area; empty below its end.
pub(super) fn row_of(area: Rect, n: usize) -> Rect {
    let n = u16::try_from(n).unwrap_or(u16::MAX);
    Rect { y: area.y.saturating_add(n), height: 1, ..area }.intersection(area)
}
