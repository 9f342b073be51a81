//! Phrases of a reply, compared word by word: `user unknown` stands in `User <{email}> unknown.`

use std::collections::BTreeMap;

/// Words that a phrase may skip where it has `..`.
const GAP: usize = 3;

/// Sets of words by name, of which a phrase means any one.
pub(super) type Sets = BTreeMap<&'static str, Vec<&'static str>>;

/// The words of a reply. A sentence ends with a mark of its own, which no phrase goes across.
#[derive(Debug, Default)]
pub(super) struct Words {
    words: Vec<String>,
    beginnings: Beginnings,
}

/// How words begin, so that most of the phrases that do not stand in a reply need not be looked for: a bit for
/// each pair of first bytes, which some pairs share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Beginnings([u64; 4]);

impl Beginnings {
    fn of<'w>(words: impl IntoIterator<Item = &'w str>) -> Beginnings {
        let mut of = Beginnings::default();
        for word in words {
            let [first, second] = [0, 1].map(|at| word.as_bytes().get(at).copied().unwrap_or(0));
            let bit = first.wrapping_mul(31).wrapping_add(second);
            of.0[usize::from(bit >> 6)] |= 1 << (bit & 63);
        }
        of
    }

    fn meet(&self, other: &Beginnings) -> bool {
        self.0.iter().zip(other.0).any(|(own, other)| own & other != 0)
    }
}

/// Where a sentence ends.
const STOP: &str = ".";

impl Words {
    /// The words of a template, without what is masked but addresses.
    pub(super) fn of(template: &str, keeps_addresses: bool) -> Words {
        let mut text = template.to_lowercase();
        for mask in ["{id}", "{host}", "{time}"] {
            text = text.replace(mask, " ");
        }
        let text = text.replace("{email}", if keeps_addresses { " email " } else { " " });
        let mut words = Vec::new();
        for piece in text.split_whitespace() {
            let parts = piece.split(|c: char| !c.is_alphanumeric());
            words.extend(parts.filter(|part| !part.is_empty()).map(str::to_owned));
            let bare = piece.trim_end_matches(['"', '\'', ')', ']', '>']);
            if bare.ends_with(['.', '!', '?', ':', ';']) {
                words.push(STOP.to_owned());
            }
        }
        let beginnings = Beginnings::of(words.iter().map(String::as_str));
        Words { words, beginnings }
    }
}

/// What must stand in a reply, or must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Phrase {
    is_absent: bool,
    steps: Vec<Step>,
    /// How the words of each step that is no gap may begin.
    beginnings: Vec<Beginnings>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Up to [`GAP`] other words.
    Gap,
    /// One of these words, or a word that begins with one of these.
    Word(Vec<&'static str>, Vec<&'static str>),
}

impl Phrase {
    /// Reads a phrase; none when it names a set that there is not, or says nothing.
    pub(super) fn parse(text: &'static str, sets: &Sets) -> Option<Phrase> {
        let (is_absent, text) = match text.strip_prefix('!') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let steps: Option<Vec<Step>> =
            text.split_whitespace().map(|token| Step::parse(token, sets)).collect();
        let steps = steps.filter(|steps| !steps.is_empty())?;
        let beginnings = steps.iter().filter_map(Step::beginnings).collect();
        Some(Phrase { is_absent, steps, beginnings })
    }

    /// Whether a reply is as the phrase wants it.
    pub(super) fn holds(&self, words: &Words) -> bool {
        let may_stand = self.beginnings.iter().all(|step| step.meet(&words.beginnings));
        let words = &words.words;
        let found = may_stand && (0..words.len()).any(|at| stands(&self.steps, &words[at..]));
        found != self.is_absent
    }
}

impl Step {
    fn parse(token: &'static str, sets: &Sets) -> Option<Step> {
        if token == ".." {
            return Some(Step::Gap);
        }
        let (mut whole, mut begun) = (Vec::new(), Vec::new());
        for word in token.split('/') {
            match (word.strip_prefix('@'), word.strip_suffix('*')) {
                (Some(set), _) => whole.extend(sets.get(set)?),
                (None, Some(start)) => begun.push(start),
                (None, None) => whole.push(word),
            }
        }
        Some(Step::Word(whole, begun))
    }

    /// How its words begin; none of a gap, and where one letter may be all.
    fn beginnings(&self) -> Option<Beginnings> {
        let Step::Word(whole, begun) = self else { return None };
        let is_told = begun.iter().all(|word| word.len() > 1);
        is_told.then(|| Beginnings::of(whole.iter().chain(begun).copied()))
    }
}

fn stands(steps: &[Step], words: &[String]) -> bool {
    match steps {
        [] => true,
        [Step::Gap, rest @ ..] => {
            let sentence = words.iter().take_while(|word| *word != STOP).count();
            (0..=GAP.min(sentence)).any(|skipped| stands(rest, &words[skipped..]))
        }
        [Step::Word(whole, begun), rest @ ..] => {
            words.split_first().is_some_and(|(word, words)| {
                let fits =
                    whole.contains(&word.as_str()) || begun.iter().any(|b| word.starts_with(b));
                fits && stands(rest, words)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(phrase: &'static str, text: &str) -> bool {
        let sets = Sets::from([("box", vec!["user", "mailbox"])]);
        Phrase::parse(phrase, &sets).expect(phrase).holds(&Words::of(text, false))
    }

    #[test]
    fn a_phrase_is_found_among_marks_and_around_an_address() {
        assert!(holds("user unknown", "550 5.1.1 User <{email}> unknown."));
        assert!(holds("@box .. full", "552 MAILBOX ({email}) is very full"));
        assert!(holds("blacklist*", "550 blacklisted"));
        assert!(holds("!spam", "550 user unknown"));
        for (phrase, text) in [
            ("user unknown", "550 unknown user"),
            ("user unknown", "550 users unknown"),
            ("user .. unknown", "550 user is now and for ever unknown"),
            ("user .. unknown", "550 no such user. Reason unknown"),
            ("!spam", "550 spam"),
        ] {
            assert!(!holds(phrase, text), "{phrase}: {text}");
        }
    }

    #[test]
    fn how_words_begin_hides_no_phrase_that_stands() {
        let texts =
            include_str!("../../data/replies.txt").lines().map(|line| Words::of(line, false));
        let texts: Vec<Words> = texts.collect();
        let entries = crate::explain::entries().iter().flat_map(|entry| &entry.phrases);
        let mut seen = 0;
        for (phrase, Words { words, beginnings }) in
            entries.flat_map(|phrase| texts.iter().map(move |text| (phrase, text)))
        {
            if (0..words.len()).any(|at| stands(&phrase.steps, &words[at..])) {
                assert!(phrase.beginnings.iter().all(|step| step.meet(beginnings)), "{words:?}");
                seen += 1;
            }
        }
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn a_phrase_without_words_or_of_an_unknown_set_is_refused() {
        assert_eq!(Phrase::parse("", &Sets::new()), None);
        assert_eq!(Phrase::parse("!", &Sets::new()), None);
        assert_eq!(Phrase::parse("@nobody here", &Sets::new()), None);
    }
}
