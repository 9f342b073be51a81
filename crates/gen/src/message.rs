//! What happens to messages: injection, attempts, retries over hours, the end, and what comes
//! back later. Hour by hour, in the order of logging. Knows no bytes and no files.

use crate::incident::{BAD_LIST, BAD_SENDER, BLOCKED, Incidents, THROTTLED};
use crate::rng::{Rng, mix};
use crate::world::World;

pub(crate) const HOUR_S: i64 = 3600;
pub(crate) const DAY_S: i64 = 86_400;

/// Numbers of jobs: none, the one with the bad list, and from here on those of the senders.
pub(crate) const NO_JOB: u32 = 0;
pub(crate) const BAD_JOB_NUMBER: u32 = 1;
pub(crate) const FIRST_JOB: u32 = 2;

/// Seconds until the next attempt, by the number of the failed one.
const BACKOFF_S: [i64; 8] = [600, 900, 1800, 3600, 7200, 7200, 14_400, 14_400];
/// Nobody waits for longer.
const BOUNCE_AFTER_S: i64 = DAY_S;

/// Kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rec {
    D,
    B,
    T,
    Tq,
    R,
    Rb,
    Rs,
    F,
}

impl Rec {
    pub(crate) const ALL: [Rec; 8] =
        [Rec::D, Rec::B, Rec::T, Rec::Tq, Rec::R, Rec::Rb, Rec::Rs, Rec::F];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Rec::D => "d",
            Rec::B => "b",
            Rec::T => "t",
            Rec::Tq => "tq",
            Rec::R => "r",
            Rec::Rb => "rb",
            Rec::Rs => "rs",
            Rec::F => "f",
        }
    }

    /// The bit that stands for it in a set.
    pub(crate) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// One recipient of one message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    /// All that varies without consequence follows from this.
    pub(crate) key: u64,
    pub(crate) queued: i64,
    pub(crate) job: u32,
    pub(crate) domain: u32,
    pub(crate) sender: u16,
    pub(crate) vmta: u16,
    pub(crate) is_null_sender: bool,
}

impl Message {
    pub(crate) fn is_bad_job(&self) -> bool {
        self.job == BAD_JOB_NUMBER
    }
}

/// A record to be logged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) time: i64,
    pub(crate) message: Message,
    pub(crate) rec: Rec,
    /// Number of the reply in the world; none of receptions and complaints.
    pub(crate) reply: Option<u16>,
    /// The incident that it tells of.
    pub(crate) planted: Option<u8>,
}

#[derive(Clone, Copy)]
struct Attempt {
    time: i64,
    number: u32,
    message: Message,
}

pub(crate) struct Simulation<'a> {
    world: &'a World,
    incidents: &'a Incidents,
    rng: Rng,
    seed: u64,
    start: i64,
    messages: u64,
    weights: Vec<f64>,
    weight_left: f64,
    rows_left: usize,
    events: Vec<Vec<Event>>,
    attempts: Vec<Vec<Attempt>>,
    expired: u16,
    no_answer: u16,
    refused: u16,
    deleted: u16,
    throttled: u16,
    blocked: u16,
    blocked_hosted: u16,
    bad_sender: u16,
}

