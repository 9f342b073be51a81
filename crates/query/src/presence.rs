//! What the records of a session hold: which types and fields each MTA writes, whether its clock
//! went back, whether all that came in went out. Counts only; judges nothing.

use std::collections::{BTreeMap, BTreeSet};

use pmtaq_schema::{COLUMNS, Column, Kind, Record, Timestamp};

use crate::error::Result;
use crate::session::Session;

/// What one MTA wrote of one record type.
#[derive(Clone, Debug)]
pub struct Logged {
    /// The MTA.
    pub host: String,
    /// The record type.
    pub record: Record,
    /// How many records.
    pub rows: u64,
    /// The earliest and the latest of them.
    pub times: (Timestamp, Timestamp),
    /// Records logged a minute or more before they were queued: a clock went back.
    pub backwards: u64,
}

/// What the records of a session hold.
#[derive(Clone, Debug, Default)]
pub struct Presence {
    /// By MTA, then by record type.
    pub logged: Vec<Logged>,
    /// By MTA, the fields that PMTA may write and that some record has, by the names of their columns.
    fields: BTreeMap<String, BTreeSet<&'static str>>,
}

/// What came in and what went out, of one MTA that logs receptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The MTA.
    pub host: String,
    /// Recipients received.
    pub received: u64,
    /// Recipients delivered or bounced that were queued since the first reception.
    pub finished: u64,
    /// Of the received, those that came in before the moment asked for.
    pub received_before: u64,
    /// Of the finished, those that were queued before it.
    pub finished_before: u64,
}

/// A field of records that no column takes, or that of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherField {
    /// The MTA.
    pub host: String,
    /// The record type.
    pub record: Record,
    /// PMTA's name of it.
    pub name: String,
}

/// Two files that hold the same records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The names of the files.
    pub sources: (String, String),
    /// Records that both have.
    pub records: u64,
}

/// Who logs a field, or logs twice, does so all the time.
const LAST_HOUR: &str = "time_logged > (select max(time_logged) - interval 1 hour from stored)";

/// The columns that hold a field of PMTA.
fn fields() -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().filter(|column| !column.is_derived() && column.kind != Kind::Map)
}

impl Session {
    /// Tells what the records hold.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when a part cannot be read.
    pub fn presence(&self) -> Result<Presence> {
        let sql = "select coalesce(host, ''), rec, count(*), epoch_us(min(time_logged)) // 1000000,
             epoch_us(max(time_logged)) // 1000000,
             count(*) filter (time_logged + interval 1 minute < time_queued)
             from stored group by all order by all";
        let mut presence = self.ask(|engine| {
            let mut statement = engine.prepare(sql)?;
            let mut rows = statement.query([])?;
            let mut presence = Presence::default();
            while let Some(row) = rows.next()? {
                let record: String = row.get(1)?;
                let Some(record) = Record::parse(record.as_bytes()) else { continue };
                presence.logged.push(Logged {
                    host: row.get(0)?,
                    record,
                    rows: row.get(2)?,
                    times: (Timestamp(row.get(3)?), Timestamp(row.get(4)?)),
                    backwards: row.get(5)?,
                });
            }
            presence.logged.sort_by(|a, b| (&a.host, a.record).cmp(&(&b.host, b.record)));
            Ok(presence)
        })?;
        // The last hour has nearly all that there is. What an MTA has not there it most likely never
        // has, and a column without values is soon read.
        let all: Vec<&Column> = fields().collect();
        self.look_for(&all, LAST_HOUR, &mut presence)?;
        let is_missed =
            |of: &&Column| presence.hosts().iter().any(|host| !presence.has(host, of.name));
        let missed: Vec<&Column> = fields().filter(is_missed).collect();
        self.look_for(&missed, "true", &mut presence)?;
        Ok(presence)
    }

    /// Adds those of `columns` that records have for which the condition `when` holds.
    fn look_for(
        &self,
        columns: &[&'static Column],
        when: &str,
        presence: &mut Presence,
    ) -> Result<()> {
        let has = columns.iter().map(|column| format!(", count({}) > 0", column.name));
        let has = has.collect::<String>();
        let sql = format!("select coalesce(host, ''){has} from stored where {when} group by all");
        self.ask(|engine| {
            let mut statement = engine.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let fields = presence.fields.entry(row.get(0)?).or_default();
                for (at, column) in columns.iter().enumerate() {
                    if row.get(1 + at)? {
                        fields.insert(column.name);
                    }
                }
            }
            Ok(())
        })
    }

