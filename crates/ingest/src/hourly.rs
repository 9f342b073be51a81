//! Records counted by hour and by what they share: rows of the table `hourly` being gathered.
//! Knows columns and keys; neither lines nor files.

mod latencies;
mod packed;
mod rows;

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::buffer::Buffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use hashbrown::HashTable;
use pmtaq_schema::columns::{HOURLY, index_of};
use pmtaq_schema::latency::rounded;
use pmtaq_schema::site::KeptDimensions;
use pmtaq_schema::{COLUMNS, Column, Kind};
use pmtaq_store::{Cells, NO_NAME, NO_NUMBER, Texts, arrow_type};

use crate::intern::{NameColumn, Names, mixed};
use crate::site::{SITE, of_batch};

use latencies::Latencies;
use packed::Packed;
pub(crate) use rows::HourlyRows;
use rows::SortedNames;

pub(crate) const HOUR_MS: i64 = 3_600_000;
const HOURS_A_DAY: u32 = 24;

/// How many columns of [`HOURLY`] are names.
const NAMES: usize = {
    let (mut count, mut i) = (0, 0);
    while i < HOURLY.len() {
        count += matches!(HOURLY[i].kind, Kind::Name) as usize;
        i += 1;
    }
    count
};

/// All dimensions of a row as numbers: the hour since 1970, the reply code, whether a receiver was
/// reached, and the names by their places in the dictionaries; 0 for null.
type Key = [u32; PLACES];
const PLACES: usize = NAMES + 3;
const HOUR: usize = 0;
const SMTP_CODE: usize = 1;
const REACHED: usize = 2;
const FIRST_NAME: usize = 3;

/// The columns of `records` that a count reads beside the names.
const REC: usize = index_of("rec");
const TIME_LOGGED: usize = index_of("time_logged");
const TIME_QUEUED: usize = index_of("time_queued");
const DLV_SIZE: usize = index_of("dlv_size");
const DLV_DESTINATION_IP: usize = index_of("dlv_destination_ip");
const DSN_MTA: usize = index_of("dsn_mta");
const BOUNCE_ORIGIN: usize = index_of("bounce_origin");
const SMTP_CODE_COLUMN: usize = index_of("smtp_code");

/// Rows whose keys are built together, so that they stay in the cache.
const BLOCK: usize = 1024;

/// Room for the keys of a block at one place. Not a power of two: else those of one row, at all places,
/// would lie where a cache has room for only some of them.
const STRIDE: usize = BLOCK + 16;

/// Groups of late that are remembered while records are counted; a power of two.
const RECENT: usize = 1024;

/// Where the names are in the cells of records, in the order of [`HOURLY`].
const NAME_COLUMNS: [usize; NAMES] = {
    let (mut columns, mut next, mut i) = ([0; NAMES], 0, 0);
    while i < HOURLY.len() {
        if matches!(HOURLY[i].kind, Kind::Name) {
            // The last of them is no column of a record.
            columns[next] = if next + 1 == NAMES { SITE } else { index_of(HOURLY[i].name) };
            next += 1;
        }
        i += 1;
    }
    columns
};

/// Rows are sorted by these first: like values side by side make the file half a percent of the
/// records', and the row groups of the record types that a question needs are few.
const SORTED_BY: [&str; 4] = ["rec", "rcpt_domain", "vmta", "sender_domain"];

/// Rows of `hourly` being gathered, from records or from other rows of `hourly`.
#[derive(Debug, Default)]
pub struct Hourly {
    names: [Names; NAMES],
    groups: Groups,
    latencies: Latencies,
    /// Whether the hours of a day are one.
    is_by_day: bool,
}

/// Rows with the same key, once each.
#[derive(Debug, Default)]
struct Groups {
    all: Vec<Group>,
    table: HashTable<Slot>,
}

/// Where a group is, with the hash of its key: to find it or to make room asks no other's key.
#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u32,
    at: u32,
}

/// The records of one run counted by what they share, without their names: memory of a thread. Rows come
/// sorted, so that like ones are near: what is further apart is another group, until a day's are added up.
#[derive(Debug)]
pub(crate) struct Counted {
    rows: usize,
    groups: Vec<Group>,
    /// By a hash of its key, where a group of late may be.
    recent: Box<[u32; RECENT]>,
    keys: Keys,
    latencies: Latencies,
}

