//! Stores that other versions wrote: older ones are read, checked and written on, newer ones refused.
//! `samples/stores/format-N` was written by a version whose format that was, from the same three files.

use std::path::Path;

use crate::sealed::{Sealed, root};

const FILES: [&str; 3] = [
    "samples/quirks/quirk-guide-records.csv",
    "samples/quirks/quirk-guide-remote-bounce.csv",
    "samples/quirks/quirk-bad-number.csv",
];

/// The format that the program writes, as it says itself.
fn newest() -> u32 {
    let said = Sealed::new().done(&["--version"]);
    let line = said.lines().find_map(|line| line.strip_prefix("format"));
    line.unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(&path, &to).unwrap();
        }
    }
}

/// The formats of stores in a folder; those between are of stores in a bucket.
fn formats() -> Vec<u32> {
    let folders = std::fs::read_dir(root().join("samples/stores")).unwrap();
    let names = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap());
    let mut formats: Vec<u32> =
        names.filter_map(|name| name.strip_prefix("format-")?.parse().ok()).collect();
    formats.sort_unstable();
    assert_eq!(formats.last(), Some(&newest()), "a sample of each");
    formats
}

fn of_format(format: u32) -> Sealed {
    let sealed = Sealed::new();
    copy(&root().join(format!("samples/stores/format-{format}")), &sealed.store());
    sealed
}

/// The root of the store, as JSON.
fn root_of(sealed: &Sealed) -> serde_json::Value {
    let text = std::fs::read_to_string(sealed.store().join("_pmtaq/root.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_version_says_what_engine_and_which_stores() {
    let said = Sealed::new().done(&["--version"]);
    assert!(said.starts_with(&format!("pmtaq {}\n", env!("CARGO_PKG_VERSION"))), "{said}");
    assert!(said.contains("\nengine  DuckDB v") && said.contains("\ntarget  "), "{said}");
    assert_eq!(said, Sealed::new().done(&["why", "-V"]), "any command says it");
}

#[test]
fn a_store_of_each_format_is_read_and_checked_and_written_on_at_scale() {
    for format in formats() {
        let sealed = of_format(format);
        assert_eq!(root_of(&sealed)["version"], format);
        let answers = |sealed: &Sealed| {
            let hours = sealed.number("select sum(records) from hourly");
            let records = sealed.number("select count(*) from records");
            (records, hours, sealed.number("select count(*) from rejects"))
        };
        assert_eq!(answers(&sealed), (5, 5, 1), "format {format}");
        assert_eq!(sealed.run(&["verify"]).code, Some(0), "format {format}");
        let reply = sealed.done(&["sql", "select dsn_diag from bounces", "--format", "csv"]);
        assert!(reply.contains("Spam Suspected"), "format {format}: {reply}");

        let files = FILES.map(|file| root().join(file));
        let known = sealed.ingest(&files.each_ref().map(|file| file.as_path()));
        assert_eq!(known.counts().1, 0, "format {format}: known files are known");
        let fresh = sealed.ingest(&[&root().join("samples/quirks/quirk-offsets.csv")]).counts().1;
        assert!(fresh > 0);
        assert_eq!(root_of(&sealed)["version"], newest(), "format {format}");
        let fresh = i64::try_from(fresh).unwrap();
        assert_eq!(answers(&sealed), (5 + fresh, 5 + fresh, 1), "format {format}");
        assert_eq!(sealed.run(&["verify"]).code, Some(0), "format {format}");
        sealed.done(&["compact"]);
        assert_eq!(answers(&sealed), (5 + fresh, 5 + fresh, 1), "format {format}");
    }
}

#[test]
fn a_store_of_a_newer_format_is_refused_in_words_and_not_touched() {
    let sealed = of_format(newest());
    let path = sealed.store().join("_pmtaq/root.json");
    let mut root_json = root_of(&sealed);
    // The next one is that of a store in a bucket.
    root_json["version"] = (newest() + 2).into();
    root_json.as_object_mut().unwrap().remove("checksum");
    std::fs::write(&path, root_json.to_string()).unwrap();
    let before = std::fs::read(&path).unwrap();
    for args in [
        &["status"][..],
        &["sql", "select 1"],
        &["verify", "--repair"],
        &["ingest", "samples/quirks/quirk-offsets.csv"],
    ] {
        let run = sealed.run(args);
        assert_eq!(run.code, Some(3), "{args:?}: {run:?}");
        assert!(run.stderr.contains("which a newer pmtaq wrote"), "{args:?}: {run:?}");
        assert!(run.stderr.contains("install the newer one"), "{args:?}: {run:?}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn compaction_writes_into_old_parts_who_ended_a_bounce_at_scale() {
    for format in formats() {
        let sealed = of_format(format);
        let asked = |from: &str| {
            let pivot =
                ["pivot", "--rows", "bounce_origin,bounce_class", "--metric", "bounced,deferred"];
            sealed.done(&[&pivot[..], &["--from", from, "--format", "csv", "-q"]].concat())
        };
        let before = ["auto", "records"].map(asked);
        sealed.done(&["compact", "-q"]);
        assert_eq!(["auto", "records"].map(asked), before, "format {format}");
        assert_eq!(sealed.run(&["verify"]).code, Some(0), "format {format}");
        let mut lists = Vec::new();
        for day in std::fs::read_dir(sealed.store().join("_pmtaq/days")).unwrap() {
            for file in std::fs::read_dir(day.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                if path.file_name().unwrap().to_str().unwrap().starts_with("parts-") {
                    lists.push(std::fs::read_to_string(path).unwrap());
                }
            }
        }
        let list = |text: &String| -> Vec<serde_json::Value> {
            let list: serde_json::Value = serde_json::from_str(text).unwrap();
            list.get("entries").unwrap_or(&list).as_array().unwrap().clone()
        };
        let parts = lists.iter().flat_map(list);
        let parts = parts.filter(|part| part["table"] == "records" || part["table"] == "hourly");
        let derived: Vec<Option<u64>> = parts.map(|part| part["derived"].as_u64()).collect();
        assert!(
            derived.len() > 1 && derived.iter().all(|n| *n > Some(0)),
            "format {format}: {derived:?}"
        );
    }
}
