//! What other tools read: the store by a plain glob, an export, the files themselves. They agree
//! with the generator's own count and with an independent reader of the CSV.

use std::path::Path;
use std::process::Command;

use pmtaq_gen::{Compress, Settings, generate};
use serde_json::Value;

use crate::sealed::{Sealed, root};

fn python(script: &str, args: &[&Path]) -> Value {
    let python = std::env::var_os("PMTAQ_PYTHON")
        .unwrap_or_else(|| root().join(".venv/bin/python").into_os_string());
    let output = Command::new(&python)
        .arg(root().join("tests/python").join(script))
        .args(args)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; run `make python`", python.display()));
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_million_rows_are_counted_alike_by_everyone() {
    let sealed = Sealed::new();
    let dir = sealed.dir.path().join("acct");
    let settings = Settings { rows: 1_000_000, ..Settings::default() };
    let (truth, paths) = generate(&settings, &dir).unwrap();
    let truth = serde_json::to_value(truth.counts).unwrap();
    assert_eq!(sealed.ingest(&[&dir]).counts(), (1_000_000, 1_000_000, 0, 0));

    let stored = python("read_store.py", &[&sealed.store()]);
    for reader in ["duckdb", "polars", "pyarrow"] {
        assert_eq!(stored[reader]["counts"], truth, "{reader}");
    }
    let files: Vec<&Path> = paths.iter().map(std::path::PathBuf::as_path).collect();
    let recount = python("recount.py", &files);
    assert_eq!(recount["counts"], truth, "Python's csv module");

    let export = sealed.dir.path().join("export.parquet");
    sealed.done(&[
        "export",
        "-o",
        export.to_str().unwrap(),
        "--since",
        "2026-03-01",
        "--until",
        "2026-03-04",
    ]);
    let exported = python("read_parquet.py", &[&export]);
    for reader in ["duckdb", "polars", "pyarrow"] {
        assert_eq!(exported[reader]["counts"], truth, "{reader}");
    }
}

#[test]
fn compression_and_a_shifted_clock_change_nothing() {
    let sealed = Sealed::new();
    for (name, compress, offset_min) in
        [("gz", Compress::Gzip, -300), ("zst", Compress::Zstd, 345), ("plain", Compress::None, 0)]
    {
        let dir = sealed.dir.path().join(name);
        let settings = Settings { rows: 20_000, compress, offset_min, ..Settings::default() };
        let (truth, _) = generate(&settings, &dir).unwrap();
        let own = Sealed::new();
        assert_eq!(own.ingest(&[&dir]).counts(), (20_000, 20_000, 0, 0));
        let stored = python("read_store.py", &[&own.store()]);
        assert_eq!(
            stored["duckdb"]["counts"],
            serde_json::to_value(truth.counts).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn equal_seeds_give_equal_bytes_and_the_samples_are_those_of_seed_7() {
    let sealed = Sealed::new();
    let settings = Settings { rows: 6000, hours_per_file: 24, ..Settings::default() };
    let (_, paths) = generate(&settings, sealed.dir.path()).unwrap();
    assert_eq!(paths.len(), 3);
    for path in paths {
        let sample = root().join("samples/acct").join(path.file_name().unwrap());
        assert!(
            std::fs::read(&path).unwrap() == std::fs::read(&sample).unwrap(),
            "{}",
            sample.display()
        );
    }
}
