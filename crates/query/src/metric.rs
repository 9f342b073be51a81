//! What the metrics are: counts, sums, shares and quantiles of records, read once from
//! `sql/prelude/metrics.sql`. A definition is data, from which the SQL over each table is printed:
//! over `records` here, over `hourly` in `rollup.rs`.

use std::collections::BTreeSet;
use std::fmt::{Display, Formatter};
use std::sync::LazyLock;

use pmtaq_schema::columns::REPLY_COLUMNS;
use pmtaq_schema::{Column, Record, Records, Unit};

use crate::error::{Error, Result};
use crate::lex::tokens;
use crate::query::{Meaning, quoted};

/// The metrics.
const METRICS: &str = include_str!("../../../sql/prelude/metrics.sql");

/// Seconds from queueing to delivery, over `records`.
const LATENCY: &str = "epoch(time_logged - time_queued)";

/// The column that says whether a receiver was reached.
pub(crate) const RECEIVER: &str = "dlv_destination_ip";

/// A number that can be computed for any group of records.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// What it counts or measures.
    pub unit: Unit,
    /// Of a rate, the metric that is its denominator.
    pub of: Option<String>,
    /// The record types without which it says nothing.
    pub needs: Records,
    /// Meaning.
    pub doc: String,
    /// Its definition over `records`, in SQL in which other metrics are called by name.
    pub sql: String,
    /// What it is; of a rate, what stands above the line.
    pub(crate) definition: Definition,
}

