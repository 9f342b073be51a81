//! Functions of values: the table of what the engine calls them and what Spark does.

use serde_json::Value as Json;

use super::aggregates::is_aggregate;
use super::lists::{array, extracted, field};
use super::operators::{added, divided, joined, negated, numbers, remainder, shifted, whole};
use super::patterns::{of_glob, of_regex, of_replacement, of_time};
use super::scope::{Expr, Literal, NameScope};
use super::times::{differing, lasting, micros, of_micros, ranged, truncated};
use super::types::Ty;
use super::values::{cast, common, compared, double_literal, int_literal, sqls, text_literal};
use super::words::{list, literal, not_there, text, there};
use super::writer::Translator;
use crate::error::Result;

/// Microseconds.
const SECOND: i64 = 1_000_000;

/// Functions that are called alike, or have another name, and take what they are given: their name here and
/// there, the types of their arguments, and the type of their value.
#[rustfmt::skip]
const PLAIN: &[(&str, &str, &[Ty], Ty)] = &[
    ("lower", "lower", &[Ty::Text], Ty::Text),
    ("lcase", "lower", &[Ty::Text], Ty::Text),
    ("upper", "upper", &[Ty::Text], Ty::Text),
    ("ucase", "upper", &[Ty::Text], Ty::Text),
    ("length", "char_length", &[Ty::Text], Ty::Int),
    ("len", "char_length", &[Ty::Text], Ty::Int),
    ("strlen", "octet_length", &[Ty::Text], Ty::Int),
    ("trim", "trim", &[Ty::Text], Ty::Text),
    ("ltrim", "ltrim", &[Ty::Text], Ty::Text),
    ("rtrim", "rtrim", &[Ty::Text], Ty::Text),
    ("reverse", "reverse", &[Ty::Text], Ty::Text),
    ("replace", "replace", &[Ty::Text, Ty::Text, Ty::Text], Ty::Text),
    ("contains", "contains", &[Ty::Text, Ty::Text], Ty::Bool),
    ("starts_with", "startswith", &[Ty::Text, Ty::Text], Ty::Bool),
    ("^@", "startswith", &[Ty::Text, Ty::Text], Ty::Bool),
    ("prefix", "startswith", &[Ty::Text, Ty::Text], Ty::Bool),
    ("ends_with", "endswith", &[Ty::Text, Ty::Text], Ty::Bool),
    ("suffix", "endswith", &[Ty::Text, Ty::Text], Ty::Bool),
    ("strpos", "instr", &[Ty::Text, Ty::Text], Ty::Int),
    ("instr", "instr", &[Ty::Text, Ty::Text], Ty::Int),
    ("md5", "md5", &[Ty::Text], Ty::Text),
    ("sqrt", "sqrt", &[Ty::Double], Ty::Double),
    ("exp", "exp", &[Ty::Double], Ty::Double),
    ("sin", "sin", &[Ty::Double], Ty::Double),
    ("cos", "cos", &[Ty::Double], Ty::Double),
    ("cbrt", "cbrt", &[Ty::Double], Ty::Double),
    ("ceil", "ceil", &[Ty::Double], Ty::Double),
    ("ceiling", "ceil", &[Ty::Double], Ty::Double),
    ("floor", "floor", &[Ty::Double], Ty::Double),
    ("pow", "power", &[Ty::Double, Ty::Double], Ty::Double),
    ("power", "power", &[Ty::Double, Ty::Double], Ty::Double),
    ("**", "power", &[Ty::Double, Ty::Double], Ty::Double),
    ("^", "power", &[Ty::Double, Ty::Double], Ty::Double),
    ("year", "year", &[Ty::Time], Ty::Int),
    ("month", "month", &[Ty::Time], Ty::Int),
    ("day", "day", &[Ty::Time], Ty::Int),
    ("hour", "hour", &[Ty::Time], Ty::Int),
    ("minute", "minute", &[Ty::Time], Ty::Int),
    ("quarter", "quarter", &[Ty::Time], Ty::Int),
    ("dayofmonth", "dayofmonth", &[Ty::Time], Ty::Int),
    ("dayofyear", "dayofyear", &[Ty::Time], Ty::Int),
    ("week", "weekofyear", &[Ty::Time], Ty::Int),
    ("weekofyear", "weekofyear", &[Ty::Time], Ty::Int),
];

