//! A refused line with its reason, and the rejects of a run as a batch.
//! Nothing is refused without leaving a row here.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Builder, RecordBatch, StringBuilder, StringDictionaryBuilder,
    TimestampMillisecondArray,
};
use arrow::datatypes::Int32Type;
use pmtaq_schema::time::Timestamp;
use pmtaq_store::layout::Table;

/// Bytes of a refused line that are kept.
pub const MAX_RAW: usize = 64 * 1024;

/// Refused lines of a source that are kept: the first ones. All are counted.
pub const MAX_KEPT: u64 = 10_000;

/// Bytes of refused lines of a source that are kept in one run.
pub const MAX_KEPT_BYTES: usize = 16 << 20;

/// A refused line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Line number in the decompressed content, from 1.
    pub line: u64,
    /// Where the line begins in the decompressed content, in bytes.
    pub offset: u64,
    /// Length of the line in bytes.
    pub size: u64,
    /// What is wrong.
    pub why: Refusal,
    /// The line as it stands, up to [`MAX_RAW`].
    pub raw: Vec<u8>,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// PMTA's name of the field, when one field is to blame.
    pub field: Option<String>,
    /// Its value, shortened.
    pub value: Option<String>,
    /// The reason, one of few.
    pub reason: &'static str,
}

impl Refusal {
    /// The whole line is to blame.
    pub fn line(reason: &'static str) -> Refusal {
        Refusal { field: None, value: None, reason }
    }

    /// One field is to blame.
    pub fn field(field: &str, value: &[u8], reason: &'static str) -> Refusal {
        let value = String::from_utf8_lossy(&value[..value.len().min(200)]).into_owned();
        Refusal { field: Some(field.to_owned()), value: Some(value), reason }
    }
}

/// The rows of the table `rejects` for the lines refused of one source.
pub fn batch(path: &str, host: &str, rejects: &[Reject], now: Timestamp) -> RecordBatch {
    let (mut line, mut offset, mut size) =
        (Int64Builder::new(), Int64Builder::new(), Int64Builder::new());
    let (mut value, mut raw) = (StringBuilder::new(), StringBuilder::new());
    let mut names = [(); 4].map(|()| StringDictionaryBuilder::<Int32Type>::new());
    let int = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    for reject in rejects {
        let [source, hosts, field, reason] = &mut names;
        source.append_value(path);
        hosts.append_value(host);
        line.append_value(int(reject.line));
        offset.append_value(int(reject.offset));
        size.append_value(int(reject.size));
        field.append_option(reject.why.field.as_deref());
        value.append_option(reject.why.value.as_deref());
        reason.append_value(reject.why.reason);
        raw.append_value(String::from_utf8_lossy(&reject.raw));
    }
    let [mut source, mut hosts, mut field, mut reason] = names;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(TimestampMillisecondArray::from(vec![now.millis(); rejects.len()])),
        Arc::new(source.finish()),
        Arc::new(hosts.finish()),
        Arc::new(line.finish()),
        Arc::new(offset.finish()),
        Arc::new(size.finish()),
        Arc::new(field.finish()),
        Arc::new(value.finish()),
        Arc::new(reason.finish()),
        Arc::new(raw.finish()),
    ];
    RecordBatch::try_new(pmtaq_store::schema_of(Table::Rejects), columns)
        .expect("built in the order and with the types of REJECTS")
}

/// Text for a message: the beginning of a line, lossy.
pub(crate) fn shorten(line: &[u8]) -> String {
    let line = line[..line.len().min(80)].trim_ascii_end();
    // The last character may be cut.
    match std::str::from_utf8(line) {
        Ok(text) => text.escape_debug().to_string(),
        Err(error) if error.error_len().is_none() => {
            String::from_utf8_lossy(&line[..error.valid_up_to()]).escape_debug().to_string()
        }
        Err(_) => line.escape_ascii().to_string(),
    }
}
