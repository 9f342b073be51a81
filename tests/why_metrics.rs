//! `pmtaq why` of times, of the queue, of encryption and of complaints; `check` and alerts of the queue.

use std::fmt::Write as _;

use serde_json::Value;

use crate::sealed::Sealed;

/// Eight days of an hour at 16:00. On the last of them Yahoo throttles the pool `b` from 16:09 on, GMX is sent to
/// in plain text from 16:17 on and t-online by TLS 1.0, and the job of the day of one sender, the fifth of
/// all, is complained about. The complaints know no job.
fn eight_days() -> String {
    let mut csv = "type,timeLogged,timeQueued,orig,rcpt,jobId,envId,vmta,vmtaPool,dlvSourceIp,\
        dlvDestinationIp,dsnMta,dsnDiag,dlvTlsProtocol,dlvType\n"
        .to_owned();
    let domains = ["gmail.com", "gmail.com", "gmail.com", "gmail.com", "yahoo.com", "yahoo.com"];
    let domains = [&domains[..], &["yahoo.com", "t-online.de", "gmx.de"]].concat();
    for day in 1..=8 {
        for n in 0..900 {
            let domain = domains[n % 9];
            let clock = |second: usize| {
                let (hour, minute) = (16 + second / 3600, second / 60 % 60);
                format!("2026-03-0{day} {hour}:{minute:02}:{:02}+0000", second % 60)
            };
            let is_b = domain == "yahoo.com" && n % 2 == 1;
            let pool = if is_b { "b" } else { "a" };
            let (sender, job) = match n % 5 {
                0 => ("shop.two.example", format!("promo-{day}")),
                _ => ("news.one.example", "daily".to_owned()),
            };
            let queued = n * 7 / 2;
            let row = |rec: &str, second: usize, reply: &str, tls: &str| {
                format!(
                    "{rec},{},{},bounce@{sender},u{day}-{n}@{domain},{job},e{day}-{n},v{pool},\
                     pool-{pool},192.0.2.{},198.51.100.7,mx.{domain} (198.51.100.7),{reply},{tls},smtp\n",
                    clock(second),
                    clock(queued),
                    1 + usize::from(is_b),
                )
            };
            csv += &row("r", queued, "", "");
            let is_last = day == 8;
            if is_last && is_b && n > 150 {
                let reply = "smtp;421 4.7.0 [TSS04] Messages from 192.0.2.2 temporarily deferred \
                    due to unexpected volume or user complaints";
                csv += &row("t", queued + 2, reply, "");
                if n % 4 == 1 && queued + 900 < 3600 {
                    csv += &row("d", queued + 900, "smtp;250 ok", "TLSv1.2");
                }
                continue;
            }
            let tls = match domain {
                "t-online.de" if is_last => "TLSv1",
                "gmx.de" if is_last && n > 300 => "",
                _ => "TLSv1.2",
            };
            csv += &row("d", queued + 1 + n % 8, "smtp;250 ok", tls);
            let is_bad = is_last && n % 5 == 0 && n % 4 < 3;
            if domain != "gmail.com" && (is_bad || n % 97 == 0) {
                let _ = writeln!(
                    csv,
                    "f,{},,bounce@{sender},u{day}-{n}@{domain},,e{day}-{n},,,,,,,,",
                    clock(queued + 30)
                );
            }
        }
    }
    csv
}

fn stored() -> Sealed {
    let sealed = Sealed::new();
    sealed.ingest(&[&sealed.file("acct.csv", eight_days())]);
    sealed
}

fn why(sealed: &Sealed, args: &[&str]) -> Value {
    let args = [&["why", "--at", "2026-03-08T16:00", "--format", "json", "-q"], args].concat();
    let mut answers: Vec<Value> = serde_json::from_str(&sealed.done(&args)).unwrap();
    answers.remove(0)
}

