//! A statement with its values, ready to be run or shown. Values are bound, never pasted; only
//! the text that is shown has them as literals.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::SchemaRef;
use pmtaq_schema::site::SiteDimension;
use pmtaq_schema::untrusted::is_hidden;
use pmtaq_schema::{Timestamp, Unit};

use crate::judged::Judged;
use crate::lex::tokens;

/// A statement, its parameters by name, and what its columns mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// SQL with `$name` parameters.
    pub sql: String,
    /// Their values. A parameter of the SQL without a value is null.
    pub values: BTreeMap<String, Value>,
    /// What is known of the columns of the answer, by name.
    pub units: BTreeMap<String, Meaning>,
    /// The same question to the rollup, if that can answer it.
    pub(crate) over_hours: Option<OverHours>,
    /// Whether it reads templates as they are stored, so that nobody need find out which of them are one.
    pub(crate) as_stored: bool,
    /// Whether the user wrote it: such a statement may say something else each time.
    pub(crate) is_of_user: bool,
    /// The query of its `with` up to which an engine elsewhere runs it, where that cannot do the rest.
    pub(crate) cut_at: Option<String>,
    /// What its metrics are of, where the statement itself asks which of them can be known.
    pub(crate) judged: Judged,
}

/// A statement over `hourly` that gives what one over `records` gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct OverHours {
    pub(crate) sql: String,
    /// Whether it names local times, so that the zone must be whole hours from UTC.
    pub(crate) is_local: bool,
    /// Whether it names times only to tell whole days apart, UTC, which a rollup by day does too.
    pub(crate) by_days: bool,
    /// Whether it takes hours as they are, of which an engine elsewhere would send all.
    pub(crate) is_for_here: bool,
    /// The query of its `with` that has all sums: an engine elsewhere makes these.
    pub(crate) cut_at: Option<&'static str>,
    /// The dimensions of the site that all parts must keep.
    pub(crate) kept: Vec<SiteDimension>,
}

/// A bound value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// Yes or no.
    Bool(bool),
    /// A UTC moment.
    Time(Timestamp),
}

/// What the values of a column of an answer mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// What they are.
    pub unit: Unit,
    /// Of shares, the column that has their denominators, if there is one.
    pub of: Option<String>,
}

impl Meaning {
    /// Reads a unit, of a share also the column that it is of: `percent of sent`.
    pub fn parse(text: &str) -> Option<Meaning> {
        let (unit, of) = match text.split_once(" of ") {
            Some((unit, of)) => (unit, Some(of.trim())),
            None => (text, None),
        };
        let unit = Unit::parse(unit.trim())?;
        let is_name = |of: &str| !of.is_empty() && !of.contains(' ') && unit == Unit::Percent;
        of.is_none_or(is_name).then_some(Meaning { unit, of: of.map(str::to_owned) })
    }
}

impl From<Unit> for Meaning {
    fn from(unit: Unit) -> Meaning {
        Meaning { unit, of: None }
    }
}

/// What is known of an answer before its rows.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Names and Arrow types.
    pub schema: SchemaRef,
    /// For each column what is known of its values.
    pub units: Vec<Option<Meaning>>,
}

impl Query {
    /// Adds a value; returns the name of its parameter.
    pub(crate) fn bind(&mut self, value: Value) -> String {
        let name = format!("f{}", self.values.len());
        self.values.insert(name.clone(), value);
        name
    }

    /// Whether `sql`, which is this statement or the same question to the rollup, is the latter.
    pub(crate) fn asks_hours(&self, sql: &str) -> bool {
        self.over_hours.is_some() && sql != self.sql
    }

    pub(crate) fn shape(&self, schema: SchemaRef) -> Shape {
        let units = schema.fields().iter().map(|f| self.units.get(f.name()).cloned()).collect();
        Shape { schema, units }
    }

    /// The statement with its values as literals, as it runs in the DuckDB shell.
    pub fn with_literals(&self) -> String {
        self.literally(&self.sql)
    }

    /// `sql`, which is this statement or the same question to the rollup, with literals.
    pub(crate) fn literally(&self, sql: &str) -> String {
        let mut out = String::new();
        for token in tokens(sql) {
            // A text in dollars ends in one, a parameter does not.
            match token.strip_prefix('$').filter(|name| !name.is_empty() && !name.ends_with('$')) {
                Some(name) => match self.values.get(name) {
                    Some(Value::Text(text)) => out.push_str(&quoted(text)),
                    Some(Value::Int(number)) => out.push_str(&number.to_string()),
                    Some(Value::Bool(truth)) => out.push_str(&truth.to_string()),
                    Some(Value::Time(time)) => {
                        out.push_str(&format!("make_timestamp({})", time.micros()));
                    }
                    None => out.push_str("null"),
                },
                None => out.push_str(token),
            }
        }
        out
    }
}

/// Text as a SQL literal; what would steer a terminal to which the statement is printed is given by
/// its code point.
pub(crate) fn quoted(text: &str) -> String {
    let is_hidden = |c: char| !matches!(c, '\n' | '\t') && is_hidden(c);
    let mut out = format!("'{}'", text.replace('\'', "''"));
    if !text.contains(is_hidden) {
        return out;
    }
    let hidden: BTreeSet<char> = text.chars().filter(|&c| is_hidden(c)).collect();
    for c in hidden {
        out = out.replace(c, &format!("' || chr({}) || '", u32::from(c)));
    }
    format!("({out})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_quoted_and_the_rest_is_untouched() {
        let query = Query {
            sql: "select $a, $ab, $n, $missing where x = '$a'".to_owned(),
            values: [
                ("a".to_owned(), Value::Text("it's".to_owned())),
                ("ab".to_owned(), Value::Text("b".to_owned())),
                ("n".to_owned(), Value::Int(7)),
            ]
            .into(),
            ..Query::default()
        };
        assert_eq!(query.with_literals(), "select 'it''s', 'b', 7, null where x = '$a'");
    }

    #[test]
    fn what_steers_a_terminal_is_no_part_of_a_statement_that_is_shown() {
        let text = "a\u{1b}[31m'\n\u{202e}b";
        let shown = quoted(text);
        assert_eq!(shown, "('a' || chr(27) || '[31m''\n' || chr(8238) || 'b')");
        let connection = duckdb::Connection::open_in_memory().expect("an engine");
        let read: String = connection
            .query_row(&format!("select {shown}"), [], |row| row.get(0))
            .expect("the text");
        assert_eq!(read, text);
    }

    #[test]
    fn meanings_are_read() {
        let of = Some("sent".to_owned());
        let percent = Meaning { unit: Unit::Percent, of };
        assert_eq!(Meaning::parse("percent of sent"), Some(percent));
        assert_eq!(Meaning::parse("percent"), Some(Unit::Percent.into()));
        for wrong in ["count of x", "percent of", "percent of a b", "parsec"] {
            assert_eq!(Meaning::parse(wrong), None, "{wrong}");
        }
    }
}
