//! What the records of a part have, counted by MTA and record type while they are written, so that a
//! question knows which of its numbers can be known without reading one. Judges nothing.

use std::collections::BTreeMap;
use std::ops::Range;

use pmtaq_schema::columns::index_of;
use pmtaq_schema::fact::{FACTS, Fact, Said};
use serde::{Deserialize, Serialize};

use crate::encode::{Cells, NO_NAME, NO_NUMBER, Texts};

const HOST: usize = index_of("host");
const REC: usize = index_of("rec");

/// How many records there are by MTA and type, and how many of them have what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// MTA and record type.
    of: Vec<(String, String)>,
    /// How many records of each.
    rows: Vec<u64>,
    /// By the name of a fact, of how many records of each it holds. One that is not named was not
    /// looked for.
    has: BTreeMap<String, Has>,
}

/// How many records there are by MTA and record type.
pub type Counts = BTreeMap<(String, String), u64>;

/// Of how many records of each MTA and type something holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Has {
    /// Of all, or of none.
    All(bool),
    Each(Vec<u64>),
}

impl Facts {
    /// Each MTA with a record type, and how many records it has of that.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        let rows = self.of.iter().zip(&self.rows);
        rows.map(|((host, rec), rows)| (host.as_str(), rec.as_str(), *rows))
    }

    /// Of how many records the fact called `name` holds, in the order of [`Facts::rows`]; none when
    /// that was not looked for.
    pub fn having<'f>(&'f self, name: &str) -> Option<impl Iterator<Item = u64> + 'f> {
        let has = self.has.get(name)?;
        Some(self.rows.iter().enumerate().map(move |(at, rows)| match has {
            Has::All(true) => *rows,
            Has::All(false) => 0,
            Has::Each(counts) => counts.get(at).copied().unwrap_or(0),
        }))
    }
}

/// Counts while records are written.
#[derive(Default)]
pub(crate) struct Counter {
    /// By MTA and type, the records, and of how many of them each of [`FACTS`] holds.
    counts: BTreeMap<(Vec<u8>, Vec<u8>), [u64; FACTS.len() + 1]>,
    /// Memory: by row its group, and as bits which facts hold of it.
    groups: Vec<u32>,
    holds: Vec<u32>,
    is_text_said: Vec<bool>,
}

/// Kinds of rows that are counted at once; a power of two. There are a few for each group.
const KINDS: usize = 64;

const _: () = assert!(FACTS.len() <= u32::BITS as usize, "a bit for each fact");

/// How many rows of one group there were of which the same facts hold.
#[derive(Clone, Copy, Default)]
struct Kind {
    group: u32,
    holds: u32,
    rows: u64,
}

impl Kind {
    fn add_to(self, counted: &mut [[u64; FACTS.len() + 1]]) {
        if self.rows > 0 {
            let counts = &mut counted[self.group as usize];
            counts[0] += self.rows;
            for (at, count) in counts[1..].iter_mut().enumerate() {
                *count += self.rows * u64::from(self.holds >> at & 1);
            }
        }
    }
}

