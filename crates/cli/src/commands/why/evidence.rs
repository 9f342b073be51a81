//! What the records of a cause say: since when, and in which words. Fetches once for all causes.

use pmtaq_query::{Ask, Period, Selection, Session, Why};
use pmtaq_schema::{Timestamp, Window};
use pmtaq_why::{Answer, Cause, Kind, Stage, climb};

use super::frame::Frame;
use crate::failure::Result;

/// Replies told of a cause at most.
const MAX_REPLIES: usize = 3;
/// More deferrals than usual say why mail is late where they come to this part of what is later than usual.
const DELAYS: f64 = 0.1;
/// Causes of which the records are asked.
pub(crate) const MAX_CAUSES: usize = 5;
/// The number of the time before the window, in which an onset may lie.
const LEAD: i64 = -1;

/// What the records of a cause say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) onset: Option<Onset>,
    /// The part of the window in which it happened.
    pub(crate) episode: Option<Window>,
    pub(crate) replies: Vec<Reply>,
}

impl Evidence {
    /// Whose fault it is, by what is known of the replies: the one that most of them say.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let mut faults: Vec<(&'static str, f64)> = Vec::new();
        for reply in &self.replies {
            let known = pmtaq_schema::explain::known(&reply.template);
            let Some(fault) = known.and_then(|known| known.fault()) else { continue };
            match faults.iter_mut().find(|(other, _)| *other == fault) {
                Some((_, n)) => *n += reply.now,
                None => faults.push((fault, reply.now)),
            }
        }
        faults.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(fault, _)| fault)
    }
}

/// Since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Onset {
    /// In the step that begins then.
    At(Timestamp),
    /// Before what was looked at, which begins then.
    Before(Timestamp),
}

/// A reply that comes more often than usual.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) template: String,
    pub(crate) category: Option<String>,
    /// Records in the window, and on the mean of the baseline.
    pub(crate) now: f64,
    pub(crate) usual: f64,
}

struct Row {
    cause: usize,
    period: i64,
    rec: String,
    category: Option<String>,
    template: Option<String>,
    step: Option<i64>,
    n: f64,
}

/// For each cause of the answer, in its order.
pub(crate) fn of(
    session: &Session,
    frame: &Frame,
    why: &Why,
    selection: &Selection,
    answer: &Answer,
) -> Result<Vec<Evidence>> {
    let causes = &answer.causes[..answer.causes.len().min(MAX_CAUSES)];
    if causes.is_empty() {
        return Ok(Vec::new());
    }
    let length_s = frame.window.until.0 - frame.window.since.0;
    let step_s = match length_s {
        ..=10_800 => 60,
        10_801..=86_400 => 600,
        _ => 3600,
    };
    let mut periods: Vec<Period> = vec![(LEAD, frame.lead)];
    periods.extend(frame.periods());
    let place = |cause: &Cause| {
        let is_real = |(_, value): &&(String, Option<String>)| {
            !value.as_deref().is_some_and(pmtaq_why::is_group_of_jobs)
        };
        cause.values.iter().filter(is_real).cloned().collect()
    };
    let why = Why { periods, step_s, causes: causes.iter().map(place).collect(), ..why.clone() };
    let answer = session.answer(&why.query(Ask::Evidence, selection)?)?;
    let (cause, period, step) =
        (answer.i64s("cause")?, answer.i64s("period")?, answer.i64s("step")?);
    let (rec, category, template) =
        (answer.texts("rec")?, answer.texts("bounce_cat")?, answer.texts("template")?);
    let n = answer.i64s("n")?;
    let rows = (0..answer.len()).map(|row| Row {
        cause: cause[row].and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX),
        period: period[row].unwrap_or(i64::MIN),
        rec: rec[row].clone().unwrap_or_default(),
        category: category[row].clone(),
        template: template[row].clone(),
        step: step[row],
        n: n[row].unwrap_or(0) as f64,
    });
    let rows: Vec<Row> = rows.collect();
    let told = |(number, cause): (usize, &Cause)| {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.cause == number).collect();
        let found = episode(cause, &rows, frame, step_s);
        let whole = frame.lead.since;
        let onset = found.map(|found| {
            if found.since <= whole { Onset::Before(whole) } else { Onset::At(found.since) }
        });
        let within = |found: Window| Window {
            since: found.since.max(frame.window.since),
            until: found.until.min(frame.window.until),
        };
        Evidence {
            onset,
            episode: found.map(within).filter(|episode| episode.since < episode.until),
            replies: replies(cause, &rows, frame.baseline.len()),
        }
    };
    Ok(causes.iter().enumerate().map(told).collect())
}

