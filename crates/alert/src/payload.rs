//! Events in the formats of those who are told: PagerDuty's Events API v2, Slack's incoming
//! webhooks, Alertmanager's API v2 and the body of its webhooks (version 4), JSON of our own, mail.
//! Texts of strangers stay texts. Sends nothing, and knows no secret but the routing key it is given.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pmtaq_schema::Timestamp;
use serde_json::{Value, json};

use crate::event::{Event, Firing, Told};
use crate::rules::{Protocol, Severity};

/// Longest summary that PagerDuty takes, in characters.
const MAX_SUMMARY: usize = 1024;
/// Longest text for Slack, which cuts at 40,000.
const MAX_TEXT: usize = 8000;
/// Alertmanager ends an alert that it hears no more of; ours end when we say so.
const ENDS_LATER_S: i64 = 30 * 86_400;

/// The body of a request by `protocol`; `key` is PagerDuty's routing key.
pub fn body(protocol: Protocol, event: &Event, key: &str, receiver: &str) -> Value {
    match protocol {
        Protocol::Pagerduty => pagerduty(event, key),
        Protocol::Slack => slack(event),
        Protocol::Alertmanager => {
            event.groups.iter().map(|group| alertmanager(event, group)).collect()
        }
        Protocol::AlertmanagerWebhook => webhook_of_alertmanager(event, receiver),
        Protocol::Webhook | Protocol::Mail => ours(event),
    }
}

fn ours(event: &Event) -> Value {
    json!({
        "version": 1,
        "rule": event.rule,
        "key": event.key,
        "status": event.status,
        "severity": event.severity,
        "source": event.source,
        "at": time(event.at),
        "since": time(event.since),
        "summary": event.summary,
        "groups": event.groups.iter().map(details).collect::<Vec<_>>(),
        "runbook": event.runbook,
        "directive": event.directive,
    })
}

fn cut(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}

fn time(seconds: i64) -> String {
    Timestamp(seconds).to_string()
}

fn pagerduty(event: &Event, key: &str) -> Value {
    let action = match event.status {
        Firing::Firing => "trigger",
        Firing::Resolved => "resolve",
    };
    let links: Vec<Value> =
        event.runbook.iter().map(|url| json!({"href": url, "text": "runbook"})).collect();
    json!({
        "routing_key": key,
        "event_action": action,
        "dedup_key": event.key,
        "client": "pmtaq",
        "links": links,
        "payload": {
            "summary": cut(&event.summary, MAX_SUMMARY),
            "source": event.source,
            "severity": event.severity.to_string(),
            "timestamp": time(event.at),
            "component": "PowerMTA",
            "class": event.rule,
            "custom_details": {
                "since": time(event.since),
                "groups": event.groups.iter().map(details).collect::<Vec<_>>(),
                "directive": event.directive,
            },
        },
    })
}

fn details(group: &Told) -> Value {
    json!({
        "of": labels(group),
        "found": group.words,
        "reasons": group.reasons,
        "command": group.command,
    })
}

fn labels(group: &Told) -> BTreeMap<String, String> {
    group.labels.iter().cloned().collect()
}

fn slack(event: &Event) -> Value {
    let colour = match (event.status, event.severity) {
        (Firing::Resolved, _) => "#2e7d32",
        (_, Severity::Critical | Severity::Error) => "#b3261e",
        (_, Severity::Warning) => "#b26a00",
        (_, Severity::Info) => "#1a66b3",
    };
    let status = match event.status {
        Firing::Firing => event.severity.to_string().to_uppercase(),
        Firing::Resolved => "RESOLVED".to_owned(),
    };
    let text = event.text();
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let first = format!("{status}: {first}");
    let about = format!("{}, since {}, found {}", event.source, time(event.since), time(event.at));
    // Plain text: no name and no reply makes a link, a mention or a style.
    let block = |text: &str| json!({"type": "section", "text": {"type": "plain_text", "text": text, "emoji": false}});
    let mut blocks = vec![block(&cut(&first, 3000))];
    blocks.extend((!rest.trim().is_empty()).then(|| block(&cut(rest.trim_end(), 3000))));
    blocks.push(block(&cut(&about, 3000)));
    let text = cut(&escaped(&format!("{first} ({about})")), MAX_TEXT);
    json!({
        "text": text,
        "attachments": [{"color": colour, "fallback": text, "blocks": blocks}],
    })
}

