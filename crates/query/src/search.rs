//! Records that hold a text, newest first. Asks the newest day before the others, so that an
//! answer that is enough ends the search; judges no reply and prints nothing.

use pmtaq_schema::columns::DATE;
use pmtaq_schema::{COLUMNS, Kind, Unit, Window};
use pmtaq_store::Snapshot;
use pmtaq_store::layout::Table;

use crate::dimension::{DIMENSIONS, dimension};
use crate::error::{Error, Result};
use crate::filters::CODE;
use crate::query::{Query, Shape, Value};
use crate::rows::Rows;
use crate::selection::{Selection, one};
use crate::session::Session;
use crate::statement::narrowed;

/// The columns in which a text is looked for that names none, beside the values of `extra`.
pub const SEARCHED: &[&str] = &[
    "rcpt",
    "orig",
    "dsn_status",
    "dsn_diag",
    "dsn_mta",
    "src_mta",
    "dlv_source_ip",
    "dlv_destination_ip",
    "vmta",
    "vmta_pool",
    "job_id",
    "env_id",
    "queue",
    "bounce_cat",
];

/// How a needle is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// As a regular expression (RE2) that may match anywhere, not as it stands.
    pub regex: bool,
    /// Without regard to upper and lower case.
    pub ignore_case: bool,
}

/// A text that a record must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    /// The field that must hold it; none for any of [`SEARCHED`], or for the derived codes when
    /// the text is a reply code or an enhanced code.
    pub field: Option<String>,
    /// The text.
    pub text: String,
}

/// A search: all needles must be found in a record.
#[derive(Clone, Debug)]
pub struct Search {
    needles: Vec<Needle>,
    matching: Matching,
    columns: Vec<Field>,
}

/// A field to show or to look into: its name, and its value in SQL.
#[derive(Clone, Debug)]
struct Field {
    name: String,
    sql: FieldSql,
}

#[derive(Clone, Debug)]
enum FieldSql {
    Column(&'static str, Kind),
    Dimension(&'static str),
}

/// Whether a needle that names no field is a reply code (`550`, `55*`) or an enhanced code
/// (`5.7.1`, `5.7.*`), for which the derived columns are asked.
pub fn is_code(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part.len() <= 3
            && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'*')
    };
    let class = text.starts_with(['2', '4', '5']);
    let parts: Vec<&str> = text.split('.').collect();
    match parts.as_slice() {
        [code] => class && part(code) && (code.len() == 3 || code.ends_with('*')) && *code != "*",
        [class_digit, subject] => class && class_digit.len() == 1 && *subject == "*",
        [class_digit, subject, detail] => {
            class && class_digit.len() == 1 && part(subject) && part(detail)
        }
        _ => false,
    }
}

impl Search {
    /// Looks the names up: the needles' fields, and the fields to show.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the nearest name.
    pub fn new(needles: Vec<Needle>, matching: Matching, columns: &[String]) -> Result<Search> {
        for needle in &needles {
            if let Some(name) = &needle.field {
                Field::new(name)?;
            }
        }
        let columns = columns.iter().map(|name| Field::new(name)).collect::<Result<_>>()?;
        Ok(Search { needles, matching, columns })
    }

    /// Checks the regular expressions by the engine that will run them.
    ///
    /// # Errors
    /// [`Error::BadValue`] for a text that is none.
    pub fn check(&self, session: &Session) -> Result<()> {
        for needle in self.needles.iter().filter(|_| self.matching.regex) {
            let mut query = Query::default();
            let text = query.bind(Value::Text(needle.text.clone()));
            query.sql = format!("select regexp_matches('', ${text})");
            let checked = session.rows(&query);
            let checked = checked.and_then(|(_, rows)| rows.collect::<Result<Vec<_>>>());
            checked.map_err(|error| match error {
                Error::Sql(what) => Error::BadValue {
                    name: "regex".to_owned(),
                    value: needle.text.clone(),
                    expected: format!("a regular expression: {what}"),
                },
                other => other,
            })?;
        }
        Ok(())
    }

