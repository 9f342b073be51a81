//! Which engine answers: what the library says of itself, not what the build was told.

use duckdb::Connection;

use crate::error::Result;

/// The name of the engine and the version of its library, as it was loaded: `DuckDB v1.5.6`.
///
/// # Errors
/// [`crate::Error::Sql`] when it cannot be started.
pub fn engine() -> Result<String> {
    let connection = Connection::open_in_memory()?;
    let version: String = connection.query_row("select version()", [], |row| row.get(0))?;
    Ok(format!("DuckDB {version}"))
}
