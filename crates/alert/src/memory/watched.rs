//! What is known of a rule from run to run, and the one function that decides whether something is
//! to be told. Pure: it is given what was measured and the time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Breach, Rule, Seen, Severity};

/// When a rule is judged, and how.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// The time, in unix seconds.
    pub now: i64,
    /// Whether nobody is told of what begins or grows.
    pub is_muted: bool,
    /// Whether a problem must have lasted as long as the rule says. Where nothing can be remembered
    /// nothing ever lasts, and to tell too soon is better than never.
    pub is_patient: bool,
}

impl Turn {
    /// The usual one.
    pub const fn at(now: i64) -> Turn {
        Turn { now, is_muted: false, is_patient: true }
    }
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
    /// What was usual when it began.
    #[serde(default)]
    usual: Option<f64>,
}

impl Trouble {
    /// What was seen, with a rate compared with what was usual when the problem began, if that was
    /// less: what lasts for days must not become usual and so be over.
    fn by_its_begin(&self, seen: &Seen) -> Seen {
        let mut seen = seen.clone();
        if let (Some(_), Some(usual)) = (seen.ceiling, self.usual) {
            seen.usual = Some(seen.usual.map_or(usual, |now| now.min(usual)));
        }
        seen
    }
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
    /// A problem began, got more groups, or is still on.
    On {
        /// Begin of the problem, in unix seconds.
        since: i64,
        /// Places of its groups among what was measured.
        groups: Vec<usize>,
        /// Whether all of it was told before.
        is_reminder: bool,
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

    /// Whether the group of these dimensions and values is a problem that lasted long enough.
    pub fn is_on(&self, labels: &[(String, String)]) -> bool {
        self.groups.get(&group_name(labels)).is_some_and(|trouble| trouble.is_on)
    }

    /// The alert that is on, as one that is over.
    pub(super) fn ended(self) -> Option<Ended> {
        self.open.map(Ended::from)
    }

    /// Takes in what was measured, and says what is to be told.
    pub fn step(&mut self, rule: &Rule, turn: Turn, seen: &[Seen]) -> Option<Change> {
        let Turn { now, is_muted, is_patient } = turn;
        let places = self.judge(rule, turn, seen);
        let on: Vec<(&String, &Trouble)> =
            self.groups.iter().filter(|(_, trouble)| trouble.is_on).collect();
        let first = on.iter().map(|(_, trouble)| trouble.since).min();
        let groups = || on.iter().map(|(name, _)| places[*name]).collect();
        let told = || on.iter().map(|(name, of)| ((*name).clone(), of.labels.clone()));
        match (&mut self.open, first) {
            (None, Some(since)) => {
                let is_quiet = self.closed.is_some_and(|closed| now - closed < rule.cooldown.0);
                if is_muted || is_quiet && is_patient {
                    return None;
                }
                self.open = Some(Open {
                    since,
                    told: now,
                    groups: told().collect(),
                    severity: rule.severity,
                    to: rule.to.clone(),
                });
                Some(Change::On { since, groups: groups(), is_reminder: false })
            }
            (Some(open), Some(_)) => {
                let is_larger = on.iter().any(|(name, _)| !open.groups.contains_key(*name));
                let silent_s = now - open.told;
                let is_growing = is_larger && silent_s >= rule.cooldown.0;
                let is_reminded = rule.remind.is_some_and(|remind| silent_s >= remind.0);
                if is_muted || !(is_growing || is_reminded) {
                    return None;
                }
                open.told = now;
                open.groups.extend(told());
                Some(Change::On { since: open.since, groups: groups(), is_reminder: !is_larger })
            }
            (Some(_), None) => {
                self.closed = Some(now);
                self.open.take().map(|open| Change::Off(open.into()))
            }
            (None, None) => None,
        }
    }

    /// Brings the groups up to date, and returns where each of them stands in `seen`: where it is
    /// worst, when it was measured in several windows.
    fn judge(&mut self, rule: &Rule, turn: Turn, seen: &[Seen]) -> BTreeMap<String, usize> {
        let mut worst: BTreeMap<String, (Breach, usize)> = BTreeMap::new();
        for (place, seen) in seen.iter().enumerate() {
            let name = group_name(&seen.labels);
            let breach = match self.groups.get(&name) {
                Some(known) if known.is_on => rule.judge(&known.by_its_begin(seen)),
                _ => rule.judge(seen),
            };
            let known = worst.entry(name).or_insert((breach, place));
            if breach > known.0 {
                *known = (breach, place);
            }
        }
        let mut places = BTreeMap::new();
        let mut groups = BTreeMap::new();
        for (name, (breach, place)) in worst {
            let known = self.groups.get(&name);
            let since = match (breach, known) {
                (Breach::Yes, None) => turn.now,
                (Breach::Yes, Some(known)) => known.since,
                (Breach::Eased, Some(known)) if known.is_on => known.since,
                _ => continue,
            };
            let was_on = known.is_some_and(|known| known.is_on);
            let has_lasted = !turn.is_patient || turn.now - since >= rule.lasting.0;
            let (labels, is_on) = (seen[place].labels.clone(), was_on || has_lasted);
            let usual = known.map_or(seen[place].usual, |known| known.usual);
            groups.insert(name.clone(), Trouble { labels, since, is_on, usual });
            places.insert(name, place);
        }
        self.groups = groups;
        places
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
                ..Seen::default()
            };
            let seen: Vec<Seen> = values.iter().enumerate().map(seen).collect();
            let text = serde_json::to_string(&watched).expect("json");
            watched = serde_json::from_str(&text).expect("the same");
            match watched.step(rule, Turn::at(minute as i64 * 60), &seen) {
                Some(Change::On { since, groups, is_reminder }) => {
                    let word = if is_reminder { "still on" } else { "on" };
                    told.push(format!("{minute} {word} since {} {groups:?}", since / 60));
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
    fn what_stays_on_is_told_again_as_often_as_the_rule_says() {
        let minutes: &[&[f64]] = &[&[11.0], &[11.0], &[11.0], &[11.0], &[11.0], &[5.0]];
        let told = story(&rule("remind = \"2m\""), minutes);
        assert_eq!(
            told,
            ["0 on since 0 [0]", "2 still on since 0 [0]", "4 still on since 0 [0]", "5 off 1"]
        );
    }

    #[test]
    fn what_begins_while_muted_is_told_if_it_is_still_on_afterwards() {
        let (rule, mut watched) = (rule(""), Watched::default());
        let mut step = |now, is_muted, value| {
            let seen = [Seen { value, ..Seen::default() }];
            watched.step(&rule, Turn { is_muted, ..Turn::at(now) }, &seen)
        };
        assert_eq!(step(0, true, 11.0), None);
        let on = Change::On { since: 0, groups: vec![0], is_reminder: false };
        assert_eq!(step(60, false, 11.0), Some(on));
        // Its end is told to those who heard of it, muted or not.
        assert!(matches!(step(120, true, 5.0), Some(Change::Off(_))));
    }

    #[test]
    fn where_nothing_is_remembered_nothing_is_waited_for() {
        let (rule, mut watched) = (rule("for = \"10m\""), Watched::default());
        let seen = [Seen { value: 11.0, ..Seen::default() }];
        let turn = Turn { is_patient: false, ..Turn::at(0) };
        assert!(matches!(watched.step(&rule, turn, &seen), Some(Change::On { .. })));
    }

    #[test]
    fn a_group_is_a_problem_when_one_of_its_windows_is() {
        let (rule, mut watched) = (rule("window = [\"1h\", \"15m\"]"), Watched::default());
        let mut step = |now, values: [f64; 2]| {
            let seen = values.map(|value| Seen { value, ..Seen::default() });
            watched.step(&rule, Turn::at(now), &seen)
        };
        let on = Change::On { since: 0, groups: vec![1], is_reminder: false };
        assert_eq!(step(0, [5.0, 12.0]), Some(on));
        assert_eq!(step(60, [11.0, 5.0]), None, "the other one goes on");
        assert!(matches!(step(120, [5.0, 5.0]), Some(Change::Off(_))));
    }

    #[test]
    fn what_lasts_for_days_does_not_become_usual() {
        let (rule, mut watched) = (rule("times-usual = 3.0"), Watched::default());
        let mut step = |now, usual| {
            let (value, ceiling) = (99.0, Some(100.0));
            let seen = [Seen { value, ceiling, usual: Some(usual), ..Seen::default() }];
            watched.step(&rule, Turn::at(now), &seen)
        };
        assert!(matches!(step(0, 1.0), Some(Change::On { .. })));
        assert_eq!(step(86_400, 99.0), None, "it is on since yesterday, and no end");
    }

    #[test]
    fn another_rule_tells_the_same_when_the_groups_agree() {
        let mut watched = Watched::default();
        let labels = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(dim, value)| ((*dim).to_owned(), (*value).to_owned())).collect()
        };
        let on = labels(&[("provider", "yahoo"), ("ip", "a")]);
        let seen = Seen { labels: on, value: 11.0, ..Seen::default() };
        watched.step(&rule(""), Turn::at(0), &[seen]);
        assert!(watched.tells_of(&labels(&[("provider", "yahoo")])));
        assert!(watched.tells_of(&[]));
        assert!(!watched.tells_of(&labels(&[("provider", "gmail")])));
        assert!(!watched.tells_of(&labels(&[("ip", "a"), ("provider", "gmail")])));
        assert!(!watched.tells_of(&labels(&[("job", "1")])));
    }
}
