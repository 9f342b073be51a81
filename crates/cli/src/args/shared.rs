//! The arguments that many commands share: what all of them understand, a window of time, and which
//! records count. Only words; what they mean is decided by the commands.

use std::path::PathBuf;

use clap::Args;
use pmtaq_render::Format;
use pmtaq_schema::Zone;

/// What every command understands, before and after its name.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Folder of the store
    #[arg(
        long,
        global = true,
        env = "PMTAQ_STORE",
        value_name = "DIR",
        default_value = "pmtaq-store"
    )]
    pub(crate) store: PathBuf,
    /// Output format: table, csv, tsv, json, jsonl, markdown, html, xml or parquet
    #[arg(
        long,
        global = true,
        env = "PMTAQ_FORMAT",
        value_name = "FORMAT",
        default_value = "table"
    )]
    pub(crate) format: Format,
    /// Write the answer to a file instead of stdout
    #[arg(long, short, global = true, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Time zone of times shown and of day borders, such as Europe/Madrid
    #[arg(long, global = true, env = "PMTAQ_TZ", value_name = "ZONE", default_value = "UTC")]
    pub(crate) tz: Zone,
    /// Colour: auto, always or never
    #[arg(long, global = true, env = "PMTAQ_COLOR", value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
    /// Do not cut columns to the width of the terminal
    #[arg(long, global = true)]
    pub(crate) wide: bool,
    /// Make cells harmless that a spreadsheet would take for formulas
    #[arg(long, global = true)]
    pub(crate) csv_safe: bool,
    /// No notices on stderr, only errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Threads to use [default: all cores]
    #[arg(long, global = true, env = "PMTAQ_THREADS", value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Memory to use at most, such as 512MB [default: 2GB for a query, 512MB for ingest]
    #[arg(long, global = true, env = "PMTAQ_MEMORY", value_name = "SIZE",
          value_parser = pmtaq_schema::size::parse_bytes)]
    pub(crate) memory: Option<u64>,
    /// Compare the parts that a question may read with their checksums first
    #[arg(long, global = true)]
    pub(crate) check: bool,
    /// The time that counts as now, for tests
    #[arg(long, global = true, hide = true, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What answers a question, for all that may be answered by the rollup.
#[derive(Debug, Args)]
pub(crate) struct Answer {
    /// Table that answers: auto takes the hourly rollup where it can answer
    #[arg(long, value_name = "TABLE", default_value = "auto", value_parser = ["auto", "records"])]
    pub(crate) from: String,
    /// Print the SQL instead of running it
    #[arg(long)]
    pub(crate) show_sql: bool,
}

/// A stretch of time.
#[derive(Debug, Default, Args)]
pub(crate) struct Times {
    /// Begin of the window: 2h, yesterday, monday, 2026-03-01, 2026-03-01T16:00
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub(crate) since: Option<String>,
    /// End of the window, not included
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub(crate) until: Option<String>,
    /// The window up to now: 1d, 2h
    #[arg(long, value_name = "DURATION", conflicts_with_all = ["since", "until"])]
    pub(crate) last: Option<String>,
}

/// Which records count. Several values of one filter mean any of them.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct Selection {
    #[command(flatten)]
    pub(crate) times: Times,
    /// Recipient domain, also as *.example.com
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',')]
    pub(crate) domain: Vec<String>,
    /// Mailbox provider
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) provider: Vec<String>,
    /// VirtualMTA
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) vmta: Vec<String>,
    /// VirtualMTA pool
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) pool: Vec<String>,
    /// Source address of the delivery
    #[arg(long, value_name = "IP", value_delimiter = ',')]
    pub(crate) ip: Vec<String>,
    /// Sender domain
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',')]
    pub(crate) sender: Vec<String>,
    /// Job
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(crate) job: Vec<String>,
    /// MTA that wrote the record
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) host: Vec<String>,
    /// Bounce category
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) category: Vec<String>,
    /// Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub(crate) code: Vec<String>,
    /// A condition in SQL over the columns of `records`
    #[arg(long = "where", value_name = "SQL")]
    pub(crate) condition: Option<String>,
}
