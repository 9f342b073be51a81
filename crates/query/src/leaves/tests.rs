//! What is counted in memory beside what the statements answer of the same records.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use pmtaq_schema::bounce::BounceClasses;
use pmtaq_schema::time::{DAY_S, Day};
use pmtaq_schema::{Timestamp, Window, Zone};
use pmtaq_store::layout::Table;
use pmtaq_store::{Part, Snapshot, SnapshotPart};

use super::*;
use crate::error::Result;
use crate::selection::Selection;
use crate::session::{Limits, Session, SessionConfig};
use crate::why::tests::engine;
use crate::why::{Ask, LEAF, Marked, Period, Why};

/// The day of the records, in days since 1970.
const DAY: i64 = 20_514;

/// From one minute of the day to another.
pub(crate) fn minutes(since: i64, until: i64) -> Window {
    let [since, until] = [since, until].map(|minute| Timestamp(DAY * DAY_S + 60 * minute));
    Window { since, until }
}

/// Parts of records that often share recipient, time and dimensions, or lack them: one with all types in each of its
/// row groups, one in the order of types.
pub(crate) fn snapshot(dir: &Path) -> Snapshot {
    snapshot_with(dir, "")
}

/// The same after a statement over the table `stored`.
pub(crate) fn snapshot_with(dir: &Path, last: &str) -> Snapshot {
    let more = "
        alter table stored add column n bigint;
        update stored set n = hash(rcpt, time_logged, rec, provider, vmta, bounce_cat) % 1000;
        update stored set rec = 'tq' where rec = 't' and n % 5 = 0;
        update stored set rec = 'rs' where rec = 'f' and n % 3 = 0;
        update stored set bounce_class = null where rec not in ('b', 'rb');
        update stored set bounce_class = 'administrative' where rec = 'b' and n % 7 = 0;
        update stored set vmta = vmta_pool where n % 4 = 0;
        update stored set host = case n % 3 when 0 then 'h' else 'i' end, source = 's';
        update stored set smtp_code = 250 where n % 2 = 0;
        update stored set dsn_mta = 'mx' where n % 3 = 0;
        update stored set message_key = null where n % 50 = 0;
        alter table stored drop column n;";
    let connection = engine();
    connection.execute_batch(&format!("{more}{last}")).expect("records");
    let parts = [("mixed", "minute(time_logged) % 2 = 0", "time_logged"), ("apart", "true", "rec")];
    let part = |(name, part, order): (&str, &str, &str)| {
        let path = dir.join(format!("{name}.parquet"));
        let rows = format!(
            "copy (select * replace (
                 (time_logged + to_days({DAY}))::timestamp_ms as time_logged,
                 (time_queued + to_days({DAY}))::timestamp_ms as time_queued
             ) from stored where {part} order by {order}) to '{}' (compression zstd, row_group_size 2048);
             delete from stored where {part}",
            path.display()
        );
        connection.execute_batch(&rows).expect("a part");
        let bytes = std::fs::metadata(&path).expect("a file").len();
        let part = Part {
            rows: 2000,
            bytes,
            since: minutes(0, 0).since.0,
            until: minutes(199, 0).since.0,
            ..Part::new(Table::Records, name.to_owned())
        };
        SnapshotPart { day: Day(DAY), part, path, moves_to: None, remote: None }
    };
    let parts = parts.map(part).into();
    Snapshot { generation: 1, parts, span: Some((Day(DAY), Day(DAY))), store_rows: 4000 }
}

pub(crate) fn session(snapshot: &Snapshot) -> Session {
    let (limits, classes) = (Limits::new(2, 1 << 28), &BounceClasses::default());
    let config = SessionConfig { zone: Zone::UTC, limits, classes, files: &[] };
    Session::open(snapshot, &[minutes(-1000, 1000)], &config).expect("a session")
}

