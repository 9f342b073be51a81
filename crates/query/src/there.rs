//! Questions to an engine elsewhere: which of three ways a statement goes, and how it is told.
//!
//! | way | when | there | here |
//! |---|---|---|---|
//! | hours | the rollup answers it | its sums by what the statement uses | the rest |
//! | cut | the report names a query of its `with` | up to that query | the rest |
//! | whole | else | all | nothing |

use std::cell::RefCell;
use std::collections::HashMap;

use arrow::array::{ArrayRef, AsArray, IntervalMonthDayNanoArray, RecordBatch, UInt64Array};
use arrow::compute::{CastOptions, cast_with_options, concat_batches};
use arrow::datatypes::{DataType, Int64Type, IntervalMonthDayNano, SchemaRef};
use serde_json::{Value as Json, json};

use crate::dialect::{Columns, Known, NamedColumn, Translated, Ty, translate};
use crate::elsewhere::{Batches, Elsewhere};
use crate::error::{Error, Result};
use crate::hours::hours_view;
use crate::lex::tokens;
use crate::opened::Opened;
use crate::query::{Query, Value, quoted};
use crate::rows::Rows;
use crate::session::Session;
use crate::stored::stored;

/// The table of what came back from there.
const CUT: &str = "pmtaq_cut";

/// How a statement is asked elsewhere.
pub(crate) struct RemotePlan {
    pub(crate) there: Translated,
    /// Where it is cut: the query of its `with`, as a statement of its own, and what is left to be asked
    /// here.
    pub(crate) cut: Option<Cut>,
}

/// A statement in two.
pub(crate) struct Cut {
    name: String,
    /// What is asked there, in the words of here.
    first: String,
    /// What is asked of its rows.
    rest: String,
}

impl Session {
    /// Has all further questions answered by `there`.
    ///
    /// # Errors
    /// [`Error::Sql`] when the engine here cannot read the parts.
    pub fn ask_elsewhere(&mut self, there: std::rc::Rc<dyn Elsewhere>) -> Result<()> {
        self.elsewhere = Some(there);
        let (columns, kept) = (self.replies.get().columns(), self.kept_of_record());
        Ok(self.engine().execute_batch(&hours_view(self.window.get(), columns, &kept))?)
    }

    /// Which engine answers, if it is not the one in this process.
    pub fn elsewhere(&self) -> Option<String> {
        self.elsewhere.as_ref().map(|there| there.name())
    }

    /// `sql`, which is `query` or the same question to the rollup, with all its values as literals.
    pub(crate) fn spelt_out(&self, query: &Query, sql: &str) -> Result<String> {
        let mut literal = query.clone();
        for name in tokens(sql).filter_map(|token| token.strip_prefix('$')) {
            if let Some(is_known) = self.is_known(name, &query.judged)? {
                literal.values.insert(name.to_owned(), Value::Bool(is_known));
            }
        }
        Ok(literal.literally(sql))
    }

    /// How `query` is asked of `there`, which is `sql` or the same with its values as literals.
    pub(crate) fn plan(
        &self,
        query: &Query,
        sql: &str,
        there: &dyn Elsewhere,
    ) -> Result<RemotePlan> {
        let spelt_out = self.spelt_out(query, sql)?;
        self.create_tier_view(&spelt_out)?;
        let node = self.tree(&spelt_out)?;
        let known = Names::of(self, there)?;
        let at = match &query.over_hours {
            Some(over) if query.asks_hours(sql) => over.cut_at.map(str::to_owned),
            _ => query.cut_at.clone(),
        };
        let Some(name) = at else {
            return Ok(RemotePlan {
                there: translate(&node, &known, query.is_of_user)?,
                cut: None,
            });
        };
        let (first, rest) = split(&node, &name)?;
        let cut = Cut { first: self.text(&first)?, rest: self.text(&rest)?, name };
        Ok(RemotePlan { there: translate(&first, &known, true)?, cut: Some(cut) })
    }

