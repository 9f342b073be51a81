//! The deliveries of what came back, for the view `returns`: complaints and asynchronous bounces are few, and of all
//! deliveries nothing but the key is read to find theirs. The engine would read all that is asked of a delivery before it
//! knows that its key is none of these. The view says what is done with them.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, TimeUnit};
use arrow::error::ArrowError;
use pmtaq_schema::{Record, Window};
use pmtaq_store::{PartFooter, SnapshotPart};

use crate::error::{Error, Result};
use crate::hashes::{Hashes, mixed};
use crate::keys::each_key;
use crate::lex::words;
use crate::scope::within;
use crate::session::Session;
use crate::stored::stored;

/// The table that has them.
const TABLE: &str = "matched_deliveries";

/// How the view says which deliveries are asked for, and how it finds those with the key of what came back.
const DELIVERED: &str = "delivered as not materialized (";
const IS_ASKED: [&str; 2] = ["select *, ", " as is_asked from stored_as_ingested where rec = 'd'"];
const BY_KEY: &str = "by_key as (";
const JOINED: &str = "from came join delivered d using (message_key)";

/// What a delivery adds, beside its key and its time.
const ADDED: [&str; 7] =
    ["provider", "sender_domain", "vmta", "vmta_pool", "job_id", "queue", "dlv_source_ip"];

/// What comes back.
const CAME: [Record; 2] = [Record::RemoteBounce, Record::Feedback];

/// About the bytes of a delivery while it is read.
const DELIVERY_BYTES: u64 = 250;

impl Session {
    /// `sql`, which reads the records here, over the table where it asks `returns` and no more of a delivery than its
    /// time: then the table is there.
    ///
    /// # Errors
    /// As for [`Session::answer`].
    pub(crate) fn over_matched<'q>(&self, sql: &'q str) -> Result<Cow<'q, str>> {
        let window = self.window.get();
        let Some((over, columns)) = over_matched(sql, window).filter(|_| self.has_keys()) else {
            return Ok(sql.into());
        };
        Ok(if self.match_deliveries(window, columns)? { over.into() } else { sql.into() })
    }

    /// Sees to it that the table has the deliveries of `window` with these columns; whether it has. What is wrong with
    /// a part the engine says best.
    fn match_deliveries(&self, window: Window, columns: Vec<&'static str>) -> Result<bool> {
        let has = |(of, known): &(Window, Vec<&str>)| {
            let is_within = of.since <= window.since && window.until <= of.until;
            is_within && columns.iter().all(|column| known.contains(column))
        };
        if self.matched.borrow().as_ref().is_some_and(has) {
            return Ok(true);
        }
        let Some(found) = self.deliveries_of_returns(window, &columns)? else { return Ok(false) };
        let names = columns.iter().map(|name| format!(", {name} varchar"));
        let create = format!(
            "create or replace temp table {TABLE} (message_key ubigint, time_logged timestamp{})",
            names.collect::<String>()
        );
        self.engine().execute_batch(&create)?;
        if let Some(first) = found.first() {
            let all = concat_batches(&first.schema(), &found);
            stored(self.engine(), TABLE, &all.map_err(|error| Error::Sql(error.to_string()))?)?;
        }
        self.matched.replace(Some((window, columns)));
        Ok(true)
    }

    /// The deliveries in `window`, and perhaps others, of the messages that came back in it; none where a part cannot be
    /// read, or too much came back to be held in memory.
    fn deliveries_of_returns(
        &self,
        window: Window,
        columns: &[&str],
    ) -> Result<Option<Vec<RecordBatch>>> {
        let records = &self.opened[0];
        let parts: Vec<&SnapshotPart> = records.parts().filter(|part| part.meets(window)).collect();
        let Some(footers) = records.footers(&parts)? else { return Ok(None) };
        let groups_with = |types: &[Record]| -> Vec<(&PartFooter, usize)> {
            let of_part = |footer| move |group| (footer, group);
            let groups = footers.iter().map(|footer| (footer, footer.groups_with(window, types)));
            groups.flat_map(|(footer, groups)| groups.into_iter().map(of_part(footer))).collect()
        };
        let keys = self.of_each(&groups_with(&CAME), |(footer, group)| {
            let mut keys = Vec::new();
            each_key(footer, *group, &CAME, |_, key| keys.push(key))?;
            Some(keys)
        })?;
        let Some(keys) = keys else { return Ok(None) };
        let n: usize = keys.iter().map(Vec::len).sum();
        if n as u64 > self.limits.room_beside(DELIVERY_BYTES) {
            return Ok(None);
        }
        let keys: Hashes = keys.into_iter().flatten().map(mixed).collect();
        // Without any no delivery is looked at.
        let groups = if keys.is_empty() { vec![] } else { groups_with(&[Record::Delivery]) };
        let found =
            self.of_each(&groups, |(footer, group)| deliveries_of(footer, *group, &keys, columns))?;
        Ok(found.map(|found| found.into_iter().flatten().collect()))
    }
}

