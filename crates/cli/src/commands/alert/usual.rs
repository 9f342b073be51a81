//! What is usual of the groups of a rule: by the same hours of the days before, by those whom a group
//! is one of, by the others. Works on what was measured; asks nobody.

use std::collections::BTreeSet;

use pmtaq_alert::{Rule, Seconds, Seen};
use pmtaq_query::{GroupedValues, Measured, dimension, watched};
use pmtaq_schema::{Timestamp, Unit, Zone};

use super::observe::{USUAL_DAYS, days_before};
use crate::commands::measure::middle;
use crate::failure::Result;

/// What a rule over a metric sees at one moment, by what was measured at all of them. The store
/// begins with `first`: a window that begins before says nothing of what is usual.
pub(super) fn seen(
    rule: &Rule,
    window: Seconds,
    measured: &Measured,
    at: Timestamp,
    first: Timestamp,
    zone: Zone,
) -> Result<Vec<Seen>> {
    let Some(name) = &rule.metric else { return Ok(Vec::new()) };
    let unit = watched(name)?.unit;
    let days: Vec<u32> = (1..=if rule.needs_usual() { USUAL_DAYS } else { 0 }).collect();
    let is_past = |day: &u32| {
        let before = days_before(at, *day, zone);
        before.0 - window.0 >= first.0 && measured.contains_key(&before)
    };
    let days: Vec<u32> = days.into_iter().filter(is_past).collect();
    if unit.is_sum() {
        return Ok(with_peers(rule, volumes(rule, window, measured, at, &days, zone)));
    }
    let ceiling = (unit == Unit::Percent).then_some(100.0);
    let nothing = GroupedValues::default();
    let now = measured.get(&at).map_or(&nothing, |groups| groups);
    let before = days.iter().filter_map(|day| measured.get(&days_before(at, *day, zone)));
    let before: Vec<&GroupedValues> = before.map(|groups| &**groups).collect();
    let seen = now.iter().filter_map(|(group, values)| {
        let (value, n) = numbers(values);
        let usual = before.iter().filter_map(|day| day.get(group)).map(numbers);
        let usual = usual.filter(|(_, n)| *n >= rule.min_n).filter_map(|(value, _)| value);
        let mut seen = Seen {
            labels: labels(rule, group),
            value: value?,
            window_s: window.0,
            n: Some(n),
            usual: middle(usual.collect()),
            ceiling,
            ..Seen::default()
        };
        if rule.needs_usual() && seen.usual.is_none() && rule.may_be(&seen, true) {
            (seen.usual, seen.usual_of) = of_little(rule, &before, group);
        }
        Some(seen)
    });
    Ok(with_peers(rule, seen.collect()))
}

/// The groups with a count, which is 0 of those that some of the days before had.
pub(super) fn volumes(
    rule: &Rule,
    window: Seconds,
    measured: &Measured,
    at: Timestamp,
    days: &[u32],
    zone: Zone,
) -> Vec<Seen> {
    let nothing = GroupedValues::default();
    let now = measured.get(&at).map_or(&nothing, |groups| groups);
    let before = days.iter().map(|day| measured.get(&days_before(at, *day, zone)));
    let before: Vec<&GroupedValues> =
        before.map(|day| day.map_or(&nothing, |groups| groups)).collect();
    let all = std::iter::once(now).chain(before.iter().copied());
    let all = all.flat_map(|groups| groups.iter().map(|(group, _)| group));
    let mut groups: BTreeSet<&[String]> = all.collect();
    if rule.by.is_empty() {
        groups.insert(&[]);
    }
    let of = |values: Option<&[Option<f64>]>| -> f64 {
        values.map_or(0.0, |values| values.iter().flatten().sum())
    };
    let seen = |group: &[String]| Seen {
        labels: labels(rule, group),
        value: of(now.get(group)),
        window_s: window.0,
        usual: middle(before.iter().map(|day| of(day.get(group))).collect()),
        ..Seen::default()
    };
    groups.into_iter().map(seen).collect()
}

fn numbers(values: &[Option<f64>]) -> (Option<f64>, f64) {
    (values[0], values.get(1).copied().flatten().unwrap_or(0.0))
}

