//! One record as a line of CSV, byte by byte. Knows spelling, not meaning.

use crate::clock::LocalTime;
use crate::columns::{Columns, Field, RB, RS, TRY};
use crate::incident::BAD_JOB;
use crate::message::{BAD_JOB_NUMBER, DAY_S, Event, FIRST_JOB, HOUR_S, Message, NO_JOB, Rec};
use crate::reply::ReplyFacts;
use crate::rng::{Rng, mix};
use crate::text::{hex, number, quoted, upper};
use crate::world::{Domain, Host, Operator, Sender, Verp, Vmta, World};

/// What a record has in `vmta`, by its number in the world.
pub(crate) enum SentBy {
    Vmta(u16),
    /// Receptions through the API name the pool.
    Pool(u16),
    Nobody,
}

pub(crate) fn sent_by(world: &World, event: &Event) -> SentBy {
    let vmta = event.message.vmta;
    match event.rec {
        Rec::R if world.senders[usize::from(event.message.sender)].is_api => {
            SentBy::Pool(world.vmtas[usize::from(vmta)].pool)
        }
        Rec::R | Rec::D | Rec::B | Rec::T | Rec::Tq => SentBy::Vmta(vmta),
        Rec::Rb | Rec::Rs | Rec::F => SentBy::Nobody,
    }
}

/// The number of the bounce category of a record; 0 is none.
pub(crate) fn category(world: &World, event: &Event) -> u16 {
    match (event.rec, event.reply) {
        (Rec::B | Rec::T | Rec::Rb, Some(reply)) => world.replies[usize::from(reply)].category,
        _ => 0,
    }
}

/// Writes records, with what does not vary between them.
pub(crate) struct Writer<'a> {
    world: &'a World,
    clock: &'a LocalTime,
    start: i64,
    hosts: &'a [String],
    rcpt: Vec<u8>,
    orig: Vec<u8>,
}

