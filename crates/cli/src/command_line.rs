//! Lines of the command line that a reader can copy into a shell. Makes them, runs none.

use pmtaq_query::Filter;
use pmtaq_render::words::visible;
use pmtaq_schema::Window;

use crate::args;

/// A line in the making.
#[derive(Clone, Debug)]
pub(crate) struct CommandLine(Vec<String>);

impl CommandLine {
    /// `pmtaq` and the words of a command.
    pub(crate) fn new(command: &str) -> CommandLine {
        let words = std::iter::once("pmtaq").chain(command.split_whitespace());
        CommandLine(words.map(str::to_owned).collect())
    }

    /// With an option.
    pub(crate) fn option(mut self, flag: &str, value: impl Into<String>) -> CommandLine {
        let value = value.into();
        // Apart from its flag it would be taken for another one.
        if value.starts_with('-') {
            self.0.push(format!("{flag}={value}"))
        } else {
            self.0.extend([flag.to_owned(), value])
        }
        self
    }

    /// With an argument, or an option without a value.
    pub(crate) fn word(mut self, word: impl Into<String>) -> CommandLine {
        self.0.push(word.into());
        self
    }

    /// With the window; an open end is left out.
    pub(crate) fn window(mut self, window: Window) -> CommandLine {
        for (flag, time, open) in [
            ("--since", window.since, Window::ALL.since),
            ("--until", window.until, Window::ALL.until),
        ] {
            if time != open {
                self = self.option(flag, time.to_string());
            }
        }
        self
    }

    /// With filters.
    pub(crate) fn filters(self, filters: &[(&'static Filter, String)]) -> CommandLine {
        filters
            .iter()
            .fold(self, |line, (filter, value)| line.option(&format!("--{}", filter.name), value))
    }

    /// With the other filters of the command line.
    pub(crate) fn others(self, others: &[(String, String)]) -> CommandLine {
        let with = |line: CommandLine, (name, value): &(String, String)| {
            line.option("--filter", format!("{name}={value}"))
        };
        others.iter().fold(self, with)
    }

    /// As a shell reads it. None where a value holds what cannot be typed.
    pub(crate) fn text(&self) -> Option<String> {
        let typed = |arg: &String| arg.chars().all(|c| !c.is_control()) && visible(arg) == *arg;
        let quoted = || self.0.iter().map(|arg| quoted(arg)).collect::<Vec<_>>().join(" ");
        self.0.iter().all(typed).then(quoted)
    }
}

/// The filters of the command line, value by value, to be given again.
pub(crate) fn filters(args: &args::Selection) -> Vec<(&'static Filter, String)> {
    let each = args.filters.iter();
    let each = each.flat_map(|(filter, values)| values.iter().map(move |value| (filter, value)));
    each.map(|(filter, value)| (filter, value.clone())).collect()
}

/// The condition that a dimension has a value, or none.
pub(crate) fn equals(dim: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("{dim} = '{}'", value.replace('\'', "''")),
        None => format!("{dim} is null"),
    }
}

/// An argument as a shell reads it.
fn quoted(arg: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@=,".contains(c);
    if !arg.is_empty() && arg.chars().all(is_plain) {
        return arg.to_owned();
    }
    // Double quotes where they need no care, since SQL is full of single ones.
    if !arg.contains(['"', '$', '`', '\\', '!']) {
        return format!("\"{arg}\"");
    }
    single_quoted(arg)
}

/// A text in single quotes, as a shell reads it.
pub(crate) fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_an_argument_as_it_is() {
        assert_eq!(quoted("pool-bulk"), "pool-bulk");
        assert_eq!(quoted("rec = 't'"), "\"rec = 't'\"");
        assert_eq!(quoted("$(reboot)'"), "'$(reboot)'\\'''");
        assert_eq!(quoted(""), "\"\"");
    }

    #[test]
    fn what_cannot_be_typed_makes_no_line() {
        assert_eq!(CommandLine::new("job").word("a\u{202e}b").text(), None);
        assert_eq!(CommandLine::new("job").word("a\nb").text(), None);
        let line = CommandLine::new("stats top-bounce").option("--where", "rec = 'b'");
        assert_eq!(line.text().as_deref(), Some("pmtaq stats top-bounce --where \"rec = 'b'\""));
    }

    #[test]
    fn a_value_that_begins_like_an_option_is_none() {
        let line = CommandLine::new("why bounced").option("--job", "-rf x").option("--job", "x");
        assert_eq!(line.text().as_deref(), Some("pmtaq why bounced \"--job=-rf x\" --job x"));
    }
}
