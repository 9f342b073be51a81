//! What a chart shows: panels of lines over the same steps of time. Draws nothing.

use chrono_tz::Tz;
use pmtaq_schema::{Unit, human};

use crate::time;

/// A panel: lines over the same steps of time, of one unit.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What is drawn, such as `delivered`.
    pub title: String,
    /// What the values mean.
    pub unit: Unit,
    /// The begin of each step, and the end of the last one: UTC seconds.
    pub bounds: Vec<i64>,
    /// The lines, the most important first.
    pub lines: Vec<Line>,
    /// For each step why it is not whole, if it is not.
    pub edges: Vec<Option<Edge>>,
    /// Whether the lines are drawn upon one another, where a picture is large enough.
    pub stacked: bool,
    /// Whether lines in plots of their own have scales of their own: they are of several metrics.
    pub own_scales: bool,
    /// Whether the values of all steps have a sum that says something.
    pub adds_up: bool,
    /// The zone of the times at the axis.
    pub zone: Tz,
}

/// A line of a chart.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it is called; nothing when it is the only one.
    pub label: String,
    /// A value a step; none where there is none.
    pub values: Vec<Option<f64>>,
}

/// Why a step is not like the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The window or the data ends inside of it.
    Incomplete,
    /// What belongs to it may not have been logged yet.
    Uncertain,
}

impl Edge {
    /// A word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Edge::Incomplete => "incomplete",
            Edge::Uncertain => "uncertain",
        }
    }
}

/// How large a chart in a terminal is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Rows of each panel's plot, without its title and axis.
    pub height: usize,
}

impl Chart {
    /// The steps that the chart has values for.
    pub(super) fn steps(&self) -> usize {
        self.bounds.len().saturating_sub(1)
    }

    /// Whether a line is that of the rest, which is nobody in particular.
    pub(super) fn is_rest(&self, line: usize) -> bool {
        line > 0 && line + 1 == self.lines.len() && self.lines[line].label == "other"
    }

    /// The highest value of all lines.
    pub(super) fn highest(&self) -> f64 {
        let values = self.lines.iter().flat_map(|line| line.values.iter().flatten());
        values.copied().fold(0.0, f64::max)
    }

    /// The highest sum of the lines.
    pub(super) fn highest_sum(&self) -> f64 {
        let sum = |step| {
            let values = self.lines.iter().filter_map(|line| *line.values.get(step)?);
            values.fold(0.0, |sum: f64, value| sum + value)
        };
        (0..self.steps()).map(sum).fold(0.0, f64::max)
    }

    /// A value with its unit.
    pub(super) fn value_text(&self, value: f64) -> String {
        match self.unit {
            Unit::Percent => human::percent(value),
            Unit::Bytes => human::bytes(value),
            Unit::Seconds => human::duration(value),
            _ => human::number(value),
        }
    }

    /// A moment of the chart's clock: date and time of day.
    pub(super) fn moment(&self, seconds: i64) -> String {
        let mut out = Vec::new();
        time::instant(time::local(seconds, self.zone), 0, b' ', &mut out);
        // Seconds say nothing, since steps are minutes.
        String::from_utf8_lossy(out.strip_suffix(b":00").unwrap_or(&out)).into_owned()
    }
}
