//! Which stretch of time a report is asked for, and which it must read. Reads nothing.

use pmtaq_schema::Window;

/// What a report reads beside the window that is asked for. The window is `$since` and `$until`;
/// `$reads` is where reading begins. The others name a parameter: how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Nothing.
    #[default]
    Window,
    /// `previous`: as much time before it, to compare with.
    Previous,
    /// `before PARAM`: what was before it.
    Before(String),
    /// `after PARAM`: what came after it.
    After(String),
    /// `around PARAM`: both.
    Around(String),
}

impl Reach {
    /// Whether `param` says how far.
    pub fn names(&self, param: &str) -> bool {
        match self {
            Reach::Window | Reach::Previous => false,
            Reach::Before(name) | Reach::After(name) | Reach::Around(name) => name == param,
        }
    }
}

/// Whether a column of times lies in a window, in SQL. In numbers of ours, so nothing is to be bound.
pub(crate) fn within(column: &str, window: Window) -> String {
    let (since, until) = (window.since.micros(), window.until.micros());
    format!("({column} >= make_timestamp({since}) and {column} < make_timestamp({until}))")
}

/// A window that is asked for, and the one that must be read to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// What is asked for.
    pub window: Window,
    /// What must be read.
    pub reads: Window,
}

impl Scope {
    /// All times.
    pub const ALL: Scope = Scope { window: Window::ALL, reads: Window::ALL };

    /// A statement without those comparisons with the window that hold for all that is read: each would cost the
    /// column in every record.
    pub(crate) fn compared(self, sql: &str) -> String {
        let comparisons = [
            (self.window.since <= self.reads.since, "time_logged >= $since"),
            (self.reads.until <= self.window.until, "time_logged < $until"),
        ];
        let holding = comparisons.iter().filter(|(holds, _)| *holds);
        holding.fold(sql.to_owned(), |sql, (_, comparison)| {
            [" ", "("].iter().fold(sql, |sql, before| {
                sql.replace(&format!("{before}{comparison}"), &format!("{before}true"))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use pmtaq_schema::Timestamp;

    use super::*;

    #[test]
    fn a_time_is_compared_with_the_window_where_more_is_read() {
        let of = |since, until| Window { since: Timestamp(since), until: Timestamp(until) };
        let sql = "where time_logged >= $since and f(time_logged < $until) having min(time_logged) >= $since";
        let compared = |reads| Scope { window: of(10, 20), reads }.compared(sql);
        let neither = "where true and f(true) having min(time_logged) >= $since";
        assert_eq!(compared(of(10, 20)), neither);
        assert_eq!(compared(of(9, 20)), sql.replace("time_logged < $until", "true"));
        assert_eq!(compared(of(10, 21)), sql.replace("time_logged >= $since and", "true and"));
        assert_eq!(compared(of(9, 21)), sql);
    }
}