/// What is said at the end of the eighth day's hour.
fn late(sealed: &Sealed, args: &[&str]) -> (Option<i32>, String) {
    let now = ["--now", "2026-03-08T17:00:00Z", "-q"];
    let output = sealed.command().args(now).args(args).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first cause: its reading, and all the values that it names.
fn first(answer: &Value) -> (&str, Vec<&str>) {
    let cause = &answer["causes"][0];
    let of = |key: &str| cause[key].as_array().unwrap().iter();
    let values = of("values").chain(of("implied"));
    (cause["reading"].as_str().unwrap(), values.map(|v| v["value"].as_str().unwrap()).collect())
}

#[test]
fn a_time_is_explained_by_the_share_of_deliveries_later_than_usual_at_scale() {
    let sealed = stored();
    for name in ["p95", "latency"] {
        let answer = why(&sealed, &[name]);
        assert_eq!((&answer["metric"], &answer["unit"]), (&"p95".into(), &"percent".into()));
        assert_eq!((&answer["value_now"], &answer["value_usual"]), (&900.into(), &8.into()));
        // 52 of 827 deliveries took the quarter of an hour that Yahoo had them wait.
        let of = answer["of_now"].as_f64().unwrap();
        assert!((answer["now"].as_f64().unwrap() * of / 100.0 - 52.0).abs() < 1.0, "{answer:#}");
        let (reading, values) = first(&answer);
        assert_eq!(reading, "ip-reputation");
        assert!(values.contains(&"pool-b") && values.contains(&"yahoo"), "{values:?}");
        let reply = answer["causes"][0]["replies"][0]["template"].as_str().unwrap();
        assert!(reply.contains("[TSS04]"), "{reply}");
    }
    let said = sealed.done(&["why", "p95", "--at", "2026-03-08T16:00"]);
    assert!(said.contains("p95 15m 00s, usually 8s"), "{said}");
    assert!(said.contains("later than 8s: 6.3 % of 827"), "{said}");
    // What a filter fixes names the cause as well as what the search finds.
    let filtered = ["p95", "--provider", "yahoo", "--pool", "pool-b"];
    assert_eq!(first(&why(&sealed, &filtered)).0, "ip-reputation");
}

#[test]
fn a_filter_takes_no_reading_away() {
    let csv =
        eight_days().replace("[TSS04] Messages from 192.0.2.2 temporarily deferred", "try again");
    let csv = csv.replace("due to unexpected volume or user complaints", "");
    let sealed = Sealed::new();
    sealed.ingest(&[&sealed.file("acct.csv", csv)]);
    let all = why(&sealed, &["deferral_rate"]);
    let one = why(&sealed, &["deferral_rate", "--provider", "yahoo", "--pool", "pool-b"]);
    assert_eq!(first(&one).0, first(&all).0, "{one:#}");
    assert_ne!(first(&one).0, "unclear");
}

#[test]
fn the_queue_is_what_came_in_and_has_not_left() {
    let sealed = stored();
    let answer = why(&sealed, &["queue_depth"]);
    let effects: Vec<f64> = answer["funnel"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["effect"].as_f64().unwrap())
        .collect();
    assert_eq!(effects.iter().sum::<f64>(), answer["change"].as_f64().unwrap());
    let (reading, values) = first(&answer);
    assert_eq!(reading, "ip-reputation");
    assert!(values.contains(&"pool-b") && values.contains(&"yahoo"), "{values:?}");
    // All that look at the queue count the same.
    let rows = sealed.done(&["queue", "--until", "2026-03-08T17:00", "--format", "json", "-q"]);
    let rows: Vec<Value> = serde_json::from_str(&rows).unwrap();
    assert_eq!(answer["now"], rows.last().unwrap()["depth"]);
    let depth = answer["now"].to_string();
    let check =
        |more: &[&str]| late(&sealed, &[&["check", "queue_depth", "-w", "50"], more].concat());
    let (code, said) = check(&[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!("QUEUE_DEPTH WARNING: {depth} (limit 50)")), "{said}");
    let (_, said) = check(&["--by", "provider"]);
    assert!(said.contains(&format!("yahoo {depth} (limit 50)")), "{said}");
    let (code, said) = check(&["--by", "domain"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("provider, sender_domain, vmta_pool, vmta, job_id"), "{said}");
}

#[test]
fn a_rule_watches_the_queue_and_says_what_why_says() {
    let sealed = stored();
    let rules = "[[rule]]\nname = \"queue\"\nmetric = \"queue_depth\"\nby = [\"provider\"]\n\
        above = 50\nwindow = \"1h\"\n[[receiver]]\nname = \"hook\"\ntype = \"webhook\"\n\
        url = \"http://127.0.0.1:9/x\"\n";
    sealed.file("rules.toml", rules);
    let rules = sealed.dir.path().join("rules.toml");
    let rules = rules.to_str().unwrap();
    let (_, said) = late(&sealed, &["alert", "run", "--print", rules]);
    assert!(said.contains("queue_depth"), "{said}");
    assert!(said.contains("IP reputation"), "{said}");
    let since = ["--since", "2026-03-08T14:00", "--every", "1h"];
    let (_, told) = late(&sealed, &[&["alert", "backfill", rules], &since[..]].concat());
    assert!(told.contains("yahoo: queue_depth"), "{told}");
    // A rule that comes after it is judged by all that was logged, too.
    let deferred = "[[rule]]\nname = \"deferred\"\nmetric = \"deferral_rate\"\nby = [\"provider\"]\n\
        above = 5\nwindow = \"1h\"\n";
    let alone = sealed.file("deferred.toml", deferred);
    let both = sealed.file("both.toml", std::fs::read_to_string(rules).unwrap() + deferred);
    let of_deferred = |rules: &std::path::Path| -> Vec<String> {
        let rules = rules.to_str().unwrap();
        let (_, told) = late(&sealed, &[&["alert", "backfill", rules], &since[..]].concat());
        told.lines().filter(|line| line.starts_with("deferred")).map(str::to_owned).collect()
    };
    let told = of_deferred(&alone);
    assert!(told.iter().any(|line| line.contains("yahoo: deferral_rate")), "{told:?}");
    assert_eq!(of_deferred(&both), told);
}

#[test]
fn encryption_is_explained_like_any_rate() {
    let sealed = stored();
    let answer = why(&sealed, &["tls_rate"]);
    let (reading, values) = first(&answer);
    assert_eq!((reading, values[0]), ("encryption", "united-internet"));
    // An old protocol is encryption, and no good one.
    let weak = why(&sealed, &["weak_tls"]);
    let named: Vec<&str> = weak["causes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cause| cause["values"][0]["value"].as_str().unwrap_or("everywhere"))
        .collect();
    assert_eq!(named, ["t-online", "united-internet"], "{weak:#}");
}

#[test]
fn complaints_are_explained_by_the_job_of_the_delivery_that_they_match_at_scale() {
    let sealed = stored();
    let by_job = ["complaints", "--by", "job", "--format", "json", "-q"];
    let window = ["--since", "2026-03-08T16:00", "--until", "2026-03-08T17:00"];
    let rows: Vec<Value> =
        serde_json::from_str(&sealed.done(&[&by_job[..], &window].concat())).unwrap();
    let of_job = rows.iter().find(|row| row["job_id"] == "promo-8").unwrap();
    for metric in ["complaints", "complaint_rate"] {
        let answer = why(&sealed, &[metric]);
        let (reading, values) = first(&answer);
        assert_eq!((reading, values[0]), ("complaints-of-job", "promo-8"), "{answer:#}");
        assert_eq!(answer["causes"][0]["counted_now"], of_job["complaints"], "{metric}");
    }
}

/// The problems of a day's HTML report, as text.
fn problems(sealed: &Sealed, day: &str, next: &str) -> String {
    let mut command = sealed.command();
    command.args(["--now", &format!("{next}T00:10:00Z"), "report", "--html", "-"]);
    let output = command.args(["--since", day, "--until", next]).output().unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    let (_, rest) = page.split_once("Problems").unwrap();
    let mut text = String::new();
    let mut is_tag = false;
    for c in rest.chars() {
        match c {
            '<' => is_tag = true,
            '>' => is_tag = false,
            c if !is_tag => text.push(c),
            _ => {}
        }
    }
    text
}

#[test]
fn the_page_tells_worse_encryption_and_reads_an_episode_by_its_replies_at_scale() {
    let text = problems(&stored(), "2026-03-08", "2026-03-09");
    assert!(
        text.contains("t-online: 100.0 % over an old protocol or none, usually 0.0 %"),
        "{text}"
    );
    assert!(text.contains("this job: whom it was sent to"), "{text}");
    // Of the day, the part in which it happened; the records end a few seconds before the hour does.
    assert!(text.contains("16:10 to 16:59") && text.contains("IP reputation"), "{text}");
    assert!(!text.contains("SPF, DKIM, DMARC"), "{text}");
}

#[test]
fn who_sends_less_is_one_notice_by_the_same_weekday_of_the_weeks_before_at_scale() {
    let sundays = |numbers: &[(&str, usize, usize)]| {
        let mut csv = "type,timeLogged,timeQueued,orig,rcpt,dsnDiag\n".to_owned();
        for (day, one, two) in numbers {
            for (sender, n) in [("one.example", *one), ("two.example", *two)] {
                for n in 0..n {
                    let (minute, second) = (n / 60, n % 60);
                    let time = format!("{day} 10:{minute:02}:{second:02}+0000");
                    let who = format!("bounce@{sender},u{day}-{n}@gmail.com");
                    let _ = writeln!(csv, "d,{time},{time},{who},smtp;250 ok");
                }
            }
        }
        let sealed = Sealed::new();
        sealed.ingest(&[&sealed.file("acct.csv", csv)]);
        problems(&sealed, "2026-03-22", "2026-03-23")
    };
    let weeks = [("2026-03-08", 200, 200), ("2026-03-15", 900, 220), ("2026-03-22", 70, 190)];
    let text = sundays(&weeks);
    assert!(text.contains("one.example: 70 injected, 200 at least before"), "{text}");
    assert!(!text.contains("two.example"), "{text}");
    // One weekday before says nothing of how much a sender swings.
    assert!(!sundays(&weeks[1..]).contains("Fewer messages"));
}
