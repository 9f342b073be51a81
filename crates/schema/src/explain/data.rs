//! Reads the knowledge from its two files: `data/explain.txt` and `data/texts.txt`.

use super::phrase::{Phrase, Sets};
use super::{Code, Entry};

/// What single receivers say, and the standard.
pub(super) const NAMED: &str = include_str!("../../data/explain.txt");
/// What many servers say.
pub(super) const TEXTS: &str = include_str!("../../data/texts.txt");

/// Whose words the entries of [`TEXTS`] are.
pub(super) const ANYONE: &str = "many servers";

/// Reads the entries; the first line of another form is the error.
pub(super) fn parse(text: &'static str, is_named: bool) -> Result<Vec<Entry>, String> {
    let mut all: Vec<Entry> = Vec::new();
    let mut sets = Sets::new();
    // Where the heads begin that share the next lines.
    let mut heads = 0;
    let lines = text.lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let wrong = || line.to_owned();
        if let Some(head) = line.strip_prefix("> ") {
            if all.last().is_some_and(|entry| !entry.source.is_empty()) {
                heads = all.len();
            }
            let entry = if is_named { named(head) } else { phrased(head, &sets) };
            all.push(entry.ok_or_else(wrong)?);
            continue;
        }
        let (key, value) = line.split_once(": ").ok_or_else(wrong)?;
        if let Some(name) = key.strip_prefix('@') {
            sets.insert(name, value.split_whitespace().collect());
            continue;
        }
        for entry in &mut all[heads..] {
            match key {
                "fault" => entry.fault = value,
                "dead" => entry.is_dead = value == "yes",
                "weak" => entry.is_weak = value == "yes",
                "sure" => entry.is_sure = value == "yes",
                "means" => entry.meaning = value,
                "do" => entry.remedy = value,
                "source" => entry.source = value,
                _ => return Err(wrong()),
            }
        }
    }
    Ok(all)
}

/// `provider | codes | words`.
fn named(head: &'static str) -> Option<Entry> {
    let cells: Vec<&str> = head.split('|').map(str::trim).collect();
    let [provider, codes, words] = cells[..] else { return None };
    let codes = codes.split_whitespace().map(Code::parse).collect::<Option<_>>()?;
    let words = words.split(';').map(|word| word.trim().to_lowercase());
    let words = words.filter(|word| !word.is_empty()).collect();
    Some(Entry { provider, codes, words, ..Entry::default() })
}

/// `phrases`, or `phrases | codes`.
fn phrased(head: &'static str, sets: &Sets) -> Option<Entry> {
    let (phrases, codes) = head.split_once('|').unwrap_or((head, ""));
    let phrases = phrases.split(';').map(|phrase| Phrase::parse(phrase.trim(), sets));
    let (unless, codes): (Vec<&str>, Vec<&str>) =
        codes.split_whitespace().partition(|code| code.starts_with('!'));
    let unless = unless.iter().map(|code| Code::parse(&code[1..])).collect::<Option<_>>()?;
    let codes = codes.iter().map(|code| Code::parse(code)).collect::<Option<_>>()?;
    let phrases = phrases.collect::<Option<_>>()?;
    Some(Entry { provider: ANYONE, codes, unless, phrases, ..Entry::default() })
}
