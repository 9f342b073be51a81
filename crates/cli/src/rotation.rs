//! What rotation has made of an `<acct-file>`: its files in order, by their names, and those that
//! never came. Opens no file.

use std::collections::{BTreeMap, BTreeSet};

use pmtaq_schema::acct_name::AcctName;
use pmtaq_schema::time::Day;
use pmtaq_store::Source;

/// The files of one MTA and one `<acct-file>`, in order.
pub(crate) type Stream<'s> = Vec<(AcctName<'s>, &'s Source)>;

/// The files that rotation has made, by the name of the MTA and what stands before the date. Names
/// that rotation has not made are in none.
pub(crate) fn streams<'s>(
    sources: impl IntoIterator<Item = &'s Source>,
) -> BTreeMap<(&'s str, &'s str), Stream<'s>> {
    let mut streams: BTreeMap<_, Stream<'_>> = BTreeMap::new();
    for source in sources {
        if let Some(name) = AcctName::parse(&source.name) {
            streams.entry((source.host.as_str(), name.prefix)).or_default().push((name, source));
        }
    }
    for files in streams.values_mut() {
        files.sort_by(|a, b| a.0.cmp(&b.0));
    }
    streams
}

/// Each stretch of numbers and days that is missing between the first file and the last.
pub(crate) fn missing(stream: &Stream<'_>) -> Vec<String> {
    let mut days: BTreeMap<Day, BTreeSet<u32>> = BTreeMap::new();
    for (name, _) in stream {
        days.entry(name.day).or_default().insert(name.number);
    }
    stretches(&days)
}

/// Each gap of all streams, with the name of its MTA.
pub(crate) fn gaps<'s>(sources: impl IntoIterator<Item = &'s Source>) -> Vec<String> {
    let named = |((host, prefix), files): (&(&str, &str), &Stream<'_>)| -> Vec<String> {
        missing(files).into_iter().map(|gap| format!("{prefix}-{gap} ({host})")).collect()
    };
    streams(sources).iter().flat_map(named).collect()
}

fn stretches(days: &BTreeMap<Day, BTreeSet<u32>>) -> Vec<String> {
    let numbers = || days.values().flatten().copied();
    // PMTA counts the files of a day; who rotates by cron may name them by the hour.
    let hours = |number: u32| number.is_multiple_of(100) && number <= 2300;
    let step = if numbers().all(hours) && numbers().any(|number| number > 0) { 100 } else { 1 };
    // Some count from 1.
    let lowest = numbers().min().unwrap_or(0);
    let mut missing = Vec::new();
    let mut before: Option<Day> = None;
    for (day, numbers) in days {
        // Where the first day of all begins is when ingest began.
        let mut next = match before {
            None => numbers.first().copied().unwrap_or(lowest),
            Some(_) => lowest,
        };
        match before.map(|Day(before)| (before + 1, day.0 - 1)) {
            Some((first, last)) if first == last => missing.push(format!("{}", Day(first))),
            Some((first, last)) if first < last => {
                missing.push(format!("{} to {}", Day(first), Day(last)));
            }
            _ => {}
        }
        for &number in numbers {
            if number == next.saturating_add(step) {
                missing.push(format!("{day}-{next:04}"));
            } else if number > next {
                missing.push(format!("{day}-{next:04} to {:04}", number - step));
            }
            next = number.saturating_add(step);
        }
        before = Some(*day);
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(list: &[(i64, &[u32])]) -> String {
        let days = list
            .iter()
            .map(|(day, numbers)| (Day(20_000 + day), numbers.iter().copied().collect()))
            .collect();
        stretches(&days).join("; ")
    }

    #[test]
    fn what_is_missing_is_named_in_stretches() {
        assert_eq!(shown(&[]), "");
        assert_eq!(shown(&[(0, &[3, 4]), (1, &[0, 1])]), "");
        assert_eq!(shown(&[(0, &[3, 5, 9])]), "2024-10-04-0004; 2024-10-04-0006 to 0008");
        assert_eq!(shown(&[(0, &[0]), (1, &[1])]), "2024-10-05-0000");
        assert_eq!(
            shown(&[(0, &[0]), (2, &[0]), (5, &[0])]),
            "2024-10-05; 2024-10-07 to 2024-10-08"
        );
    }

    #[test]
    fn a_count_may_begin_with_1() {
        assert_eq!(shown(&[(0, &[1]), (1, &[1, 2])]), "");
        assert_eq!(shown(&[(0, &[1, 3]), (1, &[2])]), "2024-10-04-0002; 2024-10-05-0001");
    }

    #[test]
    fn a_file_may_be_named_by_its_hour() {
        assert_eq!(shown(&[(0, &[1600, 1700, 2300]), (1, &[0, 100])]), "2024-10-04-1800 to 2200");
        assert_eq!(shown(&[(0, &[2200, 2300]), (1, &[0, 200])]), "2024-10-05-0100");
        // One number that is no hour, and they are counted.
        assert_eq!(shown(&[(0, &[0, 100, 101])]), "2024-10-04-0001 to 0099");
    }
}
