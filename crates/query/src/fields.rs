//! Dimensions that are on no list: a field of the accounting file under its own name, such as
//! `header_X-Campaign`, and those that a site makes of a field by a regular expression.
//!
//! Names of fields and expressions are not ours, so no SQL is made of them: the SQL of such a dimension
//! reads a variable of the engine, which a session sets to them before a statement that reads it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pmtaq_schema::{COLUMNS, Column};

use crate::dimension::{Dimension, dimension};
use crate::filters::FILTERS;

/// What a field of `extra` is called in front, besides its name.
const FIELDS: [&str; 2] = ["header_", "arf_"];

/// In front of the name of any field that no column takes.
const ANY_FIELD: &str = "extra.";

/// A dimension that a site makes: what the first group of a regular expression finds in a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteDimension {
    /// Its name.
    pub name: String,
    /// The field: a column of text, or as `header_NAME`.
    pub field: String,
    /// The expression, as RE2 reads it.
    pub pattern: String,
}

/// A variable of the engine, and what it holds.
#[derive(Clone)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) is_pattern: bool,
    /// What uses it.
    pub(crate) of: String,
}

/// The dimensions that were asked for or defined, and their variables. Of the process, as the list of
/// [`crate::DIMENSIONS`] is; few, since only names that someone wrote are here.
#[derive(Default)]
struct Known {
    dimensions: Vec<(&'static Dimension, bool)>,
    variables: Vec<Variable>,
}

static KNOWN: Mutex<Known> = Mutex::new(Known { dimensions: Vec::new(), variables: Vec::new() });

fn known() -> MutexGuard<'static, Known> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Known {
    fn named(&self, name: &str) -> Option<&'static Dimension> {
        self.dimensions.iter().map(|(known, _)| *known).find(|known| known.name == name)
    }

    /// A new variable; the SQL that reads it.
    fn variable(&mut self, of: &str, value: &str, is_pattern: bool) -> String {
        let name = format!("pmtaq_{}", self.variables.len());
        let sql = format!("getvariable('{name}')");
        let (value, of) = (value.to_owned(), of.to_owned());
        self.variables.push(Variable { name, value, is_pattern, of });
        sql
    }

    fn add(
        &mut self,
        name: &str,
        sql: String,
        doc: String,
        is_of_site: bool,
    ) -> &'static Dimension {
        let leak = |text: String| -> &'static str { text.leak() };
        let made = Dimension::of_field(leak(name.to_owned()), leak(sql), leak(doc));
        let made: &'static Dimension = Box::leak(Box::new(made));
        self.dimensions.push((made, is_of_site));
        made
    }

    /// The field called `name`, in any case; none when it is not written like one.
    fn field(&mut self, name: &str) -> Option<&'static Dimension> {
        let begins = |prefix: &&str| {
            let head = name.get(..prefix.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(prefix)) && name.len() > prefix.len()
        };
        let field = match name.strip_prefix(ANY_FIELD) {
            Some(field) => field,
            None if FIELDS.iter().any(begins) => name,
            None => return None,
        };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if field.is_empty() || !field.bytes().all(is_plain) {
            return None;
        }
        if let Some(known) = self.named(name) {
            return Some(known);
        }
        let variable = self.variable(name, field, false);
        // One that has become a column is in `extra` of older parts.
        let column = Column::of_field(field).map(|at| &COLUMNS[at]);
        let column = column.filter(|column| column.kind.is_text());
        let column = column.map(|column| format!("{}, ", column.name)).unwrap_or_default();
        let sql =
            format!("coalesce({column}extra[{variable}], field_of(extra, lower({variable})))");
        Some(self.add(name, sql, format!("the field {field}"), false))
    }
}

/// The dimension that is a field called `name`, or one of the site.
pub(crate) fn named(name: &str) -> Option<&'static Dimension> {
    let mut known = known();
    known.named(name).or_else(|| known.field(name))
}

