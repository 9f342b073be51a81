//! The wiring of a run: probe, decide, let threads take chunks, commit. The only file with
//! threads.
//!
//! Threads exchange nothing but chunks: each takes the next one of the first file that no other
//! is reading from, builds its rows and writes them into its own open parts.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};

use pmtaq_store::layout::Table;
use pmtaq_store::{Change, Ledger, NewPart, PartWriter, Result, Source, Writer, Written};
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::budget::Budget;
use crate::chunk::{Chunk, Chunks, Next};
use crate::derive::Known;
use crate::find::find;
use crate::identity::{self, Candidate, chunks_of, decide, probe};
use crate::outcome::{Outcome, Refused, SourceOutcome, Status};
use crate::parts::Parts;
use crate::reject::{self, Reject, Why};
use crate::rollup::Rollup;
use crate::rows::{Checked, TimesOfLines};
use crate::split::Splitter;
use crate::{Error, Settings};

/// Takes what is new in the given files into the store, in one commit. `progress` counts the
/// bytes of content that were read.
///
/// # Errors
/// Only what the store says: a bad file is in the outcome, a bad line in the table `rejects`.
pub fn ingest(
    settings: &Settings,
    writer: &mut Writer<'_>,
    progress: &AtomicU64,
) -> std::result::Result<Outcome, Error> {
    let memory = settings.memory;
    let budget = Budget::of(memory, settings.threads)
        .map_err(|least| Error::Memory { given: memory, least })?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(budget.threads)
        .build()
        .map_err(|_| Error::Threads(budget.threads))?;
    let (found, mut refused) = find(&settings.inputs);
    let probed: Vec<_> =
        pool.install(|| found.into_par_iter().map(|found| probe(found, settings)).collect());
    let mut candidates = Vec::new();
    for result in probed {
        match result {
            Ok(candidate) => candidates.push(candidate),
            Err(error) => refused.push(error),
        }
    }
    let (candidates, unclear) = decide(candidates, writer, settings)?;
    refused.extend(unclear);

    let run = Run::new(settings, budget, writer, candidates, progress);
    let staged = run.stage(&pool, refused);
    let (outcome, change) = staged.inspect_err(|_| {
        // What went wrong is said already.
        let _ = writer.empty_staging();
    })?;
    Ok(finish(outcome, change, writer)?)
}

fn finish(mut outcome: Outcome, change: Change, writer: &mut Writer<'_>) -> Result<Outcome> {
    for source in &outcome.sources {
        outcome.ledger.add(source.ledger);
    }
    outcome.ledger.check("this run")?;
    outcome.parts = change.parts.len() as u64;
    outcome.part_bytes = change.parts.iter().map(NewPart::bytes).sum();
    outcome.days = change.parts.iter().map(NewPart::day).collect();
    outcome.days.sort();
    outcome.days.dedup();
    if !change.parts.is_empty() || !change.sources.is_empty() {
        writer.commit(change)?;
    }
    Ok(outcome)
}

/// What the threads of one run share.
struct Run<'r> {
    settings: &'r Settings,
    budget: Budget,
    writer: &'r Writer<'r>,
    rollup: Rollup<'r>,
    rejects: Mutex<Option<PartWriter<'r>>>,
    tasks: Vec<Task>,
    /// All tasks before this one are done.
    first_open: AtomicUsize,
    progress: &'r AtomicU64,
}

/// One source being read.
struct Task {
    candidate: Candidate,
    reading: Mutex<Reading>,
    tally: Mutex<Tally>,
}

enum Reading {
    Waiting,
    Open(Box<Chunks>),
    Done { consumed: u64, held_back: u64, hash: u128, stopped: Option<String> },
}

/// What became of the records of one source in this run.
#[derive(Default)]
struct Tally {
    ledger: Ledger,
    times: Option<(i64, i64)>,
    /// Those not written yet.
    rejects: Vec<Reject>,
    /// The first of those that were.
    shown: Vec<Reject>,
}

