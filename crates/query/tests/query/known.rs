//! What can be known is the same, whether the parts said what their records have or the engine counts it.

use pmtaq_query::{DIMENSIONS, Limits, Selection, Session, metrics};
use pmtaq_schema::{Timestamp, Window};

use crate::fixture::{Row, Stored, at, only, record};
use crate::rollup::many;

/// All that is not known of any metric by any dimension, of what `selection` lets through.
fn unknown(session: &Session, selection: &Selection) -> Vec<String> {
    let mut all = Vec::new();
    for of in DIMENSIONS {
        let lacks = session.unknown(metrics(), &[of], selection).expect("counts");
        all.extend(lacks.iter().map(ToString::to_string));
    }
    all.extend(session.unlogged().expect("counts").iter().map(ToString::to_string));
    all
}

/// Records of two MTAs, of which one logs less, and on one day less than that; and two days later some. A
/// third begins to log its VirtualMTA at noon of the second day.
fn rows() -> Vec<Row> {
    let mut rows = many();
    for (n, row) in rows.iter_mut().enumerate().filter(|(n, _)| n % 3 == 0) {
        let is_delivery = row.iter().any(|(name, value)| *name == "rec" && value == "d");
        let is_second = row.iter().any(|(_, value)| value.starts_with("2026-03-02"));
        row.retain(|(name, _)| {
            let lacks = match *name {
                "host" | "dlv_tls_protocol" => true,
                "job_id" => is_delivery,
                "smtp_code" | "dlv_destination_ip" | "rcpt_domain" => is_second,
                _ => false,
            };
            !lacks
        });
        row.push(("host", "mta2".to_owned()));
        if n % 2 == 0 {
            row.push(("template", ["5.1.1 (bad mailbox)", "550 no"][n / 2 % 2].to_owned()));
        }
    }
    for n in 0..40 {
        rows.push(record(&format!("d 2026-03-05T10:00:{n:02}Z - v1 | dlv_size={n}")));
    }
    for (day, hour) in (1..=2).flat_map(|day| (0..24).map(move |hour| (day, hour))) {
        let vmta = if day == 2 && hour >= 12 { "v1" } else { "-" };
        let mut row = record(&format!("d 2026-03-0{day}T{hour:02}:30:00Z b.example {vmta}"));
        row[0].1 = "mta3".to_owned();
        rows.push(row);
    }
    rows
}

#[test]
fn what_the_parts_say_is_what_the_engine_counts_in_any_window_at_scale() {
    let stored = Stored::of(&rows(), &[]);
    let of = |since: &str, until: &str| Window { since: at(since), until: at(until) };
    let windows = [
        Window::ALL,
        of("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"),
        of("2026-03-01T12:00:00Z", "2026-03-06T00:00:00Z"),
        of("2026-03-02T06:00:00Z", "2026-03-02T18:00:00Z"),
        of("2026-03-02T12:00:00Z", "2026-03-03T00:00:00Z"),
        of("2026-03-01T00:00:00Z", "2026-03-05T10:00:20Z"),
    ];
    let mut told = 0;
    for window in windows {
        let snapshot = stored.snapshot(window);
        let mut bare = snapshot.clone();
        bare.parts.iter_mut().for_each(|part| part.part.facts = None);
        let limits = Limits::new(2, 500_000_000);
        let open = |snapshot| Stored::try_open_of(snapshot, window, "UTC", &limits);
        let (said, mut counted) = (open(&snapshot).expect("one"), open(&bare).expect("other"));
        counted.read_records();
        for hosts in [&[][..], &["mta2"], &["mta3"], &["mta*"], &["none"]] {
            let selection = only(&[("host", hosts)], None);
            let lacks = unknown(&said, &selection);
            assert_eq!(lacks, unknown(&counted, &selection), "{window:?} {hosts:?}");
            told += lacks.len();
        }
    }
    assert!(told > 100, "{told}");
    let parts = stored.snapshot(Window::ALL).parts;
    let (mut records, mut said) = (0, 0);
    for part in &parts {
        let Some(facts) = &part.part.facts else { continue };
        records += 1;
        said += facts.rows().map(|(.., rows)| rows).sum::<u64>();
        assert!(facts.having("vmta").is_some() && facts.having("nonsense").is_none());
        let Timestamp(since) = part.day.start();
        assert!(part.part.since >= since);
    }
    assert_eq!((records, said), (3, rows().len() as u64), "each part of records, and no other");
}
