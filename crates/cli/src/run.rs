//! The program on one screen: arguments, context, command, exit. The only place with a clock.

use clap::{ArgMatches, FromArgMatches};
use pmtaq_query::Catalog;
use pmtaq_schema::Timestamp;

use crate::args::{self, Cli, Command, Global, ReportArgs};
use crate::commands::{self, ask, lists};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::ui;

/// What every command is given beside its own arguments.
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) now: Timestamp,
    pub(crate) threads: usize,
    pub(crate) machine: String,
}

impl Context {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the clock")]
    fn new(global: Global) -> Result<Context> {
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
        Ok(Context { global, now, threads, machine })
    }

    /// Memory that a query may use, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.global.memory.unwrap_or(2_000_000_000)
    }

    /// Who holds the lock of the store, for the message that others get.
    pub(crate) fn owner(&self) -> String {
        format!("process {} on {} since {}", std::process::id(), self.machine, self.now)
    }
}

/// Runs the command line that the process was started with.
pub(crate) fn run() -> Exit {
    let result =
        Catalog::builtin().map_err(Failure::from).and_then(|catalog| {
            match args::command(&catalog).try_get_matches() {
                Ok(matches) => dispatch(&catalog, &matches),
                Err(error) => Ok(usage(&error)),
            }
        });
    result.unwrap_or_else(|failure| {
        ui::complain(&failure.text());
        failure.exit
    })
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

fn dispatch(catalog: &Catalog, matches: &ArgMatches) -> Result<Exit> {
    let wrong = |error: clap::Error| Failure::usage(error.to_string());
    if let Some((report, own)) = args::called(catalog, matches) {
        let context = Context::new(Global::from_arg_matches(own).map_err(wrong)?)?;
        let args = ReportArgs::from_arg_matches(own).map_err(wrong)?;
        let selection = ask::selection(&args.selection);
        let given = args::given(report, own);
        let times = &args.selection.times;
        return ask::report(&context, report, given, times, &selection, args.show_sql);
    }
    let cli = Cli::from_arg_matches(matches).map_err(wrong)?;
    let context = Context::new(cli.global)?;
    match cli.command {
        Command::Ingest(args) => commands::ingest::run(&context, args),
        Command::Pivot(args) => ask::pivot(&context, &args),
        Command::Search(args) => commands::search::run(&context, &args),
        Command::Explain(args) => commands::explain::run(&context, &args),
        Command::Trace(args) => commands::trace::run(&context, &args),
        Command::Sql(args) => commands::sql::run(context, &args),
        Command::Export(args) => ask::export(&context, &args),
        Command::Paths(args) => ask::paths(&context, &args),
        Command::Reports => lists::reports(&context, catalog),
        Command::Columns => lists::columns(&context),
        Command::Metrics => lists::metric_list(&context),
        Command::Dimensions => lists::dimensions(&context),
    }
}