    /// Asks `there`.
    pub(crate) fn rows_there<'s>(
        &'s self,
        query: &Query,
        sql: &str,
        there: &'s dyn Elsewhere,
    ) -> Result<(SchemaRef, Rows<'s>)> {
        let plan = self.plan(query, sql, there)?;
        for files in &plan.there.files {
            there.files(&files.name, &files.schema, &files.paths)?;
        }
        for (table, name) in &plan.there.tables {
            there.rows(name, &self.all_of(table)?)?;
        }
        let batches = there.run(&plan.there.sql, self.limits.timeout)?;
        let Some(cut) = plan.cut else {
            let schema = self.schema_of(&self.spelt_out(query, sql)?)?;
            let columns = plan.there.columns;
            let rows = Conformed { batches, columns, schema: schema.clone() };
            return Ok((schema, Rows::there(rows)));
        };
        let columns = plan.there.columns;
        let schema = self.schema_of(&cut.first)?;
        let rows = Conformed { batches, columns, schema: schema.clone() };
        let rows = rows.collect::<Result<Vec<_>>>()?;
        let rows =
            concat_batches(&schema, &rows).map_err(|error| Error::Elsewhere(error.to_string()))?;
        // Its columns as the statement would have them.
        self.views()?.execute_batch(&format!(
            "create or replace temp table {CUT} as select * from ({}\n) limit 0",
            cut.first
        ))?;
        stored(self.views()?, CUT, &rows)?;
        self.rows_here(&cut.rest, &Query::default())
    }

    /// The columns of the answer of a statement, which is not run.
    fn schema_of(&self, sql: &str) -> Result<SchemaRef> {
        let mut statement = self.views()?.prepare(&format!("select * from ({sql}\n) limit 0"))?;
        Ok(statement.stream_arrow([])?.get_schema())
    }

    fn all_of(&self, table: &str) -> Result<RecordBatch> {
        let mut statement = self.views()?.prepare(&format!("from {table}"))?;
        let rows = statement.query_arrow([])?;
        let schema = rows.get_schema();
        let batches: Vec<RecordBatch> = rows.collect();
        concat_batches(&schema, &batches).map_err(|error| Error::Elsewhere(error.to_string()))
    }

    /// The syntax tree of a statement.
    fn tree(&self, sql: &str) -> Result<Json> {
        let question = format!("select json_serialize_sql({})::varchar", quoted(sql));
        let text: String = self.views()?.query_row(&question, [], |row| row.get(0))?;
        let tree: Json = serde_json::from_str(&text)
            .map_err(|error| Error::NotThere(format!("a syntax tree of this kind ({error})")))?;
        match tree["statements"].as_array().map(Vec::as_slice) {
            Some([statement]) => Ok(statement["node"].clone()),
            _ => Err(Error::NotThere("what is no `select`".to_owned())),
        }
    }

    /// The statement of a syntax tree.
    fn text(&self, node: &Json) -> Result<String> {
        let tree = json!({"error": false, "statements": [{"node": node}]}).to_string();
        let question = format!("select json_deserialize_sql({})", quoted(&tree));
        let text: String = self.views()?.query_row(&question, [], |row| row.get(0))?;
        Ok(text.trim_end_matches(';').to_owned())
    }

    /// What is asked there, for people.
    pub(crate) fn script_there(
        &self,
        query: &Query,
        sql: &str,
        there: &dyn Elsewhere,
    ) -> Result<String> {
        let plan = self.plan(query, sql, there)?;
        let way = match (&plan.cut, query.asks_hours(sql)) {
            (Some(_), true) => "hours: it sums the rollup, the rest is done here".to_owned(),
            (Some(cut), false) => {
                format!("cut: it runs up to `{}`, the rest is done here", cut.name)
            }
            (None, _) => "whole".to_owned(),
        };
        let mut script = format!("-- {}, {way}\n", there.name());
        for files in &plan.there.files {
            script += &format!("-- {} reads\n", files.name);
            files.paths.iter().for_each(|path| script += &format!("--   {path}\n"));
        }
        for (_, name) in &plan.there.tables {
            script += &format!("-- {name} is what is known of the replies of the store\n");
        }
        script += &format!("{};\n", plan.there.sql);
        if let Some(cut) = &plan.cut {
            script += &format!("\n-- here, over its rows as {CUT}\n{};\n", cut.rest);
        }
        Ok(script)
    }
}

