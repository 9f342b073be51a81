//! Parts that are made of the rows of others: gathered by row groups, of common and of rare types apart, and
//! each of these sorted. Knows no part that is read.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array, UInt64Array};
use arrow::compute::{concat_batches, filter_record_batch, not, take_record_batch};
use arrow::datatypes::{Int32Type, TimestampMillisecondType, UInt64Type};
use pmtaq_schema::columns::{SORTED_BY, index_of};
use pmtaq_schema::message_key::message_key;
use pmtaq_schema::time::Day;
use pmtaq_schema::{Frequency, Record};
use pmtaq_store::layout::Table;
use pmtaq_store::{NewPart, Part, PartWriter, ROW_GROUP_ROWS, Result, Writer, rows_of, schema_of};

use crate::budget::MergeBudget;

/// Rows of a part that is made of others, of which a day has several then.
pub(crate) const FULL_ROWS: u64 = 8_000_000;

/// Parts being written from the rows of others.
pub(crate) struct Merged<'w> {
    writer: &'w Writer<'w>,
    table: Table,
    day: Day,
    budget: MergeBudget,
    /// Of each [`Frequency`] of records; of another table the first is of all.
    groups: [Group; 2],
    open: Option<PartWriter<'w>>,
    done: Vec<NewPart>,
}

/// Rows of a row group to come.
#[derive(Default)]
struct Group {
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
    /// Earliest and latest time that they may have.
    times: Option<(i64, i64)>,
}

impl Group {
    fn add(&mut self, rows: RecordBatch, part: &Part) {
        self.rows += rows.num_rows();
        self.bytes += rows.get_array_memory_size();
        self.batches.push(rows);
        let (since, until) = self.times.unwrap_or((part.since, part.until));
        self.times = Some((since.min(part.since), until.max(part.until)));
    }
}

impl<'w> Merged<'w> {
    /// For rows of `records` or `rejects`.
    pub(crate) fn new(
        writer: &'w Writer<'w>,
        table: Table,
        day: Day,
        budget: MergeBudget,
    ) -> Merged<'w> {
        let (groups, done) = (<[Group; 2]>::default(), Vec::new());
        Merged { writer, table, day, budget, groups, open: None, done }
    }

    /// Adds rows whose times lie where those of `part` do.
    pub(crate) fn add(&mut self, batch: RecordBatch, part: &Part) -> Result<()> {
        if self.table != Table::Records {
            return self.gather(Frequency::Common, batch, part);
        }
        let rare = rare(&batch);
        let common = not(&rare).expect("booleans");
        for (of, rows) in [(Frequency::Common, common), (Frequency::Rare, rare)] {
            let rows = filter_record_batch(&batch, &rows).expect("as many booleans as rows");
            self.gather(of, rows, part)?;
        }
        Ok(())
    }

    fn gather(&mut self, of: Frequency, batch: RecordBatch, part: &Part) -> Result<()> {
        let (group, most) = (of as usize, rows_of(of, ROW_GROUP_ROWS));
        let mut rest = batch;
        while rest.num_rows() > 0 {
            let now = rest.num_rows().min(most - self.groups[group].rows);
            self.groups[group].add(rest.slice(0, now), part);
            rest = rest.slice(now, rest.num_rows() - now);
            if self.groups[group].rows == most {
                self.write(group)?;
            }
            let bytes = self.groups.each_ref().map(|group| group.bytes);
            if bytes.iter().sum::<usize>() >= self.budget.group_bytes {
                self.write(usize::from(bytes[1] > bytes[0]))?;
            }
        }
        Ok(())
    }

    fn write(&mut self, group: usize) -> Result<()> {
        let Group { batches, times, .. } = std::mem::take(&mut self.groups[group]);
        let Some((since, until)) = times else { return Ok(()) };
        let rows = concat_batches(&schema_of(self.table), &batches)
            .expect("batches of one schema, of a row group's size");
        let rows = if self.table == Table::Records { sorted(&keyed(rows)) } else { rows };
        let part = match &mut self.open {
            Some(part) => part,
            none => none.insert(self.writer.stage(self.table, self.day)?),
        };
        part.write(&rows, since, until)?;
        part.end_group()?;
        if part.rows() >= FULL_ROWS { self.close() } else { Ok(()) }
    }

    fn close(&mut self) -> Result<()> {
        self.done.extend(self.open.take().map(PartWriter::finish).transpose()?);
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Vec<NewPart>> {
        (0..self.groups.len()).try_for_each(|group| self.write(group))?;
        self.close()?;
        Ok(self.done)
    }
}

/// Which records are of a rare type.
fn rare(rows: &RecordBatch) -> BooleanArray {
    let recs = rows.column(index_of("rec")).as_dictionary::<Int32Type>();
    let names = recs.values().as_string::<i32>();
    let is_rare = |name: Option<&str>| {
        let record = name.and_then(|name| Record::parse(name.as_bytes()));
        record.is_none_or(|record| record.frequency() == Frequency::Rare)
    };
    let is_rare: Vec<bool> = names.iter().map(is_rare).collect();
    recs.keys().iter().map(|key| Some(key.is_none_or(|key| is_rare[key as usize]))).collect()
}

