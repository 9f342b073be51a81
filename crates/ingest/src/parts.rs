//! The parts that one worker has open: one per UTC day, filled and closed as rows come, those of common and
//! of rare types in row groups of their own. Knows days and memory, not lines.

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;

use pmtaq_schema::Frequency;
use pmtaq_schema::time::Day;
use pmtaq_store::layout::Table;
use pmtaq_store::{Encoder, Result, RowGroup, RunWriter, Writer, Written, rows_of};

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
    /// Rows of closed days of common types, for their memory.
    spare_rows: Vec<Rows>,
    counted: Counted,
    encoder: Encoder,
    order: Order,
}

struct Open<'w> {
    /// Of each [`Frequency`].
    rows: [Rows; 2],
    part: Option<Begun<'w>>,
    last_use: u64,
}

/// A part with its row groups that have begun, of each [`Frequency`].
struct Begun<'w> {
    writer: RunWriter<'w>,
    groups: [RowGroup; 2],
}

impl Open<'_> {
    /// Memory of a row group that has begun.
    fn group_bytes(&self, of: Frequency) -> usize {
        let group = self.part.as_ref().map(|part| part.groups[of as usize].bytes());
        self.rows[of as usize].name_bytes() + group.unwrap_or_default()
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

    /// The rows of `day` of types of one frequency, to add `count` more to.
    pub(crate) fn rows(&mut self, day: Day, frequency: Frequency, count: usize) -> &mut Rows {
        self.uses += count as u64;
        let open = self.open.entry(day).or_insert_with(|| {
            let common = self.spare_rows.pop().unwrap_or_else(Rows::new);
            Open { rows: [common, Rows::new()], part: None, last_use: 0 }
        });
        open.last_use = self.uses;
        &mut open.rows[frequency as usize]
    }

    /// Writes out what is full. To be called after each chunk.
    pub(crate) fn flush_if_over_budget(&mut self) -> Result<()> {
        let run_rows = |of| rows_of(of, self.budget.run_rows);
        let full =
            self.all().filter(|(open, _, of)| open.rows[*of as usize].len() >= run_rows(*of));
        let full: Vec<_> = full.map(|(_, day, of)| (day, of)).collect();
        full.into_iter().try_for_each(|(day, of)| self.write(day, of))?;
        while let Some((day, of)) =
            self.fullest(self.budget.run_bytes, |open, of| open.rows[of as usize].bytes)
        {
            self.write(day, of)?;
        }
        while let Some((day, of)) = self.fullest(self.budget.group_bytes, Open::group_bytes) {
            self.end_group(day, of)?;
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

    fn all(&self) -> impl Iterator<Item = (&Open<'w>, Day, Frequency)> {
        self.open
            .iter()
            .flat_map(|(day, open)| Frequency::ALL.into_iter().map(move |of| (open, *day, of)))
    }

    /// Which takes the most memory, when all together take more than `limit`.
    fn fullest(
        &self,
        limit: usize,
        bytes: impl Fn(&Open<'w>, Frequency) -> usize,
    ) -> Option<(Day, Frequency)> {
        let of_each = || self.all().map(|(open, day, of)| (bytes(open, of), day, of));
        let sum = of_each().map(|(bytes, ..)| bytes).sum::<usize>();
        let fullest = of_each().max_by_key(|(bytes, ..)| *bytes).filter(|_| sum > limit);
        fullest.map(|(_, day, of)| (day, of))
    }

    fn write(&mut self, day: Day, of: Frequency) -> Result<()> {
        let has_rows = |open: &&mut Open<'_>| open.rows[of as usize].len() > 0;
        let Some(open) = self.open.get_mut(&day).filter(has_rows) else { return Ok(()) };
        let part = match &mut open.part {
            Some(part) => part,
            none => {
                let writer = self.writer.stage_runs(Table::Records, day)?;
                let groups = [writer.begin_group(&mut self.encoder), writer.begin_small_group()];
                none.insert(Begun { writer, groups })
            }
        };
        let (gathered, group) = (&mut open.rows[of as usize], &mut part.groups[of as usize]);
        gathered.sort(&mut self.order);
        let (rows, since, until) = (gathered.len(), gathered.since, gathered.until);
        let cells = gathered.cells(&self.order);
        self.counted.count(rows, &cells);
        self.rollup.add(day, &self.counted, &cells, &mut self.encoder)?;
        part.writer.write(group, &mut self.encoder, 0..rows, &cells[..SITE], since, until)?;
        let full = group.rows() >= rows_of(of, self.budget.group_rows);
        gathered.clear();
        if self.open.len() > SPARE_DAYS {
            self.open.get_mut(&day).into_iter().for_each(|open| open.rows[of as usize].give_back());
        }
        if full {
            self.end_group(day, of)?;
            self.sync_begun(day)?;
        }
        Ok(())
    }

    /// Ends a row group of a day, with the rows that it has gathered.
    fn end_group(&mut self, day: Day, of: Frequency) -> Result<()> {
        if self.open.get(&day).is_some_and(|open| open.rows[of as usize].len() > 0) {
            self.write(day, of)?;
        }
        if let Some(Open { rows, part: Some(part), .. }) = self.open.get_mut(&day) {
            let (rows, group) = (&mut rows[of as usize], &mut part.groups[of as usize]);
            part.writer.end_group(group, &mut self.encoder, &rows.cells(&self.order)[..SITE])?;
            rows.forget_names();
        }
        Ok(())
    }

    /// Has the row groups of a day synced while more are made. Only after a full one: those that end
    /// for want of memory are many and small, and wait for it or for the end of the part.
    fn sync_begun(&mut self, day: Day) -> Result<()> {
        if let Some(Open { part: Some(part), .. }) = self.open.get_mut(&day) {
            // Nobody takes it after an error of the disk, which ends the run.
            let _ = self.written.send(part.writer.begun()?);
        }
        Ok(())
    }

    fn close(&mut self, day: Day) -> Result<()> {
        Frequency::ALL.into_iter().try_for_each(|of| self.end_group(day, of))?;
        if let Some(Open { rows: [mut rows, _], part: Some(part), .. }) = self.open.remove(&day) {
            let [group, _] = part.groups;
            self.encoder.keep(group);
            // Nobody takes it after an error of the disk, which ends the run.
            let _ = self.written.send(part.writer.finish()?);
            if self.spare_rows.len() < SPARE_DAYS {
                rows.forget_names();
                self.spare_rows.push(rows);
            }
        }
        Ok(())
    }
}
