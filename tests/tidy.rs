//! Keeps the walls of the house that no compiler keeps: who may name what, and where.
//! It reads the files of the project as text; it builds nothing and runs nothing.
#![allow(clippy::disallowed_methods, reason = "it reads the tree itself, not a store")]

mod architecture;
mod circles;
mod code;
mod house;
mod types;
mod walls;

use std::collections::BTreeMap;

use circles::circles;
use code::{code, without_tests};
use house::{File, house};
use types::names_of_many_types;
use walls::{libraries_behind_walls, names_behind_walls};

/// What a file may not do, with a file that does it: a rule that cannot fail keeps nothing.
struct Rule {
    name: &'static str,
    check: fn(&File) -> Vec<String>,
    bad: (&'static str, &'static str),
    good: (&'static str, &'static str),
}

const RULES: &[Rule] = &[
    Rule {
        name: "every source file says what it is",
        check: opens_with_a_sentence,
        bad: ("crates/store/src/lock.rs", "use std::fs;\n//! Late.\n"),
        good: ("crates/store/src/lock.rs", "//! The lock of the one writer.\n"),
    },
    Rule {
        name: "no source file is longer than 600 lines",
        check: fits_on_the_shelf,
        bad: ("crates/cli/src/args.rs", newlines(&[b'\n'; 601])),
        good: ("crates/cli/src/args.rs", newlines(&[b'\n'; 600])),
    },
    Rule {
        name: "names stay behind their walls",
        check: names_behind_walls,
        bad: ("crates/store/src/commit.rs", "//! A.\nfn f() {\n    std::fs::rename(a, b);\n}\n"),
        good: (
            "crates/store/src/commit.rs",
            "//! No fs::rename.\n// fs::rename\nconst A: &str = \"clap\";\n\
             #[cfg(test)]\nmod tests {\n    use std::fs::rename;\n}\n",
        ),
    },
    Rule {
        name: "libraries stay behind their walls",
        check: libraries_behind_walls,
        bad: ("crates/cli/Cargo.toml", "[dependencies]\ntonic.workspace = true\n"),
        good: ("crates/cluster/Cargo.toml", "[dependencies]\ntonic.workspace = true\n"),
    },
    Rule {
        name: "source is ASCII",
        check: source_is_ascii,
        bad: ("sql/domains.sql", "-- ok\nselect 'b\u{fc}cher.de'\n"),
        good: ("samples/acct/acct.csv", "b\u{fc}cher.de\n"),
    },
    Rule {
        name: "no host of a package registry is named",
        check: no_registry_hosts,
        bad: ("README.md", concat!("See https://pypi", ".org/project/x.\n")),
        good: (
            "Cargo.lock",
            concat!("registry+https://github.com/rust-lang/crates", ".io-index\n"),
        ),
    },
];

const fn newlines(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("newlines are UTF-8"),
    }
}

#[test]
fn the_house_is_tidy() {
    let house = house();
    let found: Vec<String> = RULES.iter().flat_map(|rule| broken(rule, &house)).collect();
    assert!(found.is_empty(), "{}\n", found.join("\n"));
}

#[test]
fn every_rule_can_fail() {
    for rule in RULES {
        let file = |(path, text): (&str, &str)| File { path: path.into(), text: text.into() };
        assert!(!(rule.check)(&file(rule.bad)).is_empty(), "{}: passes a bad file", rule.name);
        assert_eq!((rule.check)(&file(rule.good)), Vec::<String>::new(), "{}", rule.name);
    }
}

#[test]
fn no_three_files_import_each_other_in_a_circle() {
    let found = circles_of_imports(&house());
    assert!(found.is_empty(), "{}\n", found.join("\n"));
    let file = |name: &str, other: &str| File {
        path: format!("crates/cli/src/{name}.rs"),
        text: format!("//! A.\nuse crate::{other};\n#[cfg(test)]\nmod tests {{ use crate::x; }}\n"),
    };
    let (pair, third) = ([file("x", "y"), file("y", "x")], [file("y", "z"), file("z", "x")]);
    assert_eq!(circles_of_imports(&pair), Vec::<String>::new());
    let [x, _] = pair;
    let circle = third.into_iter().chain([x]).collect::<Vec<_>>();
    let found = circles_of_imports(&circle);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("crates/cli/src/x.rs:2: imports y.rs"), "{found:?}");
}

#[test]
fn no_name_stands_for_three_types() {
    let found = names_of_many_types(&house());
    assert!(found.is_empty(), "{}\n", found.join("\n"));
    let file = |name: &str| File {
        path: format!("crates/{name}/src/lib.rs"),
        text: "//! A.\npub(crate) struct Line<'a>(&'a str);\nstruct Inner;\n".into(),
    };
    let house = ["store", "query", "render"].map(file);
    assert_eq!(names_of_many_types(&house[..2]), Vec::<String>::new());
    let found = names_of_many_types(&house);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("crates/store/src/lib.rs:2: `Line`"), "{found:?}");
}

