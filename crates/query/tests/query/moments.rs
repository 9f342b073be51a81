//! Metrics of sliding windows: the same as a pivot of each window by itself.

use std::collections::BTreeMap;

use pmtaq_query::{Moments, Pivot, Selection, first_seen};
use pmtaq_schema::{Timestamp, Window};

use crate::fixture::{Stored, at, record};

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

/// Two days, a record every eleven minutes.
fn stored() -> (Stored, Window) {
    let window = Window { since: at("2026-10-24T00:00:00Z"), until: at("2026-10-26T00:00:00Z") };
    let rows: Vec<_> = (0..261)
        .map(|n| {
            let time = Timestamp(window.since.0 + n * 660);
            let rec = ["d", "d", "b", "d", "t"][n as usize % 5];
            let domain = ["a", "b", "a", "c"][n as usize % 4];
            record(&format!(
                "{rec} {time} {domain}.example v{} | template=reply {}",
                n % 2,
                n / 100
            ))
        })
        .collect();
    (Stored::of(&rows, &[]), window)
}

type Groups = BTreeMap<String, Vec<Option<f64>>>;

/// The metrics of one window by a pivot of it.
fn of_window(stored: &Stored, window: Window, metrics: &[String]) -> Groups {
    let session = stored.open(window, "UTC");
    let pivot = Pivot::new(&names(&["rcpt_domain"]), None, metrics, 0).expect("names");
    let answer = pivot.run(&session, &Selection::default()).expect("a pivot");
    let names = answer.texts("rcpt_domain").expect("names");
    let columns = metrics.iter().map(|name| answer.f64s(name).expect("a metric"));
    let columns: Vec<Vec<Option<f64>>> = columns.collect();
    // Without the total.
    let groups = names.into_iter().enumerate().take(answer.len().saturating_sub(1));
    let values = |row: usize| columns.iter().map(|column| column[row]).collect();
    groups.map(|(row, name)| (name.expect("a name"), values(row))).collect()
}

#[test]
fn every_moment_sees_what_a_pivot_of_its_window_sees_at_scale() {
    let (stored, all) = stored();
    let session = stored.open(all, "UTC");
    let metrics = names(&["sent", "deferred"]);
    let last = at("2026-10-25T12:07:00Z");
    // Windows that overlap, that leave time out, that are apart by days, and one alone.
    for (window_s, step_s, n) in [(3600, 300, 40), (600, 1800, 20), (7200, 86_400, 2), (3600, 1, 1)]
    {
        let moments = Moments::new(&names(&["rcpt_domain"]), &metrics, window_s, last, step_s, n);
        let measured = moments.expect("names").run(&session, &Selection::default()).expect("runs");
        let mut seen = 0;
        for step in 0..n {
            let until = Timestamp(last.0 - step * step_s);
            let window = Window { since: Timestamp(until.0 - window_s), until };
            let groups = measured.get(&until).into_iter().flat_map(|groups| groups.iter());
            let groups: Groups =
                groups.map(|(group, values)| (group[0].clone(), values.to_vec())).collect();
            assert_eq!(groups, of_window(&stored, window, &metrics), "{window_s} {step_s} {until}");
            seen += groups.len();
        }
        assert!(seen > 0);
        assert!(measured.keys().all(|moment| (last.0 - moment.0) / step_s < n), "no others");
    }
}

#[test]
fn a_session_of_one_window_sees_the_same_in_the_rollup_as_in_the_records_at_scale() {
    let (stored, _) = stored();
    let (several, one) = (names(&["sent", "deferral_rate", "p90"]), names(&["p90"]));
    // Whole hours, hours that are cut, and less than an hour; without a record, nothing.
    for (last, window_s, n) in [
        ("2026-10-25T12:00:00Z", 10_800, 3),
        ("2026-10-25T12:07:00Z", 10_000, 3),
        ("2026-10-25T12:07:00Z", 1200, 1),
        ("2026-10-25T12:00:01Z", 1, 0),
    ] {
        let window = Window { since: Timestamp(at(last).0 - window_s), until: at(last) };
        let domains = names(&["rcpt_domain"]);
        for (by, metrics) in [(&domains, &several), (&Vec::new(), &several), (&Vec::new(), &one)] {
            let moments = Moments::new(by, metrics, window_s, at(last), 60, 1).expect("names");
            let mut session = stored.open(window, "UTC");
            let measured = moments.run(&session, &Selection::default()).expect("runs");
            session.read_records();
            let of_records = moments.run(&session, &Selection::default()).expect("runs");
            assert_eq!(measured, of_records, "{last}");
            // A session that sees more asks each record when it was.
            let wide = Window { since: Timestamp(window.since.0 - 7200), ..window };
            let session = stored.open(wide, "UTC");
            let of_more = moments.run(&session, &Selection::default()).expect("runs");
            assert_eq!(measured, of_more, "{last}");
            let groups = measured.values().map(|groups| groups.iter().count()).sum::<usize>();
            assert_eq!(groups, if by.is_empty() { n.min(1) } else { n }, "{last} {by:?}");
        }
    }
}

#[test]
fn a_reply_is_new_where_it_came_first() {
    let (stored, all) = stored();
    let first = first_seen(&stored.open(all, "UTC"), &Selection::default()).expect("runs");
    let first: BTreeMap<&str, i64> =
        first.iter().map(|(name, time)| (name.as_str(), (time.0 - all.since.0) / 660)).collect();
    assert_eq!(first, BTreeMap::from([("reply 0", 0), ("reply 1", 100), ("reply 2", 200)]));
}
