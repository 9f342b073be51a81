//! What single files keep to themselves: words of code, and libraries.

use super::code::{code, names, without_tests};
use super::house::{File, house};

/// Words of code and the only paths that may use them. A `*` at the end matches any ending.
struct Wall {
    words: &'static [&'static str],
    paths: &'static [&'static str],
    /// Whether tests and benches may use them too.
    in_tests: bool,
    advice: &'static str,
}

const WALLS: &[Wall] = &[
    Wall { words: &["duckdb"], paths: &["crates/query"], in_tests: false, advice: "ask `query`" },
    Wall {
        words: &["clap"],
        paths: &["crates/cli", "crates/gen"],
        in_tests: false,
        advice: "take a typed value as a parameter",
    },
    Wall {
        words: &["fs::rename*", "fs::remove_file", "fs::remove_dir*", "fs::unlink*"],
        paths: &["crates/store/src/fs.rs", "crates/cli/src/spill.rs", "crates/gen"],
        in_tests: true,
        advice: "call the store",
    },
    Wall {
        words: &["Serialize", "Deserialize"],
        paths: &[
            "crates/store/src/manifest.rs",
            "crates/store/src/manifest",
            "crates/store/src/recipients.rs",
            "crates/store/src/delta/published.rs",
            "crates/store/src/facts.rs",
            "crates/store/src/generations.rs",
            "crates/store/src/layout.rs",
            "crates/store/src/seal.rs",
            "crates/alert/src/rules.rs",
            "crates/alert/src/event.rs",
            "crates/alert/src/memory.rs",
            "crates/alert/src/memory",
            "crates/alert/src/rules",
            "crates/render/src/json.rs",
            "crates/ingest/src/form/json.rs",
            "crates/cli/src/settings.rs",
            "crates/gen",
        ],
        in_tests: true,
        advice: "what is written or read by others has one place each",
    },
    Wall {
        words: &["SystemTime::now", "Instant::now", "Utc::now", "Local::now", "elapsed"],
        paths: &[
            "crates/cli/src/context.rs",
            "crates/cli/src/commands/ingest.rs",
            "crates/bucket/src/login.rs",
            "crates/store/src/remote/cache.rs",
            "crates/gen",
        ],
        in_tests: true,
        advice: "take `now` as a parameter",
    },
    Wall {
        words: &["AsArray", "as_primitive*", "as_string*", "downcast_ref", "arrow::compute*"],
        paths: &["crates/store", "crates/ingest", "crates/query", "crates/render", "crates/why"],
        in_tests: true,
        advice: "an `Answer` of `query` has its columns in types of the language",
    },
    Wall {
        words: &["is_control", "escape_unicode", "escape_default", "escape_debug"],
        paths: &[
            "crates/schema/src/untrusted.rs",
            "crates/alert/src/exposition.rs",
            "crates/alert/src/payload.rs",
            "crates/bucket/src/address.rs",
            "crates/bucket/src/error.rs",
            "crates/cli/src/command_line.rs",
            "crates/cli/src/commands/alert/send.rs",
            "crates/ingest/src/reject.rs",
            "crates/render/src/escape.rs",
        ],
        in_tests: true,
        advice: "`schema::untrusted` shows what others wrote",
    },
    Wall {
        words: &["719_468", "719_163", "36_524", "146_096"],
        paths: &[],
        in_tests: false,
        advice: "the one calendar is not ours",
    },
    Wall {
        words: &["env::var*"],
        paths: &["crates/cli/src/settings.rs", "crates/query/build.rs"],
        in_tests: true,
        advice: "ask `cli/settings.rs`",
    },
    Wall {
        words: &["rayon", "thread::*"],
        paths: &[
            "crates/ingest/src/pipeline.rs",
            "crates/ingest/src/gather.rs",
            "crates/gen",
            "crates/query/src/deadline.rs",
            "crates/query/src/threads.rs",
            "crates/bucket/src/wire.rs",
            "crates/store/src/lock.rs",
            "crates/store/src/remote",
            "crates/why/src/parallel.rs",
            "crates/cli/src/context.rs",
            "crates/cli/src/ui.rs",
            "crates/cli/src/commands/alert/mail.rs",
            "crates/cli/src/commands/alert/send.rs",
            "crates/cli/src/commands/check.rs",
            "crates/cli/src/commands/top/mod.rs",
        ],
        in_tests: true,
        advice: "threads live in few files, which ARCHITECTURE.md names",
    },
];

pub(super) fn names_behind_walls(file: &File) -> Vec<String> {
    if !file.is_rust() {
        return vec![];
    }
    let code = code(&file.text);
    let mut found = vec![];
    for wall in WALLS {
        if wall.paths.iter().any(|path| file.is_under(path)) || wall.in_tests && file.is_test() {
            continue;
        }
        let shipped = if wall.in_tests { without_tests(&code) } else { &code };
        for (idx, line) in shipped.lines().enumerate() {
            for word in wall.words.iter().filter(|word| names(line, word)) {
                let word = word.trim_end_matches('*');
                let paths = wall.paths.join(", ");
                let text = format!("`{word}` belongs in {paths}: {}", wall.advice);
                found.push(file.says(idx + 1, &text));
            }
        }
    }
    found
}

/// Libraries that one or two crates keep to themselves.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("clap", &["cli", "gen"]),
    ("rayon", &["ingest", "cli", "gen"]),
    ("rusty-s3", &["bucket"]),
    ("tonic", &["cluster"]),
    ("tokio", &["cluster"]),
    ("prost", &["cluster"]),
    ("ureq", &["bucket", "cli"]),
];

pub(super) fn libraries_behind_walls(file: &File) -> Vec<String> {
    let Some(name) = file.crate_of_manifest() else { return vec![] };
    let mut found = vec![];
    for (line, _, dependency) in file.dependencies() {
        for (library, crates) in LIBRARIES {
            if dependency == *library && !crates.contains(&name) {
                found.push(file.says(line, &format!("only {crates:?} may import {library}")));
            }
        }
    }
    found
}

#[test]
fn every_wall_can_fail() {
    for wall in WALLS {
        for word in wall.words {
            let text = format!("//! A.\nfn f() {{ {}(); }}\n", word.trim_end_matches('*'));
            let file = File { path: "crates/schema/src/lib.rs".into(), text };
            assert_eq!(names_behind_walls(&file).len(), 1, "{word}");
        }
    }
}

#[test]
fn every_wall_stands_around_files_that_there_are() {
    let house = house();
    for path in WALLS.iter().flat_map(|wall| wall.paths) {
        assert!(house.iter().any(|file| file.is_under(path)), "{path} is not there");
    }
}

#[test]
fn a_complaint_names_file_and_line() {
    let file = File { path: "a.rs".into(), text: "fn f() {}\n\nfn g() { Utc::now() }\n".into() };
    assert_eq!(
        names_behind_walls(&file),
        ["a.rs:3: `Utc::now` belongs in crates/cli/src/context.rs, \
          crates/cli/src/commands/ingest.rs, crates/bucket/src/login.rs, \
          crates/store/src/remote/cache.rs, crates/gen: take `now` as a \
          parameter"]
    );
}
