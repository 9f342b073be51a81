//! Names of few distinct values, each kept once: by row a key, by key a name.
//! Knows nothing of what the names mean.

use hashbrown::HashTable;
use pmtaq_store::{NO_NAME, Texts};
use twox_hash::XxHash3_64;

/// Slots of the short memory; a power of two.
const RECENT: usize = 1024;

/// The names of one column, with their keys, until they are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Names {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    table: HashTable<Known>,
    /// Names seen lately, by a hash of a few bytes: most rows need no more.
    recent: Vec<Recent>,
}

/// A name of the table, with its place: who compares it need not ask `ends`, which is no longer in the
/// cache where names are many.
#[derive(Clone, Copy, Debug)]
struct Known {
    key: u32,
    start: u32,
    len: u32,
}

impl Known {
    fn of<'n>(&self, bytes: &'n [u8]) -> &'n [u8] {
        &bytes[self.start as usize..][..self.len as usize]
    }
}

/// A name seen lately: its ends, which for up to 16 bytes are all of it.
#[derive(Clone, Copy, Debug)]
struct Recent {
    first: u64,
    last: u64,
    len: u32,
    key: u32,
}

/// A name that is to be looked for among all: not one of those seen lately.
pub(crate) struct Pending<'n> {
    row: usize,
    name: &'n [u8],
    hash: u64,
    /// The name in the table that may be the same.
    like: Option<Known>,
}

impl Recent {
    const NOTHING: Recent = Recent { first: 0, last: 0, len: u32::MAX, key: 0 };
}

impl Names {
    /// The key of `name`: a new one when it is new.
    #[inline(always)]
    pub(crate) fn key(&mut self, name: &[u8]) -> u32 {
        self.key_seen_lately(name).unwrap_or_else(|| self.key_in_table(name))
    }

    /// The key of `name` if it was seen lately.
    #[inline(always)]
    fn key_seen_lately(&self, name: &[u8]) -> Option<u32> {
        let Ends { first, last, len } = Ends::of(name);
        let recent = self.recent.get(slot(first, last, len))?;
        let is_it = (recent.first, recent.last, recent.len) == (first, last, len)
            && (len <= 16 || self.is_same_within(recent.key, name));
        is_it.then_some(recent.key)
    }

    /// Gives `set` the key of each name that was put off, and for which row. Each look waits for memory where
    /// names are many: so all are begun before the first is ended.
    pub(crate) fn keys(&mut self, pending: &mut Vec<Pending<'_>>, mut set: impl FnMut(usize, u32)) {
        for pending in pending.iter_mut() {
            pending.hash = XxHash3_64::oneshot(pending.name);
            pending.like = self.table.iter_hash(pending.hash).next().copied();
        }
        for Pending { row, name, hash, like } in pending.drain(..) {
            let key = match like {
                Some(known) if known.of(&self.bytes) == name => known.key,
                // New, or so when the first of these was looked for.
                _ => self.key_by_hash(hash, name),
            };
            self.remember(key, name);
            set(row, key);
        }
    }

    /// Whether a name of more than 16 bytes and of the same ends is the same in between.
    #[inline]
    fn is_same_within(&self, key: u32, name: &[u8]) -> bool {
        let (known, end) = (self.get(key), name.len() - 8);
        let inner = |name: &[u8]| (word(&name[8..]), word(&name[end - 8..]));
        // The second and the last word but one are all that is between the ends of up to 32 bytes.
        inner(known) == inner(name) && (end <= 24 || known[16..end - 8] == name[16..end - 8])
    }

    #[cold]
    #[inline(never)]
    fn key_in_table(&mut self, name: &[u8]) -> u32 {
        let key = self.key_by_hash(XxHash3_64::oneshot(name), name);
        self.remember(key, name);
        key
    }

    fn key_by_hash(&mut self, hash: u64, name: &[u8]) -> u32 {
        let known = self.table.find(hash, |known| known.of(&self.bytes) == name);
        known.map(|known| known.key).unwrap_or_else(|| self.add(hash, name))
    }

    fn remember(&mut self, key: u32, name: &[u8]) {
        let Ends { first, last, len } = Ends::of(name);
        self.recent.resize(RECENT, Recent::NOTHING);
        self.recent[slot(first, last, len)] = Recent { first, last, len, key };
    }

    fn add(&mut self, hash: u64, name: &[u8]) -> u32 {
        let start = self.bytes.len() as u32;
        let key = self.add_again(name);
        let known = Known { key, start, len: name.len() as u32 };
        self.table.insert_unique(hash, known, |known| XxHash3_64::oneshot(known.of(&self.bytes)));
        key
    }