/// What a metric is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Definition {
    /// `count of RECORDS`: how many.
    Count(Subset),
    /// `distinct COLUMNS of RECORDS`: how many different ones.
    Distinct(&'static str, Subset),
    /// `sum COLUMN of RECORDS`.
    Sum(&'static str, Subset),
    /// `quantile P of latency`: of the seconds from queueing to delivery.
    Quantile(&'static str),
    /// `maximum of latency`.
    Maximum,
    /// `COUNT less COUNT`.
    Less(Subset, Subset),
    /// `COUNT else COUNT`: the second where no record of the first was logged.
    Else(Subset, Subset),
    /// The name of another metric.
    Named(&'static str),
}

/// Which records are counted: `d, b`, or `d, b where CONDITION`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subset {
    pub(crate) records: Vec<Record>,
    pub(crate) condition: Option<Condition>,
}

/// What a column must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) column: &'static str,
    pub(crate) test: Test,
}

/// How a column is tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    /// `= TEXT`
    Is(&'static str),
    /// `= TEXT or null`
    IsOrNull(&'static str),
    /// `<> TEXT or null`
    IsNot(&'static str),
    /// `is not null`
    IsThere,
    /// `reached`: by its address, by its reply, or by a delivery's.
    Reached,
}

impl Metric {
    /// The record types that it counts, its denominator's too.
    pub(crate) fn counted(&self) -> BTreeSet<Record> {
        let base = self.of.as_deref().and_then(|base| metric(base).ok());
        let mut counted = self.counted_above();
        counted.extend(base.into_iter().flat_map(Metric::counted));
        counted
    }

    /// The record types that it counts; of a share, those above the line.
    pub(crate) fn counted_above(&self) -> BTreeSet<Record> {
        match &self.definition {
            Definition::Count(of) | Definition::Distinct(_, of) | Definition::Sum(_, of) => {
                of.records.iter().copied().collect()
            }
            Definition::Quantile(_) | Definition::Maximum => [Record::Delivery].into(),
            Definition::Less(a, b) | Definition::Else(a, b) => {
                a.records.iter().chain(&b.records).copied().collect()
            }
            Definition::Named(name) => metric(name).map(Metric::counted).unwrap_or_default(),
        }
    }

    /// The metric that groups are ranked by where this one is the first of them: what stands below it, or itself where it
    /// adds up.
    pub(crate) fn ranked_by(&self) -> &str {
        self.base().filter(|_| !self.unit.is_sum()).unwrap_or(&self.name)
    }

    /// Of a share, the metrics that stand above and below the line, where the first is one.
    pub(crate) fn share(&self) -> Option<(&'static Metric, &'static Metric)> {
        let (Definition::Named(above), Some(below)) = (&self.definition, &self.of) else {
            return None;
        };
        metric(above).ok().zip(metric(below).ok())
    }

    /// Whether all values that it is of have to be there, and not only what they add up to.
    pub(crate) fn is_quantile(&self) -> bool {
        matches!(self.definition, Definition::Quantile(_))
    }

    /// What stands below it, by which a value of it is judged: the denominator of a rate, the
    /// deliveries that a time or a size is of; nothing for a count.
    pub fn base(&self) -> Option<&str> {
        match self.unit {
            Unit::Percent => self.of.as_deref(),
            Unit::Seconds | Unit::Bytes => Some("delivered"),
            _ => None,
        }
    }
}

/// All metrics, in the order of their file.
pub fn metrics() -> &'static [Metric] {
    static ALL: LazyLock<Vec<Metric>> =
        LazyLock::new(|| parse_metrics(METRICS).expect("tested below"));
    &ALL
}

/// The metric called `name`.
///
/// # Errors
/// [`Error::Unknown`] with the nearest name.
pub fn metric(name: &str) -> Result<&'static Metric> {
    let all = metrics();
    let normalized = name.replace('-', "_");
    let found = all.iter().find(|metric| metric.name == normalized);
    if ["queue_depth", "queue_peak", "queue_oldest"].contains(&&*normalized) {
        // What waits is no matter of single records: it is asked over time, or at a moment.
        let nearest = Some(format!("pmtaq graph {normalized}` or `pmtaq queue"));
        return Err(Error::Unknown { what: "metric of records", name: name.to_owned(), nearest });
    }
    found.ok_or_else(|| Error::unknown("metric", name, all.iter().map(|m| m.name.as_str())))
}

/// `sql` with every `metric()` replaced by its definition. Texts in quotes and comments stay.
pub(crate) fn expand(sql: &str) -> String {
    expand_by(sql, &mut |metric, _| expand(&metric.sql))
}

/// `sql` with every `metric()` replaced by what `meaning` gives for it, which is told whether it is a column
/// of what is selected: `metric() as name`.
pub(crate) fn expand_by(sql: &str, meaning: &mut dyn FnMut(&Metric, bool) -> String) -> String {
    let mut out = String::new();
    let mut tokens = tokens(sql).peekable();
    while let Some(token) = tokens.next() {
        let metric = metrics().iter().find(|metric| metric.name == token);
        let Some(metric) = metric.filter(|_| tokens.peek() == Some(&"(")) else {
            out.push_str(token);
            continue;
        };
        tokens.next();
        if tokens.next_if_eq(&")").is_some() {
            let mut after = tokens.clone().skip_while(|token| token.trim().is_empty());
            let is_column = after.next().is_some_and(|token| token.eq_ignore_ascii_case("as"));
            out.push('(');
            out.push_str(&meaning(metric, is_column));
            out.push(')');
        } else {
            out.push_str(token);
            out.push('(');
        }
    }
    out
}

/// A count of attempts, null where there are deliveries and none of them names a receiver.
pub(crate) fn attempts(count: &str, deliveries: &str) -> String {
    format!("case when {count} > 0 or {deliveries} = 0 then {count} end")
}

/// So many of a hundred. What is more than the whole is no share of it: complaints of an earlier hour, or
/// records that lack what others have.
pub(crate) fn share(of: &str, whole: &str) -> String {
    format!("case when {of} <= {whole} then 100.0 * {of} / nullif({whole}, 0) end")
}

/// The metrics of a file: for each the lines `-- metric:`, `-- needs:` and its meaning, and the
/// line of its definition.
fn parse_metrics(text: &'static str) -> std::result::Result<Vec<Metric>, String> {
    let blocks = text.split("\n-- metric: ").skip(1);
    blocks.map(|block| parse_metric(block).ok_or_else(|| block.to_owned())).collect()
}

fn parse_metric(block: &'static str) -> Option<Metric> {
    let mut lines = block.trim_end().lines();
    let (name, unit) = lines.next()?.split_once(' ')?;
    let needs = lines.next()?.strip_prefix("-- needs: ")?;
    let doc = lines.next()?.strip_prefix("-- ")?;
    let definition = Definition::parse(lines.next()?)?;
    let Meaning { unit, of } = Meaning::parse(unit)?;
    let sql = match &of {
        Some(base) => share(&definition.to_string(), &format!("{base}()")),
        None => definition.to_string(),
    };
    let needs = Records::parse(needs).ok()?;
    let (name, doc) = (name.to_owned(), doc.to_owned());
    lines.next().is_none().then_some(Metric { name, unit, of, needs, doc, sql, definition })
}

impl Definition {
    fn parse(text: &'static str) -> Option<Definition> {
        let count = |text: &'static str| Subset::parse(text.strip_prefix("count of ")?);
        if let Some((a, b)) = text.split_once(" less ") {
            return Some(Definition::Less(count(a)?, count(b)?));
        }
        if let Some((a, b)) = text.split_once(" else ") {
            return Some(Definition::Else(count(a)?, count(b)?));
        }
        let Some((what, of)) = text.split_once(" of ") else {
            return Some(Definition::Named(text));
        };
        Some(match (what.split_once(' ').unwrap_or((what, "")), of) {
            (("quantile", p), "latency") => Definition::Quantile(p),
            (("maximum", ""), "latency") => Definition::Maximum,
            (("count", ""), of) => Definition::Count(Subset::parse(of)?),
            (("distinct", columns), of) => Definition::Distinct(columns, Subset::parse(of)?),
            (("sum", column), of) => Definition::Sum(column, Subset::parse(of)?),
            _ => return None,
        })
    }
}

impl Subset {
    /// Of the deliveries.
    pub(crate) fn deliveries() -> Subset {
        Subset { records: vec![Record::Delivery], condition: None }
    }

    /// Whether it is of the attempts that reached a receiver, deliveries too.
    pub(crate) fn is_of_attempts(&self) -> bool {
        let is_reached = self.condition.as_ref().is_some_and(|of| of.test == Test::Reached);
        is_reached && self.records.contains(&Record::Delivery)
    }

    fn parse(text: &'static str) -> Option<Subset> {
        let (records, condition) = match text.split_once(" where ") {
            Some((records, condition)) => (records, Some(Condition::parse(condition)?)),
            None => (text, None),
        };
        let records = records.split(", ").map(|name| Record::parse(name.as_bytes()));
        Some(Subset { records: records.collect::<Option<_>>()?, condition })
    }

    /// Those of the record types.
    pub(crate) fn types(&self) -> String {
        let names: Vec<String> = self.records.iter().map(|rec| quoted(rec.as_str())).collect();
        match names.as_slice() {
            [name] => format!("rec = {name}"),
            names => format!("rec in ({})", names.join(", ")),
        }
    }
}

impl Condition {
    fn parse(text: &'static str) -> Option<Condition> {
        if text == "reached" {
            return Some(Condition { column: RECEIVER, test: Test::Reached });
        }
        let (column, test) = text.split_once(' ')?;
        let test = match (test.split_once(' ')?, test.strip_suffix(" or null")) {
            (("=", _), Some(test)) => Test::IsOrNull(test.strip_prefix("= ")?),
            (("=", value), None) => Test::Is(value),
            (("<>", _), Some(test)) => Test::IsNot(test.strip_prefix("<> ")?),
            (("is", "not null"), None) => Test::IsThere,
            _ => return None,
        };
        let known = Column::index(column).is_some() || REPLY_COLUMNS.contains(&column);
        known.then_some(Condition { column, test })
    }
}

/// Over `records`.
impl Display for Definition {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Definition::Count(of) if of.is_of_attempts() => {
                let deliveries = Subset::deliveries();
                let of = attempts(
                    &format!("count(*) filter ({of})"),
                    &format!("count(*) filter ({deliveries})"),
                );
                f.write_str(&of)
            }
            Definition::Count(of) => write!(f, "count(*) filter ({of})"),
            Definition::Distinct(columns, of) => {
                write!(f, "count(distinct hash({columns})) filter ({of})")
            }
            Definition::Sum(column, of) => {
                write!(f, "coalesce(sum({column}) filter ({of}), 0)::bigint")
            }
            Definition::Quantile(p) => {
                let value = format!("quantile_cont({LATENCY}, {p}) filter (rec = 'd')");
                f.write_str(&to_the_microsecond(&value))
            }
            Definition::Maximum => write!(f, "max({LATENCY}) filter (rec = 'd')"),
            Definition::Less(a, b) => {
                write!(f, "count(*) filter ({a}) - count(*) filter ({b})")
            }
            Definition::Else(a, b) => write!(
                f,
                "case when exists (from records where {a}) then count(*) filter ({a}) else count(*) filter ({b}) end"
            ),
            Definition::Named(name) => write!(f, "{name}()"),
        }
    }
}

