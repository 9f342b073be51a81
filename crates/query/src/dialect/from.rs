//! What a query reads: tables, views, `with`, joins, and functions that make rows.

use serde_json::Value as Json;

use super::items::element;
use super::scope::{NameScope, NamedColumn, Source};
use super::select::rename;
use super::types::Ty;
use super::words::{ident, list, not_there, text, texts, there};
use super::writer::{Files, Translator};
use crate::error::Result;

impl Translator<'_> {
    /// Writes ` from ...`, and adds its tables to the scope.
    pub(super) fn from<'s>(&mut self, node: &'s Json, scope: &mut NameScope<'s>) -> Result<String> {
        if text(node, "type") == "EMPTY" || node.is_null() {
            return Ok(String::new());
        }
        Ok(format!(" from {}", self.table(node, scope)?))
    }

    fn table<'s>(&mut self, node: &'s Json, scope: &mut NameScope<'s>) -> Result<String> {
        if there(node, "sample").is_some() {
            return Err(not_there("a sample"));
        }
        match text(node, "type") {
            "BASE_TABLE" => {
                let name = text(node, "table_name");
                let Some((of, columns)) = self.base(node, name)? else {
                    return Err(not_there(&format!("the table `{name}`")));
                };
                let there = self.add(node, name, columns, scope);
                Ok(format!("{of} as {there}"))
            }
            "SUBQUERY" => {
                let query = &node["subquery"]["node"];
                if let Some(values) = only_values(query) {
                    return self.values(node, values, scope);
                }
                let (written, is_lateral) = self.within(|w| w.query(query, Some(scope)))?;
                let lateral = if is_lateral { "lateral " } else { "" };
                let there = self.add(node, "unnamed_subquery", written.columns, scope);
                Ok(format!("{lateral}({}) as {there}", written.sql))
            }
            "EXPRESSION_LIST" => self.values(node, node, scope),
            "JOIN" => self.join(node, scope),
            "TABLE_FUNCTION" => self.table_function(node, scope),
            "PIVOT" => Err(not_there("`pivot`")),
            "SHOW_REF" => Err(not_there("what describes tables")),
            other => Err(not_there(&format!("a table of the kind {other}"))),
        }
    }

    /// The name there and the columns of a table by its name.
    fn base(&mut self, node: &Json, name: &str) -> Result<Option<(String, Vec<NamedColumn>)>> {
        if !["", "main"].contains(&text(node, "schema_name")) {
            return Ok(None);
        }
        if let Some(known) = self.named(name)? {
            return Ok(Some(known));
        }
        let Some((there, columns)) = self.known.table(name)? else { return Ok(None) };
        if !self.tables.iter().any(|(known, _)| known == name) {
            self.tables.push((name.to_owned(), there.clone()));
        }
        Ok(Some((there, columns.into_iter().map(column).collect())))
    }

    /// Adds a table by its alias; its name there.
    fn add(
        &mut self,
        node: &Json,
        name: &str,
        mut columns: Vec<NamedColumn>,
        scope: &mut NameScope<'_>,
    ) -> String {
        let there = self.name("t");
        rename(&mut columns, &texts(list(node, "column_name_alias")));
        let alias = match text(node, "alias") {
            "" => name,
            alias => alias,
        };
        scope.sources.push(Source {
            alias: alias.to_owned(),
            there: there.clone(),
            columns,
            merged: Vec::new(),
        });
        there
    }

    fn join<'s>(&mut self, node: &'s Json, scope: &mut NameScope<'s>) -> Result<String> {
        let left = self.table(&node["left"], scope)?;
        let n_left = scope.sources.len();
        let right = self.table(&node["right"], scope)?;
        let kind = match (text(node, "ref_type"), text(node, "join_type")) {
            ("CROSS", _) => "cross join",
            ("REGULAR", "INNER") => "join",
            ("REGULAR", "LEFT") => "left join",
            ("REGULAR", "RIGHT") => "right join",
            ("REGULAR", "OUTER" | "FULL") => "full join",
            ("REGULAR", "SEMI") => "left semi join",
            ("REGULAR", "ANTI") => "left anti join",
            (kind, of) => return Err(not_there(&format!("a join of the kind {kind} {of}"))),
        };
        let using = texts(list(node, "using_columns"));
        let mut conditions = Vec::new();
        for name in &using {
            let is = |source: &Source| {
                source.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name))
                    && !source.merged.iter().any(|merged| merged.eq_ignore_ascii_case(name))
            };
            let (lefts, rights) = scope.sources.split_at_mut(n_left);
            let (Some(a), Some(b)) = (
                lefts.iter().find(|source| is(source)),
                rights.iter_mut().find(|source| is(source)),
            ) else {
                return Err(not_there(&format!("`using ({name})`")));
            };
            let of = |source: &Source| {
                let column =
                    source.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
                column.map(|column| source.expr(column).sql).unwrap_or_default()
            };
            conditions.push(format!("{} = {}", of(a), of(b)));
            if ["right join", "full join"].contains(&kind) {
                return Err(not_there(&format!("a {kind} with `using`; write it with `on`")));
            }
            b.merged.push(name.clone());
        }
        if let Some(condition) = there(node, "condition") {
            conditions.push(self.condition(condition, scope)?);
        }
        if ["left semi join", "left anti join"].contains(&kind) {
            scope.sources.truncate(n_left);
        }
        let right = match text(&node["right"], "type") {
            "JOIN" => format!("({right})"),
            _ => right,
        };
        let on = if conditions.is_empty() {
            String::new()
        } else {
            format!(" on {}", conditions.join(" and "))
        };
        Ok(format!("{left} {kind} {right}{on}"))
    }

    /// Rows that the statement spells out; they may read the tables before them.
    fn values<'s>(
        &mut self,
        node: &'s Json,
        values: &'s Json,
        scope: &mut NameScope<'s>,
    ) -> Result<String> {
        let around = &NameScope::inside(Some(scope));
        let (rows, is_lateral) = self.within(|w| {
            let mut rows = Vec::new();
            for row in list(values, "values") {
                let row = row.as_array().map_or(&[][..], Vec::as_slice);
                let row: Result<Vec<_>> = row.iter().map(|value| w.expr(value, around)).collect();
                rows.push(row?);
            }
            Ok(rows)
        })?;
        let mut types = vec![Ty::Null; rows.first().map_or(0, Vec::len)];
        for row in &rows {
            for (ty, value) in types.iter_mut().zip(row) {
                *ty = ty.or(&value.ty)?;
            }
        }
        let cast = |(value, ty): (&super::scope::Expr, &Ty)| {
            if value.ty == *ty {
                value.sql.clone()
            } else {
                format!("cast({} as {})", value.sql, ty.spark())
            }
        };
        let named = types.iter().enumerate().map(|(at, ty)| {
            let name = format!("col{at}");
            NamedColumn { there: name.clone(), name, ty: ty.clone() }
        });
        let columns: Vec<NamedColumn> = named.collect();
        let names: Vec<String> = columns.iter().map(|column| ident(&column.there)).collect();
        let row = |row: &Vec<super::scope::Expr>| {
            let values: Vec<String> = row.iter().zip(&types).map(cast).collect();
            if is_lateral {
                // All rows are of one type, with the names of its fields.
                let named = columns.iter().zip(&values);
                let named = named.map(|(column, value)| format!("'{}', {value}", column.there));
                named.collect::<Vec<_>>().join(", ")
            } else {
                values.join(", ")
            }
        };
        let rows: Vec<String> = rows.iter().map(row).collect();
        let there = self.add(node, "valueslist", columns, scope);
        let names = names.join(", ");
        Ok(if is_lateral {
            let rows: Vec<String> = rows.iter().map(|row| format!("named_struct({row})")).collect();
            format!("lateral inline(array({})) as {there}({names})", rows.join(", "))
        } else {
            let rows: Vec<String> = rows.iter().map(|row| format!("({row})")).collect();
            format!("(values {}) as {there}({names})", rows.join(", "))
        })
    }

    fn table_function<'s>(&mut self, node: &'s Json, scope: &mut NameScope<'s>) -> Result<String> {
        let function = &node["function"];
        let name = text(function, "function_name").to_lowercase();
        match name.as_str() {
            "read_parquet" => {
                let (of, columns) = self.parquet(function)?;
                let there = self.add(node, "read_parquet", columns, scope);
                Ok(format!("{of} as {there}"))
            }
            "range" | "generate_series" | "unnest" => {
                let around = &NameScope::inside(Some(scope));
                let (of, is_lateral) =
                    self.within(|w| match (name.as_str(), list(function, "children")) {
                        ("unnest", [of]) => w.expr(of, around),
                        _ => w.expr(function, around),
                    })?;
                let lateral = if is_lateral { "lateral " } else { "" };
                let columns = vec![column((name.clone(), element(&of.ty)?))];
                let column = ident(&columns[0].there);
                let there = self.add(node, &name, columns, scope);
                Ok(format!("{lateral}explode({}) as {there}({column})", of.sql))
            }
            other => Err(not_there(&format!("the function `{other}`, which makes rows"))),
        }
    }

    /// The parts that the session reads, or files that it may read: by the names in the statement.
    fn parquet(&mut self, function: &Json) -> Result<(String, Vec<NamedColumn>)> {
        let children = list(function, "children");
        let names = children.first().map(|of| list(of, "children")).unwrap_or_default();
        let names = texts(&names.iter().map(|of| of["value"]["value"].clone()).collect::<Vec<_>>());
        let Some(schema) = children.iter().find_map(schema_of) else {
            return Err(not_there("Parquet files besides the store"));
        };
        let mut columns = Vec::new();
        for (name, kind) in schema? {
            columns.push(column((name, Ty::named(&kind)?)));
        }
        let schema: Vec<String> = columns
            .iter()
            .map(|column| {
                let ty = match column.ty {
                    // As Spark reads whole numbers without a sign.
                    Ty::Key => "decimal(20,0)".to_owned(),
                    _ => column.ty.spark(),
                };
                format!("{} {ty}", ident(&column.there))
            })
            .collect();
        let paths = self.known.files(&names)?;
        let files = Files { name: String::new(), schema: schema.join(", "), paths };
        let is = |known: &&Files| known.schema == files.schema && known.paths == files.paths;
        if let Some(known) = self.files.iter().find(is) {
            return Ok((known.name.clone(), columns));
        }
        let name = format!("pmtaq_parts_{}", files.fingerprint());
        self.files.push(Files { name: name.clone(), ..files });
        Ok((name, columns))
    }
}

