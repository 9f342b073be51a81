//! An engine that is not in this process: what a session wants of one. `query` knows none by name.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;

use crate::error::Result;

/// Rows of an answer, batch by batch.
pub type Batches<'b> = Box<dyn Iterator<Item = Result<RecordBatch>> + 'b>;

/// An engine elsewhere, which reads the parts by itself and speaks the SQL of Spark.
pub trait Elsewhere: Debug {
    /// Which one, as people know it.
    fn name(&self) -> String;

    /// By which path it finds a part that is known here by `path`.
    ///
    /// # Errors
    /// [`crate::Error::Elsewhere`] when it cannot.
    fn path(&self, path: &str) -> Result<String>;

    /// Lets statements read Parquet files by a name, with columns as `schema` has them.
    ///
    /// # Errors
    /// As for [`Elsewhere::run`].
    fn files(&self, name: &str, schema: &str, paths: &[String]) -> Result<()>;

    /// Lets statements read these rows by a name.
    ///
    /// # Errors
    /// As for [`Elsewhere::run`].
    fn rows(&self, name: &str, rows: &RecordBatch) -> Result<()>;

    /// Runs a statement, which may take so long.
    ///
    /// # Errors
    /// [`crate::Error::Elsewhere`] for what it refuses, [`crate::Error::Interrupted`] and
    /// [`crate::Error::Timeout`].
    fn run(&self, sql: &str, timeout: Option<Duration>) -> Result<Batches<'_>>;

    /// What stops that which runs, from another thread.
    fn stop(&self) -> Arc<dyn Fn() + Send + Sync>;
}
