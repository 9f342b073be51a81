//! Operators of numbers, times and texts: the same sign means other things of each.

use super::scope::{Expr, Literal};
use super::times::{micros, of_micros};
use super::types::Ty;
use super::values::{cast, int_literal, text_literal};
use super::words::not_there;
use crate::error::Result;

pub(super) fn negated(a: &Expr) -> Result<Expr> {
    match (&a.literal, &a.ty) {
        (Some(Literal::Int(n)), _) if *n != i64::MIN => Ok(int_literal(-n).with_type(a.ty.clone())),
        (_, Ty::Int | Ty::Double | Ty::Key | Ty::Span) => {
            Ok(a.with(format!("(-{})", a.sql), a.ty.clone()))
        }
        _ => Err(not_there("`-` of this")),
    }
}

/// `+` and `-`.
pub(super) fn added(a: &Expr, b: &Expr, sign: &str) -> Result<Expr> {
    let plain = |ty: Ty| Expr::new(format!("({} {sign} {})", a.sql, b.sql), ty);
    let is_minus = sign == "-";
    Ok(match (&a.ty, &b.ty) {
        (Ty::Span, Ty::Span) => plain(Ty::Span),
        (Ty::Time | Ty::Date, Ty::Span) => {
            if b.int() == Some(0) && a.ty == Ty::Time {
                return Ok(a.clone());
            }
            of_micros(&format!("({} {sign} {})", micros(a)?.sql, b.sql))
        }
        (Ty::Span, Ty::Time | Ty::Date) if !is_minus => {
            of_micros(&format!("({} + {})", micros(b)?.sql, a.sql))
        }
        (Ty::Date, Ty::Date) if is_minus => {
            Expr::new(format!("cast(datediff({}, {}) as bigint)", a.sql, b.sql), Ty::Int)
        }
        (Ty::Time | Ty::Date, Ty::Time | Ty::Date) if is_minus => {
            Expr::new(format!("({} - {})", micros(a)?.sql, micros(b)?.sql), Ty::Span)
        }
        (Ty::Date, Ty::Int) => {
            let by = if is_minus { format!("-({})", b.sql) } else { b.sql.clone() };
            Expr::new(format!("date_add({}, cast({by} as int))", a.sql), Ty::Date)
        }
        (Ty::Null, ty @ (Ty::Time | Ty::Span)) | (ty @ (Ty::Time | Ty::Span), Ty::Null) => {
            Expr::new(format!("cast(null as {})", ty.spark()), ty.clone())
        }
        _ => numbers(a, b, sign)?,
    })
}

/// An operation of two numbers.
pub(super) fn numbers(a: &Expr, b: &Expr, sign: &str) -> Result<Expr> {
    let ty = match (&a.ty, &b.ty) {
        (Ty::Int | Ty::Null, Ty::Int | Ty::Null) => Ty::Int,
        (Ty::Hash, Ty::Int | Ty::Hash) | (Ty::Int, Ty::Hash) if sign != "-" => Ty::Hash,
        (a, b) if a.is_number() && b.is_number() => match a.or(b)? {
            Ty::Key => return Err(not_there("arithmetic of keys")),
            ty => ty,
        },
        _ => return Err(not_there(&format!("`{sign}` of these"))),
    };
    if let (Some(x), Some(y)) = (a.int(), b.int()) {
        let folded = match sign {
            "+" => x.checked_add(y),
            "-" => x.checked_sub(y),
            _ => x.checked_mul(y),
        };
        if let Some(folded) = folded {
            return Ok(int_literal(folded));
        }
    }
    // Both are hashes of 64 bits, whose arithmetic may go round: keys of old parts are made so.
    if ty == Ty::Hash && sign == "*" {
        let shift = b.int().filter(|n| *n > 0 && n.count_ones() == 1).map(i64::trailing_zeros);
        let shift = shift.ok_or_else(|| not_there("arithmetic of hashes"))?;
        return Ok(Expr::new(format!("shiftleft({}, {shift})", a.sql), Ty::Hash));
    }
    if ty == Ty::Hash {
        return Ok(Expr::new(format!("({} | {})", a.sql, b.sql), Ty::Hash));
    }
    Ok(Expr::new(format!("({} {sign} {})", a.sql, b.sql), ty))
}

