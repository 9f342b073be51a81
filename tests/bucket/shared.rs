//! What machines that use one bucket share: whose turn it is, what alerts remember, settings; and what is
//! said of clocks that differ.

use std::process::{Command, Stdio};
use std::sync::PoisonError;

use serde_json::Value;

use super::questions::PROXY;
use super::{There, file, server};
use crate::alert::{Server, pagerduty};

const LATE: &str = "[[rule]]\nname = \"late\"\nwatch = \"lag\"\nabove = 7200\n";

/// A machine's run of cron.
fn tell(machine: &There, rules: &[&str]) -> Command {
    let mut command = machine.sealed.command();
    command.args(["--now", "2026-03-05T12:00:00Z", "alert", "run"]).args(rules);
    command.envs(machine.variables()).env("ROUTING", "r0ut1ng-k3y");
    command
}

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn of_many_machines_one_tells_and_all_remember_what_was_told() {
    let (there, oncall) = (There::new(), Server::new());
    there.ingest("samples/quirks/quirk-offsets.csv");
    let rules = there.sealed.file("rules.toml", format!("{}\n{LATE}", pagerduty(&oncall)));
    let rules = [rules.to_str().unwrap()];
    let machines: Vec<There> = (0..5).map(|_| there.other_machine()).collect();
    // All of one name, so that each takes the turn: what was told is remembered before it is sent, by one.
    let runs = machines.iter().map(|machine| {
        tell(machine, &rules).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    });
    let runs: Vec<_> = runs.collect();
    let mut told = 0;
    for run in runs {
        let output = run.wait_with_output().unwrap();
        let is_other = said(&output).contains("another machine has changed meanwhile");
        assert!(output.status.success() || is_other, "{}", said(&output));
        told += u32::from(output.status.success());
    }
    assert!(told > 0);
    assert_eq!(oncall.came().len(), 1);

    // A machine of another name leaves it to the one that has the turn, until that has ended.
    let turn = there.key("_pmtaq/turns/alerts.json");
    server().put(&turn, br#"{"holder": "mta99", "until": 4102444800, "nonce": "1"}"#);
    let output = tell(&machines[0], &rules).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("mta99 tells of the alerts of this store"), "{}", said(&output));
    server().put(&turn, br#"{"holder": "mta99", "until": 1772712000, "nonce": "1"}"#);
    let output = tell(&machines[1], &rules).output().unwrap();
    assert!(output.status.success() && !said(&output).contains("mta99"), "{}", said(&output));
    let holder: Value = serde_json::from_slice(&server().get(&turn)).unwrap();
    assert!(holder["holder"] != "mta99" && holder["until"].as_i64() > Some(1_772_712_000));
    assert_eq!(oncall.came().len(), 0, "it was told before");

    // What one mutes is muted for all.
    machines[2].done(&["alert", "mute", "late", "--for", "2h", "--rules", rules[0]]);
    let memory = server().get(&there.key("_pmtaq/alerts.json"));
    let memory: Value = serde_json::from_slice(&memory).unwrap();
    assert!(memory.to_string().contains("late"), "{memory}");
}

#[test]
fn of_many_machines_one_compacts() {
    let there = There::new();
    for i in 0..3 {
        let path = there.sealed.file(&format!("acct-{i}.csv"), file(&format!("m{i}"), 1, 20));
        there.ingest(path.to_str().unwrap());
    }
    let turn = there.key("_pmtaq/turns/compact.json");
    server().put(&turn, br#"{"holder": "mta99", "until": 4102444800, "nonce": "1"}"#);
    let run = there.run(&["compact"]);
    assert!(run.code == Some(0) && run.stderr.contains("mta99 compacts this store"), "{run:?}");
    assert_eq!(there.done(&["paths"]).lines().count(), 3);
    // One that was killed has its turn no longer than that.
    server().put(&turn, b"{");
    let run = there.run(&["compact"]);
    assert!(run.code == Some(0) && run.stderr.contains("became"), "{run:?}");
    assert_eq!(there.done(&["paths"]).lines().count(), 1);
    let ended: Value = serde_json::from_slice(&server().get(&turn)).unwrap();
    let (until, now) = (ended["until"].as_u64().unwrap(), std::time::SystemTime::now());
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(until <= now, "the turn is over: {ended}");
}

#[test]
fn settings_that_are_shared_hold_on_every_machine() {
    let there = There::new();
    there.ingest("samples/quirks/quirk-offsets.csv");
    let providers = there.sealed.file("in/providers.csv", "ours,domain,ours.example\n");
    let classes = there.sealed.file("in/pmtaq.toml", "[bounce-classes]\nour-own = \"block\"\n");
    let [providers, classes] = [&providers, &classes].map(|path| path.to_str().unwrap());
    let said = there.run(&["config", "share", providers, classes]);
    assert!(
        said.code == Some(0) && said.stderr.contains("all machines have providers.csv, pmtaq.toml"),
        "{said:?}"
    );
    let other = there.other_machine();
    let csv = "type,timeLogged,rcpt,bounceCat,dsnStatus\n\
               b,2026-03-01 10:00:00+0000,a@ours.example,our-own,5.7.1\n";
    other.ingest(other.sealed.file("acct.csv", csv).to_str().unwrap());
    let sql = "select count(*) from records where provider = 'ours'";
    assert_eq!(there.number(sql), 1);
    let shown =
        there.done(&["pivot", "--rows", "bounce_class", "--metric", "bounced", "--format", "csv"]);
    assert!(shown.contains("block,1"), "{shown}");
    let set = other.done(&["config", "show"]);
    assert!(set.contains("1 line over it"), "{set}");

    for (name, text, says) in [
        ("in/pmtaq.toml", "tz = \"UTC\"\n", "only [bounce-classes] can hold for all machines"),
        ("in/providers.csv", "what\n", "in/providers.csv:1: "),
        ("in/alerts.toml", "[[rule]]\n", "in/alerts.toml: "),
        ("in/other.csv", "", "has none of the names"),
    ] {
        let path = there.sealed.file(name, text);
        let run = there.run(&["config", "share", path.to_str().unwrap()]);
        assert!(run.code == Some(2) && run.stderr.contains(says), "{says}: {run:?}");
    }
    there.done(&["config", "share", "--none"]);
    assert!(!other.done(&["config", "show"]).contains("1 line over it"));
    let folder = there.run(&["--store", "/no/such/folder", "config", "share", "--none"]);
    assert_eq!(folder.code, Some(2), "{folder:?}");
}

#[test]
fn a_clock_that_is_off_and_a_machine_that_is_silent_are_said_at_scale() {
    let _alone = PROXY.lock().unwrap_or_else(PoisonError::into_inner);
    server().fault("{}");
    let there = There::by_proxy();
    let ingest = |host: &str, day: u32| {
        let path = there.sealed.file(&format!("{host}.csv"), file(host, day, 20));
        there.done(&["ingest", "-q", "--host", host, path.to_str().unwrap()]);
    };
    ingest("mta1", 4);
    server().fault(r#"{"mode": "date", "ahead": 600}"#);
    ingest("mta2", 4);
    server().fault("{}");
    ingest("mta3", 1);
    let rows: Value =
        serde_json::from_str(&there.done(&["status", "--hosts", "--format", "json"])).unwrap();
    let ahead = |at: usize| rows[at]["clock_ahead"].as_f64().unwrap();
    assert!(ahead(0).abs() < 60.0 && (ahead(1) + 600.0).abs() < 60.0, "{rows}");
    // A second passes now and then before the server answers.
    let behind = -ahead(1) as u64;
    let behind = format!("{}m {:02}s behind that of the bucket's server", behind / 60, behind % 60);
    let shown = there.done(&["status"]);
    assert!(shown.contains(&format!(", its clock {behind}")), "{shown}");
    let doctor = there.run(&["doctor", "--last", "2d"]);
    assert_eq!(doctor.code, Some(1), "{doctor:?}");
    let doctor = doctor.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for says in [
        &format!("mta2: the clock of the machine that ingests it was {behind}"),
        "mta3: no record in this window; its newest is of 2026-03-01",
    ] {
        assert!(doctor.contains(says), "{says}: {doctor}");
    }
    assert!(!doctor.contains("mta1: the clock") && !doctor.contains("the clock of this machine"));
    server().fault(r#"{"mode": "date", "ahead": -7200}"#);
    let doctor = there.run(&["doctor", "--last", "2d"]);
    server().fault("{}");
    let doctor = doctor.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(doctor.contains("the clock of this machine is 2h 00m ahead of that"), "{doctor}");
}
