//! The program on one screen: arguments, context, command, exit. The only place with a clock.

use clap::{CommandFactory, FromArgMatches};
use pmtaq_schema::Timestamp;

use crate::args::{Cli, Command, Global};
use crate::commands;
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

    /// Who holds the lock of the store, for the message that others get.
    pub(crate) fn owner(&self) -> String {
        format!("process {} on {} since {}", std::process::id(), self.machine, self.now)
    }
}

/// Runs the command line that the process was started with.
pub(crate) fn run() -> Exit {
    let matches = match Cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return usage(&error),
    };
    let result = Cli::from_arg_matches(&matches).map_err(|error| error.to_string());
    let result = result.map_err(Failure::usage).and_then(dispatch);
    result.unwrap_or_else(|failure| {
        ui::complain(&failure.text());
        failure.exit
    })
}

/// Help and version are answers; all else that clap says is wrong usage.
fn usage(error: &clap::Error) -> Exit {
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}

fn dispatch(cli: Cli) -> Result<Exit> {
    let context = Context::new(cli.global)?;
    match cli.command {
        Command::Ingest(args) => commands::ingest::run(&context, args),
        _ => Err(Failure::usage("not yet")),
    }
}
