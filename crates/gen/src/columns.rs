//! Which fields there are, in which order, and which record types have them. Knows no values.

use crate::message::Rec;

/// How many fields the header line has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// 15: what bounces and queues are judged by.
    Narrow,
    /// 25: nearly those that PowerMTA logs by default, with two headers and the name of the MTA.
    Usual,
    /// 40: all of all record types, with the same two headers.
    Wide,
}

const HEADERS_OF_MANY: [&str; 2] = ["header_Message-Id", "header_X-Tenant"];
const USUAL: [&str; 25] = [
    "type",
    "timeLogged",
    "timeQueued",
    "orig",
    "rcpt",
    "dsnAction",
    "dsnStatus",
    "dsnDiag",
    "dsnMta",
    "bounceCat",
    "srcType",
    "srcMta",
    "dlvSourceIp",
    "dlvDestinationIp",
    "dlvEsmtpAvailable",
    "dlvSize",
    "vmta",
    "jobId",
    "envId",
    "queue",
    "vmtaPool",
    "header_Message-Id",
    "header_X-Tenant",
    "userString",
    "envid",
];
const NARROW: [&str; 15] = [
    "type",
    "timeLogged",
    "timeQueued",
    "orig",
    "rcpt",
    "dsnStatus",
    "dsnDiag",
    "dsnMta",
    "bounceCat",
    "dlvSourceIp",
    "vmta",
    "jobId",
    "envId",
    "queue",
    "userString",
];

/// The columns of files that hold the record types `recs`, a set of bits.
pub(crate) struct Columns(Vec<(&'static str, Field, u8)>);

impl Columns {
    pub(crate) fn of(recs: u8, header: Option<Header>) -> Columns {
        let is_asked_for = |name: &str| match header {
            None => !HEADERS_OF_MANY.contains(&name),
            Some(Header::Wide) => name != "header_X-Campaign",
            Some(Header::Usual) => USUAL.contains(&name),
            Some(Header::Narrow) => NARROW.contains(&name),
        };
        let columns = COLUMNS.iter().filter(|column| column.2 & recs != 0);
        Columns(columns.filter(|column| is_asked_for(column.0)).copied().collect())
    }

    /// The fields in order, each with whether records of this type have it.
    pub(crate) fn fields(&self, rec: Rec) -> impl Iterator<Item = (Field, bool)> {
        self.0.iter().map(move |(_, field, recs)| (*field, recs & rec.bit() != 0))
    }

    /// The header line.
    pub(crate) fn header(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|column| column.0).collect();
        names.join(",") + "\r\n"
    }
}

const D: u8 = Rec::D.bit();
const R: u8 = Rec::R.bit();
const TQ: u8 = Rec::Tq.bit();
pub(crate) const RB: u8 = Rec::Rb.bit();
pub(crate) const RS: u8 = Rec::Rs.bit();
const F: u8 = Rec::F.bit();
/// Attempts for one recipient.
pub(crate) const TRY: u8 = D | Rec::B.bit() | Rec::T.bit();
const ALL: u8 = u8::MAX;

/// The fields in the order of the header, each with the record types that have it (PowerMTA
/// User's Guide, sections 11.2.2 to 11.2.8).
const COLUMNS: &[(&str, Field, u8)] = &[
    ("type", Field::Type, ALL),
    ("timeLogged", Field::TimeLogged, ALL),
    ("timeQueued", Field::TimeQueued, TRY),
    ("orig", Field::Orig, ALL & !TQ),
    ("rcpt", Field::Rcpt, ALL & !TQ),
    ("orcpt", Field::Orcpt, TRY | R | RB | RS),
    ("dsnAction", Field::DsnAction, TRY | RS),
    ("dsnStatus", Field::DsnStatus, TRY | TQ | RB | RS),
    ("dsnDiag", Field::DsnDiag, TRY | TQ | RB | RS),
    ("dsnMta", Field::DsnMta, TRY | TQ | RB | RS),
    ("bounceCat", Field::BounceCat, TRY | RB),
    ("srcType", Field::SrcType, TRY | R | RB | RS),
    ("srcMta", Field::SrcMta, TRY | R | RB | RS),
    ("dlvType", Field::DlvType, TRY | TQ),
    ("dlvSourceIp", Field::DlvSourceIp, TRY | TQ | F),
    ("dlvDestinationIp", Field::DlvDestinationIp, TRY | TQ),
    ("dlvEsmtpAvailable", Field::DlvEsmtpAvailable, TRY),
    ("dlvSize", Field::DlvSize, D),
    ("vmta", Field::Vmta, TRY | TQ | R),
    ("jobId", Field::JobId, TRY | R),
    ("envId", Field::EnvId, TRY | R | RB | RS),
    ("queue", Field::Queue, TRY | TQ),
    ("vmtaPool", Field::VmtaPool, TRY | R),
    ("header_X-Campaign", Field::Campaign, TRY | R | F),
    ("header_Message-Id", Field::MessageId, TRY | R | F),
    ("header_X-Tenant", Field::Tenant, TRY | R | F),
    ("userString", Field::UserString, ALL),
    ("dlvTlsProtocol", Field::DlvTlsProtocol, TRY),
    ("dlvTlsCipher", Field::DlvTlsCipher, TRY),
    ("totalSecondsQueued", Field::TotalSecondsQueued, TRY),
    ("rcvSourceIp", Field::RcvSourceIp, R),
    ("rcvDestinationIp", Field::RcvDestinationIp, R),
    ("rcvSmtpUser", Field::RcvSmtpUser, TRY | R),
    ("dsnReportingMta", Field::DsnReportingMta, RB),
    ("format", Field::Format, RB | RS | F),
    ("feedbackType", Field::FeedbackType, F),
    ("userAgent", Field::UserAgent, F),
    ("reportingMTA", Field::ReportingMta, F),
    ("reportedDomain", Field::ReportedDomain, F),
    ("repSourceIp", Field::RepSourceIp, F),
    // PowerMTA spells the field of complaints with a lower i.
    ("envid", Field::EnvId, F),
];

/// A field of an accounting file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field {
    Type,
    TimeLogged,
    TimeQueued,
    Orig,
    Rcpt,
    Orcpt,
    DsnAction,
    DsnStatus,
    DsnDiag,
    DsnMta,
    BounceCat,
    SrcType,
    SrcMta,
    DlvType,
    DlvSourceIp,
    DlvDestinationIp,
    DlvEsmtpAvailable,
    DlvSize,
    Vmta,
    JobId,
    EnvId,
    Queue,
    VmtaPool,
    Campaign,
    MessageId,
    Tenant,
    UserString,
    DlvTlsProtocol,
    DlvTlsCipher,
    TotalSecondsQueued,
    RcvSourceIp,
    RcvDestinationIp,
    RcvSmtpUser,
    DsnReportingMta,
    Format,
    FeedbackType,
    UserAgent,
    ReportingMta,
    ReportedDomain,
    RepSourceIp,
}
