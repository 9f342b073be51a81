//! Keeps the walls of the house that no compiler keeps: who may name what, and where.
//! It reads the files of the project as text; it builds nothing and runs nothing.
#![allow(clippy::disallowed_methods, reason = "it reads the tree itself, not a store")]

mod circles;
mod code;

use std::collections::BTreeMap;
use std::path::Path;

use circles::circles;
use code::{code, names, without_tests};

/// One text file of the project, by its path from the top, with `/` between the folders.
struct File {
    path: String,
    text: String,
}

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
        name: "crates import downwards only",
        check: imports_downwards,
        bad: ("crates/ingest/Cargo.toml", "[dependencies]\npmtaq-query.workspace = true\n"),
        good: (
            "crates/ingest/Cargo.toml",
            "[dependencies]\npmtaq-store.workspace = true\n[dev-dependencies]\npmtaq-gen = {}\n",
        ),
    },
    Rule {
        name: "libraries stay behind their walls",
        check: libraries_behind_walls,
        bad: ("crates/render/Cargo.toml", "[dependencies]\nduckdb.workspace = true\n"),
        good: ("crates/query/Cargo.toml", "[dependencies]\nduckdb.workspace = true\n"),
    },
    Rule {
        name: "statements of SQL are in sql/ and crates/query",
        check: statements_in_query,
        bad: ("crates/cli/src/line.rs", "//! A.\nconst A: &str = \"select 1\";\n"),
        good: (
            "crates/cli/src/line.rs",
            "//! A.\nconst A: &str = \"rec = 'd'\";\n#[cfg(test)]\nmod tests {\n    \"select 1\"\n}\n",
        ),
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

#[test]
fn a_complaint_names_file_and_line() {
    let file = File { path: "a.rs".into(), text: "fn f() {}\n\nfn g() { Utc::now() }\n".into() };
    assert_eq!(
        names_behind_walls(&file),
        ["a.rs:3: `Utc::now` belongs in crates/cli/src/context.rs, \
          crates/cli/src/commands/ingest.rs, crates/bucket/src/login.rs, crates/gen: take `now` as a \
          parameter"]
    );
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
            "crates/store/src/recipients.rs",
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
        words: &["SystemTime::now", "Instant::now", "Utc::now", "Local::now"],
        paths: &[
            "crates/cli/src/context.rs",
            "crates/cli/src/commands/ingest.rs",
            "crates/bucket/src/login.rs",
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
        words: &["719_468", "719_163", "36_524", "146_096"],
        paths: &["chrono"],
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
            "crates/bucket/src/wire.rs",
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

fn names_behind_walls(file: &File) -> Vec<String> {
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

/// Our crates and those of ours that each may import. Siblings never meet; the generator knows
/// nobody, so that its truth is not our own opinion.
const IMPORTS: &[(&str, &[&str])] = &[
    ("schema", &[]),
    ("bucket", &[]),
    ("cluster", &[]),
    ("store", &["schema", "bucket"]),
    ("ingest", &["schema", "store"]),
    ("query", &["schema", "store"]),
    ("render", &["schema"]),
    ("why", &["schema"]),
    ("alert", &["schema"]),
    ("cli", &["schema", "bucket", "cluster", "store", "ingest", "query", "render", "why", "alert"]),
    ("gen", &[]),
];

fn imports_downwards(file: &File) -> Vec<String> {
    let Some(name) = file.crate_of_manifest() else { return vec![] };
    let Some((_, allowed)) = IMPORTS.iter().find(|(of, _)| *of == name) else {
        return vec![file.says(1, "a crate without a place: add it to IMPORTS in tests/tidy.rs")];
    };
    let mut found = vec![];
    for (line, section, dependency) in dependencies(&file.text) {
        let Some(ours) = dependency.strip_prefix("pmtaq-") else { continue };
        let tests_with_it = section == "dev-dependencies" && ours == "gen";
        if !allowed.contains(&ours) && !tests_with_it {
            found.push(file.says(line, &format!("{name} may import {allowed:?} of ours only")));
        }
    }
    found
}

/// Libraries that one or two crates keep to themselves.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("duckdb", &["query"]),
    ("clap", &["cli", "gen"]),
    ("rayon", &["ingest", "cli", "gen"]),
    ("rusty-s3", &["bucket"]),
    ("tonic", &["cluster"]),
    ("tokio", &["cluster"]),
    ("prost", &["cluster"]),
    ("ureq", &["bucket", "cli"]),
];

fn libraries_behind_walls(file: &File) -> Vec<String> {
    let Some(name) = file.crate_of_manifest() else { return vec![] };
    let mut found = vec![];
    for (line, _, dependency) in dependencies(&file.text) {
        for (library, crates) in LIBRARIES {
            if dependency == *library && !crates.contains(&name) {
                found.push(file.says(line, &format!("only {crates:?} may import {library}")));
            }
        }
    }
    found
}

/// The lines that `connect` prints are for other engines; the words of the shell are no statement.
fn statements_in_query(file: &File) -> Vec<String> {
    let apart = [
        "crates/query",
        "crates/gen",
        "crates/cli/src/commands/connect.rs",
        "crates/cli/src/commands/connect",
    ];
    let ours = file.is_rust() && file.is_under("crates") && !file.is_test();
    if !ours || apart.iter().any(|path| file.is_under(path)) {
        return vec![];
    }
    let lines = without_tests(&file.text).lines().enumerate();
    lines
        .filter(|(_, line)| line.contains("\"select ") && !line.contains("\\\"select "))
        .map(|(idx, _)| file.says(idx + 1, "ask `query`; a statement has a file in sql/"))
        .collect()
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
    for file in house.iter().filter(|file| file.is_rust() && !file.is_test()) {
        let path = file.path.strip_prefix("crates/").and_then(|path| path.split_once("/src/"));
        if let Some((name, path)) = path {
            let code = without_tests(&code(&file.text)).to_owned();
            crates.entry(name).or_default().push((path.to_owned(), code));
        }
    }
    let mut found = vec![];
    for (name, files) in crates {
        found.extend(circles(&files).into_iter().map(|import| {
            let (file, line, of, n) = (import.file, import.line, import.of, import.n_files);
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

// ---- helpers ---------------------------------------------------------------------------------

impl File {
    fn says(&self, line: usize, text: &str) -> String {
        format!("{}:{line}: {text}", self.path)
    }

    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    fn is_under(&self, path: &str) -> bool {
        self.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn is_test(&self) -> bool {
        let mut folders = self.path.split('/');
        folders.any(|part| matches!(part, "tests" | "tests.rs" | "benches" | "examples"))
    }

    fn crate_of_manifest(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")
    }
}

fn broken(rule: &Rule, house: &[File]) -> Vec<String> {
    let mut found: Vec<String> = house.iter().flat_map(rule.check).collect();
    if !found.is_empty() {
        found.insert(0, format!("\n{}:", rule.name));
    }
    found
}

/// Reads all files of the project, except those that .gitignore leaves out.
fn house() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let ignored = std::fs::read_to_string(root.join(".gitignore")).expect(".gitignore is readable");
    let mut ignored: Vec<&str> = ignored.lines().map(|line| line.trim_matches('/')).collect();
    ignored.push(".git");
    let mut house = vec![];
    walk(&root, "", &ignored, &mut house);
    assert!(house.iter().any(|file| file.path == "Cargo.toml"), "this is not the house");
    house.sort_by(|a, b| a.path.cmp(&b.path));
    house
}

fn walk(dir: &Path, prefix: &str, ignored: &[&str], house: &mut Vec<File>) {
    for entry in std::fs::read_dir(dir).expect("a folder of the project is readable") {
        let entry = entry.expect("a folder of the project is readable");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if ignored.contains(&name.as_str()) || ignored.contains(&path.as_str()) {
            continue;
        }
        let kind = entry.file_type().expect("a file of the project has a type");
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), ignored, house);
        } else if kind.is_file() {
            let bytes = std::fs::read(entry.path()).expect("a file of the project is readable");
            house.push(File { path, text: String::from_utf8_lossy(&bytes).into_owned() });
        }
    }
}

/// Returns (line, section, name) of each dependency that a Cargo.toml lists.
fn dependencies(manifest: &str) -> Vec<(usize, &str, &str)> {
    let mut section = "";
    let mut found = vec![];
    for (idx, line) in manifest.lines().enumerate() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if section.ends_with("dependencies") {
            let name = line.split(['.', '=', ' ']).next().unwrap_or("");
            found.push((idx + 1, section, name));
        }
    }
    found
}
