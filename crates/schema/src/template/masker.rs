//! Copies a reply text, with masks in place of what differs from message to message. Knows what is
//! written instead, not what is masked.

use crate::reply::Reply;

pub(super) const IP: &str = "{ip}";
pub(super) const EMAIL: &str = "{email}";
pub(super) const HOST: &str = "{host}";
pub(super) const ID: &str = "{id}";
pub(super) const TIME: &str = "{time}";
pub(super) const N: &str = "{n}";

/// Bytes of a template that are kept; it ends with a whole word.
pub(super) const MAX: usize = 300;

/// Copies a text from its start to its end, but for what is replaced on the way.
pub(super) struct Masker<'a, 'o> {
    pub(super) text: &'a str,
    pub(super) reply: &'a Reply<'a>,
    pub(super) out: &'o mut String,
    /// Where the template begins in `out`.
    pub(super) start: usize,
    /// Where the text begins that is looked at but not yet copied.
    pub(super) run: usize,
    /// The last words were `queued as`.
    pub(super) id_follows: bool,
}

impl Masker<'_, '_> {
    pub(super) fn copy_until(&mut self, to: usize) {
        if self.run < to {
            self.out.push_str(&self.text[self.run..to]);
            self.run = to;
        }
    }

    /// Copies what is not yet copied up to `from`, then writes `mask` instead of `from..to`.
    pub(super) fn replace(&mut self, from: usize, to: usize, mask: &str) {
        self.copy_until(from);
        self.run = to;
        // Two identifiers side by side say no more than one.
        if mask == ID && self.out[self.start..].ends_with("{id} ") {
            self.out.pop();
        } else {
            self.out.push_str(mask);
        }
    }

    /// Cuts at the last space that fits, so that no half word, code or mask is left; but a text may
    /// be without spaces.
    pub(super) fn end(&mut self) {
        if self.out.len() - self.start > MAX {
            let mut cut = self.start + MAX;
            while !self.out.is_char_boundary(cut) {
                cut -= 1;
            }
            let space = self.out[self.start..cut].rfind(' ').filter(|&at| at > MAX / 2);
            self.out.truncate(space.map_or(cut, |at| self.start + at));
        }
        let template = self.out[self.start..].trim_end_matches(' ').len();
        self.out.truncate(self.start + template);
    }
}
