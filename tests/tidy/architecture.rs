//! Holds each crate to its row in ARCHITECTURE.md, and the files of `cli` to the order that it draws there.
//! The document is the rule: a row that claims what nothing here can find is refused.

use super::circles::imports;
use super::code::{code, names, without_tests};
use super::house::{File, house};

/// The row of a crate: which of ours it may import, and what it never touches.
struct Row {
    name: String,
    imports: Vec<String>,
    never: Vec<String>,
}

/// Something that a row may say is never touched, and what would touch it.
struct Matter {
    name: &'static str,
    libraries: &'static [&'static str],
    /// As in a wall: `*` at the end matches any ending.
    words: &'static [&'static str],
    /// How a string begins that does.
    texts: &'static [&'static str],
    /// Files that may.
    apart: &'static [&'static str],
}

const NOTHING: Matter = Matter { name: "", libraries: &[], words: &[], texts: &[], apart: &[] };

const MATTERS: &[Matter] = &[
    Matter {
        name: "files",
        libraries: &["tempfile", "glob"],
        words: &["fs::*", "File::*", "OpenOptions"],
        ..NOTHING
    },
    Matter {
        name: "writing",
        words: &[
            "fs::write",
            "fs::copy",
            "File::create*",
            "OpenOptions",
            "create_dir*",
            "fs::rename*",
            "fs::remove*",
        ],
        ..NOTHING
    },
    Matter { name: "renames", words: &["fs::rename*", "fs::remove*", "fs::unlink*"], ..NOTHING },
    Matter {
        name: "clock",
        words: &["SystemTime::now", "Instant::now", "Utc::now", "Local::now", "elapsed"],
        // How old a file of the cache is.
        apart: &["crates/store/src/remote/cache.rs"],
        ..NOTHING
    },
    Matter { name: "environment", words: &["env::*"], ..NOTHING },
    Matter { name: "threads", libraries: &["rayon"], words: &["rayon", "thread::*"], ..NOTHING },
    Matter {
        name: "network",
        libraries: &["ureq", "rusty-s3", "tonic", "tokio"],
        words: &["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "ToSocketAddrs"],
        ..NOTHING
    },
    Matter {
        name: "stdout",
        libraries: &["indicatif"],
        words: &["stdout", "stderr", "print!", "println!", "eprint!", "eprintln!"],
        ..NOTHING
    },
    Matter {
        name: "terminal",
        libraries: &["ratatui", "rustyline", "comfy-table"],
        words: &["IsTerminal", "termios*"],
        ..NOTHING
    },
    Matter { name: "CSV", libraries: &["csv"], ..NOTHING },
    Matter { name: "Arrow", libraries: &["arrow", "arrow-ipc", "parquet"], ..NOTHING },
    Matter {
        name: "columns of Arrow",
        words: &["AsArray", "as_primitive*", "as_string*", "downcast_ref", "arrow::compute*"],
        ..NOTHING
    },
    Matter { name: "DuckDB", libraries: &["duckdb"], words: &["duckdb"], ..NOTHING },
    Matter {
        name: "SQL",
        texts: &[
            "select ",
            "insert into ",
            "create table ",
            "create view ",
            "create or replace ",
            "create macro ",
        ],
        // The lines that it prints are for other engines.
        apart: &["crates/cli/src/commands/connect.rs", "crates/cli/src/commands/connect"],
        ..NOTHING
    },
];

#[test]
fn every_crate_keeps_to_its_row_in_the_architecture() {
    let house = house();
    let rows = rows(&architecture(&house).text);
    let mut found: Vec<String> = rows.iter().flat_map(unguarded).collect();
    for file in &house {
        if let Some(row) = row_of(&rows, file) {
            found.extend(imported(row, file));
            found.extend(touched(row, file));
        } else if file.crate_of_manifest().is_some() {
            found.push(file.says(1, "a crate without a row in ARCHITECTURE.md"));
        }
    }
    assert!(found.is_empty(), "{}\n", found.join("\n"));
}

#[test]
fn every_claim_of_the_architecture_can_fail() {
    let rows = rows(&architecture(&house()).text);
    assert!(rows.len() >= 11, "{} rows", rows.len());
    for row in &rows {
        let manifest = |name: &str| File {
            path: format!("crates/{}/Cargo.toml", row.name),
            text: format!("[dependencies]\n{name}.workspace = true\n"),
        };
        let source = |code: String| File {
            path: format!("crates/{}/src/x.rs", row.name),
            text: format!("//! A.\nfn f() {{ {code} }}\n"),
        };
        for matter in MATTERS.iter().filter(|matter| row.never.iter().any(|n| n == matter.name)) {
            let libraries = matter.libraries.iter().map(|name| manifest(name));
            let words = matter.words.iter().map(|word| word.trim_end_matches('*').to_owned());
            let texts = matter.texts.iter().map(|text| format!("\"{text}\""));
            for bad in libraries.chain(words.chain(texts).map(source)) {
                assert!(!touched(row, &bad).is_empty(), "{} lets through {}", row.name, bad.text);
            }
        }
        for other in rows.iter().filter(|other| !row.imports.contains(&other.name)) {
            let bad = manifest(&format!("pmtaq-{}", other.name));
            assert_eq!(imported(row, &bad).len(), 1, "{}", bad.text);
        }
    }
    let claim = Row { name: "why".into(), imports: vec![], never: vec!["haste".into()] };
    assert_eq!(unguarded(&claim).len(), 1);
}

#[test]
fn within_cli_arrows_run_one_way() {
    let house = house();
    let floors = floors(&architecture(&house).text);
    let of_cli = house.iter().filter_map(|file| Some((file, file.place_in_crate()?)));
    let files: Vec<(String, String)> = of_cli
        .filter(|(_, (name, _))| *name == "cli")
        .map(|(file, (_, path))| (path.to_owned(), without_tests(&code(&file.text)).to_owned()))
        .collect();
    let found = upwards(&floors, &files);
    assert!(found.is_empty(), "{}\n", found.join("\n"));

    let file = |path: &str, code: &str| (path.to_owned(), code.to_owned());
    let bad = [file("args.rs", "use crate::ui::Ui;\n"), file("ui.rs", ""), file("loft.rs", "")];
    let found = upwards(&floors, &bad);
    let expected = [
        "args.rs:1: imports ui.rs, which is above it",
        "loft.rs:1: ARCHITECTURE.md does not place it",
    ];
    assert_eq!(found, expected.map(|text| format!("crates/cli/src/{text}")));
}

#[test]
fn the_files_that_the_architecture_names_are_there() {
    let house = house();
    let found = missing(architecture(&house), &house);
    assert!(found.is_empty(), "{}\n", found.join("\n"));
    let bad = File { path: "A.md".into(), text: "It is in `store/nowhere.rs`.\n".into() };
    assert_eq!(missing(&bad, &house), ["A.md:1: there is no store/nowhere.rs"]);
}

fn architecture(house: &[File]) -> &File {
    house.iter().find(|file| file.path == "ARCHITECTURE.md").expect("the document is there")
}

/// The table that begins with the column `crate`.
fn rows(text: &str) -> Vec<Row> {
    let words = |cell: &str| -> Vec<String> {
        let words = cell.split(',').map(str::trim).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let table = text.lines().skip_while(|line| !line.starts_with("| crate |")).skip(2);
    let mut rows: Vec<Row> = Vec::new();
    for line in table.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let name = cells[0].trim_matches('`').to_owned();
        rows.push(Row { name, imports: words(cells[1]), never: words(cells[3]) });
    }
    let all: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    for row in &mut rows {
        if let [one] = &row.imports[..]
            && let Some(other) = one.strip_prefix("all but ")
        {
            row.imports = all.iter().filter(|n| **n != other && **n != row.name).cloned().collect();
        }
    }
    rows
}

fn row_of<'r>(rows: &'r [Row], file: &File) -> Option<&'r Row> {
    let name = file.crate_of_manifest().or(file.place_in_crate().map(|(name, _)| name))?;
    rows.iter().find(|row| row.name == name)
}

