//! Counts as batches bring them: dimensions by their names, or by numbers that stand for these.
#![allow(missing_docs, reason = "tests")]

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use pmtaq_why::{Counts, Kind, Marginals, Metric};

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

/// A provider, its number, and what entered and was counted in the window and in one period before it.
type Value = (&'static str, u64, [(i64, i64); 2]);

/// What each provider has by itself.
fn marginals(metric: &str, values: &[Value]) -> Marginals {
    let metric = Metric::named(metric).expect("a metric");
    let mut all = Marginals::new(metric, &["provider", "job_id"], 1);
    let rows = || values.iter().flat_map(|of| [0, 1].map(|period| (of, period)));
    let ints = |of: &dyn Fn(&Value, usize) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows().map(|(value, period)| of(value, period))))
    };
    let columns: [(&str, ArrayRef); 6] = [
        ("dim", Arc::new(StringArray::from_iter_values(rows().map(|_| "provider")))),
        ("name", Arc::new(StringArray::from_iter_values(rows().map(|(of, _)| of.0)))),
        ("number", Arc::new(UInt64Array::from_iter_values(rows().map(|(of, _)| of.1)))),
        ("period", ints(&|_, period| period as i64)),
        ("entered", ints(&|of, period| of.2[period].0)),
        ("counted", ints(&|of, period| of.2[period].1)),
    ];
    all.read(&RecordBatch::try_from_iter(columns).expect("a batch")).expect("marginals");
    all
}

/// The numbers of those that are told apart.
fn numbers(known: &Marginals) -> Vec<(String, Vec<u64>)> {
    known.teach(&mut Counts::new(&["provider", "job_id"], 1))
}

fn places(values: &[Option<i32>]) -> ArrayRef {
    Arc::new(Int32Array::from(values.to_vec()))
}

#[test]
fn places_stand_for_the_names_that_were_learnt() {
    let mut by_name = Counts::new(&["provider", "job_id"], 1);
    by_name.read(&batch(texts(&[Some("p"), Some("q"), None]))).expect("names");
    let known = marginals("delivered", &[("q", 7, [(90, 9); 2]), ("p", 3, [(80, 70); 2])]);
    assert_eq!(numbers(&known)[0], ("provider".to_owned(), vec![3, 7]), "the most delivered first");
    let mut by_place = Counts::new(&["provider", "job_id"], 1);
    known.teach(&mut by_place);
    by_place.read(&batch(places(&[Some(1), Some(2), None]))).expect("places");
    assert_eq!(told(&by_place), told(&by_name));
    assert_eq!(told(&by_name)[1], "0 [Some(\"q\"), None] Some(\"spam\") 7");
    // Behind the list is the number of none.
    let mut behind = Counts::new(&["provider", "job_id"], 1);
    known.teach(&mut behind);
    behind.read(&batch(places(&[Some(1), Some(2), Some(3)]))).expect("places");
    assert_eq!(told(&behind), told(&by_name));
}

#[test]
fn a_place_without_a_list_is_an_error_and_no_value() {
    let mut counts = Counts::new(&["provider"], 1);
    let error = counts.read(&batch(places(&[Some(3), None, None]))).expect_err("no name");
    assert!(error.to_string().contains("3 stands for no name"), "{error}");
}

#[test]
fn what_has_too_little_for_a_cause_is_told_together_by_name_and_by_place() {
    // A cause in 10,000 deliveries moves 100; what may be half of one is looked at.
    let large = [("p", 1, [(5000, 5000); 2]), ("q", 2, [(5000, 5000); 2])];
    let few = [("r", 3, [(30, 30); 2])];
    let known = marginals("delivered", &[&large[..], &few[..]].concat());
    assert_eq!(numbers(&known)[0].1, [1, 2]);
    let read = |providers: ArrayRef| {
        let mut counts = Counts::new(&["provider", "job_id"], 1);
        known.teach(&mut counts);
        counts.read(&batch(providers)).expect("counts");
        told(&counts)
    };
    let by_name = read(texts(&[Some("p"), Some("r"), Some("s")]));
    assert_eq!(by_name, read(places(&[Some(1), Some(0), Some(0)])));
    assert!(by_name[0].contains("\"p\"") && !by_name[1].contains("\"r\""), "{by_name:?}");
}

#[test]
fn of_a_rate_is_told_apart_what_has_enough_of_what_it_counts() {
    // 200 of 10,000 bounce: a cause moves 2 of them, and a part of one is looked at from 0.4 on.
    let rate = |n: i64, bounced: i64| [(n, bounced); 2];
    let known = marginals(
        "bounce_rate",
        &[
            ("large and clean", 1, rate(9000, 0)),
            ("small and bad", 2, rate(20, 10)),
            ("as all", 3, rate(980, 190)),
            ("small and clean", 4, rate(80, 0)),
        ],
    );
    assert_eq!(numbers(&known)[0].1, [3, 2, 1], "by what they bounce, then by what was sent");
}
