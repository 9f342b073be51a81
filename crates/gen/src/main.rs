//! The program `pmtaq-gen`: the command line of the generator.

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::NaiveDate;
use clap::{Parser, ValueEnum};
use pmtaq_gen::{Compress, Settings, generate};

/// Write realistic PowerMTA accounting files, and beside them the truth about what they hold.
#[derive(Debug, Parser)]
#[command(name = "pmtaq-gen")]
struct Args {
    /// Folder to write into
    #[arg(long)]
    out: PathBuf,
    /// Equal seeds give equal bytes
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Records in all
    #[arg(long, default_value_t = 100_000)]
    rows: u64,
    /// First UTC day
    #[arg(long, default_value = "2026-03-01")]
    start: NaiveDate,
    /// Days
    #[arg(long, default_value_t = 3)]
    days: u32,
    /// One file an hour or a day
    #[arg(long, value_enum, default_value_t = By::Hour)]
    by: By,
    /// Compress the files
    #[arg(long, value_enum)]
    compress: Option<Kind>,
    /// Offset of the MTA's clock from UTC in minutes
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    offset: i32,
    /// Name of the MTA, for userString
    #[arg(long, default_value = "mta1.example.net")]
    host: String,
    /// Plant nothing
    #[arg(long)]
    no_incidents: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    Hour,
    Day,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Gz,
    Zst,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program of the workshop")]
fn main() -> ExitCode {
    let args = Args::parse();
    let settings = Settings {
        seed: args.seed,
        rows: args.rows,
        start: args.start,
        days: args.days,
        hours_per_file: match args.by {
            By::Hour => 1,
            By::Day => 24,
        },
        offset_min: args.offset,
        compress: match args.compress {
            None => Compress::None,
            Some(Kind::Gz) => Compress::Gzip,
            Some(Kind::Zst) => Compress::Zstd,
        },
        host: args.host,
        incidents: !args.no_incidents,
    };
    match generate(&settings, &args.out) {
        Ok((truth, paths)) => {
            println!("{} records in {} files", truth.counts.rows, paths.len());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("pmtaq-gen: {}: {error}", args.out.display());
            ExitCode::FAILURE
        }
    }
}
