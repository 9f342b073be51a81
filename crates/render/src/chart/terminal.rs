//! Charts in a terminal: each line is a plot of its own in blocks, one below the other, since lines
//! that cross in a few rows of text cannot be told apart.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::axis;
use super::model::{Chart, Edge, Line, Size};
use crate::fit::cut;
use crate::words::visible;

/// Escape sequences of the lines' colours, from the 256 that terminals know: readable on light and
/// dark, and by people who do not see red and green apart.
const COLORS: [&str; 6] = ["38;5;33", "38;5;208", "38;5;35", "38;5;170", "38;5;178", "38;5;80"];
const GRAY: &str = "38;5;245";

/// An eighth of a cell, two eighths, and so on.
const BLOCKS: [char; 9] = [
    ' ', '\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}',
    '\u{2588}',
];

/// Columns of a label of the axis.
const MARGIN: usize = 8;

impl Chart {
    /// The chart as lines of text no wider than `size.width`, or 40 columns.
    pub fn terminal(&self, size: Size, color: bool) -> String {
        paint(self, size, color)
    }
}

fn paint(chart: &Chart, size: Size, color: bool) -> String {
    let wide = size.width.max(40);
    let columns = wide - MARGIN - 1;
    let mut out = String::new();
    let title = visible(&chart.title);
    let _ = writeln!(out, "{}", cut(&title, wide));
    if chart.lines.is_empty() || chart.steps() == 0 {
        out.push_str("  nothing in this window\n");
        return out;
    }
    let rows = (size.height / chart.lines.len().min(3)).max(3);
    let ticks = |highest| axis::values(highest, (rows / 3).clamp(1, 5), chart.unit);
    let shared = ticks(chart.highest());
    for (n, line) in chart.lines.iter().enumerate() {
        if chart.lines.len() > 1 {
            let label = visible(&line.label);
            let _ = writeln!(out, "{:MARGIN$} {}", "", cut(&label, columns));
        }
        let own = ticks(line.values.iter().flatten().copied().fold(0.0, f64::max));
        let ticks = if chart.own_scales { &own } else { &shared };
        let hue = color.then(|| hue(chart, n));
        bars(chart, line, ticks, (columns, rows), hue, &mut out);
    }
    times(chart, columns, &mut out);
    legend(chart, wide, color, &mut out);
    out
}

fn hue(chart: &Chart, line: usize) -> &'static str {
    if chart.is_rest(line) { GRAY } else { COLORS[line % COLORS.len()] }
}

fn colored(text: &str, hue: Option<&str>) -> String {
    match hue {
        Some(hue) if !text.trim().is_empty() => format!("\x1b[{hue}m{text}\x1b[0m"),
        _ => text.to_owned(),
    }
}

/// The steps that a column stands for, in order, of so many columns.
fn steps_of(chart: &Chart, column: usize, columns: usize) -> std::ops::Range<usize> {
    let steps = chart.steps();
    let from = column * steps / columns;
    from..((column + 1) * steps / columns).max(from + 1).min(steps)
}

/// How many columns the plot uses: equally many for each step, if there are enough.
fn used(chart: &Chart, columns: usize) -> usize {
    match columns / chart.steps() {
        0 => columns,
        each => each * chart.steps(),
    }
}

/// The highest value of some steps: what is drawn where they share a column.
fn top(line: &Line, steps: std::ops::Range<usize>) -> Option<f64> {
    line.values.get(steps)?.iter().flatten().copied().reduce(f64::max)
}

/// The label at the left of a row, where a tick stands in it.
fn margin(chart: &Chart, ticks: &[f64], row: usize, rows: usize) -> String {
    let highest = ticks.last().copied().unwrap_or(1.0);
    // Row 0 is the highest one; a tick stands in the row whose upper end it is.
    let at = |tick: f64| ((1.0 - tick / highest) * rows as f64).round() as usize;
    let label = ticks.iter().skip(1).find(|tick| at(**tick) == row);
    let label = label.map(|tick| axis::label(chart, *tick)).unwrap_or_default();
    let mark = if label.is_empty() { '\u{2502}' } else { '\u{2524}' };
    format!("{label:>MARGIN$}{mark}")
}

