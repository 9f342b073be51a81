//! Each metric against numbers counted by hand in `fixture::day`, and local time.

use pmtaq_query::{Pivot, Selection, metric, metrics};
use pmtaq_schema::Window;

use crate::fixture::{Stored, at, record, sql};

/// What the day gives for each metric, in the order of their file.
const DAY: &[(&str, &str)] = &[
    ("injected", "2"),
    ("delivered", "4"),
    ("bounced", "5"),
    ("bounced_in_band", "4"),
    ("bounced_by_receiver", "4"),
    ("bounced_after_reply", "0"),
    ("bounced_by_pmta", "1"),
    ("deleted_by_operator", "0"),
    ("hard", "2"),
    ("soft", "1"),
    ("block", "1"),
    ("undetermined", "1"),
    ("unknown_users", "2"),
    ("sent", "8"),
    ("accepted", "3"),
    ("deferred", "3"),
    ("delayed", "2"),
    ("attempts", "8"),
    ("complaints", "1"),
    ("bytes", "10000"),
    ("accepted_rate", "37.50"),
    ("bounce_rate", "62.50"),
    ("hard_rate", "25.00"),
    ("soft_rate", "12.50"),
    ("block_rate", "12.50"),
    ("undetermined_rate", "12.50"),
    ("unknown_user_rate", "25.00"),
    ("deferral_rate", "12.50"),
    ("delayed_rate", "25.00"),
    ("complaint_rate", "33.33"),
    ("tls_rate", "50.00"),
    ("p50", "25.00"),
    ("p90", "37.00"),
    ("p95", "38.50"),
    ("p99", "39.70"),
    ("slowest", "40.00"),
];

#[test]
fn every_metric_gives_what_was_counted_by_hand() {
    let stored = Stored::day();
    let session = stored.session();
    let names: Vec<&str> = metrics().iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, DAY.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for (name, expected) in DAY {
        let answer = sql(&session, &format!("select {name}() from records")).expect(name);
        assert_eq!(answer, [*expected], "{name}");
    }
}

#[test]
fn a_rate_of_nothing_is_null_and_a_count_of_nothing_is_zero() {
    let stored = Stored::empty();
    let answer =
        sql(&stored.session(), "select sent(), bounce_rate(), bytes(), p50() from records");
    assert_eq!(answer.expect("an answer"), ["0 | - | 0 | -"]);
}

#[test]
fn without_receptions_the_injected_are_the_delivered_and_the_bounced() {
    let stored = Stored::day();
    let query = "select injected() from (select * from records where rec <> 'r')";
    let session = stored.open(Window { since: at("2026-03-01T10:00:00Z"), ..Window::ALL }, "UTC");
    assert_eq!(sql(&session, query).expect("an answer"), ["8"]);
}

#[test]
fn attempts_are_unknown_where_no_delivery_names_its_receiver() {
    let lacking = |text: &str| {
        let row: Vec<&str> =
            text.split(" | ").filter(|word| !word.starts_with("dlv_dest")).collect();
        record(&row.join(" | "))
    };
    let rows = [
        "d 2026-03-01T10:00:00Z gmail.com v1 | provider=gmail | dlv_destination_ip=192.0.2.1",
        "b 2026-03-01T10:01:00Z gmail.com v1 | provider=gmail",
        "t 2026-03-01T10:02:00Z yahoo.com v1 | provider=yahoo | dlv_destination_ip=192.0.2.2",
    ];
    let (named, unnamed) = (rows.map(record), rows.map(lacking));
    for (rows, expected) in [
        (&named[..], ["2 | 1 | 50.00", "-"]),
        (&unnamed[..], ["- | 1 | -", "dlvDestinationIp"]),
        (&unnamed[1..], ["- | 1 | -", "dlvDestinationIp"]),
    ] {
        let stored = Stored::of(rows, &[]);
        let (hours, mut records) = (stored.session(), stored.session());
        records.read_records();
        for session in [hours, records] {
            let query = "select attempts(), deferred(), deferral_rate() from records";
            assert_eq!(sql(&session, query).expect("an answer"), expected[..1]);
            let metrics = ["attempts", "deferral_rate"].map(|name| metric(name).expect(name));
            let lacks = session.unknown(metrics, &[], &Selection::default()).expect("a list");
            assert_eq!(lacks.first().and_then(|lack| lack.field).unwrap_or("-"), expected[1]);
            let names = ["attempts", "deferral_rate"].map(str::to_owned);
            let pivot = Pivot::new(&["provider".to_owned()], None, &names, 0).expect("names");
            let answer = pivot.run(&session, &Selection::default()).expect("an answer");
            let totals = answer.i64s("attempts").expect("numbers").pop().flatten();
            assert_eq!(
                totals.map_or("-".to_owned(), |n| n.to_string()),
                expected[0].split(' ').next().expect("one")
            );
        }
    }
}

