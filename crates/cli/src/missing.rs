//! Which rotated files never came, by the names of those that did: PMTA numbers the files of a
//! day, `acct-2026-03-01-0000.csv`, and begins anew each day. Knows names only.

use std::collections::{BTreeMap, BTreeSet};

use pmtaq_schema::time::Day;

/// What the names of a stream of files have in common: who wrote them, and the text before the
/// date.
type Stream = (String, String);

/// A file's name as its parts.
#[derive(Debug, PartialEq, Eq)]
struct Name {
    prefix: String,
    date: Day,
    number: u32,
    /// Digits of the number.
    width: usize,
}

/// The names of files that are missing between others of the same stream, with their host.
pub(crate) fn missing<'n>(names: impl Iterator<Item = (&'n str, &'n str)>) -> Vec<String> {
    let mut streams: BTreeMap<Stream, BTreeMap<Day, BTreeSet<u32>>> = BTreeMap::new();
    let mut widths: BTreeMap<Stream, usize> = BTreeMap::new();
    for (host, name) in names {
        let Some(name) = parse(name) else { continue };
        let stream = (host.to_owned(), name.prefix);
        widths.insert(stream.clone(), name.width);
        streams.entry(stream).or_default().entry(name.date).or_default().insert(name.number);
    }
    let mut missing = Vec::new();
    for ((host, prefix), days) in &streams {
        let width = widths.get(&(host.clone(), prefix.clone())).copied().unwrap_or(4);
        // Some count from 1.
        let first = days.values().filter_map(BTreeSet::first).min().copied().unwrap_or(0);
        let (Some(from), Some(to)) = (days.keys().next(), days.keys().next_back()) else {
            continue;
        };
        for day in (from.0..=to.0).map(Day) {
            let Some(numbers) = days.get(&day) else {
                missing.push(format!("{prefix}{day}-* ({host})"));
                continue;
            };
            let last = numbers.last().copied().unwrap_or(first);
            let absent = (first..last).filter(|number| !numbers.contains(number));
            missing.extend(absent.map(|n| format!("{prefix}{day}-{n:0width$}.csv ({host})")));
        }
    }
    missing
}

/// Reads `acct-2026-03-01-0000.csv`, compressed or not; nothing for a name of another pattern.
fn parse(name: &str) -> Option<Name> {
    let stem = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    let stem = stem.strip_suffix(".csv").unwrap_or(stem);
    let (dated, number) = stem.rsplit_once('-')?;
    // A number of six digits or more is a time of day or an identifier, and has no next.
    if number.is_empty() || number.len() > 5 {
        return None;
    }
    let split = dated.len().checked_sub(10)?;
    let date = Day::parse(dated.get(split..)?)?;
    let prefix = dated.get(..split)?.to_owned();
    Some(Name { prefix, date, number: number.parse().ok()?, width: number.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Vec<String> {
        missing(names.iter().map(|name| ("mta1", *name)))
    }

    #[test]
    fn what_lies_between_is_missing() {
        let names = [
            "acct-2026-03-01-0000.csv",
            "acct-2026-03-01-0003.csv.gz",
            "acct-2026-03-03-0001.csv",
            "tq-2026-03-01-0000.csv",
        ];
        assert_eq!(
            of(&names),
            [
                "acct-2026-03-01-0001.csv (mta1)",
                "acct-2026-03-01-0002.csv (mta1)",
                "acct-2026-03-02-* (mta1)",
                "acct-2026-03-03-0000.csv (mta1)",
            ]
        );
    }

    #[test]
    fn names_of_another_pattern_say_nothing() {
        assert!(
            of(&["acct.csv", "acct-1.csv", "a-2026-03-01.csv", "b-2026-03-01-235959.csv", ""])
                .is_empty()
        );
        assert!(of(&["acct-2026-03-01-01.csv", "acct-2026-03-02-01.csv"]).is_empty());
    }
}
