//! `pmtaq sql`: its shell through a pseudo-terminal, files, stdin, plans, limits, and the one
//! door out of the store.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::sealed::{Sealed, interpreter, root};

#[test]
fn the_shell_completes_remembers_caps_and_survives_an_interrupt_at_scale() {
    let sealed = Sealed::of_samples();
    let python = interpreter();
    let home = sealed.file("home/.keep", "");
    let output = Command::new(python)
        .arg(root().join("tests/python/shell.py"))
        .arg(env!("CARGO_BIN_EXE_pmtaq"))
        .arg(sealed.store())
        .arg(home.parent().unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_statement_may_come_from_a_file_and_from_stdin() {
    let sealed = Sealed::of_samples();
    let file = sealed.file("q.sql", "-- a comment\nselect 42 as n;\n");
    assert_eq!(sealed.done(&["sql", "-f", file.to_str().unwrap(), "--format", "csv"]), "n\n42\n");
    for args in [&["sql", "--format", "csv"][..], &["sql", "-", "--format", "csv"]] {
        let mut child = sealed
            .command()
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"select 42 as n").unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "n\n42\n", "{args:?}");
    }
}

#[test]
fn a_limit_is_said_and_a_plan_has_lines() {
    let sealed = Sealed::of_samples();
    let run = sealed.run(&["sql", "select x from range(5000) r(x)", "-n", "2", "--format", "csv"]);
    assert_eq!(run.stdout, "x\n0\n1\n");
    assert!(run.stderr.contains("first 2 rows shown; --limit 0 for all"), "{run:?}");
    let run = sealed.run(&["sql", "select x from range(2) r(x)", "-n", "2", "--format", "csv"]);
    assert!(!run.stderr.contains("rows shown"), "{run:?}");
    let all = sealed.done(&["sql", "select x from range(5000) r(x)", "--format", "csv"]);
    assert_eq!(all.lines().count(), 5001, "what is piped is whole");
    for args in [["sql", "--explain", "from bounces"], ["sql", "explain from bounces", "-q"]] {
        let plan = sealed.done(&args);
        assert!(plan.lines().count() > 5 && plan.contains("PARQUET"), "{plan}");
        assert!(!plan.contains("\\n"), "{plan}");
    }
    assert_eq!(sealed.run(&["sql", "--explain", "drop view records"]).code, Some(2));
}

#[test]
fn memory_is_bounded() {
    let sealed = Sealed::of_samples();
    let hungry =
        "select count(*) from (select hash(x) as h, list(x) from range(30000000) r(x) group by h)";
    let run = sealed.run(&["sql", hungry, "--memory", "64MB"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("pmtaq: error: this needs more memory: "), "{run:?}");
    assert!(
        run.stderr.contains("hint: ask for a shorter window, allow more with --memory"),
        "{run:?}"
    );
    // The engine's own advice is not for users of ours.
    assert!(!run.stderr.contains("memory_limit"), "{run:?}");
}

#[test]
fn files_are_readable_where_the_user_says_so_and_nowhere_else_at_scale() {
    let sealed = Sealed::of_samples();
    let list = sealed.file("lists/vip.csv", "rcpt\nu@example.com\n");
    let other = sealed.file("other.csv", "rcpt\nsecret@example.com\n");
    let folder = list.parent().unwrap().to_str().unwrap();
    let (list, other) = (list.to_str().unwrap(), other.to_str().unwrap());
    let from = |path: &str| format!("select rcpt from '{path}'");
    for allowed in [folder, list] {
        let rows = sealed.done(&["sql", &from(list), "--allow-files", allowed, "--format", "csv"]);
        assert_eq!(rows, "rcpt\nu@example.com\n");
        for path in [other, "/etc/passwd", &format!("{folder}/../other.csv")] {
            let run = sealed.run(&["sql", &from(path), "--allow-files", allowed]);
            assert_eq!(run.code, Some(1), "{path}: {run:?}");
            assert!(!run.stdout.contains("secret"), "{path}: {run:?}");
        }
    }
    assert_eq!(sealed.run(&["sql", &from(list)]).code, Some(1));
    assert_eq!(sealed.run(&["sql", "select 1", "--allow-files", "/no/such"]).code, Some(2));
    // Readable is not writable, by whatever function.
    for (n, statement) in [
        format!("copy (select 1) to '{folder}/new.csv'"),
        format!("attach '{folder}/new.db'"),
        format!("select * from enable_logging(storage = 'file', storage_path = '{folder}/log')"),
        format!("select * from query('copy (select 1) to ''{folder}/new.csv''')"),
        "select write_log('x')".to_owned(),
        "select * from set_config('threads', '7')".to_owned(),
        "select * from checkpoint()".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        let run = sealed.run(&["sql", statement, "--allow-files", folder]);
        let names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["vip.csv"], "{n}: {statement}: {run:?}");
    }
}