    /// The records found, newest first, at most `limit` of them.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a filter that there is not.
    pub fn query(&self, selection: &Selection, limit: Option<u64>) -> Result<Query> {
        let mut query = Query::default();
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|field| format!("{} as \"{}\"", field.sql(), field.name))
            .collect();
        for field in &self.columns {
            query.units.extend(field.unit().map(|unit| (field.name.clone(), unit.into())));
        }
        let condition = self.condition(selection, &mut query)?;
        let mut body = format!(
            "select {}\nfrom records\norder by records.time_logged desc, records.rcpt, records.rec, \
             records.source",
            columns.join(", ")
        );
        if let Some(limit) = limit {
            let limit = query.bind(Value::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
            body += &format!("\nlimit ${limit}");
        }
        query.sql = narrowed(&condition, &body);
        Ok(query)
    }

    /// How many records are found.
    ///
    /// # Errors
    /// As [`Search::query`].
    pub fn count(&self, selection: &Selection) -> Result<Query> {
        let mut query = Query::default();
        let condition = self.condition(selection, &mut query)?;
        query.sql = narrowed(&condition, "select count(*) as hits\nfrom records");
        Ok(query)
    }

    /// Runs the search over the days of `snapshot` that `window` touches, from the newest on, until
    /// `limit` records are found; none means all.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn run<T>(
        &self,
        session: &Session,
        snapshot: &Snapshot,
        window: Window,
        selection: &Selection,
        limit: Option<u64>,
        consume: impl FnOnce(Shape, &mut dyn Iterator<Item = Result<arrow::array::RecordBatch>>) -> T,
    ) -> Result<T> {
        let mut steps = steps(snapshot, window, limit.is_some()).into_iter();
        let mut left = limit;
        let begin = |step: Option<Window>, left: Option<u64>| {
            if let Some(step) = step {
                session.narrow(snapshot, step)?;
            }
            let query = self.query(selection, left)?;
            let (schema, rows) = session.rows(&query)?;
            Ok::<(Shape, Rows<'_>), Error>((query.shape(schema), rows))
        };
        let (shape, rows) = begin(steps.next(), left)?;
        let mut current = Some(rows);
        let mut batches = std::iter::from_fn(|| {
            loop {
                match current.as_mut()?.next() {
                    Some(Ok(batch)) => {
                        left = left.map(|left| left.saturating_sub(batch.num_rows() as u64));
                        return Some(Ok(batch));
                    }
                    Some(Err(error)) => {
                        current = None;
                        return Some(Err(error));
                    }
                    None if left == Some(0) => current = None,
                    None => {
                        // The next step replaces the view: nothing may read from it then.
                        current = None;
                        match begin(Some(steps.next()?), left) {
                            Ok((_, rows)) => current = Some(rows),
                            Err(error) => return Some(Err(error)),
                        }
                    }
                }
            }
        });
        Ok(consume(shape, &mut batches))
    }

    fn condition(&self, selection: &Selection, query: &mut Query) -> Result<String> {
        let mut all = selection.sql(query)?;
        for needle in &self.needles {
            all = format!("{all} and {}", self.condition_of(needle, query)?);
        }
        Ok(all)
    }

    fn condition_of(&self, needle: &Needle, query: &mut Query) -> Result<String> {
        let Matching { regex, ignore_case } = self.matching;
        if needle.field.is_none() && !regex && is_code(&needle.text) {
            return one(CODE, &needle.text, query);
        }
        let text =
            if ignore_case && !regex { needle.text.to_lowercase() } else { needle.text.clone() };
        let text = query.bind(Value::Text(text));
        let holds = |value: &str| match (regex, ignore_case) {
            (true, true) => format!("regexp_matches({value}, ${text}, 'i')"),
            (true, false) => format!("regexp_matches({value}, ${text})"),
            (false, true) => format!("contains(lower({value}), ${text})"),
            (false, false) => format!("contains({value}, ${text})"),
        };
        if let Some(name) = &needle.field {
            let field = Field::new(name)?;
            return Ok(holds(&field.text()));
        }
        let mut any: Vec<String> = SEARCHED.iter().map(|column| holds(column)).collect();
        any.push(holds("array_to_string(map_values(extra), ' ')"));
        Ok(format!("({})", any.join(" or ")))
    }
}

impl Field {
    /// A column, a dimension, or a field of `extra`: `header_Subject`, `arf_...`, `extra.NAME`.
    fn new(name: &str) -> Result<Field> {
        let field = |sql| Ok(Field { name: name.to_owned(), sql });
        if let Some(column) = COLUMNS.iter().find(|column| column.name == name) {
            return field(FieldSql::Column(column.name, column.kind));
        }
        if name == DATE.0 {
            return field(FieldSql::Column(DATE.0, Kind::Time));
        }
        match dimension(name) {
            Ok(dimension) => field(FieldSql::Dimension(dimension.sql)),
            Err(_) => {
                let known = COLUMNS.iter().map(|column| column.name);
                Err(Error::unknown("field", name, known.chain(DIMENSIONS.iter().map(|d| d.name))))
            }
        }
    }

