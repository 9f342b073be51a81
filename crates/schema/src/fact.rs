//! What a record may have or lack, so that numbers of it can be known or not: the closed list.
//! Says what each is made of; counts nothing.

use crate::columns::index_of;

/// Something that a record has when one of several columns says it.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    /// Its name: that of its column, if it has one alone.
    pub name: &'static str,
    /// What says it, by positions in [`crate::COLUMNS`].
    pub said_by: &'static [Said],
}

/// A column that says something of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// By any value.
    Value(usize),
    /// By a text that does not begin like a status code, `5.1.1 (...)`, which stands where no reply was
    /// logged.
    Words(usize),
}

const fn column(name: &'static str, said_by: &'static [Said; 1]) -> Fact {
    Fact { name, said_by }
}

/// A fact of one column.
macro_rules! of {
    ($name:literal) => {
        column($name, &[Said::Value(index_of($name))])
    };
}

const CODE: Said = Said::Value(index_of("smtp_code"));
const WORDS: Said = Said::Words(index_of("template"));

/// All of them. A list of parts names those that it counts, so that one may be added here.
pub const FACTS: &[Fact] = &[
    of!("time_queued"),
    of!("sender_domain"),
    of!("rcpt_domain"),
    of!("provider"),
    of!("vmta"),
    of!("queue"),
    of!("vmta_pool"),
    of!("job_id"),
    of!("env_id"),
    of!("src_type"),
    of!("user_string"),
    of!("format"),
    of!("mx"),
    of!("bounce_cat"),
    of!("dlv_source_ip"),
    of!("dlv_destination_ip"),
    of!("dlv_size"),
    of!("dlv_tls_protocol"),
    of!("dlv_tls_cipher"),
    // What the receiver replied, not only its status.
    Fact { name: "reply", said_by: &[CODE, WORDS] },
    // That a receiver was reached, by its address or its reply.
    Fact {
        name: "receiver",
        said_by: &[
            Said::Value(index_of("dlv_destination_ip")),
            Said::Value(index_of("dsn_mta")),
            CODE,
            WORDS,
        ],
    },
    // Why a recipient bounced.
    Fact {
        name: "bounce_reason",
        said_by: &[Said::Value(index_of("template")), Said::Value(index_of("bounce_cat"))],
    },
];

impl Said {
    /// Whether `text` says it, of columns of text.
    pub fn is_in(self, text: &[u8]) -> bool {
        match self {
            Said::Value(_) => true,
            Said::Words(_) => !matches!(text, [b'2' | b'4' | b'5', b'.', ..]),
        }
    }

    /// The position of the column.
    pub const fn column(self) -> usize {
        match self {
            Said::Value(column) | Said::Words(column) => column,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_no_reply() {
        let words = Said::Words(0);
        assert!(words.is_in(b"550 no such user") && words.is_in(b"") && words.is_in(b"5"));
        assert!(!words.is_in(b"5.1.1 (bad destination)") && !words.is_in(b"2.0.0"));
        assert!(Said::Value(0).is_in(b"5.1.1"));
    }
}
