//! Expressions, by the classes that the engine's syntax tree has, each written with its type.

use serde_json::Value as Json;

use super::lists::{array, extracted, field, named_field};
use super::scope::{Expr, NameScope, Resolved};
use super::types::Ty;
use super::values::{
    cast, common, compared, double_literal, int_literal, matched, sqls, text_literal,
};
use super::words::{list, not_there, text, there};
use super::writer::Translator;
use crate::error::Result;

impl Translator<'_> {
    /// Writes an expression.
    pub(super) fn expr(&mut self, node: &Json, scope: &NameScope<'_>) -> Result<Expr> {
        match text(node, "class") {
            "CONSTANT" => constant(&node["value"]),
            "COLUMN_REF" => self.column(node, scope),
            "FUNCTION" => self.function(node, scope),
            "CAST" => self.cast(node, scope),
            "CASE" => self.case(node, scope),
            "COMPARISON" => {
                let left = self.expr(&node["left"], scope)?;
                let right = self.expr(&node["right"], scope)?;
                let sign = sign(text(node, "type"))?;
                compared(&left, sign, &right)
            }
            "CONJUNCTION" => {
                let sign = match text(node, "type") {
                    "CONJUNCTION_OR" => " or ",
                    _ => " and ",
                };
                let mut parts = Vec::new();
                for child in list(node, "children") {
                    parts.push(self.truth(child, scope)?);
                }
                let parts: Vec<&Expr> = parts.iter().collect();
                let sqls: Vec<&str> = parts.iter().map(|part| part.sql.as_str()).collect();
                Ok(Expr::of(format!("({})", sqls.join(sign)), Ty::Bool, &parts))
            }
            "BETWEEN" => {
                let input = self.expr(&node["input"], scope)?;
                let lower = compared(&input, ">=", &self.expr(&node["lower"], scope)?)?;
                let upper = compared(&input, "<=", &self.expr(&node["upper"], scope)?)?;
                let sql = format!("({} and {})", lower.sql, upper.sql);
                Ok(Expr::of(sql, Ty::Bool, &[&lower, &upper]))
            }
            "OPERATOR" => self.operator(node, scope),
            "SUBQUERY" => self.subquery(node, scope),
            "WINDOW" => self.window(node, scope),
            "PARAMETER" => Err(not_there("a parameter")),
            "LAMBDA" => Err(not_there("a lambda here")),
            "STAR" => Err(not_there("`*` here")),
            other => Err(not_there(&format!("an expression of the kind {other}"))),
        }
    }

    /// Writes a condition.
    pub(super) fn condition(&mut self, node: &Json, scope: &NameScope<'_>) -> Result<String> {
        Ok(self.truth(node, scope)?.sql)
    }

    fn truth(&mut self, node: &Json, scope: &NameScope<'_>) -> Result<Expr> {
        let expr = self.expr(node, scope)?;
        match expr.ty {
            Ty::Bool => Ok(expr),
            Ty::Null => Ok(expr.with("cast(null as boolean)", Ty::Bool)),
            Ty::Int => Ok(expr.with(format!("({} <> 0)", expr.sql), Ty::Bool)),
            _ => Err(not_there("a condition that is neither true nor false")),
        }
    }

    fn column(&mut self, node: &Json, scope: &NameScope<'_>) -> Result<Expr> {
        let names = list(node, "column_names");
        let names: Vec<&str> = names.iter().filter_map(Json::as_str).collect();
        let mut at = Some(scope);
        let mut depth = 0;
        while let Some(here) = at {
            let found = find(here, &names);
            if found.is_some() {
                self.depth = self.depth.max(depth);
            }
            match found {
                Some(Resolved::Column(expr)) => return Ok(expr),
                Some(Resolved::Alias(name, node)) => {
                    here.busy.borrow_mut().push(name);
                    let written = self.expr(node, here);
                    here.busy.borrow_mut().pop();
                    let written = written?;
                    return Ok(Expr { sql: format!("({})", written.sql), ..written });
                }
                None => {}
            }
            if !here.is_inner {
                depth += 1;
            }
            at = here.outer;
        }
        Err(not_there(&format!("the name `{}`", names.join("."))))
    }

    fn cast(&mut self, node: &Json, scope: &NameScope<'_>) -> Result<Expr> {
        let child = self.expr(&node["child"], scope)?;
        let is_try = node["try_cast"].as_bool().unwrap_or(false);
        let target = &node["cast_type"];
        // The sums of keys are larger than whole numbers are.
        let to = match (&child.ty, text(target, "id")) {
            (Ty::Key, "HUGEINT" | "UBIGINT") => Ty::Key,
            (_, "HUGEINT") if child.literal.is_some() => Ty::Key,
            _ => Ty::of(target)?,
        };
        cast(&child, &to, is_try)
    }

    fn case(&mut self, node: &Json, scope: &NameScope<'_>) -> Result<Expr> {
        let mut parts = Vec::new();
        let mut ty = Ty::Null;
        for check in list(node, "case_checks") {
            let when = self.truth(&check["when_expr"], scope)?;
            let then = self.expr(&check["then_expr"], scope)?;
            ty = ty.or(&then.ty)?;
            parts.push((when, then));
        }
        let otherwise = match there(node, "else_expr") {
            Some(node) => self.expr(node, scope)?,
            None => Expr::new("null", Ty::Null),
        };
        ty = ty.or(&otherwise.ty)?;
        // What is decided already, as by the value of a parameter.
        if let [(when, then)] = parts.as_slice() {
            match when.sql.as_str() {
                "true" => return Ok(Expr { ty, ..then.clone() }),
                "false" => return Ok(Expr { ty, ..otherwise }),
                _ => {}
            }
        }
        let mut sql = String::from("case");
        for (when, then) in &parts {
            sql += &format!(" when {} then {}", when.sql, then.sql);
        }
        if otherwise.ty != Ty::Null {
            sql += &format!(" else {}", otherwise.sql);
        }
        let all: Vec<&Expr> =
            parts.iter().flat_map(|(when, then)| [when, then]).chain([&otherwise]).collect();
        Ok(Expr::of(sql + " end", ty, &all))
    }

    fn operator(&mut self, node: &Json, scope: &NameScope<'_>) -> Result<Expr> {
        let kind = text(node, "type");
        let children = list(node, "children");
        let mut parts = Vec::new();
        for child in children {
            parts.push(self.expr(child, scope)?);
        }
        let all: Vec<&Expr> = parts.iter().collect();
        let of = |sql: String, ty: Ty| Ok(Expr::of(sql, ty, &all));
        match (kind, parts.as_slice()) {
            ("OPERATOR_NOT", [a]) if matches!(a.ty, Ty::Bool | Ty::Null) => {
                of(format!("(not {})", a.sql), Ty::Bool)
            }
            ("OPERATOR_IS_NULL", [a]) => of(format!("({} is null)", a.sql), Ty::Bool),
            ("OPERATOR_IS_NOT_NULL", [a]) => of(format!("({} is not null)", a.sql), Ty::Bool),
            ("OPERATOR_COALESCE", _) => {
                let ty = common(&all)?;
                of(format!("coalesce({})", sqls(&parts)), ty)
            }
            ("COMPARE_IN" | "COMPARE_NOT_IN", [a, among @ ..]) => {
                let mut list = Vec::new();
                for b in among {
                    list.push(matched(a, b)?.1.sql);
                }
                let not = if kind == "COMPARE_IN" { "" } else { "not " };
                of(format!("({} {not}in ({}))", a.sql, list.join(", ")), Ty::Bool)
            }
            ("GROUPING_FUNCTION", [a]) => {
                let mut expr =
                    Expr::of(format!("cast(grouping({}) as bigint)", a.sql), Ty::Int, &all);
                expr.is_aggregate = true;
                Ok(expr)
            }
            ("ARRAY_EXTRACT", [of, at]) => extracted(of, at),
            ("ARRAY_SLICE", [of, from, to]) => sliced(of, from, to),
            ("STRUCT_EXTRACT", [of, name]) => field(of, name),
            ("ARRAY_CONSTRUCTOR", _) => array(&parts),
            (other, _) => Err(not_there(&format!("the operator {other}"))),
        }
    }

    fn subquery(&mut self, node: &Json, scope: &NameScope<'_>) -> Result<Expr> {
        let query = &node["subquery"]["node"];
        let child = there(node, "child").map(|child| self.expr(child, scope)).transpose()?;
        let (written, is_correlated) = self.within(|w| w.query(query, Some(scope)))?;
        match (text(node, "subquery_type"), child) {
            ("SCALAR", None) => {
                let ty = written.columns.first().map_or(Ty::Null, |column| column.ty.clone());
                // Of several rows the engine takes the first, and a cluster none.
                Ok(Expr::new(format!("({})", written.sql), ty))
            }
            ("EXISTS", None) if is_correlated => {
                Ok(Expr::new(format!("exists ({})", written.sql), Ty::Bool))
            }
            ("EXISTS", None) => {
                // As a number, since that may stand beside aggregates too.
                let name = self.name("t");
                let one = format!("select 1 as one from ({}) as {name} limit 1", written.sql);
                let inner = self.name("t");
                Ok(Expr::new(format!("(select count(*) > 0 from ({one}) as {inner})"), Ty::Bool))
            }
            ("ANY", Some(child)) if text(node, "comparison_type") == "COMPARE_EQUAL" => {
                let [column] = written.columns.as_slice() else {
                    return Err(not_there("`in` of a query of several columns"));
                };
                child.ty.or(&column.ty)?;
                let sql = format!("({} in ({}))", child.sql, written.sql);
                Ok(Expr::of(sql, Ty::Bool, &[&child]))
            }
            (other, _) => Err(not_there(&format!("a subquery of the kind {other}"))),
        }
    }
}

