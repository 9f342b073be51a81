//! The arguments of the commands around the store: settings, other tools, health, help in files.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::shared::Times;

/// Show the settings, and where each is set.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq config show
  pmtaq config example > ~/.config/pmtaq/config.toml")]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) what: ConfigWhat,
}

/// What to show of the configuration.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ConfigWhat {
    /// Every setting with its value and what set it
    #[command(before_help = "Example:\n  pmtaq config show")]
    Show,
    /// The files and folders that may hold settings, those that win last
    #[command(before_help = "Example:\n  pmtaq config path")]
    Path,
    /// A commented configuration file to begin with
    #[command(before_help = "Example:\n  pmtaq config example > ~/.config/pmtaq/config.toml")]
    Example,
    /// Have settings hold for all machines that share a store in a bucket
    ///
    /// Files of these names are put into the bucket, in place of those that were shared before:
    /// providers.csv, alerts.toml, and pmtaq.toml, which may have the table [bounce-classes] only. They win over
    /// those of a machine. What is secret in alerts.toml is better named there by a file or a command.
    #[command(before_help = "Examples:
  pmtaq --store s3://mail/pmtaq config share providers.csv alerts.toml
  pmtaq --store s3://mail/pmtaq config share --none")]
    Share(ConfigShare),
}

/// The settings that hold for all machines.
#[derive(Clone, Debug, Args)]
pub(crate) struct ConfigShare {
    /// The files
    #[arg(value_name = "FILE", required_unless_present = "none")]
    pub(crate) files: Vec<PathBuf>,
    /// Share none any more
    #[arg(long, conflicts_with = "files")]
    pub(crate) none: bool,
}

/// Snippets for reading the store from other tools.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq connect duckdb
  pmtaq connect polars > report.py")]
pub(crate) struct Connect {
    /// The tool
    #[arg(value_name = "TOOL")]
    pub(crate) tool: Tool,
}

/// Tools that read Parquet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tool {
    /// The DuckDB shell.
    Duckdb,
    /// Python with DuckDB.
    Python,
    /// Python with Polars.
    Polars,
    /// Python with PyArrow.
    Pyarrow,
    /// Python with pandas.
    Pandas,
    /// ClickHouse, without a server.
    Clickhouse,
    /// Python with Spark.
    Spark,
    /// R with arrow and dplyr.
    R,
}

/// Diagnose missing, lost, late or rejected records.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:
  pmtaq doctor
  pmtaq doctor --last 7d /etc/pmta/config",
    after_help = "Ends with exit code 1 when there is trouble: records that are lost, late or refused, \
                  or a configuration that loses them. What is merely not logged is no trouble."
)]
pub(crate) struct Doctor {
    /// A configuration file of PowerMTA, whose <acct-file> blocks are looked at too
    #[arg(value_name = "CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// How old the newest record of an MTA may be
    #[arg(long, value_name = "DURATION", default_value = "1d")]
    pub(crate) max_lag: String,
    #[command(flatten)]
    pub(crate) times: Times,
}

/// Print a shell completion script.
///
/// It asks pmtaq at each Tab: for commands, options, metrics, dimensions, columns, and for the providers,
/// VirtualMTAs, jobs, domains and other names of the last days of the store.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  source <(pmtaq completions bash)
  pmtaq completions zsh > ~/.zfunc/_pmtaq
  pmtaq completions fish > ~/.config/fish/completions/pmtaq.fish")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// Shells that can be taught.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// GNU bash.
    Bash,
    /// The Z shell.
    Zsh,
    /// The friendly interactive shell.
    Fish,
}

/// Write the manual pages.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq man /usr/local/share/man/man1")]
pub(crate) struct Man {
    /// The folder; it is made when there is none
    #[arg(value_name = "DIR", required_unless_present = "markdown")]
    pub(crate) dir: Option<PathBuf>,
    /// Print all of it as one page of Markdown instead
    #[arg(long, conflicts_with = "dir")]
    pub(crate) markdown: bool,
}
