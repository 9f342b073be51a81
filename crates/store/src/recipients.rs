//! How a store keeps the addresses of recipients.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How the addresses of recipients are kept: one way for all of a store, since a recipient who is
/// spelt in two ways would count twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recipients {
    /// As they were logged.
    #[default]
    Plain,
    /// As tokens made with a key.
    Hashed {
        /// Which key that is, without telling it: eight digits that follow from it.
        key: String,
    },
    /// As masks, which many recipients share.
    Masked,
}

impl Recipients {
    /// Whether they are kept as they were logged.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Recipients::Plain
    }
}

impl fmt::Display for Recipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Recipients::Plain => f.write_str("as logged"),
            Recipients::Hashed { key } => write!(f, "hashed with the key {key}"),
            Recipients::Masked => f.write_str("masked"),
        }
    }
}
