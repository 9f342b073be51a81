//! What records are grouped and filtered by: the closed list of dimensions, and what of a record
//! each of them reads.

use std::collections::BTreeSet;

use pmtaq_schema::columns::{HOURLY, REPLY_COLUMNS};

use crate::error::{Error, Result};
use crate::fields;
use crate::filters::{CODE, FILTERS};

/// Something to group by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Its name.
    pub name: &'static str,
    /// Its value for a record, in SQL.
    pub sql: &'static str,
    /// Meaning.
    pub doc: &'static str,
    /// What of a record it is made of.
    source: Source,
}

/// What of a record a dimension is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The column of its name.
    Column,
    /// The hour of the local clock.
    LocalHour,
    /// Minutes of the local clock.
    LocalMinute,
    /// A field that no column takes, or what a site makes of one.
    Field,
    /// The same, which `hourly` keeps under this name.
    Kept(&'static str),
}

/// What is read of each row of `hourly`, in the words of `records`: columns, and whether their hours
/// are those of the local clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    pub(crate) columns: BTreeSet<&'static str>,
    pub(crate) is_local: bool,
    /// Where nothing but the largest groups need be told apart.
    pub(crate) largest: Option<Largest>,
    /// Whether the statement itself keeps few of the groups by these columns.
    pub(crate) keeps_few: bool,
}

/// The largest groups of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Largest {
    /// By which of the columns.
    pub(crate) by: Vec<&'static str>,
    /// How many.
    pub(crate) top: u32,
    /// The metric that says how large a group is.
    pub(crate) volume: &'static str,
}

impl Dimension {
    /// Whether its values are times, which are shown in their order, and all of them.
    pub fn is_time(&self) -> bool {
        matches!(self.source, Source::LocalHour | Source::LocalMinute)
    }

    /// Whether it is a field that no column takes, or what a site makes of one.
    pub fn is_of_field(&self) -> bool {
        matches!(self.source, Source::Field | Source::Kept(_))
    }

    /// One that is made of a field.
    pub(crate) const fn of_field(
        name: &'static str,
        sql: &'static str,
        doc: &'static str,
    ) -> Dimension {
        Dimension { name, sql, doc, source: Source::Field }
    }

    /// The same, which `hourly` keeps under the name `column`.
    pub(crate) const fn kept(self, column: &'static str) -> Dimension {
        Dimension { source: Source::Kept(column), ..self }
    }

    /// What is read of `hourly` for it; none when that does not know it.
    pub(crate) fn reads(&self) -> Option<Reads> {
        match self.source {
            Source::Column => is_hourly(self.name)
                .then(|| Reads { columns: [self.name].into(), ..Reads::default() }),
            Source::LocalHour => Some(Reads::hour(true)),
            Source::Kept(column) => Some(Reads { columns: [column].into(), ..Reads::default() }),
            Source::LocalMinute | Source::Field => None,
        }
    }
}

impl Reads {
    /// What is read for all of `dimensions`; none when `hourly` lacks one.
    pub(crate) fn of<'d>(dimensions: impl IntoIterator<Item = &'d Dimension>) -> Option<Reads> {
        dimensions.into_iter().try_fold(Reads::default(), |reads, of| Some(reads.and(of.reads()?)))
    }

    /// The hours of UTC, or of the local clock.
    pub(crate) fn hour(is_local: bool) -> Reads {
        Reads { columns: ["time_logged"].into(), is_local, ..Reads::default() }
    }

    /// Both.
    pub(crate) fn and(mut self, other: Reads) -> Reads {
        self.columns.extend(other.columns);
        Reads { is_local: self.is_local || other.is_local, ..self }
    }
}

/// Whether `hourly` has the column of `records` called `name`, or is given it.
pub(crate) fn is_hourly(name: &str) -> bool {
    HOURLY.iter().any(|column| column.name == name) || REPLY_COLUMNS.contains(&name)
}

const fn column(name: &'static str, doc: &'static str) -> Dimension {
    Dimension { name, sql: name, doc, source: Source::Column }
}

const fn time(
    name: &'static str,
    source: Source,
    sql: &'static str,
    doc: &'static str,
) -> Dimension {
    Dimension { name, sql, doc, source }
}

