//! Exactly once: a record counts once, whatever its file is called and however often it is seen.

use std::path::Path;

use crate::sealed::{Sealed, root};

const HEADER: &str = "type,timeLogged,rcpt,dsnDiag\r\n";

fn row(n: usize) -> String {
    format!(
        "d,2026-01-05 10:{:02}:{:02}+0000,u{n}@example.org,smtp;250 ok\r\n",
        n / 60 % 60,
        n % 60
    )
}

fn content(rows: std::ops::Range<usize>) -> String {
    HEADER.to_owned() + &rows.map(row).collect::<String>()
}

fn distinct(sealed: &Sealed) -> (i64, i64) {
    (
        sealed.number("select count(*) from records"),
        sealed.number("select count(distinct rcpt) from records"),
    )
}

#[test]
fn the_second_ingest_changes_nothing_and_says_so() {
    let sealed = Sealed::new();
    let samples = root().join("samples/acct");
    assert_eq!(sealed.ingest(&[&samples]).counts(), (6000, 6000, 0, 0));
    assert_eq!(sealed.ingest(&[&samples]).counts(), (6000, 0, 6000, 0));
    let run = sealed.run(&["ingest", samples.to_str().unwrap()]);
    assert!(
        run.stderr
            .contains("sources   3 (0 new, 0 grown, 3 known, 0 empty, 0 refused); nothing new"),
        "{run:?}"
    );
    assert_eq!(run.code, Some(0));
}

#[test]
fn a_renamed_copied_or_compressed_file_is_the_same_file() {
    let sealed = Sealed::new();
    let original = sealed.file("a/acct-1.csv", content(0..50));
    assert_eq!(sealed.ingest(&[&original]).counts(), (50, 50, 0, 0));
    let copy = sealed.file("b/other.csv", content(0..50));
    let zst =
        sealed.file("b/acct-1.csv.zst", zstd::encode_all(content(0..50).as_bytes(), 1).unwrap());
    assert_eq!(sealed.ingest(&[&copy, &zst]).counts(), (100, 0, 100, 0));
    let moved = sealed.dir.path().join("moved.csv");
    std::fs::rename(&original, &moved).unwrap();
    assert_eq!(sealed.ingest(&[&moved]).counts(), (50, 0, 50, 0));
    assert_eq!(distinct(&sealed), (50, 50));
}

#[test]
fn two_copies_in_one_run_count_once() {
    let sealed = Sealed::new();
    let one = sealed.file("acct-1.csv", content(0..50));
    let same = sealed.file("acct-2.csv", content(0..50));
    let shorter = sealed.file("acct-0.csv", content(0..20));
    assert_eq!(sealed.ingest(&[&one, &same, &shorter]).counts(), (120, 50, 70, 0));
    assert_eq!(distinct(&sealed), (50, 50));
}

#[test]
fn a_day_has_no_more_parts_than_threads_however_many_machines_have_files_of_it_at_scale() {
    let sealed = Sealed::new();
    for (machine, day) in (0..4).flat_map(|machine| (0..120).map(move |day| (machine, day))) {
        let date = format!("2025-{:02}-{:02}", day / 28 + 1, day % 28 + 1);
        let row = format!("d,{date} 10:00:00+0000,u{machine}@example.org,smtp;250 ok\r\n");
        sealed.file(&format!("acct/mta{machine}-{date}.csv"), HEADER.to_owned() + &row);
    }
    assert_eq!(sealed.ingest(&[&sealed.dir.path().join("acct")]).counts(), (480, 480, 0, 0));
    let days = std::fs::read_dir(sealed.store().join("records")).unwrap();
    let parts = days.map(|day| std::fs::read_dir(day.unwrap().path()).unwrap().count());
    let parts: Vec<usize> = parts.collect();
    assert_eq!(parts.len(), 120);
    assert!(parts.iter().all(|&parts| parts <= 2), "{parts:?}");
}

