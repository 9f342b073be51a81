//! What a metric and a dimension need of a record, field by field. Says so, and looks at no record.

use pmtaq_schema::columns::REPLY_COLUMNS;
use pmtaq_schema::{COLUMNS, Column, Record, Records};

use crate::dimension::is_hourly;
use crate::metric::{Condition, Definition, Metric, RECEIVER, Subset, Test, metric};

/// What records must have, so that something can be told of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    /// Null where a record does not have it, in SQL over `records`.
    pub(crate) sql: &'static str,
    /// The same over `hourly`, where that can tell.
    pub(crate) hours: Option<&'static str>,
    /// The same as the parts count it ([`pmtaq_schema::fact`]).
    pub(crate) fact: &'static str,
    /// PMTA's name of the field.
    pub(crate) field: &'static str,
    /// The record types that can have it.
    pub(crate) records: Records,
    pub(crate) who: Who,
}

/// Which records have what is needed, where it is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Each record of these types, some of others.
    Each(Records),
    /// Some, as of other types: a record need not have a job.
    Some,
    /// Some, as of the same type elsewhere: a delivery need not be encrypted.
    SomeOf,
    /// At least one, as of other types.
    Any,
}

/// The class of a bounce that its diagnostic gives, and not its category.
const ADMINISTRATIVE: &str = "'administrative'";

/// What a record's diagnostic says; null where only its status, `5.1.1 (...)`, stands for it.
macro_rules! said {
    () => {
        "smtp_code::varchar, case when not template glob '[245].*' then template end"
    };
}

const FINISHED: Records = Records::of(&[Record::Delivery, Record::Bounce, Record::Deferral]);
const D: Records = Records::of(&[Record::Delivery]);
const B: Records = Records::of(&[Record::Bounce]);
const REFUSED: Records = Records::of(&[Record::Bounce, Record::Deferral, Record::RemoteBounce]);

impl Need {
    /// Of the column `name`.
    fn column(name: &'static str, who: Who) -> Option<Need> {
        let column: &'static Column = &COLUMNS[Column::index(name)?];
        let hours = is_hourly(name).then_some(name);
        let field = column.fields.first().copied().unwrap_or(name);
        Some(Need { sql: name, hours, fact: name, field, records: column.records, who })
    }

    /// What a record needs to be told apart by `dimension`; nothing where each has it.
    pub(crate) fn of_dimension(dimension: &'static str) -> Option<Need> {
        const NAMED: Records =
            Records::of(&[Record::Delivery, Record::Bounce, Record::Deferral, Record::Reception]);
        let (name, who, field) = match dimension {
            "sender_domain" => (dimension, Who::Some, Some("orig")),
            "rcpt_domain" => (dimension, Who::Each(NAMED), Some("rcpt")),
            "provider" => (dimension, Who::Each(FINISHED), Some("rcpt")),
            "vmta" | "queue" => (dimension, Who::Each(FINISHED), None),
            "bounce_cat" | "bounce_class" => ("bounce_cat", Who::Each(B), None),
            "bounce_origin" => {
                let need = Need::column("smtp_code", Who::Any)?;
                let sql = concat!("coalesce(", said!(), ")");
                let (fact, field, records) = ("reply", "dsnDiag", REFUSED);
                return Some(Need { sql, hours: Some(sql), fact, field, records, ..need });
            }
            "mx" => (dimension, Who::Some, Some("dsnMta")),
            "vmta_pool" | "dlv_source_ip" | "dlv_destination_ip" | "job_id" | "env_id"
            | "src_type" | "user_string" | "format" | "dlv_tls_protocol" | "dlv_tls_cipher" => {
                (dimension, Who::Some, None)
            }
            _ => return None,
        };
        let need = Need::column(name, who)?;
        let records = match dimension {
            // A delivery has no category, and who does not deliver no encryption.
            "bounce_cat" | "bounce_class" => REFUSED,
            "dlv_tls_protocol" | "dlv_tls_cipher" => D,
            _ => need.records,
        };
        Some(Need { field: field.unwrap_or(need.field), records, ..need })
    }