/// Records with the keys of their messages, which a part of an older version lacks.
fn keyed(rows: RecordBatch) -> RecordBatch {
    let texts =
        ["rcpt", "env_id", "orig"].map(|name| rows.column(index_of(name)).as_string::<i32>());
    let key = |row| {
        let [rcpt, env_id, orig] =
            texts.map(|texts| if texts.is_valid(row) { texts.value(row).as_bytes() } else { b"" });
        message_key(rcpt, env_id, orig)
    };
    let keys = UInt64Array::from_iter_values((0..rows.num_rows()).map(key));
    let mut columns = rows.columns().to_vec();
    columns[index_of("message_key")] = Arc::new(keys);
    RecordBatch::try_new(rows.schema(), columns).expect("the same types and rows")
}

/// Records by the names of [`SORTED_BY`], then message by message, that one first which came first. Ingest
/// groups each of its runs alike, the names in the order in which they come.
fn sorted(rows: &RecordBatch) -> RecordBatch {
    let names = SORTED_BY.map(|column| ranks(rows.column(column)));
    let time = rows.column(index_of("time_logged"));
    let time = time.as_primitive::<TimestampMillisecondType>().values();
    let keys = rows.column(index_of("message_key")).as_primitive::<UInt64Type>().values();
    let mut first: HashMap<u64, i64> = HashMap::with_capacity(keys.len());
    for (key, time) in keys.iter().zip(time) {
        first.entry(*key).and_modify(|first| *first = *time.min(first)).or_insert(*time);
    }
    let mut order: Vec<_> = (0_u32..)
        .zip(time.iter().zip(keys))
        .map(|(row, (time, key))| {
            (names.each_ref().map(|ranks| ranks[row as usize]), first[key], *key, *time, row)
        })
        .collect();
    order.sort_unstable();
    let indices = UInt32Array::from_iter_values(order.into_iter().map(|(.., row)| row));
    take_record_batch(rows, &indices).expect("indices of the rows themselves")
}

/// For each row the rank of its name among all names of the column, nulls last.
fn ranks(column: &ArrayRef) -> Vec<u32> {
    let names = column.as_dictionary::<Int32Type>();
    let values = names.values().as_string::<i32>();
    let mut by_name: Vec<usize> = (0..values.len()).collect();
    by_name.sort_unstable_by_key(|&i| values.value(i));
    let mut rank_of = vec![0_u32; values.len()];
    let mut rank = 0;
    for (i, &at) in by_name.iter().enumerate() {
        // A merged dictionary may hold a name twice.
        rank += u32::from(i > 0 && values.value(by_name[i - 1]) != values.value(at));
        rank_of[at] = rank;
    }
    names.keys_iter().map(|key| key.map_or(u32::MAX, |key| rank_of[key])).collect()
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        DictionaryArray, Int32Array, Int64Array, StringArray, TimestampMillisecondArray,
        new_null_array,
    };
    use arrow::datatypes::{DataType, Int64Type};

    use super::*;

    #[test]
    fn records_lie_by_sender_and_domain_and_the_messages_by_what_came_first() {
        // A merged dictionary: a name may come twice, in no order.
        let names = |keys: &[Option<i32>]| -> ArrayRef {
            let values = StringArray::from(vec!["b", "a", "b"]);
            Arc::new(DictionaryArray::new(Int32Array::from(keys.to_vec()), Arc::new(values)))
        };
        let (a, b, b2) = (Some(1), Some(0), Some(2));
        let schema = schema_of(Table::Records);
        let mut columns: Vec<ArrayRef> =
            schema.fields().iter().map(|field| new_null_array(field.data_type(), 7)).collect();
        for (column, field) in columns.iter_mut().zip(schema.fields()) {
            if !field.is_nullable() && matches!(field.data_type(), DataType::Dictionary(..)) {
                *column = names(&[a; 7]);
            }
        }
        columns[index_of("sender_domain")] = names(&[b, None, a, b2, a, a, a]);
        columns[index_of("rcpt_domain")] = names(&[a, a, b, a, b, b2, b]);
        let times: Vec<i64> = vec![1, 2, 9, 3, 5, 4, 6];
        columns[index_of("time_logged")] = Arc::new(TimestampMillisecondArray::from(times));
        // Of the four with a and b two are of message 7, of which one came last and one second.
        let keys = UInt64Array::from(vec![1, 1, 7, 2, 3, 8, 7]);
        columns[index_of("message_key")] = Arc::new(keys);
        columns[index_of("dlv_size")] = Arc::new(Int64Array::from_iter_values(0..7));
        let rows = sorted(&RecordBatch::try_new(schema, columns).expect("records"));
        let row = rows.column(index_of("dlv_size")).as_primitive::<Int64Type>();
        assert_eq!(row.values(), &[5, 4, 6, 2, 0, 3, 1]);
    }
}
