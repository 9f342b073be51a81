//! Which fields there are, in which order, and which record types have them. Knows no values.

use crate::message::Rec;

/// The columns of files that hold the record types `recs`, a set of bits.
pub(crate) struct Columns(Vec<(&'static str, Field, u8)>);

impl Columns {
    pub(crate) fn of(recs: u8) -> Columns {
        Columns(COLUMNS.iter().filter(|column| column.2 & recs != 0).copied().collect())
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
