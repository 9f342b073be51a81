//! The rollups of `hourly` by day, for questions that ask neither for its hours nor for all of its
//! names: a part of each for each large part of `hourly`, where that makes few rows of many. Reads
//! hours, and no record.

use std::collections::HashMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::sum;
use arrow::datatypes::Int64Type;
use pmtaq_schema::time::{DAY_S, Day};
use pmtaq_store::layout::Table;
use pmtaq_store::{
    Change, Encoder, NewPart, Part, Result, RunWriter, SAYS_ORIGIN, SnapshotPart, Writer,
};

use crate::budget::MergeBudget;
use crate::hourly::Hourly;

/// So many rows of a part of `hourly` are worth a rollup; fewer are read as fast as they are.
const WORTH: u64 = 100_000;

/// A rollup is of use that has one row for at least so many of `hourly`.
const OF: u64 = 4;

/// Makes the rollups of those parts of `hourly` of a day that have none yet, and those anew that an older version
/// made with fewer names, in one commit; how many there were.
pub(crate) fn add_tiers(writer: &mut Writer<'_>, day: Day, budget: MergeBudget) -> Result<u64> {
    let parts = writer.parts(day)?;
    let is_worth = |part: &&SnapshotPart| {
        let part = &part.part;
        // Of what an older version wrote a reader needs the replies, to say who ended a bounce.
        let has_origin = part.derived >= SAYS_ORIGIN;
        part.table == Table::Hourly && part.rows >= WORTH && has_origin
    };
    let mut change = Change::default();
    for hours in parts.iter().filter(is_worth) {
        let name = &hours.part.name;
        let of_it = parts.iter().map(|part| &part.part).filter(|p| p.sums.as_ref() == Some(name));
        let older: Vec<&Part> = of_it.filter(|part| part.lacks_names()).collect();
        let is_wanted =
            |table: &Table| !hours.part.is_tiered || older.iter().any(|part| part.table == *table);
        let wanted: Vec<Table> = Table::TIERS.into_iter().filter(is_wanted).collect();
        // What is damaged is told of by who looks for it.
        if wanted.is_empty() || hours.check().is_err() {
            continue;
        }
        for table in wanted {
            change.parts.extend(summed_up(writer, table, hours, budget)?);
        }
        change.retired.extend(older.into_iter().map(|part| (day, part.clone())));
        change.tiered.push((day, name.clone()));
    }
    let made = change.parts.len() as u64;
    if !change.tiered.is_empty() {
        writer.commit(change)?;
    }
    Ok(made)
}

/// The rows of a part of `hourly` as those of a rollup; none when these are too many.
fn summed_up(
    writer: &Writer<'_>,
    table: Table,
    hours: &SnapshotPart,
    budget: MergeBudget,
) -> Result<Option<NewPart>> {
    let left_out = table.tier().map(|tier| tier.without).unwrap_or_default();
    let start = hours.day.start().0;
    let (mut encoder, mut rows) = (Encoder::new()?, Hourly::by_day());
    let mut part: Option<RunWriter<'_>> = None;
    let mut batches = hours.columns(|field| !left_out.contains(&field.name().as_str()))?;
    loop {
        let batch = batches.next().transpose()?;
        batch.iter().for_each(|batch| rows.add_hourly(batch));
        let written = part.as_ref().map_or(0, RunWriter::rows);
        if (written + rows.len() as u64) * OF > hours.part.rows {
            // What was begun is deleted with all that is staged and in no commit.
            return Ok(None);
        }
        if rows.len() >= budget.hourly_rows || batch.is_none() {
            let part = match &mut part {
                Some(part) => part,
                none => none.insert(writer.stage_runs(table, hours.day)?),
            };
            rows.take().write(part, &mut encoder, (start, start + DAY_S - 1))?;
        }
        if batch.is_none() {
            break;
        }
    }
    let Some(part) = part else { return Ok(None) };
    let new = part.finish()?.sync()?;
    Ok(new.map(|new| new.sums_up(&hours.part)))
}

/// What the parts of `hourly` and of its rollups come to, by name.
#[derive(Default)]
pub(crate) struct Totals(HashMap<String, [i64; 3]>);

impl Totals {
    /// Adds rows of a part.
    pub(crate) fn add(&mut self, part: &Part, batch: &RecordBatch) {
        if part.table != Table::Hourly && part.table.tier().is_none() {
            return;
        }
        let totals = self.0.entry(part.name.clone()).or_default();
        for (total, name) in totals.iter_mut().zip(["records", "bytes", "latency_sum"]) {
            let numbers = batch.column_by_name(name);
            let numbers = numbers.and_then(|column| column.as_primitive_opt::<Int64Type>());
            *total = total.wrapping_add(numbers.and_then(sum).unwrap_or(0));
        }
    }

    /// Whether a rollup does not come to what its part of `hourly` does, both of which were read.
    pub(crate) fn differ(&self, part: &Part) -> bool {
        let of = |name: &String| self.0.get(name);
        let hours = part.sums.as_ref().and_then(of);
        hours.is_some_and(|hours| of(&part.name).is_some_and(|totals| totals != hours))
    }
}
