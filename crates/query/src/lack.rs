//! Why a number is not known, and the words for it. Judges nothing.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};

use pmtaq_schema::Record;
use pmtaq_schema::time::Day;

use crate::dimension::Dimension;
use crate::metric::Metric;
use crate::need::Need;

/// Why a number is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lack {
    /// The dimension by which it is not known; none for not at all.
    pub by: Option<&'static str>,
    /// PMTA's name of the field that is not there; none where there are no such records at all, and where
    /// the dimension tells outcomes apart.
    pub field: Option<&'static str>,
    /// The record types that lack it.
    pub records: Vec<Record>,
    /// Whether these types never have it.
    pub is_never: bool,
    /// Whether the number of all records is known, and only those of groups are not.
    pub is_of_groups: bool,
    /// Whether it is the group without a value alone.
    pub is_unnamed: bool,
    /// The metrics that it is about.
    pub metrics: Vec<String>,
    /// The MTAs that lack it, and the first and the last day.
    pub hosts: Vec<String>,
    /// The first and the last day on which it is not there; none where that is no matter of days.
    pub days: Option<(Day, Day)>,
}

/// Those that differ in the metric alone as one.
pub(crate) fn merged(lacks: Vec<Lack>) -> Vec<Lack> {
    let mut all: BTreeMap<Lack, Vec<String>> = BTreeMap::new();
    for mut lack in lacks {
        let metrics = std::mem::take(&mut lack.metrics);
        let known = all.entry(lack).or_default();
        for metric in metrics {
            if !known.contains(&metric) {
                known.push(metric);
            }
        }
    }
    all.into_iter().map(|(lack, metrics)| Lack { metrics, ..lack }).collect()
}

impl Lack {
    /// That `records` lack a field, or that there are none.
    pub(crate) fn of(
        metric: &Metric,
        by: Option<&'static str>,
        need: Option<&Need>,
        records: impl IntoIterator<Item = Record>,
    ) -> Lack {
        Lack {
            by,
            field: need.map(|need| need.field),
            records: records.into_iter().collect(),
            is_never: false,
            is_of_groups: false,
            is_unnamed: false,
            metrics: vec![metric.name.clone()],
            hosts: Vec::new(),
            days: None,
        }
    }

    /// Of a share by a dimension that tells outcomes apart.
    pub(crate) fn of_outcomes(metric: &Metric, of: &Dimension) -> Lack {
        Lack { is_never: true, ..Lack::of(metric, Some(of.name), None, []) }
    }

    /// Whether it is record types that are not there at all.
    fn is_of_types(&self) -> bool {
        self.field.is_none() && !self.records.is_empty()
    }

    /// The lines of PMTA's configuration that would log it; none of what is never there.
    pub fn lines(&self) -> Vec<String> {
        self.lines_with(|_| Vec::new())
    }

    /// The same, with the fields that records of a type have besides and that are to be logged on.
    pub fn lines_with(&self, kept: impl Fn(Record) -> Vec<String>) -> Vec<String> {
        if self.is_of_types() {
            let mut types = vec![Record::Delivery, Record::Bounce];
            types.extend(
                self.records.iter().filter(|record| !["d", "b"].contains(&record.as_str())),
            );
            let types: Vec<&str> = types.iter().map(|record| record.as_str()).collect();
            return vec![format!("records {}", types.join(","))];
        }
        let field = self.field.filter(|_| !self.is_never);
        let line = |record: &Record| {
            let names = std::iter::once(field?.to_owned()).chain(kept(*record)).collect::<Vec<_>>();
            Some(format!("record-fields {record} *,{}", names.join(",")))
        };
        self.records.iter().filter_map(line).collect()
    }

    /// The setting that says that there were none, where it is types that are not there.
    pub fn setting(&self) -> Option<String> {
        let types: Vec<&str> = self.records.iter().map(|record| record.as_str()).collect();
        self.is_of_types().then(|| format!("records = \"{}\"", types.join(",")))
    }

    /// What is not there, and where.
    pub fn place(&self) -> String {
        let types: Vec<&str> = self.records.iter().map(|record| record.as_str()).collect();
        let types = types.join(" and ");
        let hosts = match self.hosts.as_slice() {
            [one, two, three, more @ ..] if !more.is_empty() => {
                format!("{one}, {two}, {three} and {} more", more.len())
            }
            hosts => hosts.join(", "),
        };
        let days = match self.days {
            Some((first, last)) if first == last => format!(", {first}"),
            Some((first, last)) => format!(", {first} to {last}"),
            None => String::new(),
        };
        match self.field {
            Some(field) => format!("no {field} in the {types} records of {hosts}{days}"),
            None if hosts.is_empty() => format!("no {types} records in the whole store"),
            None => format!("no {types} records of {hosts} in the whole store"),
        }
    }
}

/// As a sentence.
impl Display for Lack {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.metrics.join(", "))?;
        if let Some(by) = self.by {
            write!(f, " by {by}")?;
        }
        if self.is_unnamed {
            f.write_str(", of (none),")?;
        }
        if self.field.is_none() && self.records.is_empty() {
            return f.write_str(" says nothing: each group of it is of one outcome alone");
        }
        let is = if self.metrics.len() == 1 { "is" } else { "are" };
        if let Some(field) = self.field.filter(|_| self.is_never) {
            let types: Vec<&str> = self.records.iter().map(|record| record.as_str()).collect();
            return write!(
                f,
                " {is} not known: {} records never have {field}",
                types.join(" and ")
            );
        }
        write!(f, " {is} not known: {}", self.place())
    }
}