fn unguarded(row: &Row) -> Vec<String> {
    let is_known = |name: &&String| MATTERS.iter().any(|matter| matter.name == **name);
    let open = row.never.iter().filter(|name| !is_known(name));
    open.map(|name| format!("ARCHITECTURE.md: {} never touches {name}: no rule finds it", row.name))
        .collect()
}

/// What a manifest imports of ours that its row does not say; tests may use the generator.
fn imported(row: &Row, manifest: &File) -> Vec<String> {
    if manifest.crate_of_manifest().is_none() {
        return vec![];
    }
    let ours = manifest.dependencies().into_iter().filter_map(|(line, section, name)| {
        let is_for_tests = section == "dev-dependencies" && name == "pmtaq-gen";
        Some((line, name.strip_prefix("pmtaq-")?)).filter(|_| !is_for_tests)
    });
    ours.filter(|(_, name)| !row.imports.iter().any(|allowed| allowed == name))
        .map(|(line, _)| {
            manifest.says(line, &format!("{} may import {:?} of ours only", row.name, row.imports))
        })
        .collect()
}

/// Where a file touches what its row says it never does.
fn touched(row: &Row, file: &File) -> Vec<String> {
    let claimed = MATTERS.iter().filter(|matter| row.never.iter().any(|name| name == matter.name));
    let text = without_tests(&file.text);
    let code = code(text);
    let mut found = Vec::new();
    for matter in claimed.filter(|matter| !matter.apart.iter().any(|path| file.is_under(path))) {
        let lines: Vec<usize> = if file.is_rust() {
            let has = |(text, code): &(&str, &str)| {
                let begins = |begin: &&str| text.contains(&format!("\"{begin}"));
                let is_quoted = |begin: &&str| text.contains(&format!("\\\"{begin}"));
                matter.words.iter().any(|word| names(code, word))
                    || matter.texts.iter().any(|begin| begins(begin) && !is_quoted(begin))
            };
            let lines = text.lines().zip(code.lines()).enumerate();
            lines.filter(|(_, line)| has(line)).map(|(idx, _)| idx + 1).collect()
        } else {
            let shipped = file.dependencies().into_iter();
            let shipped = shipped.filter(|(_, section, _)| *section == "dependencies");
            let foreign = shipped.filter(|(_, _, name)| matter.libraries.contains(name));
            foreign.map(|(line, _, _)| line).collect()
        };
        let text = format!("{} never touches {}, says ARCHITECTURE.md", row.name, matter.name);
        found.extend(lines.into_iter().map(|line| file.says(line, &text)));
    }
    found
}

