//! Small parts of a day as fewer larger ones: read, sorted, written, swapped in one commit.
//! Changes no row and decides no day.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use pmtaq_schema::site::SiteDimension;
use pmtaq_schema::time::Day;
use pmtaq_store::layout::Table;
use pmtaq_store::{
    Change, Encoder, Error, NewPart, Part, Result, RunWriter, SAYS_ORIGIN, SnapshotPart, Writer,
};

use crate::budget::MergeBudget;
use crate::hourly::Hourly;
use crate::merged::{FULL_ROWS, Merged};
use crate::origins::with_origins;
use crate::tier::add_tiers;
use crate::verify::{error_text, stage_hourly};

/// So many small parts are worth a merge.
const MANY: usize = 8;

/// Rows that a merge after an ingest handles at most, so that no run takes seconds longer than
/// another. Parts of that size are large enough to be left alone.
const MERGE_ROWS: u64 = 2_000_000;

/// Rows of a part that a whole compaction leaves alone: to open it takes a question a hundredth of what it takes to read
/// it, and to write it anew takes half of what its ingest took.
const ENOUGH_ROWS: u64 = 500_000;

/// How often a day is tried again that another machine changes meanwhile.
const TRIES: u32 = 3;

/// How much to merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// What has become many small parts, such that a row is merged a few times in its life.
    Little,
    /// All parts of a day into as few as make sense, and those of an older version anew; and the rollups of
    /// `hourly`.
    Whole,
}

/// What a compaction did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Parts that were replaced.
    pub before: u64,
    /// Parts in their place.
    pub after: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of the parts that were replaced.
    pub bytes_before: u64,
    /// Bytes of the parts in their place.
    pub bytes_after: u64,
    /// Rollups of hours by day that were made.
    pub rollups: u64,
    /// Sentences, each of a part that is left as it is because it is damaged.
    pub damaged: Vec<String>,
}

impl Compacted {
    /// Adds what another one did.
    pub fn add(&mut self, other: Compacted) {
        self.before += other.before;
        self.after += other.after;
        self.records += other.records;
        self.bytes_before += other.bytes_before;
        self.bytes_after += other.bytes_after;
        self.rollups += other.rollups;
        self.damaged.extend(other.damaged);
    }
}

/// Merges parts of `days`, each day in a commit of its own, with so many bytes of memory.
///
/// # Errors
/// [`crate::Error::Memory`] when these are too few; else what the store says. The days before are
/// done then, the failing one is as it was.
pub fn compact(
    writer: &mut Writer<'_>,
    days: &[Day],
    effort: Effort,
    memory: u64,
) -> std::result::Result<Compacted, crate::Error> {
    let budget = MergeBudget::for_what("compact", memory)?;
    let mut done = Compacted::default();
    for &day in days {
        let mut tries = TRIES;
        loop {
            match compact_day(writer, day, effort, budget, &mut done) {
                // Another machine has merged or stored something of the day meanwhile.
                Err(Error::Conflict { .. }) if tries > 0 => {
                    tries -= 1;
                    writer.renew()?;
                }
                Err(Error::Conflict { .. }) if effort == Effort::Little => break,
                other => {
                    other?;
                    break;
                }
            }
        }
        // Hours are read for it as fast as an ingest counts them: too long for each run of one.
        let tiered = if effort == Effort::Whole { add_tiers(writer, day, budget) } else { Ok(0) };
        match tiered {
            // The next compaction makes them.
            Err(Error::Conflict { .. }) => writer.renew()?,
            made => done.rollups += made?,
        }
    }
    Ok(done)
}

