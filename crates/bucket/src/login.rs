//! Who asks: keys that were given, or those that the machine's own service lends for some hours.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusty_s3::Credentials;
use serde_json::Value;
use ureq::Agent;

use crate::error::{Error, Result, shown};
use crate::sts;
use crate::xml::tag;

/// What gives a text when it is asked: the keys that a program prints, a token that is in a file. An error
/// is a sentence.
pub type Lender = Arc<dyn Fn() -> std::result::Result<String, String> + Send + Sync>;

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
    /// A program prints them, as JSON.
    Process(Lender),
    /// The service of security tokens lends them for a role.
    Role {
        /// The service.
        url: String,
        /// The region that the question is signed for.
        region: String,
        /// The role.
        arn: String,
        /// What others see as the name of who asks.
        session: String,
        /// Who may take the role.
        by: By,
    },
}

/// By what a role is taken.
#[derive(Clone)]
pub enum By {
    /// By other keys, with the external id that the role may want.
    Login(Box<Login>, Option<String>),
    /// By the token of an identity of elsewhere, such as that of a cluster's service account.
    Token(Lender),
}

/// Never the secret.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Login::Keys { .. } => "Keys",
            Login::Container { .. } => "Container",
            Login::Instance { .. } => "Instance",
            Login::Process(_) => "Process",
            Login::Role { .. } => "Role",
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
            return Ok(given(key, secret, token.as_deref()));
        }
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        #[expect(clippy::disallowed_methods, reason = "whether lent keys still hold")]
        let now = Utc::now();
        if let Some((keys, end)) = &*lent
            && now.timestamp() + BEFORE_THE_END_S < *end
        {
            return Ok(keys.clone());
        }
        let new = ask_for_keys(agent, &self.login, now)?;
        *lent = Some(new.clone());
        Ok(new.0)
    }
}

fn given(key: &str, secret: &str, token: Option<&str>) -> Credentials {
    match token {
        Some(token) => Credentials::new_with_token(key, secret, token),
        None => Credentials::new(key, secret),
    }
}

/// Keys, and the second since 1970 in which they end.
fn ask_for_keys(agent: &Agent, login: &Login, now: DateTime<Utc>) -> Result<(Credentials, i64)> {
    let found = match login {
        Login::Keys { key, secret, token } => {
            return Ok((given(key, secret, token.as_deref()), i64::MAX));
        }
        Login::Container { url, token } => {
            let token = token.as_deref().map(|token| ("Authorization", token));
            lent(&ask(agent, "GET", url, token)?)
        }
        Login::Instance { url } => {
            let url = url.trim_end_matches('/');
            let hours = ("X-aws-ec2-metadata-token-ttl-seconds", "21600");
            let token = ask(agent, "PUT", &format!("{url}/latest/api/token"), Some(hours))?;
            let token = Some(("X-aws-ec2-metadata-token", token.trim()));
            let roles = format!("{url}/latest/meta-data/iam/security-credentials/");
            let role = ask(agent, "GET", &roles, token)?;
            let role = role.lines().next().unwrap_or_default().trim();
            lent(&ask(agent, "GET", &format!("{roles}{role}"), token)?)
        }
        Login::Process(lender) => lent(&asked_of(lender)?),
        Login::Role { url, region, arn, session, by } => {
            let (body, headers) = match by {
                By::Token(lender) => {
                    let token = asked_of(lender)?;
                    let query = sts::of_web_identity(arn, session, token.trim());
                    (sts::body(&query), Vec::new())
                }
                By::Login(login, external_id) => {
                    let (keys, _) = ask_for_keys(agent, login, now)?;
                    let body = sts::body(&sts::of_role(arn, session, external_id.as_deref()));
                    let headers = sts::signature(url, region, &keys, now, &body);
                    (body, headers)
                }
            };
            lent_for_role(&ask_sts(agent, url, &body, headers, arn)?)
        }
    };
    found.ok_or_else(|| {
        Error::Settings("what lends keys for the bucket gave none that can be read".to_owned())
    })
}

fn asked_of(lender: &Lender) -> Result<String> {
    lender().map_err(|why| Error::Settings(format!("no keys for the bucket: {}", shown(&why))))
}

/// Keys and their end, as the services and programs write them.
fn lent(text: &str) -> Option<(Credentials, i64)> {
    let value: Value = serde_json::from_str(text).ok()?;
    let of = |name: &str| value[name].as_str();
    let token = of("Token").or_else(|| of("SessionToken"));
    // Those of a program may be without.
    let end = of("Expiration").map_or(Some(i64::MAX), seconds_of)?;
    Some((given(of("AccessKeyId")?, of("SecretAccessKey")?, token), end))
}

/// The same, as the service of security tokens writes them.
fn lent_for_role(text: &str) -> Option<(Credentials, i64)> {
    let of = |name: &str| tag(text, name);
    let token = of("SessionToken")?;
    let end = seconds_of(of("Expiration")?)?;
    Some((given(of("AccessKeyId")?, of("SecretAccessKey")?, Some(token)), end))
}

fn seconds_of(text: &str) -> Option<i64> {
    Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp())
}

/// What the service of security tokens answers.
fn ask_sts(
    agent: &Agent,
    url: &str,
    body: &str,
    headers: Vec<(&'static str, String)>,
    role: &str,
) -> Result<String> {
    let none = |why: &str| Error::Settings(format!("the role {role} is not given: {}", shown(why)));
    let url = format!("{}/", url.trim_end_matches('/'));
    let mut request = agent.post(&url).header("content-type", sts::FORM);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.config().timeout_global(Some(10 * PATIENCE)).build();
    let mut answer = request.send(body).map_err(|error| none(&error.to_string()))?;
    let text = answer.body_mut().with_config().limit(1 << 16).read_to_string();
    let text = text.map_err(|error| none(&error.to_string()))?;
    if answer.status().is_success() {
        return Ok(text);
    }
    let [code, message] = ["Code", "Message"].map(|name| tag(&text, name).unwrap_or_default());
    Err(none(&format!("{} {code} {message}", answer.status().as_u16())))
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
        let text = r#"{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "S"}"#;
        let (keys, end) = lent(text).expect("keys of a program");
        assert_eq!((keys.token(), end), (None, i64::MAX));
        let text = "<R><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey>\
            <SessionToken>T</SessionToken><Expiration>2026-03-05T12:00:00.123Z</Expiration>";
        let (keys, end) = lent_for_role(text).expect("keys of a role");
        assert_eq!((keys.token(), end), (Some("T"), 1_772_712_000));
        let login = Login::Keys { key: "A".into(), secret: "S3CRET".into(), token: None };
        assert_eq!(format!("{login:?}"), "Keys");
    }
}
