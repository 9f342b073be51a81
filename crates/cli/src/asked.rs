//! What a command asks of the store: its window, its filters, and a session over a snapshot that has
//! them. Answers nothing itself.

use std::path::PathBuf;
use std::rc::Rc;

use pmtaq_query::{Lack, Limits, Selection, Session, SessionConfig, dimension_of};
use pmtaq_schema::provider::Providers;
use pmtaq_schema::time::Day;
use pmtaq_schema::{Timestamp, Window};
use pmtaq_store::layout::Table;
use pmtaq_store::{Counts, Snapshot, Source, Store};

use crate::args::{self, Times};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::ui;
use crate::window::{self, minute, window};

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
    open_window(context, named_window(context, times)?, files)
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
pub(crate) fn named_window(context: &Context, times: &Times) -> Result<Window> {
    let Times { since, until, last } = times;
    let (since, until, last) = (since.as_deref(), until.as_deref(), last.as_deref());
    window(since, until, last, context.global.tz, context.now).map_err(Failure::usage)
}

/// The last `seconds` of `window` up to the newest record.
pub(crate) fn last_of_data(context: &Context, window: Window, seconds: i64) -> Result<Window> {
    let Some(newest) = context.store()?.newest()? else { return Ok(window) };
    let until = window.until.min(Timestamp(newest.0 + 1));
    Ok(Window { since: Timestamp(until.0 - 1 - seconds), until })
}

/// A session over `window`; SQL may read `files` too.
pub(crate) fn open_window(context: &Context, window: Window, files: &[PathBuf]) -> Result<Asked> {
    open_windows(context, window, files, |_| vec![window])
}

/// A session over `window`, all days of which can be read: for verdicts, which nobody reads the
/// warnings of.
pub(crate) fn open_whole(context: &Context, window: Window) -> Result<Asked> {
    open_reach(context, window, &[], Days::All, |_| vec![window])
}

/// A session over those windows within `reach` that are wanted of its snapshot. Days whose list of
/// parts is damaged are said and left out.
pub(crate) fn open_windows(
    context: &Context,
    reach: Window,
    files: &[PathBuf],
    windows: impl Fn(&Snapshot) -> Vec<Window>,
) -> Result<Asked> {
    let days = if context.global.check { Days::All } else { Days::Readable };
    open_reach(context, reach, files, days, windows)
}

/// What the store has in `window`; days that cannot be read are said and left out.
pub(crate) fn snapshot(context: &Context, store: &Store, window: Window) -> Result<Snapshot> {
    let (snapshot, unreadable) = store.readable_snapshot(window)?;
    context.left_out.say(unreadable);
    Ok(snapshot)
}

/// The sources whose first record is of a day that `window` touches; days that cannot be read are
/// said and left out.
pub(crate) fn sources(
    context: &Context,
    store: &Store,
    window: Window,
) -> Result<Vec<(Day, Source)>> {
    let (sources, unreadable) = store.readable_sources(window)?;
    context.left_out.say(unreadable);
    Ok(sources)
}

/// Which days a question needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Days {
    All,
    Readable,
}