/// A fraction; of nothing it is infinite, or no number.
pub(super) fn divided(a: &Expr, b: &Expr) -> Result<Expr> {
    if !a.ty.is_number() || !b.ty.is_number() || a.ty == Ty::Key || b.ty == Ty::Key {
        return match (&a.ty, &b.ty) {
            (Ty::Span, Ty::Int | Ty::Double) => Err(not_there("a part of a length of time")),
            _ => Err(not_there("`/` of these")),
        };
    }
    let double = |expr: &Expr| match expr.ty {
        Ty::Double => expr.sql.clone(),
        _ => match expr.int() {
            Some(n) => format!("{n}D"),
            None => format!("cast({} as double)", expr.sql),
        },
    };
    let (x, y) = (double(a), double(b));
    let is_something = match b.literal {
        Some(Literal::Int(n)) => n != 0,
        Some(Literal::Double(n)) => n != 0.0,
        _ => false,
    };
    Ok(Expr::new(
        if is_something {
            format!("({x} / {y})")
        } else {
            format!(
                "coalesce({x} / nullif({y}, 0D), case when {y} = 0D then {x} * double('Infinity') end)"
            )
        },
        Ty::Double,
    ))
}

/// A whole part, cut towards zero; of nothing it is null.
pub(super) fn whole(a: &Expr, b: &Expr) -> Result<Expr> {
    let some = |b: &Expr| match b.int() {
        Some(n) if n != 0 => b.sql.clone(),
        _ => format!("nullif({}, 0L)", b.sql),
    };
    match (&a.ty, &b.ty) {
        (Ty::Int | Ty::Null, Ty::Int | Ty::Null) => {
            Ok(Expr::new(format!("({} div {})", a.sql, some(b)), Ty::Int))
        }
        (Ty::Hash, Ty::Int) => {
            let shift = b.int().filter(|n| *n > 0 && n.count_ones() == 1).map(i64::trailing_zeros);
            let shift = shift.ok_or_else(|| not_there("arithmetic of hashes"))?;
            Ok(Expr::new(format!("shiftrightunsigned({}, {shift})", a.sql), Ty::Hash))
        }
        _ => Err(not_there("`//` of these")),
    }
}

pub(super) fn remainder(a: &Expr, b: &Expr) -> Result<Expr> {
    match (&a.ty, &b.ty) {
        (Ty::Int | Ty::Null, Ty::Int | Ty::Null) => {
            Ok(Expr::new(format!("({} % nullif({}, 0L))", a.sql, b.sql), Ty::Int))
        }
        (Ty::Hash, Ty::Int) => {
            let mask = b.int().filter(|n| *n > 0 && n.count_ones() == 1).map(|n| n - 1);
            let mask = mask.ok_or_else(|| not_there("the remainder of a hash"))?;
            Ok(Expr::new(format!("({} & {mask}L)", a.sql), Ty::Hash))
        }
        _ => Err(not_there("`%` of these")),
    }
}

pub(super) fn shifted(a: &Expr, b: &Expr) -> Result<Expr> {
    let by = b.int().filter(|n| (0..63).contains(n)).ok_or_else(|| not_there("a shift by this"))?;
    Ok(match a.ty {
        Ty::Int => Expr::new(format!("shiftright({}, {by})", a.sql), Ty::Int),
        Ty::Hash => Expr::new(format!("shiftrightunsigned({}, {by})", a.sql), Ty::Hash),
        Ty::Key => Expr::new(format!("({} div {}BD)", a.sql, 1_u64 << by), Ty::Int),
        _ => return Err(not_there("a shift of this")),
    })
}

pub(super) fn joined(a: &Expr, b: &Expr) -> Result<Expr> {
    if let (Ty::List(_), Ty::List(_)) = (&a.ty, &b.ty) {
        return Ok(Expr::new(format!("concat({}, {})", a.sql, b.sql), a.ty.or(&b.ty)?));
    }
    if let (Some(a), Some(b)) = (a.text(), b.text()) {
        return Ok(text_literal(&format!("{a}{b}")));
    }
    let (a, b) = (cast(a, &Ty::Text, false)?, cast(b, &Ty::Text, false)?);
    Ok(Expr::new(format!("({} || {})", a.sql, b.sql), Ty::Text))
}