/// Seconds without the digits that lie below a microsecond, of which times have none: between two values
/// each engine reckons them otherwise.
pub(crate) fn to_the_microsecond(seconds: &str) -> String {
    format!("round({seconds}, 6)")
}

/// As a condition over `records`.
impl Display for Subset {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.types())?;
        self.condition.as_ref().map_or(Ok(()), |condition| write!(f, " and {condition}"))
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let column = self.column;
        match self.test {
            Test::Is(value) => write!(f, "{column} = {value}"),
            Test::IsOrNull(value) => write!(f, "coalesce({column}, {value}) = {value}"),
            Test::IsNot(value) => write!(f, "{column} is distinct from {value}"),
            Test::IsThere => write!(f, "{column} is not null"),
            Test::Reached => {
                write!(f, "reached_receiver(rec, {column}, dsn_mta, bounce_origin, smtp_code)")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_gets_the_nearest_and_a_hyphen_is_an_underscore() {
        assert_eq!(metric("bounce-rate").expect("known").name, "bounce_rate");
        for wrong in ["bounce_rat", "bounce-rat"] {
            let error = metric(wrong).expect_err("unknown").to_string();
            assert_eq!(error, format!("there is no metric `{wrong}`; did you mean `bounce_rate`?"));
        }
    }

    #[test]
    fn every_metric_is_complete_and_every_name_in_it_is_one() {
        assert!(metrics().len() > 20);
        for metric in metrics() {
            assert!(metric.doc.ends_with('.') && !metric.counted().is_empty(), "{}", metric.name);
            let named = |name: &str| metrics().iter().any(|other| other.name == name);
            if metric.unit == Unit::Percent {
                let of = metric.of.as_deref().expect("a rate has a denominator");
                assert!(named(of), "{}", metric.name);
            }
            if let Definition::Named(name) = metric.definition {
                assert!(named(name), "{}", metric.name);
            }
        }
        let counted = |name| metric(name).expect("it is there").counted();
        assert_eq!(counted("bounced"), [Record::Bounce, Record::RemoteBounce].into());
        assert_eq!(counted("p95"), [Record::Delivery].into());
        assert_eq!(counted("complaint_rate").len(), 3);
    }

    #[test]
    fn a_definition_is_read_and_printed() {
        let printed = |text| Definition::parse(text).map(|definition| definition.to_string());
        for (text, sql) in [
            ("count of d, b", "count(*) filter (rec in ('d', 'b'))"),
            ("count of d where mx is not null", "count(*) filter (rec = 'd' and mx is not null)"),
            (
                "count of b where mx = 'x' or null",
                "count(*) filter (rec = 'b' and coalesce(mx, 'x') = 'x')",
            ),
            (
                "count of d less count of b",
                "count(*) filter (rec = 'd') - count(*) filter (rec = 'b')",
            ),
            (
                "count of b where mx <> 'x' or null",
                "count(*) filter (rec = 'b' and mx is distinct from 'x')",
            ),
            ("maximum of latency", "max(epoch(time_logged - time_queued)) filter (rec = 'd')"),
            ("sent", "sent()"),
        ] {
            assert_eq!(printed(text).as_deref(), Some(sql));
        }
        for wrong in
            ["count of q", "count of d where x = 'y'", "mean of latency", "count of d less sent"]
        {
            assert_eq!(printed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn metrics_are_expanded_but_not_inside_quotes_and_comments() {
        assert_eq!(
            expand(
                "select bytes() as n, 'bytes()' -- bytes()\n, my_bytes(), \"bytes()\" /* bytes() */"
            ),
            "select (coalesce(sum(dlv_size) filter (rec = 'd'), 0)::bigint) as n, 'bytes()' -- bytes()\n, \
             my_bytes(), \"bytes()\" /* bytes() */"
        );
        assert!(!expand("bounce_rate()").contains("sent()"));
    }
}
