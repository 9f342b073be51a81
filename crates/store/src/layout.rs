//! Where each thing of a store lies. Nobody else joins path strings; nothing is opened here.
//!
//! ```text
//! <store>/records/date=2026-03-01/00000042-000.parquet   readable by any tool, by a plain glob
//! <store>/hourly/date=2026-03-01/00000042-001.parquet    its records counted by hour
//! <store>/daily_senders/date=2026-03-01/00000042-003.parquet   those hours added up, by who sent
//! <store>/daily_domains/date=2026-03-01/00000042-004.parquet   and by to whom
//! <store>/rejects/date=2026-03-02/00000042-002.parquet   refused lines, by the day of ingestion
//! <store>/records/_delta_log/                            versions of the table, where that is asked for
//! <store>/_pmtaq/root.json                               the truth: one small file
//! <store>/_pmtaq/root.copy.json                          what the root said last
//! <store>/_pmtaq/days/2026-03-01/parts-42.json           the parts of a day, as of generation 42
//! <store>/_pmtaq/days/2026-03-01/sources-42.json         the sources that begin on that day
//! <store>/_pmtaq/staging/                                parts not yet visible to a glob
//! <store>/_pmtaq/quarantine/                             damaged parts that were set aside
//! <store>/_pmtaq/reserve                                 room for a commit on a full disk
//! <store>/_pmtaq/lock                                    held by the one writer
//! <store>/_pmtaq/alerts.json                             what alerts are on, and what is to be sent
//! <store>/_pmtaq/alerts.lock                             held by the one who tells
//! <store>/_pmtaq/failed-ingests.json                     how many ingests failed, for alerts
//! ```

use std::fmt;
use std::path::{Path, PathBuf};

use pmtaq_schema::columns::{TIERS, Tier};
use pmtaq_schema::time::Day;
use serde::{Deserialize, Serialize};

/// A table of the store: one folder of day partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// One row a record, by the UTC day of `time_logged`.
    Records,
    /// Records counted by hour and by what they share, by the UTC day of the hour.
    Hourly,
    /// The first of [`TIERS`]: a part is that of a part of `hourly`.
    DailySenders,
    /// The second.
    DailyDomains,
    /// One row a refused line, by the UTC day of its ingestion.
    Rejects,
}

impl Table {
    /// Every table.
    pub const ALL: [Table; 5] =
        [Table::Records, Table::Hourly, Table::DailySenders, Table::DailyDomains, Table::Rejects];

    /// Those of [`TIERS`], in their order.
    pub const TIERS: [Table; TIERS.len()] = [Table::DailySenders, Table::DailyDomains];

    /// What it is as a rollup of `hourly`; none of other tables.
    pub fn tier(self) -> Option<&'static Tier> {
        let at = Table::TIERS.iter().position(|tier| *tier == self)?;
        Some(&TIERS[at])
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Table::Records => "records",
            Table::Hourly => "hourly",
            Table::DailySenders => TIERS[0].name,
            Table::DailyDomains => TIERS[1].name,
            Table::Rejects => "rejects",
        })
    }
}

/// The folder that only pmtaq reads.
pub fn private(store: &Path) -> PathBuf {
    store.join("_pmtaq")
}

/// The file whose replacement is a commit.
pub fn root(store: &Path) -> PathBuf {
    private(store).join("root.json")
}

/// What the root said last, should that file be damaged.
pub fn root_copy(store: &Path) -> PathBuf {
    private(store).join("root.copy.json")
}

/// The file that the one writer holds locked.
pub fn lock(store: &Path) -> PathBuf {
    private(store).join("lock")
}

/// What alerts are on, and what is still to be sent. Not a part of what is stored.
pub fn alerts(store: &Path) -> PathBuf {
    private(store).join("alerts.json")
}

/// The file that the one process holds locked that tells of alerts.
pub fn alerts_lock(store: &Path) -> PathBuf {
    private(store).join("alerts.lock")
}