impl Counter {
    /// Counts some of the rows that `cells` have, those of all columns of records.
    pub(crate) fn count(&mut self, rows: Range<usize>, cells: &[Cells<'_>]) {
        let (
            Cells::Names { keys: hosts, names: host_names },
            Cells::Names { keys: recs, names: rec_names },
        ) = (cells[HOST], cells[REC])
        else {
            return;
        };
        if rows.is_empty() || hosts.is_empty() || recs.is_empty() {
            return;
        }
        // A number for each pair that is there.
        let types = rec_names.len();
        let mut number = vec![NO_NAME; (host_names.len() * types).max(1)];
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        self.groups.clear();
        for (&host, &rec) in hosts[rows.clone()].iter().zip(&recs[rows.clone()]) {
            let number = &mut number[host as usize * types + rec as usize];
            if *number == NO_NAME {
                *number = pairs.len() as u32;
                pairs.push((host, rec));
            }
            self.groups.push(*number);
        }
        self.holds.clear();
        self.holds.resize(rows.len(), 0);
        for (at, fact) in FACTS.iter().enumerate() {
            self.look(fact, 1 << at, &rows, cells);
        }
        let mut counted = vec![[0_u64; FACTS.len() + 1]; pairs.len()];
        // By a hash of what it is, where a kind may be that comes again.
        let mut kinds = [Kind::default(); KINDS];
        for (&group, &holds) in self.groups.iter().zip(&self.holds) {
            let hash = (holds ^ group.rotate_right(8)).wrapping_mul(0x9e37_79b1);
            let kind = &mut kinds[(hash >> (u32::BITS - KINDS.ilog2())) as usize];
            if (kind.group, kind.holds) != (group, holds) {
                std::mem::replace(kind, Kind { group, holds, rows: 0 }).add_to(&mut counted);
            }
            kind.rows += 1;
        }
        kinds.into_iter().for_each(|kind| kind.add_to(&mut counted));
        for ((host, rec), counts) in pairs.into_iter().zip(counted) {
            let of = (host_names.get(host as usize).to_vec(), rec_names.get(rec as usize).to_vec());
            let sums = self.counts.entry(of).or_insert([0; FACTS.len() + 1]);
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }

    /// Notes by `bit` of which rows a fact holds.
    fn look(&mut self, fact: &Fact, bit: u32, rows: &Range<usize>, cells: &[Cells<'_>]) {
        for &said in fact.said_by {
            match cells[said.column()] {
                Cells::Names { keys, names } if keys.len() >= rows.end => {
                    let keys = &keys[rows.clone()];
                    match said {
                        Said::Value(_) => self.add(bit, keys, |key| key != NO_NAME),
                        Said::Words(_) => self.add_texts(bit, said, keys, names),
                    }
                }
                Cells::Repeated { keys, .. } if keys.len() >= rows.end => {
                    self.add(bit, &keys[rows.clone()], |key| key != NO_NAME);
                }
                Cells::Numbers(numbers) if numbers.len() >= rows.end => {
                    self.add(bit, &numbers[rows.clone()], |number| number != NO_NUMBER);
                }
                Cells::Texts { order, texts } if order.len() >= rows.end && !texts.is_empty() => {
                    let order = &order[rows.clone()];
                    self.add(bit, order, |at| !texts.get(at as usize).is_empty());
                }
                // A column without any value may have no cells at all, or no texts.
                _ => {}
            }
        }
    }

    fn add<T: Copy>(&mut self, bit: u32, cells: &[T], holds: impl Fn(T) -> bool) {
        let rows = self.holds.iter_mut().zip(cells);
        rows.for_each(|(known, &cell)| *known |= if holds(cell) { bit } else { 0 });
    }

    fn add_texts(&mut self, bit: u32, said: Said, keys: &[u32], names: Texts<'_>) {
        let mut is_said = std::mem::take(&mut self.is_text_said);
        is_said.clear();
        is_said.extend((0..names.len()).map(|key| said.is_in(names.get(key))));
        self.add(bit, keys, |key| is_said.get(key as usize).copied().unwrap_or(false));
        self.is_text_said = is_said;
    }

    /// What was counted.
    pub(crate) fn done(self) -> Facts {
        let rows: Vec<u64> = self.counts.values().map(|counts| counts[0]).collect();
        let has = FACTS.iter().enumerate().map(|(at, fact)| {
            let each: Vec<u64> = self.counts.values().map(|counts| counts[at + 1]).collect();
            let has = match () {
                () if each.iter().all(|count| *count == 0) => Has::All(false),
                () if each == rows => Has::All(true),
                () => Has::Each(each),
            };
            (fact.name.to_owned(), has)
        });
        let has = has.collect();
        let text = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        let of = self.counts.keys().map(|(host, rec)| (text(host), text(rec)));
        Facts { of: of.collect(), rows, has }
    }
}
