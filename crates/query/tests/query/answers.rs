//! Reports over records made for them: borders, empty cells, what belongs together.

use pmtaq_query::{Catalog, Missing, Selection};
use pmtaq_schema::Record;

use crate::fixture::{Row, Stored, record, report, sql};

fn ask(rows: &[String], name: &str, given: &[(&str, &str)]) -> Vec<String> {
    let rows: Vec<Row> = rows.iter().map(|row| record(row)).collect();
    let stored = Stored::of(&rows, &[]);
    report(&stored.session(), name, given, &Selection::default()).expect(name)
}

/// A delivery at 10:00:00 that was queued so many seconds before.
fn taken(seconds: i64) -> String {
    let queued = 1_772_359_200 - seconds;
    format!("d 2026-03-01T10:00:00Z x.example v1 | provider=p | time_queued={queued}")
}

/// So many delivered and so many bounced on a day.
fn day(day: u32, delivered: usize, bounced: usize) -> Vec<String> {
    let of = |rec: &str| format!("{rec} 2026-03-0{day}T10:00:00Z x.example v1 | provider=p");
    [vec![of("d"); delivered], vec![of("b"); bounced]].concat()
}

fn compare(rows: &[String], metric: &str, b: &str) -> String {
    let given = [("a", "2026-03-01T00:00:00Z/2026-03-02T00:00:00Z"), ("b", b), ("metric", metric)];
    let lines = ask(rows, "compare", &given);
    assert!(lines[0].starts_with("(all) | "), "{lines:?}");
    assert_eq!(lines[0].replace("(all)", "p"), lines[1]);
    lines[1].clone()
}

const SECOND: &str = "2026-03-02T00:00:00Z/2026-03-03T00:00:00Z";

#[test]
fn a_rate_is_compared_by_two_proportions() {
    // Pooled 40 of 200: z = 0.2 / sqrt(0.2 * 0.8 * (1/100 + 1/100)) = 3.5355.
    let rows = [day(1, 90, 10), day(2, 70, 30)].concat();
    assert_eq!(
        compare(&rows, "bounce_rate", SECOND),
        "p | 10.00 | 100 | 30.00 | 100 | 200.00 | 3.54 | ***"
    );
    // The same rates of a tenth of the mail: chance may well make them.
    let rows = [day(1, 9, 1), day(2, 7, 3)].concat();
    assert_eq!(
        compare(&rows, "bounce_rate", SECOND),
        "p | 10.00 | 10 | 30.00 | 10 | 200.00 | 1.12 | few"
    );
}

#[test]
fn a_count_is_compared_over_the_length_of_its_window() {
    // 30 of 40 fell into half of the time: z = (30 - 20) / sqrt(40 / 4) = 3.1623.
    let rows = [day(1, 10, 0), day(2, 30, 0)].concat();
    assert_eq!(compare(&rows, "sent", SECOND), "p | 10 | 10 | 30 | 30 | 200.00 | 3.16 | **");
    // Half as many in half a day are as many.
    let rows = [day(1, 20, 0), day(2, 10, 0)].concat();
    let half = "2026-03-02T00:00:00Z/2026-03-02T12:00:00Z";
    assert_eq!(compare(&rows, "sent", half), "p | 20 | 20 | 10 | 10 | 0.00 | 0.00 | ");
}

#[test]
fn what_is_in_one_window_only_is_compared_too() {
    let rows = [day(1, 20, 0)].concat();
    assert_eq!(compare(&rows, "sent", SECOND), "p | 20 | 20 | 0 | 0 | -100.00 | -4.47 | ***");
    assert_eq!(compare(&day(2, 0, 5), "bounce_rate", SECOND), "p | - | 0 | 100.00 | 5 | - | - | ");
}

#[test]
fn a_step_of_the_histogram_holds_its_last_second() {
    let rows: Vec<String> = [-3, 0, 5, 6, 30, 31, 3600, 3601, 90_000].map(taken).to_vec();
    let lines = ask(&rows, "latency", &[("histogram", "true")]);
    let counted: Vec<&str> = lines
        .iter()
        .filter(|line| !line.contains(" | 0 | "))
        .map(|line| {
            let end = line.find(" | 9 | ").expect("all of them");
            &line[..end]
        })
        .collect();
    assert_eq!(
        counted,
        [
            "0 to 5 s | 3",
            "6 to 30 s | 2",
            "31 to 60 s | 1",
            "30 to 60 min | 1",
            "1 to 2 h | 1",
            "over 12 h | 1"
        ]
    );
    assert_eq!(lines.len(), 17);
}

