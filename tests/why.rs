//! `pmtaq why` names what was planted, says nothing of a quiet hour, and is not fooled by names.

use pmtaq_gen::{Compress, Options, Size};
use serde_json::Value;

use crate::sealed::{Sealed, golden};

fn generated(settings: &Options) -> Sealed {
    let sealed = Sealed::new();
    let dir = sealed.dir.path().join("acct");
    std::fs::create_dir_all(&dir).unwrap();
    pmtaq_gen::generate(settings, &dir).unwrap();
    sealed.done(&["ingest", "-q", dir.to_str().unwrap()]);
    sealed
}

/// The whole answer.
fn why(sealed: &Sealed, args: &[&str]) -> Value {
    let text = sealed.done(&[&["why", "--format", "json", "-q"], args].concat());
    let mut answers: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(answers.len(), 1, "{text}");
    answers.remove(0)
}

/// What a cause is said to be: the values that name it, and those that follow.
fn said(cause: &Value) -> Vec<(&str, &str)> {
    let of = |key: &str| {
        let list = cause[key].as_array().unwrap().iter();
        list.map(|pair| (pair["dimension"].as_str().unwrap(), pair["value"].as_str().unwrap_or("")))
    };
    of("values").chain(of("implied")).collect()
}

#[test]
fn the_planted_incidents_of_the_samples_are_named() {
    let sealed = Sealed::of_samples();
    let truth = std::fs::read_to_string(crate::sealed::root().join("samples/truth.json"));
    let truth: Value = serde_json::from_str(&truth.unwrap()).unwrap();
    for (kind, metric, until) in [
        ("throttled pool", "deferral_rate", "18:00"),
        ("blocked address", "bounced", "18:00"),
        ("bad list", "bounce_rate", "13:00"),
    ] {
        let incidents = truth["incidents"].as_array().unwrap();
        let incident = incidents.iter().find(|incident| incident["kind"] == kind).unwrap();
        let window = format!("{}..{until}", incident["since"].as_str().unwrap());
        let answer = why(&sealed, &[metric, "--window", &window]);
        let said = said(&answer["causes"][0]);
        for (dimension, value) in incident["dimensions"].as_object().unwrap() {
            let pair = (dimension.as_str(), value.as_str().unwrap());
            assert!(said.contains(&pair), "{kind}: {pair:?} not in {said:?}");
        }
        let more = answer["causes"].as_array().unwrap().len();
        assert_eq!(more, 1, "{kind}: {answer:#}");
    }
}

#[test]
fn pages_and_json_of_the_samples_have_golden_files_at_scale() {
    let sealed = Sealed::of_samples();
    for (name, args) in [
        ("throttle.txt", &["deferral_rate", "--window", "2026-03-02T16:00..18:00"][..]),
        ("blocked.txt", &["bounced", "--window", "2026-03-02T09:00..18:00"]),
        ("bad-list.txt", &["bounce_rate", "--window", "2026-03-03T10:00..13:00"]),
        (
            "bad-list.json",
            &["bounce_rate", "--window", "2026-03-03T10:00..13:00", "--format", "json"],
        ),
        (
            "bad-list.csv",
            &["bounce_rate", "--window", "2026-03-03T10:00..13:00", "--format", "csv"],
        ),
        ("quiet.txt", &["delivered", "--at", "2026-03-03T16:00", "--vs", "previous"]),
        ("no-history.txt", &["delivered", "--at", "2026-03-01T10:00"]),
        ("local.txt", &["bounced", "--window", "2026-03-02T10:00..19:00", "--tz", "Europe/Madrid"]),
        (
            "filtered.txt",
            &["bounced", "--window", "2026-03-02T09:00..18:00", "--provider", "microsoft,gmail"],
        ),
        ("unknown.txt", &["deliverd"]),
        ("no-window.txt", &["delivered", "--window", "16:00"]),
        (
            "sql.txt",
            &["bounce_rate", "--at", "2026-03-03T10:00", "--show-sql", "--category", "it's"],
        ),
    ] {
        let args = [&["why"], args].concat();
        let run = sealed.run(&args);
        // The views over the parts are those of every command, and their names no run repeats.
        let text = run.transcript();
        let text = text.find("with records as").map_or(text.as_str(), |from| &text[from..]);
        golden(&format!("why/{name}"), &format!("$ pmtaq {}\n{text}", args.join(" ")));
    }
}

#[test]
fn a_day_by_its_name_is_a_window() {
    let sealed = Sealed::of_samples();
    let by_name = why(&sealed, &["bounced", "--window", "2026-03-02"]);
    let by_times = why(&sealed, &["bounced", "--since", "2026-03-02", "--until", "2026-03-03"]);
    assert_eq!(by_name, by_times);
    assert_eq!(by_name["until"], "2026-03-03T00:00:00Z");
}

#[test]
fn records_in_memory_tell_what_the_statements_tell_at_scale() {
    let esp = Options { size: Size::Esp, rows: 30_000, days: 4, ..Options::default() };
    for (sealed, day) in [(Sealed::of_samples(), 2), (generated(&esp), 4)] {
        for metric in ["delivered", "bounced", "accepted_rate", "hard_rate", "deferral_rate"] {
            for span in ["T16:00..18:00", "T11:20..12:50", ""] {
                let window = format!("2026-03-0{day}{span}");
                let asked = ["why", metric, "--window", &window, "--format", "json", "-q"];
                let in_memory = sealed.done(&asked);
                // With a condition the engine is asked.
                let by_statements = sealed.done(&[&asked[..], &["--where", "true"]].concat());
                let by_statements = by_statements.replace("(true) and ", "");
                assert_eq!(in_memory, by_statements, "{metric} of {window}");
            }
        }
    }
}

