//! Every Arrow type that DuckDB may yield, as JSON, as CSV and for people.

use std::slice::from_ref;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
    FixedSizeListArray, Float32Array, Float64Array, Int8Array, Int32Array, Int64Array,
    IntervalMonthDayNanoArray, LargeStringArray, ListArray, MapBuilder, NullArray, RecordBatch,
    RecordBatchOptions, StringArray, StringBuilder, StringViewArray, StructArray,
    Time64MicrosecondArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, TimestampSecondArray, UInt8Array, UInt64Array, UnionArray,
};
use arrow::datatypes::{
    DataType, Field, Float64Type, Int32Type, IntervalMonthDayNano, Schema, UInt8Type,
};
use pmtaq_render::{BoxError, Error, Format, Sheet, Style, write};
use pmtaq_schema::Unit;

use crate::{batch, bytes, open_parquet, ordinary, text};

/// Checks one column of two rows, of which the second is null.
fn check(column: impl arrow::array::Array + 'static, json: &str, csv: &str, shown: &str) {
    check_as(None, Arc::new(column), json, csv, shown);
}

fn check_as(unit: Option<Unit>, column: ArrayRef, json: &str, csv: &str, shown: &str) {
    let found = column.data_type().clone();
    let n: ArrayRef = Arc::new(Int32Array::from(vec![7, 8]));
    let rows = batch(&[("v", column), ("n", n)]);
    let mut sheet = Sheet::new(rows.schema());
    sheet.columns[0].unit = unit.unwrap_or(sheet.columns[0].unit);
    let rows = [rows];
    let show = |format| text(format, &Style::default(), &sheet, &rows);
    let expected = format!("{{\"v\":{json},\"n\":7}}\n{{\"v\":null,\"n\":8}}\n");
    assert_eq!(show(Format::Jsonl), expected, "{found}");
    assert_eq!(show(Format::Csv), format!("v,n\n{csv},7\n,8\n"), "{found}");
    let page = show(Format::Markdown);
    let row = page.lines().nth(2).unwrap();
    assert_eq!(row, format!("| {shown} | 7 |"), "{found}");
    let last = page.lines().nth(3).unwrap();
    assert_eq!(last, "|  | 8 |", "{found}");
}

#[test]
fn booleans_and_integers() {
    check(BooleanArray::from(vec![Some(true), None]), "true", "true", "true");
    check(Int8Array::from(vec![Some(-128), None]), "-128", "-128", "-128");
    check(UInt8Array::from(vec![Some(255), None]), "255", "255", "255");
    let big = i64::MIN;
    let shown = "-9,223,372,036,854,775,808";
    check(Int64Array::from(vec![Some(big), None]), &big.to_string(), &big.to_string(), shown);
    let big = u64::MAX;
    let shown = "18,446,744,073,709,551,615";
    check(UInt64Array::from(vec![Some(big), None]), &big.to_string(), &big.to_string(), shown);
}

#[test]
fn a_reply_code_as_text_has_no_separators() {
    let codes: ArrayRef = Arc::new(Int64Array::from(vec![Some(5501), None]));
    check_as(Some(Unit::Text), codes, "5501", "5501", "5501");
}

#[test]
fn hugeints_and_decimals_keep_all_digits() {
    let decimal = |units: i128, precision, scale| {
        let array = Decimal128Array::from(vec![Some(units), None]);
        array.with_precision_and_scale(precision, scale).unwrap()
    };
    let big = "99999999999999999999999999999999999999";
    check(
        decimal(99_999_999_999_999_999_999_999_999_999_999_999_999, 38, 0),
        big,
        big,
        "99,999,999,999,999,999,999,999,999,999,999,999,999",
    );
    check(decimal(123_450, 10, 2), "1234.50", "1234.50", "1,234.50");
    check(decimal(-5, 10, 3), "-0.005", "-0.005", "-0.005");
    check(decimal(0, 10, 2), "0.00", "0.00", "0.00");
    check(decimal(12, 10, -3), "12000", "12000", "12,000");
}

#[test]
fn floats_that_json_cannot_say_are_null_there() {
    check(Float64Array::from(vec![Some(3.0), None]), "3.0", "3.0", "3");
    check(Float32Array::from(vec![Some(0.1), None]), "0.1", "0.1", "0.1");
    check(Float64Array::from(vec![Some(f64::NAN), None]), "null", "NaN", "NaN");
    check(Float64Array::from(vec![Some(f64::NEG_INFINITY), None]), "null", "-inf", "-inf");
    check(Float32Array::from(vec![Some(f32::INFINITY), None]), "null", "inf", "inf");
}

