//! Numbers that agree: what two commands both show is the same in both.

use serde_json::Value;

use crate::sealed::Sealed;

/// The rows of an answer.
fn rows(sealed: &Sealed, line: &str) -> Vec<Value> {
    let args: Vec<&str> = line.split(' ').chain(["--format", "json", "-q"]).collect();
    serde_json::from_str(&sealed.done(&args)).unwrap()
}

/// The row of an answer whose column `key` is `value`.
fn row(sealed: &Sealed, line: &str, key: &str, value: &str) -> Value {
    let found = rows(sealed, line).into_iter().find(|row| row[key] == value);
    found.unwrap_or_else(|| panic!("{line}: no {key} {value}"))
}

/// What `job` says of a figure: how many, and of how many.
fn figure(sealed: &Sealed, job: &str, name: &str) -> (i64, i64) {
    let row = row(sealed, &format!("job {job}"), "figure", name);
    (row["recipients"].as_i64().unwrap(), row["total"].as_i64().unwrap())
}

const HEADER: &str = "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,bounceCat,dlvDestinationIp,vmta,jobId,envId\n";

#[test]
fn a_remote_bounce_and_a_complaint_that_name_their_job_count_once() {
    let sealed = Sealed::new();
    let records = "\
d,2026-03-01 10:00:05+0000,2026-03-01 10:00:00+0000,a@s.example,u@x.example,2.0.0,smtp;250 ok,,198.51.100.1,v1,J1,
rb,2026-03-01 11:00:05+0000,2026-03-01 10:00:00+0000,a@s.example,u@x.example,5.1.1,smtp;550 5.1.1 no such user,bad-mailbox,,v1,J1,
f,2026-03-01 12:00:05+0000,,a@s.example,u@x.example,,,,,v1,J1,
";
    let path = sealed.file("acct.csv", HEADER.to_owned() + records);
    sealed.ingest(&[&path]);
    assert_eq!(figure(&sealed, "J1", "bounced"), (1, 1));
    assert_eq!(figure(&sealed, "J1", "- hard"), (1, 1));
    assert_eq!(figure(&sealed, "J1", "complaints"), (1, 0));
    assert_eq!(row(&sealed, "jobs", "job_id", "J1")["bounce_rate"], 100.0);
    assert_eq!(row(&sealed, "complaints --by job", "job_id", "J1")["complaints"], 1);
}

#[test]
fn a_remote_bounce_without_a_job_is_of_the_latest_delivery_before_it() {
    let sealed = Sealed::new();
    // One recipient in two jobs, and a return after each of them; one of a message with an envelope
    // identifier, which comes late.
    let records = "\
d,2026-03-01 10:00:05+0000,2026-03-01 10:00:00+0000,a@s.example,u@x.example,2.0.0,smtp;250 ok,,198.51.100.1,v1,J1,
rb,2026-03-01 11:00:00+0000,,a@s.example,u@x.example,4.2.2,smtp;552 full,quota-issues,,,,
d,2026-03-02 10:00:05+0000,2026-03-02 10:00:00+0000,a@s.example,u@x.example,2.0.0,smtp;250 ok,,198.51.100.1,v1,J2,
d,2026-03-02 10:00:06+0000,2026-03-02 10:00:00+0000,a@s.example,w@x.example,2.0.0,smtp;250 ok,,198.51.100.1,v1,J2,e2
rb,2026-03-02 11:00:00+0000,,a@s.example,u@x.example,5.1.1,smtp;550 gone,bad-mailbox,,,,
d,2026-03-03 10:00:06+0000,2026-03-03 10:00:00+0000,a@s.example,w@x.example,2.0.0,smtp;250 ok,,198.51.100.1,v1,J1,e3
rb,2026-03-03 11:00:00+0000,,a@s.example,w@x.example,5.1.1,smtp;550 gone,bad-mailbox,,,,e2
";
    let path = sealed.file("acct.csv", HEADER.to_owned() + records);
    sealed.ingest(&[&path]);
    for (job, bounced, hard) in [("J1", 1, 0), ("J2", 2, 2)] {
        assert_eq!(figure(&sealed, job, "bounced"), (bounced, 2), "{job}");
        assert_eq!(figure(&sealed, job, "- hard"), (hard, 2), "{job}");
        let of_jobs = row(&sealed, "jobs", "job_id", job)["bounce_rate"].clone();
        assert_eq!(of_jobs.as_f64(), Some(50.0 * bounced as f64), "{job}");
        let remote = row(&sealed, "remote-bounces --by job", "job_id", job);
        assert_eq!(remote["bounces"].as_i64(), Some(bounced), "{job}");
    }
}

