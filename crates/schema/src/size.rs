//! Sizes and durations as people type them: `512MB`, `3h15m`. Reads them; [`crate::human`] writes them.

/// Reads a size in bytes: `1024`, `512MB`, `1.5 GiB`. Powers of 1000 for kB, MB, GB, TB and
/// for k, M, G, T alone; powers of 1024 for KiB, MiB, GiB, TiB; in any case.
///
/// # Errors
/// A sentence that names the text and shows how to write a size.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a valid size; write it like 512MB or 2GiB");
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..split].parse().map_err(|_| wrong())?;
    let factor = match text[split..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1_048_576.0,
        "gib" => 1_073_741_824.0,
        "tib" => 1_099_511_627_776.0,
        _ => return Err(wrong()),
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let bytes = (number * factor).min(u64::MAX as f64) as u64;
    Ok(bytes)
}

/// Reads a duration in seconds: `90`, `2h`, `3h15m`, `7d`, `1w`, `2h 30m`.
/// Returns `None` for anything else.
pub fn parse_duration_s(text: &str) -> Option<i64> {
    let mut total: i64 = 0;
    let mut rest = text.trim();
    (!rest.is_empty()).then_some(())?;
    if rest.bytes().all(|b| b.is_ascii_digit()) {
        return rest.parse().ok();
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let tail = rest[digits..].trim_start();
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let unit = match tail[..letters].to_ascii_lowercase().as_str() {
            "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 86_400,
            "w" | "week" | "weeks" => 604_800,
            "y" | "year" | "years" => 365 * 86_400,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = tail[letters..].trim_start();
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!(parse_bytes("512MB"), Ok(512_000_000));
        assert_eq!(parse_bytes("1.5 GiB"), Ok(1_610_612_736));
        assert_eq!(parse_bytes("7"), Ok(7));
        for wrong in ["", "MB", "12 parsecs", "1.2.3"] {
            assert!(parse_bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_are_read() {
        assert_eq!(parse_duration_s("3h15m"), Some(11_700));
        assert_eq!(parse_duration_s("2 days 4h"), Some(187_200));
        assert_eq!(parse_duration_s("90"), Some(90));
        for wrong in ["", "h", "3x", "-5m", "99999999999999999999d", "9223372036854775807w"] {
            assert_eq!(parse_duration_s(wrong), None, "{wrong}");
        }
    }
}