fn compact_day(
    writer: &mut Writer<'_>,
    day: Day,
    effort: Effort,
    budget: MergeBudget,
    done: &mut Compacted,
) -> Result<()> {
    let change = merge_day(writer, day, effort, budget, &mut done.damaged).inspect_err(|_| {
        // What went wrong is said already.
        let _ = writer.empty_staging();
    })?;
    if change.retired.is_empty() {
        return Ok(());
    }
    let (before, after) = (change.retired.len() as u64, change.parts.len() as u64);
    let records = change.parts.iter().filter(|part| part.table() == Table::Records);
    let records = records.map(NewPart::rows).sum::<u64>();
    let bytes_before = change.retired.iter().map(|(_, part)| part.bytes).sum::<u64>();
    let bytes_after = change.parts.iter().map(NewPart::bytes).sum::<u64>();
    writer.commit(change)?;
    done.before += before;
    done.after += after;
    done.records += records;
    done.bytes_before += bytes_before;
    done.bytes_after += bytes_after;
    Ok(())
}

/// What a compaction of a day changes, written and not yet committed. What is damaged is left as it is, and told.
fn merge_day(
    writer: &mut Writer<'_>,
    day: Day,
    effort: Effort,
    budget: MergeBudget,
    damaged: &mut Vec<String>,
) -> Result<Change> {
    let parts = writer.parts(day)?;
    let mut change = Change::default();
    for table in [Table::Records, Table::Hourly, Table::Rejects] {
        if table == Table::Hourly && effort == Effort::Whole && lacks_kept(writer, day, &parts) {
            let records = parts.iter().filter(|part| part.part.table == Table::Records);
            stage_hourly(writer, day, records, &mut change, budget, RecordBatch::clone)?;
            let old = parts.iter().filter(|part| part.part.table == Table::Hourly);
            change.retired.extend(old.map(|part| (day, part.part.clone())));
            continue;
        }
        for mut chosen in alike(&parts, table) {
            choose(&mut chosen, effort, enough(table));
            // What is damaged must not be written anew, and with a right checksum.
            chosen.retain(|part| {
                let checked = part.check();
                damaged.extend(checked.as_ref().err().map(error_text));
                checked.is_ok()
            });
            if chosen.len() < 2 && !chosen.iter().any(is_older) {
                continue;
            }
            let merged = merge(writer, table, day, &mut chosen, budget)?;
            let old = || chosen.iter().map(|part| &part.part);
            change.parts.extend(merged.into_iter().map(|part| part.made_of(old()).says_origin()));
            change.retired.extend(chosen.iter().map(|part| (day, part.part.clone())));
        }
    }
    Ok(change)
}

/// The parts of a table, those together that keep the same dimensions of the site: a merge would mix them.
fn alike(parts: &[SnapshotPart], table: Table) -> Vec<Vec<&SnapshotPart>> {
    let mut groups: BTreeMap<&[SiteDimension], Vec<&SnapshotPart>> = BTreeMap::new();
    for part in parts.iter().filter(|part| part.part.table == table) {
        groups.entry(&part.part.site).or_default().push(part);
    }
    groups.into_values().collect()
}

/// Whether `hourly` of a day lacks dimensions of the site that it keeps today, or has them by other
/// expressions, and its records can say them.
fn lacks_kept(writer: &Writer<'_>, day: Day, parts: &[SnapshotPart]) -> bool {
    let kept = writer.kept().definitions();
    let lacks = |part: &SnapshotPart| {
        part.part.table == Table::Hourly && kept.iter().any(|of| !part.part.site.contains(of))
    };
    let mut records = parts.iter().filter(|part| part.part.table == Table::Records);
    parts.iter().any(lacks)
        && !writer.is_pruned(day)
        // What an older version wrote is written anew first.
        && records.all(|part| !is_older(&part) && part.part.checksum.is_some() && part.check().is_ok())
}

/// Whether an older version wrote the part, without what questions need.
fn is_older(part: &&SnapshotPart) -> bool {
    let Part { table, has_keys, rare_apart, has_filters, facts, derived, .. } = &part.part;
    match table {
        Table::Records => {
            let is_found = *has_keys && *rare_apart && *has_filters;
            !(is_found && facts.is_some() && *derived >= SAYS_ORIGIN)
        }
        Table::Hourly => *derived < SAYS_ORIGIN,
        _ => false,
    }
}

