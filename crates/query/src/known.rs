//! What cannot be known: the one rule over metric, dimension and what each record type has. Pivots,
//! series, reports, rules and SQL of the user all ask here; what is not logged is not zero.
//!
//! | of the records that a metric counts | a number is unknown |
//! |---|---|
//! | a type lacks a field that the metric is made of | everywhere |
//! | an MTA writes none of a type that a share stands on ([`crate::absent`]) | everywhere |
//! | a type lacks the field of a dimension | in every group but that of none, and there if it is a share |
//! | a dimension tells outcomes apart, and the metric is a share of several types | everywhere |
//!
//! A type lacks a field on a day of an MTA. Of fields that each record has, a twentieth may be without it;
//! of others (a job, a pool) it is judged by the other types of that MTA and day: where these have it, chance
//! must leave it out of so many in less than one of a thousand. Remote bounces and deferrals of a whole
//! queue correct a number, and do not make it: what they lack leaves them out.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use pmtaq_schema::time::{DAY_S, Day};
use pmtaq_schema::{Record, Timestamp, Zone};

use crate::absent::Absent;
use crate::dimension::{DIMENSIONS, Dimension, dimension};
use crate::error::Result;
use crate::judged::{IS_KNOWN, Judged};
use crate::lack::{Lack, merged};
use crate::lex::words;
use crate::metric::{Definition, Metric, metric, metrics};
use crate::need::{Need, Who, is_of_outcomes};
use crate::selection::{Selection, dimension_of};
use crate::session::Session;
use crate::written::Written;

/// What of a metric is not known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    holes: Vec<Hole>,
}

#[derive(Clone, Debug)]
struct Hole {
    groups: Groups,
    lack: Lack,
    /// Where: an MTA, and a day or all of them; empty for everywhere.
    places: BTreeSet<(String, Option<Day>)>,
}

/// An MTA, and one of its days or all of them.
#[derive(Clone, Copy)]
struct Place<'p> {
    host: &'p str,
    day: Option<Day>,
}

impl<'p> From<&'p Written> for Place<'p> {
    fn from(written: &'p Written) -> Place<'p> {
        Place { host: &written.host, day: Some(written.day) }
    }
}

/// In which groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Groups {
    All,
    /// Those that have a value of the dimension.
    Named(&'static str),
    /// That without one; whether what corrects a number alone is why, and then no group of several values.
    Unnamed(&'static str, bool),
}

/// A group of records: its values by dimension, and where they are from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group<'g> {
    pub(crate) labels: Vec<(&'static str, Label)>,
    pub(crate) host: Option<&'g str>,
    pub(crate) days: Option<(Day, Day)>,
}

/// What is known of the value of a dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    Named,
    Unnamed,
    /// Both may be among them.
    Mixed,
}

impl Label {
    /// Of a value as answers have it.
    pub(crate) fn of(text: &str) -> Label {
        if text == "(none)" { Label::Unnamed } else { Label::Named }
    }
}

impl<'g> Group<'g> {
    /// A group with these values, none where it is of all of them; `clock` tells local times.
    pub(crate) fn of(
        values: impl IntoIterator<Item = (&'static Dimension, Label, &'g str)>,
        clock: Zone,
    ) -> Group<'g> {
        let mut group = Group::default();
        for (of, label, text) in values {
            group.labels.push((of.name, label));
            if label == Label::Named && of.name == "host" {
                group.host = Some(text);
            }
            if label == Label::Named && ["day", "hour", "minute5"].contains(&of.name) {
                group.days = days_of(text, clock);
            }
        }
        group
    }

    /// The same between two moments.
    pub(crate) fn between(mut self, since: Timestamp, until: Timestamp) -> Group<'g> {
        self.days = Some((since.day(), Timestamp(until.0 - 1).day()));
        self
    }
}

/// The UTC days of a local day or hour, as answers name it.
fn days_of(text: &str, clock: Zone) -> Option<(Day, Day)> {
    let day = Day::parse(text.get(..10)?)?;
    let hour = text.get(11..13).and_then(|hour| hour.parse::<i64>().ok());
    let local = day.start().0 + hour.unwrap_or(0) * 3600;
    let since = local - clock.offset_s(day.start());
    let length = if hour.is_some() { 3600 } else { DAY_S };
    Some((Timestamp(since).day(), Timestamp(since + length - 1).day()))
}

/// A dimension of a question, and the groups of it that are asked for.
#[derive(Clone, Copy)]
enum Told {
    Apart,
    Named,
    Unnamed,
}

