//! Clocks that differ, of machines that share a store in a bucket: each is compared with the clock of the
//! server when it ingests. Asks nobody.

use pmtaq_schema::human::duration;
use pmtaq_store::Source;

/// What a clock may be off, in seconds.
const MAX_S: i64 = 60;

/// How far the clock of the machine that ingests these files was ahead when it did so last, in seconds;
/// none where nobody compared it.
pub(crate) fn ahead_s<'s>(sources: impl IntoIterator<Item = &'s Source>) -> Option<i64> {
    let compared = sources.into_iter().filter(|source| source.clock_ahead_s.is_some());
    compared.max_by_key(|source| source.ingested_at)?.clock_ahead_s
}

/// What is to be said of a clock that is so far ahead; nothing of one that is right.
pub(crate) fn text(ahead_s: i64) -> Option<String> {
    let where_to = if ahead_s > 0 { "ahead of" } else { "behind" };
    let off = duration(ahead_s.unsigned_abs() as f64);
    (ahead_s.abs() > MAX_S).then(|| format!("{off} {where_to} that of the bucket's server"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_judged_by_the_last_ingest_that_compared_it() {
        let source =
            |ingested_at, clock_ahead_s| Source { ingested_at, clock_ahead_s, ..Source::default() };
        let all = [source(10, Some(600)), source(20, Some(-300)), source(30, None)];
        assert_eq!((ahead_s(&all), ahead_s(&all[2..])), (Some(-300), None));
        assert_eq!(text(-300).expect("off"), "5m 00s behind that of the bucket's server");
        assert!(text(600).is_some_and(|text| text.starts_with("10m 00s ahead of")));
        assert_eq!((text(0), text(-59)), (None, None));
    }
}
