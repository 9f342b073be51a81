//! The files of the project, as text: what each is, and where.

use std::path::Path;

/// One text file of the project, by its path from the top, with `/` between the folders.
pub(super) struct File {
    pub(super) path: String,
    pub(super) text: String,
}

impl File {
    pub(super) fn says(&self, line: usize, text: &str) -> String {
        format!("{}:{line}: {text}", self.path)
    }

    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub(super) fn is_under(&self, path: &str) -> bool {
        self.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    pub(super) fn is_test(&self) -> bool {
        let mut folders = self.path.split('/');
        folders.any(|part| matches!(part, "tests" | "tests.rs" | "benches" | "examples"))
    }

    pub(super) fn crate_of_manifest(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")
    }

    /// The crate that this file is source of, tests apart, and its path below `src`.
    pub(super) fn place_in_crate(&self) -> Option<(&str, &str)> {
        let place = self.path.strip_prefix("crates/")?.split_once("/src/")?;
        (self.is_rust() && !self.is_test()).then_some(place)
    }

    /// (line, section, name) of each dependency, where it is a Cargo.toml.
    pub(super) fn dependencies(&self) -> Vec<(usize, &str, &str)> {
        let mut section = "";
        let mut found = vec![];
        for (idx, line) in self.text.lines().enumerate() {
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']');
            } else if section.ends_with("dependencies") {
                let name = line.split(['.', '=', ' ']).next().unwrap_or("");
                found.push((idx + 1, section, name));
            }
        }
        found
    }
}

/// Reads all files of the project, except those that .gitignore leaves out.
pub(super) fn house() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let ignored = std::fs::read_to_string(root.join(".gitignore")).expect(".gitignore is readable");
    let mut ignored: Vec<&str> = ignored.lines().map(|line| line.trim_end_matches('/')).collect();
    ignored.push("/.git");
    let mut house = vec![];
    walk(&root, "", &ignored, &mut house);
    for path in ["Cargo.toml", "crates/store/src/lib.rs"] {
        assert!(house.iter().any(|file| file.path == path), "{path} is not looked at");
    }
    house.sort_by(|a, b| a.path.cmp(&b.path));
    house
}

fn walk(dir: &Path, prefix: &str, ignored: &[&str], house: &mut Vec<File>) {
    for entry in std::fs::read_dir(dir).expect("a folder of the project is readable") {
        let entry = entry.expect("a folder of the project is readable");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        // What begins with `/` is ignored at the top only: a store there, and not the crate of that name.
        if ignored.contains(&name.as_str()) || ignored.contains(&&*format!("/{path}")) {
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
