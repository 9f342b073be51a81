//! Where the figures of a report come from: every question to the store, on one session over one
//! snapshot, so that all numbers are of the same moment. Judges nothing and lays nothing out.

use std::collections::HashMap;
use std::rc::Rc;

use pmtaq_query::{
    Answer, Catalog, Measured, Moments, Pivot, Selection, Series, Session, Timeline,
};
use pmtaq_render::page::Table;
use pmtaq_schema::step::Step;
use pmtaq_schema::time::DAY_S;
use pmtaq_schema::{Timestamp, Window, Zone};
use pmtaq_store::{Snapshot, Store};

use crate::args;
use crate::asked::{self, Asked};
use crate::command_line::{self, CommandLine};
use crate::commands::why::{Frame, Question};
use crate::context::Context;
use crate::failure::Result;
use crate::show;
use crate::versus::Versus;

/// How far a report reads around its window for deliveries, complaints and known replies: no
/// further than its own figures ask.
const BEFORE_S: i64 = 30 * DAY_S;
const AFTER_S: i64 = DAY_S;

/// A window longer than this is looked at day by day: an hour of trouble is lost in a month.
pub(crate) const LONG_S: i64 = DAY_S + DAY_S / 2;

/// The metrics of all records over time that a page shows: one statement has them all.
const OVER_TIME: [&str; 6] = ["deferral_rate", "bounce_rate", "p50", "p95", "p99", "tls_rate"];

/// Lines of a chart, with the rest as one.
const MAX_LINES: u32 = 5;

/// The questions, and the session that answers them.
pub(crate) struct Desk<'d> {
    pub(crate) context: &'d Context,
    pub(crate) args: &'d args::Selection,
    pub(crate) window: Window,
    pub(crate) zone: Zone,
    pub(crate) snapshot: Snapshot,
    pub(crate) store: Store,
    session: Session,
    /// What the session answers about now.
    turned_to: Window,
    selection: Selection,
    catalog: Catalog,
    /// What was answered already, by the command line of the question.
    answers: HashMap<String, Rc<CitedRows>>,
    /// [`OVER_TIME`], by the length of a step.
    over_time: HashMap<i64, Timeline>,
}

/// The rows of one question, with the command line that asks it.
pub(crate) struct CitedRows {
    pub(crate) line: String,
    rows: Answer,
}

