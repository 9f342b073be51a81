//! A command line as it is being typed: its words as a shell reads them, and how a value is written where the
//! cursor is. Runs nothing and reads no file.

/// Inside of which quotes a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quotes {
    None,
    Single,
    Double,
}

/// A line up to the cursor.
pub(super) struct Typed<'l> {
    /// Its words, the last of which ends at the cursor and may be empty.
    words: Vec<String>,
    /// The last word as it stands in the line.
    last: &'l str,
}

impl<'l> Typed<'l> {
    /// Reads a line of bash.
    pub(super) fn line(line: &'l str) -> Typed<'l> {
        let (words, began, _) = read(line);
        Typed { words, last: &line[began..] }
    }

    /// What a word means that may be quoted, or escaped, or not finished.
    pub(super) fn word(raw: &str) -> String {
        let (words, ..) = read(raw);
        words.join(" ")
    }

    /// The words.
    pub(super) fn words(&self) -> Vec<String> {
        self.words.clone()
    }

    /// What stands in place of `replaced`, the end of the line that bash replaces, when the last word is to be
    /// `value`: none when the value goes on otherwise than the word began, or cannot be written there.
    pub(super) fn rest(&self, replaced: &str, value: &str) -> Option<String> {
        let kept = self.last.strip_suffix(replaced).unwrap_or_default();
        let (words, _, quotes) = read(kept);
        let kept = words.last().map_or("", String::as_str);
        let rest = value.strip_prefix(kept)?;
        match quotes {
            Quotes::Single => Some(rest.replace('\'', "'\\''")),
            // An exclamation mark is not to be escaped there.
            Quotes::Double if rest.contains('!') => None,
            Quotes::Double => Some(escaped(rest, |c| "\"\\$`".contains(c))),
            Quotes::None => {
                Some(escaped(rest, |c| !c.is_alphanumeric() && !"-_./:@%+,=".contains(c)))
            }
        }
    }
}

/// `text` with a backslash before each of some characters.
fn escaped(text: &str, is_special: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_special(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The words of `line`, where the last of them begins, and the quotes that are open at its end.
fn read(line: &str) -> (Vec<String>, usize, Quotes) {
    let (mut words, mut quotes) = (vec![String::new()], Quotes::None);
    let (mut began, mut is_word) = (0, false);
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let last = words.last_mut().expect("there is always one");
        match (quotes, c) {
            (Quotes::None, ' ' | '\t' | '\n') => {
                if is_word {
                    words.push(String::new());
                    is_word = false;
                }
                began = at + c.len_utf8();
                continue;
            }
            (Quotes::None, '\'') => quotes = Quotes::Single,
            (Quotes::None, '"') => quotes = Quotes::Double,
            (Quotes::Single, '\'') | (Quotes::Double, '"') => quotes = Quotes::None,
            (Quotes::None, '\\') => last.extend(chars.next().map(|(_, c)| c)),
            (Quotes::Double, '\\') => {
                let next = chars.next_if(|(_, c)| "\"\\$`".contains(*c));
                last.push(next.map_or('\\', |(_, c)| c));
            }
            (_, c) => last.push(c),
        }
        is_word = true;
    }
    (words, began, quotes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_bash_reads_it() {
        let words = |line| Typed::line(line).words();
        assert_eq!(words("pmtaq job "), ["pmtaq", "job", ""]);
        assert_eq!(
            words("pmtaq  job 'a b' \"c\\\"d\\e\" f\\ g"),
            ["pmtaq", "job", "a b", "c\"d\\e", "f g"]
        );
        assert_eq!(words("pmtaq job 'a b"), ["pmtaq", "job", "a b"]);
        assert_eq!(words("pmtaq job ''"), ["pmtaq", "job", ""]);
        assert_eq!(words("pmtaq \\"), ["pmtaq", ""]);
    }

    #[test]
    fn a_value_goes_on_as_the_word_began() {
        let rest = |line, replaced, value| Typed::line(line).rest(replaced, value);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(rest("pmtaq job ", "", "a b;$(reboot)"), some("a\\ b\\;\\$\\(reboot\\)"));
        assert_eq!(rest("pmtaq job a\\ ", "a\\ ", "a b"), some("a\\ b"));
        // Of a word that bash breaks, only the end is replaced.
        assert_eq!(rest("pmtaq pivot --rows=pro", "pro", "--rows=provider"), some("provider"));
        assert_eq!(rest("pmtaq job a:b", "b", "a:bc"), some("bc"));
        assert_eq!(rest("pmtaq job \"a", "a", "a\"$b"), some("a\\\"\\$b"));
        assert_eq!(rest("pmtaq job \"a", "a", "a!b"), None);
        assert_eq!(rest("pmtaq job 'a", "a", "a'b"), some("a'\\''b"));
        assert_eq!(rest("pmtaq job \"a", "\"a", "a b"), some("a\\ b"));
    }
}
