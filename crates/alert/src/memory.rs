//! What is remembered from run to run: since when what is a problem, who was told, what could not be
//! sent yet; and the one function that decides whether something is to be told. Pure: it is given
//! what was measured and the time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Breach, Event, Rule, Rules, Seen, Severity};

/// All that is remembered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// What is known of each rule, by name.
    pub rules: BTreeMap<String, Watched>,
    /// What is still to be sent, the oldest first.
    pub outbox: Vec<Unsent>,
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

/// What is known of a rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// The groups that are a problem, by their values.
    groups: BTreeMap<String, Trouble>,
    /// The alert that is on.
    open: Option<Open>,
    /// When the last one ended, in unix seconds.
    closed: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Trouble {
    labels: Vec<(String, String)>,
    /// Seen first, in unix seconds.
    since: i64,
    /// It lasted long enough.
    is_on: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    since: i64,
    /// When something was told last.
    told: i64,
    /// The groups that were told.
    groups: BTreeMap<String, Vec<(String, String)>>,
    /// How urgent it was called.
    #[serde(default)]
    severity: Severity,
    /// Who was told, by name; none for all receivers.
    #[serde(default)]
    to: Option<Vec<String>>,
}

/// What is to be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A problem began, or got more groups.
    On {
        /// Begin of the problem, in unix seconds.
        since: i64,
        /// Places of its groups among what was measured.
        groups: Vec<usize>,
    },
    /// It is over.
    Off(Ended),
}

/// An alert that is over, as it was told: its end goes to the same receivers under the same labels,
/// whatever the rule says by now.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// Begin of the problem, in unix seconds.
    pub since: i64,
    /// The groups that were told, as dimensions and values.
    pub groups: Vec<Vec<(String, String)>>,
    /// How urgent it was called.
    pub severity: Severity,
    /// Who was told, by name; none for all receivers.
    pub to: Option<Vec<String>>,
}

impl From<Open> for Ended {
    fn from(open: Open) -> Ended {
        let Open { since, groups, severity, to, .. } = open;
        Ended { since, groups: groups.into_values().collect(), severity, to }
    }
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
        gone.filter_map(|(name, watched)| Some((name, watched.open?.into()))).collect()
    }
}

/// The values of a group as one text.
pub fn group_name(labels: &[(String, String)]) -> String {
    labels.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" / ")
}

impl Watched {
    /// Whether an alert is on.
    pub const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether what is on speaks of a group with these dimensions and values: they have one in
    /// common, and contradict each other in none.
    pub fn tells_of(&self, labels: &[(String, String)]) -> bool {
        let speaks = |trouble: &Trouble| {
            let same = trouble.labels.iter().filter_map(|(dim, value)| {
                labels.iter().find(|(other, _)| other == dim).map(|(_, other)| other == value)
            });
            let same: Vec<bool> = same.collect();
            trouble.is_on && !same.contains(&false) && (!same.is_empty() || labels.is_empty())
        };
        self.groups.values().any(speaks)
    }

