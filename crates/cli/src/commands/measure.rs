//! Metrics of each value of a dimension, as numbers: what `check` and the metrics for Prometheus
//! are made of. Judges nothing and prints nothing.

use pmtaq_query::{Metric, Pivot, Selection, Session, dimension, metric, waiting};
use pmtaq_render::words::{self, count, percent};
use pmtaq_schema::{Timestamp, Unit};

use crate::failure::Result;

/// A value of the dimension with its numbers, in the order of the metrics.
#[derive(Clone, Debug)]
pub(crate) struct GroupValues {
    pub(crate) name: String,
    pub(crate) values: Vec<Option<f64>>,
}

/// The groups, the largest first, and all of them together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) groups: Vec<GroupValues>,
    /// Those beyond the asked number of groups, summed up.
    pub(crate) rest: Option<GroupValues>,
    /// None when there is no record at all.
    pub(crate) total: Option<GroupValues>,
}

/// Measures `names` by the dimension `by`, of `top` groups, 0 for all.
pub(crate) fn measure(
    session: &Session,
    by: &str,
    names: &[String],
    top: u32,
    selection: &Selection,
) -> Result<Measured> {
    let answer = Pivot::new(&[by.to_owned()], None, names, top)?.run(session, selection)?;
    let labels = answer.texts(dimension(by)?.name)?;
    let columns = names.iter().map(|name| answer.f64s(&metric(name)?.name));
    let columns = columns.collect::<pmtaq_query::Result<Vec<_>>>()?;
    let groups = labels.into_iter().enumerate().map(|(row, label)| GroupValues {
        name: label.unwrap_or_default(),
        values: columns.iter().map(|column| column[row]).collect(),
    });
    let mut groups: Vec<GroupValues> = groups.collect();
    let total = groups.pop();
    let is_cut = top > 0 && groups.len() > top as usize;
    let rest = if is_cut { groups.pop() } else { None };
    Ok(Measured { groups, rest, total })
}

/// The depth of the queue at a moment, of each value of a dimension.
pub(crate) fn queue(
    session: &Session,
    by: Option<&str>,
    at: Timestamp,
    selection: &Selection,
) -> Result<Measured> {
    let by: Vec<String> = by.into_iter().map(str::to_owned).collect();
    let depths = waiting(session, at, &by, selection)?;
    let group = |(name, depth): (Vec<String>, f64)| GroupValues {
        name: name.into_iter().next().unwrap_or_else(|| pmtaq_query::QUEUE_DEPTH.to_owned()),
        values: vec![Some(depth)],
    };
    let mut groups: Vec<GroupValues> = depths.into_iter().map(group).collect();
    let depth = |group: &GroupValues| group.values[0].unwrap_or(0.0);
    groups.sort_by(|a, b| depth(b).total_cmp(&depth(a)).then(a.name.cmp(&b.name)));
    let all = groups.iter().map(depth).sum();
    let total = GroupValues { name: pmtaq_query::QUEUE_DEPTH.to_owned(), values: vec![Some(all)] };
    Ok(Measured { groups, rest: None, total: Some(total) })
}

/// The middle of some values, of an even number the larger of both; none of none.
pub(crate) fn middle(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// What a value of the metric rests on: the denominator of a rate, the deliveries of a duration;
/// nothing for a count, which stands for itself.
pub(crate) fn base(metric: &Metric) -> Option<&str> {
    match metric.unit {
        Unit::Percent => metric.of.as_deref(),
        Unit::Seconds => Some("delivered"),
        _ => None,
    }
}

/// A value of the metric in words.
pub(crate) fn value_text(metric: &Metric, value: f64) -> String {
    match metric.unit {
        Unit::Percent => percent(value),
        Unit::Seconds => words::duration(value),
        Unit::Bytes => words::bytes(value),
        _ => count(value),
    }
}
