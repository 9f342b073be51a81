//! What looks after a store on a real machine: backups beside writers, full disks, root, locks.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::life::{pieces, state, verify};
use crate::rollup::differences;
use crate::sealed::{Sealed, root};

#[test]
fn a_backup_beside_writers_is_a_sound_store_of_one_commit_and_is_restored_by_copying_it_back_at_scale()
 {
    let sealed = Sealed::new();
    let pieces = pieces(&sealed, 300);
    sealed.ingest(&[&pieces[0]]);
    let sizes = pieces.iter().scan(0, |sum, piece| {
        *sum += std::fs::read_to_string(piece).unwrap().lines().count() as i64 - 1;
        Some(*sum)
    });
    let sizes: Vec<i64> = sizes.collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for piece in &pieces[1..] {
                sealed.ingest(&[piece]);
                sealed.done(&["compact", "-q", "--day", "2026-03-01"]);
            }
            done.store(true, Ordering::Relaxed);
        });
        for n in 0.. {
            let dir = sealed.dir.path().join(format!("backup-{n}"));
            let copy: &[&str] = if n % 2 == 0 { &[] } else { &["--copy"] };
            sealed.done(&[&["backup", "-q", dir.to_str().unwrap()], copy].concat());
            let of_backup = |args: &[&str]| {
                let store = ["--store", dir.to_str().unwrap()];
                let run = sealed.run(&[&store[..], args].concat());
                assert_eq!(run.code, Some(0), "{run:?}");
                run.stdout
            };
            of_backup(&["verify"]);
            let count = "select count(*) from records";
            let count = of_backup(&["sql", count, "--format", "csv"]);
            let count: i64 = count.lines().nth(1).unwrap().parse().unwrap();
            assert!(sizes.contains(&count), "{count}");
            if done.load(Ordering::Relaxed) && n > 1 {
                break;
            }
        }
    });
    let last = sealed.dir.path().join("last");
    sealed.done(&["backup", "-q", last.to_str().unwrap()]);
    let expected = state(&sealed);
    // A writer of the store changes nothing of the backup, nor the other way round.
    sealed.done(&["prune", "--keep", "records=1d,hourly=1d", "--yes"]);
    std::fs::remove_dir_all(sealed.store()).unwrap();
    crate::life::copy(&last, &sealed.store());
    assert_eq!((state(&sealed), differences(&sealed)), (expected, 0));
    assert_eq!(verify(&sealed, &[]).0, Some(0));
    let (read, stored, duplicate, _) = sealed.ingest(&[pieces[0].parent().unwrap()]).counts();
    assert_eq!((stored, duplicate), (0, read));
}

#[test]
fn a_backup_goes_into_an_empty_folder_outside_the_store() {
    let sealed = Sealed::of_samples();
    let run = sealed.run(&["backup", sealed.store().join("b").to_str().unwrap()]);
    assert!(run.code == Some(2) && run.stderr.contains("is inside the store"), "{run:?}");
    let full = sealed.file("full/thesis.tex", "");
    let run = sealed.run(&["backup", full.parent().unwrap().to_str().unwrap()]);
    assert!(run.code == Some(2) && run.stderr.contains("holds other things"), "{run:?}");
}

#[test]
fn a_full_disk_is_pruned_by_the_room_that_was_kept_at_scale() {
    let sealed = Sealed::of_samples();
    let prune = ["prune", "--keep", "records=2d,hourly=2d", "--yes"];
    let reserve = sealed.store().join("_pmtaq/reserve");
    assert_eq!(std::fs::metadata(&reserve).unwrap().len(), 1 << 20);
    for step in 1..8 {
        let sealed = Sealed::of_samples();
        let run = sealed.run(&[&prune[..], &["--full-at", &step.to_string()]].concat());
        assert_eq!(run.code, Some(0), "full at step {step}: {run:?}");
        let old = "select count(*) from records where time_logged < '2026-03-03'";
        assert_eq!(sealed.number(old), 0);
        assert_eq!((verify(&sealed, &[]).0, differences(&sealed)), (Some(0), 0), "step {step}");
        assert!(sealed.store().join("_pmtaq/reserve").exists());
    }
    // Without it, the disk is as full as it is, and nothing has changed.
    std::fs::remove_file(reserve).unwrap();
    let run = sealed.run(&[&prune[..], &["--full-at", "1"]].concat());
    assert!(run.code == Some(1) && run.stderr.contains("the disk is full"), "{run:?}");
    assert_eq!(sealed.number("select count(*) from records"), 6000);
}

#[test]
fn who_holds_the_lock_is_told_without_taking_it() {
    let sealed = Sealed::of_samples();
    assert!(!sealed.done(&["status"]).contains("locked"));
    let path = sealed.store().join("_pmtaq/lock");
    let lock = std::fs::File::options().write(true).open(path).unwrap();
    lock.lock().unwrap();
    let shown = sealed.done(&["status"]);
    assert!(
        shown.contains("locked    by process ") && shown.contains(" since 2026-03-05"),
        "{shown}"
    );
    let late = ["--now", "2026-03-05T15:00:00Z", "doctor"];
    let output = sealed.command().args(late).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains("the store is locked by process") && shown.contains("3h"), "{shown}");
}

#[test]
fn a_store_is_a_folder_or_a_bucket_and_no_other_address() {
    let sealed = Sealed::new();
    for command in [&["status"][..], &["ingest", "samples/acct"], &["providers"], &["verify"]] {
        for store in ["gs+x://b", "https://example.com/store"] {
            let run = sealed.run(&[&["--store", store], command].concat());
            assert!(
                run.code == Some(2) && run.stderr.contains("a folder of this machine"),
                "{run:?}"
            );
        }
    }
    assert!(!root().join("s3:").exists());
}

/// Needs root, as which what it tests happens; elsewhere there is no such fault to be seen.
#[test]
fn what_root_makes_belongs_to_the_owner_of_the_store() {
    use std::os::unix::fs::{MetadataExt, chown};
    let sealed = Sealed::of_samples();
    let all = || {
        let pattern = sealed.store().join("**/*");
        let all = glob::glob(pattern.to_str().unwrap()).unwrap().map(Result::unwrap);
        all.chain([sealed.store()]).collect::<Vec<_>>()
    };
    let owner = std::fs::metadata(sealed.store()).unwrap().uid();
    let other = if owner == 0 { 65534 } else { owner };
    all().iter().for_each(|path| chown(path, Some(other), None).unwrap());
    sealed.done(&["ingest", "-q", "samples/quirks/quirk-offsets.csv"]);
    sealed.done(&["compact", "-q", "--day", "2026-03-01"]);
    for path in all() {
        assert_eq!(std::fs::metadata(&path).unwrap().uid(), other, "{}", path.display());
    }
}
