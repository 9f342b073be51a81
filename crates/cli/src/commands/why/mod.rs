//! `why`: fetches the counts of a window and its baseline, has them explained, and asks for the
//! words and the minutes of each cause. Judges nothing and lays nothing out.

mod evidence;
mod page;
mod table;
mod window;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use pmtaq_query::{Ask, Limits, Query, Session, Why};
use pmtaq_render::Format;
use pmtaq_schema::{Timestamp, Window};
use pmtaq_store::{Snapshot, Store};
use pmtaq_why::{Answer, Counts, Metric, explain};

use crate::args;
use crate::commands::ask;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::run::Context;
use crate::ui;
use crate::window::spelt;
use evidence::Evidence;
pub(crate) use window::Versus;

/// The dimensions of a leaf, in the order in which causes are named.
const DIMS: [&str; 6] =
    ["provider", "sender_domain", "vmta_pool", "vmta", "dlv_source_ip", "job_id"];

/// How long after a period its messages may still show up, where no `r` records tell of them.
const LAG_S: i64 = 2 * 3600;

/// All that is told.
pub(crate) struct Told {
    pub(crate) answer: Answer,
    /// For each cause.
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) window: Window,
    pub(crate) baseline: Vec<Window>,
    /// Record types that the window and its baseline have.
    pub(crate) had: Vec<String>,
    pub(crate) n_records: u64,
    pub(crate) notes: Vec<String>,
    /// The filters, each with its flag.
    pub(crate) filters: Vec<(&'static str, String)>,
    /// The condition in SQL.
    pub(crate) condition: Option<String>,
}

pub(crate) fn run(context: &Context, args: &args::Why) -> Result<Exit> {
    let metric = Metric::named(&args.metric).ok_or_else(|| unknown(&args.metric))?;
    let selection = ask::selection(&args.selection);
    let zone = context.global.tz;
    let wanted = window::asked(args, zone, context.now).map_err(Failure::usage)?;
    let opened = Opened::new(context, args, wanted)?;
    opened.session.check(&selection)?;
    let mut notes = opened.notes.clone();
    let mut why = Why {
        periods: opened.periods(),
        lag_s: opened.lag_s(),
        class: metric.class.map(|class| class.as_str().to_owned()),
        reached: metric.name == "deferral_rate",
        ..Why::default()
    };
    let had = Had::read(&opened.session, &why.query(Ask::Had, &selection)?)?;
    let asks: &[Ask] = match (metric.follows_messages(), had.has("r")) {
        (false, _) => &[Ask::Records],
        (true, true) => &[Ask::Messages, Ask::Injected],
        (true, false) => &[Ask::Messages, Ask::Queued],
    };
    if args.show_sql {
        let scripts: Result<String> = asks
            .iter()
            .map(|ask| Ok(opened.session.script(&why.query(*ask, &selection)?)))
            .collect();
        return ask::print(context, &scripts?);
    }
    // A day without a record is a day without logs, and says nothing of usual.
    let kept: Vec<Window> = opened
        .baseline
        .iter()
        .enumerate()
        .filter(|(n, _)| had.n(*n as i64 + 1) > 0)
        .map(|(_, w)| *w)
        .collect();
    if kept.len() < opened.baseline.len() {
        notes.push(format!(
            "{} of {} windows to compare with have records",
            kept.len(),
            opened.baseline.len()
        ));
    }
    let opened = Opened { baseline: kept, ..opened };
    why.periods = opened.periods();
    let guard = ui::interrupt(opened.session.interrupt());
    let mut counts = Counts::new(&DIMS, opened.baseline.len());
    for ask in asks {
        let query = why.query(*ask, &selection)?;
        for batch in batches(&opened.session, &query)? {
            counts.read(&batch).map_err(|error| Failure::failed(&error))?;
        }
    }
    let answer = explain(metric, &counts);
    let evidence = evidence::of(&opened, &why, &selection, &answer)?;
    drop(guard);
    notes.extend(missing(metric, &had));
    let told = Told {
        answer,
        evidence,
        window: opened.window,
        baseline: opened.baseline.clone(),
        had: had.types(),
        n_records: had.all(),
        notes,
        filters: filters(&args.selection),
        condition: args.selection.condition.clone(),
    };
    if context.global.format == Format::Table {
        say(context, args.vs, &told);
        return ask::print(context, &page::text(&told, zone, ui::width(&context.global)));
    }
    table::write(context, &told)?;
    Ok(Exit::Done)
}

