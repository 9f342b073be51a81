//! Queries: `select`, unions, `with`, and what comes at their end. What Spark does not take in one query
//! (windows in `order by` beside groups, `qualify`, `distinct on`) stands as hidden columns in an inner one.

use serde_json::Value as Json;

use super::scope::{Column, Expr, Literal, Scope};
use super::types::Ty;
use super::values::cast;
use super::words::{ident, list, not_there, text, there};
use super::writer::{Writer, Written};
use crate::error::Result;

/// Whether a select list is all columns of its one table, as they are.
fn is_all(items: &[Json], scope: &Scope<'_>, columns: &[Column]) -> bool {
    let is_star =
        |item: &Json| text(item, "class") == "STAR" && list(item, "replace_list").is_empty();
    match (items, scope.sources.as_slice()) {
        ([item], [source]) if is_star(item) && source.columns.len() == columns.len() => {
            source.columns.iter().zip(columns).all(|(of, column)| of.there == column.there)
        }
        _ => false,
    }
}

/// What a query ends with.
#[derive(Default)]
struct End<'j> {
    orders: &'j [Json],
    limit: Option<i64>,
    offset: Option<i64>,
    /// None for no `distinct`, empty for a plain one.
    distinct: Option<&'j [Json]>,
}

impl Writer<'_> {
    /// Writes the query of a syntax tree, in `outer`, the query around it.
    pub(super) fn query(&mut self, node: &Json, outer: Option<&Scope<'_>>) -> Result<Written> {
        let env = self.env.clone();
        for entry in list(&node["cte_map"], "map") {
            let value = &entry["value"];
            if !list(value, "key_targets").is_empty() {
                return Err(not_there("a `with` that reads itself"));
            }
            let aliases = texts(list(value, "aliases"));
            let body = &value["query"]["node"];
            self.env = self.env.and(text(entry, "key"), aliases, body);
        }
        let written = match text(node, "type") {
            "SELECT_NODE" => self.select(node, outer),
            "SET_OPERATION_NODE" => self.set_operation(node, outer),
            "RECURSIVE_CTE_NODE" => Err(not_there("a `with` that reads itself")),
            other => Err(not_there(&format!("a query of the kind {other}"))),
        };
        self.env = env;
        written
    }

    /// What `with` or a view calls `name`: its name there and its columns.
    pub(super) fn named(&mut self, name: &str) -> Result<Option<(String, Vec<Column>)>> {
        if let Some(cte) = self.env.find(name) {
            if let Some(known) = &*cte.written.borrow() {
                return Ok(Some(known.clone()));
            }
            let env = std::mem::replace(&mut self.env, cte.before.clone());
            let written = self.query(&cte.node, None);
            self.env = env;
            let mut written = written?;
            rename(&mut written.columns, &cte.aliases);
            let known = self.keep(name, written);
            *cte.written.borrow_mut() = Some(known.clone());
            return Ok(Some(known));
        }
        let known = self.views.iter().find(|(view, ..)| view.eq_ignore_ascii_case(name));
        if let Some((_, there, columns)) = known {
            return Ok(Some((there.clone(), columns.clone())));
        }
        let Some(node) = self.known.view(name)? else { return Ok(None) };
        let env = std::mem::take(&mut self.env);
        let written = self.query(&node, None);
        self.env = env;
        let (there, columns) = self.keep(name, written?);
        self.views.push((name.to_owned(), there.clone(), columns.clone()));
        Ok(Some((there, columns)))
    }

    fn keep(&mut self, name: &str, written: Written) -> (String, Vec<Column>) {
        let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        let there = self.name(&format!("{}_", plain.to_lowercase()));
        self.ctes.push((there.clone(), written.sql));
        (there, written.columns)
    }

    fn select(&mut self, node: &Json, outer: Option<&Scope<'_>>) -> Result<Written> {
        if there(node, "sample").is_some() {
            return Err(not_there("a sample"));
        }
        let mut scope = Scope::inside(outer);
        let from = self.from(&node["from_table"], &mut scope)?;
        let items = list(node, "select_list");
        let aliases = items.iter().filter(|item| !text(item, "alias").is_empty());
        scope.aliases = aliases.map(|item| (text(item, "alias").to_owned(), item)).collect();
        let scope = &scope;
        let end = self.end(node, scope)?;

        let mut columns = Vec::new();
        let mut written = Vec::new();
        for item in items {
            self.item(item, scope, &mut columns, &mut written)?;
        }
        let mut sql = String::new();
        if let Some(condition) = there(node, "where_clause") {
            sql += &format!(" where {}", self.condition(condition, scope)?);
        }
        self.group(node, scope, &written, &mut sql)?;
        if let Some(condition) = there(node, "having") {
            sql += &format!(" having {}", self.condition(condition, scope)?);
        }

        // What is asked of a row once it is made.
        let mut hidden: Vec<(String, String)> = Vec::new();
        let mut conditions = Vec::new();
        if let Some(condition) = there(node, "qualify") {
            let name = self.name("q");
            conditions.push(name.clone());
            hidden.push((name, self.condition(condition, scope)?));
        }
        if let Some(targets) = end.distinct.filter(|targets| !targets.is_empty()) {
            let of: Vec<String> = targets
                .iter()
                .map(|of| Ok(self.ordered(of, scope, &written)?.sql))
                .collect::<Result<_>>()?;
            let orders = self.orders(end.orders, scope, &written)?;
            let orders: Vec<String> = orders.into_iter().map(|(sql, how)| sql + &how).collect();
            let orders = if orders.is_empty() { of.clone() } else { orders };
            let (of, orders) = (of.join(", "), orders.join(", "));
            let name = self.name("q");
            let number = format!("row_number() over (partition by {of} order by {orders}) = 1");
            conditions.push(name.clone());
            hidden.push((name, number));
        }
        let mut orders = Vec::new();
        let is_distinct = end.distinct.is_some_and(<[Json]>::is_empty);
        for (by, how) in self.orders(end.orders, scope, &written)? {
            let at = written.iter().position(|expr| expr.sql == by);
            let name = match at {
                Some(at) => columns[at].there.clone(),
                _ if is_distinct => {
                    return Err(not_there("`distinct` with another order than its columns"));
                }
                _ => {
                    let name = self.name("o");
                    hidden.push((name.clone(), by));
                    name
                }
            };
            orders.push(format!("{}{how}", ident(&name)));
        }

        let mut list: Vec<String> = if is_all(items, scope, &columns) {
            vec![format!("{}.*", scope.sources[0].there)]
        } else {
            let named = written.iter().zip(&columns);
            named.map(|(of, column)| format!("{} as {}", of.sql, ident(&column.there))).collect()
        };
        list.extend(hidden.iter().map(|(name, sql)| format!("{sql} as {}", ident(name))));
        let is_row_wise = written.iter().any(|expr| expr.is_unnested);
        let is_plain = hidden.is_empty() && !is_row_wise;
        let distinct = if is_distinct && is_plain { "distinct " } else { "" };
        let mut sql = format!("select {distinct}{}{from}{sql}", list.join(", "));
        let unnested = self.unnested(&written, &mut columns)?;
        if !hidden.is_empty() || unnested.is_some() {
            let names = columns.iter().map(|column| ident(&column.there)).collect();
            let names: Vec<String> = unnested.unwrap_or(names);
            let around = self.name("t");
            let distinct = if is_distinct { "distinct " } else { "" };
            sql = format!("select {distinct}{} from ({sql}) as {around}", names.join(", "));
            let conditions: Vec<String> = conditions.iter().map(|name| ident(name)).collect();
            if !conditions.is_empty() {
                sql += &format!(" where {}", conditions.join(" and "));
            }
        }
        Ok(Written { sql: sql + &finish(&orders, &end), columns })
    }

    /// Adds what an item of the select list stands for.
    fn item<'s>(
        &mut self,
        item: &'s Json,
        scope: &Scope<'s>,
        columns: &mut Vec<Column>,
        written: &mut Vec<Expr>,
    ) -> Result<()> {
        if text(item, "class") == "STAR" {
            return self.star(item, scope, columns, written);
        }
        let expr = match unnested(item) {
            Some((of, to)) => {
                let list = self.expr(of, scope)?;
                let list = to.map_or(Ok(list.clone()), |to| each_as(&list, to))?;
                Expr { is_unnested: true, ..list }
            }
            None => self.expr(item, scope)?,
        };
        let name = match text(item, "alias") {
            "" => named_by_itself(item),
            alias => alias.to_owned(),
        };
        self.column_named(columns, name, expr.ty.clone());
        written.push(expr);
        Ok(())
    }

    fn column_named(&mut self, columns: &mut Vec<Column>, name: String, ty: Ty) {
        let is_taken = |name: &str, columns: &[Column]| {
            columns.iter().any(|column| column.there.eq_ignore_ascii_case(name))
        };
        let is_plain = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !is_taken(&name, columns);
        let there = if is_plain { name.clone() } else { self.name("c") };
        columns.push(Column { name, there, ty });
    }

    fn star<'s>(
        &mut self,
        item: &'s Json,
        scope: &Scope<'s>,
        columns: &mut Vec<Column>,
        written: &mut Vec<Expr>,
    ) -> Result<()> {
        let is_plain = there(item, "expr").is_none()
            && !item["columns"].as_bool().unwrap_or(false)
            && list(item, "rename_list").is_empty()
            && list(item, "qualified_exclude_list").is_empty();
        if !is_plain {
            return Err(not_there("`columns(...)`"));
        }
        let of = text(item, "relation_name");
        let excluded = texts(list(item, "exclude_list"));
        let replaced = list(item, "replace_list");
        let mut is_found = false;
        for source in &scope.sources {
            if !of.is_empty() && !source.alias.eq_ignore_ascii_case(of) {
                continue;
            }
            is_found = true;
            for column in &source.columns {
                let is = |name: &String| name.eq_ignore_ascii_case(&column.name);
                let is_merged = of.is_empty() && source.merged.iter().any(is);
                if is_merged || excluded.iter().any(is) {
                    continue;
                }
                let other = replaced
                    .iter()
                    .find(|entry| text(entry, "key").eq_ignore_ascii_case(&column.name));
                let expr = match other {
                    Some(entry) => self.expr(&entry["value"], scope)?,
                    None => source.expr(column),
                };
                self.column_named(columns, column.name.clone(), expr.ty.clone());
                written.push(expr);
            }
        }
        if is_found { Ok(()) } else { Err(not_there(&format!("all columns of `{of}`"))) }
    }

    /// The select list around one that has lists, of which each value becomes a row; none where it has none.
    fn unnested(
        &mut self,
        written: &[Expr],
        columns: &mut [Column],
    ) -> Result<Option<Vec<String>>> {
        let (mut names, mut lists, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for (expr, column) in written.iter().zip(columns) {
            let there = ident(&column.there);
            if expr.is_unnested {
                column.ty = element(&expr.ty)?;
                lists.push(there.clone());
                // Its list has its name until then.
                column.there = self.name("u");
                rows.push(ident(&column.there));
            } else {
                names.push(there);
            }
        }
        // It comes last there; columns are found by their names.
        names.extend(match lists.as_slice() {
            [] => return Ok(None),
            [one] => Some(format!("explode({one}) as {}", rows[0])),
            // Side by side: the shorter ones go on with nulls.
            several => {
                Some(format!("inline(arrays_zip({})) as ({})", several.join(", "), rows.join(", ")))
            }
        });
        Ok(Some(names))
    }

    /// Writes `group by`, if there is one.
    fn group(
        &mut self,
        node: &Json,
        scope: &Scope<'_>,
        written: &[Expr],
        sql: &mut String,
    ) -> Result<()> {
        let sets = list(node, "group_sets");
        if text(node, "aggregate_handling") == "FORCE_AGGREGATES" {
            let keys = written.iter().filter(|expr| !expr.is_aggregate && !expr.has_window);
            let keys: Vec<String> = keys.map(group_key).collect();
            if !keys.is_empty() {
                *sql += &format!(" group by {}", keys.join(", "));
            }
            return Ok(());
        }
        if sets.is_empty() {
            return Ok(());
        }
        let mut keys = Vec::new();
        for key in list(node, "group_expressions") {
            keys.push(group_key(&self.key(key, scope, written)?));
        }
        let all: Vec<usize> = (0..keys.len()).collect();
        let sets: Vec<Vec<usize>> = sets.iter().map(numbers).collect();
        if sets == [all] {
            *sql += &format!(" group by {}", keys.join(", "));
        } else {
            let of = |set: &Vec<usize>| {
                let names: Vec<&str> = set.iter().map(|at| keys[*at].as_str()).collect();
                format!("({})", names.join(", "))
            };
            let sets: Vec<String> = sets.iter().map(of).collect();
            *sql += &format!(" group by grouping sets ({})", sets.join(", "));
        }
        Ok(())
    }

    /// An expression of `group by`: a column of the tables, else an alias or a place of the select list.
    fn key(&mut self, key: &Json, scope: &Scope<'_>, written: &[Expr]) -> Result<Expr> {
        if let Some(at) = place(key) {
            let at = written.get(at);
            return at.cloned().ok_or_else(|| not_there("a group by a place that there is not"));
        }
        self.expr(key, scope)
    }

    /// An expression of `order by`: an alias of the select list or its place, else over the tables.
    fn ordered(&mut self, by: &Json, scope: &Scope<'_>, written: &[Expr]) -> Result<Expr> {
        if let Some(at) = place(by) {
            let at = written.get(at);
            return at.cloned().ok_or_else(|| not_there("an order by a place that there is not"));
        }
        if let [name] = list(by, "column_names")
            && text(by, "class") == "COLUMN_REF"
        {
            let name = name.as_str().unwrap_or_default();
            let alias = scope.aliases.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name));
            if let Some((_, item)) = alias {
                return match unnested(item) {
                    Some(_) => Err(not_there("an order by what `unnest` makes")),
                    None => self.expr(item, scope),
                };
            }
        }
        self.expr(by, scope)
    }

    /// What is ordered by, and how.
    fn orders(
        &mut self,
        orders: &[Json],
        scope: &Scope<'_>,
        written: &[Expr],
    ) -> Result<Vec<(String, String)>> {
        let mut all = Vec::new();
        for order in orders {
            let by = &order["expression"];
            if text(by, "class") == "STAR" {
                all.extend(written.iter().map(|expr| (expr.sql.clone(), direction(order))));
                continue;
            }
            all.push((self.ordered(by, scope, written)?.sql, direction(order)));
        }
        Ok(all)
    }

    /// Reads the modifiers of a node.
    fn end<'j>(&mut self, node: &'j Json, scope: &Scope<'_>) -> Result<End<'j>> {
        let mut end = End::default();
        for modifier in list(node, "modifiers") {
            match text(modifier, "type") {
                "ORDER_MODIFIER" => end.orders = list(modifier, "orders"),
                "DISTINCT_MODIFIER" => end.distinct = Some(list(modifier, "distinct_on_targets")),
                "LIMIT_MODIFIER" => {
                    let mut number = |key: &str| -> Result<Option<i64>> {
                        let Some(node) = there(modifier, key) else { return Ok(None) };
                        match self.expr(node, scope)?.int() {
                            Some(number) => Ok(Some(number)),
                            None => Err(not_there("a limit that is no number")),
                        }
                    };
                    (end.limit, end.offset) = (number("limit")?, number("offset")?);
                }
                other => return Err(not_there(&format!("a query that ends with {other}"))),
            }
        }
        Ok(end)
    }

    fn set_operation(&mut self, node: &Json, outer: Option<&Scope<'_>>) -> Result<Written> {
        let children = match list(node, "children") {
            [] => vec![&node["left"], &node["right"]],
            children => children.iter().collect(),
        };
        let sides: Vec<Written> =
            children.into_iter().map(|child| self.query(child, outer)).collect::<Result<_>>()?;
        let is_all = node["setop_all"].as_bool().unwrap_or(false);
        let kind = text(node, "setop_type");
        let sign = match kind {
            "UNION" | "UNION_BY_NAME" => "union",
            "EXCEPT" => "except",
            "INTERSECT" => "intersect",
            other => return Err(not_there(&format!("{other} of two queries"))),
        };
        let sign = if is_all { format!("{sign} all") } else { sign.to_owned() };
        let mut columns = sides[0].columns.clone();
        // For each side the places of the columns; none where it lacks one.
        let mut places: Vec<Vec<Option<usize>>> = Vec::new();
        for side in &sides {
            if kind == "UNION_BY_NAME" {
                for column in &side.columns {
                    if !columns.iter().any(|known| known.name.eq_ignore_ascii_case(&column.name)) {
                        let name = column.name.clone();
                        self.column_named(&mut columns, name, Ty::Null);
                    }
                }
            } else if side.columns.len() != columns.len() {
                return Err(not_there("two queries of different width in one"));
            }
        }
        for side in &sides {
            let at = |(at, column): (usize, &Column)| match kind {
                "UNION_BY_NAME" => {
                    side.columns.iter().position(|of| of.name.eq_ignore_ascii_case(&column.name))
                }
                _ => Some(at),
            };
            let at: Vec<Option<usize>> = columns.iter().enumerate().map(at).collect();
            for (column, at) in columns.iter_mut().zip(&at) {
                if let Some(at) = at {
                    column.ty = column.ty.or(&side.columns[*at].ty)?;
                }
            }
            places.push(at);
        }
        let mut arms = Vec::new();
        for (side, at) in sides.iter().zip(&places) {
            let name = self.name("t");
            let of = |(column, at): (&Column, &Option<usize>)| {
                let there = ident(&column.there);
                match at.map(|at| &side.columns[at]) {
                    Some(of) if of.ty == column.ty => {
                        format!("{name}.{} as {there}", ident(&of.there))
                    }
                    Some(of) => {
                        let of = format!("{name}.{}", ident(&of.there));
                        format!("cast({of} as {}) as {there}", column.ty.spark())
                    }
                    None => format!("cast(null as {}) as {there}", column.ty.spark()),
                }
            };
            let list: Vec<String> = columns.iter().zip(at).map(of).collect();
            arms.push(format!("select {} from ({}) as {name}", list.join(", "), side.sql));
        }
        let sql = arms.join(&format!(" {sign} "));
        let mut scope = Scope::default();
        let name = self.name("t");
        scope.sources.push(super::scope::Source {
            alias: String::new(),
            there: name.clone(),
            columns: columns.clone(),
            merged: Vec::new(),
        });
        let written: Vec<Expr> =
            columns.iter().map(|column| scope.sources[0].expr(column)).collect();
        let end = self.end(node, &scope)?;
        if end.orders.is_empty() && end.limit.is_none() && end.distinct.is_none() {
            return Ok(Written { sql, columns });
        }
        if end.distinct.is_some() {
            return Err(not_there("`distinct` of a union"));
        }
        let orders = self.orders(end.orders, &scope, &written)?;
        let orders: Vec<String> = orders.into_iter().map(|(by, how)| by + &how).collect();
        let list: Vec<String> = written.iter().map(|expr| expr.sql.clone()).collect();
        let sql = format!("select {} from ({sql}) as {name}", list.join(", "));
        Ok(Written { sql: sql + &finish(&orders, &end), columns })
    }
}