impl Judged {
    /// Grouped by these, of what `selection` lets through.
    pub(crate) fn new(
        by: impl IntoIterator<Item = &'static Dimension>,
        selection: &Selection,
    ) -> Judged {
        let Selection { filters, condition, exactly } = selection;
        let filtered = filters.iter().filter_map(|(name, values)| {
            let of = dimension(dimension_of(name, values.first()?)).ok()?;
            Some((of, false))
        });
        // Who writes a condition over outcomes says which of them count.
        let condition = condition.iter().flat_map(|condition| Judged::named_in(condition).by);
        let condition = condition.map(|of| (of, false));
        let filtered = filtered.chain(exactly.iter().map(|(of, value)| (*of, value.is_none())));
        let hosts = filters.iter().filter(|(name, _)| name == "host");
        let hosts = hosts.map(|(_, values)| values.clone());
        let one_host = exactly.iter().filter(|(of, _)| of.name == "host");
        let one_host = one_host.filter_map(|(_, value)| Some(vec![value.clone()?]));
        Judged {
            by: by.into_iter().collect(),
            filtered: filtered.chain(condition).collect(),
            hosts: hosts.chain(one_host).collect(),
            ..Judged::default()
        }
    }

    /// By the dimensions that a statement of the user names.
    pub(crate) fn named_in(sql: &str) -> Judged {
        let named = words(sql).filter_map(|word| dimension(&word.to_lowercase()).ok());
        // Outcomes and times are named for other reasons, too.
        let by = named.filter(|dimension| !is_of_outcomes(dimension.name));
        Judged { by: by.collect(), ..Judged::default() }
    }

    fn dimensions(&self) -> Vec<(&'static Dimension, Told)> {
        let filtered = self
            .filtered
            .iter()
            .map(|(of, is_without)| (*of, if *is_without { Told::Unnamed } else { Told::Named }));
        self.by.iter().map(|of| (*of, Told::Apart)).chain(filtered).collect()
    }

    /// What a metric is, in SQL, where it can be known; null elsewhere.
    pub(crate) fn where_known(&self, metric: &Metric, sql: String) -> String {
        if self.is_asked && !self.is_plain(metric) {
            return format!("case when ${IS_KNOWN}{} then {sql} end", metric.name);
        }
        sql
    }

    /// Whether all can be known, whatever is logged.
    fn is_plain(&self, metric: &Metric) -> bool {
        let has_need = |(of, _): &(&Dimension, Told)| {
            is_of_outcomes(of.name) || Need::of_dimension(of.name).is_some()
        };
        let is_share = metric.of.is_some();
        !is_share && Need::of_metric(metric).is_empty() && !self.dimensions().iter().any(has_need)
    }

    /// Whether MTAs are told apart.
    fn is_by_host(&self) -> bool {
        !self.hosts.is_empty() || self.by.iter().any(|of| of.name == "host")
    }

    /// Whether what `host` wrote is asked for.
    fn has_host(&self, host: &str) -> bool {
        self.hosts.iter().all(|values| values.iter().any(|value| is_like(host, value)))
    }
}

impl Session {
    /// What of `metric` is not known.
    pub(crate) fn verdict(&self, metric: &Metric, judged: &Judged) -> Result<Verdict> {
        Ok(self.verdicts_of(&[metric], judged)?.pop().unwrap_or_default())
    }

    /// What of each of `metrics` is not known: what they all need is counted in one go.
    fn verdicts_of(&self, metrics: &[&Metric], judged: &Judged) -> Result<Vec<Verdict>> {
        // What is plain is known, so nothing is looked up for it.
        let looked_at: Vec<Option<&Metric>> =
            metrics.iter().map(|metric| (!judged.is_plain(metric)).then_some(*metric)).collect();
        let asked: Vec<&Metric> = looked_at.iter().copied().flatten().collect();
        let written = self.written_of(&asked, judged)?;
        let absent = self.absent(&asked, judged.is_by_host());
        let verdict = |metric| Verdict::of(metric, judged, &written, &absent);
        Ok(looked_at.into_iter().map(|metric| metric.map(verdict).unwrap_or_default()).collect())
    }

