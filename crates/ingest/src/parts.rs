//! The parts that one worker has open: one per UTC day, filled and closed as rows come.
//! Knows days and memory, not lines.

use std::collections::BTreeMap;

use pmtaq_schema::time::Day;
use pmtaq_store::{Encoder, NewPart, Result, RunWriter, Writer};

use crate::hourly::Counted;
use crate::rollup::Rollup;
use crate::rows::Rows;

/// Rows that are sorted and written together. A row group holds four such runs: sorting all of it
/// at once saved a hundredth of the size and cost a third more memory.
const BATCH_ROWS: usize = 32 * 1024;

/// Bytes of lines gathered, over all days of a worker, before the fullest day is written out.
const BATCH_BYTES: usize = 96 << 20;

/// Rows that a worker adds to other days before it closes a day. Files come in the order of time, so
/// a day that has passed rarely comes again.
const IDLE_ROWS: u64 = 256 * 1024;

/// Days with an open file. More than that happens only with files that mix months.
const OPEN_DAYS: usize = 48;

/// One worker's open parts.
pub(crate) struct Parts<'r, 'w> {
    writer: &'w Writer<'w>,
    rollup: &'r Rollup<'w>,
    open: BTreeMap<Day, Open<'w>>,
    done: Vec<NewPart>,
    /// Rows added so far.
    uses: u64,
    /// Rows of closed days, for their memory.
    spare_rows: Vec<Rows>,
    counted: Counted,
    encoder: Encoder,
    order: Vec<u32>,
    spare: Vec<u32>,
}

struct Open<'w> {
    rows: Rows,
    part: Option<RunWriter<'w>>,
    last_use: u64,
}

impl<'r, 'w> Parts<'r, 'w> {
    pub(crate) fn new(writer: &'w Writer<'w>, rollup: &'r Rollup<'w>) -> Result<Parts<'r, 'w>> {
        Ok(Parts {
            writer,
            rollup,
            open: BTreeMap::new(),
            done: Vec::new(),
            uses: 0,
            spare_rows: Vec::new(),
            counted: Counted::default(),
            encoder: Encoder::new()?,
            order: Vec::new(),
            spare: Vec::new(),
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
    pub(crate) fn relieve(&mut self) -> Result<()> {
        let full = |open: &Open| open.rows.len() >= BATCH_ROWS;
        let days: Vec<Day> =
            self.open.iter().filter(|(_, open)| full(open)).map(|(day, _)| *day).collect();
        days.into_iter().try_for_each(|day| self.write(day))?;
        while self.open.values().map(|open| open.rows.bytes).sum::<usize>() > BATCH_BYTES {
            let fullest = self.open.iter().max_by_key(|(_, open)| open.rows.bytes);
            let Some(day) = fullest.map(|(day, _)| *day) else { break };
            self.write(day)?;
        }
        let idle = |open: &Open| open.last_use + IDLE_ROWS < self.uses;
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
    pub(crate) fn finish(mut self) -> Result<Vec<NewPart>> {
        let days: Vec<Day> = self.open.keys().copied().collect();
        days.into_iter().try_for_each(|day| self.close(day))?;
        Ok(self.done)
    }

    fn write(&mut self, day: Day) -> Result<()> {
        let Some(open) = self.open.get_mut(&day).filter(|open| open.rows.len() > 0) else {
            return Ok(());
        };
        let part = match &mut open.part {
            Some(part) => part,
            none => none.insert(self.writer.stage_runs(day, &mut self.encoder)?),
        };
        open.rows.order(&mut self.order, &mut self.spare);
        let (since, until) = (open.rows.since, open.rows.until);
        let cells = open.rows.cells();
        self.counted.count(&self.order, &cells);
        self.rollup.add(day, &self.counted, &cells)?;
        part.write(&mut self.encoder, &self.order, &cells, since, until)?;
        let full = part.is_group_full();
        if full {
            part.end_group(&mut self.encoder, &cells)?;
        }
        open.rows.clear();
        if full {
            open.rows.forget_names();
        }
        Ok(())
    }

    fn close(&mut self, day: Day) -> Result<()> {
        self.write(day)?;
        if let Some(Open { mut rows, part: Some(mut part), .. }) = self.open.remove(&day) {
            part.end_group(&mut self.encoder, &rows.cells())?;
            self.done.push(part.finish(&mut self.encoder)?);
            rows.forget_names();
            self.spare_rows.push(rows);
        }
        Ok(())
    }
}
