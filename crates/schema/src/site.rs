//! Fields of an accounting file that no column takes, and the dimensions that a site makes of a field by a
//! regular expression. Knows no store and no SQL.
//!
//! `hourly` can keep such dimensions: the values of a row, of all that are kept, are one text in the form of
//! a URL's query (`brand=acme&campaign=77`), in which all bytes but letters, digits and `-_.~` are escaped.

use std::borrow::Cow;
use std::fmt::Write as _;

use regex_lite::Regex;

use crate::Column;
use crate::columns::COLUMNS;

/// What a field that no column takes is called in front, besides its name.
const FIELDS: [&str; 2] = ["header_", "arf_"];

/// In front of the name of any field that no column takes.
const ANY_FIELD: &str = "extra.";

/// A dimension that a site makes: what the first group of a regular expression finds in a field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SiteDimension {
    /// Its name.
    pub name: String,
    /// The field: a column of text, or as `header_NAME`.
    pub field: String,
    /// The expression, as RE2 reads it.
    pub pattern: String,
}

/// A field that no column takes, or took at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedField<'n> {
    /// Its name in the accounting file.
    pub name: &'n str,
    /// The column of text that takes it today, by its place in [`COLUMNS`].
    pub column: Option<usize>,
}

impl<'n> LoggedField<'n> {
    /// The field that a user calls `name`; none when it is not written like one.
    pub fn named(name: &'n str) -> Option<LoggedField<'n>> {
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
        let column = Column::of_field(field).filter(|&at| COLUMNS[at].kind.is_text());
        Some(LoggedField { name: field, column })
    }
}

/// What of a row a dimension of the site is made of.
pub trait Row {
    /// The text of a column; empty where there is none.
    fn text(&self, column: usize) -> &[u8];

    /// The value of the first field that no column takes and whose name is the one looked for.
    fn field(&self, is_it: &dyn Fn(&[u8]) -> bool) -> Option<&[u8]>;
}

/// The dimensions of a site that `hourly` keeps, by their names.
#[derive(Clone, Debug, Default)]
pub struct KeptDimensions {
    definitions: Vec<SiteDimension>,
    found: Vec<(Source, Regex)>,
}

/// Why a dimension cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKept {
    /// The name of the dimension.
    pub name: String,
    /// What is wrong with it, as a sentence.
    pub what: String,
}

/// Where the text is from.
#[derive(Clone, Debug)]
enum Source {
    Column(usize),
    Field { name: String, column: Option<usize> },
}

impl KeptDimensions {
    /// Those of `site`, in any order.
    ///
    /// # Errors
    /// What is wrong with one of them, as a sentence. What `(?i)` means beyond ASCII and classes of Unicode are
    /// refused: the engine and this reader know different ones.
    pub fn new(mut site: Vec<SiteDimension>) -> Result<KeptDimensions, NotKept> {
        site.sort();
        let found = site.iter().map(|SiteDimension { name, field, pattern }| {
            let wrong = |what: String| NotKept { name: name.clone(), what };
            let source = source(field).ok_or_else(|| wrong(format!("`{field}` is no field")))?;
            let not_kept = |what: &str| {
                let advice = "leave `hourly = true` out";
                wrong(format!("`{name}` cannot be kept in `hourly`: {what}; {advice}"))
            };
            if pattern.contains("(?") && !pattern.is_ascii() {
                return Err(not_kept("its expression has flags and letters that are not ASCII"));
            }
            let regex = Regex::new(pattern).map_err(|error| not_kept(&error.to_string()))?;
            Ok((source, regex))
        });
        let found = found.collect::<Result<_, NotKept>>()?;
        Ok(KeptDimensions { definitions: site, found })
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }

    /// What they are, in the order of their names.
    pub fn definitions(&self) -> &[SiteDimension] {
        &self.definitions
    }

