//! What the records of a session have, by MTA, day and record type: as their parts counted it when they
//! were written, and where these do not say, as the engine counts. Judges nothing.
//!
//! A part says it of all its records. On a day that the window cuts the engine counts, unless the part
//! says the same of any of its hours; and it counts on the days of parts of older versions, and what
//! `hourly` has of days whose records are pruned.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use pmtaq_schema::time::{DAY_S, Day};
use pmtaq_schema::{Record, Timestamp, Window};
use pmtaq_store::{Facts, Part, SnapshotPart};

use crate::error::Result;
use crate::hours::HOURS_VIEW;
use crate::need::Need;
use crate::query::{OverHours, Query, Value};
use crate::selection::Selection;
use crate::session::Session;
use crate::written::Written;

/// How the view `returns` asks whether a record has an envelope identifier.
const HAS_ID: &str = "env_id is not null as has_id";

/// By MTA and day.
type Places = BTreeMap<(String, Day), Written>;

impl Session {
    /// What each MTA wrote on each day, of all records that `hosts` lets through, which speaks of
    /// nothing but MTAs.
    pub(crate) fn written(&self, needs: &[Need], hosts: &Selection) -> Result<Vec<Written>> {
        let (mut places, unsaid) = self.said_by_parts(needs, hosts);
        let stretches = if places.is_empty() && !unsaid.is_empty() {
            vec![self.window.get()]
        } else {
            stretches(&unsaid, self.window.get())
        };
        if !stretches.is_empty() {
            self.count(needs, hosts, &stretches, &mut places)?;
        }
        Ok(places.into_values().collect())
    }

    /// What the parts say, and the days of which they do not.
    fn said_by_parts(&self, needs: &[Need], hosts: &Selection) -> (Places, BTreeSet<Day>) {
        let (mut places, window) = (Places::new(), self.window.get());
        let meets = |part: &&SnapshotPart| part.meets(window);
        let records = || self.opened[0].parts().filter(meets);
        let days: BTreeSet<Day> = records().map(|part| part.day).collect();
        let mut unsaid = self.days_without_records();
        let is_said = |part: &Part| {
            let says = |facts: &Facts| needs.iter().all(|need| facts.having(need.fact).is_some());
            part.facts.as_ref().is_some_and(says)
        };
        let is_of_all_hours = |part: &SnapshotPart| {
            is_within(&part.part, window) || self.is_the_same_all_day(part, needs)
        };
        let pattern = |(_, values): &(String, Vec<String>)| values.iter().any(|v| v.contains('*'));
        if hosts.filters.iter().any(pattern) {
            unsaid.extend(days)
        } else {
            let is_unsaid = |part: &&SnapshotPart| !is_said(&part.part) || !is_of_all_hours(part);
            unsaid.extend(records().filter(is_unsaid).map(|part| part.day))
        }
        let passes =
            |host: &str| hosts.filters.iter().all(|(_, values)| values.iter().any(|v| v == host));
        for part in records().filter(|part| !unsaid.contains(&part.day)) {
            let Some(facts) = &part.part.facts else { continue };
            for (host, rec, rows) in facts.rows().filter(|(host, ..)| passes(host)) {
                add(&mut places, host, part.day, rec, |written, rec| {
                    *written.rows.entry(rec).or_insert(0) += rows;
                });
            }
            for need in needs {
                let having = facts.having(need.fact).into_iter().flatten();
                let having = facts.rows().zip(having);
                for ((host, rec, _), n) in having.filter(|((host, ..), _)| passes(host)) {
                    add(&mut places, host, part.day, rec, |written, rec| {
                        *written.has.entry((need.sql, rec)).or_insert(0) += n;
                    });
                }
            }
        }
        (places, unsaid)
    }

    /// Whether what the records of a part have holds of any of its hours.
    fn is_the_same_all_day(&self, part: &SnapshotPart, needs: &[Need]) -> bool {
        let beside = |other: &&SnapshotPart| (other.day.0 - part.day.0).abs() == 1;
        let parts = self.opened[0].parts().filter(beside);
        let beside: Vec<&Facts> = parts.filter_map(|part| part.part.facts.as_ref()).collect();
        part.part
            .facts
            .as_ref()
            .is_some_and(|facts| needs.iter().all(|need| is_usual(facts, &beside, need.fact)))
    }

    /// The days of the window of which `hourly` is left and the records are gone.
    fn days_without_records(&self) -> BTreeSet<Day> {
        let window = self.window.get();
        let [days, of_hours] = [0, 1].map(|table: usize| {
            let parts = self.opened[table].parts().filter(|part| part.meets(window));
            parts.map(|part| part.day).collect::<BTreeSet<Day>>()
        });
        of_hours.difference(&days).copied().collect()
    }

