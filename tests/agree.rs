//! Numbers that agree: what two commands both show is the same in both.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sealed::{Sealed, root};

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
fn a_remote_bounce_and_a_complaint_that_name_their_job_count_once_at_scale() {
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
fn a_remote_bounce_without_a_job_is_of_the_latest_delivery_before_it_at_scale() {
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
    // Where the lists of parts say that each return has an identifier, none is read.
    let reads_none =
        |sealed: &Sealed| sealed.done(&["jobs", "--show-sql"]).contains("true as has_id");
    assert!(!reads_none(&sealed));
    let of_ids = Sealed::new();
    let records: Vec<&str> =
        records.lines().filter(|line| line.starts_with('d') || line.ends_with(",e2")).collect();
    let path = of_ids.file("acct.csv", HEADER.to_owned() + &records.join("\n") + "\n");
    of_ids.ingest(&[&path]);
    assert!(reads_none(&of_ids));
    assert_eq!(figure(&of_ids, "J2", "bounced"), (1, 2));
    assert_eq!(row(&of_ids, "jobs", "job_id", "J2")["bounce_rate"].as_f64(), Some(50.0));
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
fn a_window_without_records_says_where_the_records_end_at_scale() {
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
fn the_newest_record_of_a_report_is_that_of_the_store_at_scale() {
    let sealed = Sealed::of_samples();
    let day = ["report", "--html", "-", "--since", "2026-03-01", "--until", "2026-03-02"];
    let html = sealed.done(&day);
    let said = html.split("Newest record").nth(1).unwrap();
    assert!(said[..100].contains("2026-03-03 23:56"), "{}", &said[..100]);
}

/// The fields of a line of an accounting file.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut is_quoted = false;
    for c in line.trim_end_matches(['\r', '\n']).chars() {
        match c {
            ',' if !is_quoted => fields.push(String::new()),
            c => {
                is_quoted ^= c == '"';
                fields.last_mut().unwrap().push(c);
            }
        }
    }
    fields
}

/// The records of some types of a sample, as an MTA writes them that does not log some fields.
fn logged(sample: &str, types: &[&str], without: &[&str]) -> String {
    let text = std::fs::read_to_string(root().join("samples/acct").join(sample)).unwrap();
    let header = fields(text.lines().next().unwrap());
    let is_kept = |at: usize| !without.contains(&header[at].as_str());
    let lines = text.lines().enumerate().filter_map(|(n, line)| {
        let fields = fields(line);
        let is_wanted = n == 0 || types.is_empty() || types.contains(&fields[0].as_str());
        let kept = (0..fields.len()).filter(|at| is_kept(*at)).map(|at| fields[at].as_str());
        is_wanted.then(|| kept.collect::<Vec<_>>().join(",") + "\n")
    });
    lines.collect()
}

/// A store of three MTAs: one logs all, one no receivers, one no recipients of its deliveries.
fn mixed() -> Sealed {
    let sealed = Sealed::new();
    let others = ["b", "t", "tq", "r", "rb", "rs", "f"];
    for (host, sample, types, without) in [
        ("mta1", "acct-2026-03-01-0000.csv", &[][..], &[][..]),
        ("mta2", "acct-2026-03-02-0000.csv", &[], &["dlvDestinationIp"]),
        ("mta3", "acct-2026-03-03-0000.csv", &["d"], &["rcpt", "orcpt"]),
        ("mta3", "acct-2026-03-03-0000.csv", &others, &[]),
    ] {
        let name = format!("{host}-{}.csv", types.len());
        let path = sealed.file(&name, logged(sample, types, without));
        sealed.done(&["ingest", "-q", "--host", host, path.to_str().unwrap()]);
    }
    sealed
}

/// The numbers of a column by the values of another; without those that are null.
fn column(rows: &[Value], key: &str, value: &str) -> BTreeMap<String, f64> {
    let has_both = |row: &Value| row.get(key).is_some() && row.get(value).is_some();
    assert!(rows.iter().all(has_both), "no {key} or {value}: {rows:?}");
    let number = |row: &Value| Some((row[key].as_str()?.to_owned(), row[value].as_f64()?));
    let numbers = rows.iter().filter_map(number);
    numbers.filter(|(key, _)| !["total", "(all)"].contains(&&**key)).collect()
}

/// Panics unless both say the same of all that both know.
fn same(a: (&str, BTreeMap<String, f64>), b: (&str, BTreeMap<String, f64>)) {
    // What is null in both agrees too. Of what has no value, a pivot has a row of its own also where the
    // groups are not known, and a report, whose columns are known or not as a whole, has none.
    let has_groups = |of: &BTreeMap<String, f64>| of.keys().any(|key| key != "(none)");
    let is_same = has_groups(&a.1) == has_groups(&b.1);
    assert!(is_same, "only one is empty: {} {:?}, {} {:?}", a.0, a.1, b.0, b.1);
    let both = a.1.keys().filter(|key| b.1.contains_key(*key));
    for key in both {
        let (one, other) = (a.1[key], b.1[key]);
        assert!((one - other).abs() < 1e-6, "{key}: {} says {one}, {} says {other}", a.0, b.0);
    }
}

/// The sum of a column.
fn sum(sealed: &Sealed, line: &str, value: &str) -> f64 {
    rows(sealed, line).iter().filter_map(|row| row[value].as_f64()).sum()
}

/// What a pivot by one dimension says of everything.
fn total(sealed: &Sealed, metric: &str, more: &str) -> f64 {
    let line = format!("pivot --rows rec --metric {metric}{more}");
    rows(sealed, &line).last().unwrap()[metric].as_f64().unwrap()
}

#[test]
fn reports_and_pivots_by_one_dimension_say_the_same_at_scale() {
    let sealed = mixed();
    for window in ["", " --since 2026-03-02 --until 2026-03-03", " --host mta3"] {
        for (report, dimension) in [
            ("domains", "rcpt_domain"),
            ("providers", "provider"),
            ("senders", "sender_domain"),
            ("vmtas", "vmta"),
            ("pools", "vmta_pool"),
            ("ips", "dlv_source_ip"),
        ] {
            let metrics = "sent,delivered,bounced,bounce_rate,deferred,attempts,deferral_rate";
            let pivot = format!("pivot --rows {dimension} --metric {metrics}{window}");
            let report = format!("{report}{window}");
            let (one, other) = (rows(&sealed, &report), rows(&sealed, &pivot));
            for metric in metrics.split(',') {
                let of = |rows: &[Value]| column(rows, dimension, metric);
                same((&report, of(&one)), (&pivot, of(&other)));
            }
        }
        let latency = format!("latency --by vmta{window} --from records");
        let metrics = "p50,p90,p95,p99,slowest,delivered";
        let pivot = format!("pivot --rows vmta --metric {metrics}{window} --from records");
        let (one, other) = (rows(&sealed, &latency), rows(&sealed, &pivot));
        for metric in metrics.split(',') {
            let of = |rows: &[Value]| column(rows, "vmta", metric);
            same((&latency, of(&one)), (&pivot, of(&other)));
        }
    }
}

#[test]
fn a_job_has_one_bounce_rate_at_scale() {
    let sealed = mixed();
    let jobs = rows(&sealed, "jobs");
    let of = |line: &str, value: &str| column(&rows(&sealed, line), "job_id", value);
    let complaints = of("complaints --by job --back 30d", "complaints");
    let remote = of("remote-bounces --by job --back 30d", "bounces");
    let pivot =
        rows(&sealed, "pivot --rows job_id --metric sent,bounced_in_band,p95 --from records");
    let (sent_in_pivot, in_band) =
        (column(&pivot, "job_id", "sent"), column(&pivot, "job_id", "bounced_in_band"));
    let hygiene = rows(&sealed, "hygiene");
    let returned: Vec<&str> = remote.keys().chain(complaints.keys()).map(String::as_str).collect();
    // Those for which something came back, and some others.
    let is_looked_at = |(n, job): &(usize, &Value)| {
        let id = job["job_id"].as_str().unwrap();
        id != "(none)" && (n % 12 == 0 || returned.contains(&id))
    };
    let looked_at: Vec<_> = jobs.iter().enumerate().filter(is_looked_at).collect();
    assert!(looked_at.len() > 5 && remote.keys().any(|id| id != "(none)"), "{remote:?}");
    for (_, job) in looked_at {
        let id = job["job_id"].as_str().unwrap();
        let figures = rows(&sealed, &format!("job {id}"));
        let figure = |name: &str| {
            let row = figures.iter().find(|row| row["figure"] == name).unwrap();
            (row["recipients"].as_f64().unwrap(), row["total"].as_f64().unwrap())
        };
        let known = |of: &BTreeMap<String, f64>| of.get(id).copied().unwrap_or(0.0);
        let (bounced, sent) = figure("bounced");
        assert_eq!((job["sent"].as_f64(), known(&sent_in_pivot)), (Some(sent), sent), "{id}");
        let rate = job["bounce_rate"].as_f64().unwrap();
        assert!((rate - 100.0 * bounced / sent).abs() < 1e-9, "{id}: {rate}");
        assert_eq!(known(&in_band) + known(&remote), bounced, "{id}");
        let unknown = hygiene.iter().filter(|row| row["job_id"] == id);
        let unknown: f64 = unknown.filter_map(|row| row["unknown_users"].as_f64()).sum();
        assert_eq!(figure("unknown users").0, unknown, "{id}");
        let rate = job["unknown_user_rate"].as_f64().unwrap();
        assert!((rate - 100.0 * unknown / sent).abs() < 1e-9, "{id}: {rate}");
        let began = figures.iter().find(|row| row["figure"] == "injected").unwrap();
        assert_eq!(job["began"], began["at"], "{id}");
        let quickly = column(&pivot, "job_id", "p95");
        assert_eq!(job["p95"].as_f64(), quickly.get(id).copied(), "{id}");
        assert_eq!(figure("complaints").0, known(&complaints), "{id}");
    }
}

#[test]
fn status_says_of_the_store_and_its_mtas_what_the_records_say_at_scale() {
    let sealed = mixed();
    let n = |sql: &str| sealed.number(sql);
    let status = &rows(&sealed, "status --last 9999d")[0];
    let hosts = rows(&sealed, "status --hosts");
    let told = |column: &str| hosts.iter().filter_map(|row| row[column].as_i64()).sum::<i64>();
    assert_eq!(status["records_rows"], n("select count(*) from records"));
    assert_eq!(told("records"), n("select count(*) from records"));
    assert_eq!((told("stored"), told("sources")), (told("records"), 4));
    assert_eq!(status["sources"], 4);
    let listed = rows(&sealed, "paths").iter().filter_map(|row| row["rows"].as_i64()).sum::<i64>();
    assert_eq!(status["records_rows"], listed);
    let newest = n("select epoch(max(time_logged))::bigint from records");
    assert_eq!(status["lag_seconds"], 1_772_712_000 - newest);
    for host in &hosts {
        let name = host["host"].as_str().unwrap();
        let of = |what: &str| n(&format!("select {what} from records where host = '{name}'"));
        let lag = 1_772_712_000 - of("epoch(max(time_logged))::bigint");
        assert_eq!(
            (host["lag"].as_f64(), host["records"].as_i64()),
            (Some(lag as f64), Some(of("count(*)")))
        );
        let types = format!("select distinct rec from records where host = '{name}'");
        let types = sealed.done(&["sql", &types, "--format", "csv"]);
        let mut types: Vec<&str> = types.lines().skip(1).collect();
        let mut said: Vec<&str> = host["types"].as_str().unwrap().split(", ").collect();
        types.sort_unstable();
        said.sort_unstable();
        assert_eq!(said, types, "{name}");
    }
}

#[test]
fn the_queue_over_time_is_what_a_pivot_counts_and_a_graph_draws_at_scale() {
    let sealed = Sealed::of_samples();
    for window in ["", " --since 2026-03-02 --until 2026-03-03"] {
        let queue = format!("queue --horizon 30d{window}");
        for (column, metrics) in [
            ("queued", &["injected"][..]),
            ("finished", &["sent"]),
            ("deleted", &["deleted_by_operator"]),
        ] {
            let of_pivot: f64 = metrics.iter().map(|metric| total(&sealed, metric, window)).sum();
            assert_eq!(sum(&sealed, &queue, column), of_pivot, "{column}{window}");
        }
    }
    let window = "--since 2026-03-02 --until 2026-03-03";
    let queue = rows(&sealed, &format!("queue --horizon 30d {window}"));
    let graph =
        rows(&sealed, &format!("graph queue_depth,queue_peak,queue_oldest --every 1h {window}"));
    assert_eq!((queue.len(), graph.len()), (24, 24));
    for (hour, point) in queue.iter().zip(&graph) {
        assert_eq!(hour["time"], point["time"]);
        for (column, metric) in
            [("depth", "queue_depth"), ("peak", "queue_peak"), ("oldest", "queue_oldest")]
        {
            assert_eq!(hour[column].as_f64(), point[metric].as_f64(), "{column} {hour} {point}");
        }
    }
}

#[test]
fn sums_over_time_reply_and_reason_are_those_of_the_whole_at_scale() {
    let sealed = mixed();
    for window in ["", " --since 2026-03-02T06:00:00Z --until 2026-03-03T00:00:00Z"] {
        let zoned = format!("{window} --tz Europe/Madrid");
        let metrics = ["injected", "delivered", "bounced", "deferred", "complaints", "bytes"];
        let list = metrics.join(",");
        let days = format!("pivot --rows day --metric {list}{zoned}");
        let lines = [
            format!("volume{window}"),
            format!("volume{zoned}"),
            format!("volume --per day{zoned}"),
            format!("graph {list} --every 1h{window}"),
            format!("graph {list} --every 1d{zoned}"),
        ];
        let (all, told) = (rows(&sealed, &days), lines.each_ref().map(|line| rows(&sealed, line)));
        for metric in metrics {
            let whole = all.last().unwrap()[metric].as_f64().unwrap();
            for (line, rows) in lines.iter().zip(&told) {
                let sum: f64 = rows.iter().filter_map(|row| row[metric].as_f64()).sum();
                assert_eq!(sum, whole, "{metric}: {line}");
            }
            let by_day = column(&all, "day", metric);
            same((&days, by_day), (&lines[2], column(&told[2], "time", metric)));
        }
        let in_band = total(&sealed, "bounced_in_band", window);
        for line in ["top-bounces", "top-bounces --by category", "bounce-reasons"] {
            assert_eq!(sum(&sealed, &format!("{line}{window}"), "bounces"), in_band, "{line}");
        }
        let (categories, stats) = (
            format!("top-bounces --by category{window}"),
            format!("stats bounce-categories{window}"),
        );
        same(
            (&categories, column(&rows(&sealed, &categories), "bounce_cat", "bounces")),
            (&stats, column(&rows(&sealed, &stats), "category", "bounced")),
        );
        let deferred = total(&sealed, "deferred", window);
        for by in ["template", "vmta"] {
            let line = format!("deferrals --by {by}{window}");
            assert_eq!(sum(&sealed, &line, "deferred"), deferred, "{line}");
        }
    }
    assert_eq!(sum(&sealed, "complaints", "complaints"), total(&sealed, "complaints", ""));
}

#[test]
fn compare_check_and_the_page_say_what_a_pivot_says_at_scale() {
    let sealed = mixed();
    let day = |from: u32| format!(" --since 2026-03-0{from} --until 2026-03-0{}", from + 1);
    let pivots = [1, 2].map(|from| {
        format!(
            "pivot --rows provider --metric sent,bounce_rate,deferral_rate,complaint_rate{}",
            day(from)
        )
    });
    let told = pivots.each_ref().map(|line| rows(&sealed, line));
    for metric in ["sent", "bounce_rate", "deferral_rate", "complaint_rate"] {
        let compare = format!("compare --a 2026-03-01 --b 2026-03-02 --metric {metric}");
        let compared = rows(&sealed, &compare);
        for (side, at) in [("a", 0), ("b", 1)] {
            let one = column(&compared, "provider", side);
            let other = column(&told[at], "provider", metric);
            // Groups without any are left out of the one.
            if !one.is_empty() {
                same((&compare, one), (&pivots[at], other));
            }
        }
    }
    let rate = told[1].last().unwrap()["bounce_rate"].as_f64().unwrap();
    let line = format!("check bounce_rate -w 1 --max-lag 9d{}", day(2));
    let checked = sealed.run(&line.split(' ').collect::<Vec<_>>());
    let said =
        checked.stdout.split_once("'bounce_rate'=").unwrap_or_else(|| panic!("{checked:?}")).1;
    let said: f64 = said[..said.find('%').unwrap()].parse().unwrap();
    assert!((said - rate).abs() < 0.01, "{checked:?} and not {rate}");
    let html = sealed.done(&format!("report -{}", day(2)).split(' ').collect::<Vec<_>>());
    for metric in ["injected", "delivered"] {
        let n = total(&sealed, metric, &day(2)) as u64;
        let grouped =
            if n < 1000 { n.to_string() } else { format!("{},{:03}", n / 1000, n % 1000) };
        assert!(html.contains(&grouped), "{metric} {grouped}");
    }
}

#[test]
fn the_queue_at_a_moment_is_that_of_the_queue_over_time_at_scale() {
    let sealed = Sealed::of_samples();
    let hours =
        rows(&sealed, "queue --horizon 30d --since 2026-03-02T14:00 --until 2026-03-02T20:00");
    for (hour, row) in (15..=18).zip(&hours) {
        for by in ["rcpt_domain", "vmta"] {
            let line = format!("queue --at 2026-03-02T{hour}:00:00Z --horizon 30d --by {by}");
            let all = &rows(&sealed, &line)[0];
            assert_eq!(all["depth"], row["depth"], "{line}");
            assert_eq!(all["oldest"].as_f64(), row["oldest"].as_f64(), "{line}");
        }
    }
    let by_provider = rows(&sealed, "queue --at 2026-03-02T18:00:00Z --by provider");
    assert_eq!(by_provider[1]["provider"], "yahoo", "{by_provider:?}");
    assert!(by_provider[1]["last_reply"].as_str().unwrap().contains("TSS04"), "{by_provider:?}");
    assert!(by_provider[1]["retries"].as_i64() >= by_provider[1]["depth"].as_i64());
}

#[test]
fn the_queue_of_now_is_that_of_the_newest_record_and_says_so_at_scale() {
    let sealed = Sealed::of_samples();
    let run = sealed.run(&["queue", "--at", "now", "--by", "vmta"]);
    assert!(
        run.stderr.starts_with(
            "at the newest record, 2026-03-03 23:56 UTC: of the 1d 12h since nothing is known\n"
        ),
        "{run:?}"
    );
    let line = "queue --horizon 1d --since 2026-03-03T23:00 --until 2026-03-04";
    let last = rows(&sealed, line).last().unwrap()["depth"].clone();
    assert_eq!(rows(&sealed, "queue --at now")[0]["depth"], last);
    let run = sealed.run(&["queue", "--at", "2026-03-02T18:00", "--tz", "Europe/Madrid"]);
    assert!(run.stderr.starts_with("at 2026-03-02 18:00 Europe/Madrid\n"), "{run:?}");
}
