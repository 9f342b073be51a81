//! Why a cluster gave no answer, in our words.

use std::time::Duration;

use tonic::{Code, Status};

/// Why a cluster gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody answers there.
    #[error("the cluster {address} cannot be reached: {what}")]
    Unreachable {
        /// Where.
        address: String,
        /// What the network says.
        what: String,
    },
    /// It wants a token, or another one.
    #[error("the cluster {address} {what}; the setting cluster.token names one")]
    Refused {
        /// Where.
        address: String,
        /// What it does not like.
        what: &'static str,
    },
    /// The cluster cannot read a part.
    #[error("the cluster cannot read {what}; it must see the store, as cluster.root says where")]
    NotSeen {
        /// The path, and what the cluster says of it.
        what: String,
    },
    /// It understood, and failed.
    #[error("the cluster says: {what}")]
    Failed {
        /// Its own words, the first lines.
        what: String,
    },
    /// The user stopped it.
    #[error("interrupted")]
    Interrupted,
    /// It took longer than it may.
    #[error("this took longer than {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// What came was no answer of this protocol.
    #[error("the cluster {address} answers what is no Spark Connect: {what}")]
    Protocol {
        /// Where.
        address: String,
        /// What is wrong with it.
        what: String,
    },
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Lines of an error that are told: what follows is the plan, or where in the server it happened.
const LINES: usize = 2;

/// Characters of an error that are told.
const LONG: usize = 600;

impl Error {
    /// What a status of the wire means.
    pub(crate) fn of(status: &Status, address: &str, has_token: bool) -> Error {
        let address = address.to_owned();
        // What has a cause happened on the way: no server has said it.
        if let Some(cause) = std::error::Error::source(status) {
            return Error::Unreachable { address, what: causes(cause) };
        }
        let what = told(status.message());
        match status.code() {
            Code::Unauthenticated | Code::PermissionDenied => {
                let what = if has_token { "refuses the token" } else { "wants a token" };
                Error::Refused { address, what }
            }
            Code::Unavailable => Error::Unreachable { address, what },
            Code::Unimplemented | Code::OutOfRange => Error::Protocol { address, what },
            _ if is_of_a_path(&what) => Error::NotSeen { what },
            _ => Error::Failed { what },
        }
    }
}

/// The last cause of an error, which says what happened.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// Whether the cluster does not find a file, or may not read it.
fn is_of_a_path(what: &str) -> bool {
    [
        "PATH_NOT_FOUND",
        "FAILED_READ_FILE",
        "FileNotFoundException",
        "UnsupportedFileSystem",
        "No FileSystem for scheme",
        "No such file or directory",
        "AccessControlException",
    ]
    .iter()
    .any(|word| what.contains(word))
}

/// The first lines of what a server says, without what it says of itself.
fn told(message: &str) -> String {
    let is_told = |line: &&str| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with("at ") && !line.starts_with("JVM stacktrace")
    };
    let lines = message.lines().filter(is_told).take(LINES).map(str::trim);
    let text = lines.collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(LONG) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None if text.is_empty() => "nothing".to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_told_by_what_it_means() {
        let of =
            |code, text: &str| Error::of(&Status::new(code, text), "spark://a:1", true).to_string();
        let long = "[UNRESOLVED_COLUMN] A column `x` cannot be resolved.\n\n  at org.apache.A\nJVM";
        assert_eq!(
            of(Code::Internal, long),
            "the cluster says: [UNRESOLVED_COLUMN] A column `x` cannot be resolved. JVM"
        );
        assert!(of(Code::Unauthenticated, "Bearer abc").ends_with("cluster.token names one"));
        assert!(!of(Code::Unauthenticated, "Bearer abc").contains("abc"));
        assert!(of(Code::Unavailable, "refused").contains("cannot be reached: refused"));
        assert!(of(Code::Internal, "[PATH_NOT_FOUND] /x").contains("cluster.root"));
        assert!(of(Code::Unimplemented, "").contains("no Spark Connect: nothing"));
        assert!(of(Code::Internal, &"x".repeat(5000)).len() < 700);
    }
}
