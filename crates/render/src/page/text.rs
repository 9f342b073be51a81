//! Text of anyone on a page, and the lines that a reader copies into a terminal.

use maud::{Markup, html};

/// Text as a reader sees it, whoever wrote it: what has no glyph or turns the reading direction
/// is spelt out, and the template escapes what HTML would obey.
pub(super) fn text(text: &str) -> String {
    crate::escape::visible(text)
}

/// The command that gives a figure in a terminal.
pub(super) fn command(line: &str) -> Markup {
    html! { p.command { code { (text(line)) } " " button.copy type="button" hidden { "Copy" } } }
}
