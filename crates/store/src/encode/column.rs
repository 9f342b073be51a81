//! One column of a row group: its pages so far, and what the footer says of them.

use std::io::{Chain, Read, Write};
use std::ops::Range;

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;

use crate::table::compression;

use super::filter::Filter;
use super::header::{self, PageKind};
use super::repeats::Repeats;
use super::{Dictionary, Encoder, NO_NAME, NO_NUMBER, Texts, ahead, delta, hybrid, levels};

/// Bytes of names in a dictionary. What comes when it is full is written as text: a dictionary of
/// values that hardly repeat costs a reader more than it saves.
const DICTIONARY: usize = 1 << 20;

/// Bytes of a name that bounds the names of a column chunk; longer ones are cut.
const BOUND: usize = 64;

/// Texts asked for while one is copied: they lie in all of a run, which is larger than the cache.
const AHEAD: usize = 24;

pub(super) struct ColumnChunk {
    descriptor: ColumnDescPtr,
    /// Data pages with their headers.
    pages: Vec<u8>,
    /// Bytes of the data pages before compression, with their headers.
    uncompressed: usize,
    values: usize,
    nulls: usize,
    /// The encodings of the data pages.
    by_key: bool,
    by_value: bool,
    /// Values as they are, of which nothing is told.
    is_plain: bool,
    /// Names that the data pages refer to by key.
    dictionary: usize,
    /// Numbers that came without keys and have some now, while they repeat.
    repeats: Repeats,
    /// The texts, of a column in which people look for one.
    filter: Option<Filter>,
    least: i64,
    greatest: i64,
}

impl ColumnChunk {
    pub(super) fn new(descriptor: ColumnDescPtr, filter: Option<Filter>) -> ColumnChunk {
        ColumnChunk {
            descriptor,
            pages: Vec::new(),
            uncompressed: 0,
            values: 0,
            nulls: 0,
            by_key: false,
            by_value: false,
            is_plain: false,
            dictionary: 0,
            repeats: Repeats::default(),
            filter,
            least: i64::MAX,
            greatest: i64::MIN,
        }
    }

    /// Bytes of the data pages so far.
    pub(super) fn bytes(&self) -> usize {
        self.pages.len()
    }

    /// A page of names or numbers by key.
    pub(super) fn push_by_key(
        &mut self,
        encoder: &mut Encoder,
        rows: Range<usize>,
        keys: &[u32],
        dictionary: Dictionary<'_>,
    ) -> Result<()> {
        let values = rows.len();
        let keys = self.begin_flat(encoder, rows, keys, |&key| key != NO_NAME);
        let mut spare = std::mem::take(&mut encoder.keys);
        let present = present(keys, encoder.levels.nulls(), |&key| key != NO_NAME, &mut spare);
        let pushed = self.push_keys(encoder, values, present, dictionary);
        encoder.keys = spare;
        pushed
    }

    /// A page of one half of the entries of maps: their keys, or their values.
    pub(super) fn push_entries(
        &mut self,
        encoder: &mut Encoder,
        rows: Range<usize>,
        ends: &[u32],
        keys: &[u32],
        dictionary: Dictionary<'_>,
    ) -> Result<()> {
        let greatest = self.descriptor.max_def_level();
        let end_of = |row: usize| ends.get(row).map_or(0, |&end| end as usize);
        let start = rows.start.checked_sub(1).map_or(0, end_of);
        let (mut definition, mut repetition) = (Vec::new(), Vec::new());
        let mut from = start;
        for row in rows {
            let until = end_of(row).max(from);
            if from == until {
                definition.push(0);
                repetition.push(0);
            }
            for n in 0..until - from {
                definition.push(greatest as u32);
                repetition.push(u32::from(n > 0));
            }
            from = until;
        }
        encoder.page.clear();
        levels::append(&repetition, self.descriptor.max_rep_level(), &mut encoder.page);
        levels::append(&definition, greatest, &mut encoder.page);
        let keys = &keys[start..from];
        self.nulls += definition.len() - keys.len();
        self.push_keys(encoder, definition.len(), keys, dictionary)
    }

