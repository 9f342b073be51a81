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
    let sealed = Sealed::of_samples();
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
fn what_is_lost_late_or_refused_is_found_at_scale() {
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
fn a_field_that_some_record_has_long_before_the_last_is_not_missing() {
    let sealed = Sealed::new();
    ingest(&sealed, &[("late.csv", records("d", "2026-03-03T10:00", 0..9))]);
    let lacks = || sealed.run(&["doctor", "--since", "2026-03-01"]).stdout;
    assert!(lacks().contains("no timeFirstAttempt, used by"), "{}", lacks());
    let early =
        records("d", "2026-03-01T10:00", 0..9).replace(",v1\n", ",v1,2026-03-01T10:00:00Z\n");
    let early = format!("{},timeFirstAttempt\n{early}", HEADER.trim_end());
    let path = sealed.file("early.csv", early);
    sealed.done(&["ingest", "-q", "--host", "mta1", path.to_str().unwrap()]);
    assert!(!lacks().contains("timeFirstAttempt"), "{}", lacks());
    sealed.done(&["compact", "-q"]);
    assert!(!lacks().contains("timeFirstAttempt"), "{}", lacks());
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
fn a_store_without_news_is_late_at_scale() {
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
fn records_that_two_blocks_log_are_found_in_store_and_configuration_at_scale() {
    let both = ["acct-2026-03-05-0000.csv", "acct-tg-2026-03-05-0000.csv"];
    // The first 8 records are the same in both.
    let (d, b) = ("2026-03-05T11:00", "2026-03-05T11:01");
    let all = records("d", d, 0..8) + &records("b", b, 0..3) + &records("d", d, 8..9);
    let deliveries = records("d", "2026-03-05T11:00", 0..9);
    let mut counts = Vec::new();
    for order in
        [[(both[0], &all), (both[1], &deliveries)], [(both[1], &deliveries), (both[0], &all)]]
    {
        let sealed = Sealed::new();
        for (name, content) in order {
            ingest(&sealed, &[(name, content.clone())]);
        }
        let spool = sealed.dir.path().join("acct");
        // Neither is refused when they lie beside each other.
        assert_eq!(
            sealed.run(&["ingest", "--host", "mta1", spool.to_str().unwrap()]).code,
            Some(0)
        );
        counts.push(sealed.number("select count(*) from records"));
        let found = sealed.run(&["doctor", "--format", "jsonl"]).stdout;
        let said = "9 records of the last hour are in both acct-*.csv and acct-tg-*.csv";
        assert!(found.contains(said), "{found}");
    }
    assert_eq!(counts, [21, 21]);
    let sealed = Sealed::new();
    ingest(&sealed, &[(both[0], all)]);
    let config = sealed.file(
        "pmta/config",
        "<acct-file /var/log/pmta/acct.csv>\n</acct-file>\n<acct-file /var/log/pmta/acct-tg.csv>\n\
         records d\nrecord-fields d timeLogged,orig\n</acct-file>\n<acct-file |/bin/handler x.log>\n\
         records b\nrecord-fields b orig\n</acct-file>\n<acct-file /var/log/pmta/t.csv>\nrecords t\n\
         </acct-file>\n",
    );
    let found = sealed.run(&["doctor", "--format", "jsonl", config.to_str().unwrap()]).stdout;
    for said in [
        ":3: /var/log/pmta/acct.csv and /var/log/pmta/acct-tg.csv both log d: ingested from both these",
        "pmtaq ingest --exclude 'acct-tg-2*'",
        ":3: d records without rcpt have no domain and no provider",
        ":7: b go to a program, and not to a file that could be ingested: /bin/handler x.log",
    ] {
        assert!(found.contains(said), "{said}: {found}");
    }
    let of_pipe = found.lines().filter(|line| line.contains(":7: "));
    assert_eq!(of_pipe.count(), 1, "what a program gets lacks nothing: {found}");
}

#[test]
fn a_field_under_another_name_is_named() {
    let sealed = Sealed::new();
    let lines = "type,timeLogged,MailFrom,rcpt\nd,2026-03-05T11:00:00Z,a@x.example,b@gmail.com\n";
    let path = sealed.file("acct.csv", lines);
    sealed.done(&["ingest", "-q", path.to_str().unwrap()]);
    let said = "no record has orig, and `MailFrom` looks as if it were that";
    let found = sealed.run(&["doctor", "--format", "jsonl"]).stdout;
    assert!(found.contains(said) && !found.contains("no record has rcpt"), "{found}");
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

#[test]
fn no_advice_leaves_out_a_header_that_is_logged_or_mapped() {
    let sealed = Sealed::new();
    let found = |config: &str| {
        let config = sealed.file("config", config);
        sealed.run(&["doctor", config.to_str().unwrap(), "--format", "jsonl"]).stdout
    };
    // A block whose headers, or what is mapped from one, no other logs is not the one to be excluded.
    for more in ["record-fields f *,header_Subject", "map-header-to-field f header_X-To rcpt"] {
        let found = found(&format!(
            "<acct-file /var/log/pmta/fbl.csv>\nrecords feedback-loop\n{more}\n</acct-file>\n\
             <acct-file /var/log/pmta/all.csv>\nrecords all\n</acct-file>\n"
        ));
        assert!(found.contains("both log f: ingested from both these count twice"), "{found}");
        let fix = "<acct-file /var/log/pmta/all.csv>\\n    records d,b,t,tq,r,rb,rs\\n</acct-file>";
        assert!(found.contains(fix) && !found.contains("--exclude"), "{found}");
    }
    let blocks = |a: &str, b: &str| {
        format!(
            "<acct-file /a.csv>\nrecords {a}\n</acct-file>\n<acct-file /b.csv>\nrecords {b}\n</acct-file>\n"
        )
    };
    let twice =
        found(&blocks("d,b\nrecord-fields d *,header_A", "d,t\nrecord-fields d *,header_B"));
    assert!(twice.contains("let one of them log d, with the fields of both"), "{twice}");
    // Each has a type of its own, and so neither is excluded.
    let parted = found(&blocks("d,b", "d,t"));
    assert!(
        parted.contains("\\n    records b\\n") || parted.contains("\\n    records t\\n"),
        "{parted}"
    );
    assert!(!parted.contains("--exclude"), "{parted}");
    // A line that logs more has what the one in its place logs.
    let nameless = found(
        "<acct-file /a.csv>\nrecords d\nrecord-fields d timeLogged,vmta,header_X-Tenant\n</acct-file>\n",
    );
    assert!(nameless.contains("record-fields d *,header_X-Tenant\\n"), "{nameless}");
    assert!(nameless.contains("timeQueued,header_X-Tenant\\n"), "{nameless}");
    let lines = "type,timeLogged,rcpt,header_X-Tenant,header_Message-Id\n\
                 d,2026-03-05T11:00:00Z,b@gmail.com,acme,<1@x>\nt,2026-03-05T11:00:00Z,c@gmail.com,,\n";
    let path = sealed.file("acct.csv", lines);
    sealed.done(&["ingest", "-q", path.to_str().unwrap()]);
    let stored = sealed.run(&["doctor", "--format", "jsonl"]).stdout;
    assert!(
        stored.contains("record-fields d *,dlvSize,header_Message-Id,header_X-Tenant\\n"),
        "{stored}"
    );
    assert!(stored.contains("timeQueued,header_Message-Id,header_X-Tenant\\n"), "{stored}");
}

#[test]
fn where_another_field_is_the_time_the_line_to_add_logs_the_time() {
    let sealed = Sealed::new();
    let lines = "type,timeQueued,orig,rcpt,dsnDiag\nd,2026-03-05T11:00:00Z,a@x.example,b@gmail.com,smtp;250 ok\n\
                 b,2026-03-05T11:00:00Z,a@x.example,c@gmail.com,smtp;550 no\n";
    let path = sealed.file("acct.csv", lines);
    sealed.done(&["ingest", "-q", "--time-field", "timeQueued", path.to_str().unwrap()]);
    let found = sealed.run(&["doctor", "--format", "jsonl"]).stdout;
    assert!(
        found.contains("no timeLogged, for which timeQueued stands, used by hygiene"),
        "{found}"
    );
    assert!(found.contains("where it stands for timeLogged: not known: "), "{found}");
    assert!(found.contains("record-fields d *,timeLogged"), "{found}");
    let adds = |name: &str| {
        found.lines().any(|line| line.split("\"fix\"").nth(1).is_some_and(|fix| fix.contains(name)))
    };
    assert!(adds("timeLogged") && !adds("timeQueued"), "{found}");
}

#[test]
fn a_configuration_is_looked_at_before_there_is_a_store() {
    let sealed = Sealed::new();
    let config = "<acct-file /var/log/pmta/acct.csv>\n  records d,b\n  record-fields d timeLogged,vmta\n</acct-file>\n";
    let config = sealed.file("config", config);
    let run = sealed.run(&["doctor", config.to_str().unwrap(), "--format", "csv"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stdout.contains("d records without rcpt have no domain"), "{run:?}");
    assert!(run.stderr.contains("there is no store yet"), "{run:?}");
    assert!(sealed.run(&["doctor"]).stderr.contains("there is no store in"));
}
