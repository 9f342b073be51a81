//! Each report over the day of the fixture, row by row.

use pmtaq_query::{
    Catalog, ColumnUnit, Meaning, Param, ParamKind, Report, Scope, Selection, dimension,
};
use pmtaq_schema::{Unit, Window};

use crate::fixture::{Stored, at, only, record, report};

fn check(name: &str, given: &[(&str, &str)], expected: &[&str]) {
    let stored = Stored::day();
    let answer = report(&stored.session(), name, given, &Selection::default()).expect(name);
    assert_eq!(answer, expected, "{name}");
}

#[test]
fn domains_are_told_by_what_was_sent() {
    check(
        "domains",
        &[],
        &[
            "gmail.com | 4 | 2 | 3 | 75.00 | 1 | 5 | 20.00 | 19.50",
            "yahoo.com | 2 | 1 | 1 | 50.00 | 1 | 1 | 0.00 | 30.00",
            "example.org | 2 | 1 | 1 | 50.00 | 0 | 2 | 0.00 | 40.00",
            "(none) | 0 | 0 | 0 | - | 1 | 0 | - | -",
        ],
    );
}

#[test]
fn an_address_that_is_only_deferred_warms_up_too() {
    let of = |rec: &str, ip: &str| {
        let fields = format!("dlv_source_ip={ip} | dlv_destination_ip=198.51.100.1 | provider=p");
        record(&format!("{rec} 2026-03-01T10:00:00Z x.example v1 | {fields}"))
    };
    let stored = Stored::of(&[of("d", "192.0.2.1"), of("t", "192.0.2.2")], &[]);
    for top in ["2", "10", "0"] {
        let given = [("top", top)];
        let answer = report(&stored.session(), "warmup", &given, &Selection::default());
        let ips = answer.expect("an answer");
        let ips: Vec<&str> = ips.iter().filter_map(|row| row.split(" | ").next()).collect();
        assert_eq!(ips, ["192.0.2.1", "192.0.2.2"], "{top}");
    }
}

#[test]
fn providers_and_vmtas_are_told_alike() {
    check("providers", &[("top", "1")], &["gmail | 4 | 2 | 3 | 75.00 | 2 | 5 | 20.00 | 19.50"]);
    check(
        "vmtas",
        &[],
        &[
            "v1 | 4 | 2 | 2 | 50.00 | 2 | 5 | 20.00 | 19.50",
            "v2 | 4 | 2 | 2 | 50.00 | 1 | 3 | 0.00 | 39.50",
            "(none) | 0 | 0 | 1 | - | 0 | 0 | - | -",
        ],
    );
}

#[test]
fn bounce_reasons_have_their_share() {
    check(
        "bounce-reasons",
        &[],
        &[
            "hard | bad-mailbox | 5.1.1 | 2 | 50.00 | 4 | 1 | 550 5.1.1 no such user {email}",
            "soft | quota-issues | 5.2.2 | 1 | 25.00 | 4 | 1 | 552 5.2.2 full",
            "undetermined | other | 5.0.0 | 1 | 25.00 | 4 | 1 | 554 it's $5 off",
        ],
    );
}

#[test]
fn the_share_of_the_rows_shown_is_that_of_all() {
    check(
        "top-bounces",
        &[("top", "1"), ("by", "category")],
        &["bad-mailbox | 2 | 50.00 | 4 | - | 2026-03-01T10:20:00 | 2026-03-01T10:21:00"],
    );
}

#[test]
fn top_bounces_count_by_any_of_the_choices_at_scale() {
    let first = |by: &str| {
        let stored = Stored::day();
        let rows = report(&stored.session(), "top-bounces", &[("by", by)], &Selection::default());
        rows.expect(by)[0].split(" | ").take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    for (by, value) in [
        ("template", "550 5.1.1 no such user {email}"),
        ("category", "bad-mailbox"),
        ("enhanced", "5.1.1"),
        ("class", "hard"),
        ("vmta", "v1"),
        ("job", "j1"),
        ("provider", "gmail"),
        ("domain", "gmail.com"),
    ] {
        assert_eq!(first(by), [value, "2"], "{by}");
    }
}

#[test]
fn volume_fills_the_hours_without_mail_and_invents_no_injection() {
    check(
        "volume",
        &[],
        &[
            "2026-03-01T09:00:00 | 2 | 0 | 0 | 0 | 0 | 0",
            "2026-03-01T10:00:00 | 0 | 2 | 2 | 3 | 0 | 3000",
            "2026-03-01T11:00:00 | 0 | 2 | 0 | 0 | 0 | 7000",
            "2026-03-01T12:00:00 | 0 | 0 | 2 | 0 | 0 | 0",
            "2026-03-01T13:00:00 | 0 | 0 | 0 | 0 | 0 | 0",
            "2026-03-01T14:00:00 | 0 | 0 | 0 | 0 | 0 | 0",
            "2026-03-01T15:00:00 | 0 | 0 | 1 | 0 | 0 | 0",
            "2026-03-01T16:00:00 | 0 | 0 | 0 | 0 | 1 | 0",
        ],
    );
    check("volume", &[("per", "day")], &["2026-03-01 | 2 | 4 | 5 | 3 | 1 | 10000"]);
}

#[test]
fn rejects_are_those_of_the_window() {
    let stored = Stored::day();
    let all = Selection::default();
    let rows = report(&stored.session(), "rejects", &[], &all).expect("rows");
    assert_eq!(
        rows[0],
        "2026-03-02T20:00:00 | /log/acct.csv | 9 | 120 | is not a time | timeLogged | 13/13 | 9 | d,13/13,x"
    );
    assert_eq!(rows.len(), 2);
    let morning = Window { since: at("2026-03-02T00:00:00Z"), until: at("2026-03-02T12:00:00Z") };
    let rows = report(&stored.open(morning, "UTC"), "rejects", &[], &all).expect("rows");
    assert_eq!(rows.len(), 1, "{rows:?}");
}

/// What a report cannot do without.
fn needed(report: &Report) -> Vec<(&str, &'static str)> {
    let needed = report.settable().filter(|param| {
        param.default.is_none() && param.positional || matches!(param.kind, ParamKind::Window)
    });
    needed.map(|param| (param.name.as_str(), value(report, &param.name))).collect()
}

/// A value that a parameter takes.
fn value(report: &Report, name: &str) -> &'static str {
    let name = name.split('=').next().unwrap_or(name);
    let param = report.params.iter().find(|param| param.name == name).expect("a parameter");
    match param.kind {
        ParamKind::Time => "2026-03-01T10:00:00Z",
        ParamKind::Window => "2026-03-01T00:00:00Z/2026-03-02T00:00:00Z",
        ParamKind::Flag => "true",
        ParamKind::Int => "1",
        ParamKind::Dimension => "vmta",
        _ => "x",
    }
}

