//! One value as text, once, for every format: plain as in CSV, as JSON, and for people.
//! Never quotes for a file format and never decides a width.

use std::io::Write;

use chrono_tz::Tz;
use pmtaq_schema::{Unit, human};

use crate::value::{Cells, Value};
use crate::{escape, time};

/// Writes the plain text of a value, as csv and tsv hold it before quoting.
///
/// Null is empty, times are RFC 3339 in UTC, binary is lower-case hex, intervals are ISO 8601
/// durations, and lists, structs and maps are JSON. Floats that JSON has no word for are `NaN`,
/// `inf` and `-inf`.
pub(crate) fn plain(value: &Value<'_>, out: &mut Vec<u8>) {
    match *value {
        Value::Null => {}
        Value::Bool(truth) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
        Value::Int(n) => number(serde_json::to_writer(&mut *out, &n)),
        Value::UInt(n) => number(serde_json::to_writer(&mut *out, &n)),
        Value::Float(n) if n.is_finite() => number(serde_json::to_writer(&mut *out, &n)),
        Value::Float32(n) if n.is_finite() => number(serde_json::to_writer(&mut *out, &n)),
        Value::Float(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Value::Float32(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Value::Decimal { units, scale } => decimal(units, scale, out),
        Value::Text(text) => out.extend_from_slice(text.as_bytes()),
        Value::Bytes(bytes) => hex(bytes, out),
        Value::Date(days) => time::date(i64::from(days), out),
        Value::Clock(nanos) => {
            let fraction = nanos.rem_euclid(1_000_000_000) as u32;
            time::clock(nanos.div_euclid(1_000_000_000), fraction, out);
        }
        Value::Instant { seconds, nanos, local } => {
            time::instant(seconds, nanos, b'T', out);
            if !local {
                out.push(b'Z');
            }
        }
        Value::Interval { months, days, nanos } => time::interval(months, days, nanos, out),
        Value::List(..) | Value::Struct(..) | Value::Map(..) => json(value, out),
    }
}

/// Writes a value as JSON: null for null and for what is not a finite number, numbers as
/// numbers with all their digits, objects for structs and maps, and `plain` in quotes for others.
pub(crate) fn json(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Float(n) if !n.is_finite() => out.extend_from_slice(b"null"),
        Value::Float32(n) if !n.is_finite() => out.extend_from_slice(b"null"),
        Value::Bool(_)
        | Value::Int(_)
        | Value::UInt(_)
        | Value::Decimal { .. }
        | Value::Float(_)
        | Value::Float32(_) => plain(value, out),
        Value::Text(text) => json_string(text, out),
        Value::List(items, rows) => {
            list(b"[]", rows.clone(), out, |row, out| json(&items.at(row), out));
        }
        Value::Struct(fields, row) => list(b"{}", fields.iter(), out, |(name, cells), out| {
            json_string(name, out);
            out.push(b':');
            json(&cells.at(*row), out);
        }),
        Value::Map(keys, values, rows) => list(b"{}", rows.clone(), out, |row, out| {
            json_key(keys, row, out);
            out.push(b':');
            json(&values.at(row), out);
        }),
        // Dates, times, hex and durations hold nothing that JSON would escape.
        Value::Bytes(_)
        | Value::Date(_)
        | Value::Clock(_)
        | Value::Instant { .. }
        | Value::Interval { .. } => {
            out.push(b'"');
            plain(value, out);
            out.push(b'"');
        }
    }
}

/// Writes a JSON string.
pub(crate) fn json_string(text: &str, out: &mut Vec<u8>) {
    number(serde_json::to_writer(out, text));
}

/// Returns a value as people read it in a table: in its unit, UTC instants in `zone`, and
/// whatever could move the cursor made visible.
pub(crate) fn display(value: &Value<'_>, unit: Unit, zone: Tz) -> String {
    let text = || {
        let mut out = Vec::new();
        plain(value, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    };
    match *value {
        Value::Null => String::new(),
        Value::Text(text) => escape::visible(text),
        Value::Instant { seconds, nanos, local } => {
            let mut out = Vec::new();
            if local {
                time::instant(seconds, nanos, b' ', &mut out);
            } else {
                time::instant(time::local(seconds, zone), nanos, b' ', &mut out);
                out.extend_from_slice(time::told_apart(seconds, zone).as_bytes());
            }
            String::from_utf8_lossy(&out).into_owned()
        }
        _ => match (as_f64(value), unit) {
            (Some(n), Unit::Percent) => human::percent(n),
            (Some(n), Unit::Bytes) => human::bytes(n),
            (Some(n), Unit::Seconds) => human::duration(n),
            (Some(n), Unit::Count | Unit::Number) => match value {
                Value::Float(_) | Value::Float32(_) => human::number(n),
                _ => human::grouped(&text()),
            },
            _ => escape::visible(&text()),
        },
    }
}

/// Returns the value as a float if it is a number.
pub(crate) fn as_f64(value: &Value<'_>) -> Option<f64> {
    match *value {
        Value::Int(n) => Some(n as f64),
        Value::UInt(n) => Some(n as f64),
        Value::Float(n) => Some(n),
        // Through text: the nearest double of 0.1_f32 is 0.10000000149.
        Value::Float32(n) => n.to_string().parse().ok(),
        Value::Decimal { units, scale } => Some(units as f64 / 10_f64.powi(i32::from(scale))),
        _ => None,
    }
}

/// Returns what the value is sorted by where its text does not do: a number, or the seconds of a
/// moment.
pub(crate) fn key(value: &Value<'_>) -> Option<f64> {
    match *value {
        Value::Instant { seconds, nanos, .. } => Some(seconds as f64 + f64::from(nanos) / 1e9),
        Value::Date(days) => Some(f64::from(days)),
        _ => as_f64(value),
    }
}

/// A `Vec` takes every byte, and neither numbers nor strings can fail to serialise.
fn number(result: serde_json::Result<()>) {
    result.expect("a number or a string is written to memory");
}

/// Writes all digits of a decimal.
fn decimal(units: i128, scale: i8, out: &mut Vec<u8>) {
    if units < 0 {
        out.push(b'-');
    }
    let places = usize::try_from(scale).unwrap_or_default();
    let digits = places + 1;
    // Zeros in front, so that at least one digit stands before the point.
    write!(out, "{:0digits$}", units.unsigned_abs()).expect("a Vec takes every byte");
    if places > 0 {
        let point = out.len() - places;
        out.insert(point, b'.');
    } else if units != 0 {
        out.resize(out.len() + usize::from(scale.unsigned_abs()), b'0');
    }
}

/// Writes two lower-case digits a byte.
fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// Writes items between brackets, with commas.
fn list<T>(
    brackets: &[u8; 2],
    items: impl Iterator<Item = T>,
    out: &mut Vec<u8>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) {
    out.push(brackets[0]);
    for (n, item) in items.enumerate() {
        if n > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(brackets[1]);
}

/// Writes a map's key, which JSON wants as a string whatever it is.
fn json_key(keys: &Cells, row: usize, out: &mut Vec<u8>) {
    let mut key = Vec::new();
    plain(&keys.at(row), &mut key);
    json_string(&String::from_utf8_lossy(&key), out);
}
