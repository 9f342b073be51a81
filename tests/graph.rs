//! `pmtaq graph` over the samples: drawings, pictures and data.

use crate::sealed::{Sealed, golden};

fn check(sealed: &Sealed, name: &str, args: &[&str]) {
    let run = sealed.run(args);
    let head = format!("$ pmtaq {}\n", args.join(" "));
    golden(&format!("graph/{name}.txt"), &(head + &run.transcript()));
}

#[test]
fn graphs_have_golden_files_at_scale() {
    let sealed = Sealed::of_samples();
    for (name, args) in [
        ("default", &["graph"][..]),
        ("by", &["graph", "bounce_rate", "--by", "provider", "--every", "3h", "--top", "3"]),
        ("percentiles", &["graph", "p50,p95,tls-rate", "--every", "2h", "--height", "6"]),
        ("queue", &["graph", "queue-depth,queue_oldest", "--since", "2026-03-02", "--every", "1h"]),
        (
            "local",
            &[
                "graph",
                "delivered,deferred",
                "--every",
                "1d",
                "--tz",
                "Europe/Madrid",
                "--format",
                "csv",
            ],
        ),
        (
            "data",
            &[
                "graph",
                "delivered",
                "--by",
                "vmta",
                "--every",
                "1d",
                "--top",
                "2",
                "--format",
                "csv",
            ],
        ),
        ("empty", &["graph", "--since", "2020-01-01", "--until", "2020-01-02"]),
        ("every", &["graph", "--every", "7m"]),
        ("metric", &["graph", "deliverd"]),
        ("queue-by", &["graph", "queue_depth", "--by", "vmta"]),
        ("picture", &["graph", "delivered,bounce_rate", "--every", "6h", "--svg", "-"]),
    ] {
        check(&sealed, name, args);
    }
}

#[test]
fn a_picture_is_a_file_and_its_sums_are_those_of_the_pivot() {
    let sealed = Sealed::of_samples();
    let path = sealed.file("graph.svg", "");
    sealed.done(&["graph", "--by", "provider", "--svg", path.to_str().unwrap()]);
    let picture = std::fs::read_to_string(&path).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains(">gmail<"), "{picture}");
    let delivered: i64 = sealed
        .done(&["graph", "delivered", "--every", "5m", "--format", "csv"])
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(1).unwrap().parse::<i64>().unwrap())
        .sum();
    assert_eq!(delivered, sealed.number("select count(*) from deliveries"));
    let run = sealed.run(&["graph", "--svg", "/nonexistent/graph.svg"]);
    assert_eq!(run.code, Some(2), "{run:?}");
}

#[test]
fn the_last_step_is_whole_once_a_file_was_taken_in_soon_after_it() {
    for (now, edge) in [("2026-03-03T00:05:00Z", ""), ("2026-03-05T12:00:00Z", "incomplete")] {
        let sealed = Sealed::new();
        sealed.done(&["ingest", "-q", "--now", now, "samples/acct/acct-2026-03-02-0000.csv"]);
        let window = ["--since", "2026-03-02", "--until", "2026-03-03"];
        let graph = ["graph", "delivered", "--every", "1h", "--format", "csv"];
        let rows = sealed.done(&[&graph[..], &window[..]].concat());
        let last = rows.lines().last().unwrap();
        assert!(last.starts_with("2026-03-02T23:00:00Z,"), "{last}");
        assert_eq!(last.rsplit(',').next(), Some(edge), "ingested at {now}");
    }
}