fn finish(orders: &[String], end: &End<'_>) -> String {
    let mut sql = String::new();
    if !orders.is_empty() {
        sql += &format!(" order by {}", orders.join(", "));
    }
    // The largest number stands for all.
    if let Some(limit) = end.limit.filter(|limit| *limit < i64::from(i32::MAX)) {
        sql += &format!(" limit {limit}");
    }
    if let Some(offset) = end.offset.filter(|offset| *offset > 0) {
        sql += &format!(" offset {offset}");
    }
    sql
}

/// The direction of an order, and where nulls come: last unless something else is said.
pub(super) fn direction(order: &Json) -> String {
    let down = if text(order, "type") == "DESCENDING" { " desc" } else { "" };
    let nulls = match text(order, "null_order") {
        "NULLS FIRST" | "NULLS_FIRST" => " nulls first",
        _ => " nulls last",
    };
    format!("{down}{nulls}")
}

/// A key of a group: a literal must not be taken for a place.
fn group_key(expr: &Expr) -> String {
    match expr.literal {
        Some(Literal::Int(_)) => format!("cast({} as bigint)", expr.sql),
        _ => expr.sql.clone(),
    }
}

/// The place in the select list that an expression is, from 0.
fn place(node: &Json) -> Option<usize> {
    if text(node, "class") != "CONSTANT" {
        return None;
    }
    let number = node["value"]["value"].as_u64().filter(|n| *n > 0)?;
    usize::try_from(number - 1).ok()
}

