//! The command line. The doc comments are the help; reports add their own subcommands.

mod groups;
mod investigate;
mod keep;
mod notify;
mod shared;
mod upkeep;

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, CommandFactory, Parser, Subcommand};
use pmtaq_query::{Catalog, Param, ParamKind, Report};
use pmtaq_store::{Disk, Fault};

pub(crate) use investigate::{Explain, HtmlReport, Search, Sql, Top, Trace};
pub(crate) use keep::{
    Backup, Compact, Delta, Forget, Prune, Push, PushClickhouse, PushWhat, Verify,
};
pub(crate) use notify::{
    Alert, AlertBackfill, AlertMute, AlertRun, AlertTest, AlertUnmute, AlertWhat, Check, Few,
    Metrics, RulesFile, RulesOption,
};
pub(crate) use shared::{AnswerArgs, ColorChoice, Global, Selection, Times, ValueOf};
pub(crate) use upkeep::{
    Completions, Config, ConfigShare, ConfigWhat, Connect, Doctor, Man, Shell, Tool,
};

/// Analytics for PowerMTA accounting logs: ingest once, ask anything
#[derive(Debug, Parser)]
#[command(
    name = "pmtaq",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    before_help = "Examples:
  pmtaq ingest --store /var/lib/pmtaq /var/log/pmta
  pmtaq top-bounces --domain gmail.com --since yesterday
  pmtaq pivot --rows sender_domain,rcpt_domain --cols vmta --metric bounce_rate
  pmtaq sql \"select provider, count(*) from deliveries group by all\"",
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 store locked or unreadable, \
                  4 lines refused above the limit, 130 interrupted; `check` has its own"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every report understands beside its own parameters.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

impl ReportArgs {
    /// `command` with these arguments.
    pub(crate) fn augment(command: clap::Command) -> clap::Command {
        ReportArgs::augment_args(command)
    }
}

/// The command line with the reports as subcommands, made from the headers of their files.
pub(crate) fn command(catalog: &Catalog) -> clap::Command {
    let command =
        catalog.iter().fold(Cli::command(), |command, report| match report.name.split_once(' ') {
            None => command.subcommand(of_report(&report.name, report)),
            Some((group, name)) => {
                if command.find_subcommand(group).is_some() {
                    let add = |group: clap::Command| group.subcommand(of_report(name, report));
                    command.mut_subcommand(group, add)
                } else {
                    let about = format!("Reports by the names that {} has for them", tool(group));
                    let group = clap::Command::new(group.to_owned()).about(about);
                    let example = format!("Example:\n  pmtaq {}", report.name);
                    let group = group.subcommand_required(true).arg_required_else_help(true);
                    let group = group.before_help(example);
                    command.subcommand(group.subcommand(of_report(name, report)))
                }
            }
        });
    let template = groups::template(&command, catalog);
    command.help_template(template)
}

/// Whose names a group of reports has.
fn tool(group: &str) -> &str {
    if group == "stats" { "PowerMTA's pmtastats" } else { group }
}

fn of_report(name: &str, report: &Report) -> clap::Command {
    let mut about = report.help.clone();
    if !report.see.is_empty() {
        about = format!("{about}\n\nSee also: {}", report.see.join(", "));
    }
    let args = report.settable().filter(|param| param.positional && param.default.is_none());
    let args: String = args.map(|param| format!("{} ", param.name.to_uppercase())).collect();
    let window = if report.has_own_windows() { "" } else { "--since yesterday" };
    let example = format!("Example:\n  pmtaq {} {args}{window}", report.name);
    let command = clap::Command::new(name.to_owned()).next_help_heading("Options of this report");
    let command = report.settable().fold(command, |command, param| command.arg(of_param(param)));
    // What the derived arguments say of themselves is replaced by what follows.
    ReportArgs::augment_args(command.next_help_heading(None))
        .about(report.title.clone())
        .long_about(about)
        .before_help(example)
}

fn of_param(param: &Param) -> Arg {
    let mut arg = Arg::new(param.name.clone()).help(param.doc.clone());
    if param.positional {
        arg = arg.required(param.default.is_none());
    } else {
        arg = arg.long(param.name.clone());
    }
    if let Some(default) = &param.default {
        arg = arg.default_value(default.clone());
    }
    if let ParamKind::Filter(dimension) = param.kind {
        arg = arg.add(ValueOf(dimension.name));
    }
    match &param.kind {
        _ if param.positional => arg.value_name(param.name.to_uppercase()),
        ParamKind::Text | ParamKind::Filter(_) => arg.value_name("TEXT"),
        ParamKind::Int => arg.value_name("N").value_parser(clap::value_parser!(u32)),
        ParamKind::Flag => arg.action(clap::ArgAction::SetTrue),
        ParamKind::Choice(choices) => {
            arg.value_name("NAME").value_parser(PossibleValuesParser::new(choices.clone()))
        }
        ParamKind::Duration => arg.value_name("DURATION"),
        ParamKind::Time => arg.value_name("WHEN").allow_hyphen_values(true),
        ParamKind::Window => arg.value_name("WINDOW").allow_hyphen_values(true),
        ParamKind::Dimension => arg.value_name("DIMENSION"),
        ParamKind::Metric => arg.value_name("METRIC"),
    }
}

