//! `pmtaq metrics --textfile`: the metrics of a window for Prometheus' textfile collector. All
//! samples are gauges, since what a window holds goes up and down, and `prune` takes from the
//! store; only the number of commits never falls.

use std::path::Path;

use pmtaq_alert::{Family, MetricType};
use pmtaq_query::{Dimension, Metric, Selection, dimension, metrics};
use pmtaq_schema::size::parse_duration_s;
use pmtaq_schema::{Timestamp, Unit, Window};
use pmtaq_store::layout::Table;

use crate::args;
use crate::asked::{self, Asked};
use crate::commands::measure::{self, GroupValues};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::show;

/// How far back the newest record is looked for.
const REACH_S: i64 = 7 * 86_400;

pub(crate) fn run(context: &Context, args: &args::Metrics, path: &Path) -> Result<Exit> {
    let length = parse_duration_s(&args.window).filter(|length| *length > 0).ok_or_else(|| {
        Failure::usage(format!(
            "--window `{}` is not a valid duration; write it like 1h",
            args.window
        ))
    })?;
    let mut by: Vec<&Dimension> = Vec::new();
    for name in &args.by {
        // Named twice, or by another name, it would give each series twice.
        let dimension = dimension(name)?;
        if !by.iter().any(|known| known.name == dimension.name) {
            by.push(dimension);
        }
    }
    let reach = REACH_S.max(length);
    let recent = Window { since: Timestamp(context.now.0 - reach), until: context.now };
    let asked = asked::open_whole(context, recent)?;
    let newest = asked.session.newest("host", &Selection::default())?;
    let mut families = about_the_store(context, &asked, &newest)?;
    let end = newest.iter().map(|(_, time)| time.0 + 1).max();
    let mut end_of = Family::new(
        "pmtaq_window_end_timestamp_seconds",
        MetricType::Gauge,
        "End of the window, which is that of the records; absent when there are none.",
    );
    let mut length_of =
        Family::new("pmtaq_window_seconds", MetricType::Gauge, "Length of the window.");
    length_of.add(&[], length as f64);
    if let Some(end) = end {
        end_of.add(&[], end as f64);
        let window = Window { since: Timestamp(end - length), until: Timestamp(end) };
        let asked = asked::open_whole(context, window)?;
        families.extend(of_window(&asked, &by, args.top)?);
    }
    families.extend([end_of, length_of]);
    families.sort_by(|a, b| a.name.cmp(&b.name));
    let text: String = families.iter().map(Family::to_string).collect();
    if path == Path::new("-") {
        return show::print(context, &text);
    }
    pmtaq_store::publish(path, text.as_bytes()).map_err(|error| {
        Failure::failed(&error).hint("the file is as it was before; the collector sees its age")
    })?;
    Ok(Exit::Done)
}

/// What does not depend on the window.
fn about_the_store(
    context: &Context,
    asked: &Asked,
    newest: &[(String, Timestamp)],
) -> Result<Vec<Family>> {
    let mut written = Family::new(
        "pmtaq_written_timestamp_seconds",
        MetricType::Gauge,
        "When these samples were written.",
    );
    written.add(&[], context.now.0 as f64);
    let mut newest_of = Family::new(
        "pmtaq_newest_record_timestamp_seconds",
        MetricType::Gauge,
        "Time of the newest record of each MTA, of the last 7 days.",
    );
    for (host, time) in newest {
        newest_of.add(&[("host", host)], time.0 as f64);
    }
    let snapshot = context.store()?.snapshot(Window::ALL)?;
    let mut records = Family::new(
        "pmtaq_store_records",
        MetricType::Gauge,
        "Records in the store; prune takes some.",
    );
    records.add(&[], snapshot.store_rows as f64);
    let mut bytes =
        Family::new("pmtaq_store_bytes", MetricType::Gauge, "Size of the Parquet files.");
    let mut parts =
        Family::new("pmtaq_store_parts", MetricType::Gauge, "Parquet files of the store.");
    for table in Table::ALL {
        let of = || snapshot.parts.iter().filter(|part| part.part.table == table);
        let size: u64 = of().map(|part| part.part.bytes).sum();
        bytes.add(&[("table", &table.to_string())], size as f64);
        parts.add(&[("table", &table.to_string())], of().count() as f64);
    }
    let mut commits = Family::new(
        "pmtaq_store_commits_total",
        MetricType::Counter,
        "Changes of the store: ingests, compactions, removals.",
    );
    commits.add(&[], asked.snapshot.generation as f64);
    Ok(vec![written, newest_of, records, bytes, parts, commits])
}

/// Every metric, of all records and by each dimension.
fn of_window(asked: &Asked, by: &[&Dimension], top: u32) -> Result<Vec<Family>> {
    let names: Vec<String> = metrics().iter().map(|metric| metric.name.clone()).collect();
    let mut families: Vec<Family> = Vec::new();
    let mut add = |by: &str, group: &GroupValues| {
        for (metric, value) in metrics().iter().zip(&group.values) {
            let Some(value) = value else { continue };
            let (name, help, quantile, factor) = exposed_name(metric);
            let at = families.iter().position(|family| family.name == name);
            let at = at.unwrap_or_else(|| {
                families.push(Family::new(&name, MetricType::Gauge, &help));
                families.len() - 1
            });
            let mut labels = vec![("by", by), ("group", group.name.as_str())];
            labels.extend(quantile.map(|quantile| ("quantile", quantile)));
            families[at].add(&labels, value * factor);
        }
    };
    let measure = |by: &&Dimension| {
        measure::measure(&asked.session, by.name, &names, top, &Selection::default())
    };
    let measured = by.iter().map(measure).collect::<Result<Vec<_>>>()?;
    // Each dimension has all records.
    if let Some(all) = measured.iter().find_map(|of| of.total.clone()) {
        add("all", &GroupValues { name: "all".to_owned(), ..all });
    }
    for (dimension, of) in by.iter().zip(&measured) {
        of.groups.iter().chain(&of.rest).for_each(|group| add(dimension.name, group));
    }
    Ok(families)
}

/// Name, help, label of the quantile and factor of a metric, in base units.
pub(crate) fn exposed_name(metric: &Metric) -> (String, String, Option<&'static str>, f64) {
    let name = metric.name.as_str();
    let doc = format!("{} In the window.", metric.doc);
    match metric.unit {
        Unit::Percent => {
            let name = name.strip_suffix("_rate").unwrap_or(name);
            (format!("pmtaq_window_{name}_ratio"), doc, None, 0.01)
        }
        Unit::Seconds => {
            let quantile = match name {
                "p50" => "0.5",
                "p90" => "0.9",
                "p95" => "0.95",
                "p99" => "0.99",
                _ => "1",
            };
            let help = "Seconds from queueing to delivery. In the window.".to_owned();
            ("pmtaq_window_delivery_seconds".to_owned(), help, Some(quantile), 1.0)
        }
        Unit::Bytes => ("pmtaq_window_delivered_bytes".to_owned(), doc, None, 1.0),
        _ => (format!("pmtaq_window_{name}"), doc, None, 1.0),
    }
}