impl Default for Counted {
    fn default() -> Counted {
        let (groups, recent) = (Vec::new(), Box::new([0; RECENT]));
        Counted { rows: 0, groups, recent, keys: Keys::default(), latencies: Latencies::default() }
    }
}

/// One row, without its latencies.
#[derive(Clone, Copy, Debug)]
struct Group {
    key: Key,
    sums: Sums,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    records: i64,
    bytes: i64,
    latency_sum: i64,
    latency_max: Option<i64>,
}

impl Hourly {
    /// Rows in which the hours of a day are one.
    pub(crate) fn by_day() -> Hourly {
        Hourly { is_by_day: true, ..Hourly::default() }
    }

    /// How many rows were gathered.
    pub fn len(&self) -> usize {
        self.groups.all.len()
    }

    /// Whether no row was gathered.
    pub fn is_empty(&self) -> bool {
        self.groups.all.is_empty()
    }

    /// Counts the records of `batch`, by the dimensions of the site that are `kept` too. It needs no other
    /// columns than those that [`HOURLY`] has too, `time_logged`, `time_queued`, `dlv_destination_ip` and
    /// `dlv_size`, and what these dimensions are made of, as dictionaries or text.
    pub fn add_records(&mut self, batch: &RecordBatch, kept: &KeptDimensions) {
        let columns: Vec<Owned> = COLUMNS.iter().map(|column| Owned::of(batch, column)).collect();
        let mut cells: Vec<Cells<'_>> = columns.iter().map(Owned::cells).collect();
        let site = if kept.is_empty() { NameColumn::default() } else { of_batch(kept, batch) };
        cells.push(Cells::Names { keys: site.keys(), names: site.names.all() });
        let mut counted = Counted::default();
        counted.count(batch.num_rows(), &cells);
        self.add_counted(&counted, &cells);
    }

