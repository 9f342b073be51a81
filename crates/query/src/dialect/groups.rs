//! What rows are grouped by.

use serde_json::Value as Json;

use super::ending::place;
use super::scope::{Expr, Literal, NameScope};
use super::words::{list, not_there, text};
use super::writer::Translator;
use crate::error::Result;

impl Translator<'_> {
    /// Writes `group by`, if there is one.
    pub(super) fn group(
        &mut self,
        node: &Json,
        scope: &NameScope<'_>,
        written: &[Expr],
        sql: &mut String,
    ) -> Result<()> {
        let sets = list(node, "group_sets");
        if text(node, "aggregate_handling") == "FORCE_AGGREGATES" {
            let keys = written.iter().filter(|expr| !expr.is_aggregate && !expr.has_window);
            let keys: Vec<String> = keys.map(group_key).collect();
            if !keys.is_empty() {
                *sql += &format!(" group by {}", keys.join(", "));
            }
            return Ok(());
        }
        if sets.is_empty() {
            return Ok(());
        }
        let mut keys = Vec::new();
        for key in list(node, "group_expressions") {
            keys.push(group_key(&self.key(key, scope, written)?));
        }
        let all: Vec<usize> = (0..keys.len()).collect();
        let sets: Vec<Vec<usize>> = sets.iter().map(numbers).collect();
        if sets == [all] {
            *sql += &format!(" group by {}", keys.join(", "));
        } else {
            let of = |set: &Vec<usize>| {
                let names: Vec<&str> = set.iter().map(|at| keys[*at].as_str()).collect();
                format!("({})", names.join(", "))
            };
            let sets: Vec<String> = sets.iter().map(of).collect();
            *sql += &format!(" group by grouping sets ({})", sets.join(", "));
        }
        Ok(())
    }

    /// An expression of `group by`: a column of the tables, else an alias or a place of the select list.
    fn key(&mut self, key: &Json, scope: &NameScope<'_>, written: &[Expr]) -> Result<Expr> {
        if let Some(at) = place(key) {
            let at = written.get(at);
            return at.cloned().ok_or_else(|| not_there("a group by a place that there is not"));
        }
        self.expr(key, scope)
    }
}

/// A key of a group: a literal must not be taken for a place.
fn group_key(expr: &Expr) -> String {
    match expr.literal {
        Some(Literal::Int(_)) => format!("cast({} as bigint)", expr.sql),
        _ => expr.sql.clone(),
    }
}

fn numbers(list: &Json) -> Vec<usize> {
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(Json::as_u64).filter_map(|n| usize::try_from(n).ok()).collect()
}