    /// What there is of all that `metrics` need, and the dimensions of the question.
    fn written_of(&self, metrics: &[&Metric], judged: &Judged) -> Result<Rc<Vec<Written>>> {
        let of_metrics = metrics.iter().flat_map(|metric| Need::of_metric(metric));
        let of_dimensions = judged.dimensions();
        let of_dimensions = of_dimensions.iter().filter_map(|(of, _)| Need::of_dimension(of.name));
        let needs = distinct(of_metrics.map(|(_, need)| need).chain(of_dimensions));
        if metrics.is_empty() || needs.is_empty() {
            return Ok(Rc::default());
        }
        let mut hosts = Selection::default();
        judged.hosts.iter().for_each(|values| hosts.filter("host", values.clone()));
        let key = format!("{:?} {:?}", needs.iter().map(|n| n.sql).collect::<Vec<_>>(), hosts);
        if let Some(known) = self.written.borrow().get(&key) {
            return Ok(known.clone());
        }
        let written = Rc::new(self.written(&needs, &hosts)?);
        self.written.borrow_mut().insert(key, written.clone());
        Ok(written)
    }

    /// What of `metrics` is not known, of all records or in a group by a value of one of `by`, and why.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when a part cannot be read.
    pub fn unknown<'m>(
        &self,
        metrics: impl IntoIterator<Item = &'m Metric>,
        by: &[&'static Dimension],
        selection: &Selection,
    ) -> Result<Vec<Lack>> {
        let judged = Judged::new(by.iter().copied(), selection);
        let metrics: Vec<&Metric> = metrics.into_iter().collect();
        let verdicts = self.verdicts_of(&metrics, &judged)?;
        let lacks = verdicts.iter().flat_map(|verdict| verdict.of_values().cloned());
        Ok(merged(lacks.collect()))
    }

    /// What is not known of any metric by any dimension, since it is not logged.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when a part cannot be read.
    pub fn unlogged(&self) -> Result<Vec<Lack>> {
        let of_dimensions = DIMENSIONS.iter().filter_map(|of| Need::of_dimension(of.name));
        let of_metrics = metrics().iter().flat_map(Need::of_metric).map(|(_, need)| need);
        let needs = distinct(of_dimensions.chain(of_metrics));
        let written = self.written(&needs, &Selection::default())?;
        // What nobody logs makes no number wrong: whoever asks for it is told then.
        let has_any = |field: &str| {
            let of_field = needs.iter().filter(|need| need.field == field);
            let mut counts = of_field.flat_map(|need| {
                written
                    .iter()
                    .flat_map(|place| place.has.iter())
                    .filter(|((sql, _), _)| *sql == need.sql)
            });
            counts.any(|(_, n)| *n > 0)
        };
        let is_told =
            |lack: &&Lack| !lack.is_never && (lack.by.is_none() || lack.field.is_some_and(has_any));
        let absent = self.absent(&metrics().iter().collect::<Vec<_>>(), false);
        let mut lacks = Vec::new();
        for metric in metrics() {
            let apart = DIMENSIONS.iter().map(|of| Judged::new([of], &Selection::default()));
            for judged in apart.chain([Judged::default()]) {
                let verdict = Verdict::of(metric, &judged, &written, &absent);
                lacks.extend(verdict.of_values().filter(is_told).cloned());
            }
        }
        Ok(merged(lacks))
    }

