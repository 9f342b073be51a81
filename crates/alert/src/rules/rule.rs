//! One rule: what it watches, from which value on that is a problem, and how it is told. Checks
//! what can be checked without a store.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::seconds::Seconds;

/// What a rule looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Watch {
    /// A metric of the records.
    #[default]
    Metric,
    /// Replies that were never seen before, by template.
    NewReply,
    /// Whether nothing was attempted in the window, where something usually is.
    Silence,
    /// The age of the newest record, in seconds.
    Lag,
    /// Lines that ingest refused in the window.
    RefusedLines,
    /// Ingests that failed one after the other.
    FailedIngests,
    /// How long a writer has held the lock of the store, in seconds.
    Lock,
    /// The processes of a name: that there are any, or at least `below`.
    Process,
    /// The memory of the processes of a name, also what is swapped out, in percent of the machine's.
    Memory,
    /// The address space of the processes of a name, in percent of the machine's memory and swap.
    VirtualMemory,
    /// The used part of the machine's swap, in percent.
    Swap,
    /// The used part of a file system, in percent.
    Disk,
}

impl Watch {
    /// Whether it looks at records up to the newest one, and so at nothing when these are too old.
    pub const fn is_of_records(self) -> bool {
        matches!(self, Watch::Metric | Watch::NewReply)
    }

    /// Whether it looks at the machine or beside the store, which needs no record.
    pub const fn is_of_machine(self) -> bool {
        use Watch::{Disk, FailedIngests, Lock, Memory, Process, Swap, VirtualMemory};
        matches!(self, FailedIngests | Lock | Process | Memory | VirtualMemory | Swap | Disk)
    }

    const fn is_of_process(self) -> bool {
        matches!(self, Watch::Process | Watch::Memory | Watch::VirtualMemory)
    }

    /// Whether it is a problem by itself, with no limit of its value.
    const fn needs_no_limit(self) -> bool {
        matches!(self, Watch::NewReply | Watch::Silence | Watch::Process)
    }
}

/// How urgent it is, in the words of PagerDuty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To be known.
    Info,
    /// To be looked at today.
    #[default]
    Warning,
    /// To be looked at soon.
    Error,
    /// To be looked at now.
    Critical,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
            Severity::Critical => "critical",
        })
    }
}

/// What is watched, and from which value on it is a problem. All limits that are set must be
/// passed at once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// What the alert is called.
    pub name: String,
    /// What is looked at.
    #[serde(default)]
    pub watch: Watch,
    /// The metric, as `pmtaq metrics` names it.
    pub metric: Option<String>,
    /// Dimensions, each combination of values by itself.
    #[serde(default)]
    pub by: Vec<String>,
    /// Filters: a dimension and the values that count.
    #[serde(default)]
    pub only: BTreeMap<String, Vec<String>>,
    /// A condition in SQL over the columns of `records`.
    #[serde(rename = "where")]
    pub condition: Option<String>,
    /// The times up to now that are looked at, each by itself: a problem in one of them is one.
    #[serde(default = "an_hour_long", rename = "window", deserialize_with = "one_or_more")]
    pub windows: Vec<Seconds>,
    /// A problem above this value.
    pub above: Option<f64>,
    /// A problem below this value.
    pub below: Option<f64>,
    /// Where a problem ends; without it a fifth on the good side of `above` or `below`.
    pub clear: Option<f64>,
    /// A problem above so many times the middle of the same hours of the last 7 days.
    pub times_usual: Option<f64>,
    /// A problem below this part of that.
    pub below_usual: Option<f64>,
    /// A problem above so many times the middle of the others: the values of the last dimension of
    /// `by`, where the ones before it are equal.
    pub times_peers: Option<f64>,
    /// Whether a group of which nothing is known to be usual is not judged; else `above` and `below`
    /// decide alone.
    #[serde(default)]
    pub needs_past: bool,
    /// Denominator of a rate, deliveries of a duration, or usual count, from which on it is judged.
    #[serde(default = "twenty")]
    pub min_n: f64,
    /// How long it must last before anyone is told.
    #[serde(default, rename = "for")]
    pub lasting: Seconds,
    /// After an alert ended, or was told, so long nothing of this rule is told.
    #[serde(default = "an_hour")]
    pub cooldown: Seconds,
    /// How long after it was told last an alert that is still on is told again; none for never.
    pub remind: Option<Seconds>,
    /// How urgent it is.
    #[serde(default)]
    pub severity: Severity,
    /// Earlier rules that tell the same: no word of groups for which one of these is on.
    #[serde(default)]
    pub unless: Vec<String>,
    /// Where it is written what to do.
    pub runbook: Option<String>,
    /// The directive of PMTA that the limit belongs to.
    pub directive: Option<String>,
    /// Receivers by name; without it all.
    pub to: Option<Vec<String>>,
    /// The folder whose file system is watched.
    pub path: Option<String>,
    /// The name of the processes that are watched.
    pub process: Option<String>,
}

fn an_hour() -> Seconds {
    Seconds(3600)
}

fn an_hour_long() -> Vec<Seconds> {
    vec![an_hour()]
}

