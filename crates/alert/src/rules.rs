//! The rules file: what is watched, when it is a problem, and who is told. Reads TOML; a word that
//! nobody knows is an error. Holds no secret: a receiver says where its secret is.

use std::collections::BTreeMap;
use std::fmt;

use pmtaq_schema::size::parse_duration_s;
use serde::{Deserialize, Deserializer, Serialize};

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
    /// Who is told.
    #[serde(default, rename = "receiver")]
    pub receivers: Vec<Receiver>,
    /// What is watched.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
}

/// A length of time in seconds, written like `15m`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub i64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Seconds, D::Error> {
        let text = String::deserialize(from)?;
        parse_duration_s(&text).map(Seconds).ok_or_else(|| {
            serde::de::Error::custom(format!("`{text}` is no duration; write it like 15m"))
        })
    }
}

fn two_hours() -> Seconds {
    Seconds(7200)
}

fn a_quarter() -> Seconds {
    Seconds(900)
}

fn an_hour() -> Seconds {
    Seconds(3600)
}

fn ten_seconds() -> Seconds {
    Seconds(10)
}

fn twenty() -> f64 {
    20.0
}

fn sendmail() -> String {
    "/usr/sbin/sendmail".to_owned()
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Watch {
    /// A metric of the records.
    #[default]
    Metric,
    /// Replies that were never seen before, by template.
    NewReply,
    /// The age of the newest record, in seconds.
    Lag,
    /// The memory of the processes of a name, in percent of the machine's.
    Memory,
    /// The used part of a file system, in percent.
    Disk,
}

/// How urgent it is, in the words of PagerDuty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To be known.
    Info,
    /// To be looked at today.
    #[default]
    Warning,
    /// To be looked at soon.
    Error,
    /// To be looked at now.
    Critical,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
            Severity::Critical => "critical",
        })
    }
}

/// What is watched, and from which value on it is a problem. All limits that are set must be
/// passed at once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// What the alert is called.
    pub name: String,
    /// What is looked at.
    #[serde(default)]
    pub watch: Watch,
    /// The metric, as `pmtaq metrics` names it.
    pub metric: Option<String>,
    /// Dimensions, each combination of values by itself.
    #[serde(default)]
    pub by: Vec<String>,
    /// Filters: a dimension and the values that count.
    #[serde(default)]
    pub only: BTreeMap<String, Vec<String>>,
    /// A condition in SQL over the columns of `records`.
    #[serde(rename = "where")]
    pub condition: Option<String>,
    /// The time up to now that is looked at.
    #[serde(default = "an_hour")]
    pub window: Seconds,
    /// A problem above this value.
    pub above: Option<f64>,
    /// A problem below this value.
    pub below: Option<f64>,
    /// Where a problem ends; without it a fifth on the good side of `above` or `below`.
    pub clear: Option<f64>,
    /// A problem above so many times the middle of the same hours of the last 7 days.
    pub times_usual: Option<f64>,
    /// A problem below this part of that.
    pub below_usual: Option<f64>,
    /// A problem above so many times the middle of the others: the values of the last dimension of
    /// `by`, where the ones before it are equal.
    pub times_peers: Option<f64>,
    /// Denominator of a rate, deliveries of a duration, or usual count, from which on it is judged.
    #[serde(default = "twenty")]
    pub min_n: f64,
    /// How long it must last before anyone is told.
    #[serde(default, rename = "for")]
    pub lasting: Seconds,
    /// After an alert ended, or was told, so long nothing of this rule is told.
    #[serde(default = "an_hour")]
    pub cooldown: Seconds,
    /// How urgent it is.
    #[serde(default)]
    pub severity: Severity,
    /// Earlier rules that tell the same: no word of groups for which one of these is on.
    #[serde(default)]
    pub unless: Vec<String>,
    /// Where it is written what to do.
    pub runbook: Option<String>,
    /// The directive of PMTA that the limit belongs to.
    pub directive: Option<String>,
    /// Receivers by name; without it all.
    pub to: Option<Vec<String>>,
    /// The folder whose file system is watched.
    pub path: Option<String>,
    /// The name of the processes that are watched.
    pub process: Option<String>,
}

/// The protocol of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Events API v2.
    Pagerduty,
    /// An incoming webhook.
    Slack,
    /// `POST /api/v2/alerts`.
    Alertmanager,
    /// What Alertmanager sends to webhooks.
    AlertmanagerWebhook,
    /// JSON of our own.
    Webhook,
    /// A mail by a program that takes one on stdin.
    Mail,
}

/// Who is told. Its secrets are named, not held.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Receiver {
    /// What rules call it.
    pub name: String,
    /// How it is told.
    #[serde(rename = "type")]
    pub protocol: Protocol,
    /// Where to send, when that is no secret.
    pub url: Option<String>,
    /// Variable that holds the address.
    pub url_env: Option<String>,
    /// File that holds the address.
    pub url_file: Option<String>,
    /// Variable that holds PagerDuty's routing key or the bearer token of others.
    pub key_env: Option<String>,
    /// File that holds it.
    pub key_file: Option<String>,
    /// File with the only certificates to trust, in PEM: those of a company.
    pub ca_file: Option<String>,
    /// Longest time for one send.
    #[serde(default = "ten_seconds")]
    pub timeout: Seconds,
    /// Addresses that get the mail.
    #[serde(default)]
    pub to: Vec<String>,
    /// Sender of the mail.
    pub from: Option<String>,
    /// The program that takes the mail.
    #[serde(default = "sendmail")]
    pub sendmail: String,
}