/// All dimensions.
#[rustfmt::skip]
pub const DIMENSIONS: &[Dimension] = &[
    column("sender_domain", "domain of the envelope sender"),
    column("rcpt_domain", "domain of the recipient"),
    column("provider", "who runs the mailbox"),
    column("vmta", "VirtualMTA"),
    column("vmta_pool", "pool of the VirtualMTA"),
    column("dlv_source_ip", "our address that delivered"),
    column("dlv_destination_ip", "address of the receiver"),
    column("mx", "mail server of the receiver"),
    column("job_id", "job"),
    column("env_id", "envelope identifier"),
    column("queue", "queue, as domain/vmta"),
    column("rec", "record type"),
    column("bounce_cat", "bounce category"),
    column("bounce_class", "hard, soft, block, undetermined or administrative"),
    column("bounce_origin", "who ended it: receiver, pmta-after-reply (expired, bounce-queue), pmta or operator"),
    Dimension { name: "smtp_code", sql: "smtp_code::varchar", doc: "reply code, such as 550", source: Source::Column },
    column("enhanced_code", "enhanced status code, such as 5.1.1"),
    column("template", "the reply with the variable parts masked"),
    column("reply_fault", "whose fault the reply says it is: mailbox, domain, sender, ip, content, policy, receiver or own"),
    column("mailbox_dead", "whether the mailbox is dead, by what the reply to it says and by its code: yes or no"),
    column("reply_family", "the provider's own code in the reply, such as TSS04 or S3140"),
    column("dlv_tls_protocol", "TLS protocol of the delivery"),
    column("dlv_tls_cipher", "TLS cipher of the delivery"),
    column("host", "which MTA wrote the record"),
    column("src_type", "how the message came in"),
    column("user_string", "text of the directive user-string"),
    column("format", "format of a report that came back"),
    column("source", "accounting file"),
    time("day", Source::LocalHour, "strftime(local(time_logged), '%Y-%m-%d')", "day of the local clock"),
    time("hour", Source::LocalHour, "strftime(local(time_logged), '%Y-%m-%d %H:00') || told_apart(time_logged)", "hour of the local clock"),
    time("minute5", Source::LocalMinute, "strftime(time_bucket(interval 5 minute, local(time_logged)), '%Y-%m-%d %H:%M') || told_apart(time_logged)", "five minutes of the local clock"),
    time("hour_of_day", Source::LocalHour, "strftime(local(time_logged), '%H')", "hour of any day"),
    time("weekday", Source::LocalHour, "strftime(local(time_logged), '%a')", "day of any week"),
];

/// Short names that no filter has, with the dimension meant.
const ALIASES: &[(&str, &str)] =
    &[("class", "bounce_class"), ("enhanced", "enhanced_code"), ("origin", "bounce_origin")];

/// The dimension called `name`, also by its short name.
///
/// # Errors
/// [`Error::Unknown`] with the nearest name.
pub fn dimension(name: &str) -> Result<&'static Dimension> {
    let wanted = &*name.replace('-', "_");
    let filters = FILTERS.iter().map(|filter| (filter.name, filter.dimension));
    let mut aliases = filters.chain(ALIASES.iter().copied());
    let full = aliases.find(|(alias, _)| *alias == wanted).map_or(wanted, |(_, full)| full);
    if name.contains(',') {
        let nearest = Some(format!("pmtaq pivot --rows {name}"));
        return Err(Error::Unknown { what: "dimension", name: name.to_owned(), nearest });
    }
    if full == CODE {
        // The filter of this name takes both; a group has one value.
        let nearest = Some("enhanced_code` or `smtp_code".to_owned());
        return Err(Error::Unknown { what: "dimension", name: name.to_owned(), nearest });
    }
    let found = DIMENSIONS.iter().find(|dimension| dimension.name == full);
    let found = found.or_else(|| fields::named(name));
    let known = || DIMENSIONS.iter().copied().chain(fields::site_dimensions().into_iter().copied());
    found.ok_or_else(|| Error::unknown("dimension", name, known().map(|known| known.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_and_a_hyphen_are_as_good_as_the_name() {
        assert_eq!(dimension("sender-domain").expect("known").name, "sender_domain");
        assert_eq!(dimension("job").expect("an alias").name, "job_id");
        let unknown = dimension("nonsense").map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(
            unknown,
            Err("there is no dimension `nonsense`; `pmtaq dimensions` lists them".into())
        );
    }
    #[test]
    fn a_code_is_two_dimensions_and_one_filter() {
        let two = dimension("code").expect_err("two of them").to_string();
        assert_eq!(
            two,
            "there is no dimension `code`; did you mean `enhanced_code` or `smtp_code`?"
        );
    }

    #[test]
    fn every_filter_compares_a_dimension() {
        for filter in FILTERS {
            let known = DIMENSIONS.iter().any(|dimension| dimension.name == filter.dimension);
            assert!(known || filter.dimension == CODE, "{}", filter.name);
        }
    }
}