#[test]
fn a_grown_file_gives_its_new_records_only() {
    let sealed = Sealed::new();
    let path = sealed.file("acct.csv", content(0..10));
    sealed.ingest(&[&path]);
    sealed.file("acct.csv", content(0..25));
    assert_eq!(sealed.ingest(&[&path]).counts(), (25, 15, 10, 0));
    // And once more, over a header that came anew.
    sealed.file("acct.csv", content(0..25) + &content(25..30));
    assert_eq!(sealed.ingest(&[&path]).counts(), (30, 5, 25, 0));
    assert_eq!(sealed.ingest(&[&path]).counts(), (30, 0, 30, 0));
    assert_eq!(distinct(&sealed), (30, 30));
}

#[test]
fn a_line_still_being_written_waits_for_its_end() {
    let sealed = Sealed::new();
    let torn = content(0..10) + &row(10)[..30];
    let path = sealed.file("acct.csv", torn);
    // The file is minutes old by the clock of the test.
    let minutes_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_772_711_900);
    let touch = || {
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(minutes_ago).unwrap()
    };
    touch();
    assert_eq!(sealed.ingest(&[&path]).counts(), (10, 10, 0, 0));
    sealed.file("acct.csv", content(0..12));
    touch();
    assert_eq!(sealed.ingest(&[&path]).counts(), (12, 2, 10, 0));
    assert_eq!(distinct(&sealed), (12, 12));
}

#[test]
fn another_file_of_the_same_name_is_another_file() {
    let sealed = Sealed::new();
    let path = sealed.file("acct.csv", content(0..10));
    sealed.ingest(&[&path]);
    sealed.file("acct.csv", content(100..130));
    assert_eq!(sealed.ingest(&[&path]).counts(), (30, 30, 0, 0));
    assert_eq!(distinct(&sealed), (40, 40));
}

#[test]
fn files_that_begin_alike_and_differ_later_are_both_taken() {
    let sealed = Sealed::new();
    let one = sealed.file("acct-a.csv", content(0..10) + &row(11));
    let other = sealed.file("acct-b.csv", content(0..1) + &row(20) + &row(21));
    assert_eq!(sealed.ingest(&[&one, &other]).counts(), (14, 14, 0, 0));
}

#[test]
fn a_truncated_copy_is_not_counted_twice_and_not_passed_over_in_silence() {
    let sealed = Sealed::new();
    let path = sealed.file("acct.csv", content(0..50));
    sealed.ingest(&[&path]);
    let copy = sealed.file("copy.csv", content(0..20));
    let run = sealed.run(&["ingest", copy.to_str().unwrap()]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("begins like acct.csv"), "{run:?}");
    assert_eq!(distinct(&sealed), (50, 50));
}

#[test]
fn a_copy_with_other_line_ends_is_the_same_file_in_any_order_at_scale() {
    // What begins with a record of its own, quotes a line end, and ends in the midst of a buffer.
    let quoted = row(7).replace("smtp;250 ok", "\"smtp;250 two\r\nlines\"");
    let long: String = (0..9000).map(row).collect();
    for text in [content(0..1), content(0..3), content(0..40) + &quoted, content(0..1) + &long] {
        let crlf = text.replace("\r\n", "\n").replace('\n', "\r\n");
        let lf = crlf.replace("\r\n", "\n");
        let n = crlf.matches(",smtp").count() as u64 + crlf.matches("\"smtp").count() as u64;
        let sealed = Sealed::new();
        let paths = [sealed.file("one/acct.csv", &crlf), sealed.file("two/acct.csv", &lf)];
        for order in [[0, 1], [1, 0]] {
            let other = Sealed::new();
            for (nth, at) in order.into_iter().enumerate() {
                let stored = if nth == 0 { n } else { 0 };
                assert_eq!(
                    other.ingest(&[&paths[at]]).counts(),
                    (n, stored, n - stored, 0),
                    "{order:?}"
                );
            }
        }
        assert_eq!(sealed.ingest(&[&paths[0], &paths[1]]).counts(), (2 * n, n, n, 0));
        assert_eq!(sealed.ingest(&[&paths[1], &paths[0]]).counts(), (2 * n, 0, 2 * n, 0));
    }
}