impl Rules {
    /// Reads a rules file and checks what can be checked without a store.
    ///
    /// # Errors
    /// What is wrong, with the line where TOML knows it, or the rule.
    pub fn parse(text: &str) -> Result<Rules, String> {
        let rules: Rules = toml::from_str(text).map_err(|error| {
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
            names.push(&rule.name);
        }
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
}

impl Rule {
    /// Whether too little of something is a problem.
    pub const fn is_of_too_little(&self) -> bool {
        self.below.is_some() || self.below_usual.is_some()
    }

    /// Whether it compares with the same hours of the days before.
    pub fn needs_usual(&self) -> bool {
        self.times_usual.is_some() || self.below_usual.is_some() || self.below.is_some()
    }

    fn check(&self, earlier: &[&str], receivers: &[&str]) -> Result<(), String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.is_empty() || !self.name.chars().all(is_plain) {
            return Err("a name has letters, digits, - _ . and nothing else".to_owned());
        }
        if earlier.contains(&self.name.as_str()) {
            return Err("another rule has this name".to_owned());
        }
        let relative = [self.times_usual, self.below_usual, self.times_peers];
        let has_limit =
            self.above.is_some() || self.below.is_some() || relative.iter().any(Option::is_some);
        let is_metric = self.watch == Watch::Metric;
        match self.watch {
            Watch::Metric if self.metric.is_none() => {
                return Err("`metric` is missing; `pmtaq metrics` lists them".to_owned());
            }
            Watch::Metric | Watch::Lag | Watch::Memory | Watch::Disk if !has_limit => {
                return Err("a limit is missing: above, below, times-usual, below-usual or \
                            times-peers"
                    .to_owned());
            }
            Watch::NewReply if has_limit => {
                return Err("new replies have no limit but min-n".to_owned());
            }
            Watch::Lag if self.by.len() > 1 => {
                return Err("`lag` goes by one dimension".to_owned());
            }
            Watch::Memory if self.process.is_none() => {
                return Err(
                    "`process` is missing: the name of the program, such as pmtad".to_owned()
                );
            }
            Watch::Disk if self.path.is_none() => {
                return Err("`path` is missing: a folder of the file system".to_owned());
            }
            _ => {}
        }
        if !is_metric && self.metric.is_some() {
            return Err("`metric` is for `watch = \"metric\"`".to_owned());
        }
        if !is_metric && (relative.iter().any(Option::is_some) || self.below.is_some()) {
            return Err(
                "only a metric has times-usual, below-usual, times-peers and below".to_owned()
            );
        }
        if self.times_peers.is_some() && self.by.is_empty() {
            return Err(
                "times-peers compares the values of a dimension: `by` is missing".to_owned()
            );
        }
        if self.above.is_some() && self.below.is_some() {
            return Err("above and below are two rules".to_owned());
        }
        let of_usual = [self.times_usual, self.times_peers].into_iter().flatten();
        if of_usual.into_iter().any(|times| times <= 1.0) {
            return Err("times-usual and times-peers are above 1".to_owned());
        }
        if self.below_usual.is_some_and(|part| part <= 0.0 || part >= 1.0) {
            return Err("below-usual lies between 0 and 1".to_owned());
        }
        if !(60..=86_400).contains(&self.window.0) {
            return Err("a window has 1m to 24h".to_owned());
        }
        if let Some(name) = self.unless.iter().find(|name| !earlier.contains(&name.as_str())) {
            return Err(format!("`unless` names `{name}`, and no rule above is called so"));
        }
        let named = self.to.iter().flatten();
        if let Some(name) = named.into_iter().find(|name| !receivers.contains(&name.as_str())) {
            return Err(format!("`to` names `{name}`, and no receiver is called so"));
        }
        Ok(())
    }
}

impl Receiver {
    fn check(&self) -> Result<(), String> {
        let url = [&self.url, &self.url_env, &self.url_file].into_iter().flatten().count();
        let key = [&self.key_env, &self.key_file].into_iter().flatten().count();
        match self.protocol {
            Protocol::Mail if self.to.is_empty() => Err("`to` is missing".to_owned()),
            Protocol::Mail if url + key > 0 => Err("a mail has no address and no key".to_owned()),
            Protocol::Mail if self.ca_file.is_some() => Err("a mail has no ca-file".to_owned()),
            Protocol::Mail => Ok(()),
            Protocol::Pagerduty if key != 1 => {
                Err("one of key-env and key-file must name the routing key".to_owned())
            }
            Protocol::Pagerduty if url > 1 => Err("one address is enough".to_owned()),
            Protocol::Pagerduty => Ok(()),
            _ if url != 1 => {
                Err("one of url, url-env and url-file must name the address".to_owned())
            }
            _ if key > 1 => Err("one of key-env and key-file is enough".to_owned()),
            _ => Ok(()),
        }
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
        assert!(duration.starts_with("line 4: `soon` is no duration"), "{duration}");
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
