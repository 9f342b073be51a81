//! The one table of all columns of `records`. Header mapping, Arrow and Parquet types, views,
//! completion and `docs/columns.md` come from it; nothing about a column is said elsewhere.
//!
//! To add a column, add one entry here (and, if it is derived, one line where rows are built).

use crate::record::{Record, Records};

/// One column of `records`.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Name in SQL: PMTA's own name in snake case, or a name PMTA never uses for a derived one.
    pub name: &'static str,
    /// PMTA's spellings of the field, the usual one first; empty for a derived column.
    pub fields: &'static [&'static str],
    /// What the values are.
    pub kind: Kind,
    /// The record types that can fill it.
    pub records: Records,
    /// Meaning, with the unit of every number.
    pub doc: &'static str,
}

/// What the values of a column are; decides Arrow type and Parquet encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text of which nearly every row has its own; stored plain.
    Text,
    /// Text of few distinct values; stored by dictionary.
    Name,
    /// Whole number, 64 bits.
    Int,
    /// UTC time without zone, in milliseconds.
    Time,
    /// Hash, 64 bits without a sign, of which nearly every row has its own; stored plain.
    Hash,
    /// Map of field name to text, for fields that this table does not know.
    Map,
    /// Map of a number to how often it came.
    Counts,
}

impl Kind {
    /// Whether the values are text.
    pub const fn is_text(self) -> bool {
        matches!(self, Kind::Text | Kind::Name)
    }
}

impl Column {
    /// Whether pmtaq computes the column, instead of copying a field.
    pub const fn is_derived(&self) -> bool {
        self.fields.is_empty()
    }

    /// The position in [`COLUMNS`] of the column called `name`.
    pub fn index(name: &str) -> Option<usize> {
        COLUMNS.iter().position(|column| column.name == name)
    }

    /// The position in [`COLUMNS`] of the column that the header calls `field`, in any case.
    pub fn of_field(field: &str) -> Option<usize> {
        let is_it = |name: &str| name.eq_ignore_ascii_case(field);
        let names = |c: &Column| c.fields.iter().any(|name| is_it(name));
        // As the column is called here, too: so other tools spell names.
        let renamed = |c: &Column| !c.is_derived() && is_it(c.name);
        COLUMNS.iter().position(|c| names(c) || renamed(c))
    }
}

/// The position of a column that must exist; for constants, so that a typo does not compile.
pub const fn index_of(name: &str) -> usize {
    let mut i = 0;
    while i < COLUMNS.len() {
        if same(COLUMNS[i].name, name) {
            return i;
        }
        i += 1;
    }
    panic!("no such column")
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

use Kind::{Counts, Hash, Int, Map, Name, Text, Time};
use Record::{
    Bounce, Deferral, Delivery, Feedback, QueueDeferral, Reception, RemoteBounce, RemoteStatus,
};

const ALL: Records = Records::ALL;
const ATTEMPT: Records = Records::of(&[Delivery, Bounce, Deferral]);
const ATTEMPT_TQ: Records = Records::of(&[Delivery, Bounce, Deferral, QueueDeferral]);
const ATTEMPT_R: Records = Records::of(&[Delivery, Bounce, Deferral, Reception]);
const ADDRESSED: Records =
    Records::of(&[Delivery, Bounce, Deferral, Reception, RemoteBounce, RemoteStatus, Feedback]);
const DSN: Records =
    Records::of(&[Delivery, Bounce, Deferral, QueueDeferral, RemoteBounce, RemoteStatus]);
const F: Records = Records::of(&[Feedback]);
const D: Records = Records::of(&[Delivery]);

const fn field(
    name: &'static str,
    fields: &'static [&'static str],
    kind: Kind,
    records: Records,
    doc: &'static str,
) -> Column {
    Column { name, fields, kind, records, doc }
}

const fn derived(name: &'static str, kind: Kind, records: Records, doc: &'static str) -> Column {
    Column { name, fields: &[], kind, records, doc }
}

