//! The life of a message: every record of it, in order. Which records those are is decided here,
//! how they are told in `sql/commands/trace.sql`; prints nothing.

use std::collections::BTreeSet;

use pmtaq_schema::Unit;
use pmtaq_schema::address::{domain_of, normal_domain};
use pmtaq_schema::message_key::{LOWER_HALF, env_id_key, recipient_key};

use crate::answer::Answer;
use crate::error::Result;
use crate::query::{Query, Value};
use crate::selection::Selection;
use crate::session::Session;
use crate::statement::narrowed;

/// How the life of a message is told.
const STORY: &str = include_str!("../../../sql/commands/trace.sql");

/// Where its records are to be found.
const FOUND: &str = "select distinct rcpt, env_id,
    min(epoch_us(time_logged)) over () as since, max(epoch_us(time_logged)) over () as until
from records";

/// So many keys are compared one by one, which costs as much for each.
const MOST_KEYS: usize = 8;

/// The field in which PMTA logs a Message-Id.
const MESSAGE_ID: &str = "header_Message-Id";

/// Recipients that are offered when the one asked for is not found.
const NEAREST: i64 = 3;

/// Newest records at least among which these are looked for: a hint is not worth reading a large store.
const AMONG: u64 = 10_000_000;

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
    /// Where the parts have the keys of messages, records are found by comparing numbers, and texts are read of
    /// those alone that are alike: the engine passes over the pages of a column that have none, as long
    /// as it compares no text before. That took a quarter of the CPU time of comparing texts
    /// over a hundred million records, and half of it for an envelope identifier.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] for a filter that there is not, [`crate::Error::Sql`] when the
    /// engine cannot read the parts.
    pub fn query(&self, session: &Session, selection: &Selection) -> Result<Query> {
        let mut query = Query::default();
        let others = selection.sql(&mut query)?;
        let own = match self {
            Trace::Recipient(address) if session.has_keys() => {
                of_recipient(address, session, &mut query)?
            }
            Trace::EnvelopeId(id) if session.has_keys() => {
                of_env_ids(std::slice::from_ref(id), session, selection, &mut query)?
            }
            _ => match self.found(session, selection)? {
                Some(found) => self.among(found, session, selection, &mut query)?,
                None => "false".to_owned(),
            },
        };
        query.sql = narrowed(&format!("{others} and {own}"), STORY);
        for (name, unit) in
            [("message", Unit::Text), ("waited", Unit::Seconds), ("took", Unit::Seconds)]
        {
            query.units.insert(name.to_owned(), unit.into());
        }
        Ok(query)
    }

    /// Where the records are, found by a text of theirs.
    fn found(&self, session: &Session, selection: &Selection) -> Result<Option<Found>> {
        let read = |condition: fn(&Trace, &mut Query) -> String| {
            let mut query = Query::default();
            let own = condition(self, &mut query);
            let all = format!("{} and {own}", selection.sql(&mut query)?);
            query.sql = narrowed(&all, FOUND);
            Found::read(&session.answer(&query)?, condition)
        };
        let found = read(Trace::condition)?;
        if found.is_some() || !matches!(self, Trace::MessageId(_)) {
            return Ok(found);
        }
        let found = read(Trace::condition_of_bare)?;
        let is_extra = |name: &str| name.eq_ignore_ascii_case(MESSAGE_ID);
        if found.is_none() && session.may_have_extra(is_extra)? {
            return read(Trace::condition_of_extra);
        }
        Ok(found)
    }

    /// The condition that reads little, once it is known where the records are.
    fn among(
        &self,
        found: Found,
        session: &Session,
        selection: &Selection,
        query: &mut Query,
    ) -> Result<String> {
        let Found { spellings, env_ids, since, until, condition } = found;
        let own = match self {
            Trace::Recipient(_) => any("rcpt", &spellings, query),
            Trace::EnvelopeId(id) => any("env_id", std::slice::from_ref(id), query),
            Trace::MessageId(_) if env_ids.is_empty() => condition(self, query),
            Trace::MessageId(_) if session.has_keys() => {
                of_env_ids(&env_ids, session, selection, query)?
            }
            Trace::MessageId(_) => any("env_id", &env_ids, query),
        };
        let since = format!("time_logged >= make_timestamp({since})");
        Ok(match self {
            // What came back of the message has its envelope identifier alone, and comes later.
            Trace::MessageId(_) => format!("{since} and {own}"),
            _ => format!("{since} and time_logged <= make_timestamp({until}) and {own}"),
        })
    }

    fn condition(&self, query: &mut Query) -> String {
        match self {
            Trace::Recipient(address) => {
                let (domain, address) = parts(address);
                let domain = query.bind(Value::Text(domain));
                let address = query.bind(Value::Text(address));
                // By domain first: parts and their row groups know which they have.
                format!("rcpt_domain = ${domain} and (lower(rcpt) = ${address}) is true")
            }
            Trace::EnvelopeId(id) => format!("env_id = ${}", query.bind(Value::Text(id.clone()))),
            // Row groups say of one text whether they have not got it.
            Trace::MessageId(id) => {
                let id = query.bind(Value::Text(format!("<{}>", without_brackets(id))));
                format!("message_id = ${id}")
            }
        }
    }

    /// The same of a Message-Id that was logged without its brackets; nothing of all else.
    fn condition_of_bare(&self, query: &mut Query) -> String {
        let Trace::MessageId(id) = self else { return "false".to_owned() };
        format!("message_id = ${}", query.bind(Value::Text(without_brackets(id).to_owned())))
    }

    /// The same in parts of the first versions, which had a Message-Id among the fields that no column takes; nothing
    /// of all else.
    fn condition_of_extra(&self, query: &mut Query) -> String {
        let Trace::MessageId(id) = self else { return "false".to_owned() };
        let bare = query.bind(Value::Text(without_brackets(id).to_owned()));
        format!("(trim(field_of(extra, '{}'), '<>') = ${bare}) is true", MESSAGE_ID.to_lowercase())
    }

    /// What was probably meant, when nothing was found, among the newest records: recipients of that domain, else a
    /// domain.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when the engine cannot read the parts.
    pub fn nearest(&self, session: &Session) -> Result<Vec<String>> {
        let Trace::Recipient(address) = self else { return Ok(Vec::new()) };
        let (domain, address) = parts(address);
        let newest = session.newest_since(AMONG);
        let is_known = "select 'known' from stored where rcpt_domain = ? limit 1";
        if session.texts(is_known, [&domain])?.is_empty() {
            let known = format!(
                "select rcpt_domain from stored where {newest} and rcpt_domain is not null
                 group by rcpt_domain order by count(*) desc, rcpt_domain limit 100000"
            );
            let known = session.texts(&known, [])?;
            let nearest = pmtaq_schema::nearest::nearest(&domain, known.iter().map(String::as_str));
            return Ok(nearest.map(str::to_owned).into_iter().collect());
        }
        let nearest = format!(
            "select rcpt from (select distinct rcpt from stored where {newest} and rcpt_domain = ?)
             where jaro_winkler_similarity(lower(rcpt), ?) > 0.9
             order by damerau_levenshtein(lower(rcpt), ?), rcpt limit ?"
        );
        session.texts(&nearest, [&domain as &dyn duckdb::ToSql, &address, &address, &NEAREST])
    }
}

