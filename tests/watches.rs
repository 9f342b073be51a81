//! What is watched beside metrics: processes, silence, lag, ingests, refused lines; and what is judged
//! where there is no past to compare with.

use std::fmt::Write as _;
use std::process::{Child, Command};
use std::time::Duration;

use crate::alert::{Server, at, pagerduty, stderr, troubled};
use crate::alert_faults::{file, summaries};
use crate::sealed::Sealed;

/// A process of its own name, which ends with the value.
struct Daemon(Child);

impl Daemon {
    fn new(sealed: &Sealed, name: &str) -> Daemon {
        let path = sealed.program(name, "");
        std::fs::copy("/bin/sleep", &path).unwrap();
        Daemon(Command::new(path).arg("600").spawn().unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_process_that_is_gone_is_an_alert_of_its_own_and_of_its_memory() {
    let (sealed, server) = (troubled(), Server::new());
    let name = format!("pmtad-{}", std::process::id() % 100_000);
    let rules = format!(
        "[[rule]]\nname = \"down\"\nwatch = \"process\"\nprocess = \"{name}\"\n\
         [[rule]]\nname = \"few\"\nwatch = \"process\"\nprocess = \"{name}\"\nbelow = 2\n\
         [[rule]]\nname = \"memory\"\nwatch = \"memory\"\nprocess = \"{name}\"\nabove = 90\n\
         [[rule]]\nname = \"space\"\nwatch = \"virtual-memory\"\nprocess = \"{name}\"\nabove = 0\n\
         [[rule]]\nname = \"swap\"\nwatch = \"swap\"\nabove = 100\n"
    );
    let file = file(&sealed, &(pagerduty(&server) + &rules));
    let run = |time: &str| {
        let output = at(&sealed, time, &["alert", "run", &file]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        summaries(&server)
    };
    let daemon = Daemon::new(&sealed, &name);
    std::thread::sleep(Duration::from_millis(100));
    let told = run("10:00");
    assert_eq!(told[0], format!("few: fewer than 2 processes called {name}: 1"));
    assert!(told[1].starts_with(&format!("space: the address space of {name} is ")), "{told:?}");
    assert_eq!(told.len(), 2, "{told:?}");
    drop(daemon);
    let gone = format!("no process called {name} runs");
    assert_eq!(run("10:05"), [format!("down: {gone}"), format!("memory: {gone}")]);
}

/// Deliveries of two hosts, one a minute each, from the first day on until `until` of the second day.
fn two_hosts(until: &[(&str, i64)]) -> Sealed {
    let mut csv = "type,timeLogged,timeQueued,rcpt,vmta,userString\n".to_owned();
    for minute in 0..48 * 60 {
        let (day, hour) = (1 + minute / 1440, minute / 60 % 24);
        let at = format!("2026-03-{day:02} {hour:02}:{:02}:00+0000", minute % 60);
        for (host, _) in until.iter().filter(|(_, until)| minute < 1440 + until) {
            let _ = writeln!(csv, "d,{at},{at},a@gmail.com,v1,{host}");
        }
    }
    let sealed = Sealed::new();
    sealed.ingest(&[&sealed.file("acct.csv", &csv)]);
    sealed
}

#[test]
fn a_host_that_falls_silent_is_told_while_the_other_goes_on() {
    let (sealed, server) = (two_hosts(&[("mta1", 1440), ("mta2", 600)]), Server::new());
    let rule = "usual-lag = \"5m\"\n[[rule]]\nname = \"silent\"\nwatch = \"silence\"\nby = [\"host\"]\nwindow = \"10m\"\n\
                min-n = 5\n[[rule]]\nname = \"lag\"\nwatch = \"lag\"\nby = [\"host\"]\nabove = 1200\n\
                unless = [\"silent\"]\n";
    let file = file(&sealed, &(rule.replacen("[[", &(pagerduty(&server) + "[["), 1)));
    let run = |time: &str| {
        let output = at(&sealed, time, &["alert", "run", &file]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        summaries(&server)
    };
    assert_eq!(run("10:05"), [""; 0]);
    assert_eq!(run("10:10"), ["silent: mta2: no attempt in 10m, usually 10"]);
    assert_eq!(run("10:40"), [""; 0], "`lag` tells the same");
}

#[test]
fn on_the_first_day_who_falls_silent_is_told_too() {
    let (sealed, server) = (two_hosts(&[("mta1", 1440), ("mta2", -600)]), Server::new());
    let rule = "usual-lag = \"5m\"\n[[rule]]\nname = \"silent\"\nwatch = \"silence\"\nby = [\"host\"]\nwindow = \"10m\"\n";
    let file = file(&sealed, &(rule.replacen("[[", &(pagerduty(&server) + "[["), 1)));
    let run = |time: &str| {
        let now = format!("2026-03-01T{time}:00Z");
        let mut command = sealed.command();
        command.args(["--now", &now, "alert", "run", &file]).env("ROUTING", "r0ut1ng-k3y");
        assert_eq!(command.output().unwrap().status.code(), Some(0));
        summaries(&server)
    };
    assert_eq!(run("13:55"), [""; 0]);
    assert_eq!(run("14:10"), ["silent: mta2: no attempt in 10m"]);
}

#[test]
fn the_age_of_the_newest_record_is_not_cut_to_what_was_looked_at() {
    let (sealed, server) = (two_hosts(&[("mta1", 60)]), Server::new());
    let rule = |by: &str| {
        format!("[[rule]]\nname = \"lag{}\"\nwatch = \"lag\"\nabove = 7200\n{by}\n", by.len())
    };
    let file = file(&sealed, &(pagerduty(&server) + &rule("") + &rule("by = [\"host\"]")));
    let mut command = sealed.command();
    command.args(["--now", "2026-11-28T01:00:00Z", "alert", "run", &file]);
    let output = command.env("ROUTING", "r0ut1ng-k3y").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let told = summaries(&server);
    assert_eq!(told[0], "lag0: the newest record is 271d 00h old");
    assert_eq!(told[1], "lag13: the newest record is more than 12d 00h old");
}

/// Ten days of mail of two addresses, and on the last from 10:00 to 10:30 that of a third, which is
/// refused. Minute by minute; the days before are left out where `is_first_day`.
fn a_new_address(is_first_day: bool) -> Sealed {
    let mut csv = "type,timeLogged,timeQueued,rcpt,vmta,dsnStatus,dsnDiag,bounceCat\n".to_owned();
    let first = if is_first_day { 2 } else { -5 };
    for day in first..=2 {
        let date =
            if day < 1 { format!("2026-02-{:02}", 28 + day) } else { format!("2026-03-{day:02}") };
        for minute in 540..660 {
            let at = format!("{date} {:02}:{:02}:00+0000", minute / 60, minute % 60);
            for vmta in ["v1", "v2"] {
                let _ = writeln!(csv, "d,{at},{at},a@hotmail.com,{vmta},2.0.0,smtp;250 OK,");
            }
            if day == 2 && (600..630).contains(&minute) {
                let reply = "5.7.1,smtp;550 5.7.1 blocked,policy-related";
                for _ in 0..4 {
                    let _ = writeln!(csv, "b,{at},{at},a@hotmail.com,v9,{reply}");
                }
            }
        }
    }
    let sealed = Sealed::new();
    sealed.ingest(&[&sealed.file("acct.csv", &csv)]);
    sealed
}

const BLOCKED: &str = "[[rule]]\nname = \"blocked\"\nmetric = \"block_rate\"\nby = [\"provider\", \"vmta\"]\n\
                       window = [\"15m\", \"1h\"]\nabove = 10\ntimes-usual = 3\nmin-n = 30\n";

#[test]
fn an_address_without_a_past_is_compared_with_those_it_is_one_of_at_scale() {
    let (sealed, server) = (a_new_address(false), Server::new());
    let file = file(&sealed, &(pagerduty(&server) + BLOCKED));
    let output = at(&sealed, "10:15", &["alert", "run", &file]);
    assert_eq!((output.status.code(), server.came().len()), (Some(0), 1), "{}", stderr(&output));
    let said = stderr(&output);
    let expected = "blocked: microsoft / v9: block_rate 100.0 % of 60 sent in 15m, \
                    usually 0.0 % of microsoft";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn on_the_first_day_the_absolute_limit_decides_and_that_is_said_once_at_scale() {
    let (sealed, server) = (a_new_address(true), Server::new());
    let quiet = "[[rule]]\nname = \"relative\"\nmetric = \"block_rate\"\nby = [\"vmta\"]\n\
                 times-usual = 3\nmin-n = 30\n";
    let file = file(&sealed, &(pagerduty(&server) + BLOCKED + quiet));
    let run = |time: &str| stderr(&at(&sealed, time, &["alert", "run", &file]));
    let said = run("10:15");
    assert!(said.contains("blocked: microsoft / v9: block_rate 100.0 % of 60 sent"), "{said}");
    assert!(
        said.contains("blocked: nothing to compare with from the days before; judged by"),
        "{said}"
    );
    assert!(
        said.contains("relative: nothing to compare with from the days before; not judged"),
        "{said}"
    );
    assert_eq!(run("10:20"), "");
    assert_eq!(server.came().len(), 1);
}

#[test]
fn the_command_of_an_alert_asks_for_what_the_rule_watches() {
    let mut csv = "type,timeLogged,timeQueued,rcpt,jobId,dsnStatus,dsnDiag,bounceCat\n".to_owned();
    for minute in 0..30 {
        for job in ["-rf x", "\u{fc}n-1", "\u{fc}n-2", "other"] {
            let at = format!("2026-03-02 10:{minute:02}:00+0000");
            let _ =
                writeln!(csv, "b,{at},{at},a@x.example,{job},5.1.1,smtp;550 5.1.1 no,bad-mailbox");
        }
    }
    let (sealed, server) = (Sealed::new(), Server::new());
    sealed.ingest(&[&sealed.file("acct.csv", &csv)]);
    let rules = "[[rule]]\nname = \"jobs\"\nmetric = \"bounced\"\nonly = { job = [\"\u{fc}n*\"] }\nabove = 1\n\
                 [[rule]]\nname = \"days\"\nmetric = \"bounced\"\nonly = { template = [\"550 5.1.1 n*\"] }\nabove = 1\n\
                 [[rule]]\nname = \"odd\"\nmetric = \"bounced\"\nby = [\"job_id\"]\nonly = { job_id = [\"-rf*\"] }\nabove = 1\n";
    let file = file(&sealed, &(pagerduty(&server) + rules));
    let output = at(&sealed, "10:30", &["alert", "run", &file]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let came = server.came();
    let commands: Vec<&str> = came
        .iter()
        .map(|request| {
            let group = &request.body["payload"]["custom_details"]["groups"][0];
            group["command"].as_str().unwrap()
        })
        .collect();
    assert!(commands[0].ends_with("--job \"\u{fc}n*\""), "{commands:?}");
    assert!(commands[2].ends_with("\"--job=-rf x\""), "{commands:?}");
    // As a shell reads them, they find the records of the rule.
    for (command, n) in commands.iter().zip([60, 120, 30]) {
        let line = command.replacen(
            "pmtaq why bounced --window",
            "\"$0\" -q pivot --rows rec --metric bounced --format csv --since",
            1,
        );
        let line = line.replacen("..", " --until ", 1);
        let program = sealed.command();
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).arg(program.get_program()).env("PMTAQ_STORE", sealed.store());
        let output = shell.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains(&format!("total,{n}")), "{command}: {line}: {output:?}");
    }
}

#[test]
fn a_writer_that_hangs_is_told() {
    let (sealed, server) = (troubled(), Server::new());
    let rule = "[[rule]]\nname = \"locked\"\nwatch = \"lock\"\nabove = 3600\n";
    let file = file(&sealed, &(pagerduty(&server) + rule));
    let run = |time: &str| {
        let output = at(&sealed, time, &["alert", "run", &file]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        server.came()
    };
    let lock = sealed.store().join("_pmtaq/lock");
    let owner = "process 12 on mta1 since 2026-03-02T09:00:00Z";
    std::fs::write(&lock, format!("{owner}\n")).unwrap();
    assert!(run("10:30").is_empty(), "nobody holds it");
    let held = std::fs::File::open(&lock).unwrap();
    held.lock().unwrap();
    assert!(run("09:30").is_empty(), "not for long");
    let came = run("10:31");
    let payload = &came[0].body["payload"];
    let expected = "locked: a writer has held the lock of the store for 1h 31m";
    assert_eq!(payload["summary"], expected);
    let reasons = payload["custom_details"]["groups"][0]["reasons"].to_string();
    assert!(reasons.contains(owner), "{reasons}");
    drop(held);
    assert_eq!(run("10:35")[0].body["event_action"], "resolve");
}

#[test]
fn ingests_that_fail_and_lines_that_are_refused_are_told() {
    let (sealed, server) = (Sealed::new(), Server::new());
    let rules = "[[rule]]\nname = \"ingest\"\nwatch = \"failed-ingests\"\nabove = 1\n\
                 [[rule]]\nname = \"refused\"\nwatch = \"refused-lines\"\nabove = 0\n";
    let file = file(&sealed, &(pagerduty(&server) + rules));
    let good = "type,timeLogged,rcpt\nd,2026-03-02 10:00:00+0000,a@x.example\n";
    let acct = sealed.file("acct.csv", good);
    let run = |time: &str| {
        let output = at(&sealed, time, &["alert", "run", &file]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        server.came()
    };
    let ingest = |time: &str| at(&sealed, time, &["ingest", "-q", acct.to_str().unwrap()]);
    assert_eq!(ingest("10:00").status.code(), Some(0));
    assert!(!sealed.store().join("_pmtaq/failed-ingests.json").exists(), "it costs nothing");
    assert!(run("10:01").is_empty());
    sealed.file("acct.csv", "no header\n");
    assert_eq!(ingest("10:05").status.code(), Some(1));
    assert!(run("10:06").is_empty(), "one may fail");
    ingest("10:10");
    let came = run("10:11");
    let payload = &came[0].body["payload"];
    assert_eq!(payload["summary"], "ingest: the last 2 ingests failed");
    let reasons = payload["custom_details"]["groups"][0]["reasons"].to_string();
    assert!(reasons.contains("since 2026-03-02T10:05:00Z"), "{reasons}");
    sealed.file("acct.csv", format!("{good}d,soon,b@x.example\n"));
    ingest("10:15");
    let summaries: Vec<String> = run("10:16")
        .iter()
        .map(|request| request.body["payload"]["summary"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(summaries, ["refused: 1 line refused in 1h"]);
    let other = sealed.file("other.csv", good.replace("a@x", "c@x"));
    assert_eq!(
        at(&sealed, "10:20", &["ingest", "-q", other.to_str().unwrap()]).status.code(),
        Some(0)
    );
    let came = run("10:21");
    assert_eq!(came[0].body["event_action"], "resolve");
}
