//! Names of few distinct values, each kept once: a column as keys into a dictionary.
//! Knows nothing of what the names mean.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

/// Slots of the short memory; a power of two.
const RECENT: usize = 256;

/// Not a key: the row has no name, or the slot was never used.
const NONE: i32 = -1;

/// A column of names being built.
pub(crate) struct Names {
    text: Vec<u8>,
    ends: Vec<i32>,
    table: HashTable<i32>,
    /// Keys of names seen lately, by a hash of a few bytes: most rows need no more.
    recent: Box<[i32; RECENT]>,
    keys: Vec<i32>,
    has_nulls: bool,
}

impl Names {
    pub(crate) fn new() -> Names {
        Names {
            text: Vec::new(),
            ends: Vec::new(),
            table: HashTable::new(),
            recent: Box::new([NONE; RECENT]),
            keys: Vec::new(),
            has_nulls: false,
        }
    }

    /// Adds `name` as the row numbered `row`; the rows left out before it have no name.
    pub(crate) fn set(&mut self, row: usize, name: &str) {
        self.pad(row);
        let name = name.as_bytes();
        let slot = quick_hash(name);
        let recent = self.recent[slot];
        if recent != NONE && slice(&self.text, &self.ends, recent) == name {
            return self.keys.push(recent);
        }
        let hash = xxh3_64(name);
        let (text, ends) = (&self.text, &self.ends);
        let known = self.table.find(hash, |&key| slice(text, ends, key) == name).copied();
        let key = known.unwrap_or_else(|| self.add(hash, name));
        self.recent[slot] = key;
        self.keys.push(key);
    }

    fn add(&mut self, hash: u64, name: &[u8]) -> i32 {
        let key = i32::try_from(self.ends.len()).expect("a batch has fewer rows than i32");
        self.text.extend_from_slice(name);
        self.ends.push(i32::try_from(self.text.len()).expect("a batch is smaller than 2 GB"));
        let (text, ends) = (&self.text, &self.ends);
        let rehash = |&key: &i32| xxh3_64(slice(text, ends, key));
        self.table.insert_unique(hash, key, rehash);
        key
    }

    fn pad(&mut self, rows: usize) {
        if self.keys.len() < rows {
            self.has_nulls = true;
            self.keys.resize(rows, NONE);
        }
    }

    /// The column of `rows` rows, with nothing left.
    pub(crate) fn finish(&mut self, rows: usize) -> ArrayRef {
        self.pad(rows);
        let mut done = std::mem::replace(self, Names::new());
        let nulls = done.has_nulls.then(|| {
            let valid: NullBuffer = done.keys.iter().map(|&key| key != NONE).collect();
            done.keys.iter_mut().for_each(|key| *key = (*key).max(0));
            valid
        });
        done.ends.insert(0, 0);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(done.ends));
        let values = StringArray::new(offsets, done.text.into(), None);
        let keys = Int32Array::new(ScalarBuffer::from(done.keys), nulls);
        Arc::new(DictionaryArray::new(keys, Arc::new(values)))
    }
}

fn slice<'t>(text: &'t [u8], ends: &[i32], key: i32) -> &'t [u8] {
    let key = key as usize;
    let start = if key == 0 { 0 } else { ends[key - 1] as usize };
    &text[start..ends[key] as usize]
}

/// Of the length, the first and the last bytes: enough to tell the names of a column apart that
/// come often.
fn quick_hash(name: &[u8]) -> usize {
    let word = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let (first, last) = match name.len() {
        0..8 => {
            let mut bytes = [0; 8];
            bytes[..name.len()].copy_from_slice(name);
            (u64::from_le_bytes(bytes), 0)
        }
        _ => (word(name.first_chunk()), word(name.last_chunk())),
    };
    let mixed =
        (first ^ last.rotate_left(31) ^ name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 56) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::Int32Type;
    use proptest::prelude::*;

    fn built(rows: &[Option<String>]) -> Vec<Option<String>> {
        let mut names = Names::new();
        for (i, name) in rows.iter().enumerate() {
            if let Some(name) = name {
                names.set(i, name);
            }
        }
        let array = names.finish(rows.len());
        let array = array.as_dictionary::<Int32Type>();
        let values = array.values().as_string::<i32>();
        let distinct: std::collections::HashSet<_> = values.iter().collect();
        assert_eq!(distinct.len(), values.len(), "a name is kept twice");
        array
            .keys()
            .iter()
            .map(|key| key.map(|key| values.value(key as usize).to_owned()))
            .collect()
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(rows in prop::collection::vec(prop::option::of("[ab]{0,3}|.{0,20}"), 0..400)) {
            prop_assert_eq!(built(&rows), rows);
        }
    }
}
