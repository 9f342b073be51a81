//! The Delta log beside a store says what the store does, whatever happens in between, to a reader that
//! knows nothing else.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::integrity::one;
use crate::life::{copy, pieces, verify};
use crate::readers::python;
use crate::sealed::{Sealed, root};

const TABLES: [&str; 2] = ["records", "hourly"];

/// The paths that all versions of a log come to, in the partitions of the table.
fn logged(sealed: &Sealed, table: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for version in 0.. {
        let log = sealed.store().join(table).join("_delta_log");
        let path = log.join(format!("{version:020}.json"));
        let Ok(text) = std::fs::read_to_string(&path) else {
            assert!(version > 0, "{} has no version", log.display());
            break;
        };
        for line in text.lines() {
            let action: Value = serde_json::from_str(line).unwrap();
            let path = |of: &str| action[of]["path"].as_str().map(str::to_owned);
            if let Some(path) = path("add") {
                let file = sealed.store().join(table).join(&path);
                if let Ok(meta) = file.metadata() {
                    assert_eq!(action["add"]["size"], meta.len(), "{path}");
                }
                assert!(paths.insert(path), "{line} of version {version} is there already");
            }
            if let Some(path) = path("remove") {
                assert!(paths.remove(&path), "{line} of version {version} is not there");
            }
        }
    }
    paths
}

/// The files that lie in the partitions of a table.
fn there(sealed: &Sealed, table: &str) -> BTreeSet<String> {
    let folder = sealed.store().join(table);
    let files = glob::glob(folder.join("date=*/*.parquet").to_str().unwrap()).unwrap();
    let name = |path: PathBuf| path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
    files.map(|path| name(path.unwrap())).collect()
}

fn assert_current(sealed: &Sealed, when: &str) {
    for table in TABLES {
        assert_eq!(logged(sealed, table), there(sealed, table), "{table} {when}");
    }
}

/// What two real readers of Delta tables count, which agree: by table the rows and the version.
fn read(store: &Path) -> Value {
    python("delta.py", &[store])
}

#[test]
fn each_commit_is_a_version_that_readers_of_delta_tables_count_as_the_store_does_at_scale() {
    let sealed = Sealed::new();
    let pieces = pieces(&sealed, 60);
    assert!(pieces.len() > 70, "a checkpoint needs 50 versions, not {}", pieces.len());
    sealed.ingest(&[&pieces[0]]);
    sealed.done(&["delta", "-q"]);
    for piece in &pieces[1..] {
        sealed.ingest(&[piece]);
    }
    assert_current(&sealed, "after many commits");
    sealed.done(&["forget", "-q", "--rcpt", "ines.braun@gmail.com", "--yes"]);
    sealed.done(&["compact", "-q", "--day", "2026-03-01,2026-03-02"]);
    sealed.done(&["prune", "-q", "--keep", "records=2d", "--yes"]);
    assert_current(&sealed, "after an erasure, a compaction and a prune");
    assert_eq!(verify(&sealed, &[]).0, Some(0));

    let counted = read(&sealed.store());
    for table in TABLES {
        let rows = sealed.number(&format!("select count(*) from {table}"));
        assert_eq!(counted[table]["rows"], rows, "{table}");
    }
    let by_rec = sealed.done(&[
        "sql",
        "--format",
        "csv",
        "-q",
        "select rec, count(*) from records group by 1 order by 1",
    ]);
    assert_eq!(counted["records"]["by_rec"], by_rec.split_once('\n').unwrap().1);

    // The checkpoint holds what the versions before it say.
    let cut = Sealed::new();
    copy(&sealed.store(), &cut.store());
    for version in 0..50 {
        std::fs::remove_file(cut.store().join(format!("records/_delta_log/{version:020}.json")))
            .unwrap();
    }
    assert_eq!(read(&cut.store())["records"], counted["records"]);

    sealed.done(&["delta", "-q", "--stop"]);
    assert!(!sealed.store().join("records/_delta_log").exists());
    assert_eq!(verify(&sealed, &[]).0, Some(0));
}

#[test]
fn a_kill_at_any_step_leaves_a_log_that_the_next_commit_makes_right_at_scale() {
    let [first, second, third] = ["quirk-absurd-times", "quirk-offsets", "quirk-other-order"]
        .map(|name| root().join(format!("samples/quirks/{name}.csv")));
    let whole = Sealed::new();
    whole.ingest(&[&first]);
    whole.done(&["delta", "-q"]);
    let mut killed = 0;
    for step in 1.. {
        let sealed = Sealed::new();
        copy(&whole.store(), &sealed.store());
        let status = sealed
            .command()
            .args(["--now", "2026-03-05T12:00:00Z", "--threads", "2"])
            .args(["ingest", "-q", "--kill-at", &step.to_string(), second.to_str().unwrap()])
            .status()
            .unwrap();
        sealed.ingest(&[&second]);
        assert_current(&sealed, &format!("killed at step {step}, then run again"));
        sealed.ingest(&[&third]);
        assert_current(&sealed, &format!("killed at step {step}, then more"));
        if status.signal() != Some(9) {
            break;
        }
        killed += 1;
    }
    assert!(killed > 20, "only {killed} steps");
}

#[test]
fn a_log_that_is_lost_or_not_to_be_trusted_begins_anew_at_scale() {
    let sealed = Sealed::new();
    let sample = root().join("samples/acct");
    let file = |day: u32| sample.join(format!("acct-2026-03-0{day}-0000.csv"));
    sealed.ingest(&[&file(1)]);
    sealed.done(&["delta", "-q", "--table", "records,hourly"]);
    std::fs::remove_file(one(&sealed, "records/_delta_log/*.json")).unwrap();
    sealed.ingest(&[&file(2)]);
    assert_current(&sealed, "after its newest version was lost");
    // The root is made from the lists, which know of no log.
    for name in ["root.json", "root.copy.json"] {
        std::fs::write(sealed.store().join("_pmtaq").join(name), "{").unwrap();
    }
    assert_eq!(verify(&sealed, &["--repair"]).0, Some(0));
    sealed.ingest(&[&file(3)]);
    assert_current(&sealed, "after the root was made anew");
    assert_eq!(verify(&sealed, &[]).0, Some(0));
    assert_eq!(read(&sealed.store())["records"]["rows"], 6000);
}
