//! Metrics of sliding windows: of all records in the time before each of some moments, by any
//! dimensions. One statement whatever the number of moments, so that a month of them is one scan.
//!
//! Names come from closed lists, as in a pivot.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};
use pmtaq_schema::Timestamp;

use crate::error::Result;
use crate::groups::{floats, ints, texts};
use crate::prelude::{Dimension, Metric, dimension, metric};
use crate::query::Query;
use crate::selection::Selection;
use crate::session::Session;

/// A question for metrics before some moments.
#[derive(Clone, Debug)]
pub struct Moments {
    by: Vec<&'static Dimension>,
    metrics: Vec<&'static Metric>,
    /// The last moment, the seconds between two of them, and how many there are.
    last: Timestamp,
    step_s: i64,
    n: i64,
    window_s: i64,
}

/// For each moment the values of the metrics by the values of the dimensions; nothing where there
/// is no record.
pub type Measured = BTreeMap<Timestamp, HashMap<Vec<String>, Vec<Option<f64>>>>;

impl Moments {
    /// Looks the names up. `window_s` before each of `n` moments count, `step_s` apart, the last of
    /// which is `last`; a record of `last` itself does not count.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] with the nearest name.
    pub fn new(
        by: &[String],
        metrics: &[String],
        window_s: i64,
        last: Timestamp,
        step_s: i64,
        n: i64,
    ) -> Result<Moments> {
        Ok(Moments {
            by: by.iter().map(|name| dimension(name)).collect::<Result<_>>()?,
            metrics: metrics.iter().map(|name| metric(name)).collect::<Result<_>>()?,
            last,
            step_s,
            n,
            window_s,
        })
    }

    /// The statement: one row for each moment and group that has a record.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] for a filter that there is not.
    pub fn query(&self, selection: &Selection) -> Result<Query> {
        let Moments { last: Timestamp(last), step_s, n, window_s, .. } = self;
        let first = last - (n - 1) * step_s;
        // The first moment after a record, and those up to the end of its window. Division cuts
        // towards zero, so that a record after the last moment needs the third bound.
        let time = "epoch_us(time_logged) // 1000000";
        let next = format!("({last} - ({last} - 1 - {time}) // {step_s} * {step_s})");
        let moments = format!(
            "unnest(range(greatest({next}, {first}, {time} + 1)::bigint, (least({time} + {window_s}, {last}) + 1)::bigint, {step_s}))"
        );
        let keys: Vec<String> = (0..self.by.len()).map(|key| format!("k{key}, ")).collect();
        let keys = keys.concat();
        let named = self.by.iter().enumerate();
        let named = named.map(|(key, by)| format!("coalesce({}, '(none)') as k{key}, ", by.sql));
        let named: String = named.collect();
        let metrics: Vec<String> =
            self.metrics.iter().map(|m| format!("{}() as {}", m.name, m.name)).collect();
        let mut query = Query {
            sql: format!(
                "with placed as not materialized (select {moments} as moment, {named}* from records)
select moment, {keys}{} from placed group by {keys}moment",
                metrics.join(", ")
            ),
            ..Query::default()
        };
        query.ask(selection)?;
        Ok(query)
    }

    /// Runs the statement.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] and [`crate::Error::Interrupted`].
    pub fn run(&self, session: &Session, selection: &Selection) -> Result<Measured> {
        let query = self.query(selection)?;
        let batches = session.run(&query, |_, batches| batches.collect::<Result<Vec<_>>>())??;
        let mut measured = Measured::new();
        let keys = self.by.len();
        for batch in &batches {
            let moments = ints(batch.column(0));
            let names: Vec<_> = (1..=keys).map(|key| texts(batch.column(key))).collect();
            let values: Vec<_> = (keys + 1..batch.num_columns())
                .map(|column| floats(batch.column(column)))
                .collect();
            for row in 0..batch.num_rows() {
                let moment = Timestamp(moments.as_primitive::<Int64Type>().value(row));
                let group = names.iter().map(|name| name.as_string::<i32>().value(row).to_owned());
                let value = |column: &arrow::array::ArrayRef| {
                    column.is_valid(row).then(|| column.as_primitive::<Float64Type>().value(row))
                };
                let values = values.iter().map(value).collect();
                measured.entry(moment).or_default().insert(group.collect(), values);
            }
        }
        Ok(measured)
    }
}

/// The time of the first record of each reply template that `selection` lets through.
///
/// # Errors
/// [`crate::Error::Sql`] and [`crate::Error::Interrupted`].
pub fn first_seen(session: &Session, selection: &Selection) -> Result<HashMap<String, Timestamp>> {
    let template = dimension("template")?.sql;
    let mut query = Query {
        sql: format!(
            "select {template} as name, epoch_us(min(time_logged)) // 1000000 as first
from records where {template} is not null group by 1"
        ),
        ..Query::default()
    };
    query.ask(selection)?;
    let batches = session.run(&query, |_, batches| batches.collect::<Result<Vec<_>>>())??;
    let mut first = HashMap::new();
    for batch in &batches {
        let (names, times) = (texts(batch.column(0)), ints(batch.column(1)));
        for row in 0..batch.num_rows() {
            let time = Timestamp(times.as_primitive::<Int64Type>().value(row));
            first.insert(names.as_string::<i32>().value(row).to_owned(), time);
        }
    }
    Ok(first)
}