/// What is unnested by an item of a select list, and the type that its values are cast to.
fn unnested(item: &Json) -> Option<(&Json, Option<&Json>)> {
    let (of, to) = match text(item, "class") {
        "CAST" => (&item["child"], Some(&item["cast_type"])),
        _ => (item, None),
    };
    let is = text(of, "class") == "FUNCTION" && text(of, "function_name") == "unnest";
    match list(of, "children") {
        [list] if is => Some((list, to)),
        _ => None,
    }
}

/// The type of what is in a list.
pub(super) fn element(ty: &Ty) -> Result<Ty> {
    match ty {
        Ty::List(of) => Ok((**of).clone()),
        _ => Err(not_there("`unnest` of what is no list")),
    }
}

/// A list with each of its values as another type.
fn each_as(list: &Expr, to: &Json) -> Result<Expr> {
    let to = Ty::of(to)?;
    let value = cast(&Expr::new("e", element(&list.ty)?), &to, false)?;
    Ok(list.with(format!("transform({}, e -> {})", list.sql, value.sql), Ty::List(Box::new(to))))
}

/// The name that a column has by itself.
fn named_by_itself(item: &Json) -> String {
    match text(item, "class") {
        "COLUMN_REF" => {
            let names = list(item, "column_names");
            names.last().and_then(Json::as_str).unwrap_or_default().to_owned()
        }
        "FUNCTION" if text(item, "function_name") == "count_star" => "count_star()".to_owned(),
        _ => String::new(),
    }
}

/// Gives columns other names.
pub(super) fn rename(columns: &mut [Column], names: &[String]) {
    for (column, name) in columns.iter_mut().zip(names) {
        column.name.clone_from(name);
    }
}

/// A list of names.
pub(super) fn texts(list: &[Json]) -> Vec<String> {
    list.iter().filter_map(Json::as_str).map(str::to_owned).collect()
}

fn numbers(list: &Json) -> Vec<usize> {
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(Json::as_u64).filter_map(|n| usize::try_from(n).ok()).collect()
}
