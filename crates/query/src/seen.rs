//! How often a reply was seen, and from whom. Counts; what it means is decided elsewhere.

use pmtaq_schema::Unit;
use pmtaq_schema::explain::{Code, Entry};

use crate::error::Result;
use crate::query::{Query, Value};
use crate::selection::Selection;
use crate::statement::narrowed;

/// What is counted.
#[derive(Clone, Debug)]
pub enum Sought<'e> {
    /// Replies with this very template.
    Template(String),
    /// Replies that an entry is about.
    Entry(&'e Entry),
}

/// The question how often that was seen, by provider: `provider`, `seen`, `first_seen`,
/// `last_seen`, the most frequent first.
///
/// # Errors
/// [`crate::Error::Unknown`] for a filter that there is not.
pub fn seen(sought: &Sought<'_>, selection: &Selection) -> Result<Query> {
    let mut query = Query::default();
    let mut condition = selection.sql(&mut query)?;
    condition += " and rec in ('b', 't', 'tq', 'rb', 'rs')";
    match sought {
        Sought::Template(template) => {
            let template = query.bind(Value::Text(template.clone()));
            condition += &format!(" and template = ${template}");
        }
        Sought::Entry(entry) => {
            let codes: Vec<String> = entry.codes.iter().map(code).collect();
            if !codes.is_empty() {
                condition += &format!(" and ({})", codes.join(" or "));
            }
            for word in &entry.words {
                let word = query.bind(Value::Text(word.clone()));
                condition += &format!(" and contains(lower(template), ${word})");
            }
        }
    }
    query.sql = narrowed(
        &condition,
        "select coalesce(provider, '(none)') as provider, count(*) as seen,
    min(time_logged) as first_seen, max(time_logged) as last_seen
from records
group by provider
order by seen desc, provider",
    );
    query.units.insert("seen".to_owned(), Unit::Count.into());
    Ok(query)
}

/// A code as a condition. Made of numbers alone.
fn code(code: &Code) -> String {
    match code {
        Code::Smtp(code) => format!("smtp_code = {code}"),
        Code::Enhanced { class, subject, details: (first, last) } => {
            let classes = class.map_or(vec![4, 5], |class| vec![class]);
            let all = classes.iter().flat_map(|class| {
                (*first..=*last).map(move |detail| format!("'{class}.{subject}.{detail}'"))
            });
            format!("enhanced_code in ({})", all.collect::<Vec<_>>().join(", "))
        }
    }
}
