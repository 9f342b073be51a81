//! `search`, `trace` and `explain`: single records, and what a reply means.

use crate::sealed::{Sealed, golden};

fn check(sealed: &Sealed, name: &str, args: &[&str]) {
    let run = sealed.run(args);
    golden(name, &format!("$ pmtaq {}\n{}", args.join(" "), run.transcript()));
}

#[test]
fn searches_and_traces_give_their_golden_files_at_scale() {
    let sealed = Sealed::of_samples();
    for (name, args) in [
        (
            "search-code",
            &["search", "550", "-n", "5", "--line-format", "{enhanced_code} {rcpt}"][..],
        ),
        ("search-text", &["search", "mailbox FULL", "-i", "-n", "3", "--format", "csv"]),
        (
            "search-fields",
            &[
                "search",
                "--diag",
                "S31[45]0",
                "--rcpt",
                "@outlook",
                "-e",
                "-n",
                "2",
                "--fields",
                "time_logged,rcpt,header_X-Campaign,domain",
            ],
        ),
        ("search-count", &["search", "--code", "5.7.*,421", "--count", "--format", "json"]),
        ("search-none", &["search", "--rcpt", "nobody-has-this"]),
        ("trace-bounced", &["trace", "<Orchid_4140074@MAPLE-birch11.co.uk>"]),
        ("trace-complaint", &["trace", "willow.4595742@yahoo.co.uk", "--format", "json"]),
        ("trace-envelope", &["trace", "--env-id", "a82267e3-fd78-9710-56a8-c90525dec1c7"]),
        ("trace-nobody", &["trace", "zephyr.32028@hotmail.co.uk", "--format", "csv"]),
        ("trace-domain", &["trace", "zephyr@gmial.com"]),
        (
            "explain-reply",
            &[
                "explain",
                "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected \
                 volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes",
            ],
        ),
        ("explain-code", &["explain", "5.7.26", "--since", "2026-03-02", "--provider", "gmail"]),
        ("explain-own-code", &["explain", "S3140", "--format", "json"]),
        ("explain-words", &["explain", "550", "5.1.1", "<{email}>:", "user does not exist"]),
        ("explain-nothing", &["explain", "nonsense", "--format", "csv"]),
    ] {
        check(&sealed, &format!("investigate/{name}.txt"), args);
    }
}

#[test]
fn a_search_by_reply_code_finds_no_digits_inside_queue_identifiers() {
    let sealed = Sealed::of_samples();
    let count = |args: &[&str]| -> i64 {
        let args = [&["search", "--count", "--format", "csv"], args].concat();
        sealed.done(&args).lines().nth(1).unwrap().parse().unwrap()
    };
    let by_code = sealed.number("select count(*) from records where smtp_code = 550");
    assert_eq!(count(&["550"]), by_code);
    assert_eq!(count(&["--code", "550"]), by_code);
    assert_eq!(count(&["--code", "55*"]), count(&["55*"]));
    let as_text = sealed.number("select count(*) from records where contains(dsn_diag, '550')");
    assert_eq!(count(&["--diag", "550"]), as_text);
    assert!(as_text > by_code, "the samples hold 550 inside identifiers");
    // Several needles must all be found, and they go with the usual filters.
    let both = sealed.number(
        "select count(*) from records where contains(rcpt, '@gmail') and contains(orig, 'news')
         and vmta = 'vmta-news-1'",
    );
    assert_eq!(count(&["--rcpt", "@gmail", "--orig", "news", "--vmta", "vmta-news-1"]), both);
    assert!(both > 0);
}

