//! A statement with its values, ready to be run or shown. Values are bound, never pasted; only
//! the text that is shown has them as literals.

use std::collections::BTreeMap;

use arrow::datatypes::SchemaRef;
use pmtaq_schema::Timestamp;

use crate::lex::tokens;

/// A statement, its parameters by name, and what its columns mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// SQL with `$name` parameters.
    pub sql: String,
    /// Their values. A parameter of the SQL without a value is null.
    pub values: BTreeMap<String, Value>,
    /// What is known of the columns of the answer, by name.
    pub units: BTreeMap<String, Unit>,
    /// The same question to the rollup, if that can answer it.
    pub(crate) over_hours: Option<OverHours>,
}

/// A statement over `hourly` that gives what one over `records` gives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OverHours {
    pub(crate) sql: String,
    /// Whether it names local times, so that the zone must be whole hours from UTC.
    pub(crate) is_local: bool,
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

/// What the numbers of a column of an answer mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Words or names.
    Text,
    /// How many.
    Count,
    /// A share of 0 to 100, of the counts in the named column.
    Percent(Option<String>),
    /// A size.
    Bytes,
    /// A duration.
    Seconds,
    /// A UTC moment.
    Time,
    /// A time of the local clock.
    Local,
    /// That of the metric chosen by the named parameter.
    Of(String),
}

impl Unit {
    /// Whether values of it add up, so that nothing is 0 of it.
    pub fn is_sum(&self) -> bool {
        matches!(self, Unit::Count | Unit::Bytes)
    }

    /// Reads `count`, `percent of sent`, `bytes`, `seconds`, `time`, `local`, `text`.
    pub fn parse(text: &str) -> Option<Unit> {
        let mut words = text.split_whitespace();
        let unit = match words.next()? {
            "text" => Unit::Text,
            "count" => Unit::Count,
            "percent" => match (words.next(), words.next()) {
                (Some("of"), Some(column)) => Unit::Percent(Some(column.to_owned())),
                (None, None) => Unit::Percent(None),
                _ => return None,
            },
            "bytes" => Unit::Bytes,
            "seconds" => Unit::Seconds,
            "time" => Unit::Time,
            "local" => Unit::Local,
            _ => return None,
        };
        words.next().is_none().then_some(unit)
    }
}

/// What is known of an answer before its rows.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Names and Arrow types.
    pub schema: SchemaRef,
    /// For each column its unit, where one was declared.
    pub units: Vec<Option<Unit>>,
}

impl Query {
    /// Adds a value; returns the name of its parameter.
    pub(crate) fn bind(&mut self, value: Value) -> String {
        let name = format!("f{}", self.values.len());
        self.values.insert(name.clone(), value);
        name
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

/// Text as a SQL literal.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
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
    fn units_are_read() {
        assert_eq!(Unit::parse("percent of sent"), Some(Unit::Percent(Some("sent".to_owned()))));
        assert_eq!(Unit::parse("count"), Some(Unit::Count));
        assert_eq!(Unit::parse("count of x"), None);
        assert_eq!(Unit::parse("parsec"), None);
    }
}