    /// A page of texts.
    pub(super) fn push_texts(
        &mut self,
        encoder: &mut Encoder,
        order: &[u32],
        texts: Texts<'_>,
    ) -> Result<()> {
        let mut lengths = std::mem::take(&mut encoder.lengths);
        lengths.clear();
        if !texts.is_empty() {
            lengths.extend(order.iter().map(|&row| texts.get(row as usize).len() as i64));
        }
        // An empty text is null where the column has such.
        let has_nulls = self.descriptor.max_def_level() > 0;
        let is_present = |&length: &i64| length > 0 || !has_nulls;
        self.begin_flat(encoder, 0..order.len(), &lengths, is_present);
        let present = present(&lengths, encoder.levels.nulls(), is_present, &mut encoder.numbers);
        delta::encode_lengths(present, &mut encoder.page);
        encoder.lengths = lengths;
        if !texts.is_empty() {
            let mut last: &[u8] = b"";
            for (i, &row) in order.iter().enumerate() {
                if let Some(&row) = order.get(i + AHEAD) {
                    ahead::fetch(texts.get(row as usize));
                }
                let text = texts.get(row as usize);
                encoder.page.extend_from_slice(text);
                // Records of a message stand side by side.
                if let Some(filter) = &mut self.filter
                    && text != last
                {
                    filter.add(text);
                    last = text;
                }
            }
        }
        self.by_value = true;
        self.write_page(encoder, order.len(), Encoding::DELTA_LENGTH_BYTE_ARRAY)
    }

    /// A page of numbers: by key, as long as they repeat.
    pub(super) fn push_numbers(
        &mut self,
        encoder: &mut Encoder,
        rows: Range<usize>,
        numbers: &[i64],
    ) -> Result<()> {
        let values = rows.len();
        let numbers = self.begin_flat(encoder, rows, numbers, |&number| number != NO_NUMBER);
        let nulls = encoder.levels.nulls();
        let present = present(numbers, nulls, |&number| number != NO_NUMBER, &mut encoder.numbers);
        let most = DICTIONARY / size_of::<i64>();
        if self.repeats.keys(present, most, &mut encoder.keys) {
            let keys = std::mem::take(&mut encoder.keys);
            let distinct = self.repeats.numbers().len();
            let pushed = self.push_page_of_keys(encoder, values, &keys, distinct);
            encoder.keys = keys;
            return pushed;
        }
        self.note_bounds(present);
        delta::encode(present, &mut encoder.page);
        self.by_value = true;
        self.write_page(encoder, values, Encoding::DELTA_BINARY_PACKED)
    }

    /// A page of hashes.
    pub(super) fn push_hashes(
        &mut self,
        encoder: &mut Encoder,
        rows: Range<usize>,
        hashes: &[u64],
    ) -> Result<()> {
        let values = rows.len();
        let hashes = self.begin_flat(encoder, rows, hashes, |_| true);
        encoder.page.extend(hashes.iter().flat_map(|hash| hash.to_le_bytes()));
        self.is_plain = true;
        self.write_page(encoder, values, Encoding::PLAIN)
    }

