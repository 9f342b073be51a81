//! How each table is written as Parquet: the Arrow types of its columns, their compression, the writer's
//! properties. Knows no file.

use std::sync::{Arc, OnceLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use pmtaq_schema::columns::{HOURLY, REJECTS};
use pmtaq_schema::{COLUMNS, Column, Frequency, Kind};

use crate::layout::Table;

/// Rows in a row group. Measured: best query times and least memory of 64k to 512k.
pub const ROW_GROUP_ROWS: usize = 128 * 1024;

/// A run or a row group of rare types has this part of the rows of another: it takes long to fill, a run lies in memory
/// until then, and a row group of most of a day is read for an hour.
const RARE_PART: usize = 4;

/// The rows of a run or row group of types of one frequency, where one of common types has `common`.
pub fn rows_of(frequency: Frequency, common: usize) -> usize {
    match frequency {
        Frequency::Common => common,
        Frequency::Rare => common.div_ceil(RARE_PART),
    }
}

/// The column of records in which people look for one value, most often, and in any case of letters.
pub(crate) const RECIPIENT: &str = "rcpt";

/// The columns of records whose row groups have a Bloom filter, and of values that a row group has not got the share
/// that it may seem to have. For the first that takes half a byte a record, where a message has two, and for the second
/// half of that; a tenth of a share would take twice as much.
const LOOKED_UP: [(&str, f64); 2] = [(RECIPIENT, 0.06), ("message_id", 0.4)];

/// The Arrow type in which a column of the given kind is built and written.
pub fn arrow_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text => DataType::Utf8,
        Kind::Name => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        Kind::Int => DataType::Int64,
        Kind::Hash => DataType::UInt64,
        Kind::Time => DataType::Timestamp(TimeUnit::Millisecond, None),
        Kind::Map => map_of(&DataType::Utf8, true),
        Kind::Counts => map_of(&DataType::Int64, false),
    }
}

fn map_of(inner: &DataType, nullable: bool) -> DataType {
    let entry = |name, nullable| Arc::new(Field::new(name, inner.clone(), nullable));
    let entries = DataType::Struct(vec![entry("key", false), entry("value", nullable)].into());
    DataType::Map(Arc::new(Field::new("key_value", entries, false)), false)
}

/// The Arrow schema of a table, column by column as the schema lists them.
pub fn schema_of(table: Table) -> SchemaRef {
    let of = |columns: &[Column], required: &[&str]| {
        let fields = columns.iter().map(|column| {
            Field::new(column.name, arrow_type(column.kind), !required.contains(&column.name))
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    };
    static RECORDS: OnceLock<SchemaRef> = OnceLock::new();
    static ROLLED_UP: OnceLock<SchemaRef> = OnceLock::new();
    static REJECTED: OnceLock<SchemaRef> = OnceLock::new();
    match table {
        Table::Records => {
            RECORDS.get_or_init(|| of(COLUMNS, &["time_logged", "rec", "host", "source"])).clone()
        }
        Table::Hourly | Table::DailySenders | Table::DailyDomains => ROLLED_UP
            .get_or_init(|| of(HOURLY, &["hour", "rec", "host", "reached", "records", "bytes"]))
            .clone(),
        Table::Rejects => REJECTED
            .get_or_init(|| of(REJECTS, &["ingested_at", "source", "host", "reason", "raw"]))
            .clone(),
    }
}

/// How pages are compressed: level 3 would cost a third more time for a twentieth less size.
pub(crate) fn zstd_level() -> ZstdLevel {
    ZstdLevel::try_new(1).expect("1 is a level of zstd")
}

pub(crate) fn compression() -> Compression {
    Compression::ZSTD(zstd_level())
}

pub(crate) fn properties() -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("pmtaq ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(compression())
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_write_batch_size(8192);
    for column in COLUMNS.iter().filter(|column| matches!(column.kind, Kind::Text | Kind::Hash)) {
        // Nearly every row has its own value: a dictionary would be built and thrown away, and
        // the least and the greatest of a hundred thousand addresses rule out no question.
        let path = ColumnPath::from(column.name);
        builder = builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_statistics_enabled(path, EnabledStatistics::None);
    }
    for (column, share) in LOOKED_UP {
        builder = builder.set_column_bloom_filter_fpp(ColumnPath::from(column), share);
    }
    builder.build()
}