    /// Takes in what was measured at `now`, in unix seconds, and says what is to be told.
    pub fn step(&mut self, rule: &Rule, now: i64, seen: &[Seen]) -> Option<Change> {
        let mut places = BTreeMap::new();
        let mut groups = BTreeMap::new();
        for (place, seen) in seen.iter().enumerate() {
            let name = group_name(&seen.labels);
            let known = self.groups.get(&name);
            let since = match (rule.judge(seen), known) {
                (Breach::Yes, None) => now,
                (Breach::Yes, Some(known)) => known.since,
                (Breach::Eased, Some(known)) if known.is_on => known.since,
                _ => continue,
            };
            let was_on = known.is_some_and(|known| known.is_on);
            let is_on = was_on || now - since >= rule.lasting.0;
            places.insert(name.clone(), place);
            groups.insert(name, Trouble { labels: seen.labels.clone(), since, is_on });
        }
        self.groups = groups;
        let on: Vec<(&String, &Trouble)> =
            self.groups.iter().filter(|(_, trouble)| trouble.is_on).collect();
        let first = on.iter().map(|(_, trouble)| trouble.since).min();
        match (&mut self.open, first) {
            (None, Some(since)) => {
                let is_quiet = self.closed.is_some_and(|closed| now - closed < rule.cooldown.0);
                if is_quiet {
                    return None;
                }
                let told = on.iter().map(|(name, of)| ((*name).clone(), of.labels.clone()));
                self.open = Some(Open {
                    since,
                    told: now,
                    groups: told.collect(),
                    severity: rule.severity,
                    to: rule.to.clone(),
                });
                let groups = on.iter().map(|(name, _)| places[*name]).collect();
                Some(Change::On { since, groups })
            }
            (Some(open), Some(_)) => {
                let is_new = |(name, _): &&(&String, &Trouble)| !open.groups.contains_key(*name);
                if now - open.told < rule.cooldown.0 || !on.iter().any(|group| is_new(&group)) {
                    return None;
                }
                open.told = now;
                for (name, trouble) in &on {
                    open.groups.insert((*name).clone(), trouble.labels.clone());
                }
                let groups = on.iter().map(|(name, _)| places[*name]).collect();
                Some(Change::On { since: open.since, groups })
            }
            (Some(_), None) => {
                self.closed = Some(now);
                self.open.take().map(|open| Change::Off(open.into()))
            }
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rules;

    fn rule(lines: &str) -> Rule {
        let text =
            format!("[[rule]]\nname = \"a\"\nmetric = \"m\"\nabove = 10.0\nby = [\"ip\"]\n{lines}");
        Rules::parse(&text).expect(lines).rules.remove(0)
    }

    /// The story of a rule: at each minute the values of the groups `a`, `b` and so on.
    fn story(rule: &Rule, minutes: &[&[f64]]) -> Vec<String> {
        let mut watched = Watched::default();
        let mut told = Vec::new();
        for (minute, values) in minutes.iter().enumerate() {
            let seen = |(at, value): (usize, &f64)| Seen {
                labels: vec![("ip".to_owned(), char::from(b'a' + at as u8).to_string())],
                value: *value,
                n: None,
                usual: None,
                peers: None,
            };
            let seen: Vec<Seen> = values.iter().enumerate().map(seen).collect();
            let text = serde_json::to_string(&watched).expect("json");
            watched = serde_json::from_str(&text).expect("the same");
            match watched.step(rule, minute as i64 * 60, &seen) {
                Some(Change::On { since, groups }) => {
                    told.push(format!("{minute} on since {} {groups:?}", since / 60));
                }
                Some(Change::Off(ended)) => {
                    told.push(format!("{minute} off {}", ended.groups.len()))
                }
                None => {}
            }
        }
        told
    }

    #[test]
    fn one_problem_is_told_once_and_its_end_once() {
        let minutes: &[&[f64]] = &[&[5.0], &[11.0], &[12.0], &[9.0], &[11.0], &[7.0], &[5.0]];
        assert_eq!(story(&rule(""), minutes), ["1 on since 1 [0]", "5 off 1"]);
    }

    #[test]
    fn what_does_not_last_is_not_told() {
        let minutes: &[&[f64]] = &[&[11.0], &[7.0], &[11.0], &[11.0], &[11.0], &[5.0]];
        let told = story(&rule("for = \"2m\""), minutes);
        assert_eq!(told, ["4 on since 2 [0]", "5 off 1"]);
    }

    #[test]
    fn a_flapping_one_is_told_again_after_the_cooldown_only() {
        let minutes: &[&[f64]] = &[&[11.0], &[5.0], &[11.0], &[5.0], &[11.0], &[11.0], &[11.0]];
        let told = story(&rule("cooldown = \"4m\""), minutes);
        assert_eq!(told, ["0 on since 0 [0]", "1 off 1", "5 on since 4 [0]"]);
    }

    #[test]
    fn a_group_that_joins_is_told_with_the_others_and_all_end_together() {
        let minutes: &[&[f64]] =
            &[&[11.0, 5.0], &[11.0, 12.0], &[11.0, 12.0], &[5.0, 12.0], &[5.0, 5.0]];
        let told = story(&rule("cooldown = \"2m\""), minutes);
        assert_eq!(told, ["0 on since 0 [0]", "2 on since 0 [0, 1]", "4 off 2"]);
    }

    #[test]
    fn a_rule_that_is_gone_ends_its_alert_as_it_was_told() {
        let rule = |name: &str, severity: &str| {
            let text = format!(
                "[[rule]]\nname = \"{name}\"\nmetric = \"m\"\nabove = 10.0\nseverity = \"{severity}\""
            );
            Rules::parse(&text).expect("rules")
        };
        let (mut memory, old) = (Memory::default(), rule("a", "critical"));
        let seen = [Seen { labels: Vec::new(), value: 11.0, n: None, usual: None, peers: None }];
        let step = |memory: &mut Memory, rules: &Rules, seen: &[Seen]| {
            memory.rules.entry("a".to_owned()).or_default().step(&rules.rules[0], 60, seen)
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
    fn another_rule_tells_the_same_when_the_groups_agree() {
        let mut watched = Watched::default();
        let labels = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(dim, value)| ((*dim).to_owned(), (*value).to_owned())).collect()
        };
        let on = labels(&[("provider", "yahoo"), ("ip", "a")]);
        let seen = Seen { labels: on, value: 11.0, n: None, usual: None, peers: None };
        watched.step(&rule(""), 0, &[seen]);
        assert!(watched.tells_of(&labels(&[("provider", "yahoo")])));
        assert!(watched.tells_of(&[]));
        assert!(!watched.tells_of(&labels(&[("provider", "gmail")])));
        assert!(!watched.tells_of(&labels(&[("ip", "a"), ("provider", "gmail")])));
        assert!(!watched.tells_of(&labels(&[("job", "1")])));
    }
}
