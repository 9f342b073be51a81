//! The largest groups by several names, over `hourly`, without the names of all others: 100,000,000 records of an
//! ESP have 10,000,000 triples of sender, receiver and VirtualMTA, of which 20 are shown. Makes statements, and
//! runs none.
//!
//! Groups fall into buckets by a hash, which are added up first. The largest groups of the fullest buckets say how
//! large a group must be at least to be shown; a bucket that holds less has none of these, whatever is in it. The groups of
//! the others are told apart, and all that is left is one row, for the rest and the total.

use crate::dimension::{Dimension, Largest, Reads};
use crate::metric::{Definition, Metric, metric};

/// In a statement, whether a row is of a group that is told apart.
pub(crate) const LISTED: &str = "listed()";

/// Buckets: a power of two, so many that they stay in a processor's memory.
const BUCKETS: u32 = 65_536;

/// Of more groups than these nearly all buckets have one.
const MANY: u32 = 1_000;

impl Largest {
    /// The `top` groups by some dimensions, ranked by the first of the metrics, where that spares the names of all others,
    /// there being many of several names, or their seconds: few are shown. None where `hourly` lacks one of the dimensions,
    /// where all groups are shown, or times, and where their buckets say nothing.
    pub(crate) fn of(
        by: &[&'static Dimension],
        metrics: &[&'static Metric],
        top: u32,
    ) -> Option<Largest> {
        let columns = Reads::of(by.iter().copied())?.columns.into_iter().collect();
        let volume = metric(metrics[0].ranked_by()).ok()?;
        let is_of_names = !by.iter().any(|by| by.is_time());
        let is_dear = by.len() > 1 || metrics.iter().any(|metric| metric.is_quantile());
        let can = is_of_names && is_dear && can_list(volume, top);
        can.then_some(Largest { by: columns, top, volume: &volume.name })
    }
}

/// Whether groups ranked by `volume` can be found by their buckets: of what is added up of parts that are never
/// less than nothing.
fn can_list(volume: &Metric, top: u32) -> bool {
    let adds_up = match &volume.definition {
        Definition::Count(of) => !of.is_of_attempts(),
        // Which of the two is counted all rows say together, and not those of a bucket.
        Definition::Sum(..) | Definition::Else(..) => true,
        _ => false,
    };
    adds_up && (1..=MANY).contains(&top)
}

/// The queries of a `with` that follow `rolled_up`, the last one of which is the rows that are grouped by
/// `listed_group`: a group, or null for all others. `volume` is a sum over these rows.
pub(crate) fn listed(largest: &Largest, volume: &str) -> String {
    listed_of(BUCKETS, largest, volume)
}

fn listed_of(buckets: u32, largest: &Largest, volume: &str) -> String {
    let (top, keys) = (largest.top, largest.by.join(", "));
    let volume = format!("coalesce({volume}, 0) as volume");
    format!(
        "hashed as not materialized (select *, hash({keys}) as group_hash, hash({keys}) % {buckets} as bucket from rolled_up),
buckets as materialized (select bucket, {volume} from hashed group by bucket),
fullest as (select bucket from buckets order by volume desc, bucket limit {top}),
least as (select case when count(*) = {top} then min(volume) end as volume from (
    select {volume} from hashed where bucket in (select bucket from fullest) group by group_hash order by volume desc limit {top})),
listed as materialized (select bucket as listed_bucket from buckets where coalesce(volume >= (select volume from least), true)),
told_apart as not materialized (select hashed.*, case when listed_bucket is not null then group_hash end as listed_group
    from hashed left join listed on bucket = listed_bucket),
"
    )
}

#[cfg(test)]
mod tests {
    use duckdb::Connection;

    use super::*;

    /// Groups by `a` and `b` of which few are large, and several as large as the last that is shown.
    const GROUPS: &str = "create table source as
        select case when n % 11 = 0 then null else n % 23 end as a, n % 19 as b,
            case when n < 6 then 1000 - n when n % 97 = 0 then 400 else n % 7 end as n
        from range(2000) t(n)";

    /// `sql` after the queries, one value.
    fn value(connection: &Connection, queries: &str, sql: &str) -> i64 {
        let of_groups = "of_groups as materialized (select first(a) as a, first(b) as b, sum(n) as n, listed_group is not null as is_listed from told_apart group by listed_group)";
        let sql = format!("with {queries}{of_groups} {sql}");
        connection.query_row(&sql, [], |row| row.get(0)).expect("one value")
    }

    #[test]
    fn the_largest_groups_are_told_apart_and_all_others_are_one() {
        let connection = Connection::open_in_memory().expect("an engine");
        connection
            .execute_batch(&format!("{GROUPS}; create view rolled_up as from source;"))
            .expect("groups");
        let all = "(select a, b, sum(n) as n from source group by a, b)";
        let of = |top| Largest { by: vec!["a", "b"], top, volume: "sent" };
        for (buckets, top) in
            [(1, 3), (16, 3), (64, 1), (64, 8), (256, 20), (65_536, 20), (64, 999)]
        {
            let queries = listed_of(buckets, &of(top), "sum(n)");
            let value = |sql: &str| value(&connection, &queries, sql);
            // With all that are as large as the last one: names say which of these are shown.
            let last =
                format!("select min(n) from (select n from {all} order by n desc limit {top})");
            let missing = value(&format!(
                "select count(*) from (from {all} where n >= ({last}) except from (select a, b, n from of_groups where is_listed))"
            ));
            assert_eq!(missing, 0, "{buckets} buckets, {top} groups");
            let total =
                value("select (sum(n) - (select sum(n) from source))::bigint from of_groups");
            assert_eq!(total, 0, "{buckets} buckets, {top} groups");
            let others = value("select count(*) from of_groups where not is_listed");
            assert!(others <= 1, "{others} rows of others");
        }
        let queries = listed_of(256, &of(3), "sum(n)");
        let listed = value(&connection, &queries, "select count(*) from of_groups where is_listed");
        assert!(listed < 40, "{listed} of {all}");
    }

    #[test]
    fn what_may_fall_when_something_is_added_ranks_no_bucket() {
        let of = |name: &str, top| can_list(metric(name).expect("known"), top);
        assert!(of("sent", 20) && of("bytes", 1) && of("deferred", 1_000) && of("injected", 20));
        // Deliveries less what came back; deliveries that no address tells of.
        assert!(!of("accepted", 20) && !of("attempts", 20));
        assert!(!of("sent", 0) && !of("sent", 1_001));
    }
}
