//! Every report over the samples has a golden file; so have the formats, and the pivot.

use crate::sealed::{Sealed, golden};

fn check(sealed: &Sealed, name: &str, args: &[&str]) {
    let run = sealed.run(args);
    golden(name, &format!("$ pmtaq {}\n{}", args.join(" "), run.transcript()));
}

/// What reports are called with that cannot do without.
const NEEDED: &[(&str, &[&str])] = &[
    ("job", &["newsletter-20260302-0800"]),
    ("compare", &["--a", "2026-03-02", "--b", "2026-03-03"]),
];

#[test]
fn every_report_gives_its_golden_file_at_scale() {
    compare_each(1);
}

#[test]
fn one_report_in_six_gives_its_golden_file_at_scale() {
    compare_each(6);
}

fn compare_each(step: usize) {
    let sealed = Sealed::of_samples();
    let list = sealed.done(&["reports", "--format", "json"]);
    let list: Vec<serde_json::Value> = serde_json::from_str(&list).unwrap();
    assert!(list.len() >= 10);
    // An empty store answers too.
    let empty = Sealed::new();
    empty.done(&["ingest", "-q", "samples/quirks/quirk-header-alone.csv"]);
    for name in list.iter().step_by(step).map(|report| report["report"].as_str().unwrap()) {
        let needed = NEEDED.iter().find(|(known, _)| *known == name).map_or(&[][..], |n| n.1);
        let args: Vec<&str> = name.split(' ').chain(needed.iter().copied()).collect();
        check(&sealed, &format!("reports/{}.txt", name.replace(' ', "-")), &args);
        let run = empty.run(&[&args[..], &["--format", "json"]].concat());
        assert_eq!((run.code, run.stdout.as_str()), (Some(0), "[]\n"), "{name}: {}", run.stderr);
    }
}

#[test]
fn every_format_gives_its_golden_file_at_scale() {
    let sealed = Sealed::of_samples();
    for format in ["table", "csv", "tsv", "json", "jsonl", "markdown", "html", "xml"] {
        let args = ["bounce-reasons", "--top", "3", "--provider", "gmail", "--format", format];
        check(&sealed, &format!("formats/{format}.txt"), &args);
    }
}

#[test]
fn options_give_their_golden_files_at_scale() {
    let sealed = Sealed::of_samples();
    for (name, args) in [
        ("by-category", &["top-bounces", "--by", "category"][..]),
        (
            "previous",
            &["top-bounces", "--since", "2026-03-03", "--until", "2026-03-04", "--top", "5"],
        ),
        ("examples", &["top-bounces", "--by", "class", "--examples", "2"]),
        ("throttle-still-on", &["throttles", "--until", "2026-03-02T17:00"]),
        ("tls-by", &["tls", "--by", "provider", "--weak"]),
        ("tls-downgrades", &["tls", "--downgrades"]),
        ("dead-addresses", &["hygiene", "--addresses"]),
        (
            "suppress-csv",
            &["suppress", "--format", "csv", "--since", "2026-03-03", "--provider", "free"],
        ),
        ("suppress-block", &["suppress", "--class", "block"]),
        (
            "queue-of-a-provider",
            &[
                "queue",
                "--provider",
                "yahoo",
                "--since",
                "2026-03-02T15:00",
                "--until",
                "2026-03-02T21:00",
            ],
        ),
        ("local-days", &["volume", "--per", "day", "--tz", "Europe/Madrid"]),
        ("window", &["domains", "--since", "2026-03-02", "--until", "2026-03-03", "--top", "5"]),
        ("filters", &["domains", "--provider", "yahoo,apple", "--pool", "pool-bulk"]),
        ("wildcard", &["top-bounces", "--domain", "*.de", "--top", "3"]),
        ("condition", &["vmtas", "--where", "dlv_size > 60000 -- large ones"]),
        ("nearest", &["top-bounces", "--domain", "gmial.com"]),
        ("nearest-job", &["job", "newslettr-20260302-0800"]),
        ("unknown-dimension", &["latency", "--by", "vmat"]),
        ("latency-histogram", &["latency", "--histogram", "--pool", "pool-bulk"]),
        ("latency-fastest", &["latency", "--fastest"]),
        ("latency-first-attempt", &["latency", "--first-attempt"]),
        ("latency-slow-first", &["latency", "--by", "vmta", "--slow-first", "--top", "4"]),
        (
            "latency-at",
            &["latency", "--at", "17:00", "--until", "2026-03-03", "--since", "2026-03-01"],
        ),
        ("deferrals-by", &["deferrals", "--by", "provider", "--top", "5"]),
        ("sizes-by", &["sizes", "--by", "vmta", "--top", "5"]),
        ("rates-bytes", &["rates", "--bytes", "--by", "pool"]),
        (
            "compare-count",
            &[
                "compare",
                "--a",
                "2026-03-01",
                "--b",
                "2026-03-02T00:00..2026-03-02T12:00",
                "--metric",
                "sent",
                "--by",
                "pool",
            ],
        ),
        (
            "compare-time",
            &[
                "compare",
                "--a",
                "2026-03-01",
                "--b",
                "2026-03-02",
                "--metric",
                "p95",
                "--by",
                "sender",
            ],
        ),
        ("compare-window", &["compare", "--since", "yesterday"]),
        ("summary-by-date", &["stats", "vmta-summary", "--by-date", "--top", "5"]),
        ("breakdown-by-day", &["stats", "vmta-time-breakdown", "--per", "day"]),
        ("help-group", &["help", "stats"]),
        ("help-arg", &["help", "job"]),
        ("unknown-report", &["top-bouncs"]),
        (
            "pivot",
            &[
                "pivot",
                "--rows",
                "provider",
                "--cols",
                "vmta_pool",
                "--metric",
                "bounce_rate",
                "--top",
                "4",
            ],
        ),
        (
            "pivot-metrics",
            &[
                "pivot",
                "--rows",
                "sender_domain,provider",
                "--metric",
                "delivered,bounce_rate,p95",
                "--top",
                "5",
            ],
        ),
        ("pivot-unknown", &["pivot", "--rows", "providr"]),
        ("metrics", &["metrics"]),
        ("dimensions", &["dimensions"]),
        ("columns", &["columns"]),
        ("help-report", &["help", "top-bounces"]),
    ] {
        check(&sealed, &format!("options/{name}.txt"), args);
    }
}

