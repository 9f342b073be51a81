//! Who a source is: its content, not its name. Decides what of each file is new.
//! Reads files, changes nothing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, Read};
use std::path::Path;

use pmtaq_schema::time::{Day, Timestamp};
use pmtaq_store::manifest::source_day;
use pmtaq_store::{Source, Writer};
use twox_hash::XxHash3_128;

use crate::chunk::{Chunks, Next, Stop};
use crate::find::Found;
use crate::open::{open, read_full};
use crate::outcome::{Refused, Status};
use crate::rows::Checked;
use crate::split::Splitter;
use crate::{GROWING_S, Settings};

/// A file with what is to be done about it.
pub(crate) struct Candidate {
    pub(crate) found: Found,
    /// Hash of header and first record.
    pub(crate) head: String,
    /// The day under which the store files it.
    pub(crate) day: Day,
    pub(crate) status: Status,
    /// What the store knew of it; its records up to `known.length` are duplicates.
    pub(crate) known: Option<Source>,
    /// Records that are known without reading them again.
    pub(crate) known_records: u64,
}

/// Looks at the beginning of a file, without deciding.
pub(crate) fn probe(found: Found, settings: &Settings) -> Result<Candidate, Refused> {
    let refuse = |reason: String| Refused { path: found.path.clone(), reason };
    let mut candidate = Candidate {
        found: found.clone(),
        head: String::new(),
        day: Day(0),
        status: Status::Empty,
        known: None,
        known_records: 0,
    };
    let chunks = chunks_of(&found, settings.now).map_err(|error| refuse(error.to_string()))?;
    let head = match chunks.small().next().map_err(|stop| refuse(explain(&stop)))? {
        Next::End => return Ok(candidate),
        Next::TooLong { start, .. } => XxHash3_128::oneshot(&settings.privacy.line(&start)),
        Next::Chunk(chunk) => {
            let mut splitter = Splitter::new(&chunk.bytes);
            let lines = splitter.next_lines(1);
            if lines.is_empty() {
                return Ok(candidate);
            }
            let line = lines.get(0);
            let first = Checked::of(0, lines, &chunk.plan, &mut Default::default());
            candidate.day = source_day(first.ok().map(|first| first.time_logged));
            let mut hash = XxHash3_128::new();
            hash.write(chunk.plan.fields.join(",").as_bytes());
            hash.write(&settings.privacy.line(line.raw().trim_ascii_end()));
            hash.finish_128()
        }
    };
    candidate.head = format!("{head:032x}");
    candidate.status = Status::New;
    Ok(candidate)
}

/// Decides what of each candidate is new, against the store and against each other.
pub(crate) fn decide(
    mut candidates: Vec<Candidate>,
    writer: &Writer<'_>,
    settings: &Settings,
) -> Result<(Vec<Candidate>, Vec<Refused>), pmtaq_store::Error> {
    let mut days: HashMap<Day, HashMap<String, Vec<Source>>> = HashMap::new();
    let mut refused = Vec::new();
    let mut shorter = Vec::new();
    for (i, candidate) in candidates.iter_mut().enumerate() {
        if candidate.status != Status::New {
            continue;
        }
        let heads = match days.entry(candidate.day) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(by_head(writer.sources(candidate.day)?)),
        };
        let Some(known) = heads.get(&candidate.head) else { continue };
        match against_store(candidate, known, settings) {
            Ok(None) => {}
            Ok(Some(than)) => shorter.push((i, than)),
            Err(error) => refused.push(refuse(candidate, &error)),
        }
    }
    for (i, than) in shorter {
        if is_copy_of_another(&candidates, i) {
            candidates[i].status = Status::Known;
            candidates[i].known_records = count(&candidates[i].found.path);
            continue;
        }
        // It may be an older copy of that file, all of whose records are stored. To take it
        // could count them twice; to pass over it in silence could lose some.
        let reason = format!(
            "begins like {than}, which was ingested and is longer: a truncated copy? Nothing was \
             taken; ingest the whole file instead"
        );
        refused.push(refuse(&candidates[i], &reason));
    }
    candidates.retain(|candidate| refused.iter().all(|r| r.path != candidate.found.path));
    against_each_other(&mut candidates, &mut refused);
    candidates.retain(|candidate| refused.iter().all(|r| r.path != candidate.found.path));
    Ok((candidates, refused))
}

fn refuse(candidate: &Candidate, reason: &dyn std::fmt::Display) -> Refused {
    Refused { path: candidate.found.path.clone(), reason: reason.to_string() }
}

/// Whether the content of a candidate is the beginning of another that begins alike and is not
/// itself in doubt: a copy of a live file that lies beside what that file has become.
fn is_copy_of_another(candidates: &[Candidate], i: usize) -> bool {
    let Ok((length, hash)) = whole(&candidates[i].found.path) else { return false };
    let others = candidates.iter().filter(|other| {
        other.head == candidates[i].head && matches!(other.status, Status::Known | Status::Grown)
    });
    others.into_iter().any(|other| {
        matches!(prefix(&other.found.path, length), Ok(Prefix::Hash { hash: h, .. }) if h == hash)
    })
}

fn by_head(sources: Vec<Source>) -> HashMap<String, Vec<Source>> {
    let mut heads: HashMap<String, Vec<Source>> = HashMap::new();
    for source in sources {
        heads.entry(source.head.clone()).or_default().push(source);
    }
    heads
}

