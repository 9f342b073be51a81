//! The program `pmtaq-gen`: the command line of the generator. Decides nothing of its own.

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::NaiveDate;
use clap::{Parser, ValueEnum};
use pmtaq_gen::{Compress, Header, Options, Size, Tz, generate};

/// Write realistic PowerMTA accounting files, and beside them truth.json about what they hold.
#[derive(Debug, Parser)]
#[command(name = "pmtaq-gen")]
struct Args {
    /// Folder to write into
    #[arg(long)]
    out: PathBuf,
    /// Equal seeds give equal bytes
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// How much there is of everything
    #[arg(long, value_enum, default_value_t = World::Small)]
    world: World,
    /// Fields of the header line: 15, 25 or 40; as the world has it when not said
    #[arg(long, value_enum)]
    header: Option<Fields>,
    /// Records in all
    #[arg(long, default_value_t = 100_000)]
    rows: u64,
    /// First UTC day
    #[arg(long, default_value = "2026-03-01")]
    start: NaiveDate,
    /// Days
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=3660))]
    days: u32,
    /// One file an hour or a day
    #[arg(long, value_enum, default_value_t = By::Hour)]
    by: By,
    /// Begin a new file after so many bytes, and at midnight
    #[arg(long, value_name = "BYTES", conflicts_with = "by")]
    max_size: Option<u64>,
    /// Compress the files
    #[arg(long, value_enum)]
    compress: Option<Kind>,
    /// Offset of the MTA's clock from UTC, such as -0500
    #[arg(long, default_value = "+0000", allow_hyphen_values = true, value_parser = offset_min)]
    offset: i32,
    /// Zone of the MTA's clock, such as Europe/Madrid, with its summer time
    #[arg(long, conflicts_with = "offset", value_parser = zone)]
    zone: Option<Tz>,
    /// Name of the MTA, for userString
    #[arg(long, default_value = "mta1.example.net", value_parser = host)]
    host: String,
    /// Write attempts that failed and receptions into files of their own
    #[arg(long)]
    split: bool,
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
enum World {
    /// 6 sender domains, 9 VirtualMTAs, 6,000 recipient domains, a header of 39 fields
    Small,
    /// 40 sender domains, 24 VirtualMTAs, 200,000 recipient domains, the usual header
    Sender,
    /// 2,000 sender domains, 300 VirtualMTAs on four hosts, 200,000 recipient domains, the usual header
    Esp,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Fields {
    Narrow,
    Usual,
    Wide,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Gz,
    Zst,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program of the workshop")]
fn main() -> ExitCode {
    let args = Args::parse();
    let out = args.out.clone();
    match generate(&settings(args), &out) {
        Ok((truth, paths)) => {
            let bytes: u64 = truth.files.values().map(|file| file.bytes).sum();
            println!("{} records, {bytes} bytes in {} files", truth.counts.rows, paths.len());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("pmtaq-gen: {}: {error}", out.display());
            ExitCode::FAILURE
        }
    }
}

fn settings(args: Args) -> Options {
    Options {
        seed: args.seed,
        size: match args.world {
            World::Small => Size::Small,
            World::Sender => Size::Sender,
            World::Esp => Size::Esp,
        },
        header: args.header.map(|header| match header {
            Fields::Narrow => Header::Narrow,
            Fields::Usual => Header::Usual,
            Fields::Wide => Header::Wide,
        }),
        rows: args.rows,
        start: args.start,
        days: args.days,
        hours_per_file: match args.by {
            By::Hour => 1,
            By::Day => 24,
        },
        max_bytes: args.max_size,
        offset_min: args.offset,
        zone: args.zone,
        compress: match args.compress {
            None => Compress::None,
            Some(Kind::Gz) => Compress::Gzip,
            Some(Kind::Zst) => Compress::Zstd,
        },
        host: args.host,
        split: args.split,
        incidents: !args.no_incidents,
    }
}

/// Minutes of an offset such as `-0330`.
fn offset_min(text: &str) -> Result<i32, String> {
    let error = || format!("`{text}` is not an offset; write it as +0100 or -0330");
    let (sign, digits) = match text.as_bytes() {
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return Err(error()),
    };
    if digits.len() != 4 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(error());
    }
    let at = |i: usize| i32::from(digits[i] - b'0');
    let (hours, minutes) = (at(0) * 10 + at(1), at(2) * 10 + at(3));
    if hours > 14 || minutes > 59 { Err(error()) } else { Ok(sign * (hours * 60 + minutes)) }
}

fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| format!("`{text}` is not a zone; write it as Europe/Madrid"))
}

/// A name that needs no quotes in CSV.
fn host(text: &str) -> Result<String, String> {
    let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    if is_plain { Ok(text.to_owned()) } else { Err(format!("`{text}` is not a host name")) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
        let line =
            "pmtaq-gen --out x --offset -0330 --max-size 1000000 --compress gz --no-incidents";
        let settings = settings(Args::parse_from(line.split(' ')));
        assert_eq!(settings.offset_min, -210);
        assert_eq!(settings.max_bytes, Some(1_000_000));
        assert_eq!(settings.compress, Compress::Gzip);
        assert!(!settings.incidents && !settings.split);
    }

    #[test]
    fn an_offset_is_four_digits_with_a_sign() {
        assert_eq!(offset_min("+0545"), Ok(345));
        for wrong in ["0545", "+545", "-0060", "+1500", "-05:00", ""] {
            assert!(offset_min(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_that_would_need_quotes_is_refused() {
        assert!(host("mta1.example.net").is_ok());
        assert!(host("mta,1").is_err());
    }
}
