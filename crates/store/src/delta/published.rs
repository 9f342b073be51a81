//! What the root says of a Delta log: which version of its table the last commit is.

use pmtaq_bucket::random;
use serde::{Deserialize, Serialize};

use crate::layout::Table;
use crate::table::schema_of;

/// Where the log of a table is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Published {
    /// The version that the last commit that changed the table is.
    pub(crate) version: u64,
    /// How many columns the table is said to have; a later program may know more.
    pub(super) columns: usize,
    /// Whether this version is the first to say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) has_new_columns: bool,
    /// Tells the table from any other, for who follows it; 32 hexadecimal digits. None of a log that an
    /// older version began.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) id: String,
}

impl Published {
    /// A log that begins: another table than any before it.
    pub(crate) fn new(table: Table) -> Published {
        let id = format!("{:016x}{:016x}", random(), random());
        Published { version: 0, columns: columns_of(table), has_new_columns: true, id }
    }
}

pub(super) fn columns_of(table: Table) -> usize {
    schema_of(table).fields().len()
}
