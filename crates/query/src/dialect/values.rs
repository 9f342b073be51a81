//! Values of one type: literals, casts and comparisons.

use super::scope::{Expr, Literal};
use super::types::Ty;
use super::words::{literal, micros_of, not_there};
use crate::error::Result;

/// A text as it is.
pub(super) fn text_literal(text: &str) -> Expr {
    Expr { literal: Some(Literal::Text(text.to_owned())), ..Expr::new(literal(text), Ty::Text) }
}

pub(super) fn int_literal(n: i64) -> Expr {
    let sql = match n {
        i64::MIN => "(-9223372036854775807L - 1)".to_owned(),
        n => format!("{n}L"),
    };
    Expr { literal: Some(Literal::Int(n)), ..Expr::new(sql, Ty::Int) }
}

pub(super) fn double_literal(x: f64) -> Expr {
    Expr { literal: Some(Literal::Double(x)), ..Expr::new(format!("{x:?}D"), Ty::Double) }
}

/// A comparison of values of one type.
pub(super) fn compared(left: &Expr, sign: &str, right: &Expr) -> Result<Expr> {
    let (a, b) = matched(left, right)?;
    // What is decided already, as by the value of a parameter.
    if let (Some(a), Some(b), "=" | "<>") = (a.int(), b.int(), sign) {
        return Ok(Expr::new(((a == b) == (sign == "=")).to_string(), Ty::Bool));
    }
    if let (Some(a), Some(b), "=" | "<>") = (a.text(), b.text(), sign) {
        return Ok(Expr::new(((a == b) == (sign == "=")).to_string(), Ty::Bool));
    }
    let orders = !["=", "<>"].contains(&sign) && !sign.starts_with("is");
    if orders && (a.ty == Ty::Hash || b.ty == Ty::Hash) {
        return Err(not_there("the order of hashes"));
    }
    let sql = match sign {
        "is distinct from" => format!("(not ({} <=> {}))", a.sql, b.sql),
        "is not distinct from" => format!("({} <=> {})", a.sql, b.sql),
        sign => format!("({} {sign} {})", a.sql, b.sql),
    };
    Ok(Expr::of(sql, Ty::Bool, &[&a, &b]))
}

/// Both in one type, as the engine takes a text for a time or a number beside one.
pub(super) fn matched(left: &Expr, right: &Expr) -> Result<(Expr, Expr)> {
    let is_text = |expr: &Expr| expr.text().is_some();
    let of_text = |text: &Expr, other: &Expr| cast(text, &other.ty, false);
    match (&left.ty, &right.ty) {
        (Ty::Text, ty) if *ty != Ty::Text && *ty != Ty::Null && is_text(left) => {
            Ok((of_text(left, right)?, right.clone()))
        }
        (ty, Ty::Text) if *ty != Ty::Text && *ty != Ty::Null && is_text(right) => {
            Ok((left.clone(), of_text(right, left)?))
        }
        (a, b) => {
            a.or(b)?;
            Ok((left.clone(), right.clone()))
        }
    }
}

/// Another type. Numbers are rounded as the engine does, half to even; a text of a fraction is none.
pub(super) fn cast(child: &Expr, to: &Ty, is_try: bool) -> Result<Expr> {
    let sql = &child.sql;
    let cast = if is_try { "try_cast" } else { "cast" };
    let plain = |to: &Ty| Ok(child.with(format!("{cast}({sql} as {})", to.spark()), to.clone()));
    match (&child.literal, to) {
        (Some(Literal::Int(n)), Ty::Double) => return Ok(double_literal(*n as f64)),
        (Some(Literal::Double(x)), Ty::Int) if x.fract() == 0.0 && x.abs() < 9e15 => {
            return Ok(int_literal(*x as i64));
        }
        _ => {}
    }
    match (&child.ty, to) {
        (a, b) if a == b => Ok(child.clone()),
        (Ty::Null, to) => plain(to),
        (Ty::Text, Ty::Bool) => match child.text() {
            Some("t" | "true") => Ok(Expr::new("true", Ty::Bool)),
            Some("f" | "false") => Ok(Expr::new("false", Ty::Bool)),
            _ => plain(to),
        },
        (Ty::Text, Ty::Int) if is_try => Ok(child.with(
            // A fraction is rounded, and what is no number at all is none.
            format!("try_cast(bround(try_cast({sql} as double), 0) as bigint)"),
            Ty::Int,
        )),
        (Ty::Text, Ty::Span) => match child.text().and_then(span) {
            Some(micros) => Ok(int_literal(micros).with_type(Ty::Span)),
            None => Err(not_there("a text that becomes a length of time")),
        },
        (Ty::Text, Ty::Int | Ty::Double | Ty::Date | Ty::Time)
        | (Ty::Int, Ty::Text | Ty::Double | Ty::Key)
        | (Ty::Bool, Ty::Int | Ty::Text)
        | (Ty::Date, Ty::Time | Ty::Text)
        | (Ty::Time, Ty::Date | Ty::Text)
        | (Ty::Key, Ty::Double | Ty::Int) => plain(to),
        (Ty::Int, Ty::Bool) => Ok(child.with(format!("({sql} <> 0)"), Ty::Bool)),
        (Ty::Double, Ty::Int) => {
            Ok(child.with(format!("{cast}(bround({sql}, 0) as bigint)"), Ty::Int))
        }
        (Ty::Double, Ty::Text) => Err(not_there("the text of a fraction")),
        (Ty::List(a), Ty::List(b)) if **a == Ty::Null || a == b => plain(to),
        (Ty::Map(..), Ty::Map(..)) | (Ty::Struct(_), Ty::Struct(_)) => plain(to),
        (from, to) => Err(not_there(&format!("a cast from {} to {}", from.spark(), to.spark()))),
    }
}

impl Expr {
    /// The same as another type that is written alike.
    pub(super) fn with_type(self, ty: Ty) -> Expr {
        Expr { ty, ..self }
    }
}

/// The microseconds of a text such as `90 minutes`.
fn span(text: &str) -> Option<i64> {
    let (number, unit) = text.trim().split_once(' ')?;
    let number: i64 = number.parse().ok()?;
    let unit = unit.trim().to_ascii_lowercase();
    number.checked_mul(micros_of(unit.trim_end_matches('s'))?)
}

/// The type that all have.
pub(super) fn common(parts: &[&Expr]) -> Result<Ty> {
    parts.iter().try_fold(Ty::Null, |ty, part| ty.or(&part.ty))
}

/// The expressions as arguments.
pub(super) fn sqls(parts: &[Expr]) -> String {
    parts.iter().map(|part| part.sql.as_str()).collect::<Vec<_>>().join(", ")
}
