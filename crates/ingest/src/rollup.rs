//! The rollup of a run: what all its threads count together, a part of `hourly` for each day.
//! Knows days and memory, not columns.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use pmtaq_schema::Timestamp;
use pmtaq_schema::site::KeptDimensions;
use pmtaq_schema::time::{DAY_S, Day};
use pmtaq_store::layout::Table;
use pmtaq_store::{Cells, Encoder, Result, RunWriter, Writer, Written};

use crate::hourly::{Counted, Hourly};

/// Records that are added to other days before the rows of a day are written: it is over then.
const IDLE_RECORDS: usize = 512 * 1024;

/// The rows of `hourly` that a run adds. One for all threads, since two that count the same hour
/// apart would write most rows twice.
pub(crate) struct Rollup<'w> {
    writer: &'w Writer<'w>,
    days: Mutex<Days<'w>>,
    /// Rows held in memory, over all days, before those of the fullest day are written. Rows that
    /// come later for an hour already written stand beside the first; who reads adds them up.
    max_rows: usize,
}

#[derive(Default)]
struct Days<'w> {
    open: BTreeMap<Day, Open<'w>>,
    /// Rows that were written, for their memory: else the kernel is asked for as much each time.
    spare: Vec<Hourly>,
    /// Records added so far.
    uses: usize,
}

/// The rows of one day.
#[derive(Default)]
pub(crate) struct Open<'w> {
    hourly: Hourly,
    last_use: usize,
    /// Parts to write to: more than one only if threads were writing rows of the day at once.
    parts: Vec<RunWriter<'w>>,
}

impl<'w> Rollup<'w> {
    pub(crate) fn new(writer: &'w Writer<'w>, max_rows: usize) -> Rollup<'w> {
        Rollup { writer, days: Mutex::default(), max_rows }
    }

    /// Adds what was counted of a run, all of `day`. `cells` are those that it was counted from.
    pub(crate) fn add(
        &self,
        day: Day,
        counted: &Counted,
        cells: &[Cells<'_>],
        encoder: &mut Encoder,
    ) -> Result<()> {
        let mut days = self.lock();
        days.open(day, counted.rows()).hourly.add_counted(counted, cells);
        while let Some(day) = days.due(self.max_rows) {
            // Others count on: what is written here takes as long as a run of theirs.
            let mut taken = days.open.remove(&day).unwrap_or_default();
            drop(days);
            taken.write(day, self.writer, encoder)?;
            days = self.lock();
            days.open.entry(day).or_default().parts.append(&mut taken.parts);
            days.spare.push(taken.hourly);
        }
        Ok(())
    }

    /// The days, each to be closed; nothing is left.
    pub(crate) fn days(&self) -> Vec<(Day, Open<'w>)> {
        std::mem::take(&mut *self.lock()).open.into_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Days<'w>> {
        self.days.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'w> Days<'w> {
    /// The rows of `day`, to which those of `records` records are added.
    fn open(&mut self, day: Day, records: usize) -> &mut Open<'w> {
        self.uses += records;
        let open = self.open.entry(day).or_default();
        open.last_use = self.uses;
        if open.hourly.is_empty() {
            open.hourly = self.spare.pop().unwrap_or_default();
        }
        open
    }

    /// A day whose rows are to be written: it is over, or has the most of more than `max_rows`.
    fn due(&self, max_rows: usize) -> Option<Day> {
        let some = || self.open.iter().filter(|(_, open)| !open.hourly.is_empty());
        let is_full = some().map(|(_, open)| open.hourly.len()).sum::<usize>() > max_rows;
        let over = some().find(|(_, open)| open.last_use + IDLE_RECORDS < self.uses);
        let fullest = || some().max_by_key(|(_, open)| open.hourly.len()).filter(|_| is_full);
        over.or_else(fullest).map(|(day, _)| *day)
    }
}

impl<'w> Open<'w> {
    /// Counts records, all of the same day.
    pub(crate) fn add_records(&mut self, batch: &RecordBatch, kept: &KeptDimensions) {
        self.hourly.add_records(batch, kept);
    }

    /// Writes what was counted when it is more than `max_rows`.
    pub(crate) fn keep_within(
        &mut self,
        max_rows: usize,
        day: Day,
        writer: &'w Writer<'w>,
        encoder: &mut Encoder,
    ) -> Result<()> {
        if self.hourly.len() > max_rows { self.write(day, writer, encoder) } else { Ok(()) }
    }

    /// Writes the rest and closes the parts, if there are any. They are to be synced.
    pub(crate) fn close(mut self, day: Day, writer: &'w Writer<'w>) -> Result<Vec<Written<'w>>> {
        let mut encoder = Encoder::new()?;
        self.write(day, writer, &mut encoder)?;
        self.parts.into_iter().map(RunWriter::finish).collect()
    }

    fn write(&mut self, day: Day, writer: &'w Writer<'w>, encoder: &mut Encoder) -> Result<()> {
        if self.hourly.is_empty() {
            return Ok(());
        }
        let mut part = match self.parts.pop() {
            Some(part) => part,
            None => writer.stage_runs(Table::Hourly, day)?,
        };
        // The hours that a day's rows can lie in; which of them are there is not asked.
        let Timestamp(start) = day.start();
        self.hourly.take().write(&mut part, encoder, (start, start + DAY_S - 1))?;
        self.parts.push(part);
        Ok(())
    }
}
