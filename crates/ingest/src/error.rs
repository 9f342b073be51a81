//! Why a run stopped.

/// Why a run stopped. Bad files and bad lines do not stop one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store's own disk refused.
    #[error(transparent)]
    Store(#[from] pmtaq_store::Error),
    /// The machine has no room for the worker threads.
    #[error("cannot start {0} worker threads")]
    Threads(usize),
    /// No glob is written so.
    #[error("`{glob}` is not a valid glob: {why}")]
    Glob {
        /// As it was given.
        glob: String,
        /// What is wrong.
        why: String,
    },
    /// The header of files that have none cannot be used.
    #[error("the header that is given: {0}")]
    Header(String),
    /// So little memory is not enough.
    #[error("{what} needs {least} bytes of memory at least, and may use {given}")]
    Memory {
        /// What was to be done.
        what: &'static str,
        /// What it may use.
        given: u64,
        /// What is enough.
        least: u64,
    },
}
