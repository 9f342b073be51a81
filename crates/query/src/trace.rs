//! The life of a message: every record of it, in order. Which records those are is decided here,
//! how they are told in `sql/commands/trace.sql`; prints nothing.

use std::collections::BTreeSet;

use pmtaq_schema::Unit;
use pmtaq_schema::address::{domain_of, normal_domain};
use pmtaq_schema::message_key::recipient_key;

use crate::answer::Answer;
use crate::error::Result;
use crate::query::{Query, Value};
use crate::selection::Selection;
use crate::session::Session;
use crate::statement::narrowed;

/// How the life of a message is told.
const STORY: &str = include_str!("../../../sql/commands/trace.sql");

/// Where its records are to be found.
const KEYS: &str = "select distinct rcpt, env_id,
    min(epoch_us(time_logged)) over () as since, max(epoch_us(time_logged)) over () as until
from records";

/// Recipients that are offered when the one asked for is not found.
const NEAREST: i64 = 3;

/// What a message is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Its recipient, in any case of letters.
    Recipient(String),
    /// Its envelope identifier.
    EnvelopeId(String),
    /// The header Message-Id, with or without its angle brackets.
    MessageId(String),
}

impl Trace {
    /// The question for all records of the messages that are meant.
    ///
    /// Two steps: the first reads nothing but the keys and learns the spellings and the times;
    /// with those the second reads the few row groups that have them. On three million records
    /// that took 0.3 s instead of 1.1 s.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] for a filter that there is not, [`crate::Error::Sql`] when the
    /// engine cannot read the parts.
    pub fn query(&self, session: &Session, selection: &Selection) -> Result<Query> {
        let mut keys = Query::default();
        let own = self.condition(session, &mut keys);
        let condition = format!("{} and {own}", selection.sql(&mut keys)?);
        keys.sql = narrowed(&condition, KEYS);
        let found = session.answer(&keys)?;
        let mut query = Query::default();
        let condition = match Keys::read(&found)? {
            Some(keys) => self.among(keys, session, selection, &mut query)?,
            None => "false".to_owned(),
        };
        query.sql = narrowed(&condition, STORY);
        for (name, unit) in
            [("message", Unit::Text), ("waited", Unit::Seconds), ("took", Unit::Seconds)]
        {
            query.units.insert(name.to_owned(), unit.into());
        }
        Ok(query)
    }

    /// The condition that reads little, once the keys are known.
    fn among(
        &self,
        keys: Keys,
        session: &Session,
        selection: &Selection,
        query: &mut Query,
    ) -> Result<String> {
        let Keys { spellings, env_ids, since, until } = keys;
        let others = selection.sql(query)?;
        let mut any = |column, texts: Vec<String>| {
            let texts = texts.into_iter().map(|text| format!("${}", query.bind(Value::Text(text))));
            // With `is true` the engine reads the other columns of these records alone.
            format!("({column} in ({})) is true", texts.collect::<Vec<_>>().join(", "))
        };
        let own = match self {
            Trace::Recipient(address) => {
                key_range(session, &parts(address).1) + &any("rcpt", spellings)
            }
            Trace::EnvelopeId(id) => any("env_id", vec![id.clone()]),
            Trace::MessageId(_) if env_ids.is_empty() => self.condition(session, query),
            Trace::MessageId(_) => any("env_id", env_ids),
        };
        let since = format!("time_logged >= make_timestamp({since})");
        Ok(match self {
            // What came back of the message has its envelope identifier alone, and comes later.
            Trace::MessageId(_) => format!("{others} and {since} and {own}"),
            _ => {
                format!("{others} and {since} and time_logged <= make_timestamp({until}) and {own}")
            }
        })
    }

    fn condition(&self, session: &Session, query: &mut Query) -> String {
        match self {
            Trace::Recipient(address) => {
                let (domain, address) = parts(address);
                let keys = key_range(session, &address);
                let domain = query.bind(Value::Text(domain));
                let address = query.bind(Value::Text(address));
                // By domain first: the parts are sorted by it, and know which they have. Then numbers; with
                // `is true` the engine reads the addresses of those alone that are alike.
                format!("rcpt_domain = ${domain} and {keys}(lower(rcpt) = ${address}) is true")
            }
            Trace::EnvelopeId(id) => format!("env_id = ${}", query.bind(Value::Text(id.clone()))),
            Trace::MessageId(id) => {
                let bare = id.trim().trim_start_matches('<').trim_end_matches('>');
                let bare = query.bind(Value::Text(bare.to_owned()));
                format!(
                    "trim(coalesce(message_id, extra['header_Message-Id'], extra['header_Message-ID']), \
                     '<>') \
                     = ${bare}"
                )
            }
        }
    }

    /// What was probably meant, when nothing was found: recipients of that domain, else domains.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when the engine cannot read the parts.
    pub fn nearest(&self, session: &Session) -> Result<Vec<String>> {
        let Trace::Recipient(address) = self else { return Ok(Vec::new()) };
        let (domain, address) = parts(address);
        let known = session.values_of("rcpt_domain")?;
        if !known.contains(&domain) {
            let nearest = pmtaq_schema::nearest::nearest(&domain, known.iter().map(String::as_str));
            return Ok(nearest.map(str::to_owned).into_iter().collect());
        }
        session.texts(
            "select rcpt from (select distinct rcpt from stored where rcpt_domain = ?)
             where jaro_winkler_similarity(lower(rcpt), ?) > 0.9
             order by damerau_levenshtein(lower(rcpt), ?), rcpt limit ?",
            [&domain as &dyn duckdb::ToSql, &address, &address, &NEAREST],
        )
    }
}

/// What is needed to find the records of some messages quickly.
struct Keys {
    spellings: Vec<String>,
    env_ids: Vec<String>,
    /// First and last of them, in microseconds since 1970.
    since: i64,
    until: i64,
}

impl Keys {
    fn read(found: &Answer) -> Result<Option<Keys>> {
        let texts = |column: &str| -> Result<Vec<String>> {
            let texts = found.texts(column)?.into_iter().flatten().filter(|text| !text.is_empty());
            Ok(texts.collect::<BTreeSet<String>>().into_iter().collect())
        };
        let time = |column: &str| Ok(found.i64s(column)?.first().copied().flatten());
        let (since, until): (Result<_>, Result<_>) = (time("since"), time("until"));
        let (Some(since), Some(until)) = (since?, until?) else { return Ok(None) };
        Ok(Some(Keys { spellings: texts("rcpt")?, env_ids: texts("env_id")?, since, until }))
    }
}

/// The condition that a record is of a recipient, given in lower case, by numbers alone, and ` and `; nothing where these
/// are not known. Others may have the same.
fn key_range(session: &Session, address: &str) -> String {
    if !session.has_keys() {
        return String::new();
    }
    let key = recipient_key(address.as_bytes()) << 32;
    format!("message_key between {key} and {} and ", key | u64::from(u32::MAX))
}

/// The normal domain of an address, and the address in lower case.
fn parts(address: &str) -> (String, String) {
    let address = address.trim().trim_start_matches('<').trim_end_matches('>');
    let mut domain = String::new();
    normal_domain(domain_of(address.as_bytes()).unwrap_or_default(), &mut domain);
    (domain, address.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_asked_for_in_any_spelling() {
        let of = |text| parts(text);
        assert_eq!(of("<User@GMAIL.com>"), ("gmail.com".to_owned(), "user@gmail.com".to_owned()));
        assert_eq!(of("nobody").0, "");
    }
}