    /// Begins a page of a column without repetition: what the levels say. Returns the cells of `rows`
    /// among those of all, which may be none.
    fn begin_flat<'c, T>(
        &mut self,
        encoder: &mut Encoder,
        rows: Range<usize>,
        cells: &'c [T],
        is_present: impl Fn(&T) -> bool,
    ) -> &'c [T] {
        let count = rows.len();
        let cells = if cells.is_empty() { cells } else { &cells[rows] };
        if cells.is_empty() {
            encoder.levels.note_none(count);
        } else {
            encoder.levels.note(cells, is_present);
        }
        encoder.page.clear();
        self.nulls += encoder.levels.nulls();
        if self.descriptor.max_def_level() > 0 {
            encoder.levels.append(&mut encoder.page);
        }
        cells
    }

    /// Ends a page with keys, or with what they stand for.
    fn push_keys(
        &mut self,
        encoder: &mut Encoder,
        values: usize,
        keys: &[u32],
        dictionary: Dictionary<'_>,
    ) -> Result<()> {
        if dictionary.bytes() <= DICTIONARY {
            return self.push_page_of_keys(encoder, values, keys, dictionary.len());
        }
        encoder.numbers.clear();
        match dictionary {
            Dictionary::Texts(names) => {
                let names = keys.iter().map(|&key| names.get(key as usize));
                encoder.numbers.extend(names.clone().map(|name| name.len() as i64));
                delta::encode_lengths(&encoder.numbers, &mut encoder.page);
                names.for_each(|name| encoder.page.extend_from_slice(name));
            }
            Dictionary::Numbers(numbers) => {
                encoder.numbers.extend(keys.iter().map(|&key| numbers[key as usize]));
                self.note_bounds(&encoder.numbers);
                delta::encode(&encoder.numbers, &mut encoder.page);
            }
        }
        self.by_value = true;
        self.write_page(encoder, values, self.value_encoding())
    }

    fn push_page_of_keys(
        &mut self,
        encoder: &mut Encoder,
        values: usize,
        keys: &[u32],
        distinct: usize,
    ) -> Result<()> {
        self.dictionary = distinct;
        self.by_key = true;
        // Whole bytes, in which zstd finds what comes again: 6 % fewer bytes of all names.
        let width = match hybrid::width_of(distinct) {
            narrow @ 0..=4 => narrow,
            wide => wide.next_multiple_of(8),
        };
        encoder.page.push(width);
        hybrid::encode(keys, width, &mut encoder.page);
        self.write_page(encoder, values, Encoding::RLE_DICTIONARY)
    }

    fn note_bounds(&mut self, numbers: &[i64]) {
        for &number in numbers {
            self.least = self.least.min(number);
            self.greatest = self.greatest.max(number);
        }
    }

    /// Ends a page: compresses what `encoder` holds.
    fn write_page(
        &mut self,
        encoder: &mut Encoder,
        values: usize,
        encoding: Encoding,
    ) -> Result<()> {
        self.values += values;
        self.uncompressed +=
            append_page(encoder, &mut self.pages, PageKind::Data { values, encoding })?;
        Ok(())
    }

    /// Writes the column: the dictionary, then the data pages. Begins anew for the next row group.
    pub(super) fn finish(
        &mut self,
        encoder: &mut Encoder,
        dictionary: Dictionary<'_>,
        rows: usize,
        group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    ) -> Result<()> {
        let mut repeats = std::mem::take(&mut self.repeats);
        let dictionary = match repeats.numbers() {
            [] => dictionary,
            numbers => Dictionary::Numbers(numbers),
        };
        let mut uncompressed = self.uncompressed;
        let mut column = std::mem::take(&mut encoder.column);
        column.clear();
        if self.by_key {
            encoder.page.clear();
            match dictionary {
                Dictionary::Texts(names) => {
                    for name in (0..self.dictionary).map(|i| names.get(i)) {
                        encoder.page.extend_from_slice(&(name.len() as u32).to_le_bytes());
                        encoder.page.extend_from_slice(name);
                    }
                }
                Dictionary::Numbers(numbers) => {
                    let numbers = &numbers[..self.dictionary];
                    self.note_bounds(numbers);
                    encoder.page.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
                }
            }
            let page = PageKind::Dictionary { values: self.dictionary };
            uncompressed += append_page(encoder, &mut column, page)?;
        }
        let data_at = column.len() as i64;
        let mut encodings = vec![Encoding::RLE];
        if self.by_key {
            encodings.extend([Encoding::PLAIN, Encoding::RLE_DICTIONARY]);
        }
        if self.is_plain {
            encodings.push(Encoding::PLAIN);
        }
        if self.by_value {
            encodings.push(self.value_encoding());
        }
        let metadata = ColumnChunkMetaData::builder(self.descriptor.clone())
            .set_compression(compression())
            .set_encodings(encodings)
            .set_num_values(self.values as i64)
            .set_total_compressed_size((column.len() + self.pages.len()) as i64)
            .set_total_uncompressed_size(uncompressed as i64)
            .set_dictionary_page_offset(self.by_key.then_some(0))
            .set_data_page_offset(data_at)
            .set_statistics(self.statistics(dictionary))
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: (column.len() + self.pages.len()) as u64,
            rows_written: rows as u64,
            metadata,
            bloom_filter: self.filter.as_mut().map(Filter::finish),
            column_index: None,
            offset_index: None,
        };
        group.append_column(&Pieces { dictionary: &column, data: &self.pages }, close)?;
        encoder.column = column;
        self.pages.clear();
        repeats.clear();
        *self = ColumnChunk {
            pages: std::mem::take(&mut self.pages),
            repeats,
            ..ColumnChunk::new(self.descriptor.clone(), self.filter.take())
        };
        Ok(())
    }

    fn value_encoding(&self) -> Encoding {
        match self.descriptor.physical_type() {
            parquet::basic::Type::INT64 => Encoding::DELTA_BINARY_PACKED,
            _ => Encoding::DELTA_LENGTH_BYTE_ARRAY,
        }
    }

    /// The least and the greatest value, for readers that pass over what they cannot need. Of
    /// texts that are not in a dictionary nothing is said: they rule out no question.
    fn statistics(&self, dictionary: Dictionary<'_>) -> Statistics {
        let nulls = Some(self.nulls as u64);
        if self.descriptor.physical_type() == parquet::basic::Type::INT64 {
            let (least, greatest) = (self.least, self.greatest);
            let some = least <= greatest;
            let (least, greatest) = (some.then_some(least), some.then_some(greatest));
            return Statistics::int64(least, greatest, None, nulls, false);
        }
        let names = match dictionary {
            Dictionary::Texts(names) if !self.by_value => names,
            _ => Texts { bytes: &[], ends: &[] },
        };
        let all = (0..names.len().min(self.dictionary)).map(|i| names.get(i));
        let (least, greatest) = (all.clone().min(), all.max());
        // A beginning of the least is below it; no beginning of the greatest is above it.
        let exact = least.is_none_or(|least| least.len() <= BOUND);
        let least = least.map(|least| ByteArray::from(beginning(least)));
        let greatest =
            greatest.filter(|name| name.len() <= BOUND).map(|name| ByteArray::from(name.to_vec()));
        Statistics::ByteArray(
            ValueStatistics::new(least, greatest, None, nulls, false).with_min_is_exact(exact),
        )
    }
}