    /// Whether any record of the window is one of which `is` holds, as the parts say it; nothing where they do
    /// not.
    pub(crate) fn said_of_any(&self, is: impl Fn(&Facts) -> Option<bool>) -> Option<bool> {
        let window = self.window.get();
        let mut is_known = self.days_without_records().is_empty();
        for part in self.opened[0].parts().filter(|part| part.meets(window)) {
            match part.part.facts.as_ref().and_then(&is) {
                Some(true) if is_within(&part.part, window) => return Some(true),
                Some(false) => {}
                Some(true) | None => is_known = false,
            }
        }
        is_known.then_some(false)
    }

    /// `sql` without the look at the envelope identifiers of what came back, where the parts say that each has one: they
    /// stand on every page, and are long.
    pub(crate) fn without_ids<'q>(&self, sql: &'q str) -> Cow<'q, str> {
        let has_ids = |part: &SnapshotPart| {
            let facts = part.part.facts.as_ref()?;
            let mut having = facts.rows().zip(facts.having("env_id")?);
            Some(having.all(|((_, rec, rows), n)| n == rows || !["rb", "f"].contains(&rec)))
        };
        let are_said = |part: &SnapshotPart| has_ids(part) == Some(true);
        if sql.contains(HAS_ID) && self.opened[0].parts().all(are_said) {
            return Cow::Owned(sql.replace(HAS_ID, "true as has_id"));
        }
        Cow::Borrowed(sql)
    }

    /// Has the engine count what there is in `stretches` of the window.
    fn count(
        &self,
        needs: &[Need],
        hosts: &Selection,
        stretches: &[Window],
        places: &mut Places,
    ) -> Result<()> {
        // Columns by number: what is asked for names fields of the records, or of the hours.
        let counts = |need: &Need, n: usize, over_hours: bool| {
            let (sql, one) = match need.hours.filter(|_| over_hours) {
                Some(hours) => (hours, "records"),
                None => (need.sql, "1"),
            };
            format!(", sum(case when {sql} is not null then {one} end)::bigint as n{n}")
        };
        let mut query = Query { as_stored: true, ..Query::default() };
        let condition = hosts.sql(&mut query)?;
        let stretches: Vec<Option<(String, String)>> = stretches
            .iter()
            .map(|stretch| {
                let mut bind = |time| format!("${}", query.bind(Value::Time(time)));
                (*stretch != self.window.get()).then(|| (bind(stretch.since), bind(stretch.until)))
            })
            .collect();
        let statement = |table: &str, time: &str, one: &str, over_hours: bool| {
            let columns = needs.iter().enumerate().map(|(n, need)| counts(need, n, over_hours));
            let columns: String = columns.collect();
            let of_stretch = |stretch: &Option<(String, String)>| {
                let lies = match stretch {
                    Some((since, until)) => format!(" and {time} >= {since} and {time} < {until}"),
                    None => String::new(),
                };
                format!(
                    "select coalesce(host, '') as host, rec, epoch(date_trunc('day', {time}))::bigint as day, \
                     sum({one})::bigint as n{columns} from {table} where {condition}{lies} group by all"
                )
            };
            // One after the other: the engine skips what lies outside of one stretch, not of several.
            stretches.iter().map(of_stretch).collect::<Vec<_>>().join(" union all ")
        };
        query.sql = statement("stored", "time_logged", "1", false);
        let hours_tell = needs.iter().all(|need| need.hours.is_some());
        query.over_hours = hours_tell.then(|| {
            let sql = statement(HOURS_VIEW, "hour", "records", true);
            OverHours { sql, ..OverHours::default() }
        });
        let answer = self.answer(&query)?;
        let counts = (0..needs.len()).map(|n| answer.i64s(&format!("n{n}")));
        let counts = counts.collect::<Result<Vec<_>>>()?;
        let (recs, days, rows) = (answer.texts("rec")?, answer.i64s("day")?, answer.i64s("n")?);
        for (row, host) in answer.texts("host")?.into_iter().enumerate() {
            let (Some(host), Some(rec), Some(day)) = (host, &recs[row], days[row]) else {
                continue;
            };
            let number = |n: Option<i64>| n.unwrap_or(0).unsigned_abs();
            add(places, &host, Day(day.div_euclid(DAY_S)), rec, |written, rec| {
                written.rows.insert(rec, number(rows[row]));
                for (need, counts) in needs.iter().zip(&counts) {
                    written.has.insert((need.sql, rec), number(counts[row]));
                }
            });
        }
        Ok(())
    }
}

/// Of one so many records that have something one may lack it by chance.
const FEW: u64 = 100;

