//! Metrics of sliding windows: of all records in the time before each of some moments, by any
//! dimensions. One statement whatever the number of moments, so that a month of them is one scan.
//!
//! Names come from closed lists, as in a pivot.

use std::collections::HashMap;

use pmtaq_schema::{Timestamp, Window};

use crate::answer::Answer;
use crate::dimension::{Dimension, Reads, dimension};
use crate::error::Result;
use crate::grouped::{Grouping, Measured};
use crate::known::{Group, Label, Verdict};
use crate::metric::{Metric, metric};
use crate::query::Query;
use crate::scope::within;
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
        let (named, keys, metrics) = self.columns();
        // The session may see more than the windows: what no moment has need not be looked at.
        let seen = Window { since: Timestamp(first - window_s), until: Timestamp(*last) };
        let lies = within("time_logged", seen);
        let mut query = Query {
            sql: format!(
                "with placed as not materialized (select {moments} as moment, {named}* from records where {lies})
select moment, {keys}{metrics} from placed group by {keys}moment"
            ),
            ..Query::default()
        };
        query.ask(selection, None)?;
        Ok(query)
    }

    /// The dimensions as columns, their names, each followed by a comma, and the metrics as columns.
    fn columns(&self) -> (String, String, String) {
        let by = self.by.iter().enumerate();
        let named = by.map(|(key, by)| format!("coalesce({}, '(none)') as k{key}, ", by.sql));
        let keys = (0..self.by.len()).map(|key| format!("k{key}, "));
        let metrics = self.metrics.iter().map(|m| format!("{}() as {}", m.name, m.name));
        (named.collect(), keys.collect(), metrics.collect::<Vec<_>>().join(", "))
    }

    /// The same of one moment, of a session that sees nothing but its window: no record has to be
    /// asked when it was, and whole hours may be answered by the rollup.
    fn alone(&self, selection: &Selection) -> Result<Query> {
        let (named, keys, metrics) = self.columns();
        let last = self.last.0;
        let groups = match keys.trim_end_matches(", ") {
            "" => String::new(),
            keys => format!(" group by {keys}"),
        };
        // Without a dimension there is a row even of nothing.
        let sql = format!(
            "select {last}::bigint as moment, {named}{metrics} from records{groups} having count(*) > 0"
        );
        let mut query = Query { sql, ..Query::default() };
        query.ask(selection, Reads::of(self.by.iter().copied()).as_ref())?;
        Ok(query)
    }

    /// Runs the statement.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] and [`crate::Error::Interrupted`].
    pub fn run(&self, session: &Session, selection: &Selection) -> Result<Measured> {
        let window = Window { since: Timestamp(self.last.0 - self.window_s), until: self.last };
        let query = if self.n == 1 && session.window.get() == window {
            self.alone(selection)?
        } else {
            self.query(selection)?
        };
        let verdicts = session.verdicts(&self.metrics, self.by.iter().copied(), selection)?;
        let mut groups = Grouping::default();
        if self.n == 1 {
            self.add(&session.answer(&query)?, &verdicts, session, &mut groups)?;
            return Ok(groups.measured());
        }
        // Of many moments there are too many rows to have all of them at once.
        session.run(&query, |shape, batches| -> Result<()> {
            for batch in batches {
                let rows = Answer::new(shape.clone(), &[batch?]);
                self.add(&rows, &verdicts, session, &mut groups)?;
            }
            Ok(())
        })??;
        Ok(groups.measured())
    }

    /// Adds rows of an answer, each number only where it is known.
    fn add(
        &self,
        answer: &Answer,
        verdicts: &[Verdict],
        session: &Session,
        groups: &mut Grouping,
    ) -> Result<()> {
        let moments = answer.i64s("moment")?;
        let keys = (0..self.by.len()).map(|key| answer.texts(&format!("k{key}")));
        let keys = keys.collect::<Result<Vec<_>>>()?;
        let values = self.metrics.iter().map(|metric| answer.f64s(&metric.name));
        let values = values.collect::<Result<Vec<_>>>()?;
        for (row, moment) in moments.into_iter().enumerate() {
            let Some(moment) = moment.map(Timestamp) else { continue };
            let group: Vec<String> =
                keys.iter().map(|key| key[row].clone().unwrap_or_default()).collect();
            let labels = self.by.iter().zip(&group);
            let labels = labels.map(|(by, text)| (*by, Label::of(text), text.as_str()));
            let since = Timestamp(moment.0 - self.window_s);
            let place = Group::of(labels, session.zone).between(since, moment);
            let values = values.iter().zip(verdicts);
            let values = values
                .map(|(column, verdict)| column[row].filter(|_| session.knows(verdict, &place)));
            let values: Vec<Option<f64>> = values.collect();
            groups.add(moment, group, values);
        }
        Ok(())
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
    query.ask(selection, None)?;
    let answer = session.answer(&query)?;
    let first = answer.texts("name")?.into_iter().zip(answer.i64s("first")?);
    Ok(first.filter_map(|(name, first)| Some((name?, Timestamp(first?)))).collect())
}
