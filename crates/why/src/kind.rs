//! What is counted. Counts nothing.

/// What was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Recipients handed to PMTA.
    Injected,
    /// Recipients delivered.
    Delivered,
    /// Recipients bounced synchronously, of the class that is asked about.
    Bounced,
    /// Recipients bounced synchronously, of other classes.
    Aside,
    /// Recipients that were tried, deferred, and neither delivered nor bounced in the period.
    Held,
    /// Attempts that were deferred (`t` records).
    Deferred,
    /// Asynchronous bounces (`rb` records).
    Remote,
    /// Complaints (`f` records).
    Complained,
    /// Deliveries of the kind that is asked about, later than usual or not encrypted; the others
    /// are [`Kind::Delivered`].
    Marked,
    /// Recipients that waited in the queue at the end of the period.
    Waiting,
    /// The same at its begin.
    WaitedBefore,
    /// Recipients that came into the queue in the period.
    CameIn,
    /// Recipients that left it, delivered or bounced.
    WentOut,
}

impl Kind {
    /// All kinds, with the word that the SQL of `sql/why` has for each.
    pub const ALL: [(Kind, &str); 13] = [
        (Kind::Injected, "injected"),
        (Kind::Delivered, "delivered"),
        (Kind::Bounced, "bounced"),
        (Kind::Aside, "aside"),
        (Kind::Held, "held"),
        (Kind::Deferred, "deferred"),
        (Kind::Remote, "remote"),
        (Kind::Complained, "complained"),
        (Kind::Marked, "marked"),
        (Kind::Waiting, "waiting"),
        (Kind::WaitedBefore, "waited-before"),
        (Kind::CameIn, "came-in"),
        (Kind::WentOut, "went-out"),
    ];

    pub(crate) fn parse(word: &str) -> Option<Kind> {
        Kind::ALL.iter().find(|(_, name)| *name == word).map(|(kind, _)| *kind)
    }
}