/// The statement over the table in place of deliveries, and the columns that it reads of them; none where it does not ask
/// `returns`, or asks for deliveries by more than their time. The table may have deliveries of other times than `window`.
fn over_matched(sql: &str, window: Window) -> Option<(String, Vec<&'static str>)> {
    // Each statement has the view, and few ask it.
    words(sql).filter(|word| *word == "returns").nth(1)?;
    let (_, delivered) = sql.split_once(DELIVERED)?;
    let (_, is_asked) = delivered.split_once(IS_ASKED[0])?;
    let (is_asked, _) = is_asked.split_once(IS_ASKED[1])?;
    let (_, by_key) = sql.split_once(BY_KEY)?;
    let (by_key, _) = by_key.split_once(JOINED)?;
    let is_known = |word: &str| {
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        is_number || ["time_logged", "make_timestamp", "and", "or", "true"].contains(&word)
    };
    let is_of_times = words(is_asked).all(is_known) && !is_asked.contains(['$', '\'', '"']);
    let columns = ADDED.into_iter().filter(|column| by_key.contains(&format!("d.{column}")));
    let within = within("time_logged", window);
    let joined = format!(
        "from came join (select *, {is_asked} as is_asked from {TABLE} where {within}) d using (message_key)"
    );
    is_of_times.then(|| (sql.replace(JOINED, &joined), columns.collect()))
}

/// The deliveries of a row group with one of some keys, which are mixed: key, time and these columns.
fn deliveries_of(
    footer: &PartFooter,
    group: usize,
    keys: &Hashes,
    columns: &[&str],
) -> Option<Vec<RecordBatch>> {
    let mut found: (Vec<usize>, Vec<u64>) = Default::default();
    each_key(footer, group, &[Record::Delivery], |row, key| {
        if keys.contain(mixed(key)) {
            found.0.push(row);
            found.1.push(key);
        }
    })?;
    let (rows, keys) = found;
    if rows.is_empty() {
        return Some(vec![]);
    }
    let is_read = |column: &Field| {
        let name = column.name().as_str();
        name == "time_logged" || columns.contains(&name)
    };
    let mut left = &keys[..];
    let mut batches = Vec::new();
    for batch in footer.rows(group, &rows, is_read).ok()? {
        let batch = batch.ok()?;
        let (keys, others) = left.split_at_checked(batch.num_rows())?;
        batches.push(in_order(&batch, keys, columns).ok()?);
        left = others;
    }
    left.is_empty().then_some(batches)
}

