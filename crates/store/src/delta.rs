//! A Delta log beside the parts of a table, for engines that read a table by its log and not by a
//! glob: each commit of the store that changes the table is a version of it. The truth stays the
//! root, which says what version its own commit is; the log is made from it, never read.
//!
//! As `PROTOCOL.md` of the Delta project has it: reader 3, writer 7, `timestampNtz`.

mod checkpoint;

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use arrow::datatypes::DataType;
use pmtaq_schema::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::checksum;
use crate::error::{At, Result};
use crate::fs::{self, Disk};
use crate::layout::{self, Table};
use crate::manifest::{Part, Root};
use crate::part::schema_of;
use crate::place::Place;
use crate::snapshot::read_parts;

/// Versions from one checkpoint to the next: a reader reads so many small files at most.
const CHECKPOINT_EVERY: u64 = 50;

/// Versions before a checkpoint that are kept, so that who began to read can go on.
const KEPT: u64 = 1000;

/// Where the log of a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Published {
    /// The version that the last commit that changed the table is.
    pub(crate) version: u64,
    /// How many columns the table is said to have; a later program may know more.
    columns: usize,
    /// Whether this version is the first to say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    has_new_columns: bool,
}

impl Published {
    /// A log that begins.
    pub(crate) fn new(table: Table) -> Published {
        Published { version: 0, columns: columns_of(table), has_new_columns: true }
    }
}

fn columns_of(table: Table) -> usize {
    schema_of(table).fields().len()
}

/// Says in `root`, which is to take the place of `old`, which version of each table it is. A log that
/// is not what `old` says begins anew: it is gone, or a disk was full.
pub(crate) fn plan(dir: &Path, disk: &Disk, old: &Root, root: &mut Root) -> Result<()> {
    for (&table, published) in &mut root.delta {
        let is_there = |of: &Published| layout::delta_version(dir, table, of.version).exists();
        let Some(before) = old.delta.get(&table).filter(|before| is_there(before)) else {
            remove(dir, disk, table)?;
            *published = Published::new(table);
            continue;
        };
        let columns = columns_of(table);
        let has_new_columns = columns != before.columns;
        if has_new_columns || root.moves.iter().any(|step| step.table == table) {
            *published = Published { version: before.version + 1, columns, has_new_columns };
        }
    }
    Ok(())
}

/// Writes the versions that `root` names and that are not there yet.
pub(crate) fn publish(dir: &Path, disk: &Disk, root: &Root) -> Result<()> {
    for (&table, published) in &root.delta {
        let path = layout::delta_version(dir, table, published.version);
        if path.exists() {
            continue;
        }
        disk.create_dir(&layout::delta(dir, table))?;
        let now = modified_ms(&layout::root(dir))?;
        let mut lines = vec![json!({"commitInfo": {
            "timestamp": now,
            "operation": "WRITE",
            "engineInfo": concat!("pmtaq/", env!("CARGO_PKG_VERSION")),
            "pmtaqGeneration": root.generation,
        }})];
        if published.version == 0 {
            lines.push(json!({"protocol": protocol()}));
        }
        if published.has_new_columns {
            lines.push(json!({"metaData": metadata(dir, table, now)}));
        }
        lines.extend(match published.version {
            0 => adds(dir, root, table)?.into_iter().map(|add| json!({"add": add})).collect(),
            _ => changes(dir, root, table, now)?,
        });
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        disk.write_atomic(&path, text.as_bytes())?;
        if published.version > 0 && published.version.is_multiple_of(CHECKPOINT_EVERY) {
            write_checkpoint(dir, disk, root, table, published.version, now)?;
        }
    }
    Ok(())
}

/// Ends the log of a table: who reads it by the log reads it no more.
pub(crate) fn remove(dir: &Path, disk: &Disk, table: Table) -> Result<()> {
    let log = layout::delta(dir, table);
    for name in fs::names(&log)? {
        disk.remove(&log.join(name))?;
    }
    disk.remove_empty_dir(&log)
}

/// What the moves of the last commit add to the table and take from it.
fn changes(dir: &Path, root: &Root, table: Table, now: i64) -> Result<Vec<Value>> {
    let mut lines = Vec::new();
    for step in root.moves.iter().filter(|step| step.table == table) {
        let date = &step.date;
        if step.leaves {
            let path = path_of(date, &step.name);
            // Of a compaction the rows stay; of an erasure they do not. It is not told apart.
            lines.push(
                json!({"remove": {"path": path, "deletionTimestamp": now, "dataChange": true}}),
            );
            continue;
        }
        let parts = read_parts(&Place::folder(dir), root, step.day())?;
        let part = parts.iter().find(|part| part.table == table && part.name == step.name);
        lines.extend(
            part.map(|part| add(dir, date, part)).transpose()?.map(|add| json!({"add": add})),
        );
    }
    Ok(lines)
}

/// All parts of the table.
fn adds(dir: &Path, root: &Root, table: Table) -> Result<Vec<Value>> {
    let mut adds = Vec::new();
    for (day, _) in root.days() {
        for part in
            read_parts(&Place::folder(dir), root, day)?.iter().filter(|part| part.table == table)
        {
            adds.push(add(dir, &day.to_string(), part)?);
        }
    }
    Ok(adds)
}

