//! A report by its name: a file of `sql/`, or of the user's own, with what was set on the command line.

use pmtaq_query::{Missing, Own, ParamKind, Reach, Report, Session};
use pmtaq_render::words::duration;
use pmtaq_schema::{Record, Timestamp, Window};

use crate::args;
use crate::asked;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::own::blamed;
use crate::window::{minute, moment, stretch};
use crate::{show, ui};

/// A report by its name, with what the user set.
pub(crate) fn run(
    context: &Context,
    report: &Report,
    own: Option<&Own>,
    mut given: Vec<(String, String)>,
    args: &args::ReportArgs,
) -> Result<Exit> {
    if context.is_whole() && report.settable().any(|param| param.name == "top") {
        // Said first, so that what the user says holds.
        given.insert(0, ("top".to_owned(), "0".to_owned()));
    }
    let window = asked::named_window(context, &args.selection.times)?;
    let window = match report.window_s.filter(|_| window.since == Window::ALL.since) {
        Some(seconds) => asked::last_of_data(context, window, seconds)?,
        None => window,
    };
    let selection = &asked::selection(&args.selection);
    if report.has_own_windows() && window != Window::ALL {
        let name = &report.name;
        return Err(Failure::usage(format!("`pmtaq {name}` has windows of its own"))
            .hint(format!("`pmtaq {name} --help` says which options name them")));
    }
    let mut given = by_the_clock(context, report, given, window)?;
    let moment = known_moment(context, report, &mut given)?;
    let scope = report.scope(&given, window, context.now);
    // Before the store is opened: a wrong value is told at once.
    let query = report.query(&given, selection, scope)?;
    // Of a report of the user's own nobody has tested that both tables give the same.
    let table = if own.is_some() { "records" } else { args.answer.from.as_str() };
    let asked = asked::open_window(context, scope.reads, &[])?.from(table);
    asked.session.check(selection)?;
    if let Some(own) = own {
        if own.replaces {
            let (name, file) = (&own.name, own.file.display());
            ui::note(&context.global, &format!("`{name}` is your own report, from {file}"));
        }
        asked.session.check_own(&query).map_err(|error| blamed(error.into(), &own.file))?;
    }
    if args.answer.show_sql {
        return show::print(context, &asked.session.script(&query));
    }
    let windows = if report.has_own_windows() {
        let windows = report.own_windows(&given);
        windows
            .map(|(name, window)| format!("{name}: {}", asked::window_text(context, window)))
            .map(|window| window + &asked::engine_text(context))
            .collect()
    } else if let Some(moment) = moment {
        vec![moment + &asked::engine_text(context)]
    } else {
        vec![asked::span_text(context, &asked.snapshot, scope.window)]
    };
    windows.iter().for_each(|window| ui::note(&context.global, window));
    let title = format!("{}: {}", report.title, windows.join("; "));
    let written = show::answer(context, &asked.session, &query, context.global.format, &title)
        .map_err(|failure| match own {
            Some(own) => blamed(failure, &own.file),
            None => failure,
        })?;
    say_cut(context, report, &given, written.rows);
    say_missing(context, &asked.session, report, &given)?;
    let exit = asked::say_rows(context, &asked, written.rows, &report.narrowed(&given, selection))?;
    asked.session.leak();
    Ok(exit)
}

/// The times among what the user set, as `query` reads them. A time of day means the last one
/// before now, or before the end of the window.
fn by_the_clock(
    context: &Context,
    report: &Report,
    mut given: Vec<(String, String)>,
    window: Window,
) -> Result<Vec<(String, String)>> {
    let (zone, now) = (context.global.tz, context.now.min(window.until));
    for (name, value) in &mut given {
        let kind = report.params.iter().find(|param| param.name == *name).map(|p| &p.kind);
        let told = match kind {
            Some(ParamKind::Time) => moment(value, zone, now).map(|time| time.to_string()),
            Some(ParamKind::Window) => {
                stretch(value, zone, now).map(|Window { since, until }| format!("{since}/{until}"))
            }
            _ => continue,
        };
        *value = told.map_err(|error| Failure::usage(format!("--{name}: {error}")))?;
    }
    Ok(given)
}

/// The moment that is asked for, in words; of a report that rebuilds what was around it, the newest
/// record at the latest, which is put into what was given.
fn known_moment(
    context: &Context,
    report: &Report,
    given: &mut [(String, String)],
) -> Result<Option<String>> {
    let moment = report.moment(given).filter(|_| matches!(report.reach, Reach::Around(_)));
    let Some(at) = moment else { return Ok(None) };
    let zone = context.global.tz;
    let newest = context.store()?.newest()?;
    let known = newest.map_or(at, |newest| Timestamp(newest.0 + 1));
    if known >= at {
        return Ok(Some(format!("at {} {zone}", minute(at, zone))));
    }
    for (name, value) in given {
        let param = report.params.iter().find(|param| param.name == *name);
        if param.is_some_and(|param| matches!(param.kind, ParamKind::Time)) {
            *value = known.to_string();
        }
    }
    let (known_text, late) = (minute(known, zone), duration((at.0 - known.0) as f64));
    Ok(Some(format!(
        "at the newest record, {known_text} {zone}: of the {late} since nothing is known"
    )))
}

/// Says that `--top` ended the answer: what is not shown is not nothing.
fn say_cut(context: &Context, report: &Report, given: &[(String, String)], rows: u64) {
    let top = report.top(given).map(u64::from);
    if let Some(top) = top.filter(|top| *top > 0 && rows >= *top) {
        let text = format!("top {top} shown; --top 0 for all");
        ui::note(&context.global, &text);
    }
}

/// Names what the report wants and no record has, before anyone takes a zero for a fact.
fn say_missing(
    context: &Context,
    session: &Session,
    report: &Report,
    given: &[(String, String)],
) -> Result<()> {
    let Missing { records, fields } = session.missing(report, given)?;
    if !records.is_empty() {
        let list = records.iter().map(|record| record.as_str()).collect::<Vec<_>>();
        let (names, all) = (list.join(", "), Record::ALL.iter().map(|record| record.as_str()));
        // PMTA logs d and b by default; a line of ones own must name them too.
        let all = all.filter(|name| ["d", "b"].contains(name) || list.contains(name));
        let line = format!("records {}", all.collect::<Vec<_>>().join(","));
        let text = format!("no {names} records here; a line `{line}` in <acct-file> logs them");
        ui::note(&context.global, &text);
    }
    asked::say_missing_fields(context, &fields);
    asked::say_lacks(context, &session.take_lacks());
    Ok(())
}
