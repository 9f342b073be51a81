//! A header line as a plan: which field feeds which column. Believes the header and nothing else:
//! any order, any subset, any unknown fields.

use std::collections::{HashMap, HashSet};

use memchr::memchr_iter;
use pmtaq_schema::{COLUMNS, Column, Kind};

use crate::encoded_words;
use crate::reject::shorten;
use crate::split::Splitter;

/// Fields of a header that are read, at most. PMTA has about a hundred, and a header may name more of
/// messages' own.
const MAX_FIELDS: usize = 2000;

const TIME_LOGGED: usize = pmtaq_schema::columns::index_of("time_logged");

/// Which field of a line is what.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// Names as the header has them.
    pub fields: Vec<String>,
    /// Position of the record type.
    pub kind: usize,
    /// For each column of [`COLUMNS`] the position of its field.
    pub sources: Vec<Option<usize>>,
    /// The columns of [`COLUMNS`] that hold numbers or times, with the positions of their fields.
    pub numbers: Vec<(usize, usize)>,
    /// The columns that hold text.
    pub texts: Vec<Text>,
    /// The fields that no column takes.
    pub extra: Vec<Extra>,
    /// The records have no header of their own: this one is from elsewhere.
    pub is_assumed: bool,
}

/// A column that holds text.
#[derive(Debug, PartialEq, Eq)]
pub struct Text {
    /// The column.
    pub column: usize,
    /// Position of its field.
    pub field: usize,
    /// Positions of the fields of which the first that is filled is taken where that one is empty: a
    /// header for all record types has both `envId` and, of `f` records, `envid`.
    pub otherwise: Vec<usize>,
}

/// A field that no column takes.
#[derive(Debug, PartialEq, Eq)]
pub struct Extra {
    /// Its position.
    pub field: usize,
    /// Its key in the column `extra`.
    pub key: String,
    /// Whether it is a header of the message.
    pub is_header: bool,
    /// Positions of the fields before it that a column takes: while all are empty, it takes this one.
    pub unless_empty: Vec<usize>,
    /// Position of an earlier field of the same name: while that is empty, the key is the name alone.
    pub after: Option<usize>,
}

/// Why a header cannot be used. The file is refused whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The content does not begin with a header line.
    #[error(
        "no header line: the file begins with `{line}`, where `type,timeLogged,...` was expected; is it an accounting file?"
    )]
    NoHeader {
        /// The beginning of the first line.
        line: String,
    },
    /// Without a time a record cannot be placed.
    #[error(
        "the header has no timeLogged, so its records cannot be placed in time; {}add timeLogged to `record-fields` of this <acct-file> in PowerMTA's configuration",
        other.as_ref().map(|name| format!("`--time-field {name}` takes that for the time; for the future ")).unwrap_or_default()
    )]
    NoTime {
        /// Another field that may be a time.
        other: Option<String>,
    },
    /// Names with spaces around, as in `type, timeLogged`.
    #[error("the names of the header have spaces around them")]
    Spaced,
    /// Its lines end as only old Macs ended them.
    #[error(
        "its lines end with CR alone, so all of it is one line; `tr '\\r' '\\n' < FILE > NEW` makes lines of it"
    )]
    OnlyReturns,
    /// More fields than any accounting file has.
    #[error(
        "the header has {fields} fields, and at most {MAX_FIELDS} are read: is it an accounting file?"
    )]
    TooManyFields {
        /// How many.
        fields: usize,
    },
    /// The quotes of the header are broken.
    #[error("the header line `{line}` has a quote that is not closed")]
    Broken {
        /// The beginning of the line.
        line: String,
    },
}

impl Plan {
    /// Reads a header line, whose first field is `type` or `#type`.
    ///
    /// # Errors
    /// When the line cannot tell where a record belongs.
    pub fn of_header(line: &[u8]) -> Result<Plan, PlanError> {
        Plan::with_time(line, None)
    }

