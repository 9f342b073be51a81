//! `why`: fetches the counts of a window and its baseline, has them explained, and asks for the
//! words and the minutes of each cause. Judges nothing and lays nothing out.

mod evidence;
pub(crate) mod page;
mod table;
mod window;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use pmtaq_query::{Ask, Limits, Query, Session, Why};
use pmtaq_render::Format;
use pmtaq_schema::{Timestamp, Window, Zone};
use pmtaq_store::{Snapshot, Store};
use pmtaq_why::{Answer, Counts, Metric, explain};

use crate::args;
use crate::commands::ask;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::line::filters;
use crate::run::Context;
use crate::ui;
use crate::window::spelt;
pub(crate) use evidence::{Evidence, Reply};
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
    let zone = context.global.tz;
    let wanted = window::asked(args, zone, context.now).map_err(Failure::usage)?;
    let (session, frame) = open(context, args.vs, wanted)?;
    session.check(&ask::selection(&args.selection))?;
    let question = Question { session: &session, frame: &frame, selection: &args.selection };
    if args.show_sql {
        return ask::print(context, &question.sql(metric)?);
    }
    let guard = ui::interrupt(session.interrupt());
    let told = question.tell(metric)?;
    drop(guard);
    session.leak();
    if context.global.format == Format::Table {
        say(context, args.vs, &told);
        return ask::print(context, &page::text(&told, zone, ui::width(&context.global)));
    }
    table::write(context, &told)?;
    Ok(Exit::Done)
}