fn bars(
    chart: &Chart,
    line: &Line,
    ticks: &[f64],
    (columns, rows): (usize, usize),
    hue: Option<&str>,
    out: &mut String,
) {
    let highest = ticks.last().copied().unwrap_or(1.0);
    let used = used(chart, columns);
    let eighths: Vec<Option<usize>> = (0..used)
        .map(|column| {
            let value = top(line, steps_of(chart, column, used))?;
            let height = (value / highest).clamp(0.0, 1.0) * (rows * 8) as f64;
            // What is there is seen.
            Some(if value > 0.0 { (height.round() as usize).max(1) } else { 0 })
        })
        .collect();
    for row in 0..rows {
        let below = (rows - 1 - row) * 8;
        let cell = |height: &Option<usize>| match height {
            None if row + 1 == rows => '\u{b7}',
            None => ' ',
            Some(height) => BLOCKS[height.saturating_sub(below).min(8)],
        };
        let cells: String = eighths.iter().map(cell).collect();
        let cells = colored(cells.trim_end(), hue);
        let _ = writeln!(out, "{}{cells}", margin(chart, ticks, row, rows));
    }
}

/// The axis below, dotted where steps are not whole, and its labels.
fn times(chart: &Chart, columns: usize, out: &mut String) {
    let used = used(chart, columns);
    let steps = chart.steps();
    let mut line: Vec<char> = (0..used)
        .map(|column| {
            let mut edges = chart.edges.get(steps_of(chart, column, used)).into_iter().flatten();
            if edges.any(Option::is_some) { '\u{2508}' } else { '\u{2500}' }
        })
        .collect();
    let mut labels = String::new();
    let ticks = axis::moments(chart, used / 10);
    for (step, label) in ticks {
        let column = (step * used).div_ceil(steps);
        if column < labels.width() + 1 && !labels.is_empty() || column + label.len() > columns {
            continue;
        }
        if let Some(cell) = line.get_mut(column) {
            *cell = '\u{252c}';
        }
        let _ = write!(labels, "{:1$}{label}", "", column - labels.width());
    }
    let line: String = line.into_iter().collect();
    let _ = writeln!(out, "{:>MARGIN$}\u{2514}{line}", "0");
    let _ = writeln!(out, "{:MARGIN$} {labels}", "");
}

/// A line for each line of the chart: its last value, its range, and its sum where that is one.
fn legend(chart: &Chart, wide: usize, color: bool, out: &mut String) {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for line in &chart.lines {
        let known: Vec<f64> = line.values.iter().flatten().copied().collect();
        let whole = line.values.iter().zip(&chart.edges).filter(|(_, edge)| edge.is_none());
        let last = whole.filter_map(|(value, _)| *value).next_back().or(known.last().copied());
        let shown =
            |value: Option<f64>| value.map_or("-".to_owned(), |value| chart.value_text(value));
        let mut row = vec![
            format!("last {}", shown(last)),
            format!("min {}", shown(known.iter().copied().reduce(f64::min))),
            format!("max {}", shown(known.iter().copied().reduce(f64::max))),
        ];
        if chart.adds_up {
            row.push(format!("total {}", shown(Some(known.iter().sum()))));
        }
        rows.push(row);
    }
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> =
        (0..columns).map(|c| rows.iter().map(|row| row[c].width()).max().unwrap_or(0)).collect();
    let room = wide.saturating_sub(widths.iter().map(|w| w + 2).sum::<usize>() + 2).max(8);
    let longest = chart.lines.iter().map(|line| visible(&line.label).width()).max().unwrap_or(0);
    let room = room.min(longest);
    for (n, (line, row)) in chart.lines.iter().zip(&rows).enumerate() {
        let label = cut(&visible(&line.label), room);
        let mark = if color { colored("\u{25a0}", Some(hue(chart, n))) } else { " ".to_owned() };
        let mut text = format!("{label}{:1$}", "", room - label.width());
        for (value, width_of) in row.iter().zip(&widths) {
            let _ = write!(text, "  {value}{:1$}", "", width_of - value.width());
        }
        let _ = writeln!(out, "{mark} {}", cut(text.trim_end(), wide - 2));
    }
    for edge in [Edge::Incomplete, Edge::Uncertain] {
        if chart.edges.contains(&Some(edge)) {
            let why = match edge {
                Edge::Incomplete => "the window or the data ends in it",
                Edge::Uncertain => "who waits then may not have been logged yet",
            };
            let text = format!("\u{2508} {}: {why}", edge.as_str());
            let _ = writeln!(out, "{}", cut(&text, wide));
        }
    }
}