#[test]
fn the_fastest_half_of_three_are_two() {
    let rows: Vec<String> = [1, 2, 9].map(taken).to_vec();
    let lines = ask(&rows, "latency", &[("fastest", "true")]);
    assert_eq!(lines[0], "50 % | 2 | 1.50 | 2.00");
    assert_eq!(lines[10], "100 % | 3 | 4.00 | 9.00");
}

#[test]
fn the_first_attempt_splits_our_wait_from_the_receivers() {
    let mut rows = vec![taken(1)];
    rows.extend((1..=3).map(|n| {
        format!(
            "d 2026-03-01T10:00:00Z x.example v1 | provider=p | time_queued=2026-03-01T09:50:00Z | time_first_attempt=2026-03-01T09:5{n}:00Z"
        )
    }));
    assert_eq!(
        ask(&rows, "latency", &[("first-attempt", "true")]),
        ["p | 3 | 120.00 | 174.00 | 178.80 | 480.00 | 534.00 | 538.80"]
    );
}

#[test]
fn who_waits_at_a_moment_was_queued_by_then_and_left_later() {
    let row = |rec: &str, logged: &str, queued: &str| {
        format!(
            "{rec} 2026-03-01T{logged}Z x.example v1 | provider=p | time_queued=2026-03-01T{queued}Z"
        )
    };
    let rows = [
        row("d", "09:00:00", "08:00:00"),
        row("d", "09:58:00", "09:57:00"),
        row("d", "10:00:00", "09:00:00"),
        row("b", "12:00:00", "09:30:00"),
        row("d", "12:00:00", "10:00:00"),
        row("d", "12:00:00", "10:00:01"),
        row("t", "10:01:00", "09:30:00"),
    ];
    let lines = ask(&rows, "latency", &[("at", "2026-03-01T10:00:00Z"), ("around", "2m")]);
    let expected = "2 | 1830.00 | 3246.00 | 3564.60 | 3600.00 | 2 | 2026-03-01T09:30:00";
    assert_eq!(lines, [format!("(all) | {expected}"), format!("p | {expected}")]);
}

#[test]
fn a_job_gets_the_reports_that_came_back_for_it() {
    let rows = [
        "r 2026-03-01T10:00:00Z x.example v1 | job_id=j | env_id=1 | orig=s1 | rcpt=r1",
        "r 2026-03-01T10:00:00Z x.example v1 | job_id=j | env_id=2 | orig=s2 | rcpt=r2",
        "r 2026-03-01T10:00:00Z x.example v1 | job_id=j | env_id=3 | orig=s3 | rcpt=r3",
        "d 2026-03-01T10:01:00Z x.example v1 | job_id=j | env_id=1 | orig=s1 | rcpt=r1 | provider=p",
        "d 2026-03-01T10:02:00Z x.example v1 | job_id=j | env_id=2 | orig=s2 | rcpt=r2 | provider=p",
        "d 2026-03-01T10:02:00Z x.example v1 | job_id=k | env_id=9 | orig=s9 | rcpt=r9 | provider=q",
        "rb 2026-03-01T11:00:00Z x.example - | env_id=1 | provider=p | bounce_cat=bad-mailbox | bounce_class=hard",
        "rb 2026-03-01T11:00:00Z x.example - | env_id=9 | provider=q | bounce_cat=bad-mailbox | bounce_class=hard",
        "f 2026-03-01T12:00:00Z x.example - | orig=s2 | rcpt=r2",
        "f 2026-03-01T12:00:00Z x.example - | orig=s2 | rcpt=r9",
    ]
    .map(str::to_owned);
    let lines = ask(&rows, "job", &[("id", "j")]);
    let figures: Vec<String> = lines
        .iter()
        .map(|line| line.split(" | ").take(3).collect::<Vec<_>>().join(" | "))
        .collect();
    assert_eq!(
        figures,
        [
            "injected | 3 | -",
            "sent | 2 | 3",
            "deleted by operator | 0 | 3",
            "waiting | 1 | 3",
            "delivered | 2 | 2",
            "bounced | 1 | 2",
            "- hard | 1 | 2",
            "- soft | 0 | 2",
            "- block | 0 | 2",
            "- undetermined | 0 | 2",
            "unknown users | 0 | 2",
            "delayed | 0 | 2",
            "complaints | 1 | 1",
            "50 % delivered | 1 | 2",
            "90 % delivered | 2 | 2",
            "99 % delivered | 2 | 2",
            "worst provider | 1 | 2",
        ]
    );
    assert_eq!(ask(&rows, "job", &[("id", "*")])[0].split(" | ").nth(1), Some("3"));
    assert!(ask(&rows, "job", &[("id", "J")]).is_empty());
}

