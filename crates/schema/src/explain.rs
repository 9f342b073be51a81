//! What a reply means, whose fault it is, and what usually helps. The knowledge is data
//! (`data/explain.txt`), each entry with its public source; here is only how an entry is found.

use std::fmt;
use std::sync::LazyLock;

use crate::reply::{Reply, enhanced};

/// One thing that a receiver may mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who says it; `any` for the standard's own meaning of a code.
    pub provider: &'static str,
    /// The codes that it comes with; empty for any.
    pub codes: Vec<Code>,
    /// What all stands in the reply, in lower case.
    pub words: Vec<String>,
    /// Whose fault it is: one of [`FAULTS`].
    pub fault: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What usually helps.
    pub remedy: &'static str,
    /// Where the fact is published.
    pub source: &'static str,
}

/// Whose fault a reply can be.
pub const FAULTS: &[(&str, &str)] = &[
    ("recipient", "the recipient: the address or its mailbox"),
    ("reputation", "the reputation of our address or domain"),
    ("content", "the content of the message"),
    ("authentication", "SPF, DKIM or DMARC"),
    ("receiver", "the receiver: a fault or a rule of its own"),
    ("own", "our own side: configuration, rate or list"),
];

/// A code, or a range of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A reply code, such as 421.
    Smtp(u16),
    /// An enhanced code.
    Enhanced {
        /// 4 or 5; none for both.
        class: Option<u16>,
        /// The middle number.
        subject: u16,
        /// First and last of the details.
        details: (u16, u16),
    },
}

/// All entries, in the order of their file.
pub fn entries() -> &'static [Entry] {
    static ALL: LazyLock<Vec<Entry>> =
        LazyLock::new(|| parse(include_str!("../data/explain.txt")).expect("tested below"));
    &ALL
}

/// What `text` means, the likeliest first: a reply, its template, or a code alone. A whole reply
/// has one meaning of its receiver at most, and one of the standard; a code alone may have many.
pub fn explain(text: &str) -> Vec<&'static Entry> {
    let text = text.trim();
    let (smtp, code, rest) = codes(text);
    let fits = |entry: &Entry| entry.codes.iter().any(|known| known.fits(smtp, code));
    if rest.is_empty() {
        // A code alone: by the enhanced one, which says more, if there is any.
        let (own, standard): (Vec<&Entry>, Vec<&Entry>) =
            entries().iter().filter(|entry| fits(entry)).partition(|entry| entry.provider != "any");
        let own = own.into_iter().filter(|_| code.is_some());
        return standard.into_iter().chain(own).collect();
    }
    let lower = text.to_lowercase();
    let holds = |entry: &&Entry| {
        !entry.words.is_empty()
            && entry.words.iter().all(|word| lower.contains(word.as_str()))
            && (entry.codes.is_empty() || fits(entry))
    };
    let weight = |entry: &Entry| entry.words.iter().map(String::len).sum::<usize>();
    let own = entries().iter().filter(holds).max_by_key(|entry| weight(entry));
    let standard = entries().iter().find(|entry| entry.provider == "any" && fits(entry));
    let found: Vec<&Entry> = own.into_iter().chain(standard).collect();
    if !found.is_empty() {
        return found;
    }
    // A provider's own code alone, such as TSS04 or S3140.
    let bare = lower.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let named = |entry: &&Entry| {
        bare.len() > 3 && !bare.contains(' ') && entry.words.iter().any(|word| word.contains(bare))
    };
    entries().iter().filter(named).collect()
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

impl Code {
    fn parse(text: &str) -> Option<Code> {
        let parts: Vec<&str> = text.split('.').collect();
        match parts.as_slice() {
            [smtp] => Some(Code::Smtp(smtp.parse().ok()?)),
            [class, subject, details] => {
                let class = if *class == "*" { None } else { Some(class.parse().ok()?) };
                let (first, last) = details.split_once('-').unwrap_or((details, details));
                let details = (first.parse().ok()?, last.parse().ok()?);
                Some(Code::Enhanced { class, subject: subject.parse().ok()?, details })
            }
            _ => None,
        }
    }

    fn fits(&self, smtp: Option<u16>, code: Option<&str>) -> bool {
        match self {
            Code::Smtp(known) => smtp == Some(*known),
            Code::Enhanced { class, subject, details } => {
                let mut numbers =
                    code.into_iter().flat_map(|code| code.split('.')).map(str::parse::<u16>);
                let mut next = || numbers.next().and_then(std::result::Result::ok);
                let (Some(c), Some(s), Some(d)) = (next(), next(), next()) else { return false };
                class.map_or(c == 4 || c == 5, |class| class == c)
                    && *subject == s
                    && (details.0..=details.1).contains(&d)
            }
        }
    }
}

