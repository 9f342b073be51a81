//! The newest record of each value of a dimension: how far the store is behind. Counts nothing.

use pmtaq_schema::Timestamp;

use crate::dimension::dimension;
use crate::error::Result;
use crate::query::Query;
use crate::selection::Selection;
use crate::session::Session;
use crate::statement::narrowed;

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
        let answer = self.answer(&query)?;
        let newest = answer.texts("name")?.into_iter().zip(answer.i64s("newest")?);
        Ok(newest.filter_map(|(name, newest)| Some((name?, Timestamp(newest?)))).collect())
    }
}
