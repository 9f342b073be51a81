//! The vocabulary of every question: views, metrics, dimensions. Views and metrics are read from
//! `sql/prelude/`, where they are defined; here is how they are found.

use std::sync::LazyLock;

use pmtaq_schema::{Record, Records};

use crate::error::{Error, Result};
use crate::lex::tokens;
use crate::query::{Unit, quoted};

/// The views over `records`.
pub(crate) const VIEWS: &str = include_str!("../../../sql/prelude/views.sql");

/// The functions that statements share.
pub(crate) const MACROS: &str = include_str!("../../../sql/prelude/macros.sql");

/// The metrics.
const METRICS: &str = include_str!("../../../sql/prelude/metrics.sql");

/// A number that can be computed for any group of records.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// What it counts or measures; a rate names its denominator.
    pub unit: Unit,
    /// The record types without which it says nothing.
    pub needs: Records,
    /// Meaning.
    pub doc: String,
    /// Definition in SQL.
    pub sql: String,
}

impl Metric {
    /// The record types that it counts: every aggregate of its definition names them.
    pub(crate) fn counted(&self) -> Vec<Record> {
        let definition = expand(&self.sql);
        let is_named = |record: &Record| {
            let name = quoted(record.as_str());
            tokens(&definition).any(|token| token == name)
        };
        Record::ALL.into_iter().filter(is_named).collect()
    }
}

/// All metrics, in the order of their file.
pub fn metrics() -> &'static [Metric] {
    static ALL: LazyLock<Vec<Metric>> =
        LazyLock::new(|| parse_metrics(METRICS).expect("tested below"));
    &ALL
}

/// The metric called `name`.
///
/// # Errors
/// [`Error::Unknown`] with the nearest name.
pub fn metric(name: &str) -> Result<&'static Metric> {
    let all = metrics();
    let spelt = name.replace('-', "_");
    let found = all.iter().find(|metric| metric.name == spelt);
    found.ok_or_else(|| Error::unknown("metric", name, all.iter().map(|m| m.name.as_str())))
}

fn parse_metrics(text: &str) -> std::result::Result<Vec<Metric>, String> {
    let mut metrics: Vec<Metric> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("-- metric: ") {
            let (name, unit) = rest.split_once(' ').ok_or_else(|| line.to_owned())?;
            if name != "NAME" {
                let unit = Unit::parse(unit).ok_or_else(|| line.to_owned())?;
                let (name, needs) = (name.to_owned(), Records::ALL);
                metrics.push(Metric { name, unit, needs, doc: String::new(), sql: String::new() });
            }
        } else if let Some(metric) = metrics.last_mut() {
            if let Some(list) = line.strip_prefix("-- needs: ") {
                metric.needs = Records::parse(list)?;
            } else if let Some(doc) = line.strip_prefix("-- ") {
                metric.doc.push_str(doc);
            } else if !line.is_empty() && !line.starts_with("--") {
                metric.sql = line.to_owned();
            }
        }
    }
    Ok(metrics)
}

/// `sql` with every `metric()` replaced by its definition. Texts in quotes and comments stay.
pub(crate) fn expand(sql: &str) -> String {
    expand_by(sql, &mut |metric| expand(&metric.sql))
}

/// `sql` with every `metric()` replaced by what `meaning` gives for it.
pub(crate) fn expand_by(sql: &str, meaning: &mut dyn FnMut(&Metric) -> String) -> String {
    let mut out = String::new();
    let mut tokens = tokens(sql).peekable();
    while let Some(token) = tokens.next() {
        let metric = metrics().iter().find(|metric| metric.name == token);
        let Some(metric) = metric.filter(|_| tokens.peek() == Some(&"(")) else {
            out.push_str(token);
            continue;
        };
        tokens.next();
        if tokens.next_if_eq(&")").is_some() {
            out.push('(');
            out.push_str(&meaning(metric));
            out.push(')');
        } else {
            out.push_str(token);
            out.push('(');
        }
    }
    out
}

/// The views as `(name, meaning, body)`.
pub fn views() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut views = Vec::new();
    for block in VIEWS.split("\n\n") {
        let (doc, statement) = block.split_once("\ncreate view ").unwrap_or_default();
        if let Some((name, body)) = statement.split_once(" as") {
            let doc = doc.rsplit('\n').next().unwrap_or_default().trim_start_matches("-- ");
            views.push((name, doc, body.trim().trim_end_matches(';')));
        }
    }
    views
}

/// Something to group by.
#[derive(Clone, Copy, Debug)]
pub struct Dimension {
    /// Its name.
    pub name: &'static str,
    /// Its value for a record, in SQL.
    pub sql: &'static str,
    /// Meaning.
    pub doc: &'static str,
}

const fn column(name: &'static str, doc: &'static str) -> Dimension {
    Dimension { name, sql: name, doc }
}

