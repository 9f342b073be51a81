//! Aggregates: of the rows of a group, or of a window.

use serde_json::Value as Json;

use super::lists::ordered_struct;
use super::scope::{Expr, NameScope};
use super::types::Ty;
use super::words::{list, not_there, text, there};
use super::writer::Translator;
use crate::error::Result;

/// The functions that are aggregates.
const AGGREGATES: &[&str] = &[
    "count_star",
    "count",
    "sum",
    "min",
    "max",
    "avg",
    "mean",
    "first",
    "any_value",
    "last",
    "arg_min",
    "arg_max",
    "min_by",
    "max_by",
    "list",
    "array_agg",
    "string_agg",
    "group_concat",
    "listagg",
    "bool_and",
    "bool_or",
    "quantile_cont",
    "quantile_disc",
    "median",
    "stddev",
    "stddev_samp",
    "stddev_pop",
    "variance",
    "var_samp",
    "var_pop",
    "count_if",
    "countif",
    "corr",
    "mode",
    "approx_count_distinct",
    "histogram",
    "list_distinct_agg",
    "product",
    "approx_quantile",
];

/// Whether a function is an aggregate.
pub(super) fn is_aggregate(name: &str) -> bool {
    AGGREGATES.contains(&name)
}

impl Translator<'_> {
    /// Writes an aggregate with its filter, its order, and whether it is of different values only.
    pub(super) fn aggregated(
        &mut self,
        name: &str,
        node: &Json,
        scope: &NameScope<'_>,
    ) -> Result<Expr> {
        let mut arguments = Vec::new();
        for child in list(node, "children") {
            arguments.push(self.expr(child, scope)?);
        }
        let filter = there(node, "filter").map(|of| self.condition(of, scope)).transpose()?;
        let filter = filter.as_deref();
        let orders = list(&node["order_bys"], "orders");
        let is_distinct = node["distinct"].as_bool().unwrap_or(false);
        let mut keys = Vec::new();
        for order in orders {
            let key = self.expr(&order["expression"], scope)?;
            let is_down = text(order, "type") == "DESCENDING";
            let nulls_first = text(order, "null_order").contains("FIRST");
            keys.push((key, is_down, nulls_first));
        }
        let written = match (name, arguments.as_slice(), keys.is_empty()) {
            (_, _, false) if is_distinct => {
                return Err(not_there(&format!("`{name}(distinct ... order by ...)`")));
            }
            ("first" | "any_value", [of], false) => {
                let key = sorted_by(&keys)?;
                // The first of those that are something.
                let key = match name {
                    "any_value" => format!("case when {} is not null then {key} end", of.sql),
                    _ => key,
                };
                filtered(&format!("min_by({}, {key})", of.sql), of.ty.clone(), filter)
            }
            ("list" | "array_agg", [of], false) => {
                let key = sorted_by(&keys)?;
                let pairs = filtered(
                    &format!("collect_list(struct({key} as k, {} as v))", of.sql),
                    Ty::Null,
                    filter,
                );
                let sql = format!("transform(array_sort({}), e -> e.v)", pairs.sql);
                Expr::new(empty_is_null(&sql), Ty::List(Box::new(of.ty.clone())))
            }
            ("string_agg" | "group_concat" | "listagg", [of, by], false) => {
                let [(key, is_down, _)] = keys.as_slice() else {
                    return Err(not_there("`string_agg` by several keys"));
                };
                let down = if *is_down { " desc" } else { "" };
                let sql = format!(
                    "listagg({}, {}) within group (order by {}{down})",
                    of.sql, by.sql, key.sql
                );
                filtered(&sql, Ty::Text, filter)
            }
            // Their value does not depend on an order.
            ("sum" | "min" | "max" | "avg" | "count" | "bool_or" | "bool_and", _, false) => {
                aggregate(name, &arguments, filter, false)?
            }
            (_, _, false) => return Err(not_there(&format!("`{name}(... order by ...)`"))),
            ("count", [of], true) if is_distinct => {
                filtered(&format!("count(distinct {})", of.sql), Ty::Int, filter)
            }
            ("sum" | "avg", [of], true) if is_distinct && of.ty.is_number() => {
                filtered(&format!("{name}(distinct {})", of.sql), of.ty.clone(), filter)
            }
            ("list" | "array_agg", [of], true) if is_distinct => {
                let sql = format!("collect_set({})", of.sql);
                let set = filtered(&sql, Ty::List(Box::new(of.ty.clone())), filter);
                Expr { sql: empty_is_null(&set.sql), ..set }
            }
            ("min" | "max" | "bool_or" | "bool_and" | "any_value", _, true) => {
                aggregate(name, &arguments, filter, false)?
            }
            (_, _, true) if is_distinct => {
                return Err(not_there(&format!("`{name}(distinct ...)`")));
            }
            _ => aggregate(name, &arguments, filter, false)?,
        };
        let has_window = arguments.iter().any(|argument| argument.has_window);
        if has_window {
            return Err(not_there("an aggregate over a window"));
        }
        Ok(Expr { is_aggregate: true, ..written })
    }
}