#[test]
fn the_planted_incidents_are_visible() {
    let sealed = Sealed::of_samples();
    let rate = |sql: &str| {
        sealed.number(&format!("select coalesce(round({sql}), -1)::bigint from records"))
    };
    let during = |day, from, to| {
        format!("time_logged between '2026-03-0{day} {from}:00' and '2026-03-0{day} {to}:00'")
    };
    // A throttled pool: most attempts at Yahoo are deferred, elsewhere few.
    let of = |condition: &str| {
        rate(&format!(
            "100.0 * count(*) filter (rec = 't' and {condition}) / nullif(count(*) filter (rec in ('d','b','t') and {condition}), 0)"
        ))
    };
    let throttled = during(2, 16, 18);
    assert!(of(&format!("provider = 'yahoo' and vmta_pool = 'pool-bulk' and {throttled}")) > 60);
    assert!(of(&format!("provider = 'gmail' and {throttled}")) < 20);
    // A blocked address: Microsoft refuses it, and no other.
    let blocked = sealed.number("select count(*) from bounces where template like '%(S3140)%' and dlv_source_ip = '192.0.2.12'");
    let all = sealed.number("select count(*) from bounces where template like '%(S3140)%'");
    assert!(blocked > 10 && blocked == all);
    // A bad list: one job, a third of it unknown.
    let unknown = sealed
        .number("select round(hard_rate())::bigint from records where job_id = 'job-bad-list'");
    assert!((20..45).contains(&unknown), "{unknown}");
}

#[test]
fn the_reports_name_the_planted_incidents_first_at_scale() {
    let sealed = Sealed::of_samples();
    let rows = |args: &str| -> Vec<serde_json::Value> {
        let args: Vec<&str> = args.split(' ').chain(["--format", "json"]).collect();
        serde_json::from_str(&sealed.done(&args)).unwrap()
    };
    // Yahoo throttles.
    let throttled = "--since 2026-03-02T16:00 --until 2026-03-02T18:00";
    let deferrals = rows(&format!("deferrals --by provider {throttled}"));
    assert_eq!(deferrals[0]["provider"], "yahoo");
    let waiting = rows("latency --at 2026-03-02T17:00");
    assert_eq!(
        (&waiting[0]["provider"], &waiting[1]["provider"]),
        (&"(all)".into(), &"yahoo".into())
    );
    let compared = rows(
        "compare --a 2026-03-01 --b 2026-03-02T16:00..2026-03-02T18:00 --metric deferral_rate",
    );
    assert_eq!(
        (&compared[1]["provider"], &compared[1]["significance"]),
        (&"yahoo".into(), &"***".into())
    );
    // Microsoft blocks an address.
    let bounces = rows("stats vmta-top-bounce");
    assert_eq!(
        (&bounces[0]["ip"], &bounces[0]["domain"]),
        (&"192.0.2.12".into(), &"hotmail.com".into())
    );
    // A job goes to a bad list.
    let jobs = rows("jobs --top 0");
    let rate = |job: &serde_json::Value| job["unknown_user_rate"].as_f64().unwrap_or(0.0);
    let large = jobs.iter().filter(|job| job["sent"].as_u64() >= Some(20));
    let worst = large.max_by(|a, b| rate(a).total_cmp(&rate(b))).unwrap();
    assert_eq!(worst["job_id"], "job-bad-list");
    let figures = rows("job job-bad-list");
    let unknown = figures.iter().find(|row| row["figure"] == "unknown users").unwrap();
    assert!(unknown["share"].as_f64() > Some(20.0), "{unknown}");
}

#[test]
fn totals_and_the_rest_of_a_pivot_are_counted_and_not_averaged() {
    let sealed = Sealed::of_samples();
    let pivot = sealed.done(&[
        "pivot",
        "--rows",
        "rcpt_domain",
        "--metric",
        "sent,bounced,bounce_rate",
        "--top",
        "3",
        "--format",
        "csv",
    ]);
    let rows: Vec<Vec<&str>> =
        pivot.lines().skip(1).map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 5, "{pivot}");
    assert_eq!((rows[3][0], rows[4][0]), ("other", "total"));
    let column = |i: usize| rows[..4].iter().map(|row| row[i].parse::<u64>().unwrap()).sum::<u64>();
    assert_eq!(column(1).to_string(), rows[4][1]);
    assert_eq!(column(2).to_string(), rows[4][2]);
    let rate: f64 = rows[4][3].parse().unwrap();
    assert!((rate - 100.0 * column(2) as f64 / column(1) as f64).abs() < 1e-9);
}
