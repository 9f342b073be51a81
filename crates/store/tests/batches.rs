//! Batches become parts and are read again, value by value.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may fail loudly")]

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int32Array, Int64Array, Int64Builder, MapBuilder,
    MapFieldNames, RecordBatch, StringArray, StringBuilder, TimestampMillisecondArray, UInt64Array,
};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, Int32Type};
use pmtaq_schema::Window;
use pmtaq_schema::time::Day;
use pmtaq_store::layout::Table;
use pmtaq_store::{Change, Disk, Ledger, Source, Store, schema_of};
use proptest::prelude::*;

/// A column of `rows` values that follow from `seed`, some of them null where the column has such.
fn array(field: &Field, rows: usize, seed: u64) -> ArrayRef {
    let mut state = seed | 1;
    let mut draw = move |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    // Some columns without any value, some of few values and some of many.
    let many = [1, 3, 50, 1 << 40][usize::try_from(draw(4)).unwrap()];
    let nulls =
        if field.is_nullable() { [0, 1, 2, 100][usize::try_from(draw(4)).unwrap()] } else { 0 };
    let null = |n: u64| n % 100 < nulls;
    let names = MapFieldNames {
        entry: "key_value".to_owned(),
        key: "key".to_owned(),
        value: "value".to_owned(),
    };
    match field.data_type() {
        DataType::Dictionary(..) => {
            // Values that no row has, and one that is there twice.
            let values = StringArray::from(vec!["\u{e9}", "a", "", "b", "a", "nobody"]);
            let keys =
                (0..rows).map(|_| (!null(draw(100))).then(|| i32::try_from(draw(5)).unwrap()));
            let keys: Int32Array = keys.collect();
            Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(values)).unwrap())
        }
        DataType::Utf8 => {
            let text = |n: u64| {
                if n == 0 && !field.is_nullable() {
                    String::new()
                } else {
                    format!("{n}, \"\u{20ac}\"")
                }
            };
            let texts = (0..rows).map(|_| (!null(draw(100))).then(|| text(draw(many))));
            Arc::new(texts.collect::<StringArray>())
        }
        DataType::Int64 => {
            let numbers =
                (0..rows).map(|_| (!null(draw(100))).then(|| draw(many).cast_signed() - 1));
            Arc::new(numbers.collect::<Int64Array>())
        }
        DataType::UInt64 => Arc::new((0..rows).map(|_| Some(draw(many))).collect::<UInt64Array>()),
        DataType::Timestamp(..) => {
            let times = (0..rows).map(|_| (!null(draw(100))).then(|| draw(many).cast_signed()));
            Arc::new(times.collect::<TimestampMillisecondArray>())
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(fields) = entries.data_type() else { panic!("no entries") };
            // A row with no entry is null: there is no empty map.
            if *fields[0].data_type() == DataType::Utf8 {
                let mut map =
                    MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
                for _ in 0..rows {
                    let entries = if null(draw(100)) { 0 } else { 1 + draw(3) };
                    for n in 0..entries {
                        map.keys().append_value(format!("header_{n}"));
                        map.values().append_value(format!("{}", draw(many)));
                    }
                    map.append(entries > 0).unwrap();
                }
                Arc::new(map.finish())
            } else {
                let mut map =
                    MapBuilder::new(Some(names), Int64Builder::new(), Int64Builder::new())
                        .with_values_field(fields[1].clone());
                for _ in 0..rows {
                    let entries = if null(draw(100)) { 0 } else { 1 + draw(3) };
                    for n in 0..entries {
                        map.keys().append_value(n.cast_signed());
                        map.values().append_value(draw(many).cast_signed());
                    }
                    map.append(entries > 0).unwrap();
                }
                Arc::new(map.finish())
            }
        }
        other => panic!("a column of {other}"),
    }
}

/// Dictionaries as texts, so that equal values are equal however they are kept.
fn plain(batch: &RecordBatch) -> Vec<ArrayRef> {
    let plain = |column: &ArrayRef| match column.data_type() {
        DataType::Dictionary(..) => cast(column, &DataType::Utf8).unwrap(),
        _ => column.clone(),
    };
    batch.columns().iter().map(plain).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_is_written_from_batches_is_read_again_at_scale(
        // A rollup of `hourly`, with some columns of it, counts only beside the part that it sums up.
        table in proptest::sample::select(vec![Table::Records, Table::Hourly, Table::Rejects]),
        batches in proptest::collection::vec((0..60_usize, any::<u64>()), 1..5),
        large in proptest::option::weighted(0.2, (30_000..140_000_usize, any::<u64>())),
        ends_groups in any::<bool>(),
    ) {
        let schema = schema_of(table);
        let batches = batches.into_iter().chain(large).map(|(rows, seed)| {
            let columns = (0_u64..).zip(schema.fields());
            let columns = columns.map(|(n, field)| array(field, rows, seed.wrapping_add(n << 20)));
            RecordBatch::try_new_with_options(schema.clone(), columns.collect(), &Default::default()).unwrap()
        });
        let batches: Vec<RecordBatch> = batches.collect();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path(), Disk::default()).unwrap();
        let mut writer = store.lock("the test").unwrap();
        let mut part = writer.stage(table, Day(20_000)).unwrap();
        for batch in &batches {
            part.write(batch, 5, 7).unwrap();
            if ends_groups {
                part.end_group().unwrap();
            }
        }
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        prop_assert_eq!(part.rows(), rows as u64);
        let mut change = Change { parts: vec![part.finish().unwrap()], ..Change::default() };
        let mut ledger = Ledger { read: rows as u64, ..Ledger::default() };
        *(match table { Table::Records => &mut ledger.stored, _ => &mut ledger.rejected }) = rows as u64;
        if table == Table::Hourly { ledger = Ledger::default(); }
        change.sources.push((Day(0), Source { ledger, ..Source::default() }, None));
        writer.commit(change).unwrap();
        let parts = store.snapshot(Window::ALL).unwrap().parts;
        prop_assert_eq!(parts.len(), 1);
        let read: Vec<RecordBatch> = parts[0].rows().unwrap().map(Result::unwrap).collect();
        let (read, all) = (concat_batches(&schema, &read).unwrap(), concat_batches(&schema, &batches).unwrap());
        for ((field, read), written) in schema.fields().iter().zip(plain(&read)).zip(plain(&all)) {
            if let DataType::Map(..) = field.data_type() {
                let rows = |column: &ArrayRef| -> Vec<Option<ArrayRef>> {
                    let map = column.as_map();
                    (0..map.len()).map(|row| map.is_valid(row).then(|| Arc::new(map.value(row)) as ArrayRef)).collect()
                };
                prop_assert_eq!(rows(&read), rows(&written), "{}", field.name());
            } else {
                prop_assert_eq!(&read, &written, "{}", field.name());
            }
        }
    }
}
