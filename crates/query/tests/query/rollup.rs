//! The rollup answers what the records answer, and only what it can.

use pmtaq_query::{
    Answer, Catalog, DIMENSIONS, Param, Pivot, Report, Scope, Selection, Session, Statement,
    metrics,
};
use pmtaq_schema::{Timestamp, Window};

use crate::fixture::{Row, Stored, at, day, lines, only, record, row_texts};

/// What a pivot gives, and whether the rollup gave it.
fn pivot(
    session: &Session,
    rows: &str,
    metric: &str,
    selection: &Selection,
) -> (Vec<String>, bool) {
    let query = pivot_of(rows, metric, 3).query(selection).expect("a query");
    let lines = lines(session, &query).unwrap_or_else(|error| panic!("{rows} {metric}: {error}"));
    (lines, session.reads_hours(&query))
}

/// A pivot by `ROWS`, or by `ROWS by COLUMN`.
fn pivot_of(rows: &str, metrics: &str, top: u32) -> Pivot {
    let names = |list: &str| list.split(',').map(str::to_owned).collect::<Vec<_>>();
    let (rows, cols) = match rows.split_once(" by ") {
        Some((rows, cols)) => (rows, Some(cols)),
        None => (rows, None),
    };
    Pivot::new(&names(rows), cols, &names(metrics), top).expect("names")
}

/// The window and the zone from records alone, and by the rule.
fn both(stored: &Stored, window: Window, zone: &str) -> (Session, Session) {
    let mut records = stored.open(window, zone);
    records.read_records();
    (records, stored.open(window, zone))
}

/// Two days of records that differ in everything, at odd times.
pub(crate) fn many() -> Vec<Row> {
    let mut state = 7_u64;
    let mut next = |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut rows = day();
    for _ in 0..600 {
        let second = next(2 * 86_400);
        let time = Timestamp(at("2026-03-01T00:00:00Z").0 + i64::try_from(second).unwrap_or(0));
        let rec = ["d", "d", "d", "b", "t", "tq", "r", "rb", "f"][next(9) as usize];
        let queued = Timestamp(time.0 - i64::try_from(next(127)).unwrap_or(0));
        let mut text = format!("{rec} {time} d{}.example v{}", next(4), next(3));
        for (name, value) in [
            ("time_queued", queued.to_string()),
            ("provider", format!("p{}", next(3))),
            ("sender_domain", format!("s{}.example", next(2))),
            ("job_id", format!("j{}", next(3))),
            (
                "bounce_class",
                ["hard", "soft", "block", "undetermined", "administrative"][next(5) as usize]
                    .to_owned(),
            ),
            ("bounce_origin", ["receiver", "pmta", "operator"][next(3) as usize].to_owned()),
            ("dlv_destination_ip", "192.0.2.1".to_owned()),
            ("dlv_tls_protocol", "TLSv1.3".to_owned()),
            ("dlv_size", next(9999).to_string()),
            ("smtp_code", (550 + next(3)).to_string()),
            ("rcpt", format!("u{}@example", next(50))),
        ] {
            if next(5) > 0 {
                text += &format!(" | {name}={value}");
            }
        }
        rows.push(record(&text));
    }
    rows
}

#[test]
fn every_metric_by_every_dimension_is_the_same_from_both_tables_at_scale() {
    let stored = Stored::of(&many(), &[]);
    let (records, auto) = both(&stored, Window::ALL, "Europe/Madrid");
    let all = Selection::default();
    let mut answered = Vec::new();
    for metric in metrics() {
        let (actual, from_hours) = pivot(&auto, "provider", &metric.name, &all);
        assert_eq!(actual, pivot(&records, "provider", &metric.name, &all).0, "{}", metric.name);
        assert_eq!(from_hours, !metric.name.starts_with("delayed"), "{}", metric.name);
        if from_hours {
            answered.push(metric.name.as_str());
        }
    }
    let mut by_hours = 0;
    for dimension in DIMENSIONS {
        let (expected, from_hours) = pivot(&records, dimension.name, &answered.join(","), &all);
        assert!(!from_hours);
        let (actual, from_hours) = pivot(&auto, dimension.name, &answered.join(","), &all);
        assert_eq!(actual, expected, "{}", dimension.name);
        by_hours += usize::from(from_hours);
    }
    assert_eq!(by_hours, 25, "dimensions that the rollup has");
}