impl<'r> Run<'r> {
    fn new(
        settings: &'r Settings,
        budget: Budget,
        writer: &'r Writer<'r>,
        candidates: Vec<Candidate>,
        progress: &'r AtomicU64,
    ) -> Run<'r> {
        let tasks = candidates.into_iter().map(|candidate| {
            let skip = matches!(candidate.status, Status::Known | Status::Empty);
            let reading = if skip {
                Reading::Done { consumed: 0, held_back: 0, hash: 0, stopped: None }
            } else {
                Reading::Waiting
            };
            Task { candidate, reading: Mutex::new(reading), tally: Mutex::default() }
        });
        let tasks = tasks.collect();
        let rollup = Rollup::new(writer, budget.hourly_rows);
        let (rejects, first_open) = (Mutex::default(), AtomicUsize::new(0));
        Run { settings, budget, writer, rollup, rejects, tasks, first_open, progress }
    }

    /// Writes all that is new, to be committed.
    fn stage(self, pool: &ThreadPool, refused: Vec<Refused>) -> Result<(Outcome, Change)> {
        let parts = std::thread::scope(|scope| {
            let (sender, written) = mpsc::channel::<Written<'_>>();
            // The disk is waited for while others work.
            let synced = written.into_iter().filter_map(|written| written.sync().transpose());
            let synced = scope.spawn(|| synced.collect::<Result<_>>());
            let worked = pool.broadcast(|_| self.work(sender.clone()));
            let worked = worked.into_iter().collect::<Result<()>>();
            let closed = worked.and_then(|()| pool.install(|| self.close_rollup(&sender)));
            drop(sender);
            let synced = synced.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            closed.and(synced)
        })?;
        let mut change = Change { parts, ..Change::default() };
        let outcome = self.conclude(refused, &mut change)?;
        Ok((outcome, change))
    }

    /// What one thread does until no chunk is left.
    fn work(&self, written: Sender<Written<'r>>) -> Result<()> {
        let settings = self.settings;
        let mut parts = Parts::new(self.writer, &self.rollup, self.budget, written)?;
        let mut spare = Vec::new();
        while let Some((task, chunk)) = self.next_chunk(&mut spare) {
            self.progress.fetch_add(chunk.bytes.len() as u64, Ordering::Relaxed);
            let known = Known {
                providers: &settings.providers,
                source: &task.candidate.found.name(),
                host: settings.host.as_deref(),
                machine: &settings.machine,
                privacy: &settings.privacy,
            };
            task.take(&chunk, &known, &mut parts);
            parts.relieve()?;
            if let Ok(mut tally) = task.tally.lock() {
                let bytes: usize = tally.rejects.iter().map(|reject| reject.raw.len() + 200).sum();
                if bytes > self.budget.reject_bytes {
                    self.write_rejects(&task.candidate, &mut tally)?;
                }
            }
            spare = chunk.bytes;
        }
        parts.finish()
    }

    /// Writes what all threads counted together.
    fn close_rollup(&self, written: &Sender<Written<'r>>) -> Result<()> {
        self.rollup.days().into_par_iter().try_for_each(|(day, open)| {
            for part in open.close(day, self.writer)? {
                // Nobody takes it after an error of the disk, which ends the run.
                let _ = written.send(part);
            }
            Ok(())
        })
    }

    /// The next chunk of the first source that no other thread is reading from; waits for one
    /// that is being read when there is nothing else to do. Reads into `spare`.
    fn next_chunk(&self, spare: &mut Vec<u8>) -> Option<(&Task, Chunk)> {
        loop {
            let first = self.first_open.load(Ordering::Acquire);
            let ahead = self.tasks.iter().enumerate().skip(first).take(self.settings.threads);
            let mut busy = None;
            for (i, task) in ahead {
                let Ok(mut reading) = task.reading.try_lock() else {
                    busy.get_or_insert(task);
                    continue;
                };
                if let Some(chunk) = task.advance(&mut reading, self.settings, spare) {
                    return Some((task, chunk));
                }
                // Done: later looks begin behind it, if all before it are done as well.
                let _ =
                    self.first_open.compare_exchange(i, i + 1, Ordering::AcqRel, Ordering::Relaxed);
            }
            match busy {
                Some(task) => drop(task.reading.lock()),
                None if self.first_open.load(Ordering::Acquire) >= self.tasks.len() => return None,
                None => {}
            }
        }
    }

    /// Sums up the sources and writes the rejects.
    fn conclude(self, refused: Vec<Refused>, change: &mut Change) -> Result<Outcome> {
        let now = self.settings.now;
        let host = self.settings.host.as_ref().unwrap_or(&self.settings.machine);
        let mut outcome = Outcome { refused, ..Outcome::default() };
        let mut replaced = HashSet::new();
        for task in &self.tasks {
            if let Ok(mut tally) = task.tally.lock() {
                self.write_rejects(&task.candidate, &mut tally)?;
            }
        }
        let rejects = self.rejects.into_inner().unwrap_or_else(PoisonError::into_inner);
        change.parts.extend(rejects.map(PartWriter::finish).transpose()?);
        for task in self.tasks {
            let Task { candidate, reading, tally } = task;
            let (Ok(Reading::Done { consumed, held_back, hash, stopped }), Ok(tally)) =
                (reading.into_inner(), tally.into_inner())
            else {
                continue;
            };
            outcome.content_bytes += consumed;
            let mut ledger = tally.ledger;
            ledger.duplicate += candidate.known_records;
            ledger.read += candidate.known_records;
            let path = candidate.found.path.clone();
            let room = MAX_SHOWN.saturating_sub(outcome.rejects.len());
            outcome
                .rejects
                .extend(tally.shown.into_iter().take(room).map(|reject| (path.clone(), reject)));
            if matches!(candidate.status, Status::New | Status::Grown) && ledger.read > 0 {
                // Of two files that one has grown into, the second does not replace it again, and
                // counts what they have in common as known before.
                let old = candidate.known.as_ref().filter(|old| replaced.insert(old.hash.clone()));
                let source = Source {
                    head: candidate.head.clone(),
                    length: consumed,
                    hash: self.settings.privacy.content(hash),
                    name: candidate.found.name(),
                    host: host.clone(),
                    stat: candidate.found.stat,
                    ledger: match old {
                        Some(old) => whole_ledger(old, tally.ledger),
                        None => ledger,
                    },
                    ingested_at: now.0,
                    times: join(
                        candidate.known.as_ref().and_then(|known| known.times),
                        tally.times,
                    ),
                };
                change.sources.push((candidate.day, source, old.cloned()));
            }
            let status = candidate.status;
            outcome.sources.push(SourceOutcome { path, status, ledger, held_back, stopped });
        }
        Ok(outcome)
    }

    /// Writes the refused lines that a source has so far, and keeps the first ones to be shown.
    fn write_rejects(&self, source: &Candidate, tally: &mut Tally) -> Result<()> {
        let Settings { host, machine, privacy, now, .. } = self.settings;
        let mut rejects = std::mem::take(&mut tally.rejects);
        if rejects.is_empty() {
            return Ok(());
        }
        rejects.sort_by_key(|reject| reject.offset);
        rejects.iter_mut().for_each(|reject| privacy.reject(reject));
        let path = source.found.path.to_string_lossy();
        let rows = reject::batch(&path, host.as_ref().unwrap_or(machine), &rejects, *now);
        let mut part = self.rejects.lock().unwrap_or_else(PoisonError::into_inner);
        let part = match &mut *part {
            Some(part) => part,
            none => none.insert(self.writer.stage(Table::Rejects, now.day())?),
        };
        part.write(&rows, now.0, now.0)?;
        tally.shown.extend(rejects.into_iter().take(MAX_SHOWN));
        tally.shown.sort_by_key(|reject| reject.offset);
        tally.shown.truncate(MAX_SHOWN);
        Ok(())
    }
}

