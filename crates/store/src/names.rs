//! The names in a column of a part, by its dictionaries: no row is read, so that a shell can ask for them
//! at each press of a key. Knows no meaning of any column.

use std::fs::File;
use std::path::Path;

use parquet::basic::Type;
use parquet::column::page::Page;
use parquet::errors::{ParquetError, Result as Decoded};
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::error::{At, Error, Result};
use crate::guard::guarded;

/// Bytes of dictionaries that are enough: who presses a key does not wait for more.
pub(crate) const ENOUGH: usize = 2 << 20;

/// Hands all names that the dictionaries of a column of a part hold to `take`, each as often as there are dictionaries
/// with it.
///
/// # Errors
/// [`Error::Io`] when the part cannot be opened, [`Error::Damaged`] when it cannot be read.
pub fn each_name(path: &Path, column: &str, mut take: impl FnMut(&str)) -> Result<()> {
    let mut left = usize::MAX;
    of_column(path, column, &mut left, &mut take)
}

/// Hands the names that the dictionaries of `column` hold to `take`; none when the part has no such column of
/// texts. Ends when no bytes of `left` are left.
///
/// # Errors
/// [`Error::Io`] when the part cannot be opened, [`Error::Damaged`] when it cannot be read.
pub(crate) fn of_column(
    path: &Path,
    column: &str,
    left: &mut usize,
    take: &mut impl FnMut(&str),
) -> Result<()> {
    guarded(path, || {
        let file = File::open(path).at(path)?;
        dictionaries(file, column, left, take)
            .map_err(|error| Error::Damaged { path: path.to_owned(), what: error.to_string() })
    })
}

fn dictionaries(
    file: File,
    column: &str,
    left: &mut usize,
    take: &mut impl FnMut(&str),
) -> Decoded<()> {
    let reader = SerializedFileReader::new(file)?;
    let columns = reader.metadata().file_metadata().schema_descr().columns();
    let is_wanted = |at: &usize| {
        columns[*at].path().string() == column && columns[*at].physical_type() == Type::BYTE_ARRAY
    };
    let Some(place) = (0..columns.len()).find(is_wanted) else { return Ok(()) };
    for group in (0..reader.num_row_groups()).rev() {
        if *left == 0 {
            break;
        }
        // A dictionary comes before what refers to it.
        let page = reader.get_row_group(group)?.get_column_page_reader(place)?.get_next_page()?;
        if let Some(Page::DictionaryPage { buf, .. }) = page {
            *left = left.saturating_sub(buf.len());
            texts(&buf, take)?;
        }
    }
    Ok(())
}

/// Hands over the texts of a page, each of which stands behind its length in four bytes.
fn texts(mut page: &[u8], take: &mut impl FnMut(&str)) -> Decoded<()> {
    while !page.is_empty() {
        let text = page.split_first_chunk::<4>().and_then(|(length, rest)| {
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            rest.split_at_checked(length)
        });
        let short = || ParquetError::General("a dictionary ends within a name".to_owned());
        let (text, rest) = text.ok_or_else(short)?;
        take(&String::from_utf8_lossy(text));
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
        let mut names = Vec::new();
        texts(page, &mut |name: &str| names.push(name.to_owned())).expect("three names");
        assert_eq!(names, ["abc", "", "z"]);
        for end in [2, 6, page.len() - 1] {
            assert!(texts(&page[..end], &mut |_: &str| ()).is_err(), "{end}");
        }
    }
}
