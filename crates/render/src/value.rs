//! One Arrow array as a column of plain values: the only place that knows Arrow's types.
//! Never makes text, except for the rare types that only Arrow can spell.

use std::ops::Range;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Decimal128Array, FixedSizeBinaryArray,
    Float32Array, Float64Array, Int32Array, Int64Array, IntervalMonthDayNanoArray,
    LargeBinaryArray, LargeStringArray, StringArray, StringViewArray, UInt64Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, IntervalUnit, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// One value, borrowed from its column.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    /// `units` times ten to the power of minus `scale`; DuckDB's HUGEINT has scale 0.
    Decimal {
        units: i128,
        scale: i8,
    },
    Float(f64),
    Float32(f32),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// Days since 1970-01-01.
    Date(i32),
    /// Nanoseconds since midnight.
    Clock(i64),
    /// Since 1970-01-01: of UTC, or of an unnamed zone's wall clock if `local`.
    Instant {
        seconds: i64,
        nanos: u32,
        local: bool,
    },
    Interval {
        months: i32,
        days: i32,
        nanos: i64,
    },
    List(&'a Cells, Range<usize>),
    Struct(&'a [(String, Cells)], usize),
    Map(&'a Cells, &'a Cells, Range<usize>),
}

/// One array, its type resolved once so that reading a value is one `match`.
///
/// Rare widths are cast to the common one, a vectorised copy of one batch.
#[derive(Clone, Debug)]
pub(crate) struct Cells {
    nulls: Option<NullBuffer>,
    data: Data,
}

#[derive(Clone, Debug)]
enum Data {
    Null,
    Bool(BooleanArray),
    Int(Int64Array),
    UInt(UInt64Array),
    Decimal(Decimal128Array, i8),
    Float(Float64Array),
    Float32(Float32Array),
    Text(StringArray),
    LargeText(LargeStringArray),
    TextView(StringViewArray),
    Bytes(BinaryArray),
    LargeBytes(LargeBinaryArray),
    FixedBytes(FixedSizeBinaryArray),
    Date(Int32Array),
    /// Ticks of so many nanoseconds.
    Clock(Int64Array, i64),
    /// So many ticks a second.
    Instant(Int64Array, i64, bool),
    Interval(IntervalMonthDayNanoArray),
    Dictionary(Vec<usize>, Box<Cells>),
    List(OffsetBuffer<i64>, Box<Cells>),
    FixedList(usize, Box<Cells>),
    Struct(Vec<(String, Cells)>),
    Map(OffsetBuffer<i32>, Box<Cells>, Box<Cells>),
}

impl Cells {
    /// Resolves the type of `array`; `local` says that its times are not UTC.
    pub(crate) fn new(array: &ArrayRef, local: bool) -> Result<Self, ArrowError> {
        use DataType as T;
        let nulls = array.nulls().cloned();
        let int64 = |array: &ArrayRef| {
            cast(array, &T::Int64).map(|array| array.as_primitive::<Int64Type>().clone())
        };
        let child = |array: &ArrayRef| Cells::new(array, local).map(Box::new);
        let data = match array.data_type() {
            T::Null => Data::Null,
            T::Boolean => Data::Bool(array.as_boolean().clone()),
            T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 => {
                Data::Int(int64(array)?)
            }
            T::UInt64 => Data::UInt(array.as_primitive().clone()),
            T::Decimal32(p, s) | T::Decimal64(p, s) => {
                Data::Decimal(cast(array, &T::Decimal128(*p, *s))?.as_primitive().clone(), *s)
            }
            T::Decimal128(_, scale) => Data::Decimal(array.as_primitive().clone(), *scale),
            T::Float64 => Data::Float(array.as_primitive().clone()),
            T::Float16 | T::Float32 => {
                Data::Float32(cast(array, &T::Float32)?.as_primitive().clone())
            }
            T::Utf8 => Data::Text(array.as_string::<i32>().clone()),
            T::LargeUtf8 => Data::LargeText(array.as_string::<i64>().clone()),
            T::Utf8View => Data::TextView(array.as_string_view().clone()),
            T::Binary => Data::Bytes(array.as_binary::<i32>().clone()),
            T::LargeBinary => Data::LargeBytes(array.as_binary::<i64>().clone()),
            T::BinaryView => Data::LargeBytes(cast(array, &T::LargeBinary)?.as_binary().clone()),
            T::FixedSizeBinary(_) => Data::FixedBytes(array.as_fixed_size_binary().clone()),
            T::Date32 => Data::Date(cast(array, &T::Int32)?.as_primitive().clone()),
            T::Date64 => return Cells::new(&cast(array, &T::Date32)?, local),
            T::Time32(unit) => {
                Data::Clock(int64(&cast(array, &T::Int32)?)?, 1_000_000_000 / ticks(*unit))
            }
            T::Time64(unit) => Data::Clock(int64(array)?, 1_000_000_000 / ticks(*unit)),
            T::Timestamp(unit, _) => Data::Instant(int64(array)?, ticks(*unit), local),
            T::Interval(IntervalUnit::MonthDayNano) => Data::Interval(array.as_primitive().clone()),
            T::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                // `normalized_keys` panics on an empty dictionary, where every row is null.
                if dictionary.values().is_empty() {
                    return Ok(Cells { nulls: None, data: Data::Null });
                }
                Data::Dictionary(dictionary.normalized_keys(), child(dictionary.values())?)
            }
            T::List(_) => {
                let list = array.as_list::<i32>();
                Data::List(wide(list.offsets()), child(list.values())?)
            }
            T::LargeList(_) => {
                let list = array.as_list::<i64>();
                Data::List(list.offsets().clone(), child(list.values())?)
            }
            T::FixedSizeList(_, n) => {
                let n = usize::try_from(*n).unwrap_or_default();
                Data::FixedList(n, child(array.as_fixed_size_list().values())?)
            }
            T::Struct(fields) => {
                let columns = fields.iter().zip(array.as_struct().columns());
                let named = columns
                    .map(|(field, column)| Ok((field.name().clone(), Cells::new(column, local)?)));
                Data::Struct(named.collect::<Result<_, ArrowError>>()?)
            }
            T::Map(..) => {
                let map = array.as_map();
                Data::Map(map.offsets().clone(), child(map.keys())?, child(map.values())?)
            }
            _ => return Ok(Cells { nulls, data: Data::Text(spelled(array)?) }),
        };
        Ok(Cells { nulls, data })
    }

    /// Returns the value at `row`, which must be below the array's length.
    #[inline]
    pub(crate) fn at(&self, row: usize) -> Value<'_> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Value::Null;
        }
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(array) => Value::Bool(array.value(row)),
            Data::Int(array) => Value::Int(array.value(row)),
            Data::UInt(array) => Value::UInt(array.value(row)),
            Data::Decimal(array, scale) => {
                Value::Decimal { units: array.value(row), scale: *scale }
            }
            Data::Float(array) => Value::Float(array.value(row)),
            Data::Float32(array) => Value::Float32(array.value(row)),
            Data::Text(array) => Value::Text(array.value(row)),
            Data::LargeText(array) => Value::Text(array.value(row)),
            Data::TextView(array) => Value::Text(array.value(row)),
            Data::Bytes(array) => Value::Bytes(array.value(row)),
            Data::LargeBytes(array) => Value::Bytes(array.value(row)),
            Data::FixedBytes(array) => Value::Bytes(array.value(row)),
            Data::Date(array) => Value::Date(array.value(row)),
            Data::Clock(array, nanos) => Value::Clock(array.value(row).saturating_mul(*nanos)),
            Data::Instant(array, ticks, local) => {
                let (value, ticks) = (array.value(row), *ticks);
                let nanos = value.rem_euclid(ticks) * (1_000_000_000 / ticks);
                let seconds = value.div_euclid(ticks);
                Value::Instant { seconds, nanos: nanos as u32, local: *local }
            }
            Data::Interval(array) => {
                let value = array.value(row);
                Value::Interval { months: value.months, days: value.days, nanos: value.nanoseconds }
            }
            Data::Dictionary(keys, values) => values.at(keys[row]),
            Data::List(offsets, values) => {
                Value::List(values, offsets[row] as usize..offsets[row + 1] as usize)
            }
            Data::FixedList(n, values) => Value::List(values, row * n..(row + 1) * n),
            Data::Struct(fields) => Value::Struct(fields, row),
            Data::Map(offsets, keys, values) => {
                Value::Map(keys, values, offsets[row] as usize..offsets[row + 1] as usize)
            }
        }
    }
}

/// Returns how many ticks of `unit` a second has.
fn ticks(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Returns 32-bit offsets as 64-bit ones.
fn wide(offsets: &OffsetBuffer<i32>) -> OffsetBuffer<i64> {
    OffsetBuffer::new(offsets.iter().map(|&offset| i64::from(offset)).collect())
}

/// Spells each value as Arrow does: unions, run-ends, 256-bit decimals and what is yet to come.
fn spelled(array: &ArrayRef) -> Result<StringArray, ArrowError> {
    let options = FormatOptions::new();
    let formatter = ArrayFormatter::try_new(array.as_ref(), &options)?;
    let spell = |row| {
        let text = (!array.is_null(row)).then(|| formatter.value(row).try_to_string());
        text.transpose()
    };
    (0..array.len()).map(spell).collect()
}
