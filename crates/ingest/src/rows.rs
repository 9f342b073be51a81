//! Lines as typed columns. A line that does not fit is refused before anything of it is kept.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayBuilder, ArrayRef, AsArray, Int64Builder, MapBuilder, MapFieldNames, RecordBatch,
    StringBuilder, TimestampMicrosecondBuilder, UInt32Array,
};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use pmtaq_schema::columns::index_of;
use pmtaq_schema::{COLUMNS, Kind, Record, Timestamp};
use pmtaq_store::layout::Table;

use crate::derive::Derived;
use crate::intern::Names;
use crate::plan::Plan;
use crate::reject::Why;
use crate::split::Line;

pub(crate) const TIME_LOGGED: usize = index_of("time_logged");
const RCPT_DOMAIN: usize = index_of("rcpt_domain");
const VMTA: usize = index_of("vmta");
const SMTP_CODE: usize = index_of("smtp_code");
const EXTRA: usize = index_of("extra");

/// The numbers of a line, read and found plausible.
pub(crate) struct Checked {
    pub(crate) record: Record,
    pub(crate) time_logged: Timestamp,
    /// By column: seconds or whatever the unit is; none where the field is empty.
    numbers: [Option<i64>; COLUMNS.len()],
}

impl Checked {
    /// Reads everything of a line that can be wrong.
    pub(crate) fn of(line: &Line<'_, '_>, plan: &Plan) -> Result<Checked, Why> {
        if line.broken {
            return Err(Why::line("a quote is not closed before a comma or line end"));
        }
        if line.len() > plan.fields.len() {
            return Err(Why::line("more fields than the header has"));
        }
        let kind = line.field(plan.kind).value();
        let Some(record) = Record::parse(&kind) else {
            return Err(Why::field("type", &kind, "unknown record type"));
        };
        let mut numbers = [None; COLUMNS.len()];
        for &(column, field) in &plan.numbers {
            let value = line.field(field).value();
            if !value.is_empty() {
                numbers[column] = Some(number(column, &plan.fields[field], &value)?);
            }
        }
        let Some(time_logged) = numbers[TIME_LOGGED] else {
            return Err(Why::field("timeLogged", b"", "no time"));
        };
        Ok(Checked { record, time_logged: Timestamp(time_logged), numbers })
    }
}

fn number(column: usize, field: &str, value: &[u8]) -> Result<i64, Why> {
    match COLUMNS[column].kind {
        Kind::Time => Timestamp::parse(value)
            .map(|time| time.0)
            .ok_or_else(|| Why::field(field, value, "not a time between 1990 and 2100")),
        _ => std::str::from_utf8(value)
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .ok_or_else(|| Why::field(field, value, "not a whole number")),
    }
}

/// Rows being gathered, column by column. A cell without a value costs nothing: a column is
/// padded with nulls when its next value comes, or at the end.
pub(crate) struct Rows {
    columns: Vec<Builder>,
    len: usize,
    /// Bytes of the lines gathered: a measure of the memory in use.
    pub(crate) bytes: usize,
    since: i64,
    until: i64,
}

enum Builder {
    Text(StringBuilder),
    Name(Names),
    Int(Int64Builder),
    Time(TimestampMicrosecondBuilder),
    Map(Box<MapBuilder<StringBuilder, StringBuilder>>),
}

/// A batch ready to be written, with the times it spans in UTC seconds.
pub(crate) struct Batch {
    pub(crate) rows: RecordBatch,
    pub(crate) since: i64,
    pub(crate) until: i64,
}

