//! What the statements of `sql/why` would answer, counted of records in memory. Reads nothing.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray};
use pmtaq_schema::Record;
use pmtaq_schema::numbers::NumberMap;

use super::held::Leaves;
use super::kinds::{CountedAs, Kinds};
use super::names::{ADMINISTRATIVE, Of};
use super::places::{Places, place, without};
use super::row::{Age, Followed, Message, Reception, Row};
use crate::error::{Error, Result};
use crate::threads::shared;
use crate::why::{Ask, LEAF, Why};

/// What is grouped by.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    /// The places of the dimensions, as [`Places`] has them: in halves, so that a key and its count take 16 bytes.
    places: [u32; 2],
    /// Period, age, kind and category.
    of: [u8; 4],
}
type Counts = NumberMap<Key, u32>;

impl Key {
    fn new(places: u64, of: [u8; 4]) -> Key {
        Key { places: [places as u32, (places >> u32::BITS) as u32], of }
    }

    fn places(&self) -> u64 {
        u64::from(self.places[0]) | u64::from(self.places[1]) << u32::BITS
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.places());
        state.write_u32(u32::from_le_bytes(self.of));
    }
}

impl Leaves {
    /// What [`Ask::Had`] asks: period, record type, MTA and the number of such records, in parts.
    pub fn had(&self, why: &Why) -> impl Iterator<Item = (i64, &str, Option<&str>, i64)> {
        let periods = self.numbers(why);
        let counted = shared(self.threads, &self.pieces, |pieces| {
            let mut counts: NumberMap<(u8, u8, u32), i64> = NumberMap::default();
            let mut count = |period: u8, rec: Record, path: u16, n: u32| {
                let [.., host] = self.paths[usize::from(path)];
                *counts.entry((period, rec as u8, host)).or_default() += i64::from(n);
            };
            for piece in pieces {
                piece.rows().for_each(|(row, n)| count(row.period, row.what.rec(), row.path, n));
                let receptions = piece.receptions();
                receptions.for_each(|(of, n)| count(of.period, Record::Reception, of.path, n));
            }
            counts
        });
        counted.into_iter().flatten().map(move |((period, rec, host), n)| {
            let period = periods[usize::from(period)];
            let rec = Record::ALL[usize::from(rec)].as_str();
            (period, rec, self.names.name(Of::Host, host), n)
        })
    }

    /// What `why` asks by `ask`, with the names of dimensions by their places in [`Why::told`], in the numbers of
    /// [`Leaves::marginals`]. `by_hours` says whether the statement would be answered by the rollup.
    ///
    /// # Errors
    /// As for [`Leaves::marginals`].
    pub fn counts(&self, why: &Why, ask: Ask, by_hours: bool) -> Result<Vec<RecordBatch>> {
        let places = Places::of_question(self, why);
        let kinds = Kinds::of(self, why);
        let n_periods = self.of.periods.len();
        let mut counted = shared(self.threads, &self.pieces, |pieces| {
            // By period: the records of a piece are of few of them, whose counts stay near the processor.
            let mut counts = vec![Counts::default(); n_periods];
            let mut count = |key: Option<Key>, n: u32| {
                if let Some(key) = key {
                    *counts[usize::from(key.of[0])].entry(key).or_default() += n;
                }
            };
            for piece in pieces {
                match ask {
                    Ask::Messages => {
                        piece.attempts().for_each(|(row, n)| count(delivered(row, &places), n));
                    }
                    Ask::Remote => {
                        piece.others().for_each(|(row, n)| count(remote(row, &places, &kinds), n));
                    }
                    Ask::Injected => {
                        let of = |row| injected(row, &places, self);
                        piece.receptions().for_each(|(row, n)| count(Some(of(row)), n));
                    }
                    _ => {
                        let of = |row| record(row, &places, &kinds, by_hours);
                        piece.rows().for_each(|(row, n)| count(of(row), n));
                    }
                }
            }
            counts
        });
        if ask == Ask::Messages {
            counted.push(vec![followed(self, &places, &kinds)]);
        }
        let periods = self.numbers(why);
        let counted = counted.iter().flatten().filter(|counts| !counts.is_empty());
        counted.map(|counts| self.batch_of(counts, &periods)).collect()
    }

    fn batch_of(&self, counts: &Counts, periods: &[i64]) -> Result<RecordBatch> {
        let rows: Vec<(&Key, &u32)> = counts.iter().collect();
        let periods = rows.iter().map(|(key, _)| periods[usize::from(key.of[0])]);
        let carried = rows.iter().map(|(key, _)| match key.of[1] {
            age if age == Age::Carried as u8 => Some(true),
            age if age == Age::Fresh as u8 => Some(false),
            _ => None,
        });
        let kinds = rows.iter().map(|(key, _)| CountedAs::ALL[usize::from(key.of[2])].word());
        let categories =
            rows.iter().map(|(key, _)| self.names.name(Of::Category, key.of[3].into()));
        let n = rows.iter().map(|(_, n)| i64::from(**n));
        let dims = LEAF.iter().map(|dim| -> (&str, ArrayRef) {
            let places = rows.iter().map(|(key, _)| place(key.places(), dim));
            (*dim, Arc::new(places.collect::<Int32Array>()))
        });
        let others: [(&str, ArrayRef); 5] = [
            ("period", Arc::new(Int64Array::from_iter_values(periods))),
            ("carried", Arc::new(carried.collect::<BooleanArray>())),
            ("kind", Arc::new(StringArray::from_iter_values(kinds))),
            ("category", Arc::new(categories.collect::<StringArray>())),
            ("n", Arc::new(Int64Array::from_iter_values(n))),
        ];
        batch(dims.chain(others))
    }
}

