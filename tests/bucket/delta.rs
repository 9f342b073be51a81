//! The Delta log of a store in a bucket says what the store does, whoever commits and is killed.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::writers::is_sound;
use super::{There, file, server};
use crate::readers::python_with;

/// The paths that all versions of a log come to, and how many versions these are.
fn logged(there: &There, table: &str) -> (BTreeSet<String>, usize) {
    let log = format!("{table}/_delta_log/");
    let versions = there.objects(&log).into_iter().filter(|key| key.ends_with(".json"));
    let versions: Vec<String> = versions.collect();
    let mut paths = BTreeSet::new();
    for (n, key) in versions.iter().enumerate() {
        assert_eq!(*key, format!("{log}{n:020}.json"), "no version is missing");
        for line in String::from_utf8(server().get(&there.key(key))).unwrap().lines() {
            let action: Value = serde_json::from_str(line).unwrap();
            let path = |of: &str| action[of]["path"].as_str().map(str::to_owned);
            if let Some(path) = path("add") {
                assert!(paths.insert(path), "{line} of version {n} is there already");
            }
            if let Some(path) = path("remove") {
                assert!(paths.remove(&path), "{line} of version {n} is not there");
            }
        }
    }
    (paths, versions.len())
}

/// Returns how many versions the log of records has, which says what the store does.
fn assert_current(there: &There, when: &str) -> usize {
    let of = |table: &str| {
        let (logged, versions) = logged(there, table);
        let listed = there.done(&["paths", "--table", table]);
        let begins = format!("{}/{table}/", there.store());
        let listed = listed.lines().map(|path| path.strip_prefix(&begins).unwrap().to_owned());
        assert_eq!(logged, listed.collect(), "{table} {when}");
        versions
    };
    of("hourly");
    of("records")
}

/// What two real readers of Delta tables count.
fn read(there: &There) -> Value {
    let mut variables = there.variables();
    variables.push(("AWS_ALLOW_HTTP", "true".to_owned()));
    variables.push(("AWS_REGION", "us-east-1".to_owned()));
    let variables: Vec<_> = variables.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let store = there.store();
    python_with("delta.py", &[store.as_str(), "records", "hourly"].map(Path::new), &variables)
}

#[test]
fn a_log_in_a_bucket_follows_all_writers_also_those_that_are_killed_at_scale() {
    let there = There::new();
    let machines: Vec<There> = (0..3).map(|_| there.other_machine()).collect();
    there.ingest(there.sealed.file("first.csv", file("first", 1, 20)).to_str().unwrap());
    there.done(&["delta", "-q"]);
    let (mut all, mut killed) = (20, 0);
    for round in 0..8_u64 {
        let paths: Vec<_> = (0..3)
            .map(|i| {
                let name = format!("m{i}r{round}");
                there.sealed.file(&format!("all/acct-{name}.csv"), file(&name, 1 + i % 3, 20))
            })
            .collect();
        all += 60;
        let runs = machines.iter().zip(&paths);
        let mut runs: Vec<_> = runs
            .map(|(machine, path)| machine.begin(&["ingest", "-q", path.to_str().unwrap()]))
            .collect();
        let chosen = (round % 3) as usize;
        std::thread::sleep(Duration::from_millis(40 + 37 * round));
        killed += u32::from(runs[chosen].try_wait().unwrap().is_none());
        runs[chosen].kill().unwrap();
        runs.iter_mut().for_each(|run| assert!(run.wait().is_ok()));
    }
    let folder = there.sealed.dir.path().join("all");
    there.ingest(folder.to_str().unwrap());
    // A commit that changes no part puts what a killed one has left.
    machines[0].ingest(there.sealed.file("last.csv", file("last", 2, 20)).to_str().unwrap());
    all += 20;
    let versions = assert_current(&there, &format!("after {killed} kills"));
    assert!(versions > 10, "{versions}");
    there.done(&["compact", "-q", "--day", "2026-03-01,2026-03-02"]);
    there.done(&["forget", "-q", "--yes", "--rcpt", "first-3@gmail.com"]);
    all -= 1;
    assert_current(&machines[1], "after a compaction and an erasure");
    let counted = read(&there);
    assert_eq!(counted["records"]["rows"], all);
    let hours = there.number("select count(*) from hourly");
    assert_eq!(counted["hourly"]["rows"], hours);
    is_sound(&there);
    let lines = there.done(&["connect", "polars"]);
    assert!(lines.contains(&format!("pl.scan_delta(\"{}/records\")", there.store())), "{lines}");
    there.done(&["delta", "-q", "--stop"]);
    assert_eq!(there.objects("records/_delta_log/"), Vec::<String>::new());
    is_sound(&there);
}

#[test]
fn a_kill_at_any_step_leaves_a_log_in_a_bucket_that_the_next_commit_makes_right_at_scale() {
    let each = std::env::var("PMTAQ_BUCKET_STEPS").map_or(5, |n| n.parse().unwrap());
    let [first, second, third] = ["quirk-absurd-times", "quirk-offsets", "quirk-other-order"]
        .map(|name| format!("samples/quirks/{name}.csv"));
    let mut killed = 0;
    for step in (2..).step_by(each) {
        let there = There::new();
        there.ingest(&first);
        there.done(&["delta", "-q"]);
        let run = there.run(&["ingest", "-q", "--kill-at", &step.to_string(), &second]);
        there.other_machine().ingest(&second);
        there.other_machine().ingest(&third);
        assert_current(&there, &format!("killed at step {step}, then more"));
        if run.code.is_some() {
            break;
        }
        killed += 1;
    }
    assert!(killed > 3, "only {killed} steps");
}

#[test]
fn a_log_that_someone_deleted_from_a_bucket_goes_on_by_a_checkpoint_at_scale() {
    let there = There::new();
    for (n, name) in ["quirk-absurd-times", "quirk-offsets"].iter().enumerate() {
        there.ingest(&format!("samples/quirks/{name}.csv"));
        if n == 0 {
            there.done(&["delta", "-q"]);
        }
    }
    there.objects("records/_delta_log/").iter().for_each(|key| server().delete(&there.key(key)));
    there.ingest("samples/quirks/quirk-other-order.csv");
    let rows = there.number("select count(*) from records");
    assert_eq!(read(&there)["records"]["rows"], rows);
}
