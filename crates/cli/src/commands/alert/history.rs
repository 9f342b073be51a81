//! What rules ask about the past, at each step of it: measured day by day, and kept as far back as usual
//! values look. Rules that differ in nothing but their limits ask once. Judges nothing.

use pmtaq_alert::{Rule, Seconds};
use pmtaq_query::Measured;
use pmtaq_schema::Timestamp;
use pmtaq_schema::time::DAY_S;

use super::observe::{USUAL_DAYS, Watcher, question};
use crate::failure::Result;

/// A question of rules, and its numbers at steps of the past.
struct Asked<'r> {
    text: String,
    /// The first rule that asks it.
    rule: &'r Rule,
    window: Seconds,
    /// How long before a step its numbers are still wanted.
    back_s: i64,
    measured: Measured,
    /// The first step that is not measured yet.
    next: Timestamp,
}

/// The numbers of all rules while time goes on.
pub(super) struct History<'r> {
    asked: Vec<Asked<'r>>,
    /// The first and the last step, and the seconds between two.
    first: Timestamp,
    last: Timestamp,
    every: i64,
}

impl<'r> History<'r> {
    /// Of steps from `first` to `last`, which lie `every` seconds apart; a day has whole ones.
    pub(super) const fn new(first: Timestamp, last: Timestamp, every: i64) -> History<'r> {
        History { asked: Vec::new(), first, last, every }
    }

    /// Adds what `rule` asks about one of its windows, and returns the place by which its numbers are found.
    pub(super) fn add(&mut self, rule: &'r Rule, window: Seconds) -> Result<usize> {
        let text = question(rule, window)?;
        // An hour more, since the local clock may have changed.
        let usual_s = i64::from(USUAL_DAYS) * DAY_S + 3600;
        let back_s = if rule.needs_usual() { usual_s } else { 0 };
        let known = self.asked.iter().position(|asked| asked.text == text);
        let place = known.unwrap_or(self.asked.len());
        if known.is_none() {
            let (measured, next) = (Measured::new(), self.first);
            self.asked.push(Asked { text, rule, window, back_s, measured, next });
        }
        let asked = &mut self.asked[place];
        asked.back_s = asked.back_s.max(back_s);
        asked.next = Timestamp(self.first.0 - (asked.back_s / self.every) * self.every);
        Ok(place)
    }

    /// The numbers of what was added as `place`, at `at` and as far before as they are wanted; steps after
    /// it may be among them.
    pub(super) fn up_to(
        &mut self,
        watcher: &mut Watcher<'_>,
        place: usize,
        at: Timestamp,
    ) -> Result<&Measured> {
        let asked = &mut self.asked[place];
        while asked.next <= at {
            let midnight = Timestamp(asked.next.0 - 1).day().start().0 + DAY_S;
            let n = (midnight.min(self.last.0) - asked.next.0) / self.every + 1;
            let last = Timestamp(asked.next.0 + (n - 1) * self.every);
            let day = watcher.measure_past(asked.rule, asked.window, last, self.every, n)?;
            asked.measured.extend(day);
            asked.next = Timestamp(last.0 + self.every);
            asked.measured = asked.measured.split_off(&Timestamp(at.0 - asked.back_s));
        }
        Ok(&asked.measured)
    }
}
