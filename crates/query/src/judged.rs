//! What a question is about, as far as it decides which of its numbers can be known. Decides nothing.

use pmtaq_schema::Records;

use crate::dimension::Dimension;

/// What the metrics of a question are of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judged {
    /// What is grouped by.
    pub(crate) by: Vec<&'static Dimension>,
    /// What is filtered by, and whether it is those without a value that pass.
    pub(crate) filtered: Vec<(&'static Dimension, bool)>,
    /// The MTAs that pass: one of each list, with `*` for any text.
    pub(crate) hosts: Vec<Vec<String>>,
    /// The record types that are given what their deliveries have.
    pub(crate) matched: Records,
    /// The statement itself asks, since nobody looks at its answer.
    pub(crate) is_asked: bool,
}

/// What a parameter begins with that says whether a metric can be known; its name follows.
pub(crate) const IS_KNOWN: &str = "known_";
