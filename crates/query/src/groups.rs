//! What questions for the largest groups share: how groups are ranked, what the rest is called, and
//! an answer's columns as plain arrays. Asks nothing.

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::DataType;

use crate::prelude::Metric;
use crate::query::Unit;

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
    match &metric.unit {
        Unit::Percent(Some(base)) => format!("{base}()"),
        unit if unit.is_sum() => format!("{}()", metric.name),
        _ => "delivered()".to_owned(),
    }
}

pub(crate) fn texts(array: &ArrayRef) -> ArrayRef {
    cast(array, &DataType::Utf8).expect("a dimension is text")
}

pub(crate) fn ints(array: &ArrayRef) -> ArrayRef {
    cast(array, &DataType::Int64).expect("a rank and a place are numbers")
}

pub(crate) fn floats(array: &ArrayRef) -> ArrayRef {
    cast(array, &DataType::Float64).expect("a metric is a number")
}