impl Rows {
    pub(crate) fn new() -> Rows {
        let columns = COLUMNS.iter().map(|column| Builder::new(column.kind)).collect();
        Rows { columns, len: 0, bytes: 0, since: i64::MAX, until: i64::MIN }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds a line that was checked.
    pub(crate) fn push(
        &mut self,
        line: &Line<'_, '_>,
        plan: &Plan,
        checked: &Checked,
        derived: &Derived<'_>,
    ) {
        let row = self.len;
        self.len += 1;
        self.bytes += line.raw().len();
        self.since = self.since.min(checked.time_logged.0);
        self.until = self.until.max(checked.time_logged.0);
        for &(column, field) in &plan.texts {
            let field = line.field(field);
            if field.is_empty() {
                continue;
            }
            match &mut self.columns[column] {
                Builder::Text(builder) => {
                    builder.append_nulls(row - builder.len());
                    builder.append_value(field.text());
                }
                Builder::Name(names) => names.set(row, &field.text()),
                Builder::Int(_) | Builder::Time(_) | Builder::Map(_) => {}
            }
        }
        for &(column, _) in &plan.numbers {
            self.set_number(column, row, checked.numbers[column]);
        }
        for (column, name) in derived.names() {
            if let (Builder::Name(names), false) = (&mut self.columns[column], name.is_empty()) {
                names.set(row, name);
            }
        }
        self.set_number(SMTP_CODE, row, derived.smtp_code());
        if let (Builder::Map(builder), false) = (&mut self.columns[EXTRA], plan.extra.is_empty()) {
            push_extra(builder, row, line, plan);
        }
    }

    fn set_number(&mut self, column: usize, row: usize, value: Option<i64>) {
        let Some(value) = value else { return };
        match &mut self.columns[column] {
            Builder::Int(builder) => {
                builder.append_nulls(row - builder.len());
                builder.append_value(value);
            }
            Builder::Time(builder) => {
                builder.append_nulls(row - builder.len());
                builder.append_value(Timestamp(value).micros());
            }
            Builder::Text(_) | Builder::Name(_) | Builder::Map(_) => {}
        }
    }

    /// Everything gathered, sorted, and the builders empty again.
    pub(crate) fn take(&mut self) -> Batch {
        let len = self.len;
        let arrays = self.columns.iter_mut().map(|builder| builder.finish(len)).collect();
        let rows = RecordBatch::try_new(pmtaq_store::schema_of(Table::Records), arrays)
            .expect("built in the order and with the types of COLUMNS");
        let batch = Batch { rows: sorted(&rows), since: self.since, until: self.until };
        *self = Rows { columns: std::mem::take(&mut self.columns), ..Rows::new() };
        batch
    }
}

impl Builder {
    fn new(kind: Kind) -> Builder {
        match kind {
            Kind::Text => Builder::Text(StringBuilder::new()),
            Kind::Name => Builder::Name(Names::new()),
            Kind::Int => Builder::Int(Int64Builder::new()),
            Kind::Time => Builder::Time(TimestampMicrosecondBuilder::new()),
            Kind::Map => {
                let names = MapFieldNames {
                    entry: "key_value".to_owned(),
                    key: "key".to_owned(),
                    value: "value".to_owned(),
                };
                let (keys, values) = (StringBuilder::new(), StringBuilder::new());
                Builder::Map(Box::new(MapBuilder::new(Some(names), keys, values)))
            }
        }
    }

    /// The column of `len` rows; the builder is empty then.
    fn finish(&mut self, len: usize) -> ArrayRef {
        match self {
            Builder::Text(builder) => {
                builder.append_nulls(len - builder.len());
                Arc::new(builder.finish())
            }
            Builder::Name(names) => names.finish(len),
            Builder::Int(builder) => {
                builder.append_nulls(len - builder.len());
                Arc::new(builder.finish())
            }
            Builder::Time(builder) => {
                builder.append_nulls(len - builder.len());
                Arc::new(builder.finish())
            }
            Builder::Map(builder) => {
                pad_map(builder, len);
                Arc::new(builder.finish())
            }
        }
    }
}

fn pad_map(builder: &mut MapBuilder<StringBuilder, StringBuilder>, len: usize) {
    while builder.len() < len {
        builder.append(false).expect("keys and values are appended in pairs");
    }
}

/// The fields that no column takes, as a map; null when all are empty.
fn push_extra(
    builder: &mut MapBuilder<StringBuilder, StringBuilder>,
    row: usize,
    line: &Line<'_, '_>,
    plan: &Plan,
) {
    let fields = plan.extra.iter().map(|(field, key)| (line.field(*field), key));
    let mut any = false;
    for (field, key) in fields.filter(|(field, _)| !field.is_empty()) {
        if !any {
            pad_map(builder, row);
        }
        builder.keys().append_value(key);
        builder.values().append_value(field.text());
        any = true;
    }
    if any {
        builder.append(true).expect("keys and values are appended in pairs");
    }
}

/// Rows by recipient domain, then VMTA, then time: alike values side by side compress better and
/// let a query for one domain skip pages.
fn sorted(rows: &RecordBatch) -> RecordBatch {
    let domain = ranks(rows.column(RCPT_DOMAIN));
    let vmta = ranks(rows.column(VMTA));
    let time = rows.column(TIME_LOGGED).as_primitive::<TimestampMicrosecondType>().values();
    let mut order: Vec<(u64, i64, u32)> = (0..u32::try_from(rows.num_rows()).unwrap_or(u32::MAX))
        .map(|i| {
            let at = i as usize;
            (u64::from(domain[at]) << 32 | u64::from(vmta[at]), time[at], i)
        })
        .collect();
    order.sort_unstable();
    let indices = UInt32Array::from_iter_values(order.into_iter().map(|(_, _, i)| i));
    take_record_batch(rows, &indices).expect("indices of the rows themselves")
}

/// For each row the rank of its name among all names of the column, nulls last.
fn ranks(column: &ArrayRef) -> Vec<u32> {
    let names = column.as_dictionary::<Int32Type>();
    let values = names.values().as_string::<i32>();
    let mut by_name: Vec<usize> = (0..values.len()).collect();
    by_name.sort_unstable_by_key(|&i| values.value(i));
    let mut rank_of = vec![0_u32; values.len()];
    for (rank, i) in by_name.into_iter().enumerate() {
        rank_of[i] = u32::try_from(rank).unwrap_or(u32::MAX);
    }
    names.keys_iter().map(|key| key.map_or(u32::MAX, |key| rank_of[key])).collect()
}
