//! What is not logged is not zero: a number that cannot be known is null and says why, whoever asks.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use crate::sealed::{Run, Sealed, interpreter, root};

const FIELDS: [&str; 16] = [
    "type",
    "timeLogged",
    "timeQueued",
    "orig",
    "rcpt",
    "dsnAction",
    "dsnStatus",
    "dsnDiag",
    "dsnMta",
    "bounceCat",
    "dlvSourceIp",
    "dlvDestinationIp",
    "dlvSize",
    "dlvTlsProtocol",
    "vmta",
    "jobId",
];

/// An accounting file of 60 deliveries, 20 bounces and 20 deferrals, in which records of some types lack
/// some fields.
fn acct(lacking: &[(&str, &str)]) -> String {
    let mut text = FIELDS.join(",") + "\n";
    for n in 0..100 {
        let (rec, action, status, diag, category) = match n % 5 {
            3 => (
                "b",
                "failed",
                "5.1.1 (bad destination mailbox address)",
                "smtp;550 5.1.1 No such user",
                "bad-mailbox",
            ),
            4 => ("t", "delayed", "4.7.0 (undefined)", "smtp;421 4.7.0 later", "policy-related"),
            _ => ("d", "relayed", "2.0.0 (success)", "smtp;250 2.0.0 OK", ""),
        };
        let d = |text: &str| if rec == "d" { text.to_owned() } else { String::new() };
        let (domain, minute) = (["gmail.com", "yahoo.com"][n / 5 % 2], n % 60);
        let row = [
            rec.to_owned(),
            format!("2026-03-04 10:{minute:02}:30+0000"),
            format!("2026-03-04 10:{minute:02}:00+0000"),
            "news@example.com".to_owned(),
            format!("u{n}@{domain}"),
            action.to_owned(),
            status.to_owned(),
            diag.to_owned(),
            format!("mx.{domain} (192.0.2.1)"),
            category.to_owned(),
            "198.51.100.1".to_owned(),
            "192.0.2.1".to_owned(),
            d("1000"),
            d("TLSv1.3"),
            format!("v{}", n / 10 % 2),
            format!("job{}", n / 10 % 2),
        ];
        let is_there =
            |field: &str| !lacking.iter().any(|(of, lacks)| *of == rec && *lacks == field);
        let row = row
            .iter()
            .zip(FIELDS)
            .map(|(text, field)| if is_there(field) { text.as_str() } else { "" });
        let _ = writeln!(text, "{}", row.collect::<Vec<_>>().join(","));
    }
    text
}

fn of(text: &str) -> Sealed {
    let sealed = Sealed::new();
    let file = sealed.file("acct.csv", text);
    sealed.done(&["ingest", "-q", "--host", "mta", file.to_str().unwrap()]);
    sealed
}

/// The lines of a pivot, and what was said of it.
fn pivot(sealed: &Sealed, rows: &str, metrics: &str) -> Run {
    sealed.run(&["pivot", "--rows", rows, "--metric", metrics, "--format", "csv"])
}

/// A line that begins with `name`, without it.
fn line<'t>(text: &'t str, name: &str) -> &'t str {
    let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(','));
    found.unwrap_or_else(|| panic!("no {name}: {text}"))
}

/// Who lacks what, a dimension, a rate and a count that are not known by it, and one that is.
const BY_DIMENSION: [(&str, &str, &str, &str, &str, &str); 4] = [
    ("d", "rcpt", "rcpt_domain", "bounce_rate", "delivered", "bounced"),
    ("t", "jobId", "job_id", "deferral_rate", "deferred", "bounce_rate"),
    ("b", "vmta", "vmta", "bounce_rate", "bounced", "delivered"),
    ("d", "orig", "sender_domain", "accepted_rate", "delivered", "deferred"),
];