/// Text as Slack wants it, where it is no plain text.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn alert_labels(event: &Event, group: &Told) -> BTreeMap<String, String> {
    let mut labels = labels(group);
    labels.insert("alertname".to_owned(), event.rule.clone());
    labels.insert("severity".to_owned(), event.severity.to_string());
    labels.insert("source".to_owned(), event.source.clone());
    // An empty label is none, and makes the set of another alert.
    labels.retain(|_, value| !value.is_empty());
    labels
}

fn annotations(event: &Event, group: &Told) -> BTreeMap<&'static str, String> {
    let words = if group.words.is_empty() { &event.summary } else { &group.words };
    let mut annotations = BTreeMap::from([("summary", words.clone())]);
    let mut about = group.reasons.clone();
    about.extend(group.command.iter().map(|command| format!("$ {command}")));
    about.extend(event.directive.iter().map(|name| format!("directive: {name}")));
    if !about.is_empty() {
        annotations.insert("description", about.join("\n"));
    }
    annotations.extend(event.runbook.iter().map(|url| ("runbook_url", url.clone())));
    annotations
}

fn ends(event: &Event) -> String {
    match event.status {
        Firing::Firing => time(event.at + ENDS_LATER_S),
        Firing::Resolved => time(event.at),
    }
}

fn alertmanager(event: &Event, group: &Told) -> Value {
    json!({
        "labels": alert_labels(event, group),
        "annotations": annotations(event, group),
        "startsAt": time(event.since),
        "endsAt": ends(event),
    })
}

fn webhook_of_alertmanager(event: &Event, receiver: &str) -> Value {
    let (status, severity) = (event.status, event.severity.to_string());
    let alert = |group: &Told| {
        let ends = match status {
            // The zero of Go's time, which is what Alertmanager says of one that is on.
            Firing::Firing => "0001-01-01T00:00:00Z".to_owned(),
            Firing::Resolved => time(event.at),
        };
        json!({
            "status": status,
            "labels": alert_labels(event, group),
            "annotations": annotations(event, group),
            "startsAt": time(event.since),
            "endsAt": ends,
            "generatorURL": "",
            "fingerprint": format!("{:016x}", fingerprint(&alert_labels(event, group))),
        })
    };
    let common = json!({"alertname": event.rule, "severity": severity, "source": event.source});
    json!({
        "version": "4",
        "groupKey": event.key,
        "truncatedAlerts": 0,
        "status": status,
        "receiver": receiver,
        "groupLabels": {"alertname": event.rule},
        "commonLabels": common,
        "commonAnnotations": {},
        "externalURL": "",
        "alerts": event.groups.iter().map(alert).collect::<Vec<_>>(),
    })
}

