//! Who ended a message, or put it off: the receiver, PMTA after what a receiver had said or by itself, the
//! operator. Reads what a diagnostic says; counts nothing.

use crate::record::Record;
use crate::reply::{Reply, is_of_pmta};

/// Who ended the message of a bounce, or put off that of a deferral.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BounceOrigin {
    /// The receiver: its reply, which of a bounce is a permanent one, also one that a `bounce-rcpt` of the
    /// configuration quotes, or a report that came back.
    Receiver,
    /// PMTA, with a reply behind it: the last of a message that expired, or for which a `bounce-rcpt` of the
    /// configuration gave it up (4xx); or any that a `bounce-queue` quotes, which was to another message of
    /// its queue, so that it does not say whether this mailbox is dead.
    AfterReply,
    /// PMTA, without one: no route, no answer, DNS, an `[internal]` error.
    Pmta,
    /// The operator: deleted, or its queue flushed.
    Operator,
}

impl BounceOrigin {
    /// All of them.
    pub const ALL: [BounceOrigin; 4] = [
        BounceOrigin::Receiver,
        BounceOrigin::AfterReply,
        BounceOrigin::Pmta,
        BounceOrigin::Operator,
    ];

    /// The value of the column `bounce_origin`.
    pub const fn as_str(self) -> &'static str {
        match self {
            BounceOrigin::Receiver => "receiver",
            BounceOrigin::AfterReply => "pmta-after-reply",
            BounceOrigin::Pmta => "pmta",
            BounceOrigin::Operator => "operator",
        }
    }

    /// Meaning.
    pub const fn doc(self) -> &'static str {
        match self {
            BounceOrigin::Receiver => {
                "the receiver: a permanent reply, also one that `bounce-rcpt` quotes, or a report that came back"
            }
            BounceOrigin::AfterReply => {
                "PMTA, after a reply: a message that expired or met a `bounce-rcpt` after a 4xx, or a queue \
                 that met a `bounce-queue`, after any reply to one of its messages"
            }
            BounceOrigin::Pmta => {
                "PMTA, without a reply: no route, no answer, DNS, an `[internal]` error"
            }
            BounceOrigin::Operator => "the operator: deleted, or its queue flushed; in no rate",
        }
    }

    /// Who ended or put off the message of a record with this diagnostic; none of records that report
    /// neither, and where the diagnostic is of no known kind. An empty one is PMTA's own: it writes none
    /// where nobody replied, and `dsn_status` may say what an operator did.
    pub fn of(
        record: Record,
        dsn_diag: &str,
        dsn_status: &str,
        reply: &Reply<'_>,
    ) -> Option<BounceOrigin> {
        match record {
            Record::RemoteBounce => return Some(BounceOrigin::Receiver),
            Record::Bounce | Record::Deferral | Record::QueueDeferral => {}
            _ => return None,
        }
        let of_pmta = is_of_pmta(reply.diag_type);
        let internal = reply.text.strip_prefix(INTERNAL);
        // What a bounce names as its last word is a permanent reply, or PMTA gave it up.
        let least = if record == Record::Bounce { 500 } else { 400 };
        Some(match (reply.smtp_code, internal) {
            (None, None) if of_pmta && is_operators(reply.text) => BounceOrigin::Operator,
            _ if dsn_diag.is_empty() && is_operators(dsn_status) => BounceOrigin::Operator,
            (_, Some(said)) if is_operators(said) => BounceOrigin::Operator,
            (_, Some(_)) => BounceOrigin::Pmta,
            (Some(500..), None) if of_pmta && is_for_one(dsn_diag) => BounceOrigin::Receiver,
            (Some(_), None) if of_pmta => BounceOrigin::AfterReply,
            (Some(code), None) if code >= least => BounceOrigin::Receiver,
            (Some(code), None) if code >= 400 => BounceOrigin::AfterReply,
            _ if of_pmta || dsn_diag.is_empty() => BounceOrigin::Pmta,
            _ if reply.diag_type.eq_ignore_ascii_case("smtp") => BounceOrigin::Receiver,
            _ => return None,
        })
    }
}

impl BounceOrigin {
    /// The same by what every version has kept of a diagnostic: the code and the template of its reply. The SQL of
    /// a reader of old parts says it in these words, too.
    pub fn of_kept(
        record: Record,
        smtp_code: Option<i64>,
        template: Option<&str>,
    ) -> Option<BounceOrigin> {
        match record {
            Record::RemoteBounce => return Some(BounceOrigin::Receiver),
            Record::Bounce | Record::Deferral | Record::QueueDeferral => {}
            _ => return None,
        }
        Some(match smtp_code {
            None if template.is_some_and(is_operators) => BounceOrigin::Operator,
            None => BounceOrigin::Pmta,
            Some(_) if template.is_some_and(|said| said.contains(INTERNAL)) => BounceOrigin::Pmta,
            Some(..500) if record == Record::Bounce => BounceOrigin::AfterReply,
            Some(_) => BounceOrigin::Receiver,
        })
    }
}

