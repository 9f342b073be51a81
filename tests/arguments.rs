//! Whatever stands on the command line: no panic, no SQL of it, no escape sequence to the
//! terminal. The commands and their flags are read from the help, so that new ones are covered.

use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sealed::Sealed;

/// What a command needs beside the flag under test, so that it goes as far as it can.
const NEEDED: &[(&str, &[&str])] = &[
    ("pivot", &["--rows", "provider"]),
    ("search", &["--rcpt", "gmail"]),
    ("trace", &["zephyr.3202847@hotmail.co.uk"]),
    ("explain", &["5.1.1"]),
    ("sql", &["select count(*) from records"]),
    ("export", &["--format", "csv"]),
    ("check", &["bounce_rate", "-w", "5"]),
    ("why", &["delivered", "--window", "2026-03-03"]),
    ("report", &["--html", "-"]),
    ("alert run", &["rules.toml"]),
    ("alert test", &["rules.toml"]),
    ("alert backfill", &["rules.toml", "--every", "1h"]),
    ("ingest", &["/no/such/file.csv"]),
];

/// For the commands that want some.
const RULES: &str = "[[rule]]\nname = \"a\"\nmetric = \"bounce_rate\"\nabove = 1\n";

/// Flags whose value is SQL by design, or the name of a file to be written.
const APART: &[&str] = &["--where", "--output"];

/// Everything at once that could end a text, a statement or a line, or begin an escape.
const HOSTILE: &[&str] = &[
    "'; drop view records; --",
    "\" ' `$1 $$ $f0 \\ \\' /* -- ; ) ] } % _ * ? [ \x1b[31m\x07\u{9b}2J\u{202e}\u{2067}\u{200b}\u{7f}\r\n\t",
    "",
    "-1",
    "99999999999999999999999999999999999999",
    "\u{fc}\u{1f600}\u{0}",
];

/// A command and its flags that take a value, and those that take none.
struct Verb {
    words: Vec<String>,
    valued: Vec<String>,
    bare: Vec<String>,
}

fn run(sealed: &Sealed, args: &[&str]) -> Output {
    let mut command: Command = sealed.command();
    // In its own folder, for a file that a flag might name.
    command.current_dir(sealed.dir.path()).stdin(std::process::Stdio::null());
    command.args(["--now", "2026-03-05T12:00:00Z", "--threads", "1"]).args(args);
    command.output().unwrap()
}

/// The commands that the help lists, and those of them, with the flags that their help lists.
fn verbs(sealed: &Sealed) -> Vec<Verb> {
    let top = listed(&help(sealed, &[]));
    let below = |name: String| {
        let nested = listed(&help(sealed, &[&name]));
        let nested: Vec<Vec<String>> =
            nested.into_iter().map(|below| vec![name.clone(), below]).collect();
        std::iter::once(vec![name.clone()]).chain(nested).collect::<Vec<_>>()
    };
    top.into_iter().flat_map(below).map(|words| verb(sealed, words)).collect()
}

fn help(sealed: &Sealed, words: &[&str]) -> String {
    let output = run(sealed, &[words, &["--help"]].concat());
    assert_eq!(output.status.code(), Some(0), "{words:?} --help");
    String::from_utf8(output.stdout).unwrap()
}

/// The names of the commands in a help, which may stand in several groups.
fn listed(help: &str) -> Vec<String> {
    let commands = help.split("\nUsage: ").nth(1).unwrap_or_default();
    let lines = commands.lines().take_while(|line| *line != "Options:");
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let is_command = |name: &&str| name.starts_with(|c: char| c.is_ascii_lowercase());
    names.filter(is_command).filter(|name| *name != "help").map(str::to_owned).collect()
}

fn verb(sealed: &Sealed, words: Vec<String>) -> Verb {
    let help = help(sealed, &words.iter().map(String::as_str).collect::<Vec<_>>());
    let name = words.join(" ");
    assert!(
        help.starts_with("Example") || !help.contains("--"),
        "the help of {name} does not begin with an example:\n{help}"
    );
    let (mut valued, mut bare) = (vec![], vec![]);
    for line in help.lines() {
        let Some(at) = line.find("--").filter(|at| line[..*at].trim().len() <= 3) else { continue };
        if !line.starts_with("  ") || line[at..].starts_with("-- ") {
            continue;
        }
        let flag: String =
            line[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        let rest = &line[at + flag.len()..];
        if rest.starts_with(" <") {
            valued.push(flag);
        } else if rest.is_empty() || rest.starts_with("  ") {
            bare.push(flag);
        }
    }
    Verb { words, valued, bare }
}

fn needed(words: &[String]) -> &'static [&'static str] {
    let name = words.join(" ");
    NEEDED.iter().find(|(verb, _)| *verb == name).map_or(&[], |(_, args)| *args)
}

