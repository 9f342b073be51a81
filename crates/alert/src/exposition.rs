//! Samples in the text format of Prometheus, as its textfile collector reads it. Measures nothing.

use std::fmt::{self, Write as _};

/// What the numbers of a family do over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricType {
    /// It goes up and down.
    Gauge,
    /// It never falls, but for a store made anew.
    Counter,
}

/// Samples under one name.
#[derive(Clone, Debug)]
pub struct Family {
    /// The name, with its unit; that of a counter ends with `_total`.
    pub name: String,
    /// What it is.
    pub help: String,
    /// What its numbers do.
    pub kind: MetricType,
    /// The samples.
    pub samples: Vec<Sample>,
}

/// A number and its labels.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Names and values of the labels; the values may be texts of strangers.
    pub labels: Vec<(&'static str, String)>,
    /// The number.
    pub value: f64,
}

impl Family {
    /// A family without a sample yet.
    pub fn new(name: &str, kind: MetricType, help: &str) -> Family {
        let (name, help) = (name.to_owned(), help.to_owned());
        Family { name, help, kind, samples: Vec::new() }
    }

    /// Adds a sample.
    pub fn add(&mut self, labels: &[(&'static str, &str)], value: f64) {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.samples.push(Sample { labels, value });
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Family { name, help, kind, samples } = self;
        let kind = if *kind == MetricType::Counter { "counter" } else { "gauge" };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        write!(f, "# HELP {name} {help}\n# TYPE {name} {kind}\n")?;
        for sample in samples {
            f.write_str(name)?;
            for (at, (label, value)) in sample.labels.iter().enumerate() {
                write!(f, "{}{label}=\"", if at == 0 { '{' } else { ',' })?;
                for c in distinct(value).chars() {
                    match c {
                        '\\' => f.write_str("\\\\")?,
                        '"' => f.write_str("\\\"")?,
                        c => f.write_char(c)?,
                    }
                }
                f.write_char('"')?;
            }
            let close = if sample.labels.is_empty() { "" } else { "}" };
            writeln!(f, "{close} {}", sample.value)?;
        }
        Ok(())
    }
}

/// A value in which what a line or a terminal obeys is escaped out, `\t` and the like, and a backslash is
/// written twice: so two values that differ never become one label, for which a whole scrape fails.
fn distinct(value: &str) -> String {
    let escaped = |c: char| match c {
        '\\' => "\\\\".to_owned(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    value.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_leave_its_quotes() {
        let mut family = Family::new("pmtaq_x_ratio", MetricType::Gauge, "A \\ and\na line.");
        family.add(&[], 0.5);
        family.add(&[("by", "job"), ("group", "a\"} 1\nb\\\r\u{1b}")], 12.0);
        assert_eq!(
            family.to_string(),
            "# HELP pmtaq_x_ratio A \\\\ and\\na line.\n# TYPE pmtaq_x_ratio gauge\n\
             pmtaq_x_ratio 0.5\n\
             pmtaq_x_ratio{by=\"job\",group=\"a\\\"} 1\\\\nb\\\\\\\\\\\\r\\\\u{1b}\"} 12\n"
        );
    }

    #[test]
    fn values_that_differ_stay_labels_that_differ() {
        let values = ["\t", "\r", "\\t", "\\\\t", "\u{fffd}", "\u{85}", "\\u{85}", "t"];
        let labels: std::collections::BTreeSet<String> =
            values.iter().map(|value| distinct(value)).collect();
        assert_eq!(labels.len(), values.len(), "{labels:?}");
        assert!(labels.iter().all(|label| !label.contains(char::is_control)));
    }
}