/// An aggregate without an order; in a window its filter is a case.
pub(super) fn aggregate(
    name: &str,
    arguments: &[Expr],
    filter: Option<&str>,
    in_window: bool,
) -> Result<Expr> {
    let simple = |function: &str, of: &Expr, ty: Ty| match filter {
        Some(filter) if in_window => {
            Expr::new(format!("{function}(case when {filter} then {} end)", of.sql), ty)
        }
        filter => filtered(&format!("{function}({})", of.sql), ty, filter),
    };
    let wrong = || not_there(&format!("`{name}` of this"));
    Ok(match (name, arguments) {
        ("count_star", []) | ("count", []) => match filter {
            Some(filter) if in_window => {
                Expr::new(format!("count(case when {filter} then 1 end)"), Ty::Int)
            }
            filter => filtered("count(*)", Ty::Int, filter),
        },
        ("count", [of]) => simple("count", of, Ty::Int),
        ("count_if" | "countif", [of]) => simple("count_if", of, Ty::Int),
        ("sum", [of]) if of.ty.is_number() || of.ty == Ty::Span => {
            let ty = if of.ty == Ty::Null { Ty::Int } else { of.ty.clone() };
            simple("sum", of, ty)
        }
        ("sum", [of]) if of.ty == Ty::Bool => {
            simple("sum", &of.with(format!("cast({} as bigint)", of.sql), Ty::Int), Ty::Int)
        }
        ("avg" | "mean", [of]) if matches!(of.ty, Ty::Int | Ty::Double) => {
            simple("avg", of, Ty::Double)
        }
        ("min" | "max", [of]) if !matches!(of.ty, Ty::Map(..) | Ty::Hash) => {
            simple(name, of, of.ty.clone())
        }
        ("first", [of]) => simple("first", of, of.ty.clone()),
        ("any_value", [of]) => {
            let sql = format!("first({}, true)", of.sql);
            match filter {
                Some(filter) if in_window => {
                    let of = format!("case when {filter} then {} end", of.sql);
                    Expr::new(format!("first({of}, true)"), arguments[0].ty.clone())
                }
                filter => filtered(&sql, of.ty.clone(), filter),
            }
        }
        ("bool_or" | "bool_and", [of]) if matches!(of.ty, Ty::Bool | Ty::Null) => {
            simple(name, of, Ty::Bool)
        }
        ("arg_max" | "max_by" | "arg_min" | "min_by", [of, by]) => {
            let function = if name.contains("max") { "max_by" } else { "min_by" };
            let key = ordered_struct(by);
            // What is nothing is not chosen.
            let when = match filter {
                Some(filter) if in_window => format!("{filter} and {} is not null", of.sql),
                _ => format!("{} is not null", of.sql),
            };
            let by_null = if matches!(by.ty, Ty::Struct(_)) {
                String::new()
            } else {
                format!(" and {} is not null", by.sql)
            };
            let sql = format!("{function}({}, case when {when}{by_null} then {key} end)", of.sql);
            filtered(&sql, of.ty.clone(), filter.filter(|_| !in_window))
        }
        ("list" | "array_agg", [of]) if !in_window => {
            let list =
                filtered(&format!("collect_list(struct({} as v))", of.sql), Ty::Null, filter);
            let sql = format!("transform({}, e -> e.v)", list.sql);
            Expr::new(empty_is_null(&sql), Ty::List(Box::new(of.ty.clone())))
        }
        ("string_agg" | "group_concat" | "listagg", [of, by])
            if of.ty == Ty::Text && !in_window =>
        {
            filtered(&format!("listagg({}, {})", of.sql, by.sql), Ty::Text, filter)
        }
        ("median", [of]) => simple_quantile("percentile", of, "0.5D", filter, in_window)?,
        ("quantile_cont", [of, p]) => simple_quantile("percentile", of, &p.sql, filter, in_window)?,
        ("quantile_disc", [of, p]) if of.ty.is_number() && !in_window => {
            let sql = format!("percentile_disc({}) within group (order by {})", p.sql, of.sql);
            // As the number that it is of: the function makes fractions of all.
            let quantile = filtered(&sql, Ty::Double, filter);
            match of.ty {
                Ty::Int => Expr::new(format!("cast({} as bigint)", quantile.sql), Ty::Int),
                _ => quantile,
            }
        }
        ("stddev" | "stddev_samp", [of]) if of.ty.is_number() => {
            simple("stddev_samp", of, Ty::Double)
        }
        ("stddev_pop", [of]) if of.ty.is_number() => simple("stddev_pop", of, Ty::Double),
        ("variance" | "var_samp", [of]) if of.ty.is_number() => simple("var_samp", of, Ty::Double),
        ("var_pop", [of]) if of.ty.is_number() => simple("var_pop", of, Ty::Double),
        _ => return Err(wrong()),
    })
}

