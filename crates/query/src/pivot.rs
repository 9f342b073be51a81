//! Any metrics by any dimensions: rows, columns, totals, and the rest as `other`.
//!
//! Names come from closed lists. Metrics of totals and of `other` are computed from the records
//! themselves, never averaged.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema};

use crate::error::Result;
use crate::prelude::{Dimension, Metric, dimension, metric};
use crate::query::{Query, Shape, Unit, Value};
use crate::selection::Selection;
use crate::session::{Session, narrowed};

/// Columns that the column dimension gets at most; the rest is summed up.
const MAX_COLUMNS: usize = 12;

/// What the rest is called.
const OTHER: &str = "other";
const TOTAL: &str = "total";

/// A question for metrics by dimensions.
#[derive(Clone, Debug)]
pub struct Pivot {
    rows: Vec<&'static Dimension>,
    cols: Option<&'static Dimension>,
    metrics: Vec<&'static Metric>,
    /// Rows to show, the rest summed up; 0 for all.
    top: u32,
}

impl Pivot {
    /// Looks the names up.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] with the nearest name.
    pub fn new(rows: &[String], cols: Option<&str>, metrics: &[String], top: u32) -> Result<Pivot> {
        let rows = rows.iter().map(|name| dimension(name)).collect::<Result<Vec<_>>>()?;
        let cols = cols.map(dimension).transpose()?;
        let mut chosen: Vec<&'static Metric> = Vec::new();
        for name in metrics {
            let of = metric(name)?;
            // A rate without its denominator cannot be judged.
            if let (Unit::Percent(Some(base)), None) = (&of.unit, cols)
                && chosen.iter().all(|metric| metric.name != *base)
                && !metrics.contains(base)
            {
                chosen.push(metric(base)?);
            }
            chosen.push(of);
        }
        Ok(Pivot { rows, cols, metrics: chosen, top })
    }

    /// The statement: one row for each cell, row total, column total and the total of all.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] for a filter that there is not.
    pub fn query(&self, selection: &Selection) -> Result<Query> {
        let mut query = Query::default();
        query.values.insert("top".to_owned(), Value::Int(self.top.into()));
        query.values.insert("max_columns".to_owned(), Value::Int(MAX_COLUMNS as i64));
        let condition = selection.sql(&mut query)?;
        let keys: Vec<String> = (0..self.rows.len()).map(|i| format!("k{i}")).collect();
        let all = keys.join(", ");
        let keyed: Vec<String> = self
            .rows
            .iter()
            .zip(&keys)
            .map(|(row, key)| format!("coalesce({}, '(none)') as {key}", row.sql))
            .collect();
        let col = self.cols.map_or("''", |col| col.sql);
        // Ranked by what stands below the line of the first metric: the groups that matter.
        let volume = match &self.metrics[0].unit {
            Unit::Percent(Some(base)) => format!("{base}()"),
            Unit::Count | Unit::Bytes => format!("{}()", self.metrics[0].name),
            _ => "count(*)".to_owned(),
        };
        let placed = |i: usize| {
            format!("case when $top = 0 or row_rank <= $top then k{i} else '{OTHER}' end as k{i}")
        };
        let placed: Vec<String> = (0..keys.len()).map(placed).collect();
        let metrics: Vec<String> =
            self.metrics.iter().map(|m| format!("{}() as {}", m.name, m.name)).collect();
        let mut body = String::new();
        let _ = write!(
            body,
            "with keyed as not materialized (select {}, coalesce({col}, '(none)') as c, * from records),
row_ranks as (select {all}, row_number() over (order by {volume} desc, {all}) as row_rank from keyed group by {all}),
col_ranks as (select c, row_number() over (order by {volume} desc, c) as col_rank from keyed group by c),
placed as (select {}, case when col_rank <= $max_columns then c else '{OTHER}' end as c,
    case when $top = 0 or row_rank <= $top then row_rank else 9223372036854775807 end as r,
    case when col_rank <= $max_columns then col_rank else 9223372036854775807 end as cr,
    keyed.* exclude ({all}, c) from keyed join row_ranks using ({all}) join col_ranks using (c))
select {all}, c, grouping(r) as is_row_total, grouping(cr) as is_col_total, {}
from placed
group by grouping sets (({all}, r, c, cr), ({all}, r), (c, cr), ())
order by is_row_total desc, r, is_col_total, cr",
            keyed.join(", "),
            placed.join(", "),
            metrics.join(", "),
        );
        query.sql = narrowed(&condition, &body);
        Ok(query)
    }

    /// Runs the statement and lays the cells out.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] and [`crate::Error::Interrupted`].
    pub fn run(&self, session: &Session, selection: &Selection) -> Result<(Shape, RecordBatch)> {
        let query = self.query(selection)?;
        let batches = session.run(&query, |_, batches| batches.collect::<Result<Vec<_>>>())??;
        Ok(self.lay_out(&batches))
    }