    /// The same; where there is no timeLogged, the field `time_field` is the time that a record counts
    /// by. It is in `extra` under its own name, so that such records can be told, and in no other column.
    ///
    /// # Errors
    /// As above.
    pub fn with_time(line: &[u8], time_field: Option<&str>) -> Result<Plan, PlanError> {
        let mut splitter = Splitter::new(line);
        let shortened = || shorten(line);
        let Some(header) = splitter.next_line() else {
            return Err(PlanError::NoHeader { line: shortened() });
        };
        if header.broken {
            return Err(PlanError::Broken { line: shortened() });
        }
        Plan::check_line_ends(header.raw())?;
        if header.len() > MAX_FIELDS {
            return Err(PlanError::TooManyFields { fields: header.len() });
        }
        let fields: Vec<String> = (0..header.len())
            .map(|i| String::from_utf8_lossy(&header.field(i).value()).trim().to_owned())
            .collect();
        let sources = vec![None; COLUMNS.len()];
        let mut plan = Plan {
            fields: vec![],
            kind: 0,
            sources,
            numbers: vec![],
            texts: vec![],
            extra: vec![],
            is_assumed: false,
        };
        let (mut spellings, mut keys) = (HashMap::<String, Vec<usize>>::new(), HashSet::new());
        let mut of_columns = vec![Vec::new(); COLUMNS.len()];
        for (i, name) in fields.iter().enumerate() {
            let seen = spellings.entry(name.to_ascii_lowercase()).or_default();
            let (earlier, first) = (seen.len(), seen.first().copied());
            seen.push(i);
            let column = Column::of_field(name);
            match column {
                _ if i == plan.kind => {}
                Some(column) if plan.sources[column].is_none() => plan.sources[column] = Some(i),
                _ => {
                    let mut key = match earlier {
                        0 => name.clone(),
                        _ => format!("{name}#{}", earlier + 1),
                    };
                    // A field may itself be called `orig#2`.
                    while !keys.insert(key.clone()) {
                        key.push('#');
                    }
                    let of_text = column.filter(|&column| COLUMNS[column].kind.is_text());
                    let unless_empty =
                        of_text.map(|column| of_columns[column].clone()).unwrap_or_default();
                    let after = first.filter(|_| column.is_none());
                    let is_header = encoded_words::is_header(name);
                    plan.extra.push(Extra { field: i, key, is_header, unless_empty, after });
                }
            }
            if let Some(column) = column.filter(|_| i != plan.kind) {
                of_columns[column].push(i);
            }
        }
        if plan.sources[TIME_LOGGED].is_none() {
            plan.take_time(time_field, &fields)?;
        }
        plan.fields = fields;
        for (column, source) in plan.sources.iter().enumerate() {
            match (source, COLUMNS[column].kind) {
                (Some(field), Kind::Int | Kind::Time) => plan.numbers.push((column, *field)),
                (Some(field), _) => {
                    let is_next = |extra: &&Extra| extra.unless_empty.first() == Some(field);
                    let others = plan.extra.iter().filter(is_next);
                    let otherwise = others.map(|extra| extra.field).collect();
                    plan.texts.push(Text { column, field: *field, otherwise });
                }
                (None, _) => {}
            }
        }
        Ok(plan)
    }

    /// Lets records count by the field `name`.
    fn take_time(&mut self, name: Option<&str>, fields: &[String]) -> Result<(), PlanError> {
        let named = |name: &str| fields.iter().position(|field| field.eq_ignore_ascii_case(name));
        let Some(at) = name.and_then(named) else {
            let looks = |field: &&String| {
                let field = field.to_ascii_lowercase();
                ["time", "date"].iter().any(|part| field.starts_with(part) || field.ends_with(part))
            };
            let first = || fields.iter().find(looks);
            let queued = fields.iter().find(|field| field.eq_ignore_ascii_case("timeQueued"));
            return Err(PlanError::NoTime { other: queued.or_else(first).cloned() });
        };
        self.sources
            .iter_mut()
            .filter(|source| **source == Some(at))
            .for_each(|source| *source = None);
        self.sources[TIME_LOGGED] = Some(at);
        if self.extra.iter().all(|extra| extra.field != at) {
            let (key, is_header, unless_empty, after) = (fields[at].clone(), false, vec![], None);
            self.extra.push(Extra { field: at, key, is_header, unless_empty, after });
        }
        Ok(())
    }

