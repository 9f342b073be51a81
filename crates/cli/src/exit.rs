//! The exit codes and their meaning. `check` alone speaks another language, that of Nagios.

use std::process::ExitCode;

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All was done.
    Done = 0,
    /// It failed while running.
    Failed = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The store is locked or unreadable; trying again may help.
    Store = 3,
    /// Ingest finished, but more lines were refused than allowed.
    Rejects = 4,
    /// The user interrupted it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
