//! What happens to messages: injection, attempts, retries over hours, the end, and what comes
//! back later. Hour by hour, in the order of logging.

use std::io;

use crate::Settings;
use crate::files::Files;
use crate::rng::Rng;
use crate::truth::Incident;
use crate::world::{
    Answer, EXPIRED, NO_ANSWER, PROVIDERS, S3140, SENDERS, TAIL, TSS04, UNKNOWN, VMTAS,
};

pub(crate) const HOUR_S: i64 = 3600;

/// One recipient of one message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    pub(crate) queued: i64,
    pub(crate) provider: usize,
    /// Index into the provider's domains, or of the long tail.
    pub(crate) domain: usize,
    pub(crate) mx: usize,
    pub(crate) vmta: usize,
    pub(crate) sender: usize,
    pub(crate) job: u64,
    /// Number of the mailbox.
    pub(crate) user: u64,
    pub(crate) size: u64,
    pub(crate) null_sender: bool,
}

/// A record to be logged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) time: i64,
    pub(crate) rec: &'static str,
    pub(crate) message: Message,
    /// Of a refusal.
    pub(crate) answer: Option<Answer>,
}

#[derive(Clone, Copy)]
struct Attempt {
    time: i64,
    number: u32,
    message: Message,
}

/// Seconds until the next attempt, by the number of the failed one.
const BACKOFF_S: [i64; 8] = [600, 900, 1800, 3600, 7200, 7200, 14_400, 14_400];

/// Generates all records and writes them.
pub(crate) fn simulate(settings: &Settings, files: &mut Files) -> io::Result<()> {
    let start = settings.start.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
    let hours = settings.days.max(1) as usize * 24;
    let incidents = if settings.incidents { incidents(start, settings.days) } else { Vec::new() };
    files.incidents(&incidents);
    let weights: Vec<f64> = (0..hours).map(|hour| weight(start, hour)).collect();
    let mut weight_left: f64 = weights.iter().sum();
    let mut rows_left = settings.rows as usize;
    let mut world = Simulation {
        rng: Rng::new(settings.seed),
        start,
        incidents,
        events: vec![Vec::new(); hours],
        attempts: vec![Vec::new(); hours],
    };
    for (hour, weight) in weights.iter().enumerate() {
        let last = hour + 1 == hours;
        let share = if last { 1.0 } else { weight / weight_left };
        let quota = (rows_left as f64 * share) as usize;
        let mut events = world.hour(hour, quota);
        weight_left -= weight;
        events.truncate(rows_left);
        rows_left -= events.len();
        files.hour(start + hour as i64 * HOUR_S, &events, &mut world.rng)?;
    }
    Ok(())
}

/// People read and senders send by day, most on weekdays.
fn weight(start: i64, hour: usize) -> f64 {
    const BY_HOUR: [f64; 24] = [
        0.5, 0.4, 0.3, 0.3, 0.4, 0.6, 1.0, 1.5, 2.2, 2.8, 3.0, 2.6, 2.2, 2.3, 2.6, 2.7, 2.5, 2.2,
        2.0, 1.8, 1.5, 1.2, 0.9, 0.7,
    ];
    // 1970-01-01 was a Thursday.
    let weekday = (start / 86_400 + hour as i64 / 24 + 4).rem_euclid(7);
    BY_HOUR[hour % 24] * if weekday == 0 || weekday == 6 { 0.6 } else { 1.0 }
}

fn incidents(start: i64, days: u32) -> Vec<Incident> {
    let at = |day: i64, hour: i64| start + day.min(i64::from(days) - 1) * 86_400 + hour * HOUR_S;
    vec![
        Incident::new(
            "throttled pool",
            &[("provider", "yahoo"), ("vmta_pool", "pool-bulk")],
            at(1, 16),
            at(1, 18),
        ),
        Incident::new(
            "blocked address",
            &[("provider", "microsoft"), ("dlv_source_ip", VMTAS[1].ip)],
            at(1, 9),
            at(2, 12),
        ),
        Incident::new("bad list", &[("job_id", "job-bad-list")], at(2, 10), at(2, 13)),
    ]
}

/// Number of the job with the bad list.
pub(crate) const BAD_JOB: u64 = 0;

struct Simulation {
    rng: Rng,
    start: i64,
    incidents: Vec<Incident>,
    events: Vec<Vec<Event>>,
    attempts: Vec<Vec<Attempt>>,
}