#[test]
fn a_search_shows_the_newest_first_and_the_same_however_many_are_wanted() {
    let sealed = Sealed::of_samples();
    let search =
        |limit: &str| sealed.done(&["search", "--code", "5*", "--format", "csv", "-n", limit]);
    let all = search("0");
    let times: Vec<&str> = all.lines().skip(1).map(|line| &line[..20]).collect();
    assert!(times.len() > 90 && times.is_sorted_by(|a, b| a >= b));
    for limit in ["1", "7", "60"] {
        let some = search(limit);
        let lines = limit.parse::<usize>().unwrap() + 1;
        assert_eq!(some.lines().collect::<Vec<_>>(), all.lines().take(lines).collect::<Vec<_>>());
    }
}

#[test]
fn what_a_search_cannot_mean_is_named() {
    let sealed = Sealed::of_samples();
    for (args, said) in [
        (&["search"][..], "nothing to search for"),
        (&["search", ""], "is empty"),
        (&["search", "(", "--regex"], "is not a regular expression"),
        (&["search", "x", "--fields", "recpt"], "there is no field `recpt`"),
        (&["search", "--field", "recpt=x"], "there is no field `recpt`"),
        (&["search", "--field", "rcpt"], "is not FIELD=TEXT"),
        (&["search", "x", "--line-format", "{rcpt"], "without a }"),
        (&["search", "x", "--line-format", "{rcpt}", "--format", "csv"], "format of its own"),
        (&["trace"], "required"),
    ] {
        let run = sealed.run(args);
        assert_eq!(run.code, Some(2), "{args:?}: {run:?}");
        assert!(run.stderr.contains(said), "{args:?}: {run:?}");
    }
}

#[test]
fn a_hostile_reply_is_shown_and_not_obeyed() {
    let sealed = Sealed::new();
    sealed.done(&["ingest", "-q", "samples/quirks/quirk-hostile-text.csv"]);
    for args in [
        &["search", "--where", "true"][..],
        &["search", "--where", "true", "--line-format", "{dsn_diag}{orig}{rcpt}{vmta}{job_id}"],
    ] {
        let shown = sealed.done(args);
        assert!(
            !shown.is_empty() && !shown.chars().any(|c| c != '\n' && c.is_control()),
            "{shown}"
        );
    }
}

#[test]
fn a_message_is_traced_by_its_message_id_where_that_is_logged() {
    let sealed = Sealed::new();
    let file = sealed.file(
        "acct.csv",
        "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,envId,header_Message-Id\n\
         r,2026-03-01 10:00:00+0000,,a@s.example,u@r.example,,,e1,<1@s.example>\n\
         r,2026-03-01 10:00:00+0000,,a@s.example,u@r.example,,,e2,<2@s.example>\n\
         t,2026-03-01 10:00:05+0000,2026-03-01 10:00:00+0000,a@s.example,u@r.example,4.2.2 (x),smtp;452 full,e1,<1@s.example>\n\
         d,2026-03-01 10:10:05+0000,2026-03-01 10:00:00+0000,a@s.example,u@r.example,2.0.0 (x),smtp;250 ok,e1,<1@s.example>\n\
         rb,2026-03-01 11:00:00+0000,,a@s.example,u@r.example,5.1.1 (x),smtp;550 no,e1,\n",
    );
    sealed.done(&["ingest", "-q", file.to_str().unwrap()]);
    for id in ["<1@s.example>", "1@s.example"] {
        let steps = sealed.done(&["trace", "--message-id", id, "--format", "csv"]);
        let events: Vec<&str> =
            steps.lines().skip(1).map(|l| l.split(',').nth(3).unwrap()).collect();
        assert_eq!(events, ["received", "deferred", "delivered", "remote bounce"], "{steps}");
        let waits: Vec<&str> =
            steps.lines().skip(1).map(|l| l.split(',').nth(2).unwrap()).collect();
        assert_eq!(waits, ["", "5", "600", "2995"], "{steps}");
    }
    let both = sealed.done(&["trace", "u@r.example"]);
    assert!(both.contains("u@r.example: bounced after delivery, 2 attempts in 10m 05s"), "{both}");
    assert!(both.contains("u@r.example: received, not yet done"), "{both}");
}