    /// Adds what was counted. `cells` are those that it was counted from.
    pub(crate) fn add_counted(&mut self, counted: &Counted, cells: &[Cells<'_>]) {
        // By column and key of the row group, the number of the name here.
        let mut known = NAME_COLUMNS.map(|column| vec![0; names_of(cells, column).1.len()]);
        let mut places = Vec::with_capacity(counted.groups.len());
        for group in &counted.groups {
            let mut key = group.key;
            for (i, number) in key[FIRST_NAME..].iter_mut().enumerate().filter(|(_, n)| **n > 0) {
                let of_group = *number as usize - 1;
                let known = &mut known[i][of_group];
                if *known == 0 {
                    let name = names_of(cells, NAME_COLUMNS[i]).1.get(of_group);
                    *known = number_of(name, &mut self.names[i]);
                }
                *number = *known;
            }
            let at = self.groups.place(&key);
            self.groups.all[at as usize].sums.add(group.sums);
            places.push(at);
        }
        for latency in counted.latencies.merged() {
            self.latencies.add(places[latency.group as usize], latency.seconds, latency.count);
        }
    }

    /// Adds rows of `hourly` to those gathered.
    pub fn add_hourly(&mut self, batch: &RecordBatch) {
        let columns: Vec<Owned> = HOURLY.iter().map(|column| Owned::of(batch, column)).collect();
        let of = |name: &str| {
            let at = HOURLY.iter().position(|column| column.name == name);
            &columns[at.expect("a column of HOURLY")]
        };
        let latencies = column(batch, "latencies", Kind::Counts);
        let latencies = latencies.as_map();
        let seconds = latencies.keys().as_primitive::<Int64Type>();
        let counts = latencies.values().as_primitive::<Int64Type>();

        let mut keys = Keys::default();
        let number = |name: &str, row| number_at(of(name).numbers(), row);
        for block in blocks(batch.num_rows()) {
            let names = HOURLY.iter().filter(|column| column.kind == Kind::Name);
            for (i, column) in names.enumerate() {
                let Owned::Names { keys: numbers, bytes, ends } = of(column.name) else { continue };
                let names = Texts { bytes, ends };
                let number = |key: &u32| match *key {
                    NO_NAME => 0,
                    key => number_of(names.get(key as usize), &mut self.names[i]),
                };
                keys.set(FIRST_NAME + i, numbers[block.clone()].iter().map(number));
            }
            let rows = || block.clone();
            let length = if self.is_by_day { HOURS_A_DAY } else { 1 };
            let hour = |row| number("hour", row).map_or(0, hour_of) / length * length;
            keys.set(HOUR, rows().map(hour));
            keys.set(SMTP_CODE, rows().map(|row| place_of_code(number("smtp_code", row))));
            keys.set(REACHED, rows().map(|row| (number("reached", row) == Some(1)).into()));
            for (i, row) in rows().enumerate() {
                let at = self.groups.place(&keys.get(i));
                self.groups.all[at as usize].sums.add(Sums {
                    records: number("records", row).unwrap_or(0),
                    bytes: number("bytes", row).unwrap_or(0),
                    latency_sum: number("latency_sum", row).unwrap_or(0),
                    latency_max: number("latency_max", row),
                });
                if latencies.is_valid(row) {
                    let ends = &latencies.value_offsets()[row..];
                    for entry in ends[0] as usize..ends[1] as usize {
                        self.latencies.add(at, seconds.value(entry), counts.value(entry));
                    }
                }
            }
        }
    }

    /// Everything gathered, each group once, sorted; and nothing is left but the memory.
    pub(crate) fn take(&mut self) -> HourlyRows {
        let (names, ranks): (Vec<_>, Vec<Vec<u32>>) = self.names.iter().map(sorted).unzip();
        for group in &mut self.groups.all {
            for (place, ranks) in group.key[FIRST_NAME..].iter_mut().zip(&ranks) {
                *place = ranks[*place as usize];
            }
        }
        let groups = &self.groups.all;
        let first = SORTED_BY.map(|name| FIRST_NAME + name_place(name));
        let packed = Packed::of(groups.iter().map(|group| &group.key), &first);
        let mut order: Vec<_> =
            groups.iter().zip(0_u32..).map(|(group, at)| (packed.number(&group.key), at)).collect();
        order.sort_unstable_by(|(a, at_a), (b, at_b)| {
            let key = |at: u32| &groups[at as usize].key;
            a.cmp(b).then_with(|| key(*at_a).cmp(key(*at_b)))
        });
        let order: Vec<u32> = order.into_iter().map(|(_, at)| at).collect();
        self.latencies.merge();
        let rows = HourlyRows::of(groups, &order, self.latencies.merged(), names);
        self.names.iter_mut().for_each(Names::clear);
        self.groups.clear();
        self.latencies.clear();
        rows
    }
}

impl Groups {
    /// Forgets all and keeps the memory.
    fn clear(&mut self) {
        self.all.clear();
        self.table.clear();
    }

