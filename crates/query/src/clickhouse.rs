//! Statements for ClickHouse: tables that hold what a store holds, and how a part comes into them. Sends
//! nothing, and reads no part.
//!
//! A table is partitioned by the day of the store, and each row has the name of the part that it came with: the
//! table itself says what of a store is in it.

use std::fmt::Write as _;

use arrow::datatypes::{DataType, Field};
use pmtaq_schema::time::Day;
use pmtaq_store::layout::Table;
use pmtaq_store::schema_of;

/// Where a table of the store lies in ClickHouse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    table: Table,
    database: String,
    name: String,
}

impl Target {
    /// The table `PREFIXrecords` of a database.
    ///
    /// # Errors
    /// A sentence, when one of both is no name without quotes.
    pub fn new(table: Table, database: &str, prefix: &str) -> Result<Target, String> {
        let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let is_name = |text: &str| is_plain(text) && !text.is_empty();
        if !is_name(database) {
            return Err(format!("`{database}` is no name of a database: letters, digits and _"));
        }
        if !is_plain(prefix) {
            return Err(format!(
                "`{prefix}` is no beginning of a table's name: letters, digits and _"
            ));
        }
        let name = format!("{prefix}{table}");
        Ok(Target { table, database: database.to_owned(), name })
    }

    /// The table of the store.
    pub fn table(&self) -> Table {
        self.table
    }

    fn here(&self) -> String {
        format!("`{}`.`{}`", self.database, self.name)
    }

    /// Where a day is gathered before it takes the place of what is there.
    fn aside(&self) -> String {
        format!("`{}`.`{}_day`", self.database, self.name)
    }

    /// Makes the database.
    pub fn create_database(&self) -> String {
        format!("create database if not exists `{}`", self.database)
    }

    /// Makes the table where there is none.
    pub fn create(&self) -> String {
        let time = time_of(self.table);
        let mut columns = String::new();
        for (name, kind) in columns_of(self.table) {
            let _ = writeln!(columns, "    `{name}` {kind},");
        }
        format!(
            "create table if not exists {} (\n{columns}    `part` LowCardinality(String)\n)\n\
             engine = MergeTree\npartition by toDate({time})\norder by (rec, host, {time})\n\
             settings non_replicated_deduplication_window = 1000",
            self.here()
        )
    }

    /// Adds the columns that an older table lacks.
    pub fn widen(&self) -> String {
        let columns = columns_of(self.table);
        let adds = columns.map(|(name, kind)| format!("add column if not exists `{name}` {kind}"));
        format!("alter table {} {}", self.here(), adds.collect::<Vec<_>>().join(", "))
    }

    /// Asks which rows are there: day, part and count, separated by tabs.
    pub fn there(&self) -> String {
        let time = time_of(self.table);
        format!(
            "select toString(toDate({time})) as day, part, count() as n from {} group by day, part \
             order by day, part format TabSeparated",
            self.here()
        )
    }

    /// Inserts a part, whose bytes are the rest of the request; into the day that is gathered if `is_aside`.
    pub fn insert(&self, part: &str, is_aside: bool) -> String {
        let columns: Vec<(String, String)> = columns_of(self.table).collect();
        let names: String = columns.iter().map(|(name, _)| format!("`{name}`, ")).collect();
        let kinds: Vec<String> =
            columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
        format!(
            "insert into {} ({names}`part`) select {names}{} from input({}) format Parquet",
            if is_aside { self.aside() } else { self.here() },
            quoted(part),
            quoted(&kinds.join(", "))
        )
    }

    /// Makes an empty place for a day to be gathered in.
    pub fn gather(&self) -> [String; 2] {
        let aside = self.aside();
        [
            format!("drop table if exists {aside}"),
            format!("create table {aside} as {}", self.here()),
        ]
    }

    /// Asks how many rows were gathered.
    pub fn gathered(&self) -> String {
        format!("select count() from {} format TabSeparated", self.aside())
    }

    /// Puts what was gathered in place of a day, at once.
    pub fn replace(&self, day: Day) -> [String; 2] {
        let (here, aside) = (self.here(), self.aside());
        [
            format!("alter table {here} replace partition '{day}' from {aside}"),
            format!("drop table if exists {aside}"),
        ]
    }

    /// Takes a day away.
    pub fn drop_day(&self, day: Day) -> String {
        format!("alter table {} drop partition '{day}'", self.here())
    }
}

/// The time by whose day the rows of a table lie apart.
fn time_of(table: Table) -> &'static str {
    match table {
        Table::Records => "time_logged",
        Table::Hourly | Table::DailySenders | Table::DailyDomains => "hour",
        Table::Rejects => "ingested_at",
    }
}

/// The columns of a table with their types.
fn columns_of(table: Table) -> impl Iterator<Item = (String, String)> {
    let schema = schema_of(table);
    let columns: Vec<_> =
        schema.fields().iter().map(|field| (field.name().clone(), type_of(field))).collect();
    columns.into_iter()
}

fn type_of(field: &Field) -> String {
    let or_null = |name: &str| {
        if field.is_nullable() { format!("Nullable({name})") } else { name.to_owned() }
    };
    match field.data_type() {
        DataType::Int64 => or_null("Int64"),
        DataType::UInt64 => or_null("UInt64"),
        DataType::Timestamp(..) => or_null("DateTime64(3, 'UTC')"),
        DataType::Dictionary(..) => format!("LowCardinality({})", or_null("String")),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(of) if *of[1].data_type() == DataType::Int64 => {
                "Map(Int64, Int64)".to_owned()
            }
            _ => "Map(String, Nullable(String))".to_owned(),
        },
        _ => or_null("String"),
    }
}

/// A text between quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_texts_are_quoted() {
        let target = Target::new(Table::Records, "mail", "pmta_").expect("names");
        let insert = target.insert("it's \\ one.parquet", false);
        assert!(
            insert.starts_with("insert into `mail`.`pmta_records` (`time_logged`, "),
            "{insert}"
        );
        assert!(insert.contains(r" select `time_logged`, `rec`, "), "{insert}");
        assert!(
            insert.contains(
                r"'it\'s \\ one.parquet' from input('time_logged DateTime64(3, \'UTC\'), "
            )
        );
        for (database, prefix) in [("a b", ""), ("", ""), ("a", "x`"), ("a;drop", "")] {
            assert!(Target::new(Table::Hourly, database, prefix).is_err(), "{database} {prefix}");
        }
    }
}