/// Whether a record is one that the stage of the cause counts.
fn is_counted(cause: &Cause, row: &Row) -> bool {
    let kinds = cause.stage.output();
    let is_kind = match row.rec.as_str() {
        "r" => kinds.contains(&Kind::Injected),
        "d" => kinds.contains(&Kind::Delivered),
        "b" => kinds.contains(&Kind::Bounced),
        "t" => kinds.contains(&Kind::Held) || kinds.contains(&Kind::Deferred),
        "f" => kinds.contains(&Kind::Complained),
        "m" => kinds.contains(&Kind::Marked),
        _ => false,
    };
    // Who waits in the queue was deferred, or leaves no record.
    let is_kind = is_kind || cause.stage == Stage::Waiting && row.rec == "t";
    is_kind && (cause.categories.is_empty() || cause.categories.contains(&row.category))
}

/// Whether a record is one of those that enter the stage.
fn is_entering(cause: &Cause, row: &Row) -> bool {
    let kinds = cause.stage.input();
    match row.rec.as_str() {
        "r" => kinds.contains(&Kind::Injected),
        "d" => kinds.contains(&Kind::Delivered),
        "b" => kinds.contains(&Kind::Bounced),
        "t" => kinds.contains(&Kind::Held) || kinds.contains(&Kind::Deferred),
        "m" => kinds.contains(&Kind::Marked),
        _ => false,
    }
}

/// From when to when, by whole steps, of the window and the time before it.
fn episode(cause: &Cause, rows: &[&Row], frame: &Frame, step_s: i64) -> Option<Window> {
    let first = frame.lead.since.0.div_euclid(step_s) * step_s;
    let n_steps = usize::try_from((frame.window.until.0 - first).div_euclid(step_s) + 1).ok()?;
    let (mut seen, mut entered) = (vec![0.0; n_steps], vec![0.0; n_steps]);
    let (mut past_seen, mut past_entered) = (0.0, 0.0);
    for row in rows {
        let Some(step) = row.step else { continue };
        let (counts, enters) = (is_counted(cause, row), is_entering(cause, row));
        if row.period > 0 {
            past_seen += if counts { row.n } else { 0.0 };
            past_entered += if enters { row.n } else { 0.0 };
        } else if let Ok(at) = usize::try_from((step - first).div_euclid(step_s))
            && at < n_steps
        {
            seen[at] += if counts { row.n } else { 0.0 };
            entered[at] += if enters { row.n } else { 0.0 };
        }
    }
    let has_input = !cause.stage.input().is_empty();
    let length_s = frame.window.until.0 - frame.window.since.0;
    let steps_of_baseline = (frame.baseline.len() as i64 * length_s) as f64 / step_s as f64;
    // Half way between usual and now: what is below belongs to the time before.
    let now = |of: &[f64]| {
        let begin = usize::try_from((frame.window.since.0 - first).div_euclid(step_s)).unwrap_or(0);
        of[begin.min(of.len())..].iter().sum::<f64>()
    };
    let rate_now = now(&seen)
        / if has_input { now(&entered).max(1.0) } else { length_s as f64 / step_s as f64 };
    let rate_usual =
        past_seen / if has_input { past_entered.max(1.0) } else { steps_of_baseline.max(1.0) };
    let middle = (rate_now + rate_usual) / 2.0;
    let expected: Vec<f64> =
        entered.iter().map(|n| if has_input { n * middle } else { middle }).collect();
    let steps = climb(&seen, &expected, rate_now > rate_usual)?;
    let at = |step: usize| Timestamp(first + step as i64 * step_s);
    Some(Window { since: at(steps.start), until: at(steps.end) })
}