/// What a name is in one scope.
fn find<'s>(scope: &NameScope<'s>, names: &[&str]) -> Option<Resolved<'s>> {
    let bound = |name: &str| {
        let bound = scope.bound.iter().find(|(bound, _)| bound.eq_ignore_ascii_case(name));
        bound.map(|(_, expr)| expr.clone())
    };
    let fields = |expr: Expr, names: &[&str]| {
        names.iter().try_fold(expr, |expr, name| named_field(&expr, name))
    };
    match names {
        [name] => {
            if let Some(expr) = bound(name).or_else(|| scope.column(name)) {
                return Some(Resolved::Column(expr));
            }
            let is_busy = scope.busy.borrow().iter().any(|busy| busy.eq_ignore_ascii_case(name));
            let alias = scope.aliases.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name));
            alias.filter(|_| !is_busy).map(|(alias, node)| Resolved::Alias(alias.clone(), node))
        }
        [first, name, rest @ ..] => {
            let of_table = scope.column_of(first, name).and_then(|expr| fields(expr, rest));
            let expr = of_table.or_else(|| {
                let expr = bound(first).or_else(|| scope.column(first))?;
                fields(expr, &names[1..])
            });
            expr.map(Resolved::Column)
        }
        [] => None,
    }
}

/// A literal.
fn constant(value: &Json) -> Result<Expr> {
    let is_null = value["is_null"].as_bool().unwrap_or(false);
    if is_null {
        return Ok(Expr::new("null", Ty::Null));
    }
    let of = &value["value"];
    match text(&value["type"], "id") {
        "VARCHAR" => Ok(text_literal(of.as_str().unwrap_or_default())),
        "INTEGER" | "BIGINT" | "SMALLINT" | "TINYINT" => {
            let n = of.as_i64().ok_or_else(|| not_there("a number of this size"))?;
            Ok(int_literal(n))
        }
        "DOUBLE" => of.as_f64().map(double_literal).ok_or_else(|| not_there("this number")),
        "DECIMAL" => {
            let scale = value["type"]["type_info"]["scale"].as_u64().unwrap_or(0);
            let digits = of.as_i64().ok_or_else(|| not_there("a decimal of this size"))?;
            let scale = i32::try_from(scale).unwrap_or(0);
            Ok(double_literal(digits as f64 / 10_f64.powi(scale)))
        }
        "HUGEINT" => Err(not_there("a whole number of more than 64 bits")),
        "BOOLEAN" => Ok(Expr::new(of.as_bool().unwrap_or(false).to_string(), Ty::Bool)),
        // An open end of a slice.
        "LIST" => Ok(Expr::new("", Ty::Null)),
        other => Err(not_there(&format!("a literal of the type {other}"))),
    }
}

