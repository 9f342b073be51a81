//! Rows of `hourly` against the records that they count, by property.

use super::*;
use arrow::compute::concat_batches;
use proptest::prelude::*;

type Line = (u8, u8, Option<u8>, Option<i64>, bool);

/// Records of few domains, servers and hours, some without a time of queueing or a receiver.
fn records(lines: &[Line]) -> RecordBatch {
    let len = lines.len();
    let text = |of: &dyn Fn(&Line) -> Option<String>| -> ArrayRef {
        Arc::new(lines.iter().map(of).collect::<StringArray>())
    };
    let time = |of: &dyn Fn(&Line) -> Option<i64>| -> ArrayRef {
        Arc::new(lines.iter().map(of).collect::<TimestampMillisecondArray>())
    };
    let logged = |line: &Line| i64::from(line.0) * 900_000;
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

fn hourly_of(batches: &[RecordBatch]) -> RecordBatch {
    let batches = batches.iter().cloned().map(Ok::<_, std::convert::Infallible>);
    Hourly::of_records(batches).expect("no errors")
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

proptest! {
    #[test]
    fn any_cut_and_any_merge_give_the_same_rows(
        lines in prop::collection::vec(
            (0_u8..20, 0_u8..3, prop::option::of(0_u8..3), prop::option::of(-3_i64..400), any::<bool>()),
            0..120,
        ),
        cut in 0_usize..120,
    ) {
        let cut = cut.min(lines.len());
        let whole = hourly_of(&[records(&lines)]);
        let pieces = [records(&lines[..cut]), records(&lines[cut..])];
        prop_assert_eq!(&hourly_of(&pieces), &whole);
        let mut merged = Hourly::default();
        for piece in &pieces {
            let rows = hourly_of(std::slice::from_ref(piece));
            // Also as Parquet gives them back: text instead of dictionaries.
            let schema = rows.schema();
            let plain = rows.columns().iter().zip(schema.fields()).map(|(array, field)| {
                match field.data_type() {
                    DataType::Dictionary(..) => cast(array, &DataType::Utf8).expect("text"),
                    _ => array.clone(),
                }
            });
            let names = schema.fields().iter().map(|field| field.name().clone());
            merged.add_hourly(&RecordBatch::try_from_iter(names.zip(plain)).expect("a batch"));
        }
        prop_assert_eq!(merged.len(), whole.num_rows());
        prop_assert_eq!(&merged.take(), &whole);
        prop_assert!(merged.is_empty());
        prop_assert_eq!(sum(&whole, "records"), lines.len() as i64);
        let both = concat_batches(&whole.schema(), [&whole, &whole]).expect("one schema");
        let mut twice = Hourly::default();
        twice.add_hourly(&both);
        prop_assert_eq!(sum(&twice.take(), "records"), 2 * lines.len() as i64);
    }
}
