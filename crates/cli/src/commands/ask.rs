//! The commands that ask the store: reports, `pivot`, `sql`, `export`, `paths`.

use std::io::Write;
use std::path::PathBuf;

use pmtaq_query::{
    Limits, Missing, Own, ParamKind, Pivot, Query, Report, Selection, Session, dimension_of,
};
use pmtaq_render::Format;
use pmtaq_schema::{Record, Window};
use pmtaq_store::layout::Table;
use pmtaq_store::{Snapshot, Store};

use crate::args::{self, Times};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::own::blamed;
use crate::run::Context;
use crate::window::{moment, stretch, window};
use crate::{show, ui, window};

/// A session over what the window needs, and that window.
pub(crate) struct Asked {
    pub(crate) session: Session,
    pub(crate) snapshot: Snapshot,
    pub(crate) window: Window,
}

impl Asked {
    /// Answers from the table that the user named, if any.
    pub(crate) fn from(mut self, table: &str) -> Asked {
        if table == "records" {
            self.session.read_records();
        }
        self
    }
}

pub(crate) fn open(context: &Context, times: &Times) -> Result<Asked> {
    open_with(context, times, &[])
}

/// As [`open`], and SQL may read `files` too.
pub(crate) fn open_with(context: &Context, times: &Times, files: &[PathBuf]) -> Result<Asked> {
    open_window(context, asked_window(context, times)?, files)
}

/// The window of the command line, which ends now at the latest; without one so long up to now.
pub(crate) fn window_or_last(context: &Context, times: &Times, last: &str) -> Result<Window> {
    let Times { since, until, last: asked } = times;
    let (since, until, asked) = (since.as_deref(), until.as_deref(), asked.as_deref());
    let last = asked.or((since.is_none() && until.is_none()).then_some(last));
    let until = until.or(last.is_none().then_some("now"));
    let window =
        window(since, until, last, context.global.tz, context.now).map_err(Failure::usage)?;
    Ok(Window { until: window.until.min(context.now), ..window })
}

/// The window that the command line names.
pub(crate) fn asked_window(context: &Context, times: &Times) -> Result<Window> {
    let Times { since, until, last } = times;
    let (since, until, last) = (since.as_deref(), until.as_deref(), last.as_deref());
    window(since, until, last, context.global.tz, context.now).map_err(Failure::usage)
}

