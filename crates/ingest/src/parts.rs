//! The parts that one worker has open: one per UTC day, filled and closed as rows come.
//! Knows days and memory, not lines.

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;

use pmtaq_schema::time::Day;
use pmtaq_store::layout::Table;
use pmtaq_store::{Encoder, Result, RunWriter, Writer, Written};

use crate::budget::Budget;
use crate::hourly::Counted;
use crate::order::Order;
use crate::rollup::Rollup;
use crate::rows::Rows;
use crate::site::SITE;

/// Rows that all workers add to other days before a day is closed: each closes its own after its share.
/// Files come in the order of time, so a day that has passed rarely comes again.
const IDLE_ROWS: u64 = 256 * 1024;

/// Days with an open file. More than that happens only with files that mix months.
const OPEN_DAYS: usize = 48;

/// Days whose memory is kept for rows to come. A file that mixes many gives it back instead.
const SPARE_DAYS: usize = 3;

/// One worker's open parts.
pub(crate) struct Parts<'r, 'w> {
    writer: &'w Writer<'w>,
    rollup: &'r Rollup<'w>,
    budget: Budget,
    open: BTreeMap<Day, Open<'w>>,
    /// Takes what is written, to be synced.
    written: Sender<Written<'w>>,
    /// Rows added so far.
    uses: u64,
    /// Rows of closed days, for their memory.
    spare_rows: Vec<Rows>,
    counted: Counted,
    encoder: Encoder,
    order: Order,
}

struct Open<'w> {
    rows: Rows,
    part: Option<RunWriter<'w>>,
    last_use: u64,
}

impl Open<'_> {
    /// Memory of the row group that has begun.
    fn group_bytes(&self) -> usize {
        self.rows.name_bytes() + self.part.as_ref().map_or(0, RunWriter::group_bytes)
    }
}

impl<'r, 'w> Parts<'r, 'w> {
    pub(crate) fn new(
        writer: &'w Writer<'w>,
        rollup: &'r Rollup<'w>,
        budget: Budget,
        written: Sender<Written<'w>>,
    ) -> Result<Parts<'r, 'w>> {
        Ok(Parts {
            writer,
            rollup,
            budget,
            open: BTreeMap::new(),
            written,
            uses: 0,
            spare_rows: Vec::new(),
            counted: Counted::default(),
            encoder: Encoder::new()?,
            order: Order::default(),
        })
    }

    /// The rows of `day`, to add `count` more to.
    pub(crate) fn rows(&mut self, day: Day, count: usize) -> &mut Rows {
        self.uses += count as u64;
        let open = self.open.entry(day).or_insert_with(|| {
            let rows = self.spare_rows.pop().unwrap_or_else(Rows::new);
            Open { rows, part: None, last_use: 0 }
        });
        open.last_use = self.uses;
        &mut open.rows
    }

    /// Writes out what is full. To be called after each chunk.
    pub(crate) fn flush_if_over_budget(&mut self) -> Result<()> {
        let full = |open: &Open| open.rows.len() >= self.budget.run_rows;
        let days: Vec<Day> =
            self.open.iter().filter(|(_, open)| full(open)).map(|(day, _)| *day).collect();
        days.into_iter().try_for_each(|day| self.write(day))?;
        while self.open.values().map(|open| open.rows.bytes).sum::<usize>() > self.budget.run_bytes
        {
            let fullest = self.open.iter().max_by_key(|(_, open)| open.rows.bytes);
            let Some(day) = fullest.map(|(day, _)| *day) else { break };
            self.write(day)?;
        }
        while self.open.values().map(Open::group_bytes).sum::<usize>() > self.budget.group_bytes {
            let fullest = self.open.iter().max_by_key(|(_, open)| open.group_bytes());
            let Some(day) = fullest.map(|(day, _)| *day) else { break };
            self.end_group(day)?;
        }
        let share = IDLE_ROWS / self.budget.threads as u64;
        let idle = |open: &Open| open.last_use + share < self.uses;
        let days: Vec<Day> =
            self.open.iter().filter(|(_, open)| idle(open)).map(|(day, _)| *day).collect();
        days.into_iter().try_for_each(|day| self.close(day))?;
        while self.open.len() > OPEN_DAYS {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.last_use);
            let Some(day) = oldest.map(|(day, _)| *day) else { break };
            self.close(day)?;
        }
        Ok(())
    }

    /// Closes every part.
    pub(crate) fn finish(mut self) -> Result<()> {
        let days: Vec<Day> = self.open.keys().copied().collect();
        days.into_iter().try_for_each(|day| self.close(day))
    }

    fn write(&mut self, day: Day) -> Result<()> {
        let Some(open) = self.open.get_mut(&day).filter(|open| open.rows.len() > 0) else {
            return Ok(());
        };
        let part = match &mut open.part {
            Some(part) => part,
            none => none.insert(self.writer.stage_runs(Table::Records, day, &mut self.encoder)?),
        };
        open.rows.sort(&mut self.order);
        let (rows, since, until) = (open.rows.len(), open.rows.since, open.rows.until);
        let cells = open.rows.cells(&self.order);
        self.counted.count(rows, &cells);
        self.rollup.add(day, &self.counted, &cells, &mut self.encoder)?;
        part.write(&mut self.encoder, 0..rows, &cells[..SITE], since, until)?;
        let full = part.group_rows() >= self.budget.group_rows;
        open.rows.clear();
        if self.open.len() > SPARE_DAYS {
            self.open.get_mut(&day).into_iter().for_each(|open| open.rows.give_back());
        }
        if full {
            self.end_group(day)?;
            self.sync_begun(day)?;
        }
        Ok(())
    }

    /// Ends the row group of a day, with the rows that it has gathered.
    fn end_group(&mut self, day: Day) -> Result<()> {
        if self.open.get(&day).is_some_and(|open| open.rows.len() > 0) {
            self.write(day)?;
        }
        if let Some(Open { rows, part: Some(part), .. }) = self.open.get_mut(&day) {
            part.end_group(&mut self.encoder, &rows.cells(&self.order)[..SITE])?;
            rows.forget_names();
        }
        Ok(())
    }

    /// Has the row groups of a day synced while more are made. Only after a full one: those that end
    /// for want of memory are many and small, and wait for it or for the end of the part.
    fn sync_begun(&mut self, day: Day) -> Result<()> {
        if let Some(Open { part: Some(part), .. }) = self.open.get_mut(&day) {
            // Nobody takes it after an error of the disk, which ends the run.
            let _ = self.written.send(part.begun()?);
        }
        Ok(())
    }

    fn close(&mut self, day: Day) -> Result<()> {
        self.end_group(day)?;
        if let Some(Open { mut rows, part: Some(part), .. }) = self.open.remove(&day) {
            // Nobody takes it after an error of the disk, which ends the run.
            let _ = self.written.send(part.finish(&mut self.encoder)?);
            if self.spare_rows.len() < SPARE_DAYS {
                rows.forget_names();
                self.spare_rows.push(rows);
            }
        }
        Ok(())
    }
}
