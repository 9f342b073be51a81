//! Counts as batches have them. Counts nothing itself.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, UInt64Type};
use arrow::error::ArrowError;

use super::{CARRIED, Counts, Entry, FRESH, Kind, MOST_DIMS, Values, key};

impl Counts {
    /// Learns the names for which numbers stand in batches to come: columns `dim`, `name`, `number`.
    ///
    /// # Errors
    /// When a column is missing or of a wrong type.
    pub fn learn(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let (dims, names) = (text(batch, "dim")?, text(batch, "name")?);
        let numbers = cast(column(batch, "number")?, &DataType::UInt64)?;
        let numbers = numbers.as_primitive::<UInt64Type>();
        let rows = dims.as_string::<i32>().iter().zip(names.as_string::<i32>()).zip(numbers);
        for ((dim, name), number) in rows {
            let at = self.dims.iter().position(|known| Some(known.as_str()) == dim);
            if let (Some(at), Some(name), Some(number)) = (at, name, number) {
                self.values[at].names.insert(number, name.to_owned());
            }
        }
        Ok(())
    }

    /// Adds the rows of `batch`: columns `period`, the dimensions by their names (one that is
    /// missing has no value) or by the numbers of these, `kind`, `category`, `n` and, where it is
    /// known, `carried`. Rows of other periods and of unknown kinds are left out.
    ///
    /// # Errors
    /// When a column is missing or of a wrong type, or a number stands for no name.
    pub fn read(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let int = |name: &str| cast(column(batch, name)?, &DataType::Int64);
        let (periods, numbers) = (int("period")?, int("n")?);
        let (periods, numbers) =
            (periods.as_primitive::<Int64Type>(), numbers.as_primitive::<Int64Type>());
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
            let measure = self.measure(kind, at(&categories, row));
            let n = numbers.value(row) as f64;
            self.entries.push(Entry { leaf, period: period as u16, measure, n });
        }
        Ok(())
    }
}

/// The values of a dimension in a batch.
enum Labels {
    /// It has none.
    None,
    Names(ArrayRef),
    Numbers(ArrayRef),
}

impl Labels {
    fn of(batch: &RecordBatch, dim: &str) -> Result<Labels, ArrowError> {
        Ok(match batch.column_by_name(dim) {
            None => Labels::None,
            Some(array) if *array.data_type() == DataType::UInt64 => Labels::Numbers(array.clone()),
            Some(array) => Labels::Names(cast(array, &DataType::Utf8)?),
        })
    }

    /// The code of the value in `row`.
    fn code(&self, row: usize, values: &mut Values) -> Result<u32, ArrowError> {
        match self {
            Labels::Names(array) if array.is_valid(row) => {
                Ok(values.code(Some(array.as_string::<i32>().value(row))))
            }
            Labels::Numbers(array) if array.is_valid(row) => {
                let number = array.as_primitive::<UInt64Type>().value(row);
                let unknown = || ArrowError::SchemaError(format!("{number} stands for no name"));
                values.code_of(number).ok_or_else(unknown)
            }
            _ => Ok(values.code(None)),
        }
    }
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef, ArrowError> {
    let missing = || ArrowError::SchemaError(format!("the column `{name}` is missing"));
    batch.column_by_name(name).ok_or_else(missing)
}

fn text(batch: &RecordBatch, name: &str) -> Result<ArrayRef, ArrowError> {
    cast(column(batch, name)?, &DataType::Utf8)
}
