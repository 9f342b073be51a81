//! How soon people hear of what the generator planted: the short form of benches/alert/detect.py. Records
//! come every five minutes, `alert run` follows each ingest, and a receiver listens.

use std::path::{Path, PathBuf};

use pmtaq_gen::{Options, generate};

use crate::alert::Server;
use crate::alert_faults::file;
use crate::sealed::{Sealed, root};

/// The records of an hour, each with the minute in which it was logged.
fn minutes(path: &Path) -> Vec<(u32, String)> {
    let text = std::fs::read_to_string(path).unwrap();
    let day = &path.file_name().unwrap().to_str().unwrap()[5..15];
    let mut records: Vec<(u32, String)> = Vec::new();
    for line in text.lines().skip(1) {
        // `d,2026-03-02 09:04:59+0000,...`; a quoted field may go on in the next line.
        let logged = line.split(',').nth(1).filter(|field| field.starts_with(day));
        match logged.and_then(|field| field.get(14..16)?.parse().ok()) {
            Some(minute) => records.push((minute, format!("{line}\n"))),
            None => records.last_mut().unwrap().1 += &format!("{line}\n"),
        }
    }
    records
}

/// Minutes after the full hour until a rule tells of something, where records are late by some minutes.
fn told_after(hours: &[PathBuf], hour: u32, rule: &str, late: u32) -> u32 {
    let (sealed, live) = (Sealed::new(), format!("acct-2026-03-02-{hour:02}00.csv"));
    let server = Server::new();
    let hook = format!(
        "[[receiver]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{}/hook\"\n",
        server.address
    );
    let starter = std::fs::read_to_string(root().join("packaging/alerts/starter.toml")).unwrap();
    let rules = file(&sealed, &(starter + &hook));
    let run = |minute: u32, args: &[&str]| {
        let now = format!("2026-03-02T{hour:02}:{minute:02}:00Z");
        let output = sealed.command().args(["--now", &now, "-q"]).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    };
    let of_hour = hours.iter().position(|path| path.ends_with(&live)).unwrap();
    let before: Vec<&str> = hours[..of_hour].iter().map(|path| path.to_str().unwrap()).collect();
    run(0, &[&["ingest"], &before[..]].concat());
    let text = std::fs::read_to_string(&hours[of_hour]).unwrap();
    let head = text.lines().next().unwrap();
    let records = minutes(&hours[of_hour]);
    for minute in (0..60).step_by(5) {
        let is_logged = |(logged, _): &&(u32, String)| *logged + late < minute;
        let lines = records.iter().filter(is_logged).map(|(_, line)| line.as_str());
        let live = sealed.file(&live, format!("{head}\n{}", lines.collect::<String>()));
        run(minute, &["ingest", live.to_str().unwrap()]);
        run(minute, &["alert", "run", &rules]);
        let came = server.came();
        let is_it = |body: &serde_json::Value| body["rule"] == rule && body["status"] == "firing";
        if came.iter().any(|request| is_it(&request.body)) {
            return minute;
        }
    }
    60
}

#[test]
fn planted_incidents_are_told_within_a_quarter_of_an_hour_at_scale() {
    let generated = Sealed::new();
    let dir = generated.dir.path().join("acct");
    let settings = Options { rows: 5000 * 48, days: 2, ..Options::default() };
    let (_, mut hours) = generate(&settings, &dir).unwrap();
    hours.sort();
    for (hour, rule, late) in [(9, "blocked", 0), (16, "throttled", 5)] {
        let told = told_after(&hours, hour, rule, late);
        assert!(told <= 15, "{rule}: {told} minutes");
    }
}
