//! Which records count: the same filters for every question. Values are bound; the one piece of
//! SQL that a user may write is checked to be an expression.

use std::fmt::Write as _;

use pmtaq_schema::Column;
use pmtaq_schema::address::normal_domain;
use pmtaq_schema::columns::REPLY_COLUMNS;

use crate::dimension::{Dimension, Reads, dimension, is_hourly};
use crate::error::Result;
use crate::filters::CODE;
use crate::lex::words;
use crate::query::{Query, Value};

/// Words that a user's condition may use beside dimensions, numbers and texts.
const CONDITION_WORDS: &[&str] = &[
    "and",
    "or",
    "not",
    "in",
    "is",
    "null",
    "like",
    "ilike",
    "glob",
    "between",
    "true",
    "false",
    "lower",
    "upper",
    "starts_with",
    "ends_with",
    "contains",
    "coalesce",
    "case",
    "when",
    "then",
    "else",
    "end",
    "regexp_matches",
    "similar",
    "to",
];

/// Which records count. Several values of one filter mean any of them; different filters must
/// all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Filters by dimension name, with the values that pass. `*` stands for any text. The name
    /// `code` means the reply code or the enhanced code, as the value is written.
    pub filters: Vec<(String, Vec<String>)>,
    /// A condition in SQL over the columns of `records`.
    pub condition: Option<String>,
    /// Dimensions that must have this very value, as an answer gave it, or none at all.
    pub exactly: Vec<(&'static Dimension, Option<String>)>,
}

impl Selection {
    /// Adds a filter, unless it has no values.
    pub fn filter(&mut self, dimension: &str, values: Vec<String>) {
        if !values.is_empty() {
            self.filters.push((dimension.to_owned(), values));
        }
    }

    /// The condition in SQL, its values added to `query`.
    pub(crate) fn sql(&self, query: &mut Query) -> Result<String> {
        let mut all = String::new();
        for (name, values) in &self.filters {
            let any = values.iter().map(|value| one(name, value, query));
            let _ = write!(all, " and ({})", any.collect::<Result<Vec<_>>>()?.join(" or "));
        }
        for (dimension, value) in &self.exactly {
            let _ = match value {
                Some(value) => {
                    let value = query.bind(Value::Text(value.clone()));
                    write!(all, " and {} = ${value}", dimension.sql)
                }
                None => write!(all, " and {} is null", dimension.sql),
            };
        }
        if let Some(condition) = &self.condition {
            // A line of its own, so that a comment at its end closes nothing.
            let _ = write!(all, " and (\n{condition}\n)");
        }
        Ok(all.strip_prefix(" and ").unwrap_or("true").to_owned())
    }

    /// What the condition reads of `hourly`; none when that lacks anything of it.
    pub(crate) fn reads(&self) -> Option<Reads> {
        if !self.condition.as_deref().is_none_or(is_over_hours) {
            return None;
        }
        let filters = self.filters.iter().flat_map(|(name, values)| {
            values.iter().map(|value| dimension(dimension_of(name, value)).ok())
        });
        let exactly = self.exactly.iter().map(|(dimension, _)| Some(*dimension));
        Reads::of(filters.chain(exactly).collect::<Option<Vec<_>>>()?)
    }
}

/// Whether the words of a user's condition are columns of `hourly` and harmless ones.
fn is_over_hours(condition: &str) -> bool {
    words(condition).map(str::to_lowercase).all(|word| {
        (Column::index(&word).is_some() || REPLY_COLUMNS.contains(&&*word)) && is_hourly(&word)
            || CONDITION_WORDS.contains(&&*word)
            || word.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// The dimension that a filter with this value is about: `550` is a reply code, `5.5.0` is not.
pub fn dimension_of<'n>(filter: &'n str, value: &str) -> &'n str {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'*');
    match filter {
        CODE if digits && value != "*" => "smtp_code",
        CODE => "enhanced_code",
        filter => filter,
    }
}

/// The condition that one value of a filter makes.
pub(crate) fn one(filter: &str, value: &str, query: &mut Query) -> Result<String> {
    let dimension = dimension(dimension_of(filter, value))?;
    if let ("smtp_code", Ok(code)) = (dimension.name, value.parse::<i64>()) {
        // As a number, which the statistics of the parts know.
        return Ok(format!("smtp_code = ${}", query.bind(Value::Int(code))));
    }
    let (operator, value) = pattern(dimension.name, value);
    Ok(format!("{} {operator} ${}", dimension.sql, query.bind(Value::Text(value))))
}

/// How a value is compared: exactly, or as a pattern when it has a `*`.
fn pattern(dimension: &str, value: &str) -> (&'static str, String) {
    let mut text = String::new();
    if dimension.ends_with("_domain") && !value.contains('*') {
        normal_domain(value.trim().as_bytes(), &mut text);
    } else if dimension.ends_with("_domain") || dimension == "provider" {
        text.push_str(&value.trim().to_lowercase());
    } else {
        text.push_str(value);
    }
    if !text.contains('*') {
        return ("=", text);
    }
    ("glob", glob(&text))
}

/// A text in which `*` stands for any text as a pattern of GLOB, whose other signs are literal.
pub fn glob(text: &str) -> String {
    text.replace('\\', "\\\\").replace('[', "[[]").replace('?', "[?]")
}
