//! Windows: functions over the rows around one.

use serde_json::Value as Json;

use super::ending::direction;
use super::scope::{Expr, NameScope};
use super::types::Ty;
use super::words::{list, not_there, text, there};
use super::writer::Translator;
use crate::error::Result;

impl Translator<'_> {
    /// Writes a function with its window.
    pub(super) fn window(&mut self, node: &Json, scope: &NameScope<'_>) -> Result<Expr> {
        let is_plain = !node["distinct"].as_bool().unwrap_or(false)
            && list(node, "arg_orders").is_empty()
            && text(node, "exclude_clause") == "NO_OTHER";
        if !is_plain {
            return Err(not_there("a window with `distinct`, an order of its own, or `exclude`"));
        }
        let mut arguments = Vec::new();
        for child in list(node, "children") {
            arguments.push(self.expr(child, scope)?);
        }
        let mut optional = |key: &str| -> Result<Option<Expr>> {
            there(node, key).map(|node| self.expr(node, scope)).transpose()
        };
        let (offset, default) = (optional("offset_expr")?, optional("default_expr")?);
        let filter = optional("filter_expr")?;
        let (start, end) = (optional("start_expr")?, optional("end_expr")?);
        let name = text(node, "function_name").to_lowercase();
        let ignores_nulls = node["ignore_nulls"].as_bool().unwrap_or(false);
        let (function, ty, takes_frame) = match (name.as_str(), arguments.as_slice()) {
            ("row_number" | "rank" | "dense_rank", []) => (format!("{name}()"), Ty::Int, false),
            ("percent_rank" | "cume_dist", []) => (format!("{name}()"), Ty::Double, false),
            ("ntile", [n]) => match n.int() {
                Some(n) => (format!("ntile({n})"), Ty::Int, false),
                None => return Err(not_there("`ntile` of what is no number")),
            },
            ("lag" | "lead", [of]) => {
                let by = offset.as_ref().map_or(Some(1), Expr::int);
                let by = by.ok_or_else(|| not_there("`lag` by what is no number"))?;
                let default = default.as_ref().map_or("null", |of| of.sql.as_str());
                (format!("{name}({}, {by}, {default})", of.sql), of.ty.clone(), false)
            }
            ("first" | "first_value", [of]) => {
                (format!("first_value({})", of.sql), of.ty.clone(), true)
            }
            ("last" | "last_value", [of]) => {
                (format!("last_value({})", of.sql), of.ty.clone(), true)
            }
            _ => {
                // A filter of a window is no matter of every engine, a case is.
                let when = filter.as_ref().map(|filter| filter.sql.as_str());
                let of = super::aggregates::aggregate(&name, &arguments, when, true)?;
                (of.sql, of.ty, true)
            }
        };
        let nulls = if ignores_nulls { " ignore nulls" } else { "" };
        let mut over = Vec::new();
        let mut parts: Vec<Expr> = Vec::new();
        for node in list(node, "partitions") {
            parts.push(self.expr(node, scope)?);
        }
        if !parts.is_empty() {
            let by: Vec<&str> = parts.iter().map(|part| part.sql.as_str()).collect();
            over.push(format!("partition by {}", by.join(", ")));
        }
        let frame = if takes_frame { frame(node, start.as_ref(), end.as_ref())? } else { None };
        let mut orders = Vec::new();
        for order in list(node, "orders") {
            let mut by = self.expr(&order["expression"], scope)?;
            // A frame of so many microseconds.
            if by.ty == Ty::Time
                && frame.as_ref().is_some_and(|frame| {
                    frame.contains("range between") && frame.contains(char::is_numeric)
                })
            {
                by = super::times::micros(&by)?;
            }
            orders.push(format!("{}{}", by.sql, direction(order)));
            parts.push(by);
        }
        if orders.is_empty() && !takes_frame && name != "ntile" {
            // Any order will do, but there must be one.
            orders.push("1".to_owned());
        }
        if !orders.is_empty() {
            over.push(format!("order by {}", orders.join(", ")));
        }
        over.extend(frame);
        let mut expr = Expr::new(format!("{function}{nulls} over ({})", over.join(" ")), ty);
        // Aggregates may stand inside of it.
        expr.is_aggregate = arguments.iter().chain(&parts).chain(&filter).any(|of| of.is_aggregate);
        expr.has_window = true;
        Ok(expr)
    }
}

/// The frame, if it is not the one that holds anyway.
fn frame(node: &Json, start: Option<&Expr>, end: Option<&Expr>) -> Result<Option<String>> {
    let (from, to) = (text(node, "start"), text(node, "end"));
    if (from, to) == ("UNBOUNDED_PRECEDING", "CURRENT_ROW_RANGE") {
        return Ok(None);
    }
    let unit = match (from, to) {
        _ if from.ends_with("_GROUPS") || to.ends_with("_GROUPS") => {
            return Err(not_there("a frame of groups"));
        }
        _ if from.ends_with("_ROWS") || to.ends_with("_ROWS") => "rows",
        _ => "range",
    };
    let bound = |kind: &str, by: Option<&Expr>| -> Result<String> {
        let number = || match by.and_then(Expr::int) {
            // Of a row a number of rows, of a range one as wide as what is ordered by.
            Some(n) if i32::try_from(n).is_ok() => Ok(n.to_string()),
            Some(n) => Ok(format!("{n}L")),
            None => Err(not_there("a frame whose bound is no number")),
        };
        Ok(match kind {
            "UNBOUNDED_PRECEDING" => "unbounded preceding".to_owned(),
            "UNBOUNDED_FOLLOWING" => "unbounded following".to_owned(),
            _ if kind.starts_with("CURRENT_ROW") => "current row".to_owned(),
            _ if kind.starts_with("EXPR_PRECEDING") => format!("{} preceding", number()?),
            _ if kind.starts_with("EXPR_FOLLOWING") => format!("{} following", number()?),
            other => return Err(not_there(&format!("the frame {other}"))),
        })
    };
    Ok(Some(format!("{unit} between {} and {}", bound(from, start)?, bound(to, end)?)))
}