#[test]
fn a_rate_by_what_its_denominator_does_not_log_is_null_in_pivots_reports_and_series_at_scale() {
    for (rec, field, by, rate, count, known) in BY_DIMENSION {
        let sealed = of(&acct(&[(rec, field)]));
        let run = pivot(&sealed, by, &format!("{rate},{count},{known}"));
        assert_eq!(run.code, Some(0), "{run:?}");
        let base = if rate == "deferral_rate" { "attempts" } else { "sent" };
        let header = run.stdout.lines().next().unwrap().to_owned();
        let at = |name: &str| header.split(',').position(|column| column == name).unwrap();
        let (mut named, mut unnamed) = (0, 0);
        for line in run.stdout.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let is_null = |name: &str| cells[at(name)].is_empty();
            match cells[0] {
                "total" => assert!(!is_null(rate) && !is_null(count), "{rec} {field}: {line}"),
                "(none)" => {
                    unnamed += 1;
                    assert!(is_null(rate) && !is_null(count), "{rec} {field}: {line}");
                }
                _ => {
                    named += 1;
                    assert!(is_null(rate) && is_null(count), "{rec} {field}: {line}");
                    assert!(is_null(base) && !is_null(known), "{rec} {field}: {line}");
                }
            }
        }
        assert!(named > 0 && unnamed == 1, "{run:?}");
        let why = format!("not known: no {field} in the {rec} records of mta, 2026-03-04");
        assert!(run.stderr.contains(&why), "{run:?}");
        assert!(run.stderr.contains(&format!("`record-fields {rec} *,{field}`")), "{run:?}");
        let halves =
            "compare --a 2026-03-04T10:00..2026-03-04T10:30 --b 2026-03-04T10:30..2026-03-04T11:00";
        let halves = format!("{halves} --by {by} --metric {rate} --format csv");
        let compared = sealed.run(&halves.split(' ').collect::<Vec<_>>());
        assert_eq!(compared.stdout.lines().count(), 1, "{rec} {field}: {compared:?}");
        assert!(compared.stderr.contains(&why), "{compared:?}");
        // Over time, as SQL, and as a check.
        let graph = ["graph", rate, "--by", by, "--every", "1h", "--format", "csv"];
        let graph = sealed.run(&graph);
        assert!(!graph.stdout.contains(".0,"), "{graph:?}");
        assert!(graph.stderr.contains(&why), "{graph:?}");
        let sql =
            format!("select {by}, {rate}() from records group by {by} having {by} is not null");
        let sql = sealed.done(&["sql", &sql, "--format", "csv"]);
        assert!(sql.lines().skip(1).all(|line| line.ends_with(',')), "{sql}");
        let times = ["--since", "2026-03-04", "--until", "2026-03-05", "--max-lag", "90d"];
        let check = [&["check", rate, "--by", by, "--min-n", "1", "-c", "1"][..], &times].concat();
        let check = sealed.run(&check);
        assert_eq!(check.code, Some(3), "{check:?}");
        assert!(check.stdout.contains("not judged") && check.stdout.contains(&why), "{check:?}");
    }
}

/// An accounting file of so many records of each type, a second apart from noon of 4 March on.
fn of_types(types: &[(&str, usize)]) -> String {
    let mut text =
        "type,timeLogged,timeQueued,orig,rcpt,dsnDiag,bounceCat,dlvDestinationIp,vmta\n".to_owned();
    for (rec, times) in types {
        let (diag, category) = match *rec {
            "b" => ("smtp;550 5.1.1 No such user", "bad-mailbox"),
            "t" => ("smtp;421 4.7.0 later", "policy-related"),
            _ => ("smtp;250 2.0.0 OK", ""),
        };
        for n in 0..*times {
            let time = format!("2026-03-04 {:02}:{:02}:{:02}+0000", n / 3600, n / 60 % 60, n % 60);
            let _ = writeln!(
                text,
                "{rec},{time},{time},news@example.com,u{n}@gmail.com,{diag},{category},192.0.2.1,v1"
            );
        }
    }
    text
}

