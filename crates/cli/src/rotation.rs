//! What rotation has made of an `<acct-file>`: its files in order, by their names, and those that
//! never came. Opens no file.

use std::collections::BTreeMap;

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
    let mut days = Days::new();
    for (name, source) in stream {
        let times = days.entry(name.day).or_default().entry(name.number).or_default();
        *times = match (*times, source.times) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (one, other) => one.or(other),
        };
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

/// By day and number, the first and the last time in the file, in UTC seconds.
type Days = BTreeMap<Day, BTreeMap<u32, Option<(i64, i64)>>>;

const HOUR_S: i64 = 3600;

fn stretches(days: &Days) -> Vec<String> {
    let numbers = || days.values().flat_map(BTreeMap::keys).copied();
    // PMTA counts the files of a day; who rotates by cron may name them by the hour.
    let hours = |number: u32| number.is_multiple_of(100) && number <= 2300;
    let are_hours = numbers().all(hours) && numbers().any(|number| number > 0);
    let step = if are_hours { 100 } else { 1 };
    // Some count from 1.
    let lowest = numbers().min().unwrap_or(0);
    let mut missing = Vec::new();
    let mut before: Option<Day> = None;
    let mut end: Option<i64> = None;
    for (day, numbers) in days {
        // Where the first day of all begins is when ingest began.
        let mut next = match before {
            None => numbers.keys().next().copied().unwrap_or(lowest),
            Some(_) => lowest,
        };
        match before.map(|Day(before)| (before + 1, day.0 - 1)) {
            Some((first, last)) if first == last => missing.push(format!("{}", Day(first))),
            Some((first, last)) if first < last => {
                missing.push(format!("{} to {}", Day(first), Day(last)));
            }
            _ => {}
        }
        for (&number, times) in numbers {
            // The clock of the names skips an hour in spring, which no record was logged in.
            let no_hour_fits = |(end, (begin, _)): (i64, (i64, i64))| begin - end < HOUR_S;
            if number <= next || are_hours && end.zip(*times).is_some_and(no_hour_fits) {
                // Nothing is missing.
            } else if number == next.saturating_add(step) {
                missing.push(format!("{day}-{next:04}"));
            } else {
                missing.push(format!("{day}-{next:04} to {:04}", number - step));
            }
            next = number.saturating_add(step);
            end = times.map(|(_, last)| last).or(end);
        }
        before = Some(*day);
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(list: &[(i64, &[u32])]) -> String {
        let days = list
            .iter()
            .map(|(day, numbers)| {
                let numbers = numbers.iter().map(|number| (*number, None));
                (Day(20_000 + day), numbers.collect())
            })
            .collect();
        stretches(&days).join("; ")
    }

    #[test]
    fn what_is_missing_is_named_in_stretches() {
        assert_eq!(parsed(&[]), "");
        assert_eq!(parsed(&[(0, &[3, 4]), (1, &[0, 1])]), "");
        assert_eq!(parsed(&[(0, &[3, 5, 9])]), "2024-10-04-0004; 2024-10-04-0006 to 0008");
        assert_eq!(parsed(&[(0, &[0]), (1, &[1])]), "2024-10-05-0000");
        assert_eq!(
            parsed(&[(0, &[0]), (2, &[0]), (5, &[0])]),
            "2024-10-05; 2024-10-07 to 2024-10-08"
        );
    }

    #[test]
    fn a_count_may_begin_with_1() {
        assert_eq!(parsed(&[(0, &[1]), (1, &[1, 2])]), "");
        assert_eq!(parsed(&[(0, &[1, 3]), (1, &[2])]), "2024-10-04-0002; 2024-10-05-0001");
    }

    #[test]
    fn a_file_may_be_named_by_its_hour() {
        assert_eq!(parsed(&[(0, &[1600, 1700, 2300]), (1, &[0, 100])]), "2024-10-04-1800 to 2200");
        assert_eq!(parsed(&[(0, &[2200, 2300]), (1, &[0, 200])]), "2024-10-05-0100");
        // One number that is no hour, and they are counted.
        assert_eq!(parsed(&[(0, &[0, 100, 101])]), "2024-10-04-0001 to 0099");
    }

    #[test]
    fn an_hour_that_the_clock_skips_is_not_missing() {
        // 2026-03-08 in New York: 02:00 is 03:00. Each file holds an hour to its last minute.
        let file = |number: u32, begin_h: i64, hours: i64| {
            let begin = Day(20_520).start().0 + begin_h * HOUR_S;
            (number, Some((begin + 5, begin + hours * HOUR_S - 7)))
        };
        let night = |files: &[(u32, Option<(i64, i64)>)]| {
            stretches(&Days::from([(Day(20_520), files.iter().copied().collect())])).join("; ")
        };
        let [one, three, four] = [file(100, 6, 1), file(300, 7, 1), file(400, 8, 1)];
        assert_eq!(night(&[file(0, 5, 1), one, three, four]), "");
        // In any other night that hour is one.
        let [three, four] = [file(300, 8, 1), file(400, 9, 1)];
        assert_eq!(night(&[file(0, 5, 1), one, three, four]), "2026-03-08-0200");
        assert_eq!(night(&[file(0, 5, 1), one, four]), "2026-03-08-0200 to 0300");
        // Nobody can say of files without a time.
        assert_eq!(night(&[(0, None), (100, None), (300, None)]), "2026-03-08-0200");
    }
}
