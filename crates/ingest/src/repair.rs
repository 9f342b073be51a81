//! Damaged parts taken out of a store: what can be counted anew is, and of what cannot, the ledgers
//! say which files bring it back. Deletes nothing that is damaged, and trusts no part that is not as
//! it was written.

mod unlisted;

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use pmtaq_schema::time::Day;
use pmtaq_store::layout::Table;
use pmtaq_store::{Change, Error, Generations, Part, Result, SnapshotPart, Source, Writer};

use crate::budget::MergeBudget;
use crate::verify::{Verified, error_text, stage_hourly};

/// Names of files that are told, at most, of a day.
const MAX_TOLD: usize = 20;

/// Repairs what `verified` found of the parts, each day in a commit of its own, with so many bytes of
/// memory. Returns what was done and what could not be, as sentences, and whether anything was.
///
/// # Errors
/// [`crate::Error::Memory`] when these are too few; else what the store says of the disk. What it says
/// of a day is told, and the day is as it was.
pub fn repair(
    writer: &mut Writer<'_>,
    verified: &Verified,
    memory: u64,
) -> std::result::Result<(Vec<String>, bool), crate::Error> {
    let budget = MergeBudget::for_what("verify", memory)?;
    let (mut told, mut is_changed) = (Vec::new(), false);
    for &day in &verified.lost_parts {
        match again(writer, |writer| writer.relist_parts(day)) {
            Ok(()) => {
                told.push(format!("{day}: the list of its parts was made anew"));
                is_changed = true;
            }
            Err(error) => told.push(error_text(&error)),
        }
    }
    if !verified.lost_sources.is_empty() {
        let lost = &verified.lost_sources;
        match again(writer, |writer| unlisted::take_out(writer, lost, budget)) {
            Ok(done) => {
                told.extend(done);
                is_changed = true;
            }
            Err(error @ (Error::Io { .. } | Error::Bucket(_))) => return Err(error.into()),
            Err(error) => told.push(error_text(&error)),
        }
    }
    let days: BTreeSet<Day> = verified.damaged.iter().map(|(day, _)| *day).collect();
    for day in days {
        let damaged = verified.damaged.iter().filter(|(of, _)| *of == day).map(|(_, part)| part);
        let damaged: Vec<&Part> = damaged.collect();
        match again(writer, |writer| take_out(writer, day, &damaged, budget)) {
            Ok(done) => {
                told.extend(done);
                is_changed = true;
            }
            Err(error @ (Error::Io { .. } | Error::Bucket(_))) => return Err(error.into()),
            Err(error) => told.push(format!("{day} is not repaired: {}", error_text(&error))),
        }
    }
    for &day in &verified.stale {
        match again(writer, |writer| rebuild_hourly(writer, day, budget))? {
            None => {
                told.push(format!("{day}: the rollup was made anew"));
                is_changed = true;
            }
            Some(why) => told.push(format!("{day}: the rollup stays as it is: {why}")),
        }
    }
    Ok((told, is_changed))
}

/// Does `step`, and again after another machine has committed what it rests on.
fn again<T>(
    writer: &mut Writer<'_>,
    mut step: impl FnMut(&mut Writer<'_>) -> Result<T>,
) -> Result<T> {
    const TRIES: u32 = 20;
    for _ in 1..TRIES {
        match step(writer) {
            Err(Error::Conflict { .. }) => writer.renew()?,
            other => return other,
        }
    }
    step(writer)
}

/// Takes the damaged parts of a day out, with all that cannot be told apart from them.
fn take_out(
    writer: &mut Writer<'_>,
    day: Day,
    damaged: &[&Part],
    budget: MergeBudget,
) -> Result<Vec<String>> {
    let parts = writer.parts(day)?;
    let is_damaged = |part: &SnapshotPart| damaged.iter().any(|gone| **gone == part.part);
    let of = |table| parts.iter().filter(move |part| part.part.table == table);
    let (records, gone) = entangled(of(Table::Records), is_damaged);
    let mut change = Change::default();
    let mut told = Vec::new();
    if !records.is_empty() {
        let rows: u64 = records.iter().map(|part| part.part.rows).sum();
        let (sources, lost) = without(writer.all_sources(&[])?, day, &gone);
        change.removed.records = rows.cast_signed() - lost.cast_signed();
        told.push(told_of_records(day, &records, rows, lost, &sources));
        change.sources = sources;
        change.set_aside.extend(records.iter().map(|part| (day, part.part.clone())));
    }
    for part in of(Table::Rejects).filter(|part| is_damaged(part)) {
        let rows = part.part.rows;
        change.removed.rejects += rows.cast_signed();
        change.set_aside.push((day, part.part.clone()));
        told.push(format!("{day}: {rows} refused lines were set aside"));
    }
    for part in Table::TIERS.into_iter().flat_map(of).filter(|part| is_damaged(part)) {
        change.set_aside.push((day, part.part.clone()));
        told.push(format!("{day}: a part of {} was set aside", part.part.table));
    }
    let (bad, good): (Vec<_>, Vec<_>) = of(Table::Hourly).partition(|part| is_damaged(part));
    change.set_aside.extend(bad.iter().map(|part| (day, part.part.clone())));
    if writer.is_pruned(day) {
        let rows: u64 = bad.iter().map(|part| part.part.rows).sum();
        if rows > 0 {
            told.push(format!(
                "{day}: {rows} rows of hourly were set aside; their records are pruned, so that the hours \
                 of this day are short of them from now on"
            ));
        }
    } else if !bad.is_empty() || !records.is_empty() {
        change.retired.extend(good.iter().map(|part| (day, part.part.clone())));
        let left =
            of(Table::Records).filter(|part| !records.iter().any(|gone| gone.part == part.part));
        stage_hourly(writer, day, left, &mut change, budget, RecordBatch::clone)?;
        told.push(format!("{day}: the rollup was made anew"));
    }
    writer.commit(change)?;
    Ok(told)
}

/// The parts that have rows of the same commits as a damaged one, and these commits: of a commit
/// that wrote several parts of a day, only all of them together are known to hold what.
fn entangled<'p>(
    parts: impl Iterator<Item = &'p SnapshotPart>,
    is_damaged: impl Fn(&SnapshotPart) -> bool,
) -> (Vec<&'p SnapshotPart>, Generations) {
    let mut gone = Generations::default();
    let (mut taken, mut left): (Vec<_>, Vec<_>) = parts.partition(|part| is_damaged(part));
    taken.iter().for_each(|part| gone.extend(&part.part.generations));
    loop {
        let (meet, apart): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|part: &&SnapshotPart| part.part.generations.meets(&gone));
        if meet.is_empty() {
            return (taken, gone);
        }
        meet.iter().for_each(|part| gone.extend(&part.part.generations));
        taken.extend(meet);
        left = apart;
    }
}

