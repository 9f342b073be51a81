//! The sections of a report: which question makes which figure. Every one is an existing report or
//! a pivot; nothing is counted here.

use pmtaq_render::page::{self, Figure, Heat, HeatCell, Section, Table};
use pmtaq_render::words::{count, percent};

use super::charts::{self, Panel};
use super::desk::{CitedRows, Desk, LONG_S};
use super::{numbers, throttles};
use crate::command_line::CommandLine;
use crate::commands::why::page::meaning;
use crate::failure::Result;

/// Rates of fewer than this many are shown pale.
const FEW: f64 = 20.0;

pub(crate) fn sections(desk: &mut Desk<'_>) -> Result<Vec<Section>> {
    Ok(vec![
        volume(desk)?,
        funnel(desk)?,
        queue(desk)?,
        throttled(desk)?,
        places(desk)?,
        replies(desk)?,
        latency(desk)?,
        tls(desk)?,
        complaints(desk)?,
        jobs(desk)?,
    ])
}

fn section(id: &'static str, title: &str, about: &str, figures: Vec<Figure>) -> Section {
    Section { id, title: title.to_owned(), about: about.to_owned(), figures }
}

/// A table of a report, or a sentence where it has no rows.
fn table(desk: &Desk<'_>, answer: &CitedRows, caption: &str) -> Result<Figure> {
    if answer.n_rows() == 0 {
        return Ok(Figure::Nothing(format!("{caption}: none.")));
    }
    Ok(Figure::Table(answer.table(desk, caption)?))
}

/// The numbers below a chart.
fn folded(desk: &Desk<'_>, answer: &CitedRows, caption: &str) -> Result<Option<Table>> {
    match answer.n_rows() {
        0 => Ok(None),
        _ => Ok(Some(answer.table(desk, caption)?.folded())),
    }
}

fn volume(desk: &mut Desk<'_>) -> Result<Section> {
    let is_long = desk.window.until.0 - desk.window.since.0 > 4 * LONG_S;
    let per = if is_long { "day" } else { "hour" };
    let volume = desk.ask("volume", &[("per", per)])?;
    let caption = format!("Volume by {per}");
    let chart = charts::figure(
        desk,
        "Delivered by provider, and what was refused",
        &[
            Panel { title: "delivered", metrics: &["delivered"], by: Some("provider") },
            Panel { title: "rates", metrics: &["deferral_rate", "bounce_rate"], by: None },
        ],
    )?;
    let table = folded(desk, &volume, &caption)?;
    let figures = vec![Figure::Chart(page::Chart { table, ..chart })];
    Ok(section("volume", "Volume", "Recipients in each step of the local clock.", figures))
}

fn funnel(desk: &mut Desk<'_>) -> Result<Section> {
    let figures = vec![Figure::Bars(numbers::funnel(desk)?)];
    let about = "From injection to the mailbox. Delayed are recipients deferred at least once; \
                 most of them are delivered later.";
    Ok(section("funnel", "Funnel", about, figures))
}

fn queue(desk: &mut Desk<'_>) -> Result<Section> {
    let length_s = desk.window.until.0 - desk.window.since.0;
    let (step, step_s) = match length_s {
        ..=LONG_S => ("15m", 900),
        length if length <= 4 * LONG_S => ("1h", 3600),
        _ => ("6h", 6 * 3600),
    };
    let queue = desk.ask("queue", &[("step", step)])?;
    let panels = charts::queue(desk, &queue, step_s);
    let caption = "Depth and age of the queue";
    let figure = if panels.is_empty() {
        Figure::Nothing("Nobody waited.".to_owned())
    } else {
        Figure::Chart(page::Chart {
            caption: caption.to_owned(),
            panels,
            table: folded(desk, &queue, caption)?,
            command: desk
                .line(
                    CommandLine::new("graph queue_depth,queue_peak,queue_oldest")
                        .option("--every", step),
                )
                .text()
                .unwrap_or_default(),
        })
    };
    let figures = vec![figure];
    let about = "Recipients that waited, rebuilt from the times of the records. A step that is dotted \
                 is so near the end of the data that some who waited have left no record yet.";
    Ok(section("queue", "Queue", about, figures))
}

fn throttled(desk: &mut Desk<'_>) -> Result<Section> {
    let answer = desk.ask("throttles", &[("top", throttles::MAX_EPISODES)])?;
    let episodes = throttles::read(&answer);
    let mut figures = Vec::new();
    if !episodes.is_empty() {
        figures.push(Figure::Gantt(throttles::gantt(desk, &episodes)));
    }
    figures.push(table(desk, &answer, "Throttle episodes")?);
    let about = "A provider deferred one of our addresses with one reply, again and again.";
    Ok(section("throttles", "Throttles", about, figures))
}

fn places(desk: &mut Desk<'_>) -> Result<Section> {
    let providers = desk.ask("providers", &[("top", "50")])?;
    let figures = vec![
        heat(desk, "deferral_rate", "attempts", "Deferral rate by provider and VirtualMTA")?,
        heat(desk, "bounce_rate", "sent", "Bounce rate by provider and VirtualMTA")?,
        table(desk, &providers, "Providers")?,
    ];
    let about = "A dark row is a provider with trouble for all; a dark column is one of our own. \
                 Pale numbers with ~ are of fewer than 20.";
    Ok(section("places", "Providers", about, figures))
}