#[test]
fn the_largest_rows_by_several_names_are_the_same_from_both_tables_at_scale() {
    let stored = Stored::of(&many(), &[]);
    let of = |since: &str, until: &str| Window { since: at(since), until: at(until) };
    let windows = [Window::ALL, of("2026-03-01T01:20:00Z", "2026-03-02T10:30:00Z")];
    let mut told_apart = 0;
    for (window, selection) in
        windows.iter().zip([Selection::default(), only(&[("domain", &["d1.example"])], None)])
    {
        let (records, auto) = both(&stored, *window, "Europe/Madrid");
        for (rows, metrics) in [
            ("sender_domain,rcpt_domain,vmta", "sent,bounced"),
            ("sender_domain,rcpt_domain by vmta", "sent,bounce_rate"),
            ("sender_domain,vmta by hour", "delivered,p90"),
            ("provider by rec", "deferred,p50"),
            ("sender_domain,vmta", "bounce_rate,deferral_rate,complaints,slowest"),
            ("rec,provider,smtp_code", "bytes,delivered"),
            ("rcpt_domain,mailbox_dead", "bounced"),
            ("sender_domain,vmta", "p90"),
            ("rcpt_domain", "sent,p50,p99,slowest"),
            ("rcpt_domain,vmta", "injected,p90"),
            // Without buckets: what may be less than nothing, by time, of one name without its seconds.
            ("sender_domain,vmta", "accepted"),
            ("vmta,day", "sent"),
            ("rcpt_domain", "sent,slowest"),
        ] {
            for top in [1, 4, 1000, 0] {
                let pivot = pivot_of(rows, metrics, top);
                let query = pivot.query(&selection).expect("a query");
                let of = |session: &Session| lines(session, &query).expect("an answer");
                assert_eq!(of(&auto), of(&records), "{rows} {metrics} {top} {window:?}");
                assert!(auto.reads_hours(&query), "{rows}");
                told_apart += usize::from(auto.script(&query).contains("listed_group"));
            }
        }
    }
    assert_eq!(told_apart, 2 * 10 * 3, "by buckets");
}

#[test]
fn what_the_rollup_lacks_is_asked_beside_it_at_scale() {
    // Where all that a number rests on is logged, it is known.
    let whole = |mut row: Row| {
        for (name, value) in [
            ("rcpt", "v@example"),
            ("time_queued", "2026-03-01T00:00:00Z"),
            ("provider", "p9"),
            ("sender_domain", "s9.example"),
            ("dlv_destination_ip", "192.0.2.1"),
        ] {
            if row.iter().all(|(known, _)| *known != name) {
                row.push((name, value.to_owned()));
            }
        }
        row
    };
    let stored = Stored::of(&many().into_iter().map(whole).collect::<Vec<_>>(), &[]);
    let of = |since: &str, until: &str| Window { since: at(since), until: at(until) };
    let windows = [Window::ALL, of("2026-03-01T01:20:00Z", "2026-03-02T10:30:00Z")];
    let mut delayed = 0.0;
    for (window, selection) in
        windows.iter().zip([Selection::default(), only(&[("domain", &["d1.example"])], None)])
    {
        let (records, auto) = both(&stored, *window, "Europe/Madrid");
        for (rows, metrics, n_queries) in [
            ("provider", "sent,delayed,bounce_rate,p90", 2),
            ("sender_domain", "injected,delayed_rate,deferral_rate,slowest", 2),
            ("sender_domain,vmta by provider", "delayed_rate", 2),
            ("vmta by hour", "deferred,delayed", 2),
            ("hour", "sent,delayed", 2),
            // What rows are ranked by is told by records alone, or one of the two has all that is asked.
            ("vmta", "delayed,sent", 1),
            ("vmta", "delayed", 1),
            ("vmta", "sent,p50", 1),
            ("queue", "sent,delayed", 1),
        ] {
            for top in [1, 4, 0] {
                let pivot = pivot_of(rows, metrics, top);
                let of = |session: &Session| pivot.run(session, &selection).expect("an answer");
                let (by_both, by_records) = (of(&auto), of(&records));
                let asked = format!("{rows} {metrics} {top} {window:?}");
                let columns = |of: &Answer| of.names().map(str::to_owned).collect::<Vec<_>>();
                assert_eq!(columns(&by_both), columns(&by_records), "{asked}");
                assert!(by_both.len() > 1, "{asked}");
                assert_eq!(row_texts(by_both.rows()), row_texts(by_records.rows()), "{asked}");
                let queries = |session| pivot.queries(session, &selection).expect("queries").len();
                assert_eq!((queries(&auto), queries(&records)), (n_queries, 1), "{asked}");
                if let Ok(of) = by_both.f64s("delayed") {
                    delayed += of.iter().flatten().sum::<f64>();
                }
            }
        }
    }
    assert!(delayed > 100.0, "{delayed}");
}