#[test]
fn a_million_records_tell_the_same_at_scale() {
    let sealed = generated(&Options {
        rows: 1_000_000,
        days: 4,
        compress: Compress::Zstd,
        ..Options::default()
    });
    let throttled = why(&sealed, &["delivered", "--window", "2026-03-02T16:00..18:00"]);
    let named: Vec<Vec<(&str, &str)>> =
        throttled["causes"].as_array().unwrap().iter().map(said).collect();
    let is_throttle = |said: &Vec<(&str, &str)>| {
        said.starts_with(&[("provider", "yahoo"), ("vmta_pool", "pool-bulk")])
    };
    assert!(named.iter().any(is_throttle), "{throttled:#}");
    let rate = why(&sealed, &["deferral_rate", "--window", "2026-03-02T16:00..18:00"]);
    assert!(is_throttle(&said(&rate["causes"][0])), "{rate:#}");
    assert_eq!(rate["causes"][0]["reading"], "ip-reputation");
    assert_eq!(rate["causes"][0]["onset"], "2026-03-02T16:00:00Z");
    let reply = rate["causes"][0]["replies"][0]["template"].as_str().unwrap();
    assert!(reply.contains("[TSS04]"), "{reply}");

    let blocked = why(&sealed, &["bounced", "--window", "2026-03-02T09:00..12:00"]);
    let said_of = said(&blocked["causes"][0]);
    for pair in [("provider", "microsoft"), ("dlv_source_ip", "192.0.2.12")] {
        assert!(said_of.contains(&pair), "{said_of:?}");
    }
    let list = why(&sealed, &["bounce_rate", "--window", "2026-03-03T10:00..13:00"]);
    assert!(said(&list["causes"][0]).contains(&("job_id", "job-bad-list")), "{list:#}");
    assert_eq!(list["causes"][0]["reading"], "list");
    // What a cause says is to be counted again by the command that it gives.
    let command = list["causes"][0]["command"].as_str().unwrap();
    let args = crate::readme::words(command.strip_prefix("pmtaq ").unwrap());
    let args: Vec<&str> = args.iter().map(String::as_str).chain(["-q"]).collect();
    let records = sealed.done(&args).lines().count() as u64 - 1;
    assert_eq!(Some(records), list["causes"][0]["counted_now"].as_u64(), "{command}");
}

#[test]
fn quiet_hours_have_no_cause_and_no_receptions_are_needed_at_scale() {
    let settings = Options {
        rows: 300_000,
        days: 9,
        split: true,
        incidents: false,
        compress: Compress::Zstd,
        ..Options::default()
    };
    let sealed = generated(&settings);
    for day in [8, 9] {
        for hour in ["04", "09", "13", "16", "21"] {
            let at = format!("2026-03-0{day}T{hour}:00");
            for metric in ["delivered", "bounce_rate", "deferral_rate"] {
                let answer = why(&sealed, &[metric, "--at", &at]);
                let causes = answer["causes"].as_array().unwrap();
                assert!(causes.is_empty(), "{metric} at {at}: {answer:#}");
            }
        }
    }

    // The same with incidents, and with delivered and bounced records alone.
    let bare = Sealed::new();
    let dir = bare.dir.path().join("acct");
    std::fs::create_dir_all(&dir).unwrap();
    let (_, paths) = pmtaq_gen::generate(&Options { incidents: true, ..settings }, &dir).unwrap();
    let bounces: Vec<&str> = paths
        .iter()
        .filter_map(|path| path.to_str())
        .filter(|path| !path.contains("acct-temp") && !path.contains("acct-recv"))
        .collect();
    bare.done(&[&["ingest", "-q"], &bounces[..]].concat());
    let run = bare.run(&["why", "bounced", "--window", "2026-03-02T12:00..16:00"]);
    assert!(run.stdout.contains("provider microsoft, vmta vmta-news-2"), "{}", run.stdout);
    assert!(run.stderr.contains("no r records") && run.stderr.contains("no t records"), "{run:?}");
}

#[test]
fn names_that_strangers_chose_do_no_harm() {
    let sealed = Sealed::new();
    let evil = "x'; drop view records; --\x1b[2J\u{202e}";
    let mut csv = "type,timeLogged,timeQueued,orig,rcpt,dsnDiag,bounceCat,vmta,jobId\n".to_owned();
    for day in 1..=5 {
        for n in 0..400 {
            let bad = day == 5 && n % 2 == 0;
            let job = if n % 2 == 0 { evil } else { "good" };
            let (kind, category, reply) = if bad {
                ("b", "spam-related", "smtp;550 5.7.1 go \x1b]0;away\x07 <script>")
            } else {
                ("d", "", "smtp;250 ok")
            };
            let time = format!("2026-03-0{day} 10:{:02}:{:02}+0000", n / 10, n % 10);
            csv += &format!(
                "{kind},{time},{time},a@a.example,u{n}@b.example,{reply},{category},v1,\"{job}\"\n"
            );
        }
    }
    let path = sealed.file("acct.csv", csv);
    sealed.ingest(&[&path]);
    let args = ["delivered", "--at", "2026-03-05T10:00"];
    let run = sealed.run(&[&["why"], &args[..]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    let is_harmless = |c: char| c == '\n' || !c.is_control() && c != '\u{202e}';
    assert!(run.stdout.chars().all(is_harmless), "{}", run.stdout.escape_debug());
    assert!(run.stdout.contains("job_id x'; drop view records; --\\x1b[2J"), "{}", run.stdout);
    let answer = why(&sealed, &args);
    let cause = &answer["causes"][0];
    assert!(said(cause).contains(&("job_id", evil)), "{cause:#}");
    // What cannot be typed is not offered to be typed.
    assert_eq!((&cause["command"], &cause["counted_now"]), (&Value::Null, &200.into()));
}
