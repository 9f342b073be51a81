//! `pmtaq graph`: metrics over time, drawn or as data. Knows which steps are whole; computes no
//! metric.

use std::path::Path;

use pmtaq_query::{Catalog, Selection, Series, Timeline};
use pmtaq_render::Format;
use pmtaq_render::chart::{self, Chart, Edge, Line, Size};
use pmtaq_schema::step::Step;
use pmtaq_schema::time::DAY_S;
use pmtaq_schema::{Timestamp, Unit, Window, Zone};

use crate::args;
use crate::asked::{self, Asked};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::{output, show, ui};

/// How many steps are chosen when the user names none: some for each column of a terminal.
const STEPS: i64 = 150;

/// Columns of a drawing that no terminal bounds.
const WIDTH: u16 = 100;

/// What the report `queue` tells, by the names that graphs have for it.
const QUEUE: [(&str, &str, Unit); 3] = [
    ("queue_depth", "depth", Unit::Count),
    ("queue_peak", "peak", Unit::Count),
    ("queue_oldest", "oldest", Unit::Seconds),
];

/// Numbers over time, and which steps are not whole.
struct Drawn {
    timeline: Timeline,
    edges: Vec<Option<Edge>>,
    /// Whether counts of all steps have a sum: who waits now may be who waited then.
    adds_up: bool,
}

/// What is drawn, and of what.
struct Wanted<'a> {
    metrics: &'a [String],
    by: Option<&'a str>,
    step: Step,
    top: u32,
    selection: &'a Selection,
    reach: Window,
}

pub(crate) fn run(context: &Context, args: &args::Graph, catalog: &Catalog) -> Result<Exit> {
    let names: Vec<String> = args.metrics.iter().map(|name| name.replace('-', "_")).collect();
    let (queue, metrics): (Vec<String>, Vec<String>) =
        names.into_iter().partition(|name| QUEUE.iter().any(|(known, ..)| known == name));
    let is_data = args.svg.is_none() && context.global.format != Format::Table;
    if !queue.is_empty() && args.by.is_some() {
        return Err(Failure::usage("the queue is not counted by a dimension")
            .hint("filter it, such as by --vmta, or leave --by out"));
    }
    if !queue.is_empty() && !metrics.is_empty() && (is_data || args.answer.show_sql) {
        return Err(Failure::usage("the queue and other metrics are two tables")
            .hint("ask for them one after the other"));
    }
    let selection = asked::selection(&args.selection);
    let asked = asked::open(context, &args.selection.times)?.from(&args.answer.from);
    asked.session.check(&selection)?;
    let Some(reach) = reach(context, &asked)? else {
        asked::say_window(context, &asked.snapshot, asked.window);
        asked::say_none(context, &asked, "")?;
        return Ok(Exit::Done);
    };
    let step = match &args.every {
        Some(text) => Step::parse(text).map_err(|e| Failure::usage(format!("--every: {e}")))?,
        None => Step::fitting(reach, STEPS),
    };
    let by = args.by.as_deref();
    let wanted =
        Wanted { metrics: &metrics, by, step, top: args.top, selection: &selection, reach };
    if args.answer.show_sql {
        let script = if queue.is_empty() {
            let zone = context.global.tz;
            let series = Series::new(&metrics, by, step, args.top, (reach, zone))?;
            asked.session.script(&series.query(&selection)?)
        } else {
            let (asked, query) = queue_query(context, catalog, &wanted)?;
            asked.session.script(&query)
        };
        return show::print(context, &script);
    }
    asked::say_window(context, &asked.snapshot, asked.window);
    let mut drawn = Vec::new();
    if !metrics.is_empty() {
        drawn.push(of_records(context, &asked, &wanted)?);
    }
    if !queue.is_empty() {
        drawn.push(of_the_queue(context, catalog, &queue, &wanted)?);
    }
    if is_data {
        return data(context, &drawn[0]);
    }
    let charts: Vec<Chart> =
        drawn.iter().flat_map(|drawn| drawn.charts(context.global.tz, step)).collect();
    match &args.svg {
        Some(path) => picture(context, path, &charts),
        None => drawing(context, &charts, args.height),
    }
}

/// The window as far as there can be data: from the first record to the last one, or to the last
/// ingest if that was later. None without a record.
fn reach(context: &Context, asked: &Asked) -> Result<Option<Window>> {
    let Some((first, last)) = asked.snapshot.times(asked.window) else { return Ok(None) };
    let known = Timestamp(last.0 + 1).max(ingested(context, asked, last)?);
    let Window { since, until } = asked.window;
    let reach = Window { since: since.max(first), until: until.min(known) };
    Ok((reach.since < reach.until).then_some(reach))
}

/// When the files were taken in that lately brought records, from those of `newest` on: what
/// happened until then is known. What is known behind the window does not matter.
fn ingested(context: &Context, asked: &Asked, newest: Timestamp) -> Result<Timestamp> {
    let store = context.store()?;
    let mut known = newest;
    let end = asked.snapshot.span.map_or(newest, |(_, last)| Timestamp(last.start().0 + DAY_S));
    let (mut since, mut days) = (Timestamp(newest.day().start().0 - DAY_S), 2);
    // Few days and then more, since an old window need not hear of all that came behind it.
    while since < end && known < asked.window.until {
        let until = Timestamp(since.0.saturating_add(days * DAY_S));
        // A file that was found late says nothing of the time between.
        let timely = asked::sources(context, &store, Window { since, until })?
            .into_iter()
            .filter_map(|(_, source)| {
                let (_, last) = source.times?;
                (source.ingested_at - last < 3600).then_some(Timestamp(source.ingested_at))
            });
        known = timely.chain([known]).max().unwrap_or(known);
        (since, days) = (until, 2 * days);
    }
    Ok(known)
}

