//! Rates above what providers tolerate: complaints, and recipients that do not exist. The rates are
//! those of the reports; here are only the limits.

use pmtaq_render::page::{Level, Problem};
use pmtaq_render::words::{count, percent};

use super::weighed::{Weighed, level};
use crate::command_line::CommandLine;
use crate::commands::report::desk::Desk;
use crate::failure::Result;

/// Gmail and Yahoo ask bulk senders to stay below the first and never to reach the second (their
/// sender guidelines of 2024), in percent.
const COMPLAINTS: (f64, f64) = (0.1, 0.3);
/// Fewer complaints, or a rate of fewer recipients, may be chance.
const LEAST_COMPLAINTS: f64 = 5.0;
const LEAST_ACCEPTED: f64 = 1000.0;

/// A job with a larger percentage of unknown users has a list that nobody cleans.
const UNKNOWN_USERS: f64 = 5.0;
/// And it must be so many times that of all jobs, of so many recipients.
const TIMES_USUAL: f64 = 3.0;
const LEAST_SENT: f64 = 100.0;
const LEAST_UNKNOWN: f64 = 10.0;
/// Jobs that are told one by one.
const MAX_JOBS: usize = 3;

pub(super) fn complaints(desk: &mut Desk<'_>, found: &mut Vec<Weighed>) -> Result<()> {
    let answer = desk.ask("complaints", &[("top", "50")])?;
    let providers = answer.texts("provider");
    let (complaints, accepted) = (answer.numbers("complaints"), answer.numbers("accepted"));
    let rates = answer.numbers("complaint_rate");
    for row in 0..answer.n_rows() {
        let (Some(n), Some(of), Some(rate)) = (complaints[row], accepted[row], rates[row]) else {
            continue;
        };
        if rate < COMPLAINTS.0 || n < LEAST_COMPLAINTS || of < LEAST_ACCEPTED {
            continue;
        }
        let is_worst = rate >= COMPLAINTS.1;
        let provider = &providers[row];
        let problem = Problem {
            level: if is_worst { Level::Alarm } else { Level::Warning },
            kind: "Complaint rate".to_owned(),
            title: format!(
                "{provider}: {} complaints of {} accepted ({})",
                count(n),
                count(of),
                percent(rate)
            ),
            reading: format!(
                "Above {} %: {}",
                if is_worst { COMPLAINTS.1 } else { COMPLAINTS.0 },
                if is_worst {
                    "large providers block senders who stay there"
                } else {
                    "the limit that large providers ask senders to stay below"
                }
            ),
            command: desk
                .line(
                    CommandLine::new("complaints")
                        .option("--by", "job")
                        .option("--provider", provider),
                )
                .text(),
            ..Problem::default()
        };
        found.push(Weighed::new(problem, n));
    }
    Ok(())
}

pub(super) fn unknown_users(desk: &mut Desk<'_>, all: f64, found: &mut Vec<Weighed>) -> Result<()> {
    let answer = desk.pivot("job_id", None, &["sent", "unknown_users", "unknown_user_rate"], 0)?;
    let jobs = answer.texts("job_id");
    let (sent, unknown) = (answer.numbers("sent"), answer.numbers("unknown_users"));
    let rates = answer.numbers("unknown_user_rate");
    let usual = answer.total("unknown_user_rate").unwrap_or(0.0);
    let mut rows: Vec<usize> = (0..answer.n_rows().saturating_sub(1))
        .filter(|&row| {
            let rate = rates[row].unwrap_or(0.0);
            rate >= UNKNOWN_USERS.max(TIMES_USUAL * usual)
                && sent[row].unwrap_or(0.0) >= LEAST_SENT
                && unknown[row].unwrap_or(0.0) >= LEAST_UNKNOWN
        })
        .collect();
    rows.sort_by(|&a, &b| unknown[b].unwrap_or(0.0).total_cmp(&unknown[a].unwrap_or(0.0)));
    for row in rows.into_iter().take(MAX_JOBS) {
        let job = &jobs[row];
        let n = unknown[row].unwrap_or(0.0);
        let fact = format!(
            "{} of {} recipients do not exist ({}), of all jobs {}",
            count(n),
            count(sent[row].unwrap_or(0.0)),
            percent(rates[row].unwrap_or(0.0)),
            percent(usual)
        );
        let named = format!("job_id {job}");
        let is_told =
            |known: &&mut Weighed| known.problem.facts.iter().any(|fact| fact.contains(&named));
        if let Some(known) = found.iter_mut().find(is_told) {
            known.problem.facts.push(fact);
            continue;
        }
        let problem = Problem {
            level: level(n, all),
            kind: "Unknown users".to_owned(),
            title: format!("job {job}: {fact}"),
            reading: "Addresses that were never confirmed, or a list that nobody cleans".to_owned(),
            command: desk
                .line(CommandLine::new("top-bounces").option("--job", job))
                .option("--where", "mailbox_dead = 'yes'")
                .text(),
            ..Problem::default()
        };
        found.push(Weighed::new(problem, n));
    }
    Ok(())
}