/// A part of a text, by the places of its first and last character.
fn sliced(of: &Expr, from: &Expr, to: &Expr) -> Result<Expr> {
    let is_open = |expr: &Expr| expr.sql.is_empty();
    let first = if is_open(from) { Some(1) } else { from.int() };
    let parts = &[of];
    match (&of.ty, first, is_open(to), to.int()) {
        (Ty::Text, Some(first), true, _) if first > 0 => {
            Ok(Expr::of(format!("substring({}, {first})", of.sql), Ty::Text, parts))
        }
        (Ty::Text, Some(first), false, Some(last)) if first > 0 && last > 0 => {
            let n = (last - first + 1).max(0);
            Ok(Expr::of(format!("substring({}, {first}, {n})", of.sql), Ty::Text, parts))
        }
        (Ty::List(_), Some(first), false, Some(last)) if first > 0 && last > 0 => {
            let n = (last - first + 1).max(0);
            Ok(Expr::of(format!("slice({}, {first}, {n})", of.sql), of.ty.clone(), parts))
        }
        _ => Err(not_there("a part of this, by places that are no numbers above 0")),
    }
}

/// The sign of a comparison.
fn sign(kind: &str) -> Result<&'static str> {
    Ok(match kind {
        "COMPARE_EQUAL" => "=",
        "COMPARE_NOTEQUAL" => "<>",
        "COMPARE_LESSTHAN" => "<",
        "COMPARE_GREATERTHAN" => ">",
        "COMPARE_LESSTHANOREQUALTO" => "<=",
        "COMPARE_GREATERTHANOREQUALTO" => ">=",
        "COMPARE_DISTINCT_FROM" => "is distinct from",
        "COMPARE_NOT_DISTINCT_FROM" => "is not distinct from",
        other => return Err(not_there(&format!("the comparison {other}"))),
    })
}
