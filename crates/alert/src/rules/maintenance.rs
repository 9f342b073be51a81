//! Times at which nobody wants to hear of some rules: a night's work, or an hour each Sunday.
//! Knows the local clock that it is given, and no zone.

use chrono::{Datelike, NaiveDateTime, NaiveTime, Weekday};
use serde::{Deserialize, Deserializer};

/// A time of work: what begins in it is told only if it is still on when it is over.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Maintenance {
    /// The rules that are silent, by name; without it all.
    pub rules: Option<Vec<String>>,
    /// From when on, by the local clock; without it always.
    #[serde(default, deserialize_with = "moment")]
    pub since: Option<NaiveDateTime>,
    /// Until when, not included; without it for ever.
    #[serde(default, deserialize_with = "moment")]
    pub until: Option<NaiveDateTime>,
    /// The time of day, such as `22:00-04:30`; without it all day.
    #[serde(default, deserialize_with = "daily")]
    pub daily: Option<(NaiveTime, NaiveTime)>,
    /// The days on which it begins, such as `sun`; without it each day.
    #[serde(default, deserialize_with = "weekdays")]
    pub weekdays: Vec<Weekday>,
}

impl Maintenance {
    /// Whether `rule` is silent when the local clock shows `local`.
    pub fn holds(&self, rule: &str, local: NaiveDateTime) -> bool {
        let is_of_rule = self.rules.as_ref().is_none_or(|rules| rules.iter().any(|of| of == rule));
        let is_after = self.since.is_none_or(|since| since <= local);
        is_of_rule && is_after && self.until.is_none_or(|until| local < until) && self.recurs(local)
    }

    fn recurs(&self, local: NaiveDateTime) -> bool {
        let is_on = |day: Weekday| self.weekdays.is_empty() || self.weekdays.contains(&day);
        let (today, time) = (local.weekday(), local.time());
        match self.daily {
            None => is_on(today),
            Some((from, to)) if from <= to => is_on(today) && from <= time && time < to,
            // It goes on over midnight, and belongs to the day on which it began.
            Some((from, to)) => {
                (is_on(today) && from <= time) || (is_on(today.pred()) && time < to)
            }
        }
    }

    pub(super) fn check(&self, rules: &[&str]) -> Result<(), String> {
        if let Some(name) = self.rules.iter().flatten().find(|name| !rules.contains(&name.as_str()))
        {
            return Err(format!("`rules` names `{name}`, and no rule is called so"));
        }
        if self.since.is_some() && self.until.is_some() && self.since >= self.until {
            return Err("`since` comes before `until`".to_owned());
        }
        if self.until.is_none() && self.daily.is_none() && self.weekdays.is_empty() {
            return Err("it never ends: write until, daily or weekdays".to_owned());
        }
        Ok(())
    }
}

fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<Option<NaiveDateTime>, D::Error> {
    let text = String::deserialize(from)?;
    let moment = NaiveDateTime::parse_from_str(&text.replace('T', " "), "%Y-%m-%d %H:%M");
    moment.map(Some).map_err(|_| {
        serde::de::Error::custom(format!(
            "`{text}` is not a valid time; write it like 2026-03-01 22:00"
        ))
    })
}

fn daily<'de, D: Deserializer<'de>>(from: D) -> Result<Option<(NaiveTime, NaiveTime)>, D::Error> {
    let text = String::deserialize(from)?;
    let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
    let times = text.split_once('-').and_then(|(from, to)| time(from).zip(time(to)));
    match times.filter(|(from, to)| from != to) {
        Some(times) => Ok(Some(times)),
        None => Err(serde::de::Error::custom(format!(
            "`{text}` is not a time of day; write it like 22:00-04:30"
        ))),
    }
}

fn weekdays<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Weekday>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let day = |text: &String| {
        text.parse().map_err(|_| {
            serde::de::Error::custom(format!(
                "`{text}` is not a day of the week; write it like sun"
            ))
        })
    };
    texts.iter().map(day).collect()
}

#[cfg(test)]
mod tests {
    use crate::Rules;

    fn rules(lines: &str) -> Result<Rules, String> {
        Rules::parse(&format!(
            "[[rule]]\nname = \"a\"\nmetric = \"m\"\nabove = 1\n[[maintenance]]\n{lines}"
        ))
    }

    #[test]
    fn a_time_of_work_ends_when_it_says() {
        let is_silent = |lines: &str, local: &str| {
            let rules = rules(lines).expect(lines);
            let local = chrono::NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M");
            rules.is_in_maintenance("a", local.expect("a time"))
        };
        let night = "since = \"2026-03-01 22:00\"\nuntil = \"2026-03-02 02:00\"";
        assert!(is_silent(night, "2026-03-01 22:00") && is_silent(night, "2026-03-02 01:59"));
        assert!(!is_silent(night, "2026-03-01 21:59") && !is_silent(night, "2026-03-02 02:00"));
        // 2026-03-01 is a Sunday; what begins on it goes on into Monday.
        let sunday = "daily = \"22:00-04:30\"\nweekdays = [\"sun\"]";
        assert!(is_silent(sunday, "2026-03-01 23:00") && is_silent(sunday, "2026-03-02 04:29"));
        assert!(!is_silent(sunday, "2026-03-01 04:00") && !is_silent(sunday, "2026-03-02 23:00"));
        assert!(!is_silent("rules = []\nweekdays = [\"sun\"]", "2026-03-01 12:00"));
    }

    #[test]
    fn a_time_of_work_that_cannot_be_is_refused() {
        for (lines, words) in [
            ("rules = [\"b\"]\nweekdays = [\"sun\"]", "no rule is called so"),
            ("since = \"2026-03-01 22:00\"", "it never ends"),
            ("since = \"tonight\"", "`tonight` is not a valid time"),
            ("daily = \"22-23\"", "`22-23` is not a time of day"),
            ("weekdays = [\"sunn\"]", "`sunn` is not a day"),
            ("since = \"2026-03-02 22:00\"\nuntil = \"2026-03-02 02:00\"", "comes before"),
        ] {
            let error = rules(lines).expect_err(lines);
            assert!(error.contains(words), "{lines}: {error}");
        }
    }
}
