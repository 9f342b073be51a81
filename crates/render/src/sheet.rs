//! What a page needs beside its rows: columns with units, and the way to lay it out.
//! Never holds the rows themselves.

use arrow::datatypes::{DataType, SchemaRef};
use chrono_tz::Tz;
use pmtaq_schema::Unit;

/// What a page needs beside its rows.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// Printed above a table, in Markdown and HTML too; other formats have no place for it.
    pub title: Option<String>,
    /// The Arrow schema of the batches, also when there are none: Parquet stores it.
    pub schema: SchemaRef,
    /// One entry for each field of `schema`, in its order.
    pub columns: Vec<Column>,
}

impl Sheet {
    /// Describes batches of `schema` by their own names and the units their types suggest.
    pub fn new(schema: SchemaRef) -> Self {
        let columns = schema
            .fields()
            .iter()
            .map(|field| Column::new(field.name(), unit_of(field.data_type())))
            .collect();
        Sheet { title: None, schema, columns }
    }

    /// Returns the column names, made unique as DuckDB does (`n`, `n_1`), because a JSON object
    /// or a Parquet file with the same name twice loses one of the two in most readers.
    pub(crate) fn unique_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let mut name = column.name.clone();
            let mut n = 0;
            while names.contains(&name)
                || (n > 0 && self.columns.iter().any(|other| other.name == name))
            {
                n += 1;
                name = format!("{}_{n}", column.name);
            }
            names.push(name);
        }
        names
    }
}

/// A column of a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name in the header, and the key in JSON.
    pub name: String,
    /// What the values mean.
    pub unit: Unit,
    /// The index of the column that is the denominator of this rate, if it is one.
    ///
    /// A table marks the rate with `~` where the denominator is below 20.
    pub of: Option<usize>,
}

impl Column {
    /// Returns a column that is no rate.
    pub fn new(name: impl Into<String>, unit: Unit) -> Self {
        Column { name: name.into(), unit, of: None }
    }
}

/// The unit that an Arrow type suggests when nothing better is known.
fn unit_of(data_type: &DataType) -> Unit {
    match data_type {
        DataType::Dictionary(_, values) => unit_of(values),
        DataType::Decimal128(_, 0) => Unit::Count,
        DataType::Timestamp(..) => Unit::Time,
        integer if integer.is_integer() => Unit::Count,
        number if number.is_numeric() => Unit::Number,
        _ => Unit::Text,
    }
}

/// How to lay out a page.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Columns of the terminal that a table must fit; `None` cuts no text below 60,000 columns.
    pub width: Option<u16>,
    /// Whether a table may use escape sequences for colour. Nothing is said by colour alone.
    pub color: bool,
    /// Whether `out` is a terminal, so that formats for machines spell out what would steer it.
    pub terminal: bool,
    /// Whether csv and tsv put an apostrophe before a text that a spreadsheet would take for a
    /// formula.
    pub csv_safe: bool,
    /// The zone in which tables show UTC instants. Machine formats stay in UTC.
    pub zone: Tz,
}

impl Default for Style {
    fn default() -> Self {
        Style { width: None, color: false, terminal: false, csv_safe: false, zone: Tz::UTC }
    }
}

/// What was written, and what the layout left out: the caller tells the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WrittenSheet {
    /// Rows written, without the header.
    pub rows: u64,
    /// Columns of a table in which at least one text was shortened to fit the width.
    pub cut_columns: usize,
    /// Columns at the right of a table that found no room at all.
    pub hidden_columns: usize,
}
