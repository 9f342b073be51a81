//! Charts as SVG: no script, colours that follow the page or the reader's preference for light or
//! dark, and the values of each step where the pointer rests.

use std::fmt::Write as _;

use super::axis;
use super::model::{Chart, Edge, Line};
use crate::escape;

const WIDTH: f64 = 960.0;
/// Room for the labels at the left.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
/// Of a plot, without title and axis.
const HEIGHT: f64 = 200.0;
const TITLE: f64 = 26.0;
/// Of a row of the legend.
const LEGEND: f64 = 20.0;
const AXIS: f64 = 26.0;

/// A page may set `--chart-fg`, `--chart-grid` and `--chart-1` to `--chart-6`. The colours are told
/// apart by people who do not see red and green apart (Okabe and Ito, "Color Universal Design").
pub(super) const STYLE: &str = "\
.pmtaq-chart{font:13px system-ui,sans-serif;--fg:var(--chart-fg,#24292f);--grid:var(--chart-grid,#d8dee4);\
--c1:var(--chart-1,#0072b2);--c2:var(--chart-2,#d55e00);--c3:var(--chart-3,#009e73);\
--c4:var(--chart-4,#cc79a7);--c5:var(--chart-5,#b07d00);--c6:var(--chart-6,#3d9ad1);--c0:#8c959f}\
@media(prefers-color-scheme:dark){.pmtaq-chart{--fg:var(--chart-fg,#e6edf3);--grid:var(--chart-grid,#30363d);\
--c1:var(--chart-1,#4ea8de);--c2:var(--chart-2,#f08c4a);--c3:var(--chart-3,#3fb68b);\
--c4:var(--chart-4,#e0a3c4);--c5:var(--chart-5,#e2b33c);--c6:var(--chart-6,#8ecae6)}}\
.pmtaq-chart text{fill:var(--fg)}\
.pmtaq-chart .title{font-weight:600}\
.pmtaq-chart .grid{stroke:var(--grid);stroke-width:1}\
.pmtaq-chart .tick{font-size:11px;opacity:.75;font-variant-numeric:tabular-nums}\
.pmtaq-chart .c0{color:var(--c0)}.pmtaq-chart .c1{color:var(--c1)}.pmtaq-chart .c2{color:var(--c2)}\
.pmtaq-chart .c3{color:var(--c3)}.pmtaq-chart .c4{color:var(--c4)}.pmtaq-chart .c5{color:var(--c5)}\
.pmtaq-chart .c6{color:var(--c6)}\
.pmtaq-chart .key{fill:currentColor}\
.pmtaq-chart .line{fill:none;stroke:currentColor;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}\
.pmtaq-chart .edge{stroke-dasharray:2 4}\
.pmtaq-chart .area{fill:currentColor;fill-opacity:.75;stroke:none}\
.pmtaq-chart .unsure{fill:var(--fg);fill-opacity:.06}\
.pmtaq-chart .hover{fill:transparent}\
.pmtaq-chart .hover:hover{fill:var(--fg);fill-opacity:.09}";

/// Paints the panels, with a style of its own unless the page has it. No element has a style but by
/// its class: a page may forbid all others.
pub(super) fn paint(charts: &[Chart], has_style: bool) -> String {
    let mut body = String::new();
    let mut y = 0.0;
    for chart in charts {
        y += panel(chart, y, &mut body);
    }
    let titles: Vec<String> = charts.iter().map(|chart| escaped(&chart.title)).collect();
    let title = titles.join(", ");
    let style = if has_style { format!("<style>{STYLE}</style>") } else { String::new() };
    format!(
        "<svg class=\"pmtaq-chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y}\" \
         role=\"img\" aria-label=\"{title}\"><title>{title}</title>{style}{body}</svg>\n"
    )
}