/// The columns of the table in their order and of its types.
fn in_order(
    batch: &RecordBatch,
    keys: &[u64],
    columns: &[&str],
) -> std::result::Result<RecordBatch, ArrowError> {
    let time = DataType::Timestamp(TimeUnit::Microsecond, None);
    let key: ArrayRef = Arc::new(UInt64Array::from_iter_values(keys.iter().copied()));
    let time = cast(&batch["time_logged"], &time)?;
    let mut named = vec![("message_key", key, false), ("time_logged", time, true)];
    for name in columns {
        named.push((name, cast(&batch[*name], &DataType::Utf8)?, true));
    }
    RecordBatch::try_from_iter_with_nullable(named)
}

#[cfg(test)]
mod tests {
    use arrow::util::pretty::pretty_format_batches;

    use super::*;
    use crate::leaves::tests::{minutes, session, snapshot};
    use crate::query::Query;
    use crate::statement::{narrowed, without_unread};

    /// The statement of `body` over those records for which `condition` holds.
    fn statement(condition: &str, body: &str) -> String {
        without_unread(narrowed(condition, body), condition, body)
    }

    #[test]
    fn what_asks_returns_by_no_more_than_times_reads_the_table() {
        let window = minutes(0, 10);
        let over = |condition: &str, body: &str| over_matched(&statement(condition, body), window);
        let (sql, columns) = over("true", "select job_id from returns").expect("a statement");
        assert_eq!(columns, ["job_id"]);
        assert!(sql.contains(TABLE) && sql.matches("stored_as_ingested").count() > 1, "{sql}");
        let between = "time_logged >= make_timestamp(0) and time_logged < make_timestamp(1)";
        let (_, columns) = over(between, "select vmta, queue from returns").expect("a statement");
        assert_eq!(columns, ["vmta", "job_id", "queue"]);
        let all = over("true", "select * from returns").expect("a statement");
        assert_eq!(all.1, ADDED);
        for (condition, body) in [
            ("true", "select * from records"),
            ("vmta = $f0", "select * from returns"),
            ("time_logged < $f0", "select * from returns"),
            ("mailbox_dead = 'yes'", "select * from returns"),
            ("time_logged = 'now'", "select * from returns"),
        ] {
            assert_eq!(over(condition, body), None, "{condition}, {body}");
        }
    }

    #[test]
    fn what_came_back_is_the_same_by_the_table_and_by_the_engine() {
        let dir = tempfile::tempdir().expect("a folder");
        let snapshot = snapshot(dir.path());
        let mut session = session(&snapshot);
        let told = |session: &Session, condition: &str, body: &str| {
            let query = Query { sql: statement(condition, body), ..Query::default() };
            let rows = session.answer(&query).expect("an answer").rows().clone();
            (rows.num_rows(), pretty_format_batches(&[rows]).expect("texts").to_string())
        };
        let few = "select job_id, count(*) as n, count(delivered_at) as matched from returns group by all order by all";
        // Of two deliveries of one moment the job and the VirtualMTA say which one is taken, and nothing else.
        let all = "select rec, time_logged, rcpt, env_id, job_id, vmta, delivered_at from returns order by all";
        for (window, more) in [(minutes(-1000, 1000), false), (minutes(30, 90), true)] {
            session.turn_to(&snapshot, window).expect("a window");
            for body in [few, all] {
                let (n, by_table) = told(&session, "true", body);
                assert!(session.matched.borrow().is_some());
                assert!(n > 1, "{by_table}");
                assert_eq!((n, by_table), told(&session, "rec is not null", body));
            }
            let of = session.matched.borrow().as_ref().map(|(of, _)| *of);
            assert_eq!(of != Some(window), more, "what is there is not looked for again");
        }
        let matched =
            told(&session, "true", "select 1 from returns where delivered_at is not null");
        assert!(matched.0 > 5, "{}", matched.1);
        session.matched.take();
        session.limits.memory_bytes = 100_000;
        let query = "select vmta, count(*) as n from returns group by all order by all";
        assert_eq!(told(&session, "true", query), told(&session, "rec is not null", query));
        assert!(session.matched.borrow().is_none(), "there is no room");
    }
}
