//! What is not logged, and which numbers are not known for it, by the rule that all answers go by. The worst
//! first: of which most numbers are missing.

use std::collections::{BTreeMap, BTreeSet};

use pmtaq_query::{Lack, Session};
use pmtaq_schema::{COLUMNS, Column, Record};

use super::finding::{Finding, Severity, few};
use super::others::Others;
use super::wants::block;
use crate::failure::Result;

/// The record types that rates are made of.
const MAIN: [Record; 3] = [Record::Delivery, Record::Bounce, Record::Deferral];

/// What is not known for want of one field in some record types.
#[derive(Default)]
struct Unknown {
    metrics: BTreeSet<String>,
    by: BTreeSet<&'static str>,
    numbers: usize,
    /// All that lack it, of whatever metric and dimension.
    lack: Option<Lack>,
}

/// What the records of the session lack, by record type.
pub(super) fn findings(session: &Session, others: &Others) -> Result<Vec<Finding>> {
    let mut all: BTreeMap<_, Unknown> = BTreeMap::new();
    for lack in session.unlogged()? {
        let key = (lack.field, lack.hosts.clone(), lack.days);
        let unknown = all.entry(key).or_default();
        unknown.numbers += lack.metrics.len();
        unknown.by.extend(lack.by);
        unknown.metrics.extend(lack.metrics.iter().cloned());
        let known = unknown.lack.get_or_insert_with(|| lack.clone());
        known.records.extend(&lack.records);
        known.records.sort();
        known.records.dedup();
    }
    let mut all: Vec<Unknown> = all.into_values().collect();
    all.sort_by_key(|unknown| std::cmp::Reverse(unknown.numbers));
    let finding = |unknown: Unknown| {
        let lack = unknown.lack?;
        let metrics: Vec<String> = unknown.metrics.into_iter().collect();
        let by: Vec<String> = unknown.by.iter().map(|by| (*by).to_owned()).collect();
        let by = if by.is_empty() { String::new() } else { format!(" by {}", few(&by)) };
        let hosts: Vec<&str> = lack.hosts.iter().map(String::as_str).collect();
        let column = lack.field.and_then(Column::of_field).map(|at| &COLUMNS[at]);
        let is_the_time = column
            .is_some_and(|column| hosts.iter().all(|host| others.stands_for_time(host, column)));
        let stands = if is_the_time { ", where it stands for timeLogged" } else { "" };
        let what = format!("{}{stands}: not known{by}: {}", lack.place(), few(&metrics));
        // Where other types have it, numbers would be wrong that are null now.
        let is_trouble =
            !unknown.by.is_empty() && lack.records.iter().any(|rec| MAIN.contains(rec));
        let level = if is_trouble { Severity::Trouble } else { Severity::Lacks };
        let kept = |record| others.headers(&hosts, record);
        let lines = if is_the_time {
            Lack { field: Some("timeLogged"), ..lack.clone() }.lines_with(kept)
        } else {
            lack.lines_with(kept)
        };
        Some(Finding { fix: block(&lines), ..Finding::new("unknown", level, what) })
    };
    Ok(all.into_iter().filter_map(finding).collect())
}
