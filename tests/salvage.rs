//! A store whose root and its copy are gone is made anew from the lists of its days, and a day whose
//! list is damaged stops no question about others.

use crate::integrity::{again, flip, one};
use crate::life::{pieces, state, verify};
use crate::rollup::differences;
use crate::sealed::{Sealed, root};

fn lose_roots(sealed: &Sealed) {
    for name in ["root.json", "root.copy.json"] {
        std::fs::remove_file(sealed.store().join("_pmtaq").join(name)).unwrap();
    }
}

#[test]
fn a_root_that_is_lost_with_its_copy_is_made_anew_from_the_lists_at_scale() {
    let sealed = Sealed::of_samples();
    sealed.done(&["ingest", "-q", "samples/quirks/quirk-bad-number.csv", "--max-rejects", "99"]);
    sealed.done(&["prune", "-q", "--keep", "records=3d", "--yes"]);
    let text = |sealed: &Sealed| std::fs::read_to_string(sealed.store().join("_pmtaq/root.json"));
    let before = (state(&sealed), sealed.done(&["status", "--format", "csv"]));
    let known: serde_json::Value = serde_json::from_str(&text(&sealed).unwrap()).unwrap();
    lose_roots(&sealed);
    for args in [&["status"][..], &["providers"], &["ingest", "samples/acct"]] {
        let run = sealed.run(args);
        assert!(run.code == Some(3) && run.stderr.contains("verify --repair"), "{run:?}");
    }
    let (code, said) = verify(&sealed, &["--repair"]);
    assert!(code == Some(0) && said.contains("was made anew from the lists of"), "{said}");
    assert_eq!((state(&sealed), sealed.done(&["status", "--format", "csv"])), before);
    let made: serde_json::Value = serde_json::from_str(&text(&sealed).unwrap()).unwrap();
    for key in ["version", "generation", "days", "removed", "recipients"] {
        assert_eq!(made[key], known[key], "{key}");
    }
    let (read, stored, duplicate, _) = sealed.ingest(&[&root().join("samples/acct")]).counts();
    assert_eq!((stored, duplicate), (0, read));
    assert_eq!(verify(&sealed, &[]).0, Some(0));
}

#[test]
fn a_store_of_hashed_recipients_stays_one_when_its_root_is_made_anew() {
    let sealed = crate::privacy::ingested("hash");
    lose_roots(&sealed);
    assert_eq!(verify(&sealed, &["--repair"]).0, Some(0));
    assert!(sealed.done(&["status"]).contains("recipients hashed with the key"));
    let plain = ["ingest", "-q", "--privacy", "none", "samples/quirks/quirk-offsets.csv"];
    let run = sealed.run(&plain);
    assert!(run.code == Some(2) && run.stderr.contains("has recipients hashed"), "{run:?}");
}

#[test]
fn whenever_the_roots_are_lost_the_next_ingest_has_all_again_and_nothing_twice_at_scale() {
    let old = Sealed::new();
    let pieces = pieces(&old, 800);
    let folder = pieces[0].parent().unwrap().to_str().unwrap();
    // A part each, so that there is something to be merged.
    let of_second_day = pieces.iter().filter(|piece| piece.ends_with("acct-2026-03-02-0000.csv"));
    of_second_day.chain(&pieces[..1]).for_each(|piece| drop(old.ingest(&[piece])));
    old.ingest(&[&root().join("samples/quirks/quirk-absurd-times.csv")]);
    let steps: [&[&str]; 3] = [
        &["ingest", "-q", folder],
        &["compact", "-q", "--day", "2026-03-02"],
        &["prune", "-q", "--keep", "records=4d", "--yes"],
    ];
    for (n, args) in steps.into_iter().enumerate() {
        let before = again(&old);
        if n > 0 {
            before.done(steps[0]);
        }
        let after = again(&before);
        after.done(args);
        after.done(steps[0]);
        let expected = state(&after);
        let mut killed = 0;
        for step in 1.. {
            let sealed = again(&before);
            let mut command = sealed.command();
            let command = command.args(["--now", "2026-03-05T12:00:00Z"]).args(args);
            let status = command.args(["--kill-at", &step.to_string()]).status().unwrap();
            let said = format!("{args:?} killed at step {step}");
            lose_roots(&sealed);
            let (code, told) = verify(&sealed, &["--repair"]);
            assert_eq!(code, Some(0), "{said}: {told}");
            // What was cut short is done again.
            sealed.done(args);
            sealed.done(steps[0]);
            assert_eq!(state(&sealed), expected, "{said}: {told}");
            // Of a day that was pruned the hours know more.
            assert!(n == 2 || differences(&sealed) == 0, "{said}");
            assert_eq!(verify(&sealed, &[]).0, Some(0), "{said}");
            if status.code() == Some(0) {
                break;
            }
            killed += 1;
        }
        assert!(killed > 10, "{args:?}: only {killed} steps");
    }
}