/// The query `name` of the `with` of a statement as one of its own, and the statement without it.
fn split(node: &Json, name: &str) -> Result<(Json, Json)> {
    let all = node["cte_map"]["map"].as_array().cloned().unwrap_or_default();
    let at = all.iter().position(|entry| entry["key"] == *name);
    let at =
        at.ok_or_else(|| Error::NotThere(format!("the query `{name}`, at which it is cut")))?;
    let from = |table: &str| {
        json!({
            "type": "SELECT_NODE",
            "modifiers": [],
            "cte_map": {"map": []},
            "select_list": [{
                "class": "STAR", "type": "STAR", "alias": "", "query_location": 0,
                "relation_name": "", "exclude_list": [], "replace_list": [], "columns": false,
                "expr": null, "qualified_exclude_list": [], "rename_list": []
            }],
            "from_table": {
                "type": "BASE_TABLE", "alias": "", "sample": null, "query_location": 0,
                "schema_name": "", "table_name": table, "column_name_alias": [],
                "catalog_name": "", "at_clause": null
            },
            "where_clause": null,
            "group_expressions": [],
            "group_sets": [],
            "aggregate_handling": "STANDARD_HANDLING",
            "having": null,
            "sample": null,
            "qualify": null
        })
    };
    let mut first = from(name);
    first["cte_map"]["map"] = Json::Array(all[..=at].to_vec());
    let mut rest = node.clone();
    let mut left = all;
    left[at]["value"]["query"]["node"] = from(CUT);
    // What only the query needed is asked no more.
    rest["cte_map"]["map"] = Json::Array(Vec::new());
    for before in (0..at).rev() {
        let table = format!("\"table_name\":{}", left[before]["key"]);
        let is_read = |json: &Json| json.to_string().contains(&table);
        if !is_read(&rest) && !left[before + 1..].iter().any(is_read) {
            left.remove(before);
        }
    }
    rest["cte_map"]["map"] = Json::Array(left);
    Ok((first, rest))
}

/// The rows of an engine elsewhere in the types that the engine here would have given them.
struct Conformed<'b> {
    batches: Batches<'b>,
    columns: Vec<NamedColumn>,
    schema: SchemaRef,
}

impl Conformed<'_> {
    fn conform(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let wrong = |what: String| Error::Elsewhere(format!("its answer has another form: {what}"));
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let mut arrays: Vec<ArrayRef> = Vec::new();
        for (column, field) in self.columns.iter().zip(self.schema.fields()) {
            let array = batch.column_by_name(&column.there);
            let array = array.ok_or_else(|| wrong(format!("no column `{}`", column.there)))?;
            arrays.push(match (&column.ty, field.data_type()) {
                (Ty::Span, DataType::Interval(_)) => spans(array),
                (Ty::Hash, DataType::UInt64) if *array.data_type() == DataType::Int64 => {
                    unsigned(array)
                }
                (_, to) if to == array.data_type() => array.clone(),
                (_, to) => cast_with_options(array, to, &options)
                    .map_err(|error| wrong(format!("column `{}`: {error}", column.name)))?,
            });
        }
        RecordBatch::try_new(self.schema.clone(), arrays).map_err(|error| wrong(error.to_string()))
    }
}

impl Iterator for Conformed<'_> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?;
        Some(batch.and_then(|batch| self.conform(&batch)))
    }
}

/// Hashes with the sign that they have there, by their bits.
fn unsigned(hashes: &ArrayRef) -> ArrayRef {
    let hashes = hashes.as_primitive::<Int64Type>().iter();
    std::sync::Arc::new(hashes.map(|hash| hash.map(i64::cast_unsigned)).collect::<UInt64Array>())
}

/// Microseconds as days and the rest of a day, as the difference of two times has them here.
fn spans(micros: &ArrayRef) -> ArrayRef {
    const DAY: i64 = 86_400_000_000;
    let spans = micros.as_primitive::<Int64Type>().iter().map(|micros| {
        micros.map(|micros| {
            let days = i32::try_from(micros / DAY).unwrap_or(i32::MAX);
            IntervalMonthDayNano::new(0, days, micros % DAY * 1000)
        })
    });
    std::sync::Arc::new(spans.collect::<IntervalMonthDayNanoArray>())
}

