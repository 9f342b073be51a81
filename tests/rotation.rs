//! What a folder of rotated files holds, and what must come of it. That each record counts once
//! however files rotate meanwhile is tested in crates/ingest/tests/rotation.rs.

use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::sealed::{Run, Sealed};

const HEADER: &str = "type,timeLogged,rcpt,dsnDiag\r\n";

fn row(n: usize) -> String {
    let (minute, second) = (n / 60 % 60, n % 60);
    format!("d,2026-01-05 10:{minute:02}:{second:02}+0000,u{n}@example.org,smtp;250 ok\r\n")
}

fn content(rows: std::ops::Range<usize>) -> String {
    HEADER.to_owned() + &rows.map(row).collect::<String>()
}

fn ingest(sealed: &Sealed, path: &Path) -> Run {
    sealed.run(&["ingest", path.to_str().unwrap()])
}

fn records(sealed: &Sealed) -> i64 {
    sealed.number("select count(*) from records")
}

#[test]
fn a_folder_gives_the_files_that_logrotate_and_pmta_named() {
    let sealed = Sealed::new();
    let live = sealed.file("spool/acct.csv", content(0..39));
    let spool = live.parent().unwrap();
    assert_eq!(ingest(&sealed, spool).code, Some(0));
    sealed.file("spool/acct.csv", content(0..59));
    std::fs::rename(&live, spool.join("acct.csv.1")).unwrap();
    sealed.file("spool/acct.csv", content(59..79));
    let names =
        ["ACCT.CSV", "acct.csv-20260301", "acct.csv.2026-03-02", "acct.csv.3", "acct-1.csv"];
    for (i, name) in names.into_iter().enumerate() {
        sealed.file(&format!("spool/{name}"), content(100 + 10 * i..110 + 10 * i));
    }
    let run = ingest(&sealed, spool);
    assert_eq!(run.code, Some(0));
    assert!(!run.stderr.contains("skipped"), "{run:?}");
    assert_eq!(records(&sealed), 129);
}

#[test]
fn what_is_passed_over_for_its_name_is_counted_and_named() {
    let sealed = Sealed::new();
    let spool = sealed.file("spool/acct.csv", content(0..5));
    for name in ["acct.csv.tmp", ".acct.csv", "acct.csv~", ".old/acct.csv"] {
        sealed.file(&format!("spool/{name}"), content(10..15));
    }
    sealed.file("spool/pmta.log", "2026-01-05 10:00:00 started\n");
    sealed.file("spool/notes.txt", "type, and other words\n");
    let spool = spool.parent().unwrap();
    // What is no regular file is not opened, whatever its name.
    let _socket = std::os::unix::net::UnixListener::bind(spool.join("z.csv")).unwrap();
    let run = ingest(&sealed, spool);
    let said = "7 files skipped, by name or for not beginning as an accounting file: .acct.csv, .old, acct.csv.tmp, \
                acct.csv~, notes.txt, pmta.log, z.csv; name a file itself to be told why\n";
    assert!(run.stderr.contains(said), "{run:?}");
    assert_eq!((run.code, records(&sealed)), (Some(0), 5));
    // And remembered by those who say what is missing.
    let status = sealed.done(&["status"]);
    assert!(
        status.contains(
            "skipped   7 by the last ingest of a folder, by name or beginning: .acct.csv"
        )
    );
    assert!(status.contains("missing   none, of those that were not skipped\n"), "{status}");
    let doctor = sealed.run(&["doctor"]).stdout;
    assert!(doctor.contains("lacks    7 files skipped by the last ingest of a folder"), "{doctor}");
    // Whoever names a file means it.
    assert_eq!(ingest(&sealed, &spool.join("acct.csv.tmp")).code, Some(0));
    assert_eq!(records(&sealed), 10);
    let names =
        ["pmta.log", "acct.csv.tmp", ".acct.csv", "acct.csv~", "notes.txt", ".old/acct.csv"];
    for name in names {
        std::fs::remove_file(spool.join(name)).unwrap();
    }
    std::fs::remove_dir(spool.join(".old")).unwrap();
    std::fs::remove_file(spool.join("z.csv")).unwrap();
    ingest(&sealed, spool);
    assert!(!sealed.done(&["status"]).contains("skipped"));
}

