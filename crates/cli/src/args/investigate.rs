//! The arguments of the commands that look at single records and at replies. Only words; what
//! they mean is decided by the commands.

use std::path::{Path, PathBuf};

use clap::Args;

use super::shared::{Selection, Times};

/// Find records by a text, a reply code or a regular expression, newest first.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:
  pmtaq search 550 --line-format '{enhanced_code} {rcpt}'
  pmtaq search --code 5.7.* --provider gmail --since yesterday
  pmtaq search 'mailbox full' --ignore-case --limit 10
  pmtaq search --diag 'S31[45]0' --regex --fields time_logged,rcpt,dlv_source_ip --format csv
  pmtaq search --rcpt @example.com --field header_X-Campaign=spring --count",
    after_help = "A NEEDLE that is a reply code (550, 55*) or an enhanced code (5.7.1, 5.7.*) is compared with \
                  the columns smtp_code and enhanced_code, which is fast and finds no digits inside \
                  queue identifiers; so is --code. Any other NEEDLE, and every text for a field, is \
                  looked for in the raw text, upper and lower case as written; --diag 550 looks for \
                  the three characters. A NEEDLE without a field is looked for in rcpt, orig, \
                  dsn_status, dsn_diag, dsn_mta, src_mta, the addresses of the delivery, vmta, \
                  vmta_pool, job_id, env_id, queue, bounce_cat and the values of extra."
)]
pub(crate) struct Search {
    /// Text, reply code or enhanced code; of several, each must be found
    #[arg(value_name = "NEEDLE")]
    pub(crate) needles: Vec<String>,
    #[command(flatten)]
    pub(crate) fields: FieldNeedles,
    /// Take the texts as regular expressions (RE2)
    #[arg(long, short = 'e')]
    pub(crate) regex: bool,
    /// Upper and lower case are the same
    #[arg(long, short)]
    pub(crate) ignore_case: bool,
    /// Record type: d, b, t, tq, r, rb, rs or f
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    pub(crate) rec: Vec<String>,
    /// Fields to show: columns, dimensions, header_NAME, arf_NAME, extra.NAME
    #[arg(
        long = "fields",
        value_name = "FIELDS",
        value_delimiter = ',',
        default_value = "time_logged,rec,rcpt,vmta,dsn_diag"
    )]
    pub(crate) fields_shown: Vec<String>,
    /// Print a line a record, with fields in braces, such as '{enhanced_code} {rcpt}'; \t is a tab
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["fields_shown", "count"])]
    pub(crate) line_format: Option<String>,
    /// Say only how many records are found
    #[arg(long)]
    pub(crate) count: bool,
    /// Records to show, 0 for all [default: 100; all in formats for programs and in a file]
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Print the SQL instead of running it
    #[arg(long)]
    pub(crate) show_sql: bool,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

/// Texts that a certain field must hold.
#[derive(Debug, Args)]
#[command(next_help_heading = "Texts in a field, all of which must be found")]
pub(crate) struct FieldNeedles {
    /// The reply (dsn_diag) holds it
    #[arg(long, value_name = "TEXT")]
    pub(crate) diag: Vec<String>,
    /// The status (dsn_status) holds it
    #[arg(long, value_name = "TEXT")]
    pub(crate) status: Vec<String>,
    /// The recipient holds it
    #[arg(long, value_name = "TEXT")]
    pub(crate) rcpt: Vec<String>,
    /// The envelope sender holds it
    #[arg(long, value_name = "TEXT")]
    pub(crate) orig: Vec<String>,
    /// The remote server (dsn_mta) holds it
    #[arg(long, value_name = "TEXT")]
    pub(crate) mta: Vec<String>,
    /// The envelope identifier holds it
    #[arg(long, value_name = "TEXT")]
    pub(crate) env_id: Vec<String>,
    /// The queue holds it
    #[arg(long, value_name = "TEXT")]
    pub(crate) queue: Vec<String>,
    /// Any field holds it, such as header_Subject=spring
    #[arg(long, value_name = "FIELD=TEXT")]
    pub(crate) field: Vec<String>,
}

/// The life of a message: everything that happened to it, in order.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq trace user@example.com
  pmtaq trace user@example.com --since yesterday --format json
  pmtaq trace --env-id b837092d-d69d-9439-3336-cb82a7368721
  pmtaq trace --message-id '<20260301.1234@news.example.com>'")]
