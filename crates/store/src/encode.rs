//! Columns as Parquet pages, written from the keys and texts that ingest has already.
//! Knows encodings and pages, not what a column means; never reads a page.
//!
//! The Parquet crate's own writer hashes every value again to find a dictionary that ingest has
//! built while parsing. Here the keys become `RLE_DICTIONARY` pages as they stand; numbers
//! that repeat too, others become `DELTA_BINARY_PACKED`, hashes `PLAIN`, texts `DELTA_LENGTH_BYTE_ARRAY`. Files, row
//! groups and the footer stay with the Parquet crate.

mod ahead;
mod column;
mod compress;
mod delta;
mod filter;
mod header;
mod hybrid;
mod levels;
mod repeats;

use std::ops::Range;

use parquet::errors::Result;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnDescPtr;

use column::ColumnChunk;
use compress::Compressors;
use filter::Filter;
use levels::Levels;

use crate::table::RECIPIENT;

/// The key of a row without a name.
pub const NO_NAME: u32 = u32::MAX;

/// The number of a row without a number.
pub const NO_NUMBER: i64 = i64::MIN;

/// What some rows hold in one column, in the order in which they are stored. A column of a row group
/// without any value may have no cells at all, instead of one for each row.
#[derive(Clone, Copy, Debug)]
pub enum Cells<'a> {
    /// By row, the key of a name or [`NO_NAME`].
    Names {
        /// By row.
        keys: &'a [u32],
        /// By key: the names of the row group so far. A later run of the same row group may add
        /// names and changes none.
        names: Texts<'a>,
    },
    /// By row; an empty text is null.
    Texts {
        /// By row, which of `texts` it has: they are too large to be moved twice.
        order: &'a [u32],
        /// In any order.
        texts: Texts<'a>,
    },
    /// By row, the number or [`NO_NUMBER`].
    Numbers(&'a [i64]),
    /// By row, a hash; no row is without.
    Hashes(&'a [u64]),
    /// Numbers that repeat.
    Repeated {
        /// By row, the key of a number or [`NO_NAME`].
        keys: &'a [u32],
        /// By key.
        numbers: &'a [i64],
    },
    /// By row, keys with values.
    Map {
        /// By row, where its entries end; a row without entries is null.
        ends: &'a [u32],
        /// By entry, as [`Cells::Names`] has it.
        keys: (&'a [u32], Texts<'a>),
        /// By entry, as [`Cells::Names`] has it.
        values: (&'a [u32], Texts<'a>),
    },
    /// By row, numbers with counts.
    Counts {
        /// By row, where its entries end; a row without entries is null.
        ends: &'a [u32],
        /// By entry, as [`Cells::Repeated`] has it.
        keys: (&'a [u32], &'a [i64]),
        /// By entry, as [`Cells::Repeated`] has it.
        values: (&'a [u32], &'a [i64]),
    },
}

/// What keys stand for.
#[derive(Clone, Copy)]
enum Dictionary<'a> {
    Texts(Texts<'a>),
    Numbers(&'a [i64]),
}

impl Dictionary<'_> {
    const NOTHING: Dictionary<'static> = Dictionary::Numbers(&[]);

    fn len(&self) -> usize {
        match self {
            Dictionary::Texts(texts) => texts.len(),
            Dictionary::Numbers(numbers) => numbers.len(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Dictionary::Texts(texts) => texts.bytes.len(),
            Dictionary::Numbers(numbers) => size_of_val(*numbers),
        }
    }
}

impl<'a> Cells<'a> {
    /// The dictionaries of the columns of Parquet that the cells become.
    fn dictionaries(&self) -> (Dictionary<'a>, Option<Dictionary<'a>>) {
        match *self {
            Cells::Names { names, .. } => (Dictionary::Texts(names), None),
            Cells::Repeated { numbers, .. } => (Dictionary::Numbers(numbers), None),
            Cells::Texts { .. } | Cells::Numbers(_) | Cells::Hashes(_) => {
                (Dictionary::NOTHING, None)
            }
            Cells::Map { keys, values, .. } => {
                (Dictionary::Texts(keys.1), Some(Dictionary::Texts(values.1)))
            }
            Cells::Counts { keys, values, .. } => {
                (Dictionary::Numbers(keys.1), Some(Dictionary::Numbers(values.1)))
            }
        }
    }
}

/// Texts end to end.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a> {
    /// All of them.
    pub bytes: &'a [u8],
    /// By text, where it ends in `bytes`.
    pub ends: &'a [u32],
}

impl<'a> Texts<'a> {
    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text numbered `i`.
    #[inline]
    pub fn get(&self, i: usize) -> &'a [u8] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        &self.bytes[start..self.ends[i] as usize]
    }
}

