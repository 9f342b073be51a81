//! What goes wrong on purpose: where, when, and with which words. Counts nothing itself.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::message::{Event, Rec};
use crate::world::World;

/// Something that went wrong, on purpose.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Incident {
    /// What it is.
    pub kind: &'static str,
    /// Where: dimension and value.
    pub dimensions: BTreeMap<&'static str, String>,
    /// Since when, in UTC, RFC 3339.
    pub since: String,
    /// Until when, not included.
    pub until: String,
    /// Records that tell of it: the refusals that were planted, those of whole queues (`tq`) too.
    pub records: u64,
    /// Attempts (`d`, `b` and `t` records) of these dimensions in this window, refused or not.
    pub attempts: u64,
}

/// Number of an incident among the planted ones.
pub(crate) const THROTTLED: usize = 0;
pub(crate) const BLOCKED: usize = 1;
pub(crate) const BAD_LIST: usize = 2;

/// The VirtualMTA that Microsoft blocks.
const BLOCKED_VMTA: &str = "vmta-news-2";
/// The pool that Yahoo throttles.
const THROTTLED_POOL: &str = "pool-bulk";
/// The job that goes to a bad list, and the sender that owns it.
pub(crate) const BAD_JOB: &str = "job-bad-list";
pub(crate) const BAD_SENDER: &str = "bounces.shop.example.net";

/// The incidents of a run, as the simulation asks about them.
pub(crate) struct Incidents {
    plans: Vec<Plan>,
    yahoo: u16,
    microsoft: [u16; 2],
    pool: u16,
    vmta: u16,
}

struct Plan {
    incident: Incident,
    since: i64,
    until: i64,
}

impl Incidents {
    /// No incident at all.
    pub(crate) fn none(world: &World) -> Incidents {
        let operator = |name| world.operators.iter().position(|other| other.name == name);
        let vmta = world.vmtas.iter().position(|vmta| vmta.name == BLOCKED_VMTA);
        let pool = world.pools.iter().position(|pool| pool == THROTTLED_POOL);
        Incidents {
            plans: Vec::new(),
            yahoo: operator("yahoo").unwrap_or_default() as u16,
            microsoft: ["microsoft", "microsoft365"]
                .map(|name| operator(name).unwrap_or_default() as u16),
            pool: pool.unwrap_or_default() as u16,
            vmta: vmta.unwrap_or_default() as u16,
        }
    }

    /// The three of a run that begins at midnight `start`: on its second and third day, or on its
    /// last where it has no more.
    pub(crate) fn planted(world: &World, start: i64, days: u32) -> Incidents {
        let mut incidents = Incidents::none(world);
        let ip = &world.vmtas[usize::from(incidents.vmta)].ip4;
        let at = |day: u32, hour: i64| {
            start + i64::from(day.min(days.saturating_sub(1))) * 86_400 + hour * 3600
        };
        let plans: [(_, &[(_, &str)], _, _); 3] = [
            (
                "throttled pool",
                &[("provider", "yahoo"), ("vmta_pool", THROTTLED_POOL)],
                at(1, 16),
                at(1, 18),
            ),
            (
                "blocked address",
                &[("provider", "microsoft"), ("dlv_source_ip", ip)],
                at(1, 9),
                at(2, 12),
            ),
            ("bad list", &[("job_id", BAD_JOB)], at(2, 10), at(2, 13)),
        ];
        for (kind, dimensions, since, until) in plans {
            let dimensions = dimensions.iter().map(|(name, value)| (*name, (*value).to_owned()));
            let incident = Incident {
                kind,
                dimensions: dimensions.collect(),
                since: rfc3339(since),
                until: rfc3339(until),
                records: 0,
                attempts: 0,
            };
            incidents.plans.push(Plan { incident, since, until });
        }
        incidents
    }

    /// Whether the incident is under way.
    pub(crate) fn holds(&self, which: usize, time: i64) -> bool {
        self.plans.get(which).is_some_and(|plan| plan.since <= time && time < plan.until)
    }

    /// Whether an attempt by this identity at this operator is in the way of the incident.
    pub(crate) fn strikes(
        &self,
        which: usize,
        time: i64,
        world: &World,
        event: (u16, u16, bool),
    ) -> bool {
        let (operator, vmta, is_bad_job) = event;
        let hit = match which {
            THROTTLED => operator == self.yahoo && world.vmtas[usize::from(vmta)].pool == self.pool,
            BLOCKED => self.microsoft.contains(&operator) && vmta == self.vmta,
            _ => is_bad_job,
        };
        hit && self.holds(which, time)
    }

    /// Counts a record that was written; `found` is what [`Incidents::found`] gave.
    pub(crate) fn count(&self, event: &Event, world: &World, found: &mut [Incident]) {
        let message = &event.message;
        let operator = world.domains[message.domain as usize].operator;
        let who = (operator, message.vmta, message.is_bad_job());
        let is_attempt = matches!(event.rec, Rec::D | Rec::B | Rec::T);
        for (which, incident) in found.iter_mut().enumerate() {
            let struck = is_attempt && self.strikes(which, event.time, world, who);
            incident.attempts += u64::from(struck);
            incident.records += u64::from(event.planted == Some(which as u8));
        }
    }

    /// What was planted, nothing of it counted yet.
    pub(crate) fn found(&self) -> Vec<Incident> {
        self.plans.iter().map(|plan| plan.incident.clone()).collect()
    }
}

fn rfc3339(time: i64) -> String {
    let mut out = Vec::new();
    crate::clock::LocalTime::utc(time, b'T', &mut out);
    out.push(b'Z');
    String::from_utf8_lossy(&out).into_owned()
}
