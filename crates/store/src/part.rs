//! Parquet parts: the Arrow types of the columns, the writer's properties, a part being staged from
//! batches.

use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use pmtaq_schema::columns::{HOURLY, REJECTS};
use pmtaq_schema::time::Day;
use pmtaq_schema::{COLUMNS, Column, Kind};

use crate::encode::Encoder;
use crate::error::Result;
use crate::gathered::Gathered;
use crate::layout::Table;
use crate::manifest::Part;
use crate::run::RunWriter;

/// Rows in a row group. Measured: best query times and least memory of 64k to 512k.
pub const ROW_GROUP_ROWS: usize = 128 * 1024;

/// Rows in a page of a part that is made of batches: about as many as a run of ingest has.
const PAGE_ROWS: usize = 32 * 1024;

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
    builder.build()
}

/// A part being written to the staging folder from batches, invisible to everyone.
pub struct PartWriter<'a> {
    run: RunWriter<'a>,
    encoder: Encoder,
    gathered: Gathered,
    /// Earliest and latest time that the rows gathered may have.
    times: (i64, i64),
}

/// The times of no row.
const NO_TIMES: (i64, i64) = (i64::MAX, i64::MIN);

/// A part that was written and synced, and waits for a commit.
#[derive(Clone, Debug)]
pub struct NewPart {
    pub(crate) part: Part,
    pub(crate) day: Day,
}

impl NewPart {
    /// Rows in the part.
    pub fn rows(&self) -> u64 {
        self.part.rows
    }

    /// The table that it belongs to.
    pub fn table(&self) -> Table {
        self.part.table
    }

    /// The day of its partition.
    pub fn day(&self) -> Day {
        self.day
    }

    /// Says that its rows are some of those of `parts`, and not new ones.
    #[must_use]
    pub fn made_of<'p>(mut self, parts: impl IntoIterator<Item = &'p Part>) -> NewPart {
        for part in parts {
            self.part.generations.extend(&part.generations);
            self.part.derived = self.part.derived.min(part.derived);
        }
        self
    }

    /// Says that its rows are those of `part`, a part of `hourly`, added up.
    #[must_use]
    pub fn sums_up(mut self, part: &Part) -> NewPart {
        self.part.sums = Some(part.name.clone());
        self.made_of([part])
    }

    /// Size of the part in bytes.
    pub fn bytes(&self) -> u64 {
        self.part.bytes
    }
}

impl<'a> PartWriter<'a> {
    pub(crate) fn new(table: Table, run: RunWriter<'a>, encoder: Encoder) -> PartWriter<'a> {
        PartWriter { run, encoder, gathered: Gathered::new(table), times: NO_TIMES }
    }

    /// Adds the rows of `batch`, which has the schema of the table and whose times lie from `since` to
    /// `until`, in UTC seconds.
    ///
    /// # Errors
    /// [`crate::Error::Parquet`] when the disk is full.
    pub fn write(&mut self, batch: &RecordBatch, since: i64, until: i64) -> Result<()> {
        let mut at = 0;
        while at < batch.num_rows() {
            let now = (batch.num_rows() - at).min(PAGE_ROWS - self.gathered.rows());
            self.gathered.push(&batch.slice(at, now));
            self.times = (self.times.0.min(since), self.times.1.max(until));
            if self.gathered.rows() == PAGE_ROWS {
                self.end_page()?;
            }
            if self.run.group_rows() >= ROW_GROUP_ROWS {
                self.end_group()?;
            }
            at += now;
        }
        Ok(())
    }

    /// Rows added so far.
    pub fn rows(&self) -> u64 {
        self.run.rows() + self.gathered.rows() as u64
    }

    fn end_page(&mut self) -> Result<()> {
        let rows = self.gathered.rows();
        if rows > 0 {
            let (since, until) = std::mem::replace(&mut self.times, NO_TIMES);
            let cells = self.gathered.cells();
            self.run.write(&mut self.encoder, 0..rows, &cells, since, until)?;
            self.gathered.begin_page();
        }
        Ok(())
    }

    /// Writes the row group that has begun, whose pages are held until then.
    ///
    /// # Errors
    /// [`crate::Error::Parquet`] when the disk is full.
    pub fn end_group(&mut self) -> Result<()> {
        self.end_page()?;
        self.run.end_group(&mut self.encoder, &self.gathered.cells())?;
        self.gathered.begin_group();
        Ok(())
    }

    /// Completes and syncs the file.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Parquet`] when the disk is full.
    pub fn finish(mut self) -> Result<NewPart> {
        self.end_group()?;
        let written = self.run.finish(&mut self.encoder)?;
        Ok(written.sync()?.expect("a part that is complete"))
    }
}