#[test]
fn attempts_of_an_mta_that_names_no_receiver_are_unknown_beside_one_that_does() {
    // As of two MTAs, each with an address of its own.
    let rows = [
        "d 2026-03-01T10:00:00Z gmail.com v1 | dlv_destination_ip=192.0.2.1",
        "t 2026-03-01T10:01:00Z gmail.com v1 | dlv_destination_ip=192.0.2.1",
        "d 2026-03-01T10:02:00Z gmail.com v2",
        "t 2026-03-01T10:03:00Z gmail.com v2",
    ];
    let stored = Stored::of(&rows.map(record), &[]);
    let (hours, mut records) = (stored.session(), stored.session());
    records.read_records();
    for session in [hours, records] {
        let by_vmta = "select vmta, sent(), attempts(), deferral_rate() from records group by vmta order by vmta";
        let answer = sql(&session, by_vmta).expect("an answer");
        assert_eq!(answer, ["v1 | 1 | 2 | 50.00", "v2 | 1 | - | -"]);
        let names = ["attempts", "deferral_rate"].map(str::to_owned);
        let pivot = Pivot::new(&["vmta".to_owned()], None, &names, 0).expect("names");
        let answer = pivot.run(&session, &Selection::default()).expect("an answer");
        // Together they have those that are known.
        assert_eq!(answer.i64s("attempts").expect("numbers"), [Some(2), None, Some(2)]);
    }
}

#[test]
fn the_window_is_half_open() {
    let stored = Stored::day();
    let window = Window { since: at("2026-03-01T10:00:00Z"), until: at("2026-03-01T10:20:00Z") };
    let session = stored.open(window, "UTC");
    let answer = sql(&session, "select min(time_logged), max(time_logged), count(*) from records");
    assert_eq!(answer.expect("an answer"), ["2026-03-01T10:00:00 | 2026-03-01T10:10:00 | 5"]);
}

#[test]
fn local_days_are_23_and_25_hours_long_when_the_clock_changes() {
    let hours = |day: &str| {
        (0..24).map(|h| format!("d {day}T{h:02}:30:00Z x.example v1")).collect::<Vec<_>>()
    };
    let days = ["2026-03-28", "2026-03-29", "2026-03-30", "2026-10-24", "2026-10-25", "2026-10-26"];
    let rows: Vec<_> = days.iter().flat_map(|day| hours(day)).map(|text| record(&text)).collect();
    let stored = Stored::of(&rows, &[]);
    let query = "select date_trunc('day', local(time_logged))::date as day, count(*) from records group by day order by day";
    let answer = sql(&stored.open(Window::ALL, "Europe/Madrid"), query).expect("an answer");
    assert_eq!(
        answer,
        [
            "2026-03-28 | 23",
            "2026-03-29 | 23",
            "2026-03-30 | 24",
            "2026-03-31 | 2",
            "2026-10-24 | 22",
            "2026-10-25 | 25",
            "2026-10-26 | 24",
            "2026-10-27 | 1",
        ]
    );
}
