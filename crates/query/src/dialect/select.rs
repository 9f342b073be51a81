//! Queries: `select`, `with`, views. What Spark does not take in one query
//! (windows in `order by` beside groups, `qualify`, `distinct on`) stands as hidden columns in an inner one.

use serde_json::Value as Json;

use super::ending::finish;
use super::scope::{NameScope, NamedColumn};
use super::words::{ident, list, not_there, text, texts, there};
use super::writer::{Translator, WrittenQuery};
use crate::error::Result;

/// Whether a select list is all columns of its one table, as they are.
fn is_all(items: &[Json], scope: &NameScope<'_>, columns: &[NamedColumn]) -> bool {
    let is_star =
        |item: &Json| text(item, "class") == "STAR" && list(item, "replace_list").is_empty();
    match (items, scope.sources.as_slice()) {
        ([item], [source]) if is_star(item) && source.columns.len() == columns.len() => {
            source.columns.iter().zip(columns).all(|(of, column)| of.there == column.there)
        }
        _ => false,
    }
}

impl Translator<'_> {
    /// Writes the query of a syntax tree, in `outer`, the query around it.
    pub(super) fn query(
        &mut self,
        node: &Json,
        outer: Option<&NameScope<'_>>,
    ) -> Result<WrittenQuery> {
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
    pub(super) fn named(&mut self, name: &str) -> Result<Option<(String, Vec<NamedColumn>)>> {
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

    fn keep(&mut self, name: &str, written: WrittenQuery) -> (String, Vec<NamedColumn>) {
        let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        let there = self.name(&format!("{}_", plain.to_lowercase()));
        self.ctes.push((there.clone(), written.sql));
        (there, written.columns)
    }

    fn select(&mut self, node: &Json, outer: Option<&NameScope<'_>>) -> Result<WrittenQuery> {
        if there(node, "sample").is_some() {
            return Err(not_there("a sample"));
        }
        let mut scope = NameScope::inside(outer);
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
        Ok(WrittenQuery { sql: sql + &finish(&orders, &end), columns })
    }
}

/// Gives columns other names.
pub(super) fn rename(columns: &mut [NamedColumn], names: &[String]) {
    for (column, name) in columns.iter_mut().zip(names) {
        column.name.clone_from(name);
    }
}
