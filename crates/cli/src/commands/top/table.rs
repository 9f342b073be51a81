//! The rows of `top`: which columns there is room for, and how a trend is drawn. Changes nothing.

use pmtaq_render::words::{count, cut};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span as Piece};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::page::{Body, Group, Groups, Records, WindowAnswer};
use super::state::State;
use super::theme::{BOLD, REVERSED, Theme, row_of};

/// Lines of the header.
const HEADER: usize = 2;

/// Columns between two columns.
const GAP: usize = 2;

/// The least that a label and a trend get, and the most of a trend.
const LABEL: usize = 14;
const TREND: usize = 8;

/// Metrics that stay longest when there is little room.
const WORTH: [&str; 7] =
    ["delivered", "deferral_rate", "bounce_rate", "p95", "deferred", "bounced", "p50"];

/// The bars of a trend, from low to high.
const BARS: [char; 8] = [
    '\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}', '\u{2588}',
];

/// Draws the rows, and in `foot` their total.
pub(super) fn draw(
    state: &State,
    page: &WindowAnswer,
    theme: Theme,
    area: Rect,
    foot: Rect,
    buffer: &mut Buffer,
) {
    match &page.body {
        Body::Groups(groups) => draw_groups(state, groups, theme, area, foot, buffer),
        Body::Records(records) => draw_records(state, records, area, buffer),
    }
}

/// Where the columns stand.
struct Columns {
    label: usize,
    /// Metrics by their place in the page, with their widths.
    metrics: Vec<(usize, usize)>,
    /// 0 when there is no room.
    trend: usize,
}

impl Columns {
    fn fit(state: &State, groups: &Groups, width: usize) -> Columns {
        let all = || groups.rows.iter().chain(&groups.other).chain(&groups.total);
        let widest = |at: usize| {
            let cells = all().filter_map(|group| group.texts.get(at)).map(|text| text.width());
            let heads = header(&groups.metrics[at]).map(|text| text.width());
            // One more for the mark of the order.
            cells.chain(heads).max().unwrap_or(0) + 1
        };
        let longest = all().map(|group| group.label.width()).max().unwrap_or(0);
        let mut left = width.saturating_sub(longest.clamp(LABEL, 18).min(width));
        let mut trend = 0;
        let mut chosen = Vec::new();
        let mut take = |at: usize, left: &mut usize| {
            let needs = widest(at) + GAP;
            if needs <= *left && chosen.iter().all(|(other, _)| *other != at) {
                *left -= needs;
                chosen.push((at, needs - GAP));
            }
        };
        let place = |name: &str| groups.metrics.iter().position(|metric| metric == name);
        // The chosen metric is the first; what the rows are sorted by must be seen.
        take(0, &mut left);
        place(state.sorted_by()).into_iter().for_each(|at| take(at, &mut left));
        let n_steps = groups.rows.iter().map(|group| group.trend.len()).max().unwrap_or(0);
        let least = if width < 80 { TREND } else { TREND * 3 / 2 };
        if left >= least + GAP && n_steps > 0 {
            trend = least;
            left -= least + GAP;
        }
        let rest = WORTH.iter().filter_map(|name| place(name)).chain(0..groups.metrics.len());
        rest.for_each(|at| take(at, &mut left));
        chosen.sort_unstable();
        // What is left goes to the trend, up to a column a step, then to the labels.
        if trend > 0 {
            let room = trend + left;
            trend = n_steps.div_ceil(n_steps.div_ceil(room)).max(least);
            left = room - trend;
        }
        let label = width.saturating_sub(
            chosen.iter().map(|(_, width)| width + GAP).sum::<usize>()
                + if trend > 0 { trend + GAP } else { 0 },
        );
        // Numbers far from their label are hard to read.
        Columns { label: label.min(longest.max(LABEL) + left.min(4)), metrics: chosen, trend }
    }
}

