//! The newest record of each value of a dimension: how far the store is behind. Counts nothing.

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use pmtaq_schema::Timestamp;

use crate::error::Result;
use crate::prelude::dimension;
use crate::query::Query;
use crate::selection::Selection;
use crate::session::{Session, narrowed};

impl Session {
    /// The time of the newest record that `selection` lets through, by the values of `by`; none
    /// of them where there is no record.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] for a dimension that there is not, [`crate::Error::Sql`] when the
    /// engine cannot read the parts.
    pub fn newest(&self, by: &str, selection: &Selection) -> Result<Vec<(String, Timestamp)>> {
        let mut query = Query::default();
        let condition = selection.sql(&mut query)?;
        let body = format!(
            "select coalesce({}, '(none)') as name, epoch(max(time_logged))::bigint as newest
from records
group by 1
order by 1",
            dimension(by)?.sql
        );
        query.sql = narrowed(&condition, &body);
        let mut newest = Vec::new();
        for batch in self.rows(&query)?.1 {
            let batch = batch?;
            let names = cast(batch.column(0), &DataType::Utf8).expect("a dimension is text");
            let times = cast(batch.column(1), &DataType::Int64).expect("cast in the statement");
            let (names, times) = (names.as_string::<i32>(), times.as_primitive::<Int64Type>());
            for row in (0..batch.num_rows()).filter(|row| times.is_valid(*row)) {
                newest.push((names.value(row).to_owned(), Timestamp(times.value(row))));
            }
        }
        Ok(newest)
    }
}