/// Those of `cells` that are not null, of which there are `nulls`; in `spare` if need be.
fn present<'a, T: Copy + Default>(
    cells: &'a [T],
    nulls: usize,
    is_present: impl Fn(&T) -> bool,
    spare: &'a mut Vec<T>,
) -> &'a [T] {
    if nulls == 0 || cells.is_empty() {
        return cells;
    }
    if spare.len() < cells.len() {
        spare.resize(cells.len(), T::default());
    }
    // Each is written, the next one over those that are null: without a branch for each.
    let mut len = 0;
    for cell in cells {
        spare[len] = *cell;
        len += usize::from(is_present(cell));
    }
    &spare[..len]
}

/// The pages of a column, to be read from the first.
struct Pieces<'a> {
    dictionary: &'a [u8],
    data: &'a [u8],
}

impl Length for Pieces<'_> {
    fn len(&self) -> u64 {
        (self.dictionary.len() + self.data.len()) as u64
    }
}

impl<'a> ChunkReader for Pieces<'a> {
    type T = Chain<&'a [u8], &'a [u8]>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let start = start as usize;
        let dictionary = self.dictionary.get(start..).unwrap_or_default();
        let data = &self.data[start.saturating_sub(self.dictionary.len())..];
        Ok(dictionary.chain(data))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let mut bytes = Vec::new();
        self.get_read(start)?.take(length as u64).read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// As much of a name as a bound may hold, in whole characters.
fn beginning(name: &[u8]) -> Vec<u8> {
    let mut end = name.len().min(BOUND);
    while end < name.len() && end > 0 && name[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    name[..end].to_vec()
}

/// Appends the page that `encoder.page` holds to `pages`, compressed and with its header. Returns the
/// bytes that it takes without compression.
fn append_page(encoder: &mut Encoder, pages: &mut Vec<u8>, page: PageKind) -> Result<usize> {
    let uncompressed = encoder.page.len();
    if i32::try_from(uncompressed).is_err() {
        return Err(ParquetError::General(format!("a page of {uncompressed} bytes is too large")));
    }
    let zstd = encoder.zstd.of(page);
    encoder.compressed.clear();
    encoder.compressed.reserve(zstd::zstd_safe::compress_bound(uncompressed));
    let done = zstd.compress_to_buffer(&encoder.page, &mut encoder.compressed);
    done.map_err(|error| ParquetError::External(Box::new(error)))?;
    let begin = pages.len();
    header::append(page, uncompressed, &encoder.compressed, pages);
    let header = pages.len() - begin;
    pages.extend_from_slice(&encoder.compressed);
    Ok(uncompressed + header)
}
