//! One source being read: its chunks in order, what becomes of their lines, and whether at the end
//! it still holds what was read of it. Knows no threads but that there may be many.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pmtaq_store::{Ledger, Stat};

use crate::Settings;
use crate::checked::{Checked, TimesOfLines};
use crate::chunk::{Chunk, Chunks, Next, Stop};
use crate::content::{explain, holds_torn};
use crate::derive::SourceFacts;
use crate::identity::{Candidate, lasting};
use crate::line::is_remark;
use crate::open::{Content, Opened, Unread};
use crate::outcome::{Left, Status};
use crate::parts::Parts;
use crate::plan::Plan;
use crate::reject::{MAX_KEPT, MAX_KEPT_BYTES, Refusal, Reject};
use crate::split::Splitter;
use crate::taken::{Stored, Wanted};

/// Lines that are taken together, column by column.
const BATCH_LINES: usize = 256;

/// Waits for a lock. One whose holder panicked is as good as another: the panic ends the run, and
/// nothing of it is committed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a lock guarded, by the same rule.
pub(crate) fn unlocked<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// One source.
pub(crate) struct Task {
    pub(crate) candidate: Candidate,
    pub(crate) reading: Mutex<Reading>,
    pub(crate) tally: Mutex<Tally>,
}

/// How far a source is read.
pub(crate) enum Reading {
    Waiting,
    Open(Box<Open>),
    Done(Done),
}

/// A source between its first chunk and its last.
pub(crate) struct Open {
    chunks: Chunks,
    opened: Opened,
    /// What the file system said of it before its first byte was read.
    stat: Stat,
    is_complete: bool,
    /// A last line without line end is left for later.
    holds_torn: bool,
    /// Whether a line of it was given out.
    is_given: bool,
}

/// How the reading of a source ended.
pub(crate) enum Done {
    /// There was nothing new to be read.
    Skipped,
    /// What was taken is what the file holds.
    Read(Read),
    /// Nothing was taken.
    Untaken(Unread),
    /// Lines were taken that the file no longer holds as they were read: they may be its own and
    /// those of another, so that nobody could say later what is stored of either.
    Spoilt(Unread),
}

/// What was read of a source.
pub(crate) struct Read {
    /// Bytes of content up to the end of the last record.
    pub(crate) consumed: u64,
    /// Bytes of a last line without line end that is left for the next run.
    pub(crate) held_back: u64,
    /// Hash of the bytes consumed.
    pub(crate) hash: u128,
    /// As the file looks while it holds nothing else; all zero when that cannot be said.
    pub(crate) stat: Stat,
    /// Why reading stopped before the end.
    pub(crate) stopped: Option<String>,
    /// The header of its last records, where it may be wanted once: a file that is truncated while its
    /// writer goes on has none.
    pub(crate) header: String,
}

impl Task {
    pub(crate) fn new(candidate: Candidate) -> Task {
        let reading = match candidate.status {
            Status::Known | Status::Empty => Reading::Done(Done::Skipped),
            Status::New | Status::Grown => Reading::Waiting,
        };
        let kept = candidate.known.as_ref().map_or(0, |known| known.ledger.kept_rejects());
        let room = Room { lines: MAX_KEPT.saturating_sub(kept), bytes: MAX_KEPT_BYTES };
        let tally = Tally { room, ..Tally::default() };
        Task { candidate, reading: Mutex::new(reading), tally: Mutex::new(tally) }
    }

