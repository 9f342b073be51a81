//! A sealed place to run the program in: no environment, no home, a clock that stands still.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

/// A temporary folder, and the program in it. The store is in the folder too, or with `PMTAQ_TEST_BUCKET=1` in
/// a bucket of a server on this machine (`make test-bucket`).
pub(crate) struct Sealed {
    pub(crate) dir: TempDir,
    /// The address of the store and the server.
    bucket: Option<(String, String)>,
}

/// What a run printed and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

/// The Python that has what the scripts of tests/python import.
pub(crate) fn interpreter() -> PathBuf {
    std::env::var_os("PMTAQ_PYTHON").map_or_else(|| root().join(".venv/bin/python"), PathBuf::from)
}

impl Sealed {
    pub(crate) fn new() -> Sealed {
        let dir = tempfile::Builder::new().prefix("pmtaq-test-").tempdir();
        let bucket = std::env::var_os("PMTAQ_TEST_BUCKET").map(|_| crate::bucket::place());
        Sealed { dir: dir.unwrap(), bucket }
    }

    /// With a store of the samples, as the MTA `testmta` wrote them.
    pub(crate) fn of_samples() -> Sealed {
        let ingested = || {
            let sealed = Sealed::new();
            sealed.done(&["ingest", "-q", "--host", "testmta", "samples/acct"]);
            sealed
        };
        // They are ingested once, and each test has the files of its own; but for a bucket.
        static STORE: OnceLock<Tree> = OnceLock::new();
        if std::env::var_os("PMTAQ_TEST_BUCKET").is_some() {
            return ingested();
        }
        Sealed::with_store(STORE.get_or_init(|| Tree::read(&ingested().store())))
    }

    /// With a copy of a store.
    pub(crate) fn with_store(store: &Tree) -> Sealed {
        let sealed = Sealed::new();
        store.write(&sealed.store());
        sealed
    }

    /// The folder of the store.
    pub(crate) fn store(&self) -> PathBuf {
        assert!(self.bucket.is_none(), "this test is of a store in a folder");
        self.dir.path().join("store")
    }

    /// What a file of the store holds, by its name in the store.
    pub(crate) fn kept(&self, name: &str) -> String {
        match &self.bucket {
            None => std::fs::read_to_string(self.store().join(name)).unwrap(),
            Some((store, _)) => crate::bucket::object(store, name),
        }
    }

    /// The program, to be run in the root of the project.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pmtaq"));
        command.env_clear().current_dir(root());
        match &self.bucket {
            None => command.env("PMTAQ_STORE", self.store()),
            Some((store, endpoint)) => command
                .env("PMTAQ_STORE", store)
                .env("PMTAQ_CACHE", self.dir.path().join("cache"))
                .envs([("AWS_ENDPOINT_URL", endpoint.as_str()), ("AWS_ACCESS_KEY_ID", "A")])
                .env("AWS_SECRET_ACCESS_KEY", "S"),
        };
        command.env("PMTAQ_ETC", self.dir.path().join("etc"));
        command
    }

    /// Runs the program on 2026-03-05, on a machine called `testmta`.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        let output = self
            .command()
            .args(["--now", "2026-03-05T12:00:00Z", "--threads", "2"])
            .args(args)
            .output()
            .unwrap();
        Run::of(&output, self)
    }

    /// Runs the program with variables of the environment.
    pub(crate) fn run_with(&self, variables: &[(&str, &str)], args: &[&str]) -> Run {
        let mut command = self.command();
        command.args(["--now", "2026-03-05T12:00:00Z", "--threads", "2"]).args(args);
        command.envs(variables.iter().copied());
        Run::of(&command.output().unwrap(), self)
    }

    /// Runs the program and expects it to succeed; returns stdout.
    pub(crate) fn done(&self, args: &[&str]) -> String {
        let run = self.run(args);
        assert_eq!(run.code, Some(0), "{args:?}\n{}", run.stderr);
        run.stdout
    }

    /// Writes a file beside the store.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Writes a program.
    pub(crate) fn program(&self, name: &str, script: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.file(name, script);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The ledger of an ingest, as JSON prints it: a number of it.
    pub(crate) fn ingest(&self, paths: &[&Path]) -> Ledger {
        let paths: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
        let run = self.run(&[&["ingest", "--quiet", "--format", "json"], &paths[..]].concat());
        Ledger(serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}")))
    }

    /// The single number that a statement yields.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        let text = self.done(&["sql", sql, "--format", "csv"]);
        text.lines().nth(1).unwrap().parse().unwrap()
    }
}

/// The counts of an ingest.
#[derive(Debug)]
pub(crate) struct Ledger(serde_json::Value);

impl Ledger {
    /// `(read, stored, duplicate, rejected)`, after checking that they balance.
    pub(crate) fn counts(&self) -> (u64, u64, u64, u64) {
        let of = |key: &str| self.0[0][key].as_u64().unwrap();
        let counts = (of("read"), of("stored"), of("duplicate"), of("rejected"));
        assert_eq!(counts.0, counts.1 + counts.2 + counts.3, "{self:?}");
        counts
    }
}

impl Run {
    fn of(output: &Output, sealed: &Sealed) -> Run {
        // What differs from run to run: the place of the store, and how threads shared the work.
        let clean = |bytes: &[u8]| {
            let place = sealed.dir.path().to_str().unwrap();
            let mut text = String::from_utf8_lossy(bytes).replace(place, "$DIR");
            if let Some((store, _)) = &sealed.bucket {
                text = text.replace(store, "$DIR/store");
            }
            let lines = text.lines().map(|line| match line {
                line if line.starts_with("written ") => "written   [PARTS, SIZE, TIME]".to_owned(),
                line => line.to_owned(),
            });
            lines.map(|line| line + "\n").collect()
        };
        Run {
            stdout: clean(&output.stdout),
            stderr: clean(&output.stderr),
            code: output.status.code(),
        }
    }

    /// All of it, as golden files hold it.
    pub(crate) fn transcript(&self) -> String {
        let code = self.code.map_or("killed".to_owned(), |code| code.to_string());
        format!("{}--- stderr\n{}--- exit {code}\n", self.stdout, self.stderr)
    }
}

/// A file or a folder with all that is in it.
pub(crate) struct Tree {
    mode: Permissions,
    holds: Holds,
}

enum Holds {
    Bytes(Vec<u8>),
    Inner(Vec<(OsString, Tree)>),
}

impl Tree {
    pub(crate) fn read(path: &Path) -> Tree {
        let mode = path.metadata().unwrap().permissions();
        if !path.is_dir() {
            return Tree { mode, holds: Holds::Bytes(fs::read(path).unwrap()) };
        }
        let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name());
        let inner = names.map(|name| (name.clone(), Tree::read(&path.join(name))));
        Tree { mode, holds: Holds::Inner(inner.collect()) }
    }

    fn write(&self, path: &Path) {
        match &self.holds {
            Holds::Bytes(content) => fs::write(path, content).unwrap(),
            Holds::Inner(inner) => {
                fs::create_dir(path).unwrap();
                inner.iter().for_each(|(name, tree)| tree.write(&path.join(name)));
            }
        }
        fs::set_permissions(path, self.mode.clone()).unwrap();
    }
}

/// The root of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Compares with a file of `tests/`, or writes it when `UPDATE` is set.
pub(crate) fn golden(name: &str, actual: &str) {
    let path = root().join("tests").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, actual).unwrap();
    }
    let expected = fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("{} is missing: run the tests with UPDATE=1", path.display()));
    assert!(expected == actual, "{} differs; now it is:\n{actual}", path.display());
}
