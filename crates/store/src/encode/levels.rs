//! Which rows of a page have a value, as Parquet's definition and repetition levels.
//! Knows positions, not values.

use super::hybrid;

/// A bitmap of the rows that have a value, kept from page to page for its memory.
#[derive(Default)]
pub(super) struct Levels {
    bitmap: Vec<u8>,
    rows: usize,
    nulls: usize,
}

impl Levels {
    /// Notes for each row of a page whether `is_present` says so of what the row has.
    pub(super) fn note<T>(&mut self, rows: &[T], is_present: impl Fn(&T) -> bool) {
        self.rows = rows.len();
        self.nulls = self.rows;
        self.bitmap.clear();
        let byte = |rows: &[T]| {
            let bits = rows.iter().enumerate();
            bits.fold(0, |byte, (bit, row)| byte | u8::from(is_present(row)) << bit)
        };
        // Eight at a time, without a branch for each row.
        let (whole, rest) = rows.as_chunks::<8>();
        self.bitmap.extend(whole.iter().map(|rows| byte(rows)));
        if !rest.is_empty() {
            self.bitmap.push(byte(rest));
        }
        self.nulls -= self.bitmap.iter().map(|byte| byte.count_ones() as usize).sum::<usize>();
    }

    /// Notes that no row of a page has a value.
    pub(super) fn note_none(&mut self, rows: usize) {
        (self.rows, self.nulls) = (rows, rows);
        self.bitmap.clear();
        self.bitmap.resize(rows.div_ceil(8), 0);
    }

    /// Rows that have none.
    pub(super) fn nulls(&self) -> usize {
        self.nulls
    }

    /// Appends the definition levels of a flat column, as version 1 of a data page has them.
    pub(super) fn append(&self, page: &mut Vec<u8>) {
        with_length(page, |page| hybrid::encode_bits(&self.bitmap, self.rows, page));
    }
}

/// Appends levels of up to `greatest`, as version 1 of a data page has them.
pub(super) fn append(levels: &[u32], greatest: i16, page: &mut Vec<u8>) {
    let width = hybrid::width_of(greatest as usize + 1);
    with_length(page, |page| hybrid::encode(levels, width, page));
}

/// Puts the length of what `write` appends before it, in four bytes.
fn with_length(page: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = page.len();
    page.extend_from_slice(&[0; 4]);
    write(page);
    let length = u32::try_from(page.len() - at - 4).expect("a page is smaller than 4 GB");
    page[at..at + 4].copy_from_slice(&length.to_le_bytes());
}
