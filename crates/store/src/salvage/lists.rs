//! The root made anew from the lists of the days, when its copy is lost too. All that it says follows
//! from them, but for what the last ingest passed over. What needs a guess is whether the last commit
//! had come to its root: it had, if anything happened that comes after.

use std::collections::BTreeMap;
use std::path::Path;

use pmtaq_schema::time::Day;

use super::parts_there;
use crate::delta::{self, Log, Published};
use crate::error::Result;
use crate::fs::{self, Disk};
use crate::layout::{self, Table};
use crate::manifest::{
    DayEntry, Ledger, Move, Part, Removed, Root, Source, read_list, recipients_of_list,
};
use crate::place::Location;

/// The generations of the lists of a day that are there, in order: the newest counts, unless its
/// commit was cut short.
#[derive(Default)]
struct Lists {
    parts: Vec<u64>,
    sources: Vec<u64>,
}

/// Writes the root and its copy. Returns what was done; nothing when there are no lists.
pub(super) fn root(store: &Path, disk: &Disk) -> Result<Option<String>> {
    let mut days = lists(store)?;
    let of_day = |lists: &Lists| lists.parts.iter().chain(&lists.sources).copied().max();
    let Some(last) = days.values().filter_map(of_day).max() else { return Ok(None) };
    let is_cut_short = !came_to_its_root(store, &days, last)?;
    let (mut superseded, mut replaced) = (Vec::new(), Vec::new());
    for (day, lists) in &mut days {
        for generation in older(&mut lists.parts, last, is_cut_short) {
            let path = layout::parts(store, *day, generation);
            let parts: Vec<Part> = read_list(&path).unwrap_or_default();
            replaced.extend(parts.into_iter().map(|part| (*day, part)));
            superseded.push(path);
        }
        let sources = older(&mut lists.sources, last, is_cut_short);
        superseded.extend(sources.map(|generation| layout::sources(store, *day, generation)));
    }
    let mut root = of_lists(store, &days, last)?;
    if !is_cut_short {
        root.moves.extend(left_behind(store, &days, &replaced));
    }
    // What a Delta log has told of is not known: it begins anew, with the next writer.
    let place = Location::folder(store);
    let log = Log { place: &place, disk, now: None };
    for table in Table::ALL.into_iter().filter(|&table| layout::delta(store, table).is_dir()) {
        delta::remove(&log, table)?;
        root.delta.insert(table, Published::new(table));
    }
    let (path, bytes) = (layout::root(store), root.to_bytes());
    let forget = || superseded.iter().try_for_each(|list| disk.remove(list));
    // After a kill in between the next repair must come to the same: lists without a root must not
    // be taken for those of an older commit, and older ones tell that the last one has a root.
    if is_cut_short {
        forget()?;
    }
    disk.write_atomic(&path, &bytes)?;
    disk.write_atomic(&layout::root_copy(store), &bytes)?;
    forget()?;
    let n_days = root.days.len();
    let mut told = format!("{} was made anew from the lists of {n_days} days", path.display());
    if is_cut_short {
        told += ", without the last commit, which was cut short: ingest its files again";
    }
    Ok(Some(told))
}

/// The lists that are there, by day.
fn lists(store: &Path) -> Result<BTreeMap<Day, Lists>> {
    let mut days = BTreeMap::new();
    for name in fs::names(&layout::days(store))? {
        let Some(day) = Day::parse(&name) else { continue };
        let mut lists = Lists::default();
        for name in fs::names(&layout::day(store, day))? {
            let Some((kind, rest)) = name.split_once('-') else { continue };
            let generation = rest.strip_suffix(".json").and_then(|text| text.parse().ok());
            match (kind, generation) {
                ("parts", Some(generation)) => lists.parts.push(generation),
                ("sources", Some(generation)) => lists.sources.push(generation),
                _ => {}
            }
        }
        lists.parts.sort_unstable();
        lists.sources.sort_unstable();
        days.insert(day, lists);
    }
    Ok(days)
}

/// Leaves the list that counts, and returns the others.
fn older(lists: &mut Vec<u64>, last: u64, is_cut_short: bool) -> impl Iterator<Item = u64> + use<> {
    let counts = |generation: &u64| !is_cut_short || *generation < last;
    let counted = lists.iter().copied().filter(counts).max();
    let others: Vec<u64> = lists.iter().copied().filter(|one| Some(*one) != counted).collect();
    *lists = counted.into_iter().collect();
    others.into_iter()
}

