//! Rows from elsewhere as a table of the engine. Knows no statement.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, UInt64Type,
};
use duckdb::Connection;
use duckdb::types::{TimeUnit as Unit, Value};

use crate::error::{Error, Result};

/// Appends `rows` to `table`, which has their columns.
///
/// # Errors
/// [`Error::NotThere`] for values of a kind that cannot be appended, [`Error::Sql`] when the engine refuses
/// a row.
pub(crate) fn stored(engine: &Connection, table: &str, rows: &RecordBatch) -> Result<()> {
    let mut appender = engine.appender(table)?;
    for row in 0..rows.num_rows() {
        let values = rows.columns().iter().map(|column| value(column.as_ref(), row));
        let values = values.collect::<Result<Vec<Value>>>()?;
        appender.append_row(duckdb::appender_params_from_iter(values))?;
    }
    Ok(appender.flush()?)
}

fn value(column: &dyn Array, row: usize) -> Result<Value> {
    if column.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match column.data_type() {
        DataType::Boolean => Value::Boolean(column.as_boolean().value(row)),
        DataType::Int32 => Value::Int(column.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => Value::BigInt(column.as_primitive::<Int64Type>().value(row)),
        DataType::UInt64 => Value::UBigInt(column.as_primitive::<UInt64Type>().value(row)),
        DataType::Float64 => Value::Double(column.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, 0) => {
            Value::HugeInt(column.as_primitive::<Decimal128Type>().value(row))
        }
        DataType::Utf8 => Value::Text(column.as_string::<i32>().value(row).to_owned()),
        DataType::Date32 => Value::Date32(column.as_primitive::<Date32Type>().value(row)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
            Value::Timestamp(Unit::Microsecond, micros)
        }
        other => return Err(Error::NotThere(format!("{other} between two engines"))),
    })
}