impl fmt::Display for Code {
    /// As the file spells it, with both classes: `4.7.26/5.7.26`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, subject, (first, last)) = match self {
            Code::Smtp(code) => return write!(f, "{code}"),
            Code::Enhanced { class, subject, details } => (class, subject, details),
        };
        let details = if first == last { first.to_string() } else { format!("{first}-{last}") };
        match class {
            Some(class) => write!(f, "{class}.{subject}.{details}"),
            None => write!(f, "4.{subject}.{details}/5.{subject}.{details}"),
        }
    }
}

/// Reads the entries; the first line of another form is the error.
fn parse(text: &'static str) -> std::result::Result<Vec<Entry>, String> {
    let mut all: Vec<Entry> = Vec::new();
    for line in
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let wrong = || line.to_owned();
        if let Some(head) = line.strip_prefix("> ") {
            let cells: Vec<&str> = head.split('|').map(str::trim).collect();
            let [provider, codes, words] = cells[..] else { return Err(wrong()) };
            let codes = codes.split_whitespace().map(Code::parse).collect::<Option<_>>();
            let words = words.split(';').map(|word| word.trim().to_lowercase());
            all.push(Entry {
                provider,
                codes: codes.ok_or_else(wrong)?,
                words: words.filter(|word| !word.is_empty()).collect(),
                fault: "",
                meaning: "",
                remedy: "",
                source: "",
            });
            continue;
        }
        let (key, value) = line.split_once(": ").ok_or_else(wrong)?;
        let entry = all.last_mut().ok_or_else(wrong)?;
        match key {
            "fault" => entry.fault = value,
            "means" => entry.meaning = value,
            "do" => entry.remedy = value,
            "source" => entry.source = value,
            _ => return Err(wrong()),
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_complete_and_has_a_public_source() {
        assert!(entries().len() > 100);
        for entry in entries() {
            let name = (entry.provider, &entry.codes, &entry.words);
            assert!(FAULTS.iter().any(|(fault, _)| *fault == entry.fault), "{name:?}");
            assert!(entry.meaning.ends_with('.') && entry.remedy.ends_with('.'), "{name:?}");
            assert!(entry.source.starts_with("http"), "{name:?}");
            assert_eq!(entry.provider == "any", entry.words.is_empty(), "{name:?}");
            assert!(!entry.codes.is_empty() || !entry.words.is_empty(), "{name:?}");
        }
    }

    fn of(text: &str) -> Vec<(&'static str, &'static str)> {
        explain(text).iter().map(|entry| (entry.provider, entry.fault)).collect()
    }

    #[test]
    fn a_reply_is_explained_by_its_receiver_and_by_the_standard() {
        let reply = "smtp;421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to \
                     unexpected volume or user complaints";
        assert_eq!(of(reply), [("yahoo", "reputation"), ("any", "reputation")]);
        assert!(explain(reply)[0].words.contains(&"[tss04]".to_owned()));
        let reply = "550-5.7.26 This mail has been blocked because the sender is unauthenticated. \
                     550-5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM.";
        assert_eq!(of(reply), [("gmail", "authentication"), ("any", "authentication")]);
        // The template of a report does as well as the reply itself.
        let template = "550 5.7.1 Unfortunately, messages from [{ip}] weren't sent. Please contact \
                        your Internet service provider since part of their network is on our block \
                        list (S3140).";
        assert_eq!(of(template)[0], ("microsoft", "reputation"));
        assert_eq!(of("550 5.1.1 <{email}>: user does not exist"), [("any", "recipient")]);
        assert_eq!(of("5.4.7 (delivery time expired)"), [("any", "receiver")]);
        assert_eq!(of("550 5.7.611 Access denied, banned sending IP [{ip}]")[0].0, "microsoft");
        assert!(of("250 2.0.0 OK").is_empty());
    }

    #[test]
    fn a_code_alone_has_the_meaning_of_the_standard_first() {
        let all = of("5.7.26");
        assert_eq!(all[0].0, "any");
        assert!(all.len() > 2 && all[1..].iter().all(|entry| entry.0 == "gmail"));
        assert_eq!(of("TSS04"), [("yahoo", "reputation")]);
        assert_eq!(of("[S3140]"), [("microsoft", "reputation")]);
        for nothing in ["", " ", "x", "999", "9.9.9", "\u{fc}\u{fc}\u{fc}", "5.7.", "smtp;"] {
            assert!(of(nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn a_pasted_reply_has_the_template_of_the_store() {
        let template = template("550 5.1.1 <user@example.com>: user does not exist");
        assert_eq!(template, "550 5.1.1 <{email}>: user does not exist");
        assert_eq!(super::template(&template), template);
    }
}
