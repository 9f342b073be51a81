//! What rots is found, named and set aside, and comes back once from the files it came from.

use std::path::{Path, PathBuf};

use crate::life::{copy, part_of, parts, pieces, state, verify};
use crate::rollup::differences;
use crate::sealed::{Sealed, root};

/// The same store again, to be damaged.
pub(crate) fn again(sealed: &Sealed) -> Sealed {
    let again = Sealed::new();
    copy(&sealed.store(), &again.store());
    again
}

pub(crate) fn flip(path: &Path, at: usize, bit: u8) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1 << bit;
    std::fs::write(path, bytes).unwrap();
}

pub(crate) fn one(sealed: &Sealed, pattern: &str) -> PathBuf {
    let pattern = sealed.store().join(pattern);
    glob::glob(pattern.to_str().unwrap()).unwrap().next().unwrap().unwrap()
}

/// All files of a store that hold what it knows.
fn files(sealed: &Sealed) -> Vec<PathBuf> {
    let pattern = sealed.store().join("**/*");
    let all = glob::glob(pattern.to_str().unwrap()).unwrap().map(Result::unwrap);
    // What alerts remember, the lock and the reserve are none of it.
    let none = ["lock", "reserve", "alerts.json", "alerts.lock", "failed-ingests.json"];
    let is_data = |path: &PathBuf| !none.iter().any(|name| path.ends_with(name));
    all.filter(|path| path.is_file() && is_data(path)).collect()
}

