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
}