/// Whether the commit `last` went further than to write its lists: then parts of it are in their
/// partitions, or older ones are gone from theirs, or older lists are.
fn came_to_its_root(store: &Path, days: &BTreeMap<Day, Lists>, last: u64) -> Result<bool> {
    let begins = layout::part_name(last, 0, 0);
    let begins = begins.split_once('-').map_or("", |(generation, _)| generation).to_owned() + "-";
    let (mut is_staged, mut has_older, mut has_lost) = (false, false, false);
    for (day, lists) in days {
        let there =
            |part: &Part| layout::partition(store, part.table, *day).join(&part.name).exists();
        let newest = |generation: &&u64| **generation == last;
        for generation in lists.parts.iter().filter(newest) {
            // A list that is damaged says nothing.
            let parts = read_list(&layout::parts(store, *day, *generation)).unwrap_or_default();
            for part in parts.iter().filter(|part: &&Part| part.name.starts_with(&begins)) {
                if there(part) {
                    return Ok(true);
                }
                is_staged |= layout::staging(store).join(&part.name).exists();
            }
        }
        let is_older = |lists: &[u64]| lists.len() > 1 && lists.last() == Some(&last);
        has_older |= is_older(&lists.parts) || is_older(&lists.sources);
        if is_older(&lists.parts) {
            let path = layout::parts(store, *day, lists.parts[lists.parts.len() - 2]);
            has_lost |= !read_list(&path).unwrap_or_default().iter().all(there);
        }
    }
    Ok(has_lost || !(is_staged || has_older))
}

/// What the lists come to.
fn of_lists(store: &Path, days: &BTreeMap<Day, Lists>, generation: u64) -> Result<Root> {
    let mut root = Root { generation, ..Root::default() };
    let (mut ledger, mut rows) = (Ledger::default(), Removed::default());
    let mut taken: BTreeMap<Day, u64> = BTreeMap::new();
    let mut is_whole = true;
    for (day, lists) in days {
        let mut entry = DayEntry::default();
        if let Some(list) = lists.sources.last() {
            let path = layout::sources(store, *day, *list);
            entry.sources = *list;
            let sources = read_list::<Source>(&path);
            is_whole &= sources.is_ok();
            for source in sources.unwrap_or_default() {
                ledger.add(source.ledger);
                source.taken.iter().for_each(|of| *taken.entry(of.day).or_default() += of.rows);
            }
            keep_recipients(&mut root, &path);
        }
        if let Some(list) = lists.parts.last() {
            let path = layout::parts(store, *day, *list);
            entry.parts = *list;
            let parts = match read_list::<Part>(&path) {
                Ok(parts) => parts,
                // As the repair of the list will find them.
                Err(_) => parts_there(store, *day)?,
            };
            let of = |table| parts.iter().filter(move |part| part.table == table);
            entry.rows = of(Table::Records).map(|part| part.rows).sum();
            entry.bytes = of(Table::Records).map(|part| part.bytes).sum();
            rows.records += entry.rows;
            rows.rejects += of(Table::Rejects).map(|part| part.rows).sum::<u64>();
            root.moves.extend(staged(store, *day, &parts));
            keep_recipients(&mut root, &path);
        }
        if entry != DayEntry::default() {
            root.days.insert(day.to_string(), entry);
        }
    }
    for (date, entry) in &mut root.days {
        // Erased or too old: in both cases the hours may know of more than is left.
        let taken = Day::parse(date).and_then(|day| taken.get(&day)).copied().unwrap_or(0);
        entry.pruned = entry.parts != 0 && entry.rows < taken;
    }
    if is_whole {
        root.removed.records = ledger.stored.saturating_sub(rows.records);
        root.removed.rejects = ledger.kept_rejects().saturating_sub(rows.rejects);
    }
    Ok(root)
}

fn keep_recipients(root: &mut Root, list: &Path) {
    if let Ok(recipients) = recipients_of_list(list)
        && root.recipients.is_plain()
    {
        root.recipients = recipients;
    }
}

/// The deletions that the last commit had decided and not done: of parts that it replaced.
fn left_behind<'p>(
    store: &'p Path,
    days: &'p BTreeMap<Day, Lists>,
    replaced: &'p [(Day, Part)],
) -> impl Iterator<Item = Move> + 'p {
    let is_listed = |day: &Day, part: &Part| {
        let list = days.get(day).and_then(|lists| lists.parts.last());
        let parts = list.map(|list| read_list::<Part>(&layout::parts(store, *day, *list)));
        // Of a list that is damaged nobody knows what it has replaced.
        parts.is_none_or(|parts| {
            parts.map_or(true, |parts| parts.iter().any(|one| one.name == part.name))
        })
    };
    let left = move |(day, part): &&(Day, Part)| {
        let settled = layout::partition(store, part.table, *day).join(&part.name);
        settled.exists() && !is_listed(day, part)
    };
    replaced.iter().filter(left).map(|(day, part)| Move::of(part, *day, true))
}

/// The moves that a commit had decided and not done.
fn staged<'p>(store: &'p Path, day: Day, parts: &'p [Part]) -> impl Iterator<Item = Move> + 'p {
    let is_staged = move |part: &&Part| {
        let settled = layout::partition(store, part.table, day).join(&part.name);
        !settled.exists() && layout::staging(store).join(&part.name).exists()
    };
    parts.iter().filter(is_staged).map(move |part| Move::of(part, day, false))
}
