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
        // Few are queued after they were logged: of these alone the engine adds a minute, which takes long.
        let sql = "select coalesce(host, ''), rec, count(*), epoch_us(min(time_logged)) // 1000000,
             epoch_us(max(time_logged)) // 1000000,
             count(case when time_queued > time_logged and time_queued > time_logged + interval 1 minute then 1 end)
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
        let last_hour = presence.last_hour();
        self.look_for(&all, &last_hour, &mut presence)?;
        let empty = self.empty_columns();
        let is_missed = |of: &&Column| {
            let lacks = |host: &&str| !presence.has(host, of.name);
            !empty.contains(of.name) && presence.hosts().iter().any(lacks)
        };
        let missed: Vec<&Column> = fields().filter(is_missed).collect();
        if !missed.is_empty() {
            self.look_for(&missed, "true", &mut presence)?;
        }
        Ok(presence)
    }

    /// The columns of which no part has a value. What is wrong with a part the engine says, which reads all
    /// columns of one that does not say.
    fn empty_columns(&self) -> BTreeSet<String> {
        let window = self.window.get();
        let parts = self.opened[0].parts().filter(|part| part.meets(window));
        let of_parts = parts.map(|part| part.empty_columns().unwrap_or_default());
        of_parts.reduce(|all, of_part| &all & &of_part).unwrap_or_default()
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
    pub fn balance(&self, presence: &Presence, before: Timestamp) -> Result<Vec<Balance>> {
        let received = presence.logged.iter().filter(|logged| logged.record == Record::Reception);
        let received: Vec<&Logged> = received.filter(|logged| !logged.host.is_empty()).collect();
        if received.is_empty() {
            return Ok(Vec::new());
        }
        let of_host = received.iter().map(|logged| {
            let (began, rows) = (logged.times.0.micros(), logged.rows);
            format!("(?, make_timestamp({began}), {rows})")
        });
        let sql = format!(
            "with received(host, began, received) as (values {of_host}),
            since as (
                select host, count(*) as received_since from stored
                where rec = 'r' and time_logged >= make_timestamp({before}) group by host
            ),
            finished as (
                select host, count(*) as finished,
                    count(case when time_queued < make_timestamp({before}) then 1 end) as finished_before
                from stored join received using (host)
                where (rec = 'd' or rec = 'b') and time_queued >= began group by host
            )
            select host, received::ubigint, coalesce(finished, 0)::ubigint,
                (received - coalesce(received_since, 0))::ubigint, coalesce(finished_before, 0)::ubigint
            from received left join since using (host) left join finished using (host)
            order by host",
            of_host = of_host.collect::<Vec<_>>().join(", "),
            before = before.micros(),
        );
        self.ask(|engine| {
            let mut statement = engine.prepare(&sql)?;
            let hosts = received.iter().map(|logged| logged.host.as_str());
            let rows = statement.query_map(duckdb::params_from_iter(hosts), |row| {
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
    pub fn overlaps(&self, presence: &Presence) -> Result<Vec<Overlap>> {
        let sql = "with recent as (
                select host, source, rec, time_logged, rcpt, count(*) as n from stored
                where rcpt is not null and LAST_HOUR
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
        let sql = sql.replace("LAST_HOUR", &presence.last_hour());
        self.ask(|engine| {
            let mut statement = engine.prepare(&sql)?;
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
    pub fn other_fields(&self, presence: &Presence) -> Result<Vec<OtherField>> {
        let last_hour = presence.last_hour();
        let sql = format!(
            "with last as (select * from stored where {last_hour})
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
    /// The condition that a record is of the last hour: who logs a field, or logs twice, does so all the time.
    fn last_hour(&self) -> String {
        format!("time_logged > make_timestamp({}) - interval 1 hour", self.newest().micros())
    }

    /// The moment of the latest record; 1970 where there is none.
    pub fn newest(&self) -> Timestamp {
        self.logged.iter().map(|logged| logged.times.1).max().unwrap_or_default()
    }

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
