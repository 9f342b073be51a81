//! Fetches the counts of a window and its baseline, and has them explained. Judges nothing.

use arrow::error::ArrowError;
use pmtaq_query::{
    Answer, Ask, COHORT_S, Dimension, JOB, LEAF, Lack, Leaves, Marked, Query, Selection, Session,
    Why, dimension,
};
use pmtaq_render::words::percent;
use pmtaq_schema::time::DAY_S;
use pmtaq_schema::{Record, Window};
use pmtaq_why::{Counts, Marginals, Mark, Metric, explain};

use super::evidence;
use super::explanation::{Explanation, Own};
use super::frame::Frame;
use super::had::Had;
use crate::command_line::filters;
use crate::commands::measure::middle;
use crate::failure::{Failure, Result};
use crate::{args, asked};

/// Whose numbers are to be explained: the records of a session in a window and its baseline.
pub(crate) struct Question<'q> {
    /// It has the windows of the frame, or more.
    pub(crate) session: &'q Session,
    pub(crate) frame: &'q Frame,
    pub(crate) selection: &'q args::Selection,
    /// What is told apart in place of the jobs.
    pub(crate) by: Option<&'static Dimension>,
    /// Whether other metrics are asked of the same records.
    pub(crate) has_others: bool,
}

impl Question<'_> {
    /// Which records are asked for about a metric.
    fn why(&self, metric: &Metric, selection: &Selection) -> Result<Why> {
        Ok(Why {
            blind: self.blind(metric, selection)?,
            periods: self.frame.periods(),
            lag_s: self.frame.lag_s(),
            class: metric.class.map(|class| class.as_str().to_owned()),
            reached: metric.name == "deferral_rate",
            is_of_complaints: metric.is_of_complaints(),
            follows: metric.follows_messages(),
            kinds: Marginals::kinds(metric),
            mark: match metric.mark {
                Some(Mark::Plaintext) => Some(Marked::Plaintext),
                Some(Mark::WeakTls) => Some(Marked::WeakTls),
                // Its limit is not known yet.
                Some(Mark::Later) | None => None,
            },
            metric: metric.name.to_owned(),
            by: self.by,
            ..Why::default()
        })
    }

    /// What is asked of them: what was injected is told by receptions, if there are any.
    fn asks(&self, metric: &Metric, has_receptions: bool) -> &'static [Ask] {
        match (metric.follows_messages(), has_receptions) {
            // What was injected need not have it.
            (true, true) if self.by.is_none() => &[Ask::Messages, Ask::Remote, Ask::Injected],
            (true, _) => &[Ask::Messages, Ask::Remote, Ask::Queued],
            _ if metric.is_of_complaints() => &[Ask::Complaints, Ask::Cohort],
            _ if metric.is_of_the_queue() => &[Ask::Waiting, Ask::Passed],
            _ if metric.mark.is_some() => &[Ask::Deliveries],
            _ => &[Ask::Records],
        }
    }

    /// The value of the metric in the window and what is usual of it, the middle of its baseline,
    /// for metrics of which only a share can be explained.
    fn own(&self, metric: &Metric, why: &Why, selection: &Selection) -> Result<Option<Own>> {
        if metric.mark != Some(Mark::Later) && metric.name != "complaint_rate" {
            return Ok(None);
        }
        let answer = self.session.answer(&why.query(Ask::Limit, selection)?)?;
        let rows = answer.i64s("period")?.into_iter().zip(answer.f64s("value")?);
        let (mut now, mut usual) = (None, Vec::new());
        for (period, value) in rows {
            match (period, value) {
                (Some(0), value) => now = value,
                (_, Some(value)) => usual.push(value),
                _ => {}
            }
        }
        let Some(now) = now else { return Ok(None) };
        let lowest = usual.iter().copied().min_by(f64::total_cmp).unwrap_or(now);
        let highest = usual.iter().copied().max_by(f64::total_cmp).unwrap_or(now);
        Ok(Some(Own { now, usual: middle(usual).unwrap_or(now), lowest, highest }))
    }

    /// With the limit beyond which deliveries are later than usual.
    fn limited(why: Why, metric: &Metric, own: Option<Own>) -> Why {
        let limit = own.filter(|_| metric.mark == Some(Mark::Later)).map(|own| own.usual);
        Why { mark: limit.map(Marked::LaterThan).or(why.mark), ..why }
    }

    /// The dimensions by which the metric is not known: no cause can be one of these.
    fn blind(&self, metric: &Metric, selection: &Selection) -> Result<Vec<&'static str>> {
        let Ok(metric) = pmtaq_query::metric(metric.name) else { return Ok(Vec::new()) };
        // A complaint is given what its delivery has.
        if metric.name.starts_with("complaint") {
            return Ok(Vec::new());
        }
        let of_all = self.session.unknown([metric], &[], selection)?;
        let is_asked = |name: &&str| self.by.is_none() || *name != JOB;
        let names: Vec<&'static str> = LEAF.into_iter().filter(is_asked).collect();
        let by = names.iter().map(|name| dimension(name));
        let by = by.collect::<pmtaq_query::Result<Vec<_>>>()?;
        let lacks = self.session.unknown([metric], &by, selection)?;
        // What remote bounces lack leaves them out, and no more.
        let is_unknown = |name: &&'static str| {
            let is_it = |lack: &&Lack| lack.by == Some(*name) && lack.is_of_groups;
            lacks.iter().filter(is_it).any(|lack| !of_all.contains(lack))
        };
        Ok(names.into_iter().filter(is_unknown).collect())
    }

    /// The statements that count, to be shown.
    pub(super) fn sql(&self, metric: &Metric) -> Result<String> {
        let selection = asked::selection(self.selection);
        let why = self.why(metric, &selection)?;
        let had = Had::read(self.session, &why.query(Ask::Had, &selection)?)?;
        let own = self.own(metric, &why, &selection)?;
        let why = Self::limited(why, metric, own);
        let script = |ask: &Ask| Ok(self.session.script(&why.query(*ask, &selection)?));
        self.asks(metric, had.has("r")).iter().map(script).collect()
    }

    /// The frame with those windows of the baseline that have records, and what is to be said of the others: a
    /// day without a record is a day without logs, and says nothing of usual.
    fn kept(&self, had: &Had) -> (Frame, Vec<String>) {
        let mut notes = self.frame.notes.clone();
        let n_asked = self.frame.baseline.len();
        let kept = self.frame.baseline.iter().enumerate();
        let kept = kept.filter(|(n, _)| had.n(*n as i64 + 1) > 0).map(|(_, window)| *window);
        let frame = Frame { baseline: kept.collect(), ..self.frame.clone() };
        let n_kept = frame.baseline.len();
        if n_kept < n_asked {
            notes.push(format!("only {n_kept} of the {n_asked} baseline windows have records"));
        }
        notes.extend(had.silent(n_kept).into_iter().map(|(host, part)| {
            format!(
                "next to no record of {host} in the window, which usually has {} of all: its files are not \
                 ingested, or it no longer sends (`pmtaq status --hosts`)",
                percent(part)
            )
        }));
        (frame, notes)
    }

    /// What there is of each leaf and period, by `leaves` if they are in memory. `why` learns which values are told apart.
    fn counted(
        &self,
        metric: &'static Metric,
        why: &mut Why,
        asks: &[Ask],
        leaves: Option<&Leaves>,
        selection: &Selection,
    ) -> Result<Counts> {
        let n_baseline = why.periods.len() - 1;
        let mut counts = Counts::new(&LEAF, n_baseline);
        let (by_place, by_name): (Vec<Ask>, Vec<Ask>) =
            asks.iter().partition(|ask| ask.is_by_place());
        if by_place.is_empty() {
            // About a day at once: all would take much memory here, and each by itself takes time.
            let Window { since, until } = self.frame.window;
            let of_a_day = (DAY_S / (until.0 - since.0).max(1)).max(1) as usize;
            for periods in why.periods.chunks(of_a_day) {
                let of_these = Why { periods: periods.to_vec(), ..why.clone() };
                for ask in &by_name {
                    self.read_into(&mut counts, &of_these.query(*ask, selection)?)?;
                }
            }
            return Ok(counts);
        }
        let named = by_name
            .into_iter()
            .map(|ask| Ok(self.session.answer(&why.query(ask, selection)?)?))
            .collect::<Result<Vec<Answer>>>()?;
        if self.session.is_here() {
            let mut marginals = Marginals::new(metric, &LEAF, n_baseline);
            for answer in &named {
                taken(marginals.add(answer.rows()))?;
            }
            match leaves {
                Some(leaves) => {
                    for batch in leaves.marginals(why) {
                        taken(marginals.read(&batch?))?;
                    }
                }
                None => {
                    for query in why.marginals(selection)? {
                        taken(marginals.read(self.session.answer(&query)?.rows()))?;
                    }
                }
            }
            why.told = Some(marginals.teach(&mut counts));
        }
        for answer in &named {
            taken(counts.read(answer.rows()))?;
        }
        for ask in by_place {
            if let Some(leaves) = leaves.filter(|_| ask.is_in_memory()) {
                let query = why.query(ask, selection)?;
                let by_hours = self.session.reads_hours(&query);
                for batch in leaves.counts(why, ask, by_hours)? {
                    taken(counts.read(&batch))?;
                }
                continue;
            }
            let query = match leaves {
                Some(leaves) => self.session.told_to_the_engine(leaves, why)?.query(ask, selection),
                None => why.query(ask, selection),
            }?;
            self.read_into(&mut counts, &query)?;
        }
        Ok(counts)
    }

    /// Adds what a statement answers, which need not have room as a whole.
    fn read_into(&self, counts: &mut Counts, query: &Query) -> Result<()> {
        self.session.run(query, |_, batches| -> Result<()> {
            for batch in batches {
                taken(counts.read(&batch?))?;
            }
            Ok(())
        })?
    }

    /// Counts, and has the counts explained.
    pub(crate) fn tell(&self, metric: &'static Metric) -> Result<Explanation> {
        let selection = asked::selection(self.selection);
        let mut why = self.why(metric, &selection)?;
        let hoped = self.asks(metric, self.session.may_log(Record::Reception));
        let leaves = self.session.leaves(&why, hoped, &selection, self.has_others)?;
        let had = match &leaves {
            Some(leaves) => Had::of(leaves, &why),
            None => Had::read(self.session, &why.query(Ask::Had, &selection)?)?,
        };
        let asks = self.asks(metric, had.has("r"));
        let leaves = leaves.filter(|_| asks == hoped);
        let (frame, mut notes) = self.kept(&had);
        why.periods = frame.periods();
        let own = self.own(metric, &why, &selection)?;
        why = Self::limited(why, metric, own);
        let counts = self.counted(metric, &mut why, asks, leaves.as_deref(), &selection)?;
        let mut answer = explain(metric, counts);
        let left_out: Vec<(Window, f64)> = answer
            .left_out
            .iter()
            .map(|(period, value)| (frame.baseline[period - 1], *value))
            .collect();
        let is_kept = |window: &Window| left_out.iter().all(|(out, _)| out != window);
        let kept = frame.baseline.iter().copied().filter(is_kept).collect();
        let frame = Frame { baseline: kept, ..frame };
        why.periods = frame.periods();
        let evidence = evidence::of(self.session, &frame, &why, &selection, &answer)?;
        // Of several values of a filter none is the one.
        let filters = filters(self.selection);
        let is_alone = |name: &str| filters.iter().filter(|(f, _)| f.name == name).count() == 1;
        let given: Vec<(&str, &str)> = filters
            .iter()
            .filter(|(filter, value)| is_alone(filter.name) && !value.contains('*'))
            .map(|(filter, value)| (filter.dimension, value.as_str()))
            .collect();
        for (cause, evidence) in answer.causes.iter_mut().zip(&evidence) {
            cause.read_by(evidence.fault(), &given);
        }
        if let Some(by) = self.by {
            name_by(&mut answer, by);
        }
        notes.extend(missing(metric, &had));
        if !why.blind.is_empty() {
            let names = why.blind.join(", ");
            notes.push(format!("not told apart, since some record types lack it: {names}"));
        }
        Ok(Explanation {
            answer,
            evidence,
            window: frame.window,
            baseline: frame.baseline,
            left_out,
            had: had.types(),
            n_records: had.all(),
            n_in_window: had.n(0).unsigned_abs(),
            notes,
            mark: why.mark,
            by: self.by,
            own,
            filters,
            others: self.selection.others.clone(),
            condition: self.selection.condition.clone(),
        })
    }
}

/// Whether a batch was taken in, which has what it should.
fn taken(batch: std::result::Result<(), ArrowError>) -> Result<()> {
    batch.map_err(|error| Failure::failed(&error))
}

/// Has what stood in the place of the jobs under its own name.
fn name_by(answer: &mut pmtaq_why::Answer, by: &Dimension) {
    for cause in &mut answer.causes {
        let scopes = cause.scopes.iter_mut().flat_map(|scope| &mut scope.values);
        let values = cause.values.iter_mut().chain(&mut cause.implied).chain(scopes);
        for (name, _) in values.filter(|(name, _)| name == JOB) {
            *name = by.name.to_owned();
        }
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
    if metric.is_of_complaints() {
        let days = COHORT_S / 86_400;
        notes.push(format!(
            "complaints are set against what was delivered in the window and {days} day before it, \
             and count where their delivery does"
        ));
    }
    if metric.is_of_the_queue() && !(had.has("r") || had.has("t")) {
        notes.push("no r and no t records: who waits is known only once it has left".to_owned());
    }
    if metric.counted.contains(&pmtaq_why::Kind::Complained) && !had.has("f") {
        notes.push("no f records: complaints are not logged here".to_owned());
    }
    notes
}
