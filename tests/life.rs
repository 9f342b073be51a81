//! The life of a store: many small runs, compaction, and readers that never notice.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::rollup::differences;
use crate::sealed::{Sealed, root};

/// All that is stored, as numbers that hardly any difference leaves alike.
const STATE: &str = "select count(*), sum(hash(rec, time_logged, orig, rcpt, dsn_diag, template, extra, provider, vmta, source)) from records";

fn state(sealed: &Sealed) -> String {
    sealed.done(&["sql", STATE, "--format", "csv"])
}

fn parts(sealed: &Sealed) -> usize {
    let pattern = sealed.store().join("records/*/*.parquet");
    glob::glob(pattern.to_str().unwrap()).unwrap().count()
}

/// The samples, each cut into files of so many lines.
fn pieces(sealed: &Sealed, lines: usize) -> Vec<std::path::PathBuf> {
    let mut pieces = Vec::new();
    for sample in 1..=3 {
        let name = format!("acct-2026-03-0{sample}-0000.csv");
        let text = std::fs::read_to_string(root().join("samples/acct").join(&name)).unwrap();
        let (header, rows) = text.split_once('\n').unwrap();
        let rows: Vec<&str> = rows.split_inclusive('\n').collect();
        for (n, rows) in rows.chunks(lines).enumerate() {
            let name = format!("in/acct-2026-03-0{sample}-{n:04}.csv");
            pieces.push(sealed.file(&name, format!("{header}\n{}", rows.concat())));
        }
    }
    pieces
}

#[test]
fn many_small_runs_leave_few_parts_and_compaction_changes_no_row() {
    let sealed = Sealed::new();
    let pieces = pieces(&sealed, 100);
    let whole = Sealed::new();
    whole.ingest(&[pieces[0].parent().unwrap()]);
    for piece in &pieces {
        sealed.ingest(&[piece]);
        assert!(parts(&sealed) <= 3 * 12, "{} parts", parts(&sealed));
    }
    assert_eq!(state(&sealed), state(&whole));
    assert_eq!(differences(&sealed), 0);
    let run = sealed.run(&["compact"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.stderr.contains("became 6 ") && run.stderr.contains("6000 records, as before"),
        "{run:?}"
    );
    assert_eq!((parts(&sealed), state(&sealed)), (3, state(&whole)));
    assert_eq!(differences(&sealed), 0);
    assert!(sealed.run(&["compact"]).stderr.contains("nothing to compact"));
    // What was taken before is known still.
    assert_eq!(sealed.ingest(&[pieces[0].parent().unwrap()]).counts(), (6000, 0, 6000, 0));
}

#[test]
fn a_kill_at_any_step_of_a_compaction_loses_nothing() {
    let mut killed = 0;
    let golden = Sealed::new();
    for piece in pieces(&golden, 700) {
        golden.ingest(&[&piece]);
    }
    let rows = state(&golden);
    for step in 1.. {
        let sealed = Sealed::new();
        copy(&golden.store(), &sealed.store());
        let args = ["--now", "2026-03-05T12:00:00Z", "compact", "-q", "--kill-at"];
        let status = sealed.command().args(args).arg(step.to_string()).status().unwrap();
        assert_eq!(state(&sealed), rows, "killed at step {step}");
        sealed.done(&["compact", "-q"]);
        assert_eq!((parts(&sealed), state(&sealed)), (3, rows.clone()), "killed at step {step}");
        if status.code() == Some(0) {
            break;
        }
        killed += 1;
    }
    assert!(killed > 20, "only {killed} steps");
}

#[test]
fn queries_see_all_of_it_while_parts_come_and_go() {
    let sealed = Sealed::new();
    let pieces = pieces(&sealed, 200);
    sealed.ingest(&[&pieces[0]]);
    let done = AtomicBool::new(false);
    let queries = std::env::var("PMTAQ_QUERIES").map_or(40, |n| n.parse().unwrap());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // The first rows stay; more come and everything is merged again and again.
            for piece in pieces.iter().cycle().skip(1) {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                sealed.ingest(&[piece]);
                sealed.done(&["compact", "-q", "--day", "2026-03-01"]);
            }
        });
        let mut seen = Vec::new();
        for _ in 0..queries {
            let run = sealed.run(&["sql", "select count(*) from records", "--format", "csv"]);
            let count = run.stdout.lines().nth(1).and_then(|n| n.parse::<usize>().ok());
            seen.push(count.ok_or(run));
        }
        done.store(true, Ordering::Relaxed);
        // Whole files only, and never fewer than before.
        let sizes = pieces.iter().scan(0, |sum, piece| {
            *sum += std::fs::read_to_string(piece).unwrap().lines().count() - 1;
            Some(*sum)
        });
        let sizes: Vec<usize> = sizes.collect();
        let mut last = 0;
        for count in seen {
            let count = count.unwrap_or_else(|run| panic!("{run:?}"));
            assert!(count >= last && sizes.contains(&count), "{last}, then {count}");
            last = count;
        }
    });
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