/// All columns, in the order in which they are stored and shown.
#[rustfmt::skip]
pub const COLUMNS: &[Column] = &[
    field("time_logged", &["timeLogged"], Time, ALL, "When the record was logged: for `d` the delivery, for `b` the bounce, for `t` the attempt. UTC; its day is the partition."),
    derived("rec", Name, ALL, "Record type: d, b, t, tq, r, rb, rs or f."),
    derived("host", Name, ALL, "Which MTA wrote the record: `--host`, else `userString`, else the name of the machine that ingested it."),
    derived("sender_domain", Name, ADDRESSED, "Domain of `orig` in lower case, as A-label; null for the null sender `<>`."),
    derived("rcpt_domain", Name, ADDRESSED, "Domain of `rcpt` in lower case, as A-label."),
    derived("provider", Name, DSN, "Who runs the mailbox: from the rollup queue, the MX host or the recipient domain, by the provider table."),
    derived("smtp_code", Int, DSN, "SMTP reply code of the receiver (RFC 5321), such as 550; null when no receiver replied."),
    derived("enhanced_code", Name, DSN, "Enhanced status code (RFC 3463), such as 5.1.1: from the reply, else from `dsn_status`."),
    derived("template", Name, DSN, "The reply with the variable parts masked: `{ip}`, `{email}`, `{host}`, `{id}`, `{time}`, `{n}`."),
    derived("bounce_class", Name, Records::of(&[Bounce, Deferral, RemoteBounce]), "hard, soft, block or undetermined, by `bounce_cat`; administrative where an operator ended it."),
    derived("bounce_origin", Name, Records::of(&[Bounce, Deferral, QueueDeferral, RemoteBounce]), "Who ended it, or put it off: receiver, pmta-after-reply, pmta or operator; null where no diagnostic is logged."),
    derived("mx", Name, DSN, "Host name in `dsn_mta`, in lower case: the receiver's mail server."),
    field("time_queued", &["timeQueued"], Time, ATTEMPT, "When the message was queued. UTC."),
    field("total_seconds_queued", &["totalSecondsQueued"], Int, ATTEMPT, "Time in the queue in seconds, as PMTA counted it."),
    field("time_first_attempt", &["timeFirstAttempt"], Time, ATTEMPT, "When delivery was first attempted. UTC."),
    field("time_imprinted", &["timeImprinted"], Time, ATTEMPT, "When the message was imprinted. UTC."),
    field("orig", &["orig"], Text, ADDRESSED, "Envelope sender (RFC 5321 MAIL FROM), often VERP; not the From: header."),
    field("rcpt", &["rcpt"], Text, ADDRESSED, "Envelope recipient (RFC 5321 RCPT TO)."),
    field("orcpt", &["orcpt"], Text, Records::of(&[Delivery, Bounce, Deferral, Reception, RemoteBounce, RemoteStatus]), "Original recipient (RFC 3461 ORCPT)."),
    field("dsn_action", &["dsnAction"], Name, Records::of(&[Delivery, Bounce, Deferral, RemoteStatus]), "RFC 3464 action: relayed, delivered, failed, delayed or expanded."),
    field("dsn_status", &["dsnStatus"], Name, DSN, "RFC 3463 status with PMTA's phrase, such as `5.1.1 (bad destination mailbox address)`."),
    field("dsn_diag", &["dsnDiag"], Text, DSN, "Diagnostic (RFC 3464): the receiver's reply as `smtp;550 5.1.1 ...`, or our own as `x-pmta;...`."),
    field("dsn_mta", &["dsnMta"], Name, DSN, "Remote server as `host (ip)`."),
    field("dsn_reporting_mta", &["dsnReportingMta"], Name, Records::of(&[RemoteBounce]), "Server that reported a remote bounce (RFC 3464 Reporting-MTA)."),
    field("bounce_cat", &["bounceCat"], Name, Records::of(&[Delivery, Bounce, Deferral, RemoteBounce]), "Bounce category; PMTA's 17 and whatever the site has added."),
    field("src_type", &["srcType"], Name, ADDRESSED, "How the message came in: smtp, api, pickup, ..."),
    field("src_mta", &["srcMta"], Name, ADDRESSED, "Server that the message came from, as `host (ip)`."),
    field("rcv_source_ip", &["rcvSourceIp"], Name, Records::of(&[Reception]), "Address that the message came from."),
    field("rcv_destination_ip", &["rcvDestinationIp"], Name, Records::of(&[Reception]), "Our address that received the message."),
    field("rcv_smtp_user", &["rcvSmtpUser"], Name, ATTEMPT_R, "User that authenticated when the message was submitted."),
    field("dlv_type", &["dlvType"], Name, ATTEMPT_TQ, "How the message went out: smtp, pipe, file, discard."),
    field("dlv_source_ip", &["dlvSourceIp"], Name, Records::of(&[Delivery, Bounce, Deferral, QueueDeferral, Feedback]), "Our address that delivered; 0.0.0.0 when none was bound."),
    field("dlv_destination_ip", &["dlvDestinationIp"], Name, ATTEMPT_TQ, "Address of the receiver; null when none was reached."),
    field("dlv_esmtp_available", &["dlvEsmtpAvailable"], Name, ATTEMPT, "ESMTP extensions that the receiver offered, separated by commas."),
    field("dlv_size", &["dlvSize"], Int, ATTEMPT, "Size of the delivered message in bytes."),
    field("dlv_tls_protocol", &["dlvTlsProtocol"], Name, ATTEMPT, "TLS protocol of the delivery; null for plaintext."),
    field("dlv_tls_cipher", &["dlvTlsCipher"], Name, ATTEMPT, "TLS cipher of the delivery."),
    field("vmta", &["vmta"], Name, Records::of(&[Delivery, Bounce, Deferral, QueueDeferral, Reception]), "VirtualMTA; in an `r` record it may be the name of a pool."),
    field("vmta_pool", &["vmtaPool"], Name, ATTEMPT_R, "Pool that the VirtualMTA was chosen from."),
    field("job_id", &["jobId"], Name, ATTEMPT_R, "Job of the message."),
    field("env_id", &["envId", "envid"], Text, ADDRESSED, "Envelope identifier (RFC 3461 ENVID)."),
    field("message_id", &["header_Message-Id"], Text, Records::of(&[Delivery, Bounce, Deferral, Reception, Feedback]), "Header Message-Id (RFC 5322), with its angle brackets, where `header_Message-Id` is logged."),
    field("queue", &["queue"], Name, ATTEMPT_TQ, "Queue as `domain/vmta`, or a rollup as `yahoo.rollup/vmta`."),
    field("user_string", &["userString"], Name, ALL, "Text that the `user-string` directive set, often the name of the MTA."),
    field("format", &["format"], Name, Records::of(&[RemoteBounce, RemoteStatus, Feedback]), "Format of the report that came back: dsn, qmail, mxl, arf, jmrp, ..."),
    field("rep_source_ip", &["repSourceIp"], Name, F, "Address that the complaint came from."),
    field("feedback_type", &["feedbackType"], Name, F, "Kind of complaint (RFC 5965 Feedback-Type), such as abuse."),
    field("user_agent", &["userAgent"], Name, F, "Software that made the complaint report (RFC 5965 User-Agent)."),
    field("reporting_mta", &["reportingMTA"], Name, F, "Server that reported the complaint (RFC 5965 Reporting-MTA)."),
    field("reported_domain", &["reportedDomain"], Name, F, "Domain that the complaint is about (RFC 5965 Reported-Domain)."),
    derived("extra", Map, ALL, "Every field that this table does not know, under PMTA's own name: `header_...`, `arf_...` and newer ones."),
    derived("source", Name, ALL, "Name of the accounting file that the record came from."),
    derived("message_key", Hash, ALL, "The same number in all records of one recipient of one message: a hash of `rcpt` in lower case in its upper 32 bits, of `env_id`, else of `orig`, in its lower ones."),
];

