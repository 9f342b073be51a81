//! What the reports ask for and an MTA does not log, by the headers of the reports and by no other
//! list; and the lines of PMTA's configuration that would log it.

use std::collections::{BTreeMap, BTreeSet};

use pmtaq_query::{Catalog, Presence};
use pmtaq_schema::{Column, Record};

use super::finding::{Finding, Severity, few};
use super::others::Others;

/// Who asks for a record type or a field.
#[derive(Debug, Default)]
struct Askers {
    /// Reports that say nothing without it.
    need: BTreeSet<String>,
    /// Reports that say less without it.
    use_it: BTreeSet<String>,
}

impl Askers {
    fn text(&self) -> String {
        let list = |names: &BTreeSet<String>| few(&names.iter().cloned().collect::<Vec<_>>());
        match (self.need.is_empty(), self.use_it.is_empty()) {
            (false, true) => format!("needed by {}", list(&self.need)),
            (true, _) => format!("used by {}", list(&self.use_it)),
            (false, false) => {
                format!("needed by {}; used by {}", list(&self.need), list(&self.use_it))
            }
        }
    }
}

/// What the reports ask for.
pub(super) struct Wants {
    records: BTreeMap<Record, Askers>,
    /// By PMTA's name of the field.
    fields: BTreeMap<&'static str, (&'static Column, Askers)>,
}

impl Wants {
    /// Of all reports.
    pub(super) fn of(catalog: &Catalog) -> Wants {
        let mut wants = Wants { records: BTreeMap::new(), fields: BTreeMap::new() };
        for report in catalog.iter() {
            let name = || report.name.clone();
            for record in report.needs.iter() {
                wants.records.entry(record).or_default().need.insert(name());
            }
            for record in report.uses.iter().filter(|record| !report.needs.contains(*record)) {
                wants.records.entry(record).or_default().use_it.insert(name());
            }
            for column in &report.fields {
                let field = column.fields.first().unwrap_or(&column.name);
                let entry = wants.fields.entry(field).or_insert((*column, Askers::default()));
                entry.1.use_it.insert(name());
            }
        }
        wants
    }

    /// What is missing where `has_record` and `has_field` say no: a sentence each, and the lines
    /// that would log it, with the fields that are `kept` of a type. A field that `is_the_time` is there, and
    /// stands for timeLogged.
    pub(super) fn missing(
        &self,
        has_record: impl Fn(Record) -> bool,
        has_field: impl Fn(&Column) -> bool,
        is_the_time: impl Fn(&Column) -> bool,
        kept: impl Fn(Record) -> Vec<String>,
    ) -> (Vec<String>, Vec<String>) {
        let mut sentences = Vec::new();
        for (record, askers) in self.records.iter().filter(|(record, _)| !has_record(**record)) {
            sentences.push(format!("no {record} records, {}", askers.text()));
        }
        let mut lines = Vec::new();
        if !sentences.is_empty() {
            let all = Record::ALL
                .into_iter()
                .filter(|record| has_record(*record) || self.records.contains_key(record));
            let all: Vec<&str> = all.map(Record::as_str).collect();
            lines.push(format!("records {}", all.join(",")));
        }
        let mut fields: BTreeMap<Record, Vec<&str>> = BTreeMap::new();
        for (field, (column, askers)) in &self.fields {
            // Where no record may have it, the missing type has been named.
            let types: Vec<Record> =
                column.records.iter().filter(|record| has_record(*record)).collect();
            if types.is_empty() || has_field(column) {
                continue;
            }
            let (field, stands) = if is_the_time(column) {
                ("timeLogged", format!(", for which {field} stands"))
            } else {
                (*field, String::new())
            };
            sentences.push(format!("no {field}{stands}, {}", askers.text()));
            for record in types {
                fields.entry(record).or_default().push(field);
            }
        }
        let line = |(record, fields): (Record, Vec<&str>)| line(record, &fields, kept(record));
        lines.extend(fields.into_iter().map(line));
        (sentences, lines)
    }
}

/// What each MTA does not log. Those that lack the same are named together.
pub(super) fn findings(presence: &Presence, catalog: &Catalog, others: &Others) -> Vec<Finding> {
    let wants = Wants::of(catalog);
    let mut by_lack: BTreeMap<(Vec<String>, Vec<String>), Vec<&str>> = BTreeMap::new();
    for host in presence.hosts() {
        let missing = wants.missing(
            |record| presence.of(host).any(|logged| logged.record == record),
            |column| presence.has(host, column.name),
            |column| others.stands_for_time(host, column),
            |record| others.headers(&[host], record),
        );
        by_lack.entry(missing).or_default().push(host);
    }
    let mut findings = Vec::new();
    for ((sentences, lines), hosts) in by_lack {
        let hosts = hosts.join(", ");
        if sentences.is_empty() {
            let what = format!("{hosts}: all that the reports ask for is logged");
            findings.push(Finding::new("reports", Severity::Ok, what));
            continue;
        }
        let last = sentences.len() - 1;
        for (number, sentence) in sentences.into_iter().enumerate() {
            let mut finding =
                Finding::new("reports", Severity::Lacks, format!("{hosts}: {sentence}"));
            if number == last {
                finding.fix = block(&lines);
            }
            findings.push(finding);
        }
    }
    findings
}

/// The line that logs `fields` of a type beside PMTA's default ones, and those that are `kept`.
pub(super) fn line(record: Record, fields: &[&str], kept: Vec<String>) -> String {
    let is_new = |name: &String| !fields.iter().any(|field| field.eq_ignore_ascii_case(name));
    let fields = fields.iter().map(|field| (*field).to_owned());
    let names = fields.chain(kept.into_iter().filter(is_new)).collect::<Vec<_>>();
    [format!("record-fields {record} *"), names.join(",")].join(if names.is_empty() {
        ""
    } else {
        ","
    })
}

/// Lines for an `<acct-file>` block.
pub(super) fn block(lines: &[String]) -> Vec<String> {
    let mut block = vec!["<acct-file ...>".to_owned()];
    block.extend(lines.iter().map(|line| format!("    {line}")));
    block.push("</acct-file>".to_owned());
    block
}
