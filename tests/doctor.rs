//! `pmtaq doctor`: what is missing, lost, late or refused is found, and nothing else is.

use std::path::Path;

use crate::sealed::{Sealed, golden};

const HEADER: &str = "type,timeLogged,timeQueued,orig,rcpt,vmta\n";

/// Records that the MTA logged from one second on, a second apart.
fn records(rec: &str, from: &str, seconds: std::ops::Range<u32>) -> String {
    let line = |s| format!("{rec},{from}:{s:02}Z,{from}:{s:02}Z,a@x.example,b@gmail.com,v1\n");
    seconds.map(line).collect()
}

fn ingest(sealed: &Sealed, files: &[(&str, String)]) {
    for (name, content) in files {
        let path = sealed.file(&format!("acct/{name}"), format!("{HEADER}{content}"));
        sealed.run(&["ingest", "-q", "--host", "mta1", path.to_str().unwrap()]);
    }
}

fn doctor(sealed: &Sealed, name: &str, args: &[&str]) -> Option<i32> {
    let run = sealed.run(&[&["doctor"], args].concat());
    golden(&format!("doctor/{name}.txt"), &format!("$ pmtaq doctor\n{}", run.transcript()));
    run.code
}

#[test]
fn the_samples_are_well() {
    let sealed = Sealed::new();
    sealed.done(&["ingest", "-q", "--host", "testmta", "samples/acct"]);
    assert_eq!(doctor(&sealed, "samples", &["--max-lag", "2d"]), Some(0));
}

#[test]
fn an_empty_store_and_a_missing_one_are_said_to_be() {
    let sealed = Sealed::new();
    assert_eq!(sealed.run(&["doctor"]).code, Some(2));
    sealed.done(&["ingest", "-q", "samples/quirks/quirk-header-alone.csv"]);
    assert_eq!(doctor(&sealed, "empty", &[]), Some(1));
}

#[test]
fn what_is_lost_late_or_refused_is_found() {
    let sealed = Sealed::new();
    ingest(
        &sealed,
        &[
            ("acct-2026-03-01-0000.csv", records("d", "2026-03-01T10:00", 0..9)),
            ("acct-2026-03-01-0003.csv", records("d", "2026-03-01T11:00", 0..9)),
            // The clock went back an hour.
            ("acct-2026-03-01-0004.csv", records("b", "2026-03-01T10:01", 0..9)),
            ("acct-2026-03-03-0000.csv", records("r", "2026-02-20T10:00", 0..40) + "d,soon,,,,\n"),
            // After the moment of its ingestion.
            ("acct-2026-03-03-0001.csv", records("d", "2026-03-07T10:00", 0..2)),
        ],
    );
    assert_eq!(doctor(&sealed, "trouble", &[]), Some(1));
    let json = sealed.run(&["doctor", "--format", "json"]);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json.stdout).unwrap();
    let troubled: std::collections::BTreeSet<&str> = rows
        .iter()
        .filter(|row| row["level"] == "trouble")
        .map(|row| row["check"].as_str().unwrap())
        .collect();
    let expected = ["balance", "clock", "files", "refused"];
    assert_eq!(troubled.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn more_went_out_than_came_in() {
    let sealed = Sealed::new();
    let both = records("r", "2026-03-05T11:00", 0..2) + &records("d", "2026-03-05T11:00", 0..50);
    ingest(&sealed, &[("acct-2026-03-05-0000.csv", both)]);
    let run = sealed.run(&["doctor"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("50 recipients were finished and only 2 received"), "{run:?}");
}

#[test]
fn a_store_without_news_is_late() {
    let sealed = Sealed::new();
    ingest(&sealed, &[("acct-2026-03-01-0000.csv", records("d", "2026-03-04T10:00", 0..9))]);
    let late = |args: &[&str]| {
        let run = sealed.run(&[&["doctor"], args].concat());
        (run.code, run.stdout.contains("lag       trouble"))
    };
    assert_eq!(late(&[]), (Some(1), true));
    assert_eq!(late(&["--max-lag", "2d"]), (Some(0), false));
    assert_eq!(late(&["--until", "2026-03-05"]), (Some(0), false), "an old window is never late");
    assert_eq!(late(&["--max-lag", "soon"]).0, Some(2));
}

#[test]
fn a_file_that_reaches_into_the_window_is_one_of_its_files() {
    let sealed = Sealed::new();
    let night = records("d", "2026-03-03T23:59", 0..9) + &records("d", "2026-03-04T00:01", 0..9);
    ingest(&sealed, &[("acct-2026-03-03-0000.csv", night)]);
    let seen = |since: &str| {
        let run = sealed.run(&["doctor", "--since", since, "--max-lag", "9d"]);
        run.stdout.contains("mta1: 1 file acct-*.csv, 2026-03-03 to 2026-03-03")
    };
    assert!(seen("2026-03-04"));
    assert!(!seen("2026-03-05"));
}

#[test]
fn a_configuration_of_pmta_is_read_with_what_it_includes() {
    let sealed = Sealed::new();
    let both = records("r", "2026-03-05T11:00", 0..9) + &records("d", "2026-03-05T11:00", 0..9);
    ingest(&sealed, &[("acct-2026-03-05-0000.csv", both)]);
    let config = sealed.file(
        "pmta/config",
        "include acct.conf\ninclude gone.conf\n<acct-file /var/log/pmta/diag.csv>\n  \
         records t, x\n  record-fields t rcpt,dsnDiag\n</acct-file>\n",
    );
    sealed.file(
        "pmta/acct.conf",
        "# Accounting\n<acct-file /var/log/pmta/acct.csv>\n  records d,b\n  move-to /srv/acct\n  \
         record-fields d *,jobId\n</acct-file>\ninclude acct.conf\n",
    );
    assert_eq!(
        doctor(&sealed, "config", &["--format", "jsonl", config.to_str().unwrap()]),
        Some(1)
    );
    let none = sealed.file("pmta/none", "host-name mta1\n");
    let run = sealed.run(&["doctor", none.to_str().unwrap()]);
    assert!(run.stdout.contains("no <acct-file> block: PMTA logs nothing"), "{run:?}");
    let gone = Path::new("/nonexistent/config").to_str().unwrap();
    assert_eq!(sealed.run(&["doctor", gone]).code, Some(2));
}
