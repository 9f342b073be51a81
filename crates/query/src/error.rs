//! Why a question has no answer, with what would have one.

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine refused; usually the user's SQL.
    #[error("{0}")]
    Sql(String),
    /// A part of the snapshot is gone: a commit replaced it.
    #[error("{} is gone", .0.display())]
    Vanished(std::path::PathBuf),
    /// A part is not as it was written.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The part.
        path: std::path::PathBuf,
        /// What is wrong with it, or what the engine says of it.
        what: String,
    },
    /// A part lies in a bucket, and could not be had from there; or an engine elsewhere gave no answer.
    #[error("{0}")]
    Elsewhere(String),
    /// An engine elsewhere cannot be asked this.
    #[error("a cluster cannot be asked with {0}; `--on local` answers it here")]
    NotThere(String),
    /// The user interrupted it.
    #[error("interrupted")]
    Interrupted,
    /// The query took longer than it may.
    #[error("this took longer than {} s", .0.as_secs_f64())]
    Timeout(std::time::Duration),
    /// The answer needs more memory than the session may use.
    #[error("this needs more memory: {0}")]
    Memory(String),
    /// Something is not on a closed list.
    #[error("there is no {what} `{name}`{}", instead(what, name, nearest.as_deref()))]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A parameter has a value of another form.
    #[error("--{name} `{value}` is not {expected}")]
    BadValue {
        /// The parameter.
        name: String,
        /// Its value.
        value: String,
        /// What it should be.
        expected: String,
    },
    /// The statement does other things than read.
    #[error("only one statement that reads is allowed{0}")]
    NotReading(String),
    /// No statement: the engine cannot parse it.
    #[error("this is not valid SQL: {0}")]
    Syntax(String),
    /// An answer lacks a column that is needed of it.
    #[error("the answer has no column `{name}` of {expected}")]
    Column {
        /// Its name.
        name: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A report file has a bad header.
    #[error("report {file}:{line}: {what}")]
    BadReport {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Says that `name` is not among `known`, with the nearest that is.
    pub(crate) fn unknown<'a>(
        what: &'static str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Error {
        let nearest = pmtaq_schema::nearest::nearest(name, known).map(str::to_owned);
        Error::Unknown { what, name: name.to_owned(), nearest }
    }
}

impl From<duckdb::Error> for Error {
    fn from(error: duckdb::Error) -> Error {
        let text = match error {
            duckdb::Error::DuckDBFailure(_, Some(text)) => text,
            other => other.to_string(),
        };
        if text.starts_with("INTERRUPT") {
            return Error::Interrupted;
        }
        match text.strip_prefix("Out of Memory Error: ") {
            // What follows is advice for those who speak to the engine themselves.
            Some(what) => Error::Memory(what.lines().next().unwrap_or_default().to_owned()),
            None => Error::Sql(with_new_name(text)),
        }
    }
}

/// What to write instead of a name, or where to look for it.
fn instead(what: &str, name: &str, nearest: Option<&str>) -> String {
    if let Some(new) = new_name(name) {
        return format!("; reports call it `{new}` now");
    }
    match nearest {
        Some(name) => format!("; did you mean `{name}`?"),
        None if ["metric", "dimension", "column"].contains(&what) => {
            format!("; `pmtaq {what}s` lists them")
        }
        None => String::new(),
    }
}

/// Columns of reports that had another name, with the one they have now.
const RENAMED: &[(&str, &str)] = &[
    ("all_bounced", "total"),
    ("all_deferred", "total"),
    ("a_of", "a_total"),
    ("b_of", "b_total"),
    ("cost", "total_delay"),
    ("edge", "completeness"),
    ("mailed_dead", "sent_to_dead"),
    ("of", "total"),
    ("open", "still_queued"),
    ("peak", "peak_share"),
    ("reply_bounced", "reply_count"),
    ("sure", "significance"),
    ("took", "delivery_time"),
    ("tried", "peak_attempts"),
    ("wasted", "same_reply"),
    ("wasted_rate", "same_reply_rate"),
    ("what", "detail` or `mismatch"),
    ("within", "cumulative"),
];

/// What a column of a report is called now that once was called `name`.
fn new_name(name: &str) -> Option<&'static str> {
    RENAMED.iter().find(|(old, _)| *old == name).map(|(_, new)| *new)
}

/// What the engine says of a column that it does not find, with its new name if it has one.
fn with_new_name(text: String) -> String {
    let name = text.split_once("Referenced column \"").and_then(|(_, rest)| rest.split_once('"'));
    match name.and_then(|(name, _)| new_name(name)) {
        Some(new) => format!("{}\nreports call it `{new}` now", text.trim_end()),
        None => text,
    }
}
