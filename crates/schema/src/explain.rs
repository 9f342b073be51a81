//! What a reply means, whose fault it is, whether its mailbox is dead, and what usually helps. The
//! knowledge is data (`data/explain.txt`, `data/texts.txt`), each entry with its public source; here
//! is only how an entry is found.
//!
//! It is asked of templates, of which there are few, and not of records, of which there are many.

mod code;
mod data;
mod family;
mod phrase;

use std::sync::LazyLock;

pub use self::code::Code;
use self::data::ANYONE;
pub use self::family::family;
use self::phrase::{Phrase, Words};
use crate::reply::{Reply, enhanced};

/// One thing that a receiver may mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Who says it; `any` for the standard's own meaning of a code.
    pub provider: &'static str,
    /// The codes that it comes with; empty for any.
    pub codes: Vec<Code>,
    /// The codes that it does not come with.
    unless: Vec<Code>,
    /// What all stands in the reply, in lower case.
    pub words: Vec<String>,
    /// What all is said in the reply, by its words alone.
    phrases: Vec<Phrase>,
    /// Whose fault it is: one of [`FAULTS`].
    pub fault: &'static str,
    /// Whether no mail will ever reach the address, if the code is a permanent one.
    pub is_dead: bool,
    /// Its words say so little that a code which says more goes before them.
    is_weak: bool,
    /// Its code says more than words which say little.
    is_sure: bool,
    /// What it means.
    pub meaning: &'static str,
    /// What usually helps.
    pub remedy: &'static str,
    /// Where the fact is published.
    pub source: &'static str,
}

/// Whose fault a reply can be: the values of the column `reply_fault` but the last, which is null there.
pub const FAULTS: &[(&str, &str)] = &[
    ("mailbox", "the mailbox: unknown, closed or full"),
    ("domain", "the recipient's domain: it does not exist, or takes no mail"),
    ("sender", "the sender's address or domain: its reputation, SPF, DKIM, DMARC"),
    ("ip", "our address: its reputation, a blocklist, reverse DNS"),
    ("content", "the message: spam, a virus, its size or form"),
    ("policy", "a rule or a limit of the receiver: rate, greylisting, whom it takes mail from"),
    ("receiver", "the receiver: trouble of its own"),
    (OWN, "our own side: configuration, protocol, or an operator"),
    (UNKNOWN, "not said"),
];

/// The fault of what our own side did or lacks.
pub const OWN: &str = "own";
const UNKNOWN: &str = "unknown";

/// What is known of a reply.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// What says so.
    pub entry: &'static Entry,
    /// Whether the mailbox is dead: by what the reply says, and by its code, which is a permanent one
    /// or lacks.
    pub is_dead: bool,
}

impl Entry {
    /// Whether it is told by phrases that many servers share, and not by words and codes.
    pub fn is_of_anyone(&self) -> bool {
        self.provider == ANYONE
    }
}

impl Known {
    /// Whose fault it is; none where the reply does not say.
    pub fn fault(&self) -> Option<&'static str> {
        Some(self.entry.fault).filter(|fault| *fault != UNKNOWN)
    }
}

/// All entries, in the order of their files: the standard and single receivers, then many servers.
pub fn entries() -> &'static [Entry] {
    static ALL: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        let mut all = data::parse(data::NAMED, true).expect("tested below");
        all.extend(data::parse(data::TEXTS, false).expect("tested below"));
        all
    });
    &ALL
}

/// What is known of the reply with this template; none of a delivery, and where nothing is known.
pub fn known(template: &str) -> Option<Known> {
    let (smtp, code, rest) = codes(template);
    let of_class = |class: u16| match (smtp, code) {
        (Some(smtp), _) => smtp / 100 == class,
        (None, code) => code.is_some_and(|code| code.starts_with(char::from(b'0' + class as u8))),
    };
    if of_class(2) {
        return None;
    }
    let entry = meaning(template, rest, smtp, code)?;
    Some(Known { entry, is_dead: entry.is_dead && !of_class(4) })
}

