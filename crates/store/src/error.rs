//! What can go wrong with a store, in the store's own nouns. Prints nothing, decides nothing.

use std::path::{Path, PathBuf};

use crate::recipients::Recipients;

/// Why a store could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no store in the folder.
    #[error("there is no store in {}", dir.display())]
    Missing {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder is neither empty nor a store.
    #[error("{} holds other things than a store", dir.display())]
    Occupied {
        /// The folder.
        dir: PathBuf,
    },
    /// Another process is writing.
    #[error("the store is locked by {owner}")]
    Locked {
        /// Who holds the lock: process, host, since when.
        owner: String,
    },
    /// A newer version of pmtaq wrote the store.
    #[error(
        "{} is of format {found}, which a newer pmtaq wrote; this one, {}, reads up to format {known}: \
         install the newer one (`pmtaq --version` says what it reads)",
        path.display(), env!("CARGO_PKG_VERSION")
    )]
    FromTheFuture {
        /// The manifest.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// A file of the store says what cannot be.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        what: String,
    },
    /// Counts that must balance do not; nothing was committed.
    #[error(
        "the ledger of {name} does not balance: {read} read, but {stored} stored + {duplicate} duplicate + {rejected} rejected"
    )]
    Unbalanced {
        /// The source.
        name: String,
        /// Records read.
        read: u64,
        /// Records stored.
        stored: u64,
        /// Records that were in the store before.
        duplicate: u64,
        /// Records refused.
        rejected: u64,
    },
    /// A change whose parts do not hold the rows that its ledgers count; nothing was committed.
    #[error("the change of {table} does not balance: {expected} rows expected, {found} found")]
    Lost {
        /// The table.
        table: crate::layout::Table,
        /// Rows before, plus those stored, less those removed.
        expected: u64,
        /// Rows in the parts.
        found: u64,
    },
    /// A store keeps the addresses of recipients in one way.
    #[error("the store has recipients {here}, and what comes has them {wanted}")]
    OtherRecipients {
        /// How the store keeps them.
        here: Recipients,
        /// How the rows to come would have them.
        wanted: Recipients,
    },
    /// A file that the user named lies where only commits write.
    #[error("{} is inside the store {}", path.display(), store.display())]
    InStore {
        /// The file.
        path: PathBuf,
        /// The store.
        store: PathBuf,
    },
    /// The file system refused.
    #[error("{}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A bucket could not be asked, or refused.
    #[error(transparent)]
    Bucket(#[from] pmtaq_bucket::Error),
    /// Another machine has committed what this change rests on; nothing was committed.
    #[error("{store} was changed meanwhile by another writer")]
    Conflict {
        /// The address of the store.
        store: String,
    },
    /// A part could not be encoded.
    #[error("{}", path.display())]
    Parquet {
        /// The part.
        path: PathBuf,
        /// What the encoder said.
        source: parquet::errors::ParquetError,
    },
}

impl Error {
    /// Whether a file is not there: a commit may have replaced it.
    pub fn is_missing_file(&self) -> bool {
        matches!(self, Error::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    }

    /// Whether there is no room for what was to be written.
    pub(crate) fn is_full_disk(&self) -> bool {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(self, Error::Io { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded))
    }

    /// A manifest that must have a checksum and has none.
    pub(crate) fn unsealed(path: &Path) -> Error {
        Error::Damaged { path: path.to_owned(), what: "it has lost its checksum".to_owned() }
    }
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Adds the path to what the file system or the encoder said.
pub(crate) trait At<T> {
    fn at(self, path: &Path) -> Result<T>;
}

impl<T> At<T> for std::io::Result<T> {
    fn at(self, path: &Path) -> Result<T> {
        self.map_err(|source| Error::Io { path: path.to_owned(), source })
    }
}

impl<T> At<T> for parquet::errors::Result<T> {
    fn at(self, path: &Path) -> Result<T> {
        use parquet::errors::ParquetError;
        self.map_err(|error| match error {
            // What the file system said through the encoder.
            ParquetError::External(cause) => match cause.downcast::<std::io::Error>() {
                Ok(source) => Error::Io { path: path.to_owned(), source: *source },
                Err(cause) => {
                    let source = ParquetError::External(cause);
                    Error::Parquet { path: path.to_owned(), source }
                }
            },
            source => Error::Parquet { path: path.to_owned(), source },
        })
    }
}
