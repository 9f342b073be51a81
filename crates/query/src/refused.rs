//! How many lines were refused since when. Counts; whether that is too many is decided elsewhere.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use pmtaq_schema::Timestamp;

use crate::error::Result;
use crate::query::{Query, Value};
use crate::session::Session;

/// The number of lines that ingests have refused since `since`.
///
/// # Errors
/// [`crate::Error::Sql`] when the engine cannot read the parts.
pub fn refused_lines(session: &Session, since: Timestamp) -> Result<u64> {
    let mut query = Query::default();
    let since = query.bind(Value::Time(since));
    query.sql = format!("select count(*)::bigint from rejects where ingested_at >= ${since}");
    let (_, rows) = session.rows(&query)?;
    let batches = rows.collect::<Result<Vec<_>>>()?;
    let counts = batches.iter().map(|batch| {
        let column = batch.column(0).as_primitive::<Int64Type>();
        column.values().iter().sum::<i64>()
    });
    Ok(counts.sum::<i64>().unsigned_abs())
}
