//! What records in memory tell apart, said to the engine, which counts what was queued beside them. Counts nothing.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};

use super::answers::batch;
use super::held::Leaves;
use super::names::Of;
use crate::error::Result;
use crate::session::Session;
use crate::stored::stored;
use crate::why::Why;

/// The table of the names, since the engine alone knows its hash of one.
const TABLE: &str = "told_apart_names";

impl Session {
    /// What `why` tells apart by the numbers of `leaves`, by those that the engine gives names.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when the engine refuses the names.
    pub fn told_to_the_engine(&self, leaves: &Leaves, why: &Why) -> Result<Why> {
        let told = why.told.iter().flatten();
        let told = told.map(|(dim, numbers)| {
            let of = Of::dimension(dim);
            let name = |number: &u64| leaves.names.name(of?, u32::try_from(*number).ok()?);
            let names = StringArray::from_iter(numbers.iter().map(name));
            let places = Int64Array::from_iter_values(0..numbers.len() as i64);
            let columns: [(&str, ArrayRef); 2] =
                [("place", Arc::new(places)), ("name", Arc::new(names))];
            let create =
                format!("create or replace temp table {TABLE} (place bigint, name varchar)");
            self.engine().execute_batch(&create)?;
            stored(self.engine(), TABLE, &batch(columns)?)?;
            let sql = format!("select hash(name) from {TABLE} order by place");
            let mut statement = self.engine().prepare(&sql)?;
            let hashes = statement.query_map([], |row| row.get::<_, u64>(0))?;
            Ok((dim.clone(), hashes.collect::<std::result::Result<_, _>>()?))
        });
        Ok(Why { told: Some(told.collect::<Result<_>>()?), ..why.clone() })
    }
}
