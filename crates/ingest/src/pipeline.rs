//! The wiring of a run: probe, decide, let threads take chunks, commit. The only file with
//! threads.
//!
//! Threads exchange nothing but chunks: each takes the next one of the first file that no other
//! is reading from, builds its rows and writes them into its own open parts.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, TryLockError};

use pmtaq_store::layout::Table;
use pmtaq_store::{
    Change, Error as StoreError, Ledger, NewPart, PartWriter, Result, Skipped, Source, Writer,
    Written,
};
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::budget::Budget;
use crate::chunk::Chunk;
use crate::derive::SourceFacts;
use crate::gather::{Gathered, Inputs};
use crate::identity::{Candidate, Untaken, decide};
use crate::open::Unread;
use crate::outcome::{Left, Outcome, SourceOutcome};
use crate::parts::Parts;
use crate::reject;
use crate::rollup::Rollup;
use crate::task::{Done, Reading, Tally, Task, join, lock, unlocked};
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
    let budget = Budget::of(memory, settings.threads).map_err(|least| Error::Memory {
        what: "ingest",
        given: memory,
        least,
    })?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(budget.threads)
        .build()
        .map_err(|_| Error::Threads(budget.threads))?;
    let mut spoilt = Untaken::default();
    let mut inputs = Inputs::open(settings)?;
    loop {
        let gathered = inputs.gather(writer, &pool, &spoilt)?;
        let staged = stage(gathered, settings, budget, &pool, writer, progress);
        let staged = staged.inspect_err(|_| {
            // What went wrong is said already.
            let _ = writer.empty_staging();
        })?;
        match staged {
            Ok((mut outcome, change)) => {
                outcome.refused.extend(spoilt.refused.iter().cloned());
                outcome.left.extend(spoilt.left.iter().cloned());
                match finish(outcome, change, writer) {
                    // Another machine has taken files that begin like some of these.
                    Err(StoreError::Conflict { .. }) => writer.renew()?,
                    finished => return Ok(finished?),
                }
            }
            // Rows of many sources lie in one part: all is made anew, without those. It happens
            // only to a file that is truncated in the moments between its first byte and its last.
            Err(Spoilt(more)) => {
                writer.empty_staging()?;
                more.into_iter().for_each(|(path, why)| spoilt.push(path, why));
            }
        }
    }
}

/// Stages what is new in the files.
fn stage(
    gathered: Gathered,
    settings: &Settings,
    budget: Budget,
    pool: &ThreadPool,
    writer: &Writer<'_>,
    progress: &AtomicU64,
) -> Result<std::result::Result<(Outcome, Change), Spoilt>> {
    let Gathered { candidates, mut untaken, skipped, also_skipped, empty } = gathered;
    let (mut decided, mut unclear) = decide(candidates, writer, settings);
    // In the order of time, whatever files of several MTAs are called: a day is done before the next one
    // begins, with one part for each thread, and its row groups are of a few hours each, so that who asks
    // for an hour reads a few of them.
    decided.sort_by_key(|candidate| (candidate.head.day, candidate.head.since));
    untaken.refused.append(&mut unclear.refused);
    untaken.left.append(&mut unclear.left);
    let run = Run::new(settings, budget, writer, decided, progress);
    Ok(run.stage(pool)?.map(|(mut outcome, mut change)| {
        outcome.refused.append(&mut untaken.refused);
        outcome.left.append(&mut untaken.left);
        // Machines that share a store may have folders of one name.
        let whose = writer.is_shared().then(|| format!("{}:", settings.machine));
        let skipped = passed_over(&skipped, whose.as_deref().unwrap_or_default());
        let also = names_of(&also_skipped);
        (outcome.skipped, outcome.empty) = (Skipped::total(skipped.values().chain([&also])), empty);
        let whose = whose.as_deref().unwrap_or_default();
        change.skipped = news(skipped, writer.skipped(), whose);
        (outcome, change)
    }))
}

/// What is said and remembered of files that were passed over, by folder.
fn passed_over(
    skipped: &BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    whose: &str,
) -> BTreeMap<String, Skipped> {
    let of = |(folder, paths): (&PathBuf, _)| {
        (format!("{whose}{}", folder.to_string_lossy()), names_of(paths))
    };
    skipped.iter().map(of).collect()
}

fn names_of(paths: &BTreeSet<PathBuf>) -> Skipped {
    let name = |path: &PathBuf| {
        path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
    };
    Skipped::of(paths.iter().map(name))
}