#[test]
fn what_a_damaged_part_held_comes_back_from_its_files_and_nothing_twice_at_scale() {
    let whole = Sealed::new();
    let pieces = pieces(&whole, 300);
    let folder = pieces[0].parent().unwrap();
    // In several runs, of which some grow a file and the last one's parts are merged.
    let live = whole.file("in/acct-2026-03-09-0000.csv", "");
    for (n, piece) in pieces.iter().enumerate() {
        whole.ingest(&[piece]);
        let text = std::fs::read_to_string(&pieces[4]).unwrap();
        let lines = text.split_inclusive('\n').take(1 + 10 * n);
        let later = |line: &str| line.replacen("@", "+live@", 1);
        let text = lines.enumerate().map(|(i, l)| if i == 0 { l.to_owned() } else { later(l) });
        std::fs::write(&live, text.collect::<String>()).unwrap();
        whole.ingest(&[&live]);
    }
    let expected = state(&whole);
    let compacted = again(&whole);
    compacted.done(&["compact", "-q", "--day", "2026-03-01"]);
    let hurts: [&dyn Fn(&Path); 3] =
        [&|path| flip(path, 4000, 3), &|path| std::fs::remove_file(path).unwrap(), &|path| {
            let bytes = std::fs::read(path).unwrap();
            std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }];
    for (store, hurt) in [&whole, &compacted].into_iter().flat_map(|s| hurts.map(|hurt| (s, hurt)))
    {
        let sealed = again(store);
        hurt(&one(&sealed, "records/date=2026-03-01/*.parquet"));
        let (code, said) = verify(&sealed, &[]);
        assert!(code == Some(1) && said.contains("rows of records of 2026-03-01"), "{said}");
        let (code, said) = verify(&sealed, &["--repair"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("ingest these files again to have them back: acct-2026-"), "{said}");
        assert_ne!(state(&sealed), expected);
        assert_eq!(differences(&sealed), 0);
        // Not all of them at once, and some of them twice.
        sealed.ingest(&[&pieces[0], &live]);
        sealed.ingest(&[&pieces[0], &live]);
        sealed.ingest(&[folder]);
        assert_eq!(state(&sealed), expected, "{said}");
        assert_eq!((differences(&sealed), verify(&sealed, &[]).0), (0, Some(0)));
        let (read, stored, duplicate, _) = sealed.ingest(&[folder]).counts();
        assert_eq!((stored, duplicate), (0, read));
    }
}

#[test]
fn a_kill_at_any_step_of_a_repair_loses_nothing_at_scale() {
    let whole = Sealed::of_samples();
    let expected = state(&whole);
    let hurt = |sealed: &Sealed| {
        flip(&one(sealed, "records/date=2026-03-02/*.parquet"), 5000, 0);
        flip(&one(sealed, "hourly/date=2026-03-03/*.parquet"), 500, 0);
    };
    let mut killed = 0;
    for step in 1.. {
        let sealed = again(&whole);
        hurt(&sealed);
        let mut command = sealed.command();
        let status = command.args(["verify", "--repair", "-q", "--kill-at", &step.to_string()]);
        let status = status.stderr(std::process::Stdio::null()).status().unwrap();
        let (code, said) = verify(&sealed, &["--repair"]);
        assert_eq!(code, Some(0), "killed at step {step}: {said}");
        sealed.done(&["ingest", "-q", "--host", "testmta", "samples/acct"]);
        assert_eq!(state(&sealed), expected, "killed at step {step}");
        assert_eq!(verify(&sealed, &[]).0, Some(0), "killed at step {step}");
        if status.code() == Some(0) {
            break;
        }
        killed += 1;
    }
    assert!(killed > 10, "only {killed} steps");
}

#[test]
fn a_good_rollup_is_never_overwritten_from_damaged_records_at_scale() {
    let sealed = Sealed::of_samples();
    let hours = ["pivot", "--rows", "provider", "--metric", "p95", "--format", "csv"];
    let before = sealed.done(&hours);
    for at in (300..9000).step_by(700) {
        let sealed = again(&sealed);
        flip(&part_of(&sealed, "records"), at, 0);
        let (code, said) = verify(&sealed, &["--repair"]);
        assert!(code == Some(0) && said.contains("were set aside"), "{said}");
        sealed.done(&["ingest", "-q", "--host", "testmta", "samples/acct"]);
        assert_eq!(sealed.done(&hours), before);
    }
}

#[test]
fn a_damaged_rollup_is_made_anew_from_sound_records_at_scale() {
    let sealed = Sealed::of_samples();
    let (before, hours) = (state(&sealed), ["providers", "--format", "csv"]);
    let answer = sealed.done(&hours);
    std::fs::remove_file(part_of(&sealed, "hourly")).unwrap();
    let run = sealed.run(&hours);
    assert!(run.code == Some(1) && run.stderr.contains("`pmtaq verify --repair`"), "{run:?}");
    let (code, said) = verify(&sealed, &["--repair"]);
    assert!(code == Some(0) && said.contains("the rollup was made anew"), "{said}");
    assert_eq!((state(&sealed), sealed.done(&hours)), (before, answer));
}

#[test]
fn a_root_that_is_damaged_or_gone_is_read_from_its_copy_and_made_anew_at_scale() {
    let whole = Sealed::of_samples();
    let before = state(&whole);
    let hurts: [&dyn Fn(&Path); 3] =
        [&|path| flip(path, 200, 1), &|path| std::fs::remove_file(path).unwrap(), &|path| {
            std::fs::write(path, "").unwrap()
        }];
    for name in ["root.json", "root.copy.json"] {
        for hurt in hurts {
            let sealed = again(&whole);
            hurt(&sealed.store().join("_pmtaq").join(name));
            assert_eq!(state(&sealed), before);
            let (code, said) = verify(&sealed, &[]);
            assert!(code == Some(1) && said.contains(name), "{said}");
            if name == "root.json" {
                let run = sealed.run(&["ingest", "samples/quirks/quirk-offsets.csv"]);
                assert!(run.code == Some(3) && run.stderr.contains("--repair"), "{run:?}");
            }
            let (code, said) = verify(&sealed, &["--repair"]);
            assert!(code == Some(0) && said.contains("was made anew from"), "{said}");
            sealed.done(&["ingest", "-q", "samples/quirks/quirk-offsets.csv"]);
            assert_eq!(verify(&sealed, &[]).0, Some(0));
        }
    }
}

#[test]
fn a_day_whose_lists_are_damaged_blocks_no_other_day_at_scale() {
    let whole = Sealed::of_samples();
    let before = state(&whole);
    let other = "select count(*) from records where time_logged < '2026-03-02'";
    let first_day = ["providers", "--since", "2026-03-01", "--until", "2026-03-02"];
    let answer = whole.done(&first_day);
    for list in ["parts", "sources"] {
        let sealed = again(&whole);
        flip(&one(&sealed, &format!("_pmtaq/days/2026-03-02/{list}-*.json")), 90, 2);
        assert_eq!(sealed.done(&first_day), answer);
        // What is new of other days is taken; a file of the damaged day is named.
        let known = root().join("samples/acct/acct-2026-03-02-0000.csv");
        let new = root().join("samples/quirks/quirk-offsets.csv");
        let run = sealed.run(&["ingest", known.to_str().unwrap(), new.to_str().unwrap()]);
        assert_eq!(run.code, Some(1), "{run:?}");
        let why = "acct-2026-03-02-0000.csv: not taken, because of its day";
        assert!(run.stderr.contains(why) && run.stderr.contains("4 stored"), "{run:?}");
        let (code, said) = verify(&sealed, &[]);
        assert!(code == Some(1) && said.contains(&format!("2026-03-02/{list}-")), "{said}");
        if list == "parts" {
            let run = sealed.run(&["sql", other]);
            assert!(run.code == Some(3) && run.stderr.contains("2026-03-02/parts-"), "{run:?}");
            let (code, said) = verify(&sealed, &["--repair"]);
            assert!(code == Some(0) && said.contains("list of its parts was made anew"), "{said}");
            assert_eq!(sealed.number("select count(*) from records"), 6004);
            assert_eq!(sealed.ingest(&[&known]).counts(), (2265, 0, 2265, 0));
        } else {
            let (code, said) = verify(&sealed, &["--repair"]);
            assert!(code == Some(0) && said.contains("2265 records that may be theirs"), "{said}");
            assert_eq!(sealed.number("select count(*) from records"), 3739);
            // The file is new, what else was taken in the same run is known.
            let folder = root().join("samples/acct");
            assert_eq!(sealed.ingest(&[&folder]).counts(), (6000, 2265, 3735, 0));
            assert_eq!(sealed.number("select count(*) from records"), 6004);
            assert_eq!((differences(&sealed), verify(&sealed, &[]).0), (0, Some(0)));
        }
    }
    assert_eq!(state(&whole), before);
}

#[test]
fn no_question_and_no_run_panics_on_a_part_of_an_older_version_that_cannot_be_decoded_at_scale() {
    let whole = Sealed::of_samples();
    // Without checksums: what an older version wrote has none.
    for path in
        glob::glob(whole.store().join("_pmtaq/days/*/parts-*.json").to_str().unwrap()).unwrap()
    {
        bare(&path.unwrap(), |part| {
            part.remove("checksum");
            part.remove("generations");
        });
    }
    let size = std::fs::metadata(part_of(&whole, "records")).unwrap().len() as usize;
    let (mut named, mut sound) = (0, 0);
    for at in (5..size).step_by(size / 60) {
        let sealed = again(&whole);
        flip(&part_of(&sealed, "records"), at, 0);
        for args in [&["verify"][..], &["compact", "--day", "2026-03-01"], &["verify", "--repair"]]
        {
            let run = sealed.run(args);
            assert!(!run.stderr.contains("panicked") && run.code < Some(2), "{at}: {run:?}");
            let says = run.stderr.contains("records/date=2026-03-01/");
            named += u32::from(args == ["verify"] && says && run.code == Some(1));
            sound += u32::from(args == ["verify"] && run.code == Some(0));
        }
    }
    assert!(named > 5, "{named} named, {sound} not seen");
}

#[test]
fn a_store_of_format_1_is_read_and_becomes_one_of_format_2_by_and_by() {
    let sealed = Sealed::of_samples();
    let (before, place) = (state(&sealed), sealed.store().join("_pmtaq"));
    for path in glob::glob(place.join("days/*/*.json").to_str().unwrap()).unwrap() {
        bare(&path.unwrap(), |entry| {
            for key in ["checksum", "generations", "taken"] {
                entry.remove(key);
            }
        });
    }
    let text = std::fs::read_to_string(place.join("root.json")).unwrap();
    let mut root: serde_json::Value = serde_json::from_str(&text).unwrap();
    root["version"] = 1.into();
    root.as_object_mut().unwrap().remove("checksum");
    std::fs::write(place.join("root.json"), root.to_string()).unwrap();
    std::fs::remove_file(place.join("root.copy.json")).unwrap();
    std::fs::remove_file(place.join("reserve")).unwrap();
    let sound = || {
        let (code, said) = verify(&sealed, &[]);
        let old = "parts are of an older version: without checksum";
        assert!(code == Some(0) && said.contains(old), "{said}");
    };
    sound();
    assert_eq!(state(&sealed), before);
    let samples = crate::sealed::root().join("samples/acct");
    assert_eq!(sealed.ingest(&[&samples]).counts(), (6000, 0, 6000, 0));
    sealed.done(&["ingest", "-q", "samples/quirks/quirk-offsets.csv"]);
    sound();
    // What is lost of it cannot be told apart by files: it is counted as removed.
    std::fs::remove_file(one(&sealed, "records/date=2026-03-02/*.parquet")).unwrap();
    let (code, said) = verify(&sealed, &["--repair"]);
    let why = "it was not noted which files they are from: they are gone";
    assert!(code == Some(0) && said.contains(why), "{said}");
    sound();
}

#[test]
fn what_follows_a_message_is_the_same_without_keys_and_compact_writes_them_at_scale() {
    let sealed = Sealed::of_samples();
    let reports =
        ["throttles", "queue", "survival", "retries", "complaints", "remote-bounces", "hygiene"];
    let told = || {
        reports.map(|report| {
            let run = sealed.run(&[report, "--format", "csv", "--top", "0"]);
            let run = if report == "queue" || report == "retries" {
                sealed.run(&[report, "--format", "csv"])
            } else {
                run
            };
            assert_eq!(run.code, Some(0), "{run:?}");
            assert!(run.stdout.lines().count() > 2, "{report} says nothing");
            run.stdout
        })
    };
    let keys = "select bit_xor(message_key) from records";
    let (before, written) = (told(), sealed.done(&["sql", "-q", "--format", "csv", keys]));
    let place = sealed.store().join("_pmtaq/days/*/parts-*.json");
    let lists = || glob::glob(place.to_str().unwrap()).unwrap().map(Result::unwrap);
    for path in lists() {
        bare(&path, |entry| {
            entry.remove("has_keys");
        });
    }
    assert_eq!(told(), before);
    // Here they are computed by other means, which no part holds.
    assert_ne!(sealed.done(&["sql", "-q", "--format", "csv", keys]), written);
    sealed.done(&["compact", "-q"]);
    assert_eq!(told(), before);
    assert_eq!(sealed.done(&["sql", "-q", "--format", "csv", keys]), written);
    let again = sealed.run(&["compact"]);
    assert!(again.stderr.contains("nothing to compact"), "{again:?}");
}

/// Writes a list as format 1 had it, after `change` of each entry.
pub(crate) fn bare(path: &Path, change: impl Fn(&mut serde_json::Map<String, serde_json::Value>)) {
    let text = std::fs::read_to_string(path).unwrap();
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut entries = list["entries"].clone();
    for entry in entries.as_array_mut().unwrap() {
        change(entry.as_object_mut().unwrap());
    }
    std::fs::write(path, entries.to_string()).unwrap();
}

#[test]
fn an_error_of_a_question_names_the_damaged_part_and_what_to_do_at_scale() {
    let whole = Sealed::of_samples();
    let size = std::fs::metadata(part_of(&whole, "records")).unwrap().len() as usize;
    let mut failed = 0;
    for at in (1000..size - 1000).step_by(size / 25) {
        let sealed = again(&whole);
        flip(&part_of(&sealed, "records"), at, 6);
        let run = sealed.run(&["sql", "select count(*), sum(hash(columns(*))) from records"]);
        if run.code != Some(0) {
            failed += 1;
            assert!(run.stderr.contains("records/date=2026-03-01/"), "{run:?}");
            assert!(run.stderr.contains("`pmtaq verify --repair`"), "{run:?}");
        }
        let checked = sealed.run(&["--check", "sql", "select count(*) from records"]);
        assert!(checked.code == Some(3) && checked.stderr.contains("is damaged"), "{checked:?}");
    }
    assert!(failed > 3, "only {failed} failed");
    // Of an error of the statement itself no part is accused.
    let run = whole.run(&["sql", "select nothing from records"]);
    assert!(run.code == Some(1) && !run.stderr.contains("damaged"), "{run:?}");
}

#[test]
fn a_damaged_part_never_fails_an_ingest_at_scale() {
    let sealed = Sealed::new();
    let pieces = pieces(&sealed, 60);
    for (n, piece) in pieces[..20].iter().enumerate() {
        let run = sealed.run(&["ingest", piece.to_str().unwrap()]);
        assert_eq!(run.code, Some(0), "{run:?}");
        if n == 2 {
            flip(&part_of(&sealed, "records"), 3000, 0);
        }
    }
    assert!(parts(&sealed) < 20, "{} parts", parts(&sealed));
    let run = sealed.run(&["compact", "--day", "2026-03-01"]);
    assert!(run.code == Some(1) && run.stderr.contains("is damaged"), "{run:?}");
    assert!(run.stderr.contains("left as it is"), "{run:?}");
}

#[test]
fn every_flipped_bit_of_any_file_is_found_at_scale() {
    let whole = Sealed::new();
    whole.run(&["ingest", "-q", "samples/acct/acct-2026-03-02-0000.csv", "samples/quirks"]);
    whole.done(&["ingest", "-q", "samples/acct"]);
    let question = ["--check", "sql", "select count(*), sum(hash(columns(*))) from records"];
    let answer = whole.done(&question);
    let files = files(&whole);
    let flips = std::env::var("PMTAQ_FLIPS").map_or(40, |n| n.parse().unwrap());
    // The same bits in each run: numbers that follow from one another.
    let mut random = 88_172_645_463_325_252_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 11) as usize % below
    };
    for n in 0..flips {
        let sealed = again(&whole);
        let path = files[next(files.len())].strip_prefix(whole.store()).unwrap();
        let size = std::fs::metadata(whole.store().join(path)).unwrap().len() as usize;
        let (at, bit) = (next(size), next(8) as u8);
        let what = format!("flip {n}: {} {at} {bit}", path.display());
        flip(&sealed.store().join(path), at, bit);
        let (code, said) = verify(&sealed, &[]);
        assert_eq!(code, Some(1), "{what}: {said}");
        assert!(said.contains(path.file_name().unwrap().to_str().unwrap()), "{what}: {said}");
        let run = sealed.run(&question);
        assert!(run.code != Some(0) || run.stdout == answer, "{what}: {run:?}");
        assert!(!(said + &run.stderr).contains("panicked"), "{what}");
    }
}
