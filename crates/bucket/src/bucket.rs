//! The objects below one prefix: got, fetched into files, put, swapped, listed, deleted.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use data_encoding::BASE64;
use md5::{Digest, Md5};
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Credentials, UrlStyle};
use ureq::http::Response;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::address::Address;
use crate::error::{Error, Result, shown};
use crate::login::{Keys, Login};
use crate::wire::{FailedTry, Sent, retried, unanswered};

/// How a bucket is reached.
#[derive(Clone, Debug)]
pub struct Access {
    /// The server, if it is not Amazon's own.
    pub endpoint: Option<String>,
    /// The region that requests are signed for.
    pub region: String,
    /// Who asks.
    pub login: Login,
    /// Whose certificates are trusted.
    pub roots: RootCerts,
}

/// A bucket, seen from one prefix.
#[derive(Clone)]
pub struct Bucket {
    inner: Arc<Inner>,
}

struct Inner {
    address: Address,
    bucket: rusty_s3::Bucket,
    agent: Agent,
    keys: Keys,
}

/// Never the keys.
impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bucket({})", self.inner.address)
    }
}

/// An object that was got whole.
#[derive(Clone, Debug)]
pub struct Object {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// What tells this state of it from any other: to be given to [`Bucket::swap`].
    pub etag: String,
    /// What time it is there, in seconds since 1970; none when the server does not say.
    pub now: Option<i64>,
}

/// An object in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key below the prefix.
    pub key: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was put, in seconds since 1970 by the server's clock.
    pub modified: i64,
}

/// What an object must be like to be replaced.
#[derive(Clone, Copy, Debug)]
pub enum Condition<'c> {
    /// There is none.
    Absent,
    /// It has this ETag.
    Is(&'c str),
}

/// What became of a swap.
#[derive(Debug)]
pub enum Swapped {
    /// It was done; the ETag of what is there now.
    Done(String),
    /// The object is not as it had to be; nothing was done.
    Differs,
    /// Nobody knows: the answer is lost, or is an error after which both may be.
    Unknown(Error),
}

/// How long to wait for a connection, and for any byte of what was asked.
const CONNECT: Duration = Duration::from_secs(10);
const STALLED: Duration = Duration::from_secs(30);

/// The least and greatest size of an answer that is held in memory.
const MAX_BYTES: u64 = 1 << 32;

