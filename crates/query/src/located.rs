//! Where the records are that are looked for, found without the engine. A row group says which recipients it has not got,
//! and the key of a message whose it is; the engine passes over a row group by the times in it, if it is told these.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use arrow::array::AsArray;
use arrow::datatypes::{Field, TimestampMillisecondType};
use pmtaq_schema::Record;
use pmtaq_schema::message_key::recipient_key;
use pmtaq_store::layout::Table;
use pmtaq_store::{Part, PartFooter, SnapshotPart, each_name};

use crate::error::Result;
use crate::keys::each_key;
use crate::session::Session;

/// The column of Parquet that has the names of fields that no column takes.
const EXTRA_NAMES: &str = "extra.key_value.key";

/// More times than these are told as the first and the last one.
const MANY: usize = 1_000;

impl Session {
    /// The condition that a record is one of the newest of the session, which are `n` at least if there are so many.
    pub(crate) fn newest_since(&self, n: u64) -> String {
        let mut parts: Vec<&Part> = self.opened[0].parts().map(|part| &part.part).collect();
        parts.sort_unstable_by_key(|part| Reverse(part.until));
        let newest = parts.iter().scan(0, |rows, part| {
            let is_needed = *rows < n;
            *rows += part.rows;
            is_needed.then_some(part.since)
        });
        let since = newest.min().unwrap_or(0);
        format!("time_logged >= make_timestamp({})", since * 1_000_000)
    }

    /// The condition that a record was logged when one was with the key of `rcpt`, a recipient in lower case; of the parts of
    /// the session it sees those alone from now on that have such a record, if there is one. None where records are
    /// asked elsewhere, row groups do not say whom they have not got, or a part cannot be read, of which the engine says
    /// best what is wrong.
    ///
    /// # Errors
    /// [`crate::Error::Vanished`] and [`crate::Error::Elsewhere`] for a part that cannot be had;
    /// [`crate::Error::Interrupted`] and [`crate::Error::Timeout`]; [`crate::Error::Sql`] as for [`Session::narrow`].
    pub(crate) fn narrow_to_recipient(&self, rcpt: &str) -> Result<Option<String>> {
        let window = self.window.get();
        let mut parts = self.opened[0].parts().filter(|part| part.meets(window));
        // Where one does not say, all keys are read anyhow, which the engine does as fast.
        if self.elsewhere.is_some() || !parts.all(|part| part.part.has_filters) {
            return Ok(None);
        }
        let found = self.of_each(&self.parts_here()?, |(part, name)| {
            let footer = PartFooter::read(name.as_ref(), Table::Records).ok()?;
            let mut times = Vec::new();
            for group in footer.groups_with(window, &Record::ALL) {
                if footer.may_hold(group, rcpt).ok()? {
                    times.extend(times_of(&footer, group, rcpt)?);
                }
            }
            Some((*part, times))
        })?;
        let Some(mut found) = found else { return Ok(None) };
        found.retain(|(_, times)| !times.is_empty());
        let (parts, times): (Vec<&SnapshotPart>, Vec<Vec<i64>>) = found.into_iter().unzip();
        if !parts.is_empty() {
            self.narrow_to(parts)?;
        }
        Ok(Some(is_one_of(&times.into_iter().flatten().collect())))
    }

    /// Whether a record of the session may have a field that no column takes with such a name, as the dictionaries of its
    /// parts say. What is asked elsewhere may.
    ///
    /// # Errors
    /// As for [`Session::narrow_to_recipient`].
    pub(crate) fn may_have_extra(&self, is_one: impl Fn(&str) -> bool + Sync) -> Result<bool> {
        if self.elsewhere.is_some() {
            return Ok(true);
        }
        let found = self.of_each(&self.parts_here()?, |(_, name)| {
            let mut has_one = false;
            each_name(name.as_ref(), EXTRA_NAMES, |name| has_one |= is_one(name)).ok()?;
            Some(has_one)
        })?;
        Ok(found.is_none_or(|found| found.contains(&true)))
    }