    /// A key of its own for `name`, which is not looked for, now or later.
    pub(crate) fn add_again(&mut self, name: &[u8]) -> u32 {
        let key = u32::try_from(self.ends.len()).expect("a row group has fewer rows than u32");
        self.bytes.extend_from_slice(name);
        self.ends.push(u32::try_from(self.bytes.len()).expect("a row group is smaller than 4 GB"));
        key
    }

    /// The name of a key.
    pub(crate) fn get(&self, key: u32) -> &[u8] {
        self.all().get(key as usize)
    }

    /// All names, by key.
    pub(crate) fn all(&self) -> Texts<'_> {
        Texts { bytes: &self.bytes, ends: &self.ends }
    }

    /// Memory that the names take, about.
    pub(crate) fn bytes(&self) -> usize {
        // A name has an end, a slot of the table, and what was derived from its key.
        self.bytes.len() + self.ends.len() * 28
    }

    /// Forgets every name and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.table.clear();
        self.recent.fill(Recent::NOTHING);
    }
}

/// Whether the names of one kind are worth a look among those known, by those that came so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Repetition {
    looked_for: u32,
    new: u32,
}

impl Repetition {
    /// Names after which it is decided.
    const TRIAL: u32 = 1024;

    /// The key of `name`, which is looked for unless most of those before were new.
    pub(crate) fn key(&mut self, name: &[u8], names: &mut Names) -> u32 {
        if self.looked_for >= Repetition::TRIAL && self.new > self.looked_for / 4 * 3 {
            return names.add_again(name);
        }
        let known = names.all().len();
        let key = names.key(name);
        self.looked_for = self.looked_for.saturating_add(1);
        self.new += u32::from(key as usize >= known);
        key
    }
}

/// What is computed from a name once and looked up by its key from then on.
#[derive(Default)]
pub(crate) struct Memo {
    /// Or [`Memo::UNKNOWN`].
    by_key: Vec<u32>,
}

impl Memo {
    /// No key: so many names have no room.
    const UNKNOWN: u32 = NO_NAME - 1;

    /// What `compute` gave for `key` the first time.
    #[inline]
    pub(crate) fn get(&mut self, key: u32, compute: impl FnOnce() -> u32) -> u32 {
        let at = key as usize;
        if let Some(&known) = self.by_key.get(at).filter(|known| **known != Memo::UNKNOWN) {
            return known;
        }
        let known = compute();
        self.keep(at, known);
        known
    }

    #[cold]
    fn keep(&mut self, at: usize, known: u32) {
        self.by_key.resize(self.by_key.len().max(at + 1), Memo::UNKNOWN);
        self.by_key[at] = known;
    }
}

/// The first and the last bytes of a name, and its length.
#[derive(Clone, Copy)]
struct Ends {
    first: u64,
    last: u64,
    len: u32,
}

/// The first eight bytes, as far as there are so many.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

impl Ends {
    #[inline]
    fn of(name: &[u8]) -> Ends {
        let len = u32::try_from(name.len()).unwrap_or(u32::MAX - 1);
        let long = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let short = |bytes: Option<&[u8; 4]>| bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let (first, last) = match name.len() {
            0 => (0, 0),
            // The first, the middle and the last byte are all of up to three.
            n @ 1..4 => {
                (u64::from(name[0]) << 16 | u64::from(name[n / 2]) << 8, name[n - 1].into())
            }
            4..8 => (short(name.first_chunk()).into(), short(name.last_chunk()).into()),
            _ => (long(name.first_chunk()), long(name.last_chunk())),
        };
        Ends { first, last, len }
    }
}

/// The slot of the short memory.
#[inline]
fn slot(first: u64, last: u64, len: u32) -> usize {
    let mixed = (first ^ last.rotate_left(31) ^ u64::from(len)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (u64::BITS - RECENT.ilog2())) as usize
}

