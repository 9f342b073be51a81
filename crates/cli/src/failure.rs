//! What the user is told when something fails: what, why, and what to do next.
//! The one place that turns library errors into exit codes and hints.

use std::error::Error;
use std::fmt::Write as _;

use crate::exit::Exit;

/// A failure as the user sees it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    missing_store: bool,
    message: String,
    hint: Option<String>,
}

/// A result of this crate.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// The command line or the configuration is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Usage, missing_store: false, message: message.into(), hint: None }
    }

    /// Something failed while running.
    pub(crate) fn failed(error: &dyn Error) -> Failure {
        Failure::from_text(chain(error))
    }

    /// Something failed while running, in these words.
    pub(crate) fn from_text(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Failed, missing_store: false, message: message.into(), hint: None }
    }

    /// Nothing more is to be said: a closed pipe.
    pub(crate) fn silent() -> Failure {
        Failure { exit: Exit::Done, missing_store: false, message: String::new(), hint: None }
    }

    /// The user interrupted it.
    pub(crate) fn interrupted() -> Failure {
        Failure {
            exit: Exit::Interrupted,
            missing_store: false,
            message: "interrupted".to_owned(),
            hint: None,
        }
    }

    /// Whether there is no store where one was looked for.
    pub(crate) fn is_missing_store(&self) -> bool {
        self.missing_store
    }

    /// What went wrong, without what to do next.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Adds what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// The lines for stderr.
    pub(crate) fn text(&self) -> String {
        if self.message.is_empty() {
            return String::new();
        }
        let mut text = format!("pmtaq: error: {}\n", self.message);
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, "hint: {hint}");
        }
        text
    }
}

/// All that went wrong as one failure; done when nothing did.
pub(crate) fn summed_up(failures: Vec<String>) -> Result<Exit> {
    let text = match failures.as_slice() {
        [] => return Ok(Exit::Done),
        [one] => one.clone(),
        many => {
            let lines: String = many.iter().map(|text| format!("\n  {text}")).collect();
            format!("{} things went wrong:{lines}", many.len())
        }
    };
    Err(Failure::from_text(text))
}

/// What to do when a file of the store is damaged or gone.
pub(crate) const REPAIR: &str = "`pmtaq verify` says what is damaged, and `pmtaq verify --repair` \
                                 what can be had back";

/// Whether a disk, a quota or a limit of the process has no room left.
fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

impl From<pmtaq_store::Error> for Failure {
    fn from(error: pmtaq_store::Error) -> Failure {
        use pmtaq_store::Error as E;
        let mut failure =
            Failure { exit: Exit::Store, missing_store: false, message: chain(&error), hint: None };
        failure.hint = match &error {
            E::Missing { .. } => {
                failure.exit = Exit::Usage;
                failure.missing_store = true;
                Some(
                    "`pmtaq ingest --store DIR FILES...` makes a store; --store or PMTAQ_STORE \
                      names one"
                        .to_owned(),
                )
            }
            E::Occupied { .. } => {
                failure.exit = Exit::Usage;
                Some("name an empty or a new folder".to_owned())
            }
            E::Locked { .. } => {
                Some("only one process writes at a time; try again when it has ended".to_owned())
            }
            E::OtherRecipients { .. } => {
                failure.exit = Exit::Usage;
                Some(
                    "a store keeps all recipients in one way: leave out --privacy, or ingest \
                      into a new store"
                        .to_owned(),
                )
            }
            E::InStore { .. } => {
                failure.exit = Exit::Usage;
                Some("only commits write there: name a file elsewhere".to_owned())
            }
            E::FromTheFuture { .. } => Some("use a newer pmtaq".to_owned()),
            E::Io { source, .. } if is_full(source) => {
                failure.exit = Exit::Failed;
                Some(
                    "the disk is full, or what may be written; the store is as it was before, and \
                      the next run takes what is missing; `pmtaq prune` makes room"
                        .to_owned(),
                )
            }
            E::Io { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => Some(
                "the store belongs to another user, or was made by one: see who owns its folders"
                    .to_owned(),
            ),
            E::Damaged { .. } => Some(REPAIR.to_owned()),
            error if error.is_missing_file() => Some(REPAIR.to_owned()),
            E::Io { .. } => None,
            E::Bucket(error) => {
                use pmtaq_bucket::Error as B;
                match error {
                    B::Settings(_) => {
                        failure.exit = Exit::Usage;
                        None
                    }
                    B::Unfit { .. } => {
                        failure.exit = Exit::Usage;
                        Some(
                            "many machines write to a bucket: without a server that compares before it \
                             swaps one would undo what another has stored"
                                .to_owned(),
                        )
                    }
                    error if error.is_forbidden() => Some(
                        "see whose keys these are (AWS_ACCESS_KEY_ID, AWS_PROFILE), what they may do with \
                         the bucket, and whether the clock is right"
                            .to_owned(),
                    ),
                    B::Refused { .. } | B::Unanswered { .. } | B::Io { .. } => Some(
                        "run it again: a commit is whole or not there, and what was stored is not stored \
                         twice"
                            .to_owned(),
                    ),
                }
            }
            E::Conflict { .. } => Some("nothing was changed; try again".to_owned()),
            E::Unbalanced { .. } | E::Lost { .. } | E::Parquet { .. } => {
                failure.exit = Exit::Failed;
                Some("nothing was stored; the store is as it was before".to_owned())
            }
        };
        failure
    }
}

impl From<pmtaq_ingest::Error> for Failure {
    fn from(error: pmtaq_ingest::Error) -> Failure {
        match error {
            pmtaq_ingest::Error::Store(error) => error.into(),
            pmtaq_ingest::Error::Memory { what, given, least } => {
                let given = pmtaq_schema::human::size(given);
                // Rounded up: what the hint says must do.
                let least = least.div_ceil(1_000_000);
                Failure::usage(format!("{what} cannot do with {given} of memory"))
                    .hint(format!("`--memory {least}MB` is the least"))
            }
            pmtaq_ingest::Error::Glob { .. } | pmtaq_ingest::Error::Header(_) => {
                Failure::usage(error.to_string())
            }
            pmtaq_ingest::Error::Threads(_) => {
                Failure::failed(&error).hint("`--threads 1` needs the fewest")
            }
        }
    }
}

impl From<pmtaq_render::Error> for Failure {
    fn from(error: pmtaq_render::Error) -> Failure {
        match error {
            error if error.is_broken_pipe() => Failure::silent(),
            // What ends a question among its rows ends it as before the first of them.
            pmtaq_render::Error::Rows(cause) => match cause.downcast::<pmtaq_query::Error>() {
                Ok(error) => (*error).into(),
                Err(cause) => Failure::failed(&*cause),
            },
            error => Failure::failed(&error),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Failure::silent();
        }
        Failure::failed(&error)
    }
}
