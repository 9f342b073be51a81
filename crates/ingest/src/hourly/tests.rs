//! Rows of `hourly` against the records that they count, by property.

use std::sync::Arc;

use arrow::array::{Int64Array, StringArray, TimestampMillisecondArray};
use arrow::compute::concat_batches;
use pmtaq_schema::time::Day;
use pmtaq_store::layout::Table;
use pmtaq_store::{Change, Disk, Encoder, PartReader, Store, Written, schema_of};
use proptest::prelude::*;

use super::*;

type Counted = (u8, u8, Option<u8>, Option<i64>, bool);

/// Records of few domains, servers and hours, some without a time of queueing or a receiver.
fn records(lines: &[Counted]) -> RecordBatch {
    let len = lines.len();
    let text = |of: &dyn Fn(&Counted) -> Option<String>| -> ArrayRef {
        Arc::new(lines.iter().map(of).collect::<StringArray>())
    };
    let time = |of: &dyn Fn(&Counted) -> Option<i64>| -> ArrayRef {
        Arc::new(lines.iter().map(of).collect::<TimestampMillisecondArray>())
    };
    let logged = |line: &Counted| i64::from(line.0) * 900_000;
    let schema = schema_of(Table::Records);
    let arrays = schema.fields().iter().map(|field| match field.name().as_str() {
        "time_logged" => time(&|line| Some(logged(line))),
        "time_queued" => time(&|line| Some(logged(line) - line.3? * 1_000)),
        "rec" => text(&|line| Some(["d", "b", "t"][usize::from(line.1) % 3].to_owned())),
        "host" | "source" => text(&|_| Some("x".to_owned())),
        "rcpt_domain" => text(&|line| line.2.map(|domain| format!("{domain}.example"))),
        "dlv_destination_ip" => text(&|line| line.4.then(|| "192.0.2.1".to_owned())),
        "dlv_size" | "smtp_code" => {
            Arc::new(lines.iter().map(|line| line.3).collect::<Int64Array>())
        }
        _ => arrow::array::new_null_array(field.data_type(), len),
    });
    let arrays = arrays
        .zip(schema.fields())
        .map(|(array, field)| cast(&array, field.data_type()).expect("text becomes a dictionary"));
    RecordBatch::try_new(schema.clone(), arrays.collect()).expect("a batch")
}

fn rows_of(batches: &[RecordBatch]) -> HourlyRows {
    let mut hourly = Hourly::default();
    batches.iter().for_each(|batch| hourly.add_records(batch, &KeptDimensions::default()));
    hourly.take()
}

fn hourly_of(batches: &[RecordBatch]) -> RecordBatch {
    read_back(&rows_of(batches))
}

/// Rows as they come back from a part that they were written to.
fn read_back(rows: &HourlyRows) -> RecordBatch {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::create(dir.path(), Disk::default()).expect("a store");
    let mut writer = store.lock("a test").expect("the lock");
    let mut encoder = Encoder::new().expect("an encoder");
    let mut part = writer.stage_runs(Table::Hourly, Day(0)).expect("a part");
    rows.write(&mut part, &mut encoder, (0, 86_399)).expect("written");
    let part = part.finish().and_then(Written::sync).expect("finished");
    let parts = part.into_iter().collect();
    writer.commit(Change { parts, ..Change::default() }).expect("committed");
    let parts = writer.parts(Day(0)).expect("the parts");
    let reader = PartReader::open(&parts[0].path, Table::Hourly, |_| true).expect("a reader");
    let batches: Vec<RecordBatch> = reader.map(|batch| batch.expect("a batch")).collect();
    let schema = batches.first().map_or(schema_of(Table::Hourly), RecordBatch::schema);
    concat_batches(&schema, &batches).expect("one schema")
}

fn sum(batch: &RecordBatch, name: &str) -> i64 {
    arrow::compute::sum(column(batch, name, Kind::Int).as_primitive::<Int64Type>()).unwrap_or(0)
}

#[test]
fn records_that_share_all_dimensions_are_one_row() {
    let lines = [(0, 0, Some(1), Some(5), true), (1, 0, Some(1), Some(300), true)];
    let rows = hourly_of(&[records(&lines)]);
    // The two have other sizes and other reply codes; with the same code they would be one.
    assert_eq!(rows.num_rows(), 2);
    let same = [(0, 0, Some(1), Some(300), true), (1, 0, Some(1), Some(300), true)];
    let rows = hourly_of(&[records(&same)]);
    assert_eq!((rows.num_rows(), sum(&rows, "records"), sum(&rows, "bytes")), (1, 2, 600));
    assert_eq!((sum(&rows, "latency_sum"), sum(&rows, "latency_max")), (600, 300));
    let latencies = column(&rows, "latencies", Kind::Counts);
    let (seconds, counts) = (latencies.as_map().keys(), latencies.as_map().values());
    assert_eq!(seconds.as_primitive::<Int64Type>().values(), &[302]);
    assert_eq!(counts.as_primitive::<Int64Type>().values(), &[2]);
}

#[test]
fn nothing_comes_to_nothing() {
    assert_eq!(hourly_of(&[]).num_rows(), 0);
    assert_eq!(hourly_of(&[records(&[])]).num_rows(), 0);
}

#[test]
fn numbers_too_many_for_a_dictionary_are_stored_as_they_are() {
    let number = 140_000;
    let mut hourly = Hourly::default();
    for i in 0..number {
        let mut key = [0; PLACES];
        key[SMTP_CODE] = i + 1;
        for name in ["rec", "host"].map(name_place) {
            key[FIRST_NAME + name] = number_of(b"x", &mut hourly.names[name]);
        }
        let at = hourly.groups.place(&key);
        let sums = Sums { records: i64::from(i), latency_max: Some(1), ..Sums::default() };
        hourly.groups.all[at as usize].sums.add(sums);
    }
    let rows = read_back(&hourly.take());
    let codes = column(&rows, "smtp_code", Kind::Int);
    let codes: Vec<i64> = codes.as_primitive::<Int64Type>().values().to_vec();
    assert!(codes.into_iter().eq(0..i64::from(number)));
    let all = i64::from(number) * i64::from(number - 1) / 2;
    assert_eq!((sum(&rows, "records"), sum(&rows, "latency_max")), (all, i64::from(number)));
}

proptest! {
    #[test]
    fn any_cut_and_any_merge_give_the_same_rows_at_scale(
        lines in prop::collection::vec(
            (0_u8..20, 0_u8..3, prop::option::of(0_u8..3), prop::option::of(-3_i64..400), any::<bool>()),
            0..120,
        ),
        cut in 0_usize..120,
    ) {
        let cut = cut.min(lines.len());
        let rows = rows_of(&[records(&lines)]);
        let whole = read_back(&rows);
        let pieces = [records(&lines[..cut]), records(&lines[cut..])];
        prop_assert_eq!(&rows_of(&pieces), &rows);
        let mut merged = Hourly::default();
        for piece in &pieces {
            merged.add_hourly(&hourly_of(std::slice::from_ref(piece)));
        }
        prop_assert_eq!(merged.len(), whole.num_rows());
        prop_assert_eq!(&merged.take(), &rows);
        prop_assert!(merged.is_empty());
        prop_assert_eq!(sum(&whole, "records"), lines.len() as i64);
        let both = concat_batches(&whole.schema(), [&whole, &whole]).expect("one schema");
        let mut twice = Hourly::default();
        twice.add_hourly(&both);
        prop_assert_eq!(sum(&read_back(&twice.take()), "records"), 2 * lines.len() as i64);
    }
}
