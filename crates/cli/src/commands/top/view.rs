//! Draws what `top` shows: title, path, rows, foot, and what lies over them. Changes nothing, and
//! fits any screen, be it only by leaving out.

use pmtaq_render::words::{cut, wrapped};
use pmtaq_schema::human::duration;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span as Piece};
use ratatui::widgets::{Block, Clear, Widget};
use unicode_width::UnicodeWidthStr;

use super::chooser::Chooser;
use super::page::{Body, Records, WindowAnswer};
use super::state::{FOOT, HEAD, Mode, Shows, State};
use super::table;
use super::theme::{BOLD, REVERSED, Theme, row_of};

/// The keys, as the help lists them.
const KEYS: &[[&str; 2]] = &[
    ["Enter", "into the row: provider, vmta, template, records, one record"],
    ["Backspace, Esc", "back"],
    ["l", "the records of the row"],
    ["up, down, PgUp, PgDn, Home, End", "choose a row (also j, k, g, G)"],
    ["left, right", "sort by the column before or after"],
    ["r", "reverse the order"],
    ["d", "choose the dimension"],
    ["m", "choose the metric that ranks the rows and is drawn over time"],
    ["w", "choose the window; [ and ] for a shorter or a longer one"],
    ["/", "show the rows that hold a text"],
    ["p", "pause: what is ingested does not change the screen"],
    ["Ctrl-Z", "back to the shell for a while"],
    ["q, Ctrl-C", "quit"],
    ["~", "a rate of fewer than 20"],
];

/// Draws all of it.
pub(super) fn draw(state: &State, theme: Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    let line = |row: u16, n: u16| {
        Rect { x: area.x, y: area.y + row, width: area.width, height: n }.intersection(area)
    };
    let bottom = area.height.saturating_sub(FOOT);
    let buffer = frame.buffer_mut();
    title(state, theme, area.width).render(line(0, 1), buffer);
    path(state, area.width).render(line(1, 1), buffer);
    let body = line(2, bottom.saturating_sub(2));
    match (&state.level().page, &state.mode) {
        (Some(WindowAnswer { body: Body::Records(records), .. }), Mode::Card(first)) => {
            let row = state.order().get(state.level().at).copied();
            card(records, row.unwrap_or(0), *first, body, buffer);
        }
        (Some(page), _) => table::draw(state, page, theme, body, line(bottom, 1), buffer),
        (None, _) => {
            let text = match (&state.trouble, state.asked, state.facts.newest) {
                (Some(_), ..) => "",
                (None, _, None) => "the store is empty: pmtaq ingest FILES",
                (None, ..) => "asking ...",
            };
            Line::raw(text).render(line(HEAD, 1), buffer);
        }
    }
    notice(state, theme, area.width).render(line(bottom + 1, 1), buffer);
    foot(state, area.width).render(line(bottom + 2, 1), buffer);
    match &state.mode {
        Mode::Help => help(area, buffer),
        Mode::Choose(chooser) => choices(chooser, area, buffer),
        _ => {}
    }
}

/// What is shown of when, and how old it is.
fn title(state: &State, theme: Theme, width: u16) -> Line<'static> {
    let what = match state.level().shows {
        Shows::Groups(by) => format!("{} by {}", state.metric.name, by.name),
        Shows::Records => "records".to_owned(),
    };
    // That of the page, which may be older than what was asked for.
    let window = state
        .level()
        .page
        .as_ref()
        .map_or_else(|| state.span.window(state.facts, state.now), |page| page.window);
    let (now, plain) = (state.now, Style::new());
    let (right, short, style) = match (state.facts.newest, state.stale_since()) {
        (None, _) => (String::new(), String::new(), plain),
        (Some(newest), _) if newest > now => {
            let text = "newest record in the FUTURE: is a clock wrong?".to_owned();
            (text, "FUTURE".to_owned(), theme.alarm())
        }
        (_, Some(since)) => (format!("STALE since {since}"), "STALE".to_owned(), theme.alarm()),
        (Some(newest), None) => {
            let age = duration((now.0 - newest.0) as f64);
            (format!("{age} old"), age, plain)
        }
    };
    let generation = format!("  generation {}", state.facts.generation);
    let whole = format!("{what}  {}", state.span.title(window, state.zone));
    let part = format!("{what}  {}", state.span.name(state.zone));
    // What there is no room for is left out, the least first.
    let width = usize::from(width);
    let room = |left: &str, right: &str, end: &str| {
        left.width() + 2 + right.width() + end.width() <= width
    };
    let choices = [(&whole, &right, &*generation), (&whole, &right, ""), (&whole, &short, "")];
    let fits = choices.into_iter().find(|(left, right, end)| room(left, right, end));
    let (left, right, end) = fits.unwrap_or((&part, &short, ""));
    let left = cut(left, width.saturating_sub(right.width() + 2));
    let gap = width.saturating_sub(left.width() + right.width() + end.width());
    Line::from(vec![
        Piece::styled(left, BOLD),
        Piece::raw(" ".repeat(gap)),
        Piece::styled(right.clone(), style),
        Piece::raw(end.to_owned()),
    ])
}

