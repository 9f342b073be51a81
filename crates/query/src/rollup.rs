//! Metrics over `hourly`: the same definitions, printed as sums over rows that each stand for the
//! records of an hour that share all dimensions. Never runs anything.
//!
//! | metric | over the hours of each combination | and then |
//! |---|---|---|
//! | `count of ...` | the sum of `records` | the sum of it |
//! | `sum dlv_size of ...` | the sum of `bytes` | the sum of it |
//! | `maximum of latency` | the maximum of `latency_max` | the maximum of it |
//! | `quantile P of latency` | the counts of the histograms by seconds | where the P-th of them stands |
//!
//! Which statements may be asked of it is declared: what they read of a record is [`Reads`], all
//! else is metrics.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use pmtaq_schema::columns::SITE_DIMENSIONS;

use crate::dimension::{Largest, Reads, is_hourly};
use crate::fields::{self, KeptDimension};
use crate::hours::HOURS_VIEW;
use crate::judged::Judged;
use crate::largest::{LISTED, listed};
use crate::metric::{
    Condition, Definition, Metric, Subset, Test, attempts, expand_by, metric, share,
    to_the_microsecond,
};
use crate::query::OverHours;

/// `body` over `hourly`, for the records for which `condition` holds; none when one of its metrics
/// counts what `hourly` does not tell apart.
pub(crate) fn over_hours(
    body: &str,
    condition: &str,
    reads: &Reads,
    judged: &Judged,
) -> Option<OverHours> {
    let mut sums = Sums::default();
    let mut is_known = true;
    // How large a group is, where only the largest are told apart.
    let volume = reads
        .largest
        .as_ref()
        .and_then(|largest| Some((largest, sums.summed(metric(largest.volume).ok()?)?)));
    let outer = expand_by(body, &mut |metric, is_column| {
        let sql = sums.metric(metric);
        is_known &= sql.is_some();
        let sql = sql.unwrap_or_default();
        if is_column { judged.where_known(metric, sql) } else { sql }
    });
    let outer = outer.replace(LISTED, if volume.is_some() { "is_listed" } else { "true" });
    if !is_known {
        return None;
    }
    let (is_local, is_for_here) = (reads.is_local, reads.keeps_few && !sums.has_latencies);
    let sql = if is_for_here {
        of_hours(&outer, condition, reads, &sums)
    } else {
        statement(&outer, condition, reads, &sums, volume.as_ref())
    };
    Some(OverHours { sql, is_local, is_for_here, cut_at: Some("records"), ..OverHours::default() })
}

/// Whether `hourly` can answer a metric: of distinct things there it cannot.
pub(crate) fn adds_up(of: &Metric) -> bool {
    Sums::default().metric(of).is_some()
}

/// The statement with what `hourly` keeps of the dimensions of the site in place of the fields that they are
/// made of, as far as `reads` has them.
pub(crate) fn with_kept(mut over: OverHours, reads: &[&Reads]) -> OverHours {
    let is_read = |kept: &KeptDimension| reads.iter().any(|of| of.columns.contains(kept.column));
    let mut columns = String::new();
    for KeptDimension { dimension, column, site } in fields::kept().into_iter().filter(is_read) {
        over.sql = over.sql.replace(dimension.sql, column);
        // The name of a dimension is a word.
        let value = format!("site_value({SITE_DIMENSIONS}, '{}')", site.name);
        let _ = write!(columns, ", {value} as {column}");
        over.kept.push(site);
    }
    if !columns.is_empty() {
        let hours = hours_as_records();
        over.sql = over.sql.replace(&hours, &format!("(select *{columns} from {hours})"));
    }
    over
}

/// The rows of `hourly` as records, each of which stands for the `records` that it counts.
pub(crate) fn hours_as_records() -> String {
    format!(
        "(select *, hour as time_logged, case when reached = 1 then '' end as dlv_destination_ip, null as dsn_mta \
         from {HOURS_VIEW})"
    )
}

/// The aggregates of the metrics of a statement.
#[derive(Default)]
struct Sums {
    /// Over the hours of a combination, named `m0`, `m1` and so on: the total, and of what.
    inner: Vec<(&'static str, String)>,
    /// The columns that their filters ask for, by name.
    filtered_by: BTreeSet<&'static str>,
    has_latencies: bool,
}

impl Sums {
    /// What a metric is over the sums.
    fn metric(&mut self, of: &Metric) -> Option<String> {
        let mut sql = self.definition(&of.definition)?;
        if let Some(base) = &of.of {
            let base = self.metric(metric(base).ok()?)?;
            sql = share(&format!("({sql})"), &format!("({base})"));
        }
        Some(sql)
    }