/// The replies that are more frequent than usual, given how many there are.
fn replies(cause: &Cause, rows: &[&Row], n_baseline: usize) -> Vec<Reply> {
    let mut replies: Vec<Reply> = Vec::new();
    // What was deferred made late what was, if it is a good part of that.
    let part = |period: i64| if period == 0 { 1.0 } else { -1.0 / n_baseline.max(1) as f64 };
    let deferrals =
        rows.iter().filter(|row| row.rec == "t" && row.step.is_none() && row.period >= 0);
    let deferred: f64 = deferrals.map(|row| part(row.period) * row.n).sum();
    let delays =
        cause.stage == Stage::Latency && deferred >= DELAYS * (cause.now.1 - cause.usual.1);
    for row in rows {
        let Some(template) = &row.template else { continue };
        // Who is turned away at the greeting stands for a whole queue.
        let stands_for_many = matches!(cause.stage, Stage::Waiting | Stage::Latency);
        let is_queue =
            row.rec == "tq" && (stands_for_many || cause.stage.output().contains(&Kind::Held));
        let is_refusal = matches!(row.rec.as_str(), "b" | "t") && is_counted(cause, row)
            || delays && row.rec == "t";
        if row.period == LEAD || !(is_refusal || is_queue) {
            continue;
        }
        let known = replies.iter().position(|reply| reply.template == *template);
        let at = known.unwrap_or_else(|| {
            let category = row.category.clone();
            replies.push(Reply { template: template.clone(), category, now: 0.0, usual: 0.0 });
            replies.len() - 1
        });
        match row.period {
            0 => replies[at].now += row.n,
            _ => replies[at].usual += row.n / n_baseline.max(1) as f64,
        }
    }
    let is_told = |reply: &Reply| reply.now >= 3.0 && reply.now > 2.0 * reply.usual;
    replies.retain(is_told);
    replies.sort_by(|a, b| {
        (b.now - b.usual).total_cmp(&(a.now - a.usual)).then(a.template.cmp(&b.template))
    });
    replies.truncate(MAX_REPLIES);
    replies
}

#[cfg(test)]
mod tests {
    use pmtaq_why::{Counts, Metric, explain};

    use super::*;

    /// 500 of 1,000 deliveries of a pool are late, and none was.
    fn late() -> Cause {
        let mut counts = Counts::new(&["vmta_pool"], 4);
        for period in 0..5 {
            counts.add(period, &[Some("a")], Kind::Delivered, None, 3000);
            let late = if period == 0 { 500 } else { 1 };
            counts.add(period, &[Some("b")], Kind::Marked, None, late);
            counts.add(period, &[Some("b")], Kind::Delivered, None, 1000 - late);
        }
        let metric = Metric::named("p95").expect("a metric");
        explain(metric, counts).causes.into_iter().next().expect("a cause")
    }

    #[test]
    fn late_mail_is_read_by_deferrals_if_they_may_have_made_it_late() {
        let cause = late();
        let told = |rec: &str, now: f64| {
            let row = |period, n| Row {
                cause: 0,
                period,
                rec: rec.to_owned(),
                category: None,
                template: Some("421 try later".to_owned()),
                step: None,
                n,
            };
            replies(&cause, &[&row(0, now), &row(1, 1.0)], 4).len()
        };
        assert_eq!(told("t", 3.0), 0, "three of five hundred");
        assert_eq!(told("t", 100.0), 1);
        assert_eq!(told("tq", 3.0), 1, "one record stands for a queue");
    }
}
