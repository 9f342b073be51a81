//! Finds what the files of a crate import of each other, and which do so in a circle, from the paths in their code.
//! A re-export is looked through: who names it depends on the file that it comes from.

use std::collections::{BTreeMap, BTreeSet};

/// Files that may need each other: a pair is read together, a longer circle has no beginning.
const LONGEST: usize = 2;

/// A module by its names from the root of the crate, which has none.
type Module = Vec<String>;

/// A file that imports another, and the line that does.
pub(super) struct Import {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) of: String,
}

/// All imports of the files of one crate, each by its path below `src` with its code, without tests.
pub(super) fn imports(files: &[(String, String)]) -> Vec<Import> {
    let house = House::new(files);
    let of_file = |module: &Module| {
        let needs = house.needs(module).into_iter();
        needs.map(|(other, line)| house.import(module, &other, line)).collect::<Vec<_>>()
    };
    house.files.keys().flat_map(of_file).collect()
}

/// The imports that make circles of more than two files, each with the number of files in its circle.
pub(super) fn circles(files: &[(String, String)]) -> Vec<(Import, usize)> {
    let house = House::new(files);
    let needs: BTreeMap<&Module, BTreeMap<Module, usize>> =
        house.files.keys().map(|module| (module, house.needs(module))).collect();
    let reaches = |from: &Module| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = open.pop() {
            let next = needs[&module].keys();
            open.extend(next.filter(|next| seen.insert((*next).clone())).cloned());
        }
        seen
    };
    let reach: BTreeMap<&Module, BTreeSet<Module>> =
        house.files.keys().map(|module| (module, reaches(module))).collect();
    let mut found = Vec::new();
    for (module, imports) in &needs {
        let is_with =
            |other: &&Module| reach[*module].contains(*other) && reach[other].contains(*module);
        let n_files =
            1 + house.files.keys().filter(|other| other != module).filter(is_with).count();
        if n_files <= LONGEST {
            continue;
        }
        let of_circle = imports.iter().filter(|(other, _)| is_with(other));
        found.extend(of_circle.map(|(other, line)| (house.import(module, other, *line), n_files)));
    }
    found
}

struct House<'f> {
    /// By module, the path and the code of its file.
    files: BTreeMap<Module, (&'f str, &'f str)>,
    /// By module, what its `use` lines call which path.
    aliases: BTreeMap<Module, BTreeMap<String, Vec<String>>>,
}

impl<'f> House<'f> {
    fn new(files: &'f [(String, String)]) -> House<'f> {
        let files: BTreeMap<Module, (&str, &str)> = files
            .iter()
            .map(|(path, code)| (module_of(path), (path.as_str(), code.as_str())))
            .collect();
        let aliases = files.iter().map(|(module, (_, code))| {
            let uses = uses(code).into_iter();
            (module.clone(), uses.map(|(_, name, path)| (name, path)).collect())
        });
        House { aliases: aliases.collect(), files }
    }

    fn import(&self, module: &Module, other: &Module, line: usize) -> Import {
        let name = |module: &Module| self.files[module].0.to_owned();
        Import { file: name(module), line, of: name(other) }
    }

    /// The files that `module` names, each with the first line that does.
    fn needs(&self, module: &Module) -> BTreeMap<Module, usize> {
        let code = self.files[module].1;
        let named = uses(code).into_iter().map(|(line, _, path)| (line, path));
        let mut needs = BTreeMap::new();
        for (line, path) in named.chain(paths(code)) {
            if let Some(other) = self.file_of(module, &path, 0).filter(|other| other != module) {
                needs.entry(other).or_insert(line);
            }
        }
        needs
    }

    /// The file that defines what `path` names, seen from `module`; none when it is not of this crate.
    fn file_of(&self, module: &Module, path: &[String], depth: usize) -> Option<Module> {
        let (first, mut rest) = path.split_first()?;
        let mut at = module.clone();
        match first.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => {
                at.pop();
                while let Some(("super", more)) = rest.split_first().map(|(f, m)| (f.as_str(), m)) {
                    at.pop();
                    rest = more;
                }
            }
            _ if self.has(&at, first) => at.push(first.clone()),
            // A name that a `use` line made, which is looked through once more.
            name => return self.behind(&at, name, rest, depth),
        }
        while let Some((name, more)) = rest.split_first() {
            if !self.has(&at, name) {
                return self.behind(&at, name, more, depth).or(Some(at));
            }
            at.push(name.clone());
            rest = more;
        }
        self.files.contains_key(&at).then_some(at)
    }

    /// The file behind a name that a `use` line of `module` has.
    fn behind(&self, module: &Module, name: &str, rest: &[String], depth: usize) -> Option<Module> {
        const DEEPEST: usize = 8;
        let path = self.aliases.get(module)?.get(name).filter(|path| path[0] != name)?;
        let path: Vec<String> = path.iter().chain(rest).cloned().collect();
        if depth < DEEPEST { self.file_of(module, &path, depth + 1) } else { None }
    }

