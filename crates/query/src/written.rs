//! What one MTA wrote on one day: how many records of each type, and how many of them have what.

use std::collections::BTreeMap;

use pmtaq_schema::Record;
use pmtaq_schema::time::Day;

use crate::need::Need;

/// What one MTA wrote on one UTC day.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    pub(crate) host: String,
    pub(crate) day: Day,
    /// Records by type.
    pub(crate) rows: BTreeMap<Record, u64>,
    /// Of these, how many have what is needed, by the SQL of the need.
    pub(crate) has: BTreeMap<(&'static str, Record), u64>,
}

impl Written {
    /// How many records of a type there are, and how many have what is needed.
    pub(crate) fn of(&self, need: &Need, record: Record) -> (u64, u64) {
        let rows = self.rows.get(&record).copied().unwrap_or(0);
        (rows, self.has.get(&(need.sql, record)).copied().unwrap_or(0))
    }
}