#[test]
fn texts_of_every_layout() {
    check(StringArray::from(vec![Some("a,b"), None]), "\"a,b\"", "\"a,b\"", "a,b");
    check(LargeStringArray::from(vec![Some("x"), None]), "\"x\"", "x", "x");
    let view = "longer than the twelve bytes of a view";
    check(StringViewArray::from(vec![Some(view), None]), &format!("\"{view}\""), view, view);
    let dictionary: DictionaryArray<UInt8Type> = [Some("hard"), None].into_iter().collect();
    check(dictionary, "\"hard\"", "hard", "hard");
}

#[test]
fn a_dictionary_without_values_is_all_null() {
    let keys = UInt8Array::from(vec![None, None]);
    let values = Arc::new(StringArray::from(Vec::<&str>::new()));
    let rows = batch(&[
        ("v", Arc::new(DictionaryArray::<UInt8Type>::new(keys, values))),
        ("w", Arc::new(NullArray::new(2))),
    ]);
    let json = text(Format::Jsonl, &Style::default(), &Sheet::new(rows.schema()), &[rows]);
    assert_eq!(json, "{\"v\":null,\"w\":null}\n{\"v\":null,\"w\":null}\n");
}

#[test]
fn dates_and_times() {
    let (json, csv) = ("\"2026-03-01T16:00:00Z\"", "2026-03-01T16:00:00Z");
    let shown = "2026-03-01 16:00:00";
    const AT: i64 = 1_772_380_800;
    check(TimestampSecondArray::from(vec![Some(AT), None]), json, csv, shown);
    check(TimestampMillisecondArray::from(vec![Some(AT * 1_000), None]), json, csv, shown);
    check(TimestampMicrosecondArray::from(vec![Some(AT * 1_000_000), None]), json, csv, shown);
    check(
        TimestampNanosecondArray::from(vec![Some(AT * 1_000_000_000 + 1), None]),
        "\"2026-03-01T16:00:00.000000001Z\"",
        "2026-03-01T16:00:00.000000001Z",
        "2026-03-01 16:00:00.000000001",
    );
    check(
        Date32Array::from(vec![Some(20_513), None]),
        "\"2026-03-01\"",
        "2026-03-01",
        "2026-03-01",
    );
    check(
        Time64MicrosecondArray::from(vec![Some(57_600_500_000), None]),
        "\"16:00:00.5\"",
        "16:00:00.5",
        "16:00:00.5",
    );
    check(
        IntervalMonthDayNanoArray::from(vec![
            Some(IntervalMonthDayNano::new(1, 2, 3_500_000_000)),
            None,
        ]),
        "\"P1M2DT3.5S\"",
        "P1M2DT3.5S",
        "P1M2DT3.5S",
    );
}

#[test]
fn a_local_time_is_not_moved_and_has_no_z() {
    let times: ArrayRef = Arc::new(TimestampSecondArray::from(vec![Some(1_772_380_800), None]));
    check_as(
        Some(Unit::LocalTime),
        times.clone(),
        "\"2026-03-01T16:00:00\"",
        "2026-03-01T16:00:00",
        "2026-03-01 16:00:00",
    );
    let rows = batch(&[("hour", times.clone()), ("last", times)]);
    let mut sheet = Sheet::new(rows.schema());
    sheet.columns[0].unit = Unit::LocalTime;
    let style = Style { zone: chrono_tz::Tz::Europe__Madrid, ..Style::default() };
    let table = text(Format::Table, &style, &sheet, &[rows]);
    assert_eq!(table.lines().nth(2), Some("2026-03-01 16:00:00  2026-03-01 17:00:00"));
}

#[test]
fn binary_is_hex() {
    let blob = BinaryArray::from(vec![Some(&b"\x00\xffa"[..]), None]);
    check(blob, "\"00ff61\"", "00ff61", "00ff61");
}

