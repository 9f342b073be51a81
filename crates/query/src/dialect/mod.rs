//! A statement of DuckDB as one of Spark: a closed writer over the engine's own syntax tree
//! (`json_serialize_sql`). What its tables do not have is an error that names it, never a guess.
//!
//! Each expression is written with its type, since the same sign means other things of texts, times and
//! lists; names are resolved, stars spelt out and macros put in place, so that the cluster has to know nothing
//! of the session but the tables it reads. Runs nothing.
//!
//! | here | there |
//! |---|---|
//! | no order of nulls is said | they come last, which is said |
//! | `x / 0`, `x // 0`, `list[9]` | made null, or infinite, before the cluster sees an error in it |
//! | the difference of two times | its microseconds, a whole number |
//! | `hash` | `xxhash64`, told of each argument whether it is null |
//! | the sum of whole numbers, of any size | the same up to 64 bits, and an error above |
//! | a `with` that nobody reads | nothing |

mod aggregates;
mod ending;
mod expression;
mod from;
mod functions;
mod groups;
mod items;
mod lists;
mod operators;
mod patterns;
mod scope;
mod select;
mod times;
mod types;
mod unions;
mod values;
mod windows;
mod words;
mod writer;

use serde_json::Value as Json;

use crate::error::Result;
use scope::Env;
pub(crate) use scope::NamedColumn;
pub(crate) use types::Ty;
use words::not_there;
use writer::Translator;
pub(crate) use writer::{Columns, Files, Known};

/// A statement of Spark, and the tables that it reads.
#[derive(Debug, PartialEq)]
pub(crate) struct Translated {
    /// The statement.
    pub(crate) sql: String,
    /// The Parquet files that it reads, by the name that they have in it.
    pub(crate) files: Vec<Files>,
    /// Tables of the session that it reads, each with its name in it.
    pub(crate) tables: Vec<(String, String)>,
    /// The columns of the answer.
    pub(crate) columns: Vec<NamedColumn>,
}

/// Translates the node of a statement. `shows_all` is whether someone reads all its columns, in which a hash
/// has no place: it is another number there.
///
/// # Errors
/// [`Error::NotThere`] with what Spark cannot do, or nobody has taught us yet.
pub(crate) fn translate(node: &Json, known: &dyn Known, shows_all: bool) -> Result<Translated> {
    let mut writer = Translator {
        known,
        ctes: Vec::new(),
        views: Vec::new(),
        files: Vec::new(),
        tables: Vec::new(),
        numbers: 0,
        env: Env::default(),
        depth: 0,
    };
    let body = writer.query(node, None)?;
    for column in &body.columns {
        if shows_all && column.ty == Ty::Hash {
            return Err(not_there(&format!(
                "the number of a hash, as the column `{}`: it is another one on a cluster",
                column.name
            )));
        }
    }
    let with: Vec<String> =
        writer.ctes.iter().map(|(name, sql)| format!("{name} as ({sql})")).collect();
    let sql =
        if with.is_empty() { body.sql } else { format!("with {}\n{}", with.join(",\n"), body.sql) };
    Ok(Translated { sql, files: writer.files, tables: writer.tables, columns: body.columns })
}

#[cfg(test)]
mod tests;