#[test]
fn questions_go_on_without_a_day_whose_list_is_damaged_and_say_so_at_scale() {
    let sealed = Sealed::of_samples();
    let count = ["sql", "select count(*) from records", "--format", "csv"];
    flip(&one(&sealed, "_pmtaq/days/2026-03-02/parts-*.json"), 90, 2);
    for args in
        [&count[..], &["status"], &["providers"], &["doctor"], &["export", "--format", "csv"]]
    {
        let run = sealed.run(args);
        assert!(!run.stdout.is_empty() && run.code != Some(0), "{run:?}");
        assert_eq!(run.stderr.matches("what follows is without 2026-03-02").count(), 1, "{run:?}");
        assert!(run.stderr.contains("`pmtaq verify --repair`"), "{run:?}");
    }
    assert_eq!(sealed.run(&count).stdout, "count_star()\n3735\n");
    // Who does not touch the day hears nothing of it.
    let run = sealed.run(&["providers", "--since", "2026-03-03"]);
    assert!(run.code == Some(0) && !run.stderr.contains("without"), "{run:?}");
    // A verdict is not given on a part of the numbers.
    let check = ["--now", "2026-03-02T12:00:00Z", "check", "sent", "-c", "1:"];
    let run = Sealed::command(&sealed).args(check).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.code() == Some(3) && said.contains("UNKNOWN"), "{said}");
    let run = sealed.run(&[&["--check"], &count[..]].concat());
    assert!(run.code == Some(3) && run.stdout.is_empty(), "{run:?}");
    // Of a lost list of sources only those suffer who ask for files.
    let sealed = Sealed::of_samples();
    flip(&one(&sealed, "_pmtaq/days/2026-03-02/sources-*.json"), 90, 2);
    let run = sealed.run(&["status", "--last", "30d"]);
    assert!(run.code == Some(3) && run.stdout.contains("2 sources of"), "{run:?}");
    assert_eq!(sealed.run(&count).code, Some(0));
}

#[test]
fn a_repair_and_an_erasure_say_what_may_come_back_with_the_files_at_scale() {
    let sealed = Sealed::of_samples();
    let rcpt = sealed.done(&[
        "sql",
        "select rcpt from records where time_logged > '2026-03-02' order by rcpt limit 1",
        "--format",
        "csv",
    ]);
    let rcpt = rcpt.lines().nth(1).unwrap();
    let count = format!("select count(*) from records where rcpt = '{rcpt}'");
    let of_rcpt = sealed.number(&count);
    sealed.done(&["forget", "-q", "--rcpt", rcpt, "--yes"]);
    assert_eq!(sealed.number(&count), 0);
    for day in ["2026-03-01", "2026-03-02", "2026-03-03"] {
        flip(&one(&sealed, &format!("records/date={day}/*.parquet")), 3000, 1);
    }
    let (code, said) = verify(&sealed, &["--repair"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("records come back that were erased from these parts"), "{said}");
    sealed.done(&["ingest", "-q", "--host", "testmta", "samples/acct"]);
    assert_eq!(sealed.number(&count), of_rcpt);
    let run = sealed.run(&["forget", "--rcpt", rcpt, "--yes"]);
    assert!(run.stderr.contains("_pmtaq/quarantine may have the address too"), "{run:?}");
    assert_eq!(sealed.number(&count), 0);
}