impl Translator<'_> {
    /// Writes a function, an operator or a macro.
    pub(super) fn function(&mut self, node: &Json, scope: &NameScope<'_>) -> Result<Expr> {
        let name = text(node, "function_name").to_lowercase();
        let children = list(node, "children");
        if let Some((parameters, body)) = self.known.macro_of(&name)? {
            let mut bound = Vec::new();
            for (parameter, child) in parameters.into_iter().zip(children) {
                let value = self.expr(child, scope)?;
                bound.push((parameter, value));
            }
            // A macro sees its parameters, and what a lambda in it binds.
            let written = self.expr(&body, &NameScope::binding(bound, None))?;
            return Ok(Expr { sql: format!("({})", written.sql), ..written });
        }
        if is_aggregate(&name) {
            return self.aggregated(&name, node, scope);
        }
        if there(node, "filter").is_some() || node["distinct"].as_bool().unwrap_or(false) {
            return Err(not_there(&format!("`{name}` as an aggregate")));
        }
        if let (
            "list_transform" | "array_transform" | "apply" | "list_apply" | "list_filter"
            | "filter" | "array_filter",
            [of, lambda],
        ) = (name.as_str(), children)
        {
            return self.each(&name, of, lambda, scope);
        }
        let mut arguments = Vec::new();
        for child in children {
            arguments.push(self.expr(child, scope)?);
        }
        if name == "getvariable" {
            let variable = arguments.first().and_then(Expr::text).unwrap_or_default();
            let value = self.known.variable(variable)?;
            return Ok(value.map_or(Expr::new("null", Ty::Null), |value| text_literal(&value)));
        }
        if name == "struct_pack" || name == "row" {
            let names = children.iter().enumerate().map(|(at, child)| match text(child, "alias") {
                "" => format!("col{}", at + 1),
                alias => alias.to_owned(),
            });
            return Ok(packed(names.collect(), &arguments));
        }
        let written = written(&name, &arguments)?;
        let all: Vec<&Expr> = arguments.iter().collect();
        let flags = Expr::of("", Ty::Null, &all);
        Ok(Expr { is_aggregate: flags.is_aggregate, has_window: flags.has_window, ..written })
    }

    /// A function of each value of a list.
    fn each(
        &mut self,
        name: &str,
        of: &Json,
        lambda: &Json,
        scope: &NameScope<'_>,
    ) -> Result<Expr> {
        let of = self.expr(of, scope)?;
        let Ty::List(inner) = &of.ty else {
            return Err(not_there(&format!("`{name}` of what is no list")));
        };
        let parameter = list(&lambda["lhs"], "column_names").first().and_then(Json::as_str);
        let (Some(parameter), "LAMBDA") = (parameter, text(lambda, "class")) else {
            return Err(not_there(&format!("`{name}` with a lambda of several parameters")));
        };
        let there = self.name("x");
        let bound = vec![(parameter.to_owned(), Expr::new(there.clone(), (**inner).clone()))];
        let body = self.expr(&lambda["expr"], &NameScope::binding(bound, Some(scope)))?;
        let is_filter = name.contains("filter");
        let (function, ty) = if is_filter {
            ("filter", of.ty.clone())
        } else {
            ("transform", Ty::List(Box::new(body.ty.clone())))
        };
        let sql = format!("{function}({}, {there} -> {})", of.sql, body.sql);
        Ok(Expr::of(sql, ty, &[&of, &body]))
    }
}

