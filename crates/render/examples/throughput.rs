//! Measures rows to csv, tsv, jsonl and parquet: `cargo run --release -p pmtaq-render --example throughput`.
//! Never a test: it asserts nothing.
#![expect(clippy::disallowed_methods, reason = "a measurement needs the clock")]
#![expect(clippy::print_stdout, reason = "its answer goes to the terminal")]

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;
use pmtaq_render::{BoxError, Format, Sheet, Style, write};

const BATCH_ROWS: i64 = 2048;
const BATCHES: i64 = 512;

/// Counts bytes and keeps none.
struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the `n`th batch of eight columns as a query over records yields them.
fn batch(n: i64) -> Result<RecordBatch, BoxError> {
    let rows = n * BATCH_ROWS..(n + 1) * BATCH_ROWS;
    let start_us = 1_772_380_800_000_000;
    let texts = |text: fn(i64) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.clone().map(text)))
    };
    let domains = ["gmail.com", "outlook.com", "yahoo.com", "web.de"];
    let domain: DictionaryArray<Int32Type> =
        rows.clone().map(|n| domains[n as usize % domains.len()]).collect();
    let times = rows.clone().map(|n| start_us + n * 1_000_000);
    let columns: [(&str, ArrayRef); 8] = [
        ("time_logged", Arc::new(TimestampMicrosecondArray::from_iter_values(times))),
        ("orig", texts(|n| format!("bounce-{n}@news.example.com"))),
        ("rcpt", texts(|n| format!("user{}@gmail.com", n * 7919))),
        ("rcpt_domain", Arc::new(domain)),
        (
            "dsn_diag",
            texts(|n| {
                format!("smtp;550 5.1.1 The email account, \"u{n}\", that you tried does not exist")
            }),
        ),
        ("dlv_size", Arc::new(Int64Array::from_iter_values(rows.clone().map(|n| n * 37 + 900)))),
        (
            "queued_s",
            Arc::new(Float64Array::from_iter_values(rows.clone().map(|n| n as f64 / 7.0))),
        ),
        ("smtp_code", Arc::new(Int64Array::from_iter_values(rows.clone().map(|n| 500 + n % 60)))),
    ];
    Ok(RecordBatch::try_from_iter(columns)?)
}

fn main() -> Result<(), BoxError> {
    let all = (0..BATCHES).map(batch).collect::<Result<Vec<_>, _>>()?;
    let sheet = Sheet::new(all[0].schema());
    for format in
        [Format::Csv, Format::Tsv, Format::Jsonl, Format::Parquet, Format::Markdown, Format::Table]
    {
        for _ in 0..3 {
            let mut batches = all.iter().cloned().map(Ok);
            let mut out = Count(0);
            let start = Instant::now();
            let written = write(format, &Style::default(), &sheet, &mut batches, &mut out)?;
            let seconds = start.elapsed().as_secs_f64();
            let (mb, rows) = (out.0 as f64 / 1e6, written.rows as f64 / 1e6);
            let (mb_s, rows_s) = (mb / seconds, rows / seconds);
            println!("{format:8} {mb:4.0} MB  {mb_s:5.0} MB/s  {rows_s:5.2} M rows/s");
        }
    }
    Ok(())
}
