//! What other tools read: the store by a plain glob, an export, the files themselves. They agree
//! with the generator's own count and with an independent reader of the CSV.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use pmtaq_gen::{Compress, Options, Size, generate};
use serde_json::Value;

use crate::sealed::{Sealed, interpreter, root};

/// What a script of tests/python prints.
pub(crate) fn python(script: &str, args: &[&Path]) -> Value {
    python_with(script, args, &[])
}

/// The same with variables of the environment.
pub(crate) fn python_with(script: &str, args: &[&Path], variables: &[(&str, &str)]) -> Value {
    let python = interpreter();
    let output = Command::new(&python)
        .arg(root().join("tests/python").join(script))
        .args(args)
        .envs(variables.iter().copied())
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; run `make python`", python.display()));
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_store_made_by_a_script_as_the_format_is_described_is_sound() {
    let sealed = Sealed::of_samples();
    let made = sealed.dir.path().join("made");
    let output = Command::new(interpreter())
        .arg(root().join("benches/store/repeated.py"))
        .args([&sealed.store(), &made])
        .args(["--times", "3"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let count = |store: &Path, sql: &str| -> i64 {
        let store = store.to_str().unwrap();
        let text = sealed.done(&["--store", store, "sql", sql, "--format", "csv"]);
        text.lines().nth(1).unwrap().parse().unwrap()
    };
    for sql in ["select count(*) from records", "select sum(records)::bigint from hourly"] {
        let once = count(&sealed.store(), sql);
        assert!(once > 0 && count(&made, sql) == 3 * once, "{sql}");
    }
}

/// The types of each row group of records, and all rows.
fn row_groups(sealed: &Sealed) -> (Vec<Vec<String>>, u64) {
    let groups = python("row_groups.py", &[&sealed.store()]);
    let groups = groups.as_array().unwrap();
    let types = |group: &Value| serde_json::from_value(group["types"].clone()).unwrap();
    (groups.iter().map(types).collect(), groups.iter().filter_map(|of| of["rows"].as_u64()).sum())
}

#[test]
fn no_row_group_has_deliveries_and_bounces_whoever_wrote_it() {
    let (common, rare) = (["d", "r"], ["b", "f", "rb", "rs", "t", "tq"]);
    let check = |sealed: &Sealed, written: &str| {
        let (groups, rows) = row_groups(sealed);
        let n_records = sealed.number("select count(*) from records");
        assert_eq!(i64::try_from(rows), Ok(n_records), "{written}");
        let is_of = |types: &[&str]| {
            let all = |group: &&Vec<String>| group.iter().all(|of| types.contains(&of.as_str()));
            groups.iter().filter(all).count()
        };
        let (of_common, of_rare) = (is_of(&common), is_of(&rare));
        assert!(of_common > 0 && of_rare > 0, "{written}: {groups:?}");
        assert_eq!(of_common + of_rare, groups.len(), "{written}: {groups:?}");
    };
    let sealed = Sealed::new();
    let dir = sealed.dir.path().join("acct");
    generate(&Options { rows: 30_000, ..Options::default() }, &dir).unwrap();
    // With so little memory a part has several row groups of either kind, in turn.
    sealed.done(&["ingest", "-q", "--memory", "120MB", "--threads", "1", dir.to_str().unwrap()]);
    check(&sealed, "an ingest");
    let someone =
        "select rcpt from records where rec = 'b' and rcpt is not null order by rcpt limit 1";
    let someone = sealed.done(&["sql", "-q", "--format", "csv", someone]);
    let someone = someone.lines().nth(1).unwrap();
    sealed.done(&["forget", "-q", "--rcpt", someone, "--yes"]);
    check(&sealed, "what forgets a person");
    sealed.ingest(&[&root().join("samples/acct")]);
    sealed.done(&["compact", "-q"]);
    check(&sealed, "a compaction");
}

#[test]
fn other_tools_pass_over_the_row_groups_that_have_not_got_a_recipient_or_a_message_id() {
    let sealed = Sealed::new();
    let dir = sealed.dir.path().join("acct");
    let settings = Options { rows: 60_000, size: Size::Sender, ..Options::default() };
    generate(&settings, &dir).unwrap();
    let spelt = "type,timeLogged,timeQueued,orig,rcpt\n\
         d,2026-03-01 10:00:00+0000,2026-03-01 10:00:00+0000,a@s.example,Anna.MEIER@R.example\n\
         d,2026-03-01 10:00:00+0000,2026-03-01 10:00:00+0000,a@s.example,\u{c4}NNE@r.example\n";
    sealed.ingest(&[&dir, &sealed.file("acct-spelt.csv", spelt)]);
    let check = |written: &str| {
        for (column, most) in [("rcpt", 0.12), ("message_id", 0.55)] {
            let groups = python("filters.py", &[&sealed.store(), Path::new(column)]);
            let groups = groups.as_array().unwrap();
            assert!(groups.len() > 1, "{written}: {groups:?}");
            for group in groups {
                assert_eq!(group["missed"], 0, "{written}: {group}");
                assert!(group["seeming"].as_f64().unwrap() < most, "{written}: {group}");
                // Two bytes for each row at most, but no filter has less than a block.
                let number = |name: &str| group[name].as_u64().unwrap();
                assert!(number("bytes") <= 2 * number("rows") + 64, "{written}: {group}");
            }
        }
    };
    check("an ingest");
    sealed.done(&["compact", "-q"]);
    check("a compaction");
    for address in ["anna.meier@r.example", "Anna.MEIER@R.example", "\u{e4}nne@r.example"] {
        let steps = sealed.done(&["trace", address, "--format", "csv"]);
        assert_eq!(steps.lines().count(), 2, "{address}: {steps}");
    }
}

#[test]
fn a_million_rows_are_counted_alike_by_everyone_at_scale() {
    let sealed = Sealed::new();
    let dir = sealed.dir.path().join("acct");
    let settings = Options { rows: 1_000_000, ..Options::default() };
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
fn every_report_agrees_with_a_recount_of_the_raw_files_at_scale() {
    let sealed = Sealed::new();
    let dir = root().join("samples/acct");
    sealed.ingest(&[&dir]);
    let mut files: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "csv"));
    files.sort();
    let files: Vec<&Path> = files.iter().map(std::path::PathBuf::as_path).collect();
    let mut questions = Vec::new();
    for script in ["report_counts.py", "recount_episodes.py"] {
        questions.extend(python(script, &files).as_array().unwrap().clone());
    }
    let mut compared = 0;
    for question in &questions {
        let args: Vec<&str> = texts(&question["args"]);
        // From the records: tests/rollup.rs compares the rollup with them.
        let more = ["--from", "records", "--format", "json"];
        let printed = sealed.done(&[&args[..], &more].concat());
        let printed: Value = serde_json::from_str(&printed).unwrap();
        let key = texts(&question["key"]);
        let rows = |of: &Value| -> BTreeMap<String, Value> {
            let rows = of.as_array().unwrap().iter();
            rows.map(|row| (key.iter().map(|k| row[*k].to_string()).collect(), row.clone()))
                .collect()
        };
        let (printed, expected) = (rows(&printed), rows(&question["rows"]));
        assert!(
            printed.keys().eq(expected.keys()),
            "{args:?}: {:?} and not {:?}",
            printed.keys(),
            expected.keys()
        );
        for (name, row) in &expected {
            for (column, value) in row.as_object().unwrap() {
                let found = &printed[name][column];
                assert!(is_near(found, value), "{args:?} {name}: {column} is {found}, not {value}");
                assert!(printed[name].get(column).is_some(), "{args:?}: no column {column}");
                compared += 1;
            }
        }
    }
    assert!(compared > 8_000, "only {compared} values");
}

fn texts(of: &Value) -> Vec<&str> {
    of.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// Numbers may differ in the last digits, all else in nothing.
fn is_near(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
        _ => a == b,
    }
}

#[test]
fn compression_and_a_shifted_clock_change_nothing_at_scale() {
    let sealed = Sealed::new();
    for (name, compress, offset_min) in
        [("gz", Compress::Gzip, -300), ("zst", Compress::Zstd, 345), ("plain", Compress::None, 0)]
    {
        let dir = sealed.dir.path().join(name);
        let settings = Options { rows: 20_000, compress, offset_min, ..Options::default() };
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
    let settings = Options { rows: 6000, hours_per_file: 24, ..Options::default() };
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
