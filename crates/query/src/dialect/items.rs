//! The select list: its items, stars spelt out, lists of which each value becomes a row.

use serde_json::Value as Json;

use super::scope::{Expr, NameScope, NamedColumn};
use super::types::Ty;
use super::values::cast;
use super::words::{ident, list, not_there, text, texts, there};
use super::writer::Translator;
use crate::error::Result;

impl Translator<'_> {
    /// Adds what an item of the select list stands for.
    pub(super) fn item<'s>(
        &mut self,
        item: &'s Json,
        scope: &NameScope<'s>,
        columns: &mut Vec<NamedColumn>,
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

    pub(super) fn column_named(&mut self, columns: &mut Vec<NamedColumn>, name: String, ty: Ty) {
        let is_taken = |name: &str, columns: &[NamedColumn]| {
            columns.iter().any(|column| column.there.eq_ignore_ascii_case(name))
        };
        let is_plain = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !is_taken(&name, columns);
        let there = if is_plain { name.clone() } else { self.name("c") };
        columns.push(NamedColumn { name, there, ty });
    }

    fn star<'s>(
        &mut self,
        item: &'s Json,
        scope: &NameScope<'s>,
        columns: &mut Vec<NamedColumn>,
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
    pub(super) fn unnested(
        &mut self,
        written: &[Expr],
        columns: &mut [NamedColumn],
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
}

/// What is unnested by an item of a select list, and the type that its values are cast to.
pub(super) fn unnested(item: &Json) -> Option<(&Json, Option<&Json>)> {
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