/// The two lines of a header: a rate has its word below.
fn header(metric: &str) -> [&str; 2] {
    match metric.rsplit_once('_') {
        Some((first, second)) => [first, second],
        None => ["", metric],
    }
}

fn draw_groups(
    state: &State,
    groups: &Groups,
    theme: Theme,
    area: Rect,
    foot: Rect,
    buffer: &mut Buffer,
) {
    let columns = Columns::fit(state, groups, usize::from(area.width));
    for n in 0..HEADER {
        head_line(state, groups, &columns, n).render(row_of(area, n), buffer);
    }
    let order = state.order();
    if order.is_empty() {
        nothing(state, "row", area, buffer);
    }
    let height = usize::from(area.height).saturating_sub(HEADER);
    let level = state.level();
    for (n, &row) in order.iter().enumerate().skip(level.scroll).take(height) {
        let group = &groups.rows[row];
        let style = if n == level.at { REVERSED } else { Style::new() };
        let mut pieces = cells(&columns, &group.label, group);
        pieces.push(Piece::styled(trend(&group.trend, columns.trend), theme.trend()));
        let line = Line::from(pieces).style(style);
        let place = row_of(area, n - level.scroll + HEADER);
        buffer.set_style(place, style);
        line.render(place, buffer);
    }
    let total = match &groups.other {
        Some(_) => format!("total, {} largest shown", count(groups.rows.len() as f64)),
        None if order.len() < groups.rows.len() => {
            format!("total of all {}", count(groups.rows.len() as f64))
        }
        None => format!("total of {}", count(groups.rows.len() as f64)),
    };
    if let Some(group) = &groups.total {
        Line::from(cells(&columns, &total, group)).style(BOLD).render(foot, buffer);
    }
}

fn head_line(state: &State, groups: &Groups, columns: &Columns, n: usize) -> Line<'static> {
    let by = match state.level().shows {
        super::state::Shows::Groups(by) if n == HEADER - 1 => by.name,
        _ => "",
    };
    let mut pieces = vec![Piece::raw(left(by, columns.label))];
    for &(at, width) in &columns.metrics {
        let name = &groups.metrics[at];
        let is_sorted = name == state.sorted_by();
        let mut text = header(name)[n].to_owned();
        if n == HEADER - 1 {
            // A place for the mark in every column, so that nothing moves.
            text.push(match (is_sorted, state.ascending) {
                (true, false) => '\u{25bc}',
                (true, true) => '\u{25b2}',
                (false, _) => ' ',
            });
        } else {
            text.push(' ');
        }
        let style =
            if is_sorted { Style::new().add_modifier(Modifier::UNDERLINED) } else { Style::new() };
        let text = cut(&text, width);
        pieces.push(Piece::raw(" ".repeat(GAP + width - text.width().min(width))));
        pieces.push(Piece::styled(text, style));
    }
    if columns.trend > 0 {
        let of = format!("{} by {}", state.metric.name, groups.step);
        let text = match n {
            0 if of.width() > columns.trend => cut(&state.metric.name, columns.trend),
            0 => String::new(),
            _ if of.width() > columns.trend => cut(&format!("by {}", groups.step), columns.trend),
            _ => of,
        };
        pieces.push(Piece::raw(format!("{}{text}", " ".repeat(GAP))));
    }
    Line::from(pieces).style(BOLD)
}

fn cells(columns: &Columns, label: &str, group: &Group) -> Vec<Piece<'static>> {
    let mut pieces = vec![Piece::raw(left(label, columns.label))];
    for &(at, width) in &columns.metrics {
        let text = group.texts.get(at).map_or("", String::as_str);
        let text = cut(text, width.saturating_sub(1));
        let gap = (GAP + width).saturating_sub(text.width() + 1);
        pieces.push(Piece::raw(format!("{}{text} ", " ".repeat(gap))));
    }
    pieces.push(Piece::raw(" ".repeat(if columns.trend > 0 { GAP } else { 0 })));
    pieces
}

