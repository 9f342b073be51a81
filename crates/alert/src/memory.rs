//! What is remembered from run to run: since when what is a problem, who was told, what could not be
//! sent yet, and of what nobody wants to hear. Pure: it is given the time.

mod watched;

pub use watched::{Change, Ended, Turn, Watched, group_name};

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Event, Rules};

/// The name under which all rules are muted.
const ALL: &str = "*";

/// All that is remembered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// What is known of each rule, by name.
    pub rules: BTreeMap<String, Watched>,
    /// What is still to be sent, the oldest first.
    pub outbox: Vec<Unsent>,
    /// Until when a receiver asked not to be written to, in unix seconds, by name.
    #[serde(default)]
    pub waits: BTreeMap<String, i64>,
    /// Until when rules are muted, in unix seconds, by name.
    #[serde(default)]
    muted: BTreeMap<String, i64>,
    /// What was not judged and why, as the last run said it.
    #[serde(default)]
    said: BTreeSet<String>,
}

/// An event for a receiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unsent {
    /// The receiver by name.
    pub to: String,
    /// What it is to be told.
    pub event: Event,
    /// Attempts so far.
    pub tries: u32,
    /// Why the last one failed.
    pub error: Option<String>,
}

impl Memory {
    /// Forgets the rules that are not in `rules` any more: their names, and the alerts of them that
    /// are on, whose receivers would else wait for an end for ever.
    pub fn forget_gone(&mut self, rules: &Rules) -> Vec<(String, Ended)> {
        let is_kept = |name: &String| rules.rules.iter().any(|rule| rule.name == *name);
        let (kept, gone): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.rules).into_iter().partition(|(name, _)| is_kept(name));
        self.rules = kept;
        let gone = gone.into_iter();
        gone.filter_map(|(name, watched)| Some((name, watched.ended()?))).collect()
    }

    /// Nobody is told of what begins under `rule`, or under any rule, until `until` in unix seconds.
    pub fn mute(&mut self, rule: Option<&str>, until: i64) {
        self.muted.insert(rule.unwrap_or(ALL).to_owned(), until);
    }

    /// Takes [`Memory::mute`] back; of no rule all that was muted. Whether anything was.
    pub fn unmute(&mut self, rule: Option<&str>) -> bool {
        match rule {
            Some(rule) => self.muted.remove(rule).is_some(),
            None => !std::mem::take(&mut self.muted).is_empty(),
        }
    }

    /// Whether `rule` is muted at `now`, in unix seconds.
    pub fn is_muted(&self, rule: &str, now: i64) -> bool {
        let is_now = |name: &str| self.muted.get(name).is_some_and(|until| now < *until);
        is_now(rule) || is_now(ALL)
    }

    /// Remembers what a run has to say, and returns what of it the run before did not say: a note
    /// that is true for days is no news each five minutes.
    pub fn news(&mut self, notes: BTreeSet<String>) -> Vec<String> {
        let news = notes.difference(&self.said).cloned().collect();
        self.said = notes;
        news
    }

    /// Forgets what is over at `now`, in unix seconds.
    pub fn forget_past(&mut self, now: i64) {
        self.waits.retain(|_, until| now < *until);
        self.muted.retain(|_, until| now < *until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seen, Severity};

    #[test]
    fn a_rule_that_is_gone_ends_its_alert_as_it_was_told() {
        let rule = |name: &str, severity: &str| {
            let text = format!(
                "[[rule]]\nname = \"{name}\"\nmetric = \"m\"\nabove = 10.0\nseverity = \"{severity}\""
            );
            Rules::parse(&text).expect("rules")
        };
        let (mut memory, old) = (Memory::default(), rule("a", "critical"));
        let seen = [Seen { value: 11.0, ..Seen::default() }];
        let step = |memory: &mut Memory, rules: &Rules, seen: &[Seen]| {
            let watched = memory.rules.entry("a".to_owned()).or_default();
            watched.step(&rules.rules[0], Turn::at(60), seen)
        };
        step(&mut memory, &old, &seen);
        assert_eq!(memory.forget_gone(&rule("a", "info")), []);
        let ended =
            Ended { since: 60, groups: vec![vec![]], severity: Severity::Critical, to: None };
        let mut other = memory.clone();
        assert_eq!(step(&mut other, &rule("a", "info"), &[]), Some(Change::Off(ended.clone())));
        assert_eq!(memory.forget_gone(&rule("b", "info")), [("a".to_owned(), ended)]);
        assert_eq!(memory, Memory::default());
    }

    #[test]
    fn a_note_is_said_again_only_after_it_was_untrue() {
        let mut memory = Memory::default();
        let notes = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(memory.news(notes(&["a", "b"])), ["a", "b"]);
        assert_eq!(memory.news(notes(&["a"])), [""; 0]);
        assert_eq!(memory.news(notes(&["a", "b"])), ["b"]);
    }

    #[test]
    fn a_rule_is_muted_by_its_name_or_with_all_until_the_time_that_was_said() {
        let mut memory = Memory::default();
        memory.mute(Some("a"), 100);
        assert!(memory.is_muted("a", 99) && !memory.is_muted("a", 100));
        assert!(!memory.is_muted("b", 99));
        memory.mute(None, 50);
        assert!(memory.is_muted("b", 49));
        assert!(memory.unmute(None) && !memory.unmute(Some("a")));
        assert!(!memory.is_muted("a", 1));
    }

    #[test]
    fn what_an_earlier_version_remembered_is_read() {
        let memory: Memory = serde_json::from_str("{\"rules\": {}, \"outbox\": []}").expect("json");
        assert_eq!(memory, Memory::default());
    }
}
