//! Metrics over time: steps of the local clock, whole sums, and the same from both tables.

use pmtaq_query::{Pivot, Selection, Series, Session, Timeline};
use pmtaq_schema::step::Step;
use pmtaq_schema::{Timestamp, Window, Zone};

use crate::fixture::{Stored, at, record};

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

/// Two days around a change of the clock, a record every eleven minutes.
fn stored() -> (Stored, Window) {
    let window = Window { since: at("2026-10-24T00:00:00Z"), until: at("2026-10-26T00:00:00Z") };
    let rows: Vec<_> = (0..261)
        .map(|n| {
            let time = Timestamp(window.since.0 + n * 660);
            let rec = ["d", "d", "b", "d", "t"][n as usize % 5];
            let domain = ["a", "b", "a", "c", "d", "e", "a"][n as usize % 7];
            let queued = Timestamp(time.0 - n % 100);
            record(&format!("{rec} {time} {domain}.example v{} | time_queued={queued}", n % 2))
        })
        .collect();
    (Stored::of(&rows, &[]), window)
}

fn series(
    session: &Session,
    (window, zone): (Window, &str),
    (metrics, by): (&[&str], Option<&str>),
    (step, top): (&str, u32),
) -> Timeline {
    let zone: Zone = zone.parse().expect("a zone");
    let step = Step::parse(step).expect("a step");
    let series = Series::new(&names(metrics), by, step, top, (window, zone)).expect("names");
    series.run(session, &Selection::default()).expect("a timeline")
}

fn sum(timeline: &Timeline, metric: usize) -> f64 {
    timeline.lines.iter().flat_map(|(_, values)| &values[metric]).flatten().sum()
}

/// Without the last digits of percentiles, which are interpolated in another order.
fn rounded(mut timeline: Timeline) -> Timeline {
    let values = timeline.lines.iter_mut().flat_map(|(_, metrics)| metrics).flatten().flatten();
    values.for_each(|value| *value = (*value * 1e9).round() / 1e9);
    timeline
}

#[test]
fn the_steps_add_up_to_the_total_of_the_pivot() {
    let (stored, window) = stored();
    for zone in ["UTC", "Europe/Madrid", "Asia/Kolkata", "Australia/Lord_Howe"] {
        let session = stored.open(window, zone);
        let pivot = Pivot::new(&names(&["provider"]), None, &names(&["sent", "deferred"]), 0);
        let totals = pivot.expect("names").run(&session, &Selection::default()).expect("runs");
        let total = |name: &str| totals.f64s(name).expect(name).pop().flatten().expect("a total");
        for step in ["5m", "30m", "1h", "6h", "1d", "1w"] {
            for by in [None, Some("rcpt_domain")] {
                let timeline =
                    series(&session, (window, zone), (&["sent", "deferred"], by), (step, 2));
                assert_eq!(sum(&timeline, 0), total("sent"), "{zone} {step} {by:?}");
                assert_eq!(sum(&timeline, 1), total("deferred"), "{zone} {step} {by:?}");
            }
        }
    }
}

#[test]
fn the_rollup_and_the_records_draw_the_same() {
    let (stored, window) = stored();
    for (zone, step) in [
        ("UTC", "1h"),
        ("Europe/Madrid", "1h"),
        ("Europe/Madrid", "6h"),
        ("Asia/Tokyo", "1d"),
        ("UTC", "1w"),
    ] {
        let asked = (&["sent", "bounce_rate", "p95"][..], Some("rcpt_domain"));
        let by_hours = series(&stored.open(window, zone), (window, zone), asked, (step, 3));
        let mut records = stored.open(window, zone);
        records.read_records();
        let by_records = series(&records, (window, zone), asked, (step, 3));
        assert!(rounded(by_hours) == rounded(by_records), "{zone} {step}");
        let of = Series::new(
            &names(asked.0),
            asked.1,
            Step::parse(step).expect("a step"),
            3,
            (window, zone.parse().expect("a zone")),
        );
        let query = of.expect("names").query(&Selection::default()).expect("a query");
        assert!(stored.open(window, zone).reads_hours(&query), "{zone} {step}");
    }
}

#[test]
fn the_hour_that_comes_twice_has_two_steps() {
    let (stored, _) = stored();
    let day = Window { since: at("2026-10-24T22:00:00Z"), until: at("2026-10-25T23:00:00Z") };
    let session = stored.open(day, "Europe/Madrid");
    let timeline = series(&session, (day, "Europe/Madrid"), (&["sent"], None), ("1h", 0));
    assert_eq!(timeline.bounds.len(), 26);
    assert!(timeline.lines[0].1[0].iter().all(|value| value.is_some_and(|n| n >= 3.0)));
}

#[test]
fn the_rest_is_other_and_a_step_without_records_counts_nothing() {
    let (stored, window) = stored();
    let session = stored.open(window, "UTC");
    let asked = (&["sent", "bounce_rate"][..], Some("rcpt_domain"));
    let timeline = series(&session, (window, "UTC"), asked, ("5m", 2));
    let labels: Vec<&str> = timeline.lines.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(labels, ["a.example", "b.example", "other"]);
    assert_eq!(timeline.metrics[1].1, pmtaq_schema::Unit::Percent);
    // A record every eleven minutes leaves steps of five without.
    let [sent, rate] = &timeline.lines[0].1[..] else { panic!("two metrics") };
    let empty = sent.iter().position(|value| *value == Some(0.0)).expect("a step without");
    assert_eq!(rate[empty], None);
    let table = timeline.table(&vec![None; timeline.bounds.len() - 1]);
    assert_eq!(table.len(), 3 * 576);
    let none = series(&session, (window, "UTC"), (&["complaints"], None), ("1d", 0));
    assert_eq!(none.lines, [(String::new(), vec![vec![Some(0.0), Some(0.0)]])]);
}