#[test]
fn lists_structs_and_maps_are_json() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1), None, Some(3)]),
        None,
    ]);
    check(list, "[1,null,3]", "\"[1,null,3]\"", "\\[1,null,3\\]");
    let fixed = FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>(
        [Some(vec![Some(0.5), Some(1.5)]), None],
        2,
    );
    check(fixed, "[0.5,1.5]", "\"[0.5,1.5]\"", "\\[0.5,1.5\\]");
    let field = |name, data_type| Arc::new(Field::new(name, data_type, true));
    let object = StructArray::new(
        vec![field("code", DataType::Int32), field("why", DataType::Utf8)].into(),
        vec![
            Arc::new(Int32Array::from(vec![550, 0])),
            Arc::new(StringArray::from(vec!["a\"b", ""])),
        ],
        Some(vec![true, false].into()),
    );
    check(
        object,
        r#"{"code":550,"why":"a\"b"}"#,
        r#""{""code"":550,""why"":""a\""b""}""#,
        r#"{"code":550,"why":"a\\"b"}"#,
    );
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    map.keys().append_value("header_Subject");
    map.values().append_value("Hi");
    map.append(true).unwrap();
    map.append(false).unwrap();
    let json = r#"{"header_Subject":"Hi"}"#;
    check(map.finish(), json, r#""{""header_Subject"":""Hi""}""#, json);
}

#[test]
fn parquet_keeps_seconds_as_timestamps() {
    let rows = batch(&[("t", Arc::new(TimestampSecondArray::from(vec![1_772_380_800])))]);
    let sheet = Sheet::new(rows.schema());
    let (file, _) = bytes(Format::Parquet, &Style::default(), &sheet, &[rows]);
    let reader = open_parquet(&file);
    let leaf = reader.parquet_schema().column(0);
    let logical = format!("{:?}", leaf.logical_type_ref());
    assert!(logical.contains("is_adjusted_to_u_t_c: false"), "{logical}");
}

#[test]
fn a_union_is_spelled_as_arrow_does() {
    let fields = [(0, Arc::new(Field::new("n", DataType::Int32, true)))].into_iter().collect();
    let child: ArrayRef = Arc::new(Int32Array::from(vec![7]));
    let union = UnionArray::try_new(fields, vec![0].into(), None, vec![child]).unwrap();
    let rows = batch(&[("u", Arc::new(union))]);
    let csv = text(Format::Csv, &Style::default(), &Sheet::new(rows.schema()), &[rows]);
    assert_eq!(csv, "u\n{n=7}\n");
}

#[test]
fn parquet_refuses_what_it_cannot_store() {
    let interval = IntervalMonthDayNano::new(1, 2, 3);
    let rows = batch(&[("i", Arc::new(IntervalMonthDayNanoArray::from(vec![interval])))]);
    let sheet = Sheet::new(rows.schema());
    let mut batches = [Ok::<_, BoxError>(rows)].into_iter();
    let result = write(Format::Parquet, &Style::default(), &sheet, &mut batches, &mut Vec::new());
    assert!(matches!(result, Err(Error::Parquet(_))), "{result:?}");
}

#[test]
fn rows_without_columns_do_not_panic() {
    let options = RecordBatchOptions::new().with_row_count(Some(2));
    let schema = Arc::new(Schema::empty());
    let rows = RecordBatch::try_new_with_options(schema.clone(), vec![], &options).unwrap();
    let sheet = Sheet::new(schema);
    for &format in Format::ALL {
        if format != Format::Parquet {
            bytes(format, &Style { width: Some(9), ..Style::default() }, &sheet, from_ref(&rows));
        }
    }
    assert_eq!(text(Format::Jsonl, &Style::default(), &sheet, &[rows]), "{}\n{}\n");
}

#[test]
fn an_arrow_stream_holds_the_batches_as_they_are_and_says_what_they_mean() {
    let (mut sheet, rows) = ordinary();
    sheet.columns[1].name = "rcpt_domain".to_owned();
    let (stream, written) = bytes(Format::Arrow, &Style::default(), &sheet, &rows);
    assert_eq!(written.rows, rows.iter().map(|rows| rows.num_rows() as u64).sum::<u64>());
    let reader = arrow_ipc::reader::StreamReader::try_new(&stream[..], None).unwrap();
    let schema = reader.schema();
    assert_eq!(schema.field(1).name(), "rcpt_domain_1", "no name twice");
    assert_eq!(schema.field(2).metadata()["unit"], "percent");
    assert_eq!(schema.field(2).metadata()["of"], "rcpt_domain_1");
    let utc = DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, Some("UTC".into()));
    assert_eq!(schema.field(5).data_type(), &utc);
    let read: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    assert_eq!(read.len(), rows.len());
    for (read, written) in read.iter().zip(&rows) {
        assert_eq!(read.columns()[..5], written.columns()[..5]);
    }
    let closed = arrow::error::ArrowError::IoError(
        String::new(),
        std::io::Error::from(std::io::ErrorKind::BrokenPipe),
    );
    assert!(Error::from(closed).is_broken_pipe());
}
