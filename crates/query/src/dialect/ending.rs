//! What a query ends with: its order, its limit, `distinct`.

use serde_json::Value as Json;

use super::items::unnested;
use super::scope::{Expr, NameScope};
use super::words::{list, not_there, text, there};
use super::writer::Translator;
use crate::error::Result;

/// What a query ends with.
#[derive(Default)]
pub(super) struct End<'j> {
    pub(super) orders: &'j [Json],
    pub(super) limit: Option<i64>,
    pub(super) offset: Option<i64>,
    /// None for no `distinct`, empty for a plain one.
    pub(super) distinct: Option<&'j [Json]>,
}

impl Translator<'_> {
    /// An expression of `order by`: an alias of the select list or its place, else over the tables.
    pub(super) fn ordered(
        &mut self,
        by: &Json,
        scope: &NameScope<'_>,
        written: &[Expr],
    ) -> Result<Expr> {
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
    pub(super) fn orders(
        &mut self,
        orders: &[Json],
        scope: &NameScope<'_>,
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
    pub(super) fn end<'j>(&mut self, node: &'j Json, scope: &NameScope<'_>) -> Result<End<'j>> {
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
}

/// The end of a query in words.
pub(super) fn finish(orders: &[String], end: &End<'_>) -> String {
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

/// The place in the select list that an expression is, from 0.
pub(super) fn place(node: &Json) -> Option<usize> {
    if text(node, "class") != "CONSTANT" {
        return None;
    }
    let number = node["value"]["value"].as_u64().filter(|n| *n > 0)?;
    usize::try_from(number - 1).ok()
}