/// What of it is not known yet. Nothing is passed over any more in a folder that is gone.
fn news(
    mut skipped: BTreeMap<String, Skipped>,
    known: &BTreeMap<String, Skipped>,
    whose: &str,
) -> BTreeMap<String, Skipped> {
    let is_gone = |folder: &&String| {
        folder.strip_prefix(whose).is_some_and(|folder| !Path::new(folder).exists())
    };
    for folder in known.keys().filter(is_gone) {
        skipped.entry(folder.clone()).or_default();
    }
    let nothing = Skipped::default();
    skipped.retain(|folder, now| *now != *known.get(folder).unwrap_or(&nothing));
    skipped
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
    if !change.parts.is_empty() || !change.sources.is_empty() || !change.skipped.is_empty() {
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
    /// Nothing that is staged can be committed.
    is_spoilt: AtomicBool,
    progress: &'r AtomicU64,
}

/// The sources of which lines were taken that they do not hold any more: what is staged is of no use.
struct Spoilt(Vec<(PathBuf, Unread)>);

impl<'r> Run<'r> {
    fn new(
        settings: &'r Settings,
        budget: Budget,
        writer: &'r Writer<'r>,
        candidates: Vec<Candidate>,
        progress: &'r AtomicU64,
    ) -> Run<'r> {
        let tasks = candidates.into_iter().map(Task::new).collect();
        let rollup = Rollup::new(writer, budget.hourly_rows);
        let (rejects, first_open) = (Mutex::default(), AtomicUsize::new(0));
        let is_spoilt = AtomicBool::new(false);
        Run { settings, budget, writer, rollup, rejects, tasks, first_open, is_spoilt, progress }
    }

    /// Writes all that is new, to be committed.
    fn stage(self, pool: &ThreadPool) -> Result<std::result::Result<(Outcome, Change), Spoilt>> {
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
        if self.is_spoilt.load(Ordering::Acquire) {
            return Ok(Err(self.spoilt()));
        }
        let mut change = Change { parts, ..Change::default() };
        let outcome = self.conclude(&mut change)?;
        Ok(Ok((outcome, change)))
    }

    fn spoilt(self) -> Spoilt {
        let spoilt = self.tasks.into_iter().filter_map(|task| match unlocked(task.reading) {
            Reading::Done(Done::Spoilt(why)) => Some((task.candidate.file.path, why)),
            _ => None,
        });
        Spoilt(spoilt.collect())
    }

    /// What one thread does until no chunk is left.
    fn work(&self, written: Sender<Written<'r>>) -> Result<()> {
        let settings = self.settings;
        let mut parts = Parts::new(self.writer, &self.rollup, self.budget, written)?;
        let mut spare = Vec::new();
        while let Some((task, chunk)) = self.next_chunk(&mut spare) {
            self.progress.fetch_add(chunk.bytes.len() as u64, Ordering::Relaxed);
            let known = SourceFacts {
                providers: &settings.providers,
                source: &task.candidate.file.name(),
                host: settings.host.as_deref(),
                machine: &settings.machine,
                privacy: &settings.privacy,
                kept: self.writer.kept(),
            };
            task.take(&chunk, &known, &mut parts);
            parts.flush_if_over_budget()?;
            let mut tally = lock(&task.tally);
            let bytes: usize = tally.rejects.iter().map(|reject| reject.raw.len() + 200).sum();
            if bytes > self.budget.reject_bytes {
                self.write_rejects(&task.candidate, &mut tally)?;
            }
            drop(tally);
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
            if self.is_spoilt.load(Ordering::Acquire) {
                return None;
            }
            let first = self.first_open.load(Ordering::Acquire);
            let ahead = self.tasks.iter().enumerate().skip(first).take(self.settings.threads);
            let mut busy = None;
            for (i, task) in ahead {
                let mut reading = match task.reading.try_lock() {
                    Ok(reading) => reading,
                    Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                    Err(TryLockError::WouldBlock) => {
                        busy.get_or_insert(task);
                        continue;
                    }
                };
                if let Some(chunk) = task.advance(&mut reading, self.settings, spare) {
                    return Some((task, chunk));
                }
                if let Reading::Done(Done::Spoilt(_)) = *reading {
                    self.is_spoilt.store(true, Ordering::Release);
                }
                // Done: later looks begin behind it, if all before it are done as well.
                let _ =
                    self.first_open.compare_exchange(i, i + 1, Ordering::AcqRel, Ordering::Relaxed);
            }
            match busy {
                Some(task) => drop(lock(&task.reading)),
                None if self.first_open.load(Ordering::Acquire) >= self.tasks.len() => return None,
                None => {}
            }
        }
    }

    /// Sums up the sources and writes the rejects.
    fn conclude(self, change: &mut Change) -> Result<Outcome> {
        for task in &self.tasks {
            self.write_rejects(&task.candidate, &mut lock(&task.tally))?;
        }
        change.parts.extend(unlocked(self.rejects).map(PartWriter::finish).transpose()?);
        let settings = self.settings;
        let (mut outcome, mut untaken) = (Outcome::default(), Untaken::default());
        let (mut replaced, generation) = (HashSet::new(), self.writer.next_generation());
        // Those in which another lies come first.
        let (within, others): (Vec<Task>, Vec<Task>) =
            self.tasks.into_iter().partition(|task| task.candidate.inside.is_some());
        for Task { candidate, reading, tally } in others.into_iter().chain(within) {
            let path = candidate.file.path.clone();
            let around = candidate.inside.as_ref().filter(|around| untaken.names(around));
            let read = match unlocked(reading) {
                _ if around.is_some() => {
                    untaken.push(path, Unread::Left(Left::Replaced));
                    continue;
                }
                Reading::Done(Done::Read(read)) => Some(read),
                Reading::Done(Done::Skipped) => None,
                Reading::Done(Done::Untaken(why) | Done::Spoilt(why)) => {
                    untaken.push(path, why);
                    continue;
                }
                Reading::Waiting | Reading::Open(_) => {
                    unreachable!("threads end when every source is done, or with the run")
                }
            };
            let tally = unlocked(tally);
            let mut ledger = tally.ledger;
            ledger.duplicate += candidate.known_records;
            ledger.read += candidate.known_records;
            let room = MAX_SHOWN.saturating_sub(outcome.rejects.len());
            let shown = tally.shown.into_iter().take(room);
            outcome.rejects.extend(shown.map(|reject| (path.clone(), reject)));
            outcome.content_bytes += read.as_ref().map_or(0, |read| read.consumed);
            let (held_back, stopped) = match &read {
                Some(read) => (read.held_back, read.stopped.clone()),
                None => (0, None),
            };
            let header_from = candidate.header_from;
            let known = candidate.known.as_ref();
            match (read, candidate.looks, known) {
                (Some(read), ..) if ledger.read > 0 => {
                    // Of two files that one has grown into, the second does not replace it again,
                    // and counts what they have in common as known before.
                    let old = known.filter(|old| replaced.insert(old.hash.clone()));
                    let (new, lost) = tally.stored.noted(known, read.consumed, generation);
                    let mut taken = old.map(|old| old.taken.clone()).unwrap_or_default();
                    taken.extend(new);
                    // What was lost lies before the end of what was known, and reading may stop there.
                    let (length, hash) = match known {
                        Some(known) if read.consumed < known.length => {
                            (known.length, known.hash.clone())
                        }
                        _ => (read.consumed, settings.privacy.content(read.hash)),
                    };
                    let source = Source {
                        head: candidate.head.hash.clone(),
                        marks: candidate.head.marks.clone(),
                        length,
                        hash,
                        name: candidate.file.name(),
                        host: settings.host.as_ref().unwrap_or(&settings.machine).clone(),
                        stat: read.stat,
                        ledger: match old {
                            Some(old) => whole_ledger(old, tally.ledger),
                            None => ledger,
                        },
                        clock_ahead_s: None,
                        ingested_at: settings.now.0,
                        times: join(known.and_then(|known| known.times), tally.times),
                        taken,
                        lost,
                        header: read.header,
                    };
                    change.sources.push((candidate.head.day, source, old.cloned()));
                }
                (None, Some(stat), Some(known)) if replaced.insert(known.hash.clone()) => {
                    let source = Source { stat, ..known.clone() };
                    change.sources.push((candidate.head.day, source, Some(known.clone())));
                }
                _ => {}
            }
            let (status, differs_from) = (candidate.status, candidate.differs_from);
            outcome.sources.push(SourceOutcome {
                path,
                status,
                ledger,
                restored: tally.stored.restored(),
                held_back,
                stopped,
                differs_from,
                header_from,
            });
        }
        outcome.sources.sort_by(|a, b| by_name(&a.path).cmp(&by_name(&b.path)));
        (outcome.refused, outcome.left) = (untaken.refused, untaken.left);
        Ok(outcome)
    }

    /// Writes the refused lines that a source has so far, and keeps the first ones to be shown.
    fn write_rejects(&self, source: &Candidate, tally: &mut Tally) -> Result<()> {
        let Settings { host, machine, privacy, now, .. } = self.settings;
        let mut rejects = std::mem::take(&mut tally.rejects);
        if rejects.is_empty() {
            return Ok(());
        }
        rejects.iter_mut().for_each(|reject| privacy.reject(reject));
        let path = source.file.path.to_string_lossy();
        let rows = reject::batch(&path, host.as_ref().unwrap_or(machine), &rejects, *now);
        let mut part = lock(&self.rejects);
        let part = match &mut *part {
            Some(part) => part,
            none => none.insert(self.writer.stage(Table::Rejects, now.day())?),
        };
        part.write(&rows, now.0, now.0)?;
        let room = MAX_SHOWN.saturating_sub(tally.shown.len());
        tally.shown.extend(rejects.into_iter().take(room));
        Ok(())
    }
}

/// Rejects that are shown with the outcome; all of them are in the store.
const MAX_SHOWN: usize = 20;

/// A source's ledger over all runs: what was stored before is not a duplicate of itself.
fn whole_ledger(known: &Source, new: Ledger) -> Ledger {
    let mut ledger = known.ledger;
    ledger.add(new);
    ledger
}

/// Sources are told in the order of their file names.
fn by_name(path: &Path) -> (Option<&OsStr>, &Path) {
    (path.file_name(), path)
}
