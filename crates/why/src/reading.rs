//! What a cause looks like to a postmaster, by rule: from its dimensions, its stage and its
//! category. Judges, and does not count.

use pmtaq_schema::bounce::{BounceClass, bounce_class};

use crate::{Cause, Stage, is_group_of_jobs};

/// What a cause looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Messages came in fewer or more than usual.
    Injection,
    /// They wait in our own queue.
    Queue,
    /// A receiver judges our addresses.
    IpReputation,
    /// A receiver judges the sender domain, or its authentication fails.
    SenderDomain,
    /// One job, refused for what is in it.
    Content,
    /// One job, with addresses that do not exist.
    List,
    /// One job, for another reason.
    Job,
    /// A rule or a limit of the receiver.
    Limit,
    /// A receiver does not answer or has trouble of its own.
    ReceiverOutage,
    /// A receiver refuses, whoever sends.
    Receiver,
    /// Our network, resolver or host.
    OurSide,
    /// One job is complained about.
    ComplaintsOfJob,
    /// A sender is complained about.
    ComplaintsOfSender,
    /// Complaints, and neither a job nor a sender stands out.
    Complaints,
    /// Deliveries are encrypted worse, or not at all.
    Encryption,
    /// Less is refused than usual.
    Relief,
    /// No rule fits.
    Unclear,
}

/// Each reading with its name in JSON, and what to tell a postmaster.
const TEXTS: [(Reading, &str, &str); 17] = [
    (
        Reading::Injection,
        "injection",
        "injection volume changed, not deliverability: ask the sending application",
    ),
    (
        Reading::Queue,
        "queue",
        "our own queue: waits here untried; look at paused queues, max-msg-rate, connections, disk",
    ),
    (
        Reading::IpReputation,
        "ip-reputation",
        "IP reputation: this receiver judges these addresses, others are as usual",
    ),
    (
        Reading::SenderDomain,
        "sender-domain",
        "sender domain: its reputation or authentication (SPF, DKIM, DMARC)",
    ),
    (Reading::Content, "content", "content: this mail is refused for what is in it"),
    (Reading::List, "list", "list: mail to addresses that do not exist"),
    (Reading::Job, "job", "this job alone: content, list or sending rate"),
    (Reading::Limit, "limit", "a rule or a limit of the receiver: rate, greylisting, policy"),
    (
        Reading::ReceiverOutage,
        "receiver-outage",
        "receiver outage: it does not answer or has trouble of its own",
    ),
    (
        Reading::Receiver,
        "receiver",
        "this receiver, whoever sends: its policy, limits or an outage",
    ),
    (Reading::OurSide, "our-side", "our side: network, DNS or host, since it is not one receiver"),
    (
        Reading::ComplaintsOfJob,
        "complaints-of-job",
        "this job: whom it was sent to, how they had agreed, and how they unsubscribe",
    ),
    (
        Reading::ComplaintsOfSender,
        "complaints-of-sender",
        "this sender: how often it mails, to whom, and how they unsubscribe",
    ),
    (
        Reading::Complaints,
        "complaints",
        "more recipients than usual report this mail as spam; `pmtaq complaints --by job` has the jobs",
    ),
    (
        Reading::Encryption,
        "encryption",
        "encryption: what these servers offer, or our own TLS settings for them",
    ),
    (Reading::Relief, "relief", "improvement: fewer refusals than usual"),
    (Reading::Unclear, "unclear", "no known pattern; see the replies"),
];

impl Reading {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// What to tell a postmaster.
    pub fn text(self) -> &'static str {
        self.entry().2
    }

    fn entry(self) -> &'static (Reading, &'static str, &'static str) {
        TEXTS.iter().find(|(reading, ..)| *reading == self).expect("every reading has a text")
    }
}

/// Categories that speak of a connection, not of a message.
const CONNECTION: &[&str] =
    &["no-answer-from-host", "bad-connection", "routing-errors", "protocol-errors"];

/// The dimensions that a fault speaks of, as `reply_fault` has it.
pub(crate) fn dimensions_of(fault: Option<&str>) -> &'static [&'static str] {
    match fault {
        Some("ip") => &["vmta_pool", "vmta", "dlv_source_ip"],
        Some("sender") => &["sender_domain"],
        Some("content" | "mailbox") => &["job_id"],
        _ => &[],
    }
}

