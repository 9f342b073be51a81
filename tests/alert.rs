//! `alert` against a server that listens, answers wrongly, late and not at all; and the starter rules
//! over what the generator planted.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pmtaq_gen::{Options, generate};
use serde_json::Value;

use crate::sealed::{Sealed, root};

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// This status, and a body.
    Status(u16),
    /// Too many requests, and after how many seconds the next one may come.
    TooMany(u32),
    /// To another address.
    Redirect(String),
    /// Nothing for so long.
    Silence(Duration),
    /// The end of the connection.
    Close,
}

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Request {
    path: String,
    head: String,
    pub(crate) body: Value,
}

/// A server on this machine. It answers 202 when it is not told otherwise.
pub(crate) struct Server {
    pub(crate) address: String,
    requests: Receiver<Request>,
    answers: Arc<Mutex<Vec<Answer>>>,
}

impl Server {
    pub(crate) fn new() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = channel();
        let answers = Arc::new(Mutex::new(Vec::new()));
        let plan = Arc::clone(&answers);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = {
                    let mut plan = plan.lock().unwrap();
                    if plan.is_empty() { Answer::Status(202) } else { plan.remove(0) }
                };
                let sender = sender.clone();
                std::thread::spawn(move || serve(stream, &answer, &sender));
            }
        });
        Server { address, requests, answers }
    }

    pub(crate) fn plan(&self, answers: &[Answer]) {
        *self.answers.lock().unwrap() = answers.to_vec();
    }

    /// What came, in its order.
    pub(crate) fn came(&self) -> Vec<Request> {
        self.requests.try_iter().collect()
    }
}