/// What is usual of a group that had too little on each of the days: by all of these days together, and
/// as far as that is too little too, by the smallest larger group that had enough, which is named
/// where it says more than the own past. Exact of rates; of durations the mean.
fn of_little(
    rule: &Rule,
    before: &[&GroupedValues],
    group: &[String],
) -> (Option<f64>, Option<String>) {
    let own = before.iter().map(|day| total(day, group));
    let (sum, n) = own.fold((0.0, 0.0), |(sum, all), (more, n)| (sum + more, all + n));
    if n > 0.0 && n >= rule.min_n {
        return (Some(sum / n), None);
    }
    let larger = (0..group.len()).rev().find_map(|depth| {
        let of_day = |day: &&GroupedValues| {
            let (sum, n) = total(day, &group[..depth]);
            (n > 0.0 && n >= rule.min_n).then(|| sum / n)
        };
        let usual = middle(before.iter().filter_map(of_day).collect())?;
        let name = if depth == 0 { "all".to_owned() } else { group[..depth].join(" / ") };
        Some((usual, name))
    });
    match larger {
        Some((usual, name)) => {
            let usual = (sum + usual * (rule.min_n - n)) / rule.min_n;
            (Some(usual), (n < rule.min_n / 2.0).then_some(name))
        }
        None => (None, None),
    }
}

/// The sum of the values of those whose first values are `prefix`, each as often as it says what it
/// rests on, and the sum of that.
fn total(day: &GroupedValues, prefix: &[String]) -> (f64, f64) {
    let members = day.iter().filter(|(group, _)| group.starts_with(prefix));
    members.fold((0.0, 0.0), |(sum, all), (_, values)| match numbers(values) {
        (Some(value), n) => (sum + value * n, all + n),
        _ => (sum, all),
    })
}

/// The same, each with the middle of the others of its last dimension.
fn with_peers(rule: &Rule, mut all: Vec<Seen>) -> Vec<Seen> {
    if rule.times_peers.is_none() {
        return all;
    }
    let before_last = |seen: &Seen| seen.labels[..seen.labels.len() - 1].to_vec();
    let peers: Vec<Option<f64>> = all
        .iter()
        .map(|one| {
            let others = all.iter().filter(|other| {
                other.labels != one.labels
                    && before_last(other) == before_last(one)
                    && other.n.is_none_or(|n| n >= rule.min_n)
            });
            let others: Vec<f64> = others.map(|other| other.value).collect();
            // One other is no crowd.
            if others.len() < 2 { None } else { middle(others) }
        })
        .collect();
    all.iter_mut().zip(peers).for_each(|(seen, peers)| seen.peers = peers);
    all
}

/// The values of a group with the names of their dimensions.
pub(super) fn labels(rule: &Rule, group: &[String]) -> Vec<(String, String)> {
    let names =
        rule.by.iter().map(|name| dimension(name).map_or(name.as_str(), |known| known.name));
    names.map(str::to_owned).zip(group.iter().cloned()).collect()
}

/// What of a rule could not be judged as it asks, and how it is judged instead; none when all could.
pub(super) fn note(rule: &Rule, seen: &[Seen]) -> Option<String> {
    if !seen.iter().any(|seen| rule.lacks_usual(seen)) {
        return None;
    }
    let instead = if rule.is_judged_without_past() {
        "judged by its absolute limit alone"
    } else {
        "not judged"
    };
    Some(format!("{}: nothing to compare with from the days before; {instead}", rule.name))
}

#[cfg(test)]
mod tests {
    use pmtaq_alert::Rules;

    use super::*;

    #[test]
    fn who_had_little_is_compared_with_the_own_past_as_far_as_that_goes() {
        let text = "[[rule]]\nname = \"a\"\nmetric = \"block_rate\"\nby = [\"provider\", \"vmta\"]\n\
                    above = 1\ntimes-usual = 2\nmin-n = 100";
        let rule = Rules::parse(text).expect(text).rules.remove(0);
        let group = |name: &str| vec!["yahoo".to_owned(), name.to_owned()];
        let day = |groups: &[(&str, f64, f64)]| -> GroupedValues {
            let numbers =
                |(name, rate, n): &(&str, f64, f64)| (group(name), vec![Some(*rate), Some(*n)]);
            groups.iter().map(numbers).collect()
        };
        let days = [day(&[("v1", 2.0, 60.0), ("v2", 0.0, 140.0)]), day(&[("v1", 4.0, 60.0)])];
        let usual = |days: &[GroupedValues], name| {
            of_little(&rule, &days.iter().collect::<Vec<_>>(), &group(name))
        };
        assert_eq!(usual(&days, "v1"), (Some(3.0), None), "of both days");
        let of_all = (Some(0.6), Some("yahoo".to_owned()));
        assert_eq!(usual(&days, "new"), of_all, "120 of 200 records have 0.6 %");
        let (usual, name) = usual(&days[..1], "v1");
        assert_eq!((usual, name), (Some((2.0 * 60.0 + 0.6 * 40.0) / 100.0), None));
        assert_eq!(of_little(&rule, &[], &group("v1")), (None, None));
    }
}