/// Says why there is no row.
fn nothing(state: &State, thing: &str, area: Rect, buffer: &mut Buffer) {
    let text = if state.level().needle.is_empty() {
        "no records in this window".to_owned()
    } else {
        format!("no {thing} holds this text")
    };
    Line::raw(text).render(row_of(area, HEADER), buffer);
}

/// A text cut or filled to `width`.
fn left(text: &str, width: usize) -> String {
    let text = cut(text, width);
    let gap = width.saturating_sub(text.width());
    text + &" ".repeat(gap)
}

/// The newest steps of a trend that fit `width`, each as high as its share of the highest; nothing
/// where nothing happened.
fn trend(steps: &[Option<f64>], width: usize) -> String {
    // Of more steps than columns, each column is the highest of some.
    let per = steps.len().div_ceil(width.max(1)).max(1);
    let highest = |steps: &[Option<f64>]| steps.iter().flatten().copied().reduce(f64::max);
    let top = highest(steps).unwrap_or(0.0);
    let bars = steps.rchunks(per).rev().map(|steps| match highest(steps) {
        None => ' ',
        Some(value) if top > 0.0 => {
            let share = (value / top * 8.0).ceil().clamp(1.0, 8.0);
            BARS[share as usize - 1]
        }
        Some(_) => BARS[0],
    });
    let bars: String = if width == 0 { String::new() } else { bars.collect() };
    format!("{bars:<width$}")
}

fn draw_records(state: &State, records: &Records, area: Rect, buffer: &mut Buffer) {
    let order = state.order();
    let width = usize::from(area.width);
    let line = |texts: [&str; 5]| {
        // Time and type say the same everywhere; the rest shares what is left.
        let [time, rec, rcpt, status, reply] = texts;
        let room = width.saturating_sub(19 + 4 + 2);
        let (rcpt_width, status_width) = (room * 2 / 5, if width < 80 { 0 } else { 8 });
        let reply_width = room.saturating_sub(rcpt_width + status_width + 2);
        let mut text = format!("{}  {}", left(time, 19), left(rec, 3));
        text += &format!(" {}", left(rcpt, rcpt_width));
        if status_width > 0 {
            text += &format!(" {}", left(status, status_width));
        }
        left(&format!("{text} {}", cut(reply, reply_width)), width)
    };
    let heads = line(["time_logged", "rec", "rcpt", "status", "reply"]);
    Line::styled(heads, BOLD).render(row_of(area, HEADER - 1), buffer);
    if order.is_empty() {
        nothing(state, "record", area, buffer);
    }
    let height = usize::from(area.height).saturating_sub(HEADER);
    let level = state.level();
    for (n, &row) in order.iter().enumerate().skip(level.scroll).take(height) {
        let row = &records.rows[row];
        let field = |name| records.field(row, name);
        // What a delivery was answered is in dsn_diag too; without it the status says something.
        let reply = match field("dsn_diag") {
            "" => field("dsn_status"),
            diag => diag,
        };
        let time = field("time_logged");
        let text = line([time, field("rec"), field("rcpt"), field("enhanced_code"), reply]);
        let style = if n == level.at { REVERSED } else { Style::new() };
        Line::styled(text, style).render(row_of(area, n - level.scroll + HEADER), buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_tells_nothing_from_little_and_shows_the_peak_of_steps_that_share_a_column() {
        let steps = [None, Some(0.0), Some(1.0), Some(8.0)];
        assert_eq!(trend(&steps, 4), " \u{2581}\u{2581}\u{2588}");
        assert_eq!(trend(&steps, 2), "\u{2581}\u{2588}");
        assert_eq!(trend(&steps, 6), " \u{2581}\u{2581}\u{2588}  ");
        assert_eq!(trend(&steps, 0), "");
        assert_eq!(trend(&[], 3), "   ");
        assert_eq!(trend(&[Some(0.0), Some(0.0)], 2), "\u{2581}\u{2581}");
    }
}
