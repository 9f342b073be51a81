//! What can be set in a report: `param` and `arg` lines of its header, and their values.
//! Knows no clock: times arrive as RFC 3339.

use pmtaq_schema::size::parse_duration_s;
use pmtaq_schema::{Timestamp, Unit};

use crate::dimension::{Dimension, dimension};
use crate::error::{Error, Result};
use crate::lex::tokens;
use crate::metric::{Metric, metric};
use crate::query::{Query, Value};

/// Something that can be set.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name on the command line; in SQL `$name`, with `_` for `-`.
    pub name: String,
    /// What values it takes.
    pub kind: ParamKind,
    /// The value when none is given; none means null. A default time is for the caller to give,
    /// who knows the clock.
    pub default: Option<String>,
    /// Meaning.
    pub doc: String,
    /// Whether it is given by its place and not by its name. Without a default it must be given.
    pub positional: bool,
    /// Whether the name of the report has set it, so that nobody else can.
    pub fixed: bool,
}

/// What values a parameter takes, and what its name means in the SQL.
#[derive(Clone, Debug)]
pub enum ParamKind {
    /// `text`: `$name` is any text.
    Text,
    /// `int`: `$name` is a whole number, zero or more.
    Int,
    /// `flag`: `$name` is whether it was given.
    Flag,
    /// `choice(a,b)`: `$name` is one of these texts.
    Choice(Vec<String>),
    /// `duration`: `$name` is a number of seconds; written like 5m or 1h30m.
    Duration,
    /// `time`: `$name` is a UTC timestamp.
    Time,
    /// `window`: `$name_since` and `$name_until` are UTC timestamps. The report reads what these
    /// windows span, and takes no `--since`.
    Window,
    /// `dimension`: `name()` is the dimension in SQL, `"name"` is what it is called.
    Dimension,
    /// `metric`: `name()` is the metric in SQL, `"name"` is what it is called, `name_base()` is
    /// its denominator (of times and sizes the deliveries, of a count null), and `name_unit()` is one of `'count'`,
    /// `'percent'`, `'bytes'` and `'seconds'`.
    Metric,
    /// `filter(dimension)`: only records count whose dimension is the value; `$name` is it.
    Filter(&'static Dimension),
}

impl Param {
    /// Reads `name kind = default  meaning`.
    pub(crate) fn parse(text: &str, positional: bool) -> std::result::Result<Param, String> {
        let wrong = || format!("param `{text}` is not `name kind = default  meaning`");
        let (spec, doc) = text.split_once("  ").ok_or_else(wrong)?;
        let (spec, default) = match spec.split_once('=') {
            Some((spec, default)) => (spec.trim(), Some(default.trim().to_owned())),
            None => (spec.trim(), None),
        };
        let (name, kind) = spec.split_once(' ').ok_or_else(wrong)?;
        let kind = ParamKind::parse(kind.trim()).ok_or_else(wrong)?;
        let (name, doc) = (name.to_owned(), doc.trim().to_owned());
        Ok(Param { name, kind, default, doc, positional, fixed: false })
    }

    /// Its name in SQL.
    pub(crate) fn word(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Binds `text` as its value, or lets its name mean `text` in the SQL.
    pub(crate) fn set(&self, text: &str, query: &mut Query) -> Result<()> {
        let bad = |expected: &str| Error::BadValue {
            name: self.name.clone(),
            value: text.to_owned(),
            expected: expected.to_owned(),
        };
        let time = |text: &str| {
            let time = Timestamp::parse(text.as_bytes());
            time.map(Value::Time).ok_or_else(|| bad("a time in RFC 3339"))
        };
        let word = self.word();
        let value = match &self.kind {
            ParamKind::Text | ParamKind::Filter(_) => Value::Text(text.to_owned()),
            ParamKind::Int => {
                let number = text.parse::<u32>().map_err(|_| bad("a whole number"))?;
                Value::Int(number.into())
            }
            ParamKind::Flag => Value::Bool(text.parse().map_err(|_| bad("either true or false"))?),
            ParamKind::Choice(choices) if choices.iter().any(|choice| choice == text) => {
                Value::Text(text.to_owned())
            }
            ParamKind::Choice(choices) => {
                return Err(bad(&format!("one of {}", choices.join(", "))));
            }
            ParamKind::Duration => {
                let seconds = parse_duration_s(text);
                Value::Int(seconds.ok_or_else(|| bad("a duration like 5m or 1h30m"))?)
            }
            ParamKind::Time => time(text)?,
            ParamKind::Window => {
                let (since, until) =
                    text.split_once('/').ok_or_else(|| bad("two times with a / between"))?;
                query.values.insert(format!("{word}_since"), time(since)?);
                query.values.insert(format!("{word}_until"), time(until)?);
                return Ok(());
            }
            ParamKind::Dimension => {
                let dimension = dimension(text)?;
                query.sql =
                    substitute(&query.sql, &word, &[(&word, dimension.sql)], dimension.name);
                return Ok(());
            }
            ParamKind::Metric => {
                let metric = metric(text)?;
                let (base, unit) = (format!("{word}_base"), format!("{word}_unit"));
                let call = format!("{}()", metric.name);
                let of = metric.base().map_or("null".to_owned(), |base| format!("{base}()"));
                let unit_name = format!("'{}'", unit_name(metric));
                let meanings = [(word.as_str(), &*call), (&base, &*of), (&unit, &*unit_name)];
                query.sql = substitute(&query.sql, &word, &meanings, &metric.name);
                return Ok(());
            }
        };
        query.values.insert(word, value);
        Ok(())
    }
}

impl ParamKind {
    fn parse(text: &str) -> Option<ParamKind> {
        let list = |of: &str| text.strip_prefix(of)?.strip_prefix('(')?.strip_suffix(')');
        Some(match text {
            "text" => ParamKind::Text,
            "int" => ParamKind::Int,
            "flag" => ParamKind::Flag,
            "duration" => ParamKind::Duration,
            "time" => ParamKind::Time,
            "window" => ParamKind::Window,
            "dimension" => ParamKind::Dimension,
            "metric" => ParamKind::Metric,
            _ => match (list("choice"), list("filter")) {
                (Some(choices), _) => {
                    ParamKind::Choice(choices.split(',').map(|c| c.trim().to_owned()).collect())
                }
                (_, Some(name)) => ParamKind::Filter(dimension(name).ok()?),
                (None, None) => return None,
            },
        })
    }

