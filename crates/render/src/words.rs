//! Single values in the words of a table, for pages that are no tables.
//! Never writes anything.

pub use pmtaq_schema::human::{bytes, count, duration, percent};
pub use pmtaq_schema::untrusted::visible;

use crate::fit;

/// Text with its middle replaced by an ellipsis so that it is no wider than `width`.
pub fn cut(text: &str, width: usize) -> String {
    fit::cut(text, width)
}

/// The lines of a text, broken between words; a word longer than `width` has a line of its own.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    fit::wrapped(text, width)
}