#[test]
fn a_share_of_what_an_mta_writes_no_records_of_is_null_and_of_a_few_it_is_zero_at_scale() {
    const RATES: &str = "bounce_rate,accepted_rate,deferral_rate,complaint_rate,tls_rate";
    type Types = [(&'static str, usize)];
    // The records that there are, what is known of the rates, and who is missed.
    let cases: [(&Types, &str, &[&str]); 6] = [
        (&[("d", 900)], "0.0 100.0 0.0 0.0 -", &[]),
        (&[("d", 1_900), ("b", 100)], "5.0 95.0 - 0.0 -", &["t"]),
        (&[("d", 75_000)], "- - - - -", &["b", "t", "f"]),
        (&[("b", 20)], "- - - - -", &["d"]),
        (&[("b", 8)], "100.0 0.0 0.0 - -", &[]),
        (&[("d", 75_000), ("b", 1), ("t", 1), ("f", 1)], "0.0 100.0 0.0 0.0 -", &[]),
    ];
    for (types, expected, missed) in cases {
        let sealed = of(&of_types(types));
        let run = pivot(&sealed, "host", RATES);
        let header: Vec<&str> = run.stdout.lines().next().unwrap().split(',').collect();
        let cells: Vec<&str> = run.stdout.lines().nth(1).unwrap().split(',').collect();
        let told = RATES.split(',').map(|rate| {
            let cell = cells[header.iter().position(|column| *column == rate).unwrap()];
            cell.parse::<f64>().map_or("-".to_owned(), |rate| format!("{rate:.1}"))
        });
        assert_eq!(told.collect::<Vec<_>>().join(" "), expected, "{types:?}: {run:?}");
        for rec in missed {
            assert!(run.stderr.contains(&format!("no {rec} records ")), "{rec}: {run:?}");
        }
        assert_eq!(run.stderr.contains(" in the whole store"), !missed.is_empty(), "{run:?}");
        let counts = pivot(&sealed, "host", "bounced,deferred,complaints");
        assert!(!counts.stdout.contains(",,") && !counts.stderr.contains("whole store"));
    }
}

#[test]
fn a_type_that_a_window_lacks_is_looked_for_in_the_whole_store_and_a_setting_says_that_it_is_logged()
 {
    let sealed = of(&of_types(&[("d", 15_000)]));
    let of_day = |sealed: &Sealed| {
        let day = ["--since", "2026-03-04", "--until", "2026-03-05"];
        sealed.run(&[&["providers", "--format", "csv"][..], &day].concat())
    };
    let rate = |run: &Run| {
        let header = run.stdout.lines().next().unwrap();
        let at = header.split(',').position(|column| column == "bounce_rate").unwrap();
        run.stdout.lines().nth(1).unwrap().split(',').nth(at).unwrap().to_owned()
    };
    let run = of_day(&sealed);
    assert_eq!(rate(&run), "", "{run:?}");
    assert!(run.stderr.contains("bounce_rate is not known: no b records of mta"), "{run:?}");
    assert!(run.stderr.contains("`records d,b` in <acct-file>"), "{run:?}");
    assert!(run.stderr.contains("`records = \"b\"` in pmtaq's configuration"), "{run:?}");
    let doctor = sealed.run(&["doctor", "--format", "csv"]);
    assert!(doctor.stdout.contains("no b and t records of mta in the whole store"), "{doctor:?}");
    let check = ["check", "bounce_rate", "-c", "1", "--since", "2026-03-04", "--max-lag", "90d"];
    let check = sealed.run(&check);
    assert_eq!(check.code, Some(3), "{check:?}");
    assert!(check.stdout.contains("no b records of mta"), "{check:?}");
    // Said to be logged, none of them is zero.
    let settings = sealed.file("etc/pmtaq.toml", "records = \"d,b\"\n");
    assert_eq!(rate(&of_day(&sealed)), "0.0");
    assert!(sealed.done(&["config", "show"]).contains("d, b"));
    sealed.file("etc/pmtaq.toml", "records = \"d,c\"\n");
    let wrong = sealed.run(&["providers"]);
    assert!(
        wrong.stderr.contains("pmtaq.toml:1: `records`: `c` is not a record type"),
        "{wrong:?}"
    );
    std::fs::remove_file(settings).unwrap();
    // Another day has one.
    let later = of_types(&[("b", 1)]).replace("2026-03-04", "2026-03-09");
    let later = sealed.file("later.csv", &later);
    sealed.done(&["ingest", "-q", "--host", "mta", later.to_str().unwrap()]);
    assert_eq!(rate(&of_day(&sealed)), "0.0");
}

/// All that pivots say of a store, by dimension, group and column.
fn all_told(sealed: &Sealed) -> BTreeMap<(&'static str, String, String), String> {
    const METRICS: &str = "injected,delivered,bounced,sent,deferred,attempts,accepted,hard,block,\
        undetermined,unknown_users,bytes,bounce_rate,accepted_rate,hard_rate,block_rate,\
        unknown_user_rate,deferral_rate,delayed_rate,tls_rate,p95,bounced_by_receiver,deleted_by_operator";
    let mut told = BTreeMap::new();
    for by in
        ["host", "rcpt_domain", "provider", "sender_domain", "vmta", "dlv_source_ip", "job_id"]
    {
        let text = pivot(sealed, by, METRICS).stdout;
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned));
        let header: Vec<String> = lines.next().unwrap().collect();
        for mut line in lines {
            let group = line.next().unwrap();
            let cells = header.iter().skip(1).cloned().zip(line);
            told.extend(cells.map(|(column, value)| ((by, group.clone(), column), value)));
        }
    }
    told
}

