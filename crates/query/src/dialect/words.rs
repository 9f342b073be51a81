//! What all writers use: names, texts and fields of syntax trees. Knows no statement.

use serde_json::Value as Json;

use crate::error::Error;

/// Microseconds.
const SECOND: i64 = 1_000_000;

/// That something cannot be asked of a cluster.
pub(super) fn not_there(what: &str) -> Error {
    Error::NotThere(what.to_owned())
}

/// A name in the quotes of Spark.
pub(super) fn ident(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text as a literal of Spark, in which a backslash begins an escape.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\'' => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0' => out.push_str("\\0"),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

/// A field of a node that is a text; empty without it.
pub(super) fn text<'j>(node: &'j Json, key: &str) -> &'j str {
    node[key].as_str().unwrap_or_default()
}

/// A field of a node that is a list; empty without it.
pub(super) fn list<'j>(node: &'j Json, key: &str) -> &'j [Json] {
    node[key].as_array().map_or(&[], Vec::as_slice)
}

/// A field of a node, if it is there and not null.
pub(super) fn there<'j>(node: &'j Json, key: &str) -> Option<&'j Json> {
    node.get(key).filter(|value| !value.is_null())
}

/// The microseconds of a unit of time that always lasts as long.
pub(super) fn micros_of(unit: &str) -> Option<i64> {
    Some(match unit {
        "microsecond" => 1,
        "millisecond" => 1000,
        "second" => SECOND,
        "minute" => 60 * SECOND,
        "hour" => 3600 * SECOND,
        "day" => 86_400 * SECOND,
        "week" => 7 * 86_400 * SECOND,
        _ => return None,
    })
}

/// A list of names.
pub(super) fn texts(list: &[Json]) -> Vec<String> {
    list.iter().filter_map(Json::as_str).map(str::to_owned).collect()
}
