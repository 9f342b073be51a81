//! What can be explained: each metric with the stages of the funnel that its number passes.
//! The definitions are those of `sql/prelude/metrics.sql`; here is how they come apart.

use pmtaq_schema::bounce::BounceClass;

use crate::kind::Kind;

/// A stage of the funnel: what enters it, what is counted at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Messages come in.
    Injection,
    /// They wait in our queue until they are tried for the first time.
    Queue,
    /// Messages that came in earlier are tried again, or at last.
    Carried,
    /// Receivers defer what is tried, and it waits for another attempt.
    Deferral,
    /// What is finished has bounced or is delivered.
    Bounce,
    /// Attempts are made.
    Attempts,
    /// A share of the attempts is deferred.
    Deferrals,
    /// Messages are delivered.
    Deliveries,
    /// A share of the deliveries is complained about.
    Complaints,
    /// A share of the deliveries is later than usual.
    Latency,
    /// A share of the deliveries is not encrypted, or not well.
    Encryption,
    /// More come into the queue than leave it.
    Waiting,
}

/// How a cause changes the leaves under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    /// By the same factor.
    Scale,
    /// A rise is the same share of what enters each leaf, whatever was usual there: a block or a
    /// throttle does not heed how many bounced before. A fall is a factor.
    Share,
}

pub(crate) const TRIED: &[Kind] = &[Kind::Delivered, Kind::Bounced, Kind::Aside, Kind::Held];
const FINISHED: &[Kind] = &[Kind::Delivered, Kind::Bounced, Kind::Aside];
const DELIVERED: &[Kind] = &[Kind::Delivered, Kind::Marked];
const ATTEMPTS: &[Kind] = &[Kind::Delivered, Kind::Bounced, Kind::Aside, Kind::Deferred];

impl Stage {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Injection => "injection",
            Stage::Queue => "queue",
            Stage::Carried => "carried",
            Stage::Deferral => "deferral",
            Stage::Bounce => "bounce",
            Stage::Attempts => "attempts",
            Stage::Deferrals => "deferrals",
            Stage::Deliveries => "deliveries",
            Stage::Complaints => "complaints",
            Stage::Latency => "latency",
            Stage::Encryption => "encryption",
            Stage::Waiting => "waiting",
        }
    }

    /// What enters; nothing for a stage that is compared with plain history.
    pub const fn input(self) -> &'static [Kind] {
        match self {
            Stage::Injection
            | Stage::Carried
            | Stage::Attempts
            | Stage::Deliveries
            | Stage::Waiting => &[],
            Stage::Latency | Stage::Encryption => DELIVERED,
            Stage::Queue => &[Kind::Injected],
            Stage::Deferral => TRIED,
            Stage::Bounce => FINISHED,
            Stage::Deferrals => ATTEMPTS,
            Stage::Complaints => &[Kind::Delivered],
        }
    }

    /// What its records say of; the queue is what of them is missing.
    pub const fn output(self) -> &'static [Kind] {
        match self {
            Stage::Injection => &[Kind::Injected],
            Stage::Queue | Stage::Carried => TRIED,
            Stage::Deferral => &[Kind::Held],
            Stage::Bounce => &[Kind::Bounced],
            Stage::Attempts => ATTEMPTS,
            Stage::Deferrals => &[Kind::Deferred],
            Stage::Deliveries => &[Kind::Delivered],
            Stage::Complaints => &[Kind::Complained],
            Stage::Latency | Stage::Encryption => &[Kind::Marked],
            Stage::Waiting => &[Kind::Waiting],
        }
    }

    pub(crate) const fn model(self) -> Model {
        if self.is_volume() { Model::Scale } else { Model::Share }
    }

    /// Whether the records that are counted have a bounce category.
    pub(crate) const fn has_categories(self) -> bool {
        matches!(self, Stage::Deferral | Stage::Bounce | Stage::Deferrals)
    }

    /// Whether it is compared with plain history, since nothing enters it.
    pub const fn is_volume(self) -> bool {
        self.input().is_empty()
    }

    /// The dimensions that the records of its input and its output share.
    pub(crate) const fn dims(self) -> &'static [&'static str] {
        match self {
            // An `r` record knows no address, and often only the pool.
            Stage::Injection | Stage::Queue | Stage::Waiting => {
                &["provider", "sender_domain", "vmta_pool", "vmta", "job_id"]
            }
            Stage::Carried => &["provider", "sender_domain", "vmta_pool", "vmta"],
            _ => &["provider", "sender_domain", "vmta_pool", "vmta", "dlv_source_ip", "job_id"],
        }
    }
}

/// A metric that can be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name, as in `pmtaq metrics`.
    pub name: &'static str,
    /// What it counts; for a rate, what stands above the line.
    pub counted: &'static [Kind],
    /// Remote bounces are counted too (1), taken off (-1) or have no part (0).
    pub remote: i8,
    /// The class of the bounces that count; none for all.
    pub class: Option<BounceClass>,
    /// What stands below the line; empty for a volume.
    pub of: &'static [Kind],
    /// Whether it is a hundred less what is counted, such as the accepted share.
    pub rest: bool,
    /// The stages that it passes, in order.
    pub stages: &'static [Stage],
    /// Which deliveries are [`Kind::Marked`].
    pub mark: Option<Mark>,
}

