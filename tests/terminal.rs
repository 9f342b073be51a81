//! What untrusted text does to a terminal: nothing, in any format and on both streams.

use crate::sealed::{Sealed, interpreter, root};

/// Sets a title, rings, clears the screen by one byte, turns the direction of reading.
const EVIL: &str = "\u{1b}]0;x\u{7}\u{9b}2J\u{7f}\u{202e}\u{2067}\u{200b}\u{e9}";

/// What a person sees who runs this at a terminal.
fn seen(sealed: &Sealed, args: &[&str]) -> String {
    let program = sealed.command();
    let mut command = std::process::Command::new(interpreter());
    command.arg(root().join("tests/python/terminal.py")).arg(program.get_program()).args(args);
    command.env_clear().env("TERM", "dumb").env("PMTAQ_STORE", sealed.store());
    let output = command.output().unwrap();
    // A terminal shows a line end by moving to the first column too.
    String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
}

fn steers(c: char) -> bool {
    let marks = "\u{202e}\u{2067}\u{200b}";
    c.is_control() && !matches!(c, '\n' | '\t') || marks.contains(c)
}

#[test]
fn untrusted_text_steers_no_terminal_in_any_format() {
    let sealed = Sealed::of_samples();
    let evil = EVIL.replace('\'', "''");
    let sql = format!("select '{evil}' as reply, ['{evil}'] as list");
    for format in ["table", "csv", "tsv", "json", "jsonl", "markdown", "html", "xml"] {
        let shown = seen(&sealed, &["sql", &sql, "--format", format]);
        assert!(!shown.contains(steers), "{format}: {shown:?}");
        assert!(shown.contains('\u{e9}'), "{format}: {shown:?}");
    }
    // Where no one looks, it is the exact text.
    let csv = sealed.done(&["sql", &sql, "--format", "csv"]);
    assert!(csv.contains(EVIL), "{csv:?}");
}

#[test]
fn untrusted_names_steer_no_terminal_in_messages_at_scale() {
    let sealed = Sealed::of_samples();
    let name = format!("{EVIL}.csv");
    let file = sealed.file(&name, "no header\n");
    let file = file.to_str().unwrap();
    for args in [
        &["ingest", file][..],
        &["sql", "-f", file],
        &["job", EVIL],
        &["search", EVIL],
        &["pivot", "--rows", EVIL],
        &["check", EVIL, "-w", "1"],
        &["top-bounces", "--domain", EVIL, "--show-sql"],
        &["doctor"],
        &["status"],
    ] {
        let shown = seen(&sealed, args);
        assert!(!shown.contains(steers), "{args:?}: {shown:?}");
        let run = sealed.run(args);
        assert!(!run.stderr.contains(steers), "{args:?}: {run:?}");
    }
}
