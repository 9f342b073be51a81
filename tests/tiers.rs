//! The rollups of `hourly` by day: made where they are of use, gone with what they add up, and never
//! another answer.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use crate::integrity::bare;
use crate::sealed::Sealed;

const TIERS: [&str; 2] = ["daily_senders", "daily_domains"];

/// An accounting file of so many deliveries and bounces on 2026-03-03, of which hardly two share an hour and a
/// domain; a job is of one sender.
fn acct(records: usize) -> String {
    let mut text =
        "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,bounceCat,dlvDestinationIp,\
                    dlvSize,vmta,jobId\n"
            .to_owned();
    for n in 0..records {
        let (hour, minute) = (n % 24, n / 24 % 60);
        let (sender, domain, job) = (n % 40, n * 7 % 3001, n % 200);
        let (rec, status, diag, class, size) = match n % 9 {
            8 => ("b", "5.1.1 (bad)", "smtp;550 5.1.1 No such user", "bad-mailbox", ""),
            _ => ("d", "2.0.0 (success)", "smtp;250 2.0.0 OK", "", "1200"),
        };
        let _ = writeln!(
            text,
            "{rec},2026-03-03 {hour:02}:{minute:02}:40+0000,2026-03-03 {hour:02}:{minute:02}:0{}+0000,\
             news@s{sender}.example,u{n}@d{domain}.example,{status},{diag},{class},192.0.2.1,{size},\
             v{},j{job}",
            n % 10,
            n % 5,
        );
    }
    text
}

/// A store with rollups by day.
pub(crate) fn stored() -> Sealed {
    let sealed = Sealed::new();
    let file = sealed.file("acct.csv", acct(130_000));
    sealed.done(&["ingest", "-q", "--host", "mta", file.to_str().unwrap()]);
    sealed.done(&["compact"]);
    sealed
}

