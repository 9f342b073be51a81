//! What questions for the largest groups share: how groups are ranked, what the rest is called, and
//! the column of a metric. Asks nothing.

use pmtaq_schema::Unit;

use crate::answer::Values;
use crate::metric::Metric;

/// The rank of the rest.
pub(crate) const REST: i64 = i64::MAX;

/// What the rest is called, unless a value has that name.
pub(crate) const OTHER: &str = "other";

/// `name`, told apart from values that are called so.
pub(crate) fn apart<'v>(name: &str, mut values: impl Iterator<Item = &'v String>) -> String {
    if values.any(|value| value == name) { format!("({name})") } else { name.to_owned() }
}

/// What groups are ranked by, in SQL: what stands below the line of the metric, so that those come
/// first that matter.
pub(crate) fn volume(metric: &Metric) -> String {
    format!("{}()", metric.ranked_by())
}

/// Values of a metric of this unit as a column: of what adds up, whole numbers.
pub(crate) fn values(unit: Unit, values: impl Iterator<Item = Option<f64>>) -> Values {
    if !unit.is_sum() {
        return Values::Floats(values.collect());
    }
    #[expect(clippy::cast_possible_truncation, reason = "counts fit 53 bits")]
    let counts = values.map(|value| value.map(|value| value as i64));
    Values::Ints(counts.collect())
}