#[test]
fn a_number_of_a_store_that_lacks_a_field_is_that_of_the_whole_one_or_null_at_scale() {
    let whole = all_told(&of(&acct(&[])));
    let mut known = 0;
    for rec in ["d", "b", "t"] {
        for field in &FIELDS[2..] {
            for (key, value) in all_told(&of(&acct(&[(rec, field)]))) {
                if key.1 != "(none)" && !value.is_empty() {
                    assert_eq!(whole.get(&key), Some(&value), "{rec} without {field}: {key:?}");
                    known += 1;
                }
            }
        }
    }
    assert!(known > 10_000, "{known}");
}

/// Reports, and how many of their columns name a row.
const REPORTS: [(&str, usize); 18] = [
    ("domains", 1),
    ("providers", 1),
    ("senders", 1),
    ("vmtas", 1),
    ("ips", 1),
    ("jobs", 1),
    ("job job0", 1),
    ("latency", 1),
    ("volume --per day", 1),
    ("hygiene", 2),
    ("rates --by vmta", 1),
    ("tls --by provider", 1),
    ("warmup", 2),
    ("sizes", 1),
    ("graph bounce_rate,deferral_rate,tls_rate --by vmta --every 1d", 2),
    ("stats top-domains", 1),
    ("stats vmta-summary", 2),
    ("stats message-counts", 1),
];

/// All that these reports say, by report, row and column.
fn all_reported(sealed: &Sealed) -> BTreeMap<(&'static str, Vec<String>, String), String> {
    let mut told = BTreeMap::new();
    for (report, keys) in REPORTS {
        let words: Vec<&str> = report.split(' ').chain(["--format", "csv", "-q"]).collect();
        let text = sealed.done(&words);
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned));
        let header: Vec<String> = lines.next().unwrap().collect();
        for line in lines {
            let cells: Vec<String> = line.collect();
            let (names, values) = cells.split_at(keys);
            let values = header[keys..].iter().cloned().zip(values);
            told.extend(
                values.map(|(name, value)| ((report, names.to_vec(), name), value.clone())),
            );
        }
    }
    told
}

