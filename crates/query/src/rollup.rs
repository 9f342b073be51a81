//! Which table answers: `hourly` when a statement asks for metrics by dimensions that it has, else
//! `records`. The one rule, and the SQL that follows from it. Never runs anything.
//!
//! A metric is defined once, over `records`. Here each aggregate in its definition becomes a sum
//! over rows of `hourly`, taken first by the dimensions of the statement:
//!
//! | over records | over the hours of each combination | and then |
//! |---|---|---|
//! | `count(*) filter (c)` | the sum of `records` where `c` | the sum of it |
//! | `sum(dlv_size) filter (c)` | the sum of `bytes` where `c` | the sum of it |
//! | `max(LATENCY) filter (c)` | the maximum of `latency_max` where `c` | the maximum of it |
//! | `quantile_cont(LATENCY, p) filter (rec = 'd')` | the counts of the histograms by seconds | where the p-th of them stands |
//!
//! A statement that aggregates by itself, or names a column that `hourly` lacks, reads `records`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use pmtaq_schema::columns::HOURLY;
use pmtaq_schema::{COLUMNS, Column};

use crate::hours::HOURS_VIEW;
use crate::lex::{is_said, tokens};
use crate::prelude::{self, Metric, dimension};
use crate::query::{Query, Value};
use crate::selection::Selection;

/// What a metric calls the time from queueing to delivery, its tokens apart.
const LATENCY: &str = "epoch ( time_logged - time_queued )";

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

/// Functions over many rows: a statement that has them over columns counts records by itself.
const AGGREGATES: &[&str] = &[
    "count",
    "sum",
    "avg",
    "mean",
    "median",
    "mode",
    "list",
    "array_agg",
    "string_agg",
    "arg_max",
    "arg_min",
    "quantile",
    "quantile_cont",
    "quantile_disc",
    "histogram",
    "stddev",
    "variance",
    "row_number",
    "first",
    "last",
    "sample",
];

/// A statement over `hourly` that gives what one over `records` gives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OverHours {
    pub(crate) sql: String,
    /// Whether it names local times, so that the zone must be whole hours from UTC.
    pub(crate) is_local: bool,
}

/// `body` over `hourly`, if that can answer it.
pub(crate) fn over_hours(
    body: &str,
    condition: &str,
    selection: &Selection,
    query: &Query,
) -> Option<OverHours> {
    let is_local = is_local(selection, query)?;
    let mut sums = Sums::default();
    let outer = prelude::expand_by(body, &mut |metric| sums.over(metric));
    if sums.failed || !aggregates_nothing(body) {
        return None;
    }
    let used = Used::of(&outer, query)?;
    let sql = statement(&outer, condition, &used, &sums);
    Some(OverHours { sql, is_local: used.is_local || is_local })
}

/// Whether `selection` names local times; none when `hourly` does not know what it asks for.
pub(crate) fn is_local(selection: &Selection, query: &Query) -> Option<bool> {
    if !selection.condition.as_deref().is_none_or(is_condition_over_dimensions) {
        return None;
    }
    let filters = selection.filters.iter().map(|(name, _)| dimension(name).ok());
    let exactly = selection.exactly.iter().map(|(dimension, _)| Some(*dimension));
    filters.chain(exactly).try_fold(false, |is_local, dimension| {
        Some(is_local | Used::of(dimension?.sql, query)?.is_local)
    })
}

/// The rows of `hourly` as records, each of which stands for the `records` that it counts.
pub(crate) fn hours_as_records() -> String {
    format!(
        "(select *, hour as time_logged, case when reached = 1 then '' end as dlv_destination_ip \
         from {HOURS_VIEW})"
    )
}

