//! Alerts reach people while something is broken: a rule, the disk, what was remembered, a receiver.

use std::process::{Command, Output};

use crate::alert::{Answer, Server, at, pagerduty, rules, stderr, troubled};
use crate::sealed::Sealed;

const FULL_DISK: &str = "[[rule]]\nname = \"disk\"\nwatch = \"disk\"\npath = \"/\"\nabove = 0\n";

/// The summaries of all that came.
pub(crate) fn summaries(server: &Server) -> Vec<String> {
    let came = server.came();
    let summary =
        |body: &serde_json::Value| body["payload"]["summary"].as_str().unwrap().to_owned();
    came.iter().map(|request| summary(&request.body)).collect()
}

/// A rules file of these receivers and rules.
pub(crate) fn file(sealed: &Sealed, text: &str) -> String {
    sealed.file("etc/rules.toml", text).to_str().unwrap().to_owned()
}

/// Runs `alert run` at a time of the second day where no file can be written, as on a full disk.
fn without_room(sealed: &Sealed, time: &str, file: &str) -> Output {
    let program = sealed.command();
    let line = format!(
        "trap '' XFSZ; ulimit -f 0; exec {} --now 2026-03-02T{time}:00Z alert run {file}",
        program.get_program().to_str().unwrap()
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]).current_dir(crate::sealed::root()).env_clear();
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env("ROUTING", "r0ut1ng-k3y").output().unwrap()
}

#[test]
fn a_full_disk_is_told_though_nothing_can_be_remembered_at_scale() {
    let (sealed, server) = (troubled(), Server::new());
    let file = rules(&sealed, &(pagerduty(&server) + FULL_DISK));
    for _ in 0..2 {
        let output = without_room(&sealed, "10:10", &file);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("may be told again, as it is not remembered"), "{said}");
        let told = summaries(&server);
        // The other rule must last 5 minutes: where nothing is remembered nothing ever would.
        assert!(told[0].starts_with("disk: the disk of / is"), "{told:?}");
        assert!(told[1].starts_with("bounces: yahoo: bounce_rate"), "{told:?}");
    }
    // With room again it is remembered, and told once.
    for expected in [1, 0] {
        at(&sealed, "10:15", &["alert", "run", &file]);
        assert_eq!(summaries(&server).len(), expected);
    }
}

#[test]
fn a_broken_rule_silences_no_other_and_is_told_at_the_end() {
    let (sealed, server) = (troubled(), Server::new());
    let broken = "[[rule]]\nname = \"sql\"\nmetric = \"bounce_rate\"\nwhere = \"nocolumn = 1\"\nabove = 1\n\
                  [[rule]]\nname = \"gone\"\nwatch = \"disk\"\npath = \"/no/such/folder\"\nabove = 1\n";
    let file = file(&sealed, &(pagerduty(&server) + broken + FULL_DISK));
    let output = at(&sealed, "10:10", &["alert", "run", &file]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("rule `sql` not judged: ") && said.contains("nocolumn"), "{said}");
    assert!(said.contains("rule `gone` not judged: cannot read /no/such/folder"), "{said}");
    assert_eq!(summaries(&server).len(), 1, "the rule behind them");
    // It is found before that, without a record and without an alert.
    let empty = Sealed::new();
    let output = at(&empty, "10:10", &["alert", "test", &file]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("rule `sql`: ") && said.contains("nocolumn"), "{said}");
    assert!(said.contains("rule `gone`: "), "{said}");
    assert_eq!(summaries(&server).len(), 2, "that it arrives is tested too");
}

#[test]
fn a_damaged_part_silences_no_rule_that_does_not_read_it() {
    let (sealed, server) = (troubled(), Server::new());
    for part in glob::glob(&format!("{}/records/*/*.parquet", sealed.store().display())).unwrap() {
        let part = part.unwrap();
        let mut bytes = std::fs::read(&part).unwrap();
        let end = bytes.len() / 2;
        bytes[8..end].fill(0xa5);
        std::fs::write(&part, bytes).unwrap();
    }
    let file = rules(&sealed, &(pagerduty(&server) + FULL_DISK));
    let output = at(&sealed, "10:10", &["alert", "run", &file]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("rule `bounces` not judged: "), "{}", stderr(&output));
    assert_eq!(summaries(&server).len(), 1);
}

#[test]
fn what_is_remembered_may_be_damaged_and_is_set_aside() {
    let (sealed, server) = (troubled(), Server::new());
    let file = file(&sealed, &(pagerduty(&server) + FULL_DISK));
    let run = || at(&sealed, "10:10", &["alert", "run", &file]);
    assert_eq!(run().status.code(), Some(0));
    let path = sealed.store().join("_pmtaq/alerts.json");
    std::fs::write(&path, "{\"rules\": {\"disk\": {").unwrap();
    let output = run();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("alerts.json is damaged") && said.contains("kept as"), "{said}");
    assert_eq!(summaries(&server).len(), 2, "twice is better than never");
    let kept = std::fs::read_to_string(path.with_extension("json.damaged")).unwrap();
    assert_eq!(kept, "{\"rules\": {\"disk\": {");
    assert_eq!(run().status.code(), Some(0), "it goes on");
    assert_eq!(summaries(&server).len(), 0);
}

