//! What the records of a session have, by MTA, day and record type. Counts, and judges nothing.

use std::collections::BTreeMap;

use pmtaq_schema::Record;
use pmtaq_schema::time::{DAY_S, Day};

use crate::error::Result;
use crate::hours::HOURS_VIEW;
use crate::need::Need;
use crate::query::{OverHours, Query};
use crate::selection::Selection;
use crate::session::Session;
use crate::written::Written;

impl Session {
    /// What each MTA wrote on each day, of all records that `hosts` lets through, which speaks of
    /// nothing but MTAs.
    pub(crate) fn written(&self, needs: &[Need], hosts: &Selection) -> Result<Vec<Written>> {
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
        let statement = |table: &str, time: &str, one: &str, over_hours: bool| {
            let columns = needs.iter().enumerate().map(|(n, need)| counts(need, n, over_hours));
            let columns: String = columns.collect();
            format!(
                "select coalesce(host, '') as host, rec, epoch(date_trunc('day', {time}))::bigint as day, \
                 sum({one})::bigint as n{columns} from {table} where {condition} group by all"
            )
        };
        query.sql = statement("stored", "time_logged", "1", false);
        let hours_tell = needs.iter().all(|need| need.hours.is_some());
        query.over_hours = hours_tell.then(|| {
            let sql = statement(HOURS_VIEW, "hour", "records", true);
            OverHours { sql, is_local: false }
        });
        let answer = self.answer(&query)?;
        let counts = (0..needs.len()).map(|n| answer.i64s(&format!("n{n}")));
        let counts = counts.collect::<Result<Vec<_>>>()?;
        let (recs, days, rows) = (answer.texts("rec")?, answer.i64s("day")?, answer.i64s("n")?);
        let mut all: BTreeMap<(String, i64), Written> = BTreeMap::new();
        for (row, host) in answer.texts("host")?.into_iter().enumerate() {
            let rec = recs[row].as_deref().and_then(|rec| Record::parse(rec.as_bytes()));
            let (Some(host), Some(rec), Some(day)) = (host, rec, days[row]) else { continue };
            let day = day.div_euclid(DAY_S);
            let number = |n: Option<i64>| n.unwrap_or(0).unsigned_abs();
            let written = all.entry((host.clone(), day)).or_insert_with(|| Written {
                host,
                day: Day(day),
                ..Written::default()
            });
            written.rows.insert(rec, number(rows[row]));
            for (need, counts) in needs.iter().zip(&counts) {
                written.has.insert((need.sql, rec), number(counts[row]));
            }
        }
        Ok(all.into_values().collect())
    }
}
