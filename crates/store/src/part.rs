//! Parquet parts: the Arrow types of the columns, the writer's properties, a part being staged.
//! Writes the batches it is given and never looks inside them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use pmtaq_schema::columns::{HOURLY, REJECTS};
use pmtaq_schema::time::Day;
use pmtaq_schema::{COLUMNS, Column, Kind};

use crate::checksum::Summed;
use crate::error::{At, Result};
use crate::fs::Disk;
use crate::layout::Table;
use crate::manifest::Part;

/// Rows in a row group. Measured: best query times and least memory of 64k to 512k.
pub const ROW_GROUP_ROWS: usize = 128 * 1024;

/// The Arrow type in which a column of the given kind is built and written.
pub fn arrow_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text => DataType::Utf8,
        Kind::Name => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        Kind::Int => DataType::Int64,
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
        Table::Hourly => ROLLED_UP
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
    for column in COLUMNS.iter().filter(|column| column.kind == Kind::Text) {
        // Nearly every row has its own value: a dictionary would be built and thrown away, and
        // the least and the greatest of a hundred thousand addresses rule out no question.
        let path = ColumnPath::from(column.name);
        builder = builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_statistics_enabled(path, EnabledStatistics::None);
    }
    builder.build()
}

/// A part being written to the staging folder, invisible to everyone.
pub struct PartWriter<'a> {
    disk: &'a Disk,
    path: PathBuf,
    writer: ArrowWriter<Summed>,
    part: Part,
    day: Day,
}

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
        parts.into_iter().for_each(|part| self.part.generations.extend(&part.generations));
        self
    }

    /// Size of the part in bytes.
    pub fn bytes(&self) -> u64 {
        self.part.bytes
    }
}

impl<'a> PartWriter<'a> {
    pub(crate) fn create(
        disk: &'a Disk,
        staging: &Path,
        table: Table,
        day: Day,
        name: String,
    ) -> Result<PartWriter<'a>> {
        let path = staging.join(&name);
        let file = Summed::new(disk.create(&path)?);
        // Without Arrow's own schema in the file other tools see text, not dictionaries.
        let options =
            ArrowWriterOptions::new().with_properties(properties()).with_skip_arrow_metadata(true);
        let writer =
            ArrowWriter::try_new_with_options(file, schema_of(table), options).at(&path)?;
        let part = Part::new(table, name);
        Ok(PartWriter { disk, path, writer, part, day })
    }

    /// Adds the rows of `batch`, whose times lie from `since` to `until`, in UTC seconds.
    ///
    /// # Errors
    /// [`crate::Error::Parquet`] when the disk is full or the batch has another schema.
    pub fn write(&mut self, batch: &RecordBatch, since: i64, until: i64) -> Result<()> {
        self.part.rows += batch.num_rows() as u64;
        self.part.since = self.part.since.min(since);
        self.part.until = self.part.until.max(until);
        self.writer.write(batch).at(&self.path)
    }

    /// Rows added so far.
    pub fn rows(&self) -> u64 {
        self.part.rows
    }

    /// Writes the row group that has begun, whose pages are held until then.
    ///
    /// # Errors
    /// [`crate::Error::Parquet`] when the disk is full.
    pub fn end_group(&mut self) -> Result<()> {
        self.writer.flush().at(&self.path)
    }

    /// Completes and syncs the file.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Parquet`] when the disk is full.
    pub fn finish(mut self) -> Result<NewPart> {
        self.writer.finish().at(&self.path)?;
        self.part.seal(self.writer.inner());
        self.disk.sync(self.writer.inner().file(), &self.path)?;
        Ok(NewPart { part: self.part, day: self.day })
    }
}
