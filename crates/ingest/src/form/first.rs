//! What a line is by which a content is told: a header, a record, an object.

use pmtaq_schema::time::Timestamp;
use pmtaq_schema::{Column, Record};

use super::json::Object;
use crate::line::{first_line, names_type};

/// What the user says of contents.
#[derive(Clone, Copy)]
pub(crate) struct Given<'g> {
    /// What separates fields.
    pub(crate) separator: Option<u8>,
    /// The field that is the time where there is no timeLogged.
    pub(crate) time_field: Option<&'g str>,
}

/// What separates fields in files of this kind.
pub(super) const SEPARATORS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// Whether a text begins with an object that names its record type, and is not of another mailer.
pub(super) fn json_of_a_line(text: &[u8]) -> bool {
    text.starts_with(b"{")
        && serde_json::from_slice::<Object>(first_line(text).trim_ascii())
            .is_ok_and(|object| object.kind().is_some() && object.mailer().is_none())
}

/// Where the type stands in a header, if these are the names of one.
pub(super) fn kind_of_header(fields: &[impl AsRef<[u8]>], given: Given<'_>) -> Option<usize> {
    let kind = fields.iter().position(|name| names_type(name.as_ref()))?;
    let is_known = |name: &[u8]| {
        let name = String::from_utf8_lossy(name);
        Column::of_field(&name).is_some() || given.time_field == Some(&*name)
    };
    let others = fields.iter().enumerate().filter(|(i, _)| *i != kind);
    others.map(|(_, name)| name.as_ref()).any(is_known).then_some(kind)
}

/// Whether fields are those of a record: a type, and a time among the next few.
pub(super) fn is_record(fields: &[impl AsRef<[u8]>]) -> bool {
    let is_time = |field: &&[u8]| field.len() >= 10 && Timestamp::parse(field).is_some();
    let mut fields = fields.iter().map(AsRef::as_ref);
    let kind = fields.next().unwrap_or_default();
    Record::parse(kind).is_some() && fields.take(8).any(|field| is_time(&field))
}
