//! Laws that hold for any content.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use pmtaq_render::{Format, Sheet, Style};
use proptest::collection::vec;
use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use crate::{batch, bytes, text};

type Row = (Option<String>, Option<i64>, Option<f64>, String);

/// Texts of strangers: quotes, controls, bidi, wide characters, emoji, or anything.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z.@=+\"',;\\\\|<>-]{0,40}",
        "[\u{0}-\u{9f}]{0,20}",
        "[\u{65e5}\u{672c}\u{301}\u{202e}\u{200d}\u{fe0f}\u{2764}\u{1f469}\u{1f4bb}\t\n\r]{0,20}",
        ".{0,60}",
        any::<String>(),
    ]
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        proptest::option::of(texts()),
        proptest::option::of(any::<i64>()),
        proptest::option::of(any::<f64>()),
        texts(),
    );
    vec(row, 0..12)
}

fn table(rows: &[Row], name: &str) -> RecordBatch {
    let text: ArrayRef = Arc::new(rows.iter().map(|row| row.0.as_deref()).collect::<StringArray>());
    let int: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>());
    let float: ArrayRef = Arc::new(rows.iter().map(|row| row.2).collect::<Float64Array>());
    let last: ArrayRef = Arc::new(rows.iter().map(|row| Some(&row.3)).collect::<StringArray>());
    batch(&[(name, text), ("a_number_of_things", int), ("share", float), ("diag", last)])
}

proptest! {
    #[test]
    fn no_line_of_a_table_is_wider_than_the_terminal(
        rows in rows(), name in texts(), width in 1_u16..140,
    ) {
        let rows = table(&rows, &name);
        let style = Style { width: Some(width), ..Style::default() };
        let sheet = Sheet { title: Some(name), ..Sheet::new(rows.schema()) };
        for line in text(Format::Table, &style, &sheet, &[rows]).lines() {
            prop_assert!(line.width() <= usize::from(width), "{} > {width}: {line:?}", line.width());
        }
    }

    #[test]
    fn a_table_holds_no_control_character_but_newline_and_one_line_a_row(
        rows in rows(), name in texts(), width in proptest::option::of(1_u16..140),
    ) {
        let rows = table(&rows, &name);
        let style = Style { width, ..Style::default() };
        let sheet = Sheet::new(rows.schema());
        for format in [Format::Table, Format::Markdown] {
            let page = text(format, &style, &sheet, std::slice::from_ref(&rows));
            prop_assert!(page.chars().all(|c| c == '\n' || !c.is_control()), "{page:?}");
            let bidi = page.contains('\u{202e}');
            prop_assert!(!bidi);
            prop_assert_eq!(page.matches('\n').count(), rows.num_rows() + 2);
        }
    }

    #[test]
    fn nothing_is_cut_without_a_width(rows in rows()) {
        let rows = table(&rows, "text");
        let sheet = Sheet::new(rows.schema());
        let (_, written) = bytes(Format::Table, &Style::default(), &sheet, &[rows]);
        prop_assert_eq!((written.cut_columns, written.hidden_columns), (0, 0));
    }

    #[test]
    fn a_csv_reader_reads_back_what_was_written(rows in rows(), name in texts()) {
        let batch = table(&rows, &name);
        let out = text(Format::Csv, &Style::default(), &Sheet::new(batch.schema()), &[batch]);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(out.as_bytes());
        let mut read = reader.records().map(Result::unwrap);
        prop_assert_eq!(&read.next().unwrap()[0], &name);
        for row in &rows {
            let record = read.next().unwrap();
            prop_assert_eq!(&record[0], row.0.as_deref().unwrap_or_default());
            prop_assert_eq!(&record[1], row.1.map(|n| n.to_string()).unwrap_or_default());
            prop_assert_eq!(record[2].parse::<f64>().ok(), row.2);
            prop_assert_eq!(&record[3], &row.3);
        }
        prop_assert!(read.next().is_none());
    }

    #[test]
    fn a_csv_of_one_column_has_as_many_records_as_rows(values in vec(proptest::option::of(texts()), 0..9)) {
        let rows = batch(&[("only", Arc::new(StringArray::from(values.clone())))]);
        let out = text(Format::Csv, &Style::default(), &Sheet::new(rows.schema()), &[rows]);
        let mut reader = csv::Reader::from_reader(out.as_bytes());
        let read: Vec<String> = reader.records().map(|row| row.unwrap()[0].to_owned()).collect();
        let expected: Vec<String> = values.into_iter().map(Option::unwrap_or_default).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn tsv_unescapes_to_what_was_written(rows in rows()) {
        let batch = table(&rows, "text");
        let out = text(Format::Tsv, &Style::default(), &Sheet::new(batch.schema()), &[batch]);
        let lines: Vec<&str> = out.strip_suffix('\n').unwrap().split('\n').skip(1).collect();
        prop_assert_eq!(lines.len(), rows.len());
        for (line, row) in lines.iter().zip(&rows) {
            let cells: Vec<&str> = line.split('\t').collect();
            prop_assert_eq!(cells.len(), 4);
            prop_assert_eq!(unescape(cells[0]), row.0.as_deref().unwrap_or_default());
            prop_assert_eq!(unescape(cells[3]), row.3.as_str());
        }
    }

    #[test]
    fn json_and_jsonl_say_the_values(rows in rows()) {
        let batch = table(&rows, "text");
        let sheet = Sheet::new(batch.schema());
        let show = |format| text(format, &Style::default(), &sheet, std::slice::from_ref(&batch));
        let array: Vec<serde_json::Value> = serde_json::from_str(&show(Format::Json)).unwrap();
        let lines: Vec<serde_json::Value> =
            show(Format::Jsonl).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(&array, &lines);
        prop_assert_eq!(array.len(), rows.len());
        for ((object, row), line) in array.iter().zip(&rows).zip(show(Format::Jsonl).lines()) {
            // serde_json rounds the last digit of a float, so this one is read from its text.
            let (_, after) = line.split_once("\"share\":").unwrap();
            let (share, _) = after.split_once(",\"diag\":").unwrap();
            prop_assert_eq!(share.parse::<f64>().ok(), row.2);
            let share = &object["share"];
            let expected = serde_json::json!({
                "text": row.0, "a_number_of_things": row.1, "share": share, "diag": row.3,
            });
            prop_assert_eq!(object, &expected);
        }
    }

    #[test]
    fn the_cut_between_batches_does_not_show(rows in rows(), at in 0_usize..12) {
        let rows = table(&rows, "text");
        let at = at.min(rows.num_rows());
        let sheet = Sheet::new(rows.schema());
        let pieces = [rows.slice(0, at), rows.slice(at, rows.num_rows() - at)];
        // A stream of batches is cut where they are.
        for &format in Format::ALL.iter().filter(|format| **format != Format::Arrow) {
            let whole = bytes(format, &Style::default(), &sheet, std::slice::from_ref(&rows));
            let pieced = bytes(format, &Style::default(), &sheet, &pieces);
            prop_assert_eq!(whole, pieced, "{}", format);
        }
    }
}

/// Undoes the escapes of TSV.
fn unescape(cell: &str) -> String {
    let mut out = String::new();
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                other => other.unwrap(),
            },
            other => other,
        });
    }
    out
}
