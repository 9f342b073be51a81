//! Who asks for a bucket: keys of variables or a profile, a program that prints them, a role that is taken
//! by other keys or a token, the service of a container or of the machine. In this order the first one that is
//! named.

use std::process::{Command, Stdio};
use std::sync::Arc;

use pmtaq_bucket::{By, Lender, Login};

use super::Profile;
use crate::failure::{Failure, Result};
use crate::settings::{self, variable};

/// Where a virtual machine asks for keys.
const INSTANCE: &str = "http://169.254.169.254";
/// Where a container does.
const CONTAINER: &str = "http://169.254.170.2";

/// Profiles that name each other as the source of their keys.
const DEEPEST: u32 = 5;

fn set(name: &str) -> Option<String> {
    variable(name).filter(|text| !text.trim().is_empty())
}

pub(super) fn login(profile: &Profile, region: &str) -> Result<Login> {
    if let Some(login) = of_variables() {
        return Ok(login);
    }
    if let Some(login) = of_profile(profile, region, DEEPEST)? {
        return Ok(login);
    }
    if let (Some(file), Some(arn)) = (set("AWS_WEB_IDENTITY_TOKEN_FILE"), set("AWS_ROLE_ARN")) {
        return Ok(role(arn, set("AWS_ROLE_SESSION_NAME"), region, By::Token(in_file(file))));
    }
    if let Some(login) = of_container()? {
        return Ok(login);
    }
    if set("AWS_EC2_METADATA_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        return Err(Failure::usage("no keys for the bucket")
            .hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write ~/.aws/credentials"));
    }
    Ok(of_instance())
}

fn of_variables() -> Option<Login> {
    let (key, secret) = (set("AWS_ACCESS_KEY_ID")?, set("AWS_SECRET_ACCESS_KEY")?);
    Some(Login::Keys { key, secret, token: set("AWS_SESSION_TOKEN") })
}

fn of_container() -> Result<Option<Login>> {
    if let Some(path) = set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        return Ok(Some(Login::Container { url: format!("{CONTAINER}{path}"), token: None }));
    }
    let Some(url) = set("AWS_CONTAINER_CREDENTIALS_FULL_URI") else { return Ok(None) };
    let token = match set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(path) => settings::read(path.as_ref())?.map(|token| token.trim().to_owned()),
        None => set("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    };
    Ok(Some(Login::Container { url, token }))
}

fn of_instance() -> Login {
    let url = set("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or_else(|| INSTANCE.to_owned());
    Login::Instance { url }
}

/// What a profile says; none when it says nothing of keys.
fn of_profile(profile: &Profile, region: &str, depth: u32) -> Result<Option<Login>> {
    let of = |key| profile.get(key);
    if let Some(arn) = of("role_arn")
        && let Some(by) = by_of(profile, region, depth)?
    {
        return Ok(Some(role(arn, of("role_session_name"), region, by)));
    }
    if let Some(login) = keys_of(profile) {
        return Ok(Some(login));
    }
    if let Some(command) = of("credential_process") {
        return Ok(Some(Login::Process(printed_by(command))));
    }
    if let Some(other) = ["sso_session", "sso_start_url"].into_iter().find(|key| of(key).is_some())
    {
        let what = format!("keys for the bucket by `{other}` are not known here");
        return Err(Failure::usage(what).hint(
            "`credential_process = aws configure export-credentials --profile NAME` in another profile \
             asks Amazon's own tool for them",
        ));
    }
    Ok(None)
}

fn keys_of(profile: &Profile) -> Option<Login> {
    let of = |key| profile.get(key);
    let (key, secret) = (of("aws_access_key_id")?, of("aws_secret_access_key")?);
    Some(Login::Keys { key, secret, token: of("aws_session_token") })
}

/// By what a profile takes its role; none when it does not say.
fn by_of(profile: &Profile, region: &str, depth: u32) -> Result<Option<By>> {
    let of = |key| profile.get(key);
    if let Some(file) = of("web_identity_token_file") {
        return Ok(Some(By::Token(in_file(file))));
    }
    let nowhere = |what: String| Failure::usage(format!("no keys to take the role with: {what}"));
    let login = if let Some(name) = of("source_profile") {
        if depth == 0 {
            return Err(nowhere("profiles name each other as source_profile".to_owned()));
        }
        let (source, is_known) = Profile::named(&name)?;
        if !is_known {
            return Err(nowhere(format!("no file has the profile `{name}` of source_profile")));
        }
        // One that names itself means its keys.
        let found = match keys_of(&source) {
            Some(login) => Some(login),
            None => of_profile(&source, region, depth - 1)?,
        };
        found.ok_or_else(|| nowhere(format!("the profile `{name}` says none")))?
    } else {
        match of("credential_source").as_deref() {
            None => return Ok(None),
            Some("Environment") => of_variables()
                .ok_or_else(|| nowhere("the variables of the environment have none".to_owned()))?,
            Some("Ec2InstanceMetadata") => of_instance(),
            Some("EcsContainer") => of_container()?
                .ok_or_else(|| nowhere("no variable names the container's service".to_owned()))?,
            Some(other) => {
                return Err(nowhere(format!("credential_source `{other}` is not known")));
            }
        }
    };
    Ok(Some(By::Login(Box::new(login), of("external_id"))))
}

fn role(arn: String, session: Option<String>, region: &str, by: By) -> Login {
    let url = set("AWS_ENDPOINT_URL_STS").or_else(|| set("AWS_ENDPOINT_URL"));
    let url = url.unwrap_or_else(|| format!("https://sts.{region}.amazonaws.com"));
    let session = session.unwrap_or_else(|| "pmtaq".to_owned());
    Login::Role { url, region: region.to_owned(), arn, session, by }
}

fn in_file(path: String) -> Lender {
    Arc::new(move || match settings::read(path.as_ref()) {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err(format!("there is no file {path}")),
        Err(failure) => Err(failure.message().to_owned()),
    })
}

/// What a command prints, which a shell runs. What it says on stderr is the user's to see.
fn printed_by(command: String) -> Lender {
    Arc::new(move || {
        let mut shell = Command::new("sh");
        let output = shell.args(["-c", &command]).stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = output.output().map_err(|error| format!("credential_process: {error}"))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(format!("credential_process ends with {}", output.status))
        }
    })
}
