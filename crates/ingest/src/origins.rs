//! Who ended a bounce, in rows that an older version wrote without it: what a reader tells of them each time by
//! code and template, written down when their part is written anew. Of records and of `hourly` alike, so that
//! these agree.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringDictionaryBuilder};
use arrow::datatypes::{Int32Type, Int64Type};
use pmtaq_schema::Record;
use pmtaq_schema::bounce::BounceClass;
use pmtaq_schema::origin::BounceOrigin;

/// `rows`, of records or of `hourly`, with `bounce_origin` where it lacks, and the class that goes with it.
pub(crate) fn with_origins(rows: RecordBatch) -> RecordBatch {
    let schema = rows.schema();
    let index = |name: &str| schema.index_of(name).expect("both tables have it");
    let names = |name: &str| Names(rows.column(index(name)));
    let (recs, templates) = (names("rec"), names("template"));
    let (origins, classes) = (names("bounce_origin"), names("bounce_class"));
    let codes = rows.column(index("smtp_code")).as_primitive::<Int64Type>();
    let told = |row: usize| {
        let record = Record::parse(recs.get(row)?.as_bytes())?;
        let code = codes.is_valid(row).then(|| codes.value(row));
        let told = BounceOrigin::of_kept(record, code, templates.get(row))?;
        origins.get(row).is_none().then_some((record, told))
    };
    let told: Vec<Option<(Record, BounceOrigin)>> = (0..rows.num_rows()).map(told).collect();
    if told.iter().all(Option::is_none) {
        return rows;
    }
    let origin = |row: usize| match told[row] {
        Some((_, origin)) => Some(origin.as_str()),
        None => origins.get(row),
    };
    let class = |row: usize| match told[row] {
        Some((Record::Bounce, BounceOrigin::Operator)) => {
            Some(BounceClass::Administrative.as_str())
        }
        _ => classes.get(row),
    };
    let mut columns = rows.columns().to_vec();
    columns[index("bounce_origin")] = column(told.len(), origin);
    columns[index("bounce_class")] = column(told.len(), class);
    RecordBatch::try_new(rows.schema(), columns).expect("the same types and rows")
}

fn column<'n>(rows: usize, name: impl Fn(usize) -> Option<&'n str>) -> ArrayRef {
    let mut column = StringDictionaryBuilder::<Int32Type>::new();
    (0..rows).for_each(|row| column.append_option(name(row)));
    Arc::new(column.finish())
}

/// A column of names.
struct Names<'a>(&'a ArrayRef);

impl<'a> Names<'a> {
    fn get(&self, row: usize) -> Option<&'a str> {
        let names = self.0.as_dictionary::<Int32Type>();
        let key = names.key(row)?;
        Some(names.values().as_string::<i32>().value(key))
    }
}