    fn definition(&mut self, definition: &Definition) -> Option<String> {
        Some(match definition {
            Definition::Count(of) if of.is_of_attempts() => {
                attempts(&self.count(of)?, &self.count(&Subset::deliveries())?)
            }
            Definition::Count(of) => self.count(of)?,
            Definition::Less(a, b) => format!("{} - {}", self.count(a)?, self.count(b)?),
            Definition::Else(a, b) => else_where(&condition(a)?, [self.count(a)?, self.count(b)?]),
            Definition::Sum("dlv_size", of) => {
                format!("coalesce(sum({}), 0)::bigint", self.add("sum", "bytes", of)?)
            }
            Definition::Maximum => {
                format!("max({})::double", self.add("max", "latency_max", &Subset::deliveries())?)
            }
            Definition::Quantile(p) => {
                self.has_latencies = true;
                quantile(p)
            }
            Definition::Named(name) => format!("({})", self.metric(metric(name).ok()?)?),
            Definition::Distinct(..) | Definition::Sum(..) => return None,
        })
    }

    /// The sum over rows of `hourly` that a metric is which is one.
    fn summed(&self, of: &Metric) -> Option<String> {
        let (column, counts) = match &of.definition {
            Definition::Count(of) => (RECORDS, condition(of)?),
            Definition::Sum("dlv_size", of) => ("bytes", condition(of)?),
            Definition::Else(a, b) => {
                (RECORDS, else_where(&condition(a)?, [condition(a)?, condition(b)?]))
            }
            _ => return None,
        };
        Some(format!("sum(case when {counts} then {column} end)"))
    }

    fn count(&mut self, of: &Subset) -> Option<String> {
        Some(format!("coalesce(sum({}), 0)::bigint", self.add("sum", RECORDS, of)?))
    }

    /// The name of a total of `column` over those rows of a combination that count records `of`.
    fn add(&mut self, total: &'static str, column: &str, of: &Subset) -> Option<String> {
        let condition = condition(of)?;
        self.filtered_by.insert("rec");
        self.filtered_by.extend(of.condition.iter().flat_map(hours_columns));
        // The engine takes longer for the same as a filter.
        let of = (total, format!("case when {condition} then {column} end"));
        let at = self.inner.iter().position(|other| *other == of).unwrap_or_else(|| {
            self.inner.push(of);
            self.inner.len() - 1
        });
        Some(format!("m{at}"))
    }
}

/// Which rows count records `of`; none when their condition is about what `hourly` lacks.
fn condition(of: &Subset) -> Option<String> {
    match &of.condition {
        // Whether one is there is all that `hourly` knows of its address and its name.
        Some(Condition { test: Test::Reached, .. }) => Some(format!(
            "{} and reached_receiver(rec, case when reached = 1 then '' end, null, bounce_origin, smtp_code)",
            of.types()
        )),
        Some(test) if !is_hourly(test.column) => None,
        _ => Some(of.to_string()),
    }
}

/// The first of two expressions where any row at all is one `when`, else the second.
fn else_where(when: &str, [first, second]: [String; 2]) -> String {
    format!("case when exists (from rolled_up where {when}) then {first} else {second} end")
}

/// The columns of `hourly` that a condition reads.
fn hours_columns(of: &Condition) -> Vec<&'static str> {
    match of.test {
        Test::Reached => vec!["reached", "bounce_origin", "smtp_code"],
        _ => vec![of.column],
    }
}

/// What `quantile_cont` gives for the seconds in `latency_s`, each `latency_n` times: the value at
/// a place between two that are there lies between them. A list is sorted when it is there: an aggregate
/// that is told an order takes ten times as long where groups are many and small.
fn quantile(p: &str) -> String {
    let place = format!("{p}::double * (sum(latency_n) - 1)::double");
    to_the_microsecond(&format!(
        "list_transform([list_reduce(list_sort(list({{s: latency_s, z: latency_s, n: latency_n}}) \
         filter (latency_s is not null)), lambda a, b: {{\
         s: case when a.n > floor({place}) then a.s else b.s end, \
         z: case when a.n > ceil({place}) then a.z else b.z end, \
         n: a.n + b.n}})], lambda a: a.s + (a.z - a.s) * ({place} - floor({place})))[1]"
    ))
}

/// What is summed up where records are counted: the engine adds 64-bit integers as numbers of 128
/// bits, which takes longer, and these are exact up to 9,000,000,000,000,000.
const RECORDS: &str = "records::double";

/// So many sums are taken from all rows at once, faster than in two steps.
const FEW: usize = 3;

/// `totals` of the rows of `source` by `keys`. Several keys are grouped by one number, since to compare
/// them as texts takes longer than all else: two of 1,000,000 groups would have the same number in one
/// store of 40,000,000.
fn grouped(keys: &[&str], totals: &[String], source: &str) -> String {
    match keys {
        // Whether there is any is all that can be said then.
        [] if totals.is_empty() => format!("select distinct true as is_any from {source}"),
        [] => format!("select {} from {source}", totals.join(", ")),
        [key] => format!("select {key}, {} from {source} group by {key}", totals.join(", ")),
        keys => grouped_by(&format!("hash({})", keys.join(", ")), keys, totals, source),
    }
}