    /// What the records need that `metric` counts, its denominator's too.
    pub(crate) fn of_metric(of: &Metric) -> Vec<(Record, Need)> {
        let mut needs = Vec::new();
        let mut add = |records: &[Record], need: Option<Need>| {
            needs.extend(need.iter().flat_map(|need| records.iter().map(|rec| (*rec, *need))));
        };
        match &of.definition {
            Definition::Count(of) => of.needs(&mut add),
            Definition::Less(a, b) | Definition::Else(a, b) => {
                a.needs(&mut add);
                b.needs(&mut add);
            }
            Definition::Sum(column, of) => {
                let need = Need::column(column, Who::Each(D));
                let need = need.map(|need| Need { hours: Some("nullif(bytes, 0)"), ..need });
                add(&of.records, need);
            }
            Definition::Distinct(_, of) => {
                add(&of.records, Need::of_dimension("rcpt_domain"));
                add(&of.records, Need::column("time_queued", Who::Each(FINISHED)));
            }
            Definition::Quantile(_) | Definition::Maximum => {
                let need = Need::column("time_queued", Who::Each(D));
                add(
                    &[Record::Delivery],
                    need.map(|need| Need { hours: Some("latency_max"), ..need }),
                );
            }
            Definition::Named(name) => {
                needs.extend(metric(name).into_iter().flat_map(Need::of_metric));
            }
        }
        let base = of.of.as_deref().and_then(|base| metric(base).ok());
        needs.extend(base.into_iter().flat_map(Need::of_metric));
        needs
    }
}

impl Subset {
    /// What its condition needs.
    fn needs(&self, add: &mut dyn FnMut(&[Record], Option<Need>)) {
        let Some(Condition { column, test }) = &self.condition else { return };
        match (*column, test) {
            // Who was deleted by an operator is told by what there is.
            (_, Test::IsNot(_)) => {}
            (RECEIVER, Test::Reached) => {
                let need = Need::column(RECEIVER, Who::Any);
                let sql = concat!("coalesce(dlv_destination_ip, dsn_mta, ", said!(), ")");
                let hours = concat!("coalesce(case when reached = 1 then '' end, ", said!(), ")");
                let fact = "receiver";
                add(&self.records, need.map(|need| Need { sql, hours: Some(hours), fact, ..need }));
            }
            ("bounce_class", Test::Is(ADMINISTRATIVE)) => {
                add(&[Record::Bounce], Need::of_dimension("bounce_origin"));
            }
            ("bounce_class" | "bounce_origin", _) => {
                add(&[Record::Bounce], Need::of_dimension(column));
            }
            (column, _) if REPLY_COLUMNS.contains(&column) => {
                let need = Need::column("template", Who::Each(B));
                let sql = "coalesce(template, bounce_cat)";
                let (fact, field) = ("bounce_reason", "dsnDiag");
                let need = need.map(|need| Need { sql, hours: Some(sql), fact, field, ..need });
                add(&self.records, need);
            }
            (column, _) => add(&self.records, Need::column(column, Who::SomeOf)),
        }
    }
}

/// Whether a dimension tells outcomes apart, so that a group of it is all of one: by the reply,
/// every record is a delivery, or none is.
pub(crate) fn is_of_outcomes(dimension: &str) -> bool {
    const OUTCOMES: [&str; 8] = [
        "rec",
        "bounce_cat",
        "bounce_class",
        "bounce_origin",
        "smtp_code",
        "enhanced_code",
        "template",
        "format",
    ];
    OUTCOMES.contains(&dimension) || REPLY_COLUMNS.contains(&dimension)
}

#[cfg(test)]
mod tests {
    use pmtaq_schema::fact::FACTS;

    use super::*;
    use crate::dimension::DIMENSIONS;
    use crate::metric::metrics;

    #[test]
    fn all_that_anything_needs_is_counted_by_the_parts() {
        let of_dimensions = DIMENSIONS.iter().filter_map(|of| Need::of_dimension(of.name));
        let of_metrics = metrics().iter().flat_map(Need::of_metric).map(|(_, need)| need);
        for need in of_dimensions.chain(of_metrics) {
            let known = FACTS.iter().find(|fact| fact.name == need.fact);
            let known = known.unwrap_or_else(|| panic!("{} is not counted", need.fact));
            let columns = known.said_by.iter().map(|said| COLUMNS[said.column()].name);
            assert!(columns.clone().all(|name| need.sql.contains(name)), "{}", need.sql);
            assert_eq!(columns.count() == 1, need.sql == need.fact, "{}", need.sql);
        }
    }
}