/// The entry that says what a template means: what single receivers say, what many say, a code that
/// says much, words that say little, a code that says little.
fn meaning(
    template: &str,
    text: &str,
    smtp: Option<u16>,
    code: Option<&str>,
) -> Option<&'static Entry> {
    let lower = template.to_lowercase();
    let fits = |entry: &&Entry| {
        (entry.codes.is_empty() || entry.codes.iter().any(|known| known.fits(smtp, code)))
            && !entry.unless.iter().any(|known| known.fits(smtp, code))
    };
    let holds =
        |entry: &&Entry| !entry.words.is_empty() && entry.words.iter().all(|w| lower.contains(w));
    let weight = |entry: &&Entry| entry.words.iter().map(String::len).sum::<usize>();
    let named = entries().iter().filter(holds).filter(fits).max_by_key(weight);
    if named.is_some() {
        return named;
    }
    let words = [Words::of(text, false), Words::of(text, true)];
    let said = |is_weak: bool| {
        let mut entries =
            entries().iter().filter(|entry| entry.is_of_anyone() && entry.is_weak == is_weak);
        entries.find(|entry| {
            fits(entry) && words.iter().any(|words| entry.phrases.iter().all(|p| p.holds(words)))
        })
    };
    let standard = standard(smtp, code);
    said(false)
        .or_else(|| standard.filter(|entry| entry.is_sure))
        .or_else(|| said(true))
        .or(standard)
}

/// What the standard says of the enhanced code, or of the reply code where that says nothing.
fn standard(smtp: Option<u16>, code: Option<&str>) -> Option<&'static Entry> {
    let of = |smtp: Option<u16>, code: Option<&str>| {
        let mut entries = entries().iter().filter(|entry| entry.provider == "any");
        entries.find(|entry| entry.codes.iter().any(|known| known.fits(smtp, code)))
    };
    let enhanced = of(None, code);
    enhanced.filter(|entry| entry.fault != UNKNOWN).or_else(|| of(smtp, None)).or(enhanced)
}

/// What `text` means, the likeliest first: a reply, its template, or a code alone. A whole reply
/// has one meaning of its receiver at most, and one of the standard; a code alone may have many.
pub fn explain(text: &str) -> Vec<&'static Entry> {
    let text = text.trim();
    let (smtp, code, rest) = codes(text);
    let fits = |entry: &Entry| entry.codes.iter().any(|known| known.fits(smtp, code));
    if rest.is_empty() {
        // A code alone: by the enhanced one, which says more, if there is any.
        let (own, standard): (Vec<&Entry>, Vec<&Entry>) = entries()
            .iter()
            .filter(|entry| fits(entry) && !entry.is_of_anyone())
            .partition(|entry| entry.provider != "any");
        let own = own.into_iter().filter(|_| code.is_some());
        return standard.into_iter().chain(own).collect();
    }
    // A provider's own code alone, such as TSS04 or S3140.
    let lower = text.to_lowercase();
    let bare = lower.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let named = |entry: &&Entry| entry.words.iter().any(|word| word.contains(bare));
    if bare.len() > 3 && bare.bytes().any(|b| b.is_ascii_digit()) && !bare.contains(' ') {
        let found: Vec<&Entry> = entries().iter().filter(named).collect();
        if !found.is_empty() {
            return found;
        }
    }
    let template = template(text);
    let (smtp, code, _) = codes(&template);
    let own = known(&template).map(|known| known.entry);
    let standard = standard(smtp, code).filter(|entry| !own.is_some_and(|own| own == *entry));
    own.into_iter().chain(standard).collect()
}

/// The reply code, the enhanced code and what else stands in a text.
pub fn codes(text: &str) -> (Option<u16>, Option<&str>, &str) {
    if let Some((code, rest)) = enhanced(text) {
        return (None, Some(code), rest);
    }
    let bare = text.strip_prefix("smtp;").unwrap_or(text).trim_start();
    let Some((smtp, rest)) = bare.split_at_checked(3) else { return (None, None, bare) };
    let reply = rest.is_empty() || rest.starts_with([' ', '-']);
    match smtp.parse::<u16>() {
        Ok(code @ 200..=599) if reply => {
            let rest = rest.trim_start_matches([' ', '-', '#']);
            match enhanced(rest) {
                Some((enhanced, rest)) => (Some(code), Some(enhanced), rest),
                None => (Some(code), None, rest),
            }
        }
        _ => (None, None, bare),
    }
}

/// The reply in a text that a user pasted, with or without `smtp;`.
pub fn reply_of(text: &str) -> String {
    let (smtp, _, _) = codes(text.trim());
    let bare = text.trim();
    if smtp.is_some() && !bare.starts_with("smtp;") {
        format!("smtp;{bare}")
    } else {
        bare.to_owned()
    }
}

/// The template that a pasted reply has in the store.
pub fn template(text: &str) -> String {
    let reply = reply_of(text);
    let mut template = String::new();
    crate::template::template_of(&Reply::parse(&reply, ""), "", &mut template);
    template
}

#[cfg(test)]
mod tests;
