//! Reply texts reduced to templates: what differs from message to message is masked, so that ten
//! million replies come to a few hundred reasons. One pass, no regular expression, no allocation.
//!
//! The masks are `{ip}`, `{email}`, `{host}`, `{id}`, `{time}` and `{n}`. Never masked: the SMTP
//! code, enhanced codes, a provider's own codes (`[TSS04]`, `(S3140)`), words, the pages of known
//! providers and the names of blocklists: they are the reason.

mod class;
mod date;
mod fold;
mod kind;
mod link;
mod masker;
mod names;
mod token;

use self::class::{
    AT, DELIMITER, DIGIT, DOT, LOWER, NAME, SIGN, SLASH, SPACE, UPPER, is, is_gap, word,
};
pub use self::fold::folded;
use self::masker::{EMAIL, HOST, ID, MAX, Masker, TIME};
use crate::reply::{Reply, enhanced, smtp_code};

/// Appends the template of a reply: `550 5.1.1 text` with `text` masked. Where there is no reply,
/// the template is that of `dsn_status`.
pub fn template_of(reply: &Reply<'_>, dsn_status: &str, out: &mut String) {
    let start = out.len();
    if let Some(code) = reply.smtp_code {
        for digit in [code / 100, code / 10, code] {
            out.push(char::from(b'0' + (digit % 10) as u8));
        }
    }
    if let Some(code) = reply.enhanced_code.filter(|_| reply.enhanced_in_reply) {
        if out.len() > start {
            out.push(' ');
        }
        out.push_str(code);
    }
    let nothing_yet = out.len() == start && reply.text.is_empty();
    let text = if nothing_yet { dsn_status } else { reply.text };
    let text = once(text.trim_ascii(), reply);
    Masker { text, reply, out, start, run: 0, id_follows: false }.scan();
}

/// A text without the codes that some receivers say again: `550 5.1.1 5.1.1 <jane>`, `550 550 <jane>`.
fn once<'t>(text: &'t str, reply: &Reply<'_>) -> &'t str {
    let code = reply.enhanced_code.filter(|_| reply.enhanced_in_reply);
    let text = match smtp_code(text) {
        (again @ Some(_), _, rest) if again == reply.smtp_code && !rest.is_empty() => rest,
        _ => text,
    };
    match enhanced(text) {
        Some((again, rest)) if Some(again) == code && !rest.is_empty() => rest,
        _ => text,
    }
}

impl Masker<'_, '_> {
    fn scan(&mut self) {
        let bytes = self.text.as_bytes();
        let mut pos = 0;
        if self.out.len() > self.start {
            self.out.push(' ');
        }
        loop {
            let gap = pos;
            while pos < bytes.len() && is(SPACE, bytes[pos]) {
                pos += 1;
            }
            let long = self.out.len() - self.start + (gap - self.run.min(gap)) > MAX;
            if pos == bytes.len() || long {
                self.copy_until(gap);
                break;
            }
            if gap == 0 {
                self.run = pos;
            } else if pos - gap > 1 || (pos > gap && bytes[gap] != b' ') {
                self.replace(gap, pos, " ");
            }
            let from = pos;
            let (len, bits) = word(&bytes[from..]);
            pos += len;
            if bits & (DIGIT | AT | SLASH | SIGN) != 0 || !self.is_plain(from, pos, bits) {
                pos = self.word(from, pos, bits);
            }
        }
        self.end();
    }

    /// Whether a word without digits, `@`, `/`, `=` and `<` can stand as it is.
    fn is_plain(&mut self, from: usize, to: usize, bits: u32) -> bool {
        let word = &self.text.as_bytes()[from..to];
        if self.id_follows {
            return false;
        }
        if word == b"as" {
            self.id_follows = self.text[..from].ends_with("ueued ");
            return true;
        }
        if bits & UPPER != 0 && word.len() <= 4 && date::begins(word) {
            return false;
        }
        if bits & DOT != 0 {
            let last = word.iter().rposition(u8::is_ascii_alphanumeric).unwrap_or(0);
            if word[..last].contains(&b'.') {
                return false;
            }
        }
        if to == self.text.len() && self.is_account(from) {
            return false;
        }
        word.len() < 8
            || bits & (LOWER | UPPER) == LOWER && word.len() < 12
            || !kind::is_scrambled(word)
    }

    /// Whether the last word of a text is an account: `unknown user: jane`.
    fn is_account(&self, from: usize) -> bool {
        let Some(before) = self.text[..from].trim_end_matches(['"', '\'']).strip_suffix(": ")
        else {
            return false;
        };
        let word = before.rsplit([' ', ':']).next().unwrap_or_default();
        ["user", "mailbox", "account", "recipient", "alias", "unknown"]
            .iter()
            .any(|name| word.eq_ignore_ascii_case(name))
    }

