//! Lists, maps and structs, and what stands in them.

use super::scope::Expr;
use super::types::Ty;
use super::values::{common, sqls};
use super::words::{ident, not_there};
use crate::error::Result;

/// What sorts as the engine sorts: a null within a row is the last.
pub(super) fn ordered_struct(by: &Expr) -> String {
    let Ty::Struct(fields) = &by.ty else { return by.sql.clone() };
    let of = |(name, _): &(String, Ty)| {
        let field = format!("({}).{}", by.sql, ident(name));
        format!("{field} is null, {field}")
    };
    let fields: Vec<String> = fields.iter().map(of).collect();
    format!("struct({})", fields.join(", "))
}

pub(super) fn array(values: &[Expr]) -> Result<Expr> {
    let all: Vec<&Expr> = values.iter().collect();
    let ty = common(&all)?;
    Ok(Expr::of(format!("array({})", sqls(values)), Ty::List(Box::new(ty)), &all))
}

/// What stands in a list, a map or a text at a place.
pub(super) fn extracted(of: &Expr, at: &Expr) -> Result<Expr> {
    let parts = &[of, at];
    match (&of.ty, &at.ty, at.int()) {
        (Ty::Map(_, value), _, _) => Ok(Expr::of(
            format!("try_element_at({}, {})", of.sql, at.sql),
            (**value).clone(),
            parts,
        )),
        (Ty::List(inner), Ty::Int, Some(1..) | None) => {
            // A place that is not there is null. The place must be above zero, as it is in a list of names.
            let sql = format!("try_element_at({}, cast({} as int))", of.sql, at.sql);
            Ok(Expr::of(sql, (**inner).clone(), parts))
        }
        (Ty::Text, _, Some(at @ 1..)) => {
            Ok(Expr::of(format!("substring({}, {at}, 1)", of.sql), Ty::Text, parts))
        }
        (Ty::Struct(_), Ty::Text, _) => field(of, at),
        _ => Err(not_there("`[...]` of this")),
    }
}

/// A field of a struct.
pub(super) fn field(of: &Expr, name: &Expr) -> Result<Expr> {
    let field = name.text().and_then(|name| named_field(of, name));
    field.ok_or_else(|| not_there("a field of this"))
}

/// A field of a struct by its name.
pub(super) fn named_field(of: &Expr, name: &str) -> Option<Expr> {
    let Ty::Struct(fields) = &of.ty else { return None };
    let (field, ty) = fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name))?;
    Some(of.with(format!("{}.{}", of.sql, ident(field)), ty.clone()))
}
