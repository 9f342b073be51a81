//! What a report wants and nothing in the window has: record types that are not logged, fields
//! that are not written. Says nothing of what a filter lets through.

use pmtaq_schema::{Column, Record};

use crate::error::Result;
use crate::hours::HOURS_VIEW;
use crate::metric::RECEIVER;
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
        if !self.any("rec", "is not null")? {
            return Ok(missing);
        }
        for record in Record::ALL.into_iter().filter(wanted) {
            if !self.any("rec", &format!("= '{record}'"))? {
                missing.records.push(record);
            }
        }
        let statement = &report.statement(given).sql;
        for column in &report.fields {
            let Column { name, fields, .. } = column;
            if statement.contains(name) && !self.any(name, "is not null")? {
                missing.fields.push(fields.first().unwrap_or(name));
            }
        }
        Ok(missing)
    }

    /// Whether `column`, a name on a closed list, is what `condition` says in any record.
    fn any(&self, column: &str, condition: &str) -> Result<bool> {
        let (table, column) = match column {
            // Its address is nowhere in the rollup, but whether there is one.
            RECEIVER if self.answers_hours() => (HOURS_VIEW, "nullif(reached, 0)"),
            column => (self.table_with(column), column),
        };
        self.read_replies(column)?;
        // A limit, since the engine reads all of it for `exists`.
        let sql = format!(
            "select count(*) > 0 from (select 1 from {table} where {column} {condition} limit 1)"
        );
        self.ask(|engine| Ok(engine.query_row(&sql, [], |row| row.get(0))?))
    }
}