/// What is remembered of ingests that failed. Not a part of what is stored.
pub fn failed_ingests(store: &Path) -> PathBuf {
    private(store).join("failed-ingests.json")
}

/// Where parts are written before they count.
pub fn staging(store: &Path) -> PathBuf {
    private(store).join("staging")
}

/// Room that is given up when the disk is full and something is to be deleted.
pub fn reserve(store: &Path) -> PathBuf {
    private(store).join("reserve")
}

/// Where damaged parts are kept, by table and day as in the store itself.
pub fn quarantine(store: &Path) -> PathBuf {
    private(store).join("quarantine")
}

/// Where the manifests of the days are.
pub fn days(store: &Path) -> PathBuf {
    private(store).join("days")
}

/// The folder of one day's manifests.
pub fn day(store: &Path, day: Day) -> PathBuf {
    days(store).join(day.to_string())
}

/// The list of a day's parts, as of `generation`, by the only writer.
pub fn parts(store: &Path, of: Day, generation: u64) -> PathBuf {
    parts_by(store, of, generation, 0)
}

/// The same, by one of many writers: two may be at the same generation before one of them commits. The
/// only writer of a folder is 0.
pub fn parts_by(store: &Path, of: Day, generation: u64, by: u32) -> PathBuf {
    day(store, of).join(format!("parts-{generation}{}.json", suffix(by)))
}

/// The list of a day's sources, as of `generation`, by the only writer.
pub fn sources(store: &Path, of: Day, generation: u64) -> PathBuf {
    sources_by(store, of, generation, 0)
}

/// The same, by one of many writers.
pub fn sources_by(store: &Path, of: Day, generation: u64, by: u32) -> PathBuf {
    day(store, of).join(format!("sources-{generation}{}.json", suffix(by)))
}

fn suffix(by: u32) -> String {
    if by == 0 { String::new() } else { format!("-{by:08x}") }
}

/// The folder of a table.
pub fn table(store: &Path, table: Table) -> PathBuf {
    store.join(table.to_string())
}

/// The folder of one day of a table, as hive partitioning spells it.
pub fn partition(store: &Path, of: Table, day: Day) -> PathBuf {
    table(store, of).join(format!("date={day}"))
}

/// The folder of a table's Delta log.
pub fn delta(store: &Path, of: Table) -> PathBuf {
    table(store, of).join("_delta_log")
}

/// What a version of a table adds and takes away, in its Delta log.
pub fn delta_version(store: &Path, of: Table, version: u64) -> PathBuf {
    delta(store, of).join(format!("{version:020}.json"))
}

/// The glob that other tools read a table by.
pub fn glob(store: &Path, table: Table) -> PathBuf {
    store.join(table.to_string()).join("date=*").join("*.parquet")
}

/// The name of the `number`th part that `generation` adds; `by` as for [`parts_by`].
pub fn part_name(generation: u64, number: u32, by: u32) -> String {
    format!("{generation:08}-{number:03}{}.parquet", suffix(by))
}

/// Where a commit to a bucket says what it replaced, each in a file of its own.
pub fn gone(store: &Path) -> PathBuf {
    private(store).join("gone")
}

/// Who of many machines does something at a time: a file for each such thing.
pub fn turn(store: &Path, what: &str) -> PathBuf {
    private(store).join("turns").join(format!("{what}.json"))
}

/// The folder of the settings that hold for all machines, by its name.
pub fn settings(store: &Path, id: &str) -> PathBuf {
    private(store).join("settings").join(id)
}

/// Where files of a bucket are while they are fetched into the folder that caches it.
pub fn fetching(store: &Path) -> PathBuf {
    private(store).join("fetching")
}

/// What the folder that caches a bucket knows of it: which store it is of, and whether its server
/// compares before it swaps.
pub fn cached(store: &Path) -> PathBuf {
    private(store).join("cached")
}
