//! One recipient erased: the records of the address go, and where other rows mention it, its local
//! part is replaced. Parts that do not hold it stay as they are.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, MapArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Int32Type};
use pmtaq_schema::address::Mention;
use pmtaq_schema::time::Day;
use pmtaq_store::layout::Table;
use pmtaq_store::{Change, Error, Result, SnapshotPart, Writer};

use crate::budget::MergeBudget;
use crate::merged::Merged;
use crate::verify::stage_hourly;

/// What stands in place of an erased local part.
const FORGOTTEN: &str = "forgotten";

/// What an erasure did, or would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Records of the recipient, which went.
    pub records: u64,
    /// Refused lines that mention the address, which went.
    pub rejects: u64,
    /// Other records that mention the address, and do no more.
    pub mentions: u64,
    /// Parts that were written anew.
    pub parts: u64,
}

/// Erases an address from every part, in one commit, with so many bytes of memory; or, when `dry`,
/// only counts.
///
/// # Errors
/// [`crate::Error::Memory`] when these are too few; else what the store says. It is as it was then.
pub fn forget(
    writer: &mut Writer<'_>,
    address: &Mention,
    dry: bool,
    memory: u64,
) -> std::result::Result<Forgotten, crate::Error> {
    let budget = MergeBudget::for_what("forget", memory)?;
    loop {
        match try_forget(writer, address, dry, budget) {
            // What another machine has stored or merged meanwhile may have it too.
            Err(Error::Conflict { .. }) => writer.renew()?,
            done => return Ok(done?),
        }
    }
}

fn try_forget(
    writer: &mut Writer<'_>,
    address: &Mention,
    dry: bool,
    budget: MergeBudget,
) -> Result<Forgotten> {
    let mut done = Forgotten::default();
    let mut change = Change { erases: true, ..Change::default() };
    for day in writer.days() {
        forget_day(writer, address, day, dry, budget, &mut change, &mut done)?;
    }
    change.removed.records = done.records.cast_signed();
    change.removed.rejects = done.rejects.cast_signed();
    if !dry && !change.retired.is_empty() {
        writer.commit(change)?;
    }
    Ok(done)
}

fn forget_day(
    writer: &Writer<'_>,
    address: &Mention,
    day: Day,
    dry: bool,
    budget: MergeBudget,
    change: &mut Change,
    done: &mut Forgotten,
) -> Result<()> {
    let parts = writer.parts(day)?;
    let mut records_changed = false;
    let names_anyone =
        |part: &&SnapshotPart| matches!(part.part.table, Table::Records | Table::Rejects);
    for part in parts.iter().filter(names_anyone) {
        if !holds(part, address)? {
            continue;
        }
        done.parts += 1;
        records_changed |= part.part.table == Table::Records;
        let mut merged = (!dry).then(|| Merged::new(writer, part.part.table, day, budget));
        for batch in part.rows()? {
            let batch = erased(&batch?, part.part.table, address, done);
            if let Some(merged) = &mut merged {
                merged.add(batch, &part.part)?;
            }
        }
        if let Some(merged) = merged {
            let new = merged.finish()?.into_iter().map(|new| new.made_of([&part.part]));
            change.parts.extend(new);
            change.retired.push((day, part.part.clone()));
        }
    }
    // Of a day that has lost records for their age, the rollup cannot be made anew; it holds no
    // address anyway.
    if records_changed && !dry && !writer.is_pruned(day) {
        let hourly = parts.iter().filter(|part| part.part.table == Table::Hourly);
        change.retired.extend(hourly.map(|part| (day, part.part.clone())));
        let records = parts.iter().filter(|part| part.part.table == Table::Records);
        stage_hourly(writer, day, records, change, budget, |batch| {
            erased(batch, Table::Records, address, &mut Forgotten::default())
        })?;
    }
    Ok(())
}

