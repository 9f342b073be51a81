//! What one of many machines does at a time: a note says whose turn it is, and until when by the
//! server's clock, so that it does not matter whose own clock is wrong. A turn keeps others from doing the
//! same work; what must not happen twice is kept by commits, and by [`Note::write`].

use pmtaq_bucket::random;
use serde_json::{Value, json};

use super::Remote;
use super::note::Note;
use crate::error::Result;
use crate::layout;

/// Whose turn it is.
#[derive(Debug)]
pub enum Turn {
    /// The asker's.
    Mine(Held),
    /// Another machine's.
    Of {
        /// Which.
        holder: String,
        /// Until when at least, in seconds since 1970.
        until: i64,
    },
}

/// A turn that was taken. Dropped, it lasts until its end.
#[derive(Debug)]
pub struct Held {
    /// None where there are no other machines.
    note: Option<Note>,
    holder: String,
}

impl Turn {
    /// That of who is alone.
    pub(crate) fn alone(holder: &str) -> Turn {
        Turn::Mine(Held { note: None, holder: holder.to_owned() })
    }
}

impl Remote {
    /// Takes the turn at `what` for so many seconds, unless it is another's. Who has it already goes on.
    pub(crate) fn take_turn(&self, what: &str, holder: &str, seconds: i64) -> Result<Turn> {
        let mut note = self.note_at(layout::turn(self.dir(), what));
        loop {
            let (there, now) = match note.read()? {
                Some((bytes, now)) => (serde_json::from_slice(&bytes).unwrap_or(Value::Null), now),
                None => (Value::Null, self.root()?.now),
            };
            let of = there["holder"].as_str().unwrap_or_default();
            let until = there["until"].as_i64().unwrap_or(0);
            if of != holder && now.is_some_and(|now| now < until) {
                return Ok(Turn::Of { holder: of.to_owned(), until });
            }
            let until = now.unwrap_or(0) + seconds;
            if note.write(&said(holder, until))? {
                return Ok(Turn::Mine(Held { note: Some(note), holder: holder.to_owned() }));
            }
        }
    }
}

impl Held {
    /// Goes on for so many seconds more. One that has ended meanwhile may be another's, and stays so.
    ///
    /// # Errors
    /// [`crate::Error::Bucket`].
    pub fn prolong(&mut self, seconds: i64) -> Result<()> {
        let Some(note) = &mut self.note else { return Ok(()) };
        let is_mine = |bytes: &[u8]| {
            serde_json::from_slice(bytes).is_ok_and(|of: Value| of["holder"] == *self.holder)
        };
        match note.read()? {
            Some((bytes, now)) if is_mine(&bytes) => {
                note.write(&said(&self.holder, now.unwrap_or(0) + seconds)).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Ends it now.
    ///
    /// # Errors
    /// [`crate::Error::Bucket`].
    pub fn end(mut self) -> Result<()> {
        self.prolong(0)
    }
}

/// What the note says; the number tells it from one of the same holder and second.
fn said(holder: &str, until: i64) -> Vec<u8> {
    let nonce = format!("{:016x}", random());
    format!("{}\n", json!({"holder": holder, "until": until, "nonce": nonce})).into_bytes()
}
