//! What `doctor` finds out, and the words for numbers, moments and lists in it. Finds nothing itself.

use pmtaq_render::words;
use pmtaq_schema::Timestamp;

use crate::context::Context;

/// What was found out about one thing.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) level: Severity,
    pub(super) what: String,
    /// Lines that would help: of PMTA's configuration, or a command.
    pub(super) fix: Vec<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// As it should be.
    Ok,
    /// Not logged, so that some reports say less. A choice, and no trouble.
    Lacks,
    /// Lost, late or refused.
    Trouble,
}

impl Severity {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Severity::Ok => "ok",
            Severity::Lacks => "lacks",
            Severity::Trouble => "trouble",
        }
    }
}

impl Finding {
    pub(super) fn new(check: &'static str, level: Severity, what: impl Into<String>) -> Finding {
        Finding { check, level, what: what.into(), fix: Vec::new() }
    }

    pub(super) fn fix(mut self, line: impl Into<String>) -> Finding {
        self.fix.push(line.into());
        self
    }
}

/// A moment, to the second.
pub(super) fn time_text(context: &Context, time: Timestamp) -> String {
    context.global.tz.local(time).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A number with its thousands apart.
pub(super) fn thousands(number: u64) -> String {
    words::count(number as f64)
}

/// So many of a thing.
pub(super) fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", thousands(number), if number == 1 { "" } else { "s" })
}

/// The first of many, and how many more there are.
pub(super) fn few(all: &[String]) -> String {
    const SHOWN: usize = 8;
    let more = all.len().saturating_sub(SHOWN);
    let first = all[..all.len().min(SHOWN)].join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lists_are_for_people() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        let many: Vec<String> = (0..10).map(|n| n.to_string()).collect();
        assert_eq!(few(&many), "0, 1, 2, 3, 4, 5, 6, 7 and 2 more");
    }
}
