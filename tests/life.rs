//! The life of a store: many small runs, compaction, and readers that never notice.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::integrity::bare;
use crate::rollup::differences;
use crate::sealed::{Sealed, root};

/// All that is stored, as numbers that hardly any difference leaves alike.
const STATE: &str = "select count(*), sum(hash(rec, time_logged, orig, rcpt, dsn_diag, template, extra, provider, vmta, source)) from records";

pub(crate) fn state(sealed: &Sealed) -> String {
    sealed.done(&["sql", STATE, "--format", "csv"])
}

/// How many parts hold the records.
pub(crate) fn parts(sealed: &Sealed) -> usize {
    sealed.done(&["paths"]).lines().count()
}

/// The samples, each cut into files of so many lines.
pub(crate) fn pieces(sealed: &Sealed, lines: usize) -> Vec<std::path::PathBuf> {
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
fn many_small_runs_leave_few_parts_and_compaction_changes_no_row_at_scale() {
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
fn a_kill_at_any_step_of_a_compaction_loses_nothing_at_scale() {
    let (mut killed, mut cut_short) = (0, 0);
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
        let (code, said) = verify(&sealed, &[]);
        assert_eq!(code, Some(0), "killed at step {step}: {said}");
        cut_short += u32::from(said.contains("the last commit was cut short"));
        sealed.done(&["compact", "-q"]);
        assert_eq!((parts(&sealed), state(&sealed)), (3, rows.clone()), "killed at step {step}");
        if status.code() == Some(0) {
            break;
        }
        killed += 1;
    }
    assert!(killed > 20 && cut_short > 5, "only {killed} steps, {cut_short} cut short");
}

#[test]
fn queries_see_all_of_it_while_parts_come_and_go_at_scale() {
    let sealed = Sealed::new();
    let pieces = pieces(&sealed, 200);
    sealed.ingest(&[&pieces[0]]);
    let done = AtomicBool::new(false);
    let queries = std::env::var("PMTAQ_QUERIES").map_or(40, |n| n.parse().unwrap());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // The first rows stay; more come and everything is merged again and again. A row of
            // another day comes and goes.
            let piece = std::fs::read_to_string(&pieces[0]).unwrap();
            let [header, row] = [0, 1].map(|n| piece.lines().nth(n).unwrap());
            for (n, piece) in pieces.iter().cycle().skip(1).enumerate() {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                sealed.ingest(&[piece]);
                let row = row.replacen("2026-03-01", "2026-02-01", 1);
                let old = sealed.file(&format!("in/old-{n}.csv"), format!("{header}\n{row}{n}\n"));
                assert_eq!(sealed.ingest(&[&old]).counts(), (1, 1, 0, 0));
                sealed.done(&["compact", "-q", "--day", "2026-03-01"]);
                sealed.done(&["prune", "-q", "--keep", "records=20d,hourly=20d", "--yes"]);
                let old = "select count(*) from records where time_logged < '2026-03-01'";
                assert_eq!(sealed.number(old), 0);
            }
        });
        let mut seen = Vec::new();
        for _ in 0..queries {
            let of_march = "select count(*) from records where time_logged >= '2026-03-01'";
            let run = sealed.run(&["sql", of_march, "--format", "csv"]);
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

pub(crate) fn copy(from: &std::path::Path, to: &std::path::Path) {
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

/// The problems that `verify` says, and its exit code.
pub(crate) fn verify(sealed: &Sealed, args: &[&str]) -> (Option<i32>, String) {
    let run = sealed.run(&[&["verify"], args].concat());
    (run.code, run.stderr)
}

pub(crate) fn part_of(sealed: &Sealed, table: &str) -> std::path::PathBuf {
    let pattern = sealed.store().join(table).join("*/*.parquet");
    glob::glob(pattern.to_str().unwrap()).unwrap().next().unwrap().unwrap()
}

#[test]
fn verify_finds_what_is_wrong_and_says_where_at_scale() {
    let sound = Sealed::new();
    sound.ingest(&[&root().join("samples/acct"), &root().join("samples/quirks")]);
    let (code, said) = verify(&sound, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("sound: 6370 records in "), "{said}");
    let broken = |hurt: &dyn Fn(&Sealed), words: &[&str]| {
        let sealed = Sealed::new();
        copy(&sound.store(), &sealed.store());
        hurt(&sealed);
        let (code, said) = verify(&sealed, &[]);
        assert_eq!(code, Some(1), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
    };
    broken(&|s| std::fs::remove_file(part_of(s, "records")).unwrap(), &["No such file"]);
    broken(
        &|s| std::fs::write(part_of(s, "rejects"), "PAR1").unwrap(),
        &["rejects/", "is damaged"],
    );
    broken(
        &|s| {
            let part = part_of(s, "records");
            std::fs::copy(&part, part.with_file_name("copy.parquet")).unwrap();
        },
        &["copy.parquet: no manifest names it"],
    );
    // A ledger that counts a row that is not there.
    broken(
        &|s| {
            let pattern = s.store().join("_pmtaq/days/2026-03-01/sources-*.json");
            let path = glob::glob(pattern.to_str().unwrap()).unwrap().next().unwrap().unwrap();
            bare(&path, |source| {
                let stored = source["ledger"]["stored"].as_u64().unwrap();
                source["ledger"]["stored"] = (stored + 1000).into();
            });
        },
        &["does not balance", "the ledgers of the sources count"],
    );
}

#[test]
fn verify_repairs_a_rollup_and_nothing_else_at_scale() {
    let sealed = Sealed::new();
    sealed.ingest(&[&root().join("samples/acct")]);
    // The rollup of one day in place of another's: readable, and wrong.
    let wrong = part_of(&sealed, "hourly");
    let pattern = sealed.store().join("_pmtaq/days/2026-03-01/parts-*.json");
    let path = glob::glob(pattern.to_str().unwrap()).unwrap().next().unwrap().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let name = wrong.file_name().unwrap().to_str().unwrap();
    assert!(text.contains(name), "{text}");
    let mut parts: serde_json::Value = serde_json::from_str(&text).unwrap();
    parts["entries"].as_array_mut().unwrap().retain(|part| part["name"] != name);
    std::fs::write(&path, parts["entries"].to_string()).unwrap();
    let before = state(&sealed);
    let (code, said) = verify(&sealed, &[]);
    assert!(code == Some(1) && said.contains("2026-03-01: the rollup is not what"), "{said}");
    // What no manifest names is not ours to delete.
    std::fs::remove_file(wrong).unwrap();
    let (code, said) = verify(&sealed, &["--repair"]);
    assert!(code == Some(0) && said.contains("2026-03-01: the rollup was made anew"), "{said}");
    assert_eq!((verify(&sealed, &[]).0, differences(&sealed)), (Some(0), 0));
    assert_eq!(state(&sealed), before);
}

#[test]
fn prune_removes_whole_days_of_the_tables_named_and_they_stay_gone_at_scale() {
    let sealed = Sealed::new();
    let samples = root().join("samples/acct");
    sealed.ingest(&[&samples]);
    let asked = sealed.run(&["prune", "--keep", "records=2d"]);
    assert!(asked.code == Some(2) && asked.stderr.contains("say --yes"), "{asked:?}");
    let dry = sealed.run(&["prune", "--keep", "records=2d", "--dry-run"]);
    assert!(
        dry.stderr.contains("records: ") && dry.stderr.contains("2026-03-01 to 2026-03-02"),
        "{dry:?}"
    );
    assert_eq!(sealed.number("select count(*) from records"), 6000);
    let hours = sealed.number("select sum(records)::bigint from hourly");
    sealed.done(&["prune", "--keep", "records=2d,hourly=3y", "--yes"]);
    let left = sealed.number("select count(*) from records");
    assert_eq!(sealed.number("select count(*) from records where time_logged < '2026-03-03'"), 0);
    assert!(left > 1000);
    assert_eq!(sealed.number("select sum(records)::bigint from hourly"), hours);
    assert_eq!(verify(&sealed, &[]).0, Some(0));
    assert_eq!(sealed.ingest(&[&samples]).counts(), (6000, 0, 6000, 0));
    assert_eq!(sealed.number("select count(*) from records"), left);
    assert!(
        sealed.run(&["prune", "--keep", "records=2d"]).stderr.contains("nothing is old enough")
    );
    assert_eq!(sealed.run(&["prune", "--keep", "recrods=2d", "--yes"]).code, Some(2));
    // Reports that read hours would miss days whose records are still there.
    for keep in ["hourly=1d", "records=3d,hourly=1d"] {
        let refused = sealed.run(&["prune", "--keep", keep, "--yes"]);
        assert!(refused.code == Some(2) && refused.stderr.contains("as long"), "{refused:?}");
    }
    assert_eq!(sealed.number("select sum(records)::bigint from hourly"), hours);
    sealed.done(&["prune", "--keep", "records=2d,hourly=2d", "--yes"]);
    assert_eq!(sealed.number("select sum(records)::bigint from hourly"), left);
    assert_eq!(verify(&sealed, &[]).0, Some(0));
}

#[test]
fn a_forgotten_recipient_is_nowhere_and_the_ledgers_stay_true_at_scale() {
    let header = "type,timeLogged,orig,rcpt,orcpt,dsnDiag,header_To\r\n";
    let rows = [
        "d,2026-01-05 10:00:00+0000,b-Jane.Doe=example.org@esp.net,Jane.Doe@Example.org,,smtp;250 ok,jane.doe@example.org",
        "b,2026-01-05 11:00:00+0000,x@esp.net,alias@example.net,,\"smtp;550 5.1.1 <jane.doe@example.org>, unknown\",",
        "rb,2026-01-06 11:00:00+0000,b-jane.doe=example.org@esp.net,info@esp.net,rfc822;JANE.DOE@example.org,smtp;550 no,",
        "d,2026-01-06 12:00:00+0000,b-not.jane.doe=example.org@esp.net,not.jane.doe@example.org,,smtp;250 ok,",
        "d,2026-01-06 12:00:01+0000,x@esp.net,jane.doe@example.org.au,,smtp;250 ok,\"Mail for JANE.DOE@EXAMPLE.ORG\"",
        "d,yesterday,x@esp.net,jane.doe@example.org,,smtp;250 ok,",
        "d,yesterday,x@esp.net,john@example.org,,smtp;250 ok,",
    ];
    let sealed = Sealed::new();
    let path = sealed.file("acct.csv", format!("{header}{}\r\n", rows.join("\r\n")));
    assert_eq!(sealed.ingest(&[&path]).counts(), (7, 5, 0, 2));
    let forget = ["forget", "--rcpt", "jane.doe@example.org"];
    let dry = sealed.run(&[&forget[..], &["--dry-run"]].concat());
    let said = "2 records, 1 refused lines, mentions in 3 other records";
    assert!(dry.stderr.contains(said), "{dry:?}");
    assert_eq!(sealed.number("select count(*) from records"), 5);
    let run = sealed.run(&[&forget[..], &["--yes"]].concat());
    assert!(run.code == Some(0) && run.stderr.contains(said), "{run:?}");

    let everything = sealed.done(&[
        "sql",
        "select concat_ws('|', orig, rcpt, orcpt, dsn_diag, template, extra) r from records order by r",
        "--format",
        "csv",
    ]);
    assert_eq!(everything.lines().count(), 4, "{everything}");
    assert!(everything.contains("<forgotten@example.org>, unknown"), "{everything}");
    assert!(everything.contains("not.jane.doe@example.org"), "{everything}");
    assert!(everything.contains("jane.doe@example.org.au"), "{everything}");
    assert_eq!(sealed.number("select count(*) from rejects where raw like '%john%'"), 1);
    assert_eq!(sealed.number("select count(*) from rejects"), 1);
    assert_eq!((verify(&sealed, &[]).0, differences(&sealed)), (Some(0), 0));
    assert_eq!(sealed.ingest(&[&path]).counts(), (7, 0, 7, 0));
    assert!(
        sealed.run(&[&forget[..], &["--yes"]].concat()).stderr.contains("0 records, 0 refused")
    );
    assert_eq!(sealed.run(&["forget", "--rcpt", "postmaster", "--yes"]).code, Some(2));
}

#[test]
fn status_says_what_is_there_how_old_and_what_never_came() {
    let sealed = Sealed::new();
    let sample = root().join("samples/acct");
    for name in ["acct-2026-03-01-0000.csv", "acct-2026-03-03-0000.csv"] {
        sealed.ingest(&[&sample.join(name)]);
    }
    let shown = sealed.done(&["status"]);
    assert!(shown.contains("days      2, 2026-03-01 to 2026-03-03"), "{shown}");
    assert!(shown.contains("missing   1 of the sequence of file names"), "{shown}");
    assert!(shown.contains("          acct-2026-03-02 ("), "{shown}");
    let json = sealed.done(&["status", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let newest = sealed.number("select epoch(max(time_logged))::bigint from records");
    let now = 1_772_712_000;
    assert_eq!(json[0]["lag_seconds"], now - newest);
    assert_eq!(json[0]["records_rows"], sealed.number("select count(*) from records"));
    assert_eq!(json[0]["missing"], 1);
}

#[test]
fn status_says_of_each_mta_how_far_it_is_behind() {
    let sealed = Sealed::new();
    let ingest = |host: &str, name: &str| {
        let path = root().join("samples/acct").join(name);
        sealed.done(&["ingest", "-q", "--host", host, path.to_str().unwrap()]);
    };
    ingest("mta1", "acct-2026-03-01-0000.csv");
    assert!(!sealed.done(&["status"]).contains("hosts"), "one MTA is what the store says");
    ingest("mta2", "acct-2026-03-02-0000.csv");
    ingest("mta2", "acct-2026-03-03-0000.csv");
    let shown = sealed.done(&["status"]);
    assert!(shown.contains("hosts     mta1: newest 2026-03-01T23:59:28Z ("), "{shown}");
    assert!(shown.contains("          mta2: newest 2026-03-03T23:56:58Z ("), "{shown}");
    let rows = sealed.done(&["status", "--hosts", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&rows).unwrap();
    for (row, host) in [(&rows[0], "mta1"), (&rows[1], "mta2")] {
        let of = |what: &str| {
            sealed.number(&format!("select {what} from records where host = '{host}'"))
        };
        assert_eq!(row["host"], host);
        assert_eq!(row["stored"], of("count(*)"));
        assert_eq!(row["lag"], (1_772_712_000 - of("epoch(max(time_logged))::bigint")) as f64);
    }
    assert_eq!((&rows[0]["sources"], &rows[1]["sources"]), (&1.into(), &2.into()));
}

#[test]
fn status_names_each_mta_that_has_ingested_or_that_records_name() {
    let sealed = Sealed::new();
    let ingest = |host: &str, records: &str| {
        let text = "type,timeLogged,rcpt,dsnDiag,userString\n".to_owned() + records;
        let path = sealed.file(&format!("{host}.csv"), text);
        sealed.run(&["ingest", "-q", "--host", host, path.to_str().unwrap()]);
    };
    // Of years ago; nothing but a deferral; nothing that was stored.
    ingest("old", "d,2023-03-01 10:00:00Z,u@x.example,smtp;250 ok,\n");
    ingest("slow", "t,2026-03-03 10:00:00Z,u@x.example,smtp;421 later,\n");
    ingest("broken", "d,never,u@x.example,smtp;250 ok,\n");
    let text = "type,timeLogged,rcpt,userString\nd,2026-03-02 10:00:00Z,u@x.example,alpha\n\
                r,2026-03-02 10:00:01Z,u@x.example,beta\nd,2026-03-02 10:00:02Z,u@x.example,beta\n";
    sealed.ingest(&[&sealed.file("two.csv", text)]);
    let rows = sealed.done(&["status", "--hosts", "--format", "json"]);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&rows).unwrap();
    let of = |host: &str| {
        let row = rows.iter().find(|row| row["host"] == host);
        row.unwrap_or_else(|| panic!("no {host}: {rows:?}"))
    };
    for (host, newest, records, types, stored) in [
        ("alpha", Some("2026-03-02T10:00:00Z"), 1, "d", 0),
        ("beta", Some("2026-03-02T10:00:02Z"), 2, "d, r", 0),
        ("broken", None, 0, "", 0),
        ("old", Some("2023-03-01T10:00:00Z"), 1, "d", 1),
        ("slow", Some("2026-03-03T10:00:00Z"), 1, "t", 1),
    ] {
        let row = of(host);
        assert_eq!(row["newest"].as_str(), newest, "{row}");
        assert_eq!((&row["records"], &row["stored"]), (&records.into(), &stored.into()), "{row}");
        assert_eq!(row["types"], types, "{row}");
        assert_eq!(row["last_ingest"].is_null(), ["alpha", "beta"].contains(&host), "{row}");
    }
    assert_eq!((&of("broken")["rejected"], &of("broken")["sources"]), (&1.into(), &1.into()));
    assert_eq!(rows.len(), 6, "and the machine whose file names two: {rows:?}");
}

/// Kills at moments that nobody chose; `PMTAQ_KILLS` says how often.
#[test]
fn a_kill_at_any_moment_leaves_what_an_undisturbed_run_would_at_scale() {
    let kills: u64 = std::env::var("PMTAQ_KILLS").map_or(6, |n| n.parse().unwrap());
    let golden = Sealed::new();
    let inputs = pieces(&golden, 400);
    for input in &inputs {
        golden.ingest(&[input]);
    }
    golden.done(&["compact", "-q"]);
    let expected = (state(&golden), parts(&golden));
    let mut killed = 0;
    for round in 0..kills {
        let sealed = Sealed::new();
        let runs = inputs.iter().map(|input| vec!["ingest", "-q", input.to_str().unwrap()]);
        for (i, args) in runs.chain([vec!["compact", "-q"]]).enumerate() {
            let mut command = sealed.command();
            command.args(["--now", "2026-03-05T12:00:00Z"]).args(&args);
            let mut child = command.spawn().unwrap();
            // Spread over the time that a run takes, differently in each round.
            let moment = (round * 7919 + i as u64 * 104_729) % 40_000;
            std::thread::sleep(std::time::Duration::from_micros(moment));
            child.kill().unwrap();
            killed += u64::from(child.wait().unwrap().code().is_none());
            if i % 4 == 0 {
                sealed.done(&args);
            }
        }
        sealed.ingest(&[inputs[0].parent().unwrap()]);
        assert_eq!(state(&sealed), expected.0, "round {round}");
        sealed.done(&["compact", "-q"]);
        assert_eq!((state(&sealed), parts(&sealed)), expected, "round {round}");
        assert_eq!(differences(&sealed), 0, "round {round}");
        assert_eq!(verify(&sealed, &[]).0, Some(0), "round {round}");
    }
    assert!(killed >= kills, "only {killed} runs were killed");
}
