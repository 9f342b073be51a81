//! What a receiver is told: an alert in words and as data. Sends nothing.

use serde::{Deserialize, Serialize};

use crate::Severity;

/// An alert that began, grew or ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Name of the rule.
    pub rule: String,
    /// The same for all events of an alert, and for all alerts of a rule of this store.
    pub key: String,
    /// Whether it is a problem, or over.
    pub status: Firing,
    /// How urgent it is.
    pub severity: Severity,
    /// The machine that tells.
    pub source: String,
    /// When this was found, in unix seconds.
    pub at: i64,
    /// Begin of the problem, in unix seconds.
    pub since: i64,
    /// One line.
    pub summary: String,
    /// The groups that are a problem; of one that is over, those that were.
    pub groups: Vec<Told>,
    /// Where it is written what to do.
    pub runbook: Option<String>,
    /// The directive of PMTA that the limit belongs to.
    pub directive: Option<String>,
}

/// Whether a problem is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Firing {
    /// It is.
    Firing,
    /// It is over.
    Resolved,
}

/// A group of an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Dimensions and their values.
    pub labels: Vec<(String, String)>,
    /// What was measured, in words.
    pub words: String,
    /// What is known of the cause: replies, and what `why` says.
    pub reasons: Vec<String>,
    /// A command that shows more.
    pub command: Option<String>,
}

impl Event {
    /// The event for people, some lines of text.
    pub fn text(&self) -> String {
        let mut lines = vec![self.summary.clone()];
        for group in &self.groups {
            // Of a single one the first line tells all.
            if self.groups.len() > 1 && !group.words.is_empty() {
                lines.push(format!("- {}", group.words));
            }
            lines.extend(group.reasons.iter().map(|reason| format!("  {reason}")));
            lines.extend(group.command.iter().map(|command| format!("  $ {command}")));
        }
        lines.extend(self.directive.iter().map(|name| format!("directive: {name}")));
        lines.extend(self.runbook.iter().map(|url| format!("runbook: {url}")));
        lines.join("\n") + "\n"
    }
}
