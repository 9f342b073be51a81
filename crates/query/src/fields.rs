//! Dimensions that are on no list: a field of the accounting file under its own name, such as
//! `header_X-Campaign`, and those that a site makes of a field by a regular expression.
//!
//! Names of fields and expressions are not ours, so no SQL is made of them: the SQL of such a dimension
//! reads a variable of the engine, which a session sets to them before a statement that reads it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pmtaq_schema::site::{LoggedField, SiteDimension};
use pmtaq_schema::{COLUMNS, Column};

use crate::dimension::{Dimension, dimension};
use crate::filters::FILTERS;

/// A dimension of the site that `hourly` keeps.
#[derive(Clone)]
pub(crate) struct KeptDimension {
    pub(crate) dimension: &'static Dimension,
    /// What it is called in statements over `hourly`.
    pub(crate) column: &'static str,
    pub(crate) site: SiteDimension,
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
    kept: Vec<KeptDimension>,
}

static KNOWN: Mutex<Known> =
    Mutex::new(Known { dimensions: Vec::new(), variables: Vec::new(), kept: Vec::new() });

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
        self.add_made(made, is_of_site)
    }

    fn add_made(&mut self, made: Dimension, is_of_site: bool) -> &'static Dimension {
        let made: &'static Dimension = Box::leak(Box::new(made));
        self.dimensions.push((made, is_of_site));
        made
    }

    /// The field called `name`, in any case; none when it is not written like one.
    fn field(&mut self, name: &str) -> Option<&'static Dimension> {
        let LoggedField { name: field, column } = LoggedField::named(name)?;
        if let Some(known) = self.named(name) {
            return Some(known);
        }
        let variable = self.variable(name, field, false);
        // One that has become a column is in `extra` of older parts.
        let column = column.map(|at| format!("{}, ", COLUMNS[at].name)).unwrap_or_default();
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

/// The dimensions of the site that `hourly` keeps.
pub(crate) fn kept() -> Vec<KeptDimension> {
    known().kept.clone()
}

/// What `hourly` keeps of a record, in SQL, for the records of hours that a window cuts.
pub(crate) fn kept_of_record() -> String {
    let kept = kept();
    if kept.is_empty() {
        return "null::varchar".to_owned();
    }
    let value = |kept: &KeptDimension| {
        format!("'{}=' || url_encode({})", kept.site.name, kept.dimension.sql)
    };
    let values: Vec<String> = kept.iter().map(value).collect();
    format!("nullif(concat_ws('&', {}), '')", values.join(", "))
}

/// Defines a dimension of the site, for the whole process; `is_kept` by `hourly`.
///
/// # Errors
/// What is wrong with its name or its field. The expression is read by the engine, when it is used.
pub fn define(site: &SiteDimension, is_kept: bool) -> std::result::Result<(), String> {
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
    if is_kept {
        let column: &'static str = format!("of_site_{name}").leak();
        let (name, sql): (&'static str, &'static str) = (name.clone().leak(), sql.leak());
        let doc = format!("of {field}, by the settings of the site, and kept in hourly").leak();
        let made = Dimension::of_field(name, sql, doc).kept(column);
        let dimension = known.add_made(made, true);
        known.kept.push(KeptDimension { dimension, column, site: site.clone() });
    } else {
        known.add(name, sql, format!("of {field}, by the settings of the site"), true);
    }
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
        define(&SiteDimension { name: of(name), field: of(field), pattern: of("(.)") }, false)
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
