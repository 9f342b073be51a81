//! The program on one screen: arguments, context, command, exit. The only place with a clock.

use std::ffi::OsString;

use clap::{ArgMatches, CommandFactory, FromArgMatches};
use pmtaq_query::Catalog;
use pmtaq_schema::Timestamp;

use crate::args::{self, Cli, Command, Global, ReportArgs};
use crate::commands::{self, ask, check, lists, pages};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::settings::{Places, Settings};
use crate::{own, ui};

/// What every command is given beside its own arguments.
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) now: Timestamp,
    pub(crate) threads: usize,
    pub(crate) machine: String,
    pub(crate) settings: Settings,
    pub(crate) places: Places,
}

impl Context {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the clock")]
    fn new(global: Global, settings: Settings, places: Places) -> Result<Context> {
        let now = match &global.now {
            Some(text) => Timestamp::parse(text.as_bytes())
                .ok_or_else(|| Failure::usage(format!("--now `{text}` is no time")))?,
            None => {
                let since_1970 = std::time::SystemTime::now()
                    .duration_since(std::time::UNIX_EPOCH)
                    .unwrap_or_default();
                Timestamp(i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX))
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = global.threads.map_or(cores, usize::from);
        let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Ok(Context { global, now, threads, machine, settings, places })
    }

    /// A clock that goes on from `now`.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the clock")]
    pub(crate) fn clock(&self) -> Clock {
        Clock { start: std::time::Instant::now(), now: self.now }
    }

    /// Memory that a query may use, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.global.memory.unwrap_or(2_000_000_000)
    }

    /// Memory that an ingest may use, in bytes: it runs beside the MTA.
    pub(crate) fn memory_of_ingest(&self) -> u64 {
        self.global.memory.unwrap_or(pmtaq_ingest::DEFAULT_MEMORY)
    }

    /// Who holds the lock of the store, for the message that others get.
    pub(crate) fn owner(&self) -> String {
        format!("process {} on {} since {}", std::process::id(), self.machine, self.now)
    }
}

/// The time as it goes, for what runs long.
pub(crate) struct Clock {
    start: std::time::Instant,
    now: Timestamp,
}

impl Clock {
    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        let gone = i64::try_from(self.start.elapsed().as_secs()).unwrap_or(i64::MAX);
        Timestamp(self.now.0.saturating_add(gone))
    }
}

/// Lets the process open as many files as the system allows it: a query holds its parts open.
fn allow_many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // What is refused leaves the usual limit, which is enough for a thousand parts.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Runs the command line that the process was started with.
pub(crate) fn run() -> Exit {
    allow_many_files();
    let args = told(std::env::args_os().collect());
    try_run(&args).unwrap_or_else(|failure| {
        if is_check(&args) {
            return check::unknown(&failure.text());
        }
        ui::complain(&failure.text());
        failure.exit
    })
}

/// Whether the command is `check`, whose every failure is said on stdout as UNKNOWN.
fn is_check(args: &[OsString]) -> bool {
    let matches = Cli::command().ignore_errors(true).try_get_matches_from(args);
    matches.is_ok_and(|matches| matches.subcommand_name() == Some("check"))
}

fn try_run(args: &[OsString]) -> Result<Exit> {
    let places = Places::of_the_environment();
    let (catalog, warnings) = own::catalog(&places)?;
    let command = own::marked(args::command(&catalog), &catalog);
    // Help and what is wrong with the command line are told in any case.
    let settings = Settings::load(&places, &command);
    let mut command = match &settings {
        Ok(settings) => settings.apply(command),
        Err(_) => command,
    };
    let parsed = command.try_get_matches_from_mut(args);
    if !parsed.as_ref().is_ok_and(|matches| matches.get_flag("quiet")) {
        for warning in warnings {
            ui::complain(&format!("pmtaq: warning: {warning}"));
        }
    }
    match parsed {
        Ok(matches) => dispatch(&catalog, command, &matches, settings?, places),
        Err(error) if error.use_stderr() && is_check(args) => {
            Err(Failure::usage(error.to_string().trim_start_matches("error: ")))
        }
        Err(error) => Ok(usage(&error)),
    }
}

/// The command line as clap is told it: help about a list is the list.
fn told(mut args: Vec<OsString>) -> Vec<OsString> {
    const LISTS: [&str; 4] = ["columns", "dimensions", "metrics", "reports"];
    let is_list = args.get(2).is_some_and(|arg| LISTS.iter().any(|list| arg == list));
    if is_list && args[1] == "help" {
        args.remove(1);
    }
    args
}

/// Help and version are answers; all else that clap says is wrong usage, and may quote what the
/// user typed, which need not be harmless.
fn usage(error: &clap::Error) -> Exit {
    if error.use_stderr() {
        ui::complain(&error.to_string());
        return Exit::Usage;
    }
    let _ = error.print();
    Exit::Done
}

fn dispatch(
    catalog: &Catalog,
    command: clap::Command,
    matches: &ArgMatches,
    settings: Settings,
    places: Places,
) -> Result<Exit> {
    let wrong = |error: clap::Error| Failure::usage(error.to_string());
    if let Some((report, own)) = args::called(catalog, matches) {
        let context =
            Context::new(Global::from_arg_matches(own).map_err(wrong)?, settings, places)?;
        let args = ReportArgs::from_arg_matches(own).map_err(wrong)?;
        let given = args::given(report, own);
        let whose = catalog.own(&report.name);
        return ask::report(&context, report, whose, given, &args);
    }
    let cli = Cli::from_arg_matches(matches).map_err(wrong)?;
    let context = Context::new(cli.global, settings, places)?;
    match cli.command {
        Command::Ingest(args) => commands::ingest::run(&context, args),
        Command::Compact(args) => commands::compact::run(&context, &args),
        Command::Status(args) => commands::status::run(&context, &args),
        Command::Verify(args) => commands::keep::verify(&context, &args),
        Command::Forget(args) => commands::keep::forget(&context, &args),
        Command::Prune(args) => commands::keep::prune(&context, &args),
        Command::Pivot(args) => ask::pivot(&context, &args),
        Command::Graph(args) => commands::graph::run(&context, &args, catalog),
        Command::Search(args) => commands::search::run(&context, &args),
        Command::Explain(args) => commands::explain::run(&context, &args),
        Command::Trace(args) => commands::trace::run(&context, &args),
        Command::Why(args) => commands::why::run(&context, &args),
        Command::Check(args) => check::run(&context, &args),
        Command::Alert(args) => commands::alert::run(&context, &args),
        Command::Top(args) => commands::top::run(context, &args),
        Command::Report(args) => commands::report::run(&context, &args),
        Command::Sql(args) => commands::sql::run(context, &args),
        Command::Export(args) => ask::export(&context, &args),
        Command::Paths(args) => ask::paths(&context, &args),
        Command::Reports => lists::reports(&context, catalog),
        Command::Columns => lists::columns(&context),
        Command::Metrics(args) => match &args.textfile {
            Some(path) => commands::textfile::run(&context, &args, path),
            None => lists::metric_list(&context),
        },
        Command::Dimensions => lists::dimensions(&context),
        Command::Config(args) => {
            commands::config::run(&context, args.what, command, matches, catalog)
        }
        Command::Connect(args) => commands::connect::run(&context, &args),
        Command::Doctor(args) => commands::doctor::run(&context, &args, catalog),
        Command::Completions(args) => pages::completions(&context, args.shell, command),
        Command::Man(args) => pages::man(&context, &args, command),
    }
}