fn serve(stream: TcpStream, answer: &Answer, sender: &Sender<Request>) {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut reader = BufReader::new(&stream);
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|n| n > 2) {}
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase().strip_prefix("content-length:").map(|n| n.trim().parse().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    // Who asked may be gone, and the test too.
    let _ = sender.send(Request { path, head, body });
    let text = match answer {
        Answer::Status(status) => {
            format!(
                "HTTP/1.1 {status} so\r\ncontent-length: 8\r\nconnection: close\r\n\r\nas told\x1b"
            )
        }
        Answer::TooMany(seconds) => {
            format!(
                "HTTP/1.1 429 so\r\nretry-after: {seconds}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
        }
        Answer::Redirect(to) => {
            format!(
                "HTTP/1.1 307 so\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
        }
        Answer::Silence(length) => {
            std::thread::sleep(*length);
            return;
        }
        Answer::Close => return,
    };
    let _ = (&stream).write_all(text.as_bytes());
}

/// Bounces of one provider from 10:00 to 10:30 on the second day, and none before.
pub(crate) fn troubled() -> Sealed {
    let mut csv = "type,timeLogged,timeQueued,rcpt,vmta,dsnStatus,dsnDiag,bounceCat\n".to_owned();
    for minute in 0..48 * 60 {
        let (day, hour) = (1 + minute / 1440, minute / 60 % 24);
        let at = format!("2026-03-{day:02} {hour:02}:{:02}:00+0000", minute % 60);
        let is_bad = (2040..2070).contains(&minute);
        for rcpt in ["a@gmail.com", "b@yahoo.com"] {
            csv += &if is_bad && rcpt.ends_with("yahoo.com") {
                format!(
                    "b,{at},{at},{rcpt},v1,5.7.1,\"smtp;550 5.7.1 <b>refused</b> \x1b[31m,\",policy-related\n"
                )
            } else {
                format!("d,{at},{at},{rcpt},v1,2.0.0,smtp;250 OK,\n")
            };
        }
    }
    let sealed = Sealed::new();
    sealed.ingest(&[&sealed.file("acct.csv", &csv)]);
    sealed
}

pub(crate) const RULE: &str = r#"
[[rule]]
name = "bounces"
metric = "bounce_rate"
by = ["provider"]
window = "20m"
above = 20
times-usual = 3
min-n = 10
for = "5m"
cooldown = "10m"
severity = "critical"
runbook = "https://runbooks.example/bounces"
directive = "bounce-upon-pattern"
"#;

/// Runs the program at a time of the second day, as cron does.
pub(crate) fn at(sealed: &Sealed, time: &str, args: &[&str]) -> Output {
    let now = format!("2026-03-02T{time}:00Z");
    sealed
        .command()
        .args(["--now", &now])
        .args(args)
        .env("ROUTING", "r0ut1ng-k3y")
        .env("TOKEN", "t0k3n")
        .output()
        .unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn rules(sealed: &Sealed, receivers: &str) -> String {
    sealed.file("etc/rules.toml", format!("{receivers}\n{RULE}")).to_str().unwrap().to_owned()
}

pub(crate) fn pagerduty(server: &Server) -> String {
    format!(
        "[[receiver]]\nname = \"oncall\"\ntype = \"pagerduty\"\nkey-env = \"ROUTING\"\n\
         url = \"{}/enqueue\"\ntimeout = \"1s\"\n",
        server.address
    )
}

#[test]
fn an_alert_is_told_once_and_resolved_with_the_same_key_at_scale() {
    let (sealed, server) = (troubled(), Server::new());
    let file = rules(&sealed, &pagerduty(&server));
    for minute in 0..60 {
        // Records of the future are not there yet.
        let output = at(&sealed, &format!("10:{minute:02}"), &["alert", "run", &file]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    let came = server.came();
    assert_eq!(came.len(), 2, "{came:?}");
    let [on, off] = [&came[0].body, &came[1].body];
    assert_eq!((&on["event_action"], &off["event_action"]), (&"trigger".into(), &"resolve".into()));
    assert_eq!(on["dedup_key"], off["dedup_key"]);
    assert_eq!(on["routing_key"], "r0ut1ng-k3y");
    assert_eq!(on["payload"]["severity"], "critical");
    assert_eq!(on["links"][0]["href"], "https://runbooks.example/bounces");
    let details = &on["payload"]["custom_details"];
    assert_eq!(details["directive"], "bounce-upon-pattern");
    assert_eq!(details["groups"][0]["of"]["provider"], "yahoo");
    let reasons = details["groups"][0]["reasons"].to_string();
    assert!(reasons.contains("550 5.7.1 <{email}>refused</b>"), "{reasons}");
    assert!(!reasons.contains('\x1b') && !reasons.contains("\\u001b"), "{reasons}");
    // One a minute: 9 of 20 are the first that chance does not make of 20 %; it must last for 5 minutes.
    let told = on["payload"]["timestamp"].as_str().unwrap();
    assert!(("2026-03-02T10:13:00Z".."2026-03-02T10:16:00Z").contains(&told), "{told}");
    let since = details["since"].as_str().unwrap();
    assert!(("2026-03-02T10:08:00Z".."2026-03-02T10:11:00Z").contains(&since), "{since}");
    let command = details["groups"][0]["command"].as_str().unwrap();
    assert!(command.starts_with("pmtaq why bounce_rate --window "), "{command}");
    assert!(command.ends_with(" --provider yahoo"), "{command}");
    let args: Vec<&str> = command.split(' ').skip(1).collect();
    assert_eq!(at(&sealed, "10:20", &args).status.code(), Some(0), "{command}");
}

#[test]
fn every_protocol_gets_what_it_expects_at_scale() {
    let (sealed, server) = (troubled(), Server::new());
    let receiver = |name: &str, more: &str| {
        format!(
            "[[receiver]]\nname = \"{name}\"\ntype = \"{name}\"\nurl = \"{}/{name}\"\n{more}\n",
            server.address
        )
    };
    let all = [
        receiver("slack", ""),
        receiver("alertmanager", ""),
        receiver("alertmanager-webhook", ""),
        receiver("webhook", "key-env = \"TOKEN\""),
    ];
    let file = rules(&sealed, &all.concat());
    for time in ["10:10", "10:16", "10:59"] {
        let output = at(&sealed, time, &["alert", "run", &file]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    let came = server.came();
    let of = |path: &str| -> Vec<&Request> {
        let came: Vec<_> = came.iter().filter(|request| request.path == path).collect();
        assert_eq!(came.len(), 2, "{path}");
        came
    };
    assert!(of("/slack")[0].body["text"].as_str().unwrap().contains("bounce_rate"));
    let manager = of("/alertmanager/api/v2/alerts");
    let labels = &manager[0].body[0]["labels"];
    assert_eq!((&labels["alertname"], &labels["provider"]), (&"bounces".into(), &"yahoo".into()));
    assert_eq!(labels, &manager[1].body[0]["labels"]);
    let ends = |place: usize| manager[place].body[0]["endsAt"].as_str().unwrap();
    assert!(ends(0) > "2026-03-09" && ends(1) == "2026-03-02T10:59:00Z", "{} {}", ends(0), ends(1));
    let hook = of("/alertmanager-webhook");
    assert_eq!(
        (&hook[0].body["version"], &hook[0].body["status"]),
        (&"4".into(), &"firing".into())
    );
    assert_eq!(hook[1].body["alerts"][0]["status"], "resolved");
    let ours = of("/webhook");
    assert!(ours[0].head.contains("uthorization: Bearer t0k3n"), "{}", ours[0].head);
    assert!(!of("/slack")[0].head.contains("t0k3n"));
    assert_eq!((&ours[0].body["version"], &ours[0].body["rule"]), (&1.into(), &"bounces".into()));
}

#[test]
fn what_cannot_be_sent_is_said_kept_and_sent_in_order_at_scale() {
    let (sealed, server) = (troubled(), Server::new());
    let file = rules(&sealed, &pagerduty(&server));
    let run = |time: &str| at(&sealed, time, &["alert", "run", "-q", &file]);
    run("10:10");
    let failing = [Answer::Status(500), Answer::Close, Answer::Silence(Duration::from_secs(5))];
    server.plan(&failing);
    let output = run("10:16");
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("cannot tell `oncall` of bounces: yahoo"), "{said}");
    assert!(said.contains("the next run sends it again"), "{said}");
    assert_eq!(server.came().len(), 3, "three attempts");
    // Its end waits behind it.
    server.plan(&failing);
    assert_eq!(run("10:59").status.code(), Some(1));
    assert!(server.came().iter().all(|request| request.body["event_action"] == "trigger"));
    assert_eq!(run("11:00").status.code(), Some(0));
    let came = server.came();
    let actions: Vec<&str> =
        came.iter().map(|request| request.body["event_action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
    assert_eq!(run("11:01").status.code(), Some(0));
    assert_eq!(server.came().len(), 0, "all was told");
}

#[test]
fn a_refusal_is_shown_harmlessly_and_a_redirect_is_not_followed() {
    let (sealed, server, other) = (troubled(), Server::new(), Server::new());
    let file = rules(&sealed, &pagerduty(&server));
    server.plan(&[Answer::Status(400)]);
    let output = at(&sealed, "10:10", &["alert", "test", &file]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("it answers 400: as told") && !said.contains('\x1b'), "{said}");
    assert_eq!(server.came().len(), 1, "a refusal is no accident");
    server.plan(&[Answer::Redirect(other.address.clone())]);
    let output = at(&sealed, "10:10", &["alert", "test", &file]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("write its final address"), "{}", stderr(&output));
    assert_eq!(other.came().len(), 0, "nobody else hears the key");
}

#[test]
fn a_secret_is_read_when_needed_and_never_shown_at_scale() {
    let (sealed, server) = (troubled(), Server::new());
    let secret = sealed.file("etc/slack", format!("{}/s3cret\n", server.address));
    let slack = format!(
        "[[receiver]]\nname = \"team\"\ntype = \"slack\"\nurl-file = \"{}\"\n",
        secret.display()
    );
    let file = rules(&sealed, &(slack + &pagerduty(&server)));
    let shown = at(&sealed, "10:10", &["alert", "test", "--print", &file]);
    assert_eq!(shown.status.code(), Some(0));
    assert_eq!(server.came().len(), 0, "--print sends nothing");
    at(&sealed, "10:10", &["alert", "run", &file]);
    let printed = at(&sealed, "10:16", &["alert", "run", "--print", &file]);
    assert!(String::from_utf8_lossy(&printed.stdout).contains("\"trigger\""));
    server.plan(&vec![Answer::Close; 6]);
    let failed = at(&sealed, "10:16", &["alert", "run", &file]);
    assert_eq!(failed.status.code(), Some(1));
    let state = sealed.kept("_pmtaq/alerts.json");
    assert!(state.contains("\"outbox\": [\n"), "{state}");
    for text in [shown, printed, failed].map(|run| format!("{run:?}")).iter().chain([&state]) {
        for secret in ["s3cret", "r0ut1ng-k3y"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    std::fs::remove_file(secret).unwrap();
    let output = at(&sealed, "10:17", &["alert", "test", "--receiver", "team", &file]);
    assert!(stderr(&output).contains("it holds its secret"), "{}", stderr(&output));
}

#[test]
fn a_rule_that_is_taken_out_ends_its_alert_at_scale() {
    let (sealed, server) = (troubled(), Server::new());
    let file = rules(&sealed, &pagerduty(&server));
    at(&sealed, "10:10", &["alert", "run", &file]);
    at(&sealed, "10:16", &["alert", "run", &file]);
    let other = RULE.replace("\"bounces\"", "\"others\"").replace("above = 20", "above = 100");
    sealed.file("etc/rules.toml", format!("{}\n{other}", pagerduty(&server)));
    for _ in 0..2 {
        let output = at(&sealed, "10:20", &["alert", "run", &file]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    let came = server.came();
    let told: Vec<(&str, &str)> = came
        .iter()
        .map(|request| {
            let body = &request.body;
            (body["event_action"].as_str().unwrap(), body["payload"]["summary"].as_str().unwrap())
        })
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(
        told[1],
        ("resolve", "bounces (yahoo): no longer watched, its rule was taken out after 10m 00s")
    );
    assert_eq!(came[0].body["dedup_key"], came[1].body["dedup_key"]);
}

/// Deliveries each minute from the first day on, until 10:00 of the second.
fn silenced() -> Sealed {
    let mut csv = "type,timeLogged,timeQueued,rcpt,vmta\n".to_owned();
    for minute in 0..34 * 60 {
        let (day, hour) = (1 + minute / 1440, minute / 60 % 24);
        let at = format!("2026-03-{day:02} {hour:02}:{:02}:00+0000", minute % 60);
        csv += &format!("d,{at},{at},a@gmail.com,v1\n");
    }
    let sealed = Sealed::new();
    sealed.ingest(&[&sealed.file("acct.csv", &csv)]);
    sealed
}

#[test]
fn when_nothing_at_all_comes_any_more_the_clock_goes_on_at_scale() {
    let (sealed, server) = (silenced(), Server::new());
    let silence = "[[rule]]\nname = \"no-traffic\"\nmetric = \"delivered\"\nby = [\"vmta\"]\n\
                   below-usual = 0.3\nmin-n = 50\n";
    let file = sealed.file("etc/rules.toml", pagerduty(&server) + silence);
    let run = |time: &str| {
        let output = at(&sealed, time, &["alert", "run", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        server.came()
    };
    // Records that are late as they usually are make no silence.
    for time in ["10:00", "10:14", "10:50"] {
        assert!(run(time).is_empty(), "{time}");
    }
    let came = run("11:00");
    let payload = &came[0].body["payload"];
    assert_eq!(payload["summary"], "no-traffic: v1: delivered 15, usually 60");
    let reason = payload["custom_details"]["groups"][0]["reasons"][0].as_str().unwrap();
    assert!(reason.starts_with("the newest record of all is 1h 01m old"), "{reason}");
    // Too old to judge by: the problem stays.
    assert!(run("13:00").is_empty());
}

#[test]
fn old_numbers_are_not_judged_and_a_second_run_waits_its_turn() {
    let sealed = troubled();
    let file = rules(&sealed, "");
    let output =
        sealed.command().args(["--now", "2026-03-04T10:00:00Z", "alert", "run", &file]).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("bounces: not judged"), "{}", stderr(&output));
    let lock = std::fs::File::open(sealed.store().join("_pmtaq/alerts.lock")).unwrap();
    lock.lock().unwrap();
    let output = at(&sealed, "10:10", &["alert", "run", &file]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
}

#[test]
fn a_wrong_rules_file_is_named_with_its_line() {
    let sealed = troubled();
    let said = |text: &str| {
        let file = sealed.file("etc/rules.toml", text);
        let output = at(&sealed, "10:10", &["alert", "run", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2), "{text}");
        stderr(&output)
    };
    assert!(said("[[rule]]\nnmae = \"a\"\n").contains("rules.toml: line 2: unknown field `nmae`"));
    let metric = said("[[rule]]\nname = \"a\"\nmetric = \"bounce_rat\"\nabove = 1\n");
    assert!(
        metric.contains("rule `a`") && metric.contains("did you mean `bounce_rate`?"),
        "{metric}"
    );
    let none = at(&sealed, "10:10", &["alert", "run"]);
    assert!(stderr(&none).contains("there are no rules"), "{}", stderr(&none));
}

/// The starter rules over generated records of some days: rule, begin and finding of each alert.
fn told(is_troubled: bool, seed: u64) -> (Vec<Value>, Value) {
    let sealed = Sealed::new();
    let dir = sealed.dir.path().join("acct");
    let settings =
        Options { rows: 200_000, days: 4, incidents: is_troubled, seed, ..Options::default() };
    let (truth, _) = generate(&settings, &dir).unwrap();
    sealed.ingest(&[&dir]);
    let rules = root().join("packaging/alerts/starter.toml");
    let output = sealed
        .command()
        .args(["--now", "2026-03-05T00:00:00Z", "alert", "backfill", "--format", "json", "-q"])
        .args(["--since", "2026-03-01"])
        .arg(rules)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    (serde_json::from_slice(&output.stdout).unwrap(), serde_json::to_value(truth).unwrap())
}

#[test]
fn the_starter_rules_tell_of_every_planted_incident_and_are_quiet_otherwise_at_scale() {
    let (alerts, truth) = told(true, 7);
    for (kind, rule, within) in [
        ("throttled pool", "throttled", "2026-03-02 16:30"),
        ("blocked address", "blocked", "2026-03-02 09:45"),
        ("bad list", "dead-addresses", "2026-03-03 10:45"),
    ] {
        let planted = truth["incidents"].as_array().unwrap();
        let planted = planted.iter().find(|incident| incident["kind"] == kind).unwrap();
        let since = planted["since"].as_str().unwrap().replace('T', " ");
        let is_it = |alert: &&Value| {
            alert["rule"] == rule
                && (&since[..16]..=within).contains(&alert["on"].as_str().unwrap())
        };
        assert!(alerts.iter().any(|alert| is_it(&alert)), "{kind}: {alerts:?}");
    }
    for seed in [7, 8] {
        assert_eq!(told(false, seed).0, Vec::<Value>::new(), "seed {seed}");
    }
}
