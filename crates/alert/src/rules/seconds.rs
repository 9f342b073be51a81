//! A length of time as a rules file spells it.

use pmtaq_schema::size::parse_duration_s;
use serde::{Deserialize, Deserializer};

/// A length of time in seconds, written like `15m`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub i64);

impl Seconds {
    pub(super) fn parse(text: &str) -> Result<Seconds, String> {
        let length = parse_duration_s(text).map(Seconds);
        length.ok_or_else(|| format!("`{text}` is not a valid duration; write it like 15m"))
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Seconds, D::Error> {
        let text = String::deserialize(from)?;
        Seconds::parse(&text).map_err(serde::de::Error::custom)
    }
}