/// The parts of a table.
fn parts(sealed: &Sealed, table: &str) -> Vec<PathBuf> {
    let days = std::fs::read_dir(sealed.store().join(table)).into_iter().flatten();
    let files = days.flat_map(|day| std::fs::read_dir(day.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

pub(crate) const ASKED: [(&str, &str, &str); 5] = [
    ("sender_domain", "bounce_rate,p90,bytes", "daily_senders"),
    ("vmta", "hard_rate,slowest", "daily_senders"),
    ("rcpt_domain", "bounce_rate,unknown_users", "daily_domains"),
    ("job_id", "sent,p95", "daily_senders"),
    ("sender_domain,rcpt_domain", "sent", "hours"),
];

/// Every question has the answer of the records, from these tables.
fn agrees(sealed: &Sealed, tables: &[&str]) {
    let mut read = BTreeSet::new();
    for (rows, metrics, _) in ASKED {
        let asked = ["pivot", "--rows", rows, "--metric", metrics, "--format", "csv"];
        let by_rule = sealed.done(&asked);
        assert!(by_rule.lines().count() > 4, "{by_rule}");
        assert_eq!(by_rule, sealed.done(&[&asked[..], &["--from", "records"]].concat()), "{rows}");
        let sql = sealed.done(&[&asked[..], &["--show-sql"]].concat());
        let tables = TIERS.into_iter().chain(["hours"]);
        let mut tables = tables.filter(|table| sql.contains(&format!("from {table}_stored")));
        read.extend(tables.next());
    }
    assert_eq!(read, tables.iter().copied().collect());
}

#[test]
fn a_question_reads_the_rollup_that_has_all_it_names_and_gets_the_answer_of_the_records_at_scale() {
    let sealed = stored();
    agrees(&sealed, &["daily_senders", "daily_domains", "hours"]);
    for (rows, metrics, table) in ASKED {
        let sql = sealed.done(&["pivot", "--rows", rows, "--metric", metrics, "--show-sql"]);
        assert!(sql.contains(&format!("from {table}_stored")), "{rows}");
    }
    // A window that cuts the day asks its hours.
    let cut = ["pivot", "--rows", "vmta", "--metric", "sent", "--since", "2026-03-03T01:00"];
    let sql = sealed.done(&[&cut[..], &["--show-sql"]].concat());
    assert!(sql.contains("from hours_stored"), "{sql}");
    let paths = sealed.done(&["paths", "--table", "daily_domains"]);
    assert!(paths.lines().count() == 1 && paths.contains("/daily_domains/date=2026-03-03/"));
    assert!(sealed.done(&["status"]).contains("daily_senders "));
}

#[test]
fn a_rollup_goes_with_the_hours_that_it_adds_up_and_is_made_for_those_that_come_at_scale() {
    let sealed = stored();
    let before = TIERS.map(|table| parts(&sealed, table));
    assert!(before.iter().all(|parts| parts.len() == 1), "{before:?}");
    sealed.done(&["forget", "--rcpt", "u17@d119.example", "--yes"]);
    assert!(TIERS.iter().all(|table| parts(&sealed, table).is_empty()));
    agrees(&sealed, &["hours"]);
    let made = sealed.run(&["compact"]);
    assert!(made.stderr.contains("2 rollups by day made; nothing else to compact"), "{made:?}");
    assert!(sealed.run(&["compact"]).stderr.contains("nothing to compact"));
    agrees(&sealed, &["daily_senders", "daily_domains", "hours"]);
    // Few more hours are read beside it.
    let more = sealed.file("more.csv", acct(500).replace("@s", "@t"));
    sealed.done(&["ingest", "-q", "--host", "other", more.to_str().unwrap()]);
    agrees(&sealed, &["daily_senders", "daily_domains", "hours"]);
    sealed.done(&["compact"]);
    assert_eq!(parts(&sealed, "hourly").len(), 1);
    assert!(TIERS.iter().all(|table| parts(&sealed, table).len() == 1));
    agrees(&sealed, &["daily_senders", "daily_domains", "hours"]);
    assert_eq!(sealed.run(&["verify"]).code, Some(0));
    let copy = sealed.dir.path().join("copy");
    sealed.done(&["backup", copy.to_str().unwrap()]);
    assert!(copy.join("daily_senders/date=2026-03-03").is_dir());
    sealed.done(&["prune", "--keep", "records=1d,hourly=1d", "--yes"]);
    assert!(TIERS.iter().chain(&["hourly"]).all(|table| parts(&sealed, table).is_empty()));
    assert_eq!(sealed.run(&["verify"]).code, Some(0));
}

#[test]
fn a_rollup_of_an_older_version_that_has_no_jobs_answers_nothing_and_is_made_anew_at_scale() {
    let sealed = stored();
    let place = sealed.store().join("_pmtaq/days/2026-03-03/parts-*.json");
    for path in glob::glob(place.to_str().unwrap()).unwrap() {
        bare(&path.unwrap(), |entry| {
            entry.remove("has_jobs");
        });
    }
    let before = parts(&sealed, "daily_senders");
    agrees(&sealed, &["daily_domains", "hours"]);
    let made = sealed.run(&["compact"]);
    assert!(made.stderr.contains("1 rollup by day made; nothing else to compact"), "{made:?}");
    agrees(&sealed, &["daily_senders", "daily_domains", "hours"]);
    let after = parts(&sealed, "daily_senders");
    assert!(after.len() == 1 && after != before, "{after:?}");
    assert!(sealed.run(&["compact"]).stderr.contains("nothing to compact"));
    assert_eq!(sealed.run(&["verify"]).code, Some(0));
}

#[test]
fn a_rollup_that_is_damaged_or_wrong_is_found_and_set_aside_at_scale() {
    let sealed = stored();
    let part = parts(&sealed, "daily_senders").pop().unwrap();
    let mut bytes = std::fs::read(&part).unwrap();
    bytes[100] ^= 1;
    std::fs::remove_file(&part).unwrap();
    std::fs::write(&part, bytes).unwrap();
    let run = sealed.run(&["verify"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("daily_senders"), "{run:?}");
    let run = sealed.run(&["verify", "--repair"]);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("a part of daily_senders was set aside"), "{run:?}");
    assert_eq!(sealed.run(&["verify"]).code, Some(0));
    agrees(&sealed, &["daily_domains", "hours"]);
}
