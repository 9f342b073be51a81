//! The arguments of the commands that look after a store.

use clap::{Args, Subcommand};

use super::Faults;

/// Merge a day's small Parquet files into fewer, larger ones.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq compact
  pmtaq compact --day 2026-03-01")]
pub(crate) struct Compact {
    /// UTC days, such as 2026-03-01 or yesterday [default: all before today]
    #[arg(long, value_name = "DAY", value_delimiter = ',')]
    pub(crate) day: Vec<String>,
    #[command(flatten)]
    pub(crate) faults: Faults,
}

/// Check the whole store against its checksums and ledgers.
///
/// Every part is read; its bytes are compared with their checksum, its rows and times with its
/// manifest, the sum of all ledgers with the rows that are there, and the rollup of each day with its
/// records. Ends with 0 when all is sound, with 1 when something is not.
///
/// A repair sets damaged parts aside, in _pmtaq/quarantine of the store, and names the files whose
/// records were in them: ingested again, these bring back what was lost, and nothing twice. Lists,
/// root and rollups are made anew from what is sound.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq verify
  pmtaq verify --repair")]
pub(crate) struct Verify {
    /// Set aside what is damaged, make anew what can be, and name the files to ingest again
    #[arg(long)]
    pub(crate) repair: bool,
    #[command(flatten)]
    pub(crate) faults: Faults,
}

/// Back up the store, as of its last commit, into another folder.
///
/// The folder is a store then, with what was committed when the copy ended; ingest may go on meanwhile. On
/// the same file system the files are linked, which takes no room and no time, but a damaged disk damages
/// both: send the folder elsewhere, or say --copy. To restore it, copy it back.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq backup /backup/pmtaq-2026-03-01
  pmtaq backup /tmp/pmtaq && rsync -a /tmp/pmtaq/ backup:pmtaq/ && rm -r /tmp/pmtaq")]
pub(crate) struct Backup {
    /// The folder, which is made or is empty
    #[arg(value_name = "DIR")]
    pub(crate) dir: std::path::PathBuf,
    /// Copy files, also where they could be linked
    #[arg(long)]
    pub(crate) copy: bool,
}

/// Keep a Delta log beside the store, for engines that read tables by one.
///
/// Spark, Databricks, Trino, Polars and others then read STORE/records as a Delta table: the rows of one
/// commit, also while ingest runs, and how the table was at an earlier version as long as its parts are
/// there. Every commit of any command adds a version. The log follows the store and not the other way
/// round: nothing that others write into it comes into the store.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq delta
  pmtaq delta --table records,hourly,rejects
  pmtaq delta --stop")]
pub(crate) struct Delta {
    /// Tables that have a log; others have none
    #[arg(long, value_name = "TABLE", value_delimiter = ',', default_value = "records,hourly")]
    pub(crate) table: Vec<String>,
    /// Remove the logs
    #[arg(long, conflicts_with = "table")]
    pub(crate) stop: bool,
    #[command(flatten)]
    pub(crate) faults: Faults,
}

/// Have another database hold what the store holds.
#[derive(Debug, Args)]
#[command(before_help = "Example:
  pmtaq push clickhouse --url http://clickhouse:8123")]
pub(crate) struct Push {
    #[command(subcommand)]
    pub(crate) what: PushWhat,
}

/// Databases that the store can be pushed to.
#[derive(Debug, Subcommand)]
pub(crate) enum PushWhat {
    /// Tables of ClickHouse, over its HTTP interface
    ///
    /// Makes the tables where there are none, inserts the parts that they lack as Parquet, puts days that were
    /// compacted or erased since in place of what they were, and drops days that the store has no longer. Each
    /// row has the name of its part, by which a push that was cut short goes on and none inserts a part twice.
    /// CLICKHOUSE_USER and CLICKHOUSE_PASSWORD say who asks. Run one push at a time.
    #[command(before_help = "Examples:
  pmtaq push clickhouse --print
  pmtaq push clickhouse --url http://clickhouse:8123 --database mail")]
    Clickhouse(PushClickhouse),
}

/// Where the tables of ClickHouse are.
#[derive(Debug, Args)]
pub(crate) struct PushClickhouse {
    /// The address of its HTTP interface
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8123")]
    pub(crate) url: String,
    /// The database, which is made when there is none
    #[arg(long, value_name = "NAME", default_value = "pmtaq")]
    pub(crate) database: String,
    /// What the names of the tables begin with
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) prefix: String,
    /// Tables to push
    #[arg(long, value_name = "TABLE", value_delimiter = ',', default_value = "records,hourly")]
    pub(crate) table: Vec<String>,
    /// Leave the days that the store has no longer
    #[arg(long)]
    pub(crate) keep_old: bool,
    /// Print the statements that make the tables, and ask nobody
    #[arg(long)]
    pub(crate) print: bool,
}

/// Delete data beyond its retention period.
///
/// Whole UTC days go. The files that were ingested stay known: ingested again, they bring nothing
/// back.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq prune --keep records=90d,hourly=3y --dry-run
  pmtaq prune --keep records=90d --yes")]
pub(crate) struct Prune {
    /// Table and how long it is kept; one that is not named is kept for ever, and
    /// hourly at least as long as records
    #[arg(
        long,
        required = true,
        env = "PMTAQ_KEEP",
        value_name = "TABLE=DURATION",
        value_delimiter = ','
    )]
    pub(crate) keep: Vec<String>,
    /// Only say what would go
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) faults: Faults,
}

/// Erase a recipient.
///
/// The records of the address go, and the refused lines that mention it; where other records
/// mention it (senders by VERP, replies, unknown fields), `forgotten` stands in place of its local
/// part. In any case of letters. The files it came from stay known: ingested again, they bring
/// nothing back.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq forget --rcpt user@example.com --dry-run
  pmtaq forget --rcpt user@example.com --yes")]
pub(crate) struct Forget {
    /// The address
    #[arg(long, required = true, value_name = "ADDRESS")]
    pub(crate) rcpt: String,
    /// Only say what would go
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}
