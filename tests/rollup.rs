//! The rollup equals what the records come to, whatever happened on the way.

use crate::sealed::{Sealed, root};

/// Both tables in the same words; `except` then finds what one has and the other has not.
pub(crate) const DIFFERENCES: &str = "
with rollup as (
    select * exclude (date, site_dimensions, records, bytes, latency_sum, latency_max, latencies),
        sum(records) as records, sum(bytes) as bytes,
        sum(latency_sum) as latency_sum, max(latency_max) as latency_max,
        sum(coalesce(list_sum(map_values(latencies)), 0)) as latencies
    from hourly group by all
), counted as (
    select date_trunc('hour', time_logged)::timestamp as hour, rec, host, sender_domain,
        rcpt_domain, provider, vmta, vmta_pool, dlv_source_ip, job_id, bounce_cat, bounce_class, bounce_origin,
        smtp_code, enhanced_code, template, dlv_tls_protocol, src_type, format,
        (dlv_destination_ip is not null or (dsn_mta is not null and bounce_origin is null))::bigint as reached,
        count(*) as records, coalesce(sum(dlv_size), 0) as bytes,
        sum(epoch(time_logged - time_queued)) filter (rec = 'd') as latency_sum,
        max(epoch(time_logged - time_queued)) filter (rec = 'd') as latency_max,
        count(time_queued) filter (rec = 'd') as latencies
    from records group by all
), differences as (
    (from rollup except from counted) union all (from counted except from rollup)
)
select count(*) from differences";

pub(crate) fn differences(sealed: &Sealed) -> i64 {
    sealed.number(DIFFERENCES)
}

#[test]
fn the_rollup_equals_the_records_after_each_of_several_ingests_at_scale() {
    let sealed = Sealed::new();
    for input in ["samples/acct", "samples/quirks", "samples/acct", "samples/garbage"] {
        sealed.run(&["ingest", "-q", input]);
        assert_eq!(differences(&sealed), 0, "after {input}");
    }
    assert!(sealed.number("select count(*) from hourly") > 1000);
}

#[test]
fn a_file_that_grows_adds_to_its_hours_at_scale() {
    let sealed = Sealed::new();
    let text =
        std::fs::read_to_string(root().join("samples/acct/acct-2026-03-01-0000.csv")).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for end in [200, 201, 700, lines.len()] {
        let path = sealed.file("acct.csv", lines[..end].concat());
        sealed.ingest(&[&path]);
        assert_eq!(differences(&sealed), 0, "{end} lines");
    }
    assert_eq!(sealed.number("select sum(records)::bigint from hourly"), lines.len() as i64 - 1);
}

#[test]
fn histograms_hold_every_delivery_within_a_hundredth() {
    let sealed = Sealed::new();
    sealed.done(&["ingest", "-q", "samples/acct"]);
    let wrong = sealed.number(
        "with rollup as (
            select hour, rcpt_domain, unnest(map_keys(latencies)) as s, unnest(map_values(latencies)) as n
            from hourly
        ), counted as (
            select date_trunc('hour', time_logged)::timestamp as hour, rcpt_domain, epoch(time_logged - time_queued) as s
            from deliveries
        ), ranked as (
            select hour, rcpt_domain, s, row_number() over (partition by hour, rcpt_domain order by s) as rank from counted
        ), spread as (
            select hour, rcpt_domain, s, row_number() over (partition by hour, rcpt_domain order by s) as rank
            from (select hour, rcpt_domain, s, unnest(range(n)) from rollup)
        )
        select count(*) from ranked full join spread using (hour, rcpt_domain, rank)
        where abs(ranked.s - spread.s) > 0.01 * abs(ranked.s) or (abs(ranked.s) < 128 and ranked.s <> spread.s)
           or ranked.s is null or spread.s is null",
    );
    assert_eq!(wrong, 0);
}

#[test]
fn reports_and_pivots_over_the_samples_are_the_same_from_both_tables_at_scale() {
    let sealed = Sealed::new();
    sealed.done(&["ingest", "-q", "samples/acct"]);
    let window = ["--since", "2026-03-01T10:30", "--until", "2026-03-03T20:10"];
    for args in [
        &["domains", "--top", "0"][..],
        &["providers", "--vmta", "vmta-bulk*"],
        &["vmtas", "--tz", "Europe/Madrid"],
        &["volume"],
        &["volume", "--per", "day", "--tz", "America/New_York"],
        &[
            "pivot",
            "--rows",
            "sender_domain,rcpt_domain",
            "--cols",
            "vmta",
            "--metric",
            "sent,block_rate",
        ],
        &["pivot", "--rows", "job_id", "--metric", "tls_rate,complaint_rate,p50,p99,slowest"],
        &["pivot", "--rows", "template", "--metric", "bounced,deferred", "--where", "rec <> 'd'"],
    ] {
        for window in [&[][..], &window] {
            let ask = |more: &[&str]| sealed.done(&[args, window, more].concat());
            assert!(ask(&["--show-sql"]).contains("from rolled_up"), "{args:?} reads records");
            let rows = |more: &[&str]| -> Vec<serde_json::Map<String, serde_json::Value>> {
                serde_json::from_str(&ask(&[&["--format", "json"], more].concat())).unwrap()
            };
            let (actual, expected) = (rows(&[]), rows(&["--from", "records"]));
            assert_eq!(actual.len(), expected.len(), "{args:?}");
            for (actual, expected) in actual.iter().zip(&expected) {
                for ((name, a), (_, e)) in actual.iter().zip(expected) {
                    // A percentile may be off by less than a hundredth, all else by nothing.
                    let allowed = if name.starts_with('p') { 0.01 } else { 1e-12 };
                    let same = match (a.as_f64(), e.as_f64()) {
                        (Some(a), Some(e)) => (a - e).abs() <= allowed * e.abs(),
                        _ => a == e,
                    };
                    assert!(same, "{args:?} {window:?} {name}: {a} is not {e}");
                }
            }
        }
    }
}
