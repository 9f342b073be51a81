//! One request and what came of it, tried again where that may help. Knows HTTP, and no object.

use std::io::Read;
use std::thread::sleep;
use std::time::Duration;

use rusty_s3::S3Action;
use ureq::Body;
use ureq::http::{Request, Response};

use crate::bucket::Bucket;
use crate::error::{Error, Result, shown};
use crate::random::random;
use crate::xml::tag;

/// How often what may pass by itself is tried in all.
const TRIES: u32 = 7;

/// The longest waits before the second try, and before any.
const FIRST_WAIT_MS: u64 = 100;
const LONGEST_WAIT_MS: u64 = 5_000;

/// How long the signature of a request holds: as long as it may take.
const SIGNED_FOR: Duration = Duration::from_secs(3600);

/// What a request takes at most, beside its bytes, and how many of these come in a second at least.
const PATIENCE: Duration = Duration::from_secs(60);
const BYTES_A_SECOND: u64 = 50_000;

/// How a try failed.
pub(crate) struct FailedTry {
    pub(crate) error: Error,
    /// Whether another try may help.
    pub(crate) passes: bool,
    pub(crate) status: u16,
}

/// What is sent beside the address.
#[derive(Default)]
pub(crate) struct Sent<'s> {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: &'s [u8],
    /// Bytes that go or come: what the time that is allowed depends on.
    pub(crate) bytes: u64,
}

/// Waits before try number `tried + 1`: a random time, so that those who met do not meet again.
pub(crate) fn wait(tried: u32) {
    let longest = (FIRST_WAIT_MS << tried.min(10)).min(LONGEST_WAIT_MS);
    sleep(Duration::from_millis(random() % (longest + 1)));
}

/// Does `once`, and again what may pass.
pub(crate) fn retried<T>(mut once: impl FnMut() -> std::result::Result<T, FailedTry>) -> Result<T> {
    let mut tried = 0;
    loop {
        match once() {
            Ok(done) => return Ok(done),
            Err(failed) if !failed.passes || tried + 1 >= TRIES => return Err(failed.error),
            Err(_) => tried += 1,
        }
        wait(tried);
    }
}

impl Bucket {
    /// Sends a request once. An answer with an error is one.
    pub(crate) fn once<'a, A: S3Action<'a>>(
        &self,
        what: &str,
        action: &A,
        sent: &Sent<'_>,
    ) -> std::result::Result<Response<Body>, FailedTry> {
        let lasting = |error: Error| FailedTry { error, passes: false, status: 0 };
        let url = action.sign(SIGNED_FOR);
        let mut request = Request::builder().method(A::METHOD.to_str()).uri(url.as_str());
        for (name, value) in &sent.headers {
            request = request.header(*name, value);
        }
        let broken = |why: &dyn std::fmt::Display| Error::Unanswered {
            what: what.to_owned(),
            why: shown(&why.to_string()),
        };
        let allowed = PATIENCE + Duration::from_secs(sent.bytes / BYTES_A_SECOND);
        let has_body = matches!(A::METHOD, rusty_s3::Method::Put | rusty_s3::Method::Post);
        let answer = if has_body {
            let request = request.body(sent.body).map_err(|error| lasting(broken(&error)))?;
            let request = self.agent().configure_request(request).timeout_global(Some(allowed));
            self.agent().run(request.build())
        } else {
            let request = request.body(()).map_err(|error| lasting(broken(&error)))?;
            let request = self.agent().configure_request(request).timeout_global(Some(allowed));
            self.agent().run(request.build())
        };
        let mut answer = answer.map_err(|error| unanswered(what, &error))?;
        let status = answer.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
        let region = header("x-amz-bucket-region").map(shown);
        let mut text = String::new();
        // What cannot be read of it is not needed.
        let _ = answer.body_mut().as_reader().take(1 << 16).read_to_string(&mut text);
        let code = shown(tag(&text, "Code").unwrap_or_default());
        let mut message = shown(tag(&text, "Message").unwrap_or_default());
        if let (300..400, Some(region)) = (status, region) {
            message = format!("the bucket is in the region {region}: set AWS_REGION");
        }
        let passes = matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
            || matches!(code.as_str(), "RequestTimeout" | "SlowDown");
        let error = Error::Refused { what: what.to_owned(), status, code, message };
        Err(FailedTry { error, passes, status })
    }
}

/// What became of a request that nobody answered, or not to its end.
pub(crate) fn unanswered(what: &str, error: &ureq::Error) -> FailedTry {
    // The one kind that shows the address.
    let why = match error {
        ureq::Error::BadUri(_) => "the address of the server is none".to_owned(),
        error => shown(&error.to_string()),
    };
    let passes =
        !matches!(error, ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::Tls(_))
            && !why.contains("certificate");
    FailedTry { error: Error::Unanswered { what: what.to_owned(), why }, passes, status: 0 }
}