/// The columns of names by which records are sorted within a row group, the first of them first, then
/// message by message: alike values side by side compress better, and are found and counted together.
pub const SORTED_BY: [usize; 2] = [index_of("sender_domain"), index_of("rcpt_domain")];

/// The columns of the table `rejects`: the lines that were refused, each with its reason.
#[rustfmt::skip]
pub const REJECTS: &[Column] = &[
    derived("ingested_at", Time, ALL, "When the line was refused. UTC; its day is the partition."),
    derived("source", Name, ALL, "Path of the accounting file."),
    derived("host", Name, ALL, "Which MTA wrote the file."),
    derived("line", Int, ALL, "Line number in the file, decompressed, counted from 1: the code to give an editor."),
    derived("byte_offset", Int, ALL, "Where the line begins in the file, decompressed, in bytes."),
    derived("size_bytes", Int, ALL, "Length of the line in bytes."),
    derived("field", Name, ALL, "Field that was the reason, under PMTA's name; null when it was the whole line."),
    derived("value", Text, ALL, "Value of that field, shortened."),
    derived("reason", Name, ALL, "Why the line was refused."),
    derived("raw", Text, ALL, "The line as it stands, up to 64 KiB."),
];

/// The column that the tables have besides those of their parts, and what it is.
pub const DATE: (&str, &str) = (
    "date",
    "UTC day of `time_logged`, by which the files lie in folders; `hourly` and `rejects` have it too.",
);