    /// The next chunk; none when the source is done.
    pub(crate) fn advance(
        &self,
        reading: &mut Reading,
        settings: &Settings,
        spare: &mut Vec<u8>,
    ) -> Option<Chunk> {
        if let Reading::Waiting = reading {
            *reading = match self.open(settings) {
                Ok(open) => Reading::Open(Box::new(open)),
                Err(why) => Reading::Done(Done::Untaken(why)),
            };
        }
        let Reading::Open(open) = reading else { return None };
        let wanted = Wanted::of(self.candidate.known.as_ref());
        loop {
            open.chunks.lend(mem::take(spare));
            let stop = match open.chunks.next() {
                Ok(Next::Chunk(chunk)) => {
                    let number = chunk.number;
                    if let Some(chunk) = chunk.after(wanted.start()) {
                        open.is_given = true;
                        return Some(chunk);
                    }
                    lock(&self.tally).arrive(number, Refusals::default());
                    continue;
                }
                Ok(Next::TooLong { offset, line, size, start: raw, number }) => {
                    let mut refusals = Refusals::default();
                    let mut tally = lock(&self.tally);
                    if !wanted.was_read(offset) {
                        open.is_given = true;
                        let why = Refusal::line("line is longer than 16 MiB");
                        refusals.add(|| Reject { line, offset, size, why, raw });
                        tally.ledger.read += 1;
                        tally.ledger.rejected += 1;
                    }
                    tally.arrive(number, refusals);
                    continue;
                }
                Ok(Next::End) => None,
                Err(stop) => Some(stop),
            };
            *reading = Reading::Done(self.close(open, stop.as_ref(), settings));
            return None;
        }
    }

    /// Opens the file that was looked at, unless it begins otherwise by now.
    fn open(&self, settings: &Settings) -> Result<Open, Unread> {
        let file = &self.candidate.file;
        let mut content = file.content()?;
        if content.stat != file.stat {
            if !self.candidate.begins_as_before(file, settings)? {
                return Err(Unread::Left(Left::Rewritten));
            }
            content = file.content()?;
        }
        let holds_torn = holds_torn(&content, settings.now);
        let Content { stream, is_complete, stat, opened } = content;
        let chunks = Chunks::new(stream, holds_torn);
        Ok(Open { chunks, opened, stat, is_complete, holds_torn, is_given: false })
    }

    fn close(&self, open: &Open, stop: Option<&Stop>, settings: &Settings) -> Done {
        let stat = match (self.looks(open, settings), stop) {
            // What could not be read now may be another time.
            (Ok(_), Some(Stop::Io(error))) if error.kind() != ErrorKind::UnexpectedEof => {
                Stat::default()
            }
            (Ok(stat), _) => stat,
            (Err(why), _) if open.is_given => return Done::Spoilt(why),
            (Err(why), _) => return Done::Untaken(why),
        };
        let (consumed, hash) = (open.chunks.consumed(), open.chunks.hash());
        let (held_back, stopped) = (open.chunks.held_back(), stop.map(explain));
        let plan = open.chunks.plan().filter(|_| !open.is_complete);
        let header = plan.map(Plan::line).unwrap_or_default();
        Done::Read(Read { consumed, held_back, hash, stat, stopped, header })
    }

    /// How the file looks while it holds what was read of it, or all zero.
    ///
    /// # Errors
    /// When it does not hold that any more.
    fn looks(&self, open: &Open, settings: &Settings) -> Result<Stat, Unread> {
        let now = open.opened.stat()?;
        if let Some(stat) = lasting(self.candidate.file.stat, [open.stat, now], settings) {
            return Ok(stat);
        }
        if now != open.stat && open.is_complete {
            return Err(Unread::Left(Left::Unfinished));
        }
        let (length, hash) = (open.chunks.consumed(), open.chunks.hash());
        let is_whole = open.holds_torn || now == open.stat;
        // Else what was taken for its last line may be the beginning of one.
        if is_whole && self.candidate.is_as_read(&open.opened, length, hash, settings)? {
            return Ok(Stat::default());
        }
        Err(Unread::Left(Left::Rewritten))
    }