/// A session over the window and its baseline, as far as the store reaches.
pub(crate) struct Opened {
    session: Session,
    window: Window,
    baseline: Vec<Window>,
    /// The time before the window in which an onset may lie.
    lead: Window,
    /// The last record of the store as far as it was looked at.
    last: Option<Timestamp>,
    notes: Vec<String>,
}

impl Opened {
    fn new(context: &Context, args: &args::Why, wanted: Window) -> Result<Opened> {
        let store = Store::open(&context.global.store)?;
        let limits = Limits { threads: context.threads, memory_bytes: context.memory() };
        let zone = context.global.tz;
        let mut tries = 0;
        loop {
            let near = Window {
                since: args
                    .vs
                    .baseline(wanted, zone)
                    .iter()
                    .map(|w| w.since)
                    .min()
                    .unwrap_or(wanted.since),
                until: Timestamp(wanted.until.0 + LAG_S),
            };
            let snapshot = store.snapshot(near)?;
            let (window, last, notes) = until_the_last(&snapshot, wanted, context);
            let begins = snapshot.span.map_or(i64::MAX, |(first, _)| first.start().0);
            let mut baseline = args.vs.baseline(window, zone);
            let asked = baseline.len();
            baseline.retain(|other| other.since.0 >= begins);
            let mut notes = notes;
            if baseline.len() < asked {
                notes.push(format!(
                    "the store reaches back over {} of {asked} windows to compare with",
                    baseline.len()
                ));
            }
            let lead_s = (window.until.0 - window.since.0).min(LAG_S);
            let lead = Window { since: Timestamp(window.since.0 - lead_s), until: window.since };
            let after = Window { since: window.since, until: Timestamp(window.until.0 + LAG_S) };
            let mut windows = vec![after, lead];
            windows.extend(
                baseline.iter().map(|w| Window { until: Timestamp(w.until.0 + LAG_S), ..*w }),
            );
            match Session::open_windows(&snapshot, &windows, zone, limits) {
                Ok(session) => return Ok(Opened { session, window, baseline, lead, last, notes }),
                Err(_) if tries < 10 && store.snapshot(near)?.generation != snapshot.generation => {
                    tries += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The window as period 0, the baseline from 1 on.
    fn periods(&self) -> Vec<(i64, Window)> {
        std::iter::once(self.window)
            .chain(self.baseline.iter().copied())
            .enumerate()
            .map(|(n, window)| (n as i64, window))
            .collect()
    }

    /// How long every period can be watched after its end: as long as the window can.
    fn lag_s(&self) -> i64 {
        self.last.map_or(0, |last| (last.0 - self.window.until.0).clamp(0, LAG_S))
    }
}

/// The window up to the last record, when that lies in it: hours that are not in the store yet
/// are no hours without mail.
fn until_the_last(
    snapshot: &Snapshot,
    wanted: Window,
    context: &Context,
) -> (Window, Option<Timestamp>, Vec<String>) {
    let records =
        snapshot.parts.iter().filter(|part| part.part.table == pmtaq_store::layout::Table::Records);
    let last = records.map(|part| Timestamp(part.part.until)).max();
    let Some(last) = last.filter(|last| *last >= wanted.since) else {
        return (wanted, last, Vec::new());
    };
    let until = Timestamp(wanted.until.0.min(last.0 + 1));
    // A minute without a record at the end is nothing.
    if wanted.until.0 - until.0 < 60 || until.0 - wanted.since.0 < 60 {
        return (wanted, Some(last), Vec::new());
    }
    let note = format!(
        "the last record is of {}: compared up to then",
        context.global.tz.local(last).format("%H:%M:%S")
    );
    (Window { until, ..wanted }, Some(last), vec![note])
}

/// Which records there are, by period.
struct Had(Vec<(i64, String, i64)>);

impl Had {
    fn read(session: &Session, query: &Query) -> Result<Had> {
        let mut had = Vec::new();
        for batch in batches(session, query)? {
            let (periods, numbers) = (ints(&batch, "period")?, ints(&batch, "n")?);
            let recs = texts(&batch, "rec")?;
            for row in 0..batch.num_rows() {
                had.push((
                    periods[row].unwrap_or(-1),
                    recs[row].clone().unwrap_or_default(),
                    numbers[row].unwrap_or(0),
                ));
            }
        }
        Ok(Had(had))
    }

    fn n(&self, period: i64) -> i64 {
        self.0.iter().filter(|(of, ..)| *of == period).map(|(.., n)| n).sum()
    }

    fn has(&self, rec: &str) -> bool {
        self.0.iter().any(|(_, of, _)| of == rec)
    }

    fn all(&self) -> u64 {
        self.0.iter().map(|(.., n)| n.unsigned_abs()).sum()
    }

    fn types(&self) -> Vec<String> {
        let order = ["d", "b", "t", "tq", "r", "rb", "rs", "f"];
        order.iter().filter(|rec| self.has(rec)).map(|&rec| rec.to_owned()).collect()
    }
}

/// What the records that are not there would have told.
fn missing(metric: &Metric, had: &Had) -> Vec<String> {
    let mut notes = Vec::new();
    if metric.follows_messages() && !had.has("r") {
        notes.push(
            "no r records: what was injected is counted by the time of queueing of what was tried"
                .to_owned(),
        );
    }
    if metric.follows_messages() && !had.has("t") {
        notes.push(
            "no t records: what receivers defer cannot be told from what waits in our queue"
                .to_owned(),
        );
    }
    if metric.counted.contains(&pmtaq_why::Kind::Deferred) && !had.has("t") {
        notes.push("no t records: deferrals are not logged here".to_owned());
    }
    if metric.counted.contains(&pmtaq_why::Kind::Complained) && !had.has("f") {
        notes.push("no f records: complaints are not logged here".to_owned());
    }
    notes
}

/// What was compared with what, on stderr.
fn say(context: &Context, versus: Versus, told: &Told) {
    let text = format!(
        "{} {}, against {}; from {} records: {}",
        spelt(told.window, context.global.tz),
        context.global.tz,
        versus.name(told.baseline.len()),
        pmtaq_render::words::count(told.n_records as f64),
        told.had.join(" "),
    );
    ui::note(&context.global, &text);
    told.notes.iter().for_each(|note| ui::note(&context.global, note));
}

fn unknown(name: &str) -> Failure {
    let names = Metric::ALL.iter().map(|metric| metric.name);
    let nearest = pmtaq_schema::nearest::nearest(name, names.clone());
    let hint = nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    Failure::usage(format!("`why` knows no metric `{name}`{hint}"))
        .hint(format!("it explains {}", names.collect::<Vec<_>>().join(", ")))
}

/// The filters of the command line, each with its flag, to be given again.
fn filters(args: &args::Selection) -> Vec<(&'static str, String)> {
    let flags = [
        ("--domain", &args.domain),
        ("--provider", &args.provider),
        ("--vmta", &args.vmta),
        ("--pool", &args.pool),
        ("--ip", &args.ip),
        ("--sender", &args.sender),
        ("--job", &args.job),
        ("--host", &args.host),
        ("--category", &args.category),
        ("--code", &args.code),
    ];
    let each = flags.into_iter().flat_map(|(flag, values)| values.iter().map(move |v| (flag, v)));
    each.map(|(flag, value)| (flag, value.clone())).collect()
}

fn batches(session: &Session, query: &Query) -> Result<Vec<RecordBatch>> {
    let batches = session.run(query, |_, batches| {
        batches.collect::<std::result::Result<Vec<_>, pmtaq_query::Error>>()
    })??;
    Ok(batches)
}

fn column(batch: &RecordBatch, name: &str, to: &DataType) -> Result<arrow::array::ArrayRef> {
    let column = batch.column_by_name(name).expect("the statements of sql/why name their columns");
    cast(column, to).map_err(|error| Failure::failed(&error))
}

fn ints(batch: &RecordBatch, name: &str) -> Result<Vec<Option<i64>>> {
    let array = column(batch, name, &DataType::Int64)?;
    Ok(array.as_primitive::<Int64Type>().iter().collect())
}

fn texts(batch: &RecordBatch, name: &str) -> Result<Vec<Option<String>>> {
    let array = column(batch, name, &DataType::Utf8)?;
    Ok(array.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect())
}