/// A session over `window`; SQL may read `files` too.
pub(crate) fn open_window(context: &Context, window: Window, files: &[PathBuf]) -> Result<Asked> {
    let store = Store::open(&context.global.store)?;
    let limits = Limits::new(context.threads, context.memory());
    // A part may be replaced between the snapshot and its opening: then a newer snapshot holds.
    // One that is gone for good is gone from every snapshot.
    const TRIES: u32 = 100;
    let mut tries = 0;
    loop {
        let snapshot = store.snapshot(window)?;
        match Session::open_with(&snapshot, window, context.global.tz, &limits, files) {
            Ok(mut session) => {
                session.classify(&context.settings.classes)?;
                return Ok(Asked { session, snapshot, window });
            }
            Err(pmtaq_query::Error::Vanished(_)) if tries < TRIES => tries += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// A report by its name, with what the user set.
pub(crate) fn report(
    context: &Context,
    report: &Report,
    own: Option<&Own>,
    given: Vec<(String, String)>,
    args: &args::ReportArgs,
) -> Result<Exit> {
    let window = asked_window(context, &args.selection.times)?;
    let selection = &selection(&args.selection);
    if report.has_own_windows() && window != Window::ALL {
        let name = &report.name;
        return Err(Failure::usage(format!("`pmtaq {name}` has windows of its own"))
            .hint(format!("`pmtaq {name} --help` says which options name them")));
    }
    let given = by_the_clock(context, report, given, window)?;
    let scope = report.scope(&given, window, context.now);
    // Before the store is opened: a wrong value is told at once.
    let query = report.query(&given, selection, scope)?;
    // Of a report of the user's own nobody has tested that both tables give the same.
    let table = if own.is_some() { "records" } else { args.answer.from.as_str() };
    let asked = open_window(context, scope.reads, &[])?.from(table);
    asked.session.check(selection)?;
    if let Some(own) = own {
        if own.replaces {
            let (name, file) = (&own.name, own.file.display());
            ui::note(&context.global, &format!("`{name}` is your own report, from {file}"));
        }
        asked.session.check_own(&query).map_err(|error| blamed(error.into(), &own.file))?;
    }
    if args.answer.show_sql {
        return print(context, &asked.session.script(&query));
    }
    let windows = match report.has_own_windows() {
        true => {
            let windows = report.own_windows(&given);
            windows.map(|(name, window)| format!("{name}: {}", spelt(context, window))).collect()
        }
        false => vec![window_text(context, &asked.snapshot, scope.window)],
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
    let exit = say_rows(context, &asked, written.rows, &report.narrowed(&given, selection))?;
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

/// Says that `--top` ended the answer: what is not shown is not nothing.
fn say_cut(context: &Context, report: &Report, given: &[(String, String)], rows: u64) {
    let asked = given.iter().find(|(name, _)| name == "top").map(|(_, value)| value);
    let default = || report.params.iter().find(|param| param.name == "top")?.default.as_ref();
    let top = asked.or_else(default).and_then(|top| top.parse::<u64>().ok());
    if let Some(top) = top.filter(|top| *top > 0 && rows >= *top) {
        let text = format!("the first {top}; there may be more, --top 0 shows all");
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
    if !fields.is_empty() {
        let line = format!("record-fields d *,{}", fields.join(","));
        let list = fields.join(", ");
        let text = format!(
            "no record here has {list}; a line like `{line}` in <acct-file> logs more fields"
        );
        ui::note(&context.global, &text);
    }
    Ok(())
}

pub(crate) fn pivot(context: &Context, args: &args::Pivot) -> Result<Exit> {
    let pivot = Pivot::new(&args.rows, args.cols.as_deref(), &args.metric, args.top)?;
    let selection = selection(&args.selection);
    let asked = open(context, &args.selection.times)?.from(&args.answer.from);
    asked.session.check(&selection)?;
    if args.answer.show_sql {
        return print(context, &asked.session.script(&pivot.query(&selection)?));
    }
    let window = window_text(context, &asked.snapshot, asked.window);
    ui::note(&context.global, &window);
    let guard = ui::interrupt(asked.session.interrupt());
    let (shape, batch) = pivot.run(&asked.session, &selection)?.into_parts();
    drop(guard);
    let rows = batch.num_rows() as u64;
    let mut batches = std::iter::once(Ok(batch));
    let format = context.global.format;
    let sheet = show::titled(show::sheet(&shape), format, &format!("Pivot: {window}"));
    show::write(context, &sheet, &mut batches, format)?;
    let exit = say_rows(context, &asked, rows, &selection)?;
    asked.session.leak();
    Ok(exit)
}

pub(crate) fn export(context: &Context, args: &args::Export) -> Result<Exit> {
    let selection = selection(&args.selection);
    let asked = open(context, &args.selection.times)?;
    asked.session.check(&selection)?;
    let query: Query = asked.session.export(&args.columns, &selection)?;
    // A table of millions of rows is nothing that anyone wants: Parquet unless another is asked.
    let format = match context.global.format {
        Format::Table => Format::Parquet,
        other => other,
    };
    if format == Format::Parquet && ui::on_terminal(&context.global) {
        return Err(Failure::usage("Parquet is not for a terminal")
            .hint("name a file by -o, redirect stdout, or choose --format csv"));
    }
    let window = window_text(context, &asked.snapshot, asked.window);
    ui::note(&context.global, &window);
    let title = format!("Records: {window}");
    let written = show::answer(context, &asked.session, &query, format, &title)?;
    ui::note(&context.global, &format!("{} rows", written.rows));
    Ok(Exit::Done)
}

pub(crate) fn paths(context: &Context, args: &args::Paths) -> Result<Exit> {
    let asked = open(context, &args.times)?;
    let mut text = String::new();
    for part in asked.snapshot.of(Table::Records, asked.window) {
        text.push_str(&part.path.to_string_lossy());
        text.push('\n');
    }
    print(context, &text)
}

/// The filters of the command line in the words of `query`.
pub(crate) fn selection(args: &args::Selection) -> Selection {
    let mut selection = Selection { condition: args.condition.clone(), ..Selection::default() };
    for (dimension, values) in [
        ("rcpt_domain", &args.domain),
        ("provider", &args.provider),
        ("vmta", &args.vmta),
        ("vmta_pool", &args.pool),
        ("dlv_source_ip", &args.ip),
        ("sender_domain", &args.sender),
        ("job_id", &args.job),
        ("host", &args.host),
        ("bounce_cat", &args.category),
        ("code", &args.code),
    ] {
        selection.filter(dimension, values.clone());
    }
    selection
}

pub(crate) fn print(context: &Context, text: &str) -> Result<Exit> {
    let mut out = ui::output(&context.global)?;
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(Exit::Done)
}

/// Says what [`window_text`] says.
pub(crate) fn say_window(context: &Context, snapshot: &Snapshot, window: Window) {
    ui::note(&context.global, &window_text(context, snapshot, window));
}

/// The window that was asked for, or the days that the store holds.
fn window_text(context: &Context, snapshot: &Snapshot, window: Window) -> String {
    match (window == Window::ALL, snapshot.span) {
        (true, Some((first, last))) => format!("all days, {first} to {last}"),
        (true, None) => "the store is empty".to_owned(),
        (false, _) => spelt(context, window),
    }
}

/// A window and its zone as people read them.
pub(crate) fn spelt(context: &Context, window: Window) -> String {
    let zone = context.global.tz;
    format!("{} {zone}", window::spelt(window, zone))
}

/// No rows is an answer that needs a word: nothing happened, or the name is wrong?
pub(crate) fn say_rows(
    context: &Context,
    asked: &Asked,
    rows: u64,
    selection: &Selection,
) -> Result<Exit> {
    if rows == 0 {
        let nearest = nearest_value(asked, selection).unwrap_or_default();
        ui::note(&context.global, &format!("no rows{nearest}"));
    }
    Ok(Exit::Done)
}

/// For the first filter value that no record of the window has: the nearest that some have.
fn nearest_value(asked: &Asked, selection: &Selection) -> Option<String> {
    selection.filters.iter().find_map(|(filter, values)| {
        let first = values.first()?;
        let dimension = dimension_of(filter, first);
        let known = asked.session.values_of(dimension).ok()?;
        let missing = values.iter().find(|value| !value.contains('*') && !known.contains(value))?;
        let nearest = pmtaq_schema::nearest::nearest(missing, known.iter().map(String::as_str));
        let hint = nearest.map(|name| format!("; nearest: {name}")).unwrap_or_default();
        Some(format!(": no record has {dimension} {missing}{hint}"))
    })
}
