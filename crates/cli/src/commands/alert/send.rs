//! Sends an event to a receiver: by HTTP, or by [`mail`]. Where the secrets are read.

use std::thread::sleep;
use std::time::Duration;

use pmtaq_alert::{Event, Protocol, Receiver, payload};
use ureq::Agent;
use ureq::tls::TlsConfig;

use super::{mail, trust};
use crate::settings;
use crate::ui::harmless;

const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";
/// Waits before another attempt, when the failure may pass by itself.
const WAITS_S: [u64; 2] = [1, 3];
/// What is shown of an answer that is an error, in characters.
pub(super) const MAX_ANSWER: usize = 200;

/// Why something could not be sent.
enum Failed {
    /// It may work in a moment.
    Passing(String),
    /// It will not work like this.
    Lasting(String),
}

/// Sends an event.
///
/// # Errors
/// A sentence without secrets.
pub(crate) fn send(receiver: &Receiver, event: &Event) -> Result<(), String> {
    if receiver.protocol == Protocol::Mail {
        return mail::send(receiver, event);
    }
    let key = secret(None, receiver.key_env.as_deref(), receiver.key_file.as_deref())?;
    let key = key.unwrap_or_default();
    let url = address(receiver)?;
    let body = payload::body(receiver.protocol, event, &key, &receiver.name).to_string();
    let token = (receiver.protocol != Protocol::Pagerduty && !key.is_empty()).then_some(&*key);
    let mut waits = WAITS_S.iter();
    loop {
        let error = match post(receiver, &url, token, &body) {
            Ok(()) => return Ok(()),
            Err(Failed::Lasting(error)) => error,
            Err(Failed::Passing(error)) => match waits.next() {
                Some(wait) => {
                    sleep(Duration::from_secs(*wait));
                    continue;
                }
                None => error,
            },
        };
        // The address of a webhook is a secret too.
        let secrets = [url.as_str(), &key].into_iter().filter(|secret| !secret.is_empty());
        return Err(harmless(&secrets.fold(error, |error, secret| error.replace(secret, "***"))));
    }
}

/// What would be sent, with `***` for secrets.
pub(crate) fn shown(receiver: &Receiver, event: &Event) -> String {
    if receiver.protocol == Protocol::Mail {
        let mail = mail::text(receiver, event);
        let mail: String = mail.lines().map(|line| harmless(line) + "\n").collect();
        return format!("# {}: {}\n{mail}\n", receiver.name, receiver.sendmail);
    }
    let body = payload::body(receiver.protocol, event, "***", &receiver.name);
    let body = format!("{body:#}");
    let body: String = body.lines().map(|line| harmless(line) + "\n").collect();
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

fn post(receiver: &Receiver, url: &str, token: Option<&str>, body: &str) -> Result<(), Failed> {
    let mut tls = TlsConfig::builder();
    if url.starts_with("https://") {
        tls = tls.root_certs(trust::roots(receiver).map_err(Failed::Lasting)?);
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
    let mut answer = request.send(body).map_err(|error| Failed::Passing(unsent(&error)))?;
    let status = answer.status().as_u16();
    if (200..300).contains(&status) {
        return Ok(());
    }
    if (300..400).contains(&status) {
        let error = format!("it answers {status} and sends elsewhere; write its final address");
        return Err(Failed::Lasting(error));
    }
    let text = answer.body_mut().with_config().limit(4096).read_to_string().unwrap_or_default();
    let text: String = text.trim().chars().take(MAX_ANSWER).collect();
    let error = if text.is_empty() {
        format!("it answers {status}")
    } else {
        format!("it answers {status}: {text}")
    };
    match status {
        408 | 429 | 500.. => Err(Failed::Passing(error)),
        _ => Err(Failed::Lasting(error)),
    }
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
