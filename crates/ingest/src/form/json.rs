//! Records as JSON, one object a line, as log shippers write them. The header is made as names come: a
//! name that none of the objects before had makes a new one.

use std::collections::HashMap;
use std::fmt;

use memchr::memchr;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::convert::{Convert, add_field};
use pmtaq_schema::Record;

use crate::line::{header_line, is_remark, names_type};

/// Converts lines of JSON.
#[derive(Default)]
pub(super) struct JsonLines {
    /// The names so far, but for the type.
    names: Vec<String>,
    places: HashMap<String, usize>,
    /// Whether there is a header.
    is_begun: bool,
    row: Vec<Option<String>>,
}

/// The fields of an object, in its order.
pub(super) struct Object(pub(super) Vec<(String, Value)>);

impl Object {
    /// The record type that it names.
    pub(super) fn kind(&self) -> Option<usize> {
        self.0.iter().position(|(name, _)| names_type(name.as_bytes()))
    }

    /// What else an object is from that has a type or looks like it.
    pub(super) fn mailer(&self) -> Option<&'static str> {
        let has = |names: &[&str]| names.iter().all(|name| self.0.iter().any(|(of, _)| of == name));
        if has(&["egress_source", "peer_address"]) {
            return Some("is a log of KumoMTA, whose records have other fields than PowerMTA's");
        }
        has(&["status", "data"]).then_some(
            "is an answer of PowerMTA's web monitor, which has counters and no records; name the files of \
             an <acct-file>",
        )
    }

    /// What to say of an object that has a record in one of its fields, as shippers of logs wrap it.
    pub(super) fn within(&self) -> Option<String> {
        self.0.iter().find_map(|(name, value)| {
            let command = match value {
                Value::Object(fields) if fields.keys().any(|name| names_type(name.as_bytes())) => {
                    format!("jq -c '.[\"{name}\"]' FILE | pmtaq ingest -")
                }
                Value::String(line) => {
                    let kind = line.split(',').next().unwrap_or_default();
                    let is_record = line.contains(',') && Record::parse(kind.as_bytes()).is_some();
                    let says_names = header_line(line.as_bytes()).is_some()
                        || serde_json::from_str::<Object>(line)
                            .is_ok_and(|object| object.kind().is_some());
                    let header = match (says_names, is_record) {
                        (true, _) => "",
                        (false, true) => " --header type,timeLogged,...",
                        (false, false) => return None,
                    };
                    format!("jq -r '.[\"{name}\"]' FILE | pmtaq ingest{header} -")
                }
                _ => return None,
            };
            let is_plain =
                name.bytes().all(|byte| byte.is_ascii_graphic() && !b"'\"\\`".contains(&byte));
            is_plain.then(|| {
                format!("is JSON with records in its field {name}; `{command}` takes them")
            })
        })
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl Convert for JsonLines {
    fn next(&mut self, bytes: &[u8], ended: bool, out: &mut Vec<u8>) -> Option<usize> {
        let end = match memchr(b'\n', bytes) {
            Some(n) => n + 1,
            None if ended => bytes.len(),
            None => return None,
        };
        let line = &bytes[..end];
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
        if text.is_empty() || is_remark(line) {
            out.extend_from_slice(line);
            return Some(end);
        }
        let object = serde_json::from_slice::<Object>(text).ok();
        match object.and_then(|object| Some((object.kind()?, object))) {
            Some((kind, object)) => self.row(kind, object, out),
            // Half an object, that may go on.
            None if !line.ends_with(b"\n") => out.extend_from_slice(line),
            // One field, which is no record type.
            None => {
                out.push(b'"');
                text.iter().for_each(|byte| match byte {
                    b'"' => out.extend_from_slice(b"\"\""),
                    byte => out.push(*byte),
                });
                out.extend_from_slice(b"\"\n");
            }
        }
        Some(end)
    }
}

impl JsonLines {
    fn row(&mut self, kind: usize, object: Object, out: &mut Vec<u8>) {
        let before = self.names.len();
        self.row.clear();
        self.row.resize(before, None);
        let mut record = String::new();
        for (i, (name, value)) in object.0.into_iter().enumerate() {
            let text = match value {
                Value::Null => String::new(),
                Value::String(text) => text,
                // `1767607140.0` is a number of seconds.
                Value::Number(number) => {
                    let text = number.to_string();
                    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
                }
                other => other.to_string(),
            };
            if i == kind {
                record = text;
                continue;
            }
            let place = *self.places.entry(name).or_insert_with_key(|name| {
                self.names.push(name.clone());
                self.row.push(None);
                self.names.len() - 1
            });
            self.row[place] = Some(text);
        }
        if !std::mem::replace(&mut self.is_begun, true) || self.names.len() > before {
            out.extend_from_slice(b"type");
            for name in &self.names {
                out.push(b',');
                add_field(name.as_bytes(), out);
            }
            out.push(b'\n');
        }
        // A type that is empty must not look like an empty line.
        add_field(record.as_bytes(), out);
        for value in &self.row {
            out.push(b',');
            add_field(value.as_deref().unwrap_or_default().as_bytes(), out);
        }
        out.push(b'\n');
    }
}