/// A record with all that its fields ask for.
struct Draft<'a> {
    event: Event,
    domain: &'a Domain,
    operator: &'a Operator,
    host: &'a Host,
    vmta: &'a Vmta,
    sender: &'a Sender,
    is_v6: bool,
    /// Whether a receiver answered.
    reached: bool,
    rng: Rng,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(
        world: &'a World,
        clock: &'a LocalTime,
        start: i64,
        hosts: &'a [String],
    ) -> Writer<'a> {
        Writer { world, clock, start, hosts, rcpt: Vec::new(), orig: Vec::new() }
    }

    /// Appends the line of `event`.
    pub(crate) fn line(&mut self, event: &Event, columns: &Columns, out: &mut Vec<u8>) {
        let world = self.world;
        let Event { message, rec, time, reply, .. } = *event;
        let domain = &world.domains[message.domain as usize];
        let mut rng = Rng::new(mix(message.key, (time as u64) << 8 | rec as u64));
        let host = &domain.hosts[rng.below(domain.hosts.len())];
        let reply = reply.map(|reply| &world.replies[usize::from(reply)]);
        let vmta = &world.vmtas[usize::from(message.vmta)];
        let line = Draft {
            event: *event,
            domain,
            operator: world.operator(message.domain),
            host,
            vmta,
            sender: &world.senders[usize::from(message.sender)],
            is_v6: host.ip6.is_some() && vmta.ip6.is_some() && message.key & 3 == 0,
            reached: reply.is_some_and(|reply| reply.from_receiver),
            rng,
        };
        self.addresses(&line);
        for (i, (field, is_there)) in columns.fields(rec).enumerate() {
            if i > 0 {
                out.push(b',');
            }
            if is_there {
                self.field(field, &line, out);
            }
        }
        out.extend_from_slice(b"\r\n");
    }

    fn field(&self, field: Field, line: &Draft<'_>, out: &mut Vec<u8>) {
        let Draft { event, domain, operator, host, vmta, sender, .. } = line;
        let Message { key, queued, .. } = event.message;
        let is_attempt = event.rec.bit() & TRY != 0;
        match field {
            Field::Type => put(event.rec.name(), out),
            Field::TimeLogged => self.clock.local(event.time, out),
            Field::TimeQueued => self.clock.local(queued, out),
            Field::TotalSecondsQueued => number((event.time - queued) as u64, out),
            Field::Orig => out.extend_from_slice(&self.orig),
            Field::Rcpt => out.extend_from_slice(&self.rcpt),
            Field::Orcpt if sender.verp != Verp::Plus => {
                put("rfc822;", out);
                out.extend_from_slice(&self.rcpt);
            }
            Field::DsnAction => put(
                match event.rec {
                    Rec::D => "relayed",
                    Rec::B => "failed",
                    _ => "delayed",
                },
                out,
            ),
            Field::DsnStatus | Field::DsnDiag => self.reply(field, line, out),
            Field::DsnMta if line.reached || !is_attempt => {
                put(&host.name, out);
                put(" (", out);
                put(line.destination(), out);
                put(")", out);
            }
            Field::BounceCat => {
                put(&self.world.categories[usize::from(category(self.world, event))], out);
            }
            Field::SrcType => put(if sender.is_api { "api" } else { "smtp" }, out),
            Field::SrcMta if event.rec.bit() & (RB | RS) != 0 => {
                put(&host.name, out);
                put(" (", out);
                put(&host.ip4, out);
                put(")", out);
            }
            Field::SrcMta => put(line.feeder().0, out),
            Field::DlvType => put("smtp", out),
            Field::DlvSourceIp => put(line.source(), out),
            Field::DlvDestinationIp if line.reached => put(line.destination(), out),
            Field::DlvEsmtpAvailable if line.reached => put(&operator.esmtp, out),
            Field::DlvSize => number(6_000 + mix(key, 1) % 90_000, out),
            Field::Vmta => match sent_by(self.world, event) {
                SentBy::Vmta(vmta) => put(&self.world.vmtas[usize::from(vmta)].name, out),
                SentBy::Pool(pool) => put(&self.world.pools[usize::from(pool)], out),
                SentBy::Nobody => {}
            },
            Field::JobId => self.job(event.message, out),
            Field::Campaign => self.campaign(event.message, out),
            Field::EnvId => envelope_id(key, out),
            Field::MessageId => message_id(key, sender, out),
            Field::Tenant => put(&sender.user, out),
            Field::Queue => {
                put(operator.rollup.as_deref().unwrap_or(&domain.name), out);
                put("/", out);
                put(&vmta.name, out);
            }
            Field::VmtaPool => put(&self.world.pools[usize::from(vmta.pool)], out),
            Field::UserString => quoted(self.hosts[usize::from(vmta.host)].as_bytes(), out),
            Field::DlvTlsProtocol if line.reached => {
                put(operator.tls.as_ref().map_or("", |tls| &tls.0), out);
            }
            Field::DlvTlsCipher if line.reached => {
                put(operator.tls.as_ref().map_or("", |tls| &tls.1), out);
            }
            Field::RcvSourceIp => put(line.feeder().1, out),
            Field::RcvDestinationIp => put("10.0.0.1", out),
            Field::RcvSmtpUser if !sender.is_api => put(&sender.user, out),
            Field::DsnReportingMta => put(&host.name, out),
            Field::ReportedDomain => put(&sender.domain, out),
            Field::Format if event.rec != Rec::F => put("dsn", out),
            Field::Format
            | Field::FeedbackType
            | Field::UserAgent
            | Field::ReportingMta
            | Field::RepSourceIp => {
                let Some(feedback) = &operator.feedback else { return };
                put(
                    match field {
                        Field::Format => &feedback.format,
                        Field::FeedbackType => &feedback.kind,
                        Field::UserAgent => &feedback.agent,
                        Field::ReportingMta => &feedback.reporter,
                        _ => &feedback.ip,
                    },
                    out,
                );
            }
            // Of what was not reached, or is not there, nothing is said.
            Field::Orcpt
            | Field::DsnMta
            | Field::DlvDestinationIp
            | Field::DlvEsmtpAvailable
            | Field::DlvTlsProtocol
            | Field::DlvTlsCipher
            | Field::RcvSmtpUser => {}
        }
    }

    fn reply(&self, field: Field, line: &Draft<'_>, out: &mut Vec<u8>) {
        let Some(reply) = line.event.reply else { return };
        let reply = &self.world.replies[usize::from(reply)];
        if matches!(field, Field::DsnStatus) {
            return out.extend_from_slice(&reply.status);
        }
        let facts = ReplyFacts {
            ip: line.source().as_bytes(),
            rcpt: &self.rcpt,
            rcpt_domain: line.domain.ascii.as_bytes(),
            orig: &self.orig,
            sender: line.sender.domain.as_bytes(),
            mx: line.host.name.as_bytes(),
            time: line.event.time,
        };
        reply.write(&facts, &mut line.rng.clone(), out);
    }

    /// Makes up sender and recipient, the same for each record of a message.
    fn addresses(&mut self, line: &Draft<'_>) {
        const FIRST: [&str; 16] = [
            "stone", "cedar", "anchor", "delta", "falcon", "harbor", "iris", "jasper", "linden",
            "maple", "orchid", "quartz", "summit", "tulip", "willow", "zephyr",
        ];
        let Message { key, job, domain, is_null_sender, .. } = line.event.message;
        let drawn = match line.domain.people {
            None => mix(key, 3),
            Some(people) => mix(mix(key, 3) % u64::from(people), domain.into()),
        };
        let user = 1_000_000 + drawn % 9_000_000;
        let rcpt = &mut self.rcpt;
        rcpt.clear();
        put(FIRST[(user % 16) as usize], rcpt);
        put(["", ".", "_", "-"][(user / 16 % 4) as usize], rcpt);
        match line.domain.people {
            Some(_) if user % 3 > 0 => {
                put(FIRST[(user / 64 % 16) as usize], rcpt);
                number(user / 1024 % 1000, rcpt);
            }
            _ => number(user, rcpt),
        }
        let at = rcpt.len();
        rcpt.push(b'@');
        put(&line.domain.name, rcpt);
        // One in eighty is written with capitals, as people type them.
        match key % 240 {
            0 => rcpt.make_ascii_uppercase(),
            1 => rcpt[0].make_ascii_uppercase(),
            2 => rcpt[at + 1].make_ascii_uppercase(),
            _ => {}
        }

        let orig = &mut self.orig;
        orig.clear();
        if is_null_sender {
            return;
        }
        match line.sender.verp {
            Verp::Classic => {
                put("b-", orig);
                number(job.into(), orig);
                put("-", orig);
                number(user, orig);
                put("=", orig);
                put(&line.domain.ascii, orig);
            }
            Verp::Plus => {
                put("bounces+", orig);
                number(job.into(), orig);
                put("-", orig);
                hex(4, &mut Rng::new(mix(key, 4)), orig);
                put("-", orig);
                orig.extend_from_slice(&self.rcpt[..at]);
                put("=", orig);
                put(&line.domain.ascii, orig);
            }
            Verp::Prvs => {
                put("msprvs1=", orig);
                hex(12, &mut Rng::new(mix(key, 5)), orig);
                put("=bounces-", orig);
                number(job.into(), orig);
                put("-", orig);
                number(user, orig);
            }
            Verp::Plain => put("noreply", orig),
        }
        put("@", orig);
        put(&line.sender.domain, orig);
    }

    /// `newsletter-20260301-0800`.
    fn job(&self, message: Message, out: &mut Vec<u8>) {
        match message.job {
            NO_JOB => {}
            BAD_JOB_NUMBER => put(BAD_JOB, out),
            _ => {
                let (user, begin) = self.of_job(message);
                put(user, out);
                put("-", out);
                let day = self.clock.day(begin.div_euclid(DAY_S));
                for part in [&day[..4], &day[5..7], &day[8..]] {
                    out.extend_from_slice(part);
                }
                put("-", out);
                crate::text::two(begin.rem_euclid(DAY_S) / HOUR_S, out);
                put("00", out);
            }
        }
    }

    /// `"Newsletter of 2026-03-01, part 3"`: a header with a comma in it.
    fn campaign(&self, message: Message, out: &mut Vec<u8>) {
        match message.job {
            NO_JOB => {}
            BAD_JOB_NUMBER => put("purchased-addresses", out),
            _ => {
                let (user, begin) = self.of_job(message);
                let part = begin.rem_euclid(DAY_S) / (self.world.job_hours * HOUR_S) + 1;
                let text =
                    [user.as_bytes(), b" of ", &self.clock.day(begin.div_euclid(DAY_S))].concat();
                quoted(&[&text, &b", part "[..], &[b'0' + part as u8]].concat(), out);
            }
        }
    }

    /// The sender of a job and the second at which it began.
    fn of_job(&self, message: Message) -> (&'a str, i64) {
        let n = message.job - FIRST_JOB;
        let senders = self.world.senders.len() as u32;
        let user = &self.world.senders[(n % senders) as usize].user;
        (user, self.start + i64::from(n / senders) * self.world.job_hours * HOUR_S)
    }
}