/// Draws a panel that begins at `top`; returns its height.
fn panel(chart: &Chart, top: f64, out: &mut String) -> f64 {
    let _ = write!(
        out,
        "<text class=\"title\" x=\"4\" y=\"{}\">{}</text>",
        top + 17.0,
        escaped(&chart.title)
    );
    let legend = legend(chart, top + TITLE, out);
    let plot = Plot::new(chart, top + TITLE + legend);
    plot.grid(out);
    if chart.stacked && chart.lines.len() > 1 {
        plot.areas(out);
    } else {
        for (n, line) in chart.lines.iter().enumerate() {
            plot.line(n, line, out);
        }
    }
    plot.hover(out);
    TITLE + legend + HEIGHT + AXIS
}

/// The class of a line's colour.
fn hue(chart: &Chart, line: usize) -> String {
    if chart.is_rest(line) { "c0".to_owned() } else { format!("c{}", line % 6 + 1) }
}

/// Names of the lines with their colours; returns the height of the rows.
fn legend(chart: &Chart, top: f64, out: &mut String) -> f64 {
    if chart.lines.iter().all(|line| line.label.is_empty()) {
        return 0.0;
    }
    let (mut x, mut y) = (LEFT, top);
    for (n, line) in chart.lines.iter().enumerate() {
        let label: String = short(&line.label);
        // About the width of a letter; wider ones are rare in names.
        let wide = 26.0 + 7.2 * label.chars().count() as f64;
        if x + wide > WIDTH - RIGHT && x > LEFT {
            (x, y) = (LEFT, y + LEGEND);
        }
        let _ = write!(
            out,
            "<g data-line=\"{n}\"><rect class=\"key {}\" x=\"{x:.0}\" y=\"{:.0}\" width=\"10\" height=\"10\" rx=\"2\"/>\
             <text x=\"{:.0}\" y=\"{:.0}\"><title>{}</title>{}</text></g>",
            hue(chart, n),
            y + 2.0,
            x + 15.0,
            y + 11.0,
            escaped(&line.label),
            escaped(&label),
        );
        x += wide;
    }
    y - top + LEGEND
}

/// A name of 40 letters at most.
fn short(label: &str) -> String {
    crate::fit::cut(label, 40)
}

/// Where values and steps stand.
struct Plot<'c> {
    chart: &'c Chart,
    top: f64,
    ticks: Vec<f64>,
}

