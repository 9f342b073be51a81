//! ClickHouse over HTTP: a statement goes, an answer comes. The password is a header, and in no error.

use std::fs::File;
use std::time::Duration;

use pmtaq_schema::untrusted::visible;
use ureq::tls::TlsConfig;
use ureq::{Agent, AsSendBody};

use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::settings::variable;
use crate::trust;

/// How long to wait for a connection, and for any byte of an answer: a day that is put in place takes none of it.
const CONNECT: Duration = Duration::from_secs(10);
const STALLED: Duration = Duration::from_secs(600);

/// What of an error is shown.
const MAX_SHOWN: usize = 300;

pub(super) struct Server {
    agent: Agent,
    url: String,
    user: Option<String>,
    password: Option<String>,
}

impl Server {
    /// The server at an address, for whom the variables name.
    pub(super) fn new(context: &Context, url: &str) -> Result<Server> {
        let is_http = url.starts_with("http://") || url.starts_with("https://");
        let has_more = url.contains(['?', '#', '@']);
        if !is_http || has_more {
            let what = format!("`{}` is no address of ClickHouse", visible(url));
            return Err(Failure::usage(what).hint(
                "write it like http://host:8123; CLICKHOUSE_USER and CLICKHOUSE_PASSWORD say who asks",
            ));
        }
        let roots = trust::roots(None).map_err(Failure::usage)?;
        let agent = Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(Some(STALLED))
            .timeout_per_write(Some(STALLED))
            .timeout_global(context.timeout)
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("pmtaq/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        let url = url.trim_end_matches('/').to_owned();
        let [user, password] = ["CLICKHOUSE_USER", "CLICKHOUSE_PASSWORD"].map(variable);
        Ok(Server { agent, url, user, password })
    }

    /// Has a statement done, and returns the answer.
    pub(super) fn ask(&self, statement: &str) -> Result<String> {
        self.post(&[], statement)
    }

    /// Has rows inserted that a file holds, whose bytes go as they are. One that was inserted under the same
    /// token a short while ago is not inserted again.
    pub(super) fn insert(&self, statement: &str, token: &str, file: &File) -> Result<()> {
        let query = [("query", statement), ("insert_deduplication_token", token)];
        self.post(&query, file).map(drop)
    }

    fn post(&self, query: &[(&str, &str)], body: impl AsSendBody) -> Result<String> {
        let failed = |why: &str| Failure::from_text(format!("ClickHouse: {}", shown(why)));
        let mut request = self.agent.post(format!("{}/", self.url));
        for (name, value) in query {
            request = request.query(*name, *value);
        }
        for (name, value) in
            [("X-ClickHouse-User", &self.user), ("X-ClickHouse-Key", &self.password)]
        {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let unanswered = |error: ureq::Error| match error {
            // The one kind that shows the address with its query.
            ureq::Error::BadUri(_) => failed("its address is none"),
            error => failed(&error.to_string()),
        };
        let mut answer = request.send(body).map_err(unanswered)?;
        let text = answer.body_mut().with_config().limit(1 << 28).read_to_string();
        let text = text.map_err(|error| failed(&error.to_string()))?;
        let is_exception = answer.headers().contains_key("x-clickhouse-exception-code");
        if answer.status().is_success() && !is_exception {
            return Ok(text);
        }
        let hint = "what was inserted stays; run again, it goes on with what is missing";
        Err(failed(&format!("{} {text}", answer.status().as_u16())).hint(hint))
    }
}

fn shown(text: &str) -> String {
    visible(&text.chars().take(MAX_SHOWN).collect::<String>()).trim().to_owned()
}
