//! Dimensions of the site that `hourly` keeps: they are what the records say, or the records are read.

use std::path::PathBuf;
use std::process::Output;

use crate::sealed::Sealed;

const BRAND: &str = "brand = { field = 'orig', pattern = '^bounce-([a-z]+)-', hourly = true }\n";
const TENANT: &str = "tenant = { field = 'header_x-tenant', pattern = '(.+)', hourly = true }\n";

/// An accounting file of two days: 1,200 records of two brands, an hour apart at most, and of tenants
/// whose names must be escaped.
fn acct(days: std::ops::Range<u32>) -> String {
    let mut text = "type,timeLogged,timeQueued,orig,rcpt,dsnDiag,bounceCat,dlvDestinationIp,vmta,jobId,header_X-Tenant\n".to_owned();
    for day in days {
        for n in 0..600_u32 {
            let time = format!("2026-03-{day:02} {:02}:{:02}:11+0000", n / 25, n % 60);
            let (rec, diag, category) = match n % 7 {
                0 => ("b", "smtp;550 5.1.1 no such user", "bad-mailbox"),
                1 => ("t", "smtp;421 4.7.0 later", "policy-related"),
                _ => ("d", "smtp;250 ok", ""),
            };
            let orig = ["bounce-acme-1@s.example", "bounce-zeta-2@s.example", "news@s.example"]
                [n as usize / 2 % 3];
            let tenant = ["a & b=c", "n\u{f6}rd %20", "", "x"][n as usize / 3 % 4];
            text += &format!(
                "{rec},{time},{time},{orig},u{n}@x.example,{diag},{category},192.0.2.1,v{},J{},{tenant}\n",
                n % 2,
                n % 5
            );
        }
    }
    text
}

fn ingest(sealed: &Sealed, name: &str, days: std::ops::Range<u32>) -> PathBuf {
    let path = sealed.file(name, acct(days));
    sealed.ingest(&[&path]);
    path
}

fn settings(sealed: &Sealed, lines: &[&str]) {
    sealed.file("etc/pmtaq.toml", format!("[dimensions]\n{}", lines.concat()));
}

fn done(sealed: &Sealed, line: &str, more: &[&str]) -> String {
    sealed.done(&[&line.split(' ').collect::<Vec<_>>()[..], more].concat())
}

/// Whether a question is answered by what `hourly` keeps.
fn is_kept(sealed: &Sealed, line: &str) -> bool {
    done(sealed, line, &["--show-sql"]).contains("site_value(site_dimensions, 'brand')")
}

/// Whether the rollup is what the records come to.
fn is_sound(sealed: &Sealed) {
    let run = sealed.run(&["verify"]);
    assert!(run.code == Some(0) && run.stderr.contains("sound"), "{run:?}");
}

/// Asks from both tables; the rollup must answer, with the same rows.
fn agree(sealed: &Sealed, line: &str) {
    let rows = |from| done(sealed, line, &["--format", "csv", "-q", "--from", from]);
    let (auto, records) = (rows("auto"), rows("records"));
    assert!(auto.lines().count() > 1, "{line}: {auto}");
    assert_eq!(auto, records, "{line}");
    assert!(is_kept(sealed, line), "{line}");
}

const PIVOT: &str = "pivot --rows brand --metric sent,bounce_rate,deferral_rate,p95 --top 0";

#[test]
fn what_hourly_keeps_of_the_site_is_what_the_records_say_at_scale() {
    let sealed = Sealed::new();
    settings(&sealed, &[BRAND, TENANT]);
    ingest(&sealed, "acct.csv", 1..3);
    for line in [
        PIVOT,
        "pivot --rows brand,tenant --metric sent,hard_rate,bytes --top 0",
        "pivot --rows tenant --cols brand --metric delivered",
        // Hours that the window cuts are read of the records, by the expressions.
        "pivot --rows brand,tenant --metric sent --top 0 --since 2026-03-01T03:17 --until 2026-03-02T20:41",
        "pivot --rows vmta --metric sent --filter brand=zeta --filter tenant=n* --since 2026-03-01T03:17",
        "graph bounce_rate --by brand --every 6h",
        "latency --by brand",
        "domains --filter brand=zeta",
    ] {
        agree(&sealed, line);
    }
    // What does not name one reads none.
    assert!(!is_kept(&sealed, "pivot --rows vmta --metric sent"));
    assert!(done(&sealed, "dimensions", &[]).contains("kept in hourly"));
    is_sound(&sealed);
    let check = "check bounce_rate -w 1 --by brand --min-n 1 --since 2026-03-01 --until 2026-03-02 --max-lag 900d";
    let check = sealed.run(&check.split(' ').collect::<Vec<_>>());
    assert!(check.stdout.contains("acme"), "{check:?}");
}

#[test]
fn why_asks_hourly_for_what_it_keeps() {
    let sealed = Sealed::new();
    settings(&sealed, &[BRAND]);
    ingest(&sealed, "acct.csv", 1..3);
    let why =
        "why bounced --by brand --since 2026-03-02T00:00 --until 2026-03-03T00:00 --vs previous";
    assert!(is_kept(&sealed, why));
    let told = || {
        let run = sealed.run(&why.split(' ').collect::<Vec<_>>());
        assert_eq!(run.code, Some(0), "{run:?}");
        run.stdout
    };
    let kept = told();
    settings(&sealed, &[&BRAND.replace(", hourly = true", "")]);
    assert!(!is_kept(&sealed, why));
    assert_eq!(kept, told());
}

