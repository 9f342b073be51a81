//! Functions of times and of lengths of time, which are microseconds there.

use super::scope::Expr;
use super::types::Ty;
use super::values::int_literal;
use super::words::{micros_of, not_there};
use crate::error::Result;

/// The microseconds since 1970 of a time, or of a length of time.
pub(super) fn micros(of: &Expr) -> Result<Expr> {
    match of.ty {
        Ty::Span => Ok(of.clone().with_type(Ty::Int)),
        Ty::Time | Ty::Date => {
            Ok(of.with(format!("unix_micros(cast({} as timestamp))", of.sql), Ty::Int))
        }
        Ty::Null => Ok(of.with("cast(null as bigint)", Ty::Int)),
        _ => Err(not_there("the seconds of what is no time")),
    }
}

/// The time so many microseconds after 1970.
pub(super) fn of_micros(sql: &str) -> Expr {
    Expr::new(format!("cast(timestamp_micros({sql}) as timestamp_ntz)"), Ty::Time)
}

pub(super) fn truncated(unit: &Expr, of: &Expr) -> Result<Expr> {
    let unit = unit.text().unwrap_or_default().to_ascii_lowercase();
    let known = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"];
    match (known.contains(&unit.as_str()), &of.ty) {
        (true, Ty::Time | Ty::Date) => Ok(of.with(
            format!(
                "cast(date_trunc('{}', {}) as timestamp_ntz)",
                unit.to_ascii_uppercase(),
                of.sql
            ),
            Ty::Time,
        )),
        _ => Err(not_there(&format!("`date_trunc` to `{unit}`"))),
    }
}

/// How many borders of a unit lie between two times.
pub(super) fn differing(unit: &Expr, a: &Expr, b: &Expr) -> Result<Expr> {
    let unit = unit.text().unwrap_or_default().to_ascii_lowercase();
    let width = micros_of(&unit).filter(|_| unit != "week");
    let width = width.ok_or_else(|| not_there(&format!("`date_diff` in `{unit}`")))?;
    let of = |of: &Expr| -> Result<String> { Ok(format!("floor({} / {width}D)", micros(of)?.sql)) };
    Ok(Expr::new(format!("cast({} - {} as bigint)", of(b)?, of(a)?), Ty::Int))
}

/// A length of time of so many units.
pub(super) fn lasting(name: &str, n: &Expr) -> Result<Expr> {
    let unit = name.trim_start_matches("to_").trim_end_matches('s');
    let width = micros_of(unit).ok_or_else(|| not_there(&format!("`{name}`")))?;
    if let Some(micros) = n.int().and_then(|n| n.checked_mul(width)) {
        return Ok(int_literal(micros).with_type(Ty::Span));
    }
    Ok(match n.ty {
        Ty::Int => n.with(format!("({} * {width}L)", n.sql), Ty::Span),
        Ty::Double => n.with(format!("cast(bround({} * {width}D, 0) as bigint)", n.sql), Ty::Span),
        _ => return Err(not_there(&format!("`{name}` of this"))),
    })
}

/// The numbers or times from one to another; none where the one is behind the other.
pub(super) fn ranged(name: &str, first: &Expr, last: &Expr, rest: &[Expr]) -> Result<Expr> {
    let is_open = name == "range";
    let step = match rest {
        [] => int_literal(1),
        [step] => step.clone(),
        _ => return Err(not_there("a range of this kind")),
    };
    let by = step.int().filter(|by| *by > 0).ok_or_else(|| not_there("a range by this step"))?;
    let (a, b, is_time) = match (&first.ty, &last.ty, &step.ty) {
        (Ty::Int | Ty::Null, Ty::Int | Ty::Null, Ty::Int) => {
            (first.sql.clone(), last.sql.clone(), false)
        }
        (Ty::Time | Ty::Date, Ty::Time | Ty::Date, Ty::Span) => {
            (micros(first)?.sql, micros(last)?.sql, true)
        }
        _ => return Err(not_there("a range of these")),
    };
    let b = if is_open { format!("{b} - 1") } else { b };
    let numbers = format!(
        "case when {a} <= {b} then sequence(cast({a} as bigint), cast({b} as bigint), {by}L) else cast(array() as array<bigint>) end"
    );
    let all: Vec<&Expr> = [first, last].into_iter().collect();
    Ok(if is_time {
        Expr::of(
            format!("transform({numbers}, e -> {})", of_micros("e").sql),
            Ty::List(Box::new(Ty::Time)),
            &all,
        )
    } else {
        Expr::of(format!("({numbers})"), Ty::List(Box::new(Ty::Int)), &all)
    })
}
