//! Fields of records that no column takes: headers that lines for PMTA's configuration must not leave out, what
//! is called otherwise than PMTA does, and what stands for the time.

use std::collections::BTreeSet;

use pmtaq_query::{OtherField, Presence};
use pmtaq_schema::{COLUMNS, Column, Kind, Record};

use super::finding::{Finding, Severity};
use crate::asked::Asked;
use crate::failure::Result;

/// How the names of fields begin that are made of the message or of the report.
const OF_THE_MESSAGE: [&str; 2] = ["header_", "arf_"];

/// What others call fields of PMTA.
const ALIASES: [(&str, &[&str]); 2] = [
    ("orig", &["mailfrom", "mail_from", "sender", "from", "envelope_from", "returnpath"]),
    ("rcpt", &["rcptto", "rcpt_to", "recipient", "to", "envelope_to"]),
];

/// Those of the last hour.
pub(super) struct Others(Vec<OtherField>);

impl Others {
    pub(super) fn of(asked: &Asked, presence: &Presence) -> Result<Others> {
        Ok(Others(asked.session.other_fields(presence)?))
    }

    /// The headers that records of this type have of any of these MTAs.
    pub(super) fn headers(&self, hosts: &[&str], record: Record) -> Vec<String> {
        let is_header = |name: &str| {
            let name = name.to_ascii_lowercase();
            // The second of two fields of the same name has a number.
            OF_THE_MESSAGE.iter().any(|start| name.starts_with(start)) && !name.contains('#')
        };
        let of_type = self.0.iter().filter(|of| of.record == record);
        let names = of_type.filter(|of| hosts.contains(&of.host.as_str()) && is_header(&of.name));
        let names: BTreeSet<&String> = names.map(|of| &of.name).collect();
        names.into_iter().cloned().collect()
    }

    /// Whether the records of an MTA count by the field of this column, since they have no timeLogged: it is
    /// kept under its own name then.
    pub(super) fn stands_for_time(&self, host: &str, column: &Column) -> bool {
        let is_it = |of: &&OtherField| {
            let taken = Column::of_field(&of.name).map(|at| &COLUMNS[at]);
            of.host == host && taken.is_some_and(|taken| taken.name == column.name)
        };
        column.kind == Kind::Time && self.0.iter().any(|of| is_it(&of))
    }

    /// Fields that no record has, where another looks as if it were that one.
    pub(super) fn renamed(&self, presence: &Presence) -> Vec<Finding> {
        let has = |field: &str| presence.hosts().iter().any(|host| presence.has(host, field));
        let missing = ALIASES.iter().filter(|(field, _)| !has(field));
        let finding = |(field, names): &(&str, &[&str])| {
            let is_it =
                |other: &&OtherField| names.contains(&other.name.to_ascii_lowercase().as_str());
            let other = &self.0.iter().find(is_it)?.name;
            let what = format!(
                "no record has {field}, and `{other}` looks as if it were that: reports see nothing of it"
            );
            let fix =
                format!("name it {field} in the header of files that are still to be ingested");
            Some(Finding::new("reports", Severity::Trouble, what).fix(fix))
        };
        missing.filter_map(finding).collect()
    }
}