    fn sql(&self) -> String {
        match &self.sql {
            FieldSql::Column(name, _) => (*name).to_owned(),
            FieldSql::Dimension(sql) => (*sql).to_owned(),
        }
    }

    /// The value as text, to look into.
    fn text(&self) -> String {
        match &self.sql {
            FieldSql::Column(_, Kind::Map) => "array_to_string(map_values(extra), ' ')".to_owned(),
            FieldSql::Column(name, Kind::Int | Kind::Time) => format!("{name}::varchar"),
            _ => self.sql(),
        }
    }

    fn unit(&self) -> Option<Unit> {
        match &self.sql {
            FieldSql::Column("smtp_code", _) => Some(Unit::Text),
            FieldSql::Column("dlv_size", _) => Some(Unit::Bytes),
            FieldSql::Column("total_seconds_queued", _) => Some(Unit::Seconds),
            _ => None,
        }
    }
}

/// The windows to search one after the other: the newest day, then the two before it, then
/// four and so on, since a question that found little will find little in the next day too.
/// Day by day when all is wanted, so that only a day must be sorted at a time.
fn steps(snapshot: &Snapshot, window: Window, growing: bool) -> Vec<Window> {
    let mut days: Vec<_> = snapshot.of(Table::Records, window).map(|part| part.day).collect();
    days.sort_unstable();
    days.dedup();
    let mut steps = Vec::new();
    let mut size = 1;
    let mut until = window.until;
    while !days.is_empty() {
        let first = days.split_off(days.len().saturating_sub(size))[0];
        let since = if days.is_empty() { window.since } else { first.start().max(window.since) };
        steps.push(Window { since, until });
        until = since;
        if growing {
            size *= 2;
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use pmtaq_schema::Timestamp;
    use pmtaq_schema::time::Day;
    use pmtaq_store::{Part, SnapshotPart};

    #[test]
    fn only_what_can_be_a_code_is_one() {
        for code in ["550", "5.7.1", "5.7.26", "4.*.*", "5.7.*", "5.*", "55*", "2.0.0"] {
            assert!(is_code(code), "{code}");
        }
        for text in
            ["", "*", "55", "5501", "350", "5.7", "192.0.2.1", "5.7.1.1", "5..1", "x", "5 0"]
        {
            assert!(!is_code(text), "{text}");
        }
    }

    #[test]
    fn every_searched_column_exists() {
        assert!(SEARCHED.iter().all(|name| COLUMNS.iter().any(|column| column.name == *name)));
    }

    #[test]
    fn a_field_is_on_a_list_or_a_plain_name_of_extra() {
        for name in ["rcpt", "domain", "header_Message-Id", "extra.newField", "day"] {
            assert!(Field::new(name).is_ok(), "{name}");
        }
        for name in ["", "recpt", "header_x\" from", "extra.a'b", "1; drop"] {
            assert!(Field::new(name).is_err(), "{name}");
        }
    }

    #[test]
    fn the_steps_go_backwards_and_cover_the_window_once() {
        let part = |day: i64| {
            let (since, until) = (Day(day).start().0, Day(day + 1).start().0 - 1);
            let (name, rows, bytes) = (String::new(), 1, 1);
            let part = Part { rows, bytes, since, until, ..Part::new(Table::Records, name) };
            SnapshotPart { day: Day(day), part, path: "x".into(), moves_to: None, remote: None }
        };
        let parts = [1, 2, 3, 7, 8, 9, 9].map(part).to_vec();
        let snapshot = Snapshot { generation: 1, parts, span: None, store_rows: 7 };
        let window = Window { since: Timestamp(Day(1).start().0 + 5), until: Day(20).start() };
        for growing in [true, false] {
            let steps = steps(&snapshot, window, growing);
            assert_eq!((steps[0].since, steps[0].until), (Day(9).start(), window.until));
            assert_eq!(steps.last().map(|step| step.since), Some(window.since));
            assert!(steps.windows(2).all(|pair| pair[0].since == pair[1].until));
            assert_eq!(steps.len(), if growing { 3 } else { 6 });
        }
        assert!(steps(&Snapshot { parts: vec![], ..snapshot }, window, true).is_empty());
    }
}