#[test]
fn a_file_larger_than_many_chunks_is_read_by_all_threads_alike_at_scale() {
    let counts: Vec<String> = ["1", "2", "7"]
        .iter()
        .map(|threads| {
            let sealed = Sealed::new();
            let path = sealed.file("acct.csv", content(0..300_000));
            let path = path.to_str().unwrap();
            sealed.done(&["ingest", "-q", "--threads", threads, path]);
            sealed.done(&[
                "sql",
                "select count(*), count(distinct rcpt), sum(hash(rcpt)) from records",
                "--format",
                "csv",
            ])
        })
        .collect();
    assert!(counts[0].contains("300000,300000"), "{}", counts[0]);
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

#[test]
fn little_memory_gives_the_same_rows_and_too_little_is_refused_at_scale() {
    let state = "select count(*), sum(hash(rec, time_logged, orig, rcpt, dsn_diag, template, extra,
                 provider, vmta, source)) from records";
    let told = |memory: &str, paths: &[&str]| {
        let sealed = Sealed::new();
        let args = ["ingest", "-q", "--memory", memory, "--max-rejects", "999999"];
        let run = sealed.run(&[&args[..], paths].concat());
        let rows = sealed.done(&["sql", state, "--format", "csv"]);
        let rejects = "select count(*), sum(hash(line, byte_offset, reason, raw)) from rejects";
        let rejects = sealed.done(&["sql", rejects, "--format", "csv"]);
        let hourly = "select sum(records), sum(bytes), sum(latency_sum) from hourly";
        (run.code, rows, rejects, sealed.done(&["sql", hourly, "--format", "csv"]), run.stderr)
    };
    // Many days at once, and more refused lines than are held.
    let sealed = Sealed::new();
    let days = (0..20_000).map(|n| {
        let (month, day) = (n % 12 + 1, n % 28 + 1);
        format!("d,2026-{month:02}-{day:02} 10:00:00+0000,u{n}@example.org,smtp;250 ok {n}\r\n")
    });
    let bad = (0..40_000).map(|n| format!("d,never,u{n}@example.org,{}\r\n", "x".repeat(n % 90)));
    let mixed = HEADER.to_owned() + &days.chain(bad).collect::<String>();
    let mixed = sealed.file("mixed.csv", mixed);
    let paths = ["samples/acct", "samples/quirks/quirk-offsets.csv", mixed.to_str().unwrap()];
    let plenty = told("2GB", &paths);
    assert_eq!(plenty.0, Some(0), "{plenty:?}");
    assert_eq!(told("120MB", &paths), plenty);

    let run = sealed.run(&["ingest", "--memory", "64MB", "samples/acct"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(
        run.stderr.contains("ingest cannot do with 64 MB of memory\nhint: `--memory "),
        "{run:?}"
    );
}

#[test]
fn the_host_is_the_flag_else_user_string_else_the_machine() {
    let sealed = Sealed::new();
    let named =
        sealed.file("a.csv", "type,timeLogged,userString\nd,2026-01-05 10:00:00+0000,mta7\n");
    let unnamed = sealed.file("b.csv", "type,timeLogged,rcpt\nd,2026-01-05 10:00:01+0000,a@b.c\n");
    let hosts = |sealed: &Sealed| {
        sealed.done(&["sql", "select host from records order by time_logged", "--format", "csv"])
    };
    sealed.ingest(&[&named, &unnamed]);
    let machine =
        String::from_utf8(std::process::Command::new("uname").arg("-n").output().unwrap().stdout)
            .unwrap();
    assert_eq!(hosts(&sealed), format!("host\nmta7\n{}\n", machine.trim()));
    let flagged = Sealed::new();
    flagged.done(&[
        "ingest",
        "--host",
        "edge-1",
        named.to_str().unwrap(),
        unnamed.to_str().unwrap(),
    ]);
    assert_eq!(hosts(&flagged), "host\nedge-1\nedge-1\n");
}

#[test]
fn rejects_above_the_limit_end_with_code_4() {
    let sealed = Sealed::new();
    let path = sealed.file("acct.csv", content(0..3) + "x,y\r\n");
    let path = Path::to_str(&path).unwrap();
    assert_eq!(sealed.run(&["ingest", "--max-rejects", "1", path]).code, Some(0));
    assert_eq!(Sealed::new().run(&["ingest", path]).code, Some(4));
}

/// Makes a file minutes old by the clock of the tests: one that PMTA may still be writing.
fn touch(path: &Path) {
    let minutes_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_772_711_900);
    std::fs::File::options().write(true).open(path).unwrap().set_modified(minutes_ago).unwrap();
}