/// Whether a part may mention the address in any column of text.
fn holds(part: &SnapshotPart, address: &Mention) -> Result<bool> {
    let text = |data_type: &DataType| {
        matches!(data_type, DataType::Utf8 | DataType::Dictionary(..) | DataType::Map(..))
    };
    for batch in part.columns(|field| text(field.data_type()))? {
        if batch?.columns().iter().any(|column| texts(column).any(|t| mentions(&t, address))) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// All texts of a column, each name once.
fn texts(column: &ArrayRef) -> impl Iterator<Item = StringArray> {
    let all: Vec<StringArray> = match column.data_type() {
        DataType::Utf8 => vec![column.as_string::<i32>().clone()],
        DataType::Dictionary(..) => {
            vec![column.as_dictionary::<Int32Type>().values().as_string::<i32>().clone()]
        }
        DataType::Map(..) => vec![column.as_map().values().as_string::<i32>().clone()],
        _ => Vec::new(),
    };
    all.into_iter()
}

fn mentions(texts: &StringArray, address: &Mention) -> bool {
    address.may_be_in(&texts.value_data().to_ascii_lowercase())
        && texts.iter().flatten().any(|text| address.replaced(text, "").is_some())
}

/// The batch without the rows of the address, and with all other mentions of it replaced.
fn erased(
    batch: &RecordBatch,
    table: Table,
    address: &Mention,
    done: &mut Forgotten,
) -> RecordBatch {
    let goes = |row: usize| -> bool {
        let cell = |name: &str| {
            let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
            column.is_valid(row).then(|| column.value(row))
        };
        match table {
            Table::Rejects => ["value", "raw"]
                .into_iter()
                .filter_map(cell)
                .any(|text| address.replaced(text, "").is_some()),
            _ => ["rcpt", "orcpt"].into_iter().filter_map(cell).any(|text| address.is(text)),
        }
    };
    let stays: BooleanArray = (0..batch.num_rows()).map(|row| Some(!goes(row))).collect();
    let gone = (batch.num_rows() - stays.true_count()) as u64;
    match table {
        Table::Rejects => done.rejects += gone,
        _ => done.records += gone,
    }
    let kept = filter_record_batch(batch, &stays).expect("one flag a row");
    let mut touched = vec![false; kept.num_rows()];
    let columns = kept.columns().iter().map(|column| replaced(column, address, &mut touched));
    let columns = columns.collect();
    done.mentions += touched.iter().filter(|touched| **touched).count() as u64;
    RecordBatch::try_new(kept.schema(), columns).expect("the same types and rows")
}

/// A column with the mentions of the address replaced; notes the rows that had one.
fn replaced(column: &ArrayRef, address: &Mention, touched: &mut [bool]) -> ArrayRef {
    let new = |texts: &StringArray, note: &mut dyn FnMut(usize)| -> StringArray {
        let replace = |(i, text): (usize, Option<&str>)| {
            let text = text?;
            let new = address.replaced(text, FORGOTTEN);
            if new.is_some() {
                note(i);
            }
            Some(new.unwrap_or_else(|| text.to_owned()))
        };
        texts.iter().enumerate().map(replace).collect()
    };
    if !texts(column).any(|texts| mentions(&texts, address)) {
        return column.clone();
    }
    match column.data_type() {
        DataType::Utf8 => Arc::new(new(column.as_string::<i32>(), &mut |row| touched[row] = true)),
        DataType::Dictionary(..) => {
            let names = column.as_dictionary::<Int32Type>();
            let mut keys = Vec::new();
            let values = new(names.values().as_string::<i32>(), &mut |key| keys.push(key));
            for (row, key) in names.keys_iter().enumerate() {
                touched[row] |= key.is_some_and(|key| keys.contains(&key));
            }
            Arc::new(names.with_values(Arc::new(values)))
        }
        DataType::Map(field, ordered) => {
            let map = column.as_map();
            let mut entries = Vec::new();
            let values = new(map.values().as_string::<i32>(), &mut |entry| entries.push(entry));
            for (row, touched) in touched.iter_mut().enumerate() {
                let (from, to) = (map.value_offsets()[row], map.value_offsets()[row + 1]);
                *touched |=
                    entries.iter().any(|&entry| (from as usize..to as usize).contains(&entry));
            }
            let columns: Vec<ArrayRef> = vec![map.keys().clone(), Arc::new(values)];
            let DataType::Struct(fields) = field.data_type() else { return column.clone() };
            let structs = arrow::array::StructArray::new(fields.clone(), columns, None);
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            Arc::new(MapArray::new(field.clone(), offsets, structs, nulls, *ordered))
        }
        _ => column.clone(),
    }
}