#[test]
fn a_rollup_by_day_answers_what_it_can_as_the_records_do_at_scale() {
    let stored = Stored::of(&many(), &[]);
    let of = |since: &str, until: &str| Window { since: at(since), until: at(until) };
    let table = |session: &Session, rows: &str, metrics: &str| {
        let pivot = pivot_of(rows, metrics, 3);
        let script = session.script(&pivot.query(&Selection::default()).expect("a query"));
        let named = ["daily_senders", "daily_domains"].into_iter();
        let mut named = named.filter(|name| script.contains(&format!("from {name}_stored")));
        named.next().unwrap_or("hourly")
    };
    for days in [&["2026-03-01", "2026-03-02"][..], &["2026-03-01"]] {
        if days.len() == 1 {
            // An ingest that comes later, whose hours nobody has summed up.
            stored.add(
                pmtaq_store::layout::Table::Records,
                &[record("d 2026-03-01T10:00:00Z d1.example v1 | sender_domain=s1.example")],
            );
            stored.add_hours_of("2026-03-01", "d1.example");
        } else {
            stored.add_tiers(days);
        }
        for (window, whole) in [
            (Window::ALL, true),
            (of("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"), true),
            (of("2026-02-01T00:00:00Z", "2026-03-02T10:30:00Z"), true),
            (of("2026-03-01T01:00:00Z", "2026-03-02T10:30:00Z"), false),
        ] {
            let (records, auto) = both(&stored, window, "Europe/Madrid");
            for (rows, metrics, by) in [
                ("vmta", "bounce_rate,p90,bytes,slowest", "daily_senders"),
                ("sender_domain", "deferral_rate,injected", "daily_senders"),
                ("rcpt_domain", "bounce_rate,complaints,unknown_users", "daily_domains"),
                ("smtp_code", "bounced_by_receiver", "daily_domains"),
                ("template", "bounced", "daily_domains"),
                ("vmta", "unknown_users", "hourly"),
                ("job_id", "sent", "daily_senders"),
                ("day", "sent", "hourly"),
            ] {
                let all = Selection::default();
                let expected = pivot(&records, rows, metrics, &all).0;
                assert_eq!(
                    pivot(&auto, rows, metrics, &all),
                    (expected, true),
                    "{rows} {window:?}"
                );
                let by = if whole { by } else { "hourly" };
                assert_eq!(table(&auto, rows, metrics), by, "{rows} {metrics} {window:?}");
            }
            let selection = only(&[("domain", &["d1.example"])], Some("Provider = 'p1'"));
            let expected = pivot(&records, "rec", "sent", &selection).0;
            assert_eq!(pivot(&auto, "rec", "sent", &selection), (expected, true), "{window:?}");
        }
    }
}