#[test]
fn a_report_of_a_store_that_lacks_a_field_says_what_that_of_the_whole_one_says_or_nothing_at_scale()
{
    let whole = all_reported(&of(&acct(&[])));
    let mut known = 0;
    for lack in [
        ("d", "rcpt"),
        ("d", "timeQueued"),
        ("d", "dlvTlsProtocol"),
        ("d", "dlvSize"),
        ("b", "bounceCat"),
        ("b", "dsnDiag"),
        ("b", "vmta"),
        ("t", "dlvDestinationIp"),
        ("t", "jobId"),
    ] {
        for (key, value) in all_reported(&of(&acct(&[lack]))) {
            // What has no name is another group there.
            if key.1.iter().any(|name| name.starts_with("(none")) || value.is_empty() {
                continue;
            }
            match whole.get(&key) {
                Some(expected) => assert_eq!(*expected, value, "{lack:?}: {key:?}"),
                None => assert_eq!(value, "0", "{lack:?}: {key:?}"),
            }
            known += 1;
        }
    }
    assert!(known > 1_000, "{known}");
}

#[test]
fn a_filter_by_what_a_type_does_not_log_gives_no_rate() {
    let sealed = of(&acct(&[("d", "rcpt")]));
    let filtered = [
        "pivot",
        "--rows",
        "host",
        "--metric",
        "bounce_rate",
        "--domain",
        "gmail.com",
        "--format",
        "csv",
    ];
    let run = sealed.run(&filtered);
    assert_eq!(line(&run.stdout, "mta"), ",", "{run:?}");
    assert!(run.stderr.contains("no rcpt in the d records"), "{run:?}");
    let domains = sealed.run(&["domains", "--format", "csv"]);
    assert!(line(&domains.stdout, "gmail.com").starts_with(",,10,,"), "{domains:?}");
    assert!(domains.stderr.contains("no rcpt in the d records"), "{domains:?}");
}

/// A metric, what it needs of which records, and one that is known without it.
const OF_A_FIELD: [(&str, &str, &str, &str); 5] = [
    ("tls_rate", "d", "dlvTlsProtocol", "delivered"),
    ("bytes", "d", "dlvSize", "delivered"),
    ("p95", "d", "timeQueued", "delivered"),
    ("hard_rate", "b", "bounceCat", "bounce_rate"),
    ("bounced_by_receiver", "b", "dsnDiag", "bounced"),
];

#[test]
fn a_metric_whose_field_no_record_has_is_null_and_says_so_at_scale() {
    for (metric, rec, field, known) in OF_A_FIELD {
        let sealed = of(&acct(&[(rec, field)]));
        let run = pivot(&sealed, "host", &format!("{metric},{known}"));
        let header = run.stdout.lines().next().unwrap();
        let at = |name: &str| header.split(',').position(|column| column == name).unwrap();
        let cells: Vec<&str> = run.stdout.lines().nth(1).unwrap().split(',').collect();
        assert_eq!((cells[at(metric)], cells[at(known)].is_empty()), ("", false), "{run:?}");
        let why = format!("{metric} is not known: no {field} in the {rec} records of mta");
        assert!(run.stderr.contains(&why), "{run:?}");
        let check = ["check", metric, "-c", "1", "--since", "2026-03-04", "--max-lag", "90d"];
        let check = sealed.run(&check);
        assert_eq!(check.code, Some(3), "{check:?}");
        assert!(check.stdout.contains(&why), "{check:?}");
    }
    let tls = of(&acct(&[("d", "dlvTlsProtocol")])).run(&["tls", "--format", "csv"]);
    assert!(line(&tls.stdout, "(none logged)").starts_with("(none),60,,60"), "{tls:?}");
}