/// Metrics of `pmtaq metrics`.
fn of_records(context: &Context, asked: &Asked, wanted: &Wanted<'_>) -> Result<Drawn> {
    let Wanted { metrics, by, step, top, selection, reach } = *wanted;
    let series = Series::new(metrics, by, step, top, (reach, context.global.tz))?;
    let guard = ui::interrupt(asked.session.interrupt());
    let timeline = series.run(&asked.session, selection)?;
    drop(guard);
    asked::say_lacks(context, &asked.session.take_lacks());
    let edges = timeline
        .bounds
        .windows(2)
        .map(|pair| (pair[0] < reach.since || pair[1] > reach.until).then_some(Edge::Incomplete))
        .collect();
    Ok(Drawn { timeline, edges, adds_up: true })
}

/// The report `queue`, over what it must read to know who waited.
fn queue_query(
    context: &Context,
    catalog: &Catalog,
    wanted: &Wanted<'_>,
) -> Result<(Asked, pmtaq_query::Query)> {
    let report = catalog.get("queue")?;
    let given = [("step".to_owned(), wanted.step.to_string())];
    let scope = report.scope(&given, wanted.reach, context.now);
    let asked = asked::open_window(context, scope.reads, &[])?;
    let query = report.query(&given, wanted.selection, scope)?;
    Ok((asked, query))
}

/// Depth and age of the queue.
fn of_the_queue(
    context: &Context,
    catalog: &Catalog,
    names: &[String],
    wanted: &Wanted<'_>,
) -> Result<Drawn> {
    let (asked, query) = queue_query(context, catalog, wanted)?;
    let _guard = ui::interrupt(asked.session.interrupt());
    let answer = asked.session.answer(&query)?;
    let metrics: Vec<_> =
        QUEUE.iter().filter(|(name, ..)| names.iter().any(|wanted| wanted == name)).collect();
    let values = metrics.iter().map(|(_, column, _)| answer.f64s(column));
    let values = values.collect::<pmtaq_query::Result<Vec<_>>>()?;
    let edges = answer.texts("completeness")?.into_iter().map(|edge| edge.map(|_| Edge::Uncertain));
    let edges: Vec<Option<Edge>> = edges.collect();
    let first = answer.times("time")?.first().copied().flatten().unwrap_or_default();
    let steps = i64::try_from(edges.len()).unwrap_or_default();
    let bounds = (0..=steps).map(|n| Timestamp(first.0 + n * wanted.step.seconds())).collect();
    let timeline = Timeline {
        by: None,
        metrics: metrics.iter().map(|(name, _, unit)| ((*name).to_owned(), *unit)).collect(),
        bounds,
        lines: vec![(String::new(), values)],
    };
    Ok(Drawn { timeline, edges, adds_up: false })
}

impl Drawn {
    /// A chart for each metric that has lines of a dimension, else for each unit.
    fn charts(&self, zone: Zone, step: Step) -> Vec<Chart> {
        let Timeline { by, metrics, bounds, lines } = &self.timeline;
        let chart = |title: String, unit: Unit, stacked: bool, lines: Vec<Line>| Chart {
            title: format!("{title}, every {step}"),
            unit,
            bounds: bounds.iter().map(|time| time.0).collect(),
            lines,
            edges: self.edges.clone(),
            stacked,
            own_scales: by.is_none(),
            adds_up: self.adds_up && unit.is_sum(),
            zone: zone.tz(),
        };
        if let Some(by) = by {
            let of = |(m, &(ref name, unit)): (usize, &(String, Unit))| {
                let lines = lines.iter().map(|(label, values)| Line {
                    label: label.clone(),
                    values: values[m].clone(),
                });
                chart(format!("{name} by {by}"), unit, unit.is_sum(), lines.collect())
            };
            return metrics.iter().enumerate().map(of).collect();
        }
        let mut charts: Vec<Chart> = Vec::new();
        for unit in [Unit::Count, Unit::Percent, Unit::Seconds, Unit::Bytes, Unit::Number] {
            let of: Vec<usize> = (0..metrics.len()).filter(|m| metrics[*m].1 == unit).collect();
            if of.is_empty() {
                continue;
            }
            let names: Vec<&str> = of.iter().map(|m| metrics[*m].0.as_str()).collect();
            let lines = of.iter().flat_map(|&m| {
                lines.iter().map(move |(_, values)| Line {
                    label: metrics[m].0.clone(),
                    values: values[m].clone(),
                })
            });
            let lines: Vec<Line> = lines.collect();
            charts.push(chart(names.join(", "), unit, false, lines));
        }
        charts
    }
}

fn data(context: &Context, drawn: &Drawn) -> Result<Exit> {
    let edges: Vec<Option<&str>> = drawn.edges.iter().map(|edge| edge.map(Edge::as_str)).collect();
    show::whole(context, &drawn.timeline.table(&edges))?;
    Ok(Exit::Done)
}

fn drawing(context: &Context, charts: &[Chart], height: u16) -> Result<Exit> {
    let width = ui::width(&context.global).unwrap_or(WIDTH);
    let size = Size { width: width.into(), height: height.into() };
    let color = ui::color(&context.global);
    let painted: Vec<String> = charts.iter().map(|chart| chart.terminal(size, color)).collect();
    show::print_drawing(context, &painted.join("\n"))
}

fn picture(context: &Context, path: &Path, charts: &[Chart]) -> Result<Exit> {
    let text = chart::svg(charts);
    if path == Path::new("-") {
        return show::print(context, &text);
    }
    output::file(path, |out| Ok(out.write_all(text.as_bytes())?))?;
    ui::note(&context.global, &format!("drawn to {}", path.display()));
    Ok(Exit::Done)
}
