//! What is damaged or lost in a bucket is found, named, and had back as far as that is possible.

use super::writers::is_sound;
use super::{There, file, server};

const COUNT: &str = "select count(*) from records";

/// A store of three days, of which each has 40 records.
fn three_days() -> There {
    let there = There::new();
    for day in 1..=3 {
        let path =
            there.sealed.file(&format!("in/acct-{day}.csv"), file(&format!("d{day}"), day, 40));
        there.ingest(path.to_str().unwrap());
    }
    there
}

/// Looks for damage, has it repaired, and takes all files again.
fn repaired(there: &There, found: &str, done: &str) {
    let run = there.run(&["verify", "-q"]);
    let is_found = matches!(run.code, Some(1 | 3)) && run.stderr.contains(found);
    assert!(is_found, "{found}: {run:?}");
    let run = there.run(&["verify", "-q", "--repair"]);
    assert!(run.code == Some(0) && run.stderr.contains(done), "{done}: {run:?}");
    let inputs = there.sealed.dir.path().join("in");
    let (read, ..) = there.ingest(inputs.to_str().unwrap());
    assert_eq!(read, 120);
    assert_eq!((there.number(COUNT), there.other_machine().number(COUNT)), (120, 120));
    is_sound(there);
}

#[test]
fn a_part_that_was_changed_or_deleted_in_a_bucket_is_set_aside_and_its_files_are_new_again_at_scale()
 {
    let there = three_days();
    let part = there.objects("records/date=2026-03-02/").remove(0);
    let mut bytes = server().get(&there.key(&part));
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    server().put(&there.key(&part), &bytes);
    repaired(&there, "is damaged", "2026-03-02: 40 records in 1 parts were set aside");
    let kept = there.objects("_pmtaq/quarantine/");
    assert_eq!(kept, [format!("_pmtaq/quarantine/{part}")]);
    assert_eq!(server().get(&there.key(&kept[0])), bytes);

    let hours = there.objects("hourly/date=2026-03-01/").remove(0);
    server().delete(&there.key(&hours));
    repaired(&there, "hourly/date=2026-03-01", "2026-03-01: the rollup was made anew");
    let part = there.objects("records/date=2026-03-03/").remove(0);
    server().delete(&there.key(&part));
    repaired(&there, "records/date=2026-03-03", "40 records in 1 parts were set aside");
}

#[test]
fn a_list_that_is_lost_in_a_bucket_is_made_anew_at_scale() {
    let there = three_days();
    let list = |kind: &str| there.objects(&format!("_pmtaq/days/2026-03-02/{kind}")).remove(0);
    server().delete(&there.key(&list("parts")));
    repaired(&there, "it lists the parts of 2026-03-02", "the list of its parts was made anew");
    // Of a part whose list was made anew nobody knows whose records it has.
    let there = three_days();
    let sources = there.objects("_pmtaq/days/2026-03-03/sources").remove(0);
    server().put(&there.key(&sources), b"{");
    repaired(
        &there,
        "it lists the files that begin on 2026-03-03",
        "2026-03-03: which files begin on it is not known any more",
    );
}

#[test]
fn a_root_that_is_lost_in_a_bucket_is_had_back_from_its_copy_at_scale() {
    let there = three_days();
    let root = there.key("_pmtaq/root.json");
    server().delete(&root);
    // Nobody takes it for a place without a store.
    let run = there.run(&["ingest", "-q", "samples/quirks/quirk-offsets.csv"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    repaired(&there, "root.json is damaged: it is gone", "root.json was made anew from s3://");
    server().put(&root, b"{");
    repaired(&there, "root.json is damaged", "root.json was made anew from s3://");
    for name in ["root.json", "root.copy.json"] {
        server().put(&there.key(&format!("_pmtaq/{name}")), b"{");
    }
    let run = there.run(&["verify", "-q", "--repair"]);
    assert!(run.code == Some(3) && run.stderr.contains("is damaged"), "{run:?}");
}
