//! A session is of one snapshot, whatever commits come after it; and parts may be of any age.
#![expect(clippy::disallowed_methods, reason = "plays the commits that come in between")]

use std::path::PathBuf;

use pmtaq_query::{Error, Limits};
use pmtaq_schema::Window;

use crate::fixture::{Stored, sql};

const RECORDS: &str = "select count(*), count(distinct time_logged) from records";
const REJECTS: &str = "select count(*), count(distinct line) from rejects";

#[test]
fn parts_that_a_commit_deletes_are_read_on() {
    let stored = Stored::day();
    let session = stored.session();
    let parts = stored.parts();
    assert_eq!(parts.len(), 3, "of records, hourly and rejects");
    for path in parts {
        std::fs::remove_file(path).expect("deleted");
    }
    assert_eq!(sql(&session, RECORDS).expect("an answer"), ["15 | 15"]);
    assert_eq!(sql(&session, REJECTS).expect("an answer"), ["2 | 2"]);
    // A new session says what is gone.
    let error = stored.try_session().map(|_| ()).expect_err("nothing to read");
    assert!(matches!(&error, Error::Vanished(_)), "{error}");
    assert!(error.to_string().ends_with(".parquet is gone"), "{error}");
    // What is open is no way out.
    for file in ["fd/0", "fd/1", "environ", "fd/../environ", "cwd/Cargo.toml", "root/etc/passwd"] {
        let text = format!("select * from read_text('/proc/{}/{file}')", std::process::id());
        assert!(sql(&session, &text).is_err(), "{file}");
    }
}

#[test]
fn parts_on_their_way_are_read_before_and_after_they_move() {
    let stored = Stored::day();
    // As a kill leaves the parts of the last commit: decided, and not yet moved.
    let staging = stored.dir().join("_pmtaq/staging");
    let moved: Vec<(PathBuf, PathBuf)> = stored
        .parts()
        .into_iter()
        .filter(|path| path.to_string_lossy().contains("/rejects/"))
        .map(|path| (staging.join(path.file_name().expect("a name")), path))
        .collect();
    for (staged, settled) in &moved {
        std::fs::rename(settled, staged).expect("back in staging");
    }
    let session = stored.session();
    assert_eq!(sql(&session, REJECTS).expect("an answer"), ["2 | 2"]);
    let session = stored.session();
    for (staged, settled) in &moved {
        std::fs::rename(staged, settled).expect("moved");
    }
    assert_eq!(sql(&session, REJECTS).expect("an answer"), ["2 | 2"]);
    for (_, settled) in &moved {
        std::fs::remove_file(settled).expect("deleted");
    }
    assert_eq!(sql(&session, REJECTS).expect("an answer"), ["2 | 2"]);
}

#[test]
fn a_part_of_an_older_version_is_null_in_the_columns_that_it_lacks() {
    let stored = Stored::day();
    let parts = stored.parts();
    let path = parts.iter().find(|path| path.to_string_lossy().contains("/records/"));
    let path = path.expect("a part of records").to_string_lossy().replace('\'', "''");
    duckdb::Connection::open_in_memory()
        .expect("a shell")
        .execute_batch(&format!(
            "copy (select 'x' as unheard_of, 'old@example.org' as rcpt,
             timestamp '2026-03-01 10:00:00' as time_logged) to '{path}' (format parquet)"
        ))
        .expect("an old part");
    // As if it had been written so.
    let mut snapshot = stored.snapshot(Window::ALL);
    for part in &mut snapshot.parts {
        part.part.bytes = std::fs::metadata(&part.path).expect("a part").len();
    }
    let session = Stored::try_open_of(&snapshot, Window::ALL, "UTC", &Limits::new(2, 500_000_000));
    let session = session.expect("a session");
    let old = "select rcpt, vmta, smtp_code, extra, time_queued from records";
    assert_eq!(sql(&session, old).expect("an answer"), ["old@example.org | - | - | - | -"]);
    assert!(sql(&session, "select unheard_of from records").is_err());
}