/// Rows of a part of `table` that a whole compaction leaves alone. Rows of `hourly` become fewer when they are merged, and
/// its rollups with them.
fn enough(table: Table) -> u64 {
    if table == Table::Hourly { FULL_ROWS / 2 } else { ENOUGH_ROWS }
}

/// Keeps the parts that are to be written anew, or none; a part of `enough` rows is merged by none but a
/// little effort.
///
/// A little: from the smallest on, as many as possible of which the largest has no more rows
/// than all others together. So the part of every row at least doubles when it is merged: a row
/// is written again no more often than the logarithm of the day's rows to base two, and what
/// stays unmerged grows geometrically, so that a day has few parts.
fn choose(parts: &mut Vec<&SnapshotPart>, effort: Effort, enough: u64) {
    parts.sort_by_key(|part| part.part.rows);
    let chosen = match effort {
        Effort::Whole => {
            let small = parts.partition_point(|part| part.part.rows < enough);
            let mut rest = parts.split_off(if small > 1 { small } else { 0 });
            rest.retain(is_older);
            parts.extend(rest);
            parts.len()
        }
        Effort::Little => {
            let (mut chosen, mut sum) = (0, 0);
            for (i, Part { rows, .. }) in parts.iter().map(|part| &part.part).enumerate() {
                if sum + rows > MERGE_ROWS {
                    break;
                }
                if i + 1 >= MANY && *rows <= sum {
                    chosen = i + 1;
                }
                sum += rows;
            }
            chosen
        }
    };
    parts.truncate(chosen);
}

/// Writes the rows of `parts` anew, in the order of time as far as the parts have one, each row
/// group sorted as a whole.
fn merge(
    writer: &Writer<'_>,
    table: Table,
    day: Day,
    parts: &mut [&SnapshotPart],
    budget: MergeBudget,
) -> Result<Vec<NewPart>> {
    parts.sort_by(|a, b| (a.part.since, &a.part.name).cmp(&(b.part.since, &b.part.name)));
    if table == Table::Hourly {
        return merge_hourly(writer, day, parts, budget);
    }
    let mut merged = Merged::new(writer, table, day, budget);
    for part in parts {
        for batch in part.rows()? {
            merged.add(told(batch?, &part.part), &part.part)?;
        }
    }
    merged.finish()
}

/// Rows of `part` with who ended a bounce, where an older version wrote it; one that says so itself leaves it
/// out where nobody did.
fn told(rows: RecordBatch, part: &Part) -> RecordBatch {
    let says = part.table == Table::Rejects || part.derived >= SAYS_ORIGIN;
    if says { rows } else { with_origins(rows) }
}

