//! Durations rounded so that few distinct ones remain: what a histogram of latencies counts.
//! Knows no records and keeps no counts.

/// Durations shorter than this are kept as they are, in seconds.
const EXACT_S: u64 = 128;

/// `seconds` rounded to 7 significant bits, half way between what else gives the same: less than
/// a hundredth off, and 64 values for each doubling.
pub fn rounded(seconds: i64) -> i64 {
    let size = seconds.unsigned_abs();
    if size < EXACT_S {
        return seconds;
    }
    let dropped = size.ilog2() - (EXACT_S.ilog2() - 1);
    let half = (1 << dropped) / 2;
    let rounded = i64::try_from((size >> dropped << dropped) + half).unwrap_or(i64::MAX);
    if seconds < 0 { -rounded } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn two_minutes_are_exact_and_a_day_is_not() {
        assert_eq!([0, 1, -1, 127, 128, 129, 130].map(rounded), [0, 1, -1, 127, 129, 129, 131]);
        assert_eq!(rounded(86_400), 86_528);
    }

    proptest! {
        #[test]
        fn less_than_a_hundredth_is_lost_and_the_order_is_kept(a: i64, b in -100_000_i64..100_000) {
            for x in [a, b] {
                #[expect(clippy::cast_precision_loss, reason = "a hundredth needs no more")]
                let off = (rounded(x) as f64 - x as f64).abs() / (x as f64).abs().max(1.0);
                prop_assert!(off < 0.01, "{x} {off}");
                prop_assert_eq!(rounded(rounded(x)), rounded(x));
            }
            let (less, more) = (a.min(b), a.max(b));
            prop_assert!(rounded(less) <= rounded(more));
        }
    }
}