/// The one door to the store.
fn open_reach(
    context: &Context,
    reach: Window,
    files: &[PathBuf],
    days: Days,
    windows: impl Fn(&Snapshot) -> Vec<Window>,
) -> Result<Asked> {
    let store = Rc::new(context.store()?);
    // A part may be replaced between the snapshot and its opening: then a newer snapshot holds.
    // One that is gone for good is gone from every snapshot.
    const TRIES: u32 = 100;
    let mut tries = 0;
    loop {
        let snapshot = match days {
            Days::All => store.snapshot(reach)?,
            Days::Readable => snapshot(context, &store, reach)?,
        };
        let checked = if context.global.check { snapshot.check() } else { Ok(()) };
        if checked.as_ref().is_err_and(pmtaq_store::Error::is_missing_file) && tries < TRIES {
            tries += 1;
            continue;
        }
        checked?;
        // After the snapshot: what machines share is said by the root that it has read.
        match Session::open(&snapshot, &windows(&snapshot), &config(context, files)?) {
            Ok(mut session) => {
                let whole = store.clone();
                let count = move |is_enough: &dyn Fn(&Counts) -> bool| whole.count_types(is_enough);
                session.look_beyond(count, context.settings.records.0);
                if let Some(there) = context.answering.of(&snapshot)? {
                    session.ask_elsewhere(there)?;
                }
                return Ok(Asked { session, snapshot, window: reach });
            }
            Err(pmtaq_query::Error::Vanished(_)) if tries < TRIES => tries += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// A session over no record at all, by which it can be tried whether a question is understood.
pub(crate) fn open_nothing(context: &Context) -> Result<Session> {
    let nothing = Snapshot { generation: 0, parts: Vec::new(), span: None, store_rows: 0 };
    Ok(Session::open(&nothing, &[Window::ALL], &config(context, &[])?)?)
}

fn config<'c>(context: &'c Context, files: &'c [PathBuf]) -> Result<SessionConfig<'c>> {
    Ok(SessionConfig {
        zone: context.global.tz,
        limits: Limits {
            threads: context.threads,
            memory_bytes: context.memory(),
            spill: context.spill(),
            timeout: context.timeout,
        },
        classes: context.classes()?,
        files,
    })
}

/// The filters of the command line in the words of `query`.
pub(crate) fn selection(args: &args::Selection) -> Selection {
    let mut selection = Selection { condition: args.condition.clone(), ..Selection::default() };
    for (filter, values) in args.filters.iter() {
        selection.filter(filter.dimension, values.to_vec());
    }
    // Several values of one dimension mean any of them.
    for (at, (name, _)) in args.others.iter().enumerate() {
        if args.others[..at].iter().all(|(earlier, _)| earlier != name) {
            let same = args.others.iter().filter(|(other, _)| other == name);
            selection.filter(name, same.map(|(_, value)| value.clone()).collect());
        }
    }
    selection
}

/// Says what [`span_text`] says.
pub(crate) fn say_window(context: &Context, snapshot: &Snapshot, window: Window) {
    ui::note(&context.global, &span_text(context, snapshot, window));
}

/// The window that was asked for, or the days that the store holds.
pub(crate) fn span_text(context: &Context, snapshot: &Snapshot, window: Window) -> String {
    let span = match (window == Window::ALL, snapshot.span) {
        (true, Some((first, last))) => format!("all days, {first} to {last}"),
        (true, None) => "the store is empty".to_owned(),
        (false, _) => window_text(context, window),
    };
    format!("{span}{}", engine_text(context))
}

/// Which engine answers, where it is not the one in this process.
pub(crate) fn engine_text(context: &Context) -> String {
    context.answering.name().map(|name| format!("; answered by {name}")).unwrap_or_default()
}

/// A window and its zone as people read them.
pub(crate) fn window_text(context: &Context, window: Window) -> String {
    let zone = context.global.tz;
    format!("{} {zone}", window::window_text(window, zone))
}

/// Names the fields that an answer wants and no record has, and the line that logs them.
pub(crate) fn say_missing_fields(context: &Context, fields: &[&str]) {
    if !fields.is_empty() {
        let (list, line) = (fields.join(", "), format!("record-fields d *,{}", fields.join(",")));
        let text = format!(
            "no record here has {list}; a line like `{line}` in <acct-file> logs more fields"
        );
        ui::note(&context.global, &text);
    }
}

/// Says why numbers of the last answer are not known, and the lines that would log what they need.
pub(crate) fn say_lacks(context: &Context, lacks: &[Lack]) {
    const TOLD: usize = 6;
    for lack in lacks.iter().take(TOLD) {
        let lines = lack.lines().join("` and `");
        let lines = match lines.as_str() {
            "" => String::new(),
            lines => format!("; `{lines}` in <acct-file> logs it"),
        };
        let setting = lack.setting().map(|setting| {
            format!("; where there were none, `{setting}` in pmtaq's configuration says so")
        });
        ui::note(&context.global, &format!("{lack}{lines}{}", setting.unwrap_or_default()));
    }
    if lacks.len() > TOLD {
        let more = lacks.len() - TOLD;
        ui::note(&context.global, &format!("{more} more reasons; `pmtaq doctor` tells all"));
    }
}

/// No rows is an answer that needs a word: nothing happened, or the name is wrong?
pub(crate) fn say_rows(
    context: &Context,
    asked: &Asked,
    rows: u64,
    selection: &Selection,
) -> Result<Exit> {
    if rows == 0 {
        let why = nearest_value(asked, selection).unwrap_or_default();
        say_none(context, asked, &why)?;
    }
    Ok(Exit::Done)
}

/// Says that there is no row, and where the records end if there is none at all in the window.
pub(crate) fn say_none(context: &Context, asked: &Asked, why: &str) -> Result<()> {
    let is_empty = asked.snapshot.of(Table::Records, asked.window).next().is_none();
    let newest = if is_empty { newest_text(context)? } else { String::new() };
    ui::note(&context.global, &format!("no rows{newest}{why}"));
    Ok(())
}

/// That a window has no record, and which is the newest.
pub(crate) fn newest_text(context: &Context) -> Result<String> {
    Ok(match context.store()?.newest()? {
        Some(newest) => {
            let newest = minute(newest, context.global.tz);
            format!(": no record in this window; the newest is of {newest}")
        }
        None => ": the store is empty".to_owned(),
    })
}

/// For the first filter value that no record of the window has: the nearest that some have.
fn nearest_value(asked: &Asked, selection: &Selection) -> Option<String> {
    selection.filters.iter().find_map(|(filter, values)| {
        let first = values.first()?;
        let dimension = dimension_of(filter, first);
        let known = asked.session.values_of(dimension).ok()?;
        let missing = values.iter().find(|value| !value.contains('*') && !known.contains(value))?;
        let brand = || Providers::builtin().of_brand(missing);
        let hint = match (dimension == "provider").then(brand).flatten() {
            Some(provider) => format!("; it is called {provider}"),
            None => pmtaq_schema::nearest::nearest(missing, known.iter().map(String::as_str))
                .map(|name| format!("; nearest: {name}"))
                .unwrap_or_default(),
        };
        Some(format!(": no record has {dimension} {missing}{hint}"))
    })
}