impl<'d> Desk<'d> {
    /// Opens all that a report about `window` reads, when its days are compared by `versus`.
    pub(crate) fn open(
        context: &'d Context,
        args: &'d args::Selection,
        window: Window,
        versus: Versus,
    ) -> Result<Desk<'d>> {
        let zone = context.global.tz;
        let store = context.store()?;
        let compared = Frame::near(versus, window, zone).since.0;
        let hull = Window {
            since: Timestamp(window.since.0.saturating_sub(BEFORE_S).min(compared)),
            until: Timestamp(window.until.0.saturating_add(AFTER_S)),
        };
        let Asked { session, snapshot, .. } = asked::open_window(context, hull, &[])?;
        let selection = asked::selection(args);
        session.check(&selection)?;
        let catalog = Catalog::builtin()?;
        Ok(Desk {
            context,
            args,
            window,
            zone,
            snapshot,
            store,
            session,
            turned_to: hull,
            selection,
            catalog,
            answers: HashMap::new(),
            over_time: HashMap::new(),
        })
    }

    fn turn_to(&mut self, window: Window) -> Result<()> {
        if window != self.turned_to {
            self.session.turn_to(&self.snapshot, window)?;
            self.turned_to = window;
        }
        Ok(())
    }

    /// The report called `name`, with what is given.
    pub(crate) fn ask(&mut self, name: &str, given: &[(&str, &str)]) -> Result<Rc<CitedRows>> {
        let line =
            given.iter().fold(CommandLine::new(name), |line, (option, value)| match *value {
                "true" => line.word(format!("--{option}")),
                value => line.option(&format!("--{option}"), value),
            });
        self.once(line, |desk| {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            let given: Vec<(String, String)> = given.iter().map(own).collect();
            let report = desk.catalog.get(name)?.clone();
            let scope = report.scope(&given, desk.window, desk.context.now);
            desk.turn_to(scope.reads)?;
            let query = report.query(&given, &desk.selection, scope)?;
            Ok(desk.session.answer(&query)?)
        })
    }

    /// Metrics by dimensions.
    pub(crate) fn pivot(
        &mut self,
        rows: &str,
        cols: Option<&str>,
        metrics: &[&str],
        top: u32,
    ) -> Result<Rc<CitedRows>> {
        let line = CommandLine::new("pivot").option("--rows", rows);
        let line = cols.into_iter().fold(line, |line, cols| line.option("--cols", cols));
        let line = line.option("--metric", metrics.join(",")).option("--top", top.to_string());
        self.once(line, |desk| {
            desk.turn_to(desk.window)?;
            let names: Vec<String> = metrics.iter().map(|&name| name.to_owned()).collect();
            let pivot = Pivot::new(&[rows.to_owned()], cols, &names, top)?;
            Ok(pivot.run(&desk.session, &desk.selection)?)
        })
    }

    /// What `ask` answers to the question of `line`, which is asked once.
    fn once(
        &mut self,
        line: CommandLine,
        ask: impl FnOnce(&mut Desk<'d>) -> Result<Answer>,
    ) -> Result<Rc<CitedRows>> {
        let line = self.line(line).text().unwrap_or_default();
        if let Some(answer) = self.answers.get(&line).filter(|_| !line.is_empty()) {
            return Ok(answer.clone());
        }
        let guard = crate::ui::interrupt(self.session.interrupt());
        let rows = ask(self)?;
        drop(guard);
        let answer = Rc::new(CitedRows { line: line.clone(), rows });
        self.answers.insert(line, answer.clone());
        Ok(answer)
    }

    /// Metrics over time, by a dimension's largest values or of all.
    pub(crate) fn series(
        &mut self,
        metrics: &[&str],
        by: Option<&str>,
        step: Step,
    ) -> Result<Timeline> {
        if by.is_some() || metrics.iter().any(|name| !OVER_TIME.contains(name)) {
            return self.timeline(metrics, by, step);
        }
        let all = match self.over_time.remove(&step.seconds()) {
            Some(all) => all,
            None => self.timeline(&OVER_TIME, None, step)?,
        };
        let some = all.of(metrics);
        self.over_time.insert(step.seconds(), all);
        Ok(some)
    }

    fn timeline(&mut self, metrics: &[&str], by: Option<&str>, step: Step) -> Result<Timeline> {
        self.turn_to(self.window)?;
        let names: Vec<String> = metrics.iter().map(|&name| name.to_owned()).collect();
        let series = Series::new(&names, by, step, MAX_LINES, (self.window, self.zone))?;
        let _guard = crate::ui::interrupt(self.session.interrupt());
        Ok(series.run(&self.session, &self.selection)?)
    }

    /// What the report is about.
    pub(crate) fn selection(&self) -> &Selection {
        &self.selection
    }

    /// A metric by all values of a dimension, hour by hour, in a window and of records other than those of
    /// the report.
    pub(crate) fn by_hour(
        &mut self,
        metric: &str,
        by: &str,
        window: Window,
        selection: &Selection,
    ) -> Result<Timeline> {
        self.turn_to(window)?;
        let series =
            Series::new(&[metric.to_owned()], Some(by), Step::HOUR, 0, (window, self.zone))?;
        let _guard = crate::ui::interrupt(self.session.interrupt());
        Ok(series.run(&self.session, selection)?)
    }

    /// Metrics of the time before a moment.
    pub(crate) fn measured(
        &mut self,
        moment: &Moments,
        until: Timestamp,
        length_s: i64,
    ) -> Result<Measured> {
        self.turn_to(Window { since: Timestamp(until.0 - length_s), until })?;
        let _guard = crate::ui::interrupt(self.session.interrupt());
        Ok(moment.run(&self.session, &self.selection)?)
    }

    /// The statements that were run more than once.
    #[cfg(test)]
    pub(crate) fn ran_again(&self) -> Vec<String> {
        self.session.ran_again()
    }

    /// Why numbers are missing in what was asked so far.
    pub(crate) fn lacks(&self) -> impl Iterator<Item = String> {
        let lacks = self.session.take_lacks().into_iter();
        // What the rates of single values are without is told where they are asked for.
        lacks.filter(|lack| !lack.is_unnamed).map(|lack| lack.to_string())
    }

    /// Why a metric is not known of the records of `frame`; none when it is.
    pub(crate) fn lack_of(&mut self, metric: &str, frame: &Frame) -> Result<Option<String>> {
        self.turn_to(frame.hull())?;
        let metric = pmtaq_query::metric(metric).into_iter();
        let lacks = self.session.unknown(metric, &[], &self.selection)?;
        Ok(lacks.first().map(ToString::to_string))
    }

    /// The newest record of the store as far as it was looked at.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        self.snapshot.newest()
    }

    /// `line` about the window and the filters of the report.
    pub(crate) fn line(&self, line: CommandLine) -> CommandLine {
        let line = line.window(self.window).filters(&command_line::filters(self.args));
        let line = line.others(&self.args.others);
        let condition = self.args.condition.iter();
        let line = condition.fold(line, |line, sql| line.option("--where", sql));
        if self.zone == Zone::UTC { line } else { line.option("--tz", self.zone.to_string()) }
    }

    /// Hands a question of `why` about the windows of `frame` to `ask`.
    pub(crate) fn why<T>(
        &mut self,
        frame: &Frame,
        ask: impl FnOnce(&Question<'_>) -> Result<T>,
    ) -> Result<T> {
        self.turn_to(frame.hull())?;
        let _guard = crate::ui::interrupt(self.session.interrupt());
        let (session, selection) = (&self.session, self.args);
        ask(&Question { session, frame, selection, by: None, has_others: true })
    }

    /// A moment as the reader of the report reads it; the day too, where the window has several.
    pub(crate) fn clock(&self, time: Timestamp) -> String {
        let local = self.zone.local(time);
        let is_short = self.window.until.0 - self.window.since.0 <= DAY_S;
        let offset = self.zone.told_apart(time).unwrap_or_default();
        format!("{}{offset}", local.format(if is_short { "%H:%M" } else { "%b %-d %H:%M" }))
    }
}

