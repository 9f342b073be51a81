//! The rules file: what is watched, when it is a problem, when nobody is told, and who is. Reads
//! TOML; a word that nobody knows is an error. Holds no secret.

mod maintenance;
mod receiver;
mod rule;
mod seconds;

pub use maintenance::Maintenance;
pub use receiver::{Protocol, Receiver};
pub use rule::{Rule, Severity, Watch};
pub use seconds::Seconds;

use chrono::NaiveDateTime;
use serde::Deserialize;

/// All that a rules file says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rules {
    /// Age of the newest record from which on numbers are not judged: they are not in yet.
    #[serde(default = "two_hours")]
    pub max_lag: Seconds,
    /// How late records usually are in; from there on their absence counts as silence.
    #[serde(default = "a_quarter")]
    pub usual_lag: Seconds,
    /// `remind` of the rules that do not say it.
    pub remind: Option<Seconds>,
    /// Who is told.
    #[serde(default, rename = "receiver")]
    pub receivers: Vec<Receiver>,
    /// What is watched.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
    /// When nobody is told.
    #[serde(default)]
    pub maintenance: Vec<Maintenance>,
}

fn two_hours() -> Seconds {
    Seconds(7200)
}

fn a_quarter() -> Seconds {
    Seconds(900)
}

impl Rules {
    /// Reads a rules file and checks what can be checked without a store.
    ///
    /// # Errors
    /// What is wrong, with the line where TOML knows it, or the rule.
    pub fn parse(text: &str) -> Result<Rules, String> {
        let mut rules: Rules = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
            format!("line {line}: {}", error.message().replace('\n', " "))
        })?;
        if rules.usual_lag >= rules.max_lag {
            return Err("usual-lag is shorter than max-lag".to_owned());
        }
        let mut receivers: Vec<&str> = Vec::new();
        for receiver in &rules.receivers {
            receiver.check().map_err(|wrong| format!("receiver `{}`: {wrong}", receiver.name))?;
            if receivers.contains(&receiver.name.as_str()) {
                return Err(format!("two receivers are called `{}`", receiver.name));
            }
            receivers.push(&receiver.name);
        }
        let mut names: Vec<&str> = Vec::new();
        for rule in &rules.rules {
            rule.check(&names, &receivers)
                .map_err(|wrong| format!("rule `{}`: {wrong}", rule.name))?;
            if rule.watch == Watch::Silence && rule.longest_window_s() <= rules.usual_lag.0 {
                let name = &rule.name;
                return Err(format!("rule `{name}`: a window of silence is longer than usual-lag"));
            }
            names.push(&rule.name);
        }
        for maintenance in &rules.maintenance {
            maintenance.check(&names).map_err(|wrong| format!("maintenance: {wrong}"))?;
        }
        let remind = rules.remind;
        rules.rules.iter_mut().for_each(|rule| rule.remind = rule.remind.or(remind));
        Ok(rules)
    }

    /// The receivers with one of the names `to`, or all.
    pub fn receivers_of<'r>(
        &'r self,
        to: &'r Option<Vec<String>>,
    ) -> impl Iterator<Item = &'r Receiver> {
        self.receivers.iter().filter(move |receiver| match to {
            Some(names) => names.contains(&receiver.name),
            None => true,
        })
    }

    /// Whether nobody is told of `rule` when the local clock shows `local`.
    pub fn is_in_maintenance(&self, rule: &str, local: NaiveDateTime) -> bool {
        self.maintenance.iter().any(|maintenance| maintenance.holds(rule, local))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Rules::parse(text).expect_err(text)
    }

    #[test]
    fn a_wrong_word_is_named_with_its_line() {
        let unknown = error("[[rule]]\nname = \"a\"\nmetirc = \"sent\"\n");
        assert!(unknown.starts_with("line 3: unknown field `metirc`"), "{unknown}");
        let duration = error("[[rule]]\nname = \"a\"\nmetric = \"sent\"\nwindow = \"soon\"\n");
        assert!(duration.starts_with("line 4: `soon` is not a valid duration"), "{duration}");
    }

    #[test]
    fn a_rule_that_can_never_fire_or_tell_is_refused() {
        let of = |lines: &str| error(&format!("[[rule]]\nname = \"a\"\n{lines}"));
        for (lines, words) in [
            ("", "`metric` is missing"),
            ("metric = \"sent\"", "a limit is missing"),
            ("metric = \"sent\"\nabove = 1.0\nbelow = 2.0", "two rules"),
            ("metric = \"sent\"\ntimes-usual = 0.5", "above 1"),
            ("metric = \"sent\"\nbelow-usual = 2.0", "between 0 and 1"),
            ("metric = \"sent\"\nabove = 1.0\nwindow = \"2d\"", "1m to 24h"),
            ("metric = \"sent\"\nabove = 1.0\nunless = [\"b\"]", "no rule above"),
            ("metric = \"sent\"\nabove = 1.0\nto = [\"ops\"]", "no receiver"),
            ("metric = \"sent\"\ntimes-peers = 2.0", "`by` is missing"),
            ("watch = \"disk\"\nabove = 90.0", "`path` is missing"),
            ("watch = \"memory\"\nabove = 75.0", "`process` is missing"),
            ("watch = \"process\"", "`process` is missing"),
            ("watch = \"process\"\nprocess = \"pmtad\"\nabove = 1.0", "`below` is their limit"),
            ("watch = \"swap\"", "a limit is missing"),
            ("watch = \"swap\"\nabove = 1.0\nby = [\"host\"]", "`by` is of no use"),
            ("watch = \"silence\"\nabove = 1.0", "no limit but min-n"),
            ("watch = \"silence\"\nwindow = \"15m\"", "longer than usual-lag"),
            (
                "watch = \"lag\"\nabove = 1.0\nwindow = [\"15m\", \"1h\"]",
                "only a metric has several",
            ),
            ("metric = \"sent\"\nabove = 1.0\nwindow = []", "1m to 24h"),
            ("watch = \"new-reply\"\nabove = 1.0", "no limit"),
            ("watch = \"lag\"\nabove = 1.0\nby = [\"host\", \"vmta\"]", "one dimension"),
        ] {
            assert!(of(lines).contains(words), "{lines}: {}", of(lines));
        }
        assert!(error("[[rule]]\nname = \"a b\"\n").contains("a name has"));
    }

    #[test]
    fn a_secret_does_not_stand_in_the_rules() {
        let of = |lines: &str| error(&format!("[[receiver]]\nname = \"ops\"\n{lines}"));
        assert!(of("type = \"pagerduty\"\nkey = \"s3cret\"").contains("unknown field `key`"));
        assert!(of("type = \"pagerduty\"").contains("routing key"));
        assert!(of("type = \"slack\"").contains("url-env"));
        assert!(of("type = \"mail\"").contains("`to` is missing"));
    }
}