#[test]
fn what_is_remembered_may_be_out_of_reach() {
    let (sealed, server) = (troubled(), Server::new());
    let file = file(&sealed, &(pagerduty(&server) + FULL_DISK));
    for name in ["alerts.json", "alerts.lock"] {
        std::fs::create_dir(sealed.store().join("_pmtaq").join(name)).unwrap();
    }
    let output = at(&sealed, "10:10", &["alert", "run", &file]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no lock keeps another run from telling the same"), "{said}");
    assert!(said.contains("cannot read") && said.contains("not remembered"), "{said}");
    assert_eq!(summaries(&server).len(), 1);
}

#[test]
fn a_message_that_is_refused_stands_in_the_way_of_none() {
    let (sealed, server) = (troubled(), Server::new());
    let more = FULL_DISK.replace("\"disk\"\nwatch", "\"second\"\nwatch");
    let file = file(&sealed, &(pagerduty(&server) + FULL_DISK + &more));
    server.plan(&[Answer::Status(400)]);
    let output = at(&sealed, "10:10", &["alert", "run", &file]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("of disk: ") && said.contains("it is not sent again"), "{said}");
    let told = summaries(&server);
    assert!(told.len() == 2 && told[1].starts_with("second: "), "{told:?}");
    assert_eq!(at(&sealed, "10:15", &["alert", "run", &file]).status.code(), Some(0));
    assert_eq!(summaries(&server).len(), 0);
}

#[test]
fn a_hook_that_is_revoked_for_a_while_loses_nothing() {
    let (sealed, server) = (troubled(), Server::new());
    let file = file(&sealed, &(pagerduty(&server) + FULL_DISK));
    let run = |time: &str| at(&sealed, time, &["alert", "run", &file]);
    for (time, status) in [("10:10", 401), ("10:15", 403), ("10:20", 404), ("10:25", 410)] {
        server.plan(&[Answer::Status(status)]);
        let (output, said) = (run(time), summaries(&server));
        let text = stderr(&output);
        assert_eq!((output.status.code(), said.len()), (Some(1), 1), "{status}: {text}");
        assert!(text.contains("the next run sends it again"), "{status}: {text}");
    }
    assert_eq!(run("10:30").status.code(), Some(0));
    let told = summaries(&server);
    assert!(told.len() == 1 && told[0].starts_with("disk: "), "{told:?}");
}

#[test]
fn without_a_store_the_machine_is_watched_all_the_same() {
    let (sealed, server) = (Sealed::new(), Server::new());
    let file = file(&sealed, &(pagerduty(&server) + FULL_DISK + LATE));
    let output = at(&sealed, "10:10", &["alert", "run", &file]);
    let (said, told) = (stderr(&output), summaries(&server));
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("`late` not judged: there is no store in"), "{said}");
    assert!(told.len() == 1 && told[0].starts_with("disk: "), "{told:?}");
}

const LATE: &str = "[[rule]]\nname = \"late\"\nwatch = \"lag\"\nabove = 7200\n";

#[test]
fn a_receiver_that_asks_for_a_pause_gets_it_and_the_others_do_not_wait_at_scale() {
    let (sealed, server, other) = (troubled(), Server::new(), Server::new());
    let hook = format!(
        "[[receiver]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{}/hook\"\n",
        other.address
    );
    let file = file(&sealed, &(pagerduty(&server) + &hook + FULL_DISK));
    server.plan(&[Answer::TooMany(400)]);
    let run = |time: &str| at(&sealed, time, &["alert", "run", &file]);
    assert_eq!(run("10:10").status.code(), Some(1));
    assert_eq!((server.came().len(), other.came().len()), (1, 1), "once, and the other");
    let waiting = run("10:15");
    assert_eq!((waiting.status.code(), server.came().len()), (Some(0), 0));
    assert!(stderr(&waiting).contains("`oncall` asked to be told later"), "{}", stderr(&waiting));
    assert_eq!((run("10:20").status.code(), server.came().len()), (Some(0), 1));
    // A short one is waited for.
    server.plan(&[Answer::TooMany(1)]);
    assert_eq!(at(&sealed, "10:20", &["alert", "test", &file]).status.code(), Some(0));
}