#[test]
fn every_report_of_an_empty_store_is_empty() {
    let stored = Stored::empty();
    let session = stored.session();
    for each in Catalog::builtin().expect("reports").iter() {
        let rows = report(&session, &each.name, &needed(each), &Selection::default());
        assert_eq!(rows.expect(&each.name), Vec::<String>::new(), "{}", each.name);
    }
}

#[test]
fn every_report_takes_every_filter_and_all_rows_at_scale() {
    let stored = Stored::day();
    let session = stored.session();
    let selection = only(&[("domain", &["gmail.com"]), ("hour", &["2026*"])], Some("rec <> 'r'"));
    for each in Catalog::builtin().expect("reports").iter() {
        let mut given = needed(each);
        if each.params.iter().any(|p| p.name == "top") {
            given.push(("top", "0"));
        }
        report(&session, &each.name, &given, &selection).expect(&each.name);
    }
}

#[test]
fn headers_tell_the_truth_about_columns_and_parameters_at_scale() {
    let stored = Stored::day();
    let session = stored.session();
    for each in Catalog::builtin().expect("reports").iter() {
        let is_variant = |param: &Param| {
            let mut chosen = each.variants.iter().map(|(name, _)| name.split('=').next());
            chosen.any(|name| name == Some(&*param.name))
        };
        if each.params.iter().any(|param| param.fixed && is_variant(param)) {
            // One of the statements of a file, which is checked under its first name.
            continue;
        }
        let needed = needed(each);
        let mut names: Vec<String> = Vec::new();
        let mut sql = each.statement.sql.clone();
        let statements = each.variants.iter().map(|(param, of)| (Some(param.as_str()), of));
        for (chosen, statement) in [(None, &each.statement)].into_iter().chain(statements) {
            let mut given: Vec<(&str, &str)> = needed.clone();
            given.retain(|(param, _)| each.variants.iter().all(|(chosen, _)| chosen != param));
            given.extend(chosen.map(|param| {
                let value = value(each, param);
                param.split_once('=').unwrap_or((param, value))
            }));
            let given: Vec<_> =
                given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            let query = each.query(&given, &Selection::default(), Scope::ALL).expect("a query");
            let columns: Vec<String> = session
                .run(&query, |shape, _| {
                    shape.schema.fields().iter().map(|f| f.name().clone()).collect()
                })
                .expect(&each.name);
            names.extend(columns);
            sql.push_str(&statement.sql);
        }
        for (column, unit) in &each.units {
            assert!(names.contains(column), "{}: no column {column}", each.name);
            if let ColumnUnit::Is(Meaning { unit: Unit::Percent, of }) = unit {
                // A change has no denominator.
                let of = of.as_ref().filter(|_| column != "change").unwrap_or(column);
                assert!(names.contains(of), "{}: no column {of}", each.name);
                assert!(of != column || column == "change", "{}: {column} of what?", each.name);
            }
        }
        let means = |word: &str| {
            let stands = |p: &&Param| p.name == word && matches!(p.kind, ParamKind::Dimension);
            let param = each.params.iter().find(stands);
            let value = param.and_then(|param| param.default.clone());
            value.map_or(word.to_owned(), |by| dimension(&by).expect(&by).name.to_owned())
        };
        for word in each.chart.iter().flat_map(|chart| chart.split(' ').skip(1)) {
            assert!(names.contains(&means(word)), "{}: no column {word}", each.name);
        }
        for param in &each.params {
            let word = param.name.replace('-', "_");
            let uses: Vec<String> = match param.kind {
                ParamKind::Filter(_) => vec![],
                _ if is_variant(param) || each.reach.names(&param.name) => vec![],
                ParamKind::Window => vec![format!("${word}_since"), format!("${word}_until")],
                ParamKind::Dimension | ParamKind::Metric => vec![format!("{word}()")],
                _ => vec![format!("${word}")],
            };
            for text in uses {
                assert!(sql.contains(&text), "{}: no {text}", each.name);
            }
        }
        for other in &each.see {
            Catalog::builtin().expect("reports").get(other).expect(&each.name);
        }
    }
}
