//! Whatever a folder may hold: a clear word or a counted reject, never a panic, never silence.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use crate::sealed::{Run, Sealed, golden, root};

const HEADER: &str = "type,timeLogged,rcpt,dsnDiag\r\n";

fn row(n: usize) -> String {
    format!("d,2026-01-05 10:00:00+0000,u{n}@example.org,smtp;250 ok\r\n")
}

#[test]
fn garbage_is_named_and_the_good_files_beside_it_are_taken() {
    let sealed = Sealed::new();
    let run = sealed.run(&[
        "ingest",
        "samples/garbage",
        "samples/quirks/quirk-lf-line-ends.csv",
        "no/such/file",
    ]);
    assert!(!run.stderr.contains("panicked"));
    golden("garbage/samples.txt", &run.transcript());
    // What a cut gzip file holds before the cut is stored, and the rest is told of.
    assert!(sealed.number("select count(*) from records") > 2);
}

#[test]
fn a_line_of_100_mb_is_one_reject_and_costs_no_memory() {
    let sealed = Sealed::new();
    let mut content = Vec::from(HEADER);
    content.extend_from_slice(row(1).as_bytes());
    content.extend_from_slice(b"d,2026-01-05 10:00:00+0000,");
    content.resize(content.len() + 100_000_000, b'x');
    content.extend_from_slice(b"\r\n");
    content.extend_from_slice(row(2).as_bytes());
    let path = sealed.file("acct-long.csv", content);
    assert_eq!(sealed.ingest(&[&path]).counts(), (3, 2, 0, 1));
    let told = sealed.done(&[
        "sql",
        "select line, size_bytes, strlen(raw), reason from rejects",
        "--format",
        "csv",
    ]);
    assert_eq!(
        told,
        "line,size_bytes,strlen(raw),reason\n3,100000029,65536,line is longer than 16 MiB\n"
    );
}

#[test]
fn a_folder_without_permission_is_an_error_with_its_name() {
    let sealed = Sealed::new();
    let path = sealed.file("locked/acct.csv", HEADER);
    let folder = path.parent().unwrap().to_owned();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o000)).unwrap();
    let run = sealed.run(&["ingest", folder.to_str().unwrap()]);
    let readable = std::fs::read_dir(&folder).is_ok();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    // The superuser may read everything: then the header alone is what is told.
    let expected = if readable { "holds no record" } else { "Permission denied" };
    assert!(run.stderr.contains(expected), "{run:?}");
}

#[test]
fn random_bytes_behind_a_header_balance() {
    let sealed = Sealed::new();
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as u8
    };
    let mut content = Vec::from(HEADER);
    for n in 0..2000 {
        content.extend_from_slice(row(n).as_bytes());
        for _ in 0..n % 40 {
            content.push(noise());
        }
        if n % 3 == 0 {
            content.write_all(b"\n").unwrap();
        }
    }
    let path = sealed.file("acct-noise.csv", content);
    let (read, stored, _, rejected) = sealed.ingest(&[&path]).counts();
    assert!(read > 2000 && stored > 500 && rejected > 500, "{read} {stored} {rejected}");
    assert_eq!(sealed.number("select count(*) from records"), stored as i64);
    assert_eq!(sealed.number("select count(*) from rejects"), rejected as i64);
}

#[test]
fn a_file_without_a_header_says_what_it_begins_with() {
    let Run { stderr, code, .. } =
        Sealed::new().run(&["ingest", "samples/garbage/garbage-other.csv"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("no header line: the file begins with `name;age`"), "{stderr}");
    assert!(root().join("samples/garbage/garbage-other.csv").exists());
}