impl Simulation {
    /// The records of an hour, at least `quota` of them.
    fn hour(&mut self, hour: usize, quota: usize) -> Vec<Event> {
        let begin = self.start + hour as i64 * HOUR_S;
        let mut waiting = std::mem::take(&mut self.attempts[hour]);
        while let Some(attempt) = waiting.pop() {
            self.attempt(attempt);
            waiting.append(&mut self.attempts[hour]);
        }
        while self.events[hour].len() < quota {
            let message = self.message(begin);
            self.log(message.queued, "r", message, None);
            let time = message.queued + 1 + self.rng.below(4) as i64;
            self.attempt(Attempt { time, number: 0, message });
            while let Some(attempt) = self.attempts[hour].pop() {
                self.attempt(attempt);
            }
            if self.rng.chance(6) {
                self.log(message.queued + 9, "tq", message, Some(NO_ANSWER));
            }
        }
        let mut events = std::mem::take(&mut self.events[hour]);
        // Stable: of one second the order is that of the simulation.
        events.sort_by_key(|event| event.time);
        events
    }

    fn message(&mut self, begin: i64) -> Message {
        let rng = &mut self.rng;
        let shares: u32 = PROVIDERS.iter().map(|p| p.share).sum();
        let mut at = rng.below(shares as usize) as u32;
        let mut provider = 0;
        while at >= PROVIDERS[provider].share {
            at -= PROVIDERS[provider].share;
            provider += 1;
        }
        let domains = PROVIDERS[provider].domains;
        let domain = if domains.is_empty() {
            rng.zipf(TAIL)
        } else {
            let name = *rng.pick(domains);
            domains.iter().position(|(_, other)| *other == name).unwrap_or(0)
        };
        let queued = begin + rng.below(HOUR_S as usize) as i64;
        let bad = self.incidents.get(2).is_some_and(|i| i.holds(queued)) && rng.chance(900);
        let mut at = rng.below(SENDERS.iter().map(|s| s.0 as usize).sum()) as u32;
        let mut sender = 0;
        while at >= SENDERS[sender].0 {
            at -= SENDERS[sender].0;
            sender += 1;
        }
        let (_, (_, first, last)) = SENDERS[sender];
        let job =
            if bad { BAD_JOB } else { 1 + (queued / 14_400 % 1000) as u64 * 6 + sender as u64 };
        Message {
            queued,
            provider,
            domain,
            mx: rng.below(PROVIDERS[provider].mx.len()),
            vmta: first + rng.below(last - first + 1),
            sender,
            job,
            user: rng.next() % 5_000_000,
            size: 8_000 + rng.next() % 60_000,
            null_sender: rng.chance(40),
        }
    }

    fn attempt(&mut self, Attempt { time, number, message }: Attempt) {
        let provider = &PROVIDERS[message.provider];
        let vmta = &VMTAS[message.vmta];
        let during = |i: usize| self.incidents.get(i).is_some_and(|incident| incident.holds(time));
        let throttled = during(0) && message.provider == 2 && vmta.pool == "pool-bulk";
        let blocked = during(1) && message.provider == 1 && message.vmta == 1;
        let deferral = match (throttled, number) {
            (true, _) => 8500,
            (false, 0) => provider.deferral,
            // Who was deferred once is deferred again more often.
            (false, _) => 3500,
        };
        if !blocked && self.rng.chance(deferral) {
            let answer = if throttled { TSS04 } else { *self.rng.pick(provider.deferred) };
            self.log(time, "t", message, Some(answer));
            let wait = BACKOFF_S[(number as usize).min(7)] + self.rng.below(60) as i64;
            if time + wait - message.queued > 86_400 {
                return self.log(time + wait, "b", message, Some(EXPIRED));
            }
            if let Some(later) = self.slot(time + wait) {
                self.attempts[later].push(Attempt {
                    time: time + wait,
                    number: number + 1,
                    message,
                });
            }
            return;
        }
        let unknown = message.job == BAD_JOB && self.rng.chance(3000);
        if unknown || blocked || self.rng.chance(provider.bounce) {
            let answer = match (unknown, blocked) {
                (true, _) => UNKNOWN,
                (_, true) => S3140,
                _ => *self.rng.pick(provider.bounced),
            };
            return self.log(time, "b", message, Some(answer));
        }
        self.log(time, "d", message, None);
        if self.rng.chance(15) {
            let later = time + 60 + self.rng.below(20_000) as i64;
            let rec = if self.rng.chance(1500) { "rs" } else { "rb" };
            self.log(later, rec, message, Some(UNKNOWN));
        } else if self.rng.chance(12) {
            let later = time + 600 + self.rng.below(40_000) as i64;
            self.log(later, "f", message, None);
        }
    }

    fn log(&mut self, time: i64, rec: &'static str, message: Message, answer: Option<Answer>) {
        if let Some(hour) = self.slot(time) {
            self.events[hour].push(Event { time, rec, message, answer });
        }
    }

    /// The hour that `time` falls into; none after the last.
    fn slot(&self, time: i64) -> Option<usize> {
        let hour = usize::try_from((time - self.start) / HOUR_S).ok()?;
        (hour < self.events.len()).then_some(hour)
    }
}
