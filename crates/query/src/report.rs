//! A report: one file of `sql/`, whose header makes the command line, the help and the docs.
//!
//! To add one: 1. write `sql/<name>.sql` with a header like the others; 2. run the tests with
//! `UPDATE=1`; 3. look at the golden file that they made.

use std::collections::BTreeMap;

use pmtaq_schema::Records;
use pmtaq_schema::nearest::nearest;

use crate::error::{Error, Result};
use crate::query::{Query, Unit, Value};
use crate::selection::Selection;

/// A canned question.
#[derive(Clone, Debug)]
pub struct Report {
    /// Name of the command and of the file.
    pub name: String,
    /// Heading.
    pub title: String,
    /// Sentences for the help.
    pub help: String,
    /// The record types without which it says nothing.
    pub needs: Records,
    /// What can be set.
    pub params: Vec<Param>,
    /// Units of the columns, by name.
    pub units: BTreeMap<String, Unit>,
    /// Kind, x and y of the chart.
    pub chart: Option<String>,
    /// Reports that answer the next question.
    pub see: Vec<String>,
    /// The statement.
    pub sql: String,
}

/// Something that can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name, without dashes.
    pub name: String,
    /// What values it takes.
    pub kind: ParamKind,
    /// The value when none is given; none means null.
    pub default: Option<String>,
    /// Meaning.
    pub doc: String,
}

/// What values a parameter takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// Any text.
    Text,
    /// A whole number, zero or more.
    Int,
    /// One of these.
    Choice(Vec<String>),
}

const KEYS: [&str; 8] = ["name", "title", "help", "needs", "param", "column", "chart", "see"];

impl Report {
    /// Reads a report file called `<stem>.sql`.
    ///
    /// # Errors
    /// [`Error::BadReport`] for an unknown key, a missing one, or a value of another form.
    pub fn parse(stem: &str, text: &str) -> Result<Report> {
        let bad = |what: String| Error::BadReport { file: format!("{stem}.sql"), what };
        let mut report = Report {
            name: String::new(),
            title: String::new(),
            help: String::new(),
            needs: Records::of(&[]),
            params: Vec::new(),
            units: BTreeMap::new(),
            chart: None,
            see: Vec::new(),
            sql: String::new(),
        };
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next_if(|line| line.starts_with("-- ")) {
            let (key, value) = line[3..]
                .split_once(':')
                .map(|(key, value)| (key.trim(), value.trim().to_owned()))
                .ok_or_else(|| bad(format!("`{line}` is not `-- key: value`")))?;
            match key {
                "name" => report.name = value,
                "title" => report.title = value,
                "help" if report.help.is_empty() => report.help = value,
                "help" => report.help = format!("{} {value}", report.help),
                "needs" => report.needs = Records::parse(&value).map_err(&bad)?,
                "param" => report.params.push(param(&value).map_err(&bad)?),
                "column" => {
                    let unit = value
                        .split_once(' ')
                        .and_then(|(name, unit)| Some((name.to_owned(), Unit::parse(unit)?)));
                    report.units.extend([unit.ok_or_else(|| bad(format!("column `{value}`")))?]);
                }
                "chart" => report.chart = Some(value),
                "see" => report.see = value.split(',').map(|s| s.trim().to_owned()).collect(),
                unknown => {
                    let hint = nearest(unknown, KEYS).unwrap_or("help");
                    return Err(bad(format!("unknown key `{unknown}`; did you mean `{hint}`?")));
                }
            }
        }
        report.sql = lines.collect::<Vec<_>>().join("\n");
        let complete = !report.title.is_empty() && !report.help.is_empty();
        if report.name != stem || !complete || report.needs == Records::of(&[]) {
            return Err(bad("name (as the file), title, help and needs must be there".to_owned()));
        }
        Ok(report)
    }

    /// The question, with `given` values and for what `selection` lets through.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a parameter that the report does not have, [`Error::BadValue`] for
    /// a value of another form.
    pub fn query(&self, given: &[(String, String)], selection: &Selection) -> Result<Query> {
        let mut query = Query { units: self.units.clone(), ..Query::default() };
        for (name, value) in given {
            let param = self.params.iter().find(|param| param.name == *name);
            let known = self.params.iter().map(|param| param.name.as_str());
            let param = param.ok_or_else(|| Error::unknown("parameter", name, known))?;
            query.values.insert(name.clone(), param.value(value)?);
        }
        for param in &self.params {
            if let (false, Some(default)) = (query.values.contains_key(&param.name), &param.default)
            {
                query.values.insert(param.name.clone(), param.value(default)?);
            }
        }
        let condition = selection.sql(&mut query)?;
        query.sql = crate::session::narrowed(&condition, &self.sql);
        Ok(query)
    }
}

impl Param {
    fn value(&self, text: &str) -> Result<Value> {
        let bad = |expected: String| Error::BadValue {
            name: self.name.clone(),
            value: text.to_owned(),
            expected,
        };
        match &self.kind {
            ParamKind::Text => Ok(Value::Text(text.to_owned())),
            ParamKind::Int => match text.parse::<u32>() {
                Ok(number) => Ok(Value::Int(number.into())),
                Err(_) => Err(bad("a whole number".to_owned())),
            },
            ParamKind::Choice(choices) if choices.iter().any(|choice| choice == text) => {
                Ok(Value::Text(text.to_owned()))
            }
            ParamKind::Choice(choices) => Err(bad(format!("one of {}", choices.join(", ")))),
        }
    }
}

/// Reads `name type = default  doc`.
fn param(text: &str) -> std::result::Result<Param, String> {
    let wrong = || format!("param `{text}` is not `name type = default  meaning`");
    let (spec, doc) = text.split_once("  ").ok_or_else(wrong)?;
    let (spec, default) = match spec.split_once('=') {
        Some((spec, default)) => (spec.trim(), Some(default.trim().to_owned())),
        None => (spec.trim(), None),
    };
    let (name, kind) = spec.split_once(' ').ok_or_else(wrong)?;
    let kind = match kind.trim() {
        "text" => ParamKind::Text,
        "int" => ParamKind::Int,
        choice => {
            let list = choice.strip_prefix("choice(").and_then(|list| list.strip_suffix(')'));
            let list = list.ok_or_else(wrong)?;
            ParamKind::Choice(list.split(',').map(|c| c.trim().to_owned()).collect())
        }
    };
    Ok(Param { name: name.to_owned(), kind, default, doc: doc.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "-- name: x\n-- title: X\n-- help: About x.\n-- needs: d\n";

    #[test]
    fn a_header_makes_a_report() {
        let text =
            format!("{HEAD}-- param: by choice(a,b) = a  what by\n-- column: n count\nselect 1\n");
        let report = Report::parse("x", &text).expect("a report");
        let kind = ParamKind::Choice(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(report.params[0].kind, kind);
        assert_eq!(report.units["n"], Unit::Count);
        assert_eq!(report.sql, "select 1");
        let given = [("by".to_owned(), "c'".to_owned())];
        let error = report.query(&given, &Selection::default()).expect_err("not a choice");
        assert_eq!(error.to_string(), "--by `c'` is not one of a, b");
    }

    #[test]
    fn a_slip_in_a_header_is_named() {
        let error = Report::parse("x", &format!("{HEAD}-- colum: n count\n")).expect_err("a slip");
        assert_eq!(error.to_string(), "report x.sql: unknown key `colum`; did you mean `column`?");
        assert!(Report::parse("y", HEAD).is_err());
    }
}