/// The way down from all records to these.
fn path(state: &State, width: u16) -> Line<'static> {
    let mut steps = vec![if state.base_text.is_empty() {
        "all".to_owned()
    } else {
        pmtaq_render::words::visible(&state.base_text)
    }];
    for (dimension, value) in state.levels.iter().filter_map(|level| level.step.as_ref()) {
        let value = value.as_deref().unwrap_or("(none)");
        steps.push(format!("{} {}", dimension.name, pmtaq_render::words::visible(value)));
    }
    // The last step matters most; each gives a fair share.
    let share = (usize::from(width) / steps.len()).saturating_sub(3).max(6);
    let steps: Vec<String> = if steps.join(" > ").width() > usize::from(width) {
        steps.iter().map(|step| cut(step, share)).collect()
    } else {
        steps
    };
    Line::raw(steps.join(" > "))
}

/// What goes on: an error, the filter, a question that is out.
fn notice(state: &State, theme: Theme, width: u16) -> Line<'static> {
    let width = usize::from(width);
    let needle = &state.level().needle;
    if state.mode == Mode::Typing {
        let text = format!("/{}_", pmtaq_render::words::visible(needle));
        return Line::styled(cut(&text, width), BOLD);
    }
    if let Some(text) = state.lost.as_ref().or(state.trouble.as_ref()) {
        let text = pmtaq_render::words::visible(&format!("error: {text}"));
        return Line::styled(cut(&text, width), theme.alarm());
    }
    let mut parts = Vec::new();
    if state.paused {
        parts.push("PAUSED".to_owned());
    }
    if !needle.is_empty() {
        parts.push(format!("rows with `{}`", pmtaq_render::words::visible(needle)));
    }
    match &state.level().page {
        Some(WindowAnswer { body: Body::Records(records), .. }) if records.more => {
            parts.push(format!("the newest {}; there are more", records.rows.len()));
        }
        _ => {}
    }
    if state.asked.is_some() {
        parts.push("asking ...".to_owned());
    }
    Line::raw(cut(&parts.join("  "), width))
}

fn foot(state: &State, width: u16) -> Line<'static> {
    let text = match (&state.mode, state.level().shows) {
        (Mode::Typing, _) => "Enter keep  Esc drop",
        (Mode::Card(_), _) => "Esc back  up/down other record  PgDn scroll  q quit",
        (_, Shows::Records) => "Enter record  Esc back  / filter  w window  ? help  q quit",
        (_, Shows::Groups(_)) => {
            "Enter down  Esc back  d dimension  m metric  w window  / filter  < > sort  r reverse  ? help  q quit"
        }
    };
    // Whole hints only.
    let mut shown = text.to_owned();
    while shown.width() > usize::from(width) {
        let hints: Vec<&str> = shown.split("  ").collect();
        if hints.len() < 3 {
            break;
        }
        // The last two stay: how to get help, how to get out.
        let (first, last) = (&hints[..hints.len() - 3], &hints[hints.len() - 2..]);
        shown = [first, last].concat().join("  ");
    }
    Line::styled(cut(&shown, usize::from(width)), Style::new().add_modifier(Modifier::DIM))
}

