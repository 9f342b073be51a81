//! Metrics over time: steps of the local clock, a line for each value of a dimension, and the rest
//! as `other`.
//!
//! Names come from closed lists. The metric of a step is computed from its records, never averaged
//! from shorter ones.

use std::collections::HashMap;
use std::fmt::Write as _;

use pmtaq_schema::step::{Clock, Step};
use pmtaq_schema::{Timestamp, Unit, Window, Zone};

use crate::answer::{Answer, Values};
use crate::dimension::{Dimension, Largest, Reads, dimension};
use crate::error::{Error, Result};
use crate::groups::{self, OTHER, REST, apart, volume};
use crate::known::{Group, Label};
use crate::largest::LISTED;
use crate::metric::{Metric, metric};
use crate::query::{Query, Value};
use crate::selection::Selection;
use crate::session::Session;

/// A question for metrics over time.
#[derive(Clone, Debug)]
pub struct Series {
    metrics: Vec<&'static Metric>,
    by: Option<&'static Dimension>,
    /// Lines to show, the rest summed up; 0 for all.
    top: u32,
    clock: Clock,
    step: Step,
    /// The begin of each step, and what the clock that tells it shows then.
    steps: Vec<(Timestamp, i64)>,
    end: Timestamp,
}

/// Numbers over time: each line has a value for each step, none where there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// What the lines are of; none for a line that is of all records.
    pub by: Option<&'static str>,
    /// Metrics and their units.
    pub metrics: Vec<(String, Unit)>,
    /// The begin of each step, and the end of the last one.
    pub bounds: Vec<Timestamp>,
    /// The lines: what they are called, and for each metric the value of each step.
    pub lines: Vec<(String, Vec<Vec<Option<f64>>>)>,
}

impl Series {
    /// Looks the names up and divides `window`, which must have an end.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the nearest name, [`Error::BadValue`] for too many steps.
    pub fn new(
        metrics: &[String],
        by: Option<&str>,
        step: Step,
        top: u32,
        (window, zone): (Window, Zone),
    ) -> Result<Series> {
        let metrics = metrics.iter().map(|name| metric(name)).collect::<Result<Vec<_>>>()?;
        let by = by.map(dimension).transpose()?;
        let (steps, end) = step.divide(window, zone).map_err(|expected| Error::BadValue {
            name: "every".to_owned(),
            value: step.to_string(),
            expected,
        })?;
        let clock = step.clock(window, zone);
        Ok(Series { metrics, by, top, clock, step, steps, end })
    }

    /// The statement: one row for each line and step that has a record.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a filter that there is not.
    pub fn query(&self, selection: &Selection) -> Result<Query> {
        let mut query = Query::default();
        query.values.insert("top".to_owned(), Value::Int(self.top.into()));
        let metrics: Vec<String> =
            self.metrics.iter().map(|m| format!("{}() as {}", m.name, m.name)).collect();
        let metrics = metrics.join(", ");
        let at = self.place();
        query.sql = match self.by {
            None => format!(
                "select {at} as step_begin, 1 as line, '' as label, {metrics} from records group by 1"
            ),
            Some(by) => {
                let volume = volume(self.metrics[0]);
                let by = by.sql;
                // What is summed up with others has no name.
                format!(
                    "with placed as not materialized (select {at} as step_begin, case when {LISTED} then coalesce({by}, '(none)') end as k, * from records),
ranks as (select k, row_number() over (order by {volume} desc, k) as rank from placed where k is not null group by k),
lines as (select case when $top = 0 or rank <= $top then rank else {REST} end as line, placed.* from placed left join ranks using (k))
select step_begin, line, case when line < {REST} then any_value(k) end as label, {metrics} from lines group by step_begin, line order by line, step_begin"
                )
            }
        };
        // In whole hours where that is enough, which the rollup can answer.
        let largest = self.by.and_then(|by| Largest::of(&[by], &self.metrics, self.top));
        let reads = Reads::of(self.by).map(|by| by.and(Reads::hour(self.clock == Clock::Local)));
        let reads = reads.map(|reads| Reads { largest, ..reads });
        let is_whole =
            self.step.seconds() % 3600 == 0 && matches!(self.clock, Clock::Utc(0) | Clock::Local);
        query.ask(selection, reads.filter(|_| is_whole).as_ref())?;
        Ok(query)
    }

    /// The begin of the step of a record in seconds of the clock that tells it, in SQL.
    fn place(&self) -> String {
        let (step, origin) = (self.step.seconds(), self.step.origin_s());
        let time = match (self.clock, step % 3600) {
            (Clock::Utc(0), 0) => "date_trunc('hour', time_logged)::timestamp",
            (Clock::Utc(_), _) => "time_logged",
            (Clock::Local, 0) => "date_trunc('hour', local(time_logged))::timestamp",
            (Clock::Local, _) => "local(time_logged)",
        };
        let mut sql = format!("(epoch_us({time}) // 1000000");
        if let Clock::Utc(ahead @ 1..) = self.clock {
            let _ = write!(sql, " + {ahead}");
        }
        if origin != 0 {
            let _ = write!(sql, " - ({origin})");
        }
        let _ = write!(sql, ") // {step} * {step}");
        if origin != 0 {
            let _ = write!(sql, " + ({origin})");
        }
        sql
    }

