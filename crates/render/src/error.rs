//! What can go wrong while an answer is written.
//! Never prints and never decides an exit code.

use std::io;

use arrow::error::ArrowError;
use parquet::errors::ParquetError;

/// An error of whoever produces the batches.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why an answer could not be written to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The output refused the bytes; a closed pipe is one of these.
    #[error("cannot write the output")]
    Write(#[source] io::Error),
    /// The producer of the batches failed; the message is its own.
    #[error(transparent)]
    Rows(BoxError),
    /// A batch does not have the columns of its sheet.
    #[error("a batch of rows has {found} columns where the sheet has {expected}")]
    Shape {
        /// Columns of the sheet.
        expected: usize,
        /// Columns of the batch.
        found: usize,
    },
    /// A column has a type, or a value, that cannot be turned into text.
    #[error("cannot show column `{column}` of type {data_type}; cast it to VARCHAR in the query")]
    Column {
        /// The column's name.
        column: String,
        /// Its Arrow type.
        data_type: String,
        /// Arrow's reason.
        source: ArrowError,
    },
    /// The rows cannot be stored as Parquet.
    #[error("cannot write the rows as parquet")]
    Parquet(#[source] ParquetError),
    /// The rows cannot be sent as an Arrow stream.
    #[error("cannot write the rows as arrow")]
    Arrow(#[source] ArrowError),
}

impl Error {
    /// Tells whether the reader of the output went away, which is no failure of ours.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Error::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Error::Write(error)
    }
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => Error::Write(error),
            other => Error::Arrow(other),
        }
    }
}

impl From<ParquetError> for Error {
    /// Parquet wraps the writer's error; unwrap it, so that a closed pipe stays one.
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(inner) => match inner.downcast::<io::Error>() {
                Ok(io) => Error::Write(*io),
                Err(inner) => Error::Parquet(ParquetError::External(inner)),
            },
            other => Error::Parquet(other),
        }
    }
}
