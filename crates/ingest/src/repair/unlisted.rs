//! Days whose list of sources is lost: nobody knows which files were taken, so all parts that hold
//! records of such a file go to quarantine, and the files are new again.

use arrow::array::RecordBatch;
use pmtaq_schema::time::Day;
use pmtaq_store::layout::Table;
use pmtaq_store::{Change, Error, Generations, Ledger, Result, SnapshotPart, Source, Writer};

use super::{Changed, entangled, names_of, without};
use crate::budget::MergeBudget;
use crate::verify::stage_hourly;

/// Begins the lists of `lost` days anew, in one commit. Returns what was done.
///
/// # Errors
/// What the store says; it is as it was then.
pub(super) fn take_out(
    writer: &mut Writer<'_>,
    lost: &[Day],
    budget: MergeBudget,
) -> Result<Vec<String>> {
    let mut sources = writer.all_sources(lost)?;
    let mut change = Change { fresh_lists: lost.to_vec(), ..Change::default() };
    let (mut gone, mut left, mut rejects) = (0, 0, 0);
    for day in writer.days() {
        let parts = writer.parts(day)?;
        let of = |table| parts.iter().filter(move |part| part.part.table == table);
        rejects += of(Table::Rejects).map(|part| part.part.rows).sum::<u64>();
        let unlisted = unlisted(of(Table::Records), &sources, day)?;
        left += of(Table::Records).map(|part| part.part.rows).sum::<u64>();
        if unlisted.is_empty() {
            continue;
        }
        let mut generations = Generations::default();
        unlisted.iter().for_each(|part| generations.extend(&part.part.generations));
        sources = lose(sources, day, &generations, &mut change.sources);
        let rows: u64 = unlisted.iter().map(|part| part.part.rows).sum();
        (gone, left) = (gone + rows, left - rows);
        change.set_aside.extend(unlisted.iter().map(|part| (day, part.part.clone())));
        if !writer.is_pruned(day) {
            change.retired.extend(of(Table::Hourly).map(|part| (day, part.part.clone())));
            let records = of(Table::Records).filter(|part| !unlisted.contains(part));
            stage_hourly(writer, day, records, &mut change, budget, RecordBatch::clone)?;
        }
    }
    let mut known = Ledger::default();
    sources.iter().for_each(|(_, source)| known.add(source.ledger));
    let removed = writer.removed();
    // What is in no part and no ledger expects back was removed before.
    let after = signed(known.stored) - signed(left);
    let lost_rows: i64 =
        change.sources.iter().map(|(_, new, old)| stored(old) - signed(new.ledger.stored)).sum();
    if after < 0 {
        let what = "the parts hold more records than the files that are known gave".to_owned();
        return Err(Error::Damaged { path: "records".into(), what });
    }
    change.removed.records = after - signed(removed.records);
    change.unlisted.records = signed(gone) - lost_rows - change.removed.records;
    // Refused lines are not told apart: a source without a name keeps their count.
    let unknown = rejects + removed.rejects;
    let unknown = unknown.saturating_sub(known.kept_rejects());
    if unknown > 0 {
        let ledger = Ledger { read: unknown, rejected: unknown, ..Ledger::default() };
        let name = "(files that are not known any more)".to_owned();
        let none = Source { name, ledger, ..Source::default() };
        change.unlisted.rejects = signed(unknown);
        change.sources.push((lost[0], none, None));
    }
    let days = lost.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut told = format!(
        "{days}: which files begin on it is not known any more; {gone} records that may be theirs were set \
         aside; ingest all files of it again"
    );
    let others: Vec<Changed> =
        change.sources.iter().filter(|(_, _, old)| old.is_some()).cloned().collect();
    if !others.is_empty() {
        told += &format!(", and also {}", names_of(&others));
    }
    if removed.records > 0 {
        told += "; what `pmtaq forget` had erased comes back with them: erase it again then";
    }
    writer.commit(change)?;
    Ok(vec![told])
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn stored(source: &Option<Source>) -> i64 {
    source.as_ref().map_or(0, |source| signed(source.ledger.stored))
}

/// The parts of a day that hold other rows than those that `sources` gave.
fn unlisted<'p>(
    parts: impl Iterator<Item = &'p SnapshotPart>,
    sources: &[(Day, Source)],
    day: Day,
) -> Result<Vec<&'p SnapshotPart>> {
    let mut left: Vec<&SnapshotPart> = parts.collect();
    let mut found = Vec::new();
    while let Some(first) = left.first().copied() {
        let (group, generations) = entangled(left.iter().copied(), |part| part.part == first.part);
        left.retain(|part| !group.contains(part));
        if generations.has_unknown() {
            let what = "records of an older version cannot be told apart by their files, so that the lost \
                        list of files cannot begin anew";
            return Err(Error::Damaged { path: first.path.clone(), what: what.to_owned() });
        }
        let rows: u64 = group.iter().map(|part| part.part.rows).sum();
        let given = sources.iter().flat_map(|(_, source)| &source.taken);
        let given =
            given.filter(|taken| taken.day == day && generations.contains(taken.generation));
        if rows != given.map(|taken| taken.rows).sum::<u64>() {
            found.extend(group);
        }
    }
    Ok(found)
}

/// `sources` without what they gave to `day` in `generations`; notes those that this changes.
fn lose(
    sources: Vec<(Day, Source)>,
    day: Day,
    generations: &Generations,
    changed: &mut Vec<Changed>,
) -> Vec<(Day, Source)> {
    let (new, _) = without(sources.clone(), day, generations);
    let is = |a: &Source, b: &Source| a.head == b.head && a.hash == b.hash;
    let sources = sources.into_iter().map(|(filed, source)| {
        match new.iter().find(|(_, new, _)| is(new, &source)) {
            Some((_, new, _)) => (filed, new.clone()),
            None => (filed, source),
        }
    });
    let sources = sources.collect();
    for (filed, new, old) in new {
        // One that has lost something of another day keeps what was known of it before.
        match changed.iter_mut().find(|(_, known, _)| is(known, &new)) {
            Some((_, known, _)) => *known = new,
            None => changed.push((filed, new, old)),
        }
    }
    sources
}