/// What is known of a reply ([`crate::explain`]), by the names that its columns have in SQL. No part
/// has them: they are looked up by `template` when a statement names them.
pub const REPLY_COLUMNS: [&str; 3] = ["reply_fault", "mailbox_dead", "reply_family"];

/// A rollup of `hourly`: its rows of a day added up, without some of its names. It has the columns of
/// [`HOURLY`], of which those names are null, and `hour` is the begin of the day.
#[derive(Clone, Copy, Debug)]
pub struct Tier {
    /// Name of the table.
    pub name: &'static str,
    /// The columns of [`HOURLY`] that it does not tell apart.
    pub without: &'static [&'static str],
}

/// The rollups of `hourly`. Measured on a sender's ten million records a week, of which `hourly` has 7.7
/// million rows: 0.6 and 1.1 million are left. Who sends is told apart without what is replied, whose texts
/// double the rows; to whom, with it, since a domain's replies are few. A job is of one sender, most often, and
/// adds two fifths to the rows of the first.
pub const TIERS: [Tier; 2] = [
    Tier {
        name: "daily_senders",
        without: &["rcpt_domain", "provider", "enhanced_code", "template", "site_dimensions"],
    },
    Tier {
        name: "daily_domains",
        without: &[
            "sender_domain",
            "vmta",
            "vmta_pool",
            "dlv_source_ip",
            "job_id",
            "site_dimensions",
        ],
    },
];

/// The column of [`HOURLY`] that no record has: see [`crate::site`].
pub const SITE_DIMENSIONS: &str = "site_dimensions";

