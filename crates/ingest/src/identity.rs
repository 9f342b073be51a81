//! Who a source is: its content, not its name. Decides what of each file is new.
//! Reads files, changes nothing.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use pmtaq_schema::time::Day;
use pmtaq_store::{Source, Stat, Writer};

use crate::Settings;
use crate::chunk::Stop;
use crate::content::{self, Head, Prefix, Whole, begins_with, explain, prefix, whole};
use crate::open::{Opened, SourceFile, Unread, is_settled};
use crate::outcome::{HeaderFrom, Left, Refused, Status};
use crate::verify::error_text;

/// A file with what is to be done about it.
pub(crate) struct Candidate {
    pub(crate) file: SourceFile,
    pub(crate) head: Head,
    pub(crate) status: Status,
    /// What the store knew of it; its records up to `known.length` are duplicates.
    pub(crate) known: Option<Source>,
    /// Records that are known without reading them again.
    pub(crate) known_records: u64,
    /// The file of this run that holds all that this one does.
    pub(crate) inside: Option<PathBuf>,
    /// The known file that this one was expected to go on from, and does not.
    pub(crate) differs_from: Option<String>,
    /// How to remember the known file from now on: no file looks as it was remembered.
    pub(crate) looks: Option<Stat>,
    /// Where its header is from, when it has none.
    pub(crate) header_from: Option<HeaderFrom>,
}

/// Files that are not read, each with the reason.
#[derive(Default)]
pub(crate) struct Untaken {
    pub(crate) refused: Vec<Refused>,
    pub(crate) left: Vec<(PathBuf, Left)>,
}

impl Untaken {
    pub(crate) fn push(&mut self, path: PathBuf, why: Unread) {
        match why {
            Unread::Left(why) => self.left.push((path, why)),
            Unread::Stop(stop) => self.refuse(path, &explain(&stop)),
            Unread::Foreign(what) => self.refuse(path, &what),
        }
    }

    pub(crate) fn refuse(&mut self, path: PathBuf, reason: &dyn std::fmt::Display) {
        self.refused.push(Refused { path, reason: reason.to_string() });
    }

    pub(crate) fn names(&self, path: &Path) -> bool {
        self.refused.iter().any(|refused| refused.path == path)
            || self.left.iter().any(|(left, _)| left == path)
    }
}

impl Candidate {
    /// Whether the file still begins as it did when it was looked at.
    ///
    /// # Errors
    /// When it cannot be read as the same file.
    pub(crate) fn begins_as_before(
        &self,
        file: &SourceFile,
        settings: &Settings,
    ) -> Result<bool, Unread> {
        let head = content::head(file.content()?, &settings.privacy, settings.now);
        // What stops it now did not stop it before.
        Ok(head.is_ok_and(|head| head.unwrap_or(Head::NONE).hash == self.head.hash))
    }

    /// Whether the open file still holds what was known of it, and what was read, which has this
    /// length and hash.
    ///
    /// # Errors
    /// When it cannot be read as the same file.
    pub(crate) fn is_as_read(
        &self,
        opened: &Opened,
        length: u64,
        hash: u128,
        settings: &Settings,
    ) -> Result<bool, Unread> {
        let file = self.file.kept_as(opened);
        // Reading may stop before the end of what was known.
        let known = self.known.as_ref().filter(|known| known.length <= length).map(|known| {
            let is_known = |hash| settings.privacy.content(hash) == known.hash;
            (known.length, is_known)
        });
        Ok(begins_with(&file, known, (length, hash))? && self.begins_as_before(&file, settings)?)
    }
}