    /// Whether its values are times, which people name by the clock.
    pub const fn is_time(&self) -> bool {
        matches!(self, ParamKind::Time | ParamKind::Window)
    }
}

/// What a metric counts or measures, in the word that the header of a report has for it.
fn unit_name(metric: &Metric) -> &'static str {
    match metric.unit {
        Unit::Percent => "percent",
        Unit::Bytes => "bytes",
        Unit::Seconds => "seconds",
        _ => "count",
    }
}

/// `sql` with the calls `word()` replaced by their meanings, and the name `"word"` by `name`. All
/// of these are on closed lists.
fn substitute(sql: &str, word: &str, meanings: &[(&str, &str)], name: &str) -> String {
    let quoted = format!("\"{word}\"");
    let mut out = String::new();
    let mut tokens = tokens(sql).peekable();
    while let Some(token) = tokens.next() {
        let meaning = meanings.iter().find(|(call, _)| *call == token);
        match meaning.filter(|_| tokens.peek() == Some(&"(")) {
            Some((_, meaning)) => {
                tokens.next();
                if tokens.next_if_eq(&")").is_some() {
                    // A metric that is a column stays one, which is null where it is not known.
                    let is_call = meaning.ends_with("()");
                    out.push_str(&if is_call {
                        (*meaning).to_owned()
                    } else {
                        format!("({meaning})")
                    });
                } else {
                    out.push_str(&format!("{token}("));
                }
            }
            None if token == quoted => out.push_str(&format!("\"{name}\"")),
            None => out.push_str(token),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(kind: &str, value: &str, sql: &str) -> std::result::Result<String, String> {
        let param = Param::parse(&format!("x-y {kind}  Meaning"), false)?;
        let mut query = Query { sql: sql.to_owned(), ..Query::default() };
        param.set(value, &mut query).map_err(|error| error.to_string())?;
        Ok(query.with_literals())
    }

    #[test]
    fn every_kind_has_its_values() {
        for (kind, value, sql, expected) in [
            ("text", "it's", "select $x_y", "select 'it''s'"),
            ("int", "7", "select $x_y", "select 7"),
            ("flag", "true", "select $x_y", "select true"),
            ("choice(a, b)", "b", "select $x_y", "select 'b'"),
            ("duration", "1h30m", "select $x_y", "select 5400"),
            ("time", "1970-01-01T00:00:01Z", "$x_y", "no"),
            ("time", "2026-03-01T00:00:00Z", "$x_y", "make_timestamp(1772323200000000)"),
            (
                "window",
                "2026-03-01T00:00:00Z/2026-03-01T00:00:01Z",
                "$x_y_since, $x_y_until",
                "make_timestamp(1772323200000000), make_timestamp(1772323201000000)",
            ),
            ("dimension", "enhanced", "x_y() as \"x_y\"", "(enhanced_code) as \"enhanced_code\""),
            ("metric", "hard_rate", "x_y() / x_y_base()", "hard_rate() / sent()"),
            ("metric", "p50", "x_y_unit(), x_y(1)", "('seconds'), x_y(1)"),
            ("metric", "sent", "x_y() / x_y_base() \"x_y\"", "sent() / (null) \"sent\""),
            ("filter(job)", "j1", "$x_y", "'j1'"),
        ] {
            let shown = set(kind, value, sql).unwrap_or_else(|_| "no".to_owned());
            assert_eq!(shown, expected, "{kind} {value}");
        }
    }

    #[test]
    fn a_value_of_another_form_is_refused() {
        for (kind, value) in [
            ("int", "-1"),
            ("flag", "yes"),
            ("choice(a,b)", "c"),
            ("duration", "soon"),
            ("time", "yesterday"),
            ("window", "2026-03-01T00:00:00Z"),
            ("dimension", "vmta) or ("),
            ("metric", "sent()"),
        ] {
            assert!(set(kind, value, "").is_err(), "{kind} {value}");
        }
        assert!(set("parsec", "1", "").is_err());
    }
}