/// Writes rows of `hourly` anew, those of the same hour and the same names as one.
fn merge_hourly(
    writer: &Writer<'_>,
    day: Day,
    parts: &[&SnapshotPart],
    budget: MergeBudget,
) -> Result<Vec<NewPart>> {
    let (mut encoder, mut done) = (Encoder::new()?, Vec::new());
    let (mut hourly, mut open) = (Hourly::default(), None);
    let since = parts.iter().map(|part| part.part.since).min().unwrap_or(i64::MAX);
    let until = parts.iter().map(|part| part.part.until).max().unwrap_or(i64::MIN);
    let mut write = |hourly: &mut Hourly, is_last| {
        let mut part: RunWriter<'_> = match open.take() {
            Some(part) => part,
            None => writer.stage_runs(Table::Hourly, day)?,
        };
        hourly.take().write(&mut part, &mut encoder, (since, until))?;
        if is_last || part.rows() >= FULL_ROWS {
            done.extend(part.finish()?.sync()?);
        } else {
            open = Some(part);
        }
        Ok::<(), Error>(())
    };
    for part in parts {
        for batch in part.rows()? {
            hourly.add_hourly(&told(batch?, &part.part));
            if hourly.len() >= budget.hourly_rows {
                write(&mut hourly, false)?;
            }
        }
    }
    write(&mut hourly, true)?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pmtaq_store::Facts;
    use proptest::prelude::*;

    fn of_today(rows: u64) -> Part {
        let facts = Some(Facts::default());
        Part { rows, facts, ..Part::new(Table::Records, String::new()) }
    }

    /// The sizes that are merged of parts of these sizes.
    fn chosen(sizes: &[u64], effort: Effort) -> Vec<u64> {
        let parts: Vec<SnapshotPart> = sizes
            .iter()
            .map(|&rows| SnapshotPart {
                day: Day(0),
                part: of_today(rows),
                path: std::path::PathBuf::new(),
                moves_to: None,
                remote: None,
            })
            .collect();
        let mut parts: Vec<&SnapshotPart> = parts.iter().collect();
        choose(&mut parts, effort, ENOUGH_ROWS);
        parts.iter().map(|part| part.part.rows).collect()
    }

    #[test]
    fn a_part_of_an_older_version_is_written_anew_by_a_whole_compaction_alone() {
        let old = |part| {
            let (path, moves_to) = (std::path::PathBuf::new(), None);
            SnapshotPart { day: Day(0), part, path, moves_to, remote: None }
        };
        let lacks_keys = |rows| Part { has_keys: false, ..of_today(rows) };
        let lacks_filters = |rows| Part { has_filters: false, ..of_today(rows) };
        for lacks in [lacks_keys, lacks_filters] {
            let parts = [old(lacks(5_000_000)), old(lacks(3))];
            for (effort, n) in [(Effort::Whole, 2), (Effort::Little, 0)] {
                let mut parts: Vec<&SnapshotPart> = parts.iter().collect();
                choose(&mut parts, effort, ENOUGH_ROWS);
                assert_eq!(parts.len(), n, "{effort:?}");
            }
        }
    }

    #[test]
    fn few_parts_and_large_ones_are_left_alone() {
        assert!(chosen(&[1; 7], Effort::Little).is_empty());
        assert_eq!(chosen(&[1; 8], Effort::Little), [1; 8]);
        assert_eq!(chosen(&[1, 1, 1, 1, 1, 1, 1, 1, 8, 16, 33], Effort::Little).len(), 10);
        assert!(chosen(&[1_000_000; 30], Effort::Little).is_empty());
        assert_eq!(chosen(&[5_000_000, 3, 4], Effort::Whole), [3, 4]);
        assert!(chosen(&[5_000_000, 3], Effort::Whole).is_empty());
        // What the threads of an ingest wrote of a day.
        assert!(chosen(&[1_650_000, 1_690_000], Effort::Whole).is_empty());
        assert_eq!(chosen(&[400_000, 499_999, 500_000], Effort::Whole), [400_000, 499_999]);
    }

    proptest! {
        #[test]
        fn a_day_of_any_files_has_few_parts_and_no_row_is_written_often(
            files in proptest::collection::vec(1_u64..20_000, 1..1500),
        ) {
            // Each part with the number of times that its oldest row was written.
            let mut parts: Vec<(u64, u32)> = Vec::new();
            for rows in files {
                parts.push((rows, 1));
                let sizes: Vec<u64> = parts.iter().map(|part| part.0).collect();
                let merged = chosen(&sizes, Effort::Little);
                if !merged.is_empty() {
                    parts.sort_unstable();
                    let of = parts.drain(..merged.len()).collect::<Vec<_>>();
                    let writes = of.iter().map(|part| part.1).max().unwrap_or(0) + 1;
                    parts.push((of.iter().map(|part| part.0).sum(), writes));
                }
                let small = parts.iter().filter(|part| part.0 < MERGE_ROWS / 2).count();
                prop_assert!(small <= 32, "{parts:?}");
                prop_assert!(parts.iter().all(|part| part.1 <= 1 + part.0.ilog2()), "{parts:?}");
            }
        }
    }
}
