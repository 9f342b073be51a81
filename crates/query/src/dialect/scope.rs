//! Which names mean what at a place of a statement: tables and their columns, aliases, parameters of macros
//! and lambdas, and what `with` says around it. Writes nothing.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value as Json;

use super::types::Ty;

/// A column of a query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NamedColumn {
    /// Its name here.
    pub(crate) name: String,
    /// Its name there, which no other column of the query has.
    pub(crate) there: String,
    pub(crate) ty: Ty,
}

/// A table that a query reads.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Its name here.
    pub(super) alias: String,
    /// Its name there, which nothing else in the statement has.
    pub(super) there: String,
    pub(super) columns: Vec<NamedColumn>,
    /// Columns that a `using` has made one with others before, with what they are then.
    pub(super) merged: Vec<String>,
}

/// An expression that is written.
#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub(super) sql: String,
    pub(super) ty: Ty,
    /// Whether it has an aggregate, outside of windows.
    pub(super) is_aggregate: bool,
    pub(super) has_window: bool,
    /// Whether it is a list of which each value becomes a row.
    pub(super) is_unnested: bool,
    /// Its value, if it is a literal.
    pub(super) literal: Option<Literal>,
}

/// The value of a literal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Int(i64),
    Double(f64),
}

impl Expr {
    pub(super) fn new(sql: impl Into<String>, ty: Ty) -> Expr {
        let sql = sql.into();
        Expr { sql, ty, is_aggregate: false, has_window: false, is_unnested: false, literal: None }
    }

    /// Made of `parts`, and an aggregate or a window if one of them is.
    pub(super) fn of(sql: impl Into<String>, ty: Ty, parts: &[&Expr]) -> Expr {
        Expr {
            is_aggregate: parts.iter().any(|part| part.is_aggregate),
            has_window: parts.iter().any(|part| part.has_window),
            ..Expr::new(sql, ty)
        }
    }

    /// The same, written otherwise.
    pub(super) fn with(&self, sql: impl Into<String>, ty: Ty) -> Expr {
        Expr::of(sql, ty, &[self])
    }

    /// The whole number that it is.
    pub(super) fn int(&self) -> Option<i64> {
        match self.literal {
            Some(Literal::Int(n)) => Some(n),
            _ => None,
        }
    }

    /// The text that it is.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.literal {
            Some(Literal::Text(text)) => Some(text),
            _ => None,
        }
    }
}

/// What names mean at a place of a query.
#[derive(Default)]
pub(super) struct NameScope<'s> {
    pub(super) sources: Vec<Source>,
    /// What the select list calls its columns.
    pub(super) aliases: Vec<(String, &'s Json)>,
    /// Aliases that are being written, so that none is looked up in itself.
    pub(super) busy: RefCell<Vec<String>>,
    /// Parameters of a lambda or of a macro.
    pub(super) bound: Vec<(String, Expr)>,
    /// The query around this one.
    pub(super) outer: Option<&'s NameScope<'s>>,
    /// Whether what stands around it is of the same query, as around a lambda.
    pub(super) is_inner: bool,
}

/// What a name was found to be.
pub(super) enum Resolved<'s> {
    Column(Expr),
    Alias(String, &'s Json),
}

impl<'s> NameScope<'s> {
    pub(super) fn inside(outer: Option<&'s NameScope<'s>>) -> NameScope<'s> {
        NameScope { outer, ..NameScope::default() }
    }

    /// The scope of a lambda or macro, whose parameters are written already.
    pub(super) fn binding(
        bound: Vec<(String, Expr)>,
        outer: Option<&'s NameScope<'s>>,
    ) -> NameScope<'s> {
        NameScope { bound, outer, is_inner: true, ..NameScope::default() }
    }

    /// A column by its name alone, in this query.
    pub(super) fn column(&self, name: &str) -> Option<Expr> {
        self.sources.iter().find_map(|source| {
            let is_merged = source.merged.iter().any(|merged| merged.eq_ignore_ascii_case(name));
            if is_merged { None } else { source.column(name) }
        })
    }

    /// A column of one table of this query.
    pub(super) fn column_of(&self, alias: &str, name: &str) -> Option<Expr> {
        let mut sources = self.sources.iter();
        let source = sources.find(|source| source.alias.eq_ignore_ascii_case(alias))?;
        source.column(name)
    }
}

impl Source {
    fn column(&self, name: &str) -> Option<Expr> {
        let column = self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))?;
        Some(self.expr(column))
    }

    /// A column of it, as it is written.
    pub(super) fn expr(&self, column: &NamedColumn) -> Expr {
        Expr::new(
            format!("{}.{}", self.there, super::words::ident(&column.there)),
            column.ty.clone(),
        )
    }
}

/// What `with` says, from the inside out.
#[derive(Clone, Default)]
pub(super) struct Env(Option<Rc<Cte>>);

/// One query of a `with`.
pub(super) struct Cte {
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    pub(super) node: Json,
    /// Its name there and its columns, once someone has read it.
    pub(super) written: RefCell<Option<(String, Vec<NamedColumn>)>>,
    /// What stands before it.
    pub(super) before: Env,
}

impl Env {
    /// With one query more.
    pub(super) fn and(&self, name: &str, aliases: Vec<String>, node: &Json) -> Env {
        Env(Some(Rc::new(Cte {
            name: name.to_owned(),
            aliases,
            node: node.clone(),
            written: RefCell::new(None),
            before: self.clone(),
        })))
    }

    /// The nearest query of that name.
    pub(super) fn find(&self, name: &str) -> Option<Rc<Cte>> {
        let mut at = self.0.clone();
        while let Some(cte) = at {
            if cte.name.eq_ignore_ascii_case(name) {
                return Some(cte);
            }
            at = cte.before.0.clone();
        }
        None
    }
}
