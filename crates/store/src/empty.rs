//! Which columns of a part have no value, by its footer. Knows no meaning of any column.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use parquet::errors::Result as Decoded;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};

use crate::error::{Error, Result};
use crate::guard::guarded;

/// The columns of which no row group has a value. One of which the footer does not say how many are null may
/// have some.
///
/// # Errors
/// [`Error::Damaged`] when its footer cannot be read.
pub(crate) fn columns(path: &Path, file: &File) -> Result<BTreeSet<String>> {
    guarded(path, || {
        footer(file)
            .map(|footer| without_values(&footer))
            .map_err(|error| Error::Damaged { path: path.to_owned(), what: error.to_string() })
    })
}

fn footer(file: &File) -> Decoded<ParquetMetaData> {
    ParquetMetaDataReader::new().parse_and_finish(file)
}

/// Whether a column of a row group has no value.
pub(crate) fn is_empty(chunk: &ColumnChunkMetaData) -> bool {
    let nulls = chunk.statistics().and_then(|statistics| statistics.null_count_opt());
    nulls.is_some_and(|nulls| i64::try_from(nulls) == Ok(chunk.num_values()))
}

fn without_values(footer: &ParquetMetaData) -> BTreeSet<String> {
    let of_groups = footer.row_groups().iter().flat_map(|group| group.columns());
    let mut having = BTreeSet::new();
    let mut all = BTreeSet::new();
    for chunk in of_groups {
        let name = chunk.column_path().parts()[0].clone();
        if !is_empty(chunk) {
            having.insert(name.clone());
        }
        all.insert(name);
    }
    all.difference(&having).cloned().collect()
}
