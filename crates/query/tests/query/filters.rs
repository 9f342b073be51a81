//! Which records pass: any of the values of a filter, all of the filters, and no more than that.

use pmtaq_query::{DIMENSIONS, Selection, Session};

use crate::fixture::{Stored, lines, only, report};

fn passed(stored: &Stored, selection: &Selection) -> Result<usize, String> {
    count(&stored.session(), selection)
}

fn count(session: &Session, selection: &Selection) -> Result<usize, String> {
    session.check(selection).map_err(|error| error.to_string())?;
    let query = session.export(&["rec".to_owned()], selection).map_err(|e| e.to_string())?;
    lines(session, &query).map(|lines| lines.len()).map_err(|error| error.to_string())
}

#[test]
fn values_of_one_filter_are_alternatives_and_filters_add_up() {
    let stored = Stored::day();
    for (filters, expected) in [
        (&[][..], 15),
        (&[("domain", &["gmail.com"][..])][..], 8),
        (&[("domain", &["gmail.com", "yahoo.com"])], 12),
        (&[("domain", &["gmail.com", "yahoo.com"]), ("vmta", &["v2"])], 4),
        (&[("domain", &[" GMail.COM"])], 8),
        (&[("domain", &["*.org", "y*"])], 6),
        (&[("provider", &["Gmail"])], 7),
        (&[("code", &["5.1.*"])], 2),
        (&[("smtp_code", &["550"])], 2),
        (&[("job", &["it's"])], 1),
        (&[("rec", &["b"]), ("class", &["hard"])], 2),
        (&[("hour", &["2026-03-01 10:00"])], 7),
        (&[("domain", &["gmail.co?"])], 0),
    ] {
        assert_eq!(passed(&stored, &only(filters, None)), Ok(expected), "{filters:?}");
    }
}

#[test]
fn a_wildcard_leaves_the_other_signs_of_a_pattern_literal() {
    let mut rows = Vec::new();
    for job in ["a[1]x", "a1x", "a?x", "a\\x", "a\\\\x"] {
        rows.push(crate::fixture::record(&format!(
            "d 2026-03-01T10:00:00Z x.example v1 | job_id={job}"
        )));
    }
    let stored = Stored::of(&rows, &[]);
    for value in ["a[1]*", "a1*", "a?*", "a\\\\*"] {
        assert_eq!(passed(&stored, &only(&[("job", &[value])], None)), Ok(1), "{value}");
    }
}

#[test]
fn a_condition_narrows_and_joins_the_filters() {
    let stored = Stored::day();
    let hard = only(&[("vmta", &["v1", "v2"])], Some("enhanced_code like '5.%' -- permanent"));
    assert_eq!(passed(&stored, &hard), Ok(4));
    let either = only(&[("vmta", &["v1"])], Some("rec = 'd' or rec = 'b'"));
    assert_eq!(passed(&stored, &either), Ok(4));
}

#[test]
fn a_condition_that_is_no_expression_is_refused() {
    let stored = Stored::day();
    for condition in [
        "true) or (true",
        "true; drop view records",
        "true) union all (select 'x'",
        "true)) from stored; select ((1",
        "select true",
        "1 for x in [1]",
        "/* true",
        "true --\n) or (true",
        "",
        "'",
    ] {
        let selection = only(&[("domain", &["gmail.com"])], Some(condition));
        assert!(passed(&stored, &selection).is_err(), "{condition}");
    }
}

#[test]
fn what_came_back_passes_by_its_own_record_or_by_that_of_its_delivery() {
    let rows = [
        "d 2026-03-01T10:00:00Z gmail.com v1 | rcpt=a@gmail.com | env_id=e1",
        "d 2026-03-01T10:00:00Z gmail.com v2 | rcpt=b@gmail.com | env_id=e2",
        "f 2026-03-01T12:00:00Z gmail.com - | rcpt=a@gmail.com | env_id=e1",
        "f 2026-03-01T12:00:01Z gmail.com - | rcpt=b@gmail.com | env_id=e2",
        "f 2026-03-01T12:00:02Z gmail.com - | rcpt=c@gmail.com | env_id=e3",
    ];
    let stored = Stored::of(&rows.map(crate::fixture::record), &[]);
    let complained = |selection: Selection| {
        let given = [("by", "vmta")];
        let rows = report(&stored.session(), "complaints", &given, &selection).expect("an answer");
        let named = |row: String| row.split(" | ").take(2).collect::<Vec<_>>().join(" ");
        rows.into_iter().map(named).collect::<Vec<_>>()
    };
    assert_eq!(complained(only(&[("vmta", &["v1"])], None)), ["v1 1"]);
    assert_eq!(complained(only(&[("domain", &["gmail.com"])], None)), ["v1 1", "v2 1", "(none) 1"]);
    assert_eq!(complained(only(&[], Some("rcpt like 'c%'"))), ["(none) 1"]);
}

const HOSTILE: &[&str] = &[
    "' or '1'='1",
    "'; drop view records; --",
    "x') or true) --",
    "/*",
    "$f0",
    "$top",
    "\\'",
    "\" or 1=1 --",
    "gmail.com\0",
    "*' or '1'='1",
    "[*",
    "\u{2019} or 1",
];

#[test]
fn hostile_values_pass_nothing_in_any_filter_at_scale() {
    let stored = Stored::day();
    let session = stored.session();
    for dimension in DIMENSIONS {
        for value in HOSTILE {
            let found = count(&session, &only(&[(dimension.name, &[value])], None));
            assert!(
                matches!(found, Ok(0)) || value.contains('\0'),
                "{}: {value}: {found:?}",
                dimension.name
            );
        }
    }
}

#[test]
fn hostile_names_and_parameters_are_refused() {
    let stored = Stored::day();
    let session = stored.session();
    let all = Selection::default();
    for value in HOSTILE {
        assert!(only(&[(value, &["x"])], None).filters.len() == 1);
        assert!(passed(&stored, &only(&[(value, &["x"])], None)).is_err(), "{value}");
        assert!(session.export(&[(*value).to_owned()], &all).is_err(), "{value}");
        assert!(report(&session, "top-bounces", &[("by", value)], &all).is_err(), "{value}");
        assert!(report(&session, "top-bounces", &[("top", value)], &all).is_err(), "{value}");
        assert!(report(&session, "top-bounces", &[(value, "1")], &all).is_err(), "{value}");
    }
}

#[test]
fn a_wrong_filter_is_told_the_nearest() {
    let stored = Stored::day();
    let error = passed(&stored, &only(&[("rcpt_domian", &["x"])], None)).expect_err("unknown");
    assert_eq!(error, "there is no dimension `rcpt_domian`; did you mean `rcpt_domain`?");
}
