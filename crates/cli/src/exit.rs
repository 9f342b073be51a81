//! The exit codes and their meaning. `check` alone speaks another language, that of Nagios.

use std::process::ExitCode;

use pmtaq_alert::ServiceStatus;

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All was done.
    Done,
    /// It failed while running.
    Failed,
    /// The command line or the configuration is wrong.
    Usage,
    /// The store is locked or unreadable; trying again may help.
    Store,
    /// Ingest finished, but more lines were refused than allowed.
    Rejects,
    /// The user interrupted it.
    Interrupted,
    /// The verdict of `check`.
    Checked(ServiceStatus),
}

impl Exit {
    /// The number that the shell sees.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Store => 3,
            Exit::Rejects => 4,
            Exit::Interrupted => 130,
            Exit::Checked(status) => status as u8,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
