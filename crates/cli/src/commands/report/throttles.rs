//! Throttle episodes on the axis of the window. The episodes are those of `pmtaq throttles`.

use pmtaq_render::page::{Episode, Gantt};
use pmtaq_render::words::{count, duration, percent};
use pmtaq_schema::time::DAY_S;
use pmtaq_schema::{Timestamp, Window};

use super::desk::{CitedRows, Desk};

/// Lines of the figure; the table has all episodes.
const MAX_LINES: usize = 24;
/// Episodes that are asked for.
pub(crate) const MAX_EPISODES: &str = "200";

/// An episode.
#[derive(Clone, Debug)]
pub(crate) struct Throttle {
    pub(crate) provider: String,
    pub(crate) ip: String,
    pub(crate) template: String,
    pub(crate) onset: Timestamp,
    pub(crate) ended: Timestamp,
    pub(crate) is_on: bool,
    pub(crate) peak: f64,
    pub(crate) delayed: f64,
    pub(crate) cost_s: f64,
}

/// The episodes of an answer, in its order.
pub(crate) fn read(answer: &CitedRows) -> Vec<Throttle> {
    let (providers, ips, templates) =
        (answer.texts("provider"), answer.texts("ip"), answer.texts("template"));
    let (states, onsets) = (answer.texts("state"), answer.times("onset"));
    let (lasted, peaks) = (answer.numbers("lasted"), answer.numbers("peak_share"));
    let (delayed, costs) = (answer.numbers("delayed"), answer.numbers("total_delay"));
    let one = |row: usize| {
        let onset = onsets[row]?;
        #[expect(clippy::cast_possible_truncation, reason = "seconds of a window")]
        let ended = Timestamp(onset.0 + lasted[row].unwrap_or(0.0) as i64);
        Some(Throttle {
            provider: providers[row].clone(),
            ip: ips[row].clone(),
            template: templates[row].clone(),
            onset,
            ended,
            is_on: states[row] == "ongoing",
            peak: peaks[row].unwrap_or(0.0),
            delayed: delayed[row].unwrap_or(0.0),
            cost_s: costs[row].unwrap_or(0.0),
        })
    };
    (0..answer.n_rows()).filter_map(one).collect()
}

/// A line for each provider and address, those that cost the most first.
pub(crate) fn gantt(desk: &Desk<'_>, episodes: &[Throttle]) -> Gantt {
    let mut rows: Vec<(String, f64, Vec<Episode>)> = Vec::new();
    for throttle in episodes {
        let name = format!("{} {}", throttle.provider, throttle.ip);
        let known = rows.iter().position(|(known, ..)| *known == name);
        let at = known.unwrap_or_else(|| {
            rows.push((name, 0.0, Vec::new()));
            rows.len() - 1
        });
        rows[at].1 += throttle.cost_s;
        rows[at].2.push(episode(desk, throttle));
    }
    rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let more = rows.len().saturating_sub(MAX_LINES);
    let more = if more > 0 { format!(", the {MAX_LINES} that waited most") } else { String::new() };
    rows.truncate(MAX_LINES);
    Gantt {
        caption: format!(
            "When a provider throttled an address{more}; the darker, the larger the share deferred"
        ),
        ticks: ticks(desk),
        rows: rows.into_iter().map(|(name, _, episodes)| (name, episodes)).collect(),
    }
}

fn episode(desk: &Desk<'_>, throttle: &Throttle) -> Episode {
    let on = if throttle.is_on { ", still on" } else { "" };
    Episode {
        begin: place(desk.window, throttle.onset),
        end: place(desk.window, throttle.ended),
        strength: throttle.peak,
        is_on: throttle.is_on,
        about: vec![
            format!("{} to {}{on}", desk.clock(throttle.onset), desk.clock(throttle.ended)),
            format!(
                "peak {}, {} recipients delayed, {} of waiting in all",
                percent(throttle.peak),
                count(throttle.delayed),
                duration(throttle.cost_s)
            ),
            throttle.template.clone(),
        ],
    }
}

/// Where a moment stands in the window, of 0 to 100.
fn place(window: Window, time: Timestamp) -> f64 {
    let length = (window.until.0 - window.since.0).max(1);
    100.0 * (time.0 - window.since.0) as f64 / length as f64
}

/// Marks at round times of the local clock, six or so.
fn ticks(desk: &Desk<'_>) -> Vec<(f64, String)> {
    let window = desk.window;
    let length = window.until.0 - window.since.0;
    const HOUR_S: i64 = 3600;
    let steps = [300, 900, HOUR_S, 3 * HOUR_S, 6 * HOUR_S, DAY_S, 7 * DAY_S, 30 * DAY_S];
    let step = steps.into_iter().find(|step| length / step <= 8).unwrap_or(90 * DAY_S);
    let offset = desk.zone.offset_s(window.since);
    let first = (window.since.0 + offset + step - 1).div_euclid(step) * step - offset;
    let format = if step < DAY_S { "%H:%M" } else { "%b %-d" };
    let mut ticks = Vec::new();
    let mut at = first;
    while at <= window.until.0 {
        let label = desk.zone.local(Timestamp(at)).format(format).to_string();
        ticks.push((place(window, Timestamp(at)), label));
        at += step;
    }
    ticks
}
