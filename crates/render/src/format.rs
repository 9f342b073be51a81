//! The names of the output formats.
//! Knows nothing of how one is written.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// An output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal.
    #[default]
    Table,
    /// RFC 4180 with LF line ends.
    Csv,
    /// Tab-separated; tab, line ends and backslash are escaped.
    Tsv,
    /// An array of one object a row.
    Json,
    /// One object a line.
    Jsonl,
    /// A table for a ticket or a wiki.
    Markdown,
    /// A page for a browser or a mail.
    Html,
    /// An element a row, for programs that read nothing else.
    Xml,
    /// Apache Parquet, zstd.
    Parquet,
    /// Apache Arrow's IPC stream.
    Arrow,
}

impl Format {
    /// All formats, in the order in which help shows them.
    pub const ALL: &[Format] = &[
        Format::Table,
        Format::Csv,
        Format::Tsv,
        Format::Json,
        Format::Jsonl,
        Format::Markdown,
        Format::Html,
        Format::Xml,
        Format::Parquet,
        Format::Arrow,
    ];

    /// Returns the format that a file of this name has, if its ending says one.
    pub fn of_file(path: &Path) -> Option<Format> {
        let ending = path.extension()?.to_str()?.to_lowercase();
        Some(match ending.as_str() {
            "txt" => Format::Table,
            "ndjson" => Format::Jsonl,
            "md" => Format::Markdown,
            "htm" => Format::Html,
            "pq" => Format::Parquet,
            ending => ending.parse().ok()?,
        })
    }

    /// Tells whether programs read it, which want all rows and know no defaults of ours.
    pub const fn is_for_programs(self) -> bool {
        !matches!(self, Format::Table | Format::Markdown | Format::Html)
    }

    /// Returns the name that the user types.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Csv => "csv",
            Format::Tsv => "tsv",
            Format::Json => "json",
            Format::Jsonl => "jsonl",
            Format::Markdown => "markdown",
            Format::Html => "html",
            Format::Xml => "xml",
            Format::Parquet => "parquet",
            Format::Arrow => "arrow",
        }
    }

    /// Whether it is nothing for a terminal.
    pub const fn is_binary(self) -> bool {
        matches!(self, Format::Parquet | Format::Arrow)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Format::ALL.iter().copied().find(|format| format.name() == name);
        known.ok_or_else(|| UnknownFormat { name: name.to_owned() })
    }
}

/// A format that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("format `{}` does not exist; did you mean `{}`?", pmtaq_schema::untrusted::visible(name), self.nearest())]
pub struct UnknownFormat {
    /// What the user typed.
    pub name: String,
}

impl UnknownFormat {
    /// Returns the existing format whose name is nearest.
    pub fn nearest(&self) -> Format {
        let typed = self.name.to_lowercase();
        let mut nearest = Format::Table;
        let mut best = 0.0;
        for &format in Format::ALL {
            let likeness = strsim::jaro_winkler(&typed, format.name());
            if likeness > best {
                (nearest, best) = (format, likeness);
            }
        }
        nearest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_found_by_its_name() {
        for &format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
    }

    #[test]
    fn the_ending_of_a_file_is_its_format() {
        let of = |name: &str| Format::of_file(Path::new(name)).map(Format::name);
        for (name, format) in [
            ("a.csv", "csv"),
            ("a.b.TSV", "tsv"),
            ("a.json", "json"),
            ("a.jsonl", "jsonl"),
            ("a.ndjson", "jsonl"),
            ("a.md", "markdown"),
            ("a.html", "html"),
            ("a.xml", "xml"),
            ("a.parquet", "parquet"),
            ("a.txt", "table"),
        ] {
            assert_eq!(of(name), Some(format), "{name}");
        }
        assert_eq!([of("a"), of("csv"), of(".csv"), of("a.xlsx"), of("/dev/stdout")], [None; 5]);
    }

    #[test]
    fn an_unknown_format_names_the_nearest() {
        let message = |name: &str| name.parse::<Format>().unwrap_err().to_string();
        assert_eq!(message("jsn"), "format `jsn` does not exist; did you mean `json`?");
        assert_eq!(message("ndjsonl"), "format `ndjsonl` does not exist; did you mean `jsonl`?");
        assert_eq!(message("CSV"), "format `CSV` does not exist; did you mean `csv`?");
        assert_eq!(message("md"), "format `md` does not exist; did you mean `markdown`?");
        assert_eq!(message(""), "format `` does not exist; did you mean `table`?");
    }
}