#[test]
fn an_alert_by_a_dimension_of_the_site_names_the_value_whether_it_is_kept_or_not() {
    let sealed = Sealed::new();
    settings(&sealed, &[BRAND]);
    let mut text = "type,timeLogged,timeQueued,orig,rcpt,dsnDiag,bounceCat,vmta\n".to_owned();
    for n in 0..600_u32 {
        let time = format!("2026-03-01 {:02}:{:02}:11+0000", n / 25, n % 60);
        let brand = ["acme", "zeta"][n as usize % 2];
        // Half of what one brand sends.
        let (rec, diag, category) = match n % 4 {
            1 => ("b", "smtp;550 5.1.1 no such user", "bad-mailbox"),
            _ => ("d", "smtp;250 ok", ""),
        };
        text += &format!(
            "{rec},{time},{time},bounce-{brand}-1@s.example,u{n}@x.example,{diag},{category},v1\n"
        );
    }
    sealed.ingest(&[&sealed.file("acct.csv", text)]);
    let rules = |by: &str| {
        format!(
            "[[rule]]\nname = \"brands\"\nmetric = \"bounce_rate\"\nby = [\"{by}\"]\nabove = 10\n\
             window = \"2h\"\n"
        )
    };
    let judged = |by: &str| {
        let path = sealed.file("alerts.toml", rules(by));
        let mut command = sealed.command();
        command.args(["--now", "2026-03-01T23:50:00Z", "alert", "backfill"]).arg(path);
        command.args(["--since", "2026-03-01T12:00:00Z", "--format", "csv"]).output().unwrap()
    };
    let told = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let kept = told(&judged("brand"));
    assert!(
        kept.contains("zeta: bounce_rate 48.0 % of 25 sent") && !kept.contains("acme"),
        "{kept}"
    );
    settings(&sealed, &[&BRAND.replace(", hourly = true", "")]);
    assert_eq!(told(&judged("brand")), kept);
    let nowhere = judged("brond");
    assert_eq!(nowhere.status.code(), Some(2), "{nowhere:?}");
    let said = "rule `brands`: there is no dimension `brond`; did you mean `brand`?";
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains(said), "{nowhere:?}");
}

#[test]
fn parts_without_a_dimension_or_with_another_expression_are_not_asked_until_they_are_compacted_at_scale()
 {
    let sealed = Sealed::new();
    let other = "brand = { field = 'orig', pattern = '^bounce-([a-z])', hourly = true }\n";
    ingest(&sealed, "one.csv", 1..2);
    let compact = || done(&sealed, "compact --day 2026-03-01", &[]);
    for (settings_then, name) in [(BRAND, "two.csv"), (other, "three.csv")] {
        settings(&sealed, &[settings_then]);
        // What is stored before has none, or by another expression.
        let before = done(&sealed, PIVOT, &["--format", "csv", "-q", "--from", "records"]);
        assert!(!is_kept(&sealed, PIVOT));
        assert_eq!(done(&sealed, PIVOT, &["--format", "csv", "-q"]), before);
        // Nor is a day that has both.
        let more = acct(1..2).replace("@x.example", &format!("@{name}.example"));
        let path = sealed.file(name, more);
        sealed.ingest(&[&path]);
        assert!(!is_kept(&sealed, PIVOT), "{name}");
        is_sound(&sealed);
        compact();
        agree(&sealed, PIVOT);
        is_sound(&sealed);
        let again = sealed.run(&["compact", "--day", "2026-03-01"]);
        assert!(again.stderr.contains("nothing to compact"), "{again:?}");
    }
    // One more, and one that is not wanted any more.
    settings(&sealed, &[other, TENANT]);
    assert!(!is_kept(&sealed, "pivot --rows brand,tenant --metric sent"));
    agree(&sealed, PIVOT);
    compact();
    agree(&sealed, "pivot --rows brand,tenant --metric sent --top 0");
    settings(&sealed, &[]);
    assert_eq!(sealed.run(&["pivot", "--rows", "brand"]).code, Some(2));
    is_sound(&sealed);
}

#[test]
fn a_store_of_a_site_without_such_dimensions_says_nothing_of_them() {
    let sealed = Sealed::new();
    settings(&sealed, &[&BRAND.replace(", hourly = true", "")]);
    ingest(&sealed, "acct.csv", 1..2);
    let other_tools = sealed.run(&["connect", "duckdb"]).stderr;
    assert!(other_tools.contains("[dimensions] (brand)"), "{other_tools}");
    let kept = "select count(site_dimensions) as kept from hourly";
    assert_eq!(sealed.done(&["sql", kept, "--format", "csv", "-q"]), "kept\n0\n");
    assert!(!is_kept(&sealed, PIVOT));
}

#[test]
fn what_cannot_be_kept_is_refused_where_it_is_said() {
    let sealed = Sealed::new();
    ingest(&sealed, "acct.csv", 1..2);
    for (line, wrong) in [
        ("brand = { field = 'orig', pattern = '(x)', hourly = 1 }\n", "must be true or false"),
        (
            "brand = { field = 'orig', pattern = '(', hourly = true }\n",
            "cannot be kept in `hourly`",
        ),
        (
            "brand = { field = 'orig', pattern = '(\\pL+)', hourly = true }\n",
            "leave `hourly = true` out",
        ),
    ] {
        settings(&sealed, &[line]);
        let run = sealed.run(&["pivot", "--rows", "vmta"]);
        assert!(run.code == Some(2) && run.stderr.contains(wrong), "{line}: {run:?}");
        assert!(run.stderr.contains("pmtaq.toml:2: "), "{run:?}");
    }
}