/// A hash of several keys, which are small numbers: a few multiplications, so that their differences
/// reach all bits.
pub(crate) fn mixed(keys: &[u32]) -> u64 {
    let (pairs, rest) = keys.as_chunks();
    let pairs = pairs.iter().map(|[a, b]| u64::from(*a) << 32 | u64::from(*b));
    let words = pairs.chain(rest.iter().map(|key| u64::from(*key)));
    let mixed = words.fold(0_u64, |hash, word| {
        (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    mixed ^ mixed >> 32
}

/// One column of names by row.
#[derive(Default)]
pub(crate) struct NameColumn {
    pub(crate) names: Names,
    keys: Vec<u32>,
}

impl NameColumn {
    /// Gives the row numbered `row` a name; the rows left out before it have none.
    #[inline(always)]
    pub(crate) fn set(&mut self, row: usize, name: &[u8]) -> u32 {
        let key = self.names.key(name);
        self.set_key(row, key);
        key
    }

    /// Gives the row numbered `row` a name, whose key may be put off to [`NameColumn::end`].
    #[inline(always)]
    pub(crate) fn begin<'n>(&mut self, row: usize, name: &'n [u8], pending: &mut Vec<Pending<'n>>) {
        self.pad(row);
        let key = self.names.key_seen_lately(name).unwrap_or_else(|| {
            pending.push(Pending { row, name, hash: 0, like: None });
            NO_NAME
        });
        self.keys.push(key);
    }

    /// Gives the rows whose keys were put off theirs.
    pub(crate) fn end(&mut self, pending: &mut Vec<Pending<'_>>) {
        let keys = &mut self.keys;
        self.names.keys(pending, |row, key| keys[row] = key);
    }

    /// Gives the row numbered `row` the name of `key`, if it is one.
    #[inline]
    pub(crate) fn set_key(&mut self, row: usize, key: u32) {
        if key != NO_NAME {
            self.pad(row);
            self.keys.push(key);
        }
    }

    /// Takes the name of the row numbered `row` away.
    pub(crate) fn unset(&mut self, row: usize) {
        if let Some(key) = self.keys.get_mut(row) {
            *key = NO_NAME;
        }
    }

    /// The key of the row numbered `row`, which is the last or has none.
    pub(crate) fn key_at(&self, row: usize) -> u32 {
        self.keys.get(row).copied().unwrap_or(NO_NAME)
    }

    /// By row the key, without the rows behind the last that has a name.
    pub(crate) fn keys(&self) -> &[u32] {
        &self.keys
    }

    /// By row the key, to be put into another order.
    pub(crate) fn keys_mut(&mut self) -> &mut Vec<u32> {
        &mut self.keys
    }

    /// Gives all of `rows` rows a key or none, unless no row has one.
    pub(crate) fn fill(&mut self, rows: usize) {
        if !self.keys.is_empty() {
            self.pad(rows);
        }
    }

    fn pad(&mut self, rows: usize) {
        if self.keys.len() < rows {
            self.keys.resize(rows, NO_NAME);
        }
    }

    /// Gives the memory of rows back, of which there are none now.
    pub(crate) fn give_back(&mut self) {
        self.keys = Vec::new();
    }

    /// Begins a new run of rows with the names known.
    pub(crate) fn clear_rows(&mut self) {
        self.keys.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_row_has_its_name(
            // Names that differ only in the middle, in length or in one byte, and new ones.
            rows in prop::collection::vec(
                prop::option::of("[ab]{1,4}|abcdefgh[xy]{0,9}stuvwxyz|[a-c]{20}"), 0..300),
            one_by_one in 0_usize..300,
            together in 1_usize..100,
        ) {
            let mut column = NameColumn::default();
            let mut pending = Vec::new();
            for (row, name) in rows.iter().enumerate() {
                match name {
                    Some(name) if row < one_by_one => _ = column.set(row, name.as_bytes()),
                    Some(name) => column.begin(row, name.as_bytes(), &mut pending),
                    None => {}
                }
                if row % together == 0 {
                    column.end(&mut pending);
                }
            }
            column.end(&mut pending);
            column.fill(rows.len());
            let names = column.names.all();
            let distinct: std::collections::HashSet<_> =
                (0..names.len()).map(|i| names.get(i)).collect();
            prop_assert_eq!(distinct.len(), names.len());
            for (row, name) in rows.iter().enumerate() {
                let key = column.key_at(row);
                let found = (key != NO_NAME).then(|| names.get(key as usize));
                prop_assert_eq!(found, name.as_deref().map(str::as_bytes));
            }
        }
    }

    #[test]
    fn names_that_hardly_repeat_are_not_looked_for_any_more() {
        let (mut names, mut unique, mut tenants) =
            (Names::default(), Repetition::default(), Repetition::default());
        for i in 0..4000 {
            unique.key(format!("<{i}@example.com>").as_bytes(), &mut names);
            tenants.key(format!("tenant{}", i % 10).as_bytes(), &mut names);
        }
        assert_eq!(names.all().len(), 4010);
        assert_eq!(names.table.len(), Repetition::TRIAL as usize + 10);
        let again = unique.key(b"<0@example.com>", &mut names);
        assert_eq!((again, names.get(again)), (4010, &b"<0@example.com>"[..]));
    }

    #[test]
    fn what_is_forgotten_comes_back_with_another_key() {
        let mut names = Names::default();
        assert_eq!([names.key(b"a"), names.key(b"b"), names.key(b"a")], [0, 1, 0]);
        names.clear();
        assert_eq!([names.key(b"b"), names.key(b"a")], [0, 1]);
    }
}
