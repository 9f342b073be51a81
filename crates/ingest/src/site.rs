//! What the dimensions of the site that `hourly` keeps are of records that were read back from parts.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use pmtaq_schema::columns::index_of;
use pmtaq_schema::site::{KeptDimensions, Row};
use pmtaq_schema::{COLUMNS, Kind};

use crate::intern::NameColumn;

/// The column of the cells of a row that has them: that behind those of `records`.
pub(crate) const SITE: usize = COLUMNS.len();

const EXTRA: usize = index_of("extra");

/// The values of the records of a batch.
pub(crate) fn of_batch(kept: &KeptDimensions, batch: &RecordBatch) -> NameColumn {
    let texts = |name: &str, kind: Kind| {
        let column = batch.column_by_name(name).filter(|_| kind.is_text())?;
        Some(cast(column, &DataType::Utf8).expect("names and texts are text"))
    };
    let columns = COLUMNS.iter().map(|column| texts(column.name, column.kind)).collect();
    let extra = batch.column_by_name(COLUMNS[EXTRA].name).map(|extra| {
        let entries = extra.as_map().entries();
        let text = |at: usize| cast(entries.column(at), &DataType::Utf8).expect("texts");
        (extra.clone(), text(0), text(1))
    });
    let mut read = Read { columns, extra, row: 0 };
    let (mut names, mut text) = (NameColumn::default(), String::new());
    for row in 0..batch.num_rows() {
        read.row = row;
        text.clear();
        kept.values(&read, &mut text);
        if !text.is_empty() {
            names.set(row, text.as_bytes());
        }
    }
    names.fill(batch.num_rows());
    names
}

/// A row of a batch, with all its texts as text.
struct Read {
    columns: Vec<Option<ArrayRef>>,
    /// The map with its names and values.
    extra: Option<(ArrayRef, ArrayRef, ArrayRef)>,
    row: usize,
}

impl Row for Read {
    fn text(&self, column: usize) -> &[u8] {
        self.columns[column].as_ref().map_or(b"", |texts| text_at(texts, self.row))
    }

    fn field(&self, is_it: &dyn Fn(&[u8]) -> bool) -> Option<&[u8]> {
        let (map, names, values) =
            self.extra.as_ref().filter(|(map, ..)| map.is_valid(self.row))?;
        let ends = &map.as_map().value_offsets()[self.row..];
        let mut entries = ends[0] as usize..ends[1] as usize;
        let found = entries.find(|&entry| is_it(text_at(names, entry)))?;
        Some(text_at(values, found))
    }
}

fn text_at(texts: &ArrayRef, row: usize) -> &[u8] {
    let texts = texts.as_string::<i32>();
    if texts.is_valid(row) { texts.value(row).as_bytes() } else { b"" }
}
