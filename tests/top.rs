//! `pmtaq top` in a pseudo-terminal, as a person uses it, and where there is none.

use std::path::Path;
use std::process::Command;

use crate::sealed::{Sealed, interpreter, root};

#[test]
fn top_drills_comes_back_follows_an_ingest_and_gives_the_terminal_back_at_scale() {
    let sealed = Sealed::new();
    let (earlier, later) = files();
    sealed.ingest(&earlier.iter().map(AsRef::as_ref).collect::<Vec<&Path>>());
    let python = interpreter();
    let output = Command::new(python)
        .arg(root().join("tests/python/top.py"))
        .arg(env!("CARGO_BIN_EXE_pmtaq"))
        .arg(sealed.store())
        .arg(later)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The samples but the newest file, and that one.
fn files() -> (Vec<String>, String) {
    let pattern = root().join("samples/acct/acct-*");
    let files = glob::glob(pattern.to_str().unwrap()).unwrap();
    let mut files: Vec<String> =
        files.map(|file| file.unwrap().to_str().unwrap().to_owned()).collect();
    files.sort();
    let later = files.pop().unwrap();
    (files, later)
}

#[test]
fn without_a_terminal_top_says_what_to_do() {
    let sealed = Sealed::new();
    sealed.done(&["ingest", "-q", "samples/acct"]);
    let run = sealed.run(&["top", "--by", "vmta", "--metric", "bounced"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    let hint = "`pmtaq pivot --rows vmta --metric bounced` prints a table";
    assert!(run.stderr.contains("top needs a terminal") && run.stderr.contains(hint), "{run:?}");
    for (args, text) in [
        (&["--by", "provder"][..], "did you mean `provider`?"),
        (&["--metric", "snt"], "did you mean `sent`?"),
        (&["--where", "1 ="], "error"),
        (&["--since", "tomorrow-ish"], "is not a valid time"),
    ] {
        let run = sealed.run(&[&["top"], args].concat());
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains(text), "{run:?}");
    }
}