/// All dimensions.
#[rustfmt::skip]
pub const DIMENSIONS: &[Dimension] = &[
    column("sender_domain", "domain of the envelope sender"),
    column("rcpt_domain", "domain of the recipient"),
    column("provider", "who runs the mailbox"),
    column("vmta", "VirtualMTA"),
    column("vmta_pool", "pool of the VirtualMTA"),
    column("dlv_source_ip", "our address that delivered"),
    column("dlv_destination_ip", "address of the receiver"),
    column("mx", "mail server of the receiver"),
    column("job_id", "job"),
    column("env_id", "envelope identifier"),
    column("queue", "queue, as domain/vmta"),
    column("rec", "record type"),
    column("bounce_cat", "bounce category"),
    column("bounce_class", "hard, soft, block or undetermined"),
    Dimension { name: "smtp_code", sql: "smtp_code::varchar", doc: "reply code, such as 550" },
    column("enhanced_code", "enhanced status code, such as 5.1.1"),
    column("template", "the reply with what varies masked"),
    column("dlv_tls_protocol", "TLS protocol of the delivery"),
    column("dlv_tls_cipher", "TLS cipher of the delivery"),
    column("host", "which MTA wrote the record"),
    column("src_type", "how the message came in"),
    column("user_string", "text of the directive user-string"),
    column("format", "format of a report that came back"),
    column("source", "accounting file"),
    Dimension { name: "day", sql: "strftime(local(time_logged), '%Y-%m-%d')", doc: "day of the local clock" },
    Dimension { name: "hour", sql: "strftime(local(time_logged), '%Y-%m-%d %H:00')", doc: "hour of the local clock" },
    Dimension { name: "minute5", sql: "strftime(time_bucket(interval 5 minute, local(time_logged)), '%Y-%m-%d %H:%M')", doc: "five minutes of the local clock" },
    Dimension { name: "hour_of_day", sql: "strftime(local(time_logged), '%H')", doc: "hour of any day" },
    Dimension { name: "weekday", sql: "strftime(local(time_logged), '%a')", doc: "day of any week" },
];

/// Short names that filters and people use, with the dimension meant.
const ALIASES: &[(&str, &str)] = &[
    ("domain", "rcpt_domain"),
    ("sender", "sender_domain"),
    ("pool", "vmta_pool"),
    ("ip", "dlv_source_ip"),
    ("job", "job_id"),
    ("category", "bounce_cat"),
    ("class", "bounce_class"),
    ("code", "enhanced_code"),
    ("enhanced", "enhanced_code"),
];

/// The dimension called `name`, also by its short name.
///
/// # Errors
/// [`Error::Unknown`] with the nearest name.
pub fn dimension(name: &str) -> Result<&'static Dimension> {
    let spelt = &*name.replace('-', "_");
    let full = ALIASES.iter().find(|(alias, _)| *alias == spelt).map_or(spelt, |(_, full)| full);
    let found = DIMENSIONS.iter().find(|dimension| dimension.name == full);
    let known = || DIMENSIONS.iter().map(|d| d.name);
    found.ok_or_else(|| Error::unknown("dimension", name, known()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hyphen_in_a_name_is_as_good_as_an_underscore() {
        assert_eq!(metric("bounce-rate").expect("known").name, "bounce_rate");
        assert_eq!(dimension("sender-domain").expect("known").name, "sender_domain");
        let unknown = |error: Error| error.to_string();
        let nearest = metric("bounce-rat").map(|_| ()).map_err(unknown);
        assert_eq!(
            nearest,
            Err("there is no metric `bounce-rat`; did you mean `bounce_rate`?".into())
        );
        let lost = dimension("nonsense").map(|_| ()).map_err(unknown);
        assert_eq!(
            lost,
            Err("there is no dimension `nonsense`; `pmtaq dimensions` lists them".into())
        );
    }

    #[test]
    fn every_aggregate_of_a_metric_names_the_record_types_that_it_counts() {
        for metric in metrics() {
            let sql = expand(&metric.sql);
            let of = |what: &str| sql.matches(what).count();
            let aggregates: usize =
                ["count(", "sum(", "max(", "quantile_cont("].map(of).into_iter().sum();
            assert_eq!(of("filter (rec "), aggregates, "{}: {sql}", metric.name);
            assert!(!metric.counted().is_empty(), "{}", metric.name);
        }
        let counted = |name| metric(name).expect("it is there").counted();
        assert_eq!(counted("bounced"), [Record::Bounce, Record::RemoteBounce]);
        assert_eq!(counted("p95"), [Record::Delivery]);
    }

    #[test]
    fn every_metric_is_complete_and_every_rate_names_a_metric() {
        let all = parse_metrics(METRICS).expect("a readable file");
        assert!(all.len() > 20);
        for metric in &all {
            assert!(metric.doc.ends_with('.') && !metric.sql.is_empty(), "{}", metric.name);
            if let Unit::Percent(of) = &metric.unit {
                let of = of.as_deref().expect("a rate has a denominator");
                assert!(all.iter().any(|other| other.name == of), "{}", metric.name);
            }
        }
    }

    #[test]
    fn metrics_are_expanded_but_not_inside_quotes_and_comments() {
        assert_eq!(
            expand(
                "select sent() as sent, 'sent()' -- sent()\n, my_sent(), \"sent()\" /* sent() */"
            ),
            "select (count(*) filter (rec in ('d', 'b'))) as sent, 'sent()' -- sent()\n, \
             my_sent(), \"sent()\" /* sent() */"
        );
        assert!(!expand("bounce_rate()").contains("sent()"));
    }

    #[test]
    fn a_wrong_name_gets_the_nearest() {
        let error = metric("bounce_rat").expect_err("unknown").to_string();
        assert_eq!(error, "there is no metric `bounce_rat`; did you mean `bounce_rate`?");
        assert_eq!(dimension("job").expect("an alias").name, "job_id");
        assert_eq!(views().len(), 10);
    }
}
