//! Single values in the words of a table, for pages that are no tables.
//! Never writes anything.

pub use pmtaq_schema::untrusted::visible;

use crate::{fit, human};

/// A count with thousands separators, rounded to a whole number.
pub fn count(n: f64) -> String {
    human::grouped(&format!("{:.0}", if n.abs() < 0.5 { 0.0 } else { n }))
}

/// A share of 0 to 100, `12.3 %`; only an exact 0 or 100 looks like one.
pub fn percent(n: f64) -> String {
    human::percent(n)
}

/// A duration in its two largest units: `12s`, `4h 05m`.
pub fn duration(seconds: f64) -> String {
    human::seconds(seconds)
}

/// A size in powers of 1000, `1.2 MB`.
pub fn bytes(n: f64) -> String {
    human::bytes(n)
}

/// Text with its middle replaced by an ellipsis so that it is no wider than `width`.
pub fn cut(text: &str, width: usize) -> String {
    fit::cut(text, width)
}

/// The lines of a text, broken between words; a word longer than `width` has a line of its own.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    fit::wrapped(text, width)
}
