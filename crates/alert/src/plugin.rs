//! The answer of a monitoring plugin: a status, a line, more lines, performance data; as the
//! Monitoring Plugins Development Guidelines want it. Judges ranges, prints nothing.

use std::fmt;

use pmtaq_schema::untrusted::is_hidden;

use crate::Range;

/// The verdict, in the order of the exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceStatus {
    /// Within the ranges.
    Ok = 0,
    /// Outside of the range of warnings.
    Warning = 1,
    /// Outside of the range of what is critical.
    Critical = 2,
    /// Nothing can be said.
    Unknown = 3,
}

impl ServiceStatus {
    /// How urgent it is; what is not known ranks above what is fine and below a problem.
    pub const fn urgency(self) -> u8 {
        match self {
            ServiceStatus::Ok => 0,
            ServiceStatus::Unknown => 1,
            ServiceStatus::Warning => 2,
            ServiceStatus::Critical => 3,
        }
    }
}

impl fmt::Display for ServiceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ServiceStatus::Ok => "OK",
            ServiceStatus::Warning => "WARNING",
            ServiceStatus::Critical => "CRITICAL",
            ServiceStatus::Unknown => "UNKNOWN",
        })
    }
}

/// The ranges of a check.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Outside of it, a value is worth a warning.
    pub warning: Option<Range>,
    /// Outside of it, a value is critical.
    pub critical: Option<Range>,
}

impl Limits {
    /// The verdict on a value.
    pub fn judge(&self, value: f64) -> ServiceStatus {
        let breached =
            |range: &Option<Range>| range.as_ref().is_some_and(|range| range.breached_by(value));
        match (breached(&self.critical), breached(&self.warning)) {
            (true, _) => ServiceStatus::Critical,
            (false, true) => ServiceStatus::Warning,
            (false, false) => ServiceStatus::Ok,
        }
    }

    /// The range that a verdict of this status means.
    pub fn of(&self, status: ServiceStatus) -> Option<&Range> {
        match status {
            ServiceStatus::Critical => self.critical.as_ref(),
            ServiceStatus::Warning => self.warning.as_ref(),
            _ => None,
        }
    }
}

/// A value for the graphs of the monitoring system.
#[derive(Clone, Debug)]
pub struct Perf {
    /// What was measured; in untrusted names nothing stays that would end the label.
    pub label: String,
    /// The value; none was measured without one.
    pub value: Option<f64>,
    /// `%`, `s`, `B` or nothing.
    pub unit: &'static str,
    /// The ranges.
    pub limits: Limits,
}

impl fmt::Display for Perf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| if c == '=' || c == '|' || is_hidden(c) { '_' } else { c };
        let label: String = self.label.chars().map(plain).collect();
        write!(f, "'{}'=", label.replace('\'', "''"))?;
        match self.value {
            // Rounded, since more digits say nothing, and an exponent is not allowed.
            Some(value) => {
                let text = format!("{value:.4}");
                f.write_str(text.trim_end_matches('0').trim_end_matches('.'))?;
                f.write_str(self.unit)?;
            }
            None => f.write_str("U")?,
        }
        let range = |range: &Option<Range>| range.as_ref().map(Range::to_string);
        let warning = range(&self.limits.warning).unwrap_or_default();
        let critical = range(&self.limits.critical).unwrap_or_default();
        let max = if self.unit == "%" { "100" } else { "" };
        let text = format!(";{warning};{critical};0;{max}");
        f.write_str(text.trim_end_matches(';'))
    }
}

/// All that a plugin says.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// What was checked.
    pub service: String,
    /// The verdict.
    pub status: ServiceStatus,
    /// The one line that everybody sees.
    pub headline: String,
    /// More lines.
    pub lines: Vec<String>,
    /// The values.
    pub perf: Vec<Perf>,
}

impl fmt::Display for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A bar begins the performance data, wherever it stands.
        let plain = |text: &str| -> String {
            text.chars().map(|c| if c == '|' || is_hidden(c) { ' ' } else { c }).collect()
        };
        let service = plain(&self.service.to_uppercase());
        write!(f, "{service} {}: {}", self.status, plain(&self.headline))?;
        if !self.perf.is_empty() {
            f.write_str(" |")?;
            self.perf.iter().try_for_each(|perf| write!(f, " {perf}"))?;
        }
        self.lines.iter().try_for_each(|line| write!(f, "\n{}", plain(line)))?;
        f.write_str("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(warning: &str, critical: &str) -> Limits {
        Limits { warning: warning.parse().ok(), critical: critical.parse().ok() }
    }

    #[test]
    fn what_is_critical_is_more_than_a_warning() {
        let limits = limits("5", "10");
        let judged = [4.0, 5.1, 10.1].map(|value| limits.judge(value));
        assert_eq!(judged, [ServiceStatus::Ok, ServiceStatus::Warning, ServiceStatus::Critical]);
        assert_eq!(Limits::default().judge(1e9), ServiceStatus::Ok);
    }

    #[test]
    fn a_name_cannot_forge_performance_data_or_lines() {
        let perf = |label: &str, value, unit| Perf {
            label: label.to_owned(),
            value,
            unit,
            limits: limits("5", "~:10"),
        };
        let plugin = Plugin {
            service: "bounce_rate".to_owned(),
            status: ServiceStatus::Critical,
            headline: "a|b\n\u{202e}OK".to_owned(),
            lines: vec!["x | 'y'=1".to_owned()],
            perf: vec![
                perf("it's=1|\n", Some(12.345_678), "%"),
                perf("none", None, "s"),
                perf("many", Some(1e15), ""),
            ],
        };
        assert_eq!(
            plugin.to_string(),
            "BOUNCE_RATE CRITICAL: a b  OK | 'it''s_1__'=12.3457%;5;~:10;0;100 'none'=U;5;~:10;0 \
             'many'=1000000000000000;5;~:10;0\nx   'y'=1\n"
        );
    }
}