impl Bucket {
    /// A bucket that is reached so. Sends nothing yet.
    ///
    /// # Errors
    /// [`Error::Settings`] when the endpoint or the name cannot be an address.
    pub fn new(address: Address, access: Access) -> Result<Bucket> {
        let Access { endpoint, region, login, roots } = access;
        let (endpoint, style) = match endpoint {
            Some(endpoint) => (endpoint, UrlStyle::Path),
            // A certificate covers no name with dots.
            None => {
                let is_host = address
                    .bucket
                    .bytes()
                    .all(|b| b == b'-' || b.is_ascii_lowercase() || b.is_ascii_digit());
                let style = if is_host { UrlStyle::VirtualHost } else { UrlStyle::Path };
                (format!("https://s3.{region}.amazonaws.com"), style)
            }
        };
        let wrong = |why: &str| {
            Error::Settings(format!(
                "the endpoint `{}` of the bucket is none: {why}",
                shown(&endpoint)
            ))
        };
        let url = endpoint.parse().map_err(|_| wrong("write it like https://host:9000"))?;
        let bucket = rusty_s3::Bucket::new(url, style, address.bucket.clone(), region)
            .map_err(|_| wrong("it begins with http:// or https:// and a host"))?;
        let agent = Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(Some(STALLED))
            .timeout_per_write(Some(STALLED))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("pmtaq/", env!("CARGO_PKG_VERSION")))
            .max_idle_connections_per_host(32)
            .build()
            .into();
        Ok(Bucket { inner: Arc::new(Inner { address, bucket, agent, keys: Keys::new(login) }) })
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.inner.address
    }

    /// The server, without anything secret.
    pub fn server(&self) -> String {
        let mut url = self.inner.bucket.base_url().clone();
        url.set_query(None);
        url.to_string()
    }

    /// The address of an object as people write it.
    pub fn url(&self, key: &str) -> String {
        format!("{}/{key}", self.inner.address)
    }

    pub(crate) fn agent(&self) -> &Agent {
        &self.inner.agent
    }

    pub(crate) fn s3(&self) -> &rusty_s3::Bucket {
        &self.inner.bucket
    }

    pub(crate) fn keys(&self) -> Result<Credentials> {
        self.inner.keys.get(&self.inner.agent)
    }

    /// The key in the bucket.
    pub(crate) fn full(&self, key: &str) -> String {
        match self.inner.address.prefix.as_str() {
            "" => key.to_owned(),
            prefix => format!("{prefix}/{key}"),
        }
    }

    /// Gets an object; none when there is none.
    ///
    /// # Errors
    /// [`Error::Unanswered`], [`Error::Refused`].
    pub fn get(&self, key: &str) -> Result<Option<Object>> {
        self.get_with(key, |answer| {
            let (etag, now) = (etag_of(answer), now_of(answer));
            let bytes = answer.body_mut().with_config().limit(MAX_BYTES).read_to_vec()?;
            Ok(Object { bytes, etag, now })
        })
    }

    /// Writes an object into `file`, which is emptied first; returns whether there is one.
    ///
    /// # Errors
    /// As for [`Bucket::get`], and [`Error::Io`] of the file.
    pub fn fetch(&self, key: &str, bytes: u64, file: &mut File) -> Result<bool> {
        let mut written = Ok(());
        let fetched = self.get_sized(key, bytes, |answer| {
            written = file.set_len(0).and_then(|()| file.rewind());
            let mut reader = answer.body_mut().as_reader();
            let mut buffer = vec![0; 1 << 17];
            loop {
                let n = reader.read(&mut buffer)?;
                if n == 0 || written.is_err() {
                    return Ok(());
                }
                written = file.write_all(&buffer[..n]);
            }
        })?;
        written.map_err(|source| Error::Io { what: self.url(key), source })?;
        Ok(fetched.is_some())
    }

    fn get_with<T>(
        &self,
        key: &str,
        read: impl FnMut(&mut Response<Body>) -> std::result::Result<T, ureq::Error>,
    ) -> Result<Option<T>> {
        self.get_sized(key, 1 << 20, read)
    }

    fn get_sized<T>(
        &self,
        key: &str,
        bytes: u64,
        mut read: impl FnMut(&mut Response<Body>) -> std::result::Result<T, ureq::Error>,
    ) -> Result<Option<T>> {
        let (what, full) = (format!("get {}", self.url(key)), self.full(key));
        retried(|| {
            let keys = self.keys().map_err(lasting)?;
            let action = self.s3().get_object(Some(&keys), &full);
            let mut answer = match self.once(&what, &action, &Sent { bytes, ..Sent::default() }) {
                Err(failed) if is_missing(&failed) => return Ok(None),
                other => other?,
            };
            read(&mut answer).map(Some).map_err(|error| unanswered(&what, &error))
        })
    }

    /// How large an object is; none when there is none.
    ///
    /// # Errors
    /// As for [`Bucket::get`].
    pub fn size(&self, key: &str) -> Result<Option<u64>> {
        let (what, full) = (format!("look at {}", self.url(key)), self.full(key));
        retried(|| {
            let keys = self.keys().map_err(lasting)?;
            let action = self.s3().head_object(Some(&keys), &full);
            match self.once(&what, &action, &Sent::default()) {
                // Without a body nobody says of what it is that there is none.
                Err(failed) if failed.status == 404 => Ok(None),
                other => {
                    let answer = other?;
                    let length = answer.headers().get("content-length");
                    Ok(length.and_then(|length| length.to_str().ok()?.parse().ok()))
                }
            }
        })
    }

    /// Puts an object, whatever was there.
    ///
    /// # Errors
    /// [`Error::Unanswered`], [`Error::Refused`].
    pub fn put(&self, key: &str, bytes: &[u8]) -> Result<()> {
        retried(|| self.put_once(key, bytes, None)).map(drop)
    }

    /// Puts an object if what is there is as `condition` says, in one step with the comparison. Tries
    /// once.
    ///
    /// # Errors
    /// [`Error::Refused`] when it was not done and will not be.
    pub fn swap(&self, key: &str, bytes: &[u8], condition: Condition<'_>) -> Result<Swapped> {
        match self.put_once(key, bytes, Some(condition)) {
            Ok(etag) => Ok(Swapped::Done(etag)),
            Err(FailedTry { status: 404 | 409 | 412, error, .. }) if !is_bucket(&error) => {
                Ok(Swapped::Differs)
            }
            Err(failed) if failed.passes => Ok(Swapped::Unknown(failed.error)),
            Err(failed) => Err(failed.error),
        }
    }

    fn put_once(
        &self,
        key: &str,
        bytes: &[u8],
        condition: Option<Condition<'_>>,
    ) -> std::result::Result<String, FailedTry> {
        let (what, full) = (format!("put {}", self.url(key)), self.full(key));
        let keys = self.keys().map_err(lasting)?;
        let action = self.s3().put_object(Some(&keys), &full);
        let mut headers = vec![md5_of(bytes)];
        headers.extend(condition.map(|condition| match condition {
            Condition::Absent => ("If-None-Match", "*".to_owned()),
            Condition::Is(etag) => ("If-Match", etag.to_owned()),
        }));
        let answer =
            self.once(&what, &action, &Sent { headers, body: bytes, bytes: bytes.len() as u64 })?;
        Ok(etag_of(&answer))
    }

    /// The objects whose keys begin with `prefix`.
    ///
    /// # Errors
    /// As for [`Bucket::get`].
    pub fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        let (what, full) = (format!("list {}", self.url(prefix)), self.full(prefix));
        let (mut all, mut token) = (Vec::new(), None::<String>);
        let skipped = self.full("").len();
        loop {
            let page = retried(|| {
                let keys = self.keys().map_err(lasting)?;
                let mut action = self.s3().list_objects_v2(Some(&keys));
                action.with_prefix(full.clone());
                if let Some(token) = &token {
                    action.with_continuation_token(token.clone());
                }
                let mut answer = self.once(&what, &action, &Sent::default())?;
                let text = answer.body_mut().with_config().limit(1 << 26).read_to_string();
                let text = text.map_err(|error| unanswered(&what, &error))?;
                let unread = |error: &dyn std::fmt::Display| FailedTry {
                    error: Error::Unanswered { what: what.clone(), why: shown(&error.to_string()) },
                    passes: true,
                    status: 200,
                };
                ListObjectsV2::parse_response(&text).map_err(|error| unread(&error))
            })?;
            all.extend(page.contents.into_iter().filter_map(|object| {
                let modified = object.last_modified.as_deref().unwrap_or_default();
                let modified = DateTime::parse_from_rfc3339(modified).ok()?.timestamp();
                let key = object.key.get(skipped..)?.to_owned();
                Some(Listed { key, bytes: object.size.unwrap_or(0), modified })
            }));
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(all);
            }
        }
    }

    /// Deletes an object; one that is gone is as good as deleted.
    ///
    /// # Errors
    /// As for [`Bucket::get`].
    pub fn delete(&self, key: &str) -> Result<()> {
        let (what, full) = (format!("delete {}", self.url(key)), self.full(key));
        retried(|| {
            let keys = self.keys().map_err(lasting)?;
            let action = self.s3().delete_object(Some(&keys), &full);
            match self.once(&what, &action, &Sent::default()) {
                Err(failed) if is_missing(&failed) => Ok(()),
                other => other.map(drop),
            }
        })
    }
}

/// Bytes that were changed on their way are refused by the server.
pub(crate) fn md5_of(bytes: &[u8]) -> (&'static str, String) {
    ("Content-MD5", BASE64.encode(&Md5::digest(bytes)))
}

pub(crate) fn etag_of(answer: &Response<Body>) -> String {
    let etag = answer.headers().get("etag").and_then(|value| value.to_str().ok());
    etag.unwrap_or_default().to_owned()
}

fn now_of(answer: &Response<Body>) -> Option<i64> {
    let date = answer.headers().get("date")?.to_str().ok()?;
    Some(DateTime::parse_from_rfc2822(date).ok()?.timestamp())
}

pub(crate) fn lasting(error: Error) -> FailedTry {
    FailedTry { error, passes: false, status: 0 }
}

/// Whether an object is not there; of a bucket that is not there this is an error.
fn is_missing(failed: &FailedTry) -> bool {
    failed.status == 404 && !is_bucket(&failed.error)
}

fn is_bucket(error: &Error) -> bool {
    matches!(error, Error::Refused { code, .. } if code == "NoSuchBucket")
}