/// The columns of the table `hourly`: records counted by hour and by what they share. A column that
/// `records` has too is a dimension, under the same name and with the same values; rows that share
/// all dimensions may be added up, and a reader must do so, since each ingest adds rows of its own.
#[rustfmt::skip]
pub const HOURLY: &[Column] = &[
    derived("hour", Time, ALL, "Begin of the hour of `time_logged`. UTC; its day is the partition."),
    derived("rec", Name, ALL, "Record type."),
    derived("host", Name, ALL, "Which MTA wrote the records."),
    derived("sender_domain", Name, ADDRESSED, "Domain of the envelope sender."),
    derived("rcpt_domain", Name, ADDRESSED, "Domain of the recipients."),
    derived("provider", Name, DSN, "Who runs the mailboxes."),
    derived("vmta", Name, ALL, "VirtualMTA."),
    derived("vmta_pool", Name, ATTEMPT_R, "Pool of the VirtualMTA."),
    derived("dlv_source_ip", Name, ATTEMPT_TQ, "Our address that delivered."),
    derived("job_id", Name, ATTEMPT_R, "Job."),
    derived("bounce_cat", Name, DSN, "Bounce category."),
    derived("bounce_class", Name, DSN, "hard, soft, block, undetermined or administrative."),
    derived("bounce_origin", Name, DSN, "Who ended a bounce, or put a deferral off."),
    derived("smtp_code", Int, DSN, "SMTP reply code of the receiver."),
    derived("enhanced_code", Name, DSN, "Enhanced status code (RFC 3463)."),
    derived("template", Name, DSN, "The reply with the variable parts masked."),
    derived("dlv_tls_protocol", Name, ATTEMPT, "TLS protocol; null for plaintext."),
    derived("src_type", Name, ADDRESSED, "How the messages came in."),
    derived("format", Name, F, "Format of the reports that came back."),
    derived("site_dimensions", Name, ALL, "Dimensions of the site that are kept here, as `brand=acme&campaign=77`: all but letters, digits and `-_.~` escaped as in a URL."),
    derived("reached", Int, ATTEMPT_TQ, "Code of whether a receiver was reached, as `dlv_destination_ip` says, or else `dsn_mta` where no `bounce_origin` does: 1 or 0."),
    derived("records", Int, ALL, "How many records: a count."),
    derived("bytes", Int, ATTEMPT, "Sum of `dlv_size` in bytes."),
    derived("latency_sum", Int, D, "Sum of the seconds from queueing to delivery, of `d` records that have both times."),
    derived("latency_max", Int, D, "The most seconds from queueing to delivery; null without any."),
    derived("latencies", Counts, D, "Seconds from queueing to delivery, to how many `d` records took so long: exact below 128 seconds, above rounded by less than a hundredth."),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// PMTA's camel case as snake case: `dlvSourceIp` gives `dlv_source_ip`.
    fn snake(field: &str) -> String {
        let mut out = String::new();
        let mut after_lower = false;
        for c in field.chars() {
            if c.is_ascii_uppercase() && after_lower {
                out.push('_');
            }
            after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
            out.push(c.to_ascii_lowercase());
        }
        out
    }

    #[test]
    fn names_are_unique() {
        for (i, column) in COLUMNS.iter().enumerate() {
            assert_eq!(Column::index(column.name), Some(i), "{}", column.name);
        }
    }

    #[test]
    fn a_copied_column_is_named_as_pmta_names_it() {
        for column in COLUMNS.iter().filter(|column| !column.is_derived()) {
            let field = column.fields[0];
            // Of a header of the message only what comes behind `header_` is its name.
            let header = field.strip_prefix("header_").map(|name| name.replace('-', ""));
            assert_eq!(column.name, snake(header.as_deref().unwrap_or(field)));
        }
    }

    #[test]
    fn a_header_is_found_in_any_case_and_spelling() {
        assert_eq!(Column::of_field("timelogged"), Column::index("time_logged"));
        assert_eq!(Column::of_field("envid"), Column::index("env_id"));
        assert_eq!(Column::of_field("Dsn_Diag"), Column::index("dsn_diag"));
        assert_eq!(Column::of_field("header_Subject"), None);
        assert_eq!(Column::of_field("rec"), None);
    }

    #[test]
    fn a_dimension_of_the_rollup_is_a_column_of_the_records() {
        let measures = ["records", "bytes", "latency_sum", "latency_max", "latencies"];
        let made = ["hour", "reached", "site_dimensions"];
        for column in HOURLY.iter().filter(|column| !made.contains(&column.name)) {
            let of_records = COLUMNS.iter().find(|other| other.name == column.name);
            assert_eq!(of_records.is_none(), measures.contains(&column.name), "{}", column.name);
            assert!(of_records.is_none_or(|other| other.kind == column.kind), "{}", column.name);
        }
    }

    #[test]
    fn a_tier_leaves_out_names_of_the_rollup() {
        for tier in TIERS {
            let names = HOURLY.iter().filter(|column| column.kind == Kind::Name);
            let left_out = names.filter(|column| tier.without.contains(&column.name)).count();
            assert_eq!(left_out, tier.without.len(), "{}", tier.name);
        }
    }

    #[test]
    fn every_number_has_a_unit_and_every_column_a_sentence() {
        for column in COLUMNS {
            assert!(column.doc.len() > 15, "{}", column.name);
            match column.kind {
                Kind::Int => assert!(
                    ["seconds", "bytes", "code"].iter().any(|unit| column.doc.contains(unit)),
                    "{}",
                    column.name
                ),
                Kind::Time => assert!(column.doc.contains("UTC"), "{}", column.name),
                Kind::Text | Kind::Name | Kind::Hash | Kind::Map | Kind::Counts => {}
            }
            assert!(column.records.iter().count() > 0);
        }
    }
}