fn add(dir: &Path, date: &str, part: &Part) -> Result<Value> {
    let path = path_of(date, &part.name);
    Ok(json!({
        "path": path,
        "partitionValues": {"date": date},
        "size": part.bytes,
        "modificationTime": modified_ms(&layout::table(dir, part.table).join(&path))?,
        "dataChange": true,
        "stats": stats(part).to_string(),
    }))
}

/// How many rows a part has, and of records between what times they lie. Seconds are what is known, so
/// the bounds are wider than the values.
fn stats(part: &Part) -> Value {
    let is_empty = part.since > part.until;
    if part.table != Table::Records || is_empty {
        return json!({"numRecords": part.rows});
    }
    let time = |at: i64, ms| format!("{}.{ms}", Timestamp(at).to_string().trim_end_matches('Z'));
    json!({
        "numRecords": part.rows,
        "tightBounds": false,
        "minValues": {"time_logged": time(part.since, "000")},
        "maxValues": {"time_logged": time(part.until, "999")},
    })
}

fn path_of(date: &str, name: &str) -> String {
    format!("date={date}/{name}")
}

fn protocol() -> Value {
    json!({
        "minReaderVersion": 3, "minWriterVersion": 7,
        "readerFeatures": ["timestampNtz"], "writerFeatures": ["timestampNtz"],
    })
}

/// What the table is. Its id follows from where the store lies and when the log began: a log that
/// begins anew is another table for who follows it.
fn metadata(dir: &Path, table: Table, now: i64) -> Value {
    let id = checksum::of(format!("{} {table} {now}", dir.display()).as_bytes());
    let id = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..32]].join("-");
    json!({
        "id": id,
        "name": table.to_string(),
        "format": {"provider": "parquet", "options": {}},
        "schemaString": schema_string(table),
        "partitionColumns": ["date"],
        "createdTime": now,
        "configuration": {},
    })
}

/// The columns in Delta's own spelling.
fn schema_string(table: Table) -> String {
    let field =
        |name: &str, of: Value| json!({"name": name, "type": of, "nullable": true, "metadata": {}});
    let schema = schema_of(table);
    let columns = schema.fields().iter().map(|f| field(f.name(), delta_type(f.data_type())));
    let fields: Vec<Value> = columns.chain([field("date", json!("date"))]).collect();
    json!({"type": "struct", "fields": fields}).to_string()
}

fn delta_type(of: &DataType) -> Value {
    match of {
        DataType::Int64 => json!("long"),
        DataType::Timestamp(..) => json!("timestamp_ntz"),
        DataType::Map(entries, _) => {
            let DataType::Struct(entry) = entries.data_type() else { return json!("string") };
            json!({
                "type": "map",
                "keyType": delta_type(entry[0].data_type()),
                "valueType": delta_type(entry[1].data_type()),
                "valueContainsNull": entry[1].is_nullable(),
            })
        }
        _ => json!("string"),
    }
}

fn write_checkpoint(
    dir: &Path,
    disk: &Disk,
    root: &Root,
    table: Table,
    version: u64,
    now: i64,
) -> Result<()> {
    let adds = adds(dir, root, table)?;
    let log = layout::delta(dir, table);
    let path = log.join(format!("{version:020}.checkpoint.parquet"));
    let bytes = checkpoint::to_bytes(&protocol(), &metadata(dir, table, now), &adds).at(&path)?;
    disk.write_atomic(&path, &bytes)?;
    let last = json!({"version": version, "size": adds.len() + 2});
    disk.write_atomic(&log.join("_last_checkpoint"), last.to_string().as_bytes())?;
    let kept = |name: &String| {
        let number = name.split('.').next().and_then(|number| number.parse::<u64>().ok());
        number.is_none_or(|number| number + KEPT > version)
    };
    let old = fs::names(&log)?.into_iter().filter(|name| !kept(name));
    old.into_iter().try_for_each(|name| disk.remove(&log.join(name)))
}

/// When a file was written, in milliseconds since 1970.
fn modified_ms(path: &Path) -> Result<i64> {
    let file = std::fs::metadata(path).at(path)?;
    Ok(file.mtime() * 1000 + file.mtime_nsec() / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_knows_more_columns_says_so_in_its_next_version() {
        let folder = tempfile::tempdir().expect("a folder");
        let (dir, disk) = (folder.path(), Disk::default());
        crate::Store::create(dir, Disk::default()).expect("a store");
        let version = |n| layout::delta_version(dir, Table::Records, n);
        let with =
            |published| Root { delta: [(Table::Records, published)].into(), ..Root::default() };
        let mut root = with(Published { columns: 3, ..Published::new(Table::Records) });
        publish(dir, &disk, &root).expect("version 0");
        assert!(version(0).exists());

        let old = root.clone();
        plan(dir, &disk, &old, &mut root).expect("a plan");
        publish(dir, &disk, &root).expect("version 1");
        let text = std::fs::read_to_string(version(1)).expect("version 1");
        assert!(text.contains("metaData") && text.contains("dlv_source_ip"), "{text}");

        let old = root.clone();
        plan(dir, &disk, &old, &mut root).expect("a plan");
        assert_eq!(root.delta[&Table::Records].version, 1, "nothing is new");
    }
}