impl CitedRows {
    pub(crate) fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// The answer as a table.
    pub(crate) fn table(&self, desk: &Desk<'_>, caption: &str) -> Result<Table> {
        let (sheet, mut rows) = (show::sheet(self.rows.shape()), show::batches(&self.rows));
        Ok(Table::collect(caption, self.line.clone(), &sheet, &mut rows, desk.zone.tz())?)
    }

    /// Names of the columns.
    pub(crate) fn names(&self) -> Vec<String> {
        self.rows.names().map(str::to_owned).collect()
    }

    /// The texts of a column; empty where there is none.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let texts = self.rows.texts(name).unwrap_or_else(|_| vec![None; self.n_rows()]);
        texts.into_iter().map(Option::unwrap_or_default).collect()
    }

    /// The numbers of a column.
    pub(crate) fn numbers(&self, name: &str) -> Vec<Option<f64>> {
        self.rows.f64s(name).unwrap_or_else(|_| vec![None; self.n_rows()])
    }

    /// The moments of a column.
    pub(crate) fn times(&self, name: &str) -> Vec<Option<Timestamp>> {
        self.rows.times(name).unwrap_or_else(|_| vec![None; self.n_rows()])
    }

    /// A number of the last row, which is the total of a pivot.
    pub(crate) fn total(&self, name: &str) -> Option<f64> {
        self.numbers(name).last().copied().flatten()
    }
}
