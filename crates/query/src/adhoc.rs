//! SQL that a user wrote: one statement that reads, and nothing else. The session is confined
//! besides; this is the first wall, with the clearer message.

use pmtaq_schema::COLUMNS;
use pmtaq_schema::columns::DATE;

use crate::dimension::dimension;
use crate::error::{Error, Result};
use crate::judged::Judged;
use crate::lex::{is_balanced, is_said, tokens, words};
use crate::metric::{expand, expand_by, metrics};
use crate::query::{Query, quoted};
use crate::selection::Selection;
use crate::session::Session;
use crate::statement::narrowed;

impl Session {
    /// A statement of the user, checked to be one that reads.
    ///
    /// # Errors
    /// [`Error::NotReading`] for any other, and for several; [`Error::Syntax`] for none.
    pub fn adhoc(&self, sql: &str) -> Result<Query> {
        // What is checked is what runs, so the metrics are replaced first.
        let named = with_names(sql);
        let mut judged = Judged { is_asked: true, ..Judged::named_in(&named) };
        // Whose columns a `pivot` makes takes no parameters.
        judged.is_asked &= !named.to_lowercase().contains("pivot");
        let sql =
            expand_by(&named, &mut |metric, _| judged.where_known(metric, expand(&metric.sql)));
        let trimmed = sql.trim().trim_end_matches(';').trim_end();
        let (explain, statement) = match trimmed.get(..8) {
            Some(word) if word.eq_ignore_ascii_case("explain ") => {
                let rest = trimmed[8..].trim_start();
                let analyze = rest.get(..8).is_some_and(|w| w.eq_ignore_ascii_case("analyze "));
                (true, if analyze { &rest[8..] } else { rest })
            }
            _ => (false, trimmed),
        };
        if !is_pivot(statement) {
            self.must_read(statement)?;
        }
        let sql = if explain { trimmed } else { statement };
        self.create_user_views(sql)?;
        Ok(Query { sql: sql.to_owned(), judged, is_of_user: true, ..Query::default() })
    }

    /// Checks that the statement of a report that a user wrote is one, and one that reads.
    ///
    /// # Errors
    /// [`Error::NotReading`] when it is not.
    pub fn check_own(&self, query: &Query) -> Result<()> {
        self.must_read(query.sql.trim().trim_end_matches(';'))
    }

    /// Some columns of the records that `selection` lets through; without any named, those that the parts
    /// have.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a column that `records` does not have.
    pub fn export(&self, columns: &[String], selection: &Selection) -> Result<Query> {
        let stored = || COLUMNS.iter().map(|column| column.name);
        let known = || stored().chain([DATE.0]);
        let sql = |name: &String| match known().find(|known| known == name) {
            Some(column) => Ok(column.to_owned()),
            None => match dimension(name) {
                Ok(dimension) => Ok(format!("{} as \"{name}\"", dimension.sql)),
                Err(_) => Err(Error::unknown("column", name, known())),
            },
        };
        let list: Vec<String> = match columns {
            [] => stored().map(str::to_owned).collect(),
            columns => columns.iter().map(sql).collect::<Result<_>>()?,
        };
        let list = list.join(", ");
        let mut query = Query::default();
        let condition = selection.sql(&mut query)?;
        query.sql = narrowed(&condition, &format!("select {list} from records"));
        Ok(query)
    }

    /// The values that a dimension has in the records of the session, the most frequent first;
    /// a hundred thousand at most.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a dimension that there is not.
    pub fn values_of(&self, name: &str) -> Result<Vec<String>> {
        let sql = format!(
            "select v from (select {} as v from stored) where v is not null
             group by v order by count(*) desc, v limit 100000",
            dimension(name)?.sql
        );
        self.texts(&sql, [])
    }

    /// The first column of an answer, as texts.
    pub(crate) fn texts(&self, sql: &str, values: impl duckdb::Params) -> Result<Vec<String>> {
        self.read_replies(sql)?;
        self.ask(|engine| {
            let mut statement = engine.prepare(sql)?;
            let texts = statement.query_map(values, |row| row.get(0))?;
            Ok(texts.collect::<std::result::Result<_, _>>()?)
        })
    }

    /// Checks the condition of a selection: an expression, not the end of one statement and the
    /// beginning of another.
    ///
    /// # Errors
    /// [`Error::NotReading`] when it is none.
    pub fn check(&self, selection: &Selection) -> Result<()> {
        let Some(condition) = &selection.condition else { return Ok(()) };
        if !is_balanced(condition) {
            return Err(Error::NotReading(format!(
                ": the condition `{condition}` has a stray parenthesis"
            )));
        }
        // In two kinds of brackets: a text that closes the one and opens it again fails in the other.
        for (open, close) in [("(", ")"), ("[", "]")] {
            self.must_read(&format!("select {open}\n{condition}\n{close}"))?;
        }
        Ok(())
    }

