//! Numbers as people read them: separators, shares, sizes, durations. The one place that writes them.
//! Never used for a machine's format, and never rounds what is not shown in a unit.

/// Returns decimal text with thousands separators in its integer part.
pub fn grouped(text: &str) -> String {
    let start = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let digits = text[start..].bytes().take_while(u8::is_ascii_digit).count();
    let mut out = String::with_capacity(text.len() + digits / 3);
    for (n, c) in text.char_indices() {
        let left = (start + digits).saturating_sub(n);
        if n > start && left > 0 && left % 3 == 0 {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Returns a float with six significant digits, or all digits of its integer part.
pub fn number(n: f64) -> String {
    const DIGITS: i32 = 6;
    let size = n.abs();
    if !n.is_finite() || size == 0.0 {
        return n.abs().to_string().replace("inf", if n < 0.0 { "-inf" } else { "inf" });
    }
    if !(1e-5..1e15).contains(&size) {
        let text = format!("{n:.5e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", trimmed(digits));
    }
    let before_point = size.log10().floor() as i32 + 1;
    let places = (DIGITS - before_point).max(0) as usize;
    grouped(trimmed(&format!("{n:.places$}")))
}

/// Returns a share of 0 to 100, `12.3 %`; only an exact 0 or 100 looks like one. Below 1 it has two
/// digits after the point, `0.14 %`, since the limits of complaint rates are 0.1 and 0.3 %.
pub fn percent(n: f64) -> String {
    if n > 0.0 && n < 0.01 {
        "<0.01 %".to_owned()
    } else if n > 0.0 && n < 0.995 {
        format!("{n:.2} %")
    } else if n > 99.9 && n < 100.0 {
        ">99.9 %".to_owned()
    } else if n.is_finite() {
        format!("{} %", grouped(&format!("{n:.1}")))
    } else {
        number(n)
    }
}

/// Returns a count with thousands separators, rounded to a whole number.
pub fn count(n: f64) -> String {
    grouped(&format!("{:.0}", if n.abs() < 0.5 { 0.0 } else { n }))
}

/// Returns a size in powers of 1000 with one digit after the point, as columns have it: `1.2 MB`,
/// `745.0 MB`.
pub fn bytes(n: f64) -> String {
    if !n.is_finite() {
        return number(n);
    }
    match scaled(n, 999.95) {
        (size, "B") => format!("{size:.0} B"),
        (size, unit) => format!("{} {unit}", grouped(&format!("{size:.1}"))),
    }
}

/// Returns a size in powers of 1000 with three digits at most, as sentences have it: `1.2 MB`,
/// `745 MB`.
pub fn size(bytes: u64) -> String {
    let (size, unit) = scaled(bytes as f64, 999.5);
    let digits = usize::from(unit != "B" && size < 9.95);
    format!("{size:.digits$} {unit}")
}

/// Bytes in the unit in which they are below 1000, also when rounded: those from `full` on are not.
fn scaled(n: f64, full: f64) -> (f64, &'static str) {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    let (mut size, mut unit) = (n, "B");
    for larger in UNITS {
        if size.abs() < if unit == "B" { 999.5 } else { full } {
            break;
        }
        (size, unit) = (size / 1000.0, larger);
    }
    (size, unit)
}

/// Returns a duration in its two largest units: `350ms`, `1.5s`, `12s`, `1m 23s`, `4h 05m`,
/// `2d 03h`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return number(seconds);
    }
    let sign = if seconds < 0.0 { "-" } else { "" };
    let size = seconds.abs();
    let millis = (size * 1000.0).round();
    if size > 0.0 && millis < 1000.0 {
        return if millis < 1.0 { format!("{sign}<1ms") } else { format!("{sign}{millis}ms") };
    }
    if size < 9.95 && size.fract() != 0.0 {
        return format!("{sign}{}s", trimmed(&format!("{size:.1}")));
    }
    let total = size.round() as u64;
    let two = |big: u64, unit, small: u64, small_unit| {
        let big = grouped(&big.to_string());
        format!("{sign}{big}{unit} {small:02}{small_unit}")
    };
    match total {
        0..60 => format!("{sign}{total}s"),
        60..3_600 => two(total / 60, 'm', total % 60, 's'),
        3_600..86_400 => two(total / 3_600, 'h', total / 60 % 60, 'm'),
        _ => two(total / 86_400, 'd', total / 3_600 % 24, 'h'),
    }
}

/// Returns a duration to the second and without parts that are nothing, as
/// [`parse_duration_s`](crate::size::parse_duration_s) reads it: `15m`, `1h30m`.
pub fn exact_duration(seconds: i64) -> String {
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let text: String =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Returns decimal text without the zeros at the end of its fraction.
fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped_in_the_integer_part_only() {
        let cases = [
            ("0", "0"),
            ("999", "999"),
            ("1000", "1,000"),
            ("-123456", "-123,456"),
            ("1234567.8901", "1,234,567.8901"),
            ("170141183460469231731", "170,141,183,460,469,231,731"),
        ];
        for (plain, shown) in cases {
            assert_eq!(grouped(plain), shown);
        }
    }

    #[test]
    fn a_float_has_six_significant_digits() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (3.0, "3"),
            (2.345678901, "2.34568"),
            (1234.5678, "1,234.57"),
            (1234567.89, "1,234,568"),
            (-0.00123456789, "-0.00123457"),
            (999999.95, "1,000,000"),
            (1.5e-7, "1.5e-7"),
            (2e18, "2e18"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (n, shown) in cases {
            assert_eq!(number(n), shown);
        }
    }

    #[test]
    fn a_share_never_looks_like_none_or_all_when_it_is_not() {
        let cases = [
            (0.0, "0.0 %"),
            (0.00001, "<0.01 %"),
            (0.0649, "0.06 %"),
            (0.1, "0.10 %"),
            (0.997, "1.0 %"),
            (12.34, "12.3 %"),
            (99.97, ">99.9 %"),
            (100.0, "100.0 %"),
            (f64::NAN, "NaN"),
        ];
        for (n, shown) in cases {
            assert_eq!(percent(n), shown);
        }
    }

    #[test]
    fn sizes_keep_one_digit_after_the_point() {
        let cases = [
            (0.0, "0 B"),
            (999.0, "999 B"),
            (999.7, "1.0 kB"),
            (1_234_567.0, "1.2 MB"),
            (999_950.0, "1.0 MB"),
            (-5e9, "-5.0 GB"),
            (1e25, "10,000,000.0 EB"),
        ];
        for (n, shown) in cases {
            assert_eq!(bytes(n), shown);
        }
    }

    #[test]
    fn sizes_in_sentences_have_three_digits_at_most() {
        let cases = [
            (17, "17 B"),
            (999_999, "1.0 MB"),
            (745_000_000, "745 MB"),
            (999_700_000, "1.0 GB"),
            (1_234_567_890, "1.2 GB"),
            (u64::MAX, "18 EB"),
        ];
        for (n, shown) in cases {
            assert_eq!(size(n), shown);
        }
    }

    #[test]
    fn durations_show_their_two_largest_units() {
        let cases = [
            (0.0, "0s"),
            (0.0004, "<1ms"),
            (0.35, "350ms"),
            (0.9999, "1s"),
            (1.5, "1.5s"),
            (9.97, "10s"),
            (12.0, "12s"),
            (59.6, "1m 00s"),
            (83.0, "1m 23s"),
            (14_730.0, "4h 05m"),
            (183_600.0, "2d 03h"),
            (-83.0, "-1m 23s"),
        ];
        for (n, shown) in cases {
            assert_eq!(duration(n), shown);
        }
    }
    #[test]
    fn an_exact_duration_is_as_short_as_people_write_it() {
        assert_eq!([900, 3600, 5430, 0].map(exact_duration), ["15m", "1h", "1h30m30s", "0s"]);
        assert_eq!(crate::size::parse_duration_s(&exact_duration(5430)), Some(5430));
    }
}
