//! Sends an event to a receiver: by HTTP, or by [`mail`]. Where the secrets are read.

use std::net::IpAddr;
use std::thread::sleep;
use std::time::Duration;

use chrono::DateTime;
use pmtaq_alert::{Event, Protocol, Receiver, payload};
use pmtaq_schema::untrusted::visible;
use ureq::Agent;
use ureq::tls::TlsConfig;

use super::mail;
use crate::{privacy, settings, trust};

const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";
/// Waits before another attempt, when the failure may pass by itself.
const WAITS_S: [u64; 2] = [1, 3];
/// Longest wait that is taken from a receiver, in seconds: one that says more is wrong.
const MAX_WAIT_S: i64 = 3600;
/// What is shown of an answer that is an error, in characters.
pub(super) const MAX_ANSWER: usize = 200;

/// Longest wait that a receiver asks for and that is waited for within a run, in seconds.
const PATIENCE_S: i64 = 5;

/// Why something was not sent.
#[derive(Debug)]
pub(super) enum Failed {
    /// The receiver does not want this message, and will not want it later.
    Refused(String),
    /// It may be sent later, in so many seconds if the receiver says that.
    Kept { error: String, wait_s: Option<i64> },
}

/// How an attempt failed.
enum Attempt {
    /// The message was refused.
    Refused(String),
    /// It may work in a moment, or in so many seconds.
    Passing(String, Option<i64>),
    /// It will not work until somebody changes something.
    Lasting(String),
}

/// Sends an event.
///
/// # Errors
/// A sentence without secrets.
pub(super) fn send(receiver: &Receiver, event: &Event) -> Result<(), Failed> {
    let kept = |error| Failed::Kept { error, wait_s: None };
    if receiver.protocol == Protocol::Mail {
        return mail::send(receiver, event).map_err(kept);
    }
    let key = secret(None, receiver.key_env.as_deref(), receiver.key_file.as_deref());
    let key = key.map_err(kept)?.unwrap_or_default();
    let url = address(receiver).map_err(kept)?;
    let body = payload::body(receiver.protocol, event, &key, &receiver.name).to_string();
    let token = (receiver.protocol != Protocol::Pagerduty && !key.is_empty()).then_some(&*key);
    // The address of a webhook is a secret too.
    let secrets = [url.as_str(), &key].into_iter().filter(|secret| !secret.is_empty());
    let clean = |error: String| {
        visible(&secrets.clone().fold(error, |error, secret| error.replace(secret, "***")))
    };
    let mut waits = WAITS_S.iter();
    loop {
        match post(receiver, &url, token, &body) {
            Ok(()) => return Ok(()),
            Err(Attempt::Refused(error)) => return Err(Failed::Refused(clean(error))),
            Err(Attempt::Lasting(error)) => return Err(kept(clean(error))),
            Err(Attempt::Passing(error, wait_s)) => match waits.next() {
                Some(wait) if wait_s.is_none_or(|wait_s| wait_s <= PATIENCE_S) => {
                    let wait = wait_s.map_or(*wait, i64::unsigned_abs);
                    sleep(Duration::from_secs(wait));
                }
                _ => return Err(Failed::Kept { error: clean(error), wait_s }),
            },
        }
    }
}

/// What of a receiver lets others read its secrets: a file, or the way there.
pub(super) fn leaks(receiver: &Receiver) -> Vec<String> {
    let files = [&receiver.key_file, &receiver.url_file].into_iter().flatten();
    let mut leaks: Vec<String> =
        files.filter_map(|path| privacy::open_to_all(path.as_ref())).collect();
    let has_key = receiver.key_file.is_some() || receiver.key_env.is_some();
    let plain = address(receiver).ok().filter(|url| has_key && is_readable_on_its_way(url));
    leaks.extend(plain.map(|_| "its key goes over http, readable on its way".to_owned()));
    let of = |leak: String| format!("receiver `{}`: {leak}", receiver.name);
    leaks.into_iter().map(of).collect()
}

/// Whether what goes to an address leaves the machine unencrypted.
fn is_readable_on_its_way(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_loopback = host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    host != "localhost" && !is_loopback
}

/// What would be sent, with `***` for secrets.
pub(crate) fn preview(receiver: &Receiver, event: &Event) -> String {
    if receiver.protocol == Protocol::Mail {
        let mail = mail::text(receiver, event);
        let mail: String = mail.lines().map(|line| visible(line) + "\n").collect();
        return format!("# {}: {}\n{mail}\n", receiver.name, receiver.sendmail);
    }
    let body = payload::body(receiver.protocol, event, "***", &receiver.name);
    let body = format!("{body:#}");
    let body: String = body.lines().map(|line| visible(line) + "\n").collect();
    format!("# {}: POST\n{body}\n", receiver.name)
}

/// Longest time for one attempt.
pub(super) fn timeout(receiver: &Receiver) -> Duration {
    Duration::from_secs(receiver.timeout.0.max(1).unsigned_abs())
}