/// How PMTA marks what it says itself in the place of a reply.
pub const INTERNAL: &str = "[internal]";

/// The words by which PMTA tells what an operator did, as in `deleted by administrator`.
pub const OPERATORS_WORDS: [&str; 9] = [
    "manual",
    "deleted",
    "flushed",
    "removed",
    "purged",
    "canceled",
    "cancelled",
    "administrator",
    "operator",
];

/// Whether what PMTA quotes was replied to the recipient of the record itself: `x-pmta;bounce-rcpt;...`.
fn is_for_one(dsn_diag: &str) -> bool {
    dsn_diag.split(';').nth(1).is_some_and(|of| of.trim().eq_ignore_ascii_case("bounce-rcpt"))
}

fn is_operators(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    OPERATORS_WORDS.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(dsn_diag: &str) -> Option<&'static str> {
        let origin = BounceOrigin::of(Record::Bounce, dsn_diag, "", &Reply::parse(dsn_diag, ""));
        origin.map(BounceOrigin::as_str)
    }

    #[test]
    fn a_permanent_reply_is_the_receivers_word_and_a_transient_one_is_not() {
        assert_eq!(of("smtp;550 5.1.1 No such user"), Some("receiver"));
        assert_eq!(of("550 no such user"), Some("receiver"));
        assert_eq!(of("smtp;5501 odd"), Some("receiver"));
        assert_eq!(of("smtp;421 4.7.0 [TSS04] later"), Some("pmta-after-reply"));
        // A receiver may say so, too.
        assert_eq!(of("smtp;550 5.2.1 Mailbox deleted by administrator"), Some("receiver"));
    }

    #[test]
    fn what_pmta_says_itself_may_quote_a_reply() {
        assert_eq!(of("x-pmta;bounce-queue;reply:550 5.7.1 Blocked"), Some("pmta-after-reply"));
        assert_eq!(of("X-PMTA;bounce-rcpt;reply:451 4.7.1 x"), Some("pmta-after-reply"));
        // What was replied to this recipient, and not to another of its queue.
        assert_eq!(of("X-PMTA;bounce-rcpt;reply:550 5.1.1 x"), Some("receiver"));
        // The words of the receiver that it quotes are not the operator's.
        assert_eq!(of("x-pmta;bounce-queue;reply:550 Deleted"), Some("pmta-after-reply"));
        for own in [
            "",
            "x-pmta;bounce-queue",
            "x-pmta;no route",
            "smtp;451 4.4.1 [internal] no valid hosts",
        ] {
            assert_eq!(of(own), Some("pmta"), "{own}");
        }
    }

    #[test]
    fn an_operator_deletes_or_flushes() {
        for text in [
            "x-pmta;deleted by administrator",
            "x-pmta;Flushed",
            "x-pmta;queue purged by operator",
            "x-pmta;queue manually bounced",
            "smtp;550 5.0.0 [internal] deleted by administrator",
        ] {
            assert_eq!(of(text), Some("operator"), "{text}");
        }
        let of = |status| BounceOrigin::of(Record::Bounce, "", status, &Reply::parse("", status));
        assert_eq!(of("5.0.0 (deleted by administrator)"), Some(BounceOrigin::Operator));
        assert_eq!(of("5.4.7 (delivery time expired)"), Some(BounceOrigin::Pmta));
    }

    #[test]
    fn other_records_have_none_and_a_report_that_came_back_is_the_receivers() {
        let of = |record| BounceOrigin::of(record, "", "", &Reply::default());
        assert_eq!(of(Record::RemoteBounce), Some(BounceOrigin::Receiver));
        assert_eq!((of(Record::Delivery), of(Record::Reception)), (None, None));
    }

    #[test]
    fn a_transient_reply_puts_off_what_it_does_not_end() {
        let of = |text| BounceOrigin::of(Record::Deferral, text, "", &Reply::parse(text, ""));
        assert_eq!(of("smtp;421 4.7.0 later"), Some(BounceOrigin::Receiver));
        assert_eq!(of("smtp;451 [internal] queue is in backoff mode"), Some(BounceOrigin::Pmta));
        assert_eq!(of(""), Some(BounceOrigin::Pmta));
    }
}