/// Of which kind of deliveries a metric is the share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Those that took longer than the usual value of a time: a share beyond a limit can be
    /// explained like any rate, a quantile cannot.
    Later,
    /// Those in plain text.
    Plaintext,
    /// Those in plain text or by a protocol older than TLS 1.2.
    WeakTls,
}

const FUNNEL: &[Stage] =
    &[Stage::Injection, Stage::Queue, Stage::Carried, Stage::Deferral, Stage::Bounce];

const fn volume(name: &'static str, counted: &'static [Kind], stages: &'static [Stage]) -> Metric {
    Metric { name, counted, remote: 0, class: None, of: &[], rest: false, stages, mark: None }
}

const fn marked(name: &'static str, stages: &'static [Stage], mark: Mark) -> Metric {
    Metric { of: DELIVERED, mark: Some(mark), ..volume(name, &[Kind::Marked], stages) }
}

const fn bounces(name: &'static str, class: Option<BounceClass>) -> Metric {
    Metric { remote: 1, class, ..volume(name, &[Kind::Bounced], FUNNEL) }
}

const fn bounce_share(name: &'static str, class: Option<BounceClass>) -> Metric {
    Metric { of: FINISHED, stages: &[Stage::Bounce], ..bounces(name, class) }
}

impl Metric {
    /// All of them.
    #[rustfmt::skip]
    pub const ALL: &'static [Metric] = &[
        volume("injected", &[Kind::Injected], &[Stage::Injection]),
        volume("delivered", &[Kind::Delivered], FUNNEL),
        Metric { remote: -1, ..volume("accepted", &[Kind::Delivered], FUNNEL) },
        volume("sent", FINISHED, &[Stage::Injection, Stage::Queue, Stage::Carried, Stage::Deferral]),
        bounces("bounced", None),
        bounces("hard", Some(BounceClass::Hard)),
        bounces("soft", Some(BounceClass::Soft)),
        bounces("block", Some(BounceClass::Block)),
        bounces("undetermined", Some(BounceClass::Undetermined)),
        volume("deferred", &[Kind::Deferred], &[Stage::Attempts, Stage::Deferrals]),
        volume("complaints", &[Kind::Complained], &[Stage::Deliveries, Stage::Complaints]),
        Metric { rest: true, ..bounce_share("accepted_rate", None) },
        bounce_share("bounce_rate", None),
        bounce_share("hard_rate", Some(BounceClass::Hard)),
        bounce_share("soft_rate", Some(BounceClass::Soft)),
        bounce_share("block_rate", Some(BounceClass::Block)),
        bounce_share("undetermined_rate", Some(BounceClass::Undetermined)),
        Metric { of: ATTEMPTS, stages: &[Stage::Deferrals], ..volume("deferral_rate", &[Kind::Deferred], &[]) },
        Metric { of: &[Kind::Delivered], stages: &[Stage::Complaints], ..volume("complaint_rate", &[Kind::Complained], &[]) },
        marked("p50", &[Stage::Latency], Mark::Later),
        marked("p90", &[Stage::Latency], Mark::Later),
        marked("p95", &[Stage::Latency], Mark::Later),
        marked("p99", &[Stage::Latency], Mark::Later),
        Metric { rest: true, ..marked("tls_rate", &[Stage::Encryption], Mark::Plaintext) },
        marked("weak_tls", &[Stage::Encryption], Mark::WeakTls),
        volume("queue_depth", &[Kind::Waiting], &[Stage::Waiting]),
    ];

    /// Other names that people ask by.
    const ALIASES: &'static [(&'static str, &'static str)] =
        &[("latency", "p95"), ("queue", "queue_depth"), ("tls", "tls_rate")];

    /// The metric called `name`.
    pub fn named(name: &str) -> Option<&'static Metric> {
        let spelt = &*name.replace('-', "_");
        let aliases = Metric::ALIASES.iter().find(|(alias, _)| *alias == spelt);
        let spelt = aliases.map_or(spelt, |(_, name)| name);
        Metric::ALL.iter().find(|metric| metric.name == spelt)
    }

    /// Whether it is a share of something, in percent.
    pub const fn is_rate(&self) -> bool {
        !self.of.is_empty()
    }

    /// Whether it is about complaints.
    pub fn is_of_complaints(&self) -> bool {
        self.stages.contains(&Stage::Complaints)
    }

    /// Whether it counts who waits in the queue.
    pub fn is_of_the_queue(&self) -> bool {
        self.stages.contains(&Stage::Waiting)
    }

    /// Whether its stages follow single messages through the queue.
    pub fn follows_messages(&self) -> bool {
        self.stages.contains(&Stage::Injection)
    }
}