/// The report that was called, and its part of the command line.
pub(crate) fn called<'a>(
    catalog: &'a Catalog,
    matches: &'a ArgMatches,
) -> Option<(&'a Report, &'a ArgMatches)> {
    let (name, own) = matches.subcommand()?;
    let of_name = |name: &str| catalog.iter().find(|report| report.name == name);
    if let Some(report) = of_name(name) {
        return Some((report, own));
    }
    let (second, own) = own.subcommand()?;
    Some((of_name(&format!("{name} {second}"))?, own))
}

/// The values of a report's own parameters.
pub(crate) fn given(report: &Report, matches: &ArgMatches) -> Vec<(String, String)> {
    // What nobody said is for the report to decide; but times by default are named by the clock.
    let is_said = |param: &Param| {
        param.kind.is_time() || matches.value_source(&param.name) != Some(ValueSource::DefaultValue)
    };
    let value = |param: &Param| {
        let mut raw = matches.get_raw(&param.name)?;
        raw.next_back().map(|value| value.to_string_lossy().into_owned())
    };
    let said = report.settable().filter(|param| is_said(param));
    said.filter_map(|param| Some((param.name.clone(), value(param)?))).collect()
}

/// What to do. Reports are subcommands too, made from the files in `sql/`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Load new records from accounting files into the store
    Ingest(Ingest),
    /// Merge a day's small Parquet files into fewer, larger ones
    Compact(Compact),
    /// Show what the store holds, how far it is behind, and which files are missing
    Status(Status),
    /// Check the whole store against its checksums and ledgers
    Verify(Verify),
    /// Back up the store, as of its last commit, into another folder
    Backup(Backup),
    /// Keep a Delta log beside the store, for Spark, Trino, Polars and others
    Delta(Delta),
    /// Have tables of ClickHouse hold what the store holds
    Push(Push),
    /// Delete data beyond its retention period
    Prune(Prune),
    /// Erase a recipient
    Forget(Forget),
    /// Pivot table: any metrics by any dimensions
    Pivot(Pivot),
    /// Chart of any metrics over time
    Graph(Graph),
    /// Watch the store live: who sends how much how well, and drill down to the records
    Top(Top),
    /// Find records by a text, a reply code or a regular expression, newest first
    Search(Box<Search>),
    /// The life of a message: everything that happened to it, in order
    Trace(Trace),
    /// Explain a reply or a code: what it means, whose fault it is, what helps
    Explain(Explain),
    /// Explain why a metric changed: stage, root causes, replies of the receivers
    Why(WhyArgs),
    /// Write a report as one HTML file: problems first, then everything else
    Report(HtmlReport),
    /// Check a metric against thresholds (Nagios-compatible)
    Check(Box<Check>),
    /// Send alerts when a metric breaks a rule
    Alert(Alert),
    /// Run SQL over the store, read-only
    Sql(Sql),
    /// Write records to a file or stdout, as Parquet unless --format says otherwise
    Export(Export),
    /// List the Parquet files of the window, for other tools
    Paths(Paths),
    /// List the reports
    #[command(before_help = "Example:\n  pmtaq reports")]
    Reports,
    /// List the columns of the table `records`
    #[command(before_help = "Example:\n  pmtaq columns --format csv")]
    Columns,
    /// List the metrics, with their definitions; or write their values for Prometheus
    Metrics(Metrics),
    /// List the dimensions
    #[command(before_help = "Example:\n  pmtaq dimensions")]
    Dimensions,
    /// Show the settings, and where each is set
    Config(Config),
    /// Print snippets for reading the store from other tools
    Connect(Connect),
    /// Diagnose missing, lost, late or rejected records
    Doctor(Doctor),
    /// Print a shell completion script
    Completions(Completions),
    /// Write the manual pages
    Man(Man),
}

/// Load new records from accounting files into the store.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq ingest /var/log/pmta
  pmtaq ingest --host mta1 'archive/acct-2026-03-*.csv.gz'
  pmtaq ingest --privacy hash /var/log/pmta")]
