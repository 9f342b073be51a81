//! Counts as batches have them. Counts nothing itself.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;

use super::{CARRIED, Counts, Entry, FRESH, MOST_DIMS, Values, key};
use crate::columns::{int, text};
use crate::kind::Kind;
use crate::told::ToldApart;

impl Counts {
    /// Learns which values of each dimension are told apart of the counts to come, which may have places in
    /// its list for names.
    pub(crate) fn learn(&mut self, told: Vec<ToldApart>) {
        self.values.iter_mut().zip(told).for_each(|(values, told)| values.told = Some(told));
    }

    /// Adds the rows of `batch`: columns `period`, the dimensions by their names (one that is
    /// missing has no value) or by their places in the list that was learnt, `kind`, `category`, `n` and, where it is
    /// known, `carried`. Rows of other periods and of unknown kinds are left out.
    ///
    /// # Errors
    /// When a column is missing or of a wrong type, or there are places where no list was learnt.
    pub fn read(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let (periods, numbers) = (int(batch, "period")?, int(batch, "n")?);
        let (kinds, categories) = (text(batch, "kind")?, text(batch, "category")?);
        let dims: Vec<Labels> =
            self.dims.iter().map(|dim| Labels::of(batch, dim)).collect::<Result<_, _>>()?;
        let carried = match batch.column_by_name("carried") {
            Some(column) => Some(cast(column, &DataType::Boolean)?),
            None => None,
        };
        let is_carried = |row: usize| {
            let carried = carried.as_ref().filter(|column| column.is_valid(row));
            carried.is_some_and(|column| column.as_boolean().value(row))
        };
        fn at(array: &ArrayRef, row: usize) -> Option<&str> {
            array.is_valid(row).then(|| array.as_string::<i32>().value(row))
        }
        // Most rows are of the measure of the one before.
        let mut last = None;
        for row in 0..batch.num_rows() {
            let kind = at(&kinds, row).and_then(Kind::parse);
            let period = usize::try_from(periods.value(row)).unwrap_or(usize::MAX);
            let (Some(kind), true) = (kind, period < self.n_periods) else { continue };
            let mut codes = [0; MOST_DIMS];
            for ((code, values), labels) in codes.iter_mut().zip(&mut self.values).zip(&dims) {
                *code = labels.code(row, values)?;
            }
            let age = if is_carried(row) { CARRIED } else { FRESH };
            let key = key(codes.into_iter(), age);
            let leaf = self.leaf(key);
            let own = (kind, at(&categories, row));
            let measure = match last {
                Some((same, measure)) if same == own => measure,
                _ => self.measure(own.0, own.1),
            };
            last = Some((own, measure));
            let n = numbers.value(row) as f64;
            self.count(Entry { leaf, period: period as u16, measure, n });
        }
        Ok(())
    }
}

/// The values of a dimension in a batch.
enum Labels {
    /// It has none.
    None,
    Names(ArrayRef),
    Places(ArrayRef),
}

impl Labels {
    fn of(batch: &RecordBatch, dim: &str) -> Result<Labels, ArrowError> {
        Ok(match batch.column_by_name(dim) {
            None => Labels::None,
            Some(array) if array.data_type().is_integer() => {
                Labels::Places(cast(array, &DataType::Int64)?)
            }
            Some(array) => Labels::Names(cast(array, &DataType::Utf8)?),
        })
    }

    /// The code of the value in `row`.
    fn code(&self, row: usize, values: &mut Values) -> Result<u32, ArrowError> {
        match self {
            Labels::Names(array) if array.is_valid(row) => {
                Ok(values.code(Some(array.as_string::<i32>().value(row))))
            }
            Labels::Places(array) if array.is_valid(row) => {
                let place = array.as_primitive::<Int64Type>().value(row);
                let unknown = || ArrowError::SchemaError(format!("{place} stands for no name"));
                usize::try_from(place).ok().and_then(|at| values.code_at(at)).ok_or_else(unknown)
            }
            _ => Ok(values.code(None)),
        }
    }
}
