//! Several queries in one: `union`, `except`, `intersect`.

use serde_json::Value as Json;

use super::ending::finish;
use super::scope::{Expr, NameScope, NamedColumn, Source};
use super::types::Ty;
use super::words::{ident, list, not_there, text};
use super::writer::{Translator, WrittenQuery};
use crate::error::Result;

impl Translator<'_> {
    pub(super) fn set_operation(
        &mut self,
        node: &Json,
        outer: Option<&NameScope<'_>>,
    ) -> Result<WrittenQuery> {
        let children = match list(node, "children") {
            [] => vec![&node["left"], &node["right"]],
            children => children.iter().collect(),
        };
        let sides: Vec<WrittenQuery> =
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
            let at = |(at, column): (usize, &NamedColumn)| match kind {
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
            let of = |(column, at): (&NamedColumn, &Option<usize>)| {
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
        let mut scope = NameScope::default();
        let name = self.name("t");
        scope.sources.push(Source {
            alias: String::new(),
            there: name.clone(),
            columns: columns.clone(),
            merged: Vec::new(),
        });
        let written: Vec<Expr> =
            columns.iter().map(|column| scope.sources[0].expr(column)).collect();
        let end = self.end(node, &scope)?;
        if end.orders.is_empty() && end.limit.is_none() && end.distinct.is_none() {
            return Ok(WrittenQuery { sql, columns });
        }
        if end.distinct.is_some() {
            return Err(not_there("`distinct` of a union"));
        }
        let orders = self.orders(end.orders, &scope, &written)?;
        let orders: Vec<String> = orders.into_iter().map(|(by, how)| by + &how).collect();
        let list: Vec<String> = written.iter().map(|expr| expr.sql.clone()).collect();
        let sql = format!("select {} from ({sql}) as {name}", list.join(", "));
        Ok(WrittenQuery { sql: sql + &finish(&orders, &end), columns })
    }
}