#[test]
fn a_message_that_expires_was_not_tried_again() {
    let records = "\
d,2026-03-01 10:00:05+0000,2026-03-01 10:00:00+0000,a@s.example,v@x.example,2.0.0,smtp;250 ok,,198.51.100.1,v1,J1,e0
t,2026-03-01 10:00:05+0000,2026-03-01 10:00:00+0000,a@s.example,u@x.example,4.2.1,smtp;421 busy,,198.51.100.1,v1,J1,e1
b,2026-03-01 10:20:05+0000,2026-03-01 10:00:00+0000,a@s.example,u@x.example,5.4.7,smtp;554 5.4.7 [internal] exceeded max time without delivery,message-expired,,v1,J1,e1
t,2026-03-01 10:00:05+0000,2026-03-01 10:00:00+0000,a@s.example,w@x.example,4.2.1,smtp;421 busy,,198.51.100.1,v1,J1,e2
b,2026-03-01 10:20:05+0000,2026-03-01 10:00:00+0000,a@s.example,w@x.example,5.1.1,smtp;550 5.1.1 no such user,bad-mailbox,198.51.100.1,v1,J1,e2
";
    let retries = |records: &str| {
        let sealed = Sealed::new();
        let path = sealed.file("acct.csv", HEADER.to_owned() + records);
        sealed.ingest(&[&path]);
        let rows = rows(&sealed, "retries");
        assert_eq!(rows.len(), 1, "{rows:?}");
        (rows[0]["retries"].as_i64().unwrap(), rows[0]["bounced"].as_i64().unwrap())
    };
    assert_eq!(retries(records), (1, 1));
    // Where no receiver is logged the reply tells.
    assert_eq!(retries(&records.replace("198.51.100.1", "")), (1, 1));
}

#[test]
fn the_heading_of_new_replies_is_the_window_that_they_are_of() {
    let sealed = Sealed::of_samples();
    let run = sealed.run(&["new-replies"]);
    assert!(run.stderr.starts_with("2026-03-02 23:56 to 2026-03-03 23:56 UTC\n"), "{run:?}");
    let run = sealed.run(&["new-replies", "--until", "2026-03-02T12:00"]);
    assert!(run.stderr.starts_with("2026-03-01 11:59 to 2026-03-02 12:00 UTC\n"), "{run:?}");
    let run = sealed.run(&["new-replies", "--since", "2026-03-03"]);
    assert!(run.stderr.starts_with("2026-03-03 00:00 to the end UTC\n"), "{run:?}");
}

#[test]
fn a_window_without_records_says_where_the_records_end() {
    let sealed = Sealed::of_samples();
    let newest = "no record in this window; the newest is of 2026-03-03 23:56";
    for line in [
        "domains --since yesterday",
        "pivot --rows provider --last 1d",
        "compare",
        "graph sent --since today",
        "search 550 --since today",
        "export --since today --format csv",
        "queue --since tomorrow",
    ] {
        let run = sealed.run(&line.split(' ').collect::<Vec<_>>());
        assert!(run.stderr.contains(newest), "{line}: {run:?}");
    }
    // A filter that nothing passes is another matter.
    let run = sealed.run(&["domains", "--job", "none-such"]);
    assert!(run.stderr.contains("no rows: no record has job_id none-such"), "{run:?}");
}

#[test]
fn the_newest_record_of_a_report_is_that_of_the_store() {
    let sealed = Sealed::of_samples();
    let day = ["report", "--html", "-", "--since", "2026-03-01", "--until", "2026-03-02"];
    let html = sealed.done(&day);
    let said = html.split("Newest record").nth(1).unwrap();
    assert!(said[..100].contains("2026-03-03 23:56"), "{}", &said[..100]);
}