/// Decides what of each candidate is new, against the store and against each other.
pub(crate) fn decide(
    mut candidates: Vec<Candidate>,
    writer: &Writer<'_>,
    settings: &Settings,
) -> (Vec<Candidate>, Untaken) {
    let mut days: HashMap<Day, Result<Heads, String>> = HashMap::new();
    let mut untaken = Untaken::default();
    let mut shorter = Vec::new();
    for (i, candidate) in candidates.iter_mut().enumerate() {
        if candidate.status != Status::New {
            continue;
        }
        // A day whose lists are damaged must not keep files of other days out.
        let day = candidate.head.day;
        let heads = match days.entry(day).or_insert_with(|| heads_of(writer, day)) {
            Ok(heads) => heads,
            Err(why) => {
                untaken.refuse(candidate.file.path.clone(), why);
                continue;
            }
        };
        let Some(known) = heads.get(&candidate.head.hash) else { continue };
        match against_store(candidate, known, settings) {
            Ok(None) => {}
            Ok(Some(longer)) => shorter.push((i, longer)),
            Err(why) => {
                let why = unfinished(&candidate.file, why, settings);
                untaken.push(candidate.file.path.clone(), why);
            }
        }
    }
    for (i, longer) in shorter {
        let candidate = &candidates[i];
        let path = candidate.file.path.clone();
        if is_copy_of_another(&candidates, i) {
            candidates[i].status = Status::Known;
            candidates[i].known_records = content::count(&candidates[i].file);
            continue;
        }
        match candidate.begins_as_before(&candidate.file, settings) {
            Ok(false) => untaken.push(path, Unread::Left(Left::Rewritten)),
            Err(why) => untaken.push(path, why),
            // It lies beside that file, of which it is no beginning: it logs in part the same.
            Ok(true) if is_there(&candidates, &longer, settings) => {}
            // It may be an older copy of that file, all of whose records are stored. To take it
            // could count them twice; to pass over it in silence could lose some.
            Ok(true) => untaken.refuse(
                path,
                &format!(
                    "begins like {}, which was ingested and is longer: a truncated copy? \
                     Nothing was taken; ingest the whole file instead, or both together",
                    longer.name
                ),
            ),
        }
    }
    candidates.retain(|candidate| !untaken.names(&candidate.file.path));
    against_each_other(&mut candidates, &mut untaken, settings);
    candidates.retain(|candidate| !untaken.names(&candidate.file.path));
    forget_old_looks(&mut candidates);
    restore_once(&mut candidates);
    (candidates, untaken)
}

/// A compressed file without its end may be one that is being written.
pub(crate) fn unfinished(file: &SourceFile, why: Unread, settings: &Settings) -> Unread {
    match why {
        Unread::Stop(Stop::Io(error))
            if error.kind() == io::ErrorKind::UnexpectedEof && file.is_fresh(settings.now) =>
        {
            Unread::Left(Left::Unfinished)
        }
        other => other,
    }
}

/// Whether the content of a candidate is the beginning of another that begins alike and is not
/// itself in doubt: a copy of a live file that lies beside what that file has become.
fn is_copy_of_another(candidates: &[Candidate], i: usize) -> bool {
    let Ok((length, hash)) = whole(&candidates[i].file) else { return false };
    let mut others = candidates.iter().filter(|other| {
        other.head.hash == candidates[i].head.hash
            && matches!(other.status, Status::Known | Status::Grown)
    });
    others.any(|other| is_prefix(&other.file, length, hash))
}

/// Whether the file of a known source is among the candidates and holds now what is known of it.
fn is_there(candidates: &[Candidate], source: &Source, settings: &Settings) -> bool {
    let of_source =
        |other: &&Candidate| other.known.as_ref().is_some_and(|known| known.hash == source.hash);
    candidates.iter().filter(of_source).any(|other| {
        matches!(prefix(&other.file, source.length), Ok(Prefix::Hash { hash, .. })
            if settings.privacy.content(hash) == source.hash)
    })
}

fn is_prefix(of: &SourceFile, length: u64, hash: u128) -> bool {
    matches!(prefix(of, length), Ok(Prefix::Hash { hash: found, .. }) if found == hash)
}

/// Sources by their heads.
type Heads = HashMap<String, Vec<Source>>;

/// The sources that are filed under a day; or why nothing of that day can be taken.
fn heads_of(writer: &Writer<'_>, day: Day) -> Result<Heads, String> {
    let sources = writer.sources(day).and_then(|sources| writer.parts(day).map(|_| sources));
    let sources = sources.map_err(|error| {
        format!("not taken, because of its day: {}; `pmtaq verify --repair`", error_text(&error))
    })?;
    let mut heads = Heads::new();
    for source in sources {
        heads.entry(source.head.clone()).or_default().push(source);
    }
    Ok(heads)
}