pub(crate) struct Ingest {
    /// Files, folders, globs, pipes, and `-` for standard input: CSV as PMTA writes it, by other separators or
    /// as JSON lines; plain, gzip, zstd, bzip2, xz, tar and zip. Of a folder all files are taken that begin
    /// as accounting files [default: those that the setting ingest.inputs names]
    #[arg(required = true, env = "PMTAQ_INPUTS", value_name = "FILES")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Names that are not taken, as globs: of files, of those in archives, or whole paths
    #[arg(long, env = "PMTAQ_EXCLUDE", value_name = "GLOB", value_delimiter = ':')]
    pub(crate) exclude: Vec<String>,
    /// The header of files that have none: type,timeLogged,...
    #[arg(long, env = "PMTAQ_HEADER", value_name = "NAMES")]
    pub(crate) header: Option<String>,
    /// An accounting file with that header
    #[arg(long, value_name = "FILE", conflicts_with = "header")]
    pub(crate) header_from: Option<PathBuf>,
    /// The field that counts as the time where timeLogged was not logged, such as timeQueued
    #[arg(long, env = "PMTAQ_TIME_FIELD", value_name = "NAME")]
    pub(crate) time_field: Option<String>,
    /// What separates fields in files that are not comma-separated: tab, or the character itself
    /// [default: as the header has it]
    #[arg(long, env = "PMTAQ_SEPARATOR", value_name = "CHAR", value_parser = separator)]
    pub(crate) separator: Option<u8>,
    /// Which MTA wrote the files [default: the field userString, else this machine's name]
    #[arg(long, env = "PMTAQ_HOST", value_name = "NAME")]
    pub(crate) host: Option<String>,
    /// End with exit code 4 when more lines than this are refused
    #[arg(long, env = "PMTAQ_MAX_REJECTS", value_name = "N", default_value_t = 0)]
    pub(crate) max_rejects: u64,
    /// How recipients are stored: none (as logged), hash (tokens by a key) or mask (u***@example.com)
    /// [default: as the store has them; none in a new store]
    #[arg(long, env = "PMTAQ_PRIVACY", value_name = "MODE", hide_possible_values = true)]
    pub(crate) privacy: Option<PrivacyMode>,
    #[command(flatten)]
    pub(crate) faults: Faults,
}

/// What separates fields, as one byte.
fn separator(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if matches!(text, "tab" | "\\t") => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err("is neither `tab` nor one ASCII character".to_owned()),
    }
}

/// How the addresses of recipients are stored; docs/privacy.md has what that covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PrivacyMode {
    /// As they were logged.
    None,
    /// As tokens made with a key.
    Hash,
    /// As masks.
    Mask,
}

/// What the store holds, how far it is behind, and which files are missing.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq status
  pmtaq status --last 90d --format json
  pmtaq status --hosts")]
pub(crate) struct Status {
    /// One row for each MTA that files or records name: its newest record, how far it is behind, its last ingest, its record types
    #[arg(long)]
    pub(crate) hosts: bool,
    /// Days back in which files are looked for that never came
    #[arg(long, value_name = "DURATION", default_value = "30d")]
    pub(crate) last: String,
}

/// What goes wrong with the disk, for tests.
#[derive(Debug, Args)]
pub(crate) struct Faults {
    /// Kill the process before this change of the file system, for tests of crashes
    #[arg(long, hide = true, value_name = "STEP")]
    pub(crate) kill_at: Option<u64>,
    /// Let changes of the file system fail from this one on, for tests of full disks
    #[arg(long, hide = true, value_name = "STEP")]
    pub(crate) full_at: Option<u64>,
}

impl Faults {
    /// A disk with these faults.
    pub(crate) fn disk(&self) -> Disk {
        let fault = self.kill_at.map(Fault::KillAt).or(self.full_at.map(Fault::FullAt));
        fault.map(Disk::failing).unwrap_or_default()
    }
}

/// Pivot table: any metrics by any dimensions.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq pivot --rows provider --metric delivered,bounce_rate,p95
  pmtaq pivot --rows sender_domain,rcpt_domain --cols vmta --metric bounce_rate")]