    /// Cells in a column each, as rows of a table. The total of all comes first from the engine,
    /// since it knows every column in the order of its rank; it is shown last.
    fn lay_out(&self, batches: &[RecordBatch]) -> (Shape, RecordBatch) {
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut columns: Vec<String> = Vec::new();
        let mut cells: BTreeMap<(usize, usize, usize), f64> = BTreeMap::new();
        for batch in batches {
            let texts: Vec<ArrayRef> =
                (0..=self.rows.len()).map(|i| text(batch.column(i))).collect();
            let flag = |i: usize| ints(batch.column(self.rows.len() + i));
            let (row_total, col_total) = (flag(1), flag(2));
            let numbers: Vec<ArrayRef> = (0..self.metrics.len())
                .map(|m| floats(batch.column(self.rows.len() + 3 + m)))
                .collect();
            for i in 0..batch.num_rows() {
                let label = |k: usize| texts[k].as_string::<i32>().value(i).to_owned();
                let is = |flags: &ArrayRef| flags.as_primitive::<Int64Type>().value(i) == 1;
                let row = if is(&row_total) {
                    let mut total = vec![String::new(); self.rows.len()];
                    total[0] = TOTAL.to_owned();
                    total
                } else {
                    (0..self.rows.len()).map(label).collect()
                };
                let column = if is(&col_total) { TOTAL.to_owned() } else { label(self.rows.len()) };
                let row = position(&mut rows, row);
                let column = position(&mut columns, column);
                for (m, numbers) in numbers.iter().enumerate() {
                    let numbers = numbers.as_primitive::<Float64Type>();
                    if numbers.is_valid(i) {
                        cells.insert((row, column, m), numbers.value(i));
                    }
                }
            }
        }
        let order: Vec<usize> = (1..rows.len()).chain((!rows.is_empty()).then_some(0)).collect();
        self.table(&rows, &order, &columns, &cells)
    }

    fn table(
        &self,
        rows: &[Vec<String>],
        order: &[usize],
        columns: &[String],
        cells: &BTreeMap<(usize, usize, usize), f64>,
    ) -> (Shape, RecordBatch) {
        let (mut fields, mut arrays, mut units) = (Vec::new(), Vec::<ArrayRef>::new(), Vec::new());
        for (k, dimension) in self.rows.iter().enumerate() {
            fields.push(Field::new(dimension.name, DataType::Utf8, false));
            arrays
                .push(Arc::new(StringArray::from_iter_values(order.iter().map(|&r| &rows[r][k]))));
            units.push(Some(Unit::Text));
        }
        // Without a column dimension there is one column, and its total says the same.
        let shown = columns.iter().enumerate().filter(|(_, c)| self.cols.is_some() || *c != TOTAL);
        for (c, label) in shown {
            for (m, metric) in self.metrics.iter().enumerate() {
                let name = match (self.cols, self.metrics.len()) {
                    (None, _) => metric.name.clone(),
                    (Some(_), 1) => label.clone(),
                    (Some(_), _) => format!("{label} {}", metric.name),
                };
                let values = order.iter().map(|&r| cells.get(&(r, c, m)).copied());
                let is_count = matches!(metric.unit, Unit::Count | Unit::Bytes);
                let array: ArrayRef = if is_count {
                    #[expect(clippy::cast_possible_truncation, reason = "counts fit 53 bits")]
                    let counts = values.map(|value| Some(value.unwrap_or(0.0) as i64));
                    Arc::new(counts.collect::<Int64Array>())
                } else {
                    Arc::new(values.collect::<Float64Array>())
                };
                fields.push(Field::new(name, array.data_type().clone(), true));
                arrays.push(array);
                units.push(Some(match (&metric.unit, self.cols) {
                    (Unit::Percent(_), Some(_)) => Unit::Percent(None),
                    (unit, _) => unit.clone(),
                }));
            }
        }
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(schema.clone(), arrays)
            .expect("one array a field, of the length of the rows");
        (Shape { schema, units }, batch)
    }
}

/// Where `value` stands in `all`, which gets it when it is new. What the engine yields is sorted,
/// so the search from the end is short.
fn position<T: PartialEq>(all: &mut Vec<T>, value: T) -> usize {
    if let Some(at) = all.iter().rposition(|known| *known == value) {
        return at;
    }
    all.push(value);
    all.len() - 1
}

fn text(array: &ArrayRef) -> ArrayRef {
    cast(array, &DataType::Utf8).expect("a dimension is text")
}

fn ints(array: &ArrayRef) -> ArrayRef {
    cast(array, &DataType::Int64).expect("grouping() is a number")
}

fn floats(array: &ArrayRef) -> ArrayRef {
    cast(array, &DataType::Float64).expect("a metric is a number")
}
