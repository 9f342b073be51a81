//! What cannot be known: the one rule over metric, dimension and what each record type has. Pivots,
//! series, reports, rules and SQL of the user all ask here; what is not logged is not zero.
//!
//! | of the records that a metric counts | a number is unknown |
//! |---|---|
//! | a type lacks a field that the metric is made of | everywhere |
//! | an MTA writes none of a type of a share | everywhere |
//! | a type lacks the field of a dimension | in every group but that of none, and there if it is a share |
//! | a dimension tells outcomes apart, and the metric is a share of several types | everywhere |
//!
//! A type lacks a field on a day of an MTA. Of fields that each record has, a twentieth may be without it;
//! of others (a job, a pool) it is judged by the other types of that MTA and day: where these have it, chance
//! must leave it out of so many in less than one of a thousand. Remote bounces and deferrals of a whole
//! queue correct a number, and do not make it: what they lack leaves them out.

use std::collections::{BTreeMap, BTreeSet};

use pmtaq_schema::time::{DAY_S, Day};
use pmtaq_schema::{Record, Timestamp, Zone};

use crate::absent::absent;
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
    /// Where: an MTA and a day; empty for everywhere.
    places: BTreeSet<(String, Day)>,
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
        Need::of_metric(metric).is_empty() && !self.dimensions().iter().any(has_need)
    }
}

impl Session {
    /// What of `metric` is not known.
    pub(crate) fn verdict(&self, metric: &Metric, judged: &Judged) -> Result<Verdict> {
        Ok(self.verdicts_of(&[metric], judged)?.pop().unwrap_or_default())
    }

    /// What of each of `metrics` is not known: what they all need is counted in one go.
    fn verdicts_of(&self, metrics: &[&Metric], judged: &Judged) -> Result<Vec<Verdict>> {
        let looked_at = metrics.iter().filter(|metric| !judged.is_plain(metric));
        let of_metrics: Vec<Need> =
            looked_at.flat_map(|metric| Need::of_metric(metric)).map(|(_, need)| need).collect();
        let verdict_by = |written: &[Written]| {
            let of = |metric: &&Metric| {
                if judged.is_plain(metric) {
                    Verdict::default()
                } else {
                    Verdict::of(metric, judged, written)
                }
            };
            metrics.iter().map(of).collect()
        };
        if metrics.iter().all(|metric| judged.is_plain(metric)) {
            return Ok(verdict_by(&[]));
        }
        let of_dimensions = judged.dimensions();
        let of_dimensions = of_dimensions.iter().filter_map(|(of, _)| Need::of_dimension(of.name));
        let needs = distinct(of_metrics.into_iter().chain(of_dimensions));
        let mut hosts = Selection::default();
        judged.hosts.iter().for_each(|values| hosts.filter("host", values.clone()));
        let key = format!("{:?} {:?}", needs.iter().map(|n| n.sql).collect::<Vec<_>>(), hosts);
        let known = self.written.borrow().get(&key).cloned();
        let written = match known {
            Some(written) => written,
            None => {
                let written = std::rc::Rc::new(self.written(&needs, &hosts)?);
                self.written.borrow_mut().insert(key, written.clone());
                written
            }
        };
        Ok(verdict_by(&written))
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
        let mut lacks = Vec::new();
        for metric in metrics() {
            let apart = DIMENSIONS.iter().map(|of| Judged::new([of], &Selection::default()));
            for judged in apart.chain([Judged::default()]) {
                let verdict = Verdict::of(metric, &judged, &written);
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
    fn of(metric: &Metric, judged: &Judged, written: &[Written]) -> Verdict {
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
                    verdict.add(
                        Groups::All,
                        metric,
                        None,
                        Some(&need),
                        &[record].into(),
                        false,
                        place,
                    );
                }
            }
        }
        for (record, place) in absent(&counted, written).into_iter().filter(|_| is_share) {
            verdict.add(Groups::All, metric, None, None, &[record].into(), false, place);
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
                    verdict.add(groups, metric, by, Some(&need), &in_main, is_never, place);
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
                    let types = lacking.keys().copied().collect();
                    verdict.add(groups, metric, by, Some(&need), &types, is_never, place);
                }
            }
        }
        verdict
    }

    #[expect(clippy::too_many_arguments, reason = "each says one thing of a hole")]
    fn add(
        &mut self,
        groups: Groups,
        metric: &Metric,
        by: Option<&'static str>,
        need: Option<&Need>,
        records: &BTreeSet<Record>,
        is_never: bool,
        place: &Written,
    ) {
        let records: Vec<Record> = records.iter().copied().collect();
        let same = self.holes.iter_mut().find(|hole| {
            hole.groups == groups
                && hole.lack.by == by
                && hole.lack.records == records
                && hole.lack.field == need.map(|need| need.field)
        });
        let hole = match same {
            Some(hole) => hole,
            None => {
                let lack = Lack {
                    by,
                    field: need.map(|need| need.field),
                    records,
                    is_never,
                    is_of_groups: groups != Groups::All,
                    is_unnamed: matches!(groups, Groups::Unnamed(..)),
                    metrics: vec![metric.name.clone()],
                    hosts: Vec::new(),
                    days: None,
                };
                self.holes.push(Hole { groups, lack, places: BTreeSet::new() });
                self.holes.last_mut().expect("one was pushed")
            }
        };
        hole.places.insert((place.host.clone(), place.day));
        if !hole.lack.hosts.contains(&place.host) {
            hole.lack.hosts.push(place.host.clone());
            hole.lack.hosts.sort();
        }
        let (first, last) = hole.lack.days.unwrap_or((place.day, place.day));
        hole.lack.days = Some((first.min(place.day), last.max(place.day)));
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
            let is_from = |(host, day): &(String, Day)| {
                group.host.is_none_or(|of| of == host)
                    && group.days.is_none_or(|(first, last)| first <= *day && *day <= last)
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