/// `totals` of the rows of `source` by `number`, and the names of each.
fn grouped_by(number: &str, keys: &[&str], totals: &[String], source: &str) -> String {
    let firsts: Vec<String> = keys.iter().map(|key| format!("first({key}) as {key}")).collect();
    let (firsts, totals) = (firsts.join(", "), totals.join(", "));
    format!("select {firsts}, {totals} from {source} group by {number}")
}

/// The statement: hours that pass, their sums by what the statement uses, and its own text. With a `volume`
/// only the largest groups are told apart.
fn statement(
    outer: &str,
    condition: &str,
    reads: &Reads,
    sums: &Sums,
    volume: Option<&(&Largest, String)>,
) -> String {
    let keys: Vec<&str> = reads.columns.iter().copied().collect();
    let numbered = sums.inner.iter().enumerate();
    let numbered = numbered.map(|(i, (total, of))| format!("{total}({of})::bigint as m{i}"));
    let numbered: Vec<String> = numbered.collect();
    let mut sql = rolled_up(condition);
    let mut source = "rolled_up";
    // What the largest groups are not of tells all of them apart.
    let others = keys.iter().filter(|key| volume.is_some_and(|(of, _)| !of.by.contains(key)));
    let listed_group =
        ["listed_group"].iter().chain(others).copied().collect::<Vec<_>>().join(", ");
    if let Some((largest, volume)) = volume {
        sql += &listed(largest, volume);
        source = "told_apart";
    } else if !sums.filtered_by.is_empty() && sums.inner.len() > FEW {
        // First by what the filters ask for too: a filter costs as much as a sum, and few rows are
        // left for it then.
        let further = sums.filtered_by.iter().filter(|name| !reads.columns.contains(*name));
        let keys: Vec<&str> = keys.iter().chain(further).copied().collect();
        let totals = [
            format!("sum({RECORDS})::bigint as records"),
            "sum(bytes)::bigint as bytes".to_owned(),
            "max(latency_max)::bigint as latency_max".to_owned(),
        ];
        let grouped = grouped(&keys, &totals, "rolled_up");
        let _ = writeln!(sql, "by_filter as not materialized ({grouped}),");
        source = "by_filter";
    }
    let grouped = match volume {
        Some(_) => {
            let totals =
                [&["listed_group is not null as is_listed".to_owned()], &*numbered].concat();
            grouped_by(&listed_group, &keys, &totals, source)
        }
        None => grouped(&keys, &numbered, source),
    };
    let _ = write!(sql, "records as materialized ({grouped}");
    if sums.has_latencies {
        let columns = keys.join(", ");
        let with = |last: &str| match columns.as_str() {
            "" => last.to_owned(),
            columns => format!("{columns}, {last}"),
        };
        let unnested =
            "unnest(map_keys(latencies)) as latency_s, unnest(map_values(latencies)) as latency_n";
        let seconds = match volume {
            // Of the groups that are not told apart all seconds are one group's.
            Some(_) => grouped_by(
                &format!("{listed_group}, latency_s"),
                &[&keys[..], &["latency_s"]].concat(),
                &[
                    "sum(latency_n)::bigint as latency_n".to_owned(),
                    "first(listed_group) is not null as is_listed".to_owned(),
                ],
                &format!(
                    "(select listed_group, {} from told_apart where rec = 'd')",
                    with(unnested)
                ),
            ),
            None => format!(
                "select {}, sum(latency_n)::bigint as latency_n from \
                 (select {} from rolled_up where rec = 'd') group by {}",
                with("latency_s"),
                with(unnested),
                with("latency_s"),
            ),
        };
        let _ = write!(sql, "\nunion all by name {seconds}");
    }
    sql.push(')');
    followed_by(sql, outer)
}

/// The same where the statement itself keeps few groups: the hours as they are, since to add up those of all others
/// takes the memory of their names.
fn of_hours(outer: &str, condition: &str, reads: &Reads, sums: &Sums) -> String {
    let keys = reads.columns.iter().map(|key| (*key).to_owned());
    let numbered = sums.inner.iter().enumerate().map(|(i, (_, of))| format!("{of} as m{i}"));
    let columns = keys.chain(numbered).collect::<Vec<_>>().join(", ");
    let records = format!("records as not materialized (select {columns} from rolled_up)");
    followed_by(rolled_up(condition) + &records, outer)
}

/// The first query of a `with`: the hours that pass.
fn rolled_up(condition: &str) -> String {
    let hours = hours_as_records();
    format!("with rolled_up as not materialized (select * from {hours} where {condition}),\n")
}

/// `sql`, a `with` and its queries, and then a statement, which may have such queries itself.
pub(crate) fn followed_by(sql: String, outer: &str) -> String {
    match outer.trim_start().strip_prefix("with ") {
        Some(rest) => sql + ",\n" + rest,
        None => sql + "\n" + outer,
    }
}
