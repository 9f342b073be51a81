//! The file of `-o`: a whole answer or what was there before, and never a part of a store.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::sealed::Sealed;

const FAILS_LATE: &str = "select case when range > 200000 then error('late') \
                          else repeat('x', 100) end from range(300000)";
const NEVER_ENDS: &str = "select range, repeat('x', 100) from range(1000000000)";

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_question_that_fails_midway_leaves_the_old_file_at_scale() {
    let sealed = Sealed::of_samples();
    for format in ["csv", "table", "markdown", "html", "parquet"] {
        let path = sealed.file("out/answer", "old");
        let file = path.to_str().unwrap();
        let run = sealed.run(&["sql", FAILS_LATE, "--format", format, "-o", file]);
        assert_eq!(run.code, Some(1), "{run:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old", "{format}");
        assert_eq!(names(path.parent().unwrap()), ["answer"], "{format}");
    }
}

#[test]
fn the_name_of_the_file_is_its_format_where_none_is_said_at_scale() {
    let sealed = Sealed::of_samples();
    let written = |args: &[&str], name: &str| {
        let path = sealed.dir.path().join(name);
        sealed.done(&[args, &["-q", "-o", path.to_str().unwrap()]].concat());
        std::fs::read(&path).unwrap()
    };
    let question = ["bounce-reasons", "--provider", "gmail"];
    for (name, format) in [
        ("a.csv", "csv"),
        ("a.tsv", "tsv"),
        ("a.json", "json"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.md", "markdown"),
        ("a.xml", "xml"),
        ("a.txt", "table"),
        ("a", "table"),
    ] {
        let said =
            sealed.done(&[&question[..], &["-q", "--top", "0", "--format", format]].concat());
        assert_eq!(String::from_utf8(written(&question, name)).unwrap(), said, "{name}");
    }
    assert!(written(&question, "a.html").to_ascii_lowercase().starts_with(b"<!doctype html>"));
    assert_eq!(written(&question, "a.parquet")[..4], *b"PAR1");
    // What is said holds, also where the format has a default of its own.
    let csv = written(&[&question[..], &["--format", "csv"]].concat(), "b.json");
    assert!(csv.starts_with(b"class,category,"));
    let export = ["export", "--provider", "gmail", "--columns", "time_logged,rcpt"];
    assert_eq!(written(&export, "records")[..4], *b"PAR1");
    assert!(written(&export, "records.csv").starts_with(b"time_logged,rcpt\n"));
    let table = written(&[&export[..], &["--format", "table"]].concat(), "records.parquet");
    assert!(table.starts_with(b"time_logged"), "{:?}", &table[..40]);
    // A setting is as good as an option.
    let variable = [("PMTAQ_FORMAT", "table")];
    let path = sealed.dir.path().join("c.csv");
    let args = [&export[..], &["-q", "-o", path.to_str().unwrap()]].concat();
    assert_eq!(sealed.run_with(&variable, &args).code, Some(0));
    assert!(std::fs::read(&path).unwrap().starts_with(b"time_logged   "));
}

#[test]
fn programs_and_files_get_all_rows_unless_a_number_is_said_at_scale() {
    let sealed = Sealed::of_samples();
    let lines = |args: &[&str]| sealed.done(&[args, &["-q"]].concat()).lines().count();
    // Deferrals of queues have no domain, and a line of their own.
    let domains = sealed.number("select count(distinct coalesce(rcpt_domain, '')) from records");
    let all = usize::try_from(domains).unwrap() + 1;
    for format in ["csv", "tsv", "jsonl"] {
        let extra = usize::from(format == "jsonl");
        assert_eq!(lines(&["domains", "--format", format]) + extra, all, "{format}");
    }
    assert_eq!(lines(&["domains", "--format", "csv", "--top", "20"]), 21);
    assert_eq!(lines(&["domains"]), 22);
    assert_eq!(lines(&["domains", "--format", "markdown"]), 22);
    let path = sealed.dir.path().join("all.md");
    sealed.done(&["domains", "-q", "-o", path.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), all + 1);
    let pivot = ["pivot", "--rows", "rcpt_domain", "--metric", "sent", "--format", "csv"];
    assert!(lines(&pivot) > 100);
    assert!(!sealed.done(&pivot).contains("\nother,"));
    assert_eq!(lines(&[&pivot[..], &["--top", "5"]].concat()), 8);
    let found = ["search", "--where", "rec = 'd'", "--fields", "rcpt", "--format", "csv"];
    let delivered = sealed.number("select count(*) from deliveries");
    assert_eq!(lines(&found), usize::try_from(delivered).unwrap() + 1);
    assert_eq!(lines(&[&found[..], &["--limit", "7"]].concat()), 8);
}

#[test]
fn the_day_of_a_record_is_a_column_as_it_is_for_other_readers() {
    let sealed = Sealed::of_samples();
    assert_eq!(sealed.number("select count(*) from records where date = '2026-03-02'"), 2265);
    assert_eq!(sealed.number("select count(distinct date) from hourly"), 3);
    assert_eq!(sealed.number("select count(*) from rejects where date is null"), 0);
    let sent = |args: &[&str]| sealed.done(&[args, &["--format", "csv", "-q"]].concat());
    let domains = |by: &[&str]| sent(&[&["domains", "--from", "records"], by].concat());
    let by_window = domains(&["--since", "2026-03-02", "--until", "2026-03-03"]);
    assert_eq!(domains(&["--where", "date = '2026-03-02'"]), by_window);
    let exported = sent(&["export", "--columns", "date,rec", "--where", "date > '2026-03-02'"]);
    assert!(exported.starts_with("date,rec\n2026-03-03,"), "{}", &exported[..40]);
    assert!(!sent(&["export"]).lines().next().unwrap().contains("date,"));
    let shown = sent(&["search", "550", "--fields", "date,rcpt", "--limit", "1"]);
    assert!(shown.starts_with("date,rcpt\n2026-03-03,"), "{shown}");
}

#[test]
fn an_interrupted_or_killed_question_leaves_the_old_file_and_nothing_else_at_scale() {
    use rustix::process::{Pid, Signal, kill_process};
    let sealed = Sealed::of_samples();
    let path = sealed.file("out/answer", "old");
    for (signal, code) in
        [(Signal::INT, Some(130)), (Signal::TERM, Some(130)), (Signal::KILL, None)]
    {
        let mut child = sealed
            .command()
            .args(["sql", NEVER_ENDS, "--format", "csv", "-o", path.to_str().unwrap()])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_secs(2));
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), code, "{signal:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(path.parent().unwrap()), ["answer"]);
    }
}

