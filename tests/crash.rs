//! A kill at any change of the file system leaves the old state or the new one, and the next run
//! reaches what an undisturbed one would have.

use std::os::unix::process::ExitStatusExt;

use crate::rollup::{DIFFERENCES, differences};
use crate::sealed::{Sealed, root};

const STATE: &str = "select count(*) || ' ' || sum(hash(rec, time_logged, orig, rcpt, dsn_diag, template, extra)) from records";

/// What is stored, and in how many hours the rollup is another: one question, since there are many
/// steps to ask it after.
fn state(sealed: &Sealed) -> (String, i64) {
    let both = format!("select ({DIFFERENCES}) as differences, ({STATE}) as state");
    let text = sealed.done(&["sql", &both, "--format", "csv"]);
    let (differences, state) = text.lines().nth(1).unwrap().split_once(',').unwrap();
    (state.to_owned(), differences.parse().unwrap())
}

/// What a plain glob sees, which knows nothing of manifests.
fn globbed(sealed: &Sealed) -> usize {
    let pattern = sealed.store().join("records/*/*.parquet");
    glob::glob(pattern.to_str().unwrap()).unwrap().count()
}

#[test]
fn a_kill_at_any_step_leaves_the_old_or_the_new_state_at_scale() {
    let first = root().join("samples/quirks/quirk-absurd-times.csv");
    let second = root().join("samples/quirks/quirk-offsets.csv");
    let whole = Sealed::new();
    whole.ingest(&[&first]);
    let old = state(&whole);
    whole.ingest(&[&second]);
    let new = state(&whole);
    assert_ne!(old, new);
    assert_eq!((old.1, new.1), (0, 0));

    let mut killed = 0;
    for step in 1.. {
        let sealed = Sealed::new();
        sealed.ingest(&[&first]);
        let status = sealed
            .command()
            .args(["--now", "2026-03-05T12:00:00Z", "--threads", "2"])
            .args(["ingest", "-q", "--kill-at", &step.to_string(), second.to_str().unwrap()])
            .status()
            .unwrap();
        let after = state(&sealed);
        assert!(after == old || after == new, "killed at step {step}: {after:?}");
        sealed.ingest(&[&second]);
        assert_eq!(state(&sealed), new, "killed at step {step}, then run again");
        assert_eq!(globbed(&sealed), globbed(&whole), "killed at step {step}, then run again");
        if status.signal() != Some(9) {
            break;
        }
        killed += 1;
    }
    assert!(killed > 20, "only {killed} steps");
}

#[test]
fn a_kill_while_a_store_is_made_leaves_none_or_a_sound_one_at_scale() {
    let path = root().join("samples/quirks/quirk-offsets.csv");
    for step in 1..12 {
        let sealed = Sealed::new();
        let step = step.to_string();
        sealed
            .command()
            .args(["ingest", "-q", "--kill-at", &step, path.to_str().unwrap()])
            .status()
            .unwrap();
        assert_eq!(sealed.ingest(&[&path]).counts().0, 4);
        assert_eq!(sealed.number("select count(*) from records"), 4);
    }
}

#[test]
fn a_full_disk_is_a_clear_error_and_the_next_run_heals_at_scale() {
    let samples = root().join("samples/acct");
    let path = samples.to_str().unwrap();
    let mut failed = 0;
    for step in (1..40).step_by(3) {
        let sealed = Sealed::new();
        let run = sealed.run(&["ingest", "-q", "--full-at", &step.to_string(), path]);
        if run.code == Some(0) {
            break;
        }
        failed += 1;
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.stderr.contains("the disk is full"), "{run:?}");
        let (read, stored, duplicate, _) = sealed.ingest(&[&samples]).counts();
        assert_eq!((read, stored + duplicate), (6000, 6000));
        assert_eq!(sealed.number("select count(*) from records"), 6000);
    }
    assert!(failed > 3, "only {failed} failures");
}

/// A file system that really refuses: the process may write no file beyond a size, which the kernel
/// answers as it does a full disk, in the middle of a part, of a manifest or of the root.
#[test]
fn a_write_that_the_system_refuses_loses_nothing_and_the_next_run_heals_at_scale() {
    let samples = root().join("samples/acct");
    let small = root().join("samples/quirks/quirk-offsets.csv");
    let mut refused = 0;
    for blocks in [0, 1, 2, 8, 40, 120, 200, 400] {
        let sealed = Sealed::new();
        sealed.ingest(&[&small]);
        let old = state(&sealed);
        let limited = format!("trap '' 25; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let program = sealed.command().get_program().to_owned();
        let mut command = std::process::Command::new("sh");
        command.current_dir(root()).env_clear().arg("-c").arg(limited).arg(program);
        command.args(["--store", sealed.store().to_str().unwrap(), "ingest", "--threads", "2"]);
        let output = command.arg(&samples).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.code() != Some(0) {
            refused += 1;
            assert_eq!(output.status.code(), Some(1), "{blocks} blocks: {said}");
            assert!(said.contains("File too large") && said.contains("as it was before"), "{said}");
            assert_eq!(state(&sealed), old, "{blocks} blocks");
            let staging = sealed.store().join("_pmtaq/staging");
            assert_eq!(std::fs::read_dir(staging).unwrap().count(), 0, "{blocks} blocks");
        }
        sealed.ingest(&[&samples]);
        assert_eq!(sealed.number("select count(*) from records"), 6004, "{blocks} blocks");
        assert_eq!(differences(&sealed), 0, "{blocks} blocks");
        assert_eq!(sealed.run(&["verify", "-q"]).code, Some(0), "{blocks} blocks");
    }
    assert!(refused > 3, "only {refused} were refused");
}

#[test]
fn two_writers_do_not_meet() {
    let sealed = Sealed::new();
    let path = root().join("samples/quirks/quirk-offsets.csv");
    sealed.ingest(&[&path]);
    let lock =
        std::fs::File::options().write(true).open(sealed.store().join("_pmtaq/lock")).unwrap();
    lock.lock().unwrap();
    let run = sealed.run(&["ingest", path.to_str().unwrap()]);
    assert_eq!(run.code, Some(3));
    assert!(run.stderr.contains("the store is locked by process "), "{run:?}");
    // Reading needs no lock.
    assert_eq!(sealed.number("select count(*) from records"), 4);
}
