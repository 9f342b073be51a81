//! The word that somebody probably meant. For error messages only.

/// The candidate nearest to `word`, when one is near enough to be meant; the first of equals.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase().replace('_', "-");
    let far = (word.len() / 3).max(2) + 1;
    let distance = |candidate: &str| {
        let candidate = candidate.to_ascii_lowercase().replace('_', "-");
        // A beginning or an end that fits is what people type: `domain` for `rcpt_domain`.
        let inside = candidate.contains(&word) || word.contains(&candidate);
        if inside && word.len().min(candidate.len()) >= 3 {
            1
        } else {
            strsim::damerau_levenshtein(&word, &candidate)
        }
    };
    candidates
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|&(distance, _)| distance < far)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_nonsense_is_not() {
        let names = ["top-bounces", "bounce-reasons", "volume", "rcpt_domain"];
        assert_eq!(nearest("bounce-reason", names), Some("bounce-reasons"));
        assert_eq!(nearest("vloume", names), Some("volume"));
        assert_eq!(nearest("rcpt-domian", names), Some("rcpt_domain"));
        assert_eq!(nearest("domain", names), Some("rcpt_domain"));
        assert_eq!(nearest("xyzzy", names), None);
        assert_eq!(nearest("unknown", ["n", ""]), None);
        assert_eq!(nearest("", names), None);
    }
}
