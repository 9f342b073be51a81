//! A checkpoint of a Delta log: all that its versions come to, as one Parquet file.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Int32Array, Int64Array, ListBuilder, MapBuilder, RecordBatch,
    StringArray, StringBuilder, StructArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{Field, Fields, Schema};
use parquet::arrow::ArrowWriter;
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use serde_json::Value;

use crate::table::compression;

/// The actions of a checkpoint, each a column; a row has one of them.
const ACTIONS: [(&str, &[(&str, Kind)]); 5] = [
    ("txn", &[("appId", Kind::Text), ("version", Kind::Long)]),
    (
        "add",
        &[
            ("path", Kind::Text),
            ("partitionValues", Kind::Map),
            ("size", Kind::Long),
            ("modificationTime", Kind::Long),
            ("dataChange", Kind::Flag),
            ("stats", Kind::Text),
        ],
    ),
    (
        "remove",
        &[("path", Kind::Text), ("deletionTimestamp", Kind::Long), ("dataChange", Kind::Flag)],
    ),
    (
        "metaData",
        &[
            ("id", Kind::Text),
            ("name", Kind::Text),
            ("format", Kind::Format),
            ("schemaString", Kind::Text),
            ("partitionColumns", Kind::List),
            ("createdTime", Kind::Long),
            ("configuration", Kind::Map),
        ],
    ),
    (
        "protocol",
        &[
            ("minReaderVersion", Kind::Int),
            ("minWriterVersion", Kind::Int),
            ("readerFeatures", Kind::List),
            ("writerFeatures", Kind::List),
        ],
    ),
];

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Int,
    Long,
    Flag,
    List,
    Map,
    /// A provider, and options that are none here.
    Format,
}

/// The file as bytes.
pub(super) fn to_bytes(protocol: &Value, metadata: &Value, adds: &[Value]) -> Result<Vec<u8>> {
    let rows = [("protocol", protocol), ("metaData", metadata)].into_iter();
    let rows: Vec<_> = rows.chain(adds.iter().map(|add| ("add", add))).collect();
    let columns = ACTIONS.map(|(action, fields)| {
        let of = rows.iter().map(|(kind, value)| (*kind == action).then_some(*value));
        (action, struct_of(fields, &of.collect::<Vec<_>>()))
    });
    let fields: Fields =
        columns.iter().map(|(name, column)| nullable(name, column)).collect::<Vec<_>>().into();
    let arrays = columns.map(|(_, column)| column).to_vec();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), arrays)
        .map_err(|error| ParquetError::External(Box::new(error)))?;
    let properties = WriterProperties::builder().set_compression(compression()).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
    writer.write(&batch)?;
    writer.into_inner()
}

fn nullable(name: &str, column: &ArrayRef) -> Field {
    Field::new(name, column.data_type().clone(), true)
}

/// A struct for each row, of what its JSON has under the names of `fields`; null where there is none.
fn struct_of(fields: &[(&str, Kind)], rows: &[Option<&Value>]) -> ArrayRef {
    let columns = fields.iter().map(|&(name, kind)| {
        let values: Vec<_> = rows.iter().map(|row| row.and_then(|row| row.get(name))).collect();
        let column = column_of(kind, &values);
        (nullable(name, &column), column)
    });
    let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = columns.unzip();
    let present: NullBuffer = rows.iter().map(Option::is_some).collect::<Vec<_>>().into();
    Arc::new(StructArray::new(fields.into(), columns, Some(present)))
}

fn column_of(kind: Kind, values: &[Option<&Value>]) -> ArrayRef {
    let all = || values.iter().copied();
    let number = |value: Option<&Value>| value.and_then(Value::as_i64);
    match kind {
        Kind::Text => {
            Arc::new(all().map(|value| value.and_then(Value::as_str)).collect::<StringArray>())
        }
        Kind::Int => {
            let small = |value| number(value).and_then(|n| i32::try_from(n).ok());
            Arc::new(all().map(small).collect::<Int32Array>())
        }
        Kind::Long => Arc::new(all().map(number).collect::<Int64Array>()),
        Kind::Flag => {
            Arc::new(all().map(|value| value.and_then(Value::as_bool)).collect::<BooleanArray>())
        }
        Kind::List => {
            let mut list = ListBuilder::new(StringBuilder::new());
            for value in all() {
                let items = value.and_then(Value::as_array);
                let texts = items.into_iter().flatten();
                texts.for_each(|text| list.values().append_option(text.as_str()));
                list.append(items.is_some());
            }
            Arc::new(list.finish())
        }
        Kind::Map => {
            let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
            for value in all() {
                let entries = value.and_then(Value::as_object);
                for (key, value) in entries.into_iter().flatten() {
                    map.keys().append_value(key);
                    map.values().append_option(value.as_str());
                }
                map.append(entries.is_some()).expect("as many keys as values");
            }
            Arc::new(map.finish())
        }
        Kind::Format => struct_of(&[("provider", Kind::Text), ("options", Kind::Map)], values),
    }
}
