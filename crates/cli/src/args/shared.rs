//! The arguments that many commands share: what all of them understand, a window of time, and which
//! records count. Only words; what they mean is decided by the commands.

use std::path::PathBuf;

use clap::builder::ArgExt;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use pmtaq_query::{FILTERS, Filter};
use pmtaq_render::Format;
use pmtaq_schema::Zone;

/// What every command understands, before and after its name.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Folder of the store, or its address in a bucket: s3://BUCKET/PREFIX
    #[arg(
        long,
        global = true,
        env = "PMTAQ_STORE",
        value_name = "DIR",
        default_value = "pmtaq-store"
    )]
    pub(crate) store: PathBuf,
    /// Output format: table, csv, tsv, json, jsonl, markdown, html, xml, parquet or arrow [default: as the
    /// name of the file of -o ends, else table]
    #[arg(
        id = "format",
        long = "format",
        global = true,
        env = "PMTAQ_FORMAT",
        value_name = "FORMAT"
    )]
    pub(crate) asked_format: Option<Format>,
    /// What it comes to.
    #[arg(skip)]
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
    /// How long a question may take, such as 30s [default: as long as it takes]
    #[arg(long, global = true, env = "PMTAQ_TIMEOUT", value_name = "DURATION")]
    pub(crate) timeout: Option<String>,
    /// Engine that answers: local for this process, spark://HOST:PORT for a cluster that speaks Spark
    /// Connect, cluster for that of the configuration, auto for it where there is much to read
    #[arg(long, global = true, env = "PMTAQ_ON", value_name = "ENGINE", default_value = "local")]
    pub(crate) on: String,
    /// Folder for what a question needs beyond its memory; it is empty again when it ends
    /// [default: none, it fails]
    #[arg(long, global = true, env = "PMTAQ_SPILL", value_name = "DIR")]
    pub(crate) spill: Option<PathBuf>,
    /// Bytes that a question may put there
    #[arg(long, global = true, env = "PMTAQ_SPILL_SIZE", value_name = "SIZE",
          default_value = "4GB", value_parser = pmtaq_schema::size::parse_bytes)]
    pub(crate) spill_size: u64,
    /// Folder for what is fetched of a store in a bucket [default: pmtaq in the user's caches]
    #[arg(long, global = true, env = "PMTAQ_CACHE", value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// Bytes that it may hold, about; the longest unused goes first
    #[arg(long, global = true, env = "PMTAQ_CACHE_SIZE", value_name = "SIZE",
          default_value = "10GB", value_parser = pmtaq_schema::size::parse_bytes)]
    pub(crate) cache_size: u64,
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
pub(crate) struct AnswerArgs {
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
    #[command(flatten)]
    pub(crate) filters: Filters,
    /// Any dimension and its value, such as header_X-Campaign=spring*
    #[arg(long = "filter", value_name = "DIMENSION=VALUE", value_parser = dimension_and_value)]
    pub(crate) others: Vec<(String, String)>,
    /// A condition in SQL over the columns of `records`
    #[arg(long = "where", value_name = "SQL")]
    pub(crate) condition: Option<String>,
}

/// The dimension whose values an argument takes, for who completes them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValueOf(pub(crate) &'static str);

impl ArgExt for ValueOf {}

/// Reads `DIMENSION=VALUE`.
fn dimension_and_value(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    let (name, value) =
        pair.ok_or("write it like bounce_class=hard or header_X-Campaign=spring*")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// The values of each of [`FILTERS`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Filters([Vec<String>; FILTERS.len()]);

impl Filters {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static Filter, &[String])> {
        FILTERS.iter().zip(self.0.iter().map(Vec::as_slice))
    }

    /// The values of the filter that compares `dimension`, if there is one.
    pub(crate) fn values(&mut self, dimension: &str) -> Option<&mut Vec<String>> {
        let place = FILTERS.iter().position(|filter| filter.dimension == dimension)?;
        Some(&mut self.0[place])
    }
}

impl FromArgMatches for Filters {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Filters, clap::Error> {
        let mut filters = Filters::default();
        for (filter, values) in FILTERS.iter().zip(&mut filters.0) {
            values.extend(matches.get_many(filter.name).into_iter().flatten().cloned());
        }
        Ok(filters)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Filters::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Filters {
    fn augment_args(command: Command) -> Command {
        let arg = |filter: &Filter| {
            let arg = Arg::new(filter.name).long(filter.name).value_name(filter.value);
            let arg = arg.add(ValueOf(filter.dimension));
            arg.help(filter.help).value_delimiter(',').action(ArgAction::Append)
        };
        command.args(FILTERS.iter().map(arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Filters::augment_args(command)
    }
}