#[test]
fn every_report_has_a_golden() {
    let found = reports_without_golden(&house());
    assert!(found.is_empty(), "{}\n", found.join("\n"));
    let bare = [File { path: "sql/volume.sql".into(), text: "-- name: volume\n".into() }];
    assert_eq!(reports_without_golden(&bare).len(), 1);
}

#[test]
fn every_quirk_is_tested() {
    let found = quirks_without_test(&house());
    assert!(found.is_empty(), "{}\n", found.join("\n"));
    let bare = [File { path: "samples/quirk-bom.csv".into(), text: String::new() }];
    assert_eq!(quirks_without_test(&bare).len(), 1);
}

// ---- the rules -------------------------------------------------------------------------------

fn opens_with_a_sentence(file: &File) -> Vec<String> {
    if !file.is_rust() || file.text.starts_with("//! ") {
        return vec![];
    }
    vec![file.says(1, "begin with `//! `: one sentence what it is, one what it never touches")]
}

fn fits_on_the_shelf(file: &File) -> Vec<String> {
    let n_lines = file.text.lines().count();
    if !file.is_rust() || n_lines <= 600 {
        return vec![];
    }
    vec![file.says(n_lines, "more than 600 lines: look for the second noun and split there")]
}

fn source_is_ascii(file: &File) -> Vec<String> {
    let source = [".rs", ".sql", ".toml", ".py"].iter().any(|ext| file.path.ends_with(ext))
        || ["scripts", ".ci", "Makefile"].iter().any(|path| file.is_under(path));
    if !source || file.is_under("samples") {
        return vec![];
    }
    let wide = |line: &str| line.chars().find(|c| !c.is_ascii());
    let lines = file.text.lines().enumerate();
    lines
        .filter_map(|(idx, line)| Some((idx + 1, wide(line)?)))
        .map(|(line, c)| file.says(line, &format!("write {} instead", c.escape_unicode())))
        .collect()
}

fn no_registry_hosts(file: &File) -> Vec<String> {
    const HOSTS: &[&str] = &[
        concat!("crates", ".io"),
        concat!("npmjs", "."),
        concat!("pypi", ".org"),
        concat!("pythonhosted", "."),
    ];
    if file.path.ends_with("Cargo.lock") {
        return vec![];
    }
    let lines = file.text.lines().enumerate();
    lines
        .filter(|(_, line)| HOSTS.iter().any(|host| line.contains(host)))
        .map(|(idx, _)| file.says(idx + 1, "name the package, not the host of a registry"))
        .collect()
}

fn circles_of_imports(house: &[File]) -> Vec<String> {
    let mut crates: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
    for file in house {
        if let Some((name, path)) = file.place_in_crate() {
            let code = without_tests(&code(&file.text)).to_owned();
            crates.entry(name).or_default().push((path.to_owned(), code));
        }
    }
    let mut found = vec![];
    for (name, files) in crates {
        found.extend(circles(&files).into_iter().map(|(import, n)| {
            let (file, line, of) = (import.file, import.line, import.of);
            format!("crates/{name}/src/{file}:{line}: imports {of}, in a circle of {n} files")
        }));
    }
    found
}

fn reports_without_golden(house: &[File]) -> Vec<String> {
    let mut found = vec![];
    let is_report =
        |file: &&File| file.path.starts_with("sql/") && file.path.matches('/').count() == 1;
    for file in house.iter().filter(is_report) {
        let names = file.text.lines().filter_map(|line| line.strip_prefix("-- name: "));
        for name in names {
            let spec = name.split_once("  ").map_or(name, |(spec, _)| spec);
            let words: Vec<&str> = spec.split(' ').filter(|word| !word.contains('=')).collect();
            let golden = format!("tests/reports/{}.txt", words.join("-"));
            if !house.iter().any(|file| file.path == golden) {
                found.push(file.says(1, &format!("{golden} is missing: `make golden` writes it")));
            }
        }
    }
    found
}

fn quirks_without_test(house: &[File]) -> Vec<String> {
    let mut found = vec![];
    for file in house.iter().filter(|file| file.is_under("samples")) {
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        let golden = format!("tests/quirks/{name}.txt");
        if name.starts_with("quirk-") && !house.iter().any(|file| file.path == golden) {
            found.push(file.says(1, &format!("{golden} is missing: `make golden` writes it")));
        }
    }
    found
}

fn broken(rule: &Rule, house: &[File]) -> Vec<String> {
    let mut found: Vec<String> = house.iter().flat_map(rule.check).collect();
    if !found.is_empty() {
        found.insert(0, format!("\n{}:", rule.name));
    }
    found
}