    /// What is not known of each of `metrics`, for an answer that has its groups apart.
    pub(crate) fn verdicts(
        &self,
        metrics: &[&'static Metric],
        by: impl IntoIterator<Item = &'static Dimension>,
        selection: &Selection,
    ) -> Result<Vec<Verdict>> {
        let judged = Judged::new(by, selection);
        self.verdicts_of(metrics, &judged)
    }

    /// Whether the number of `group` is known; if it is not, the reason is kept.
    pub(crate) fn knows(&self, verdict: &Verdict, group: &Group<'_>) -> bool {
        let lack = verdict.of_group(group);
        let mut lacks = self.lacks.borrow_mut();
        if let Some(lack) = lack.filter(|lack| !lacks.contains(lack)) {
            lacks.push(lack.clone());
        }
        lack.is_none()
    }

    /// Whether what the parameter `name` asks about can be known in all groups of `judged`; none when it asks
    /// for no such thing.
    pub(crate) fn is_known(&self, name: &str, judged: &Judged) -> Result<Option<bool>> {
        let Some(metric) = name.strip_prefix(IS_KNOWN).and_then(|name| metric(name).ok()) else {
            return Ok(None);
        };
        let verdict = self.verdict(metric, judged)?;
        let lack = verdict.of_values().next();
        self.lacks.borrow_mut().extend(lack.cloned());
        Ok(Some(lack.is_none()))
    }

    /// Why numbers are missing in what was asked since this was asked last.
    pub fn take_lacks(&self) -> Vec<Lack> {
        merged(self.lacks.take())
    }
}

impl Verdict {
    fn of(metric: &Metric, judged: &Judged, written: &[Written], absent: &Absent) -> Verdict {
        let mut verdict = Verdict::default();
        let is_share = metric.of.is_some();
        let counted = metric.counted();
        let is_side = |rec: &Record| matches!(rec, Record::RemoteBounce | Record::QueueDeferral);
        let mut main: BTreeSet<Record> =
            counted.iter().copied().filter(|rec| !is_side(rec)).collect();
        if main.is_empty() {
            main = counted.clone();
        }
        for (record, need) in Need::of_metric(metric) {
            for place in written {
                if lacks(place, &need, record, written).is_some() {
                    let lack = Lack::of(metric, None, Some(&need), [record]);
                    verdict.add(Groups::All, lack, Some(place.into()));
                }
            }
        }
        for types in metric.stands_on() {
            let lack = || Lack::of(metric, None, None, types.iter().copied());
            // One MTA takes the complaints about all of them.
            if types.contains(&Record::Feedback) && !judged.is_by_host() {
                if absent.is_everywhere(&types) {
                    verdict.add(Groups::All, lack(), None);
                }
                continue;
            }
            for host in absent.hosts(&types).filter(|host| judged.has_host(host)) {
                verdict.add(Groups::All, lack(), Some(Place { host, day: None }));
            }
        }
        for (of, told) in judged.dimensions() {
            if is_of_outcomes(of.name) && is_share && main.len() > 1 {
                verdict.holes.push(Hole {
                    groups: Groups::All,
                    lack: Lack::of_outcomes(metric, of),
                    places: BTreeSet::new(),
                });
                continue;
            }
            let Some(need) = Need::of_dimension(of.name) else { continue };
            let is_told_of = |rec: &Record| !judged.matched.contains(*rec);
            for place in written {
                let lacking: BTreeMap<Record, bool> = counted
                    .iter()
                    .filter(|rec| is_told_of(rec))
                    .filter_map(|rec| Some((*rec, lacks(place, &need, *rec, written)?)))
                    .collect();
                let of_main = |rec: &&Record| main.contains(rec);
                let in_main: BTreeSet<Record> = lacking.keys().filter(of_main).copied().collect();
                let is_never = lacking.values().all(|is_never| *is_never);
                let by = Some(of.name);
                if !in_main.is_empty() && !matches!(told, Told::Unnamed) {
                    let groups = match told {
                        Told::Apart => Groups::Named(of.name),
                        Told::Named | Told::Unnamed => Groups::All,
                    };
                    let lack =
                        Lack { is_never, ..Lack::of(metric, by, Some(&need), in_main.clone()) };
                    verdict.add(groups, lack, Some(place.into()));
                }
                // Without a value stand then also those who have one that is not logged.
                let there = |rec: &&Record| place.rows.get(rec).is_some_and(|rows| *rows > 0);
                let all_lack = main.iter().filter(there).all(|rec| lacking.contains_key(rec));
                let is_less = matches!(metric.definition, Definition::Less(..));
                let is_mixed = !lacking.is_empty() && (!all_lack || in_main.len() < lacking.len());
                if (is_share || is_less) && is_mixed && !matches!(told, Told::Named) {
                    let groups = match told {
                        Told::Apart => Groups::Unnamed(of.name, in_main.is_empty()),
                        Told::Named | Told::Unnamed => Groups::All,
                    };
                    let types = lacking.into_keys();
                    let lack = Lack { is_never, ..Lack::of(metric, by, Some(&need), types) };
                    verdict.add(groups, lack, Some(place.into()));
                }
            }
        }
        verdict
    }

    /// Adds that something is not there, at a place or at all.
    fn add(&mut self, groups: Groups, lack: Lack, place: Option<Place<'_>>) {
        let same = self.holes.iter_mut().position(|hole| {
            hole.groups == groups
                && hole.lack.by == lack.by
                && hole.lack.records == lack.records
                && hole.lack.field == lack.field
        });
        let at = same.unwrap_or_else(|| {
            let is_unnamed = matches!(groups, Groups::Unnamed(..));
            let lack = Lack { is_of_groups: groups != Groups::All, is_unnamed, ..lack };
            self.holes.push(Hole { groups, lack, places: BTreeSet::new() });
            self.holes.len() - 1
        });
        let (hole, Some(Place { host, day })) = (&mut self.holes[at], place) else { return };
        hole.places.insert((host.to_owned(), day));
        if !hole.lack.hosts.iter().any(|known| known == host) {
            hole.lack.hosts.push(host.to_owned());
            hole.lack.hosts.sort();
        }
        if let Some(day) = day {
            let (first, last) = hole.lack.days.unwrap_or((day, day));
            hole.lack.days = Some((first.min(day), last.max(day)));
        }
    }

