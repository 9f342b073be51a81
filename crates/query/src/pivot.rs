//! Any metrics by any dimensions: rows, columns, totals, and the rest as `other`.
//!
//! Names come from closed lists. Metrics of totals and of `other` are computed from the records
//! themselves, never averaged.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use pmtaq_schema::Unit;

use crate::answer::{Answer, Values};
use crate::dimension::{Dimension, Largest, Reads, dimension};
use crate::error::{Error, Result};
use crate::groups::{self, OTHER, REST, volume};
use crate::known::{Group, Label, Verdict};
use crate::largest::LISTED;
use crate::metric::{Metric, metric};
use crate::query::{Meaning, Query, quoted};
use crate::rollup::adds_up;
use crate::selection::Selection;
use crate::session::Session;

/// Columns that the column dimension gets at most; the rest is summed up.
const MAX_COLUMNS: u32 = 12;

/// What the total is called, unless a value has that name.
const TOTAL: &str = "total";

/// Rows or columns: the rank of each, none for the total, and its labels. By rank and not by
/// label, since `other` is a bounce category too.
#[derive(Default)]
struct Axis {
    ranks: Vec<Option<i64>>,
    labels: Vec<Vec<String>>,
    /// Where each rank stands.
    places: HashMap<Option<i64>, usize>,
}

/// Metrics of one statement.
type Metrics = Vec<&'static Metric>;

