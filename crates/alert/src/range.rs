//! A range of values that are fine, in the notation of the Monitoring Plugins Development
//! Guidelines. Knows numbers, not what they measure.

use std::fmt;
use std::str::FromStr;

/// Values that are fine, or with `@` values that are a problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    text: String,
    start: f64,
    end: f64,
    is_inside: bool,
}

impl Range {
    /// Whether `value` is a problem: outside of the range, or inside of one with `@`. The borders
    /// belong to the range. What is no number is a problem.
    pub fn breached_by(&self, value: f64) -> bool {
        let is_in = self.start <= value && value <= self.end;
        is_in == self.is_inside || value.is_nan()
    }
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Range, String> {
        let wrong = || {
            format!(
                "`{text}` is not a valid range; write 10 (fine from 0 to 10), 10: (fine from 10), ~:10 (fine \
                 up to 10), 10:20 or @10:20 (a problem from 10 to 20)"
            )
        };
        let number = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite());
        let bare = text.trim();
        let (is_inside, bare) = match bare.strip_prefix('@') {
            Some(rest) => (true, rest),
            None => (false, bare),
        };
        let (start, end) = match bare.split_once(':') {
            None => (0.0, number(bare).ok_or_else(wrong)?),
            Some((start, end)) => {
                let start = if start == "~" { Some(f64::NEG_INFINITY) } else { number(start) };
                let end = if end.is_empty() { Some(f64::INFINITY) } else { number(end) };
                (start.ok_or_else(wrong)?, end.ok_or_else(wrong)?)
            }
        };
        if start > end {
            return Err(format!("`{text}` is not a valid range: {start} is above {end}"));
        }
        Ok(Range { text: text.trim().to_owned(), start, end, is_inside })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_guidelines() {
        for (range, problems, fine) in [
            ("10", &[-0.1, 10.1][..], &[0.0, 5.0, 10.0][..]),
            ("10:", &[9.9, -5.0], &[10.0, 1e9]),
            ("~:10", &[10.1], &[-1e9, 10.0]),
            ("10:20", &[9.9, 20.1], &[10.0, 20.0]),
            ("@10:20", &[10.0, 15.0, 20.0], &[9.9, 20.1]),
            ("-5:-1", &[-5.1, 0.0], &[-3.0]),
            ("0.5", &[0.51], &[0.5]),
        ] {
            let parsed: Range = range.parse().expect(range);
            assert!(problems.iter().all(|value| parsed.breached_by(*value)), "{range}");
            assert!(!fine.iter().any(|value| parsed.breached_by(*value)), "{range}");
            assert_eq!(parsed.to_string(), range);
        }
        assert!("5".parse::<Range>().expect("a range").breached_by(f64::NAN));
        assert!("@5".parse::<Range>().expect("a range").breached_by(f64::NAN));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["", ":", "@", "~", "~:x", "20:10", "nan", "inf", "5%", "1:2:3", "~10"] {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
    }
}