/// A function of what is written already.
fn written(name: &str, arguments: &[Expr]) -> Result<Expr> {
    if let Some(plain) = plain(name, arguments)? {
        return Ok(plain);
    }
    let unknown = || not_there(&format!("the function `{name}` of this"));
    Ok(match (name, arguments) {
        ("+", [a]) => a.clone(),
        ("-", [a]) => negated(a)?,
        ("+", [a, b]) => added(a, b, "+")?,
        ("-", [a, b]) => added(a, b, "-")?,
        ("*", [a, b]) => match (&a.ty, &b.ty) {
            (Ty::Span, Ty::Int) | (Ty::Int, Ty::Span) => {
                Expr::new(format!("({} * {})", a.sql, b.sql), Ty::Span)
            }
            _ => numbers(a, b, "*")?,
        },
        ("/", [a, b]) => divided(a, b)?,
        ("//" | "divide", [a, b]) => whole(a, b)?,
        ("%" | "mod", [a, b]) => remainder(a, b)?,
        (">>", [a, b]) => shifted(a, b)?,
        ("<<", [a, b]) if (&a.ty, &b.ty) == (&Ty::Int, &Ty::Int) => Expr::new(
            format!("shiftleft(cast({} as bigint), cast({} as int))", a.sql, b.sql),
            Ty::Int,
        ),
        ("&" | "|", [a, b]) if (&a.ty, &b.ty) == (&Ty::Int, &Ty::Int) => {
            Expr::new(format!("({} {name} {})", a.sql, b.sql), Ty::Int)
        }
        ("||", [a, b]) => joined(a, b)?,
        ("concat", _) => {
            let mut parts = Vec::new();
            for part in arguments {
                parts.push(format!("coalesce({}, '')", cast(part, &Ty::Text, false)?.sql));
            }
            Expr::new(format!("concat({})", parts.join(", ")), Ty::Text)
        }
        ("concat_ws", [by, parts @ ..]) => {
            let parts = parts.iter().map(|part| cast(part, &Ty::Text, false));
            let parts: Vec<Expr> = parts.collect::<Result<_>>()?;
            Expr::new(format!("concat_ws({}, {})", by.sql, sqls(&parts)), Ty::Text)
        }
        ("~~" | "!~~" | "~~*" | "!~~*", [of, pattern]) => like(of, pattern, name)?,
        ("~~~", [of, pattern]) => match (pattern.text(), &of.ty) {
            (Some(pattern), Ty::Text | Ty::Null) => matches(of, &of_glob(pattern)),
            _ => return Err(not_there("`glob` by a pattern that is no literal")),
        },
        ("regexp_matches", [of, pattern, rest @ ..]) => {
            let (pattern, flags) = regex(pattern, rest)?;
            matches(of, &of_regex(&pattern, &flags)?)
        }
        ("regexp_full_match", [of, pattern, rest @ ..]) => {
            let (pattern, flags) = regex(pattern, rest)?;
            matches(of, &format!("\\A(?:{})\\z", of_regex(&pattern, &flags)?))
        }
        ("regexp_extract", [of, pattern, rest @ ..]) => {
            let group = rest.first().map_or(Some(0), Expr::int);
            let (Some(group), true) = (group, rest.len() < 2) else { return Err(unknown()) };
            let (pattern, flags) = regex(pattern, &[])?;
            let pattern = literal(&of_regex(&pattern, &flags)?);
            Expr::new(format!("regexp_extract({}, {pattern}, {group})", of.sql), Ty::Text)
        }
        ("regexp_replace", [of, pattern, by, rest @ ..]) => {
            let (pattern, flags) = regex(pattern, rest)?;
            let (Some(by), true) = (by.text(), flags.contains('g')) else {
                return Err(not_there("`regexp_replace` of the first match alone"));
            };
            let (pattern, by) =
                (literal(&of_regex(&pattern, &flags)?), literal(&of_replacement(by)));
            Expr::new(format!("regexp_replace({}, {pattern}, {by})", of.sql), Ty::Text)
        }
        ("substring" | "substr", [of, from, rest @ ..]) if of.ty == Ty::Text && rest.len() < 2 => {
            match (from.int(), rest.first()) {
                (Some(from), None) if from > 0 => {
                    Expr::new(format!("substring({}, {from})", of.sql), Ty::Text)
                }
                (Some(from), Some(n)) if from > 0 && n.ty == Ty::Int => Expr::new(
                    format!("substring({}, {from}, cast(greatest({}, 0L) as int))", of.sql, n.sql),
                    Ty::Text,
                ),
                _ => return Err(not_there("`substring` from a place that is no number above 0")),
            }
        }
        ("left" | "right", [of, n]) if of.ty == Ty::Text && n.int().is_some_and(|n| n >= 0) => {
            Expr::new(format!("{name}({}, cast({} as int))", of.sql, n.sql), Ty::Text)
        }
        ("lpad" | "rpad", [of, n, by]) if of.ty == Ty::Text => {
            Expr::new(format!("{name}({}, cast({} as int), {})", of.sql, n.sql, by.sql), Ty::Text)
        }
        ("repeat", [of, n]) if of.ty == Ty::Text && n.ty == Ty::Int => {
            Expr::new(format!("repeat({}, cast({} as int))", of.sql, n.sql), Ty::Text)
        }
        ("split_part", [of, by, n])
            if n.int().is_some_and(|n| n > 0) && by.text().is_some_and(|by| !by.is_empty()) =>
        {
            Expr::new(
                format!("split_part({}, {}, cast({} as int))", of.sql, by.sql, n.sql),
                Ty::Text,
            )
        }
        ("string_split" | "str_split" | "split", [of, by])
            if by.text().is_some_and(|by| !by.is_empty()) =>
        {
            let by = by.text().unwrap_or_default();
            let by: String = by
                .chars()
                .map(|c| if c.is_ascii_punctuation() { format!("\\{c}") } else { c.to_string() })
                .collect();
            Expr::new(
                format!("split({}, {}, -1)", of.sql, literal(&by)),
                Ty::List(Box::new(Ty::Text)),
            )
        }
        ("chr", [n]) => {
            let c = n.int().and_then(|n| u32::try_from(n).ok()).and_then(char::from_u32);
            text_literal(&c.ok_or_else(unknown)?.to_string())
        }
        ("sha256", [of]) if of.ty == Ty::Text => {
            Expr::new(format!("sha2({}, 256)", of.sql), Ty::Text)
        }
        ("abs", [a]) if a.ty.is_number() => a.with(format!("abs({})", a.sql), a.ty.clone()),
        ("sign", [a]) if a.ty.is_number() => {
            Expr::new(format!("cast(sign({}) as bigint)", a.sql), Ty::Int)
        }
        ("ceil" | "floor" | "ceiling" | "trunc" | "round", [a]) if a.ty == Ty::Int => a.clone(),
        ("trunc", [a]) if a.ty == Ty::Double => match a.literal {
            Some(Literal::Double(x)) => double_literal(x.trunc()),
            _ => Expr::new(
                format!(
                    "(case when {0} < 0 then cast(ceil({0}) as double) else cast(floor({0}) as double) end)",
                    a.sql
                ),
                Ty::Double,
            ),
        },
        ("round", [a]) if a.ty == Ty::Double => {
            Expr::new(format!("round({}, 0)", a.sql), Ty::Double)
        }
        ("round", [a, n]) if a.ty == Ty::Double => {
            let n = n.int().filter(|n| (0..16).contains(n)).ok_or_else(unknown)?;
            Expr::new(format!("round({}, {n})", a.sql), Ty::Double)
        }
        ("round", [a, n]) if a.ty == Ty::Int && n.int().is_some_and(|n| n >= 0) => a.clone(),
        ("ln" | "log10" | "log2" | "log", [a]) if a.ty.is_number() => {
            let function = if name == "log" { "log10" } else { name };
            Expr::new(format!("{function}(cast({} as double))", a.sql), Ty::Double)
        }
        ("greatest" | "least", [_, ..]) => {
            let ty = common(&arguments.iter().collect::<Vec<_>>())?;
            if ty == Ty::Hash {
                return Err(unknown());
            }
            match arguments {
                [a] => a.clone(),
                _ => Expr::new(format!("{name}({})", sqls(arguments)), ty),
            }
        }
        ("nullif", [a, b]) => {
            let same = compared(a, "=", b)?;
            Expr::new(
                format!("(case when {} then null else {} end)", same.sql, a.sql),
                a.ty.clone(),
            )
        }
        ("ifnull", [a, b]) => Expr::new(format!("coalesce({}, {})", a.sql, b.sql), a.ty.or(&b.ty)?),
        ("if", [when, a, b]) if when.ty == Ty::Bool => Expr::new(
            format!("(case when {} then {} else {} end)", when.sql, a.sql, b.sql),
            a.ty.or(&b.ty)?,
        ),
        ("hash", [_, ..]) => hashed(arguments),
        ("epoch", [a]) => {
            let micros = micros(a)?;
            Expr::new(format!("({} / {SECOND}D)", micros.sql), Ty::Double)
        }
        ("epoch_ms", [a]) => Expr::new(format!("({} div 1000)", micros(a)?.sql), Ty::Int),
        ("epoch_us", [a]) => micros(a)?,
        ("make_timestamp", [us]) if us.ty == Ty::Int => of_micros(&us.sql),
        ("make_timestamp_ms", [ms]) if ms.ty == Ty::Int => {
            of_micros(&format!("({} * 1000)", ms.sql))
        }
        ("make_date", [y, m, d]) => Expr::new(
            format!(
                "make_date(cast({} as int), cast({} as int), cast({} as int))",
                y.sql, m.sql, d.sql
            ),
            Ty::Date,
        ),
        ("date_trunc" | "datetrunc", [unit, of]) => truncated(unit, of)?,
        ("date_part" | "datepart", [part, of]) => dated(part, of)?,
        ("second", [of]) if of.ty == Ty::Time => {
            Expr::new(format!("cast(floor(extract(second from {})) as bigint)", of.sql), Ty::Int)
        }
        ("dayofweek" | "weekday", [of]) if matches!(of.ty, Ty::Time | Ty::Date) => {
            Expr::new(format!("cast(dayofweek({}) - 1 as bigint)", of.sql), Ty::Int)
        }
        ("isodow", [of]) if matches!(of.ty, Ty::Time | Ty::Date) => {
            Expr::new(format!("cast((dayofweek({}) + 5) % 7 + 1 as bigint)", of.sql), Ty::Int)
        }
        ("dayname", [of]) if matches!(of.ty, Ty::Time | Ty::Date) => {
            Expr::new(format!("date_format({}, 'EEEE')", of.sql), Ty::Text)
        }
        ("monthname", [of]) if matches!(of.ty, Ty::Time | Ty::Date) => {
            Expr::new(format!("date_format({}, 'MMMM')", of.sql), Ty::Text)
        }
        ("last_day", [of]) if matches!(of.ty, Ty::Time | Ty::Date) => {
            Expr::new(format!("last_day({})", of.sql), Ty::Date)
        }
        ("date_diff" | "datediff", [unit, a, b]) => differing(unit, a, b)?,
        ("strftime", [of, format]) if matches!(of.ty, Ty::Time | Ty::Date) => {
            let format = format.text().ok_or_else(|| not_there("a format that is no literal"))?;
            Expr::new(format!("date_format({}, {})", of.sql, literal(&of_time(format)?)), Ty::Text)
        }
        ("time_bucket", [by, of]) if of.ty == Ty::Time => {
            let width = by.int().filter(|_| by.ty == Ty::Span).filter(|width| *width > 0);
            let width = width.ok_or_else(|| not_there("`time_bucket` by this"))?;
            // Weeks begin with the Monday of 3 January 2000.
            const ORIGIN: i64 = 946_857_600 * SECOND;
            let us = micros(of)?.sql;
            of_micros(&format!("({us} - pmod({us} - {ORIGIN}L, {width}L))"))
        }
        (
            "to_days" | "to_hours" | "to_minutes" | "to_seconds" | "to_milliseconds"
            | "to_microseconds" | "to_weeks",
            [n],
        ) => lasting(name, n)?,
        ("list_value" | "list_pack", _) => array(arguments)?,
        ("map", [keys, values]) => match (&keys.ty, &values.ty) {
            (Ty::List(a), Ty::List(b)) => Expr::new(
                format!("map_from_arrays({}, {})", keys.sql, values.sql),
                Ty::Map(a.clone(), b.clone()),
            ),
            _ => return Err(unknown()),
        },
        ("map_keys", [of]) => match &of.ty {
            Ty::Map(key, _) => Expr::new(format!("map_keys({})", of.sql), Ty::List(key.clone())),
            _ => return Err(unknown()),
        },
        ("map_values", [of]) => match &of.ty {
            Ty::Map(_, value) => {
                Expr::new(format!("map_values({})", of.sql), Ty::List(value.clone()))
            }
            _ => return Err(unknown()),
        },
        ("map_entries", [of]) => match &of.ty {
            Ty::Map(key, value) => {
                let pair = vec![
                    ("key".to_owned(), (**key).clone()),
                    ("value".to_owned(), (**value).clone()),
                ];
                Expr::new(format!("map_entries({})", of.sql), Ty::List(Box::new(Ty::Struct(pair))))
            }
            _ => return Err(unknown()),
        },
        ("cardinality", [of]) if matches!(of.ty, Ty::Map(..)) => {
            Expr::new(format!("cast(size({}) as bigint)", of.sql), Ty::Int)
        }
        ("len" | "length" | "array_length", [of]) if matches!(of.ty, Ty::List(_)) => Expr::new(
            format!("(case when {0} is not null then cast(size({0}) as bigint) end)", of.sql),
            Ty::Int,
        ),
        ("list_contains" | "array_contains" | "list_has", [of, what])
            if matches!(of.ty, Ty::List(_)) =>
        {
            Expr::new(format!("array_contains({}, {})", of.sql, what.sql), Ty::Bool)
        }
        ("contains", [of, what]) if matches!(of.ty, Ty::List(_)) => {
            Expr::new(format!("array_contains({}, {})", of.sql, what.sql), Ty::Bool)
        }
        ("list_position" | "array_position" | "list_indexof", [of, what])
            if matches!(of.ty, Ty::List(_)) =>
        {
            // Null for what is not there.
            Expr::new(format!("nullif(array_position({}, {}), 0L)", of.sql, what.sql), Ty::Int)
        }
        ("list_distinct" | "array_distinct", [of]) if matches!(of.ty, Ty::List(_)) => {
            // Without nulls.
            Expr::new(
                format!("array_distinct(filter({}, e -> e is not null))", of.sql),
                of.ty.clone(),
            )
        }
        ("flatten", [of]) => match &of.ty {
            // A list that is null is none there, and spoils all here.
            Ty::List(inner) if matches!(**inner, Ty::List(_)) => Expr::new(
                format!("flatten(filter({}, e -> e is not null))", of.sql),
                (**inner).clone(),
            ),
            _ => return Err(unknown()),
        },
        ("list_extract" | "array_extract" | "list_element", [of, at]) => extracted(of, at)?,
        ("element_at", [of, at]) if matches!(of.ty, Ty::Map(..)) => extracted(of, at)?,
        ("struct_extract", [of, name]) => field(of, name)?,
        ("array_to_string" | "list_aggr_string", [of, by])
            if of.ty == Ty::List(Box::new(Ty::Text)) =>
        {
            Expr::new(format!("array_join({}, {})", of.sql, by.sql), Ty::Text)
        }
        ("range" | "generate_series", [last]) => ranged(name, &int_literal(0), last, &[])?,
        ("range" | "generate_series", [first, last, rest @ ..]) => ranged(name, first, last, rest)?,
        _ => return Err(unknown()),
    })
}

