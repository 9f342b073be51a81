//! Folders and configurations as people have them: what ingest takes of each, and what `doctor` finds in it.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use crate::sealed::{Sealed, golden, root};

const ASKED: [&str; 2] = [
    "select rec, count(*) as n, count(distinct rcpt) as rcpts from records group by 1 order by 1",
    "select regexp_extract(source, '[^/]*$') as source, count(*) as n from records group by 1 order by 1",
];

#[test]
fn every_setup_gives_what_its_golden_file_says_at_scale() {
    let mut names: Vec<String> = std::fs::read_dir(root().join("samples/setups"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() > 9, "samples are missing: {names:?}");
    for name in names {
        let sealed = Sealed::new();
        let folder = sealed.dir.path().join(&name);
        copy(&root().join("samples/setups").join(&name), &folder);
        let folder = folder.to_str().unwrap();
        let config = format!("{folder}/config");
        let mut text = String::new();
        if !name.starts_with("config-") {
            text += &sealed
                .run(&["ingest", "--host", "mta1", folder, "--exclude", "config"])
                .transcript();
            for asked in ASKED {
                text += &sealed.done(&["sql", asked, "--format", "csv"]);
            }
        } else {
            sealed.done(&["ingest", "-q", "--host", "mta1", "samples/setups/names-of-logrotate"]);
        }
        let mut doctor = vec!["doctor", "--format", "csv", "--max-lag", "999d"];
        if Path::new(&config).is_file() {
            doctor.push(&config);
        }
        text += &sealed.run(&doctor).transcript();
        golden(&format!("setups/{name}.txt"), &text);
    }
}

/// Copies a folder; what was checked out just now is old and whole in the copy.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (entry, to) = (entry.as_ref().unwrap(), to.join(entry.as_ref().unwrap().file_name()));
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
            continue;
        }
        std::fs::write(&to, std::fs::read(entry.path()).unwrap()).unwrap();
        let old = UNIX_EPOCH + Duration::from_secs(1_768_000_000);
        std::fs::File::options().write(true).open(&to).unwrap().set_modified(old).unwrap();
    }
}
