//! The program on one screen: arguments, context, command, exit.

use std::ffi::OsString;
use std::io::Write as _;

use clap::error::ErrorKind;
use clap::{ArgMatches, CommandFactory, FromArgMatches};
use pmtaq_query::Catalog;

use crate::args::{self, Cli, Command, Global, ReportArgs};
use crate::commands::{self, canned, check, lists, man, pages, version};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::settings::{Places, Settings};
use crate::{complete, own, settings, ui};

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
    let args = std::env::args_os().collect();
    if let Some(shell) = settings::variable(complete::VARIABLE) {
        return complete::run(&shell, args);
    }
    let args = help_of_list_as_list(args);
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
fn help_of_list_as_list(mut args: Vec<OsString>) -> Vec<OsString> {
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
    let _ = match error.kind() {
        ErrorKind::DisplayVersion => std::io::stdout().write_all(version::text().as_bytes()),
        _ => error.print(),
    };
    Exit::Done
}

fn dispatch(
    catalog: &Catalog,
    command: clap::Command,
    matches: &ArgMatches,
    settings: Settings,
    places: Places,
) -> Result<Exit> {
    settings.dimensions.define()?;
    let wrong = |error: clap::Error| Failure::usage(error.to_string());
    if let Some((report, own)) = args::called(catalog, matches) {
        let context =
            Context::new(Global::from_arg_matches(own).map_err(wrong)?, settings, places)?;
        let args = ReportArgs::from_arg_matches(own).map_err(wrong)?;
        let given = args::given(report, own);
        let whose = catalog.own(&report.name);
        let done = canned::run(&context, report, whose, given, &args)?;
        return Ok(context.left_out.exit(done));
    }
    let cli = Cli::from_arg_matches(matches).map_err(wrong)?;
    let context = Context::new(cli.global, settings, places)?;
    let left_out = context.left_out.clone();
    let done = match cli.command {
        Command::Ingest(args) => {
            commands::alert::remember_ingest(&context, commands::ingest::run(&context, args))
        }
        Command::Compact(args) => commands::compact::run(&context, &args),
        Command::Status(args) => commands::status::run(&context, &args),
        Command::Verify(args) => commands::keep::verify(&context, &args),
        Command::Forget(args) => commands::keep::forget(&context, &args),
        Command::Backup(args) => commands::backup::run(&context, &args),
        Command::Delta(args) => commands::delta::run(&context, &args),
        Command::Push(args) => commands::push::run(&context, &args),
        Command::Prune(args) => commands::keep::prune(&context, &args),
        Command::Pivot(args) => commands::pivot::run(&context, &args),
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
        Command::Export(args) => commands::export::run(&context, &args),
        Command::Paths(args) => commands::paths::run(&context, &args),
        Command::Reports => lists::reports(&context, catalog),
        Command::Columns => lists::columns(&context),
        Command::Metrics(args) => match &args.textfile {
            Some(path) => commands::textfile::run(&context, &args, path),
            None => lists::metric_list(&context),
        },
        Command::Dimensions => lists::dimensions(&context),
        Command::Config(args) => {
            commands::config::run(&context, &args.what, command, matches, catalog)
        }
        Command::Connect(args) => commands::connect::run(&context, &args),
        Command::Doctor(args) => commands::doctor::run(&context, &args, catalog),
        Command::Completions(args) => pages::completions(&context, args.shell),
        Command::Man(args) => man::run(&context, &args, command),
    };
    Ok(left_out.exit(done?))
}