#[test]
fn a_minute_ends_before_its_sixtieth_second() {
    let at = |time: &str| format!("d 2026-03-01T{time}Z x.example v1 | dlv_size=600");
    let rows = ["10:00:00", "10:00:30", "10:01:00", "10:01:29", "10:59:59"].map(at);
    assert_eq!(
        ask(&rows, "rates", &[]),
        [
            "mta1 | 1 minute | 3 | 3.00 | 2026-03-01T10:00:30",
            "mta1 | 5 minutes | 4 | 0.80 | 2026-03-01T10:00:00",
            "mta1 | 1 hour | 5 | 0.08 | 2026-03-01T10:00:00",
        ]
    );
    assert_eq!(
        ask(&rows, "rates", &[("bytes", "true")])[0],
        "mta1 | 1 minute | 1800 | 30.00 | 3 | 2026-03-01T10:00:30"
    );
}

#[test]
fn sizes_fall_into_their_step() {
    let of = |bytes: u64| format!("d 2026-03-01T10:00:00Z x.example v1 | dlv_size={bytes}");
    let rows = [9_999, 10_000, 999_999, 1_000_000, 10_000_000, 90_000_000].map(of);
    let lines = ask(&rows, "sizes", &[]);
    let sizes: Vec<&str> = lines.iter().filter_map(|line| line.split(" | ").next()).collect();
    assert_eq!(sizes, ["below 10 kB", "10 to 25 kB", "0.5 to 1 MB", "1 to 5 MB", "10 MB and more"]);
    assert!(lines[4].starts_with("10 MB and more | 2 | 6 | 33.33 | 100000000"), "{lines:?}");
}

#[test]
fn a_deferral_of_a_queue_has_no_recipient() {
    let stored = Stored::day();
    let lines =
        report(&stored.session(), "deferrals", &[("by", "provider")], &Selection::default());
    assert_eq!(
        lines.expect("lines"),
        [
            "gmail | 2 | 66.67 | 3 | 1 | 1 | 2026-03-01T10:07:00",
            "yahoo | 1 | 33.33 | 3 | 1 | 0 | 2026-03-01T10:06:00",
        ]
    );
}

#[test]
fn what_a_report_wants_and_nothing_has_is_told() {
    let catalog = Catalog::builtin().expect("reports");
    let latency = catalog.get("latency").expect("a report");
    let missing = |stored: &Stored, flag: &str| {
        let given = [(flag.to_owned(), "true".to_owned())];
        stored.session().missing(latency, &given).expect("an answer")
    };
    let stored = Stored::of(&[record(&taken(1))], &[]);
    let records = vec![Record::Bounce];
    assert_eq!(missing(&stored, "fastest"), Missing { records: records.clone(), fields: vec![] });
    let fields = vec!["timeFirstAttempt"];
    assert_eq!(missing(&stored, "first-attempt"), Missing { records, fields });
    assert_eq!(missing(&Stored::empty(), "first-attempt"), Missing::default());
}

#[test]
fn each_statement_has_what_it_names_of_replies_and_nothing_that_others_named() {
    let stored = Stored::day();
    let session = stored.session();
    let one = |text: &str| sql(&session, text).expect("an answer").concat();
    let n_columns = |view: &str| one(&format!("select count(*) from (describe from {view})"));
    let before = ["records", "bounces"].map(n_columns);
    for _ in 0..2 {
        for view in ["records", "bounces"] {
            let dead = format!("select count(*) from {view} where mailbox_dead = 'yes'");
            assert_eq!(one(&dead), "2");
            assert_eq!(
                one(&format!("select any_value(template) from {view} where vmta = 'v0'")),
                "-"
            );
        }
        assert_eq!(["records", "bounces"].map(n_columns), before);
    }
}
