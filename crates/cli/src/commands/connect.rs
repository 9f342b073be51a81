//! `pmtaq connect`: lines to paste into other tools, with the place of this store in them. The
//! store is open Parquet, so that is all that they need.

mod delta;

use std::path::Path;

use pmtaq_store::layout::{self, Table};

use crate::args::{self, Tool};
use crate::command_line::single_quoted;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::show::print;

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
        let lines = delta::lines(args.tool, &store.address(Table::Records)).ok_or_else(|| {
            Failure::usage("the arrow of R reads no Delta log, and so no store in a bucket")
                .hint("`pmtaq paths` lists the parts that count, each by its address")
        })?;
        return print(context, &lines);
    }
    let dir = std::fs::canonicalize(store.dir())?;
    print(context, &lines(args.tool, &dir))
}

/// The lines for a tool. Each ends with a question that has an answer: records by their type.
fn lines(tool: Tool, store: &Path) -> String {
    let folder = store.join(Table::Records.to_string()).to_string_lossy().into_owned();
    let glob = layout::glob(&literal(store), Table::Records).to_string_lossy().into_owned();
    let note = |sign: &str| {
        format!(
            "{sign} `date` is the UTC day of a record: a condition on it reads the files of these days only.\n"
        )
    };
    match tool {
        Tool::Duckdb => format!(
            "{}create or replace view records as\n    \
             from read_parquet({}, hive_partitioning = true);\n\
             select rec, count(*) as records from records group by rec order by rec;\n",
            note("--"),
            sql(&glob)
        ),
        Tool::Python => format!(
            "{}import duckdb\n\
             records = duckdb.read_parquet({}, hive_partitioning=True)\n\
             print(duckdb.sql(\"select rec, count(*) as records from records group by rec order by rec\"))\n",
            note("#"),
            python(&glob)
        ),
        Tool::Polars => format!(
            "{}import polars as pl\n\
             records = pl.scan_parquet({}, hive_partitioning=True)\n\
             print(records.group_by(\"rec\").len().sort(\"rec\").collect())\n",
            note("#"),
            python(&glob)
        ),
        Tool::Pyarrow => format!(
            "{}import pyarrow.dataset as ds\n\
             records = ds.dataset({}, format=\"parquet\", partitioning=\"hive\")\n\
             print(records.to_table(columns=[\"rec\"])[\"rec\"].value_counts())\n",
            note("#"),
            python(&folder)
        ),
        Tool::Pandas => format!(
            "{}import pandas as pd\n\
             records = pd.read_parquet({}, columns=[\"rec\", \"time_logged\", \"rcpt_domain\"])\n\
             print(records[\"rec\"].value_counts())\n",
            note("#"),
            python(&folder)
        ),
        Tool::Clickhouse => {
            let question = format!(
                "select rec, count() as records from file({}, Parquet) group by rec order by rec",
                sql(&glob.replace('\\', "\\\\"))
            );
            format!("clickhouse local --query {}\n", single_quoted(&question))
        }
        Tool::Spark => format!(
            "{}from pyspark.sql import SparkSession\n\
             spark = SparkSession.builder.appName(\"pmtaq\").getOrCreate()\n\
             records = spark.read.parquet({})\n\
             records.groupBy(\"rec\").count().orderBy(\"rec\").show()\n",
            note("#"),
            python(&format!("file://{folder}"))
        ),
        Tool::R => format!(
            "{}library(dplyr)\n\
             records <- arrow::open_dataset({})\n\
             records |> count(rec) |> arrange(rec) |> collect()\n",
            note("#"),
            python(&folder)
        ),
    }
}

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
            let lines = lines(tool, store);
            assert!(lines.contains(text), "{lines}");
        };
        has(Tool::Duckdb, r#"'/srv/it''s "x" [[]1]/store/records/date=*/*.parquet'"#);
        has(Tool::Polars, r#""/srv/it's \"x\" [[]1]/store/records/date=*/*.parquet""#);
        has(Tool::Spark, r#""file:///srv/it's \"x\" [1]/store/records""#);
        has(Tool::Clickhouse, r#"file('\''/srv/it'\'''\''s "x" [[]1]/store"#);
    }
}