/// The order of the files of `cli`, from above: those of a floor may import each other, and all below.
fn floors(text: &str) -> Vec<Vec<&str>> {
    let drawn = text.split("Within `cli`").nth(1).and_then(|rest| rest.split("```").nth(1));
    let drawn = drawn.expect("ARCHITECTURE.md draws the order of the files of cli");
    drawn.split("->").map(|floor| floor.split(',').map(str::trim).collect()).collect()
}

fn upwards(floors: &[Vec<&str>], files: &[(String, String)]) -> Vec<String> {
    let floor = |path: &str| {
        let name = path.split('/').next().unwrap_or(path).trim_end_matches(".rs");
        floors.iter().position(|floor| floor.contains(&name))
    };
    let mut found: Vec<String> = imports(files)
        .into_iter()
        .filter(|import| match (floor(&import.file), floor(&import.of)) {
            (Some(from), Some(to)) => to < from,
            _ => false,
        })
        .map(|import| {
            let (file, line, of) = (import.file, import.line, import.of);
            format!("crates/cli/src/{file}:{line}: imports {of}, which is above it")
        })
        .collect();
    let lost = files.iter().map(|(path, _)| path).filter(|path| floor(path).is_none());
    found.extend(
        lost.map(|path| format!("crates/cli/src/{path}:1: ARCHITECTURE.md does not place it")),
    );
    found
}

/// Names such as `store/commit.rs` in a document, where no file of a crate or of the project is called so.
fn missing(document: &File, house: &[File]) -> Vec<String> {
    let is_there = |name: &str| {
        let (of, rest) = name.split_once('/').unwrap_or((name, ""));
        let places = [
            name.to_owned(),
            format!("crates/{of}/src/{rest}"),
            format!("crates/{name}"),
            format!("crates/cli/src/{name}"),
        ];
        house
            .iter()
            .any(|file| places.iter().any(|place| file.is_under(place.trim_end_matches('/'))))
    };
    let mut found = Vec::new();
    for (idx, line) in document.text.lines().enumerate() {
        let quoted = line.split('`').skip(1).step_by(2);
        let paths = quoted.filter(|name| name.contains('/') && !name.contains([' ', '*', ':']));
        let lost = paths.filter(|name| !is_there(name));
        found.extend(lost.map(|name| document.says(idx + 1, &format!("there is no {name}"))));
    }
    found
}
