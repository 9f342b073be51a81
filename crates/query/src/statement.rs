//! How a statement gets its records: those that a selection lets through, of `records`, and of
//! `hourly` where that can answer it. Runs nothing.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use pmtaq_schema::Record;

use crate::dimension::Reads;
use crate::error::Result;
use crate::largest::LISTED;
use crate::lex::{is_said, tokens, words};
use crate::metric::{expand, expand_by};
use crate::prelude;
use crate::query::{Query, quoted};
use crate::replies::{names_replies, names_templates};
use crate::rollup::{followed_by, over_hours, with_kept};
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
            Some(with_kept(over, &[reads, &filtered]))
        });
        let body = body.replace(LISTED, "true");
        // What is counted by a reply has it looked up in all records.
        let is_by_more = self.judged.by.iter().any(|of| is_more_than_ingested(of.sql));
        let body = if is_by_more { body.replace(AS_INGESTED, "records") } else { body };
        let body = expand_by(&body, &mut |metric, is_column| {
            let sql = expand(&metric.sql);
            if is_column { self.judged.where_known(metric, sql) } else { sql }
        });
        self.sql = without_unread(narrowed(condition, &body), condition, &body);
    }
}

/// What `returns` takes of a delivery beside its time, its VirtualMTA and its job, by which it chooses one.
const OF_DELIVERY: [&str; 5] = ["provider", "sender_domain", "vmta_pool", "queue", "dlv_source_ip"];

/// The condition that holds for all records.
const ALL: &str = "true";

/// `sql`, which is `body` over the records for which `condition` holds, without those columns of a delivery
/// that neither names: the engine would read them of all deliveries, since it keeps what was matched whole.
pub(crate) fn without_unread(sql: String, condition: &str, body: &str) -> String {
    let named: BTreeSet<String> =
        words(condition).chain(words(body)).map(str::to_lowercase).collect();
    if !named.contains("returns") || answers_all(body) {
        return sql;
    }
    let is_unread = |column: &&str| !named.contains(*column);
    let unread: Vec<&str> = OF_DELIVERY.into_iter().filter(is_unread).collect();
    // Two of one time and one job differ in nothing else then: which one it is need not be told by their VirtualMTAs.
    let are_alike = unread.len() == OF_DELIVERY.len() && condition == ALL && is_unread(&"vmta");
    let sql = if are_alike { sql.replace("d.vmta,", "null::varchar as vmta,") } else { sql };
    unread.iter().fold(sql, |sql, column| {
        sql.replace(&format!("d.{column}"), &format!("null::varchar as {column}"))
    })
}

/// Whether the answer of a statement has all columns of what it is of, also those that it does not name.
fn answers_all(body: &str) -> bool {
    let (mut depth, mut has_list, mut before) = (0_i32, false, String::new());
    for token in tokens(body).filter(|token| is_said(token)) {
        let token = token.to_lowercase();
        match token.as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            "columns" => return true,
            "*" if depth == 0 && ["select", "distinct", ",", "."].contains(&&*before) => {
                return true;
            }
            // Without a list of columns.
            "from" if depth == 0 && !has_list => return true,
            "select" if depth == 0 => has_list = true,
            "union" | "except" | "intersect" if depth == 0 => has_list = false,
            _ => {}
        }
        before = token;
    }
    false
}

/// What a statement calls `records` without the look-up of replies, for what reads times, keys and names
/// alone.
const AS_INGESTED: &str = "records_as_ingested";

/// `body` over those records only for which `condition` holds: the views are defined again over
/// them, under their own names.
pub(crate) fn narrowed(condition: &str, body: &str) -> String {
    narrowed_by("stored", &[("*".to_owned(), condition.to_owned())], body)
}

/// The same, over several scans of `source` of which no record is in two, each given by its columns
/// and its condition. Of times in several stretches in one scan the engine would read all that lies between.
pub(crate) fn narrowed_by(source: &str, scans: &[(String, String)], body: &str) -> String {
    let any = scans.iter().map(|(_, when)| format!("({when})")).collect::<Vec<_>>().join(" or ");
    let asked = |sql: &str| sql.replace("asked()", &format!("({any})"));
    let mut sql = records_of(source, scans);
    let is_more = is_more_than_ingested(&any);
    if words(body).any(|word| word == AS_INGESTED) {
        let lean = if is_more { source } else { "stored_as_ingested" };
        let _ = write!(sql, ",\n{AS_INGESTED} as not materialized ({})", arms_of(lean, scans));
    }
    for (name, _, view) in prelude::views() {
        let view =
            if is_more { view.replace("stored_as_ingested", "stored") } else { view.to_owned() };
        let _ = write!(sql, ",\n{name} as not materialized ({})", asked(&view));
    }
    with_body(sql, &asked(body))
}