/// Compares a candidate with the known sources that begin alike. Returns one that is longer, when the candidate may be the beginning of it.
fn against_store(
    candidate: &mut Candidate,
    known: &[Source],
    settings: &Settings,
) -> Result<Option<Source>, Unread> {
    let stat = candidate.file.stat;
    let untouched = known.iter().find(|source| source.stat == stat);
    if let Some(source) = untouched
        // A last line that was held back is taken once the file has stopped growing.
        && source.lost.is_empty()
        && (source.length >= stat.size
            || candidate.file.is_fresh(settings.now)
            || candidate.file.content()?.is_complete)
    {
        candidate.status = Status::Known;
        candidate.known_records = source.ledger.read;
        candidate.known = Some(source.clone());
        return Ok(None);
    }
    let mut known: Vec<&Source> = known.iter().collect();
    known.sort_by_key(|source| std::cmp::Reverse(source.length));
    let mut shorter_than = None;
    for source in &known {
        match prefix(&candidate.file, source.length)? {
            Prefix::Hash { hash, more } if settings.privacy.content(hash) == source.hash => {
                let is_new = more || !source.lost.is_empty();
                candidate.status = if is_new { Status::Grown } else { Status::Known };
                candidate.known_records = source.ledger.read;
                candidate.known = Some((*source).clone());
                let now = candidate.file.content()?.stat;
                candidate.looks = lasting(stat, [now, now], settings).filter(|_| !more);
                return Ok(None);
            }
            Prefix::Hash { .. } => {}
            Prefix::Shorter if differ(&candidate.head.marks, &source.marks) => {}
            Prefix::Shorter => match candidate.head.all_within(&source.marks) {
                Some(records) if source.lost.is_empty() => {
                    candidate.status = Status::Known;
                    candidate.known_records = records;
                    return Ok(None);
                }
                _ => shorter_than = Some((*source).clone()),
            },
        }
    }
    // Or it is one of them as a transfer in text mode leaves it.
    let forms = content::with_line_ends(&candidate.file)?;
    let is_it = |source: &&&Source| {
        let is_form = |form: &(u64, u128)| {
            form.0 == source.length && settings.privacy.content(form.1) == source.hash
        };
        source.lost.is_empty() && forms.iter().any(is_form)
    };
    if let Some(source) = known.iter().find(is_it) {
        candidate.status = Status::Known;
        candidate.known_records = source.ledger.read;
        return Ok(None);
    }
    let name = candidate.file.name();
    let expected = known.iter().find(|source| {
        source.name == name || (source.stat.device, source.stat.inode) == (stat.device, stat.inode)
    });
    candidate.differs_from = expected.map(|source| source.name.clone());
    Ok(shorter_than)
}

/// Whether two contents that begin alike have marks that differ.
fn differ(marks: &[String], others: &[String]) -> bool {
    marks.iter().zip(others).any(|(mark, other)| mark != other)
}

/// Of new files that begin alike, takes the longest; one that is a part of it is known.
fn against_each_other(candidates: &mut [Candidate], untaken: &mut Untaken, settings: &Settings) {
    let mut alike: HashMap<String, Vec<usize>> = HashMap::new();
    for (i, candidate) in candidates.iter().enumerate() {
        if matches!(candidate.status, Status::New | Status::Grown) {
            alike.entry(candidate.head.hash.clone()).or_default().push(i);
        }
    }
    for group in alike.into_values().filter(|group| group.len() > 1) {
        let mut contents = Vec::new();
        for i in group {
            let file = &candidates[i].file;
            match whole(file) {
                Ok((length, hash)) => contents.push((length, hash, i)),
                Err(why) => untaken.push(file.path.clone(), unfinished(file, why, settings)),
            }
        }
        contents.sort_by_key(|&(length, _, i)| (std::cmp::Reverse(length), i));
        let mut taken: Vec<(usize, Whole)> = Vec::new();
        for (length, hash, i) in contents {
            let is_within = |of: &&(usize, Whole)| is_prefix(&candidates[of.0].file, length, hash);
            // Read once more only where it is no beginning of any.
            let as_form = || {
                let has_others = !taken.is_empty();
                let forms = has_others.then(|| content::with_line_ends(&candidates[i].file));
                let forms = forms?.ok()?;
                taken.iter().find(|of| forms.contains(&of.1))
            };
            match taken.iter().find(is_within).or_else(as_form) {
                Some(&(other, _)) => {
                    candidates[i].inside = Some(candidates[other].file.path.clone());
                    candidates[i].status = Status::Known;
                    candidates[i].known = None;
                    candidates[i].known_records = content::count(&candidates[i].file);
                }
                None => taken.push((i, (length, hash))),
            }
        }
    }
}

/// Of several files that one has grown into, the first brings back what was lost of it.
fn restore_once(candidates: &mut [Candidate]) {
    let mut restored = HashSet::new();
    let taken = candidates.iter_mut().filter(|candidate| candidate.status == Status::Grown);
    for known in taken.filter_map(|candidate| candidate.known.as_mut()) {
        if !known.lost.is_empty() && !restored.insert((known.head.clone(), known.hash.clone())) {
            known.lost.clear();
        }
    }
}

/// A known file is not remembered anew while one of its copies looks as it was remembered: or each
/// run would prefer another of them.
fn forget_old_looks(candidates: &mut [Candidate]) {
    let all: HashSet<Stat> = candidates.iter().map(|candidate| candidate.file.stat).collect();
    for candidate in candidates {
        let is_there = candidate.known.as_ref().is_some_and(|known| all.contains(&known.stat));
        candidate.looks = candidate.looks.filter(|_| !is_there);
    }
}

/// What to remember of a file's description, so that it need not be read again while it looks the
/// same: nothing unless it was the same all the while, and has been for longer than clocks tick.
pub(crate) fn lasting(stat: Stat, others: [Stat; 2], settings: &Settings) -> Option<Stat> {
    let is_same = others.iter().all(|other| *other == stat);
    (is_same && is_settled(stat, settings.now)).then_some(stat)
}
