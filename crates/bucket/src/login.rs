//! Who asks: keys that were given, or those that the machine's own service lends for some hours.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusty_s3::Credentials;
use serde_json::Value;
use ureq::Agent;

use crate::error::{Error, Result, shown};

/// Where the keys come from.
#[derive(Clone)]
pub enum Login {
    /// Keys as they were given.
    Keys {
        /// The public part.
        key: String,
        /// The secret.
        secret: String,
        /// What belongs to keys that end.
        token: Option<String>,
    },
    /// A service beside a container lends them, at this address.
    Container {
        /// The address.
        url: String,
        /// What it wants as `Authorization`.
        token: Option<String>,
    },
    /// The service of a virtual machine lends them (IMDS, version 2), at this address.
    Instance {
        /// Its beginning, such as `http://169.254.169.254`.
        url: String,
    },
}

/// Never the secret.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Login::Keys { .. } => "Keys",
            Login::Container { .. } => "Container",
            Login::Instance { .. } => "Instance",
        })
    }
}

/// Keys are asked for anew when they end so soon, in seconds.
const BEFORE_THE_END_S: i64 = 300;

/// The service is on this machine, or is not there at all.
const PATIENCE: Duration = Duration::from_secs(2);

/// The keys that hold now.
pub(crate) struct Keys {
    login: Login,
    /// With the second since 1970 in which they end.
    lent: Mutex<Option<(Credentials, i64)>>,
}

impl Keys {
    pub(crate) fn new(login: Login) -> Keys {
        Keys { login, lent: Mutex::default() }
    }

    /// The keys to sign with.
    pub(crate) fn get(&self, agent: &Agent) -> Result<Credentials> {
        if let Login::Keys { key, secret, token } = &self.login {
            return Ok(match token {
                Some(token) => Credentials::new_with_token(key, secret, token),
                None => Credentials::new(key, secret),
            });
        }
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        #[expect(clippy::disallowed_methods, reason = "whether lent keys still hold")]
        let now = chrono::Utc::now().timestamp();
        if let Some((keys, end)) = &*lent
            && now + BEFORE_THE_END_S < *end
        {
            return Ok(keys.clone());
        }
        let new = self.ask(agent)?;
        *lent = Some(new.clone());
        Ok(new.0)
    }

    fn ask(&self, agent: &Agent) -> Result<(Credentials, i64)> {
        let text = match &self.login {
            Login::Keys { .. } => String::new(),
            Login::Container { url, token } => {
                let token = token.as_deref().map(|token| ("Authorization", token));
                ask(agent, "GET", url, token)?
            }
            Login::Instance { url } => {
                let url = url.trim_end_matches('/');
                let hours = ("X-aws-ec2-metadata-token-ttl-seconds", "21600");
                let token = ask(agent, "PUT", &format!("{url}/latest/api/token"), Some(hours))?;
                let token = Some(("X-aws-ec2-metadata-token", token.trim()));
                let roles = format!("{url}/latest/meta-data/iam/security-credentials/");
                let role = ask(agent, "GET", &roles, token)?;
                let role = role.lines().next().unwrap_or_default().trim();
                ask(agent, "GET", &format!("{roles}{role}"), token)?
            }
        };
        lent(&text).ok_or_else(|| {
            Error::Settings("the service that lends keys gave none that can be read".to_owned())
        })
    }
}

/// Keys and their end, as the services write them.
fn lent(text: &str) -> Option<(Credentials, i64)> {
    let value: Value = serde_json::from_str(text).ok()?;
    let of = |name: &str| value[name].as_str();
    let end = chrono::DateTime::parse_from_rfc3339(of("Expiration")?).ok()?.timestamp();
    Some((
        Credentials::new_with_token(of("AccessKeyId")?, of("SecretAccessKey")?, of("Token")?),
        end,
    ))
}

fn ask(agent: &Agent, method: &str, url: &str, header: Option<(&str, &str)>) -> Result<String> {
    let none = |why: String| {
        Error::Settings(format!(
            "no keys for the bucket: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set, no file has \
             them, and the service of this machine that lends keys says: {}",
            shown(&why)
        ))
    };
    let (name, value) = header.unwrap_or(("Accept", "*/*"));
    let answer = match method {
        // With a length of 0: the service does not read chunks.
        "PUT" => {
            let request = agent.put(url).config().timeout_global(Some(PATIENCE)).build();
            request.header(name, value).send_empty()
        }
        _ => {
            let request = agent.get(url).config().timeout_global(Some(PATIENCE)).build();
            request.header(name, value).call()
        }
    };
    let mut answer = answer.map_err(|error| none(error.to_string()))?;
    if !answer.status().is_success() {
        return Err(none(format!("status {}", answer.status().as_u16())));
    }
    let text = answer.body_mut().with_config().limit(1 << 16).read_to_string();
    text.map_err(|error| none(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_lent_are_read_with_their_end() {
        let text = r#"{"Code":"Success","AccessKeyId":"A","SecretAccessKey":"S","Token":"T",
            "Expiration":"2026-03-05T12:00:00Z"}"#;
        let (keys, end) = lent(text).expect("keys");
        assert_eq!((keys.key(), keys.token(), end), ("A", Some("T"), 1_772_712_000));
        assert!(lent("{}").is_none() && lent("not found").is_none());
        let login = Login::Keys { key: "A".into(), secret: "S3CRET".into(), token: None };
        assert_eq!(format!("{login:?}"), "Keys");
    }
}