    /// Why the number of `group` is not known; none when it is.
    pub(crate) fn of_group(&self, group: &Group<'_>) -> Option<&Lack> {
        let is_met = |hole: &&Hole| {
            let label = |of: &str| group.labels.iter().find(|(name, _)| *name == of);
            let is_in = match hole.groups {
                Groups::All => true,
                Groups::Named(of) => label(of).is_some_and(|(_, label)| *label != Label::Unnamed),
                Groups::Unnamed(of, is_side) => label(of).is_some_and(|(_, label)| {
                    *label == Label::Unnamed || *label == Label::Mixed && !is_side
                }),
            };
            let is_from = |(host, day): &(String, Option<Day>)| {
                let is_in = |(first, last)| day.is_none_or(|day| first <= day && day <= last);
                group.host.is_none_or(|of| of == host) && group.days.is_none_or(is_in)
            };
            is_in && (hole.places.is_empty() || hole.places.iter().any(is_from))
        };
        self.holes.iter().find(is_met).map(|hole| &hole.lack)
    }

    /// Whether all of it is known.
    pub(crate) fn is_whole(&self) -> bool {
        self.holes.is_empty()
    }

    /// Why not all groups that have a value are known.
    pub(crate) fn of_values(&self) -> impl Iterator<Item = &Lack> {
        let holes = self.holes.iter().filter(|hole| !matches!(hole.groups, Groups::Unnamed(..)));
        holes.map(|hole| &hole.lack)
    }
}

/// Whether `text` is what `pattern` says, in which `*` stands for any text.
fn is_like(text: &str, pattern: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return text == pattern };
    let Some(rest) = text.strip_prefix(head) else { return false };
    (0..=rest.len()).any(|at| rest.is_char_boundary(at) && is_like(&rest[at..], tail))
}

fn distinct(needs: impl Iterator<Item = Need>) -> Vec<Need> {
    let mut needs: Vec<Need> = needs.collect();
    needs.sort_by_key(|need| need.sql);
    needs.dedup_by_key(|need| need.sql);
    needs
}

/// Whether the records of a type at `place` lack what is needed: never have it, or do not log it.
fn lacks(place: &Written, need: &Need, record: Record, all: &[Written]) -> Option<bool> {
    let (rows, has) = place.of(need, record);
    if rows == 0 {
        return None;
    }
    let is_lacking = match need.who {
        Who::Each(types) if types.contains(record) => (rows - has) * 20 > rows,
        _ if has > 0 => false,
        Who::Any if !need.records.contains(record) => return Some(true),
        Who::Any => {
            let others = place.rows.keys().filter(|other| **other != record);
            let (rows_of_others, has_of_others) = others
                .map(|other| place.of(need, *other))
                .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
            // A few may have none by nature: who found no route reached nobody.
            has_of_others == 0 || is_no_chance(9 * has_of_others, 10 * rows_of_others, rows)
        }
        Who::SomeOf => {
            let of = all.iter().map(|place| place.of(need, record));
            let (rows_of_all, has_of_all) = of.fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
            has_of_all == 0 || is_no_chance(has_of_all, rows_of_all - rows, rows)
        }
        Who::Some | Who::Each(_) if !need.records.contains(record) => return Some(true),
        Who::Some | Who::Each(_) => {
            const PEERS: [Record; 4] =
                [Record::Delivery, Record::Bounce, Record::Deferral, Record::Reception];
            PEERS.iter().any(|peer| {
                let (rows_of_peer, has_of_peer) = place.of(need, *peer);
                is_no_chance(has_of_peer, rows_of_peer, rows)
            })
        }
    };
    is_lacking.then_some(false)
}

/// Whether `rows` records without what `has` of others have is less likely than one in a thousand.
fn is_no_chance(has: u64, others: u64, rows: u64) -> bool {
    let share = has as f64 / others.max(1) as f64;
    share > 0.0 && (1.0 - share.min(0.999)).ln() * (rows as f64) < -6.9
}
