//! What is old enough to go, by table and day, and its going. Sources stay known: a file that is
//! ingested again brings nothing back.

use pmtaq_schema::Timestamp;
use pmtaq_schema::time::{DAY_S, Day};
use pmtaq_store::layout::Table;
use pmtaq_store::{Change, Part, Result, Writer};

/// How long the rows of a table are kept, in seconds. A table that is not named is kept for ever.
pub type Keep = (Table, i64);

/// The parts that are older than `keep` allows: those of days that ended before.
///
/// # Errors
/// What the store says.
pub fn expired(writer: &Writer<'_>, keep: &[Keep], now: Timestamp) -> Result<Vec<(Day, Part)>> {
    let mut expired = Vec::new();
    for day in writer.days() {
        let ended = |seconds: i64| day.start().0 + DAY_S <= now.0.saturating_sub(seconds);
        let gone = |table| keep.iter().any(|(named, seconds)| *named == table && ended(*seconds));
        if keep.iter().any(|(_, seconds)| ended(*seconds)) {
            let parts = writer.parts(day)?.into_iter().filter(|part| gone(part.part.table));
            expired.extend(parts.map(|part| (day, part.part)));
        }
    }
    Ok(expired)
}

/// Takes parts away for good, in one commit.
///
/// # Errors
/// What the store says; it is as it was then.
pub fn prune(writer: &mut Writer<'_>, parts: Vec<(Day, Part)>) -> Result<()> {
    let mut change = Change::default();
    for (day, part) in &parts {
        match part.table {
            Table::Records => {
                change.removed.records += part.rows.cast_signed();
                change.pruned.push(*day);
            }
            Table::Hourly | Table::DailySenders | Table::DailyDomains => {}
            Table::Rejects => change.removed.rejects += part.rows.cast_signed(),
        }
    }
    change.retired = parts;
    writer.commit(change)
}
