//! `pmtaq connect`: lines to paste into other tools, with the place of this store in them. The
//! store is open Parquet, so that is all that they need.

mod delta;

use std::path::Path;

use pmtaq_query::site_dimensions;
use pmtaq_store::layout::{self, Table};

use crate::args::{self, Tool};
use crate::command_line::single_quoted;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::show::print;
use crate::ui;

pub(crate) fn run(context: &Context, args: &args::Connect) -> Result<Exit> {
    let store = context.store()?;
    if store.is_remote() {
        let logs = store.delta_logs()?;
        if !logs.iter().any(|(table, _)| *table == Table::Records) {
            let why = "a glob over a bucket sees parts that were replaced and are not deleted yet";
            return Err(Failure::usage(why).hint(
                "`pmtaq delta` keeps a log by which other tools read what counts; `pmtaq paths` lists it",
            ));
        }
        let reading =
            delta::reading(args.tool, &store.address(Table::Records)).ok_or_else(|| {
                Failure::usage("the arrow of R reads no Delta log, and so no store in a bucket")
                    .hint("`pmtaq paths` lists the parts that count, each by its address")
            })?;
        print(context, &lines(args.tool, &reading))?;
    } else {
        let dir = std::fs::canonicalize(store.dir())?;
        print(context, &lines(args.tool, &in_folder(args.tool, &dir)))?;
    }
    say_settings(context)?;
    Ok(Exit::Done)
}

/// Names what this site's settings make of the records when they are read, which other tools do not see.
fn say_settings(context: &Context) -> Result<()> {
    if context.classes()?.own().next().is_some() {
        let text = "`bounce_class` of the files is by the usual classes; your [bounce-classes] hold for what \
                    pmtaq answers";
        ui::note(&context.global, text);
    }
    let dimensions: Vec<&str> = site_dimensions().into_iter().map(|of| of.name).collect();
    if !dimensions.is_empty() {
        let names = dimensions.join(", ");
        let text = format!(
            "no file has a column of your [dimensions] ({names}): pmtaq makes them when it reads, and `hourly` \
             keeps those that say so in `site_dimensions`"
        );
        ui::note(&context.global, &text);
    }
    Ok(())
}

/// How a tool reads the records.
struct Reading {
    /// What is good to know, as a sentence.
    note: &'static str,
    /// Lines that come before.
    before: String,
    /// What stands for the records, in the words of the tool.
    records: String,
}

/// The lines for a tool. Each ends with a question that has an answer: records by their type.
fn lines(tool: Tool, Reading { note, before, records }: &Reading) -> String {
    let counted = "select rec, count(*) as records from records group by rec order by rec";
    match tool {
        Tool::Duckdb => format!(
            "-- {note}\n{before}create or replace view records as\n    from {records};\n{counted};\n"
        ),
        Tool::Python => {
            format!("# {note}\n{before}records = {records}\nprint(duckdb.sql(\"{counted}\"))\n")
        }
        Tool::Polars => format!(
            "# {note}\n{before}records = {records}\n\
             print(records.group_by(\"rec\").len().sort(\"rec\").collect())\n"
        ),
        Tool::Pyarrow => format!(
            "# {note}\n{before}records = {records}\n\
             print(records.to_table(columns=[\"rec\"])[\"rec\"].value_counts())\n"
        ),
        Tool::Pandas => format!(
            "# {note}\n{before}records = {records}\nprint(records[\"rec\"].value_counts())\n"
        ),
        Tool::Clickhouse => {
            let question = counted.replace("count(*)", "count()");
            let question = question.replace(" from records ", &format!(" from {records} "));
            format!("clickhouse local --query {}\n", single_quoted(&question))
        }
        Tool::Spark => format!(
            "# {note}\nfrom pyspark.sql import SparkSession\n\
             spark = SparkSession.builder.appName(\"pmtaq\").getOrCreate()\n\
             {before}records = {records}\n\
             records.groupBy(\"rec\").count().orderBy(\"rec\").show()\n"
        ),
        Tool::R => format!(
            "# {note}\nlibrary(dplyr)\n{before}records <- {records}\n\
             records |> count(rec) |> arrange(rec) |> collect()\n"
        ),
    }
}

/// How a tool reads the files of a folder.
fn in_folder(tool: Tool, store: &Path) -> Reading {
    let folder = store.join(Table::Records.to_string()).to_string_lossy().into_owned();
    let glob = layout::glob(&literal(store), Table::Records).to_string_lossy().into_owned();
    let (before, records) = match tool {
        Tool::Duckdb => ("", format!("read_parquet({}, hive_partitioning = true)", sql(&glob))),
        Tool::Python => (
            "import duckdb\n",
            format!("duckdb.read_parquet({}, hive_partitioning=True)", python(&glob)),
        ),
        Tool::Polars => (
            "import polars as pl\n",
            format!("pl.scan_parquet({}, hive_partitioning=True)", python(&glob)),
        ),
        Tool::Pyarrow => (
            "import pyarrow.dataset as ds\n",
            format!("ds.dataset({}, format=\"parquet\", partitioning=\"hive\")", python(&folder)),
        ),
        Tool::Pandas => (
            "import pandas as pd\n",
            format!("pd.read_parquet({}, columns={COLUMNS})", python(&folder)),
        ),
        Tool::Clickhouse => ("", format!("file({}, Parquet)", sql(&glob.replace('\\', "\\\\")))),
        Tool::Spark => ("", format!("spark.read.parquet({})", python(&format!("file://{folder}")))),
        Tool::R => ("", format!("arrow::open_dataset({})", python(&folder))),
    };
    let note =
        "`date` is the UTC day of a record: a condition on it reads the files of these days only.";
    Reading { note, before: before.to_owned(), records }
}

/// Columns of which the question is made, for what reads all rows at once.
const COLUMNS: &str = "[\"rec\", \"time_logged\", \"rcpt_domain\"]";

/// A path in which no character means any other in a glob.
fn literal(path: &Path) -> std::path::PathBuf {
    let text = path.to_string_lossy();
    let plain = |c: char| match c {
        '*' | '?' | '[' => format!("[{c}]"),
        c => c.to_string(),
    };
    text.chars().map(plain).collect::<String>().into()
}

fn sql(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A text of Python, which R reads alike.
fn python(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '\\' | '"' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_for_each_tool() {
        let store = Path::new("/srv/it's \"x\" [1]/store");
        let has = |tool, text: &str| {
            let lines = lines(tool, &in_folder(tool, store));
            assert!(lines.contains(text), "{lines}");
        };
        has(Tool::Duckdb, r#"'/srv/it''s "x" [[]1]/store/records/date=*/*.parquet'"#);
        has(Tool::Polars, r#""/srv/it's \"x\" [[]1]/store/records/date=*/*.parquet""#);
        has(Tool::Spark, r#""file:///srv/it's \"x\" [1]/store/records""#);
        has(Tool::Clickhouse, r#"file('\''/srv/it'\'''\''s "x" [[]1]/store"#);
    }
}
