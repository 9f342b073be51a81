//! The arguments of the commands that tell others: `alert`, `check`, `metrics`. Only words; what they mean
//! is decided by the commands.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use pmtaq_alert::Range;

use super::shared::{Selection, Times};

/// Check a metric against thresholds: a plugin for Nagios, Icinga and compatible monitors.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:
  pmtaq check bounce_rate --by provider -w 5 -c 10 --min-n 500
  pmtaq check delivered --last 15m -w 1000: -c 100:
  pmtaq check deferral_rate --by ip --provider yahoo -w 20 -c 50
  pmtaq check lag --by host -w 1800 -c 7200",
    after_help = "Ends with 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. With records that are too old, and after \
                  any error it is UNKNOWN. Without a record in the window a count is 0, and so \
                  CRITICAL where -c says that there must be some; all else is UNKNOWN. A RANGE is that of the \
                  Monitoring Plugins Development Guidelines: 10 is fine from 0 to 10, 10: from 10 on, \
                  ~:10 up to 10, 10:20 between the two, @10:20 outside of them. `lag` is the age of the \
                  newest record in seconds. The window is the last hour, of lag the last 7 days."
)]
pub(crate) struct Check {
    /// Metric, lag or queue_depth
    #[arg(value_name = "METRIC")]
    pub(crate) metric: String,
    /// Judge each value of a dimension [default: all records together]
    #[arg(long, value_name = "DIMENSION")]
    pub(crate) by: Option<String>,
    /// Values that are fine; others are worth a warning
    #[arg(long, short, value_name = "RANGE", allow_hyphen_values = true)]
    pub(crate) warning: Option<Range>,
    /// Values that are not critical
    #[arg(
        long,
        short,
        value_name = "RANGE",
        allow_hyphen_values = true,
        required_unless_present = "warning"
    )]
    pub(crate) critical: Option<Range>,
    /// Minimum sample size: denominator of a rate, deliveries for a latency [default: 20]
    #[arg(long, value_name = "N")]
    pub(crate) min_n: Option<u64>,
    /// Verdict when nothing has so many
    #[arg(long, value_name = "STATUS", default_value = "unknown")]
    pub(crate) few: Few,
    /// Nothing is judged when the newest record is older than this
    #[arg(long, value_name = "DURATION", default_value = "2h")]
    pub(crate) max_lag: String,
    /// Groups with performance data, the largest first, 0 for all; judged are all of them
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) top: usize,
    /// Give up after so long
    #[arg(long, short, value_name = "DURATION", default_value = "50s")]
    pub(crate) timeout: String,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

/// The verdict when there is too little to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Few {
    /// Nothing can be said.
    Unknown,
    /// No news is good news.
    Ok,
}

/// List the metrics, with their definitions; or write their values for Prometheus.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:
  pmtaq metrics
  pmtaq metrics --textfile /var/lib/prometheus/node-exporter/pmtaq.prom
  pmtaq metrics --textfile - --by provider,vmta_pool --top 10",
    after_help = "The values are those of a window that ends with the newest record; its end and its length \
                  are metrics too. docs/alerting.md has the names."
)]
pub(crate) struct Metrics {
    /// Write the values in Prometheus' text format, all at once; - is stdout
    #[arg(long, value_name = "PATH")]
    pub(crate) textfile: Option<PathBuf>,
    /// Dimensions, each by itself
    #[arg(
        long,
        value_name = "DIMENSIONS",
        value_delimiter = ',',
        default_value = "provider",
        requires = "textfile"
    )]
    pub(crate) by: Vec<String>,
    /// Groups of a dimension, the largest first; the others are summed up as `other`
    #[arg(long, value_name = "N", default_value_t = 20, requires = "textfile",
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) top: u32,
    /// Length of the window
    #[arg(long, value_name = "DURATION", default_value = "1h", requires = "textfile")]
    pub(crate) window: String,
}