/// The values of metrics by the places of rows and columns.
type Cells = BTreeMap<(usize, usize, &'static str), Option<f64>>;

/// A question for metrics by dimensions.
#[derive(Clone, Debug)]
pub struct Pivot {
    rows: Vec<&'static Dimension>,
    cols: Option<&'static Dimension>,
    metrics: Vec<&'static Metric>,
    /// Rows to show, the rest summed up; 0 for all.
    top: u32,
    /// Columns to show, likewise.
    max_columns: u32,
}

impl Pivot {
    /// Looks the names up.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] with the nearest name.
    pub fn new(rows: &[String], cols: Option<&str>, metrics: &[String], top: u32) -> Result<Pivot> {
        for (option, what, names) in [("rows", "dimension", rows), ("metric", "metric", metrics)] {
            if names.is_empty() {
                let expected = format!("the name of a {what}");
                return Err(Error::BadValue {
                    name: option.to_owned(),
                    value: String::new(),
                    expected,
                });
            }
        }
        let rows = rows.iter().map(|name| dimension(name)).collect::<Result<Vec<_>>>()?;
        let cols = cols.map(dimension).transpose()?;
        let mut chosen: Vec<&'static Metric> = Vec::new();
        for name in metrics {
            let of = metric(name)?;
            // A rate without its denominator cannot be judged.
            if let (Some(base), None) = (&of.of, cols)
                && !metrics.contains(base)
            {
                add(&mut chosen, metric(base)?);
            }
            chosen.push(of);
        }
        let max_columns = if cols.is_some_and(Dimension::is_time) { 0 } else { MAX_COLUMNS };
        Ok(Pivot { rows, cols, metrics: chosen, top, max_columns })
    }

    /// With all columns.
    #[must_use]
    pub fn with_all_columns(self) -> Pivot {
        Pivot { max_columns: 0, ..self }
    }

    /// The statement: one row for each cell, row total, column total and the total of all.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] for a filter that there is not.
    pub fn query(&self, selection: &Selection) -> Result<Query> {
        self.query_of(&self.metrics, selection)
    }

    /// The statements that are run. Where the rollup answers all but some metrics, the others are asked beside: records
    /// need not be read for all of them then. Rows and columns have the same ranks in both.
    ///
    /// # Errors
    /// As for [`Pivot::query`].
    pub fn queries(&self, session: &Session, selection: &Selection) -> Result<Vec<Query>> {
        Ok(self.asked(session, selection)?.into_iter().map(|(_, query)| query).collect())
    }

    /// The same, each with its metrics.
    fn asked(&self, session: &Session, selection: &Selection) -> Result<Vec<(Metrics, Query)>> {
        let (mut summed, others): (Metrics, Metrics) =
            self.metrics.iter().partition(|metric| adds_up(metric));
        let mut counted = Metrics::new();
        for of in others {
            let (above, below) = of.share().unwrap_or((of, of));
            add(&mut counted, above);
            if adds_up(below) {
                add(&mut summed, below);
            }
        }
        if !counted.is_empty() && adds_up(metric(self.metrics[0].ranked_by())?) {
            let query = self.query_of(&summed, selection)?;
            if session.reads_hours(&query) {
                let beside = self.query_of(&counted, selection)?;
                return Ok(vec![(summed, query), (counted, beside)]);
            }
        }
        Ok(vec![(self.metrics.clone(), self.query(selection)?)])
    }

    /// The statement for some metrics, in the order of the pivot.
    fn query_of(&self, metrics: &[&'static Metric], selection: &Selection) -> Result<Query> {
        let mut query = Query::default();
        let keys: Vec<String> = (0..self.rows.len()).map(|i| format!("k{i}")).collect();
        let all = keys.join(", ");
        let largest = Largest::of(&self.rows, &self.metrics, self.top);
        // What is summed up with others has no names.
        let (when, end, listed) = match largest {
            Some(_) => (format!("case when {LISTED} then "), " end", format!(" where {LISTED}")),
            None => Default::default(),
        };
        let keyed: Vec<String> = self
            .rows
            .iter()
            .zip(&keys)
            .map(|(row, key)| format!("{when}coalesce({}, '(none)'){end} as {key}", row.sql))
            .collect();
        let col = self.cols.map_or("''", |col| col.sql);
        let volume = volume(self.metrics[0]);
        let names: Vec<&str> = metrics.iter().map(|m| m.name.as_str()).collect();
        let columns: Vec<String> = names.iter().map(|name| format!("{name}() as {name}")).collect();
        let names = names.join(", ");
        // Ranks are of all records; where few types are counted beside, the columns of others are not read.
        let placed = if metrics.iter().any(|metric| adds_up(metric)) {
            String::new()
        } else {
            let types = metrics.iter().flat_map(|metric| metric.counted());
            let types: BTreeSet<String> = types.map(|rec| quoted(rec.as_str())).collect();
            format!(" where (rec in ({})) is true", Vec::from_iter(types).join(", "))
        };
        // Without a column dimension there is one column, whose total says the same.
        let sets = match self.cols {
            Some(_) => "(r, cr), (r), (cr), ()",
            None => "(r, cr), (cr)",
        };
        // A number of ours and no parameter, which the engine would not take for a short list.
        let limit = |n: u32| if n == 0 { String::new() } else { format!(" limit {n}") };
        let ranks = |names: &str, listed: &str, order: &Order, rank: &str, n: u32| {
            let Order { sums, by } = order;
            format!(
                "(select {names}, row_number() over (order by {by}) as {rank} from \
                 (select *{sums} from (select {names}, {volume} as volume from keyed{listed} group by {names} \
                 order by volume desc, {names}{})))",
                limit(n)
            )
        };
        let row_order = Order::of(self.rows.iter().copied().zip(keys.iter().map(String::as_str)));
        let col_order = Order::of(self.cols.into_iter().map(|col| (col, "c")));
        let mut body = String::new();
        // By the ranks alone, which get their names at last: numbers are grouped faster.
        let _ = write!(
            body,
            "with keyed as not materialized (select {}, coalesce({col}, '(none)') as c, * from records),
row_ranks as {},
col_ranks as {},
placed as (select coalesce(row_rank, {REST}) as r, coalesce(col_rank, {REST}) as cr, keyed.* exclude ({all}, c)
    from keyed left join row_ranks using ({all}) left join col_ranks using (c){placed}),
cells as (select r, cr, {} from placed group by grouping sets ({sets}))
select {all}, c, r, cr, {} from cells left join row_ranks on r = row_rank left join col_ranks on cr = col_rank
order by r nulls first, cr nulls last",
            keyed.join(", "),
            ranks(&all, &listed, &row_order, "row_rank", self.top),
            ranks("c", "", &col_order, "col_rank", self.max_columns),
            columns.join(", "),
            names,
        );
        query.sql = body;
        // A group in which nothing is counted is none; and hours of other records are not read.
        let counted = self.metrics.iter().flat_map(|metric| metric.counted()).collect();
        let reads = Reads::of(self.rows.iter().copied().chain(self.cols));
        let reads = reads.map(|reads| Reads { largest, ..reads });
        query.ask_of(&counted, selection, reads.as_ref())?;
        Ok(query)
    }

    /// Runs the statement and lays the cells out.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] and [`crate::Error::Interrupted`].
    pub fn run(&self, session: &Session, selection: &Selection) -> Result<Answer> {
        let asked = self.asked(session, selection)?.into_iter();
        let answers = asked.map(|(metrics, query)| Ok((metrics, session.answer(&query)?)));
        let answers = answers.collect::<Result<Vec<_>>>()?;
        let by = self.rows.iter().copied().chain(self.cols);
        let verdicts = session.verdicts(&self.metrics, by, selection)?;
        self.lay_out(&answers, session, &verdicts)
    }

    /// Cells in a column each, as rows of a table. The total of all comes first from the engine,
    /// since it knows every column in the order of its rank; it is shown last.
    fn lay_out(
        &self,
        answers: &[(Metrics, Answer)],
        session: &Session,
        verdicts: &[Verdict],
    ) -> Result<Answer> {
        let (mut rows, mut columns) = (Axis::default(), Axis::default());
        if self.cols.is_none() {
            columns.place(Some(1), || vec![String::new()]);
        }
        let mut cells = Cells::new();
        for (metrics, answer) in answers {
            let texts = |name: &str| -> Result<Vec<String>> {
                Ok(answer.texts(name)?.into_iter().map(Option::unwrap_or_default).collect())
            };
            let keys = (0..self.rows.len()).map(|key| texts(&format!("k{key}")));
            let (keys, labels) = (keys.collect::<Result<Vec<_>>>()?, texts("c")?);
            let (row_ranks, column_ranks) = (answer.i64s("r")?, answer.i64s("cr")?);
            let numbers = metrics.iter().map(|metric| answer.f64s(&metric.name));
            let numbers = numbers.collect::<Result<Vec<_>>>()?;
            for i in 0..answer.len() {
                let row =
                    rows.place(row_ranks[i], || keys.iter().map(|key| key[i].clone()).collect());
                let column = columns.place(column_ranks[i], || vec![labels[i].clone()]);
                for (metric, numbers) in metrics.iter().zip(&numbers) {
                    cells.insert((row, column, &*metric.name), numbers[i]);
                }
            }
        }
        let asked = || answers.iter().flat_map(|(metrics, _)| metrics);
        let is_asked = |of: &&&Metric| asked().any(|metric| metric.name == of.name);
        for of in self.metrics.iter().filter(|metric| !is_asked(metric)) {
            let Some((above, below)) = of.share() else { continue };
            for row in 0..rows.ranks.len() {
                for column in 0..columns.ranks.len() {
                    let n = |of: &Metric| cells.get(&(row, column, &*of.name)).copied().flatten();
                    let share = share(n(above).unwrap_or(0.0), n(below).unwrap_or(0.0));
                    cells.insert((row, column, &*of.name), share);
                }
            }
        }
        // A total of nothing is no row.
        if rows.ranks == [None] {
            rows = Axis::default();
        }
        let order: Vec<usize> =
            (1..rows.ranks.len()).chain((!rows.ranks.is_empty()).then_some(0)).collect();
        let cols: Vec<&'static Dimension> = self.cols.into_iter().collect();
        let is_known = |row: usize, column: usize, verdict: &Verdict| {
            let of_rows = rows.values(row, &self.rows);
            let of_column = columns.values(column, &cols);
            session.knows(verdict, &Group::of(of_rows.chain(of_column), session.zone))
        };
        let n_columns = columns.ranks.len();
        let is_whole = verdicts.iter().all(|verdict| verdict.is_whole());
        for &row in order.iter().filter(|_| !is_whole) {
            for column in 0..n_columns {
                for (metric, verdict) in self.metrics.iter().zip(verdicts) {
                    if !is_known(row, column, verdict) {
                        cells.insert((row, column, &*metric.name), None);
                    }
                }
            }
        }
        Ok(self.table(&rows.names(), &order, &columns.names(), &cells))
    }

    fn table(
        &self,
        rows: &[Vec<String>],
        order: &[usize],
        columns: &[Vec<String>],
        cells: &Cells,
    ) -> Answer {
        let keys = self.rows.iter().enumerate().map(|(k, dimension)| {
            let labels = order.iter().map(|&row| Some(rows[row][k].clone()));
            (dimension.name.to_owned(), Unit::Text.into(), Values::Texts(labels.collect()))
        });
        let labels = columns.iter().map(|labels| &labels[0]).enumerate();
        let columns = labels.flat_map(|(c, label)| {
            self.metrics.iter().map(move |metric| {
                let name = match (self.cols, self.metrics.len()) {
                    (None, _) => metric.name.clone(),
                    (Some(_), 1) => label.clone(),
                    (Some(_), _) => format!("{label} {}", metric.name),
                };
                // Below the values of a dimension no denominator has a column of its own.
                let of = metric.of.clone().filter(|_| self.cols.is_none());
                let meaning = Meaning { unit: metric.unit, of };
                // Where there is no record, nothing was counted.
                let nothing = metric.unit.is_sum().then_some(0.0);
                let value = |row: &usize| *cells.get(&(*row, c, &*metric.name)).unwrap_or(&nothing);
                let values = order.iter().map(value);
                (name, meaning, groups::values(metric.unit, values))
            })
        });
        Answer::of(keys.chain(columns))
    }
}

/// Adds a metric that is not among them.
fn add(metrics: &mut Metrics, of: &'static Metric) {
    if metrics.iter().all(|metric| metric.name != of.name) {
        metrics.push(of);
    }
}

/// A share in percent of what was counted, as a statement has it: none of nothing, and none where more stands above the
/// line than below it.
fn share(above: f64, below: f64) -> Option<f64> {
    (above <= below && below > 0.0).then(|| 100.0 * above / below)
}

/// What rows or columns are sorted by: the largest first, but time runs forward. What stands before a
/// time is sorted by all that it has.
struct Order {
    /// Sums that it needs, as columns in SQL.
    sums: String,
    by: String,
}

impl Order {
    fn of<'n>(keys: impl Iterator<Item = (&'static Dimension, &'n str)>) -> Order {
        let (dimensions, names): (Vec<&Dimension>, Vec<&str>) = keys.unzip();
        let before_time = dimensions.iter().rposition(|dimension| dimension.is_time());
        let (mut sums, mut by) = (String::new(), String::new());
        for (at, dimension) in
            dimensions.iter().enumerate().take(before_time.map_or(0, |at| at + 1))
        {
            let name = names[at];
            if dimension.is_time() {
                let _ = write!(by, "in_time({name}), ");
            } else {
                let group = names[..=at].join(", ");
                let _ = write!(sums, ", sum(volume) over (partition by {group}) as of_{name}");
                let _ = write!(by, "of_{name} desc, {name}, ");
            }
        }
        by += "volume desc";
        names.iter().for_each(|name| by.extend([", ", name]));
        Order { sums, by }
    }
}

impl Axis {
    /// Where `rank` stands; at the end when it is new.
    fn place(&mut self, rank: Option<i64>, labels: impl FnOnce() -> Vec<String>) -> usize {
        *self.places.entry(rank).or_insert_with(|| {
            self.ranks.push(rank);
            self.labels.push(labels());
            self.ranks.len() - 1
        })
    }

    /// What is known of the values at a place, by dimension; nothing of the total.
    fn values<'a>(
        &'a self,
        at: usize,
        of: &'a [&'static Dimension],
    ) -> impl Iterator<Item = (&'static Dimension, Label, &'a str)> + 'a {
        let is_rest = self.ranks[at] == Some(REST);
        let of = if self.ranks[at].is_some() { of } else { &[] };
        of.iter().enumerate().map(move |(i, of)| {
            if is_rest {
                (*of, Label::Mixed, "")
            } else {
                (*of, Label::of(&self.labels[at][i]), self.labels[at][i].as_str())
            }
        })
    }

    /// The labels, with those of the rest and of the total told apart from values.
    fn names(self) -> Vec<Vec<String>> {
        let values = self.ranks.iter().zip(&self.labels);
        let values: Vec<&String> = values
            .filter(|(rank, _)| rank.is_some_and(|rank| rank != REST))
            .flat_map(|(_, labels)| labels)
            .collect();
        let apart = |name| groups::apart(name, values.iter().copied());
        let (other, total) = (apart(OTHER), apart(TOTAL));
        let names = self.ranks.iter().zip(&self.labels).map(|(rank, labels)| match rank {
            None => {
                let mut names = vec![String::new(); labels.len()];
                names[0].clone_from(&total);
                names
            }
            Some(REST) => vec![other.clone(); labels.len()],
            Some(_) => labels.clone(),
        });
        names.collect()
    }
}
