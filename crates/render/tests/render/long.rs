//! Answers that are longer than what decides how wide the columns of a table are.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, StringArray};
use pmtaq_render::{Format, Sheet, Style};
use unicode_width::UnicodeWidthStr;

use crate::{batch, bytes};

/// Rows of which the last is wider than all before.
fn rows() -> (Sheet, Vec<RecordBatch>) {
    let domains = StringArray::from(vec!["gmail.com"; 100_000]);
    let narrow = batch(&[
        ("rcpt_domain", Arc::new(domains.clone())),
        ("sent", Arc::new(Int64Array::from(vec![7; 100_000]))),
        ("of", Arc::new(domains)),
    ]);
    let wide = batch(&[
        ("rcpt_domain", Arc::new(StringArray::from(vec!["a-very-long-name.example"]))),
        ("sent", Arc::new(Int64Array::from(vec![1_234_567]))),
        ("of", Arc::new(StringArray::from(vec!["example"]))),
    ]);
    (Sheet::new(narrow.schema()), vec![narrow, wide])
}

fn lines(style: &Style) -> (Vec<String>, usize) {
    let (sheet, rows) = rows();
    let (out, written) = bytes(Format::Table, style, &sheet, &rows);
    let lines = String::from_utf8(out).unwrap().lines().map(str::to_owned).collect();
    (lines, written.cut_columns)
}

#[test]
fn without_a_width_what_is_wider_moves_what_follows_and_nothing_is_cut() {
    let (lines, cut) = lines(&Style::default());
    assert_eq!(lines.len(), 100_003);
    assert_eq!(lines[0], "rcpt_domain  sent  of");
    assert_eq!(lines[100_001], "gmail.com       7  gmail.com");
    assert_eq!(lines[100_002], "a-very-long-name.example  1,234,567  example");
    assert_eq!(cut, 0);
}

#[test]
fn on_a_terminal_a_text_that_is_wider_is_cut_and_a_number_is_whole() {
    let (lines, cut) = lines(&Style { width: Some(80), ..Style::default() });
    assert_eq!(lines[100_001], "gmail.com       7  gmail.com");
    assert_eq!(lines[100_002], "a-very-lon\u{2026}  1,234,567  example");
    assert_eq!(cut, 1);
    assert!(lines.iter().all(|line| line.width() <= 80));
}

#[test]
fn a_text_that_is_wider_than_the_drawer_can_count_stays_on_its_line() {
    let wide = "x".repeat(70_000);
    let texts = StringArray::from(vec![wide.as_str(), "short"]);
    let rows = batch(&[("text", Arc::new(texts))]);
    let sheet = Sheet::new(rows.schema());
    let (out, written) = bytes(Format::Table, &Style::default(), &sheet, &[rows]);
    let lines: Vec<usize> = String::from_utf8(out).unwrap().lines().map(|l| l.width()).collect();
    assert_eq!((lines.len(), lines[2], lines[3]), (4, 60_000, 5));
    assert_eq!(written.cut_columns, 1);
}