/// What a cause looks like; `fault` is what its replies say, where they are known, and `given` is
/// what was asked about.
pub(crate) fn read(cause: &Cause, fault: Option<&str>, given: &[(&str, &str)]) -> Reading {
    let named = |dim: &str| {
        let value = cause.values.iter().find(|(name, _)| name == dim).map(|(_, value)| value);
        let given = || given.iter().find(|(name, _)| *name == dim).map(|(_, value)| *value);
        value.and_then(Option::as_deref).or_else(given)
    };
    let is_job = named("job_id").is_some_and(|job| !is_group_of_jobs(job));
    let is_less = cause.now.1 < cause.expected;
    match cause.stage {
        Stage::Injection | Stage::Carried | Stage::Attempts | Stage::Deliveries => {
            return Reading::Injection;
        }
        Stage::Queue => return Reading::Queue,
        _ if is_less => return Reading::Relief,
        Stage::Complaints if is_job => return Reading::ComplaintsOfJob,
        Stage::Complaints if named("sender_domain").is_some() => {
            return Reading::ComplaintsOfSender;
        }
        Stage::Complaints => return Reading::Complaints,
        Stage::Encryption => return Reading::Encryption,
        Stage::Waiting if cause.moved.is_some_and(|moved| moved.is_by_what_came()) => {
            return Reading::Injection;
        }
        // Nobody said anything, so nobody else keeps it back.
        Stage::Waiting if fault.is_none() => return Reading::Queue,
        Stage::Latency if fault.is_none() && named("provider").is_none() => return Reading::Queue,
        Stage::Deferral | Stage::Bounce | Stage::Deferrals | Stage::Latency | Stage::Waiting => {}
    }
    let category = cause.categories.first().and_then(Option::as_deref).unwrap_or("");
    let is_connection = CONNECTION.contains(&category);
    // Where no connection is made to anyone it is no receiver that is down.
    let is_of_one = named("provider").is_some() || !is_connection;
    match fault {
        Some("ip") => return Reading::IpReputation,
        Some("sender") => return Reading::SenderDomain,
        Some("content") => return Reading::Content,
        Some("mailbox") => return Reading::List,
        Some("policy") if !is_job => return Reading::Limit,
        Some("receiver") if is_of_one => return Reading::ReceiverOutage,
        Some("own") => return Reading::OurSide,
        _ => {}
    }
    let is_address = ["dlv_source_ip", "vmta", "vmta_pool"].iter().any(|dim| named(dim).is_some());
    if is_job {
        return match (bounce_class(category), category) {
            (BounceClass::Hard, _) => Reading::List,
            (_, "spam-related" | "content-related" | "virus-related") => Reading::Content,
            _ => Reading::Job,
        };
    }
    match (is_address, named("provider").is_some(), named("sender_domain").is_some()) {
        (true, _, _) if is_connection => Reading::OurSide,
        (true, _, _) => Reading::IpReputation,
        (false, _, true) => Reading::SenderDomain,
        (false, true, false) if is_connection => Reading::ReceiverOutage,
        (false, true, false) => Reading::Receiver,
        (false, false, false) if is_connection => Reading::OurSide,
        (false, false, false) => Reading::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_fails_to_all_is_no_outage_of_a_receiver() {
        let of = |dimension: &str, category: &str, given: &[(&str, &str)]| {
            let cause = cause(Stage::Deferrals, dimension, category);
            read(&cause, Some("receiver"), given)
        };
        assert_eq!(of("vmta", "routing-errors", &[]), Reading::OurSide);
        assert_eq!(of("provider", "routing-errors", &[]), Reading::ReceiverOutage);
        let given = [("provider", "yahoo")];
        assert_eq!(of("vmta", "routing-errors", &given), Reading::ReceiverOutage);
        assert_eq!(of("vmta", "other", &[]), Reading::ReceiverOutage);
    }

    #[test]
    fn what_is_late_though_nobody_deferred_it_has_waited_here() {
        let of = |dimension: &str, fault| read(&cause(Stage::Latency, dimension, ""), fault, &[]);
        assert_eq!(of("vmta", None), Reading::Queue);
        assert_eq!(of("vmta", Some("ip")), Reading::IpReputation);
        assert_eq!(of("provider", None), Reading::Receiver);
    }

    fn cause(stage: Stage, dimension: &str, category: &str) -> Cause {
        Cause {
            stage,
            twins: Vec::new(),
            values: vec![(dimension.to_owned(), Some("one".to_owned()))],
            categories: vec![Some(category.to_owned())],
            implied: Vec::new(),
            effect: 10.0,
            share: 100.0,
            now: (100.0, 90.0),
            usual: (100.0, 1.0),
            expected: 1.0,
            z: 9.0,
            scopes: Vec::new(),
            moved: None,
            reading: Reading::Unclear,
        }
    }
}
