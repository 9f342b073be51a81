//! Which rollup answers a question to `hourly`: the one that has all that its statement names, and of these
//! the one with the fewest rows in the window. Knows nothing of metrics.
//!
//! A rollup by day answers for whole days, and there for the parts of `hourly` whose rows it adds up. The
//! others of these parts are read beside it, and the hours of days that the window cuts.

use std::borrow::Cow;
use std::collections::HashSet;

use pmtaq_schema::columns::{REPLY_COLUMNS, TIERS, Tier};
use pmtaq_schema::time::DAY_S;
use pmtaq_store::SnapshotPart;

use crate::error::Result;
use crate::hours::{HOURS_VIEW, hours_view_of, whole_hours};
use crate::lex::words;
use crate::opened::Opened;
use crate::query::OverHours;
use crate::replies::read_view;
use crate::rollup::hours_as_records;
use crate::session::Session;
use crate::setup::{Naming, Parts, rollup_view, rows_of};

/// What no rollup by day tells apart.
const TIMES: [&str; 3] = ["hour", "time_logged", "date"];

/// The view over a rollup and what is read beside it.
fn view_of(tier: &Tier) -> String {
    format!("{}_stored", tier.name)
}

/// Whether a rollup has all that a statement over [`hours_as_records`] names.
fn tells(tier: &Tier, OverHours { sql, by_days, .. }: &OverHours) -> bool {
    let rest = sql.replace(&hours_as_records(), "");
    let named: HashSet<String> = words(&rest).map(str::to_lowercase).collect();
    // What is known of a reply is looked up by its template.
    let of_replies = if tier.without.contains(&"template") { &REPLY_COLUMNS[..] } else { &[] };
    let times = if *by_days { &[][..] } else { &TIMES[..] };
    let mut lacking = times.iter().chain(tier.without).chain(of_replies);
    rest.len() < sql.len() && !lacking.any(|name| named.contains(*name))
}

impl Session {
    /// What asks `hourly`, as a question to the rollup of it that answers with the fewest rows.
    pub(crate) fn over_tier<'q>(&self, over: &'q OverHours) -> Cow<'q, str> {
        let sql = over.sql.as_str();
        let of_tier = |at: usize| {
            let (summed, beside) = self.parts_of_tier(at);
            (rows_of(&summed) + rows_of(&beside), at)
        };
        let able = (0..TIERS.len()).filter(|at| tells(&TIERS[*at], over)).map(of_tier);
        // Who ended a bounce is told of parts of older versions by replies that a rollup may lack.
        let able = able.filter(|_| !self.opened[..2].iter().any(Opened::lacks_origin));
        let hours: Vec<&SnapshotPart> = self.hours_parts().collect();
        match able.min().filter(|(n, _)| *n < rows_of(&hours)) {
            Some((_, at)) => sql.replace(HOURS_VIEW, &view_of(&TIERS[at])).into(),
            None => sql.into(),
        }
    }

    /// The parts of `hourly` with whole hours of the window.
    pub(crate) fn hours_parts(&self) -> impl Iterator<Item = &SnapshotPart> {
        let window = whole_hours(self.window.get());
        self.opened[1].parts().filter(move |part| part.meets(window))
    }

    /// The parts of a rollup that are read, and those of `hourly` beside it.
    fn parts_of_tier(&self, at: usize) -> (Vec<&SnapshotPart>, Vec<&SnapshotPart>) {
        let window = whole_hours(self.window.get());
        let is_whole = |part: &&SnapshotPart| {
            let start = part.day.start().0;
            window.since.0 <= start && start + DAY_S <= window.until.0
        };
        let summed: Vec<&SnapshotPart> = self.tiers[at].parts().filter(is_whole).collect();
        let names: HashSet<&str> =
            summed.iter().filter_map(|part| part.part.sums.as_deref()).collect();
        let beside = self.hours_parts().filter(|part| !names.contains(part.part.name.as_str()));
        (summed, beside.collect())
    }

    /// The statements that create the view over a rollup, whose parts have names by `names`.
    fn tier_views(&self, at: usize, names: Naming) -> String {
        let (tier, window, replies) = (&TIERS[at], self.window.get(), self.replies.get());
        let (summed, beside) = self.parts_of_tier(at);
        let summed = Parts { opened: &self.tiers[at], of: summed, names };
        let beside = Parts { opened: &self.opened[1], of: beside, names };
        let ingested = format!("{}_as_ingested", tier.name);
        let ingested = rollup_view(&ingested, &[&summed, &beside], window);
        let read = read_view(tier.name, &self.replaced, replies);
        let hours = hours_view_of(
            &view_of(tier),
            tier.name,
            window,
            replies.columns(),
            &self.kept_of_record(),
        );
        format!("{ingested}\n{read}{hours}")
    }

    /// The rollup that a statement of ours reads.
    fn tier_in(sql: &str) -> Option<usize> {
        TIERS.iter().position(|tier| sql.contains(&view_of(tier)))
    }

    /// Creates the view over the rollup that `sql` reads, if it reads one.
    pub(crate) fn create_tier_view(&self, sql: &str) -> Result<()> {
        let Some(at) = Session::tier_in(sql) else { return Ok(()) };
        let views = self.tier_views(at, Opened::scanned);
        let known = &mut self.tier_views.borrow_mut()[at];
        if *known != views {
            self.engine().execute_batch(&views)?;
            *known = views;
        }
        Ok(())
    }

    /// Brings the parts that `sql` reads, which asks `hourly` or a rollup of it.
    pub(crate) fn bring_hours(&self, sql: &str) -> Result<()> {
        let beside = match Session::tier_in(sql) {
            None => self.hours_parts().collect(),
            Some(at) => {
                let (summed, beside) = self.parts_of_tier(at);
                self.tiers[at].bring(&summed)?;
                beside
            }
        };
        self.opened[1].bring(&beside)
    }

    /// The same for a script.
    pub(crate) fn tier_script(&self, sql: &str) -> String {
        let views = Session::tier_in(sql).map(|at| self.tier_views(at, Opened::paths_of));
        views.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollup_answers_what_names_nothing_that_it_lacks() {
        let over = |rest: &str| format!("with r as (select * from {}) {rest}", hours_as_records());
        let of = |sql: String, by_days| OverHours { sql, by_days, ..OverHours::default() };
        let able_by = |rest: &str, by_days| {
            let over = of(over(rest), by_days);
            TIERS.map(|tier| tells(&tier, &over))
        };
        let able = |rest: &str| able_by(rest, false);
        assert_eq!(able("select vmta, sum(records) from r group by vmta"), [true, false]);
        assert_eq!(able("select rcpt_domain, template from r"), [false, true]);
        assert_eq!(able("select sum(records) from r"), [true, true]);
        assert_eq!(able("select sum(records) from r where mailbox_dead = 'yes'"), [false, true]);
        assert_eq!(able("select job_id, sender_domain from r"), [true, false]);
        assert_eq!(able("select vmta, provider from r"), [false, false]);
        assert_eq!(able("select date_trunc('day', time_logged) from r"), [false, false]);
        let by_day = "select vmta, time_logged >= make_timestamp(86400000000) from r";
        assert_eq!(able_by(by_day, true), [true, false], "days are told apart");
        let as_it_stands = "select sum(records) from hours_stored".to_owned();
        assert!(!tells(&TIERS[0], &of(as_it_stands, false)));
    }
}
