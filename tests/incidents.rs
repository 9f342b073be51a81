//! What the generator plants is visible in the report made for it, in the samples and in a larger
//! set; and what a report cannot know, it says.

use std::path::Path;
use std::sync::OnceLock;

use pmtaq_gen::{Options, generate};
use serde_json::Value;

use crate::sealed::{Sealed, Tree, root};

/// Stores of planted incidents, and the truth of them: the samples, and a larger set that is made once.
fn planted() -> Vec<(Sealed, Value)> {
    static LARGER: OnceLock<(Tree, Value)> = OnceLock::new();
    let truth = std::fs::read_to_string(root().join("samples/truth.json")).unwrap();
    let (store, of_larger) = LARGER.get_or_init(|| {
        let larger = Sealed::new();
        let dir = larger.dir.path().join("acct");
        let options = Options { rows: 200_000, days: 4, ..Options::default() };
        let (truth, _) = generate(&options, &dir).unwrap();
        larger.ingest(&[&dir]);
        (Tree::read(&larger.store()), serde_json::to_value(truth).unwrap())
    });
    vec![
        (Sealed::of_samples(), serde_json::from_str(&truth).unwrap()),
        (Sealed::with_store(store), of_larger.clone()),
    ]
}

fn rows(sealed: &Sealed, args: &[&str]) -> Vec<Value> {
    serde_json::from_str(&sealed.done(&[args, &["--format", "json"]].concat())).unwrap()
}

fn text<'v>(row: &'v Value, column: &str) -> &'v str {
    row[column].as_str().unwrap()
}

fn incident<'v>(truth: &'v Value, kind: &str) -> &'v Value {
    truth["incidents"].as_array().unwrap().iter().find(|i| i["kind"] == kind).unwrap()
}

#[test]
fn the_throttled_pool_is_the_first_of_the_episodes_at_scale() {
    for (sealed, truth) in planted() {
        let planted = incident(&truth, "throttled pool");
        let found = rows(&sealed, &["throttles"]);
        let n = if truth["counts"]["rows"] == 6000 { 2 } else { 4 };
        for row in &found[..n] {
            assert!(text(row, "template").contains("[TSS04]"), "{row}");
            assert_eq!(row["provider"], planted["dimensions"]["provider"]);
            assert!(text(row, "ip").starts_with("192.0.2.2"), "{row}");
            assert!(text(planted, "since") <= text(row, "onset"), "{row}");
            assert!(text(row, "onset") < "2026-03-02T16:20:00Z", "{row}");
            // It ends with the incident, and the background of deferrals does not prolong it.
            assert!(row["lasted"].as_u64().unwrap() <= 7200 + 600, "{row}");
            assert_eq!(row["state"], "ended");
        }
        let is_of_pool = |row: &&serde_json::Value| {
            let (since, until) = (text(planted, "since"), text(planted, "until"));
            text(row, "template").contains("[TSS04]")
                && (since..until).contains(&text(row, "onset"))
        };
        assert_eq!(found.iter().filter(is_of_pool).count(), n, "{found:?}");
        // Seen at five o'clock, it is still on.
        let then = rows(&sealed, &["throttles", "--until", "2026-03-02T17:00"]);
        assert_eq!((&then[0]["state"], &then[0]["provider"]), (&"ongoing".into(), &"yahoo".into()));
    }
}

#[test]
fn the_blocked_address_is_the_first_of_the_bounces_at_scale() {
    for (sealed, truth) in planted() {
        let planted = incident(&truth, "blocked address");
        let first = &rows(&sealed, &["top-bounces"])[0];
        assert!(text(first, "template").contains("(S3140)"));
        assert!(text(planted, "since") <= text(first, "first_seen"));
        assert!(text(first, "last_seen") < text(planted, "until"));
        let of_ip = rows(&sealed, &["top-bounces", "--by", "ip", "--provider", "microsoft"]);
        assert_eq!(of_ip[0]["dlv_source_ip"], planted["dimensions"]["dlv_source_ip"]);
        let recorded = planted["records"].as_u64().unwrap();
        assert!(of_ip[0]["bounces"].as_u64().unwrap() >= recorded);
        // It is not the recipients' fault, so none of them is suppressed for it.
        let suppressed = rows(&sealed, &["suppress", "--class", "hard"]);
        assert!(suppressed.iter().all(|row| !text(row, "reason").contains("5.7.")));
    }
}

#[test]
fn the_bad_list_is_the_first_of_the_unclean_jobs_at_scale() {
    for (sealed, truth) in planted() {
        let planted = incident(&truth, "bad list");
        let found = rows(&sealed, &["hygiene", "--top", "0"]);
        let job = &planted["dimensions"]["job_id"];
        assert_eq!(&found[0]["job_id"], job);
        assert!(found[0]["unknown_user_rate"].as_f64().unwrap() > 20.0);
        let of_job = found.iter().filter(|row| row["job_id"] == *job);
        let unknown: u64 = of_job.map(|row| row["unknown_users"].as_u64().unwrap()).sum();
        assert!(unknown * 10 >= planted["records"].as_u64().unwrap() * 8, "{unknown}");
    }
}