/// A function of [`PLAIN`], if its arguments are as it wants them.
fn plain(name: &str, arguments: &[Expr]) -> Result<Option<Expr>> {
    let of_name = PLAIN.iter().filter(|(here, ..)| *here == name);
    for (_, there, types, ty) in of_name {
        if types.len() != arguments.len() {
            continue;
        }
        let fits = |(argument, ty): (&Expr, &Ty)| match (&argument.ty, ty) {
            (Ty::Int, Ty::Double) => !["ceil", "floor", "ceiling"].contains(&name),
            (Ty::Date, Ty::Time) | (Ty::Null, _) => true,
            (a, b) => a == b,
        };
        if !arguments.iter().zip(*types).all(fits) {
            continue;
        }
        let sql = format!("{there}({})", sqls(arguments));
        // Spark has smaller numbers, too.
        return Ok(Some(match ty {
            Ty::Int => Expr::new(format!("cast({sql} as bigint)"), Ty::Int),
            Ty::Double => Expr::new(format!("cast({sql} as double)"), Ty::Double),
            ty => Expr::new(sql, ty.clone()),
        }));
    }
    Ok(None)
}

fn like(of: &Expr, pattern: &Expr, name: &str) -> Result<Expr> {
    let not = if name.starts_with('!') { "not " } else { "" };
    let sign = if name.ends_with('*') { "ilike" } else { "like" };
    let pattern = match pattern.text() {
        // A backslash means nothing here, and must be said twice there.
        Some(pattern) => literal(&pattern.replace('\\', "\\\\")),
        None => return Err(not_there("`like` by a pattern that is no literal")),
    };
    match of.ty {
        Ty::Text | Ty::Null => Ok(of.with(format!("({} {not}{sign} {pattern})", of.sql), Ty::Bool)),
        _ => Err(not_there("`like` of what is no text")),
    }
}