/// The sums of the column `n` by the values of other columns: of one that a batch lacks there is none.
fn sums(batches: &[RecordBatch], by: &[&str], n: &str) -> BTreeMap<Vec<String>, i64> {
    let mut sums = BTreeMap::new();
    let options = FormatOptions::default().with_null("-");
    for batch in batches {
        let texts = |name: &str| -> Vec<String> {
            let Some(column) = batch.column_by_name(name) else {
                return vec!["-".to_owned(); batch.num_rows()];
            };
            let texts = ArrayFormatter::try_new(column, &options).expect("a column");
            (0..batch.num_rows()).map(|row| texts.value(row).to_string()).collect()
        };
        let (columns, numbers) = (by.iter().map(|name| texts(name)).collect::<Vec<_>>(), texts(n));
        for (row, number) in numbers.iter().enumerate() {
            let values = columns.iter().map(|column| column[row].clone()).collect();
            *sums.entry(values).or_default() += number.parse::<i64>().unwrap_or(0);
        }
    }
    sums.retain(|_, n| *n != 0);
    sums
}

/// What is asked: on the hour and off it, of periods that meet and of one that is not there, of a class and of what
/// reached a receiver, with and without dimensions that are not told apart.
fn questions() -> Vec<Why> {
    let kinds =
        [vec!["injected", "delivered", "bounced", "held", "deferred", "remote"], vec!["bounced"]];
    let all = Why { kinds, of: LEAF.to_vec(), ..Why::default() };
    vec![
        Why {
            periods: vec![(0, minutes(120, 180)), (1, minutes(60, 120))],
            follows: true,
            ..all.clone()
        },
        Why {
            periods: vec![(0, minutes(100, 160)), (1, minutes(40, 110)), (2, minutes(-99, -9))],
            class: Some("hard".to_owned()),
            follows: true,
            blind: vec!["vmta_pool", "provider"],
            ..all.clone()
        },
        Why {
            periods: vec![(0, minutes(0, 90))],
            reached: true,
            blind: vec!["job_id"],
            ..all.clone()
        },
        Why { periods: vec![(0, minutes(0, 199))], class: Some("none".to_owned()), ..all },
    ]
}

#[test]
fn records_in_memory_are_counted_as_the_statements_say() {
    let dir = tempfile::tempdir().expect("a folder");
    let snapshot = snapshot(dir.path());
    let session = session(&snapshot);
    let all = Selection::default();
    let asks = [Ask::Messages, Ask::Remote, Ask::Records, Ask::Injected];
    for why in questions() {
        let leaves = session.leaves(&why, &asks, &all, false).expect("records").expect("records");
        let answer = |why: &Why, ask: Ask| {
            let query = why.query(ask, &all).expect("a question");
            session.answer(&query).expect("an answer").rows().clone()
        };
        let mut had: BTreeMap<Vec<String>, i64> = BTreeMap::new();
        for (period, rec, host, n) in leaves.had(&why) {
            let of = vec![period.to_string(), rec.to_owned(), host.unwrap_or("-").to_owned()];
            *had.entry(of).or_default() += n;
        }
        let had_there: BTreeMap<_, _> =
            sums(&[answer(&why, Ask::Had)], &["period", "rec", "host"], "n")
                .into_iter()
                .filter(|(of, _)| of[0] != "-")
                .collect();
        assert_eq!(had, had_there);
        let here: Vec<RecordBatch> = leaves.marginals(&why).collect::<Result<_>>().expect("counts");
        let mut there = Why { of: Vec::new(), ..why.clone() }
            .marginals(&all)
            .expect("questions")
            .iter()
            .map(|query| session.answer(query).expect("an answer").rows().clone())
            .collect::<Vec<_>>();
        there.retain(|batch| batch.num_rows() > 0);
        for n in ["entered", "counted"] {
            let by = ["dim", "name", "period"];
            let mut there = sums(&there, &by, n);
            there.retain(|of, _| of[2] != "-");
            assert!(there.len() > 3 || n == "counted", "{n} of {why:?}");
            assert_eq!(sums(&here, &by, n), there, "{n} of {why:?}");
        }
        // Of each dimension all names but the second are told apart, in one order.
        let numbers = |batches: &[RecordBatch], dim: &str| -> Vec<u64> {
            let of = sums(batches, &["dim", "name", "number"], "entered").into_keys();
            let numbers = of.filter(|of| of[0] == dim).map(|of| of[2].parse().expect("a number"));
            numbers.enumerate().filter(|(at, _)| *at != 1).map(|(_, number)| number).collect()
        };
        let told = |batches: &[RecordBatch]| {
            Some(LEAF.iter().map(|dim| ((*dim).to_owned(), numbers(batches, dim))).collect())
        };
        let (of_here, of_there) =
            (Why { told: told(&here), ..why.clone() }, Why { told: told(&there), ..why.clone() });
        let said = session.told_to_the_engine(&leaves, &of_here).expect("numbers");
        assert_eq!(said.told, of_there.told, "{why:?}");
        for ask in asks {
            let by: Vec<&str> =
                LEAF.into_iter().chain(["period", "carried", "kind", "category"]).collect();
            let here = leaves.counts(&of_here, ask, false).expect("counts");
            let mut there = sums(&[answer(&of_there, ask)], &by, "n");
            // What lies in none of the periods.
            there.retain(|of, _| of[LEAF.len()] != "-");
            assert!(there.len() > 3 || ask == Ask::Remote, "{ask:?} of {why:?}");
            assert_eq!(sums(&here, &by, "n"), there, "{ask:?} of {why:?}");
        }
    }
}