    /// The parts of records in the window, fetched if they are elsewhere, and by which names they are open.
    fn parts_here(&self) -> Result<Vec<(&SnapshotPart, &str)>> {
        let (window, records) = (self.window.get(), &self.opened[0]);
        let parts: Vec<&SnapshotPart> = records.parts().filter(|part| part.meets(window)).collect();
        records.bring(&parts)?;
        let names = records.names_of(&parts);
        Ok(parts.into_iter().zip(names).collect())
    }
}

/// When the records of a row group were logged that have the key of a recipient, in milliseconds UTC; none where the part
/// cannot be read.
fn times_of(footer: &PartFooter, group: usize, rcpt: &str) -> Option<Vec<i64>> {
    let half = recipient_key(rcpt.as_bytes());
    let mut rows = Vec::new();
    each_key(footer, group, &Record::ALL, |row, key| {
        if key >> 32 == half {
            rows.push(row);
        }
    })?;
    if rows.is_empty() {
        return Some(vec![]);
    }
    let is_read = |column: &Field| column.name() == "time_logged";
    let mut times = Vec::new();
    for batch in footer.rows(group, &rows, is_read).ok()? {
        let batch = batch.ok()?;
        times.extend(batch["time_logged"].as_primitive::<TimestampMillisecondType>().values());
    }
    Some(times)
}

/// The condition that `time_logged` is one of some times in milliseconds.
fn is_one_of(times: &BTreeSet<i64>) -> String {
    let time = |millis: &i64| format!("make_timestamp({})", millis * 1_000);
    match (times.first(), times.last()) {
        (Some(first), Some(last)) if times.len() > MANY => {
            format!("time_logged between {} and {}", time(first), time(last))
        }
        (Some(_), _) => {
            let times: Vec<String> = times.iter().map(time).collect();
            format!("time_logged in ({})", times.join(", "))
        }
        _ => "false".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use pmtaq_schema::Window;

    use super::*;
    use crate::leaves::tests::{minutes, session, snapshot, snapshot_with};
    use crate::selection::Selection;
    use crate::trace::Trace;

    #[test]
    fn many_times_are_told_by_the_first_and_the_last() {
        assert_eq!(is_one_of(&BTreeSet::new()), "false");
        let few = is_one_of(&[1_500, -2].into());
        assert_eq!(few, "time_logged in (make_timestamp(-2000), make_timestamp(1500000))");
        let many = is_one_of(&(0..1_001).collect());
        assert_eq!(many, "time_logged between make_timestamp(0) and make_timestamp(1000000)");
    }

    #[test]
    fn a_message_id_is_found_in_its_column_and_where_first_versions_had_it() {
        let of = |set: &str| {
            let dir = tempfile::tempdir().expect("a folder");
            let set = format!("update stored set {set} where hash(rcpt, vmta) % 9 = 0;");
            let session = session(&snapshot_with(dir.path(), &set));
            let traced = ["<1@x>", "1@x", "2@x"].map(|id| {
                let trace = Trace::MessageId(id.to_owned());
                let query = trace.query(&session, &Selection::default()).expect("a question");
                session.answer(&query).expect("records").len()
            });
            (traced, session.may_have_extra(|name| name == "header_MESSAGE-id").expect("parts"))
        };
        let known = of("message_id = '<1@x>'");
        assert!(known.0[0] > 10 && known.0[2] == 0, "{known:?}");
        assert!(known.0[0] == known.0[1] && !known.1, "{known:?}");
        assert_eq!(of("message_id = '1@x'"), known);
        let extra = "extra = map {'other': '<2@x>', 'header_MESSAGE-id': '<1@x>'}";
        assert_eq!(of(extra), (known.0, true));
        assert_eq!(of("extra = map {'header_X': '<1@x>'}"), ([0, 0, 0], false));
    }

    #[test]
    fn the_newest_are_those_of_the_last_parts() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut snapshot = snapshot(dir.path());
        for (part, (since, until)) in snapshot.parts.iter_mut().zip([(10, 20), (15, 40)]) {
            let Window { since, until } = minutes(since, until);
            (part.part.since, part.part.until) = (since.0, until.0);
        }
        let session = session(&snapshot);
        for (n, minute) in [(1, 15), (2_000, 15), (2_001, 10)] {
            let since = minutes(minute, 0).since.micros();
            assert_eq!(session.newest_since(n), format!("time_logged >= make_timestamp({since})"));
        }
    }
}
