//! The derived columns of a line. Pure calls into the schema, with what repeats remembered.

use std::collections::HashMap;

use pmtaq_schema::bounce::bounce_class;
use pmtaq_schema::columns::index_of;
use pmtaq_schema::provider::Providers;
use pmtaq_schema::reply::Reply;
use pmtaq_schema::template::template_of;
use pmtaq_schema::{Record, address};

use xxhash_rust::xxh3::xxh3_128;

use crate::plan::Plan;
use crate::rows::Checked;
use crate::split::{Field, Line};

/// The values of the derived columns of the line that was given last.
pub(crate) struct Derived<'p> {
    providers: &'p Providers,
    /// Names by a hash of the queue, server and domain that decided them; a few thousand a day.
    known_providers: HashMap<u128, String>,
    provider_key: Vec<u8>,
    /// What all lines of a source have in common.
    pub(crate) source: String,
    /// The MTA that the user named, or none.
    pub(crate) host: Option<String>,
    /// The machine, for lines that name no MTA.
    pub(crate) machine: String,
    user_string: String,
    record: Record,
    sender_domain: String,
    rcpt_domain: String,
    provider: String,
    smtp_code: Option<i64>,
    enhanced_code: String,
    template: String,
    bounce_class: &'static str,
    mx: String,
}

const REC: usize = index_of("rec");
const HOST: usize = index_of("host");
const SENDER_DOMAIN: usize = index_of("sender_domain");
const RCPT_DOMAIN: usize = index_of("rcpt_domain");
const PROVIDER: usize = index_of("provider");
const ENHANCED_CODE: usize = index_of("enhanced_code");
const TEMPLATE: usize = index_of("template");
const BOUNCE_CLASS: usize = index_of("bounce_class");
const MX: usize = index_of("mx");
const SOURCE: usize = index_of("source");
const ORIG: usize = index_of("orig");
const RCPT: usize = index_of("rcpt");
const QUEUE: usize = index_of("queue");
const DSN_MTA: usize = index_of("dsn_mta");
const DSN_DIAG: usize = index_of("dsn_diag");
const DSN_STATUS: usize = index_of("dsn_status");
const BOUNCE_CAT: usize = index_of("bounce_cat");
const USER_STRING: usize = index_of("user_string");

impl<'p> Derived<'p> {
    pub(crate) fn new(providers: &'p Providers, host: Option<String>, machine: String) -> Self {
        Derived {
            providers,
            known_providers: HashMap::new(),
            provider_key: Vec::new(),
            source: String::new(),
            host,
            machine,
            user_string: String::new(),
            record: Record::Delivery,
            sender_domain: String::new(),
            rcpt_domain: String::new(),
            provider: String::new(),
            smtp_code: None,
            enhanced_code: String::new(),
            template: String::new(),
            bounce_class: "",
            mx: String::new(),
        }
    }

    /// Derives the values of a line.
    pub(crate) fn set(&mut self, line: &Line<'_, '_>, plan: &Plan, checked: &Checked) {
        let field = |column: usize| match plan.sources[column] {
            Some(field) => line.field(field),
            None => Field::EMPTY,
        };
        self.record = checked.record;
        self.user_string.clear();
        self.user_string.push_str(&field(USER_STRING).text());
        domain(&field(ORIG).value(), &mut self.sender_domain);
        domain(&field(RCPT).value(), &mut self.rcpt_domain);
        let (queue, dsn_mta) = (field(QUEUE).value(), field(DSN_MTA).value());
        self.mx.clear();
        if !dsn_mta.is_empty() {
            address::normal_domain(address::mx_host(&dsn_mta).0, &mut self.mx);
        }
        self.set_provider(&queue, &dsn_mta);
        self.set_reply(&field(DSN_DIAG).text(), &field(DSN_STATUS).text());
        let bounces = [Record::Bounce, Record::Deferral, Record::RemoteBounce];
        self.bounce_class = if bounces.contains(&self.record) {
            bounce_class(&field(BOUNCE_CAT).text()).as_str()
        } else {
            ""
        };
    }

    fn set_provider(&mut self, queue: &[u8], dsn_mta: &[u8]) {
        self.provider_key.clear();
        for part in [queue, b"\0", dsn_mta, b"\0", self.rcpt_domain.as_bytes()] {
            self.provider_key.extend_from_slice(part);
        }
        let key = xxh3_128(&self.provider_key);
        // Bounded: lists of one-off domains must not grow the memory for ever.
        if self.known_providers.len() > 100_000 {
            self.known_providers.clear();
        }
        let name = self.known_providers.entry(key).or_insert_with(|| {
            let text = |bytes| String::from_utf8_lossy(bytes);
            self.providers.provider_of(&text(queue), &text(dsn_mta), &self.rcpt_domain).into_owned()
        });
        self.provider.clear();
        self.provider.push_str(name);
    }

    fn set_reply(&mut self, dsn_diag: &str, dsn_status: &str) {
        let reply = Reply::parse(dsn_diag, dsn_status);
        self.smtp_code = reply.smtp_code.map(i64::from);
        self.enhanced_code.clear();
        self.enhanced_code.push_str(reply.enhanced_code.unwrap_or_default());
        self.template.clear();
        template_of(&reply, dsn_status, &mut self.template);
    }

    /// The values of the derived columns of text, by column; empty where there is none.
    pub(crate) fn names(&self) -> [(usize, &str); 10] {
        let host = match (&self.host, self.user_string.as_str()) {
            (Some(host), _) => host,
            (None, "") => &self.machine,
            (None, user_string) => user_string,
        };
        [
            (REC, self.record.as_str()),
            (HOST, host),
            (SENDER_DOMAIN, &self.sender_domain),
            (RCPT_DOMAIN, &self.rcpt_domain),
            (PROVIDER, &self.provider),
            (ENHANCED_CODE, &self.enhanced_code),
            (TEMPLATE, &self.template),
            (BOUNCE_CLASS, self.bounce_class),
            (MX, &self.mx),
            (SOURCE, &self.source),
        ]
    }

    /// The reply code, when a receiver replied.
    pub(crate) fn smtp_code(&self) -> Option<i64> {
        self.smtp_code
    }
}

fn domain(address: &[u8], out: &mut String) {
    out.clear();
    if let Some(raw) = address::domain_of(address) {
        address::normal_domain(raw, out);
    }
}
