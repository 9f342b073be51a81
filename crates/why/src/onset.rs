//! Since when: the moment at which counts by minute leave what was usual. Knows no dates.

/// The index of the step at which `seen` leaves `expected` for the side that `rises` names: where
/// the sum of the differences begins the climb to its highest point (CUSUM: Page, Biometrika 41,
/// 1954). None when there are no steps, or nothing leaves.
pub fn onset(seen: &[f64], expected: &[f64], rises: bool) -> Option<usize> {
    let sign = if rises { 1.0 } else { -1.0 };
    let mut sum: f64 = 0.0;
    let mut begin = 0;
    let mut best: Option<(f64, usize)> = None;
    for (step, (seen, expected)) in seen.iter().zip(expected).enumerate() {
        let more = sign * (seen - expected);
        if sum <= 0.0 {
            (sum, begin) = (0.0, step);
        }
        sum += more;
        if sum > best.map_or(0.0, |(most, _)| most) {
            best = Some((sum, begin));
        }
    }
    best.map(|(_, begin)| begin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_onset_is_where_the_climb_begins() {
        let mut seen = vec![1.0, 2.0, 0.0, 1.0, 1.0, 0.0];
        seen.extend([6.0, 5.0, 7.0, 6.0, 0.0, 1.0]);
        assert_eq!(onset(&seen, &[1.0; 12], true), Some(6));
        assert_eq!(onset(&seen, &[5.0; 12], false), Some(0));
        assert_eq!(onset(&[1.0, 1.0], &[1.0, 1.0], true), None);
        assert_eq!(onset(&[], &[], true), None);
    }
}
