//! `pmtaq report`: the reports that a postmaster reads in the morning, as one HTML page. Here they
//! are put in order; each file below asks for those of one kind. Defines no number.

mod charts;
mod desk;
mod figures;
mod numbers;
mod problems;
mod throttles;

#[cfg(test)]
mod tests;

use std::path::Path;

use pmtaq_render::page::{Page, write};
use pmtaq_schema::{Timestamp, Window, Zone};

use crate::args;
use crate::command_line;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::window::window;
use crate::{output, ui};
use desk::{Desk, LONG_S};

pub(crate) fn run(context: &Context, args: &args::HtmlReport) -> Result<Exit> {
    let window = asked(context, args)?;
    let mut desk = Desk::open(context, &args.selection, window, args.vs)?;
    let page = page(&mut desk, args)?;
    // Not before all is asked: what is wrong with the question leaves the file as it was.
    let mut html = Vec::new();
    write(&page, &mut html)?;
    if args.path() == Path::new("-") {
        output::answer(&context.global, |out| Ok(out.write_all(&html)?))?;
        return Ok(Exit::Done);
    }
    output::file(args.path(), |out| Ok(out.write_all(&html)?))?;
    let worst = page.problems.first().map(|problem| format!("; first: {}", problem.title));
    let problems = match page.problems.len() {
        0 => "no problems".to_owned(),
        1 => "1 problem".to_owned(),
        n => format!("{n} problems"),
    };
    ui::note(
        &context.global,
        &format!("{}: {problems}{}", args.path().display(), worst.unwrap_or_default()),
    );
    Ok(Exit::Done)
}

/// The window of the command line, which ends now at the latest; without one the last 24 hours.
fn asked(context: &Context, args: &args::HtmlReport) -> Result<Window> {
    let args::Times { since, until, last } = &args.selection.times;
    let (since, until, last) = (since.as_deref(), until.as_deref(), last.as_deref());
    if since.is_none() && until.is_some() {
        return Err(Failure::usage("--until needs --since"));
    }
    let last = last.or((since.is_none()).then_some("1d"));
    let window = window(since, until, last, context.global.tz, context.now);
    let window = window.map_err(Failure::usage)?;
    if window.since >= context.now {
        return Err(Failure::usage(format!("the window begins in the future, {}", window.since)));
    }
    Ok(Window { until: window.until.min(context.now), ..window })
}

fn page(desk: &mut Desk<'_>, args: &args::HtmlReport) -> Result<Page> {
    let found = problems::find(desk, args.vs)?;
    let tiles = numbers::tiles(desk, &found.told)?;
    let sections = figures::sections(desk)?;
    let mut notes = found.notes.clone();
    notes.extend(desk.lacks());
    Ok(Page {
        title: title(desk),
        window: window_heading(desk.window, desk.zone),
        facts: facts(desk, args, &found)?,
        tiles,
        problems: found.problems,
        notes,
        sections,
    })
}

fn title(desk: &Desk<'_>) -> String {
    let filters = command_line::filters(desk.args);
    let named: Vec<&str> = filters.iter().map(|(_, value)| value.as_str()).collect();
    match named.as_slice() {
        [] => "Delivery report".to_owned(),
        names => format!("Delivery report: {}", names.join(", ")),
    }
}

/// A window as people read it: whole days by their names.
fn window_heading(window: Window, zone: Zone) -> String {
    let (since, until) = (zone.local(window.since), zone.local(window.until));
    let is_day = |time: Timestamp| zone.day_start(zone.day_of(time, 0)) == time;
    if !is_day(window.since) || !is_day(window.until) {
        let until = if since.date() == until.date() {
            until.format("%H:%M").to_string()
        } else {
            until.format("%a %-d %b %Y %H:%M").to_string()
        };
        return format!("{} to {until} {zone}", since.format("%a %-d %b %Y %H:%M"));
    }
    let last = zone.day_of(window.until, -1);
    if since.date() == last {
        format!("{} ({zone})", last.format("%A, %-d %B %Y"))
    } else {
        format!("{} to {} ({zone})", since.format("%a %-d %b"), last.format("%a %-d %b %Y"))
    }
}

fn facts(
    desk: &Desk<'_>,
    args: &args::HtmlReport,
    found: &problems::Problems,
) -> Result<Vec<(String, String)>> {
    let moment = |time: Timestamp| desk.zone.local(time).format("%Y-%m-%d %H:%M").to_string();
    let mut facts = vec![("Compared with".to_owned(), compared(desk, args, found))];
    let filters = command_line::filters(desk.args);
    let filters = filters.iter().map(|(filter, value)| format!("{} {value}", filter.name));
    let others = desk.args.others.iter().map(|(name, value)| format!("{name} {value}"));
    let all: Vec<String> = filters.chain(others).chain(desk.args.condition.clone()).collect();
    if !all.is_empty() {
        facts.push(("Only".to_owned(), all.join(", ")));
    }
    if let Some(newest) = desk.store.newest()? {
        facts.push(("Newest record".to_owned(), moment(newest)));
    }
    facts.push(("Made".to_owned(), moment(desk.context.now)));
    Ok(facts)
}

fn compared(desk: &Desk<'_>, args: &args::HtmlReport, found: &problems::Problems) -> String {
    let is_long = desk.window.until.0 - desk.window.since.0 > LONG_S;
    let most = found.told.iter().max_by_key(|told| told.baseline.len());
    match most.filter(|told| !told.baseline.is_empty()) {
        None => "nothing: the store has no such hours before".to_owned(),
        Some(told) => {
            let name = args.vs.name(told.window, told.baseline.len());
            if is_long { format!("each day with {name}") } else { name }
        }
    }
}