#[test]
fn a_live_file_is_taken_line_by_line_whatever_the_cut_at_scale() {
    let reply =
        "t,2026-01-05 11:00:00+0000,x@example.org,\"smtp;451 try\r\nlater, \"\"please\"\"\"\r\n";
    let whole = content(0..3) + reply + &row(3) + reply + &content(4..6);
    let sealed = Sealed::new();
    // Each run sees a few bytes more: within a number, a quoted line break, a doubled quote.
    for end in (0..whole.len()).step_by(7).chain([whole.len()]) {
        let path = sealed.file("acct.csv", &whole.as_bytes()[..end]);
        touch(&path);
        let (read, stored, duplicate, rejected) = sealed.ingest(&[&path]).counts();
        assert_eq!((stored + duplicate, rejected), (read, 0), "cut at byte {end}");
    }
    assert_eq!(distinct(&sealed), (8, 7));
    let once = Sealed::new();
    once.ingest(&[&once.file("acct.csv", &whole)]);
    let rows = "select list(r order by r) from (select concat_ws('|', rec, time_logged, rcpt, dsn_diag) r from records)";
    assert_eq!(
        sealed.done(&["sql", rows, "--format", "csv"]),
        once.done(&["sql", rows, "--format", "csv"])
    );
}

#[test]
fn a_live_file_that_is_moved_and_compressed_goes_on_where_it_was() {
    let sealed = Sealed::new();
    let live = sealed.file("live/acct-2026-01-05-0000.csv", content(0..10));
    touch(&live);
    assert_eq!(sealed.ingest(&[&live]).counts(), (10, 10, 0, 0));
    // PMTA's `move-to`: the whole file, under the same name, in another folder.
    std::fs::write(&live, content(0..15)).unwrap();
    let moved = sealed.file("done/acct-2026-01-05-0000.csv", "");
    std::fs::rename(&live, &moved).unwrap();
    assert_eq!(sealed.ingest(&[&moved]).counts(), (15, 5, 10, 0));
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gz, content(0..20).as_bytes()).unwrap();
    let gz = sealed.file("done/acct-2026-01-05-0000.csv.gz", gz.finish().unwrap());
    // Compressed when it had grown once more; what lies beside it is the beginning of it.
    assert_eq!(sealed.ingest(&[&gz, &moved]).counts(), (35, 5, 30, 0));
    assert_eq!(sealed.ingest(&[gz.parent().unwrap()]).counts(), (35, 0, 35, 0));
    assert_eq!(distinct(&sealed), (20, 20));
}

#[test]
fn a_file_copied_and_truncated_gives_what_is_written_after() {
    let sealed = Sealed::new();
    let live = sealed.file("acct.csv", content(0..10));
    sealed.ingest(&[&live]);
    // As `copytruncate` does: the copy gets all, the original begins anew.
    let copy = sealed.file("acct.csv.1", content(0..12));
    std::fs::File::options().write(true).open(&live).unwrap().set_len(0).unwrap();
    assert_eq!(sealed.ingest(&[&live, &copy]).counts(), (12, 2, 10, 0));
    std::fs::write(&live, content(12..40)).unwrap();
    assert_eq!(sealed.ingest(&[&live, &copy]).counts(), (40, 28, 12, 0));
    assert_eq!(distinct(&sealed), (40, 40));
}

