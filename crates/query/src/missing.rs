//! What a report wants and nothing in the window has: record types that are not logged, fields
//! that are not written. Says nothing of what a filter lets through.

use pmtaq_schema::{Column, Record};
use pmtaq_store::Facts;

use crate::error::Result;
use crate::hours::HOURS_VIEW;
use crate::metric::RECEIVER;
use crate::query::{OverHours, Query};
use crate::report::Report;
use crate::session::Session;

/// What no record of the session has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Record types.
    pub records: Vec<Record>,
    /// Fields, as PMTA calls them.
    pub fields: Vec<&'static str>,
}

impl Session {
    /// What `report` wants for what is `given`, and no record has. Nothing is missing where there
    /// is no record at all.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when a part cannot be read.
    pub fn missing(&self, report: &Report, given: &[(String, String)]) -> Result<Missing> {
        let wanted =
            |record: &Record| report.needs.contains(*record) || report.uses.contains(*record);
        let mut missing = Missing::default();
        let rows = |facts: &Facts| Some(facts.rows().any(|(.., rows)| rows > 0));
        if !self.is_found(rows, "rec", "is not null")? {
            return Ok(missing);
        }
        for record in Record::ALL.into_iter().filter(wanted) {
            let is = |(_, rec, rows): (&str, &str, u64)| rec == record.as_str() && rows > 0;
            let rows = |facts: &Facts| Some(facts.rows().any(is));
            if !self.is_found(rows, "rec", &format!("= '{record}'"))? {
                missing.records.push(record);
            }
        }
        let statement = &report.statement(given).sql;
        for column in &report.fields {
            let Column { name, fields, .. } = column;
            let having = |facts: &Facts| Some(facts.having(name)?.any(|rows| rows > 0));
            if statement.contains(name) && !self.is_found(having, name, "is not null")? {
                missing.fields.push(fields.first().unwrap_or(name));
            }
        }
        Ok(missing)
    }

    /// Whether any record is as the parts say by `facts`; where they do not say, whether in any `column`, a
    /// name on a closed list, is what `condition` says.
    fn is_found(
        &self,
        facts: impl Fn(&Facts) -> Option<bool>,
        column: &str,
        condition: &str,
    ) -> Result<bool> {
        match self.said_of_any(facts) {
            Some(is_found) => Ok(is_found),
            None => self.any(column, condition),
        }
    }

    /// Whether `column`, a name on a closed list, is what `condition` says in any record.
    fn any(&self, column: &str, condition: &str) -> Result<bool> {
        // A limit, since the engine reads all of it for `exists`.
        let from = |table: &str, column: &str| {
            format!(
                "select count(*) as n from (select 1 from {table} where {column} {condition} limit 1)"
            )
        };
        // The address of a receiver is nowhere in the rollup, but whether there is one.
        let in_hours = if column == RECEIVER { "nullif(reached, 0)" } else { column };
        let can_tell = column == RECEIVER || self.table_with(column) == HOURS_VIEW;
        let over_hours = OverHours { sql: from(HOURS_VIEW, in_hours), ..OverHours::default() };
        let query = Query {
            sql: from("stored", column),
            over_hours: can_tell.then_some(over_hours),
            ..Query::default()
        };
        Ok(self.answer(&query)?.i64s("n")?.contains(&Some(1)))
    }
}