#[test]
fn a_reply_proves_that_a_receiver_was_reached_where_no_address_is_logged_at_scale() {
    let address = "dlvDestinationIp";
    let bare = acct(&[]).replace("smtp;", "");
    let cases = [
        acct(&[("t", address)]),
        acct(&[("d", address), ("b", address), ("t", address), ("d", "dsnMta"), ("t", "dsnMta")]),
        acct(&[("b", address), ("t", address), ("t", "dsnStatus")]),
        acct(&[("t", address), ("t", "dsnDiag")]),
        acct(&[
            ("d", address),
            ("d", "dsnDiag"),
            ("t", address),
            ("t", "dsnDiag"),
            ("t", "dsnStatus"),
        ]),
        bare,
    ];
    for text in cases {
        let sealed = of(&text);
        for from in ["auto", "records"] {
            let asked = ["pivot", "--rows", "host", "--metric", "attempts,deferred,deferral_rate"];
            let run = sealed.run(&[&asked[..], &["--format", "csv", "--from", from]].concat());
            assert_eq!(line(&run.stdout, "mta"), "100,20,20.0", "{from}: {run:?}");
        }
    }
    let blind = acct(&[("t", address), ("t", "dsnDiag"), ("t", "dsnMta")]);
    let sealed = of(&blind);
    let run = pivot(&sealed, "host", "attempts,deferred,deferral_rate");
    assert_eq!(line(&run.stdout, "mta"), ",20,", "{run:?}");
    assert!(run.stderr.contains("no dlvDestinationIp in the t records"), "{run:?}");
}

#[test]
fn dimensions_that_a_type_never_has_and_those_of_outcomes_give_no_share() {
    let mut text = acct(&[]);
    text.push_str("f,2026-03-04 11:00:00+0000,,news@example.com,u0@gmail.com,,,,,,,,,,,\n");
    let sealed = of(&text);
    let run = pivot(&sealed, "dlv_source_ip", "complaints,complaint_rate");
    assert_eq!(line(&run.stdout, "198.51.100.1"), ",60,", "{run:?}");
    assert_eq!(line(&run.stdout, "total"), "1,60,1.6666666666666667", "{run:?}");
    for (by, rate) in [
        ("bounce_cat", "bounce_rate"),
        ("smtp_code", "deferral_rate"),
        ("template", "hard_rate"),
        ("rec", "accepted_rate"),
        ("dlv_tls_protocol", "bounce_rate"),
    ] {
        let run = pivot(&sealed, by, rate);
        let rates = run.stdout.lines().skip(1).filter(|line| !line.starts_with("total"));
        let rates: Vec<&str> = rates.filter_map(|line| line.split(',').nth(2)).collect();
        assert!(rates.len() > 1 && rates.iter().all(|rate| rate.is_empty()), "{by}: {run:?}");
        assert!(!run.stderr.is_empty(), "{by}");
    }
}

#[test]
fn doctor_names_first_what_most_numbers_lack_by_record_type() {
    let sealed = of(&acct(&[("d", "rcpt"), ("t", "jobId")]));
    let run = sealed.run(&["doctor", "--format", "csv"]);
    let first: Vec<&str> = run.stdout.lines().skip(1).take(2).collect();
    assert!(
        first[0].starts_with("unknown,trouble,\"no rcpt in the d records of mta, 2026-03-04"),
        "{first:?}"
    );
    assert!(first[0].contains("rcpt_domain"), "{first:?}");
    assert!(run.stdout.contains("record-fields d *,rcpt"), "{run:?}");
    assert!(run.stdout.contains("no jobId in the t records of mta"), "{run:?}");
    assert!(!of(&acct(&[])).run(&["doctor", "--format", "csv"]).stdout.contains("unknown,"));
}