/// Compares a candidate with the known sources that begin alike. Returns the name of one that is
/// longer, when the candidate may be the beginning of it.
fn against_store(
    candidate: &mut Candidate,
    known: &[Source],
    settings: &Settings,
) -> io::Result<Option<String>> {
    let stat = candidate.found.stat;
    let untouched = known.iter().find(|source| source.stat == stat);
    if let Some(source) = untouched
        // A last line that was held back is taken once the file has stopped growing.
        && (source.length >= stat.size || is_fresh(&candidate.found, settings.now) || is_compressed(candidate))
    {
        candidate.status = Status::Known;
        candidate.known_records = source.ledger.read;
        candidate.known = Some(source.clone());
        return Ok(None);
    }
    let mut known: Vec<&Source> = known.iter().collect();
    known.sort_by_key(|source| std::cmp::Reverse(source.length));
    let mut shorter_than = None;
    for source in known {
        match prefix(&candidate.found.path, source.length)? {
            Prefix::Hash { hash, more } if settings.privacy.content(hash) == source.hash => {
                candidate.status = if more { Status::Grown } else { Status::Known };
                candidate.known_records = source.ledger.read;
                candidate.known = Some(source.clone());
                return Ok(None);
            }
            Prefix::Hash { .. } => {}
            Prefix::Shorter => shorter_than = Some(source.name.clone()),
        }
    }
    Ok(shorter_than)
}

/// Of new files that begin alike, takes the longest; one that is a part of it is known.
fn against_each_other(candidates: &mut [Candidate], refused: &mut Vec<Refused>) {
    let mut alike: HashMap<String, Vec<usize>> = HashMap::new();
    for (i, candidate) in candidates.iter().enumerate() {
        if matches!(candidate.status, Status::New | Status::Grown) {
            alike.entry(candidate.head.clone()).or_default().push(i);
        }
    }
    for group in alike.into_values().filter(|group| group.len() > 1) {
        let mut contents = Vec::new();
        for i in group {
            match whole(&candidates[i].found.path) {
                Ok((length, hash)) => contents.push((length, hash, i)),
                Err(error) => refused.push(Refused {
                    path: candidates[i].found.path.clone(),
                    reason: error.to_string(),
                }),
            }
        }
        contents.sort_by_key(|&(length, _, i)| (std::cmp::Reverse(length), i));
        let mut taken: Vec<usize> = Vec::new();
        for (length, hash, i) in contents {
            let inside = taken.iter().any(|&other| {
                matches!(prefix(&candidates[other].found.path, length),
                    Ok(Prefix::Hash { hash: h, .. }) if h == hash)
            });
            if inside {
                candidates[i].status = Status::Known;
                candidates[i].known = None;
                candidates[i].known_records = count(&candidates[i].found.path);
            } else {
                taken.push(i);
            }
        }
    }
}

/// The beginning of a file's content.
enum Prefix {
    /// It is as long as asked; whether more follows.
    Hash { hash: u128, more: bool },
    /// The content is shorter.
    Shorter,
}

fn prefix(path: &Path, length: u64) -> io::Result<Prefix> {
    let mut content = open(path)?.reader;
    let mut head = (&mut content).take(length);
    let (read, hash) = hashed(&mut head)?;
    if read < length {
        return Ok(Prefix::Shorter);
    }
    let more = read_full(&mut *content, &mut [0])? > 0;
    Ok(Prefix::Hash { hash, more })
}

/// Length and hash of all of a file's content.
fn whole(path: &Path) -> io::Result<(u64, u128)> {
    hashed(&mut open(path)?.reader)
}

fn hashed(content: &mut dyn Read) -> io::Result<(u64, u128)> {
    let mut buffer = vec![0; 1 << 20];
    let (mut length, mut hash) = (0, XxHash3_128::new());
    loop {
        let n = read_full(content, &mut buffer)?;
        hash.write(&buffer[..n]);
        length += n as u64;
        if n < buffer.len() {
            return Ok((length, hash.finish_128()));
        }
    }
}

/// The records of a file whose content is known to be in another.
fn count(path: &Path) -> u64 {
    let Ok(content) = open(path) else { return 0 };
    let mut chunks = Chunks::new(content.reader, false);
    let mut records = 0;
    loop {
        match chunks.next() {
            Ok(Next::Chunk(chunk)) => {
                let mut splitter = Splitter::new(&chunk.bytes);
                while splitter.next_line().is_some() {
                    records += 1;
                }
            }
            Ok(Next::TooLong { .. }) => records += 1,
            Ok(Next::End) | Err(_) => return records,
        }
    }
}

/// The content of a file as chunks, with a last line held back while it may grow.
pub(crate) fn chunks_of(found: &Found, now: Timestamp) -> io::Result<Chunks> {
    let content = open(&found.path)?;
    let hold = !content.compressed && is_fresh(found, now);
    Ok(Chunks::new(content.reader, hold))
}

fn is_fresh(found: &Found, now: Timestamp) -> bool {
    now.0 - found.stat.modified_ns / 1_000_000_000 < GROWING_S
}

fn is_compressed(candidate: &Candidate) -> bool {
    open(&candidate.found.path).is_ok_and(|content| content.compressed)
}

/// What to tell the user of a source that cannot go on.
pub(crate) fn explain(stop: &Stop) -> String {
    match stop {
        Stop::Header(error) => error.to_string(),
        Stop::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the compressed data ends early; what came before is taken, the rest when the file \
             is whole"
                .to_owned()
        }
        Stop::Io(error) => error.to_string(),
    }
}
