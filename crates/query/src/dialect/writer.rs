//! The state of a translation, and what it asks of the session. Writes nothing itself.

use serde_json::Value as Json;

use super::scope::{Env, NamedColumn};
use super::types::Ty;
use crate::error::Result;

/// Columns by their names.
pub(crate) type Columns = Vec<(String, Ty)>;

/// What the session knows by name: the writer asks, and is given syntax trees.
pub(crate) trait Known {
    /// The query of a view.
    fn view(&self, name: &str) -> Result<Option<Json>>;
    /// What a table that is not of parts is called there, a name for these rows and no others; and its
    /// columns.
    fn table(&self, name: &str) -> Result<Option<(String, Columns)>>;
    /// The parameters of a macro, and the expression.
    fn macro_of(&self, name: &str) -> Result<Option<(Vec<String>, Json)>>;
    /// The value of a variable.
    fn variable(&self, name: &str) -> Result<Option<String>>;
    /// Where the cluster finds those of the parts that the engine opens by these names.
    fn files(&self, names: &[String]) -> Result<Vec<String>>;
}

/// Parquet files that a statement reads by one name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Files {
    pub(crate) name: String,
    /// Columns and their types, in the words of Spark.
    pub(crate) schema: String,
    pub(crate) paths: Vec<String>,
}

/// The state of a translation.
pub(super) struct Translator<'k> {
    pub(super) known: &'k dyn Known,
    /// What is written before the statement, in the order in which it is read.
    pub(super) ctes: Vec<(String, String)>,
    /// The views that are among them.
    pub(super) views: Vec<(String, String, Vec<NamedColumn>)>,
    pub(super) files: Vec<Files>,
    pub(super) tables: Vec<(String, String)>,
    /// How many names were made.
    pub(super) numbers: usize,
    /// What `with` says, where the writer is.
    pub(super) env: Env,
    /// How many queries out a name was found, at most, from the query that is written.
    pub(super) depth: usize,
}

/// A query that is written: its text and its columns.
pub(super) struct WrittenQuery {
    pub(super) sql: String,
    pub(super) columns: Vec<NamedColumn>,
}

impl Translator<'_> {
    pub(super) fn name(&mut self, prefix: &str) -> String {
        self.numbers += 1;
        format!("{prefix}{}", self.numbers)
    }

    /// Writes what lies within the query that is written; whether it reads of that, or of one around it.
    pub(super) fn within<T>(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<(T, bool)> {
        let depth = std::mem::take(&mut self.depth);
        let written = write(self);
        let inner = std::mem::replace(&mut self.depth, depth);
        self.depth = depth.max(inner.saturating_sub(1));
        Ok((written?, inner > 0))
    }
}
