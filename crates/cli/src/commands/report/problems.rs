//! What is wrong, the worst first. Each file below looks for troubles of one kind and says how many
//! recipients they cost; here they are ranked.

mod changed;
mod fewer;
mod lag;
mod rates;
mod slowed;
mod stopped;
mod weighed;

use pmtaq_render::page::Problem;

use super::desk::Desk;
use crate::commands::why::Explanation;
use crate::failure::Result;
use crate::versus::Versus;

/// Problems that are shown; the smaller ones are counted.
const MAX_SHOWN: usize = 15;

/// What was found.
pub(crate) struct Problems {
    pub(crate) problems: Vec<Problem>,
    /// What could not be looked for, and what was left out.
    pub(crate) notes: Vec<String>,
    /// What `why` said, a metric and a day each.
    pub(crate) told: Vec<Explanation>,
}

pub(crate) fn find(desk: &mut Desk<'_>, versus: Versus) -> Result<Problems> {
    let mut notes = Vec::new();
    let all = super::numbers::totals(desk)?.total("sent").unwrap_or(0.0);
    let mut found = lag::find(desk)?;
    let (causes, told) = changed::find(desk, versus, &mut notes)?;
    found.extend(causes);
    slowed::find(desk, all, &mut found)?;
    rates::complaints(desk, &mut found)?;
    rates::unknown_users(desk, all, &mut found)?;
    slowed::new_replies(desk, all, &mut found, &mut notes)?;
    let stopped = stopped::find(desk, all, &mut found)?;
    fewer::find(desk, &stopped, &mut found)?;
    found.sort_by(|a, b| {
        (b.problem.level.cmp(&a.problem.level)).then(b.weight.total_cmp(&a.weight))
    });
    let more = found.len().saturating_sub(MAX_SHOWN);
    if more > 0 {
        notes.push(format!("{more} smaller problems are not shown"));
    }
    let problems = found.into_iter().take(MAX_SHOWN).map(|weighed| weighed.problem).collect();
    Ok(Problems { problems, notes, told })
}
