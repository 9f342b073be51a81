//! How other tools read a store in a bucket: by its Delta log.

use super::{COLUMNS, Reading, python, sql};
use crate::args::Tool;

/// How a tool reads the table of that address; none for one that reads no Delta log.
pub(super) fn reading(tool: Tool, address: &str) -> Option<Reading> {
    let table = || format!("deltalake.DeltaTable({})", python(address));
    let secret = "install delta; load delta; create secret (type s3, provider credential_chain)";
    let (before, records) = match tool {
        Tool::Duckdb => (format!("{secret};\n"), format!("delta_scan({})", sql(address))),
        Tool::Python => (
            format!("import duckdb\nduckdb.sql(\"{secret}\")\n"),
            format!("duckdb.sql({})", python(&format!("from delta_scan({})", sql(address)))),
        ),
        Tool::Polars => {
            ("import polars as pl\n".to_owned(), format!("pl.scan_delta({})", python(address)))
        }
        Tool::Pyarrow => {
            ("import deltalake\n".to_owned(), format!("{}.to_pyarrow_dataset()", table()))
        }
        Tool::Pandas => {
            ("import deltalake\n".to_owned(), format!("{}.to_pandas(columns={COLUMNS})", table()))
        }
        Tool::Clickhouse => {
            (String::new(), format!("deltaLake({})", sql(&address.replace('\\', "\\\\"))))
        }
        Tool::Spark => {
            let address = address.replacen("s3://", "s3a://", 1);
            let load = format!("spark.read.format(\"delta\").load({})", python(&address));
            (String::new(), load)
        }
        Tool::R => return None,
    };
    let note = "The keys of the bucket are those of the tool's own settings.";
    Some(Reading { note, before, records })
}