    /// Where the group of `key` is, which is new or known.
    fn place(&mut self, key: &Key) -> u32 {
        let (groups, hash) = (&self.all, mixed(key) as u32);
        let is_it = |slot: &Slot| slot.hash == hash && groups[slot.at as usize].key == *key;
        if let Some(slot) = self.table.find(spread(hash), is_it) {
            return slot.at;
        }
        let at = u32::try_from(groups.len()).expect("memory ends before 4 billion groups");
        self.all.push(Group { key: *key, sums: Sums::default() });
        self.table.insert_unique(spread(hash), Slot { hash, at }, |slot| spread(slot.hash));
        at
    }
}

/// A hash of which the table reads the lowest and the highest bits.
fn spread(hash: u32) -> u64 {
    mixed(&[hash])
}

impl Counted {
    /// How many records were counted.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Counts the records of `rows` rows, and forgets those counted before. `cells` are those of all
    /// [`COLUMNS`] and of the site.
    pub(crate) fn count(&mut self, rows: usize, cells: &[Cells<'_>]) {
        self.rows = rows;
        self.groups.clear();
        self.latencies.clear();
        let numbers = |column: usize| match cells[column] {
            Cells::Numbers(numbers) => numbers,
            _ => &[],
        };
        let (logged, queued) = (numbers(TIME_LOGGED), numbers(TIME_QUEUED));
        let (sizes, codes) = (numbers(DLV_SIZE), numbers(SMTP_CODE_COLUMN));
        let [addresses, mtas, origins] =
            [DLV_DESTINATION_IP, DSN_MTA, BOUNCE_ORIGIN].map(|column| names_of(cells, column).0);
        let has = |names: &[u32], row: usize| names.get(row).is_some_and(|&key| key != NO_NAME);
        let (recs, rec_names) = names_of(cells, REC);
        let delivery = (0..rec_names.len()).find(|&key| rec_names.get(key) == b"d");
        for block in blocks(rows) {
            let keys = &mut self.keys;
            let rows = || block.clone();
            for (i, &column) in NAME_COLUMNS.iter().enumerate() {
                // 0 for null, which is the greatest of all.
                match names_of(cells, column).0 {
                    [] => keys.set(FIRST_NAME + i, rows().map(|_| 0)),
                    names => keys
                        .set(FIRST_NAME + i, names[rows()].iter().map(|name| name.wrapping_add(1))),
                }
            }
            keys.set(HOUR, logged[rows()].iter().map(|&logged| hour_of(logged)));
            keys.set(SMTP_CODE, rows().map(|row| place_of_code(number_at(codes, row))));
            let is_reached = |row| has(addresses, row) || has(mtas, row) && !has(origins, row);
            keys.set(REACHED, rows().map(|row| is_reached(row).into()));
            let mut group = 0;
            for (i, row) in rows().enumerate() {
                // Rows come sorted: many have the key of the row before.
                if i == 0 || self.keys.differs[i] {
                    group = place_near(&mut self.groups, &mut self.recent, self.keys.get(i));
                }
                let sums = &mut self.groups[group as usize].sums;
                sums.records += 1;
                if let Some(size) = number_at(sizes, row) {
                    sums.bytes = sums.bytes.saturating_add(size);
                }
                if let (Some(queued), true) =
                    (number_at(queued, row), delivery == Some(recs[row] as usize))
                {
                    let seconds = (logged[row] - queued).div_euclid(1_000);
                    sums.latency_sum = sums.latency_sum.saturating_add(seconds);
                    sums.latency_max = sums.latency_max.max(Some(seconds));
                    self.latencies.add(group, rounded(seconds), 1);
                }
            }
        }
        self.latencies.merge();
    }
}

/// Where the group of `key` is: one of late, or else a new one.
fn place_near(groups: &mut Vec<Group>, recent: &mut [u32; RECENT], key: Key) -> u32 {
    let at = &mut recent[mixed(&key) as usize % RECENT];
    if groups.get(*at as usize).is_none_or(|group| group.key != key) {
        *at = u32::try_from(groups.len()).expect("a run has fewer rows than u32");
        groups.push(Group { key, sums: Sums::default() });
    }
    *at
}

impl Sums {
    fn add(&mut self, other: Sums) {
        self.records += other.records;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.latency_sum = self.latency_sum.saturating_add(other.latency_sum);
        self.latency_max = self.latency_max.max(other.latency_max);
    }
}

/// By row the keys of a column of names, and the names.
fn names_of<'a>(cells: &[Cells<'a>], column: usize) -> (&'a [u32], Texts<'a>) {
    match cells[column] {
        Cells::Names { keys, names } => (keys, names),
        _ => (&[], Texts { bytes: &[], ends: &[] }),
    }
}

/// The keys of a block of rows, place by place: filled and compared without jumps through memory.
#[derive(Debug)]
struct Keys {
    places: Box<[[u32; STRIDE]; PLACES]>,
    /// Whether the key of a row is not that of the row before.
    differs: [bool; BLOCK],
}

impl Default for Keys {
    fn default() -> Keys {
        Keys { places: Box::new([[0; STRIDE]; PLACES]), differs: [false; BLOCK] }
    }
}

impl Keys {
    /// Fills one place of the keys of up to [`BLOCK`] rows; the first name begins a new block.
    fn set(&mut self, place: usize, values: impl ExactSizeIterator<Item = u32>) {
        let keys = &mut self.places[place][..values.len()];
        for (key, value) in keys.iter_mut().zip(values) {
            *key = value;
        }
        if place == FIRST_NAME {
            self.differs.fill(false);
        }
        for (differs, pair) in self.differs[1..].iter_mut().zip(keys.windows(2)) {
            *differs |= pair[0] != pair[1];
        }
    }

