//! Rows of Arrow batches as the cells that the encoder takes: for parts whose rows are those of
//! other parts, or few. Keeps what every value is, and knows no page.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, DictionaryArray, MapArray, PrimitiveArray, RecordBatch};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Int32Type, Int64Type, TimestampMillisecondType, UInt64Type,
};

use crate::encode::{Cells, NO_NAME, NO_NUMBER, Texts};
use crate::layout::Table;
use crate::table::schema_of;

/// Rows of a page that have come so far, and the names of the row group.
pub(crate) struct Gathered {
    columns: Vec<Column>,
    rows: usize,
}

impl Gathered {
    pub(crate) fn new(table: Table) -> Gathered {
        let schema = schema_of(table);
        let columns = schema.fields().iter().map(|field| Column::new(field.data_type()));
        Gathered { columns: columns.collect(), rows: 0 }
    }

    /// Rows that have come since the last page.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds rows of a batch that has the schema of the table.
    pub(crate) fn push(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows();
        let columns = self.columns.iter_mut().zip(batch.columns());
        columns.for_each(|(column, array)| column.push(array));
    }

    /// The cells of all columns.
    pub(crate) fn cells(&self) -> Vec<Cells<'_>> {
        self.columns.iter().map(Column::cells).collect()
    }

    /// Begins a page, in the same row group.
    pub(crate) fn begin_page(&mut self) {
        self.rows = 0;
        self.columns.iter_mut().for_each(Column::clear_rows);
    }

    /// Begins a row group: forgets the names.
    pub(crate) fn begin_group(&mut self) {
        self.begin_page();
        self.columns.iter_mut().for_each(Column::forget_names);
    }
}

enum Column {
    Names(Keyed<Names>),
    Texts { order: Vec<u32>, texts: TextBytes },
    Numbers(Vec<i64>),
    Hashes(Vec<u64>),
    Map(Entries<Names>),
    Counts(Entries<Numbers>),
}

impl Column {
    fn new(of: &DataType) -> Column {
        match of {
            DataType::Dictionary(..) => Column::Names(Keyed::default()),
            DataType::Utf8 => Column::Texts { order: Vec::new(), texts: TextBytes::default() },
            DataType::Map(entries, _) if has_texts(entries.data_type()) => {
                Column::Map(Entries::default())
            }
            DataType::Map(..) => Column::Counts(Entries::default()),
            DataType::UInt64 => Column::Hashes(Vec::new()),
            _ => Column::Numbers(Vec::new()),
        }
    }

    fn push(&mut self, array: &dyn Array) {
        match self {
            Column::Names(names) => names.push_dictionary(array.as_dictionary::<Int32Type>()),
            Column::Texts { order, texts } => {
                for text in array.as_string::<i32>() {
                    order.push(texts.len());
                    texts.push(text.unwrap_or_default().as_bytes());
                }
            }
            Column::Numbers(numbers) if *array.data_type() == DataType::Int64 => {
                push_numbers(numbers, array.as_primitive::<Int64Type>());
            }
            Column::Numbers(numbers) => {
                push_numbers(numbers, array.as_primitive::<TimestampMillisecondType>());
            }
            Column::Hashes(hashes) => hashes.extend(array.as_primitive::<UInt64Type>().values()),
            Column::Map(Entries { ends, keys, values }) => {
                let map = array.as_map();
                let texts = [map.keys(), map.values()].map(|texts| texts.as_string::<i32>());
                each_entry(map, ends, |entry| {
                    let [key, value] = texts.map(|texts| texts.value(entry).as_bytes());
                    keys.push(key);
                    values.push(value);
                });
            }
            Column::Counts(Entries { ends, keys, values }) => {
                let map = array.as_map();
                let numbers = [map.keys(), map.values()].map(|of| of.as_primitive::<Int64Type>());
                each_entry(map, ends, |entry| {
                    let [key, value] = numbers.map(|numbers| numbers.value(entry));
                    keys.push(&key);
                    values.push(&value);
                });
            }
        }
    }