    /// The engine's own parser says what a text is: only statements that read have a JSON form.
    fn must_read(&self, sql: &str) -> Result<()> {
        let question = format!("select json_serialize_sql({})::varchar", quoted(sql));
        let json: String = self.views()?.query_row(&question, [], |row| row.get(0))?;
        let error = |key: &str| -> Result<Option<String>> {
            let question = format!("select {}::json->>{}", quoted(&json), quoted(key));
            Ok(self.views()?.query_row(&question, [], |row| row.get(0))?)
        };
        if error("$.error")?.as_deref() != Some("false") {
            return Err(match (error("$.error_type")?.as_deref(), error("$.error_message")?) {
                (Some("parser"), Some(what)) => Error::Syntax(what),
                (Some("not implemented"), _)
                    if words(sql).any(|w| w.eq_ignore_ascii_case("pivot")) =>
                {
                    Error::NotReading(
                        ": a `pivot` inside of one needs its values, as in `pivot x on y in (...)`"
                            .to_owned(),
                    )
                }
                _ => Error::NotReading(String::new()),
            });
        }
        let statements: i64 = self.views()?.query_row(
            &format!("select json_array_length({}::json->'statements')", quoted(&json)),
            [],
            |row| row.get(0),
        )?;
        if statements == 1 {
            return Ok(());
        }
        Err(Error::NotReading(format!(": these are {statements}")))
    }
}

/// Whether a statement is one `PIVOT`. By values that it has to find first it is a type and a
/// statement for the engine, which has no JSON form for that; what begins with this word can do
/// nothing but read.
fn is_pivot(sql: &str) -> bool {
    let mut words = tokens(sql).filter(|token| is_said(token)).peekable();
    let begins = words.peek().is_some_and(|word| {
        word.eq_ignore_ascii_case("pivot") || word.eq_ignore_ascii_case("pivot_wider")
    });
    begins && !words.any(|word| word == ";")
}

/// What ends the list after `select`.
const CLAUSES: [&str; 11] = [
    "from",
    "where",
    "group",
    "having",
    "qualify",
    "window",
    "order",
    "limit",
    "union",
    "except",
    "intersect",
];

/// `sql` with the name of a metric for each column of a select list that is the metric and nothing
/// else: the engine would call it by the whole definition.
fn with_names(sql: &str) -> String {
    let all: Vec<&str> = tokens(sql).collect();
    let said: Vec<usize> = (0..all.len()).filter(|place| is_said(all[*place])).collect();
    let word = |at: usize| said.get(at).map(|place| all[*place].to_ascii_lowercase());
    let is = |at: usize, words: &[&str]| word(at).is_some_and(|word| words.contains(&&*word));
    // For each open parenthesis: whether a select list goes on in it.
    let mut lists = vec![false];
    let mut named = vec![None; all.len()];
    for at in 0..said.len() {
        let in_list = lists.last().copied().unwrap_or_default();
        let known = metrics().iter().find(|metric| metric.name == all[said[at]]);
        let is_alone = at > 0
            && is(at - 1, &["select", "distinct", ","])
            && is(at + 1, &["("])
            && is(at + 2, &[")"])
            && (at + 3 >= said.len() || is(at + 3, &[",", ")", ";"]) || is(at + 3, &CLAUSES));
        if let Some(metric) = known.filter(|_| in_list && is_alone) {
            named[said[at + 2]] = Some(&metric.name);
        }
        match all[said[at]] {
            "(" => lists.push(false),
            ")" if lists.len() > 1 => drop(lists.pop()),
            _ if is(at, &["select"]) => *lists.last_mut().unwrap_or(&mut false) = true,
            _ if is(at, &CLAUSES) => *lists.last_mut().unwrap_or(&mut false) = false,
            _ => {}
        }
    }
    let renamed = all.iter().zip(named).map(|(token, name)| match name {
        Some(name) => format!("{token} as {name}"),
        None => (*token).to_owned(),
    });
    renamed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_that_is_a_column_has_its_name() {
        for (sql, named) in [
            ("select sent() from records", "select sent() as sent from records"),
            (
                "SELECT DISTINCT sent ( )\n, p95()",
                "SELECT DISTINCT sent ( ) as sent\n, p95() as p95",
            ),
            (
                "from records select sent() -- x\nwhere 1",
                "from records select sent() as sent -- x\nwhere 1",
            ),
            ("select (select sent()), 1", "select (select sent() as sent), 1"),
        ] {
            assert_eq!(with_names(sql), named);
        }
        for same in [
            "select sent() as n, 1 + sent(), sent() m from records order by x, sent()",
            "select f(1, sent()), 'select sent()' from records group by a, sent() having a",
            "select sent",
        ] {
            assert_eq!(with_names(same), same);
        }
    }
}
