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
    #[error("there is no {what} `{name}`{}", instead(what, nearest.as_deref()))]
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
    #[error("this is no SQL: {0}")]
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
            None => Error::Sql(text),
        }
    }
}

/// What to write instead of a name, or where to look for it.
fn instead(what: &str, nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!("; did you mean `{name}`?"),
        None if ["metric", "dimension", "column"].contains(&what) => {
            format!("; `pmtaq {what}s` lists them")
        }
        None => String::new(),
    }
}