#[test]
fn what_is_left_out_for_want_of_records_is_no_other_question() {
    let dir = tempfile::tempdir().expect("a folder");
    let snapshot = snapshot(dir.path());
    let session = session(&snapshot);
    let all = Selection::default();
    let [first, second, none] = [minutes(120, 180), minutes(60, 120), minutes(900, 960)];
    let why = |periods: Vec<Period>| Why { periods, follows: true, ..Why::default() };
    let asked = why(vec![(0, first), (1, none), (2, second)]);
    let leaves = |why: &Why| {
        session.leaves(why, &[Ask::Messages], &all, false).expect("records").expect("records")
    };
    let (before, kept) = (leaves(&asked), why(vec![(0, first), (1, second)]));
    let after = leaves(&kept);
    assert!(Rc::ptr_eq(&before, &after), "they are not read again");
    let counted = |leaves: &Leaves, why: &Why| {
        sums(&leaves.counts(why, Ask::Messages, false).expect("counts"), &["period", "kind"], "n")
    };
    session.leaves.take();
    let again = leaves(&kept);
    assert_eq!(counted(&after, &kept), counted(&again, &kept));
    // What another question leaves out has records: they must not count as those of a period that it has.
    let other = why(vec![(0, second)]);
    let of_other = leaves(&other);
    assert!(!Rc::ptr_eq(&again, &of_other));
    let of_second = |counts: BTreeMap<Vec<String>, i64>, number: &str| -> Vec<(String, i64)> {
        let own = counts.into_iter().filter(|(of, _)| of[0] == number);
        own.map(|(of, n)| (of[1].clone(), n)).collect()
    };
    let (alone, beside) = (counted(&of_other, &other), counted(&again, &kept));
    assert_eq!(of_second(alone.clone(), "0"), of_second(beside, "1"));
    assert!(alone.into_keys().all(|of| of[0] == "0"));
}

#[test]
fn what_is_not_counted_in_memory_is_asked_of_the_engine() {
    let dir = tempfile::tempdir().expect("a folder");
    let snapshot = snapshot(dir.path());
    let mut session = session(&snapshot);
    let why = Why { periods: vec![(0, minutes(0, 90))], follows: true, ..Why::default() };
    let (messages, all) = ([Ask::Messages], Selection::default());
    let is_read = |session: &Session, why: &Why, asks: &[Ask], of: &Selection| {
        session.leaves.take();
        session.leaves(why, asks, of, false).expect("no error").is_some()
    };
    assert!(is_read(&session, &why, &messages, &all));
    assert!(is_read(&session, &why, &[Ask::Messages, Ask::Queued], &all));
    assert!(!is_read(&session, &why, &[Ask::Complaints, Ask::Cohort], &all));
    let some = Selection { condition: Some("true".to_owned()), ..Selection::default() };
    assert!(!is_read(&session, &why, &messages, &some));
    let marked = Why { mark: Some(Marked::Plaintext), ..why.clone() };
    assert!(!is_read(&session, &marked, &messages, &all));
    session.limits.memory_bytes = 100_000;
    assert!(!is_read(&session, &why, &messages, &all), "there is no room");
    session.limits.memory_bytes = 1 << 28;
    let (part, bytes) = (&snapshot.parts[0].path, 1000);
    std::fs::OpenOptions::new()
        .write(true)
        .open(part)
        .and_then(|file| file.set_len(bytes))
        .expect("a cut");
    assert!(!is_read(&session, &why, &messages, &all), "the engine says what is wrong with a part");
}