fn address(receiver: &Receiver) -> Result<String, String> {
    let url = receiver.url.clone();
    let url = secret(url, receiver.url_env.as_deref(), receiver.url_file.as_deref())?;
    let url = match (url, receiver.protocol) {
        (None, Protocol::Pagerduty) => PAGERDUTY.to_owned(),
        (url, _) => url.unwrap_or_default(),
    };
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err("its address begins with neither http:// nor https://".to_owned());
    }
    let is_base = receiver.protocol == Protocol::Alertmanager && !url.ends_with("/api/v2/alerts");
    Ok(if is_base { format!("{}/api/v2/alerts", url.trim_end_matches('/')) } else { url })
}

/// A value that stands in the rules, in a variable or in a file.
fn secret(
    plain: Option<String>,
    variable: Option<&str>,
    file: Option<&str>,
) -> Result<Option<String>, String> {
    let text = match (plain, variable, file) {
        (Some(text), _, _) => text,
        (_, Some(name), _) => settings::variable(name)
            .ok_or_else(|| format!("the variable {name} is not set; it holds its secret"))?,
        (_, _, Some(path)) => match settings::read(path.as_ref()) {
            Ok(Some(text)) => text,
            Ok(None) => return Err(format!("there is no file {path}; it holds its secret")),
            Err(failure) => return Err(failure.message().to_owned()),
        },
        (None, None, None) => return Ok(None),
    };
    let text = text.trim();
    if text.is_empty() || text.contains(char::is_control) {
        return Err("its secret is empty or has more than one line".to_owned());
    }
    Ok(Some(text.to_owned()))
}

fn post(receiver: &Receiver, url: &str, token: Option<&str>, body: &str) -> Result<(), Attempt> {
    let mut tls = TlsConfig::builder();
    if url.starts_with("https://") {
        tls = tls.root_certs(trust::roots(receiver.ca_file.as_deref()).map_err(Attempt::Lasting)?);
    }
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(timeout(receiver)))
        .tls_config(tls.build())
        .http_status_as_error(false)
        // To follow would hand the secret to whoever is named.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build()
        .into();
    let mut request = agent
        .post(url)
        .header("Content-Type", "application/json")
        .header("User-Agent", concat!("pmtaq/", env!("CARGO_PKG_VERSION")));
    if let Some(token) = token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let mut answer = request.send(body).map_err(|error| Attempt::Passing(unsent(&error), None))?;
    let status = answer.status().as_u16();
    if (200..300).contains(&status) {
        return Ok(());
    }
    if (300..400).contains(&status) {
        let error = format!("it answers {status} and sends elsewhere; write its final address");
        return Err(Attempt::Lasting(error));
    }
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    // By the receiver's own clock, since ours may be wrong.
    let wait_s = header("retry-after").and_then(|text| wait_s(text, header("date")));
    let text = answer.body_mut().with_config().limit(4096).read_to_string().unwrap_or_default();
    let text: String = text.trim().chars().take(MAX_ANSWER).collect();
    let error = if text.is_empty() {
        format!("it answers {status}")
    } else {
        format!("it answers {status}: {text}")
    };
    Err(match status {
        408 | 425 | 429 | 500.. => Attempt::Passing(error, wait_s),
        // What is wrong is this message. All else that a client can do wrong, such as a key that is
        // not valid any more, is wrong of any message until somebody mends it.
        400 | 413 | 415 | 422 => Attempt::Refused(error),
        _ => Attempt::Lasting(error),
    })
}

/// The seconds that a receiver asks to wait for (RFC 9110): a number, or the time until a date.
fn wait_s(text: &str, date: Option<&str>) -> Option<i64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds.clamp(0, MAX_WAIT_S));
    }
    let [until, now] = [Some(text), date].map(|text| DateTime::parse_from_rfc2822(text?).ok());
    Some((until? - now?).num_seconds().clamp(0, MAX_WAIT_S))
}

/// Why nobody answered.
fn unsent(error: &ureq::Error) -> String {
    let error = error.to_string();
    match error.split_once("invalid peer certificate: ") {
        Some((_, why)) => format!(
            "its certificate is not trusted ({why}); `ca-file` of the receiver names a file of those that are"
        ),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_number_or_the_time_until_a_date() {
        assert_eq!(wait_s("120", None), Some(120));
        let date = "Mon, 02 Mar 2026 10:00:00 GMT";
        assert_eq!(wait_s("Mon, 02 Mar 2026 10:01:30 GMT", Some(date)), Some(90));
        assert_eq!(wait_s("Sun, 01 Mar 2026 10:00:00 GMT", Some(date)), Some(0));
        assert_eq!(wait_s("999999999", None), Some(MAX_WAIT_S));
        assert_eq!(wait_s("soon", Some(date)), None);
    }

    #[test]
    fn what_stays_on_the_machine_or_is_encrypted_is_not_readable_on_its_way() {
        for url in
            ["https://hook.example", "http://localhost:8/x", "http://127.0.0.1", "http://[::1]:9/x"]
        {
            assert!(!is_readable_on_its_way(url), "{url}");
        }
        for url in [
            "http://hook.example",
            "http://localhost.evil.example/",
            "http://localhost@hook.example/",
        ] {
            assert!(is_readable_on_its_way(url), "{url}");
        }
    }
}