/// The dimensions of the site, as they were defined.
pub fn site_dimensions() -> Vec<&'static Dimension> {
    known()
        .dimensions
        .iter()
        .filter(|(_, is_of_site)| *is_of_site)
        .map(|(known, _)| *known)
        .collect()
}

/// Defines a dimension of the site, for the whole process.
///
/// # Errors
/// What is wrong with its name or its field. The expression is read by the engine, when it is used.
pub fn define(site: &SiteDimension) -> std::result::Result<(), String> {
    let SiteDimension { name, field, pattern } = site;
    let is_word = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && name.starts_with(|c: char| c.is_ascii_lowercase());
    if !is_word {
        return Err(format!("`{name}` is not a name of lower-case letters, digits and _"));
    }
    let is_taken = dimension(name).is_ok()
        || Column::index(name).is_some()
        || FILTERS.iter().any(|filter| filter.name == name);
    if is_taken {
        return Err(format!("`{name}` has a meaning already; choose another name"));
    }
    if !pattern.contains('(') {
        return Err(format!("`{pattern}` has no group in parentheses, which would be the value"));
    }
    let column = COLUMNS.iter().find(|column| column.name == field && column.kind.is_text());
    let mut known = known();
    let source = match column {
        Some(column) => column.name.to_owned(),
        None => known.field(field).map(|field| field.sql.to_owned()).ok_or_else(|| {
            let texts = COLUMNS.iter().filter(|column| column.kind.is_text()).map(|c| c.name);
            let nearest = pmtaq_schema::nearest::nearest(field, texts);
            let hint = nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            format!(
                "`{field}` is neither a column of text nor a field such as header_Message-Id{hint}"
            )
        })?,
    };
    let variable = known.variable(name, pattern, true);
    let sql = format!("nullif(regexp_extract({source}, {variable}, 1), '')");
    known.add(name, sql, format!("of {field}, by the settings of the site"), true);
    Ok(())
}

/// The variables that `sql` reads.
pub(crate) fn variables_in(sql: &str) -> Vec<Variable> {
    let known = known();
    let reads = |of: &&Variable| sql.contains(&format!("getvariable('{}')", of.name));
    known.variables.iter().filter(reads).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(name: &str, field: &str) -> std::result::Result<(), String> {
        let of = |text: &str| text.to_owned();
        define(&SiteDimension { name: of(name), field: of(field), pattern: of("(.)") })
    }

    #[test]
    fn a_field_is_a_dimension_by_its_own_name_and_no_other_text_is() {
        for name in ["header_X-Campaign", "HEADER_x", "arf_source-ip", "extra.newField"] {
            let found = dimension(name).expect("a field");
            assert_eq!(found.name, name);
            assert!(!found.sql.contains(name) && !found.is_time() && found.reads().is_none());
            assert!(std::ptr::eq(found, dimension(name).expect("the same")));
        }
        for name in ["header_", "extra.", "header_x' or", "header_\u{e9}", "header_a b", "hedaer_x"]
        {
            assert!(dimension(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_site_makes_dimensions_of_texts_under_names_of_their_own() {
        assert_eq!(site("brand_of_test", "orig"), Ok(()));
        assert_eq!(site("campaign_of_test", "header_Message-Id"), Ok(()));
        assert!(site_dimensions().iter().any(|known| known.name == "brand_of_test"));
        assert!(
            site("brand_of_test", "orig").expect_err("twice").contains("has a meaning already")
        );
        for taken in ["provider", "job", "rcpt", "domain"] {
            assert!(site(taken, "orig").expect_err("taken").contains("has a meaning already"));
        }
        for wrong in ["Brand", "", "a b", "1a", "a'b"] {
            assert!(site(wrong, "orig").expect_err("no name").contains("is not a name"), "{wrong}");
        }
        let unknown = site("x_of_test", "orgi").expect_err("no field");
        assert!(unknown.contains("did you mean `orig`?"), "{unknown}");
        assert!(site("y_of_test", "dlv_size").is_err());
    }
}