/// Lines that are taken together, column by column.
const BATCH_LINES: usize = 256;

/// Rejects that are shown with the outcome; all of them are in the store.
const MAX_SHOWN: usize = 20;

/// A source's ledger over all runs: what was stored before is not a duplicate of itself.
fn whole_ledger(known: &Source, new: Ledger) -> Ledger {
    let mut ledger = known.ledger;
    ledger.add(new);
    ledger
}

fn join(a: Option<(i64, i64)>, b: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (one, other) => one.or(other),
    }
}

impl Task {
    /// The next chunk with new records; none when the source is done.
    fn advance(
        &self,
        reading: &mut Reading,
        settings: &Settings,
        spare: &mut Vec<u8>,
    ) -> Option<Chunk> {
        let start = self.candidate.known.as_ref().map_or(0, |known| known.length);
        loop {
            if let Reading::Waiting = reading {
                *reading = match chunks_of(&self.candidate.found, settings.now) {
                    Ok(chunks) => Reading::Open(Box::new(chunks)),
                    Err(error) => Reading::stopped(error.to_string()),
                };
            }
            let Reading::Open(chunks) = reading else { return None };
            chunks.lend(std::mem::take(spare));
            match chunks.next() {
                Ok(Next::Chunk(chunk)) => {
                    if let Some(chunk) = chunk.after(start) {
                        return Some(chunk);
                    }
                }
                Ok(Next::TooLong { offset, line, size, start: raw }) if offset >= start => {
                    let why = Why::line("line is longer than 16 MiB");
                    self.reject(Reject { line, offset, size, why, raw });
                }
                Ok(Next::TooLong { .. }) => {}
                Ok(Next::End) => *reading = Reading::done(chunks, None),
                Err(stop) => *reading = Reading::done(chunks, Some(identity::explain(&stop))),
            }
        }
    }