/// What the engine of the session knows by name.
struct Names<'s> {
    session: &'s Session,
    there: &'s dyn Elsewhere,
    /// Parameters and definitions.
    macros: HashMap<String, (Vec<String>, String)>,
    bodies: RefCell<HashMap<String, Json>>,
}

impl<'s> Names<'s> {
    fn of(session: &'s Session, there: &'s dyn Elsewhere) -> Result<Names<'s>> {
        let sql = "select function_name, array_to_string(parameters, ','), macro_definition
            from duckdb_functions() where function_type = 'macro' and not internal";
        let mut statement = session.views()?.prepare(sql)?;
        let rows = statement.query_map([], |row| {
            let parameters: String = row.get(1)?;
            let parameters = parameters.split(',').filter(|name| !name.is_empty());
            Ok((row.get(0)?, (parameters.map(str::to_owned).collect(), row.get(2)?)))
        })?;
        let macros = rows.collect::<std::result::Result<_, _>>()?;
        Ok(Names { session, there, macros, bodies: RefCell::default() })
    }
}

impl Known for Names<'_> {
    fn view(&self, name: &str) -> Result<Option<Json>> {
        let sql = "select sql from duckdb_views() where not internal and view_name = lower($1)";
        let mut statement = self.session.views()?.prepare(sql)?;
        let texts = statement.query_map([name], |row| row.get::<_, String>(0))?;
        let text = texts.collect::<std::result::Result<Vec<_>, _>>()?.pop();
        let Some(text) = text else { return Ok(None) };
        let (_, query) = text.split_once(" AS ").unwrap_or(("", &text));
        self.session.tree(query.trim_end().trim_end_matches(';')).map(Some)
    }

    fn table(&self, name: &str) -> Result<Option<(String, Columns)>> {
        let sql = "select column_name, data_type from duckdb_columns()
            where not internal and table_name = lower($1) order by column_index";
        let mut statement = self.session.views()?.prepare(sql)?;
        let columns = statement
            .query_map([name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
        let columns = columns.into_iter().map(|(name, kind)| Ok((name, Ty::named(&kind)?)));
        let columns: Vec<(String, Ty)> = columns.collect::<Result<_>>()?;
        if columns.is_empty() {
            return Ok(None);
        }
        let sql = format!("select coalesce(bit_xor(hash(t)), 0)::varchar from {name} t");
        let rows: String = self.session.views()?.query_row(&sql, [], |row| row.get(0))?;
        Ok(Some((format!("pmtaq_{name}_{rows}"), columns)))
    }

    fn macro_of(&self, name: &str) -> Result<Option<(Vec<String>, Json)>> {
        let Some((parameters, definition)) = self.macros.get(name) else { return Ok(None) };
        if let Some(body) = self.bodies.borrow().get(name) {
            return Ok(Some((parameters.clone(), body.clone())));
        }
        let node = self.session.tree(&format!("select {definition}"))?;
        let body = node["select_list"][0].clone();
        self.bodies.borrow_mut().insert(name.to_owned(), body.clone());
        Ok(Some((parameters.clone(), body)))
    }

    fn variable(&self, name: &str) -> Result<Option<String>> {
        let sql = format!("select getvariable({})::varchar", quoted(name));
        Ok(self.session.views()?.query_row(&sql, [], |row| row.get(0))?)
    }

    fn files(&self, names: &[String]) -> Result<Vec<String>> {
        let opened = || self.session.opened.iter().chain(&self.session.tiers);
        let path = |name: &String| {
            let path = opened().find_map(|opened: &Opened| opened.path_of(name));
            let path = path.ok_or_else(|| Error::NotThere(format!("the file {name}")))?;
            self.there.path(path)
        };
        let has_rows = |name: &&String| !opened().any(|opened| opened.is_rowless(name));
        names.iter().filter(has_rows).map(path).collect()
    }
}
