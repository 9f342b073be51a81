//! From when to when: the steps in which counts by minute are not what was usual. Knows no dates.

use std::ops::Range;

/// The steps in which `seen` leaves `expected` for the side that `rises` names: from where the sum of
/// the differences begins the climb to its highest point, up to there (CUSUM: Page, Biometrika 41,
/// 1954). None when there are no steps, or nothing leaves.
pub fn climb(seen: &[f64], expected: &[f64], rises: bool) -> Option<Range<usize>> {
    let sign = if rises { 1.0 } else { -1.0 };
    let mut sum: f64 = 0.0;
    let mut begin = 0;
    let mut best: Option<(f64, Range<usize>)> = None;
    for (step, (seen, expected)) in seen.iter().zip(expected).enumerate() {
        let more = sign * (seen - expected);
        if sum <= 0.0 {
            (sum, begin) = (0.0, step);
        }
        sum += more;
        if sum > best.as_ref().map_or(0.0, |(most, _)| *most) {
            best = Some((sum, begin..step + 1));
        }
    }
    best.map(|(_, steps)| steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_episode_is_the_climb_of_the_sum_of_differences() {
        let mut seen = vec![1.0, 2.0, 0.0, 1.0, 1.0, 0.0];
        seen.extend([6.0, 5.0, 7.0, 6.0, 0.0, 1.0]);
        assert_eq!(climb(&seen, &[1.0; 12], true), Some(6..10));
        assert_eq!(climb(&seen, &[5.0; 12], false), Some(0..12));
        assert_eq!(climb(&[1.0, 1.0], &[1.0, 1.0], true), None);
        assert_eq!(climb(&[], &[], true), None);
    }
}