impl Plot<'_> {
    fn new(chart: &Chart, top: f64) -> Plot<'_> {
        let is_stacked = chart.stacked && chart.lines.len() > 1;
        let highest = if is_stacked { chart.highest_sum() } else { chart.highest() };
        Plot { chart, top, ticks: axis::values(highest, 4, chart.unit) }
    }

    fn y(&self, value: f64) -> f64 {
        let highest = self.ticks.last().copied().unwrap_or(1.0);
        self.top + HEIGHT * (1.0 - (value / highest).clamp(0.0, 1.0))
    }

    /// Of a moment, in seconds.
    fn x(&self, moment: i64) -> f64 {
        let bounds = &self.chart.bounds;
        let (first, last) = (bounds.first().copied().unwrap_or(0), bounds.last().copied());
        let length = (last.unwrap_or(first) - first).max(1);
        LEFT + (WIDTH - LEFT - RIGHT) * (moment - first) as f64 / length as f64
    }

    fn left(&self, step: usize) -> f64 {
        self.x(self.chart.bounds[step])
    }

    fn middle(&self, step: usize) -> f64 {
        f64::midpoint(self.left(step), self.left(step + 1))
    }

    fn grid(&self, out: &mut String) {
        for tick in &self.ticks {
            let y = self.y(*tick);
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{}\"/>\
                 <text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
                axis::label(self.chart, *tick),
            );
        }
        let floor = self.top + HEIGHT;
        for (step, label) in axis::moments(self.chart, 10) {
            let x = self.left(step);
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{x:.1} {floor:.1}v5\"/>\
                 <text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
                floor + 18.0,
            );
        }
        for (step, edge) in self.chart.edges.iter().enumerate().take(self.chart.steps()) {
            if edge.is_some() {
                let (x, wide) = (self.left(step), self.left(step + 1) - self.left(step));
                let _ = write!(
                    out,
                    "<rect class=\"unsure\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"{HEIGHT}\"/>",
                    self.top
                );
            }
        }
    }

    /// Whether the step is one like the others.
    fn is_whole(&self, step: usize) -> bool {
        self.chart.edges.get(step).is_none_or(Option::is_none)
    }

    /// A line through the middles of the steps, dotted from and to steps that are not whole.
    fn line(&self, n: usize, line: &Line, out: &mut String) {
        let mut paths = [String::new(), String::new()];
        let mut before: Option<usize> = None;
        for (step, value) in line.values.iter().enumerate().take(self.chart.steps()) {
            let Some(value) = *value else {
                before = None;
                continue;
            };
            let at = format!("{:.1} {:.1}", self.middle(step), self.y(value));
            match before {
                Some(last) => {
                    let is_whole = self.is_whole(step) && self.is_whole(last);
                    let path = &mut paths[usize::from(!is_whole)];
                    // A path that changes its style begins anew where the last one ended.
                    let from = line.values[last].unwrap_or(value);
                    let begin = format!("M{:.1} {:.1}", self.middle(last), self.y(from));
                    if !path.ends_with(&begin[1..]) {
                        path.push_str(&begin);
                    }
                    let _ = write!(path, "L{at}");
                }
                // A point of its own is a dot: a line of no length with round ends.
                None => {
                    let path = &mut paths[usize::from(!self.is_whole(step))];
                    let _ = write!(path, "M{at}L{at}");
                }
            }
            before = Some(step);
        }
        for (path, class) in paths.iter().zip(["line", "line edge"]) {
            if !path.is_empty() {
                let _ = write!(
                    out,
                    "<path class=\"{class} {}\" data-line=\"{n}\" d=\"{path}\"/>",
                    hue(self.chart, n)
                );
            }
        }
    }

    /// The lines upon one another, the first at the bottom, a bar for each step.
    fn areas(&self, out: &mut String) {
        let steps = self.chart.steps();
        let mut floor = vec![0.0; steps];
        for (n, line) in self.chart.lines.iter().enumerate() {
            let mut path = String::new();
            for (step, floor) in floor.iter_mut().enumerate() {
                let value = line.values.get(step).copied().flatten().unwrap_or(0.0);
                if value > 0.0 {
                    let (left, right) = (self.left(step), self.left(step + 1));
                    let gap = if right - left > 4.0 { 0.8 } else { 0.0 };
                    let (low, high) = (self.y(*floor), self.y(*floor + value));
                    let _ = write!(
                        path,
                        "M{:.1} {low:.1}H{:.1}V{high:.1}H{:.1}Z",
                        left + gap / 2.0,
                        right - gap / 2.0,
                        left + gap / 2.0
                    );
                    *floor += value;
                }
            }
            let hue = hue(self.chart, n);
            let _ = write!(out, "<path class=\"area {hue}\" data-line=\"{n}\" d=\"{path}\"/>");
        }
    }

    /// A field over each step that tells its values.
    fn hover(&self, out: &mut String) {
        let chart = self.chart;
        for step in 0..chart.steps() {
            let (x, wide) = (self.left(step), self.left(step + 1) - self.left(step));
            let mut text = chart.moment(chart.bounds[step]);
            if let Some(edge) = chart.edges.get(step).copied().flatten() {
                let _ = write!(text, " ({})", Edge::as_str(edge));
            }
            for line in &chart.lines {
                let value = line.values.get(step).copied().flatten();
                let value = value.map_or("-".to_owned(), |value| chart.value_text(value));
                let colon = if line.label.is_empty() { "" } else { ": " };
                let _ = write!(text, "\n{}{colon}{value}", short(&line.label));
            }
            let _ = write!(
                out,
                "<rect class=\"hover\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"{HEIGHT}\"><title>{}</title></rect>",
                self.top,
                escaped(&text)
            );
        }
    }
}

/// Text of strangers, of several lines, for elements and attributes alike.
fn escaped(text: &str) -> String {
    let lines = text.split('\n').map(|line| escape::markup(&escape::visible(line)));
    lines.collect::<Vec<_>>().join("\n")
}
