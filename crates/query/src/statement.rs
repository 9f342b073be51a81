//! How a statement gets its records: those that a selection lets through, of `records`, and of
//! `hourly` where that can answer it. Runs nothing.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use pmtaq_schema::Record;

use crate::dimension::Reads;
use crate::error::Result;
use crate::lex::words;
use crate::metric::{expand, expand_by};
use crate::prelude;
use crate::query::{Query, quoted};
use crate::replies::{names_replies, names_templates};
use crate::rollup::over_hours;
use crate::selection::Selection;

impl Query {
    /// Lets the body that it has speak of those records only that `selection` lets through. `reads`
    /// is what it reads of them beside its metrics, if `hourly` has all of that.
    pub(crate) fn ask(&mut self, selection: &Selection, reads: Option<&Reads>) -> Result<()> {
        let condition = selection.sql(self)?;
        self.ask_where(&condition, selection, reads);
        Ok(())
    }

    /// As [`Query::ask`], and only those of some record types.
    pub(crate) fn ask_of(
        &mut self,
        records: &BTreeSet<Record>,
        selection: &Selection,
        reads: Option<&Reads>,
    ) -> Result<()> {
        let names = records.iter().map(|record| quoted(record.as_str())).collect::<Vec<_>>();
        // Of several types `is true` makes a value, which the engine sees once for each name of a
        // part; as a condition it would be an `or`, whose rows are compared one by one and sorted.
        let is_true = if names.len() > 1 { " is true" } else { "" };
        let any = format!("(rec in ({})){is_true}", names.join(", "));
        let condition = format!("{any} and {}", selection.sql(self)?);
        self.ask_where(&condition, selection, reads);
        Ok(())
    }

    fn ask_where(&mut self, condition: &str, selection: &Selection, reads: Option<&Reads>) {
        let body = std::mem::take(&mut self.sql);
        self.over_hours = reads.zip(selection.reads()).and_then(|(reads, filtered)| {
            let mut over = over_hours(&body, condition, reads, &self.judged)?;
            over.is_local |= filtered.is_local;
            Some(over)
        });
        let body = expand_by(&body, &mut |metric, is_column| {
            let sql = expand(&metric.sql);
            if is_column { self.judged.where_known(metric, sql) } else { sql }
        });
        self.sql = narrowed(condition, &body);
    }
}

/// `body` over those records only for which `condition` holds: the views are defined again over
/// them, under their own names.
pub(crate) fn narrowed(condition: &str, body: &str) -> String {
    narrowed_by("stored", &[("*".to_owned(), condition.to_owned())], body)
}

/// The same, over several scans of `source` of which no record is in two, each given by its columns
/// and its condition. Of times in several stretches in one scan the engine would read all that lies between.
pub(crate) fn narrowed_by(source: &str, scans: &[(String, String)], body: &str) -> String {
    let arms =
        scans.iter().map(|(columns, when)| format!("select {columns} from {source} where {when}"));
    let arms = arms.collect::<Vec<_>>().join(" union all ");
    let any = scans.iter().map(|(_, when)| format!("({when})")).collect::<Vec<_>>().join(" or ");
    let asked = |sql: &str| sql.replace("asked()", &format!("({any})"));
    let mut sql = format!("with records as not materialized ({arms})");
    let is_more = is_more_than_ingested(&any);
    for (name, _, view) in prelude::views() {
        let view =
            if is_more { view.replace("stored_as_ingested", "stored") } else { view.to_owned() };
        let _ = write!(sql, ",\n{name} as not materialized ({})", asked(&view));
    }
    // What a file says of itself comes first, and is not the statement.
    let about = body.lines().take_while(|line| line.starts_with("--")).map(|line| line.len() + 1);
    let body = asked(&expand(&body[about.sum::<usize>().min(body.len())..]));
    match body.trim_start().strip_prefix("with ") {
        Some(rest) => sql + ",\n" + rest,
        None => sql + "\n" + &body,
    }
}

/// Whether a condition reads what a session adds to the parts, or has in place of what they hold.
fn is_more_than_ingested(condition: &str) -> bool {
    let is_replaced = |word: &str| ["bounce_class", "bounce_origin"].contains(&word);
    names_replies(condition)
        || names_templates(condition)
        || words(condition).any(|word| is_replaced(&word.to_lowercase()))
}