/// FNV-1a over the labels, so that an alert has one number for as long as it is on.
fn fingerprint(labels: &BTreeMap<String, String>) -> u64 {
    let bytes = labels
        .iter()
        .flat_map(|(name, value)| [name, value])
        .flat_map(|text| text.bytes().chain(std::iter::once(0xff)));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A mail, with its head, for a program that reads the recipients from it.
pub fn mail(event: &Event, from: &str, to: &[String]) -> String {
    let status = match event.status {
        Firing::Firing => event.severity.to_string(),
        Firing::Resolved => "resolved".to_owned(),
    };
    let subject = encoded(&cut(&format!("[pmtaq] {status}: {}", event.summary), 200));
    let (from, to) = (plain(from), plain(&to.join(", ")));
    let body: String = event.text().lines().map(|line| plain(line) + "\n").collect();
    format!(
        "From: {from}\nTo: {to}\nSubject: {subject}\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n\
         Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n\
         {body}\nsince {}, found {}, by {}\n",
        time(event.since),
        time(event.at),
        plain(&event.source)
    )
}

/// Text that neither ends a line nor begins anything else.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The value of a header field, by RFC 2047 where it is not plain ASCII.
fn encoded(text: &str) -> String {
    let text = plain(text);
    if text.is_ascii() {
        return text;
    }
    // A word has at most 75 characters, and its text is whole characters.
    let mut words: Vec<String> = vec![String::new()];
    for c in text.chars() {
        if words.last().is_some_and(|word| word.len() + c.len_utf8() > 42) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    let words = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
    words.collect::<Vec<_>>().join("\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(status: Firing) -> Event {
        Event {
            rule: "bounces".to_owned(),
            key: "pmtaq/mta1/bounces".to_owned(),
            status,
            severity: Severity::Critical,
            source: "mta1".to_owned(),
            at: 1_772_539_200,
            since: 1_772_538_600,
            summary: "bounces: yahoo <b> & \u{fc}\nBcc: x@example.com".to_owned(),
            groups: vec![Told {
                labels: vec![("provider".to_owned(), "yahoo".to_owned())],
                words: "yahoo: bounce_rate 80.0 % of 25 sent".to_owned(),
                reasons: vec!["20 times: 550 5.7.1 <!channel> `x`".to_owned()],
                command: Some("pmtaq why bounce_rate".to_owned()),
            }],
            runbook: Some("https://runbooks.example/bounces".to_owned()),
            directive: Some("bounce-upon-pattern".to_owned()),
        }
    }

    #[test]
    fn an_alert_has_one_key_from_its_beginning_to_its_end() {
        let [on, off] = [Firing::Firing, Firing::Resolved]
            .map(|status| body(Protocol::Pagerduty, &event(status), "k", "ops"));
        assert_eq!(
            (on["event_action"].as_str(), off["event_action"].as_str()),
            (Some("trigger"), Some("resolve"))
        );
        assert_eq!(on["dedup_key"], off["dedup_key"]);
        assert_eq!(
            (&on["routing_key"], &on["payload"]["severity"]),
            (&json!("k"), &json!("critical"))
        );
        let [on, off] = [Firing::Firing, Firing::Resolved]
            .map(|status| body(Protocol::Alertmanager, &event(status), "", "ops"));
        assert_eq!(on[0]["labels"], off[0]["labels"]);
        assert_eq!(off[0]["endsAt"], "2026-03-03T12:00:00Z");
        assert!(on[0]["endsAt"].as_str() > off[0]["endsAt"].as_str());
        let [on, off] = [Firing::Firing, Firing::Resolved]
            .map(|status| body(Protocol::AlertmanagerWebhook, &event(status), "", "ops"));
        assert_eq!(on["alerts"][0]["fingerprint"], off["alerts"][0]["fingerprint"]);
        assert_eq!((&on["status"], &off["status"]), (&json!("firing"), &json!("resolved")));
    }

    #[test]
    fn a_reply_mentions_nobody_in_slack() {
        let body = body(Protocol::Slack, &event(Firing::Firing), "", "ops");
        assert!(!body["text"].as_str().expect("text").contains('<'), "{body}");
        let blocks = body["attachments"][0]["blocks"].as_array().expect("blocks");
        assert!(blocks.iter().all(|block| block["text"]["type"] == "plain_text"), "{body}");
        assert!(blocks[1]["text"]["text"].as_str().expect("text").contains("<!channel>"));
    }

    #[test]
    fn slack_is_told_how_urgent_it_is_where_and_since_when() {
        let about = "(mta1, since 2026-03-03T11:50:00Z, found 2026-03-03T12:00:00Z)";
        for (status, word) in [(Firing::Firing, "CRITICAL"), (Firing::Resolved, "RESOLVED")] {
            let body = body(Protocol::Slack, &event(status), "", "ops");
            let text = body["text"].as_str().expect("text");
            assert!(text.starts_with(&format!("{word}: bounces: yahoo")), "{text}");
            assert!(text.ends_with(about), "{text}");
        }
    }

    #[test]
    fn a_text_adds_no_header_to_a_mail() {
        let to = ["ops@example.com".to_owned(), "b@example.com\nBcc: c@example.com".to_owned()];
        let mail = mail(&event(Firing::Firing), "pmtaq@example.com", &to);
        let head = mail.split("\n\n").next().expect("a head");
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(head.is_ascii() && head.lines().all(|line| line.len() <= 78), "{head}");
        assert!(
            mail.contains("\n$ pmtaq") || mail.contains("  $ pmtaq why bounce_rate\n"),
            "{mail}"
        );
    }
}
