//! Counts as batches bring them: dimensions by their names, or by numbers that stand for these.
#![allow(missing_docs, reason = "tests")]

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, UInt64Array};
use pmtaq_why::{Counts, Kind};

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Counts of three leaves: `p` with 5, `q` with 7, and 9 of none.
fn batch(providers: ArrayRef) -> RecordBatch {
    let columns: [(&str, ArrayRef); 5] = [
        ("period", Arc::new(Int64Array::from(vec![0, 0, 1]))),
        ("provider", providers),
        ("kind", texts(&[Some("delivered"), Some("bounced"), Some("delivered")])),
        ("category", texts(&[None, Some("spam"), None])),
        ("n", Arc::new(Int64Array::from(vec![5, 7, 9]))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))
        .expect("a batch")
}

fn told(counts: &Counts) -> Vec<String> {
    let mut told = Vec::new();
    counts.each(&[Kind::Delivered, Kind::Bounced], |period, values, category, n| {
        told.push(format!("{period} {values:?} {category:?} {n}"));
    });
    told
}

#[test]
fn numbers_stand_for_the_names_that_were_learnt() {
    let mut by_name = Counts::new(&["provider", "job_id"], 1);
    by_name.read(&batch(texts(&[Some("p"), Some("q"), None]))).expect("names");
    let mut by_number = Counts::new(&["provider", "job_id"], 1);
    let names: [(&str, ArrayRef); 3] = [
        ("dim", texts(&[Some("provider"), Some("provider"), Some("vmta")])),
        ("name", texts(&[Some("q"), Some("p"), Some("v")])),
        ("number", Arc::new(UInt64Array::from(vec![u64::MAX, 3, 3]))),
    ];
    by_number.learn(&RecordBatch::try_from_iter(names).expect("a batch")).expect("names");
    let numbers: ArrayRef = Arc::new(UInt64Array::from(vec![Some(3), Some(u64::MAX), None]));
    by_number.read(&batch(numbers)).expect("numbers");
    assert_eq!(told(&by_number), told(&by_name));
    assert_eq!(told(&by_name)[1], "0 [Some(\"q\"), None] Some(\"spam\") 7");
}

#[test]
fn a_number_without_a_name_is_an_error_and_no_value() {
    let mut counts = Counts::new(&["provider"], 1);
    let numbers: ArrayRef = Arc::new(UInt64Array::from(vec![Some(3), None, None]));
    let error = counts.read(&batch(numbers)).expect_err("no name");
    assert!(error.to_string().contains("3 stands for no name"), "{error}");
}