impl<'a> Simulation<'a> {
    /// A run of exactly `rows` records from midnight `start` on.
    pub(crate) fn new(
        world: &'a World,
        incidents: &'a Incidents,
        seed: u64,
        (start, days): (i64, u32),
        rows: u64,
    ) -> Simulation<'a> {
        let hours = days.max(1) as usize * 24;
        let weights: Vec<f64> = (0..hours).map(|hour| weight(start, hour)).collect();
        let bad_sender = world.senders.iter().position(|sender| sender.domain == BAD_SENDER);
        Simulation {
            rng: Rng::new(seed),
            seed,
            start,
            messages: 0,
            weight_left: weights.iter().sum(),
            weights,
            rows_left: rows as usize,
            events: vec![Vec::new(); hours],
            attempts: vec![Vec::new(); hours],
            expired: world.planted("expired"),
            no_answer: world.planted("no-answer"),
            refused: world.planted("refused"),
            deleted: world.planted("deleted"),
            throttled: world.planted("throttled"),
            blocked: world.planted("blocked"),
            blocked_hosted: world.planted("blocked-hosted"),
            bad_sender: bad_sender.unwrap_or_default() as u16,
            world,
            incidents,
        }
    }

    pub(crate) fn hours(&self) -> usize {
        self.weights.len()
    }

    /// The records of an hour in the order of logging; to be asked for one hour after the other.
    pub(crate) fn hour(&mut self, hour: usize) -> Vec<Event> {
        let last = hour + 1 == self.hours();
        let share = if last { 1.0 } else { self.weights[hour] / self.weight_left };
        let quota = (self.rows_left as f64 * share) as usize;
        self.weight_left -= self.weights[hour];
        self.retries(hour);
        while self.events[hour].len() < quota {
            let message = self.message(hour);
            self.log(message.queued, Rec::R, message, None, None);
            let time = message.queued + 1 + self.rng.below(4) as i64;
            self.attempt(Attempt { time, number: 0, message });
            self.retries(hour);
        }
        let mut events = std::mem::take(&mut self.events[hour]);
        // Stable: of one second the order is that of the simulation.
        events.sort_by_key(|event| event.time);
        events.truncate(self.rows_left);
        self.rows_left -= events.len();
        events
    }

    fn retries(&mut self, hour: usize) {
        while let Some(attempt) = self.attempts[hour].pop() {
            self.attempt(attempt);
        }
    }

    fn message(&mut self, hour: usize) -> Message {
        let (world, rng) = (self.world, &mut self.rng);
        let begin = self.start + hour as i64 * HOUR_S;
        let mut domain = world.draw_domain(rng);
        let mut sender = world.sender_shares.draw(rng).unwrap_or_default();
        let is_bulk = !world.senders[usize::from(sender)].is_api;
        let mut second = rng.below(HOUR_S as usize) as i64;
        if is_bulk {
            // A job begins with a burst at the full hour.
            second = second * rng.below(HOUR_S as usize) as i64 / HOUR_S;
        }
        let queued = begin + second;
        let is_bad = self.incidents.holds(BAD_LIST, queued) && rng.chance(1500);
        if is_bad {
            sender = self.bad_sender;
            while world.operator(domain).unknown.is_empty() {
                domain = world.draw_domain(rng);
            }
        }
        let slot = (queued - self.start) / (world.job_hours * HOUR_S);
        let job = match (is_bad, is_bulk) {
            (true, _) => BAD_JOB_NUMBER,
            (_, false) => NO_JOB,
            _ => FIRST_JOB + slot as u32 * world.senders.len() as u32 + u32::from(sender),
        };
        let vmtas = world.vmtas_of(world.senders[usize::from(sender)].pool);
        self.messages += 1;
        Message {
            key: mix(self.seed, self.messages),
            queued,
            job,
            domain,
            sender,
            vmta: (vmtas.start + rng.below(vmtas.len())) as u16,
            is_null_sender: rng.chance(40),
        }
    }

    fn attempt(&mut self, attempt: Attempt) {
        let Attempt { time, number, message } = attempt;
        let world = self.world;
        let domain = &world.domains[message.domain as usize];
        let operator = world.operator(message.domain);
        let who = (domain.operator, message.vmta, message.is_bad_job());
        if domain.is_dead {
            let says = if message.key.is_multiple_of(3) { self.refused } else { self.no_answer };
            self.log(time, Rec::Tq, message, Some(says), None);
            return self.later(attempt);
        }
        if number > 0 && self.rng.chance(15) {
            return self.log(time, Rec::B, message, Some(self.deleted), None);
        }
        if self.rng.chance(8) {
            self.log(time, Rec::Tq, message, Some(self.no_answer), None);
            return self.later(attempt);
        }
        if self.incidents.strikes(THROTTLED, time, world, who) && self.rng.chance(8500) {
            let planted = Some(THROTTLED as u8);
            // One in nine is turned away at the greeting, with all of its queue.
            let rec = if self.rng.chance(1100) { Rec::Tq } else { Rec::T };
            self.log(time, rec, message, Some(self.throttled), planted);
            return self.later(attempt);
        }
        if self.incidents.strikes(BLOCKED, time, world, who) {
            let is_hosted = operator.name != "microsoft";
            let says = if is_hosted { self.blocked_hosted } else { self.blocked };
            return self.log(time, Rec::B, message, Some(says), Some(BLOCKED as u8));
        }
        // Who was deferred once is deferred again more often, and a few for ever.
        let is_stuck = message.key.is_multiple_of(900);
        let deferral = if number > 0 { 3500 } else { operator.deferral };
        if !operator.deferred.is_empty() && (is_stuck || self.rng.chance(deferral)) {
            let says = operator.deferred.draw(&mut self.rng);
            self.log(time, Rec::T, message, says, None);
            return self.later(attempt);
        }
        if message.is_bad_job() && self.rng.chance(3000) {
            let says = operator.unknown.draw(&mut self.rng);
            return self.log(time, Rec::B, message, says, Some(BAD_LIST as u8));
        }
        if self.rng.chance(operator.bounce) {
            let says = operator.bounced.draw(&mut self.rng);
            return self.log(time, Rec::B, message, says, None);
        }
        self.deliver(time, message);
    }

    fn deliver(&mut self, time: i64, message: Message) {
        let operator = self.world.operator(message.domain);
        let says = operator.accepted.draw(&mut self.rng);
        self.log(time, Rec::D, message, says, None);
        if self.rng.chance(25) {
            let (rec, replies) = if self.rng.chance(2000) {
                (Rec::Rs, &self.world.remote_statuses)
            } else {
                (Rec::Rb, &self.world.remote_bounces)
            };
            let says = replies.draw(&mut self.rng);
            let later = time + 60 + self.rng.below(20_000) as i64;
            self.log(later, rec, message, says, None);
        } else if self.rng.chance(operator.complaint) && operator.feedback.is_some() {
            let later = time + 600 + self.rng.below(40_000) as i64;
            self.log(later, Rec::F, message, None, None);
        }
    }

    /// Tries again, or gives up who has waited for too long.
    fn later(&mut self, Attempt { time, number, message }: Attempt) {
        let time = time + BACKOFF_S[(number as usize).min(7)] + self.rng.below(60) as i64;
        if time - message.queued > BOUNCE_AFTER_S {
            return self.log(time, Rec::B, message, Some(self.expired), None);
        }
        if let Some(hour) = self.slot(time) {
            self.attempts[hour].push(Attempt { time, number: number + 1, message });
        }
    }

    fn log(
        &mut self,
        time: i64,
        rec: Rec,
        message: Message,
        reply: Option<u16>,
        planted: Option<u8>,
    ) {
        if let Some(hour) = self.slot(time) {
            self.events[hour].push(Event { time, message, rec, reply, planted });
        }
    }

    /// The hour that `time` falls into; none after the last.
    fn slot(&self, time: i64) -> Option<usize> {
        let hour = usize::try_from((time - self.start) / HOUR_S).ok()?;
        (hour < self.events.len()).then_some(hour)
    }
}

/// People read and senders send by day, most on weekdays.
fn weight(start: i64, hour: usize) -> f64 {
    const BY_HOUR: [f64; 24] = [
        0.5, 0.4, 0.3, 0.3, 0.4, 0.6, 1.0, 1.5, 2.2, 2.8, 3.0, 2.6, 2.2, 2.3, 2.6, 2.7, 2.5, 2.2,
        2.0, 1.8, 1.5, 1.2, 0.9, 0.7,
    ];
    // 1970-01-01 was a Thursday; from Sunday to Saturday.
    const BY_DAY: [f64; 7] = [0.55, 1.0, 1.1, 1.05, 1.15, 1.0, 0.6];
    let weekday = (start / DAY_S + hour as i64 / 24 + 4).rem_euclid(7);
    BY_HOUR[hour % 24] * BY_DAY[weekday as usize]
}
