//! The types of expressions: as many as the writer has to tell apart.

use serde_json::Value as Json;

use super::words::{ident, not_there};
use crate::error::Result;

/// What the values of an expression are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    /// Nothing but null.
    Null,
    Bool,
    /// Whole numbers of 64 bits.
    Int,
    /// Whole numbers of 64 bits without a sign, and their sums: decimals there.
    Key,
    /// What `hash` gives: only good to tell things apart.
    Hash,
    Double,
    Text,
    Date,
    Time,
    /// A length of time: there, its microseconds.
    Span,
    List(Box<Ty>),
    Map(Box<Ty>, Box<Ty>),
    Struct(Vec<(String, Ty)>),
}

impl Ty {
    /// The type as Spark calls it.
    pub(crate) fn spark(&self) -> String {
        match self {
            Ty::Null => "void".to_owned(),
            Ty::Bool => "boolean".to_owned(),
            Ty::Int | Ty::Hash | Ty::Span => "bigint".to_owned(),
            Ty::Key => "decimal(38,0)".to_owned(),
            Ty::Double => "double".to_owned(),
            Ty::Text => "string".to_owned(),
            Ty::Date => "date".to_owned(),
            Ty::Time => "timestamp_ntz".to_owned(),
            Ty::List(of) => format!("array<{}>", of.spark()),
            Ty::Map(key, value) => format!("map<{}, {}>", key.spark(), value.spark()),
            Ty::Struct(fields) => {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(name, ty)| format!("{}: {}", ident(name), ty.spark()))
                    .collect();
                format!("struct<{}>", fields.join(", "))
            }
        }
    }

    /// A type as the engine's syntax tree has it.
    pub(crate) fn of(node: &Json) -> Result<Ty> {
        let info = &node["type_info"];
        Ok(match node["id"].as_str().unwrap_or_default() {
            "BOOLEAN" => Ty::Bool,
            "TINYINT" | "SMALLINT" | "INTEGER" | "BIGINT" | "UTINYINT" | "USMALLINT"
            | "UINTEGER" | "UBIGINT" | "HUGEINT" => Ty::Int,
            "DOUBLE" => Ty::Double,
            "VARCHAR" => Ty::Text,
            "DATE" => Ty::Date,
            "TIMESTAMP" => Ty::Time,
            "INTERVAL" => Ty::Span,
            "NULL" | "SQLNULL" | "\"NULL\"" => Ty::Null,
            "LIST" => Ty::List(Box::new(Ty::of(&info["child_type"])?)),
            "MAP" => {
                let pair = Ty::of(&info["child_type"])?;
                match pair {
                    Ty::Struct(fields) if fields.len() == 2 => {
                        let mut types = fields.into_iter().map(|(_, ty)| ty);
                        let (key, value) = (types.next(), types.next());
                        Ty::Map(
                            Box::new(key.unwrap_or(Ty::Null)),
                            Box::new(value.unwrap_or(Ty::Null)),
                        )
                    }
                    _ => return Err(not_there("a map of this kind")),
                }
            }
            "STRUCT" => {
                let fields = info["child_types"].as_array().map_or(&[][..], Vec::as_slice);
                let field = |field: &Json| -> Result<(String, Ty)> {
                    let name = field["first"].as_str().unwrap_or_default().to_owned();
                    Ok((name, Ty::of(&field["second"])?))
                };
                Ty::Struct(fields.iter().map(field).collect::<Result<_>>()?)
            }
            // Written as a text where it is a name: `"DATE"`.
            "UNBOUND" | "USER" => Ty::named(info["name"].as_str().unwrap_or_default())?,
            other => return Err(not_there(&format!("the type {other}"))),
        })
    }

    /// A type by its name.
    pub(crate) fn named(name: &str) -> Result<Ty> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "boolean" => Ty::Bool,
            "integer" | "bigint" | "hugeint" | "smallint" | "tinyint" => Ty::Int,
            "ubigint" => Ty::Key,
            "double" => Ty::Double,
            "varchar" => Ty::Text,
            "date" => Ty::Date,
            "timestamp" => Ty::Time,
            "interval" => Ty::Span,
            "map(varchar, varchar)" => Ty::Map(Box::new(Ty::Text), Box::new(Ty::Text)),
            "map(bigint, bigint)" => Ty::Map(Box::new(Ty::Int), Box::new(Ty::Int)),
            other => return Err(not_there(&format!("the type {other}"))),
        })
    }

    /// The type of a column that has values of both.
    pub(crate) fn or(&self, other: &Ty) -> Result<Ty> {
        Ok(match (self, other) {
            (a, b) if a == b => a.clone(),
            (Ty::Null, ty) | (ty, Ty::Null) => ty.clone(),
            (Ty::Int, Ty::Double) | (Ty::Double, Ty::Int) => Ty::Double,
            (Ty::Int, Ty::Key) | (Ty::Key, Ty::Int) => Ty::Key,
            (Ty::Int, Ty::Hash) | (Ty::Hash, Ty::Int) => Ty::Hash,
            (Ty::Date, Ty::Time) | (Ty::Time, Ty::Date) => Ty::Time,
            (Ty::List(a), Ty::List(b)) => Ty::List(Box::new(a.or(b)?)),
            (Ty::Map(a, b), Ty::Map(c, d)) => Ty::Map(Box::new(a.or(c)?), Box::new(b.or(d)?)),
            (Ty::Struct(a), Ty::Struct(b)) if a.len() == b.len() => {
                let both = a.iter().zip(b);
                let both = both.map(|((name, a), (_, b))| Ok((name.clone(), a.or(b)?)));
                Ty::Struct(both.collect::<Result<_>>()?)
            }
            (a, b) => {
                return Err(not_there(&format!("{} and {} in one place", a.spark(), b.spark())));
            }
        })
    }

    /// Whether it is a number.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Ty::Int | Ty::Double | Ty::Key | Ty::Null)
    }
}