    fn reject(&self, reject: Reject) {
        if let Ok(mut tally) = self.tally.lock() {
            tally.ledger.read += 1;
            tally.ledger.rejected += 1;
            tally.rejects.push(reject);
        }
    }

    /// Builds the rows of a chunk.
    fn take(&self, chunk: &Chunk, known: &Known<'_>, parts: &mut Parts<'_, '_>) {
        let mut tally = Tally::default();
        let mut splitter = Splitter::new(&chunk.bytes).with_width(chunk.plan.fields.len());
        let mut counted = (0, chunk.lines_before + 1);
        let mut checked = Vec::with_capacity(BATCH_LINES);
        let mut times = TimesOfLines::default();
        loop {
            let lines = splitter.next_lines(BATCH_LINES);
            if lines.is_empty() {
                break;
            }
            tally.ledger.read += lines.len() as u64;
            checked.clear();
            for i in 0..lines.len() {
                let line = lines.get(i);
                let torn = chunk.torn && line.end == chunk.bytes.len();
                let result = if torn && line.len() < chunk.plan.fields.len() {
                    Err(Why::line("torn: the last line has no line end and too few fields"))
                } else {
                    Checked::of(i, lines, &chunk.plan, &mut times)
                };
                match result {
                    Ok(line) => checked.push(line),
                    Err(why) => tally.rejects.push(chunk.reject(&line, why, &mut counted)),
                }
            }
            for rows in checked.chunk_by(|a, b| a.time_logged.day() == b.time_logged.day()) {
                let times = rows.iter().map(|row| row.time_logged.0);
                tally.times = times.fold(tally.times, |all, time| join(all, Some((time, time))));
                let day = rows[0].time_logged.day();
                parts.rows(day, rows.len()).push(lines, rows, &chunk.plan, known);
            }
            tally.ledger.stored += checked.len() as u64;
        }
        tally.ledger.rejected = tally.rejects.len() as u64;
        if let Ok(mut shared) = self.tally.lock() {
            shared.ledger.add(tally.ledger);
            shared.times = join(shared.times, tally.times);
            shared.rejects.append(&mut tally.rejects);
        }
    }
}

impl Reading {
    fn done(chunks: &Chunks, stopped: Option<String>) -> Reading {
        let (consumed, held_back, hash) = (chunks.consumed(), chunks.held_back(), chunks.hash());
        Reading::Done { consumed, held_back, hash, stopped }
    }

    fn stopped(why: String) -> Reading {
        Reading::Done { consumed: 0, held_back: 0, hash: 0, stopped: Some(why) }
    }
}