#[test]
fn a_window_that_cuts_hours_is_the_same_from_both_tables_at_scale() {
    let stored = Stored::of(&many(), &[]);
    for (since, until, hours) in [
        ("2026-03-01T10:00:00Z", "2026-03-01T13:00:00Z", true),
        ("2026-03-01T10:05:01Z", "2026-03-02T13:10:00Z", true),
        ("2026-03-01T10:05:00Z", "2026-03-01T11:00:00Z", false),
        ("2026-03-01T10:05:00Z", "2026-03-01T11:59:00Z", false),
        ("2026-03-01T10:05:00Z", "2026-03-01T12:01:00Z", true),
    ] {
        let window = Window { since: at(since), until: at(until) };
        let (records, auto) = both(&stored, window, "UTC");
        for (dimension, metric) in
            [("provider", "bounce_rate"), ("hour", "p90"), ("rec", "injected")]
        {
            let all = Selection::default();
            let (actual, from_hours) = pivot(&auto, dimension, metric, &all);
            assert_eq!(actual, pivot(&records, dimension, metric, &all).0, "{since} {until}");
            assert_eq!(from_hours, hours, "{since} {until}");
        }
    }
}

#[test]
fn filters_and_conditions_are_the_same_from_both_tables() {
    let stored = Stored::of(&many(), &[]);
    let (records, auto) = both(&stored, Window::ALL, "UTC");
    for (selection, hours) in [
        (only(&[("provider", &["p1", "p2"]), ("domain", &["d*"])], None), true),
        (only(&[("hour_of_day", &["10", "11"])], None), true),
        (only(&[("mx", &["x"])], None), false),
        (only(&[], Some("rec = 'd' and vmta like 'v%' or smtp_code >= 551")), true),
        (only(&[], Some("\"VMTA\" in ('v1', 'v2') and bounce_class is null")), true),
        (only(&[], Some("dlv_size > 500")), false),
        (only(&[], Some("\"dlv_size\" > 500")), false),
        (only(&[], Some("hour(time_logged) = 10")), false),
        (only(&[], Some("vmta in (select vmta from records)")), false),
        (only(&[], Some("dlv_destination_ip = ''")), false),
    ] {
        let (actual, from_hours) = pivot(&auto, "provider", "bounce_rate", &selection);
        let expected = pivot(&records, "provider", "bounce_rate", &selection).0;
        assert_eq!(actual, expected, "{selection:?}");
        assert_eq!(from_hours, hours, "{selection:?}");
    }
}

#[test]
fn a_zone_of_half_hours_leaves_local_times_to_the_records() {
    let stored = Stored::of(&many(), &[]);
    let (records, auto) = both(&stored, Window::ALL, "Asia/Kolkata");
    for (dimension, hours) in [("hour", false), ("day", false), ("provider", true)] {
        let (actual, from_hours) = pivot(&auto, dimension, "sent", &Selection::default());
        assert_eq!(actual, pivot(&records, dimension, "sent", &Selection::default()).0);
        assert_eq!(from_hours, hours, "{dimension}");
    }
}

/// Every choice of a report's parameters, one after the other.
fn settings(params: &[Param]) -> Vec<Vec<(String, String)>> {
    let mut all = vec![Vec::new()];
    for param in params.iter().filter(|param| !param.fixed) {
        let choices: Vec<String> = match &param.kind {
            pmtaq_query::ParamKind::Choice(choices) => choices.clone(),
            pmtaq_query::ParamKind::Dimension => {
                DIMENSIONS.iter().map(|d| d.name.to_owned()).collect()
            }
            pmtaq_query::ParamKind::Metric => metrics().iter().map(|m| m.name.clone()).collect(),
            pmtaq_query::ParamKind::Flag => vec!["true".to_owned()],
            _ => continue,
        };
        all.extend(choices.into_iter().map(|choice| vec![(param.name.clone(), choice)]));
    }
    all
}

