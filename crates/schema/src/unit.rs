//! What numbers mean: counts, shares, sizes, durations, moments. Formats none of them.

/// What the values of a column, a metric or a chart mean; it decides how people are shown them,
/// and, for `LocalTime` alone, what machines read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Words, or numbers that are names, such as a reply code.
    Text,
    /// How many.
    Count,
    /// A share of 0 to 100.
    Percent,
    /// A size in bytes.
    Bytes,
    /// A duration in seconds.
    Seconds,
    /// A UTC moment.
    Time,
    /// A time of the local clock, moved to its zone already: it is never moved again.
    LocalTime,
    /// Any other number.
    Number,
}

impl Unit {
    /// Reads the word that the headers in `sql/` have for it: `text`, `count`, `percent`, `bytes`,
    /// `seconds`, `time`, `local`.
    pub fn parse(word: &str) -> Option<Unit> {
        Some(match word {
            "text" => Unit::Text,
            "count" => Unit::Count,
            "percent" => Unit::Percent,
            "bytes" => Unit::Bytes,
            "seconds" => Unit::Seconds,
            "time" => Unit::Time,
            "local" => Unit::LocalTime,
            _ => return None,
        })
    }

    /// The word for it, which [`Unit::parse`] reads.
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Text => "text",
            Unit::Count => "count",
            Unit::Percent => "percent",
            Unit::Bytes => "bytes",
            Unit::Seconds => "seconds",
            Unit::Time => "time",
            Unit::LocalTime => "local",
            Unit::Number => "number",
        }
    }

    /// Whether values of it add up, so that nothing is 0 of it.
    pub const fn is_sum(self) -> bool {
        matches!(self, Unit::Count | Unit::Bytes)
    }

    /// Whether its values are numbers, which stand at the right edge of a column.
    pub const fn is_number(self) -> bool {
        !matches!(self, Unit::Text | Unit::Time | Unit::LocalTime)
    }
}