impl<'a> Draft<'a> {
    /// Our address, of the family of theirs; none where no connection came about.
    fn source(&self) -> &'a str {
        match (self.event.rec, self.reached, self.is_v6) {
            (Rec::Tq, false, _) => "0.0.0.0",
            (_, _, true) => self.vmta.ip6.as_ref().unwrap_or(&self.vmta.ip4),
            (_, _, false) => &self.vmta.ip4,
        }
    }

    fn destination(&self) -> &'a str {
        match &self.host.ip6 {
            Some(ip6) if self.is_v6 => ip6,
            _ => &self.host.ip4,
        }
    }

    /// The host that handed the message over, and its address.
    fn feeder(&self) -> (&'static str, &'static str) {
        match (self.sender.is_api, self.event.message.key >> 8 & 1) {
            (true, _) => ("app1.example.net (127.0.0.1)", "127.0.0.1"),
            (false, 0) => ("feeder1.example.net (10.0.0.5)", "10.0.0.5"),
            (false, _) => ("feeder2.example.net (10.0.0.6)", "10.0.0.6"),
        }
    }
}

/// In the form of a UUID.
fn envelope_id(key: u64, out: &mut Vec<u8>) {
    let mut rng = Rng::new(mix(key, 2));
    for (i, count) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if i > 0 {
            out.push(b'-');
        }
        hex(count, &mut rng, out);
    }
}

/// `<8f3a...@bounce.shop.example>`, or with the second of reception and a counter.
fn message_id(key: u64, sender: &Sender, out: &mut Vec<u8>) {
    let mut rng = Rng::new(mix(key, 6));
    out.push(b'<');
    match sender.verp {
        Verp::Classic | Verp::Plain => hex(32, &mut rng, out),
        Verp::Plus | Verp::Prvs => {
            number(key >> 24, out);
            out.push(b'.');
            upper(8, &mut rng, out);
        }
    }
    out.push(b'@');
    put(&sender.domain, out);
    out.push(b'>');
}

fn put(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(text.as_bytes());
}