/// One record, a line or more for each of its fields.
fn card(
    records: &Records,
    row: usize,
    first: usize,
    area: Rect,
    buffer: &mut ratatui::buffer::Buffer,
) {
    let Some(row) = records.rows.get(row) else { return };
    let indent = records.fields.iter().map(|name| name.width()).max().unwrap_or(0) + 2;
    let room = usize::from(area.width).saturating_sub(indent).max(10);
    let mut lines = Vec::new();
    for (name, text) in records.fields.iter().zip(row).filter(|(_, text)| !text.is_empty()) {
        for (n, part) in wrapped(text, room).into_iter().enumerate() {
            let name = if n == 0 { name.as_str() } else { "" };
            // A word that is longer than the line goes on in the next.
            for (m, piece) in pieces(&part, room).into_iter().enumerate() {
                let name = if m == 0 { name } else { "" };
                lines.push(Line::from(vec![
                    Piece::styled(format!("{name:<indent$}"), BOLD),
                    Piece::raw(piece),
                ]));
            }
        }
    }
    let height = usize::from(area.height);
    let first = first.min(lines.len().saturating_sub(height));
    for (n, line) in lines.into_iter().skip(first).take(height).enumerate() {
        line.render(row_of(area, n), buffer);
    }
}

/// A text in pieces of at most `room` columns.
fn pieces(text: &str, room: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for c in text.chars() {
        let piece = pieces.last_mut().expect("there is always a piece");
        if !piece.is_empty() && (format!("{piece}{c}")).width() > room {
            pieces.push(c.to_string());
        } else {
            piece.push(c);
        }
    }
    pieces
}

fn help(area: Rect, buffer: &mut ratatui::buffer::Buffer) {
    let indent = KEYS.iter().map(|[key, _]| key.width()).max().unwrap_or(0) + 2;
    let inner = over("keys", area, 100, KEYS.len(), buffer);
    for (n, [key, meaning]) in KEYS.iter().enumerate().take(usize::from(inner.height)) {
        let width = usize::from(inner.width);
        // On a narrow screen the first name of a key is enough.
        let (key, indent) =
            if width < 70 { (key.split(',').next().unwrap_or(key), 12) } else { (*key, indent) };
        let line = Line::from(vec![
            Piece::styled(format!("{key:<indent$}"), BOLD),
            Piece::raw(cut(meaning, width.saturating_sub(indent))),
        ]);
        line.render(row_of(inner, n), buffer);
    }
}

fn choices(chooser: &Chooser, area: Rect, buffer: &mut ratatui::buffer::Buffer) {
    let shown = chooser.matching();
    let title = match chooser.typed.as_str() {
        "" => format!("{}: type to narrow", chooser.what),
        typed => format!("{}: {}_", chooser.what, pmtaq_render::words::visible(typed)),
    };
    let inner = over(&title, area, 96, shown.len().max(1), buffer);
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    if shown.is_empty() {
        Line::raw("nothing has this name").render(row_of(inner, 0), buffer);
    }
    let indent = shown.iter().map(|choice| choice.name.width()).max().unwrap_or(0) + 2;
    let first = (chooser.at + 1).saturating_sub(height);
    for (n, choice) in shown.iter().enumerate().skip(first).take(height) {
        let text = cut(&format!("{:<indent$}{}", choice.name, choice.doc), width);
        let gap = width.saturating_sub(text.width());
        let style = if n == chooser.at { REVERSED } else { Style::new() };
        Line::styled(text + &" ".repeat(gap), style).render(row_of(inner, n - first), buffer);
    }
}

/// A box in the middle of the screen, with room for so many lines if there is any; its inside.
fn over(
    title: &str,
    area: Rect,
    width: u16,
    n_lines: usize,
    buffer: &mut ratatui::buffer::Buffer,
) -> Rect {
    let width = width.min(area.width);
    let height = u16::try_from(n_lines + 2).unwrap_or(u16::MAX).min(area.height);
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    let place = Rect { x, y, width, height };
    Clear.render(place, buffer);
    let block = Block::bordered().title(cut(title, usize::from(width.saturating_sub(2))));
    let inner = block.inner(place);
    block.render(place, buffer);
    inner
}