fn matches(of: &Expr, pattern: &str) -> Expr {
    of.with(format!("({} rlike {})", of.sql, literal(pattern)), Ty::Bool)
}

/// A regular expression and its flags.
fn regex(pattern: &Expr, rest: &[Expr]) -> Result<(String, String)> {
    let flags = match rest {
        [] => Some(""),
        [flags] => flags.text(),
        _ => None,
    };
    match (pattern.text(), flags) {
        (Some(pattern), Some(flags)) => Ok((pattern.to_owned(), flags.to_owned())),
        _ => Err(not_there("a regular expression that is no literal")),
    }
}

/// A number by which things are told apart: of each argument, and of whether it is null, since nulls alone
/// leave no trace in it.
fn hashed(arguments: &[Expr]) -> Expr {
    let parts: Vec<String> =
        arguments.iter().map(|of| format!("{0}, {0} is null", of.sql)).collect();
    Expr::new(format!("xxhash64({})", parts.join(", ")), Ty::Hash)
}

fn packed(names: Vec<String>, values: &[Expr]) -> Expr {
    let fields: Vec<String> = names
        .iter()
        .zip(values)
        .map(|(name, value)| format!("{}, {}", literal(name), value.sql))
        .collect();
    let types = names.into_iter().zip(values.iter().map(|value| value.ty.clone())).collect();
    let all: Vec<&Expr> = values.iter().collect();
    Expr::of(format!("named_struct({})", fields.join(", ")), Ty::Struct(types), &all)
}

fn dated(part: &Expr, of: &Expr) -> Result<Expr> {
    let part = part.text().unwrap_or_default().to_ascii_lowercase();
    let plain = ["year", "month", "day", "hour", "minute", "quarter", "week", "second", "isodow"];
    match part.as_str() {
        "epoch" => written("epoch", std::slice::from_ref(of)),
        "dow" | "dayofweek" => written("dayofweek", std::slice::from_ref(of)),
        "doy" => written("dayofyear", std::slice::from_ref(of)),
        part if plain.contains(&part) => written(part, std::slice::from_ref(of)),
        part => Err(not_there(&format!("the part `{part}` of a time"))),
    }
}
