//! Numbers over time as charts. Which steps are whole is decided here; the numbers are those of
//! `pmtaq graph` and of the report `queue`.

use pmtaq_query::Timeline;
use pmtaq_render::chart::{Chart, Edge, Line};
use pmtaq_render::page;
use pmtaq_schema::Unit;
use pmtaq_schema::step::Step;

use super::desk::{CitedRows, Desk};
use crate::command_line::CommandLine;
use crate::failure::Result;

/// Steps of a chart at most: more say nothing on a page.
const MAX_STEPS: i64 = 170;

/// A panel: a title, the metrics of its lines, and whether they are stacked by a dimension.
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) metrics: &'static [&'static str],
    pub(crate) by: Option<&'static str>,
}

/// The panels as one figure. `reach` is the end of what is known.
pub(crate) fn figure(desk: &mut Desk<'_>, caption: &str, panels: &[Panel]) -> Result<page::Chart> {
    let step = Step::fitting(desk.window, MAX_STEPS);
    let mut charts = Vec::new();
    for panel in panels {
        let timeline = desk.series(panel.metrics, panel.by, step)?;
        charts.push(chart(desk, panel, &timeline));
    }
    let first = &panels[0];
    let line = CommandLine::new("graph").word(first.metrics.join(","));
    let line = first.by.into_iter().fold(line, |line, by| line.option("--by", by));
    let line = desk.line(line.option("--every", step.to_string()));
    Ok(page::Chart {
        caption: caption.to_owned(),
        panels: charts,
        table: None,
        command: line.text().unwrap_or_default(),
    })
}

fn chart(desk: &Desk<'_>, panel: &Panel, timeline: &Timeline) -> Chart {
    let lines = timeline.lines.iter().flat_map(|(label, metrics)| {
        timeline.metrics.iter().zip(metrics).map(move |((name, _), values)| Line {
            label: match panel.by {
                Some(_) => label.clone(),
                None => name.replace('_', " "),
            },
            values: values.clone(),
        })
    });
    let unit = timeline.metrics.first().map_or(Unit::Number, |(_, unit)| *unit);
    let bounds: Vec<i64> = timeline.bounds.iter().map(|time| time.0).collect();
    Chart {
        title: panel.title.to_owned(),
        unit,
        lines: lines.collect(),
        edges: edges(desk, &bounds),
        bounds,
        stacked: panel.by.is_some(),
        own_scales: false,
        adds_up: panel.by.is_some(),
        zone: desk.zone.tz(),
    }
}

/// A step is whole when it lies in the window and the records reach to its end.
fn edges(desk: &Desk<'_>, bounds: &[i64]) -> Vec<Option<Edge>> {
    let known = desk.newest().map_or(desk.window.until, |newest| newest.max(desk.window.since));
    // Nothing need have happened in the last minutes of a window.
    let is_late = desk.window.until.0 - known.0 > 3600;
    let until = if is_late { known } else { desk.window.until };
    let is_whole = |pair: &[i64]| desk.window.since.0 <= pair[0] && pair[1] <= until.0;
    bounds.windows(2).map(|pair| (!is_whole(pair)).then_some(Edge::Incomplete)).collect()
}

/// Depth and age of the queue, from the report of that name.
pub(crate) fn queue(desk: &Desk<'_>, answer: &CitedRows, step_s: i64) -> Vec<Chart> {
    let Some(first) = answer.times("time").first().copied().flatten() else { return Vec::new() };
    let n_steps = i64::try_from(answer.n_rows()).unwrap_or(0);
    let bounds: Vec<i64> = (0..=n_steps).map(|n| first.0 + n * step_s).collect();
    let mut all = edges(desk, &bounds);
    for (edge, told) in all.iter_mut().zip(answer.texts("completeness")) {
        if !told.is_empty() {
            *edge = Some(Edge::Uncertain);
        }
    }
    let line = |column: &str, label: &str| Line {
        label: label.to_owned(),
        values: answer.numbers(column),
    };
    let chart = |title: &str, unit: Unit, lines: Vec<Line>| Chart {
        title: title.to_owned(),
        unit,
        bounds: bounds.clone(),
        lines,
        edges: all.clone(),
        stacked: false,
        own_scales: false,
        adds_up: false,
        zone: desk.zone.tz(),
    };
    vec![
        chart(
            "recipients waiting",
            Unit::Count,
            vec![line("depth", "at the end of the step"), line("peak", "peak")],
        ),
        chart("age of the oldest", Unit::Seconds, vec![line("oldest", "")]),
    ]
}