#[test]
fn two_files_that_one_has_grown_into_share_what_they_have_in_common() {
    let sealed = Sealed::new();
    let one = sealed.file("acct-a.csv", content(0..10));
    sealed.ingest(&[&one]);
    sealed.file("acct-a.csv", content(0..10) + &row(20) + &row(21));
    let other = sealed.file("acct-b.csv", content(0..10) + &row(30));
    assert_eq!(sealed.ingest(&[&one, &other]).counts(), (23, 3, 20, 0));
    assert_eq!(sealed.ingest(&[&one, &other]).counts(), (23, 0, 23, 0));
    assert_eq!(distinct(&sealed), (13, 13));
}

#[test]
fn of_two_first_runs_at_once_none_loses_what_the_other_took_at_scale() {
    for round in 0..20 {
        let sealed = Sealed::new();
        let files =
            [0, 1].map(|n| sealed.file(&format!("{n}.csv"), content(n * 500..n * 500 + 500)));
        let children = files.map(|file| {
            let mut command = sealed.command();
            command.args(["--now", "2026-03-05T12:00:00Z", "ingest", "-q", file.to_str().unwrap()]);
            command.stderr(std::process::Stdio::null()).spawn().unwrap()
        });
        let codes = children.map(|mut child| child.wait().unwrap().code());
        assert!(codes.iter().all(|code| matches!(code, Some(0 | 3))), "round {round}: {codes:?}");
        let taken = codes.iter().filter(|code| **code == Some(0)).count() as i64;
        assert_eq!(distinct(&sealed), (taken * 500, taken * 500), "round {round}: {codes:?}");
    }
}

#[test]
fn two_runs_at_once_take_everything_once() {
    let sealed = Sealed::new();
    let path = sealed.file("acct.csv", content(0..50_000));
    let start = || {
        let mut command = sealed.command();
        command.args(["--now", "2026-03-05T12:00:00Z", "ingest", "-q", path.to_str().unwrap()]);
        command.stderr(std::process::Stdio::null()).spawn().unwrap()
    };
    for mut child in [start(), start(), start()] {
        let code = child.wait().unwrap().code();
        // One that comes while another writes says so; one that comes after finds nothing new.
        assert!(matches!(code, Some(0 | 3)), "{code:?}");
    }
    sealed.ingest(&[&path]);
    assert_eq!(distinct(&sealed), (50_000, 50_000));
}

#[test]
fn a_row_group_is_of_a_few_hours_whatever_the_files_of_several_mtas_are_called() {
    let sealed = Sealed::new();
    for (host, hour) in ["a", "b", "c", "d"].iter().flat_map(|h| (0..24).map(move |n| (h, n))) {
        let row = |n: usize| {
            let (minute, second) = (n / 10, n % 10 * 6);
            let time = format!("2026-01-05 {hour:02}:{minute:02}:{second:02}+0000");
            format!("d,{time},u{n}.{hour}.{host}@example{}.org,{host}\r\n", n % 7)
        };
        let rows: String = (0..600).map(row).collect();
        let name = format!("acct/{host}-{hour:02}.csv");
        sealed.file(&name, format!("type,timeLogged,rcpt,userString\r\n{rows}"));
    }
    let folder = sealed.dir.path().join("acct");
    // With so little memory a row group has 4,800 rows, two hours of all MTAs and eight of one.
    let args = ["ingest", "-q", "--memory", "120MB", "--threads", "1", folder.to_str().unwrap()];
    sealed.done(&args);
    let hours = "select max(hours) from (select max(hour) - min(hour) as hours from \
        (select row_number() over () // 4096 as stretch, hour(time_logged) as hour from records) \
        group by stretch)";
    assert!(sealed.number(hours) <= 3, "{} hours", sealed.number(hours));
}