fn simple_quantile(
    function: &str,
    of: &Expr,
    p: &str,
    filter: Option<&str>,
    in_window: bool,
) -> Result<Expr> {
    if !matches!(of.ty, Ty::Int | Ty::Double) {
        return Err(not_there("a quantile of what is no number"));
    }
    let sql = match filter {
        Some(filter) if in_window => {
            return Ok(Expr::new(
                format!("{function}(case when {filter} then {} end, {p})", of.sql),
                Ty::Double,
            ));
        }
        _ => format!("{function}({}, {p})", of.sql),
    };
    Ok(filtered(&sql, Ty::Double, filter))
}

fn filtered(sql: &str, ty: Ty, filter: Option<&str>) -> Expr {
    Expr::new(
        match filter {
            Some(filter) => format!("{sql} filter (where {filter})"),
            None => sql.to_owned(),
        },
        ty,
    )
}

/// A list of nothing is null.
fn empty_is_null(sql: &str) -> String {
    format!("nullif({sql}, array())")
}

/// What sorts as the keys do: numbers turned round where they go down, nulls where they belong.
fn sorted_by(keys: &[(Expr, bool, bool)]) -> Result<String> {
    let mut parts = Vec::new();
    for (key, is_down, nulls_first) in keys {
        let nulls = if *nulls_first { "is not null" } else { "is null" };
        parts.push(format!("({} {nulls})", key.sql));
        parts.push(match (is_down, &key.ty) {
            (false, Ty::Map(..) | Ty::Hash) => return Err(not_there("an order by this")),
            (false, _) => key.sql.clone(),
            (true, Ty::Int | Ty::Double | Ty::Key | Ty::Span) => format!("(-({}))", key.sql),
            (true, Ty::Time) => format!("(-({}))", super::times::micros(key)?.sql),
            (true, _) => return Err(not_there("an order of texts, down, within an aggregate")),
        });
    }
    Ok(format!("struct({})", parts.join(", ")))
}