#[test]
fn no_answer_is_written_into_a_store_at_scale() {
    let sealed = Sealed::of_samples();
    let root = sealed.store().join("_pmtaq/root.json");
    let before = std::fs::read(&root).unwrap();
    for place in ["_pmtaq/root.json", "records/answer.csv", "answer.csv"] {
        let path = sealed.store().join(place);
        let path = path.to_str().unwrap();
        for args in [
            &["providers", "-o", path][..],
            &["graph", "sent", "--svg", path],
            &["report", "--html", path],
        ] {
            let run = sealed.run(args);
            assert_eq!(run.code, Some(2), "{args:?}: {run:?}");
            assert!(run.stderr.contains("is inside the store"), "{args:?}: {run:?}");
        }
    }
    assert_eq!(std::fs::read(&root).unwrap(), before);
    assert!(!sealed.store().join("answer.csv").exists());
}

#[test]
fn the_same_answer_goes_to_a_file_a_link_and_a_device() {
    let sealed = Sealed::of_samples();
    let question = ["providers", "--format", "csv", "-q"];
    let answer = sealed.done(&question);
    let (file, link) = (sealed.dir.path().join("real.csv"), sealed.dir.path().join("link.csv"));
    std::os::unix::fs::symlink("real.csv", &link).unwrap();
    for path in [&file, &link] {
        sealed.done(&[&question[..], &["-o", path.to_str().unwrap()]].concat());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), answer);
    }
    assert!(link.is_symlink());
    assert_eq!(sealed.done(&[&question[..], &["-o", "/dev/stdout"]].concat()), answer);
    sealed.done(&[&question[..], &["-o", "/dev/null"]].concat());
}

#[test]
fn a_file_is_written_over_where_its_folder_is_not_writable() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let sealed = Sealed::new();
    let path = sealed.file("sub/out.csv", "old");
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&path, 0o666);
    let folder = path.parent().unwrap();
    mode(folder, 0o555);
    let run = |args: &[&str]| {
        let mut command = sealed.command();
        command.args(args).args(["--format", "csv", "-o"]).arg(&path);
        if rustix::process::geteuid().is_root() {
            // Root may write anywhere.
            command.uid(65534);
        }
        command.output().unwrap()
    };
    let output = run(&["metrics"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("metric,") && text.contains("bounce_rate"), "{text}");
    // What fails leaves the file as it was.
    assert!(!run(&["providers"]).status.success());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
    mode(folder, 0o755);
}

#[test]
fn a_name_that_ends_like_no_format_is_told_which_it_got_at_scale() {
    let sealed = Sealed::of_samples();
    for (name, says) in [("x.xyz", true), ("x.csv", false), ("x.txt", false), ("x", false)] {
        let path = sealed.file(name, "");
        let run = sealed.run(&["providers", "-o", path.to_str().unwrap()]);
        let told = "ends like no format and is written as table; --format names one";
        assert_eq!(run.stderr.contains(told), says, "{name}: {run:?}");
        let asked = ["providers", "--format", "csv", "-o", path.to_str().unwrap()];
        assert!(!sealed.run(&asked).stderr.contains(told), "{name}");
    }
}

#[test]
fn what_waits_is_asked_of_graph_and_queue() {
    let sealed = Sealed::of_samples();
    let run = sealed.run(&["pivot", "--rows", "vmta", "--metric", "queue_depth"]);
    let told = "did you mean `pmtaq graph queue_depth` or `pmtaq queue`?";
    assert!(run.code == Some(2) && run.stderr.contains(told), "{run:?}");
}
