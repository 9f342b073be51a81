//! Keys that the service of security tokens (STS) lends for a role: its two questions, and how one of
//! them is signed. Sends nothing.
//!
//! Signed as "Signature Version 4" says, in the headers; the question is the body, as a form.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use rusty_s3::Credentials;
use sha2::{Digest, Sha256};

/// The version of the service's interface.
const VERSION: &str = "2011-06-15";

/// Parts of a query, without escapes.
pub(crate) type Query = Vec<(&'static str, String)>;

/// The question for a role that the token of another identity may take, which is not signed.
pub(crate) fn of_web_identity(role: &str, session: &str, token: &str) -> Query {
    let mut query = of_role(role, session, None);
    query[0].1 = "AssumeRoleWithWebIdentity".to_owned();
    query.push(("WebIdentityToken", token.to_owned()));
    query
}

/// The question for a role that other keys may take.
pub(crate) fn of_role(role: &str, session: &str, external_id: Option<&str>) -> Query {
    let mut query = vec![
        ("Action", "AssumeRole".to_owned()),
        ("Version", VERSION.to_owned()),
        ("RoleArn", role.to_owned()),
        ("RoleSessionName", session.to_owned()),
    ];
    query.extend(external_id.map(|id| ("ExternalId", id.to_owned())));
    query
}

/// What the body is.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// The body that asks.
pub(crate) fn body(query: &[(&str, String)]) -> String {
    let parts = query.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
    parts.collect::<Vec<_>>().join("&")
}

/// The headers by which `keys` sign a body that is posted to the service, beside its content type.
pub(crate) fn signature(
    endpoint: &str,
    region: &str,
    keys: &Credentials,
    now: DateTime<Utc>,
    body: &str,
) -> Vec<(&'static str, String)> {
    let (time, day) = (now.format("%Y%m%dT%H%M%SZ").to_string(), now.format("%Y%m%d").to_string());
    let host = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default().to_owned();
    // In the order of their names.
    let mut headers = vec![("content-type", FORM.to_owned()), ("host", host), ("x-amz-date", time)];
    headers.extend(keys.token().map(|token| ("x-amz-security-token", token.to_owned())));
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let request = format!("POST\n/\n\n{lines}\n{names}\n{}", hash(body));
    let (scope, time) = (format!("{day}/{region}/sts/aws4_request"), &headers[2].1);
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hash(&request));
    let secret = format!("AWS4{}", keys.secret());
    let steps = [day.as_str(), region, "sts", "aws4_request", &text];
    let key = steps.into_iter().fold(secret.into_bytes(), |key, step| hmac(&key, step));
    let (who, signature) = (keys.key(), HEXLOWER.encode(&key));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={who}/{scope}, SignedHeaders={names}, Signature={signature}"
    );
    headers.retain(|(name, _)| name.starts_with("x-amz-"));
    headers.push(("authorization", authorization));
    headers
}

fn hash(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// As RFC 3986 has it, with nothing plain but what it calls unreserved.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What botocore's `SigV4Auth` makes of the same.
    #[test]
    fn a_question_is_signed_as_amazons_own_library_signs_it() {
        let keys = Credentials::new_with_token("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", "to+k/en=");
        let now = DateTime::from_timestamp(1_772_712_000, 0).expect("a time");
        let query = of_role("arn:aws:iam::123456789012:role/mail", "pmtaq", Some("a b/c"));
        let body = body(&query);
        assert!(body.ends_with("&ExternalId=a%20b%2Fc"), "{body}");
        let endpoint = "https://sts.eu-west-1.amazonaws.com";
        let headers = signature(endpoint, "eu-west-1", &keys, now, &body);
        let of =
            |name| headers.iter().find(|(known, _)| *known == name).expect("a header").1.clone();
        assert_eq!(of("x-amz-date"), "20260305T120000Z");
        assert_eq!(
            of("authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260305/eu-west-1/sts/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=43c1ceed751d5d325851e4effb5281f93c477a8bc15bda81589b45997c0edfda"
        );
    }
}
