//! What a bucket may come to. No error has a signature, a key or a token in it, and what a server says is
//! cut and without control characters.

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server answered with an error.
    #[error("{what}: the server answers {status} {code}{}", said(message))]
    Refused {
        /// What was asked, such as `put s3://logs/mail/x`.
        what: String,
        /// The status of HTTP.
        status: u16,
        /// The error's code, as S3 has them.
        code: String,
        /// The server's words.
        message: String,
    },
    /// No answer, or one that broke off.
    #[error("{what}: {why}")]
    Unanswered {
        /// What was asked.
        what: String,
        /// Why.
        why: String,
    },
    /// The server does not do what a store needs.
    #[error("{what}: {why}")]
    Unfit {
        /// The bucket.
        what: String,
        /// What it does instead.
        why: String,
    },
    /// Where the bucket is, or who is asking, is not said, or wrong.
    #[error("{0}")]
    Settings(String),
    /// A file of this machine.
    #[error("{what}")]
    Io {
        /// What was to be written or read.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

impl Error {
    /// Whether who asks may not do this, or is not known.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Error::Refused { status: 401 | 403, .. })
    }
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What a server says, safe to be shown.
pub(crate) fn shown(text: &str) -> String {
    const MAX: usize = 200;
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX)
        .collect::<String>()
        .trim()
        .into()
}