#[test]
fn what_one_folder_skipped_is_known_after_the_ingest_of_another() {
    let sealed = Sealed::new();
    let [a, b] = ["a", "b"].map(|name| {
        sealed.file(&format!("{name}/notes-{name}.txt"), "notes\n");
        sealed.dir.path().join(name)
    });
    let status = || sealed.done(&["status"]);
    ingest(&sealed, &a);
    ingest(&sealed, &b);
    assert!(status().contains("skipped   2 by the last ingest of a folder"), "{}", status());
    assert!(status().contains("notes-a.txt, notes-b.txt"), "{}", status());
    std::fs::remove_file(a.join("notes-a.txt")).unwrap();
    ingest(&sealed, &a);
    assert!(status().contains("skipped   1 by the last ingest of a folder"), "{}", status());
    // A folder that is gone holds nothing any more.
    std::fs::remove_dir_all(b).unwrap();
    ingest(&sealed, &a);
    assert!(!status().contains("skipped"), "{}", status());
}

#[test]
fn links_that_lead_in_circles_are_followed_once() {
    let sealed = Sealed::new();
    let file = sealed.file("spool/acct.csv", content(0..5));
    let spool = file.parent().unwrap();
    symlink(".", spool.join("a")).unwrap();
    symlink(".", spool.join("b")).unwrap();
    let begun = Instant::now();
    let run = ingest(&sealed, spool);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(run.stderr.contains("sources   1 (1 new"), "{run:?}");
}

#[test]
fn a_quiet_run_says_nothing_of_an_empty_folder_or_of_another_run() {
    let sealed = Sealed::new();
    let file = sealed.file("spool/acct.csv", content(0..5));
    let spool = file.parent().unwrap().to_str().unwrap();
    std::fs::remove_file(&file).unwrap();
    for input in [spool.to_owned(), format!("{spool}/acct-*.csv")] {
        let run = sealed.run(&["ingest", &input]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(run.stderr.contains(": holds no file to take\n"), "{run:?}");
        let quiet = sealed.run(&["ingest", "--quiet", &input]);
        assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""));
    }
    // What is not there at all is a slip of the pen.
    for input in ["no/such/folder", "no/such/acct-*.csv"] {
        let run = sealed.run(&["ingest", "--quiet", input]);
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains("names no file"), "{run:?}");
    }

    let lock = sealed.store().join("_pmtaq/lock");
    let lock = std::fs::File::options().write(true).open(lock).unwrap();
    lock.lock().unwrap();
    let at = |now: &str| {
        let mut command = sealed.command();
        let output = command.args(["--now", now, "ingest", "--quiet", spool]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    lock.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_772_712_000)).unwrap();
    assert_eq!(at("2026-03-05T12:10:00Z"), (Some(3), String::new()));
    let (code, said) = at("2026-03-05T14:00:00Z");
    assert!(code == Some(3) && said.contains("the store is locked by "), "{said}");
    assert!(sealed.run(&["ingest", spool]).stderr.contains("the store is locked by "));
}

#[test]
fn files_that_share_their_first_record_are_taken_in_any_order() {
    let all = HEADER.to_owned() + &[7, 1, 2, 3, 4, 5, 6, 8].map(row).concat();
    let bounces = HEADER.to_owned() + &[7, 8].map(row).concat();
    for order in [[&all, &bounces], [&bounces, &all]] {
        let sealed = Sealed::new();
        for (i, content) in order.into_iter().enumerate() {
            let run = ingest(&sealed, &sealed.file(&format!("{i}.csv"), content));
            assert_eq!(run.code, Some(0), "{run:?}");
        }
        assert_eq!(records(&sealed), 10);
    }
}

#[test]
fn a_file_whose_old_lines_were_edited_is_said_to_be_another() {
    let sealed = Sealed::new();
    let path = sealed.file("acct.csv", content(0..20));
    ingest(&sealed, &path);
    let edited = content(0..25).replace("u3@", "someone@");
    let run = ingest(&sealed, &sealed.file("acct.csv", edited));
    assert!(run.stderr.contains("goes on otherwise: taken as another file"), "{run:?}");
    assert_eq!((run.code, records(&sealed)), (Some(0), 45));
}

#[test]
fn a_header_of_100_000_columns_is_refused_at_once() {
    let sealed = Sealed::new();
    let header = (0..100_000).map(|n| format!(",f{n}")).collect::<String>();
    let path = sealed.file("wide.csv", format!("type,timeLogged{header}\r\n{}", row(1)));
    let begun = Instant::now();
    let run = ingest(&sealed, &path);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(run.stderr.contains("the header has 100002 fields, and at most 2000"), "{run:?}");
}