    /// The header as a line, as [`Plan::of_header`] reads it; empty when a name would need quotes.
    pub(crate) fn line(&self) -> String {
        if self.fields.iter().any(|name| name.contains(['"', ',', '\n', '\r'])) {
            String::new()
        } else {
            self.fields.join(",")
        }
    }

    /// # Errors
    /// [`PlanError::OnlyReturns`] when a CR ends a line, with no LF behind it.
    pub(crate) fn check_line_ends(header: &[u8]) -> Result<(), PlanError> {
        let is_alone = |at: usize| header.get(at + 1).is_some_and(|next| !b"\r\n".contains(next));
        if memchr_iter(b'\r', header).any(is_alone) { Err(PlanError::OnlyReturns) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(plan: &Plan, column: &str) -> Option<usize> {
        plan.sources[Column::index(column).expect("a column")]
    }

    #[test]
    fn any_order_and_any_case_is_understood() {
        let plan = Plan::of_header(b"#type,rcpt,TIMELOGGED,header_Subject\r\n").expect("a plan");
        assert_eq!(source(&plan, "rcpt"), Some(1));
        assert_eq!(source(&plan, "time_logged"), Some(2));
        assert_eq!(source(&plan, "orig"), None);
        let extra: Vec<_> =
            plan.extra.iter().map(|extra| (extra.field, extra.key.as_str())).collect();
        assert_eq!(extra, [(3, "header_Subject")]);
    }

    #[test]
    fn of_a_name_that_comes_twice_the_second_is_kept_as_extra() {
        let plan = Plan::of_header(b"type,timeLogged,rcpt,rcpt,foo,foo").expect("a plan");
        assert_eq!(source(&plan, "rcpt"), Some(2));
        let keys: Vec<_> = plan.extra.iter().map(|extra| extra.key.as_str()).collect();
        assert_eq!(keys, ["rcpt#2", "foo", "foo#2"]);
    }

    #[test]
    fn no_two_fields_have_one_key_whatever_they_are_called() {
        let plan = Plan::of_header(b"type,timeLogged,a,a,a#2,b#2,b,b").expect("a plan");
        let keys: Vec<_> = plan.extra.iter().map(|extra| extra.key.as_str()).collect();
        assert_eq!(keys, ["a", "a#2", "a#2#", "b#2", "b", "b#2#"]);
    }

    #[test]
    fn of_two_names_of_a_column_the_second_fills_in_where_the_first_is_empty() {
        let plan = Plan::of_header(b"type,timeLogged,envId,rcpt,envid,rcpt").expect("a plan");
        let column = Column::index("env_id").expect("a column");
        assert!(plan.texts.contains(&Text { column, field: 2, otherwise: vec![4] }));
        let unless_empty: Vec<_> = plan.extra.iter().map(|extra| &extra.unless_empty[..]).collect();
        assert_eq!(unless_empty, [[2], [3]]);
    }

    #[test]
    fn of_a_name_that_comes_three_times_the_first_that_is_filled_is_the_value() {
        let plan = Plan::of_header(b"type,timeLogged,rcpt,rcpt,RCPT").expect("a plan");
        let column = Column::index("rcpt").expect("a column");
        assert!(plan.texts.contains(&Text { column, field: 2, otherwise: vec![3, 4] }));
        assert_eq!(plan.extra[1].unless_empty, [2, 3]);
    }

    #[test]
    fn another_field_is_the_time_where_there_is_no_other() {
        let plan = Plan::with_time(b"type,timeQueued,rcpt", Some("TIMEQUEUED")).expect("a plan");
        assert_eq!((source(&plan, "time_logged"), source(&plan, "time_queued")), (Some(1), None));
        assert_eq!(plan.extra[0].key, "timeQueued");
        let plan = Plan::with_time(b"type,timeQueued,timeLogged", Some("timeQueued"));
        assert_eq!(plan.map(|plan| source(&plan, "time_logged")), Ok(Some(2)));
        let error = Plan::with_time(b"type,rcpt,logDate", Some("timeQueued"));
        assert_eq!(error, Err(PlanError::NoTime { other: Some("logDate".to_owned()) }));
    }

    #[test]
    fn a_header_without_time_names_the_directive_to_change() {
        let error = Plan::of_header(b"type,rcpt").expect_err("no time").to_string();
        assert!(error.contains("record-fields"), "{error}");
    }
}