/// Send alerts when a metric breaks a rule, and when it is back to normal.
///
/// Rules and receivers stand in a TOML file; packaging/alerts/starter.toml is one to begin with, and
/// docs/alerting.md explains it. `run` is for cron, after each ingest.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    before_help = "Examples:
  pmtaq alert backfill alerts.toml --since 30d
  pmtaq alert test alerts.toml
  pmtaq alert run alerts.toml"
)]
pub(crate) struct Alert {
    #[command(subcommand)]
    pub(crate) what: AlertWhat,
}

/// What to do with the rules.
#[derive(Debug, Subcommand)]
pub(crate) enum AlertWhat {
    /// Judge what there is now, and tell what began, grew or ended
    #[command(before_help = "Examples:
  pmtaq alert run /etc/pmtaq/alerts.toml
  pmtaq alert run --print")]
    Run(AlertRun),
    /// Send a test alert and its end to every receiver, and check that every rule can be judged
    #[command(before_help = "Examples:
  pmtaq alert test /etc/pmtaq/alerts.toml
  pmtaq alert test --receiver oncall --print")]
    Test(AlertTest),
    /// Tell nobody of what begins under a rule, or under any, for a time
    #[command(
        before_help = "Examples:
  pmtaq alert mute throttled --for 2h
  pmtaq alert mute --for 30m",
        after_help = "What is on still ends, and those who heard of it are told. What begins \
                            meanwhile is told afterwards, if it is still on. Times of work that recur \
                            stand in the rules: docs/alerting.md."
    )]
    Mute(AlertMute),
    /// Take `mute` back
    #[command(before_help = "Examples:
  pmtaq alert unmute throttled
  pmtaq alert unmute")]
    Unmute(AlertUnmute),
    /// What would have been told in the past; sends nothing
    #[command(before_help = "Example:
  pmtaq alert backfill alerts.toml --since 30d --every 5m")]
    Backfill(AlertBackfill),
}

/// The rules file.
#[derive(Debug, Args)]
pub(crate) struct RulesFile {
    /// Rules and receivers [default: alerts.toml in a folder of `pmtaq config path`]
    #[arg(value_name = "RULES")]
    pub(crate) rules: Option<PathBuf>,
}

/// For cron.
#[derive(Debug, Args)]
pub(crate) struct AlertRun {
    #[command(flatten)]
    pub(crate) file: RulesFile,
    /// Show what would be sent, without secrets; send and remember nothing
    #[arg(long)]
    pub(crate) print: bool,
}

/// To see that it arrives.
#[derive(Debug, Args)]
pub(crate) struct AlertTest {
    #[command(flatten)]
    pub(crate) file: RulesFile,
    /// Only this receiver
    #[arg(long, value_name = "NAME")]
    pub(crate) receiver: Option<String>,
    /// Show what would be sent, without secrets; send nothing
    #[arg(long)]
    pub(crate) print: bool,
}

/// The rules file, where a rule is named first.
#[derive(Debug, Args)]
pub(crate) struct RulesOption {
    /// Rules and receivers [default: alerts.toml in a folder of `pmtaq config path`]
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
}

/// For a time of work.
#[derive(Debug, Args)]
pub(crate) struct AlertMute {
    /// The rule [default: all rules]
    #[arg(value_name = "RULE")]
    pub(crate) rule: Option<String>,
    /// How long
    #[arg(long = "for", value_name = "DURATION")]
    pub(crate) lasting: String,
    #[command(flatten)]
    pub(crate) file: RulesOption,
}

/// When it is over sooner.
#[derive(Debug, Args)]
pub(crate) struct AlertUnmute {
    /// The rule [default: all that is muted]
    #[arg(value_name = "RULE")]
    pub(crate) rule: Option<String>,
    #[command(flatten)]
    pub(crate) file: RulesOption,
}

/// To tune the rules.
#[derive(Debug, Args)]
pub(crate) struct AlertBackfill {
    #[command(flatten)]
    pub(crate) file: RulesFile,
    /// Time between two runs; it divides a day
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    pub(crate) every: String,
    #[command(flatten)]
    pub(crate) times: Times,
}