/// A message that has no other attempt.
fn delivered(row: &Row, places: &Places) -> Option<Key> {
    let is_it = row.what.rec() == Record::Delivery;
    let of = [row.period, row.what.age() as u8, CountedAs::Delivered as u8, 0];
    is_it.then(|| Key::new(places.at(row), of))
}

/// A bounce that came back.
fn remote(row: &Row, places: &Places, kinds: &Kinds) -> Option<Key> {
    let is_it = row.what.rec() == Record::RemoteBounce && kinds.is_of_class(row.bounce_class);
    let blind = ["vmta_pool", "vmta", "dlv_source_ip", "job_id"].map(without);
    let places = blind.iter().fold(places.at(row), |places, blind| places | blind);
    let of = [row.period, Age::Unknown as u8, CountedAs::Remote as u8, row.bounce_cat];
    is_it.then_some(Key::new(places, of))
}

/// A record by itself.
fn record(row: &Row, places: &Places, kinds: &Kinds, by_hours: bool) -> Option<Key> {
    let rec = row.what.rec();
    if !kinds.is_asked(row) || row.bounce_class == ADMINISTRATIVE {
        return None;
    }
    let is_of_class = kinds.is_of_class(row.bounce_class);
    let kind = match rec {
        Record::Delivery => CountedAs::Delivered,
        Record::Deferral | Record::QueueDeferral => CountedAs::Deferred,
        Record::Feedback => CountedAs::Complained,
        Record::Reception | Record::RemoteStatus => return None,
        Record::RemoteBounce if !is_of_class => return None,
        _ if !is_of_class => CountedAs::Aside,
        Record::RemoteBounce => CountedAs::Remote,
        _ => CountedAs::Bounced,
    };
    let category = if rec == Record::Delivery { 0 } else { row.bounce_cat };
    // The rollup does not tell when messages were queued.
    let age = if by_hours { Age::Unknown } else { row.what.age() };
    Some(Key::new(places.at(row), [row.period, age as u8, kind as u8, category]))
}

/// A recipient handed to PMTA. Who runs the mailboxes of a domain is what its attempts say.
fn injected(row: &Reception, places: &Places, leaves: &Leaves) -> Key {
    let provider = match leaves.hosts[row.rcpt_domain as usize] {
        0 => row.provider,
        host => host,
    };
    let [pool, vmta, ..] = leaves.paths[usize::from(row.path)];
    // Its VirtualMTA may be the name of a pool.
    let blind = without("dlv_source_ip") | if pool == vmta { without("vmta") } else { 0 };
    let places = places.of(provider, row.campaign, row.path) | blind;
    Key::new(places, [row.period, Age::Unknown as u8, CountedAs::Injected as u8, 0])
}

/// What became of a message by the attempts of a leaf.
#[derive(Default)]
struct Outcome {
    n_deliveries: u64,
    /// Of the least attempt that was no delivery: bounces before deferrals, and any category before none.
    refusal: Option<(bool, u16)>,
    /// The least class of its bounces, in the order of their names.
    class: Option<u16>,
}

/// The messages that have more than deliveries.
fn followed(leaves: &Leaves, places: &Places, kinds: &Kinds) -> Counts {
    let (categories, classes) =
        (leaves.names.in_order(Of::Category), leaves.names.in_order(Of::Class));
    let mut outcomes: NumberMap<(Message, u64, u8, u8), Outcome> = NumberMap::default();
    for piece in &leaves.pieces {
        for Followed { row, message } in &piece.followed {
            let outcome = outcomes
                .entry((*message, places.at(row), row.period, row.what.age() as u8))
                .or_default();
            match row.what.rec() {
                Record::Delivery => outcome.n_deliveries += 1,
                rec => {
                    let refusal = (rec == Record::Deferral, categories.rank(row.bounce_cat));
                    let least = outcome.refusal.map_or(refusal, |least| least.min(refusal));
                    outcome.refusal = Some(least);
                    if rec == Record::Bounce && row.bounce_class != 0 {
                        let class = classes.rank(row.bounce_class);
                        outcome.class = Some(outcome.class.map_or(class, |least| least.min(class)));
                    }
                }
            }
        }
    }
    let mut counts = Counts::default();
    for ((_, places, period, age), outcome) in outcomes {
        let class = outcome.class.map_or(0, |rank| classes.number(rank));
        let kind = match outcome.refusal {
            Some((false, _)) if kinds.is_of_class(class) => CountedAs::Bounced,
            Some((false, _)) => CountedAs::Aside,
            _ if outcome.n_deliveries == 0 => CountedAs::Held,
            _ => CountedAs::Delivered,
        };
        let category = outcome.refusal.filter(|_| kind != CountedAs::Delivered);
        let category = category.map_or(0, |(_, rank)| categories.number(rank));
        *counts.entry(Key::new(places, [period, age, kind as u8, category])).or_default() += 1;
    }
    counts
}

/// Columns by their names.
pub(super) fn batch<'n>(
    columns: impl IntoIterator<Item = (&'n str, ArrayRef)>,
) -> Result<RecordBatch> {
    RecordBatch::try_from_iter(columns).map_err(|error| Error::Sql(error.to_string()))
}
