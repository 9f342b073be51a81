//! SQL that a user wrote: one statement that reads, and nothing else. The session is confined
//! besides; this is the first wall, with the clearer message.

use crate::error::{Error, Result};
use crate::lex::is_balanced;
use crate::prelude::{dimension, expand};
use crate::query::{Query, quoted};
use crate::selection::Selection;
use crate::session::{Session, narrowed};

impl Session {
    /// A statement of the user, checked to be one that reads.
    ///
    /// # Errors
    /// [`Error::NotReading`] for any other, and for several; [`Error::Syntax`] for none.
    pub fn adhoc(&self, sql: &str) -> Result<Query> {
        // What is checked is what runs, so the metrics are replaced first.
        let sql = expand(sql);
        let trimmed = sql.trim().trim_end_matches(';').trim_end();
        let (explain, statement) = match trimmed.get(..8) {
            Some(word) if word.eq_ignore_ascii_case("explain ") => {
                let rest = trimmed[8..].trim_start();
                let analyze = rest.get(..8).is_some_and(|w| w.eq_ignore_ascii_case("analyze "));
                (true, if analyze { &rest[8..] } else { rest })
            }
            _ => (false, trimmed),
        };
        self.must_read(statement)?;
        self.lay_views()?;
        let sql = if explain { trimmed } else { statement };
        Ok(Query { sql: sql.to_owned(), ..Query::default() })
    }

    /// Checks that the statement of a report that a user wrote is one, and one that reads.
    ///
    /// # Errors
    /// [`Error::NotReading`] when it is not.
    pub fn check_own(&self, query: &Query) -> Result<()> {
        self.must_read(query.sql.trim().trim_end_matches(';'))
    }

    /// Some columns of the records that `selection` lets through.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a column that `records` does not have.
    pub fn export(&self, columns: &[String], selection: &Selection) -> Result<Query> {
        let known = || pmtaq_schema::COLUMNS.iter().map(|column| column.name);
        for column in columns {
            if !known().any(|name| name == column) {
                return Err(Error::unknown("column", column, known()));
            }
        }
        let list = if columns.is_empty() { "*".to_owned() } else { columns.join(", ") };
        let mut query = Query::default();
        let condition = selection.sql(&mut query)?;
        query.sql = narrowed(&condition, &format!("select {list} from records"));
        Ok(query)
    }

    /// The values that a dimension has in the records of the session, the most frequent first;
    /// a hundred thousand at most.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a dimension that there is not.
    pub fn values_of(&self, name: &str) -> Result<Vec<String>> {
        let sql = format!(
            "select v from (select {} as v from records) where v is not null
             group by v order by count(*) desc, v limit 100000",
            dimension(name)?.sql
        );
        self.texts(&sql, [])
    }

    /// The first column of an answer, as texts.
    pub(crate) fn texts(&self, sql: &str, values: impl duckdb::Params) -> Result<Vec<String>> {
        let mut statement = self.connection().prepare(sql)?;
        let texts = statement.query_map(values, |row| row.get(0))?;
        Ok(texts.collect::<std::result::Result<_, _>>()?)
    }

    /// Checks the condition of a selection: an expression, not the end of one statement and the
    /// beginning of another.
    ///
    /// # Errors
    /// [`Error::NotReading`] when it is none.
    pub fn check(&self, selection: &Selection) -> Result<()> {
        let Some(condition) = &selection.condition else { return Ok(()) };
        if !is_balanced(condition) {
            return Err(Error::NotReading(format!(
                ": the condition `{condition}` has a stray parenthesis"
            )));
        }
        // In two kinds of brackets: a text that closes the one and opens it again fails in the other.
        for (open, close) in [("(", ")"), ("[", "]")] {
            self.must_read(&format!("select {open}\n{condition}\n{close}"))?;
        }
        Ok(())
    }

    /// The engine's own parser says what a text is: only statements that read have a JSON form.
    fn must_read(&self, sql: &str) -> Result<()> {
        let question = format!("select json_serialize_sql({})::varchar", quoted(sql));
        let json: String = self.connection().query_row(&question, [], |row| row.get(0))?;
        let error = |key: &str| -> Option<String> {
            let question = format!("select {}::json->>{}", quoted(&json), quoted(key));
            self.connection().query_row(&question, [], |row| row.get(0)).ok().flatten()
        };
        if error("$.error").as_deref() != Some("false") {
            return Err(match (error("$.error_type").as_deref(), error("$.error_message")) {
                (Some("parser"), Some(what)) => Error::Syntax(what),
                _ => Error::NotReading(String::new()),
            });
        }
        let statements: i64 = self.connection().query_row(
            &format!("select json_array_length({}::json->'statements')", quoted(&json)),
            [],
            |row| row.get(0),
        )?;
        if statements == 1 {
            return Ok(());
        }
        Err(Error::NotReading(format!(": these are {statements}")))
    }
}
