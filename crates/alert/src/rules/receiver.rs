//! Who is told, and by which protocol. Holds no secret: it says where the secret is.

use serde::Deserialize;

use super::seconds::Seconds;

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

fn ten_seconds() -> Seconds {
    Seconds(10)
}

fn sendmail() -> String {
    "/usr/sbin/sendmail".to_owned()
}

impl Receiver {
    pub(super) fn check(&self) -> Result<(), String> {
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
