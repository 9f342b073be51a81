//! Answers the questions of `top` on a thread of its own, the newest first of all: an older one
//! that still runs is interrupted. Draws nothing and decides nothing.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};

use pmtaq_query::{Interrupt, Matching, Pivot, Search, Series, metric};
use pmtaq_render::{BoxError, Style};
use pmtaq_schema::COLUMNS;
use pmtaq_schema::step::Step;

use super::Event;
use super::page::{Body, Group, Groups, Records, WindowAnswer};
use super::state::Request;
use crate::asked::{self, Asked};
use crate::context::Context;
use crate::failure::Result;
use crate::show;

/// Metrics of a table beside the chosen one.
const METRICS: [&str; 8] =
    ["sent", "delivered", "deferred", "deferral_rate", "bounced", "bounce_rate", "p50", "p95"];

/// Groups that are shown one by one.
const TOP: u32 = 200;

/// Steps of a trend at most.
const MAX_STEPS: i64 = 30;

/// Records that are shown.
const MAX_RECORDS: usize = 200;

/// The query that runs and the newest question, as both threads see them.
#[derive(Default)]
pub(super) struct Running {
    newest: AtomicU64,
    query: Mutex<Option<(u64, Interrupt)>>,
}

impl Running {
    /// Says that only the answer to this question matters now.
    pub(super) fn wants(&self, number: u64) {
        self.newest.store(number, Ordering::Relaxed);
        self.stop_outdated();
    }

    /// Interrupts a query that nobody waits for; whether there was one. The engine forgets an
    /// interrupt that comes before its statement begins, so that this must be said again.
    pub(super) fn stop_outdated(&self) -> bool {
        let newest = self.newest.load(Ordering::Relaxed);
        match self.query.lock().as_deref() {
            Ok(Some((number, interrupt))) if *number < newest => {
                interrupt.interrupt();
                true
            }
            _ => false,
        }
    }

    fn set(&self, query: Option<(u64, Interrupt)>) {
        if let Ok(mut now) = self.query.lock() {
            *now = query;
        }
    }
}

/// Answers questions until nobody asks any more.
pub(super) fn serve(
    context: &Context,
    running: &Arc<Running>,
    questions: &Receiver<Request>,
    answers: &Sender<Event>,
) {
    let mut open: Option<(u64, Asked)> = None;
    while let Ok(mut request) = questions.recv() {
        while let Ok(newer) = questions.try_recv() {
            request = newer;
        }
        let number = request.number;
        let answer = answer(context, running, &request, &mut open);
        running.set(None);
        let answer = answer.map_err(|failure| failure.message().to_owned());
        if answers.send(Event::Answer(number, answer)).is_err() {
            return;
        }
    }
}

/// Answers one question, by the session that is open when it is still of use.
fn answer(
    context: &Context,
    running: &Running,
    request: &Request,
    open: &mut Option<(u64, Asked)>,
) -> Result<WindowAnswer> {
    let (generation, window) = (request.generation, request.window);
    let usable = |(of, asked): &(u64, Asked)| *of == generation && asked.window == window;
    let asked = match open.take().filter(usable) {
        Some((_, asked)) => asked,
        None => asked::open_whole(context, window)?,
    };
    running.set(Some((request.number, asked.session.interrupt())));
    let body = match request.by {
        Some(by) => {
            let groups = groups(context, &asked, request, by)?;
            *open = Some((generation, asked));
            Body::Groups(Box::new(groups))
        }
        // A search narrows its session, so that it is of no use for the next question.
        None => Body::Records(records(context, &asked, request)?),
    };
    Ok(WindowAnswer { window, body })
}

fn groups(context: &Context, asked: &Asked, request: &Request, by: &str) -> Result<Groups> {
    let mut metrics = vec![request.metric.to_owned()];
    metrics.extend(METRICS.iter().filter(|name| **name != request.metric).map(|s| (*s).to_owned()));
    let pivot = Pivot::new(&[by.to_owned()], None, &metrics, TOP)?;
    let answer = pivot.run(&asked.session, &request.selection)?;
    let sheet = show::sheet(answer.shape());
    let texts = pmtaq_render::texts(&style(context), &sheet, &mut show::batches(&answer))?;
    let names: Vec<&str> = answer.names().collect();
    let places: Vec<usize> =
        metrics.iter().filter_map(|metric| names.iter().position(|name| name == metric)).collect();
    let numbers = places.iter().map(|&at| answer.f64s(names[at]));
    let numbers = numbers.collect::<pmtaq_query::Result<Vec<_>>>()?;
    let mut rows: Vec<Group> = texts
        .iter()
        .zip(answer.texts(names[0])?)
        .enumerate()
        .map(|(row, (texts, label))| Group {
            value: label.unwrap_or_default(),
            label: texts[0].clone(),
            texts: places.iter().map(|&at| texts[at].clone()).collect(),
            numbers: numbers.iter().map(|column| column[row]).collect(),
            trend: Vec::new(),
        })
        .collect();
    // The pivot shows the total last, and before it what is beyond the largest.
    let total = rows.pop();
    let other = if rows.len() > TOP as usize { rows.pop() } else { None };
    let step = Step::fitting(request.window, MAX_STEPS);
    let mut groups = Groups { metrics, rows, other, total, step: step.to_string() };
    trends(context, asked, request, (by, step), &mut groups)?;
    Ok(groups)
}

/// Adds to each group its metric over time.
fn trends(
    context: &Context,
    asked: &Asked,
    request: &Request,
    (by, step): (&str, Step),
    groups: &mut Groups,
) -> Result<()> {
    let of = [request.metric.to_owned()];
    let when = (request.window, context.global.tz);
    let series = Series::new(&of, Some(by), step, TOP, when)?;
    let mut lines = series.run(&asked.session, &request.selection)?.lines;
    // What is beyond the largest is one line more, which a group may have the name of.
    lines.truncate(TOP as usize);
    let mut lines: HashMap<String, Vec<Vec<Option<f64>>>> = lines.into_iter().collect();
    let is_count = metric(request.metric)?.unit.is_sum();
    for group in &mut groups.rows {
        let line = lines.remove(&group.value).and_then(|mut metrics| metrics.pop());
        group.trend = line.unwrap_or_default();
        // A count of nothing is nothing to draw; a rate of 0 is.
        for value in group.trend.iter_mut().filter(|_| is_count) {
            *value = value.filter(|value| *value != 0.0);
        }
    }
    Ok(())
}

fn records(context: &Context, asked: &Asked, request: &Request) -> Result<Records> {
    let fields: Vec<String> = COLUMNS.iter().map(|column| column.name.to_owned()).collect();
    let search = Search::new(Vec::new(), Matching::default(), &fields)?;
    let Asked { session, snapshot, window } = asked;
    let limit = Some(MAX_RECORDS as u64);
    let rows =
        search.run(session, snapshot, *window, &request.selection, limit, |shape, found| {
            let mut found = found.map(|batch| batch.map_err(BoxError::from));
            pmtaq_render::texts(&style(context), &show::sheet(&shape), &mut found)
        })??;
    Ok(Records { fields, more: rows.len() == MAX_RECORDS, rows })
}

fn style(context: &Context) -> Style {
    Style { zone: context.global.tz.tz(), ..Style::default() }
}