/// Whether the words of a user's condition are dimensions of `hourly` and harmless ones.
fn is_condition_over_dimensions(condition: &str) -> bool {
    words(condition).all(|word| {
        let word = word.to_lowercase();
        is_dimension(&word)
            || CONDITION_WORDS.contains(&word.as_str())
            || word.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// Whether `hourly` has the column of `records` called `name`.
fn is_dimension(name: &str) -> bool {
    is_column(name) && HOURLY.iter().any(|column| column.name == name)
}

fn is_column(name: &str) -> bool {
    Column::index(name).is_some()
}

/// The tokens of `sql` that say something.
fn meaningful(sql: &str) -> Vec<&str> {
    tokens(sql).filter(|token| is_said(token)).collect()
}

/// The words of `sql`, also those in double quotes.
fn words(sql: &str) -> impl Iterator<Item = &str> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tokens(sql).filter_map(move |token| {
        let bare = token.strip_prefix('"').map_or(token, |rest| rest.trim_end_matches('"'));
        bare.starts_with(word).then_some(bare).filter(|_| !token.contains('\''))
    })
}

/// Whether `body` leaves aggregates over records to its metrics. It may count distinct values of
/// dimensions and aggregate what metrics gave.
fn aggregates_nothing(body: &str) -> bool {
    let tokens = meaningful(body);
    (0..tokens.len()).all(|at| {
        let name = tokens[at].to_lowercase();
        if !AGGREGATES.contains(&name.as_str()) || tokens.get(at + 1) != Some(&"(") {
            return true;
        }
        let inside = &tokens[at + 2..closing(&tokens, at + 1)];
        match (name.as_str(), inside.first()) {
            ("row_number", None) => true,
            (_, None) => false,
            ("count", Some(first)) => first.eq_ignore_ascii_case("distinct"),
            _ => {
                let is_word = |token: &&str| token.starts_with(|c: char| c.is_ascii_alphabetic());
                inside.iter().any(is_word) && !inside.iter().any(|t| is_column(&t.to_lowercase()))
            }
        }
    })
}

/// The place of the parenthesis that closes the one at `open`; the end without one.
fn closing(tokens: &[&str], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        depth += i32::from(*token == "(") - i32::from(*token == ")");
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

/// What a statement uses of the rows that it reads.
#[derive(Default)]
struct Used {
    /// Columns of `records`, in the order of the schema.
    columns: Vec<&'static str>,
    views: Vec<&'static str>,
    is_local: bool,
}

impl Used {
    /// None when it needs more than `hourly` has.
    fn of(sql: &str, query: &Query) -> Option<Used> {
        let words: Vec<String> = words(sql).map(str::to_lowercase).collect();
        let has = |name: &str| words.iter().any(|word| word == name);
        if ["stored", "rejects", "hourly", "time_bucket"].into_iter().any(has) {
            return None;
        }
        let times = words.iter().filter(|word| *word == "time_logged").count();
        if times > whole_hours(&meaningful(sql), query) {
            return None;
        }
        let mut used = Used { is_local: has("local"), ..Used::default() };
        used.views = prelude::views().iter().map(|view| view.0).filter(|name| has(name)).collect();
        let by_view = |name: &str| {
            let views = prelude::views().into_iter().filter(|view| used.views.contains(&view.0));
            views.into_iter().any(|(_, _, body)| self::words(body).any(|word| word == name))
        };
        for Column { name, .. } in COLUMNS {
            let named = has(name);
            if named && !is_dimension(name) && *name != "time_logged" {
                return None;
            }
            let by_view = by_view(name);
            if by_view && !is_dimension(name) && *name != "dlv_destination_ip" {
                return None;
            }
            if named || by_view {
                used.columns.push(name);
            }
        }
        Some(used)
    }
}

/// How many times `time_logged` stands where only its hour matters: as the hour of UTC, as the local
/// hour, day or more of `date_trunc`, or in a format without minutes.
fn whole_hours(tokens: &[&str], query: &Query) -> usize {
    const HOURS: &[&str] = &["hour", "day", "week", "month", "quarter", "year"];
    const UTC_HOUR: &[&str] = &["'hour'", ",", "time_logged", ")"];
    const TIME: &[&str] = &["local", "(", "time_logged", ")"];
    let is_coarse = |token: &str| match token.strip_prefix('$') {
        Some(param) => match query.values.get(param) {
            Some(Value::Text(step)) => HOURS.contains(&step.as_str()),
            _ => false,
        },
        None => HOURS.contains(&token.trim_matches('\'')),
    };
    let has_no_minutes = |format: &str| {
        let signs = format.split('%').skip(1).filter_map(|rest| rest.chars().next());
        format.starts_with('\'') && { signs }.all(|sign| "YymdHaAbBjuUVwG".contains(sign))
    };
    let count = (0..tokens.len()).filter(|&at| match tokens[at] {
        "date_trunc" => {
            tokens.get(at + 2..at + 6) == Some(UTC_HOUR)
                || tokens.get(at + 2).is_some_and(|step| is_coarse(step))
                    && tokens.get(at + 4..at + 8) == Some(TIME)
        }
        "strftime" => {
            tokens.get(at + 2..at + 6) == Some(TIME)
                && tokens.get(at + 7).is_some_and(|format| has_no_minutes(format))
        }
        _ => false,
    });
    count.count()
}

/// The aggregates of the metrics of a statement.
#[derive(Default)]
struct Sums {
    /// Over the hours of a combination, named `m0`, `m1` and so on.
    inner: Vec<String>,
    /// The columns that their filters ask for, by name.
    filtered_by: BTreeSet<&'static str>,
    has_latencies: bool,
    failed: bool,
}

impl Sums {
    /// What a metric is over the sums.
    fn over(&mut self, metric: &Metric) -> String {
        let definition = prelude::expand(&metric.sql);
        // Without comments, a token is all that stands between two places in the text.
        let tokens: Vec<&str> = tokens(&definition).collect();
        let mut out = String::new();
        let mut at = 0;
        while at < tokens.len() {
            let (sql, length) =
                self.aggregate(&tokens[at..]).unwrap_or_else(|| (tokens[at].to_owned(), 1));
            out.push_str(&sql);
            at += length;
        }
        // What is left of the definition speaks of no record.
        self.failed |= words(&out).any(is_column) || !aggregates_nothing_of(&out);
        out
    }

    /// The aggregate that `tokens` begin with, over the sums, and how many tokens it takes.
    fn aggregate(&mut self, tokens: &[&str]) -> Option<(String, usize)> {
        if tokens.get(1) != Some(&"(") {
            return None;
        }
        let mut length = closing(tokens, 1) + 1;
        let inside = meaningful(&tokens.get(2..length - 1)?.concat()).join(" ");
        let mut filter = "true".to_owned();
        if tokens.get(length..length + 4) == Some(&[" ", "filter", " ", "("]) {
            let close = closing(tokens, length + 3);
            filter = tokens.get(length + 4..close)?.concat();
            length = close + 1;
        }
        let sql = match (tokens[0], inside.as_str()) {
            ("count", "*") => {
                let sum = self.add("sum", RECORDS, &filter);
                format!("coalesce(sum({sum}), 0)::bigint")
            }
            ("sum", "dlv_size") => format!("sum({})", self.add("sum", "bytes", &filter)),
            ("max", LATENCY) => format!("max({})::double", self.add("max", "latency_max", &filter)),
            ("quantile_cont", inside) if filter == "rec = 'd'" => {
                let part = inside.strip_prefix(LATENCY)?.strip_prefix(" , ")?;
                self.has_latencies = true;
                quantile(&part.replace(' ', ""))
            }
            _ => return None,
        };
        Some((sql, length))
    }

    fn add(&mut self, total: &str, of: &str, filter: &str) -> String {
        // Whether a receiver was reached is all that `hourly` knows of its address.
        let reached = "dlv_destination_ip is not null";
        let filter = filter.replace(reached, "reached = 1");
        let known = |word: &str| word == "reached" || !is_column(word) || is_dimension(word);
        self.failed |= !words(&filter).all(known);
        let columns = HOURLY.iter().map(|column| column.name);
        self.filtered_by.extend(columns.filter(|name| words(&filter).any(|word| word == *name)));
        // The engine takes longer for the same as a filter.
        let sql = match filter.as_str() {
            "true" => format!("{total}({of})::bigint"),
            filter => format!("{total}(case when {filter} then {of} end)::bigint"),
        };
        let at = self.inner.iter().position(|other| *other == sql).unwrap_or_else(|| {
            self.inner.push(sql);
            self.inner.len() - 1
        });
        format!("m{at}")
    }
}

/// Whether all aggregates left in a metric are those over the sums.
fn aggregates_nothing_of(metric: &str) -> bool {
    let tokens = meaningful(metric);
    tokens.windows(3).all(|at| at != ["count", "(", "*"])
}

/// What `quantile_cont` gives for the seconds in `latency_s`, each `latency_n` times: the value at
/// a place between two that are there lies between them.
fn quantile(p: &str) -> String {
    let place = format!("{p}::double * (sum(latency_n) - 1)::double");
    format!(
        "list_transform([list_reduce(list({{s: latency_s, z: latency_s, n: latency_n}} order by latency_s) \
         filter (latency_s is not null), lambda a, b: {{\
         s: case when a.n > floor({place}) then a.s else b.s end, \
         z: case when a.n > ceil({place}) then a.z else b.z end, \
         n: a.n + b.n}})], lambda a: a.s + (a.z - a.s) * ({place} - floor({place})))[1]"
    )
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
    let totals = totals.join(", ");
    match keys {
        [] => format!("select {totals} from {source}"),
        [key] => format!("select {key}, {totals} from {source} group by {key}"),
        keys => {
            let firsts: Vec<String> =
                keys.iter().map(|key| format!("first({key}) as {key}")).collect();
            let (firsts, keys) = (firsts.join(", "), keys.join(", "));
            format!("select {firsts}, {totals} from {source} group by hash({keys})")
        }
    }
}

/// The statement: hours that pass, their sums by what the statement uses, and its own text.
fn statement(outer: &str, condition: &str, used: &Used, sums: &Sums) -> String {
    let columns = used.columns.join(", ");
    let with = |last: &str| match columns.as_str() {
        "" => last.to_owned(),
        columns => format!("{columns}, {last}"),
    };
    let numbered = sums.inner.iter().enumerate().map(|(i, sum)| format!("{sum} as m{i}"));
    let numbered: Vec<String> = numbered.collect();
    let mut sql = format!(
        "with rolled_up as not materialized (select * from {} where {condition}),\n",
        hours_as_records()
    );
    let mut source = "rolled_up";
    if !sums.filtered_by.is_empty() && sums.inner.len() > FEW {
        // First by what the filters ask for too: a filter costs as much as a sum, and few rows are
        // left for it then.
        let further = sums.filtered_by.iter().filter(|name| !used.columns.contains(name));
        let keys: Vec<&str> = used.columns.iter().chain(further).copied().collect();
        let totals = [
            format!("sum({RECORDS})::bigint as records"),
            "sum(bytes)::bigint as bytes".to_owned(),
            "max(latency_max)::bigint as latency_max".to_owned(),
        ];
        let grouped = grouped(&keys, &totals, "rolled_up");
        let _ = writeln!(sql, "by_filter as not materialized ({grouped}),");
        source = "by_filter";
    }
    let grouped = grouped(&used.columns, &numbered, source);
    let _ = write!(sql, "records as materialized ({grouped}");
    if sums.has_latencies {
        let unnested =
            "unnest(map_keys(latencies)) as latency_s, unnest(map_values(latencies)) as latency_n";
        let _ = write!(
            sql,
            "\nunion all by name select {}, sum(latency_n)::bigint as latency_n from \
             (select {} from rolled_up where rec = 'd') group by {}",
            with("latency_s"),
            with(unnested),
            with("latency_s"),
        );
    }
    sql.push(')');
    for (name, _, view) in prelude::views().iter().filter(|view| used.views.contains(&view.0)) {
        let _ = write!(sql, ",\n{name} as not materialized ({view})");
    }
    match outer.trim_start().strip_prefix("with ") {
        Some(rest) => sql + ",\n" + rest,
        None => sql + "\n" + outer,
    }
}