#[test]
fn a_secret_that_others_can_read_is_said_and_the_alert_goes_out_at_scale() {
    use std::os::unix::fs::PermissionsExt;
    let (sealed, server) = (troubled(), Server::new());
    let key = sealed.file("etc/key", "r0ut1ng-k3y\n");
    let mode = |mode| {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let line = format!("key-file = \"{}\"", key.display());
    let receiver = pagerduty(&server).replace("key-env = \"ROUTING\"", &line);
    let file = file(&sealed, &(receiver + FULL_DISK));
    mode(0o644);
    let output = at(&sealed, "10:10", &["alert", "run", &file]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("etc/key can be read by everyone"), "{}", stderr(&output));
    assert_eq!(summaries(&server).len(), 1);
    let again = at(&sealed, "10:15", &["alert", "run", &file]);
    assert_eq!(stderr(&again), "", "said once");
    assert_eq!(at(&sealed, "10:15", &["alert", "test", &file]).status.code(), Some(1));
    mode(0o640);
    assert_eq!(at(&sealed, "10:15", &["alert", "test", &file]).status.code(), Some(0));
    // What goes over the net in plain text can be read there.
    let remote = "[[receiver]]\nname = \"hook\"\ntype = \"webhook\"\nkey-env = \"TOKEN\"\n\
                  url = \"http://hook.invalid/x\"\ntimeout = \"1s\"\n";
    let file = crate::alert_faults::file(&sealed, &(remote.to_owned() + FULL_DISK));
    let said = stderr(&at(&sealed, "10:20", &["alert", "test", &file]));
    assert!(said.contains("its key goes over http, readable on its way"), "{said}");
}

#[test]
fn what_is_not_judged_for_long_is_said_once() {
    let sealed = troubled();
    let file = rules(&sealed, "");
    let run = |time: &str| {
        let now = format!("2026-03-04T{time}:00Z");
        let output = sealed.command().args(["--now", &now, "alert", "run", &file]).output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stderr(&output)
    };
    assert!(run("10:00").contains("bounces: not judged, since the newest record is too old"));
    assert_eq!(run("10:05"), "");
}

#[test]
fn a_rule_for_which_a_field_is_lacking_is_not_judged_and_says_so() {
    let (sealed, server) = (Sealed::new(), Server::new());
    let lines = (0..60).map(|n| {
        let (kind, domain) = if n % 2 == 0 { ("d", "gmail.com") } else { ("t", "yahoo.com") };
        format!("{kind},2026-03-02 10:00:{n:02}+0000,2026-03-02 09:59:00+0000,a@s.example,u{n}@{domain}\n")
    });
    let text = "type,timeLogged,timeQueued,orig,rcpt\n".to_owned() + &lines.collect::<String>();
    sealed.ingest(&[&sealed.file("acct.csv", text)]);
    let rule = "[[rule]]\nname = \"throttled\"\nmetric = \"deferral_rate\"\nby = [\"provider\"]\n\
                window = \"30m\"\nabove = 30\n";
    let file = file(&sealed, &(pagerduty(&server) + rule));
    let output = at(&sealed, "10:05", &["alert", "run", &file]);
    let said = stderr(&output);
    let why = "throttled: not judged, since deferral_rate is not known: no dlvDestinationIp in the d records";
    assert!(said.contains(why), "{said}");
    assert_eq!((output.status.code(), summaries(&server).len()), (Some(0), 0), "{said}");
}

#[test]
fn what_would_be_told_is_shown_before_it_has_lasted() {
    let (sealed, server) = (troubled(), Server::new());
    let file = rules(&sealed, &pagerduty(&server));
    let output = at(&sealed, "10:10", &["alert", "run", "--print", &file]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains("bounces: yahoo: bounce_rate"), "{shown}");
    assert!(stderr(&output).contains("bounces: told when it has lasted"), "{}", stderr(&output));
    assert!(!sealed.store().join("_pmtaq/alerts.json").exists(), "nothing is remembered");
}

#[test]
fn a_muted_rule_is_silent_until_the_time_is_over() {
    let (sealed, server) = (troubled(), Server::new());
    let file = file(&sealed, &(pagerduty(&server) + FULL_DISK));
    let mute =
        |args: &[&str]| at(&sealed, "10:00", &[&["alert"], args, &["--rules", &file]].concat());
    let run = |time: &str| {
        assert_eq!(at(&sealed, time, &["alert", "run", &file]).status.code(), Some(0));
        summaries(&server).len()
    };
    let said = stderr(&mute(&["mute", "disk", "--for", "30m"]));
    assert!(said.contains("disk: muted until 2026-03-02 10:30"), "{said}");
    assert_eq!((run("10:10"), run("10:29"), run("10:30"), run("10:35")), (0, 0, 1, 0));
    let wrong = mute(&["mute", "dsik", "--for", "30m"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", stderr(&wrong));
    // A time of work that stands in the rules does the same.
    let work = "[[maintenance]]\nrules = [\"other\"]\ndaily = \"10:00-11:00\"\n";
    let other = FULL_DISK.replace("\"disk\"\nwatch", "\"other\"\nwatch");
    crate::alert_faults::file(&sealed, &(pagerduty(&server) + FULL_DISK + &other + work));
    assert_eq!((run("10:40"), run("11:00")), (0, 1));
}
