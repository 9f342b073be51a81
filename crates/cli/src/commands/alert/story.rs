//! An alert in words: how it began, with its reasons, and how it ended. Sends nothing.

use pmtaq_alert::{Ended, Event, Firing, Rule, Seen, Severity, Told, group_name};
use pmtaq_render::words::{duration, visible};
use pmtaq_schema::Timestamp;

use super::observe::Watcher;
use super::{reason, words};
use crate::context::Context;

/// Groups of an alert that are told with their values; of the first of them the reasons too.
const MAX_GROUPS: usize = 20;
const MAX_REASONS: usize = 3;

/// An alert that began, got more groups or is still on.
pub(super) struct Begin<'r> {
    pub(super) rule: &'r Rule,
    /// Begin of the problem, in unix seconds.
    pub(super) since: i64,
    /// The end of the time that was looked at.
    pub(super) at: Timestamp,
    pub(super) is_reminder: bool,
}

impl Begin<'_> {
    /// What is told of it. What cannot be found out of its causes is left out, and said.
    pub(super) fn event(&self, watcher: &mut Watcher<'_>, mut groups: Vec<&Seen>) -> Event {
        let rule = self.rule;
        // What rests on the most comes first.
        groups.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
        let mut told = Vec::new();
        for (place, group) in groups.iter().take(MAX_GROUPS).enumerate() {
            let (reasons, command) = if place < MAX_REASONS {
                reason::of(watcher, rule, group, self.at).unwrap_or_else(|failure| {
                    watcher.close();
                    (vec![format!("why is not known: {}", failure.message())], None)
                })
            } else {
                (Vec::new(), None)
            };
            let words = words::words(rule, group);
            told.push(Told { labels: group.labels.clone(), words, reasons, command });
        }
        let context = watcher.context;
        let more = match groups.len() {
            0 | 1 => String::new(),
            n => format!(", and {} more", n - 1),
        };
        let first = told.first().map(|told| told.words.clone()).unwrap_or_default();
        let still = if self.is_reminder {
            format!("still on after {}: ", lasted(context, self.since))
        } else {
            String::new()
        };
        let summary = format!("{}: {still}{first}{more}", rule.name);
        Event {
            runbook: rule.runbook.clone(),
            directive: rule.directive.clone(),
            groups: told,
            ..event(context, &rule.name, Firing::Firing, rule.severity, self.since, &summary)
        }
    }
}

fn lasted(context: &Context, since: i64) -> String {
    duration((context.now.0 - since).max(0) as f64)
}

/// An alert that is over.
pub(super) fn ended(context: &Context, rule: &str, ended: &Ended) -> Event {
    of_end(context, rule, ended, "over")
}

/// An alert whose rule is gone.
pub(super) fn abandoned(context: &Context, rule: &str, ended: &Ended) -> Event {
    of_end(context, rule, ended, "no longer watched, its rule was taken out")
}

fn of_end(context: &Context, rule: &str, ended: &Ended, word: &str) -> Event {
    let names = ended.groups.iter().take(3).map(|labels| group_name(labels));
    let names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
    let of = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    let lasted = lasted(context, ended.since);
    let summary = format!("{rule}{of}: {word} after {lasted}");
    let told = ended.groups.iter().map(|labels| Told {
        labels: labels.clone(),
        words: String::new(),
        reasons: Vec::new(),
        command: None,
    });
    Event {
        groups: told.collect(),
        ..event(context, rule, Firing::Resolved, ended.severity, ended.since, &summary)
    }
}

/// What all events have.
fn event(
    context: &Context,
    rule: &str,
    status: Firing,
    severity: Severity,
    since: i64,
    summary: &str,
) -> Event {
    Event {
        rule: rule.to_owned(),
        key: format!("pmtaq/{}/{rule}", context.machine),
        status,
        severity,
        source: context.machine.clone(),
        at: context.now.0,
        since,
        summary: visible(summary),
        groups: Vec::new(),
        runbook: None,
        directive: None,
    }
}

/// What a group rests on.
pub(super) fn weight(seen: &Seen) -> f64 {
    seen.n.or(seen.usual).unwrap_or(seen.value)
}
