//! The lines for a store in a bucket, which other tools read by its Delta log.

use super::{python, sql};
use crate::args::Tool;
use crate::command_line::single_quoted;

/// The lines for a tool; none for one that reads no Delta log. `records` is the address of that table.
pub(super) fn lines(tool: Tool, records: &str) -> Option<String> {
    let keys = |sign: &str| {
        format!("{sign} The keys of the bucket are those of the tool's own settings.\n")
    };
    let text = python(records);
    Some(match tool {
        Tool::Duckdb => format!(
            "{}install delta; load delta;\n\
             create secret (type s3, provider credential_chain);\n\
             create or replace view records as from delta_scan({});\n\
             select rec, count(*) as records from records group by rec order by rec;\n",
            keys("--"),
            sql(records)
        ),
        Tool::Python => format!(
            "{}import duckdb\n\
             duckdb.sql(\"install delta; load delta; create secret (type s3, provider credential_chain)\")\n\
             records = duckdb.sql({})\n\
             print(duckdb.sql(\"select rec, count(*) as records from records group by rec order by rec\"))\n",
            keys("#"),
            python(&format!("from delta_scan({})", sql(records)))
        ),
        Tool::Polars => format!(
            "{}import polars as pl\n\
             records = pl.scan_delta({text})\n\
             print(records.group_by(\"rec\").len().sort(\"rec\").collect())\n",
            keys("#")
        ),
        Tool::Pyarrow => format!(
            "{}import deltalake\n\
             records = deltalake.DeltaTable({text}).to_pyarrow_dataset()\n\
             print(records.to_table(columns=[\"rec\"])[\"rec\"].value_counts())\n",
            keys("#")
        ),
        Tool::Pandas => format!(
            "{}import deltalake\n\
             records = deltalake.DeltaTable({text}).to_pandas(columns=[\"rec\", \"time_logged\", \"rcpt_domain\"])\n\
             print(records[\"rec\"].value_counts())\n",
            keys("#")
        ),
        Tool::Clickhouse => {
            let question = format!(
                "select rec, count() as records from deltaLake({}) group by rec order by rec",
                sql(&records.replace('\\', "\\\\"))
            );
            format!("clickhouse local --query {}\n", single_quoted(&question))
        }
        Tool::Spark => format!(
            "{}from pyspark.sql import SparkSession\n\
             spark = SparkSession.builder.appName(\"pmtaq\").getOrCreate()\n\
             records = spark.read.format(\"delta\").load({})\n\
             records.groupBy(\"rec\").count().orderBy(\"rec\").show()\n",
            keys("#"),
            python(&records.replacen("s3://", "s3a://", 1))
        ),
        Tool::R => return None,
    })
}
