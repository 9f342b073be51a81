//! The store alone, without CSV and without a query engine.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may fail loudly")]

use arrow::array::RecordBatch;
use pmtaq_schema::time::Day;
use pmtaq_schema::{Timestamp, Window};
use pmtaq_store::layout::Table;
use pmtaq_store::{Change, Disk, Error, Fault, Ledger, Source, Store, schema_of};

fn source(name: &str, read: u64) -> Source {
    let ledger = Ledger { read, duplicate: 2, ..Ledger::default() };
    let (head, hash) = (format!("head of {name}"), format!("hash of {name}"));
    Source { name: name.to_owned(), head, hash, ledger, ..Source::default() }
}

/// A change that adds an empty part for each of `days`, and a source.
fn change(writer: &pmtaq_store::Writer<'_>, days: &[i64], source: Source) -> Change {
    let mut change = Change::default();
    for &day in days {
        let mut part = writer.stage(Table::Records, Day(day)).unwrap();
        let noon = Day(day).start().0 + 43_200;
        part.write(&RecordBatch::new_empty(schema_of(Table::Records)), noon, noon).unwrap();
        change.parts.push(part.finish().unwrap());
    }
    change.sources.push((Day(days[0]), source, None));
    change
}

#[test]
fn an_unbalanced_ledger_is_refused_before_anything_changes() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path(), Disk::default()).unwrap();
    let mut writer = store.lock("the test").unwrap();
    let unbalanced = change(&writer, &[20_000], source("acct.csv", 3));
    let error = writer.commit(unbalanced).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the ledger of acct.csv does not balance: 3 read, but 0 stored + 2 duplicate + 0 rejected"
    );
    assert_eq!(store.snapshot(Window::ALL).unwrap().generation, 0);
    assert_eq!(store.audit().unwrap().sources, 0);
}

#[test]
fn a_snapshot_holds_the_days_of_its_window_and_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path(), Disk::default()).unwrap();
    let mut writer = store.lock("the test").unwrap();
    let first = change(&writer, &[20_000, 20_001, 20_002], source("a.csv", 2));
    writer.commit(first).unwrap();
    let day = |n: i64| Day(n).start();
    let window = Window { since: day(20_001), until: day(20_002) };
    let before = store.snapshot(window).unwrap();
    assert_eq!(before.parts.iter().map(|p| p.day).collect::<Vec<_>>(), [Day(20_001)]);
    assert!(before.parts[0].path.is_file());

    let second = change(&writer, &[20_001], source("b.csv", 2));
    writer.commit(second).unwrap();
    assert!(before.parts[0].path.is_file(), "a commit took a part from a reader");
    assert_eq!(store.snapshot(window).unwrap().parts.len(), 2);
    // Within the day, a window before the part's times needs no part.
    let morning = Window { since: day(20_001), until: Timestamp(day(20_001).0 + 3600) };
    assert_eq!(store.snapshot(morning).unwrap().of(Table::Records, morning).count(), 0);
    assert_eq!(store.audit().unwrap().sources, 2);
}

#[test]
fn a_store_of_a_later_version_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    Store::create(folder.path(), Disk::default()).unwrap();
    let root = folder.path().join("_pmtaq/root.json");
    let text = r#"{"version":9,"generation":3,"days":{},"moves":[]}"#;
    std::fs::write(&root, text).unwrap();
    let store = Store::open(folder.path()).unwrap();
    let error = store.snapshot(Window::ALL).unwrap_err();
    assert!(matches!(error, Error::FromTheFuture { found: 9, known: 5, .. }), "{error}");
    assert!(store.lock("the test").is_err());
    assert_eq!(std::fs::read_to_string(&root).unwrap(), text);
}

#[test]
fn a_folder_with_other_things_is_not_made_a_store() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path()).unwrap();
    std::fs::write(folder.path().join("thesis.tex"), "").unwrap();
    let error = Store::create(folder.path(), Disk::default()).unwrap_err();
    assert!(matches!(error, Error::Occupied { .. }), "{error}");
    assert!(matches!(Store::open(folder.path()), Err(Error::Missing { .. })));
}

#[test]
fn a_full_disk_at_any_step_leaves_the_old_or_the_new_generation_at_scale() {
    for step in 1.. {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path(), Disk::default()).unwrap();
        let mut writer = store.lock("the test").unwrap();
        let first = change(&writer, &[20_000], source("a.csv", 2));
        writer.commit(first).unwrap();
        drop(writer);
        let failing = Store::create(folder.path(), Disk::failing(Fault::FullAt(step))).unwrap();
        let result = failing.lock("the test").and_then(|mut writer| {
            let mut part = writer.stage(Table::Records, Day(20_001))?;
            part.write(&RecordBatch::new_empty(schema_of(Table::Records)), 0, 0)?;
            let change = Change { parts: vec![part.finish()?], ..Change::default() };
            writer.commit(change)
        });
        let parts = store.snapshot(Window::ALL).unwrap().parts;
        assert!(parts.iter().all(|part| part.path.is_file()), "step {step}");
        match result {
            Ok(()) => {
                assert_eq!(parts.len(), 2);
                assert!(step > 10, "only {step} steps");
                return;
            }
            Err(_) => assert!(matches!(parts.len(), 1 | 2), "step {step}"),
        }
    }
}

#[test]
fn only_the_owner_and_his_group_may_look_into_a_store() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("store"), Disk::default()).unwrap();
    let mut writer = store.lock("the test").unwrap();
    let first = change(&writer, &[20_000], source("a.csv", 2));
    writer.commit(first).unwrap();
    let mut paths = vec![folder.path().join("store")];
    let mut files = 0;
    while let Some(path) = paths.pop() {
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o027, 0, "{} has mode {mode:o}", path.display());
        match std::fs::read_dir(&path) {
            Ok(entries) => paths.extend(entries.map(|entry| entry.unwrap().path())),
            Err(_) => files += 1,
        }
    }
    assert!(files >= 5, "only {files} files");
}