    fn has(&self, module: &Module, child: &str) -> bool {
        let child: Module =
            module.iter().map(String::as_str).chain([child]).map(str::to_owned).collect();
        self.files.contains_key(&child)
    }
}

/// `a/b.rs` and `a/b/mod.rs` are `a::b`; `lib.rs` and `main.rs` are the root.
fn module_of(path: &str) -> Module {
    let mut names: Module = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if names.last().is_some_and(|name| matches!(name.as_str(), "mod" | "lib" | "main")) {
        names.pop();
    }
    names
}

/// The `use` lines of code: line, the name that is made, the path that it stands for.
fn uses(code: &str) -> Vec<(usize, String, Vec<String>)> {
    let mut found = Vec::new();
    let mut at = 0;
    for (idx, line) in code.lines().enumerate() {
        let statement = line.trim_start();
        let visible = statement.strip_prefix("pub(").and_then(|rest| rest.split_once(") "));
        let plain = visible.map_or(statement.trim_start_matches("pub "), |(_, rest)| rest);
        if let Some(tree) = plain.strip_prefix("use ") {
            let begin = at + line.len() - tree.len();
            let tree = code[begin..].split(';').next().unwrap_or_default();
            leaves(&[], tree, &mut |name, path| found.push((idx + 1, name, path)));
        }
        at += line.len() + 1;
    }
    found
}

/// Takes `a::{b, c as d}` apart.
fn leaves(prefix: &[String], tree: &str, take: &mut dyn FnMut(String, Vec<String>)) {
    let (head, inner) = match tree.split_once('{') {
        Some((head, inner)) => (head, inner.trim_end().strip_suffix('}')),
        None => (tree, None),
    };
    let (head, alias) =
        head.split_once(" as ").map_or((head, None), |(head, name)| (head, Some(name)));
    let words = head.split("::").map(str::trim).filter(|word| !word.is_empty() && *word != "self");
    let mut path = prefix.to_vec();
    // `self` stands for the module itself, but at the beginning of a path.
    path.extend(
        (prefix.is_empty() && head.trim_start().starts_with("self::")).then(|| "self".to_owned()),
    );
    path.extend(words.map(str::to_owned));
    let Some(inner) = inner else {
        if let Some(name) = alias.map(str::trim).or(path.last().map(String::as_str)) {
            take(name.to_owned(), path);
        }
        return;
    };
    let (mut depth, mut begin) = (0, 0);
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                leaves(&path, &inner[begin..at], take);
                begin = at + 1;
            }
            _ => {}
        }
    }
    leaves(&path, &inner[begin..], take);
}

/// The paths of two words or more in code, `use` lines apart: line, words.
fn paths(code: &str) -> Vec<(usize, Vec<String>)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (idx, line) in code.lines().enumerate() {
        let paths = line.split(|c: char| !is_word(c) && c != ':');
        // What ends with `::` goes on in braces or as a type.
        let paths = paths.filter(|path| path.contains("::") && !path.ends_with(':'));
        let words = paths.map(|path| path.split("::").map(str::to_owned).collect());
        found.extend(words.map(|words| (idx + 1, words)));
    }
    found
}

#[test]
fn three_files_in_a_circle_are_found_and_two_are_let_be() {
    let crate_of = |files: &[(&str, &str)]| -> Vec<(String, String)> {
        files.iter().map(|(path, code)| ((*path).to_owned(), (*code).to_owned())).collect()
    };
    let found = |files: &[(&str, &str)]| -> Vec<String> {
        let found = circles(&crate_of(files));
        let text = |(i, n): &(Import, usize)| format!("{}:{} {} {n}", i.file, i.line, i.of);
        found.iter().map(text).collect()
    };
    let bad = [
        ("main.rs", "mod a;\nmod b;\nmod c;\n"),
        ("a.rs", "use std::fmt;\nuse crate::{b::B, c};\n"),
        ("b/mod.rs", "fn f() {\n    super::c::g();\n}\n"),
        ("c.rs", "pub(crate) use crate::a::{A as X};\n"),
    ];
    assert_eq!(
        found(&bad),
        ["a.rs:2 b/mod.rs 3", "a.rs:2 c.rs 3", "b/mod.rs:2 c.rs 3", "c.rs:1 a.rs 3"]
    );
    let pair = [
        ("a.rs", "use crate::b::B;\n"),
        ("b.rs", "use super::a::A;\n"),
        ("c.rs", "use crate::a::A;\n"),
    ];
    assert_eq!(found(&pair), Vec::<String>::new());
    // Through the root, which only hands on, nobody needs anybody else.
    let handed_on = [
        ("lib.rs", "mod a;\npub use a::A;\nmod b;\npub use b::B;\nmod c;\npub use c::C;\n"),
        ("a.rs", "struct A;\n"),
        ("b.rs", "use crate::A;\n"),
        ("c.rs", "use crate::{A, B};\n"),
    ];
    assert_eq!(found(&handed_on), Vec::<String>::new());
}