#[test]
fn no_alert_is_told_of_what_is_not_known_and_the_reason_is() {
    let sealed = of(&acct(&[("d", "rcpt")]));
    let rules = "[[receiver]]\nname = \"x\"\ntype = \"pagerduty\"\nkey-env = \"KEY\"\n\
                 url = \"http://127.0.0.1:9/\"\n\n[[rule]]\nname = \"domains\"\nmetric = \"bounce_rate\"\n\
                 by = [\"rcpt_domain\"]\nabove = 5.0\nmin-n = 1\nwindow = \"4h\"\n";
    let file = sealed.file("etc/rules.toml", rules);
    let args = ["--now", "2026-03-04T11:05:00Z", "alert", "run", "--print", file.to_str().unwrap()];
    let output = sealed.command().args(args).env("KEY", "k").output().unwrap();
    let run = Run {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code(),
    };
    assert!(!run.stdout.contains("gmail.com"), "{run:?}");
    let all = format!("{}{}", run.stdout, run.stderr);
    assert!(all.contains("not judged") && all.contains("no rcpt in the d records"), "{run:?}");
}

#[test]
fn why_looks_for_no_cause_in_what_is_not_logged() {
    let sealed = of(&acct(&[("b", "vmta")]));
    let times = ["--since", "2026-03-04T10:30", "--until", "2026-03-04T11:00", "--vs", "previous"];
    let run = sealed.run(&[&["why", "bounce_rate"][..], &times].concat());
    assert!(
        run.stderr.contains("not told apart, since some record types lack it: vmta"),
        "{run:?}"
    );
    let filtered = sealed.run(&[&["why", "bounce_rate", "--vmta", "v1"][..], &times].concat());
    assert_eq!(filtered.code, Some(1), "{filtered:?}");
    assert!(filtered.stderr.contains("no vmta in the b records of mta"), "{filtered:?}");
}

#[test]
fn the_page_has_no_rate_that_is_not_known_and_says_why() {
    let sealed = of(&acct(&[("d", "dlvTlsProtocol"), ("d", "rcpt")]));
    let html = sealed.dir.path().join("page.html");
    let times = ["--since", "2026-03-04", "--until", "2026-03-05"];
    let report = [&["report", "--html", html.to_str().unwrap()][..], &times].concat();
    sealed.done(&report);
    let page = std::fs::read_to_string(html).unwrap();
    assert!(page.contains("tls_rate is not known: no dlvTlsProtocol in the d records of mta"));
    assert!(page.contains("by provider") || page.contains("by rcpt_domain"));
}

#[test]
fn twenty_metrics_of_five_configurations_are_those_of_an_independent_reader_at_scale() {
    let sealed = Sealed::new();
    let output = Command::new(interpreter())
        .arg(root().join("tests/python/unknown.py"))
        .arg(sealed.dir.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for host in ["full", "norcpt", "notls", "changed", "short"] {
        let file = sealed.dir.path().join(format!("acct-{host}.csv"));
        sealed.done(&["ingest", "-q", "--host", host, file.to_str().unwrap()]);
    }
    let asked: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let (mut right, mut wrong) = (0, Vec::new());
    for from in ["auto", "records"] {
        for ask in &asked {
            let words = |key: &str| -> Vec<&str> {
                ask[key].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
            };
            let args = [&words("args")[..], &["--format", "json", "--from", from]].concat();
            let answer: Vec<serde_json::Value> = serde_json::from_str(&sealed.done(&args)).unwrap();
            for row in ask["rows"].as_array().unwrap() {
                let keys = words("keys");
                let is_it =
                    |of: &&serde_json::Value| (0..keys.len()).all(|n| of[keys[n]] == row[n]);
                let found =
                    answer.iter().find(is_it).unwrap_or_else(|| panic!("{args:?}: no {row}"));
                for (n, metric) in words("metrics").iter().enumerate() {
                    let expected = &row[keys.len() + n];
                    let same = match (expected.as_f64(), found[*metric].as_f64()) {
                        (Some(a), Some(b)) => (a - b).abs() < 1e-6 * (1.0 + a.abs()),
                        (a, b) => a == b,
                    };
                    if same {
                        right += 1
                    } else {
                        wrong.push(format!(
                            "{args:?} {row} {metric}: {expected}, not {}",
                            found[*metric]
                        ))
                    }
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong, {right} right:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
    assert!(right > 5000, "{right}");
}