#[group(id = "of", required = true, multiple = false)]
pub(crate) struct TraceKey {
    /// Recipient
    #[arg(value_name = "ADDRESS")]
    pub(crate) rcpt: Option<String>,
    /// Envelope identifier instead of a recipient
    #[arg(long, value_name = "ID")]
    pub(crate) env_id: Option<String>,
    /// Message-Id instead of a recipient, where header_Message-Id is logged
    #[arg(long, value_name = "ID")]
    pub(crate) message_id: Option<String>,
}

/// The life of a message: everything that happened to it, in order.
#[derive(Debug, Args)]
pub(crate) struct Trace {
    #[command(flatten)]
    pub(crate) key: TraceKey,
    /// Print the SQL instead of running it
    #[arg(long)]
    pub(crate) show_sql: bool,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

/// What a reply or a code means, whose fault it is, what helps, and how often it was seen.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:
  pmtaq explain '421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred'
  pmtaq explain 5.7.26
  pmtaq explain S3140 --since yesterday
  pmtaq explain '550 5.1.1 <{email}>: user does not exist'       (a line of top-bounces)",
    after_help = "A whole reply, or its template, has one meaning of its receiver and one of the standard; a \
                  code alone has all that are known. Without a store it explains and counts nothing."
)]
pub(crate) struct Explain {
    /// The reply, its template, an enhanced code, or a provider's own code
    #[arg(value_name = "REPLY", required = true)]
    pub(crate) reply: Vec<String>,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

/// Run SQL over the store, read-only: a statement, a file, stdin, or an interactive shell.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:
  pmtaq sql                                  (a shell, with history and completion)
  pmtaq sql \"select provider, count(*) from deliveries group by all order by 2 desc\"
  pmtaq sql --since yesterday -f report.sql --format csv
  pmtaq sql --explain \"select * from bounces where rcpt_domain = 'gmail.com'\"
  pmtaq sql --allow-files /srv/lists \"select rcpt from bounces where rcpt in (from '/srv/lists/vip.csv')\"",
    after_help = "It reads and does nothing else: it cannot write, attach, install or change a setting, nor \
                  read a file outside the store that --allow-files does not name. Every metric can be \
                  called as name(); `pmtaq metrics` and `pmtaq columns` list what there is."
)]
pub(crate) struct Sql {
    /// The statement; - for stdin; none for a shell
    #[arg(value_name = "STATEMENT")]
    pub(crate) statement: Option<String>,
    /// A file with the statement
    #[arg(long, short, value_name = "FILE", conflicts_with = "statement")]
    pub(crate) file: Option<PathBuf>,
    /// Show how the engine would run the statement
    #[arg(long)]
    pub(crate) explain: bool,
    /// Rows to show, 0 for all [default: 1000 in a table on a terminal, else all]
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// A file or folder outside the store that the statement may read
    #[arg(long, value_name = "PATH")]
    pub(crate) allow_files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) times: Times,
}

/// Watch the store live, on the whole screen: metrics by any dimension over a window that ends with
/// the newest record, again after each ingest. Enter goes down, by default from provider to
/// vmta, to template, to the records; ? lists the keys.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq top
  pmtaq top --by job_id --metric bounce_rate --last 6h
  pmtaq top --by template --provider yahoo --since 2026-03-02 --until 2026-03-03")]
pub(crate) struct Top {
    /// Dimension of the first level
    #[arg(long, value_name = "DIMENSION", default_value = "provider")]
    pub(crate) by: String,
    /// Metric that ranks the rows and is drawn over time
    #[arg(long, value_name = "METRIC", default_value = "sent")]
    pub(crate) metric: String,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

/// A report to read in a browser: one HTML file that needs no network.
///
/// What is wrong comes first, ranked, each with its reading and the command that shows the records;
/// then volume, the funnel, the queue, throttle episodes, a map of providers and VirtualMTAs,
/// replies, latency, TLS and jobs. Each figure names the command that gives it in a terminal.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  pmtaq report yesterday.html --since yesterday --until today
  pmtaq report - --last 7d --provider gmail > gmail.html")]
pub(crate) struct HtmlReport {
    /// File to write, - for stdout
    #[arg(value_name = "FILE", required_unless_present_any = ["html", "output"], conflicts_with = "output")]
    file: Option<PathBuf>,
    /// The same
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "output"])]
    html: Option<PathBuf>,
    /// What a day is compared with: same-hour/7d (the same hours of the last 7 days) or previous
    #[arg(long, value_name = "BASELINE", default_value = "same-hour/7d")]
    pub(crate) vs: crate::versus::Versus,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

impl HtmlReport {
    /// The file to write.
    pub(crate) fn path(&self) -> &Path {
        // One of them is given, or where all answers go.
        self.file.as_deref().or(self.html.as_deref()).unwrap_or(Path::new("-"))
    }
}