/// The same for a body that names no other view than `records`.
pub(crate) fn only_records(source: &str, scans: &[(String, String)], body: &str) -> String {
    with_body(records_of(source, scans), body)
}

fn records_of(source: &str, scans: &[(String, String)]) -> String {
    format!("with records as not materialized ({})", arms_of(source, scans))
}

fn arms_of(source: &str, scans: &[(String, String)]) -> String {
    let arm =
        |(columns, when): &(String, String)| format!("select {columns} from {source} where {when}");
    scans.iter().map(arm).collect::<Vec<_>>().join(" union all ")
}

/// `sql`, a `with` and its queries, and then `body` with its metrics as SQL.
fn with_body(sql: String, body: &str) -> String {
    // What a file says of itself comes first, and is not the statement.
    let about = body.lines().take_while(|line| line.starts_with("--")).map(|line| line.len() + 1);
    followed_by(sql, &expand(&body[about.sum::<usize>().min(body.len())..]))
}

/// Whether a condition reads what a session adds to the parts, or has in place of what they hold.
fn is_more_than_ingested(condition: &str) -> bool {
    let is_replaced = |word: &str| ["bounce_class", "bounce_origin"].contains(&word);
    names_replies(condition)
        || names_templates(condition)
        || words(condition).any(|word| is_replaced(&word.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lean(condition: &str, body: &str) -> String {
        without_unread(narrowed(condition, body), condition, body)
    }

    #[test]
    fn of_a_delivery_is_read_what_the_statement_or_its_condition_names() {
        let sql = lean("queue = $a", "select vmta_pool, count(*) from returns group by all");
        for column in OF_DELIVERY {
            let is_read = ["vmta_pool", "queue"].contains(&column);
            assert_eq!(sql.contains(&format!("d.{column}")), is_read, "{column}");
            assert_eq!(sql.contains(&format!("null::varchar as {column}")), !is_read, "{column}");
        }
        let is_read = |condition: &str, body: &str| lean(condition, body).contains("d.vmta,");
        assert!(!is_read("true", "select job_id from returns"));
        assert!(is_read("true", "select job_id, provider from returns"));
        assert!(is_read("true", "select vmta from returns"));
        assert!(is_read("job_id = $a", "select job_id from returns"));
        let others = "select vmta from deliveries";
        assert_eq!(lean("true", others), narrowed("true", others));
    }

    #[test]
    fn where_the_answer_has_all_columns_none_of_a_delivery_is_left_out() {
        for all in [
            "select * from returns",
            "from returns where rec = 'f'",
            "with x as (select rec from returns) from x",
            "with x as (from returns) select rec, x.* from x",
            "select 1 from records union all select distinct * from returns",
            "select columns('v.*') from returns",
        ] {
            assert!(answers_all(all) && lean("true", all) == narrowed("true", all), "{all}");
        }
        for some in [
            "with x as (select *, 1 as n from returns) select vmta, count(*) * 2 from x group by all",
            "select rec from (from returns) union select rec from records",
        ] {
            assert!(!answers_all(some), "{some}");
        }
    }

    #[test]
    fn no_report_over_what_came_back_answers_with_columns_that_it_does_not_name() {
        let catalog = crate::Catalog::builtin().expect("reports");
        let mut seen = 0;
        for report in catalog.iter() {
            let variants = report.variants.iter().map(|(_, statement)| statement);
            for statement in variants.chain([&report.statement]) {
                let statement = statement.sql.as_str();
                let is_of_returns = words(statement).any(|word| word == "returns");
                assert!(!is_of_returns || !answers_all(statement), "{}", report.name);
                seen += usize::from(is_of_returns);
            }
        }
        assert!(seen >= 4, "{seen}");
    }

    #[test]
    fn records_as_ingested_are_those_of_the_condition() {
        let body = "select count(*) from records_as_ingested";
        let lean = "records_as_ingested as not materialized (select * from stored_as_ingested where vmta = $a)";
        assert!(narrowed("vmta = $a", body).contains(lean));
        // What a session adds to the parts is what the condition asks for.
        let known = "records_as_ingested as not materialized (select * from stored where mailbox_dead = $a)";
        assert!(narrowed("mailbox_dead = $a", body).contains(known));
        assert!(!narrowed("true", "select count(*) from records").contains("records_as_ingested"));
    }
}
