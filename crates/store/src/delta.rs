//! A Delta log beside the parts of a table, for engines that read a table by its log and not by a
//! glob: each commit of the store that changes the table is a version of it. The truth stays the
//! root, which says what version its own commit is; the log is made from it, never read.
//!
//! As `PROTOCOL.md` of the Delta project has it: reader 3, writer 7, `timestampNtz`.

mod checkpoint;
mod log;
mod published;

use arrow::datatypes::DataType;
use pmtaq_schema::Timestamp;
use serde_json::{Value, json};

use crate::checksum;
use crate::error::{At, Result};
use crate::layout::{self, Table};
use crate::manifest::{Part, Root};
use crate::snapshot::read_parts;
use crate::table::schema_of;
pub(crate) use log::Log;
pub(crate) use published::Published;
use published::columns_of;

/// Versions from one checkpoint to the next: a reader reads so many small files at most.
const CHECKPOINT_EVERY: u64 = 50;

/// Versions before a checkpoint that are kept, so that who began to read can go on.
const KEPT: u64 = 1000;

/// Says in `root`, which is to take the place of `old`, which version of each table it is. A log that
/// is not what `old` says begins anew: it is gone, or a disk was full.
pub(crate) fn plan(log: &Log<'_>, old: &Root, root: &mut Root) -> Result<()> {
    for (&table, published) in &mut root.delta {
        let before = old.delta.get(&table);
        let is_there = before.is_some_and(|before| log.is_at(table, before.version));
        let Some(before) = before.filter(|_| is_there) else {
            remove(log, table)?;
            *published = Published::new(table);
            continue;
        };
        let columns = columns_of(table);
        let has_new_columns = columns != before.columns;
        if has_new_columns || root.moves.iter().any(|step| step.table == table) {
            let (version, id) = (before.version + 1, before.id.clone());
            *published = Published { version, columns, has_new_columns, id };
        }
    }
    Ok(())
}

/// Writes the versions that `root` names and that are not there yet.
pub(crate) fn publish(log: &Log<'_>, root: &Root) -> Result<()> {
    for (&table, published) in &root.delta {
        let (version, path) = (published.version, log.version(table, published.version));
        if log.has(&path)? {
            continue;
        }
        let now = log.now_ms()?;
        let mut lines = vec![json!({"commitInfo": {
            "timestamp": now,
            "operation": "WRITE",
            "engineInfo": concat!("pmtaq/", env!("CARGO_PKG_VERSION")),
            "pmtaqGeneration": root.generation,
        }})];
        if version == 0 {
            lines.push(json!({"protocol": protocol()}));
        }
        if published.has_new_columns {
            lines.push(json!({"metaData": metadata(log, table, published, now)}));
        }
        lines.extend(match version {
            0 => adds(log, root, table)?.into_iter().map(|add| json!({"add": add})).collect(),
            _ => changes(log, root, table, now)?,
        });
        // Of a log that was lost in a bucket the checkpoint says all.
        let follows = version == 0 || log.has(&log.version(table, version - 1))?;
        if !follows || version > 0 && version.is_multiple_of(CHECKPOINT_EVERY) {
            write_checkpoint(log, root, table, published, now)?;
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        log.put_new(&path, text.as_bytes())?;
    }
    Ok(())
}

/// Ends the log of a table: who reads it by the log reads it no more.
pub(crate) fn remove(log: &Log<'_>, table: Table) -> Result<()> {
    log.names(table)?.iter().try_for_each(|name| log.remove(table, name))?;
    log.remove_folder(table)
}

/// What the moves of the last commit add to the table and take from it.
fn changes(log: &Log<'_>, root: &Root, table: Table, now: i64) -> Result<Vec<Value>> {
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
        let parts = read_parts(log.place, root, step.day())?;
        let part = parts.iter().find(|part| part.table == table && part.name == step.name);
        lines.extend(
            part.map(|part| add(log, date, part)).transpose()?.map(|add| json!({"add": add})),
        );
    }
    Ok(lines)
}

/// All parts of the table.
fn adds(log: &Log<'_>, root: &Root, table: Table) -> Result<Vec<Value>> {
    let mut adds = Vec::new();
    let days = root.days();
    log.place.expect_lists(days.filter_map(|(day, entry)| entry.parts_in(log.dir(), day)));
    for (day, _) in root.days() {
        for part in read_parts(log.place, root, day)?.iter().filter(|part| part.table == table) {
            adds.push(add(log, &day.to_string(), part)?);
        }
    }
    Ok(adds)
}

fn add(log: &Log<'_>, date: &str, part: &Part) -> Result<Value> {
    let path = path_of(date, &part.name);
    Ok(json!({
        "path": path,
        "partitionValues": {"date": date},
        "size": part.bytes,
        "modificationTime": log.modified_ms(&layout::table(log.dir(), part.table).join(&path))?,
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

/// What the table is. A log that begins anew is another table for who follows it.
fn metadata(log: &Log<'_>, table: Table, published: &Published, now: i64) -> Value {
    let id = match published.id.as_str() {
        "" => checksum::of(format!("{} {table}", log.dir().display()).as_bytes()),
        id => id.to_owned(),
    };
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
    log: &Log<'_>,
    root: &Root,
    table: Table,
    published: &Published,
    now: i64,
) -> Result<()> {
    let (adds, version) = (adds(log, root, table)?, published.version);
    let folder = layout::delta(log.dir(), table);
    let path = folder.join(format!("{version:020}.checkpoint.parquet"));
    let metadata = metadata(log, table, published, now);
    let bytes = checkpoint::to_bytes(&protocol(), &metadata, &adds).at(&path)?;
    log.put(&path, &bytes)?;
    let last = json!({"version": version, "size": adds.len() + 2});
    log.put(&folder.join("_last_checkpoint"), last.to_string().as_bytes())?;
    let kept = |name: &String| {
        let number = name.split('.').next().and_then(|number| number.parse::<u64>().ok());
        number.is_none_or(|number| number + KEPT > version)
    };
    let old = log.names(table)?.into_iter().filter(|name| !kept(name));
    old.into_iter().try_for_each(|name| log.remove(table, &name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Disk;
    use crate::place::Location;

    #[test]
    fn a_program_that_knows_more_columns_says_so_in_its_next_version() {
        let folder = tempfile::tempdir().expect("a folder");
        let (dir, disk) = (folder.path(), Disk::default());
        crate::Store::create(dir, Disk::default()).expect("a store");
        let place = Location::folder(dir);
        let log = Log { place: &place, disk: &disk, now: None };
        let version = |n| layout::delta_version(dir, Table::Records, n);
        let with =
            |published| Root { delta: [(Table::Records, published)].into(), ..Root::default() };
        let mut root = with(Published { columns: 3, ..Published::new(Table::Records) });
        publish(&log, &root).expect("version 0");
        assert!(version(0).exists());

        let old = root.clone();
        plan(&log, &old, &mut root).expect("a plan");
        publish(&log, &root).expect("version 1");
        let text = std::fs::read_to_string(version(1)).expect("version 1");
        assert!(text.contains("metaData") && text.contains("dlv_source_ip"), "{text}");

        let old = root.clone();
        plan(&log, &old, &mut root).expect("a plan");
        assert_eq!(root.delta[&Table::Records].version, 1, "nothing is new");
    }
}