    /// Adds the values of a row to `text`, as `hourly` has them; nothing where it has none.
    pub fn values(&self, row: &impl Row, text: &mut String) {
        let start = text.len();
        for (SiteDimension { name, .. }, (source, regex)) in
            self.definitions.iter().zip(&self.found)
        {
            let found = source.text(row);
            let found = regex.captures(&found).and_then(|found| found.get(1));
            let Some(value) = found.map(|found| found.as_str()).filter(|found| !found.is_empty())
            else {
                continue;
            };
            if text.len() > start {
                text.push('&');
            }
            let _ = write!(text, "{name}=");
            for byte in value.bytes() {
                if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                    text.push(char::from(byte));
                } else {
                    let _ = write!(text, "%{byte:02X}");
                }
            }
        }
    }
}

/// The field that a dimension of the site is made of.
fn source(field: &str) -> Option<Source> {
    let is_it = |column: &Column| column.name == field && column.kind.is_text();
    if let Some(at) = COLUMNS.iter().position(is_it) {
        return Some(Source::Column(at));
    }
    let LoggedField { name, column } = LoggedField::named(field)?;
    Some(Source::Field { name: name.to_owned(), column })
}

impl Source {
    fn text<'r>(&self, row: &'r impl Row) -> Cow<'r, str> {
        let text = match self {
            Source::Column(column) => row.text(*column),
            Source::Field { name, column } => match column.map_or(&b""[..], |at| row.text(at)) {
                b"" => {
                    let same = row.field(&|field| field == name.as_bytes());
                    let in_any_case = |field: &[u8]| field.eq_ignore_ascii_case(name.as_bytes());
                    same.or_else(|| row.field(&in_any_case)).unwrap_or_default()
                }
                text => text,
            },
        };
        String::from_utf8_lossy(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::index_of;

    /// A row with a sender and some fields.
    struct Sample(&'static str, &'static [(&'static str, &'static str)]);

    impl Row for Sample {
        fn text(&self, column: usize) -> &[u8] {
            if column == index_of("orig") { self.0.as_bytes() } else { b"" }
        }

        fn field(&self, is_it: &dyn Fn(&[u8]) -> bool) -> Option<&[u8]> {
            let found = self.1.iter().find(|(name, _)| is_it(name.as_bytes()));
            found.map(|(_, value)| value.as_bytes())
        }
    }

    fn site(name: &str, field: &str, pattern: &str) -> SiteDimension {
        let [name, field, pattern] = [name, field, pattern].map(str::to_owned);
        SiteDimension { name, field, pattern }
    }

    fn values(site: Vec<SiteDimension>, row: &Sample) -> String {
        let mut text = String::new();
        KeptDimensions::new(site).expect("dimensions").values(row, &mut text);
        text
    }

    #[test]
    fn the_values_of_a_row_are_one_text_in_which_no_value_can_be_another() {
        let row = Sample("bounce-acme-1@x", &[("header_X-Tenant", "a&b=c \u{fc}%")]);
        let brand = || site("brand", "orig", "^bounce-([a-z]+)-");
        let tenant = site("tenant", "header_x-tenant", "(.*)");
        assert_eq!(values(vec![tenant, brand()], &row), "brand=acme&tenant=a%26b%3Dc%20%C3%BC%25");
        assert_eq!(values(vec![brand()], &Sample("news@x", &[])), "");
        assert_eq!(values(vec![site("empty", "orig", "(x?)")], &row), "");
    }

    #[test]
    fn a_field_is_found_by_its_own_name_before_another_case_of_it() {
        let row = Sample("", &[("header_x", "lower"), ("header_X", "upper")]);
        assert_eq!(values(vec![site("x", "header_X", "(.*)")], &row), "x=upper");
        assert_eq!(values(vec![site("x", "HEADER_X", "(.*)")], &row), "x=lower");
    }

    #[test]
    fn what_two_engines_read_differently_is_not_kept() {
        for pattern in ["(", "(\\pL)", "([a[b]])", "([a-z&&b])", "(?i)(stra\u{df}e)"] {
            let wrong = KeptDimensions::new(vec![site("x", "orig", pattern)])
                .map(|_| ())
                .expect_err(pattern);
            assert!(wrong.what.contains("`x` cannot be kept in `hourly`"), "{wrong:?}");
        }
        assert!(KeptDimensions::new(vec![site("x", "orgi", "(.)")]).is_err());
    }
}
