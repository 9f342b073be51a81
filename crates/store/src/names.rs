//! The names in a column of a part, by its dictionaries: no row is read, so that a shell can ask for them
//! at each press of a key. Knows no meaning of any column.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use parquet::basic::Type;
use parquet::column::page::Page;
use parquet::errors::{ParquetError, Result as Decoded};
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::error::{At, Error, Result};
use crate::guard::guarded;

/// The names that the dictionaries of `column` hold; none when the part has no such column of texts.
///
/// # Errors
/// [`Error::Io`] when the part cannot be opened, [`Error::Damaged`] when it cannot be read.
pub(crate) fn of_column(path: &Path, column: &str) -> Result<BTreeSet<String>> {
    guarded(path, || {
        let file = File::open(path).at(path)?;
        dictionaries(file, column)
            .map_err(|error| Error::Damaged { path: path.to_owned(), what: error.to_string() })
    })
}

fn dictionaries(file: File, column: &str) -> Decoded<BTreeSet<String>> {
    let reader = SerializedFileReader::new(file)?;
    let columns = reader.metadata().file_metadata().schema_descr().columns();
    let is_wanted = |at: &usize| {
        columns[*at].path().string() == column && columns[*at].physical_type() == Type::BYTE_ARRAY
    };
    let mut names = BTreeSet::new();
    let Some(place) = (0..columns.len()).find(is_wanted) else { return Ok(names) };
    for group in 0..reader.num_row_groups() {
        // A dictionary comes before what refers to it.
        let page = reader.get_row_group(group)?.get_column_page_reader(place)?.get_next_page()?;
        if let Some(Page::DictionaryPage { buf, .. }) = page {
            take(&buf, &mut names)?;
        }
    }
    Ok(names)
}

/// Takes the texts of a page, each of which stands behind its length in four bytes.
fn take(mut page: &[u8], names: &mut BTreeSet<String>) -> Decoded<()> {
    while !page.is_empty() {
        let text = page.split_first_chunk::<4>().and_then(|(length, rest)| {
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            rest.split_at_checked(length)
        });
        let short = || ParquetError::General("a dictionary ends within a name".to_owned());
        let (text, rest) = text.ok_or_else(short)?;
        names.insert(String::from_utf8_lossy(text).into_owned());
        page = rest;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_names_is_read_and_a_cut_one_is_refused() {
        let page = b"\x03\0\0\0abc\0\0\0\0\x01\0\0\0z";
        let mut names = BTreeSet::new();
        take(page, &mut names).expect("three names");
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["", "abc", "z"]);
        for end in [2, 6, page.len() - 1] {
            assert!(take(&page[..end], &mut BTreeSet::new()).is_err(), "{end}");
        }
    }
}
