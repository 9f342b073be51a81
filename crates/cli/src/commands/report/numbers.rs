//! The headline numbers of a report and its funnel, from pivots: what each number is, says
//! `sql/prelude/metrics.sql`. Compares them, and computes nothing but shares for the length of bars.

use std::rc::Rc;

use pmtaq_render::page::{Bar, Bars, Tile, Trend};
use pmtaq_render::words::{count, duration, percent};

use super::desk::{CitedRows, Desk};
use crate::command_line::CommandLine;
use crate::commands::why::Explanation;
use crate::failure::Result;

/// What the tiles and the funnel are made of.
const TOTALS: [&str; 19] = [
    "injected",
    "sent",
    "delivered",
    "accepted",
    "bounced",
    "hard",
    "soft",
    "block",
    "undetermined",
    "unknown_users",
    "deferred",
    "attempts",
    "complaints",
    "accepted_rate",
    "bounce_rate",
    "deferral_rate",
    "complaint_rate",
    "tls_rate",
    "p95",
];

/// Those of them that the funnel shows.
const SHOWN: &str =
    "injected,sent,delivered,bounced,hard,soft,block,undetermined,unknown_users,complaints";

/// The totals of the window.
pub(crate) fn totals(desk: &mut Desk<'_>) -> Result<Rc<CitedRows>> {
    desk.pivot("host", None, &TOTALS, 0)
}

/// The numbers that are read first. `told` knows what is usual of some.
pub(crate) fn tiles(desk: &mut Desk<'_>, told: &[Explanation]) -> Result<Vec<Tile>> {
    let totals = totals(desk)?;
    let number = |name: &str| totals.total(name);
    let of = |part: &str, whole: &str, words: &str| match (number(part), number(whole)) {
        (Some(part), Some(whole)) => format!("{} of {} {words}", count(part), count(whole)),
        _ => String::new(),
    };
    let whole_window = |told: &&Explanation| told.window.since == desk.window.since;
    let tile = |name: &str, metric: &str, of: String, is_good: bool| {
        let known = told.iter().filter(whole_window).find(|told| told.answer.metric.name == metric);
        let known = known.filter(|told| !told.baseline.is_empty());
        let value = number(metric);
        let shown = |n: f64| match metric {
            "p95" => duration(n),
            rate if rate.ends_with("_rate") => percent(n),
            _ => count(n),
        };
        Tile {
            name: name.to_owned(),
            value: value.map_or("-".to_owned(), shown),
            of,
            usual: known.map(|told| usually(told, shown)),
            trend: known.map_or(Trend::Usual, |told| trend(told, is_good)),
        }
    };
    let sent = format!("{} finished", count(number("sent").unwrap_or(0.0)));
    // What is deferred for a whole queue is no attempt for a recipient: no part of these.
    let attempts = format!("of {} attempts", count(number("attempts").unwrap_or(0.0)));
    Ok(vec![
        tile("Delivered", "delivered", of("delivered", "sent", "sent"), true),
        tile("Bounce rate", "bounce_rate", of("bounced", "sent", "sent"), false),
        tile("Deferral rate", "deferral_rate", attempts, false),
        tile("Complaint rate", "complaint_rate", of("complaints", "accepted", "accepted"), false),
        tile("Injected", "injected", sent, true),
        tile("p95 latency", "p95", "95 % were faster than this".to_owned(), false),
        tile("Over TLS", "tls_rate", "of deliveries".to_owned(), true),
    ])
}

fn usually(told: &Explanation, shown: impl Fn(f64) -> String) -> String {
    let answer = &told.answer;
    let (usual, (low, high)) =
        told.own.map_or((answer.usual, answer.range), |own| (own.usual, (own.lowest, own.highest)));
    match told.baseline.len() {
        1 => format!("before {}", shown(usual)),
        _ => format!("usually {} ({} to {})", shown(usual), shown(low), shown(high)),
    }
}

/// Outside of all that it is compared with, by more than a tenth, and by more than chance.
fn trend(told: &Explanation, is_good: bool) -> Trend {
    let answer = &told.answer;
    let (low, high) = answer.range;
    let change = answer.now - answer.usual;
    let is_sure = match answer.of {
        Some((of, _)) => {
            let (counted, expected) = (change.abs() * of / 100.0, answer.usual * of / 100.0);
            counted * counted >= 9.0 * (expected + 1.0)
        }
        // One day says little of a volume.
        None => told.baseline.len() >= 3,
    };
    let is_far = change.abs() > 0.1 * answer.usual.abs() && (answer.now < low || answer.now > high);
    match (is_sure && is_far, (change > 0.0) == is_good) {
        (false, _) => Trend::Usual,
        (true, true) => Trend::Better,
        (true, false) => Trend::Worse,
    }
}

/// What became of what was injected.
pub(crate) fn funnel(desk: &mut Desk<'_>) -> Result<Bars> {
    let totals = totals(desk)?;
    let categories = desk.ask("stats bounce-categories", &[("top", "0")])?;
    // Who was deferred is counted in the records alone, one by one: no part of the totals, which the
    // rollup answers at once.
    let deferrals = desk.ask("deferrals", &[("by", "rec")])?;
    let delayed = deferrals.texts("rec").iter().position(|rec| rec == "t");
    let delayed = delayed.and_then(|row| deferrals.numbers("recipients")[row]);
    let number = |name: &str| totals.total(name).unwrap_or(0.0);
    let widest = number("injected").max(number("sent")).max(1.0);
    let bar = |name: &str, depth: usize, value: f64, of: f64, is_loss: bool| Bar {
        name: name.to_owned(),
        depth,
        percent: 100.0 * value / widest,
        value: count(value),
        share: if of > 0.0 { percent(100.0 * value / of) } else { String::new() },
        is_loss,
    };
    let metric = |name: &str, depth: usize, of: &str, is_loss: bool| {
        let label = name.replace('_', " ");
        let of = if of.is_empty() { 0.0 } else { number(of) };
        bar(&label, depth, number(name), of, is_loss)
    };
    let mut bars = vec![
        metric("injected", 0, "", false),
        bar("finished", 0, number("sent"), number("injected"), false),
        metric("delivered", 0, "sent", false),
        bar("delayed", 0, delayed.unwrap_or(0.0), number("sent"), true),
        metric("bounced", 0, "sent", true),
    ];
    for class in ["hard", "soft", "block", "undetermined"] {
        bars.push(metric(class, 1, "sent", true));
    }
    let expired = categories.texts("category").iter().position(|name| name == "message-expired");
    let expired = expired.and_then(|row| categories.numbers("bounced")[row]);
    bars.push(bar("of these expired", 1, expired.unwrap_or(0.0), number("sent"), true));
    bars.push(metric("unknown_users", 1, "sent", true));
    bars.push(metric("complaints", 0, "accepted", true));
    let caption = "What became of the recipients".to_owned();
    let line =
        desk.line(CommandLine::new("pivot").option("--rows", "host").option("--metric", SHOWN));
    Ok(Bars { caption, bars, command: line.text().unwrap_or_default() })
}
