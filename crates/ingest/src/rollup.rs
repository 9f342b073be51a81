//! The rollup of a run: what all its threads count together, a part of `hourly` for each day.
//! Knows days and memory, not columns.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use pmtaq_schema::Timestamp;
use pmtaq_schema::time::{DAY_S, Day};
use pmtaq_store::layout::Table;
use pmtaq_store::{Cells, NewPart, PartWriter, Result, Writer};

use crate::hourly::Hourly;

/// Rows held in memory, over all days, before those of the fullest day are written: 50 MB. Rows
/// that come later for an hour already written stand beside the first; who reads adds them up.
const MAX_ROWS: usize = 256 * 1024;

/// The rows of `hourly` that a run adds. One for all threads, since two that count the same hour
/// apart would write most rows twice.
pub(crate) struct Rollup<'w> {
    writer: &'w Writer<'w>,
    days: Mutex<BTreeMap<Day, Open<'w>>>,
}

#[derive(Default)]
struct Open<'w> {
    hourly: Hourly,
    part: Option<PartWriter<'w>>,
}

impl<'w> Rollup<'w> {
    pub(crate) fn new(writer: &'w Writer<'w>) -> Rollup<'w> {
        Rollup { writer, days: Mutex::default() }
    }

    /// Counts the records in the rows that `order` lists, all of `day`. `cells` are those of all
    /// columns of `records`.
    pub(crate) fn add(&self, day: Day, order: &[u32], cells: &[Cells<'_>]) -> Result<()> {
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        days.entry(day).or_default().hourly.add_cells(order, cells);
        while days.values().map(|open| open.hourly.len()).sum::<usize>() > MAX_ROWS {
            let fullest = days.iter_mut().max_by_key(|(_, open)| open.hourly.len());
            let Some((day, open)) = fullest else { break };
            open.write(*day, self.writer)?;
        }
        Ok(())
    }

    /// Writes the rest and closes every part.
    pub(crate) fn finish(&self) -> Result<Vec<NewPart>> {
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        let mut parts = Vec::new();
        for (day, mut open) in std::mem::take(&mut *days) {
            open.write(day, self.writer)?;
            parts.extend(open.part.map(PartWriter::finish).transpose()?);
        }
        Ok(parts)
    }
}

impl<'w> Open<'w> {
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
        part.write(&self.hourly.take(), start, start + DAY_S - 1)
    }
}