/// A source as it is to be known, with its day and with what was known of it.
type Changed = (Day, Source, Option<Source>);

/// Sources as they are to be known when what they gave to `day` in the commits `gone` is lost: each
/// with its day and with what was known of it; and how many records that are.
fn without(sources: Vec<(Day, Source)>, day: Day, gone: &Generations) -> (Vec<Changed>, u64) {
    let (mut changed, mut all) = (Vec::new(), 0);
    for (filed, source) in sources {
        let mut new = source.clone();
        new.taken.retain(|taken| taken.day != day || !gone.contains(taken.generation));
        let lost = source.taken.iter().filter(|taken| !new.taken.contains(taken)).copied();
        new.lost.extend(lost.clone());
        let rows: u64 = lost.map(|taken| taken.rows).sum();
        if rows > 0 {
            all += rows;
            new.ledger.stored = new.ledger.stored.saturating_sub(rows);
            new.ledger.read = new.ledger.read.saturating_sub(rows);
            changed.push((filed, new, Some(source)));
        }
    }
    (changed, all)
}

/// The names of files, or of the first ones.
fn names_of(sources: &[Changed]) -> String {
    let names: BTreeSet<&str> = sources.iter().map(|(_, source, _)| source.name.as_str()).collect();
    let shown = names.iter().take(MAX_TOLD).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_TOLD) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn told_of_records(
    day: Day,
    parts: &[&SnapshotPart],
    rows: u64,
    lost: u64,
    sources: &[Changed],
) -> String {
    let names = names_of(sources);
    let parts = parts.len();
    let mut told = format!("{day}: {rows} records in {parts} parts were set aside");
    if !names.is_empty() {
        told += &format!("; ingest these files again to have them back: {names}");
    }
    if lost > rows {
        let erased = lost - rows;
        told += &format!(
            "; with them {erased} records come back that were erased from these parts: `pmtaq forget` \
             their addresses again then"
        );
    }
    if rows > lost {
        let unknown = rows - lost;
        told +=
            &format!("; of {unknown} it was not noted which files they are from: they are gone");
    }
    told
}

/// Makes the rollup of a day anew from its records; or says why not.
///
/// # Errors
/// What the store says; the day is as it was then.
fn rebuild_hourly(
    writer: &mut Writer<'_>,
    day: Day,
    budget: MergeBudget,
) -> Result<Option<String>> {
    let parts = writer.parts(day)?;
    let records: Vec<_> = parts.iter().filter(|part| part.part.table == Table::Records).collect();
    if records.iter().any(|part| part.part.checksum.is_none()) {
        let why = "its records are of an older version and have no checksum, so that nobody knows which \
                   of the two is right";
        return Ok(Some(why.to_owned()));
    }
    let mut change = Change::default();
    stage_hourly(writer, day, records.into_iter(), &mut change, budget, RecordBatch::clone)?;
    let old = parts.iter().filter(|part| part.part.table == Table::Hourly);
    change.retired.extend(old.map(|part| (day, part.part.clone())));
    writer.commit(change)?;
    Ok(None)
}