/// What is needed to find the records of some messages quickly.
struct Found {
    /// How they were found.
    condition: fn(&Trace, &mut Query) -> String,
    spellings: Vec<String>,
    env_ids: Vec<String>,
    /// First and last of them, in microseconds since 1970.
    since: i64,
    until: i64,
}

impl Found {
    fn read(found: &Answer, condition: fn(&Trace, &mut Query) -> String) -> Result<Option<Found>> {
        let texts = |column: &str| -> Result<Vec<String>> {
            let texts = found.texts(column)?.into_iter().flatten().filter(|text| !text.is_empty());
            Ok(texts.collect::<BTreeSet<String>>().into_iter().collect())
        };
        let time = |column: &str| Ok(found.i64s(column)?.first().copied().flatten());
        let (since, until): (Result<_>, Result<_>) = (time("since"), time("until"));
        let (Some(since), Some(until)) = (since?, until?) else { return Ok(None) };
        let (spellings, env_ids) = (texts("rcpt")?, texts("env_id")?);
        Ok(Some(Found { condition, spellings, env_ids, since, until }))
    }
}

/// A Message-Id without its angle brackets.
fn without_brackets(id: &str) -> &str {
    id.trim().trim_start_matches('<').trim_end_matches('>')
}

/// The condition that a text is one of some.
fn any(column: &str, texts: &[String], query: &mut Query) -> String {
    let texts = texts.iter().map(|text| format!("${}", query.bind(Value::Text(text.clone()))));
    // With `is true` the engine reads the other columns of these records alone.
    format!("({column} in ({})) is true", texts.collect::<Vec<_>>().join(", "))
}

/// The condition that a record is of a recipient: first by its time, then by the number, which others may have too.
fn of_recipient(address: &str, session: &Session, query: &mut Query) -> Result<String> {
    let (domain, address) = parts(address);
    let when = session.narrow_to_recipient(&address)?.unwrap_or_else(|| "true".to_owned());
    let key = recipient_key(address.as_bytes()) << 32;
    let domain = query.bind(Value::Text(domain));
    let address = query.bind(Value::Text(address));
    // Of two columns in one, so that the engine does not compare texts while it reads them.
    Ok(format!(
        "{when} and message_key between {key} and {} and (rcpt_domain = ${domain} and lower(rcpt) = ${address}) is true",
        key | LOWER_HALF
    ))
}

/// The condition that a record has one of some envelope identifiers: first by the number, which others
/// may have too. Which keys there are is asked before, of their lower halves.
fn of_env_ids(
    env_ids: &[String],
    session: &Session,
    selection: &Selection,
    query: &mut Query,
) -> Result<String> {
    let halves = env_ids.iter().map(|id| env_id_key(id.as_bytes()).to_string());
    let halves = halves.collect::<Vec<_>>().join(", ");
    let of_halves = format!("(message_key & {LOWER_HALF}) in ({halves})");
    let mut keys = Query::default();
    let condition = format!("{} and {of_halves}", selection.sql(&mut keys)?);
    keys.sql =
        narrowed(&condition, "select distinct message_key::varchar as message_key from records");
    let keys: Vec<String> =
        session.answer(&keys)?.texts("message_key")?.into_iter().flatten().collect();
    let own = any("env_id", env_ids, query);
    if keys.is_empty() {
        return Ok("false".to_owned());
    }
    if keys.len() > MOST_KEYS {
        return Ok(own);
    }
    // As stretches of one number each: a list of numbers is compared late. And the text together with
    // another column, as above.
    let stretches = keys.iter().map(|key| format!("message_key between {key} and {key}"));
    let stretches = stretches.collect::<Vec<_>>().join(" or ");
    Ok(format!("({stretches}) and ({own} and {of_halves}) is true"))
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