fn twenty() -> f64 {
    20.0
}

/// A length of time, or a list of them, the shortest first.
fn one_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Seconds>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Lengths {
        One(String),
        More(Vec<String>),
    }
    let texts = match Lengths::deserialize(from)? {
        Lengths::One(text) => vec![text],
        Lengths::More(texts) => texts,
    };
    let mut lengths = texts
        .iter()
        .map(|text| Seconds::parse(text))
        .collect::<Result<Vec<_>, _>>()
        .map_err(serde::de::Error::custom)?;
    lengths.sort_unstable();
    lengths.dedup();
    Ok(lengths)
}

impl Rule {
    /// Whether too little of something is a problem.
    pub const fn is_of_too_little(&self) -> bool {
        self.below.is_some() || self.below_usual.is_some()
    }

    /// Whether it compares with the same hours of the days before.
    pub fn needs_usual(&self) -> bool {
        let is_compared = self.times_usual.is_some() || self.below_usual.is_some();
        is_compared || self.below.is_some() || self.watch == Watch::Silence
    }

    /// The longest of its windows, in seconds.
    pub fn longest_window_s(&self) -> i64 {
        self.windows.last().map_or(0, |window| window.0)
    }

    pub(super) fn check(&self, earlier: &[&str], receivers: &[&str]) -> Result<(), String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.is_empty() || !self.name.chars().all(is_plain) {
            return Err("a name has letters, digits, - _ . and nothing else".to_owned());
        }
        if earlier.contains(&self.name.as_str()) {
            return Err("another rule has this name".to_owned());
        }
        self.check_watch()?;
        self.check_limits()?;
        if self.windows.is_empty() || self.windows.iter().any(|w| !(60..=86_400).contains(&w.0)) {
            return Err("a window has 1m to 24h".to_owned());
        }
        if self.windows.len() > 1 && self.watch != Watch::Metric {
            return Err("only a metric has several windows".to_owned());
        }
        if let Some(name) = self.unless.iter().find(|name| !earlier.contains(&name.as_str())) {
            return Err(format!("`unless` names `{name}`, and no rule above is called so"));
        }
        let named = self.to.iter().flatten();
        if let Some(name) = named.into_iter().find(|name| !receivers.contains(&name.as_str())) {
            return Err(format!("`to` names `{name}`, and no receiver is called so"));
        }
        Ok(())
    }

    /// Whether it says all that its `watch` needs, and nothing that it does not heed.
    fn check_watch(&self) -> Result<(), String> {
        let wrong = match self.watch {
            Watch::Metric if self.metric.is_none() => {
                "`metric` is missing; `pmtaq metrics` lists them"
            }
            Watch::Lag if self.by.len() > 1 => "`lag` goes by one dimension",
            watch if watch.is_of_process() && self.process.is_none() => {
                "`process` is missing: the name of the program, such as pmtad"
            }
            Watch::Disk if self.path.is_none() => "`path` is missing: a folder of the file system",
            watch if watch != Watch::Metric && self.metric.is_some() => {
                "`metric` is for `watch = \"metric\"`"
            }
            watch if watch.is_of_machine() && !self.by.is_empty() => {
                "only records have dimensions: `by` is of no use here"
            }
            _ => return Ok(()),
        };
        Err(wrong.to_owned())
    }

    fn check_limits(&self) -> Result<(), String> {
        let relative = [self.times_usual, self.below_usual, self.times_peers];
        let is_relative = relative.iter().any(Option::is_some);
        let has_limit = self.above.is_some() || self.below.is_some() || is_relative;
        let is_metric = self.watch == Watch::Metric;
        if !has_limit && !self.watch.needs_no_limit() {
            let all = "a limit is missing: above, below, times-usual, below-usual or times-peers";
            return Err(all.to_owned());
        }
        if has_limit && matches!(self.watch, Watch::NewReply | Watch::Silence) {
            let what =
                if self.watch == Watch::Silence { "silence has" } else { "new replies have" };
            return Err(format!("{what} no limit but min-n"));
        }
        if !is_metric && is_relative {
            return Err("only a metric has times-usual, below-usual and times-peers".to_owned());
        }
        if self.watch == Watch::Process && (self.above.is_some() || self.clear.is_some()) {
            return Err("of processes there can be too few: `below` is their limit".to_owned());
        }
        if !is_metric && self.watch != Watch::Process && self.below.is_some() {
            return Err("only a metric and a process have `below`".to_owned());
        }
        if self.times_peers.is_some() && self.by.is_empty() {
            return Err(
                "times-peers compares the values of a dimension: `by` is missing".to_owned()
            );
        }
        if self.above.is_some() && self.below.is_some() {
            return Err("above and below are two rules".to_owned());
        }
        let of_usual = [self.times_usual, self.times_peers].into_iter().flatten();
        if of_usual.into_iter().any(|times| times <= 1.0) {
            return Err("times-usual and times-peers are above 1".to_owned());
        }
        if self.below_usual.is_some_and(|part| part <= 0.0 || part >= 1.0) {
            return Err("below-usual lies between 0 and 1".to_owned());
        }
        Ok(())
    }
}
