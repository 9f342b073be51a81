//! The rollup of a run: what all its threads count together, a part of `hourly` for each day.
//! Knows days and memory, not columns.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use pmtaq_schema::Timestamp;
use pmtaq_schema::time::{DAY_S, Day};
use pmtaq_store::layout::Table;
use pmtaq_store::{Cells, NewPart, PartWriter, Result, Writer};

use crate::hourly::{Counted, Hourly};

/// The rows of `hourly` that a run adds. One for all threads, since two that count the same hour
/// apart would write most rows twice.
pub(crate) struct Rollup<'w> {
    writer: &'w Writer<'w>,
    days: Mutex<BTreeMap<Day, Open<'w>>>,
    /// Rows held in memory, over all days, before those of the fullest day are written. Rows that
    /// come later for an hour already written stand beside the first; who reads adds them up.
    max_rows: usize,
}

/// The rows of one day.
#[derive(Default)]
pub(crate) struct Open<'w> {
    hourly: Hourly,
    part: Option<PartWriter<'w>>,
}

impl<'w> Rollup<'w> {
    pub(crate) fn new(writer: &'w Writer<'w>, max_rows: usize) -> Rollup<'w> {
        Rollup { writer, days: Mutex::default(), max_rows }
    }

    /// Adds what was counted of a run, all of `day`. `cells` are those that it was counted from.
    pub(crate) fn add(&self, day: Day, counted: &Counted, cells: &[Cells<'_>]) -> Result<()> {
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        days.entry(day).or_default().hourly.add_counted(counted, cells);
        while days.values().map(|open| open.hourly.len()).sum::<usize>() > self.max_rows {
            let fullest = days.iter_mut().max_by_key(|(_, open)| open.hourly.len());
            let Some((day, open)) = fullest else { break };
            open.write(*day, self.writer)?;
        }
        Ok(())
    }

    /// The days, each to be closed; nothing is left.
    pub(crate) fn days(&self) -> Vec<(Day, Open<'w>)> {
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *days).into_iter().collect()
    }
}

impl<'w> Open<'w> {
    /// Writes the rest and closes the part, if there is one.
    pub(crate) fn close(mut self, day: Day, writer: &'w Writer<'w>) -> Result<Option<NewPart>> {
        self.write(day, writer)?;
        self.part.map(PartWriter::finish).transpose()
    }

    fn write(&mut self, day: Day, writer: &'w Writer<'w>) -> Result<()> {
        if self.hourly.is_empty() {
            return Ok(());
        }
        let part = match &mut self.part {
            Some(part) => part,
            none => none.insert(writer.stage(Table::Hourly, day)?),
        };
        // The hours that a day's rows can lie in; which of them are there is not asked.
        let Timestamp(start) = day.start();
        part.write(&self.hourly.take(), start, start + DAY_S - 1)?;
        part.end_group()
    }
}