impl Files {
    /// A name for these paths and columns, and for no others.
    fn fingerprint(&self) -> String {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        (&self.schema, &self.paths).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }
}

fn column((name, ty): (String, Ty)) -> NamedColumn {
    NamedColumn { there: name.clone(), name, ty }
}

/// The rows of a subquery that is nothing but them.
fn only_values(query: &Json) -> Option<&Json> {
    let values = &query["from_table"];
    let is_star = |item: &Json| {
        text(item, "class") == "STAR"
            && list(item, "exclude_list").is_empty()
            && list(item, "replace_list").is_empty()
    };
    let is_all = matches!(list(query, "select_list"), [item] if is_star(item));
    let is_plain = list(query, "modifiers").is_empty() && there(query, "where_clause").is_none();
    (text(values, "type") == "EXPRESSION_LIST" && is_all && is_plain).then_some(values)
}

/// The columns that an argument `schema = map([name, ...], [{type: ...}, ...])` says.
fn schema_of(argument: &Json) -> Option<Result<Vec<(String, String)>>> {
    let is_schema =
        |side: &Json| list(side, "column_names").first().and_then(Json::as_str) == Some("schema");
    let map = if is_schema(&argument["left"]) { &argument["right"] } else { return None };
    let [names, structs] = list(map, "children") else { return None };
    let texts = |of: &Json| of["value"]["value"].as_str().map(str::to_owned);
    let kinds = list(structs, "children").iter().map(|of| {
        let fields = list(of, "children");
        let kind = fields.iter().find(|field| text(field, "alias") == "type");
        kind.and_then(texts)
    });
    let pairs = list(names, "children").iter().map(texts).zip(kinds);
    let pairs = pairs.map(|(name, kind)| name.zip(kind));
    Some(pairs.collect::<Option<_>>().ok_or_else(|| not_there("Parquet files of this kind")))
}