#[test]
fn a_trace_has_the_records_that_a_comparison_of_texts_has() {
    let sealed = Sealed::of_samples();
    let rows = |args: &[&str]| sealed.done(args).lines().skip(1).map(str::to_owned).collect();
    for (column, compared, flag) in [("rcpt", "lower(rcpt)", ""), ("env_id", "env_id", "--env-id")]
    {
        let sql = format!(
            "from (select {compared} as text, count(*) as n from records
                   where {column} is not null group by 1)
             order by hash(text) limit 12"
        );
        let counted: Vec<String> = rows(&["sql", &sql, "--format", "csv"]);
        for line in counted {
            let (text, n) = line.rsplit_once(',').unwrap();
            let named = [flag, text];
            let named = &named[usize::from(flag.is_empty())..];
            let traced: Vec<String> = rows(&[&["trace", "--format", "csv"], named].concat());
            assert_eq!(traced.len().to_string(), n, "{text}: {traced:?}");
        }
    }
}

#[test]
fn a_recipient_of_many_messages_is_traced_whole() {
    let sealed = Sealed::new();
    let mut csv = "type,timeLogged,timeQueued,orig,rcpt,dsnDiag,envId\n".to_owned();
    for n in 0..1_100 {
        let time = format!("2026-03-01 10:{:02}:{:02}+0000", n / 60, n % 60);
        csv += &format!("d,{time},{time},a@s.example,u@r.example,smtp;250 ok,e{n}\n");
        csv += &format!("d,{time},{time},a@s.example,v{n}@r.example,smtp;250 ok,f{n}\n");
    }
    sealed.ingest(&[&sealed.file("acct.csv", csv)]);
    for (address, n) in [("U@r.example", 1_100), ("v7@r.example", 1), ("w@r.example", 0)] {
        let run = sealed.run(&["trace", address, "--format", "csv"]);
        assert_eq!(run.stdout.lines().skip(1).count(), n, "{run:?}");
    }
}

#[test]
fn a_message_to_many_is_traced_by_its_identifier_to_all_of_them() {
    let sealed = Sealed::new();
    let mut csv = "type,timeLogged,timeQueued,orig,rcpt,dsnDiag,envId\n".to_owned();
    for (id, n) in [("few", 3), ("many", 20)] {
        for n in 0..n {
            let line = format!("a@s.example,u{n}@r.example,smtp;250 ok,{id}\n");
            csv += &format!("d,2026-03-01 10:00:00+0000,2026-03-01 09:59:00+0000,{line}");
        }
    }
    sealed.ingest(&[&sealed.file("acct.csv", csv)]);
    for (id, n) in [("few", 3), ("many", 20), ("FEW", 0)] {
        let run = sealed.run(&["trace", "--env-id", id, "--format", "csv"]);
        assert_eq!(run.stdout.lines().skip(1).count(), n, "{run:?}");
    }
}

#[test]
fn a_reply_is_explained_without_a_store() {
    let run = Sealed::new().run(&["explain", "5.1.1", "--format", "csv"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.lines().nth(1).unwrap().contains("mailbox"), "{run:?}");
}

#[test]
fn every_frequent_bounce_of_the_samples_has_an_explanation_at_scale() {
    let sealed = Sealed::of_samples();
    let sql =
        "select template from bounces group by template having count(*) > 1 order by template";
    let templates = sealed.done(&["sql", sql, "--format", "jsonl"]);
    let all: Vec<serde_json::Value> =
        templates.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut explained = 0;
    for row in &all {
        let key = row["template"].as_str().unwrap();
        let run = sealed.run(&["explain", key, "--format", "jsonl"]);
        assert_eq!(run.code, Some(0), "{key}: {run:?}");
        explained += usize::from(!run.stdout.is_empty());
    }
    assert!(explained * 10 >= all.len() * 9, "{explained} of {}", all.len());
}