pub(crate) struct Pivot {
    /// Dimensions of the rows
    #[arg(long, required = true, value_name = "DIMENSIONS", value_delimiter = ',')]
    pub(crate) rows: Vec<String>,
    /// Dimension of the columns
    #[arg(long, value_name = "DIMENSION")]
    pub(crate) cols: Option<String>,
    /// Metrics of the cells; a group in which none of them counts a record is left out
    #[arg(long, value_name = "METRICS", value_delimiter = ',', default_value = "sent,bounce_rate")]
    pub(crate) metric: Vec<String>,
    /// Rows to show, the rest summed up as `other`; 0 for all [default: 20; all in formats for
    /// programs, in a file and of times]
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<u32>,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

/// Chart of any metrics over time: in the terminal, as SVG, or as data.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:
  pmtaq graph delivered,deferred,bounced --since today
  pmtaq graph bounce_rate --by provider --every 1h --last 3d
  pmtaq graph p50,p95 --provider gmail --svg latency.svg
  pmtaq graph queue_depth,queue_oldest --since yesterday
  pmtaq graph deferred --by vmta --every 5m --format csv",
    after_help = "Metrics are those of `pmtaq metrics`, and of the queue: queue_depth, queue_peak, queue_oldest \
                  (see `pmtaq queue --help`). A step in which the window or the data ends is marked as \
                  incomplete; one is uncertain when what waits then may not have been logged yet."
)]
pub(crate) struct Graph {
    /// Metrics: those of one unit share a plot
    #[arg(
        value_name = "METRICS",
        value_delimiter = ',',
        default_value = "delivered,deferred,bounced"
    )]
    pub(crate) metrics: Vec<String>,
    /// A line for each value of a dimension
    #[arg(long, value_name = "DIMENSION")]
    pub(crate) by: Option<String>,
    /// Length of the steps: 5m, 1h, 1d [default: what fits the window]
    #[arg(long, value_name = "DURATION")]
    pub(crate) every: Option<String>,
    /// Lines to draw, the rest summed up as `other`; 0 for all
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) top: u32,
    /// Rows of a plot in the terminal
    #[arg(long, value_name = "ROWS", default_value_t = 12, value_parser = clap::value_parser!(u16).range(3..=200))]
    pub(crate) height: u16,
    /// Write a picture to this file instead; - for stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

/// Why a number changed: the stage of the funnel that moved, the causes in it with their share,
/// since when, the replies that came with them, and what stays unexplained. docs/why.md has the
/// method and the JSON.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq why delivered --at 16:00
  pmtaq why bounce_rate --window 16:00..17:30 --provider gmail
  pmtaq why delivered --last 2h --vs previous")]
pub(crate) struct WhyArgs {
    /// Metric: delivered, sent, accepted, injected, bounced, deferred, complaints, bounce_rate,
    /// accepted_rate, deferral_rate, complaint_rate, tls_rate, weak_tls, p95 (latency), queue_depth, ...
    #[arg(value_name = "METRIC", default_value = "delivered")]
    pub(crate) metric: String,
    /// The hour that begins then: 16:00, 2026-03-02T16:00
    #[arg(long, value_name = "TIME", conflicts_with_all = ["window", "since", "until", "last"])]
    pub(crate) at: Option<String>,
    /// The window: 16:00..17:30, 2026-03-02T16:00..18:00, yesterday [default: the last hour]
    #[arg(long, value_name = "FROM..TO", conflicts_with_all = ["since", "until", "last"])]
    pub(crate) window: Option<String>,
    /// What to compare with: same-hour/7d (the same hours of the last 7 days) or previous
    #[arg(long, value_name = "BASELINE", default_value = "same-hour/7d")]
    pub(crate) vs: crate::versus::Versus,
    /// Tell causes apart by this in place of the job: a header, such as header_X-Campaign, or one of the
    /// site's [dimensions]
    #[arg(long, value_name = "DIMENSION")]
    pub(crate) by: Option<String>,
    /// Print the SQL instead of running it
    #[arg(long)]
    pub(crate) show_sql: bool,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

/// Write records to a file or stdout. Their times are UTC, whatever --tz says.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq export --since 2026-03-01 --until 2026-03-02 -o day.parquet
  pmtaq export --domain gmail.com --where \"rec = 'b'\" --format csv > bounces.csv")]
pub(crate) struct Export {
    /// Columns to write [default: all]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

/// List the Parquet files of the window, as of the last commit: a path a line. In another format each comes with
/// its table, its day, its rows and bytes, and the window that was asked for.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq paths --since yesterday
  pmtaq paths --table hourly --last 7d --format json")]
pub(crate) struct Paths {
    /// The table: records, hourly, daily_senders, daily_domains or rejects
    #[arg(long, value_name = "TABLE", default_value = "records", value_parser = ["records", "hourly", "daily_senders", "daily_domains", "rejects"])]
    pub(crate) table: String,
    #[command(flatten)]
    pub(crate) times: Times,
}