    /// Builds the rows of a chunk.
    pub(crate) fn take(&self, chunk: &Chunk, known: &SourceFacts<'_>, parts: &mut Parts<'_, '_>) {
        let (mut ledger, mut times) = (Ledger::default(), None);
        let (mut refusals, mut stored) = (Refusals::default(), Stored::default());
        let wanted = Wanted::of(self.candidate.known.as_ref());
        let mut splitter = Splitter::new(&chunk.bytes).with_width(chunk.plan.fields.len());
        let mut counted = (0, chunk.lines_before + 1);
        let mut checked = Vec::with_capacity(BATCH_LINES);
        let mut times_of_lines = TimesOfLines::default();
        loop {
            let lines = splitter.next_lines(BATCH_LINES);
            if lines.is_empty() {
                break;
            }
            checked.clear();
            for i in 0..lines.len() {
                let line = lines.get(i);
                let torn = chunk.torn && line.end == chunk.bytes.len();
                let result = if torn && line.len() < chunk.plan.fields.len() {
                    Err(Refusal::line("torn: the last line has no line end and too few fields"))
                } else {
                    Checked::of(i, lines, &chunk.plan, &mut times_of_lines)
                };
                let offset = chunk.offset + line.start as u64;
                if result.is_err() && is_remark(line.raw()) {
                    continue;
                }
                if wanted.was_read(offset) {
                    // What was refused before is not refused again.
                    let Ok(line) = result else { continue };
                    if let Some(lost) = wanted.lost(offset, line.time_logged.day()) {
                        stored.restore(lost);
                        checked.push(line);
                    }
                    continue;
                }
                match result {
                    Ok(line) => checked.push(line),
                    Err(why) => {
                        ledger.rejected += 1;
                        refusals.add(|| chunk.reject(&line, why, &mut counted));
                    }
                }
            }
            // Each kind by itself, in the order of the file.
            let place = |row: &Checked| (row.record.frequency(), row.time_logged.day());
            checked.sort_by_key(|row| row.record.frequency());
            for rows in checked.chunk_by(|a, b| place(a) == place(b)) {
                let all = rows.iter().map(|row| row.time_logged.0);
                times = all.fold(times, |all, time| join(all, Some((time, time))));
                let (frequency, day) = place(&rows[0]);
                stored.add(day, rows.len());
                parts.rows(day, frequency, rows.len()).push(lines, rows, &chunk.plan, known);
            }
            ledger.stored += checked.len() as u64;
        }
        ledger.read = ledger.stored + ledger.rejected;
        let mut shared = lock(&self.tally);
        shared.ledger.add(ledger);
        shared.stored.extend(&stored);
        shared.times = join(shared.times, times);
        shared.arrive(chunk.number, refusals);
    }
}

/// What became of the records of one source in this run.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) ledger: Ledger,
    pub(crate) times: Option<(i64, i64)>,
    pub(crate) stored: Stored,
    /// Refused lines that are not written yet, in the order of the file.
    pub(crate) rejects: Vec<Reject>,
    /// The first of those that were.
    pub(crate) shown: Vec<Reject>,
    /// For lines that may still be kept.
    room: Room,
    /// The number of the chunk whose refused lines come next.
    next: u64,
    /// Those of chunks that were done before others that stand before them.
    early: BTreeMap<u64, Refusals>,
}

/// The refused lines of one chunk.
#[derive(Default)]
struct Refusals {
    first: Vec<Reject>,
    /// How many more there are.
    more: u64,
}

/// How many lines may still be kept, and how many bytes of them.
#[derive(Clone, Copy, Default)]
struct Room {
    lines: u64,
    bytes: usize,
}

impl Tally {
    /// Takes the refused lines of a chunk when all before it are there, so that it is always the
    /// first ones of a source that are kept.
    fn arrive(&mut self, number: u64, refusals: Refusals) {
        self.early.insert(number, refusals);
        while let Some(Refusals { first, more }) = self.early.remove(&self.next) {
            self.next += 1;
            self.ledger.unkept += more;
            for reject in first {
                if self.room.takes(&reject) {
                    self.rejects.push(reject);
                } else {
                    self.ledger.unkept += 1;
                }
            }
        }
    }
}

impl Refusals {
    fn add(&mut self, reject: impl FnOnce() -> Reject) {
        if (self.first.len() as u64) < MAX_KEPT {
            self.first.push(reject());
        } else {
            self.more += 1;
        }
    }
}

impl Room {
    /// Whether there is room for a line; after the first for which there is none, there is for none.
    fn takes(&mut self, reject: &Reject) -> bool {
        if self.lines == 0 || self.bytes < reject.raw.len() {
            *self = Room::default();
            return false;
        }
        self.lines -= 1;
        self.bytes -= reject.raw.len();
        true
    }
}

/// The span of two spans of time.
pub(crate) fn join(a: Option<(i64, i64)>, b: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (one, other) => one.or(other),
    }
}
