//! Two machines ingest into one bucket, again and again, and one of them merges, while a third one asks:
//! each answer is right at its moment.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use super::writers::is_sound;
use super::{There, file};

/// Records of a file.
const ROWS: i64 = 40;

/// `PMTAQ_BUCKET_SECONDS=1800 PMTAQ_BUCKET_EVERY=60` is half an hour of cron.
fn seconds(name: &str, usual: u64) -> Duration {
    Duration::from_secs(std::env::var(name).map_or(usual, |text| text.parse().unwrap()))
}

#[test]
fn two_machines_ingest_each_minute_and_every_question_counts_right_at_scale() {
    let (length, every) = (seconds("PMTAQ_BUCKET_SECONDS", 20), seconds("PMTAQ_BUCKET_EVERY", 2));
    let there = There::new();
    there.ingest(there.sealed.file("first.csv", file("first", 1, 40)).to_str().unwrap());
    // Records of files whose ingest has begun, and of those whose ingest has ended.
    let (begun, ended) = (AtomicI64::new(ROWS), AtomicI64::new(ROWS));
    let (is_over, start) = (AtomicBool::new(false), Instant::now());
    let write = |machine: &There, host: &str| {
        for round in 0_u32.. {
            let wait = (every * round).saturating_sub(start.elapsed());
            if start.elapsed() + wait >= length {
                break;
            }
            std::thread::sleep(wait);
            let (name, day) = (format!("{host}-{round}"), 1 + round % 3);
            let path = machine.sealed.file(&format!("{name}.csv"), file(&name, day, ROWS as u32));
            begun.fetch_add(ROWS, Ordering::SeqCst);
            let run = machine.run(&["ingest", "-q", "--host", host, path.to_str().unwrap()]);
            assert_eq!(run.code, Some(0), "{run:?}");
            ended.fetch_add(ROWS, Ordering::SeqCst);
            if host == "mta1" && round % 5 == 4 {
                machine.done(&["compact", "-q", "--day", "2026-03-01,2026-03-02"]);
            }
        }
    };
    let looks = std::thread::scope(|scope| {
        let writers = ["mta1", "mta2"].map(|host| {
            let machine = there.other_machine();
            scope.spawn(move || write(&machine, host))
        });
        let asker = scope.spawn(|| {
            let asker = there.other_machine();
            let (mut looks, mut last) = (0, 0);
            while !is_over.load(Ordering::SeqCst) {
                let least = ended.load(Ordering::SeqCst);
                let sql = match looks % 2 {
                    0 => "select count(*) from records",
                    _ => "select sum(records)::bigint from hourly",
                };
                let found = asker.number(sql);
                let most = begun.load(Ordering::SeqCst);
                assert!(least <= found && found <= most, "{sql}: {found} of {least} to {most}");
                assert!(found >= last && found % ROWS == 0, "{sql}: {last}, then {found}");
                (looks, last) = (looks + 1, found);
                // As often in half an hour as in 20 seconds would say no more.
                std::thread::sleep(every / 10);
            }
            looks
        });
        let written: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        is_over.store(true, Ordering::SeqCst);
        let looks = asker.join().unwrap();
        written.into_iter().for_each(|writer| writer.unwrap());
        looks
    });
    let all = ended.load(Ordering::SeqCst);
    assert!(looks > 3 && all > 3 * ROWS, "{looks} looks at {all} records");
    assert_eq!(there.number("select count(*) from records"), all);
    assert_eq!(there.number("select count(distinct rcpt) from records"), all);
    is_sound(&there);
}