/// What encoding needs and does not keep from run to run: one for each thread.
pub struct Encoder {
    zstd: Compressors,
    levels: Levels,
    keys: Vec<u32>,
    numbers: Vec<i64>,
    lengths: Vec<i64>,
    page: Vec<u8>,
    compressed: Vec<u8>,
    column: Vec<u8>,
    /// Row groups of records of parts that are finished, for their memory.
    pub(crate) spare_groups: Vec<RowGroup>,
}

/// One for each day that is usually open.
const SPARE_GROUPS: usize = 2;

impl Encoder {
    /// Begins with nothing.
    ///
    /// # Errors
    /// [`crate::Error::Parquet`] when there is no memory for the compressor.
    pub fn new() -> crate::Result<Encoder> {
        Ok(Encoder {
            zstd: Compressors::new()?,
            levels: Levels::default(),
            keys: Vec::new(),
            numbers: Vec::new(),
            lengths: Vec::new(),
            page: Vec::new(),
            compressed: Vec::new(),
            column: Vec::new(),
            spare_groups: Vec::new(),
        })
    }

    /// Takes a row group of records, which has no rows now, for its memory.
    pub fn keep(&mut self, group: RowGroup) {
        if self.spare_groups.len() < SPARE_GROUPS {
            self.spare_groups.push(group);
        }
    }
}

/// A row group being gathered, run by run: one page a run and column.
pub struct RowGroup {
    columns: Vec<ColumnChunk>,
    rows: usize,
}

impl RowGroup {
    pub(crate) fn new(file: &SerializedFileWriter<impl std::io::Write + Send>) -> RowGroup {
        let column = |of: &ColumnDescPtr| {
            let filter = file.properties().bloom_filter_properties(of.path());
            let is_of_any_case = of.path().string() == RECIPIENT;
            let filter = filter.map(|filter| Filter::new(filter.fpp, is_of_any_case));
            ColumnChunk::new(of.clone(), filter)
        };
        RowGroup { columns: file.schema_descr().columns().iter().map(column).collect(), rows: 0 }
    }

    /// Rows gathered.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of the pages gathered.
    pub fn bytes(&self) -> usize {
        self.columns.iter().map(ColumnChunk::bytes).sum()
    }

    /// Adds some of the rows that `cells` have. They are those of all columns.
    pub(crate) fn push(
        &mut self,
        encoder: &mut Encoder,
        rows: Range<usize>,
        cells: &[Cells<'_>],
    ) -> Result<()> {
        self.rows += rows.len();
        let mut columns = self.columns.iter_mut();
        for cells in cells {
            let mut next = || columns.next().expect("as many columns as the schema has leaves");
            let (first, second) = cells.dictionaries();
            let rows = rows.clone();
            match *cells {
                Cells::Names { keys, .. } | Cells::Repeated { keys, .. } => {
                    next().push_by_key(encoder, rows, keys, first)?;
                }
                Cells::Texts { order, texts } => next().push_texts(encoder, &order[rows], texts)?,
                Cells::Numbers(numbers) => next().push_numbers(encoder, rows, numbers)?,
                Cells::Hashes(hashes) => next().push_hashes(encoder, rows, hashes)?,
                Cells::Map { ends, keys: (keys, _), values: (values, _) }
                | Cells::Counts { ends, keys: (keys, _), values: (values, _) } => {
                    next().push_entries(encoder, rows.clone(), ends, keys, first)?;
                    let second = second.unwrap_or(Dictionary::NOTHING);
                    next().push_entries(encoder, rows, ends, values, second)?;
                }
            }
        }
        Ok(())
    }

    /// Writes the row group and begins the next one. `cells` say which names the keys stood for.
    pub(crate) fn finish(
        &mut self,
        encoder: &mut Encoder,
        cells: &[Cells<'_>],
        file: &mut SerializedFileWriter<impl std::io::Write + Send>,
    ) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let mut group = file.next_row_group()?;
        let mut columns = self.columns.iter_mut();
        for cells in cells {
            let (first, second) = cells.dictionaries();
            for dictionary in [Some(first), second].into_iter().flatten() {
                let column = columns.next().expect("as many columns as the schema has leaves");
                column.finish(encoder, dictionary, rows, &mut group)?;
            }
        }
        group.close()?;
        Ok(())
    }
}