    /// Masks within a word, and returns where to go on, which is behind it when it begins a date.
    fn word(&mut self, from: usize, to: usize, bits: u32) -> usize {
        let bytes = self.text.as_bytes();
        if std::mem::take(&mut self.id_follows) && bytes[from] != b'{' {
            let mask_to =
                from + self.text[from..to].trim_end_matches(['.', ';', ']', ')', '>']).len();
            self.replace(from, mask_to, ID);
            return to;
        }
        if let Some(end) = self.repeated_codes(from, to) {
            self.replace(from, end, "");
            return end;
        }
        if let Some(end) = date::date(bytes, from) {
            self.replace(from, end, TIME);
            return end;
        }
        if to == self.text.len() && bits & (LOWER | AT) == LOWER && self.is_account(from) {
            let bare = self.text[from..to].trim_matches(['"', '\'', '.', '<', '>']);
            let at = from + self.text[from..to].find(bare).unwrap_or(0);
            self.replace(at, at + bare.len(), EMAIL);
            return to;
        }
        let mut bits = bits;
        if bits & SLASH != 0 && link::scheme(&bytes[from..to]).is_none() {
            bits &= !SLASH;
        }
        let mut pos = from;
        if bits & AT != 0 && bits & SLASH == 0 {
            while let Some((left, right)) = token::address(bytes, self.run, pos, to) {
                self.tokens(pos, left, bits);
                self.replace(left, right, EMAIL);
                pos = right;
            }
        }
        self.tokens(pos, to, bits);
        to
    }

    /// The end of codes that a reply of several lines repeats on each: `550-5.7.26 ... 550 5.7.26`.
    fn repeated_codes(&self, from: usize, to: usize) -> Option<usize> {
        let code = self.reply.smtp_code.filter(|_| self.reply.continued)?;
        let bytes = self.text.as_bytes();
        let digits = bytes[from..to].get(..3).filter(|d| d.iter().all(u8::is_ascii_digit))?;
        let repeated = digits.iter().fold(0, |n, d| n * 10 + u16::from(d - b'0')) == code;
        let mark = bytes.get(from + 3).is_none_or(|&b| b == b'-' || is(SPACE, b));
        if !repeated || !mark {
            return None;
        }
        let rest = self.text[from + 3..].trim_start_matches(|c| c == '-' || is_gap(c));
        let rest = match enhanced(rest) {
            Some((again, behind)) if Some(again) == self.reply.enhanced_code => behind,
            _ => rest,
        };
        Some(self.text.len() - rest.trim_start_matches(is_gap).len())
    }

    /// Masks the tokens between `from` and `to`, which are within one word; of its `bits`, `SLASH` says
    /// that it holds a link. Most words are one token.
    fn tokens(&mut self, from: usize, to: usize, bits: u32) {
        let bytes = &self.text.as_bytes()[..to];
        let mut pos = from;
        while pos < to {
            if is(DELIMITER, bytes[pos]) {
                pos = self.bracketed(pos, to).unwrap_or(pos + 1);
                continue;
            }
            let mut end = if bits & DELIMITER == 0 { to } else { pos };
            while end < to && (!is(DELIMITER, bytes[end]) || self.groups(end, to)) {
                end += 1;
            }
            pos = if bits & SLASH != 0 && link::scheme(&bytes[pos..end]).is_some() {
                self.link(pos, to)
            } else {
                self.token(pos, end, to)
            };
        }
    }

    /// Whether the comma at `at` parts the thousands of a number: `12,345`.
    fn groups(&self, at: usize, to: usize) -> bool {
        let bytes = &self.text.as_bytes()[..to];
        let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        bytes[at] == b','
            && at > 0
            && digit(at - 1)
            && (1..=3).all(|n| digit(at + n))
            && !bytes.get(at + 4).is_some_and(u8::is_ascii_alphanumeric)
    }

    /// What a bracket says of its only word: `<jane>` is an account, `[505]` a provider's code.
    fn bracketed(&mut self, open: usize, to: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let close = match bytes[open] {
            b'<' => b'>',
            b'[' => b']',
            b'(' => b')',
            _ => return None,
        };
        let from = open + 1;
        let end = from + bytes[from..to].iter().position(|&b| b == close)?;
        let inner = &bytes[from..end];
        if close == b'>' {
            let name = inner.iter().all(|b| is(NAME | DOT, *b));
            let lower = inner.iter().any(u8::is_ascii_lowercase);
            if !name || !lower {
                return None;
            }
            let host = names::host(&self.text[from..end]).is_some();
            self.replace(from, end, if host { HOST } else { EMAIL });
            return Some(end);
        }
        // `AS(201806281)` and `(AS201806281)`.
        let spam = close == b')' && self.text[..open].ends_with("AS");
        let code = kind::is_bracketed_code(inner, close) || (spam && kind::all_digits(inner));
        code.then_some(end)
    }
}

#[cfg(test)]
mod tests;
