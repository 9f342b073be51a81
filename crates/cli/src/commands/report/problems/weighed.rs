//! A problem with its weight, by which problems are ranked.

use pmtaq_render::page::{Level, Problem};

/// A problem, and how many recipients it cost.
pub(super) struct Weighed {
    pub(super) problem: Problem,
    pub(super) weight: f64,
    /// What was said of it, so that another search does not say it again.
    pub(super) templates: Vec<String>,
}

impl Weighed {
    pub(super) fn new(problem: Problem, weight: f64) -> Weighed {
        let templates = problem.replies.iter().map(|said| said.reply.clone()).collect();
        Weighed { problem, weight, templates }
    }
}

/// How bad it is that `weight` of `all` recipients had trouble.
pub(super) fn level(weight: f64, all: f64) -> Level {
    match 100.0 * weight / all.max(1.0) {
        share if share >= 1.0 => Level::Alarm,
        share if share >= 0.1 => Level::Warning,
        _ => Level::Notice,
    }
}

/// The first `most` of some facts, and how many more there are.
pub(super) fn first_of(mut facts: Vec<String>, most: usize) -> Vec<String> {
    let more = facts.len().saturating_sub(most);
    facts.truncate(most);
    facts.extend((more > 0).then(|| format!("and {more} more")));
    facts
}