    /// The key of the row numbered `i` of the block.
    fn get(&self, i: usize) -> Key {
        std::array::from_fn(|place| self.places[place][i])
    }
}

/// Rows in blocks, each of up to [`BLOCK`].
fn blocks(rows: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(BLOCK).map(move |start| start..rows.min(start + BLOCK))
}

/// The number of a name in a key: its place among the names, from 1.
fn number_of(name: &[u8], names: &mut Names) -> u32 {
    names.key(name) + 1
}

/// The names in order, and for each number the place of its name in that order, from 1.
fn sorted(names: &Names) -> (SortedNames, Vec<u32>) {
    let names = names.all();
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_unstable_by_key(|&key| names.get(key));
    let mut ranks = vec![0; names.len() + 1];
    for (&key, rank) in order.iter().zip(1..) {
        ranks[key + 1] = rank;
    }
    (order.into_iter().map(|key| names.get(key)).collect(), ranks)
}

fn name_place(name: &str) -> usize {
    let mut names = HOURLY.iter().filter(|column| column.kind == Kind::Name);
    names.position(|column| column.name == name).expect("a name of HOURLY")
}

/// A column of a batch as cells, the keys of its names with their dictionary.
enum Owned {
    Names { keys: Vec<u32>, bytes: Buffer, ends: Vec<u32> },
    Numbers(Vec<i64>),
}

impl Owned {
    /// Without cells when the batch lacks the column or it is neither name nor number.
    fn of(batch: &RecordBatch, of: &Column) -> Owned {
        match of.kind {
            Kind::Name => {
                let column = column(batch, of.name, of.kind);
                let column = column.as_dictionary::<Int32Type>();
                let values = column.values().as_string::<i32>();
                let key = |key: Option<i32>| key.map_or(NO_NAME, |key| key as u32);
                let (start, ends) = (values.value_offsets()[0], &values.value_offsets()[1..]);
                let ends = ends.iter().map(|end| (*end - start) as u32).collect();
                let bytes = values.values().slice(start as usize);
                let keys = column.keys().iter().map(key).collect();
                Owned::Names { keys, bytes, ends }
            }
            Kind::Int | Kind::Time => {
                let column = column(batch, of.name, of.kind);
                let column = cast(&column, &DataType::Int64).expect("times are numbers");
                let numbers = column.as_primitive::<Int64Type>().iter();
                Owned::Numbers(numbers.map(|number| number.unwrap_or(NO_NUMBER)).collect())
            }
            Kind::Text | Kind::Hash | Kind::Map | Kind::Counts => Owned::Numbers(Vec::new()),
        }
    }

    fn cells(&self) -> Cells<'_> {
        match self {
            Owned::Names { keys, bytes, ends } => {
                Cells::Names { keys, names: Texts { bytes, ends } }
            }
            Owned::Numbers(numbers) => Cells::Numbers(numbers),
        }
    }

    fn numbers(&self) -> &[i64] {
        match self {
            Owned::Names { .. } => &[],
            Owned::Numbers(numbers) => numbers,
        }
    }
}

/// The column called `name`, in the type in which it is built; nulls when the batch lacks it.
fn column(batch: &RecordBatch, name: &str, kind: Kind) -> ArrayRef {
    let wanted = arrow_type(kind);
    match batch.column_by_name(name) {
        Some(array) if *array.data_type() == wanted => array.clone(),
        Some(array) => cast(array, &wanted).expect("Parquet gives text for names"),
        None => arrow::array::new_null_array(&wanted, batch.num_rows()),
    }
}

fn number_at(numbers: &[i64], row: usize) -> Option<i64> {
    numbers.get(row).copied().filter(|&number| number != NO_NUMBER)
}

/// The place of a reply code in a key. It has three digits, so that nothing is lost here.
fn place_of_code(code: Option<i64>) -> u32 {
    code.and_then(|code| u32::try_from(code).ok()).map_or(0, |code| code.saturating_add(1))
}

fn hour_of(millis: i64) -> u32 {
    u32::try_from(millis.div_euclid(HOUR_MS)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