#[test]
fn nothing_is_suppressed_for_a_block_or_for_an_unknown_reason_whatever_is_asked_at_scale() {
    let sealed = Sealed::new();
    sealed.ingest(&[&root().join("samples/acct")]);
    for condition in ["bounce_class in ('block', 'undetermined')", "enhanced_code like '5.7.%'"] {
        for class in ["hard", "soft"] {
            let args = ["suppress", "--class", class, "--where", condition];
            assert_eq!(rows(&sealed, &args), Vec::<Value>::new(), "{args:?}");
        }
    }
    assert_eq!(sealed.run(&["suppress", "--class", "block"]).code, Some(2));
    // One that took a message later lives.
    let csv = "type,timeLogged,timeQueued,orig,rcpt,dsnDiag,bounceCat\n\
        b,2026-03-01 10:00:00+0000,2026-03-01 09:59:59+0000,a@b.example,Back@x.example,smtp;550 5.1.1 no,bad-mailbox\n\
        d,2026-03-02 10:00:00+0000,2026-03-02 09:59:59+0000,a@b.example,back@x.example,smtp;250 ok,\n\
        b,2026-03-02 10:00:00+0000,2026-03-02 09:59:59+0000,a@b.example,gone@x.example,smtp;550 5.1.1 no,bad-mailbox\n\
        b,2026-03-02 10:00:01+0000,2026-03-02 09:59:59+0000,a@b.example,...@x.example,smtp;550 5.1.1 no,bad-mailbox\n";
    let lives = Sealed::new();
    lives.ingest(&[&lives.file("acct.csv", csv)]);
    let found = rows(&lives, &["suppress"]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(text(&found[0], "address"), "gone@x.example");
    // The delivery lies behind the window, and counts all the same.
    assert!(rows(&lives, &["suppress", "--until", "2026-03-02"]).is_empty());
    let again = rows(&lives, &["hygiene", "--addresses"]);
    assert_eq!(
        (text(&again[0], "address"), &again[0]["mailed_again"]),
        ("back@x.example", &1.into())
    );
}

#[test]
fn suppress_goes_by_what_the_reply_says_and_tells_what_it_holds_back_at_scale() {
    let of = |name: &str| {
        let sealed = Sealed::new();
        let path = root().join("samples/quirks").join(name);
        sealed.ingest(&[&sealed.file(name, std::fs::read(path).unwrap())]);
        let all = |args: &[&str], column: &str| -> Vec<String> {
            rows(&sealed, args).iter().map(|row| text(row, column).to_owned()).collect()
        };
        let hard = all(&["suppress"], "address");
        let soft = all(&["suppress", "--class", "soft"], "address");
        let held = all(&["suppress", "--explain"], "held_back");
        (hard, soft, held, all(&["misfiled"], "mismatch"))
    };
    let none = Vec::<String>::new;
    // PMTA's first pattern that fits is `rejected`; the reply says that there is no such mailbox.
    let (hard, soft, held, misfiled) = of("quirk-code-twice.csv");
    assert_eq!((hard, soft, held), (vec!["user1@receiver.example".into()], none(), none()));
    assert_eq!(misfiled, ["dead mailbox, not filed as one"]);
    let (hard, soft, held, misfiled) = of("quirk-code-not-the-mailbox.csv");
    assert_eq!((hard, soft), (vec!["user4@corp.example".into()], none()));
    let blamed = |fault: &str| format!("the reply blames: {fault}");
    assert_eq!(held, ["content", "policy", "sender"].map(blamed));
    assert_eq!(misfiled.len(), 4);
    let (hard, soft, ..) = of("quirk-expired-after-throttling.csv");
    assert_eq!((hard, soft), (none(), vec!["full@yahoo.com".into()]));
    let (hard, soft, ..) = of("quirk-bounce-queue-reply.csv");
    assert_eq!((hard, soft), (none(), none()));
}

#[test]
fn a_reply_with_a_counter_in_it_is_one_line_and_no_news() {
    let mut csv = String::from("type,timeLogged,timeQueued,orig,rcpt,dsnDiag,bounceCat\n");
    for day in 1..=2 {
        for n in 0..40 {
            let (code, queue, at) = (n * 7 + day * 300, n * 11 % 997, n % 60);
            let reply =
                format!("smtp;421 Service refused, please try later. OFR004_{code} [{queue}]");
            csv += &format!(
                "t,2026-03-0{day} 10:00:{at:02}+0000,2026-03-0{day} 09:00:00+0000,a@b.example,u{n}@orange.fr,{reply:?},other\n"
            );
        }
    }
    let sealed = Sealed::new();
    sealed.ingest(&[&sealed.file("acct.csv", csv)]);
    let found = rows(&sealed, &["deferrals"]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        text(&found[0], "template"),
        "421 Service refused, please try later. OFR004_{n} [{n}]"
    );
    assert!(rows(&sealed, &["new-replies", "--since", "2026-03-02"]).is_empty());
    let stored = rows(&sealed, &["sql", "select count(distinct template) as n from records"]);
    assert_eq!(stored[0]["n"], 1);
}

#[test]
fn who_logs_deliveries_and_bounces_only_is_told_which_line_is_missing() {
    let sealed = Sealed::new();
    let name = "acct-2026-03-02-0000.csv";
    let all = std::fs::read_to_string(root().join("samples/acct").join(Path::new(name))).unwrap();
    let lines = all.lines().filter(|line| ["ty", "d,", "b,"].contains(&&line[..2]));
    let few: String = lines.map(|line| format!("{line}\n")).collect();
    sealed.ingest(&[&sealed.file(name, few)]);
    for (report, line) in [
        ("throttles", "records d,b,t,tq"),
        ("survival", "records d,b,t"),
        ("retries", "records d,b,t"),
        ("complaints", "records d,b,f"),
        ("remote-bounces", "records d,b,rb"),
        ("queue", "records d,b,t,r"),
    ] {
        let run = sealed.run(&[report]);
        assert_eq!(run.code, Some(0), "{report}: {}", run.stderr);
        assert!(run.stderr.contains(&format!("`{line}`")), "{report}: {}", run.stderr);
    }
}

#[test]
fn the_queue_sags_at_the_end_only_where_the_report_says_so() {
    let csv = "type,timeLogged,timeQueued,orig,rcpt,dsnDiag\n\
        d,2026-03-01 10:00:00+0000,2026-03-01 07:30:00+0000,a@b.example,one@x.example,smtp;250 ok\n\
        d,2026-03-01 11:59:00+0000,2026-03-01 09:59:00+0000,a@b.example,two@x.example,smtp;250 ok\n";
    let sealed = Sealed::new();
    sealed.ingest(&[&sealed.file("acct.csv", csv)]);
    let found = rows(&sealed, &["queue"]);
    let depths: Vec<_> = found.iter().map(|row| (&row["depth"], &row["completeness"])).collect();
    // One left at the full hour: at the end of the hour before it still stood there.
    assert_eq!(
        depths,
        [(&1.into(), &"uncertain".into()), (&0.into(), &"uncertain".into())],
        "{found:?}"
    );
    let with_t = format!(
        "{csv}t,2026-03-01 11:00:30+0000,2026-03-01 11:00:00+0000,a@b.example,three@x.example,smtp;451 no\n"
    );
    let sealed = Sealed::new();
    sealed.ingest(&[&sealed.file("acct.csv", with_t)]);
    let found = rows(&sealed, &["queue"]);
    let last = found.last().unwrap();
    assert_eq!((&last["depth"], &last["oldest"]), (&1.into(), &3600.into()), "{found:?}");
}

#[test]
fn a_downgrade_is_a_lower_protocol_after_a_better_one_at_the_same_server() {
    let row = |time: &str, rcpt: &str, mx: &str, protocol: &str| {
        format!("d,2026-03-01 {time}+0000,{rcpt},{mx} (192.0.2.1),{protocol},X\n")
    };
    let csv = "type,timeLogged,rcpt,dsnMta,dlvTlsProtocol,dlvTlsCipher\n".to_owned()
        + &row("10:00:00", "a@x.example", "mx.x.example", "TLSv1.2")
        + &row("11:00:00", "a@x.example", "mx.x.example", "TLSv1.3")
        + &row("12:00:00", "a@x.example", "mx.x.example", "TLSv1.2")
        + &row("13:00:00", "a@x.example", "mx.x.example", "")
        + &row("14:00:00", "a@x.example", "other.x.example", "")
        + &row("15:00:00", "a@y.example", "mx.y.example", "")
        + &row("16:00:00", "a@y.example", "mx.y.example", "TLSv1.3");
    let sealed = Sealed::new();
    sealed.ingest(&[&sealed.file("acct.csv", csv)]);
    let found = rows(&sealed, &["tls", "--downgrades"]);
    let found: Vec<_> = found
        .iter()
        .map(|row| {
            (
                text(row, "rcpt_domain"),
                text(row, "was"),
                text(row, "became"),
                text(row, "first_seen"),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("x.example", "TLSv1.3", "(plaintext)", "2026-03-01T13:00:00Z"),
            ("x.example", "TLSv1.3", "TLSv1.2", "2026-03-01T12:00:00Z"),
        ]
    );
}