/// A rate by provider and VirtualMTA.
fn heat(desk: &mut Desk<'_>, rate: &str, of: &str, caption: &str) -> Result<Figure> {
    let answer = desk.pivot("provider", Some("vmta"), &[of, rate], 12)?;
    let names = answer.names();
    let suffix = format!(" {rate}");
    let columns: Vec<String> =
        names.iter().filter_map(|name| name.strip_suffix(&suffix)).map(str::to_owned).collect();
    if columns.is_empty() {
        return Ok(Figure::Nothing(format!("{caption}: none.")));
    }
    let providers = answer.texts("provider");
    let mut rows: Vec<(String, Vec<HeatCell>)> =
        providers.iter().map(|name| (name.clone(), Vec::new())).collect();
    let mut full: f64 = 10.0;
    for column in &columns {
        let rates = answer.numbers(&format!("{column}{suffix}"));
        let bases = answer.numbers(&format!("{column} {of}"));
        for (row, (provider, cells)) in rows.iter_mut().enumerate() {
            let base = bases[row].unwrap_or(0.0);
            let is_weak = base < FEW;
            let cell = match rates[row].filter(|_| base > 0.0) {
                None => HeatCell::default(),
                Some(value) => HeatCell {
                    rate: Some(value),
                    text: format!("{}{}", if is_weak { "~" } else { "" }, percent(value)),
                    about: format!(
                        "{provider}, {column}: {} of {} {of}",
                        percent(value),
                        count(base)
                    ),
                    is_weak,
                },
            };
            if !is_weak {
                full = full.max(cell.rate.unwrap_or(0.0).min(50.0));
            }
            cells.push(cell);
        }
    }
    // Some VirtualMTAs tried nothing, such as the pools that r records name.
    let has_any = |place: usize| rows.iter().any(|(_, cells)| cells[place].rate.is_some());
    let kept: Vec<usize> = (0..columns.len()).filter(|&place| has_any(place)).collect();
    let columns = kept.iter().map(|&place| columns[place].clone()).collect();
    rows.retain(|(_, cells)| cells.iter().any(|cell| cell.rate.is_some()));
    for (_, cells) in &mut rows {
        *cells = kept.iter().map(|&place| cells[place].clone()).collect();
    }
    Ok(Figure::Heat(Heat {
        caption: caption.to_owned(),
        rows_are: "provider".to_owned(),
        columns_are: "VirtualMTA".to_owned(),
        columns,
        rows,
        full,
        command: answer.line.clone(),
    }))
}

fn replies(desk: &mut Desk<'_>) -> Result<Section> {
    let mut figures = Vec::new();
    for (name, caption) in [
        ("top-bounces", "Replies of bounces"),
        ("deferrals", "Replies of deferrals"),
        ("new-replies", "Replies never seen before"),
    ] {
        let answer = desk.ask(name, &[("top", "50")])?;
        figures.push(match table(desk, &answer, caption)? {
            Figure::Table(table) => Figure::Table(table.explained("template", meaning)),
            other => other,
        });
    }
    let about = "What receivers said, with the variable parts masked. Below \
                 stands what is known of a reply. Bounces are those of the delivery itself here: asynchronous ones, \
                 which the bounce rate counts too, stand in `pmtaq remote-bounces`.";
    Ok(section("replies", "Replies", about, figures))
}

fn latency(desk: &mut Desk<'_>) -> Result<Section> {
    let answer = desk.ask("latency", &[("top", "50")])?;
    let chart = charts::figure(
        desk,
        "Time from queueing to delivery",
        &[Panel { title: "latency", metrics: &["p50", "p95", "p99"], by: None }],
    )?;
    let figures = vec![
        Figure::Chart(chart),
        table(desk, &answer, "Time from queueing to delivery, by provider")?,
    ];
    let about = "50 % of the deliveries were faster than p50, 95 % faster than p95.";
    Ok(section("latency", "Latency", about, figures))
}

fn tls(desk: &mut Desk<'_>) -> Result<Section> {
    let by = desk.ask("tls", &[("by", "provider"), ("top", "30")])?;
    let all = desk.ask("tls", &[])?;
    let chart = charts::figure(
        desk,
        "Deliveries over TLS",
        &[Panel { title: "share over TLS", metrics: &["tls_rate"], by: None }],
    )?;
    let figures = vec![
        Figure::Chart(chart),
        table(desk, &by, "Encryption by provider")?,
        table(desk, &all, "Protocols and ciphers")?,
    ];
    Ok(section("tls", "TLS", "Deliveries by protocol; weak ones say why.", figures))
}

fn complaints(desk: &mut Desk<'_>) -> Result<Section> {
    let answer = desk.ask("complaints", &[("top", "50")])?;
    let figures = vec![table(desk, &answer, "Complaints by provider")?];
    let about = "From feedback loops. Gmail sends none; its own rate stands in Postmaster Tools.";
    Ok(section("complaints", "Complaints", about, figures))
}

fn jobs(desk: &mut Desk<'_>) -> Result<Section> {
    let answer = desk.ask("jobs", &[("top", "200")])?;
    let figures = vec![table(desk, &answer, "Jobs")?];
    Ok(section("jobs", "Jobs", "The largest first; pmtaq job tells all of one.", figures))
}
