//! The plan of a header uses each field once and no other, or says what is wrong. Knows no file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pmtaq_ingest::Plan;
use pmtaq_schema::COLUMNS;

fuzz_target!(|line: &[u8]| {
    let plan = match Plan::of_header(line) {
        Ok(plan) => plan,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert_eq!(plan.sources.len(), COLUMNS.len());
    let mut uses = vec![0; plan.fields.len()];
    uses[plan.kind] += 1;
    plan.sources.iter().flatten().for_each(|&field| uses[field] += 1);
    plan.extra.iter().for_each(|extra| uses[extra.field] += 1);
    assert!(uses.iter().all(|&uses| uses == 1), "{uses:?}");

    let of = |column: usize| plan.sources[column].expect("a column that is read has a field");
    let numbers = plan.numbers.iter().map(|&(column, field)| (column, field));
    let texts = plan.texts.iter().map(|text| (text.column, text.field));
    let mut read: Vec<_> = numbers.chain(texts).collect();
    assert!(read.iter().all(|&(column, field)| of(column) == field));
    read.sort_unstable();
    read.dedup();
    assert_eq!(read.len(), plan.sources.iter().flatten().count());
    let mut keys: Vec<_> = plan.extra.iter().map(|extra| extra.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), plan.extra.len(), "two fields under one key");
    assert!(plan.extra.iter().all(|extra| extra.unless_empty.is_none_or(|f| f < uses.len())));
});
