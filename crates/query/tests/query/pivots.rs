//! Pivots: totals, the rest, and rates that are computed and not averaged.

use pmtaq_query::{Pivot, Result, Selection, Session};

use crate::fixture::{Stored, record, row_texts};

fn pivot(
    session: &Session,
    rows: &[&str],
    cols: Option<&str>,
    metrics: &[&str],
    top: u32,
) -> Result<Vec<String>> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let pivot = Pivot::new(&owned(rows), cols, &owned(metrics), top)?;
    let answer = pivot.run(session, &Selection::default())?;
    let mut lines = vec![answer.names().collect::<Vec<_>>().join(" | ")];
    lines.extend(row_texts(answer.rows()));
    Ok(lines)
}

#[test]
fn rows_end_in_a_total_and_a_rate_shows_its_denominator() {
    let stored = Stored::day();
    let lines = pivot(&stored.session(), &["provider"], None, &["bounce_rate"], 0);
    assert_eq!(
        lines.expect("a pivot"),
        [
            "provider | sent | bounce_rate",
            "gmail | 4 | 75.00",
            "example.org | 2 | 50.00",
            "yahoo | 2 | 50.00",
            "total | 8 | 62.50",
        ]
    );
}

#[test]
fn a_group_in_which_nothing_is_counted_is_no_row_and_no_column() {
    // The receptions have no provider, and only they.
    let stored = Stored::day();
    let of = |metric| pivot(&stored.session(), &["provider"], None, &[metric], 0).expect("a pivot");
    assert!(of("injected").contains(&"(none) | 2".to_owned()), "{:?}", of("injected"));
    assert!(!of("sent").iter().any(|line| line.starts_with("(none)")), "{:?}", of("sent"));
}

#[test]
fn the_rest_is_summed_up_and_its_rate_is_not_an_average() {
    let stored = Stored::day();
    let lines = pivot(&stored.session(), &["rcpt_domain"], Some("vmta"), &["bounce_rate"], 1);
    assert_eq!(
        lines.expect("a pivot"),
        [
            "rcpt_domain | v1 | v2 | (none) | total",
            "gmail.com | 50.00 | - | - | 75.00",
            "other | - | 50.00 | - | 50.00",
            "total | 50.00 | 50.00 | - | 62.50",
        ]
    );
}

#[test]
fn a_value_called_other_or_total_is_not_taken_for_the_rest() {
    let rows: Vec<_> =
        ["other", "other", "other", "total", "total", "spam-related", "quota-issues"]
            .iter()
            .map(|cat| record(&format!("b 2026-03-01T10:00:00Z x.example v1 | bounce_cat={cat}")))
            .collect();
    let stored = Stored::of(&rows, &[]);
    let lines = pivot(&stored.session(), &["bounce_cat"], None, &["bounced"], 2);
    assert_eq!(
        lines.expect("a pivot"),
        ["bounce_cat | bounced", "other | 3", "total | 2", "(other) | 2", "(total) | 7"]
    );
}

#[test]
fn many_columns_end_in_the_rest_and_several_metrics_are_named() {
    let rows: Vec<_> = (0..15)
        .flat_map(|n| {
            (0..=n).map(move |_| record(&format!("d 2026-03-01T10:00:00Z x.example v{n:02}")))
        })
        .collect();
    let stored = Stored::of(&rows, &[]);
    let lines = pivot(&stored.session(), &["rcpt_domain"], Some("vmta"), &["sent", "bounced"], 0)
        .expect("a pivot");
    let names: Vec<&str> = lines[0].split(" | ").collect();
    assert_eq!(names.len(), 1 + 2 * (12 + 2));
    assert_eq!(names[1], "v14 sent");
    assert_eq!(names[25..], ["other sent", "other bounced", "total sent", "total bounced"]);
    assert!(lines[1].ends_with("6 | 0 | 120 | 0"), "{}", lines[1]);
}

#[test]
fn several_row_dimensions_are_a_column_each() {
    let stored = Stored::day();
    let lines = pivot(&stored.session(), &["sender_domain", "rcpt_domain"], None, &["sent"], 2);
    assert_eq!(
        lines.expect("a pivot"),
        [
            "sender_domain | rcpt_domain | sent",
            "a.example | gmail.com | 4",
            "b.example | example.org | 2",
            "other | other | 2",
            "total |  | 8",
        ]
    );
}

#[test]
fn a_pivot_of_an_empty_store_has_its_columns_and_no_rows() {
    let stored = Stored::empty();
    let session = stored.session();
    let lines = pivot(&session, &["vmta"], None, &["bounce_rate"], 3).expect("a pivot");
    assert_eq!(lines, ["vmta | sent | bounce_rate"]);
    assert_eq!(
        pivot(&session, &["vmta"], Some("provider"), &["sent"], 3).expect("a pivot").len(),
        1
    );
}

#[test]
fn every_dimension_can_be_a_row_and_a_column() {
    let stored = Stored::day();
    let session = stored.session();
    for dimension in pmtaq_query::DIMENSIONS {
        let lines = pivot(&session, &[dimension.name], Some(dimension.name), &["delivered"], 2);
        let lines = lines.expect(dimension.name);
        assert!(lines.last().expect("rows").ends_with("| 4"), "{}: {lines:?}", dimension.name);
    }
}

#[test]
fn what_is_missing_or_unknown_is_an_error_and_no_panic() {
    let stored = Stored::day();
    let session = stored.session();
    assert!(pivot(&session, &[], None, &["sent"], 0).is_err());
    assert!(pivot(&session, &["vmta"], None, &[], 0).is_err());
    for hostile in ["vmta; drop view records", "vmta'--", "1", "bounced()", "*"] {
        assert!(pivot(&session, &[hostile], None, &["sent"], 0).is_err());
        assert!(pivot(&session, &["vmta"], Some(hostile), &["sent"], 0).is_err());
        assert!(pivot(&session, &["vmta"], None, &[hostile], 0).is_err());
    }
}