    /// Weighs what came in against what went out, of each MTA that logs receptions; `before` is
    /// the moment before which all must have gone out.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when a part cannot be read.
    pub fn balance(&self, before: Timestamp) -> Result<Vec<Balance>> {
        let sql = format!(
            "with began as (
                select host, min(time_logged) as began from stored where rec = 'r' group by host
            )
            select coalesce(host, ''),
                count(*) filter (rec = 'r'),
                count(*) filter (rec <> 'r' and time_queued >= began),
                count(*) filter (rec = 'r' and time_logged < make_timestamp({before})),
                count(*) filter (
                    rec <> 'r' and time_queued >= began and time_queued < make_timestamp({before})
                )
            from stored join began using (host)
            where (rec in ('r', 'd', 'b')) is true
            group by host order by host",
            before = before.micros()
        );
        self.ask(|engine| {
            let mut statement = engine.prepare(&sql)?;
            let rows = statement.query_map([], |row| {
                Ok(Balance {
                    host: row.get(0)?,
                    received: row.get(1)?,
                    finished: row.get(2)?,
                    received_before: row.get(3)?,
                    finished_before: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<std::result::Result<_, _>>()?)
        })
    }

    /// Files of one MTA of which one has at least half of its records in common with the other, those
    /// with most first. Looks at the last hour of records: who logs twice does so all the time.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when a part cannot be read.
    pub fn overlaps(&self) -> Result<Vec<Overlap>> {
        let sql = "with recent as (
                select host, source, rec, time_logged, rcpt, count(*) as n from stored
                where rcpt is not null
                    and time_logged > (select max(time_logged) - interval 1 hour from stored)
                group by all
            ),
            sizes as (select host, source, sum(n) as n from recent group by all),
            pairs as (
                select host, a.source as one, b.source as other, sum(least(a.n, b.n)) as n
                from recent a join recent b using (host, rec, time_logged, rcpt)
                where a.source < b.source group by all
            )
            select one, other, pairs.n::ubigint from pairs
            join sizes a on a.host = pairs.host and a.source = one
            join sizes b on b.host = pairs.host and b.source = other
            where pairs.n * 2 >= least(a.n, b.n) order by all desc";
        self.ask(|engine| {
            let mut statement = engine.prepare(sql)?;
            let rows = statement.query_map([], |row| {
                Ok(Overlap { sources: (row.get(0)?, row.get(1)?), records: row.get(2)? })
            })?;
            Ok(rows.collect::<std::result::Result<_, _>>()?)
        })
    }

    /// The fields of the last hour of records that no column takes, and the header that one does, by MTA, type
    /// and name.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when a part cannot be read.
    pub fn other_fields(&self) -> Result<Vec<OtherField>> {
        let sql = format!(
            "with last as (select * from stored where {LAST_HOUR})
            select distinct coalesce(host, '') as host, rec, name from (
                select host, rec, unnest(map_keys(extra)) as name from last
                union all select host, rec, 'header_Message-Id' from last where message_id is not null
            ) order by all"
        );
        self.ask(|engine| {
            let mut statement = engine.prepare(&sql)?;
            let rows = statement
                .query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)))?;
            let mut fields = Vec::new();
            for row in rows {
                let (host, record, name) = row?;
                fields.extend(Record::parse(record.as_bytes()).map(|record| OtherField {
                    host,
                    record,
                    name,
                }));
            }
            Ok(fields)
        })
    }

    /// Refused lines by their reason and field, the most frequent first.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when a part cannot be read.
    pub fn rejects(&self) -> Result<Vec<(String, u64)>> {
        let sql = "select concat_ws(': ', field, reason) as why, count(*) from rejects
            group by why order by count(*) desc, why";
        self.ask(|engine| {
            let mut statement = engine.prepare(sql)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<std::result::Result<_, _>>()?)
        })
    }
}

impl Presence {
    /// The MTAs, by name.
    pub fn hosts(&self) -> Vec<&str> {
        let mut hosts: Vec<&str> = self.logged.iter().map(|logged| logged.host.as_str()).collect();
        hosts.dedup();
        hosts
    }

    /// Whether some record of `host` has a field, by the name of its column.
    pub fn has(&self, host: &str, field: &str) -> bool {
        self.fields.get(host).is_some_and(|fields| fields.contains(field))
    }

    /// What `host` wrote, by record type.
    pub fn of<'p>(&'p self, host: &'p str) -> impl Iterator<Item = &'p Logged> {
        self.logged.iter().filter(move |logged| logged.host == host)
    }
}