#[test]
fn of_many_refused_lines_all_are_counted_and_the_first_kept_at_scale() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(content(0..3).as_bytes()).unwrap();
    (0..1_000_000).for_each(|n| gz.write_all(format!("x{n}\n").as_bytes()).unwrap());
    gz.write_all(row(3).as_bytes()).unwrap();
    let gz = gz.finish().unwrap();
    let kept = ["1", "2", "5"].map(|threads| {
        let sealed = Sealed::new();
        let path = sealed.file("acct.csv.gz", &gz);
        let path = path.to_str().unwrap();
        let run = sealed.run(&["ingest", "--threads", threads, path]);
        assert_eq!(run.code, Some(4));
        for said in [
            "records   1000004 read = 4 stored + 0 duplicate + 1000000 rejected",
            "so many lines were refused that the last 990000 are counted and not kept",
        ] {
            assert!(run.stderr.contains(said), "{run:?}");
        }
        sealed.done(&["verify", "-q"]);
        let doctor = sealed.run(&["doctor"]).stdout;
        assert!(doctor.contains("990,000 lines refused and not kept"), "{doctor}");
        let first = "select count(*), min(line), max(line), sum(hash(raw)) from rejects";
        sealed.done(&["sql", first, "--format", "csv"])
    });
    assert!(kept[0].contains("\n10000,5,10004,"), "{kept:?}");
    assert!(kept.iter().all(|of| *of == kept[0]), "{kept:?}");
}

#[test]
fn a_file_that_was_compressed_is_read_once_more_and_then_known_by_its_looks() {
    let sealed = Sealed::new();
    let age = |path: &Path| {
        let file = std::fs::File::options().append(true).open(path).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_768_000_000)).unwrap();
    };
    let path = sealed.file("spool/acct.csv", content(0..50));
    let spool = path.parent().unwrap();
    age(&path);
    // What is remembered of it: the name of the manifest, and the size in it.
    let remembered = || {
        let days = sealed.store().join("_pmtaq/days/2026-01-05/sources-*.json");
        let found = glob::glob(days.to_str().unwrap()).unwrap().next().unwrap().unwrap();
        let text = std::fs::read_to_string(&found).unwrap();
        let size = text.split("\"size\":").nth(1).unwrap().split([',', '}']).next().unwrap();
        (found, size.parse::<u64>().unwrap())
    };
    assert_eq!(sealed.ingest(&[spool]).counts(), (50, 50, 0, 0));
    assert_eq!(remembered().1, std::fs::metadata(&path).unwrap().len());
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(content(0..50).as_bytes()).unwrap();
    let gz = sealed.file("spool/acct.csv.gz", gz.finish().unwrap());
    age(&gz);
    // As long as the file is there that looks as remembered, nothing changes.
    let first = remembered();
    assert_eq!(sealed.ingest(&[spool]).counts(), (100, 0, 100, 0));
    assert_eq!(remembered(), first);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(sealed.ingest(&[spool]).counts(), (50, 0, 50, 0));
    let second = remembered();
    assert_eq!(second.1, std::fs::metadata(&gz).unwrap().len());
    assert_eq!(sealed.ingest(&[spool]).counts(), (50, 0, 50, 0));
    assert_eq!(remembered(), second);
}

#[test]
fn a_file_that_changed_a_moment_ago_is_not_known_by_its_looks() {
    let sealed = Sealed::new();
    let path = sealed.file("acct.csv", content(0..50));
    // The clock of the file stands still while its content changes, and so does its length.
    let now = std::time::UNIX_EPOCH + Duration::from_secs(1_772_712_000);
    let touch = || {
        std::fs::File::options().append(true).open(&path).unwrap().set_modified(now).unwrap();
    };
    touch();
    assert_eq!(sealed.ingest(&[&path]).counts(), (50, 50, 0, 0));
    let other = content(0..50).replace("u49@", "u99@");
    std::fs::write(&path, other).unwrap();
    touch();
    assert_eq!(sealed.ingest(&[&path]).counts(), (50, 50, 0, 0));
    assert_eq!(sealed.number("select count(*) from records where rcpt = 'u99@example.org'"), 1);
}