    fn cells(&self) -> Cells<'_> {
        match self {
            Column::Names(names) => Cells::Names { keys: &names.keys, names: names.values.all() },
            Column::Texts { order, texts } => Cells::Texts { order, texts: texts.all() },
            Column::Numbers(numbers) => Cells::Numbers(numbers),
            Column::Hashes(hashes) => Cells::Hashes(hashes),
            Column::Map(Entries { ends, keys, values }) => Cells::Map {
                ends,
                keys: (&keys.keys, keys.values.all()),
                values: (&values.keys, values.values.all()),
            },
            Column::Counts(Entries { ends, keys, values }) => Cells::Counts {
                ends,
                keys: (&keys.keys, &keys.values.all),
                values: (&values.keys, &values.values.all),
            },
        }
    }

    fn clear_rows(&mut self) {
        match self {
            Column::Names(names) => names.keys.clear(),
            Column::Texts { order, texts } => {
                order.clear();
                texts.clear();
            }
            Column::Numbers(numbers) => numbers.clear(),
            Column::Hashes(hashes) => hashes.clear(),
            Column::Map(entries) => entries.clear_rows(),
            Column::Counts(entries) => entries.clear_rows(),
        }
    }

    fn forget_names(&mut self) {
        match self {
            Column::Names(names) => *names = Keyed::default(),
            Column::Map(entries) => *entries = Entries::default(),
            Column::Counts(entries) => *entries = Entries::default(),
            Column::Texts { .. } | Column::Numbers(_) | Column::Hashes(_) => {}
        }
    }
}

/// Whether the entries of a map, whose type this is, are texts.
fn has_texts(entries: &DataType) -> bool {
    matches!(entries, DataType::Struct(fields) if *fields[0].data_type() == DataType::Utf8)
}

fn push_numbers<T: ArrowPrimitiveType<Native = i64>>(
    numbers: &mut Vec<i64>,
    array: &PrimitiveArray<T>,
) {
    numbers.extend(array.iter().map(|number| number.unwrap_or(NO_NUMBER)));
}

/// Calls `push` with the place of each entry, and notes where those of each row end.
fn each_entry(map: &MapArray, ends: &mut Vec<u32>, mut push: impl FnMut(usize)) {
    let mut end = ends.last().copied().unwrap_or_default();
    for (row, bounds) in map.value_offsets().windows(2).enumerate() {
        if map.is_valid(row) {
            let entries = bounds[0] as usize..bounds[1] as usize;
            end += u32::try_from(entries.len()).expect("a page has fewer entries than u32");
            entries.for_each(&mut push);
        }
        ends.push(end);
    }
}

/// Keys with values, by row.
#[derive(Default)]
struct Entries<V> {
    /// By row, where its entries end.
    ends: Vec<u32>,
    keys: Keyed<V>,
    values: Keyed<V>,
}

impl<V> Entries<V> {
    fn clear_rows(&mut self) {
        self.ends.clear();
        self.keys.keys.clear();
        self.values.keys.clear();
    }
}

/// Values by key: each once, in the order in which they came.
#[derive(Default)]
struct Keyed<V> {
    /// By row or entry.
    keys: Vec<u32>,
    values: V,
}

impl Keyed<Names> {
    fn push(&mut self, name: &[u8]) {
        let key = self.values.key_of(name);
        self.keys.push(key);
    }

    /// Adds names by the keys of another dictionary, which may have names that no row has, or twice.
    fn push_dictionary(&mut self, array: &DictionaryArray<Int32Type>) {
        let names = array.values().as_string::<i32>();
        let mut known = vec![NO_NAME; names.len()];
        for key in array.keys_iter() {
            let key = key.map_or(NO_NAME, |theirs| {
                if known[theirs] == NO_NAME {
                    known[theirs] = self.values.key_of(names.value(theirs).as_bytes());
                }
                known[theirs]
            });
            self.keys.push(key);
        }
    }
}

impl Keyed<Numbers> {
    fn push(&mut self, number: &i64) {
        let all = &mut self.values.all;
        let key = *self.values.keys.entry(*number).or_insert_with(|| {
            all.push(*number);
            last_of(all.len())
        });
        self.keys.push(key);
    }
}

/// Names of a row group.
#[derive(Default)]
struct Names {
    keys: HashMap<Box<[u8]>, u32>,
    texts: TextBytes,
}

impl Names {
    fn key_of(&mut self, name: &[u8]) -> u32 {
        if let Some(key) = self.keys.get(name) {
            return *key;
        }
        let key = self.texts.len();
        self.texts.push(name);
        self.keys.insert(name.into(), key);
        key
    }

    fn all(&self) -> Texts<'_> {
        self.texts.all()
    }
}

/// Numbers of a row group.
#[derive(Default)]
struct Numbers {
    keys: HashMap<i64, u32>,
    all: Vec<i64>,
}

/// Texts end to end.
#[derive(Default)]
struct TextBytes {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl TextBytes {
    fn len(&self) -> u32 {
        last_of(self.ends.len() + 1)
    }

    fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(u32::try_from(self.bytes.len()).expect("a page is smaller than 4 GB"));
    }

    fn all(&self) -> Texts<'_> {
        Texts { bytes: &self.bytes, ends: &self.ends }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// The key of the last of so many values.
fn last_of(values: usize) -> u32 {
    u32::try_from(values - 1).expect("a row group has fewer values than u32")
}