/// A session over the window and its baseline, as far as the store reaches.
fn open(context: &Context, versus: Versus, wanted: Window) -> Result<(Session, Frame)> {
    let store = Store::open(&context.global.store)?;
    let limits = Limits::new(context.threads, context.memory());
    let zone = context.global.tz;
    let near = Frame::near(versus, wanted, zone);
    let mut tries = 0;
    loop {
        let snapshot = store.snapshot(near)?;
        let frame = Frame::of(&snapshot, versus, wanted, zone);
        match Session::open_windows(&snapshot, &frame.windows(), zone, &limits) {
            Ok(session) => return Ok((session, frame)),
            Err(_) if tries < 10 && store.snapshot(near)?.generation != snapshot.generation => {
                tries += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whose numbers are to be explained: the records of a session in a window and its baseline.
pub(crate) struct Question<'q> {
    /// It has the windows of the frame, or more.
    pub(crate) session: &'q Session,
    pub(crate) frame: &'q Frame,
    pub(crate) selection: &'q args::Selection,
}

impl Question<'_> {
    /// What is asked about a metric: its statements, of which the first says what there is.
    fn asks(&self, metric: &Metric) -> Result<(Why, Had, &'static [Ask])> {
        let why = Why {
            periods: self.frame.periods(),
            lag_s: self.frame.lag_s(),
            class: metric.class.map(|class| class.as_str().to_owned()),
            reached: metric.name == "deferral_rate",
            ..Why::default()
        };
        let selection = ask::selection(self.selection);
        let had = Had::read(self.session, &why.query(Ask::Had, &selection)?)?;
        let asks: &[Ask] = match (metric.follows_messages(), had.has("r")) {
            (false, _) => &[Ask::Records],
            (true, true) => &[Ask::Messages, Ask::Remote, Ask::Injected],
            (true, false) => &[Ask::Messages, Ask::Remote, Ask::Queued],
        };
        Ok((why, had, asks))
    }

    /// The statements that count, to be shown.
    fn sql(&self, metric: &Metric) -> Result<String> {
        let (why, _, asks) = self.asks(metric)?;
        let selection = ask::selection(self.selection);
        let script = |ask: &Ask| Ok(self.session.script(&why.query(*ask, &selection)?));
        asks.iter().map(script).collect()
    }

    /// Counts, and has the counts explained.
    pub(crate) fn tell(&self, metric: &'static Metric) -> Result<Told> {
        let (mut why, had, asks) = self.asks(metric)?;
        let selection = ask::selection(self.selection);
        let mut notes = self.frame.notes.clone();
        // A day without a record is a day without logs, and says nothing of usual.
        let n_asked = self.frame.baseline.len();
        let kept = self.frame.baseline.iter().enumerate();
        let kept = kept.filter(|(n, _)| had.n(*n as i64 + 1) > 0).map(|(_, window)| *window);
        let frame = Frame { baseline: kept.collect(), ..self.frame.clone() };
        if frame.baseline.len() < n_asked {
            let n_kept = frame.baseline.len();
            notes.push(format!("{n_kept} of {n_asked} windows to compare with have records"));
        }
        why.periods = frame.periods();
        let mut counts = Counts::new(&DIMS, frame.baseline.len());
        for ask in asks {
            for batch in batches(self.session, &why.query(*ask, &selection)?)? {
                counts.read(&batch).map_err(|error| Failure::failed(&error))?;
            }
        }
        let answer = explain(metric, &counts);
        let evidence = evidence::of(self.session, &frame, &why, &selection, &answer)?;
        notes.extend(missing(metric, &had));
        Ok(Told {
            answer,
            evidence,
            window: frame.window,
            baseline: frame.baseline,
            had: had.types(),
            n_records: had.all(),
            notes,
            filters: filters(self.selection),
            condition: self.selection.condition.clone(),
        })
    }
}

/// The window and what it is compared with, as far as the store reaches.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) window: Window,
    pub(crate) baseline: Vec<Window>,
    /// The time before the window in which an onset may lie.
    lead: Window,
    /// The last record of the store as far as it was looked at.
    last: Option<Timestamp>,
    notes: Vec<String>,
}

impl Frame {
    /// What of the store must be known.
    pub(crate) fn near(versus: Versus, wanted: Window, zone: Zone) -> Window {
        let baseline = versus.baseline(wanted, zone);
        let since = baseline.iter().map(|window| window.since).min().unwrap_or(wanted.since);
        Window { since, until: Timestamp(wanted.until.0 + LAG_S) }
    }

    /// By what `snapshot` says of the window [`Frame::near`].
    pub(crate) fn of(snapshot: &Snapshot, versus: Versus, wanted: Window, zone: Zone) -> Frame {
        let (window, last, mut notes) = until_the_last(snapshot, wanted, zone);
        let begins = snapshot.span.map_or(i64::MAX, |(first, _)| first.start().0);
        let mut baseline = versus.baseline(window, zone);
        let asked = baseline.len();
        baseline.retain(|other| other.since.0 >= begins);
        if baseline.len() < asked {
            notes.push(format!(
                "the store reaches back over {} of {asked} windows to compare with",
                baseline.len()
            ));
        }
        let lead_s = (window.until.0 - window.since.0).min(LAG_S);
        let lead = Window { since: Timestamp(window.since.0 - lead_s), until: window.since };
        Frame { window, baseline, lead, last, notes }
    }

    /// What a session must have opened.
    fn windows(&self) -> Vec<Window> {
        let after =
            |window: &Window| Window { until: Timestamp(window.until.0 + LAG_S), ..*window };
        let mut windows = vec![after(&self.window), self.lead];
        windows.extend(self.baseline.iter().map(after));
        windows
    }

    /// What a session that answers about all of it must be turned to.
    pub(crate) fn hull(&self) -> Window {
        let windows = self.windows();
        let since = windows.iter().map(|window| window.since).min().unwrap_or(self.window.since);
        let until = windows.iter().map(|window| window.until).max().unwrap_or(self.window.until);
        Window { since, until }
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
    zone: Zone,
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
        zone.local(last).format("%H:%M:%S")
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

pub(crate) fn batches(session: &Session, query: &Query) -> Result<Vec<RecordBatch>> {
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
