//! Many writers of one bucket: what they store is there once, whoever is killed.

use std::time::Duration;

use super::{There, counts, file};
use crate::rollup::DIFFERENCES;

/// A number that follows from another, for waits that differ.
fn mixed(n: u64) -> u64 {
    (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40
}

pub(super) fn is_sound(there: &There) {
    let run = there.run(&["verify", "-q"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(there.number(DIFFERENCES), 0);
}

#[test]
fn machines_that_ingest_while_others_are_killed_lose_nothing_and_double_nothing_at_scale() {
    let wanted: usize = std::env::var("PMTAQ_BUCKET_KILLS").map_or(12, |n| n.parse().unwrap());
    let there = There::new();
    let machines: Vec<There> = (0..4).map(|_| there.other_machine()).collect();
    let shared = there.sealed.file("shared/acct-shared.csv", file("shared", 3, 50));
    let (mut killed, mut all, mut round) = (0, 50, 0);
    while killed < wanted {
        let mut runs = Vec::new();
        for (i, machine) in machines.iter().enumerate() {
            let name = format!("m{i}r{round}");
            let path = there
                .sealed
                .file(&format!("all/acct-{name}.csv"), file(&name, 1 + i as u32 % 3, 40));
            all += 40;
            // Each takes its own, all take the same, and each file is also given to its neighbour.
            let next = &machines[(i + 1) % 4];
            for (of, path) in [(machine, &path), (next, &path)] {
                let args = ["ingest", "-q", path.to_str().unwrap(), shared.to_str().unwrap()];
                runs.push(of.begin(&args));
            }
        }
        for (i, run) in runs.iter_mut().enumerate() {
            if mixed((round * 8 + i) as u64).is_multiple_of(2) {
                std::thread::sleep(Duration::from_millis(mixed((round * 8 + i) as u64 + 99) % 150));
                killed += usize::from(run.try_wait().unwrap().is_none());
                run.kill().unwrap();
            }
        }
        for mut run in runs {
            run.wait().unwrap();
        }
        round += 1;
        assert!(round <= wanted, "only {killed} of {} runs were killed", round * 8);
    }
    // What was killed is taken now.
    let folder = there.sealed.dir.path().join("all");
    let (read, ..) = there.ingest(folder.to_str().unwrap());
    there.ingest(shared.to_str().unwrap());
    assert_eq!(read, all - 50);
    assert_eq!(there.number("select count(*) from records"), all as i64);
    assert_eq!(there.number("select count(distinct rcpt) from records"), all as i64);
    is_sound(&there);
}

#[test]
fn of_twenty_writers_at_once_each_stores_its_own_and_one_stores_what_all_have_at_scale() {
    let there = There::new();
    let shared = there.sealed.file("acct-shared.csv", file("shared", 2, 30));
    let machines: Vec<There> = (0..20).map(|_| there.other_machine()).collect();
    let runs: Vec<_> = machines
        .iter()
        .enumerate()
        .map(|(i, machine)| {
            let path = there.sealed.file(&format!("acct-{i}.csv"), file(&format!("m{i}"), 1, 20));
            let (path, shared) = (path.to_str().unwrap(), shared.to_str().unwrap());
            machine.begin(&["ingest", "-q", "--format", "json", path, shared])
        })
        .collect();
    let mut stored = 0;
    for run in runs {
        let output = run.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        let ledger = counts(&String::from_utf8_lossy(&output.stdout));
        assert_eq!(ledger.0, 50, "{ledger:?}");
        stored += ledger.1;
    }
    assert_eq!(stored, 20 * 20 + 30);
    assert_eq!(there.number("select count(*) from records"), 430);
    is_sound(&there);
}

#[test]
fn a_kill_at_any_step_leaves_the_old_or_the_new_state_and_the_next_run_heals_at_scale() {
    let each = std::env::var("PMTAQ_BUCKET_STEPS").map_or(4, |n| n.parse().unwrap());
    let (first, second) =
        ("samples/quirks/quirk-absurd-times.csv", "samples/quirks/quirk-offsets.csv");
    let count = "select count(*) from records";
    let mut killed = 0;
    for step in (1..).step_by(each) {
        let there = There::new();
        there.ingest(first);
        let old = there.number(count);
        let step = step.to_string();
        let run = there.run(&["ingest", "-q", "--kill-at", &step, second]);
        let after = there.number(count);
        assert!(after == old || after == old + 4, "killed at step {step}: {after}");
        // Another machine takes it over.
        there.other_machine().ingest(second);
        assert_eq!(there.number(count), old + 4, "killed at step {step}, then run again");
        is_sound(&there);
        if run.code.is_some() {
            break;
        }
        killed += 1;
    }
    assert!(killed > 3, "only {killed} steps");
}

#[test]
fn compaction_pruning_and_erasure_are_seen_by_all_machines_at_scale() {
    let there = There::new();
    for i in 0..9 {
        let path = there.sealed.file(&format!("acct-{i}.csv"), file(&format!("m{i}"), 1, 20));
        there.ingest(path.to_str().unwrap());
    }
    let other = there.other_machine();
    assert_eq!(other.number("select count(*) from records"), 180);
    there.done(&["compact", "-q"]);
    let parts = there.done(&["paths"]);
    assert_eq!(parts.lines().count(), 1, "{parts}");
    assert_eq!(other.number("select count(*) from records"), 180);
    // An erased address is nowhere, also where it was fetched before.
    there.done(&["forget", "-q", "--yes", "--rcpt", "m3-7@gmail.com"]);
    let sql = "select count(*) from records where rcpt = 'm3-7@gmail.com'";
    assert_eq!((other.number(sql), other.number("select count(*) from records")), (0, 179));
    for path in other.cached("records") {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(4).any(|at| at == b"m3-7"), "{}", path.display());
    }
    assert_eq!(other.cached("records").len(), 1);
    is_sound(&other);
    let kept = other.run(&["prune", "--yes", "--keep", "records=1d"]);
    assert_eq!(kept.code, Some(0), "{kept:?}");
    assert_eq!(there.number("select count(*) from records"), 0);
    assert_eq!(there.ingest(there.sealed.dir.path().join("acct-1.csv").to_str().unwrap()).2, 20);
    let run = there.run(&["verify", "-q"]);
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn a_backup_of_a_bucket_is_a_folder_and_a_copied_folder_is_a_store() {
    let there = There::new();
    there.ingest("samples/quirks/quirk-offsets.csv");
    let to = there.sealed.dir.path().join("copy");
    let to = to.to_str().unwrap();
    there.done(&["backup", to]);
    let ask = ["--store", to, "sql", "select count(*) from records", "--format", "csv"];
    assert_eq!(there.done(&ask), "count_star()\n4\n");
    there.done(&["--store", to, "ingest", "-q", "samples/acct"]);
    assert_eq!(there.run(&["--store", to, "verify", "-q"]).code, Some(0));
}