/// Runs all command lines, on all cores, and judges each.
fn all(sealed: &Sealed, lines: &[Vec<String>], judge: impl Fn(&[String], &Output) + Sync) {
    let next = AtomicUsize::new(0);
    let failed: Mutex<Option<String>> = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(line) = lines.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if failed.lock().unwrap().is_some() {
                        return;
                    }
                    let args: Vec<&str> = line.iter().map(String::as_str).collect();
                    let output = run(sealed, &args);
                    let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        judge(line, &output);
                    }));
                    if judged.is_err() {
                        *failed.lock().unwrap() = Some(format!("{line:?}: {output:?}"));
                    }
                }
            });
        }
    });
    if let Some(what) = failed.into_inner().unwrap() {
        panic!("{what}");
    }
}

/// What holds of every run, whatever its arguments.
fn is_sane(line: &[String], output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        matches!(output.status.code(), Some(0..=4)) && !stderr.contains("panicked"),
        "{line:?} ends with {:?}: {stderr}",
        output.status
    );
    // Formats for machines hold the exact text.
    let exact = line[0] == "export" || line.iter().any(|arg| arg.starts_with("--format"));
    let stdout = String::from_utf8_lossy(if exact { &[] } else { &output.stdout });
    for text in [stdout, stderr] {
        let marks = ['\u{202e}', '\u{2067}', '\u{200b}'];
        let obeyed = |c: char| !matches!(c, '\n' | '\t') && (c.is_control() || marks.contains(&c));
        assert!(!text.contains(obeyed), "{line:?} prints an escape: {text:?}");
    }
}

#[test]
fn no_flag_of_any_command_becomes_sql_or_an_escape_at_scale() {
    let sealed = Sealed::new();
    sealed.file("rules.toml", RULES);
    sealed.done(&["ingest", "-q", "samples/acct/acct-2026-03-03-0000.csv"]);
    let verbs = verbs(&sealed);
    assert!(verbs.len() > 10, "only {} commands", verbs.len());
    let mut lines = vec![];
    for verb in &verbs {
        let flags = verb.valued.iter().filter(|flag| !APART.contains(&flag.as_str()));
        for flag in flags {
            for text in &HOSTILE[..2] {
                let mut line = verb.words.clone();
                line.extend(needed(&verb.words).iter().map(|arg| (*arg).to_owned()));
                line.push(format!("{flag}={text}"));
                lines.push(line);
            }
        }
    }
    assert!(lines.len() > 300, "only {} command lines", lines.len());
    // What all commands share is tested with the first of them alone, or this takes minutes.
    let shared = |line: &[String]| {
        let flag = line.last().and_then(|last| last.split('=').next()).unwrap_or_default();
        verbs.iter().all(|verb| verb.valued.iter().any(|known| known == flag))
    };
    lines.retain(|line| line[0] == verbs[0].words[0] || !shared(line));
    all(&sealed, &lines, |line, output| {
        is_sane(line, output);
        let stderr = String::from_utf8_lossy(&output.stderr);
        for sign in ["Parser Error", "Binder Error", "Catalog Error", "syntax error"] {
            assert!(!stderr.contains(sign), "{line:?} became SQL: {stderr}");
        }
    });
    assert!(sealed.number("select count(*) from records") > 1000, "the store is as it was");
}

#[test]
fn no_argument_makes_a_panic_at_scale() {
    let sealed = Sealed::new();
    sealed.file("rules.toml", RULES);
    sealed.done(&["ingest", "-q", "samples/quirks/quirk-hostile-text.csv"]);
    let verbs = verbs(&sealed);
    let values = [
        HOSTILE,
        &[
            "0",
            "1",
            "2h",
            "yesterday",
            "gmail.com",
            "550",
            "5.7.*",
            "{rcpt}",
            "{",
            "select 1",
            "count(*)",
            "true",
            "rcpt",
            "csv",
            "jsonl",
            "Europe/Madrid",
            "1970-01-01",
            "{a}{b",
            "\\",
            "header_x",
            "b,t",
            "*",
            "%s",
            "a=b",
            "=",
            "@",
            "a@b",
            "-",
            "--",
            "\u{feff}",
        ],
    ]
    .concat();
    // A fixed seed: what failed once fails again.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut pick = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n as u64) as usize
    };
    let mut lines = vec![];
    for _ in 0..250 {
        let verb = &verbs[pick(verbs.len())];
        let mut line = verb.words.clone();
        if pick(3) > 0 {
            line.extend(needed(&verb.words).iter().map(|arg| (*arg).to_owned()));
        }
        for _ in 0..pick(5) {
            let value = values[pick(values.len())].replace('\0', "");
            match pick(5) {
                0 => line.push(value),
                1 if !verb.bare.is_empty() => line.push(verb.bare[pick(verb.bare.len())].clone()),
                _ if !verb.valued.is_empty() => {
                    let flag = &verb.valued[pick(verb.valued.len())];
                    if flag != "--output" && flag != "--memory" {
                        line.push(format!("{flag}={value}"));
                    }
                }
                _ => {}
            }
        }
        lines.push(line);
    }
    all(&sealed, &lines, is_sane);
}