    /// Runs the statement. A step without a record counts 0, and has no rate.
    ///
    /// # Errors
    /// [`Error::Sql`] and [`Error::Interrupted`].
    pub fn run(&self, session: &Session, selection: &Selection) -> Result<Timeline> {
        let answer = session.answer(&self.query(selection)?)?;
        let places: HashMap<i64, usize> =
            self.steps.iter().enumerate().map(|(place, (_, at))| (*at, place)).collect();
        let empty: Vec<Vec<Option<f64>>> = self
            .metrics
            .iter()
            .map(|metric| vec![metric.unit.is_sum().then_some(0.0); self.steps.len()])
            .collect();
        let (begins, line_ranks) = (answer.i64s("step_begin")?, answer.i64s("line")?);
        let mut labels = answer.texts("label")?;
        let numbers = self.metrics.iter().map(|metric| answer.f64s(&metric.name));
        let numbers = numbers.collect::<Result<Vec<_>>>()?;
        let mut ranks: Vec<Option<i64>> = Vec::new();
        let mut lines: Vec<(String, Vec<Vec<Option<f64>>>)> = Vec::new();
        for row in 0..answer.len() {
            // Sorted by line, so the search from the end is short.
            let known = ranks.iter().rposition(|known| *known == line_ranks[row]);
            let line = known.unwrap_or_else(|| {
                ranks.push(line_ranks[row]);
                lines.push((labels[row].take().unwrap_or_default(), empty.clone()));
                lines.len() - 1
            });
            let place = begins[row].and_then(|begin| places.get(&begin));
            let Some(&place) = place else { continue };
            for (m, numbers) in numbers.iter().enumerate() {
                lines[line].1[m][place] = numbers[row];
            }
        }
        let verdicts = session.verdicts(&self.metrics, self.by, selection)?;
        let bounds: Vec<Timestamp> =
            self.steps.iter().map(|(begin, _)| *begin).chain([self.end]).collect();
        for ((label, metrics), rank) in lines.iter_mut().zip(&ranks) {
            let label_of = |text: &str| match rank {
                Some(REST) => Label::Mixed,
                _ => Label::of(text),
            };
            for (verdict, values) in verdicts.iter().zip(metrics) {
                for (value, step) in values.iter_mut().zip(bounds.windows(2)) {
                    let by = self.by.map(|by| (by, label_of(label), label.as_str()));
                    let group = Group::of(by, session.zone).between(step[0], step[1]);
                    if !session.knows(verdict, &group) {
                        *value = None;
                    }
                }
            }
        }
        if ranks.last() == Some(&Some(REST)) {
            let name = apart(OTHER, lines.iter().map(|(label, _)| label));
            lines[ranks.len() - 1].0 = name;
        }
        if lines.is_empty() && self.by.is_none() {
            lines.push((String::new(), empty));
        }
        Ok(Timeline {
            by: self.by.map(|by| by.name),
            metrics: self.metrics.iter().map(|m| (m.name.clone(), m.unit)).collect(),
            bounds,
            lines,
        })
    }
}

impl Timeline {
    /// Some of its metrics, in the order of `names`; those that it has.
    #[must_use]
    pub fn of(&self, names: &[&str]) -> Timeline {
        let place = |name: &&str| self.metrics.iter().position(|(known, _)| known == name);
        let places: Vec<usize> = names.iter().filter_map(place).collect();
        let line = |(label, metrics): &(String, Vec<Vec<Option<f64>>>)| {
            (label.clone(), places.iter().map(|&place| metrics[place].clone()).collect())
        };
        Timeline {
            by: self.by,
            metrics: places.iter().map(|&place| self.metrics[place].clone()).collect(),
            bounds: self.bounds.clone(),
            lines: self.lines.iter().map(line).collect(),
        }
    }

    /// The numbers as a table: a row for each line and step. `edges` says for each step why it is
    /// not whole, if it is not.
    pub fn table(&self, edges: &[Option<&str>]) -> Answer {
        let steps = self.bounds.len().saturating_sub(1);
        let times = self.lines.iter().flat_map(|_| &self.bounds[..steps]);
        let times = Values::Times(times.copied().map(Some).collect());
        let mut columns = vec![("time".to_owned(), Unit::Time.into(), times)];
        if let Some(by) = self.by {
            let labels = self.lines.iter().flat_map(|(label, _)| vec![Some(label.clone()); steps]);
            columns.push((by.to_owned(), Unit::Text.into(), Values::Texts(labels.collect())));
        }
        for (m, &(ref name, unit)) in self.metrics.iter().enumerate() {
            let values = self.lines.iter().flat_map(|(_, metrics)| &metrics[m]).copied();
            let values = groups::values(unit, values);
            // The denominator of a rate is not beside it.
            columns.push((name.clone(), unit.into(), values));
        }
        let edges = self.lines.iter().flat_map(|_| &edges[..steps]);
        let edges = Values::Texts(edges.map(|edge| edge.map(str::to_owned)).collect());
        columns.push(("completeness".to_owned(), Unit::Text.into(), edges));
        Answer::of(columns)
    }
}