/// What of a report both tables do not answer alike; how often the rollup answered.
fn differences(report: &Report, records: &Session, auto: &Session) -> (Vec<String>, usize) {
    let (mut differences, mut by_hours) = (Vec::new(), 0);
    for given in settings(&report.params) {
        let Ok(query) = report.query(&given, &Selection::default(), Scope::ALL) else {
            continue;
        };
        if auto.reads_hours(&query) {
            let answer = |session: &Session| lines(session, &query).map_err(|e| e.to_string());
            let (actual, expected) = (answer(auto), answer(records));
            by_hours += 1;
            if actual.is_err() || actual != expected {
                differences.push(format!("{} {given:?}: {actual:?}", report.name));
            }
        }
    }
    (differences, by_hours)
}

#[test]
fn every_report_that_says_so_is_the_same_from_all_tables_at_scale() {
    let stored = Stored::of(&many(), &[]);
    stored.add_tiers(&["2026-03-01"]);
    let (records, auto) = both(&stored, Window::ALL, "UTC");
    for report in Catalog::builtin().expect("the reports").iter() {
        let (differences, by_hours) = differences(report, &records, &auto);
        assert!(differences.is_empty(), "{}", differences.join("\n"));
        let fixed = |(name, _): &&(String, Statement)| {
            report.params.iter().any(|param| param.fixed && param.name == *name)
        };
        let statements = match report.variants.iter().find(fixed) {
            Some((_, only)) => vec![only],
            None => report.variants.iter().map(|(_, of)| of).chain([&report.statement]).collect(),
        };
        let says_so = statements.iter().any(|statement| statement.rollup.is_some());
        assert_eq!(by_hours > 0, says_so, "{}", report.name);
    }
}

#[test]
fn a_report_that_counts_by_itself_reads_records_and_is_found_out_when_it_says_otherwise() {
    let stored = Stored::of(&many(), &[]);
    let (records, auto) = both(&stored, Window::ALL, "UTC");
    let head = "-- name: x\n-- title: X\n-- help: X.\n-- needs: d\n";
    for count in [
        "count_if(provider = 'p1')",
        "count_star()",
        "count(*)",
        "round(entropy(provider), 9)",
        "sum(1)",
        "group_concat(provider order by provider)",
    ] {
        let sql = format!("select vmta, {count} as n from records group by vmta order by vmta");
        let of = |head: String| Report::parse("x", &format!("{head}{sql}")).expect("a report");
        let silent = &of(head.to_owned())[0];
        assert_eq!(differences(silent, &records, &auto), (vec![], 0), "{count}");
        let wrong = &of(format!("{head}-- rollup: vmta, provider\n"))[0];
        assert_eq!(differences(wrong, &records, &auto).0.len(), 1, "{count}");
    }
    // What it does not say that it reads is not there.
    let sql = "select vmta, sent() as n from records group by vmta order by vmta";
    let of = |names: &str| {
        Report::parse("x", &format!("{head}-- rollup: {names}\n{sql}")).expect("a report")
    };
    assert_eq!(differences(&of("provider")[0], &records, &auto).0.len(), 1);
    assert_eq!(differences(&of("vmta")[0], &records, &auto), (vec![], 1));
    assert!(Report::parse("x", &format!("{head}-- rollup: rcpt\n{sql}")).is_err());
}

#[test]
fn a_day_without_a_rollup_is_answered_from_records() {
    let stored = Stored::of(&many(), &[]);
    stored
        .add(pmtaq_store::layout::Table::Records, &[record("d 2026-03-07T10:00:00Z x.example v1")]);
    let session = stored.session();
    let (rows, from_hours) =
        pivot(&session, "rcpt_domain", "sent", &only(&[("domain", &["x.example"])], None));
    assert!(!from_hours);
    assert_eq!(rows.len(), 2);
}