/// Whether a fact of a day holds of any of its hours, by the days before and after: of each MTA and type all
/// have it, or none, or some as some have there, or all but few as all have there. An MTA that begins to log a
/// field at noon has it in some records of that day, in none of the day before and in all of the day after.
fn is_usual(facts: &Facts, beside: &[&Facts], fact: &str) -> bool {
    let of_some = having(facts, fact).filter(|(_, has, rows)| (1..*rows).contains(has));
    let mut of_some = of_some.map(|(place, has, rows)| {
        let same = beside.iter().flat_map(|facts| having(facts, fact));
        let same: Vec<_> = same.filter(|(other, ..)| *other == place).collect();
        let have_some = same.iter().any(|(_, has, rows)| (1..*rows).contains(has));
        let have_all = !same.is_empty() && same.iter().all(|(_, has, rows)| has == rows);
        have_some || have_all && (rows - has) * FEW <= rows
    });
    of_some.all(|is_usual| is_usual)
}

/// By MTA and type, of how many records a fact holds, and how many there are.
fn having<'f>(
    facts: &'f Facts,
    fact: &str,
) -> impl Iterator<Item = ((&'f str, &'f str), u64, u64)> {
    let having = facts.having(fact).into_iter().flatten();
    facts.rows().zip(having).map(|((host, rec, rows), has)| ((host, rec), has, rows))
}

/// Whether all records of a part are of the window.
fn is_within(part: &Part, window: Window) -> bool {
    window.since.0 <= part.since && part.until < window.until.0
}

/// Notes something of the records of a type that an MTA wrote on a day.
fn add(
    places: &mut Places,
    host: &str,
    day: Day,
    rec: &str,
    note: impl FnOnce(&mut Written, Record),
) {
    let Some(rec) = Record::parse(rec.as_bytes()) else { return };
    let host = host.to_owned();
    let written = places.entry((host.clone(), day));
    note(written.or_insert_with(|| Written { host, day, ..Written::default() }), rec);
}

/// The stretches of `window` that lie in `days`, as few as there are.
fn stretches(days: &BTreeSet<Day>, window: Window) -> Vec<Window> {
    let mut all: Vec<Window> = Vec::new();
    for day in days {
        let since = Timestamp(day.start().0.max(window.since.0));
        let until = Timestamp((day.start().0 + DAY_S).min(window.until.0));
        match all.last_mut() {
            Some(last) if last.until == since => last.until = until,
            _ => all.push(Window { since, until }),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_back_is_asked_for_its_identifier_in_one_place() {
        assert_eq!(crate::prelude::VIEWS.matches(HAS_ID).count(), 1);
    }

    #[test]
    fn a_field_that_begins_at_noon_is_told_from_one_that_a_record_lacks_by_chance() {
        let day = |has: u64, rows: u64| -> Facts {
            let text =
                format!(r#"{{"of": [["mta", "f"]], "rows": [{rows}], "has": {{"x": [{has}]}}}}"#);
            serde_json::from_str(&text).expect("facts")
        };
        let is_usual = |before: (u64, u64), of: (u64, u64), after: (u64, u64)| {
            let [before, of, after] = [before, of, after].map(|(has, rows)| day(has, rows));
            is_usual(&of, &[&before, &after], "x")
        };
        assert!(is_usual((500, 500), (500, 500), (0, 500)), "all have it");
        assert!(is_usual((0, 500), (0, 500), (500, 500)), "none has it");
        assert!(!is_usual((0, 500), (250, 500), (500, 500)), "it begins at noon");
        assert!(!is_usual((0, 500), (499, 500), (500, 500)), "it begins in the night");
        assert!(!is_usual((500, 500), (250, 500), (500, 500)), "half a day lacks it");
        assert!(is_usual((500, 500), (499, 500), (500, 500)), "one lacks it");
        assert!(is_usual((40, 500), (250, 500), (500, 500)), "some have it");
        assert!(!super::is_usual(&day(499, 500), &[], "x"), "nothing is known of other days");
    }

    #[test]
    fn days_side_by_side_are_one_stretch_and_the_window_ends_it() {
        let of = |since, until| Window { since: Timestamp(since), until: Timestamp(until) };
        let days = |days: &[i64]| days.iter().map(|day| Day(*day)).collect();
        let window = of(10, 4 * DAY_S - 10);
        assert_eq!(
            stretches(&days(&[0, 1, 3]), window),
            [of(10, 2 * DAY_S), of(3 * DAY_S, 4 * DAY_S - 10)]
        );
        assert_eq!(stretches(&days(&[0, 1, 2, 3]), window), [window]);
        assert!(stretches(&days(&[]), window).is_empty());
    }
}
